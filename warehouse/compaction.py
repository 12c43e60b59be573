"""Compaction by rebase: many small segments of signed deltas become one history segment that says the same.

A history segment keeps every version with both ends of its interval of knowledge, so nothing is lost: every past day is
read from it as before. It is written aside, checked row by row against what it replaces, flushed and named; then one
transaction of the control log makes it stand and the others step down. Those leave the disk later (`retention`).
A dataset that has grown large has one history a year, so that a night rewrites only the years that moved.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb
import sqlalchemy as sa

from warehouse import history
from warehouse.base.clock import Clock, system_clock
from warehouse.base.errors import StoreError
from warehouse.base.periods import OPEN
from warehouse.contracts import Contract
from warehouse.control import DELTA, HISTORY, SEGMENT, Control, SegmentRow, iso
from warehouse.durable import sha256_of
from warehouse.recovery import recover
from warehouse.segment import MARK, SMALL, put, write_aside
from warehouse.store import Store, connect

Progress = Callable[[str], None]
WHOLE = 2_000_000
"""Rows up to which a dataset has one history; beyond, one a year."""


@dataclass(frozen=True)
class Policy:
    """When a dataset is rebased, and how long what was replaced is kept."""

    most_segments: int = 24
    """Delta segments beyond which reading them costs more than rewriting them."""
    share: float = 0.5
    """Delta rows per history row beyond which a history no longer saves what it should."""
    kept_days: int = 14


@dataclass(frozen=True)
class Rebase:
    """What would be made of one dataset: the segments that go into it, and the years its histories are cut into."""

    dataset: str
    replaces: tuple[SegmentRow, ...]
    years: tuple[int, ...]
    """Empty: one history for all."""
    through: int

    @property
    def rows(self) -> int:
        """Rows of all the segments that are replaced."""
        return sum(segment.rows for segment in self.replaces)

    @property
    def bytes(self) -> int:
        """Bytes of all the segments that are replaced."""
        return sum(segment.bytes for segment in self.replaces)


@dataclass(frozen=True)
class Rebased:
    """What was made of one dataset."""

    dataset: str
    segments_before: int
    segments_after: int
    rows_before: int
    rows_after: int
    bytes_before: int
    bytes_after: int


def plan(store: Store, policy: Policy, *, everything: bool = False) -> tuple[Rebase, ...]:
    """Return what is due by the policy, or with `everything` each dataset that has a delta segment at all."""
    found = []
    standing = store.control.segments()
    for name in sorted({segment.dataset for segment in standing}):
        segments = [segment for segment in standing if segment.dataset == name]
        if any(one.kind == DELTA for one in segments) and (everything or _is_due(segments, policy)):
            found.append(_rebase(store, name, segments))
    return tuple(found)


def _is_due(segments: Sequence[SegmentRow], policy: Policy) -> bool:
    deltas = [segment for segment in segments if segment.kind == DELTA]
    base = sum(segment.rows for segment in segments if segment.kind == HISTORY)
    fresh = sum(segment.rows for segment in deltas)
    return len(deltas) > policy.most_segments or (base > 0 and len(deltas) > 1 and fresh > policy.share * base)


def _rebase(store: Store, name: str, segments: Sequence[SegmentRow]) -> Rebase:
    through = max(segment.batch_seq for segment in segments)
    contract = store.contracts.get(name)
    is_long = contract is not None and contract.time_kind != "span"
    if not is_long or sum(segment.rows for segment in segments) <= WHOLE:
        return Rebase(name, tuple(segments), (), through)
    touched = {year for segment in segments if segment.kind == DELTA for year in _years(segment)}
    taken: set[str] = set()
    # a row and what takes it back lie in one month; a history that reaches into a touched year goes whole
    while grown := [s for s in segments if s.path not in taken and (s.kind == DELTA or touched & set(_years(s)))]:
        taken |= {segment.path for segment in grown}
        touched |= {year for segment in grown for year in _years(segment)}
    chosen = tuple(segment for segment in segments if segment.path in taken)
    return Rebase(name, chosen, tuple(sorted(touched)), through)


def _years(segment: SegmentRow) -> range:
    return range(segment.from_m // 12, (max(segment.to_m, segment.from_m + 1) - 1) // 12 + 1)


def compact(
    store: Store, policy: Policy, *, everything: bool = False, clock: Clock = system_clock,
    progress: Progress | None = None,
) -> tuple[Rebased, ...]:  # fmt: skip
    """Rebase what is due, dataset by dataset; each stands or does not. Does not publish and removes nothing."""
    with store.writing(tell=progress):
        recover(store)
        done = []
        for work in plan(store, policy, everything=everything):
            if progress:
                progress(f"{work.dataset}: {len(work.replaces)}")
            done.append(rebase(store, work, clock()))
        return tuple(done)


def rebase(store: Store, work: Rebase, now: dt.datetime) -> Rebased:
    """Write, check and acknowledge the histories of one dataset. The caller holds the writer lock."""
    _refuse_altered(store, work.replaces)
    with contextlib.closing(connect(spill=store.tmp)) as con:
        files = _write(con, store, work)
        _check(con, store, work, files)
        made = [
            put(con, file, store.segments, f"{work.dataset}/{file.name.removesuffix('.tmp')}", work.through, HISTORY)
            for file in files
        ]
    _let_stand(store.control, made, work, now)
    return Rebased(
        work.dataset, len(work.replaces), len(made), work.rows, sum(one.rows for one in made), work.bytes,
        sum(one.bytes for one in made),
    )  # fmt: skip


def _refuse_altered(store: Store, segments: Iterable[SegmentRow]) -> None:
    """What is damaged must not get a new sum that calls it right."""
    for segment in segments:
        file = store.segments / segment.path
        if not file.is_file() or sha256_of(file) != segment.sha256:
            raise StoreError(
                f"The segment {file} is missing or was altered; nothing was compacted.",
                f"see what is wrong and what to do with: cockpit doctor --store {store.path}",
            )


def _write(con: duckdb.DuckDBPyConnection, store: Store, work: Rebase) -> list[Path]:
    """Write the histories aside, sorted as they are published."""
    rows = history.versions(store.segments, work.replaces)
    order = ", ".join(_order(store.contracts.get(work.dataset)))
    files = []
    for year in work.years or (None,):
        inside = "" if year is None else f"WHERE from_m >= {year * 12} AND from_m < {year * 12 + 12}"
        if year is not None and not con.execute(f"SELECT 1 FROM ({rows}) {inside} LIMIT 1").fetchone():
            continue
        file = store.tmp / f"{name_of(year, work.through)}.tmp"
        select = f"""
            SELECT * EXCLUDE (rec_from, rec_to), rec_from AS batch_seq, nullif(rec_to, {OPEN})::INTEGER AS taken_seq
            FROM ({rows}) {inside} ORDER BY {order}"""
        write_aside(con, select, file, SMALL)
        files.append(file)
    return files


def name_of(year: int | None, through: int) -> str:
    """Return the name of a history: its year and the last batch it holds."""
    return f"{MARK}{'all' if year is None else f'{year:04d}'}-{through:08d}.parquet"


def _order(contract: Contract | None) -> list[str]:
    """Sorted as it is published; what no contract of today speaks of keeps the order it came in."""
    names = ["from_m", *([contract.org_column or "", *contract.keys] if contract else []), "row_id"]
    return [f'"{name}"' for name in dict.fromkeys(names) if name]


def _check(con: duckdb.DuckDBPyConnection, store: Store, work: Rebase, files: Sequence[Path]) -> None:
    """Every version must be there again, cell by cell, before the histories may stand."""
    made = [SegmentRow(str(file.resolve()), work.dataset, work.through, 0, 0, 0, 0, "", HISTORY) for file in files]
    before = _sum(con, history.versions(store.segments, work.replaces))
    after = _sum(con, history.versions(Path("/"), made))
    if before != after:
        raise StoreError(
            f"The rebase of {work.dataset} does not say the same as its {len(work.replaces)} segments "
            f"({after[0]} versions instead of {before[0]}); nothing was changed.",
            f"see what is wrong and what to do with: cockpit doctor --deep --store {store.path}",
        )


def _sum(con: duckdb.DuckDBPyConnection, rows: str) -> tuple[int, str]:
    """Return the number of rows and a sum over all cells that does not depend on their order."""
    columns = sorted(row[0] for row in con.execute(f"DESCRIBE {rows}").fetchall())
    cells = ", ".join(f'"{column}"' for column in columns)
    found = con.execute(f"SELECT count(*), sum(hash({cells})::HUGEINT)::VARCHAR FROM ({rows})").fetchone()
    return (int(found[0]), found[1] or "") if found else (0, "")


def _let_stand(control: Control, made: Sequence[SegmentRow], work: Rebase, now: dt.datetime) -> None:
    """Let the histories stand and what they hold step down, in one transaction."""
    step_down = (
        sa.update(SEGMENT)
        .where(SEGMENT.c.path == sa.bindparam("old"), SEGMENT.c.valid_to_seq.is_(None))
        .values(valid_to_seq=work.through, replaced_at=iso(now))
    )
    with control.engine.begin() as con:
        for segment in work.replaces:
            if con.execute(step_down, {"old": segment.path}).rowcount != 1:
                raise StoreError(f"The segment {segment.path} was replaced meanwhile.", "run cockpit compact again")
        con.execute(sa.insert(SEGMENT), [asdict(segment) for segment in made])
