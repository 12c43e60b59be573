"""What a file is taken for: its source, its rows as values, and how they stand against what is known.

Nothing is committed here. Ingest goes on from the result; a preview only tells it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import duckdb

from warehouse import quarantine, stage
from warehouse.base.clock import Clock
from warehouse.contracts import Contract
from warehouse.control import SegmentRow, iso
from warehouse.control_totals import total_gaps
from warehouse.corrections import advised, relabelled
from warehouse.deltas import Change, compare, good_rows, known_rows
from warehouse.draft import Draft
from warehouse.held import Held
from warehouse.line_sums import line_gaps
from warehouse.locks import find_locks, keep_final, set_aside
from warehouse.manifest import Delivery
from warehouse.mapping import map_columns
from warehouse.matching import seen_from, settle_names
from warehouse.meanings import Meanings
from warehouse.organisations import Directory
from warehouse.plausibility import declared_range, magnitude
from warehouse.portion import WHOLE, portioned, reachable
from warehouse.readers.cells import month_in
from warehouse.readers.faults import Fault, ReadRefused
from warehouse.readers.raw import RawTable
from warehouse.recognition import contract_of, own_sheets
from warehouse.seasons import ask_for_days
from warehouse.store import Store
from warehouse.titles import refuse_contradictions


class Bench(Protocol):
    """What understanding a file needs: a scratch database, the contracts and the organisations."""

    @property
    def store(self) -> Store: ...

    @property
    def clock(self) -> Clock: ...

    @property
    def con(self) -> duckdb.DuckDBPyConnection: ...

    @property
    def held(self) -> Held: ...

    @property
    def contracts(self) -> Mapping[str, Contract]: ...

    def read(self, delivery: Delivery) -> tuple[RawTable, ...]: ...

    def units(self) -> Directory: ...


@dataclass(frozen=True)
class Understood:
    """The source of a file, its rows as staged, and the sheets they come from."""

    contract: Contract
    staged: stage.Staged
    tables: Sequence[RawTable]


@dataclass(frozen=True)
class Outcome:
    """How the rows of a file stand against what is known; rows_in = accepted + unchanged + quarantined + skipped."""

    change: Change
    entries: Sequence[Mapping[str, Any]]
    counts: Mapping[str, int]
    is_drafted: bool = False
    """Whether the changes are the rows of the file just as they were drafted."""


def understand(bench: Bench, delivery: Delivery, draft: Draft | None = None) -> Understood:
    """Read, recognise and stage a file; `ReadRefused` carries all faults that could be found."""
    tables = bench.read(delivery)
    advice = delivery.advice
    if delivery.source is not None and delivery.source in bench.contracts:
        tables = relabelled(tables, bench.contracts[delivery.source], advice.corrections)
    contract = contract_of(bench.contracts, delivery, tables)
    advice.reach.check_source(contract, delivery.name)
    own = own_sheets(bench.contracts, contract, tables, is_declared=delivery.source is not None)
    contract = portioned(contract, delivery.portion)
    staged, read = stage_tables(bench, contract, delivery, own, draft)
    advice.reach.set_aside(bench.con, contract, delivery.name)
    if passed_over := sum(table.rows for table in tables if table not in read):
        staged.skipped["other_sheet"] += passed_over
    return Understood(contract, staged, read)


def stage_tables(
    bench: Bench, contract: Contract, delivery: Delivery, tables: Sequence[RawTable], draft: Draft | None = None
) -> tuple[stage.Staged, list[RawTable]]:
    """Stage every table of the file; header faults of all tables are refused together."""
    faults: list[Fault] = []
    plans = []
    for table in tables:
        month = month_in(table.period_note) or month_in(table.file)
        try:
            plans.append((table, map_columns(table, contract, month)))
        except ReadRefused as refusal:
            faults += refusal.faults
    if faults:
        raise ReadRefused(*faults)
    directory = bench.units() if contract.org_column and contract.name != "org_unit" else Directory(())
    directory = seen_from(advised(directory, delivery.advice.corrections), delivery.advice.reach.units)
    meanings = Meanings(directory)
    staged = stage.stage_file(bench.con, contract, plans, meanings, draft)
    refuse_contradictions(bench.con, contract, [table for table, _ in plans])
    settle_names(bench.con, contract, meanings)
    if staged.draft is not None and meanings.open_names:
        staged.draft.is_whole = False
    stage.finish(bench.con, contract, staged)
    gaps = [*line_gaps(bench.con, contract, plans, meanings), *total_gaps(bench.con, contract, plans, meanings)]
    staged.gaps += [gap.texts() for gap in gaps]
    return staged, [table for table, _ in plans]


def compare_with_known(bench: Bench, delivery: Delivery, understood: Understood) -> Outcome:
    """Compare the staged rows with what is known; the changes are left in `delta`, the faults become entries."""
    con, contract, staged = bench.con, understood.contract, understood.staged
    has_locks = find_locks(con, bench.store, contract)
    known = _know(bench, contract, delivery)
    declared_range(con, contract, delivery)
    ask_for_days(con, bench.store, contract)
    if known and contract.magnitude:
        magnitude(con, contract)
    if known:
        delivery.advice.reach.spare_others(con, contract)
    if has_locks:
        set_aside(con, contract, known=known)
    good_rows(con, contract)
    spans = [delivery.span] * len(understood.tables)
    opened_at = iso(bench.clock())
    entries = quarantine.entries(con, contract, delivery.name, staged.sheets, understood.tables, opened_at, spans)
    quarantined = len({(entry["sheet"], entry["row_no"]) for entry in entries})
    within = reachable(delivery.advice.reach.within(contract, "k."), delivery.portion, delivery.name)
    change = compare(con, contract, known=known, quarantined=quarantined, span=delivery.span, within=within)
    if has_locks:
        change, staged.notes["kept_final"] = keep_final(con, contract, change)
    is_drafted = staged.draft is not None and staged.draft.is_whole and not (known or entries or has_locks)
    return Outcome(change, entries, _counts(staged, change, quarantined), is_drafted)


def _know(bench: Bench, contract: Contract, delivery: Delivery) -> bool:
    """Show what is known as `known`, of a large dataset only what the file can touch; False when nothing is known."""
    segments = touched = bench.store.control.segments(contract.name)
    if delivery.portion != WHOLE:
        touched = _touched(bench.con, contract, segments, delivery.span)
    if touched and bench.held.known_rows(contract, bench.store.segments, segments):
        return True
    return known_rows(bench.con, contract, bench.store.segments, touched)


def _touched(
    con: duckdb.DuckDBPyConnection, contract: Contract, segments: list[SegmentRow], span: tuple[int, int] | None
) -> list[SegmentRow]:
    """Only segments that overlap the file's months can hold its keys, where the month is part of the key."""
    if contract.time_column not in contract.keys or contract.time_kind == "span" or contract.magnitude:
        return segments
    start, end = stage.valid_span(contract)
    low, high = con.execute(f"SELECT min({start}), max({end}) FROM staged").fetchone() or (None, None)
    if low is None:
        return segments
    if span is not None:
        low, high = min(low, span[0]), max(high, span[1])
    return [segment for segment in segments if segment.from_m < high and segment.to_m > low]


def _counts(staged: stage.Staged, change: Change, quarantined: int) -> dict[str, int]:
    data = staged.rows_in
    empty = data - change.accepted - change.unchanged - quarantined
    if empty:
        staged.skipped["no_values"] += empty
    skipped = sum(staged.skipped.values())
    return {
        "rows_in": data + skipped - max(empty, 0),
        "accepted": change.accepted,
        "unchanged": change.unchanged,
        "quarantined": quarantined,
        "skipped": skipped,
        "removed": change.removed,
        "delta_rows": change.delta_rows,
    }
