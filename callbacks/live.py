"""The real services: one store on disk, its newest generation, the definitions and the operational records."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property

from callbacks.memory import Memory
from callbacks.services import Version, Viewer
from callbacks.session import LiveSession
from metrics.insights.rules import load_rules
from metrics.model import Catalogue
from metrics.standing import Standing, as_published
from warehouse import operations
from warehouse.base.clock import Clock, system_clock
from warehouse.base.errors import ServerError, StoreError
from warehouse.control import iso
from warehouse.store import Generation, Store

MEMORY_BYTES = 16 * 2**20
"""What one process keeps of answers already computed."""
_CONTROL_FILES = ("control.sqlite", "control.sqlite-wal")


class LiveServices:
    """Opens the published generation, keeps it warm, and takes the next one as soon as it is published."""

    def __init__(self, store: Store, clock: Clock = system_clock) -> None:
        self.store = store
        self.clock = clock
        self._lock = threading.Lock()
        self._generation: Generation | None = None
        self.memory = Memory(MEMORY_BYTES)
        self._standing: tuple[object, Standing] | None = None
        self._seen: tuple[tuple[int, ...], Version] | None = None

    @property
    def catalogue(self) -> Catalogue:
        """The definitions the board shows: those it was published by, as long as others are not published or not sound."""
        return self.standing.catalogue

    @property
    def standing(self) -> Standing:
        """The definitions, with the faults of those that were to take their place; read anew when a file has changed."""
        folder = self.store.definitions
        files = sorted(folder.glob("*.toml")) if folder.is_dir() else []
        marks = (self.store.current(), *((file.name, file.stat().st_mtime_ns) for file in files))
        if self._standing is None or self._standing[0] != marks:
            self._standing = (marks, as_published(self.store, self.generation()))
        return self._standing[1]

    @cached_property
    def bounds(self) -> Mapping[str, str]:
        """Kind of each warning rule, which says what its bound is measured in."""
        return {rule.id: rule.kind for rule in load_rules()}

    def version(self) -> Version:
        """Return the present version; judgements of the worker count as news too.

        The store's files are looked at, not into: only when one of them has changed is the version read anew. A log on
        a server has no file to look at and is asked; while it does not answer, the version last seen stands.
        """
        if self.store.exists and self.store.has_shared_log:
            return self._ask_version()
        files = (self.store.generations / "CURRENT", *(self.store.path / name for name in _CONTROL_FILES))
        marks = tuple(file.stat().st_mtime_ns if file.exists() else 0 for file in files)
        if self._seen is None or self._seen[0] != marks:
            self._seen = (marks, self._read_version())
        return self._seen[1]

    def _ask_version(self) -> Version:
        try:
            self._seen = ((), self._read_version())
        except ServerError:
            if self._seen is None:
                raise
        return self._seen[1]

    def _read_version(self) -> Version:
        if not self.is_ready():
            return Version(0, 0, "")
        generation = self.generation()
        runs = operations.last_runs(self.store.control.engine).values()
        return Version(
            generation.number, generation.through_seq, max((iso(run.finished_at) for run in runs), default="")
        )

    def is_ready(self) -> bool:
        """Tell whether a generation is published."""
        path = self.store.current() if self.store.exists else None
        return path is not None and path.exists()

    def load_hint(self) -> str:
        """Return the command that fills this store."""
        return f"cockpit load EXPORTS --store {self.store.path}"

    def generation(self) -> Generation:
        """Return the newest generation, opening it when it has changed; the old one lives until its last request."""
        path = self.store.current()
        with self._lock:
            if self._generation is None or self._generation.path != path:
                self._generation = self.store.open_generation()
                self.memory.forget()
            return self._generation

    @contextmanager
    def open(self, viewer: Viewer) -> Iterator[LiveSession]:
        """Open the newest generation for one request of one viewer."""
        if not self.is_ready():
            raise StoreError(f"The store {self.store.path} has no data yet.", self.load_hint())
        cursor = self.generation().cursor()
        try:
            yield LiveSession(viewer, cursor, self)
        finally:
            cursor.close()
