"""Staging: text cells become typed rows, faults are collected with row, column and value, nothing is dropped.

Each sheet's columns are read chunk by chunk; then the rows are checked against their contract and each other.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

import duckdb
import pyarrow as pa

from warehouse.base.periods import OPEN
from warehouse.base.sql import quote
from warehouse.contracts import Check, Column, Contract
from warehouse.crossed import crossed_name, filled, write_crossed
from warehouse.draft import DRAFTED, Draft
from warehouse.mapping import Mapped, column_of
from warehouse.meanings import Meanings
from warehouse.readers.faults import Fault, ReadRefused
from warehouse.readers.raw import RawTable
from warehouse.register_checks import check_spans
from warehouse.sheet import RowFault, Sheet, default_of, together

BYTES_IN_MEMORY = 400_000_000
FEW_ROWS = 2_000
"""Copying more rows than this costs more than it saves."""
MOST_FAULTS = 200_000
"""A file with more cells that cannot be understood has one fault of its own: it is refused whole."""

MOST_SHOWN = 5
"""Figures of a row that are shown beside a check it fails."""


@dataclass
class Staged:
    """The typed rows of one file in temp tables `staged` (all rows) and `faults` (row faults)."""

    rows_in: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    sheets: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    gaps: list[dict[str, str]] = field(default_factory=list)
    """What is to be said of totals the rows do not add up to."""
    remarks: list[Fault] = field(default_factory=list)
    """What was read though a person who looks at the sheet does not see it."""
    held: frozenset[str] = frozenset()
    """Columns that some sheet of the file fills."""
    draft: Draft | None = None
    """Where the rows lie as the segment they may become."""


def stage_file(
    con: duckdb.DuckDBPyConnection, contract: Contract, sheets: Sequence[tuple[RawTable, Mapped]], meanings: Meanings,
    draft: Draft | None = None,
) -> Staged:  # fmt: skip
    """Read the sheets of a file into `staged`, and what could not be understood into `faults`; a large file into a draft."""
    mapped = [columns for _, columns in sheets]
    held = frozenset(column.name for column in contract.columns if _is_held(column, contract, mapped))
    staged = Staged(held=held)
    write_crossed(con, mapped)
    faults: list[RowFault] = []
    for number, (table, columns) in enumerate(sheets):
        staged.rows_in += table.rows
        staged.sheets.append(table.sheet)
        staged.remarks += table.remarks
        staged.ignored += [label for label in columns.ignored if label not in staged.ignored]
        for reason, count in table.skipped:
            staged.skipped[reason] += count
        faults += [(number, f.row or 0, f.column or "", f.code, f.value, f.hint) for f in table.row_faults]
    readings = (Sheet(contract, t, n, m, meanings, held).rows(faults, staged.notes) for n, (t, m) in enumerate(sheets))
    rows = _bounded(chain.from_iterable(readings), faults, sheets[0][0].file if sheets else "")
    if draft is not None and draft.suits(contract, staged.rows_in, mapped):
        _draft(con, contract, rows, draft, staged)
    else:
        _hold(con, contract, held, rows)
    _write_faults(con, faults)
    return staged


def _draft(
    con: duckdb.DuckDBPyConnection, contract: Contract, rows: Iterator[pa.Table], draft: Draft, staged: Staged
) -> None:
    """Write the rows as the segment they may become, and let `staged` be what lies there."""
    con.execute("DROP VIEW IF EXISTS staged").fetchall()
    draft.write(con, contract, staged.sheets[0], valid_span(contract), rows)
    draft.show(con, contract)
    _show(con, contract, [column.name for column in contract.columns], DRAFTED)
    staged.draft = draft


def _hold(con: duckdb.DuckDBPyConnection, contract: Contract, held: Collection[str], rows: Iterator[pa.Table]) -> None:
    """Keep the rows as they are in memory where nothing will change them, else in a table that can spill to disk."""
    con.execute("DROP VIEW IF EXISTS staged").fetchall()  # an answer not read to its end would forbid registering
    kept: list[pa.Table] = []
    if not contract.derived and contract.time_kind != "span":
        for table in rows:
            kept.append(table)
            if sum(one.nbytes for one in kept) > BYTES_IN_MEMORY:
                break
        else:
            if kept:
                _show(con, contract, held, _kept(con, together(kept)))
                return
    prepare(con, contract, held)
    for table in chain(_taken(kept), rows):
        con.register("typed_rows", table)
        con.execute("INSERT INTO staged_rows BY NAME SELECT * FROM typed_rows").fetchall()
        con.unregister("typed_rows")


def _kept(con: duckdb.DuckDBPyConnection, rows: pa.Table) -> str:
    """Return the name under which rows can be asked for: few are copied, for each of a dozen questions opens them anew."""
    con.register("held_rows", rows)
    if len(rows) > FEW_ROWS:
        return "held_rows"
    con.execute("CREATE OR REPLACE TEMP TABLE staged_rows AS SELECT * FROM held_rows").fetchall()
    con.unregister("held_rows")
    return "staged_rows"


def _taken(kept: list[pa.Table]) -> Iterator[pa.Table]:
    """Give the tables in order, holding none that was given."""
    while kept:
        yield kept.pop(0)


def _bounded(rows: Iterator[pa.Table], faults: Sequence[RowFault], file: str) -> Iterator[pa.Table]:
    """Let the rows pass as long as the faults among them are ones somebody could mend."""
    for table in rows:
        if len(faults) > MOST_FAULTS:
            _, row, column, _, value, _ = faults[0]
            hint = f"{MOST_FAULTS:,}"
            raise ReadRefused(Fault("too_many_faults", file, row=row, column=column, value=value, hint=hint))
        yield table


def prepare(con: duckdb.DuckDBPyConnection, contract: Contract, held: Collection[str] | None = None) -> None:
    """Make the empty table `staged_rows` behind `staged`, and `faults`; `held` are its columns, all when not said."""
    written = [column for column in contract.columns if held is None or column.name in held]
    columns = "".join(f', "{column.name}" {column.sql_type}' for column in written)
    con.execute("DROP VIEW IF EXISTS staged")
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE staged_rows (sheet_no INTEGER, row_no BIGINT, part TINYINT{columns}, note VARCHAR)"
    )
    _show(con, contract, {column.name for column in written}, "staged_rows")
    _write_faults(con, ())


def _show(con: duckdb.DuckDBPyConnection, contract: Contract, held: Collection[str], source: str) -> None:
    """Make `staged`: the rows with all columns of the contract; one that no sheet holds has its default, or nothing."""
    shown = ", ".join(f'"{c.name}"' if c.name in held else f'{_constant(c)} AS "{c.name}"' for c in contract.columns)
    con.execute(f"CREATE OR REPLACE TEMP VIEW staged AS SELECT sheet_no, row_no, part, {shown}, note FROM {source}")


def _constant(column: Column) -> str:
    default = default_of(column).as_py()
    return f"CAST({quote(None if default is None else str(default))} AS {column.sql_type})"


def _is_held(column: Column, contract: Contract, sheets: Sequence[Mapped]) -> bool:
    if contract.derived or (contract.time_kind == "span" and column.name == "valid_to"):
        return True  # what fills it may ask for any other column
    if contract.unpivot and column.name in (contract.unpivot.dimension, *contract.unpivot.measures):
        return True
    return any(
        column.name in sheet.columns or column.name in sheet.constants or column.name in filled(sheet)
        for sheet in sheets
    )


def _write_faults(con: duckdb.DuckDBPyConnection, faults: Sequence[RowFault]) -> None:
    con.execute(
        "CREATE OR REPLACE TEMP TABLE faults (sheet_no INTEGER, row_no BIGINT, column_name VARCHAR,"
        " code VARCHAR, value VARCHAR, hint VARCHAR)"
    )
    if faults:
        con.execute(
            "INSERT INTO faults SELECT unnest($1::INTEGER[]), unnest($2::BIGINT[]), unnest($3::VARCHAR[]),"
            " unnest($4::VARCHAR[]), unnest($5::VARCHAR[]), unnest($6::VARCHAR[])",
            [list(part) for part in zip(*faults, strict=True)],
        )


def finish(con: duckdb.DuckDBPyConnection, contract: Contract, staged: Staged) -> None:
    """Fill derived columns, run the checks, find required blanks, duplicate keys and overlaps; faults go to `faults`."""
    for name, expr in contract.derived.items():
        con.execute(f'UPDATE staged_rows SET "{name}" = {expr} WHERE "{name}" IS NULL')
    _row_checks(con, contract, staged.held)
    if staged.draft is None or not staged.draft.is_unique:
        _duplicates(con, contract, staged.sheets)
    staged.notes.update(check_spans(con, contract))


def _row_checks(con: duckdb.DuckDBPyConnection, contract: Contract, held: frozenset[str]) -> None:
    tests: list[tuple[str, str, str, str]] = []
    for column in contract.columns:
        name = f'"{column.name}"'
        if column.required and column.name not in contract.derived:
            tests.append((column.name, "blank_required", f"{name} IS NULL", name))
        if column.minimum is not None:
            tests.append((column.name, "below_minimum", f"{name} < {column.minimum}", as_told(column)))
        if column.type in ("date", "datetime"):
            tests.append(
                (
                    column.name,
                    "off_calendar",
                    f"CAST({name} AS DATE) NOT BETWEEN DATE '1900-01-01' AND DATE '2199-12-31'",
                    name,
                )
            )
    asked = [check for check in contract.checks if held.issuperset(check.needs)]
    tests += [("", check.code, f"NOT ({check.expr})", _figures(check, contract)) for check in asked]
    if not tests:
        return
    flags = ", ".join(f"count(*) FILTER (WHERE {condition})" for _, _, condition, _ in tests)
    found = con.execute(f"SELECT {flags} FROM staged").fetchone() or ()
    for (name, code, condition, shown), count in zip(tests, found, strict=True):
        if count:
            con.execute(
                f"INSERT INTO faults SELECT sheet_no, row_no, {crossed_name(name)}, '{code}', CAST({shown} AS VARCHAR), NULL"
                f" FROM staged s WHERE ({condition}) AND NOT EXISTS (SELECT 1 FROM faults f WHERE f.sheet_no = s.sheet_no"
                f" AND f.row_no = s.row_no AND (f.column_name = '{name}' OR f.column_name LIKE '%@{name}'))"
            )


def _figures(check: Check, contract: Contract) -> str:
    """SQL of what a row holds in the columns a check speaks of, under the labels people know."""
    words = set(re.findall(r"\w+", check.expr))
    shown = [column for column in contract.columns if column.name in words][:MOST_SHOWN]
    parts = [f"""'{column.aliases[0] if column.aliases else column.name} ' || {as_told(column)}""" for column in shown]
    return f"nullif(concat_ws('，', {', '.join(parts)}), '')" if parts else "NULL"


def as_told(column: Column, name: str | None = None) -> str:
    """SQL of a stored value as people write it: a figure without idle zeros, a month as 2025-03, a word of a closed list
    in its first spelling. `name` is the SQL of the value, where that is not the column itself."""
    value = name or f'"{column.name}"'
    if column.is_number:
        return f"regexp_replace(CAST({value} AS VARCHAR), '(\\.\\d*[1-9])0+$|\\.0+$', '\\1')"
    if column.type == "month":
        return f"printf('%04d-%02d', {value} // 12, {value} % 12 + 1)"
    if column.values:
        words = {stored: text for text, stored in reversed(list(column.values.items()))}
        cases = " ".join(f"WHEN {quote(stored)} THEN {quote(text)}" for stored, text in words.items())
        return f"CASE {value} {cases} ELSE {value} END"
    return f"CAST({value} AS VARCHAR)"


def _duplicates(con: duckdb.DuckDBPyConnection, contract: Contract, sheets: Sequence[str]) -> None:
    """Mark rows whose key another row has; one on another sheet is named with its sheet, as 1月!5."""
    keys = ", ".join(f'"{key}"' for key in contract.keys)
    present = " AND ".join(f'"{key}" IS NOT NULL' for key in contract.keys)
    total, distinct = con.execute(
        f"SELECT count(*), count(DISTINCT hash({keys})) FROM staged WHERE {present}"
    ).fetchone() or (0, 0)
    if total == distinct:
        return
    values = ", ".join(f'"{column.name}"' for column in contract.columns)
    told = ", ".join(f"nullif({as_told(column_of(contract, key))}, '')" for key in contract.keys)
    con.execute(
        f"""INSERT INTO faults
        WITH counted AS (
            SELECT sheet_no, row_no, hash({values}) AS content, count(*) OVER (PARTITION BY {keys}) AS times,
                   min(hash({values})) OVER (PARTITION BY {keys}) <> max(hash({values})) OVER (PARTITION BY {keys}) AS differ,
                   row_number() OVER (PARTITION BY {keys} ORDER BY sheet_no, row_no) AS place,
                   first(row_no) OVER (PARTITION BY {keys} ORDER BY sheet_no, row_no) AS first_row,
                   first(sheet_no) OVER (PARTITION BY {keys} ORDER BY sheet_no, row_no) AS first_sheet,
                   concat_ws(' | ', {told}) AS shown
            FROM staged WHERE {present}
        )
        SELECT DISTINCT sheet_no, row_no, '{contract.keys[0]}', CASE WHEN differ THEN 'duplicate_key' ELSE 'duplicate_row' END,
               shown, CASE WHEN first_sheet = sheet_no THEN '' ELSE $1[first_sheet + 1] || '!' END || first_row
        FROM counted WHERE times > 1 AND (differ OR place > 1)""",
        [list(sheets)],
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
    if contract.due_months > 1:
        month = f"({month} - {month} % {contract.due_months})"
    return month, f"({month} + {contract.due_months})"


def key_text(contract: Contract) -> str:
    """SQL of the key of a source line as text, NULL when a part is missing; a wide line has one key for all its rows."""
    pivot = contract.unpivot.dimension if contract.unpivot else None
    keys = [f'CAST("{key}" AS VARCHAR)' for key in contract.keys if key != pivot]
    return " || '|' || ".join(keys)


def raw_json(table: RawTable, rows: Collection[int] | None = None) -> dict[int, str]:
    """Return whole raw rows, those numbered or all, label by label, as JSON text."""
    widest = max((len(cells) for cells in table.surplus.values()), default=0)
    labels = told_apart((*table.labels, *("",) * widest))
    return {
        number: json.dumps(
            dict(zip(labels, (*cells, *table.surplus.get(number, ())), strict=False)), ensure_ascii=False
        )
        for number, cells in table.texts(rows)
    }


def told_apart(labels: Sequence[str]) -> list[str]:
    """Return labels of which none is another's: a blank one is its place, a second one of a name is numbered."""
    given: list[str] = []
    for place, label in enumerate(labels, 1):
        name, times = label or f"列{place}", 2
        while name in given:
            name, times = f"{label or f'列{place}'} {times}", times + 1
        given.append(name)
    return given
