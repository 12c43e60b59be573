"""What is read once per generation: its nodes and the layout of its cubes. A generation never changes."""

from __future__ import annotations

import datetime as dt
import threading
from collections import OrderedDict
from dataclasses import dataclass
from hashlib import sha256
from typing import Generic, TypeVar

import duckdb

from metrics.nodes import Register, read_register
from metrics.plan import Laid, Layout, Published
from metrics.tables import table_names
from warehouse.store import Generation

Thing = TypeVar("Thing")
_KEPT_GENERATIONS = 6


@dataclass(frozen=True)
class Known:
    """The nodes, the cubes and the origin of one generation."""

    register: Register
    layout: Layout
    origin: str
    last_recorded: dt.datetime | None
    """When the newest batch came: the clock of a live question that brings none."""


class Kept(Generic[Thing]):
    """The newest few things by key; threads share it."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._things: OrderedDict[object, Thing] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: object) -> Thing | None:
        """Return what is kept under a key, or None."""
        return self._things.get(key)

    def put(self, key: object, thing: Thing) -> Thing:
        """Keep a thing, drop the oldest beyond the limit, and return it."""
        with self._lock:
            self._things[key] = thing
            while len(self._things) > self._limit:
                self._things.popitem(last=False)
        return thing


_generations: Kept[Known] = Kept(_KEPT_GENERATIONS)


def knowledge(generation: Generation) -> Known:
    """Return what a generation knows about its nodes and cubes."""
    key = (str(generation.path), tuple(sorted(generation.meta.items())))
    return _generations.get(key) or _generations.put(key, read_knowledge(generation))


def read_knowledge(generation: Generation) -> Known:
    """Read it from the file."""
    return Known(
        read_register(generation.con),
        read_layout(generation.con),
        generation.meta.get("origin", "real"),
        generation.recorded_at(generation.through_seq),
    )


def read_layout(con: duckdb.DuckDBPyConnection) -> Layout:
    """Read which atoms the cubes hold, in which tables, and for which months."""
    rows = con.execute("SELECT atom, digits, tables, sources, theme FROM cube_atom ORDER BY atom").fetchall()
    atoms = {row[0]: Laid(row[0], row[1], tuple(row[2]), tuple(row[3])) for row in rows}
    themes = {row[0]: row[4] for row in rows if row[0] in row[2]}
    themes |= dict(con.execute("SELECT source, theme FROM cube_source ORDER BY source").fetchall())
    span = con.execute("SELECT first_m, end_m FROM cube_span").fetchone() or (0, 0)
    text = repr((sorted(atoms.items()), sorted(themes.items())))
    return Layout(atoms, themes, span[0], span[1], sha256(text.encode()).hexdigest(), read_published(con))


def read_published(con: duckdb.DuckDBPyConnection) -> Published | None:
    """Read what the published snapshot holds; a generation of an earlier release has none."""
    if "snap_kind" not in table_names(con):
        return None
    columns = con.execute("SELECT column_name FROM snap_column").fetchall()
    ends = con.execute("SELECT kind, end_m FROM snap_kind").fetchall()
    return Published(dict(ends), frozenset(row[0] for row in columns)) if ends else None
