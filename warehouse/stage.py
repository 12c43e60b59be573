"""Staging: text cells become typed rows, faults are collected with row, column and value, nothing is dropped.

Whole columns are cast in SQL. Only the distinct texts a cast cannot take go through the value parser, so a clean
file of a million rows costs no Python per row and a messy one costs only its oddities.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import cached_property
from typing import Any

import duckdb

from warehouse.base.periods import OPEN
from warehouse.casting import NOISE, NULL_TEXTS, cast_of, is_shift
from warehouse.contracts import Column, Contract, normalise_label
from warehouse.organisations import Directory
from warehouse.readers.faults import Fault, ReadRefused
from warehouse.readers.raw import RawTable
from warehouse.register_checks import check_spans

SMALL_MAP = 8
"""Up to so many odd texts are cheaper spelled out in the statement than joined."""

_ROOM = Context(prec=60)
_HUGE = Decimal(10) ** 38

ParseCell = Callable[[Column, str, str | None], "Cell"]


@dataclass(frozen=True)
class Cell:
    """What the parser made of one odd text: a value as castable text, or a fault."""

    value: str | None
    note: str | None = None
    fault: str | None = None
    hint: str | None = None


@dataclass(frozen=True)
class Mapped:
    """Where each contract column stands in a raw table: `columns[name] = (index, factor)`, and its unit there."""

    columns: Mapping[str, tuple[int, Decimal]]
    constants: Mapping[str, str]
    units: Mapping[str, str | None]
    ignored: tuple[str, ...] = ()
    """Labels no column of the contract is known by."""


@dataclass
class Staged:
    """The typed rows of one file in temp tables `staged` (all rows) and `faults` (row faults)."""

    rows_in: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    sheets: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)


def map_columns(
    table: RawTable, contract: Contract, factor_of: Callable[[Column, str | None], Decimal | None], month: str | None
) -> Mapped:
    """Find each contract column by its label, never by its place. Missing and duplicate columns are all reported."""
    known = contract.labels
    found: dict[str, tuple[int, Decimal]] = {}
    units: dict[str, str | None] = {}
    ignored: list[str] = []
    faults: list[Fault] = []
    for index, label in enumerate(table.labels):
        name = match_label(label, known)
        if name is None:
            ignored += [label] if label.strip() else []
            continue
        column = _column(contract, name)
        unit = table.units[index] or (table.unit_note if _takes_note(column, table.unit_note) else None)
        factor = factor_of(column, unit) if column.is_number else Decimal(1)
        if factor is None:
            faults.append(Fault("unknown_unit", table.file, table.sheet, table.header_row, label, unit, column.unit))
            continue
        if name in found and column.is_org:
            if "码" not in label and "code" not in label.lower():
                continue  # a code says more than a name; both columns name the same unit
        elif name in found:
            faults.append(Fault("duplicate_column", table.file, table.sheet, table.header_row, label, name))
            continue
        found[name] = (index, factor)
        units[name] = unit
    constants: dict[str, str] = {}
    for column in contract.columns:
        if column.name in found or not column.required or column.name in contract.derived or column.default:
            continue
        if contract.unpivot and column.name in (contract.unpivot.dimension, *contract.unpivot.measures):
            if any(name.endswith(f".{contract.unpivot.measures[0]}") for name in found):
                continue
        elif column.type == "month" and month:
            constants[column.name] = month
            continue
        shown = column.aliases[0] if column.aliases else column.name
        faults.append(
            Fault("missing_column", table.file, table.sheet, table.header_row, shown, None, "、".join(table.labels))
        )
    if faults:
        raise ReadRefused(*faults)
    return Mapped(found, constants, units, tuple(ignored))


def recognised(labels: Sequence[str], contract: Contract) -> int:
    """Count how many of a table's labels the contract knows."""
    return len({name for label in labels if (name := match_label(label, contract.labels))})


def match_label(label: str, known: Mapping[str, str]) -> str | None:
    """Return the column a label means: the whole label, its last parts, or its first ones."""
    parts = label.split("/")
    tries = ["/".join(parts[start:]) for start in range(len(parts))] + ["/".join(parts[:-1])]
    return next((known[n] for text in tries if (n := normalise_label(text)) in known), None)


