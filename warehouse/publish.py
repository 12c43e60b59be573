"""Publishing: segments → an immutable, numbered DuckDB generation, swapped in by renaming a pointer.

The next generation carries on the one before where what came since has only local effect (`incremental`); else it is
built anew. Either way it says the same, table by table.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

import duckdb

from warehouse import history
from warehouse.base.clock import Clock, system_clock
from warehouse.base.errors import StoreError
from warehouse.base.sql import quote
from warehouse.contracts import Contract
from warehouse.durable import copy_whole, settle_new, sha256_of, write_text
from warehouse.governance import WARNINGS, warnings_mark
from warehouse.incremental import Anew, Change, advance, refuse_hollow, step_from
from warehouse.projection import SCHEMA_VERSION, project
from warehouse.store import Store, connect

KEPT_GENERATIONS = 3
"""The newest files that stay; who still reads an older one keeps it open although its name is gone."""

MEMORY = "4GB"
"""What the database may hold while it builds, beside which the process needs some itself; the rest is spilled."""

Builder = Callable[[duckdb.DuckDBPyConnection, Mapping[str, Contract]], None]
log = logging.getLogger(__name__)


@runtime_checkable
class Refreshing(Protocol):
    """A builder that can also carry its tables on; with one that cannot, every generation is built anew."""

    def __call__(self, con: duckdb.DuckDBPyConnection, contracts: Mapping[str, Contract]) -> None:
        """Build all its tables."""

    def refresh(self, con: duckdb.DuckDBPyConnection, contracts: Mapping[str, Contract], change: Change) -> None:
        """Write what moved, or raise `Anew` where that is not all."""


def publish(
    store: Store, builders: Sequence[Builder] = (), *, catalogue: str = "", clock: Clock = system_clock,
    force: bool = False,
) -> int:  # fmt: skip
    """Build the next generation when batches or warnings are newer than the current one; return its number.

    The caller holds the writer lock. `builders` add their own tables (cubes) to the same file.
    """
    last, _ = store.control.last()
    current = store.current()
    segments = history.fingerprint(store.control.segments())
    told = warnings_mark(store)
    if current and current.exists() and not force and is_current(current, last, catalogue, segments, told):
        return int(current.stem)
    _refuse_damaged(store, thoroughly=force)
    number = _next_number(store)
    temporary = store.generations / f"{number}.duckdb.tmp"
    temporary.unlink(missing_ok=True)
    built_at = clock()
    try:
        try:
            if force:
                raise Anew("it was asked for")
            _carry_on(temporary, store, builders, last, catalogue, built_at)
            log.info("generation %d carries on %s", number, current.name if current else "")
        except Anew as why:
            log.info("generation %d is built anew: %s", number, why)
            temporary.unlink(missing_ok=True)
            _build(temporary, store, builders, last, catalogue, built_at)
    except BaseException:
        temporary.unlink(missing_ok=True)  # on a full disk its room is needed
        raise
    final = store.generations / f"{number}.duckdb"
    size, digest = temporary.stat().st_size, sha256_of(temporary)
    settle_new(temporary, final)
    store.control.add_generation(number, last, final.name, catalogue, clock(), size, digest)
    write_text(store.generations / "CURRENT", final.name)
    _drop_old(store)
    if force:
        _drop_altered(store, number)
    return number


def _build(
    file: Path, store: Store, builders: Sequence[Builder], through: int, catalogue: str, built_at: dt.datetime
) -> None:
    """Write a whole generation to a file; the file is let go of whatever happens."""
    with _writing(file, store) as con:
        project(con, store, through, catalogue, built_at)
        for builder in builders:
            builder(con, store.contracts)


def _carry_on(
    file: Path, store: Store, builders: Sequence[Builder], through: int, catalogue: str, built_at: dt.datetime
) -> None:
    """Write a copy of the published generation in which only what came since is new."""
    refreshing = [builder for builder in builders if isinstance(builder, Refreshing)]
    if len(refreshing) < len(builders):
        raise Anew("not all that is built can be carried on")
    step = step_from(store, store.current(), catalogue)
    copy_whole(step.file, file)
    if store.control.generation_sums().get(step.file.name) != sha256_of(file):
        raise Anew(f"{step.file.name} is not what was published")
    with _writing(file, store) as con:
        refuse_hollow(con, "g")
        change = advance(con, store, step, through, catalogue, built_at)
        for builder in refreshing:
            builder.refresh(con, store.contracts, change)


@contextlib.contextmanager
def _writing(file: Path, store: Store) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a file that nobody reads yet; it is durable when it is renamed, so no log is kept beside it."""
    with contextlib.closing(connect(spill=store.tmp, memory=MEMORY)) as con:
        con.execute(f"ATTACH {quote(str(file))} AS g (STORAGE_VERSION 'v1.5.0', RECOVERY_MODE 'no_wal_writes')")
        con.execute("USE g")
        yield con
        con.execute("CHECKPOINT g")
        con.execute("USE memory")
        con.execute("DETACH g")


def is_current(path: Path, last: int, catalogue: str, segments: str, told: str) -> bool:
    """Tell whether a generation was made of these very segments and warnings by the same definitions."""
    try:
        with connect(str(path), read_only=True, memory="128MB", threads=1) as con:
            meta = dict(con.execute("SELECT key, value FROM meta").fetchall())
    except duckdb.Error:
        return False
    return (
        meta.get("through_seq") == str(last)
        and meta.get("segments") == segments
        and meta.get("schema_version") == SCHEMA_VERSION
        and meta.get("catalogue", "") == catalogue
        and meta.get(WARNINGS) == told
    )


def _next_number(store: Store) -> int:
    numbers = [int(file.stem) for file in store.generations.glob("*.duckdb") if file.stem.isdigit()]
    return max(*numbers, store.control.last_generation(), 0) + 1


def _drop_old(store: Store) -> None:
    """Remove all but the newest generations; a file that cannot be removed now is tried again at the next publish."""
    numbered = [file for file in store.generations.glob("*.duckdb") if file.stem.isdigit()]
    for file in sorted(numbered, key=lambda file: int(file.stem))[:-KEPT_GENERATIONS]:
        with contextlib.suppress(OSError):
            file.unlink()


def _drop_altered(store: Store, newest: int) -> None:
    """Remove earlier generations that are no longer what was published: a rebuild leaves nothing behind to mistrust."""
    for name, digest in store.control.generation_sums().items():
        file = store.generations / name
        if file.stem != str(newest) and digest and file.is_file() and sha256_of(file) != digest:
            file.unlink()


def _refuse_damaged(store: Store, *, thoroughly: bool) -> None:
    """Figures are never made of a segment that was cut off; a rebuild also looks at every byte."""
    for segment in store.control.segments():
        file = store.segments / segment.path
        sound = file.is_file() and file.stat().st_size == segment.bytes
        if not sound or (thoroughly and sha256_of(file) != segment.sha256):
            raise StoreError(
                f"The segment {file} is missing or was altered; nothing was published.",
                f"see what is wrong and what to do with: cockpit doctor --store {store.path}",
            )
