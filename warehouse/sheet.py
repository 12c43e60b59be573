"""One sheet on its way to typed rows: its columns are read chunk by chunk and put into the rows of its dataset."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from warehouse.beside import agreed
from warehouse.columns import LONG, ColumnReader, Typed, arrow_type, value_of
from warehouse.contracts import Column, Contract
from warehouse.crosstab import Part
from warehouse.line_years import YearReader, months_of
from warehouse.mapping import Mapped, column_of
from warehouse.meanings import Meanings
from warehouse.readers.raw import ROW_NO, RawTable

RowFault = tuple[int, int, str, str, str | None, str | None]
"""Sheet, row, column, code, text, hint."""


@dataclass(frozen=True)
class Sheet:
    """A raw table with what its columns are; `held` are the columns that some sheet of the file fills."""

    contract: Contract
    table: RawTable
    number: int
    mapped: Mapped
    meanings: Meanings
    held: Collection[str]

    def rows(self, faults: list[RowFault], notes: Counter[str]) -> Iterator[pa.Table]:
        """Give the typed rows chunk by chunk; add what could not be understood to `faults` and count the notes."""
        readers = {
            name: ColumnReader(column_of(self.contract, name), self.mapped.units[name], factor, self.meanings)
            for name, (_, factor) in self.mapped.columns.items()
        }
        places = [f"c{index}" for index, _ in self.mapped.columns.values()]
        years = self._years()
        # converting a long column leaves the interpreter free for the next one
        with ThreadPoolExecutor(max_workers=3) as pool:
            is_long = self.table.rows > LONG
            read_all = pool.map if is_long else map
            for chunk in _ahead(self.table.chunks(), pool) if is_long else self.table.chunks():
                row_no = chunk.column(ROW_NO).combine_chunks()
                read = read_all(ColumnReader.read, readers.values(), map(chunk.column, places))
                typed = dict(zip(readers, read, strict=True))
                self._agree(chunk, typed)
                _count_notes(typed, notes)
                faults += self._faults(row_no, typed)
                of_year = years.read(chunk, faults) if years else None
                for number, part in enumerate(self._parts()):
                    yield self._typed_rows(row_no, typed, number, part, of_year)

    def _agree(self, chunk: pa.Table, typed: dict[str, Typed]) -> None:
        """Hold a unit's code against the name beside it."""
        for name, places in self.mapped.beside.items():
            codes = chunk.column(f"c{self.mapped.columns[name][0]}")
            for place in places:
                typed[name] = agreed(typed[name], codes, chunk.column(f"c{place}"), self.meanings)

    def _years(self) -> YearReader | None:
        """Return what reads the year of each line of a crosstab that has a column for it."""
        crosstab = self.mapped.crosstab
        if crosstab is None or crosstab.year_at is None:
            return None
        label, time = self.table.labels[crosstab.year_at], self.contract.time_column
        return YearReader(self.number, crosstab.year_at, label, time, self.meanings)

    def _parts(self) -> Sequence[Part]:
        """Return what a line becomes rows of: the periods of a crosstab, the groups of a wide form, or the line itself."""
        if self.mapped.crosstab is not None:
            return self.mapped.crosstab.parts
        pivot, names = self.contract.unpivot, self.mapped.columns
        if pivot is None or not any("." in name for name in names):
            return (Part({}, None, {}),)
        found = []
        for group in pivot.groups:
            figures = {measure: name for measure in pivot.measures if (name := f"{group}.{measure}") in names}
            if figures:
                found.append(Part({pivot.dimension: group}, None, figures))
        return found

    def _typed_rows(
        self, row_no: pa.Array, typed: Mapping[str, Typed], number: int, part: Part, years: pa.Array | None
    ) -> pa.Table:
        """Return the rows of an ordinary sheet, or those of one part of its lines where that part has a figure."""
        behind, count = self._behind(part), len(row_no)
        arrays = {
            "sheet_no": pa.repeat(pa.scalar(self.number, pa.int32()), count),
            ROW_NO: row_no,
            "part": pa.repeat(pa.scalar(number, pa.int8()), count),
        }
        for column in self.contract.columns:
            if part.month is not None and years is not None and column.name == self.contract.time_column:
                arrays[column.name] = months_of(years, part.month, self.contract)
            elif column.name in behind:
                arrays[column.name] = _or_default(column, typed[behind[column.name]].values)
            elif column.name in self.held:
                arrays[column.name] = pa.repeat(self._constant(column, part), count)
        arrays["note"] = _note_column({name: typed[name] for name in behind.values()}, count)
        rows = pa.table(arrays)
        if part.figures:
            filled = [rows.column(name).is_valid().to_numpy() for name in part.figures]
            rows = rows.filter(np.logical_or.reduce(filled))
        return rows

    def _behind(self, part: Part) -> dict[str, str]:
        """Return the mapped name behind each column of the contract that a part of the lines fills."""
        pivot = self.contract.unpivot
        grouped = pivot.measures if pivot and pivot.dimension in part.constants else ()
        plain = {c.name: c.name for c in self.contract.columns if c.name not in grouped}
        names = plain | dict(part.figures)
        return {column: name for column, name in names.items() if name in self.mapped.columns}

    def _constant(self, column: Column, part: Part) -> pa.Scalar:
        """Return what a column that the sheet does not hold is in every row: the part's, the title's word, the default."""
        text = part.constants.get(column.name, self.mapped.constants.get(column.name))
        return default_of(column) if text is None else pa.scalar(value_of(column, text), arrow_type(column))

    def _faults(self, row_no: pa.Array, typed: Mapping[str, Typed]) -> Iterator[RowFault]:
        for name in sorted(typed):
            for row, text, cell in typed[name].remarks:
                if cell.fault:
                    yield self.number, row_no[row].as_py(), name, cell.fault, text, cell.hint


