"""Staging: text cells become typed rows, faults are collected with row, column and value, nothing is dropped.

A small sheet is read cell by cell, a large one column by column; both give the same rows. Then the rows are checked
against their contract and against each other.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import duckdb

from warehouse.base.periods import OPEN
from warehouse.casting import value_or_default
from warehouse.cellwise import stage_small
from warehouse.columnwise import LargeSheet
from warehouse.contracts import Column, Contract
from warehouse.mapping import Mapped
from warehouse.meanings import Meanings
from warehouse.readers.raw import RawTable
from warehouse.register_checks import check_spans

SMALL_CELLS = 150_000
"""Up to so many cells a sheet's texts are parsed one by one; above, whole columns are cast in SQL."""


@dataclass
class Staged:
    """The typed rows of one file in temp tables `staged` (all rows) and `faults` (row faults)."""

    rows_in: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    sheets: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)


def stage_table(
    con: duckdb.DuckDBPyConnection, contract: Contract, table: RawTable, mapped: Mapped, sheet_no: int,
    meanings: Meanings, staged: Staged,
) -> None:  # fmt: skip
    """Append one raw table to `staged` and its faults to `faults`; its texts can be had again by `raw_json`."""
    con.execute(f"DROP TABLE IF EXISTS raw_{sheet_no}")
    staged.rows_in += table.rows
    staged.sheets.append(table.sheet)
    staged.ignored += [label for label in mapped.ignored if label not in staged.ignored]
    for reason, count in table.skipped:
        staged.skipped[reason] += count
    held = {row[0] for row in con.execute("DESCRIBE staged_rows").fetchall()}
    if table.rows * len(table.labels) <= SMALL_CELLS:
        table.load_into(con, f"raw_{sheet_no}")
        stage_small(con, contract, sheet_no, mapped, meanings, staged.notes, held)
    else:
        LargeSheet(con, contract, table, sheet_no, mapped, meanings, staged.notes, held).stage()
    for fault in table.row_faults:
        con.execute(
            "INSERT INTO faults VALUES (?, ?, ?, ?, ?, ?)",
            [sheet_no, fault.row, fault.column or "", fault.code, fault.value, fault.hint],
        )


def prepare(con: duckdb.DuckDBPyConnection, contract: Contract, sheets: Sequence[Mapped] | None = None) -> None:
    """Make the empty temp tables a file is staged into: `staged_rows` is written, `staged` is read.

    A column that none of the sheets holds has no place in the table: `staged` shows its default, or nothing.
    """
    kept = [c for c in contract.columns if sheets is None or _is_written(c, contract, sheets)]
    held = "".join(f', "{column.name}" {column.sql_type}' for column in kept)
    con.execute("DROP VIEW IF EXISTS staged")
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE staged_rows (sheet_no INTEGER, row_no BIGINT, part TINYINT{held}, note VARCHAR,"
        " odd BIGINT)"
    )
    shown = ", ".join(_shown(column, is_held=column in kept) for column in contract.columns)
    con.execute(f"CREATE TEMP VIEW staged AS SELECT sheet_no, row_no, part, {shown}, note, odd FROM staged_rows")
    con.execute(
        "CREATE OR REPLACE TEMP TABLE faults (sheet_no INTEGER, row_no BIGINT, column_name VARCHAR,"
        " code VARCHAR, value VARCHAR, hint VARCHAR)"
    )


def _is_written(column: Column, contract: Contract, sheets: Sequence[Mapped]) -> bool:
    if column.name in contract.derived or (contract.time_kind == "span" and column.name == "valid_to"):
        return True
    if contract.unpivot and column.name in (contract.unpivot.dimension, *contract.unpivot.measures):
        return True
    return any(column.name in sheet.columns or column.name in sheet.constants for sheet in sheets)


def _shown(column: Column, *, is_held: bool) -> str:
    if is_held:
        return f'"{column.name}"'
    return f'{value_or_default(column, f"CAST(NULL AS {column.sql_type})")} AS "{column.name}"'


def finish(con: duckdb.DuckDBPyConnection, contract: Contract, staged: Staged | None = None) -> None:
    """Fill derived columns, run the checks, find required blanks, duplicate keys and overlaps; faults go to `faults`."""
    for name, expr in contract.derived.items():
        con.execute(f'UPDATE staged_rows SET "{name}" = {expr} WHERE "{name}" IS NULL')
    _row_checks(con, contract)
    _duplicates(con, contract)
    mended = check_spans(con, contract)
    if staged is not None:
        staged.notes.update(mended)


