"""Line sums: what a crosstab says the periods of a line add up to (合计, 一季度), compared with what was read from them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

import duckdb

from warehouse.contracts import Contract
from warehouse.control_totals import TotalGap, rounding_room
from warehouse.crosstab import Crosstab, LineSum
from warehouse.mapping import Mapped, column_of
from warehouse.meanings import Meanings
from warehouse.readers.raw import ROW_NO, RawTable

MOST_GAPS = 200
"""Lines that are told of; a sheet in which more do not add up has one fault, not many."""


def line_gaps(
    con: duckdb.DuckDBPyConnection, contract: Contract, sheets: Sequence[tuple[RawTable, Mapped]], meanings: Meanings
) -> list[TotalGap]:
    """Return the lines whose own sum is not that of their periods; a line with a cell nobody can read is not asked."""
    found: list[TotalGap] = []
    for number, (table, mapped) in enumerate(sheets):
        for one in mapped.crosstab.sums if mapped.crosstab else ():
            found += _gaps(con, contract, number, table, mapped, one, meanings)
    return found


def _gaps(
    con: duckdb.DuckDBPyConnection, contract: Contract, number: int, table: RawTable, mapped: Mapped, one: LineSum,
    meanings: Meanings,
) -> Iterator[TotalGap]:  # fmt: skip
    column, (_, factor) = column_of(contract, one.figures[0]), mapped.columns[one.figures[0]]
    sums = _sums(con, number, column.name.rpartition(".")[2], _parts_of(mapped.crosstab, one))
    told = 0
    for row, text in _stated(table, one.index):
        if row not in sums or told == MOST_GAPS:
            continue
        stated = meanings.of(column, text, mapped.units[one.figures[0]], factor)
        if stated.value is None or stated.fault:
            continue
        figure = Decimal(stated.value)
        if abs(figure - sums[row]) > rounding_room(column, text, factor, len(one.figures)):
            told += 1
            yield TotalGap(table.file, table.sheet, row, table.labels[one.index], figure, sums[row])


def _parts_of(crosstab: Crosstab | None, one: LineSum) -> list[int]:
    parts = enumerate(crosstab.parts) if crosstab else ()
    return [at for at, part in parts if not set(part.figures.values()).isdisjoint(one.figures)]


def _stated(table: RawTable, index: int) -> Iterator[tuple[int, str]]:
    for chunk in table.chunks():
        numbers, texts = chunk.column(ROW_NO).to_pylist(), chunk.column(f"c{index}").to_pylist()
        yield from ((row, text) for row, text in zip(numbers, texts, strict=True) if text and text.strip())


def _sums(con: duckdb.DuckDBPyConnection, number: int, measure: str, parts: Sequence[int]) -> dict[int, Decimal]:
    rows = con.execute(
        f"""SELECT row_no, sum("{measure}") FROM staged WHERE sheet_no = $1 AND list_contains($2::INTEGER[], part::INTEGER)
        AND row_no NOT IN (SELECT row_no FROM faults WHERE sheet_no = $1) GROUP BY row_no""",
        [number, list(parts)],
    ).fetchall()
    return {row: Decimal(own) for row, own in rows if own is not None}
