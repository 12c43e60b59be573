"""Small sheets: every distinct text of a column is parsed once, and the rows are put together from the values.

An office hands in hundreds of small files. Planning large statements of casts for each would cost more than the few
thousand texts are worth.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import duckdb
import pyarrow as pa

from warehouse.casting import quote, value_or_default
from warehouse.columnwise import columns_of, constant, groups_of
from warehouse.contracts import Column, Contract
from warehouse.mapping import Mapped, column_of
from warehouse.meanings import Meanings
from warehouse.readers.cells import Cell

BLANK = Cell(None)


@dataclass(frozen=True)
class _Parsed:
    """One column of a sheet: the text of each row and what each distinct text means."""

    texts: Sequence[str | None]
    meaning: Mapping[str | None, Cell]

    def values(self) -> list[str | None]:
        """Return the value of each row."""
        found = {text: cell.value for text, cell in self.meaning.items()}
        return [found[text] for text in self.texts]

    def notes(self) -> list[str | None] | None:
        """Return the note of each row, None when no row has one."""
        found = {text: cell.note for text, cell in self.meaning.items()}
        return [found[text] for text in self.texts] if any(found.values()) else None


def stage_small(
    con: duckdb.DuckDBPyConnection, contract: Contract, number: int, mapped: Mapped, meanings: Meanings,
    notes: Counter[str], held: Collection[str],
) -> None:  # fmt: skip
    """Append the rows of `raw_<number>` to `staged`, and what could not be understood to `faults`."""
    rows = con.execute(f"SELECT * FROM raw_{number} ORDER BY row_no").fetchall()
    row_no, *cells = zip(*rows, strict=True) if rows else ((),)
    if not rows:
        return
    sheet = {
        name: _parse(cells[index], column_of(contract, name), mapped.units[name], factor, meanings)
        for name, (index, factor) in mapped.columns.items()
    }
    for name in sorted(sheet):
        _count_notes(sheet[name], notes)
        _append_faults(con, number, name, row_no, sheet[name])
    for part, group in enumerate(groups_of(contract, mapped)):
        _append(con, contract, number, mapped, group, part, row_no, sheet, held)


def _parse(
    texts: Sequence[str | None], column: Column, unit: str | None, factor: Decimal, meanings: Meanings
) -> _Parsed:
    meaning: dict[str | None, Cell] = {}
    for text in set(texts):
        meaning[text] = meanings.of(column, text, unit, factor) if text and text.strip() else BLANK
    return _Parsed(texts, meaning)


def _count_notes(parsed: _Parsed, notes: Counter[str]) -> None:
    noted = {text: cell.note for text, cell in parsed.meaning.items() if cell.note}
    if noted:
        for text, times in Counter(text for text in parsed.texts if text in noted).items():
            for note in (noted[text] or "").split(";"):
                notes[note] += times


def _append_faults(
    con: duckdb.DuckDBPyConnection, number: int, name: str, row_no: Sequence[int], parsed: _Parsed
) -> None:
    if not any(cell.fault for cell in parsed.meaning.values()):
        return
    found = [
        (no, cell.fault, text, cell.hint)
        for no, text in zip(row_no, parsed.texts, strict=True)
        if (cell := parsed.meaning[text]).fault
    ]
    con.execute(
        f"INSERT INTO faults SELECT {number}, unnest($1::BIGINT[]), '{name}', unnest($2::VARCHAR[]),"
        " unnest($3::VARCHAR[]), unnest($4::VARCHAR[])",
        [list(part) for part in zip(*found, strict=True)],
    )


def _append(
    con: duckdb.DuckDBPyConnection, contract: Contract, number: int, mapped: Mapped, group: str | None, part: int,
    row_no: Sequence[int], sheet: Mapping[str, _Parsed], held: Collection[str],
) -> None:  # fmt: skip
    """Append the rows of an ordinary sheet, or of one group of a wide form where that group has a figure."""
    behind = columns_of(contract, mapped, group)
    pivot = contract.unpivot
    arrays = {"row_no": pa.array(row_no, pa.int64())}
    arrays |= {column: pa.array(sheet[name].values(), pa.string()) for column, name in behind.items()}
    arrays["note"] = pa.array(_row_notes([sheet[name] for name in sorted(behind.values())], len(row_no)), pa.string())
    values = []
    for column in (column for column in contract.columns if column.name in held):
        value = f'try_cast("{column.name}" AS {column.sql_type})' if column.name in behind else constant(column, mapped)
        if group and pivot and column.name == pivot.dimension:
            value = quote(group)
        values.append(f', {value_or_default(column, value)} AS "{column.name}"')
    measured = [f'"{name}" IS NOT NULL' for name in pivot.measures if name in behind] if group and pivot else []
    where = f" WHERE {' OR '.join(measured)}" if measured else ""
    con.register("parsed_cells", pa.table(arrays))
    con.execute(
        f"INSERT INTO staged_rows BY NAME SELECT {number} AS sheet_no, row_no, {part} AS part{''.join(values)}, note,"
        f" 0 AS odd FROM parsed_cells{where}"
    )
    con.unregister("parsed_cells")


def _row_notes(columns: Sequence[_Parsed], rows: int) -> list[str | None]:
    """Return the notes of each row's cells, joined."""
    noted = [notes for parsed in columns if (notes := parsed.notes()) is not None]
    if not noted:
        return [None] * rows
    return [";".join(filter(None, notes)) or None for notes in zip(*noted, strict=True)]
