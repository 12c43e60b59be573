"""A dry run of one file: what it would be taken for and what would become of its rows. Nothing is committed.

It goes the way of a load (reading, recognition, mapping, staging, checks, comparison) and stops before the commit, so
that what is shown is what will happen. A file that would be refused is shown as it stands, with all its faults.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import duckdb

from warehouse.base.clock import Clock, system_clock
from warehouse.base.periods import OPEN, month_label
from warehouse.column_sights import column_sights, column_titles
from warehouse.contracts import Column, Contract
from warehouse.corrections import NO_ADVICE, Advice
from warehouse.crosstab import heading_of
from warehouse.declared import declared_by, is_news
from warehouse.ingest import UNFORESEEN, Loader, month_at
from warehouse.manifest import READABLE, Delivery
from warehouse.mapping import match_label
from warehouse.organisations import Directory
from warehouse.protection.beside import as_written, cleaned
from warehouse.protection.cleaning import Removed
from warehouse.protection.shield import check_entries, note_of, recount, without
from warehouse.protection.watch import Suspicious
from warehouse.quarantine import fault_texts
from warehouse.readers.faults import Fault, ReadRefused
from warehouse.readers.messages import message
from warehouse.readers.raw import RawTable
from warehouse.readers.tables import read_tables
from warehouse.receipts import beside_counts
from warehouse.recognition import contract_of, ranked_contracts
from warehouse.sight import Candidate, FaultSight, Preview, RowSight, SheetSight, StrangeName
from warehouse.spare import spare_folder
from warehouse.store import Store, connect
from warehouse.understanding import Outcome, Understood, compare_with_known, understand

ROWS_SHOWN = 20
FAULTS_SHOWN = 200
STRANGERS_SHOWN = 50
"""Names asked for at once, those of most rows first: for each one the register is searched."""
CANDIDATES_SHOWN = 4
MEMORY = "1GB"
ORG_FAULTS = ("unknown_org", "ambiguous_org", "name_not_then")


def preview(
    store: Store, path: Path, *, name: str | None = None, source: str | None = None, advice: Advice = NO_ADVICE,
    near: str | None = None, clock: Clock = system_clock, span: tuple[int, int] | None = None,
) -> Preview:  # fmt: skip
    """Return what a load of this file would do now. `near` is the unit it is handed in for: its region comes first
    among suggestions; `span` the months it is said to cover."""
    delivery = Delivery(path, name or path.name, source, span=span, advice=advice)
    if Path(delivery.name).suffix.lower() not in READABLE:
        return refused(delivery, (Fault("not_a_table", delivery.name),))
    with _bench(store, clock) as bench:
        try:
            return _looked_at(bench, delivery, near)
        except Suspicious:
            return _without_secrets(bench, delivery, near)


def _looked_at(bench: Loader, delivery: Delivery, near: str | None, removed: Removed | None = None) -> Preview:
    """Show a file; raises `Suspicious` when it holds what must not be kept."""
    try:
        tables = bench.read(delivery)
    except ReadRefused as refusal:
        return refused(delivery, refusal.faults)
    bench.tables[delivery.path] = tables
    candidates = _candidates(bench.contracts, tables)
    try:
        return _understood(bench, delivery, tables, candidates, near, removed)
    except ReadRefused as refusal:
        return _not_understood(bench, delivery, tables, candidates, refusal.faults)
    except UNFORESEEN as error:
        return refused(delivery, (Fault("unforeseen", delivery.name, value=str(error).splitlines()[0]),))


def _without_secrets(bench: Loader, delivery: Delivery, near: str | None) -> Preview:
    """Show what is left of a file without what must not be kept."""
    try:
        tables = read_tables(delivery.path, bench.knows, name=delivery.name, zone=bench.zone)
        contract = bench.contracts.get(_source(bench, delivery, tables) or "")
        with cleaned(delivery, tables, contract) as (again, removed):
            bench.trusted.add(again.path)
            return _looked_at(bench, again, near, removed)
    except ReadRefused as refusal:
        return refused(delivery, refusal.faults)


def refused(delivery: Delivery, faults: Sequence[Fault]) -> Preview:
    """Return the preview of a file of which nothing can be shown but why it would be refused."""
    return Preview(delivery.name, None, {}, "refused", faults=_told(delivery, faults), faults_total=len(faults))


@contextlib.contextmanager
def _bench(store: Store, clock: Clock) -> Iterator[Loader]:
    """Open what a load needs, beside any writer; a store that is not there yet is tried as an empty one."""
    with contextlib.ExitStack() as stack:
        spill = stack.enter_context(spare_folder())
        if not store.exists:
            store = Store(spill / "store")
            store.create()
            stack.callback(store.control.close)
        con = stack.enter_context(contextlib.closing(connect(memory=MEMORY, spill=spill)))
        copier = stack.enter_context(ThreadPoolExecutor(max_workers=1))
        yield Loader(store, "preview", clock, con, store.contracts, copier)


def _understood(
    bench: Loader, delivery: Delivery, tables: Sequence[RawTable], candidates: tuple[Candidate, ...], near: str | None,
    removed: Removed | None,
) -> Preview:  # fmt: skip
    found = understand(bench, delivery)
    recount(found, removed)
    outcome = compare_with_known(bench, delivery, found)
    contract, entries = found.contract, outcome.entries
    if delivery.path not in bench.trusted:
        check_entries(entries, contract)
    if contract.is_passing:
        entries = [{**entry, "value": None} for entry in entries]
    low, high = _period(bench.con)
    strangers, unlisted = _strangers(contract, entries, bench.units(), delivery.advice, near)
    places = {(table.sheet, table.header_row): number for number, table in enumerate(found.tables)}
    sheets = tuple(
        _sheet(bench, delivery, contract, table, found, places.get((table.sheet, table.header_row))) for table in tables
    )  # fmt: skip
    return Preview(
        file=delivery.name,
        source=contract.name,
        titles=contract.title,
        status=_status(outcome, is_news=_declares(bench, delivery, found, entries)),
        is_chosen=delivery.source is not None,
        candidates=candidates,
        sheets=_kept_from_sight(contract, sheets),
        period_from=low,
        period_to=high,
        counts=outcome.counts,
        skipped=dict(found.staged.skipped),
        notes=dict(found.staged.notes),
        beside=_beside(found, removed),
        faults=tuple(_fault(contract, entry) for entry in entries[:FAULTS_SHOWN]),
        faults_total=len(entries),
        strangers=strangers,
        strangers_total=len(strangers) + unlisted,
    )


def _kept_from_sight(contract: Contract | None, sheets: tuple[SheetSight, ...]) -> tuple[SheetSight, ...]:
    """Rows that only pass through, such as positions, are shown nowhere; a preview is kept, and would keep them too."""
    if contract is None or not contract.is_passing:
        return sheets
    return tuple(replace(sheet, rows=()) for sheet in sheets)


def _beside(found: Understood, removed: Removed | None) -> tuple[Mapping[str, str], ...]:
    """Return the sentences a load would tell beside its counts."""
    note = note_of(removed)
    return (*beside_counts(found.staged), *([{"zh": note["zh"], "en": note["en"]}] if note else []))


def _declares(bench: Loader, delivery: Delivery, found: Understood, entries: Sequence[Mapping[str, Any]]) -> bool:
    """Tell whether a register of events covers months that no file covered yet: that is a change without any row."""
    ended = month_at(bench, bench.clock())
    declared = declared_by(bench.con, found.contract, delivery, found.tables, entries, ended)
    return bool(declared.months) and is_news(bench.store.control.batches(), found.contract.name, declared)


def _status(outcome: Outcome, *, is_news: bool) -> str:
    if outcome.change.delta_rows or is_news:
        return "ready"
    return "unchanged" if outcome.change.unchanged or not outcome.counts["quarantined"] else "nothing"


def _not_understood(
    bench: Loader, delivery: Delivery, tables: Sequence[RawTable], candidates: tuple[Candidate, ...],
    faults: Sequence[Fault],
) -> Preview:  # fmt: skip
    """Show the sheets as they stand, beside what the source they are of, or the likeliest one, makes of their labels."""
    source = _source(bench, delivery, tables)
    chosen = bench.contracts.get(source or (candidates[0].name if candidates else ""))
    sheets = tuple(_raw_sheet(delivery, chosen, table) for table in tables)
    return Preview(
        file=delivery.name,
        source=source,
        titles=chosen.title if chosen else {},
        status="refused",
        is_chosen=delivery.source is not None,
        candidates=candidates,
        sheets=_kept_from_sight(chosen, sheets),
        faults=_told(delivery, faults),
        faults_total=len(faults),
    )


def _source(bench: Loader, delivery: Delivery, tables: Sequence[RawTable]) -> str | None:
    """Return the source a file is of, also where it cannot be read as such; None when nobody knows."""
    try:
        return contract_of(bench.contracts, delivery, tables).name
    except ReadRefused:
        return None


# --- sources and columns ---------------------------------------------------------------------------------------------


def _candidates(contracts: Mapping[str, Contract], tables: Sequence[RawTable]) -> tuple[Candidate, ...]:
    """Return the sources the fullest sheet may be of, the likeliest first; one that knows no label is none."""
    labels = max((table.labels for table in tables), key=len)
    named = [label for label in labels if label.strip()]
    found = []
    for contract in ranked_contracts(contracts, labels):
        known = sum(match_label(label, contract.labels) is not None for label in named)
        if known:
            found.append(Candidate(contract.name, contract.title, known, len(named)))
    return tuple(found[:CANDIDATES_SHOWN])


# --- sheets ----------------------------------------------------------------------------------------------------------


def _sheet(
    bench: Loader, delivery: Delivery, contract: Contract, table: RawTable, found: Understood, number: int | None
) -> SheetSight:
    base = _raw_sheet(delivery, contract if number is not None else None, table)
    if number is None:
        return replace(base, is_read=False)
    written = {one.column: {"zh": one.label} for one in base.columns if one.column}
    # what only the contract fills in is nothing the file says
    held = [column for column in contract.columns if column.name in found.staged.held]
    shown = [column for column in held if column.name in written or not column.default]
    rows = _rows(bench, contract, shown, number)
    filled = [place for place, column in enumerate(shown) if any(row.cells[place] for row in rows) or column.required]
    return replace(
        base,
        headers=tuple({**column_titles(contract, shown[place].name), **written.get(shown[place].name, {})}
                      for place in filled),
        rows=tuple(replace(row, cells=tuple(row.cells[place] for place in filled),
                           wrong=tuple(filled.index(place) for place in row.wrong if place in filled))
                   for row in rows),
    )  # fmt: skip


def _raw_sheet(delivery: Delivery, contract: Contract | None, table: RawTable) -> SheetSight:
    """Return a sheet with its rows as they are written."""
    lines = islice(table.texts(), ROWS_SHOWN)
    return SheetSight(
        name=table.sheet,
        header_row=table.header_row,
        title=table.title,
        period_note=table.period_note,
        unit_note=table.unit_note,
        rows_in=table.rows,
        columns=column_sights(delivery, contract, table),
        headers=tuple({"zh": label, "en": label} for label in table.labels),
        rows=tuple(RowSight(number, as_written(table, contract, cells), "as_written") for number, cells in lines),
    )


def _rows(bench: Loader, contract: Contract, shown: Sequence[Column], number: int) -> list[RowSight]:
    """Return the first rows of a sheet as values, each with what would become of it."""
    con = bench.con
    names = ", ".join(f's."{column.name}"' for column in shown)
    lines = con.execute(
        f"SELECT s.row_no, {names} FROM staged s WHERE s.sheet_no = {number} ORDER BY s.row_no, s.part LIMIT {ROWS_SHOWN}"
    ).fetchall()
    asked = sorted({line[0] for line in lines})
    wrong: dict[int, dict[str, str]] = {}
    for row, column, value in con.execute(
        "SELECT row_no, column_name, value FROM faults WHERE sheet_no = $1 AND row_no IN (SELECT unnest($2::BIGINT[]))",
        [number, asked],
    ).fetchall():
        wrong.setdefault(row, {})[column] = value or ""
    changed = {
        row[0]
        for row in con.execute(
            "SELECT row_no FROM delta WHERE n = 1 AND sheet_no = $1 AND row_no IN (SELECT unnest($2::BIGINT[]))",
            [number, asked],
        ).fetchall()
    }
    units = bench.units()
    return [
        _row(line, shown, _faulty_here(contract, shown, line, wrong.get(line[0], {})), units,
             "aside" if line[0] in wrong else "new" if line[0] in changed else "same")
        for line in lines
    ]  # fmt: skip


def _faulty_here(
    contract: Contract, shown: Sequence[Column], line: Sequence[Any], wrong: Mapping[str, str]
) -> Mapping[str, str]:
    """Return column → faulty text of one row; a wide line names the group its fault is of."""
    pivot = contract.unpivot.dimension if contract.unpivot else None
    group = next((value for column, value in zip(shown, line[1:], strict=True) if column.name == pivot), None)
    return {
        measure: text for name, text in wrong.items() for of, _, measure in [name.rpartition(".")] if of in ("", group)
    }


def _row(
    line: Sequence[Any], shown: Sequence[Column], wrong: Mapping[str, str], units: Directory, fate: str
) -> RowSight:
    cells = tuple(
        _shown(column, value, units) or wrong.get(column.name, "")
        for column, value in zip(shown, line[1:], strict=True)
    )
    return RowSight(line[0], cells, fate, tuple(place for place, column in enumerate(shown) if column.name in wrong))


def _shown(column: Column, value: Any, units: Directory) -> str:
    if value is None:
        return ""
    if column.type == "month":
        return month_label(value)
    if column.type == "bool":
        return "是" if value else "否"
    if column.is_org:
        return units.unit(value).name if value in units else value
    if column.values:
        return next((text for text, stored in column.values.items() if stored == value), str(value))
    if isinstance(value, Decimal):
        text = f"{value:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return value.isoformat(sep=" ") if isinstance(value, dt.datetime) else str(value)


def _period(con: duckdb.DuckDBPyConnection) -> tuple[str | None, str | None]:
    """Return the first and last month the good rows speak of; no end where something has none."""
    low, high = con.execute("SELECT min(from_m), max(to_m) FROM good").fetchone() or (None, None)
    return (
        month_label(low) if low is not None else None,
        month_label(high - 1) if high is not None and high < OPEN else None,
    )


# --- faults and strange names ----------------------------------------------------------------------------------------


def _told(delivery: Delivery, faults: Sequence[Fault]) -> tuple[FaultSight, ...]:
    named = [without(fault if fault.file else replace(fault, file=delivery.name)) for fault in faults[:FAULTS_SHOWN]]
    return tuple(
        FaultSight(f.code, f.sheet or "", f.row, f.column or "", f.value or "",
                   {"zh": message(f, "zh"), "en": message(f, "en")})
        for f in named
    )  # fmt: skip


def _fault(contract: Contract, entry: Mapping[str, Any]) -> FaultSight:
    heading, named = heading_of(entry["column_name"] or "")
    column = (
        heading
        if heading is not None
        else column_titles(contract, named)["zh"]
        if any(c.name == named for c in contract.all_columns)
        else named
    )
    return FaultSight(
        entry["code"], entry["sheet"], entry["row_no"], column, entry["value"] or "", fault_texts(contract, entry)
    )


def _strangers(
    contract: Contract, entries: Sequence[Mapping[str, Any]], units: Directory, advice: Advice, near: str | None
) -> tuple[tuple[StrangeName, ...], int]:
    """Return the names of units nobody knows, each once, with the rows they stand in and who may be meant; and how
    many more there are. Whom somebody chose is always listed: what is not listed is not chosen when looked at again.
    They stand in the order of their names, so that none moves when somebody is chosen."""
    rows: dict[str, set[tuple[str, int]]] = {}
    for entry in entries:
        if entry["code"] in ORG_FAULTS and entry["column_name"] == contract.org_column and entry["value"]:
            rows.setdefault(entry["value"], set()).add((entry["sheet"], entry["row_no"]))
    asked = sorted(rows.items(), key=lambda one: -len(one[1]))[:STRANGERS_SHOWN]
    found = [StrangeName(text, len(places), _meant(text, units, advice, near)) for text, places in asked]
    chosen = [
        StrangeName(text, 0, ((code, units.place(code)),), chosen=code)
        for text, code in advice.corrections.organisations.items()
        if text not in rows and code in units
    ]
    return tuple(sorted((*found, *chosen), key=lambda one: one.text)), len(rows) - len(asked)


def _meant(text: str, units: Directory, advice: Advice, near: str | None) -> tuple[tuple[str, str], ...]:
    """Return the units a name may mean, best first, none that lies outside the reach of the one who hands in."""
    reach = advice.reach.units
    return tuple(
        (one.code, units.place(one.code)) for one in units.suggest(text, near) if reach is None or one.code in reach
    )
