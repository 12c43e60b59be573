"""The next generation from the one before: its file is copied and only what changed since is written.

That says the same as building anew where the effect of what came is local: new delta segments and nothing else since
(no compaction, same definitions and contracts, a file that still bears its sum), no organisation, no rule of division.
`Anew` says why it is not. Rows of a plain dataset are closed and appended. A dataset whose rows are derived from one
another (cumulative, spread, divided) is written whole and compared with what it said up to the batch before: where
that stands, cubes may still append to theirs.

    Change    what a builder of cubes may rely on: the last batch before, and for each dataset that moved whether all
              that was known up to that batch stands as it did; the rows that moved are those with `rec_from` or a
              finite `rec_to` beyond it
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from warehouse import history
from warehouse.allocating import divide, has_rules
from warehouse.base.paths import these_files
from warehouse.base.periods import OPEN
from warehouse.contracts import Contract
from warehouse.control import DELTA, SegmentRow
from warehouse.declared import declared_since
from warehouse.doubts import find_doubts
from warehouse.governance import DATASET, renew_governance, warnings_mark
from warehouse.projection import (
    SCHEMA_VERSION,
    contracts_mark,
    derive,
    months_ahead,
    rows_sql,
    write_batches,
    write_meta,
    write_rows,
)
from warehouse.reviewed import SCHEMA, START, copy_reviewed, is_owed, lay_decisions, works_with_review
from warehouse.store import Store, connect
from warehouse.sums import table_sum

EVERYWHERE = frozenset({"org_unit", "org_succession", "allocation", "heating_season"})
"""Datasets whose rows move what lies in every other: the tree, its past, the rules of division, the days of heating."""
WEIGHTS = frozenset({"building", "staff"})
"""What a rule of division without weights of its own is measured by."""
DECISIONS = "submission"
EMPTY_SHARE = 0.5
"""Part of a file that may be free blocks before it is written anew."""


class Anew(Exception):
    """The next generation cannot carry on the one before; the text says why."""


@dataclass(frozen=True)
class Step:
    """A published generation and what came since."""

    file: Path
    before: int
    added: tuple[SegmentRow, ...]

    @property
    def datasets(self) -> frozenset[str]:
        """Names of the datasets that segments were added to."""
        return frozenset(segment.dataset for segment in self.added)

    def of(self, dataset: str) -> list[SegmentRow]:
        """Return the added segments of a dataset."""
        return [segment for segment in self.added if segment.dataset == dataset]


@dataclass(frozen=True)
class Change:
    """Datasets that moved since a batch; True where all that was known up to it stands as it did."""

    before: int
    reported: Mapping[str, bool] = field(default_factory=dict)
    reviewed: Mapping[str, bool] = field(default_factory=dict)


def moved(before: int) -> str:
    """SQL of the rows of a dataset that became known or were taken back after a batch."""
    return f"(rec_from > {before} OR (rec_to > {before} AND rec_to < {OPEN}))"


def step_from(store: Store, current: Path | None, catalogue: str) -> Step:
    """Return what came since the published generation, or raise `Anew`. Looks at no byte of its tables."""
    if current is None or not current.is_file():
        raise Anew("nothing is published")
    meta = _meta(current)
    for key, wanted in _made_by(store, catalogue).items():
        if meta.get(key) != wanted:
            raise Anew(f"{current.name} was made by other {key}")
    before = int(meta["through_seq"])
    known, added = _parted(store.control.segments(), before)
    if history.fingerprint(known) != meta.get("segments"):
        raise Anew(f"the segments {current.name} was made of are not those that stand")
    if others := {segment.path for segment in added if segment.kind != DELTA}:
        raise Anew(f"{min(others)} is no segment of one batch")
    step = Step(current, before, tuple(added))
    if far := sorted(step.datasets & EVERYWHERE):
        raise Anew(f"{', '.join(far)} came")
    if first := sorted(step.datasets - {segment.dataset for segment in known}):
        raise Anew(f"{', '.join(first)} came for the first time")
    return step


def _meta(current: Path) -> dict[str, str]:
    try:
        with connect(str(current), read_only=True, memory="128MB", threads=1) as con:
            return dict(con.execute("SELECT key, value FROM meta").fetchall())
    except duckdb.Error as cause:
        raise Anew(f"{current.name} cannot be read") from cause


def _made_by(store: Store, catalogue: str) -> dict[str, str]:
    contracts = contracts_mark((*store.records.values(), *store.contracts.values()))
    # what a store says of itself may bear on how its rows are derived
    return {**store.control.meta(), "schema_version": SCHEMA_VERSION, "catalogue": catalogue, "contracts": contracts}


def _parted(segments: Iterable[SegmentRow], before: int) -> tuple[list[SegmentRow], list[SegmentRow]]:
    known: list[SegmentRow] = []
    added: list[SegmentRow] = []
    for segment in segments:
        (known if segment.batch_seq <= before else added).append(segment)
    return known, added


def refuse_hollow(con: duckdb.DuckDBPyConnection, database: str) -> None:
    """What was taken out of a file leaves room; when most of it is room, it is written anew."""
    sizes = con.execute(
        "SELECT total_blocks, free_blocks FROM pragma_database_size() WHERE database_name = $1", [database]
    ).fetchone()
    if sizes and sizes[1] > sizes[0] * EMPTY_SHARE:
        raise Anew(f"{sizes[1]} of {sizes[0]} blocks are free")


def advance(
    con: duckdb.DuckDBPyConnection, store: Store, step: Step, through: int, catalogue: str, built_at: dt.datetime
) -> Change:
    """Carry the tables of the datasets on in a copy of the generation before; return what moved."""
    write_batches(con, store)
    has_review = works_with_review(con)
    decided = _take_decisions(con, store, step) if DECISIONS in step.datasets else frozenset()
    again = _written_again(con, store, step, decided)
    reported, reviewed = dict[str, bool](), dict[str, bool]()
    for name in sorted((step.datasets | decided) - {contract.name for contract in again} - {DECISIONS}):
        contract = store.contracts[name]
        if name in step.datasets:
            append(con, store, contract, step)
            find_doubts(con, contract)
            reported[name] = True
        if has_review and is_owed(contract):
            reviewed[name] = _copied(con, contract, step.before)
    for contract in again:  # after what their rows are divided by
        stands = _write_again(con, store, contract, step.before, has_review=has_review)
        for state, is_same in zip((reported, reviewed), stands, strict=False):
            state[contract.name] = is_same
    for name in declared_since(con, step.before):
        reported.setdefault(name, True)
        if has_review and is_owed(store.contracts[name]):
            reviewed.setdefault(name, True)
    told = warnings_mark(store)  # before they are read, as in a full build
    reported[DATASET] = renew_governance(con, store, step.before)
    write_meta(con, store, through, catalogue, built_at, told)
    return Change(step.before, reported, reviewed)


def append(con: duckdb.DuckDBPyConnection, store: Store, contract: Contract, step: Step) -> None:
    """Close the rows of a dataset that were taken back, then write those that came."""
    table, segments = f"d_{contract.name}", step.of(contract.name)
    files = these_files([store.segments / segment.path for segment in segments])
    gone = f"SELECT row_id, from_m, batch_seq FROM read_parquet({files}, union_by_name = true) WHERE n = -1"
    low, high = con.execute(f"SELECT min(from_m), max(from_m) FROM ({gone})").fetchone() or (None, None)
    if low is not None:
        ahead = months_ahead(store) if contract.time_kind == "year" else 0
        con.execute(
            f"UPDATE {table} SET rec_to = g.batch_seq FROM ({gone}) g WHERE {table}.row_id = g.row_id"
            f" AND {table}.rec_to = {OPEN} AND {table}.from_m BETWEEN {low - ahead} AND {high - ahead}"
        )
    con.execute(f"INSERT INTO {table} BY NAME {rows_sql(store, contract, segments)}")


def _take_decisions(con: duckdb.DuckDBPyConnection, store: Store, step: Step) -> frozenset[str]:
    """Append decisions on submissions; return the datasets they speak of."""
    append(con, store, store.records[DECISIONS], step)
    found = con.execute(f"SELECT DISTINCT dataset, state FROM d_{DECISIONS} WHERE {moved(step.before)}").fetchall()
    if any(state == START for _, state in found):
        raise Anew("work with review was begun or ended")
    if works_with_review(con):
        lay_decisions(con)
    return frozenset(dataset for dataset, _ in found if dataset in store.contracts)


def _written_again(con: duckdb.DuckDBPyConnection, store: Store, step: Step, decided: frozenset[str]) -> list[Contract]:
    """Return the datasets that are written whole, in the order of a full build."""
    measured = bool(step.datasets & WEIGHTS) and has_rules(con)
    return [
        c
        for c in store.contracts.values()
        if ((c.name in step.datasets or c.name in decided) and (c.cumulative or c.billing or c.shared))
        or (measured and c.shared and con.execute(f"SELECT 1 FROM d_{c.name} LIMIT 1").fetchone())
    ]


def _write_again(
    con: duckdb.DuckDBPyConnection, store: Store, contract: Contract, before: int, *, has_review: bool
) -> list[bool]:
    """Write a dataset whole; tell whether what was known before stands as it did, as reported and as reviewed."""
    said = _sums(con, contract, before, has_review=has_review)
    write_rows(con, store, contract)
    derive(con, contract, has_review=has_review, ahead=months_ahead(store))
    find_doubts(con, contract)
    if contract.shared:
        divide(con, [contract])
    return [a == b for a, b in zip(said, _sums(con, contract, before, has_review=has_review), strict=True)]


def _sums(con: duckdb.DuckDBPyConnection, contract: Contract, before: int, *, has_review: bool) -> list[str]:
    """Return what a dataset says of all that was known at a batch, as reported and as reviewed."""
    tables = [f"d_{contract.name}"] + ([f"{SCHEMA}.d_{contract.name}"] if has_review and is_owed(contract) else [])
    return [table_sum(con, table, before) for table in tables]


def _copied(con: duckdb.DuckDBPyConnection, contract: Contract, before: int) -> bool:
    """Write a dataset as it stands reviewed; tell whether what was known before stands as it did."""
    table = f"{SCHEMA}.d_{contract.name}"
    said = table_sum(con, table, before)
    copy_reviewed(con, contract)
    return said == table_sum(con, table, before)
