"""The year of each line of a crosstab, where a column of its own says it: with a month of the heading it is a month."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

from warehouse.columns import ColumnReader
from warehouse.contracts import Column, Contract
from warehouse.crosstab import SEPARATOR
from warehouse.meanings import Meanings
from warehouse.readers.raw import ROW_NO

LineFault = tuple[int, int, str, str, str | None, str | None]
YEAR = Column("year", "year")


@dataclass(frozen=True)
class YearReader:
    """Reads the column of a sheet that says the year of its lines."""

    sheet: int
    index: int
    label: str
    time: str
    """The column of the contract that the year makes a value of, with the month of a heading."""
    meanings: Meanings
    known: list[ColumnReader] = field(default_factory=list)

    def read(self, chunk: pa.Table, faults: list[LineFault]) -> pa.Array:
        """Return the years of a chunk; a line that says none that can be understood is a fault."""
        texts = chunk.column(f"c{self.index}")
        if not self.known:
            self.known.append(ColumnReader(YEAR, None, Decimal(1), self.meanings))
        values = self.known[0].read(texts).values
        years = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
        numbers = chunk.column(ROW_NO)
        for at, year in enumerate(years.to_pylist()):
            if year is None:
                text = texts[at].as_py()
                code = "not_a_year" if text else "blank_required"
                faults.append(
                    (self.sheet, numbers[at].as_py(), f"{self.label}{SEPARATOR}{self.time}", code, text, None)
                )
        return years


def months_of(years: pa.Array, month: int, contract: Contract) -> pa.Array:
    """Return the month of each line as a number, or its year where rows are of years."""
    if contract.time_kind == "year":
        return years
    shifted: pa.Array = pc.cast(pc.add(pc.multiply(pc.cast(years, pa.int32()), 12), month - 1), pa.int32())
    return shifted
