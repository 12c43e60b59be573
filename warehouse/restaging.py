"""Restaging: rows of many files, put right by hand, are read again under the headings they had and checked anew.

The checks of a file that look at its other rows see those that were taken: a sum its parts, a unit its parent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import duckdb

from warehouse import stage
from warehouse.base.sql import quote
from warehouse.contracts import Contract
from warehouse.deltas import known_rows
from warehouse.ingest import Loader
from warehouse.layout import Layout
from warehouse.manifest import Delivery
from warehouse.plausibility import declared_range, magnitude
from warehouse.readers.raw import RawTable
from warehouse.readers.spool import spool
from warehouse.understanding import Understood, compare_with_known, stage_tables
from warehouse.waiting import WaitingRow

MOST_BESIDE = 200_000
"""More rows than this are not laid beside the ones that are checked again."""

CLOSED = "closed_by_next"


@dataclass(frozen=True)
class Again:
    """A row to be handed in again: as it waits now, with what the clerk made of it, and whether all of it is meant."""

    row: WaitingRow
    cells: Mapping[str, str | None]
    is_confirmed: bool


@dataclass(frozen=True)
class Part:
    """Rows of one file and sheet that stood under one heading, by their number there."""

    layout: Layout
    file: str
    sheet: str
    rows: dict[int, Again]

    def table(self) -> RawTable:
        """Return the rows as a table."""
        ordered = sorted(self.rows.items())
        return self.layout.table(self.file, self.sheet, [(number, again.cells) for number, again in ordered])


@dataclass(frozen=True)
class Restaged:
    """How the rows stand against what is known: the changes are left in `delta`; `entries` say what is still wrong."""

    contract: Contract
    tables: Sequence[RawTable]
    staged: stage.Staged
    entries: Sequence[Mapping[str, Any]]
    counts: Mapping[str, int]
    delta_rows: int


def restage(loader: Loader, delivery: Delivery, contract: Contract, parts: Sequence[Part]) -> Restaged:
    """Take rows through the checks once more; raises `ReadRefused` when none may be handed in at all."""
    con = loader.con
    partial = replace(contract, slice="increment", magnitude=None)
    tables = [part.table() for part in parts]
    staged, _ = stage_tables(loader, partial, delivery, tables)
    known = _know(loader, contract)
    if known and (beside := _beside(con, partial, parts)):
        staged, _ = stage_tables(loader, partial, delivery, [*tables, beside])
        _only_own(con, len(tables))
        staged.rows_in -= beside.rows
        _know(loader, contract)
    delivery.advice.reach.set_aside(con, partial, delivery.name)
    for number, part in enumerate(parts):
        declared_range(con, partial, replace(delivery, span=part.layout.span), sheet_no=number)
    if known and contract.magnitude:
        magnitude(con, contract, beside_known=True)
        _waive(con, parts, "magnitude")
    staged.sheets = [str(number) for number in range(len(parts))]
    found = compare_with_known(loader, replace(delivery, span=None), Understood(partial, staged, tables))
    entries = [_placed(entry, parts) for entry in found.entries]
    counts = dict(found.counts)
    more = con.execute(f"SELECT count(DISTINCT row_no) FROM delta WHERE n = 1 AND sheet_no = {len(parts)}").fetchone()
    counts["accepted"] -= more[0] if more else 0  # earlier versions that a new one closes
    own = sum(len(part.rows) for part in parts)
    counts["skipped"] = own - counts["accepted"] - counts["unchanged"] - counts["quarantined"]
    return Restaged(partial, tables, staged, entries, counts, counts["delta_rows"])


def _know(loader: Loader, contract: Contract) -> bool:
    """Make `known`; while rows are staged it was the register's, to find their units."""
    segments = loader.store.control.segments(contract.name)
    return known_rows(loader.con, contract, loader.store.segments, segments)


def _placed(entry: Mapping[str, Any], parts: Sequence[Part]) -> dict[str, Any]:
    """Return an entry under the place its row has in the file it came from."""
    part = parts[int(entry["sheet"])]
    return {**entry, "file_name": part.file, "sheet": part.sheet, "layout": part.layout.name, "part": part}


def _waive(con: duckdb.DuckDBPyConnection, parts: Sequence[Part], code: str) -> None:
    """What was only asked is answered where the clerk says that the row is right."""
    sure = [(n, row_no) for n, part in enumerate(parts) for row_no, again in part.rows.items() if again.is_confirmed]
    if sure:
        con.execute(
            "DELETE FROM faults WHERE code = $1 AND (sheet_no, row_no) IN"
            " (SELECT unnest($2::INTEGER[]), unnest($3::BIGINT[]))",
            [code, [number for number, _ in sure], [row_no for _, row_no in sure]],
        )


def _beside(con: duckdb.DuckDBPyConnection, contract: Contract, parts: Sequence[Part]) -> RawTable | None:
    """Return the rows already taken that the checks of the contract look at, written as a table of their own."""
    if contract.time_kind == "span":
        where = "TRUE"
    elif any("staged" in check.expr for check in contract.checks):
        files = ", ".join(quote(file) for file in {part.file for part in parts})
        where = f"k.file_name IN ({files})"
    else:
        return None
    same = " AND ".join(f'k."{key}" = s."{key}"' for key in contract.keys)
    columns = ", ".join(_text(column.name, column.type) for column in contract.columns)
    rows = con.execute(
        f"SELECT {columns} FROM known k WHERE {where} AND NOT EXISTS (SELECT 1 FROM staged s WHERE {same})"
        f" LIMIT {MOST_BESIDE + 1}"
    ).fetchall()
    if not rows or len(rows) > MOST_BESIDE:
        return None
    names = tuple(column.name for column in contract.columns)
    return RawTable(
        file="", sheet="", labels=names, units=tuple(column.unit for column in contract.columns), unit_note=None,
        title=None, period_note=None, header_row=0, skipped=(), totals=(), rows=len(rows),
        source=spool(enumerate(rows, 1), len(names)),
    )  # fmt: skip


def _text(name: str, kind: str) -> str:
    if kind == "month":
        return f'printf(\'%04d-%02d\', k."{name}" // 12, k."{name}" % 12 + 1)'
    if kind == "bool":
        return f"CASE k.\"{name}\" WHEN TRUE THEN '是' WHEN FALSE THEN '否' END"
    return f'CAST(k."{name}" AS VARCHAR)'


def _only_own(con: duckdb.DuckDBPyConnection, beside: int) -> None:
    """Leave the rows handed in, and of those beside them the versions that a new one closes."""
    con.execute(f"DELETE FROM faults WHERE sheet_no = {beside}")
    con.execute(
        "CREATE OR REPLACE TEMP TABLE own_rows AS SELECT * FROM staged"
        f" WHERE sheet_no < {beside} OR contains(coalesce(note, ''), '{CLOSED}')"
    )
    con.execute("CREATE OR REPLACE TEMP VIEW staged AS SELECT * FROM own_rows")
