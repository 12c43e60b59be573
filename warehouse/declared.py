"""Declared months: which months a file says it covers, so that a register of events can say that nothing happened.

A register of events (vehicles disposed of, receptions held) has no row in a month without one. Such a month counts as
reported only where the file says that it covers it: by its manifest or by the one who hands it in, else by the months
that its title, a period cell or the name of a sheet names. What a batch declares is kept with it in the control log, is known from that batch
on and gone when it is withdrawn. Not declared are a month that was not over when the file became known, and one of
which a row was set aside: what is wrong with a row may hide an event.

    declared_month    dataset, unit (NULL: all the file speaks for), month_no, batch_seq, n (+1 declared, −1 withdrawn)

For whom a file that covers a month speaks is the rule of `file_reports`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import duckdb

from warehouse.base.sql import quote
from warehouse.contracts import Contract, load_contracts
from warehouse.control import withdrawn
from warehouse.manifest import Delivery
from warehouse.mapping import recognised
from warehouse.readers.faults import ReadRefused
from warehouse.readers.labels import find_period, find_year, in_month
from warehouse.readers.month_values import parse_months, parse_year
from warehouse.readers.raw import RawTable
from warehouse.readers.values import Bad, Parsed
from warehouse.recognition import contract_of, is_complete, ranked_contracts
from warehouse.stage import valid_span

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Declared:
    """The months a batch covers, for whom: the units somebody may report for, or all the file speaks for."""

    months: tuple[int, ...]
    units: tuple[str, ...] | None = None

    @property
    def text(self) -> str | None:
        """What the control log keeps: spans `[from, to)`, and the units where they are not all; None for nothing."""
        if not self.months:
            return None
        runs = [[m for _, m in run] for _, run in groupby(enumerate(self.months), key=lambda at: at[1] - at[0])]
        kept: dict[str, Any] = {"months": [[run[0], run[-1] + 1] for run in runs]}
        return json.dumps(kept if self.units is None else kept | {"units": list(self.units)}, ensure_ascii=False)

    @classmethod
    def parse(cls, text: str | None) -> Declared:
        """Read what `text` wrote."""
        if not text:
            return NOTHING
        kept = json.loads(text)
        units = kept.get("units")
        months = tuple(month for low, high in kept["months"] for month in range(low, high))
        return cls(months, None if units is None else tuple(units))


NOTHING = Declared(())


def is_event_register(contract: Contract) -> bool:
    """Tell whether a file of a source covers all units and a month without a row may be one in which nothing happened.

    What comes bit by bit and is told apart by its moment (readings, days of a meter or a canteen, the succession of
    units) is a series that goes on, not a register of events: where it has no row, nobody has looked.
    """
    is_dated = contract.time_kind in ("date", "datetime") and contract.month_expr is None
    is_fact = not (contract.is_reference or contract.is_passing)
    is_series = contract.slice == "increment" and contract.time_column in contract.keys
    return is_dated and is_fact and not is_series and contract.coverage == "file" and contract.org_column is not None


def is_nil_report(contracts: Mapping[str, Contract], delivery: Delivery, tables: Sequence[RawTable]) -> bool:
    """Tell whether headers without a row say that nothing happened: they are of a register of events and name months."""
    try:
        contract = contract_of(contracts, delivery, tables)
    except ReadRefused:
        return False
    says = delivery.span is not None or any(_headed(one) for one in tables if _is_of(contract, delivery, one))
    return says and is_event_register(contract)


def declared_by(
    con: duckdb.DuckDBPyConnection, contract: Contract, delivery: Delivery, tables: Sequence[RawTable],
    entries: Iterable[Row], ended: int,
) -> Declared:  # fmt: skip
    """Return what a staged file declares; months before `ended` were over when it became known."""
    if not is_event_register(contract):
        return NOTHING
    aside = {entry["month"] for entry in entries}
    if None in aside:
        return NOTHING
    said = set(range(*delivery.span)) if delivery.span else _named(con, contract, delivery, tables)
    units = delivery.advice.reach.units
    months = tuple(sorted(month for month in said - aside if month < ended))
    return Declared(months, None if units is None else tuple(sorted(units)))


def _named(
    con: duckdb.DuckDBPyConnection, contract: Contract, delivery: Delivery, tables: Sequence[RawTable]
) -> set[int]:
    """Return the months the sheets are headed by; a sheet with a row of another month is headed by something else.

    A sheet without a row counts where its header is of this contract: that of another source says nothing of this one.
    """
    if delivery.portion is not None:  # read out of a database: its name is none of anybody's words
        return set()
    start, _ = valid_span(contract)
    reach = con.execute(f"SELECT sheet_no, min({start}), max({start}) FROM staged GROUP BY sheet_no").fetchall()
    rows = {number: (low, high) for number, low, high in reach if low is not None}
    said: set[int] = set()
    for number, table in enumerate(tables):
        months = _headed(table)
        low, high = rows.get(number, (None, None))
        is_so = low in months and high in months if number in rows else _is_of(contract, delivery, table)
        if months and is_so:
            said.update(months)
    for empty in tables[0].empty if tables else ():
        if _is_of(contract, delivery, empty):
            said.update(_headed(empty))
    return said


def _is_of(contract: Contract, delivery: Delivery, table: RawTable) -> bool:
    """Tell whether a header is of a contract: it is complete, and no other source knows more of it."""
    if not is_complete(table.labels, contract):
        return False
    best = ranked_contracts({**load_contracts(), contract.name: contract}, table.labels)[0]
    is_tied = recognised(table.labels, best) == recognised(table.labels, contract)
    return best is contract or (is_tied and delivery.source == contract.name)


def _headed(table: RawTable) -> range:
    """Return the months of the title, of the sheet's name or of a cell above the table; what a file is called proves
    nothing, for the month in it is as often that of the export. A bare year names no month: it heads a register that is
    still being filled as often as one that is whole."""
    said = find_period(table.title, table.sheet)
    beside = find_period(table.file) or find_year(table.title or "", table.sheet, table.file)
    note = in_month(said, table.sheet) if said else table.period_note if table.period_note != beside else None
    parsed = parse_months(note) if note and isinstance(parse_year(note), Bad) else None
    return range(parsed.value.from_m, parsed.value.to_m) if isinstance(parsed, Parsed) and parsed.value else range(0)


def is_news(batches: Iterable[Row], dataset: str, declared: Declared) -> bool:
    """Tell whether no batch that stands declares all this already: the same file twice says nothing new."""
    rows = list(batches)
    gone = withdrawn(rows)
    known: set[int] = set()
    for row in rows:
        if row["dataset"] == dataset and row["declared"] and row["batch_seq"] not in gone:
            told = Declared.parse(row["declared"])
            if told.units is None or told.units == declared.units:
                known.update(told.months)
    return not known.issuperset(declared.months)


def write_declared(con: duckdb.DuckDBPyConnection, batches: Sequence[Row]) -> None:
    """Write `declared_month` from what the control log knows of every batch, in place of what was there."""
    told = {row["batch_seq"]: row for row in batches if row["declared"]}
    rows: list[tuple[str, str | None, int, int, int]] = []
    for row in batches:
        of, sign = (row, 1) if row["declared"] else (told.get(row["withdraws"]), -1)
        if of is None:
            continue
        declared = Declared.parse(of["declared"])
        for unit in declared.units if declared.units is not None else (None,):
            rows += [(of["dataset"], unit, month, row["batch_seq"], sign) for month in declared.months]
    con.execute(
        "CREATE OR REPLACE TABLE declared_month"
        " (dataset VARCHAR, unit VARCHAR, month_no INTEGER, batch_seq INTEGER, n INTEGER)"
    )
    if rows:
        columns = list(
            map(list, zip(*sorted(rows, key=lambda row: (row[0], row[2], row[3], row[1] or "")), strict=True))
        )
        kinds = ("VARCHAR", "VARCHAR", "INTEGER", "INTEGER", "INTEGER")
        wanted = ", ".join(f"unnest(${at}::{kind}[])" for at, kind in enumerate(kinds, 1))
        con.execute(f"INSERT INTO declared_month SELECT {wanted}", columns)


def declared_months(
    con: duckdb.DuckDBPyConnection, dataset: str, *, since: int = -1, low: int | None = None, high: int | None = None
) -> str | None:
    """SQL of unit, month_no, batch_seq, n of what was declared of a dataset; None where nothing was.

    Of the months `[low, high)`, as far as they are given; None also where no batch after `since` declared anything.
    """
    within = [f"dataset = {quote(dataset)}"]
    within += [f"month_no >= {low}"] if low is not None else []
    within += [f"month_no < {high}"] if high is not None else []
    where = " AND ".join(within)
    try:
        news = con.execute(f"SELECT 1 FROM declared_month WHERE {where} AND batch_seq > {since} LIMIT 1").fetchone()
    except duckdb.CatalogException:  # a generation made by an earlier release, until the next publish
        return None
    return f"SELECT unit, month_no, batch_seq, n FROM declared_month WHERE {where}" if news else None


def declared_since(con: duckdb.DuckDBPyConnection, before: int) -> frozenset[str]:
    """Return the datasets of which months were declared, or no longer are, after a batch."""
    rows = con.execute("SELECT DISTINCT dataset FROM declared_month WHERE batch_seq > $1", [before]).fetchall()
    return frozenset(row[0] for row in rows)