def _ahead(chunks: Iterator[pa.Table], pool: ThreadPoolExecutor) -> Iterator[pa.Table]:
    """Give the chunks of a table; the next is taken from the file while one is read."""
    coming = pool.submit(next, chunks, None)
    while (chunk := coming.result()) is not None:
        coming = pool.submit(next, chunks, None)
        yield chunk


def _count_notes(typed: Mapping[str, Typed], notes: Counter[str]) -> None:
    for column in typed.values():
        for _, _, cell in column.remarks:
            notes.update(cell.note.split(";") if cell.note else ())


def _note_column(typed: Mapping[str, Typed], rows: int) -> pa.Array:
    found: dict[int, list[str]] = {}
    for name in sorted(typed):
        for row, _, cell in typed[name].remarks:
            if cell.note:
                found.setdefault(row, []).append(cell.note)
    if not found:
        return pa.nulls(rows, pa.string())
    return pa.array([";".join(found[row]) if row in found else None for row in range(rows)], pa.string())


def default_of(column: Column) -> pa.Scalar:
    """Return what the contract says a blank cell means."""
    if column.default is None:
        return pa.scalar(None, arrow_type(column))
    text = str(column.default in ("是", "true", "yes", "1")).lower() if column.type == "bool" else column.default
    return pa.scalar(value_of(column, text), arrow_type(column))


def _or_default(column: Column, values: pa.Array) -> pa.Array:
    return values if column.default is None else pc.fill_null(_plain(values), default_of(column))


def together(tables: Sequence[pa.Table]) -> pa.Table:
    """Return tables of one file as one; a text column kept as a dictionary in some only is plain in all."""
    kinds = [{table.schema.field(name).type for table in tables} for name in tables[0].column_names]
    mixed = {name for name, kind in zip(tables[0].column_names, kinds, strict=True) if len(kind) > 1}
    if not mixed:
        return pa.concat_tables(tables)
    return pa.concat_tables(
        pa.table({n: _plain(table.column(n)) if n in mixed else table.column(n) for n in table.column_names})
        for table in tables
    )


def _plain(values: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    return pc.cast(values, pa.string()) if pa.types.is_dictionary(values.type) else values
