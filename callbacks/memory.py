"""Memory: what was computed for one screen and may serve the next, bounded by the bytes it holds."""

from __future__ import annotations

import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence, Set
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

Thing = TypeVar("Thing")
SAMPLE = 24
"""Members of a long collection that are weighed; the rest is taken to weigh the same."""
ENTRY_BYTES = 600
"""What an entry costs beside its thing: key, place in the order, and its weight."""
DEEPEST = 8


class Memory:
    """Things by key; the least recently used go when all weigh more than the limit. Threads share it."""

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self.held_bytes = 0
        self._things: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._things)

    def once(self, key: Hashable, compute: Callable[[], Thing]) -> Thing:
        """Return what is kept under a key, else compute it and keep it; what weighs too much alone is not kept."""
        with self._lock:
            if key in self._things:
                self._things.move_to_end(key)
                found: Thing = self._things[key][0]
                return found
        made = compute()
        self._keep(key, made, ENTRY_BYTES + weigh(made))
        return made

    def forget(self) -> None:
        """Let everything go."""
        with self._lock:
            self._things.clear()
            self.held_bytes = 0

    def _keep(self, key: Hashable, thing: object, weight: int) -> None:
        if weight > self.limit_bytes:
            return
        with self._lock:
            self.held_bytes += weight - self._things.pop(key, (None, 0))[1]
            self._things[key] = (thing, weight)
            while self.held_bytes > self.limit_bytes:
                self.held_bytes -= self._things.popitem(last=False)[1][1]


def weigh(thing: object) -> int:
    """Estimate the bytes a thing holds: itself and its members once each, of long collections by a sample."""
    return _weigh(thing, set(), 0)


def _weigh(thing: object, seen: set[int], depth: int) -> int:
    if id(thing) in seen:
        return 0
    seen.add(id(thing))
    size = sys.getsizeof(thing)
    if depth >= DEEPEST or isinstance(thing, (str, bytes, int, float)):
        return size
    if isinstance(thing, Mapping):
        keys = _weigh_all(list(thing), seen, depth, SAMPLE)
        return size + keys + _weigh_all(list(thing.values()), seen, depth, SAMPLE)
    if isinstance(thing, (Sequence, Set)):
        return size + _weigh_all(list(thing), seen, depth, SAMPLE)
    if is_dataclass(thing):
        members = [getattr(thing, field.name) for field in fields(thing)]
        own = sys.getsizeof(thing.__dict__) if hasattr(thing, "__dict__") else 0
        return size + own + _weigh_all(members, seen, depth, len(members))
    return size


def _weigh_all(members: Sequence[object], seen: set[int], depth: int, sample: int) -> int:
    weighed = members[:: max(1, len(members) // max(1, sample))]
    return sum(_weigh(member, seen, depth + 1) for member in weighed) * len(members) // max(1, len(weighed))