def _row_checks(con: duckdb.DuckDBPyConnection, contract: Contract) -> None:
    tests: list[tuple[str, str, str, str]] = []
    for column in contract.columns:
        name = f'"{column.name}"'
        if column.required and column.name not in contract.derived:
            tests.append((column.name, "blank_required", f"{name} IS NULL", name))
        if column.minimum is not None:
            tests.append((column.name, "below_minimum", f"{name} < {column.minimum}", name))
        if column.type == "date":
            tests.append(
                (column.name, "off_calendar", f"{name} NOT BETWEEN DATE '1900-01-01' AND DATE '2199-12-31'", name)
            )
    tests += [("", check.code, f"NOT ({check.expr})", "NULL") for check in contract.checks]
    if not tests:
        return
    flags = ", ".join(f"count(*) FILTER (WHERE {condition})" for _, _, condition, _ in tests)
    found = con.execute(f"SELECT {flags} FROM staged").fetchone() or ()
    for (name, code, condition, shown), count in zip(tests, found, strict=True):
        if count:
            con.execute(
                f"INSERT INTO faults SELECT sheet_no, row_no, '{name}', '{code}', CAST({shown} AS VARCHAR), NULL"
                f" FROM staged s WHERE ({condition}) AND NOT EXISTS (SELECT 1 FROM faults f WHERE f.sheet_no = s.sheet_no"
                f" AND f.row_no = s.row_no AND f.column_name = '{name}')"
            )


def _duplicates(con: duckdb.DuckDBPyConnection, contract: Contract) -> None:
    keys = ", ".join(f'"{key}"' for key in contract.keys)
    present = " AND ".join(f'"{key}" IS NOT NULL' for key in contract.keys)
    total, distinct = con.execute(
        f"SELECT count(*), count(DISTINCT hash({keys})) FROM staged WHERE {present}"
    ).fetchone() or (0, 0)
    if total == distinct:
        return
    values = ", ".join(f'"{column.name}"' for column in contract.columns)
    con.execute(
        f"""INSERT INTO faults
        WITH counted AS (
            SELECT sheet_no, row_no, hash({values}) AS content, count(*) OVER (PARTITION BY {keys}) AS times,
                   min(hash({values})) OVER (PARTITION BY {keys}) <> max(hash({values})) OVER (PARTITION BY {keys}) AS differ,
                   row_number() OVER (PARTITION BY {keys} ORDER BY sheet_no, row_no) AS place,
                   first(row_no) OVER (PARTITION BY {keys} ORDER BY sheet_no, row_no) AS first_row,
                   concat_ws(' | ', {keys}) AS shown
            FROM staged WHERE {present}
        )
        SELECT DISTINCT sheet_no, row_no, '{contract.keys[0]}', CASE WHEN differ THEN 'duplicate_key' ELSE 'duplicate_row' END,
               shown, CAST(first_row AS VARCHAR)
        FROM counted WHERE times > 1 AND (differ OR place > 1)"""
    )


def valid_span(contract: Contract) -> tuple[str, str]:
    """SQL of the half-open month span a staged row is true for."""
    name = f'"{contract.time_column}"'
    if contract.month_expr:
        name = f"({contract.month_expr})"
    month = {
        "month": name,
        "date": f"(year({name}) * 12 + month({name}) - 1)",
        "datetime": f"(year({name}) * 12 + month({name}) - 1)",
        "year": f"({name} * 12)",
        "span": f"(year({name}) * 12 + month({name}) - 1)",
    }[contract.time_kind]
    if contract.time_kind == "year":
        return month, f"({month} + 12)"
    if contract.time_kind == "span":
        # an end written as the last day of a month means that whole month
        return month, f"coalesce(year(valid_to + 1) * 12 + month(valid_to + 1) - 1, {OPEN})"
    return month, f"({month} + 1)"


def key_text(contract: Contract) -> str:
    """SQL of the key of a source line as text, NULL when a part is missing; a wide line has one key for all its rows."""
    pivot = contract.unpivot.dimension if contract.unpivot else None
    keys = [f'CAST("{key}" AS VARCHAR)' for key in contract.keys if key != pivot]
    return " || '|' || ".join(keys)


def raw_json(
    con: duckdb.DuckDBPyConnection, table: RawTable, sheet_no: int, rows: Sequence[int] | None = None
) -> dict[int, str]:
    """Return whole raw rows, those numbered or all, label by label, as JSON text."""
    name = f"raw_{sheet_no}"
    if not con.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = $1", [name]).fetchone():
        table.load_into(con, name)  # rows cast straight from the file left no texts behind
    chosen = "" if rows is None else " WHERE row_no IN (SELECT unnest($1::BIGINT[]))"
    found = con.execute(f"SELECT * FROM {name}{chosen}", [] if rows is None else [list(rows)]).fetchall()
    return {row[0]: json.dumps(dict(zip(table.labels, row[1:], strict=False)), ensure_ascii=False) for row in found}
