"""Memory: nothing is computed twice while there is room, and the room is counted in bytes."""

from __future__ import annotations

import tracemalloc
from dataclasses import dataclass
from decimal import Decimal
from itertools import count

import pytest

from callbacks.memory import ENTRY_BYTES, Memory, weigh


@dataclass(frozen=True)
class Figure:
    name: str
    value: Decimal
    shown: float


def figures(number: int) -> tuple[Figure, ...]:
    return tuple(Figure(f"figure {place}", Decimal(place), float(place)) for place in range(number))


def test_a_thing_is_computed_once_even_when_it_is_nothing() -> None:
    memory, calls = Memory(10_000), count(1)
    assert [memory.once("key", lambda: next(calls)) for _ in range(3)] == [1, 1, 1]
    assert memory.once("none", lambda: None) is None
    memory.forget()
    assert memory.once("key", lambda: next(calls)) == 2


def test_the_least_recently_used_goes_first() -> None:
    memory = Memory(3 * (ENTRY_BYTES + 1100))
    for key in "abc":
        memory.once(key, lambda: "x" * 1000)
    memory.once("a", lambda: "new")
    memory.once("d", lambda: "x" * 1000)
    assert memory.once("a", lambda: "new") == "x" * 1000
    assert memory.once("b", lambda: "new") == "new"


def test_what_is_too_heavy_is_answered_and_not_kept() -> None:
    memory = Memory(5_000)
    memory.once("small", lambda: "kept")
    assert len(memory.once("large", lambda: "x" * 10_000)) == 10_000
    assert len(memory) == 1
    assert memory.held_bytes <= memory.limit_bytes


@pytest.mark.parametrize("number", [1, 10, 1000])
@pytest.mark.parametrize("wrap", [tuple, list, frozenset, lambda made: dict(enumerate(made))])
def test_the_estimate_is_near_what_is_really_held(number: int, wrap) -> None:
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    made = wrap(figures(number))
    held = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert 0.7 * held - 300 < weigh(made) < 1.6 * held + 300
