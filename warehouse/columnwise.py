"""Large sheets: whole columns are cast in SQL, and only the distinct texts no cast could take are parsed.

A clean csv of a million rows costs no Python per row and is written once, straight from the file. A messy one costs
only its oddities: their texts are parsed once each, and the rows are written again with the parsed values.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import duckdb

from warehouse.casting import cast_of, quote, value_or_default
from warehouse.contracts import Column, Contract
from warehouse.mapping import Mapped, column_of
from warehouse.meanings import Meanings
from warehouse.readers.raw import Miscounted, RawTable

SMALL_MAP = 8
"""Up to so many odd texts are cheaper spelled out in the statement than joined."""

MOST_NAMES_LISTED = 20_000
"""More names of units than these are joined by their distinct texts, not spelled out in the statement."""

_BITS = 63
"""Columns whose odd texts are told apart in one number; the last bit stands for all further ones."""


@dataclass
class LargeSheet:
    """One raw table on its way to typed rows: `held` are the columns `staged_rows` has, `maps` are the columns that have a map of parsed odd texts."""

    con: duckdb.DuckDBPyConnection
    contract: Contract
    table: RawTable
    number: int
    mapped: Mapped
    meanings: Meanings
    notes: Counter[str]
    held: Collection[str]
    maps: set[str] = field(default_factory=set)
    faulty: set[str] = field(default_factory=set)
    small: dict[str, dict[str, str | None]] = field(default_factory=dict)

    def stage(self) -> None:
        """Append the rows to `staged`, and what could not be understood to `faults`."""
        odd = self._straight_from_file()
        if odd == []:
            return
        self.table.load_into(self.con, self.raw)
        self._parse_odd(name for name, cast in self.casts.items() if cast is None)
        if odd is None and not self.is_wide:
            self._write(self.raw)
            odd = self._odd_columns()
            if not odd:
                self._write_faults()
                return
        # a line of a wide form has no row for a group without a figure, so what was odd there leaves no mark
        self._parse_odd(self._castable if odd is None else odd)
        self._clear()
        self._write(self.raw)
        self._write_faults()

    @property
    def raw(self) -> str:
        """The name of the table of texts."""
        return f"raw_{self.number}"

    @property
    def is_wide(self) -> bool:
        """Tell whether a line of the sheet is several rows of the dataset."""
        return any("." in name for name in self.mapped.columns)

    @cached_property
    def targets(self) -> dict[str, Column]:
        """The contract column behind each mapped one."""
        return {name: column_of(self.contract, name) for name in self.mapped.columns}

    @cached_property
    def casts(self) -> dict[str, str | None]:
        """SQL that casts the clean texts of each mapped column, None where every text must be parsed."""
        return {
            name: self._unit_cast(f"r.c{self.mapped.columns[name][0]}")
            if column.is_org
            else cast_of(column, *self.mapped.columns[name])
            for name, column in self.targets.items()
        }

    @property
    def _castable(self) -> list[str]:
        return [name for name, cast in self.casts.items() if cast and name not in self.maps]

    def _unit_cast(self, cell: str) -> str | None:
        """SQL of the code of a unit written exactly as the register knows it.

        Each spelling is a value of an enumeration, whose place is that of the code: a lookup that keeps the order of
        the rows, which a join does not promise.
        """
        spellings = self.meanings.directory.spellings
        if not spellings or len(spellings) > MOST_NAMES_LISTED:
            return None
        self.con.execute("DROP TYPE IF EXISTS unit_spelling")
        self.con.execute(f"CREATE TYPE unit_spelling AS ENUM ({', '.join(map(quote, spellings))})")
        codes = ", ".join(quote(code) for code in spellings.values())
        return f"([{codes}])[enum_code(try_cast({cell} AS unit_spelling)) + 1]"

    def _straight_from_file(self) -> list[str] | None:
        """Write the rows in one pass over the file and return the odd columns; None when that way is not open."""
        scan = self.table.scan
        if scan is None or self.is_wide or self.number or not all(self.casts.values()):
            return None
        try:
            self._write(f"(SELECT 0::BIGINT AS row_no, * FROM {scan.sql})")
            scan.number_rows(self.con, "staged_rows")
        except (Miscounted, duckdb.InvalidInputException, duckdb.ConversionException):
            self._clear()
            return None
        odd = self._odd_columns()
        if odd:
            self._clear()
        return odd

    def _clear(self) -> None:
        self.con.execute(f"DELETE FROM staged_rows WHERE sheet_no = {self.number}")

    def _odd_columns(self) -> list[str]:
        """Return the columns in which the last pass met a text it could not take."""
        found = self._one_row(f"SELECT bit_or(odd) FROM staged WHERE sheet_no = {self.number}")[0] or 0
        return [name for at, name in enumerate(self._castable) if found >> min(at, _BITS - 1) & 1]

    def _parse_odd(self, wanted: Iterable[str]) -> None:
        """Parse the distinct texts of the columns that no cast could take into a map per column."""
        names = list(wanted)
        if not names:
            return
        sums = ", ".join(f"histogram({self._cell(name)}) {self._odd_filter(name)}" for name in names)
        for name, counted in zip(names, self._one_row(f"SELECT {sums} FROM {self.raw} r"), strict=True):
            rows = [self._parsed(name, text, times) for text, times in sorted((counted or {}).items())]
            if rows:
                _write_map(self.con, f"odd_{self.mapped.columns[name][0]}", rows)
                self.maps.add(name)
                if len(rows) <= SMALL_MAP and not any(row[2] for row in rows):
                    self.small[name] = {str(row[0]): row[1] for row in rows}

    def _one_row(self, sql: str) -> tuple[Any, ...]:
        return self.con.execute(sql).fetchone() or ()

    def _cell(self, name: str) -> str:
        return f"r.c{self.mapped.columns[name][0]}"

    def _odd_filter(self, name: str) -> str:
        cast = self.casts[name]
        return f"FILTER (WHERE trim({self._cell(name)}) <> ''" + (f" AND ({cast}) IS NULL)" if cast else ")")

    def _parsed(self, name: str, text: str, times: int) -> tuple[str | None, ...]:
        _, factor = self.mapped.columns[name]
        cell = self.meanings.of(self.targets[name], text, self.mapped.units[name], factor)
        for note in (cell.note or "").split(";"):
            if note:
                self.notes[note] += times
        if cell.fault:
            self.faulty.add(name)
        return text, cell.value, cell.note, cell.fault, cell.hint

    def _write(self, source: str) -> None:
        """Append the typed rows: one a line, or one a line and group of a wide form."""
        for part, group in enumerate(groups_of(self.contract, self.mapped)):
            self.con.execute(f"INSERT INTO staged_rows BY NAME {self._select(source, group, part)}")

    def _write_faults(self) -> None:
        """Note every cell whose text the parser refused."""
        for name in sorted(self.faulty):
            index = self.mapped.columns[name][0]
            self.con.execute(
                f"INSERT INTO faults SELECT {self.number}, r.row_no, '{name}', o.fault, r.c{index}, o.hint"
                f" FROM {self.raw} r JOIN odd_{index} o ON o.raw = r.c{index} WHERE o.fault IS NOT NULL"
            )

    def _select(self, source: str, group: str | None, part: int) -> str:
        """SQL of the typed rows; `odd` marks the columns holding a text that neither cast nor map could take."""
        wanted = columns_of(self.contract, self.mapped, group)
        used = [name for name in wanted.values() if name in self.mapped.columns]
        casts = "".join(f", {self._value(name)} AS v{self.mapped.columns[name][0]}" for name in used)
        cells = "".join(f", {self._cell(name)}" for name in used)
        values = [
            f', {value_or_default(column, self._stored(column, wanted.get(column.name), group))} AS "{column.name}"'
            for column in self.contract.columns
            if column.name in self.held
        ]
        marks = self._marks(used)
        indexes = [self.mapped.columns[name][0] for name in sorted((self.maps & set(used)) - set(self.small))]
        joins = " ".join(f"LEFT JOIN odd_{i} o{i} ON o{i}.raw = r.c{i}" for i in indexes)
        notes = ", ".join(f"o{i}.note" for i in indexes)
        note = f"nullif(concat_ws(';', {notes}), '')" if notes else "CAST(NULL AS VARCHAR)"
        measured = [f"v{self.mapped.columns[name][0]} IS NOT NULL" for name in used if group and "." in name]
        where = f" WHERE {' OR '.join(measured)}" if measured else ""
        return (
            f"SELECT {self.number} AS sheet_no, row_no, {part} AS part{''.join(values)}, note, {marks} AS odd"
            f" FROM (SELECT r.row_no{cells}{casts}, {note} AS note FROM {source} r {joins}){where}"
        )

    def _marks(self, used: Collection[str]) -> str:
        """SQL of the columns that hold a text but got no value; a line with a value everywhere is not looked at."""
        places = {at: self.mapped.columns[name][0] for at, name in enumerate(self._castable) if name in used}
        if not places:
            return "0"
        blank = " OR ".join(f"v{index} IS NULL" for index in places.values())
        marks = " | ".join(
            f"CASE WHEN v{index} IS NULL AND c{index} <> '' THEN {1 << min(at, _BITS - 1)} ELSE 0 END"
            for at, index in places.items()
        )
        return f"CASE WHEN {blank} THEN {marks} ELSE 0 END"

    def _stored(self, column: Column, name: str | None, group: str | None) -> str:
        pivot = self.contract.unpivot
        if group and pivot and column.name == pivot.dimension:
            return quote(group)
        if name is not None:
            return f"v{self.mapped.columns[name][0]}"
        return constant(column, self.mapped)

    def _value(self, name: str) -> str:
        cast, sql_type = self.casts[name], self.targets[name].sql_type
        patch = f"try_cast({self._parsed_text(name)} AS {sql_type})" if name in self.maps else None
        if cast and patch:
            return f"coalesce({cast}, {patch})"
        return cast or patch or f"CAST(NULL AS {sql_type})"

    def _parsed_text(self, name: str) -> str:
        """SQL of the parsed text of an odd cell: a few texts are spelled out, many are joined."""
        if name not in self.small:
            return f"o{self.mapped.columns[name][0]}.value"
        cases = " ".join(f"WHEN {quote(text)} THEN {quote(value)}" for text, value in self.small[name].items())
        return f"CASE {self._cell(name)} {cases} END"


def groups_of(contract: Contract, mapped: Mapped) -> Sequence[str | None]:
    """Return the groups of a wide form that the sheet holds, or one None for an ordinary sheet."""
    pivot = contract.unpivot
    if pivot is None or not any("." in name for name in mapped.columns):
        return (None,)
    return [group for group in pivot.groups if any(name.startswith(f"{group}.") for name in mapped.columns)]


def columns_of(contract: Contract, mapped: Mapped, group: str | None) -> Mapping[str, str]:
    """Return the mapped name behind each column of the contract that a group of the sheet fills."""
    measures = contract.unpivot.measures if group and contract.unpivot else ()
    names = {c.name: f"{group}.{c.name}" if c.name in measures else c.name for c in contract.columns}
    return {column: name for column, name in names.items() if name in mapped.columns}


def constant(column: Column, mapped: Mapped) -> str:
    """SQL of a column that the sheet does not hold: what its title says, or nothing."""
    text = mapped.constants.get(column.name)
    return f"CAST({quote(text)} AS {column.sql_type})"


def _write_map(con: duckdb.DuckDBPyConnection, table: str, rows: Sequence[tuple[str | None, ...]]) -> None:
    names = ("raw", "value", "note", "fault", "hint")
    wanted = ", ".join(f"unnest(${place}::VARCHAR[]) AS {name}" for place, name in enumerate(names, 1))
    con.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT {wanted}", list(map(list, zip(*rows, strict=True))))