def _column(contract: Contract, name: str) -> Column:
    if "." in name and contract.unpivot:
        group, measure = name.split(".", 1)
        return contract.unpivot.groups[group][measure]
    return contract.column(name)


def _takes_note(column: Column, note: str | None) -> bool:
    return note is not None and column.is_number and column.unit == "CNY" and "元" in note


def stage_table(
    con: duckdb.DuckDBPyConnection, contract: Contract, table: RawTable, mapped: Mapped, sheet_no: int,
    parse: ParseCell, directory: Directory, staged: Staged,
) -> None:  # fmt: skip
    """Append one raw table to `staged`, its faults to `faults`; keep the raw rows as `raw_<sheet_no>`.

    The rows are written in one pass that also marks the columns holding texts no cast could take; only a sheet with
    such oddities is written a second time, with the parsed values beside the casts.
    """
    raw = f"raw_{sheet_no}"
    con.execute(f"DROP TABLE IF EXISTS {raw}")
    table.load_into(con, raw)
    staged.rows_in += table.rows
    staged.sheets.append(table.sheet)
    staged.ignored += [label for label in mapped.ignored if label not in staged.ignored]
    for reason, count in table.skipped:
        staged.skipped[reason] += count
    sheet = _Sheet(con, contract, raw, sheet_no, mapped, _parser(parse, directory), staged)
    sheet.parse_odd(name for name, cast in sheet.casts.items() if cast is None)
    if sheet.is_wide:
        sheet.parse_odd(sheet.odd_columns())
        sheet.write()
    else:
        sheet.write()
        if odd := sheet.odd_columns():
            sheet.parse_odd(odd)
            con.execute("DELETE FROM staged WHERE sheet_no = ?", [sheet_no])
            sheet.write()
    sheet.write_faults()
    for fault in table.row_faults:
        con.execute(
            "INSERT INTO faults VALUES (?, ?, ?, ?, ?, ?)",
            [sheet_no, fault.row, fault.column or "", fault.code, fault.value, fault.hint],
        )


def prepare(con: duckdb.DuckDBPyConnection, contract: Contract) -> None:
    """Make the empty temp tables a file is staged into."""
    columns = ", ".join(f'"{column.name}" {column.sql_type}' for column in contract.columns)
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE staged (sheet_no INTEGER, row_no BIGINT, part TINYINT, {columns}, note VARCHAR)"
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE faults (sheet_no INTEGER, row_no BIGINT, column_name VARCHAR,"
        " code VARCHAR, value VARCHAR, hint VARCHAR)"
    )


def _parser(parse: ParseCell, directory: Directory) -> ParseCell:
    def cell(column: Column, text: str, unit: str | None) -> Cell:
        if column.is_org:
            match = directory.find(text)
            return Cell(match.code, fault=match.fault, hint=match.hint)
        if column.values:
            return _enumerated(column, text)
        return parse(column, text, unit)

    return cell


def _enumerated(column: Column, text: str) -> Cell:
    wanted = _fold(text)
    for shown, value in column.values.items():
        if wanted in (_fold(shown), _fold(value)):
            return Cell(value)
    if text.strip() in NULL_TEXTS:
        return Cell(None)
    if column.open_values:
        return Cell(unicodedata.normalize("NFKC", text).strip())
    return Cell(None, fault="unknown_value", hint="、".join(column.values))


def _fold(text: str) -> str:
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)).casefold()


@dataclass
class _Sheet:
    """One raw table on its way to typed rows. `maps` are the columns that have a map of parsed odd texts."""

    con: duckdb.DuckDBPyConnection
    contract: Contract
    raw: str
    number: int
    mapped: Mapped
    parse: ParseCell
    staged: Staged
    maps: set[str] = field(default_factory=set)
    faulty: set[str] = field(default_factory=set)
    small: dict[str, dict[str, str | None]] = field(default_factory=dict)

    @cached_property
    def targets(self) -> dict[str, Column]:
        return {name: _column(self.contract, name) for name in self.mapped.columns}

    @cached_property
    def casts(self) -> dict[str, str | None]:
        return {name: cast_of(column, *self.mapped.columns[name]) for name, column in self.targets.items()}

    @property
    def is_wide(self) -> bool:
        """Tell whether a line of the sheet is several rows of the dataset."""
        return any("." in name for name in self.mapped.columns)

    def parse_odd(self, names: Iterable[str]) -> None:
        """Parse the distinct texts of the columns that no cast could take into a map per column."""
        wanted = list(names)
        if not wanted:
            return
        texts = self._counts([f"histogram(r.c{self.mapped.columns[n][0]}) {self._odd_filter(n)}" for n in wanted])
        for name, counted in zip(wanted, texts, strict=True):
            rows = [self._parsed(name, text, times) for text, times in sorted((counted or {}).items())]
            if rows:
                _write_map(self.con, f"odd_{self.mapped.columns[name][0]}", rows)
                self.maps.add(name)
                if len(rows) <= SMALL_MAP and not any(row[2] for row in rows):
                    self.small[name] = {str(row[0]): row[1] for row in rows}

    def _odd_filter(self, name: str) -> str:
        cell, cast = f"r.c{self.mapped.columns[name][0]}", self.casts[name]
        return f"FILTER (WHERE trim({cell}) <> ''" + (f" AND ({cast}) IS NULL)" if cast else ")")

    def _parsed(self, name: str, text: str, times: int) -> tuple[str | None, ...]:
        column, (_, factor) = self.targets[name], self.mapped.columns[name]
        cell = _scaled(column, self.parse(column, text, self.mapped.units[name]), factor)
        for note in (cell.note or "").split(";"):
            if note:
                self.staged.notes[note] += times
        if cell.fault:
            self.faulty.add(name)
        return text, cell.value, cell.note, cell.fault, cell.hint

    def odd_columns(self) -> list[str]:
        """Return the cast columns in which the last pass met a text it could not take: fewer values than texts."""
        names = [name for name, cast in self.casts.items() if cast and name not in self.maps]
        if not names:
            return []
        cells = {name: f"r.c{self.mapped.columns[name][0]}" for name in names}
        texts = self._counts([f"count(*) FILTER (WHERE {cells[name]} <> '')" for name in names])
        counted = dict(zip(names, texts, strict=True))
        # a wide line is several rows, and a default fills blanks: there the casts themselves are counted
        recast = [name for name in names if self.is_wide or self.targets[name].default is not None]
        values = dict(zip(recast, self._counts([f"count({self.casts[n]})" for n in recast]), strict=True))
        rest = [name for name in names if name not in values]
        where = f"staged WHERE sheet_no = {self.number}"
        values.update(zip(rest, self._counts([f'count("{name}")' for name in rest], where), strict=True))
        return [name for name in names if counted[name] != values[name]]

    def _counts(self, wanted: Sequence[str], source: str | None = None) -> tuple[Any, ...]:
        if not wanted:
            return ()
        source = source or f"{self.raw} r"
        return self.con.execute(f"SELECT {', '.join(wanted)} FROM {source}").fetchone() or ()

    def write(self) -> None:
        """Append the typed rows: one a line, or one a line and group of a wide form."""
        pivot = self.contract.unpivot
        groups: list[str | None] = [None]
        if pivot and self.is_wide:
            groups = [g for g in pivot.groups if any(name.startswith(f"{g}.") for name in self.mapped.columns)]
        for part, group in enumerate(groups):
            self.con.execute(f"INSERT INTO staged {self._select(group, part)}")

    def write_faults(self) -> None:
        """Note every cell whose text the parser refused."""
        for name in sorted(self.faulty):
            index = self.mapped.columns[name][0]
            self.con.execute(
                f"INSERT INTO faults SELECT {self.number}, r.row_no, '{name}', o.fault, r.c{index}, o.hint"
                f" FROM {self.raw} r JOIN odd_{index} o ON o.raw = r.c{index} WHERE o.fault IS NOT NULL"
            )

    def _value(self, name: str, sql_type: str) -> str:
        if name in self.mapped.constants:
            return f"CAST('{self.mapped.constants[name]}' AS {sql_type})"
        if name not in self.mapped.columns:
            return f"CAST(NULL AS {sql_type})"
        cast = self.casts[name]
        patch = f"try_cast({self._parsed_text(name)} AS {sql_type})" if name in self.maps else None
        if cast and patch:
            return f"coalesce({cast}, {patch})"
        return cast or patch or f"CAST(NULL AS {sql_type})"

    def _parsed_text(self, name: str) -> str:
        """SQL of the parsed text of an odd cell: a few texts are spelled out, many are joined."""
        index = self.mapped.columns[name][0]
        if name not in self.small:
            return f"o{index}.value"
        cases = " ".join(f"WHEN {quote(text)} THEN {quote(value)}" for text, value in self.small[name].items())
        return f"CASE r.c{index} {cases} END"

    def _select(self, group: str | None, part: int) -> str:
        pivot = self.contract.unpivot
        values, measured, used = [], [], set()
        for column in self.contract.columns:
            name = column.name
            if group and pivot and name == pivot.dimension:
                values.append(f"'{group}'")
                continue
            if group and pivot and name in pivot.measures:
                name = f"{group}.{name}"
                measured.append(self._value(name, column.sql_type))
            used.add(name)
            values.append(_or_default(self._value(name, column.sql_type), column))
        indexes = [self.mapped.columns[name][0] for name in sorted((self.maps & used) - set(self.small))]
        joins = " ".join(f"LEFT JOIN odd_{i} o{i} ON o{i}.raw = r.c{i}" for i in indexes)
        notes = ", ".join(f"o{i}.note" for i in indexes)
        note = f"nullif(concat_ws(';', {notes}), '')" if notes else "CAST(NULL AS VARCHAR)"
        where = f" WHERE {' OR '.join(f'{expr} IS NOT NULL' for expr in measured)}" if measured else ""
        return f"SELECT {self.number}, r.row_no, {part}, {', '.join(values)}, {note} FROM {self.raw} r {joins}{where}"


def _or_default(value: str, column: Column) -> str:
    """SQL of a cell, or what the contract says a blank one means."""
    if column.default is None:
        return value
    default = str(column.default in ("是", "true", "yes", "1")) if column.type == "bool" else quote(column.default)
    return f"coalesce({value}, CAST({default} AS {column.sql_type}))"


def quote(text: str | None) -> str:
    """Return a text as an SQL literal."""
    return "NULL" if text is None else "'" + text.replace("'", "''") + "'"


def _write_map(con: duckdb.DuckDBPyConnection, table: str, rows: Sequence[tuple[str | None, ...]]) -> None:
    names = ("raw", "value", "note", "fault", "hint")
    wanted = ", ".join(f"unnest(${place}::VARCHAR[]) AS {name}" for place, name in enumerate(names, 1))
    con.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT {wanted}", list(map(list, zip(*rows, strict=True))))


def _scaled(column: Column, cell: Cell, factor: Decimal) -> Cell:
    """Bring a parsed number to the stored unit and see that it fits the column."""
    if cell.value is None or cell.fault or not column.is_number:
        return cell
    value = Decimal(cell.value) * factor
    if column.type == "int":
        if value != value.to_integral_value():
            return Cell(None, fault="not_whole", hint=cell.value)
        return Cell(str(int(value)), cell.note)
    precision, scale = (int(part) for part in column.type[4:-1].split(","))
    stored = value.quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP, _ROOM) if abs(value) < _HUGE else value
    if abs(stored) >= Decimal(10) ** (precision - scale):
        return Cell(None, fault="out_of_range", hint=cell.value)
    lost = is_shift(factor) and abs(stored - value) > abs(value) * NOISE
    return Cell(f"{stored:f}", ";".join(filter(None, (cell.note, "rounded" if lost else None))) or None)


def finish(con: duckdb.DuckDBPyConnection, contract: Contract, staged: Staged | None = None) -> None:
    """Fill derived columns, run the checks, find required blanks, duplicate keys and overlaps; faults go to `faults`."""
    for name, expr in contract.derived.items():
        con.execute(f'UPDATE staged SET "{name}" = {expr} WHERE "{name}" IS NULL')
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


def raw_json(con: duckdb.DuckDBPyConnection, table: RawTable, sheet_no: int, rows: Sequence[int]) -> dict[int, str]:
    """Return the whole raw rows, label by label, as JSON text."""
    found = con.execute(
        f"SELECT * FROM raw_{sheet_no} WHERE row_no IN (SELECT unnest($1::BIGINT[]))", [list(rows)]
    ).fetchall()
    return {row[0]: json.dumps(dict(zip(table.labels, row[1:], strict=False)), ensure_ascii=False) for row in found}
