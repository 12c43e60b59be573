"""A table as it stood in the file: every cell text, every row with its place, nothing yet believed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import pyarrow as pa

from warehouse.readers.faults import Fault, ReadRefused

Cells = tuple[str | None, ...]

ROW_NO = "row_no"


def chunk_schema(width: int) -> pa.Schema:
    """Return what every chunk of a table with so many columns looks like: `row_no`, then the texts `c0`, `c1`, …"""
    return pa.schema([(ROW_NO, pa.int64()), *((f"c{column}", pa.string()) for column in range(width))])


@dataclass(frozen=True)
class Place:
    """Where the header of a table stands, counted from 0 with both ends included, and why the table is not read if so."""

    sheet: str
    first: int
    last: int
    left: int
    right: int
    problem: str | None = None


class Source(Protocol):
    """Where the data rows of a table wait until they are asked for."""

    def chunks(self) -> Iterator[pa.Table]:
        """Give the rows in order, in tables of `chunk_schema` small enough to be held; a blank cell is null.

        A column of texts may come as a dictionary of the different ones.
        """


@dataclass(frozen=True)
class RawTable:
    """One table of one sheet; `rows` + the skipped rows = all rows of the sheet."""

    file: str
    sheet: str
    labels: tuple[str, ...]
    units: tuple[str | None, ...]
    unit_note: str | None
    title: str | None
    period_note: str | None
    header_row: int
    skipped: tuple[tuple[str, int], ...]
    totals: tuple[tuple[int, Cells], ...]
    rows: int
    source: Source = field(repr=False, compare=False)
    row_faults: tuple[Fault, ...] = ()
    remarks: tuple[Fault, ...] = ()
    first_header_row: int = 1
    first_column: int = 1
    """Where the header begins, counted from 1."""
    notes: tuple[tuple[int, Cells], ...] = ()
    surplus: Mapping[int, Cells] = field(default_factory=dict, compare=False)
    """The cells of rows that are longer than the header, by row: those beyond its width."""
    empty: tuple[RawTable, ...] = ()
    """Of the first table of a file: the sheets beside it that hold a header and no row."""

    def chunks(self) -> Iterator[pa.Table]:
        """Give the data rows, chunk by chunk; can be asked again."""
        return self.source.chunks()

    def texts(self, rows: Collection[int] | None = None) -> Iterator[tuple[int, Sequence[str | None]]]:
        """Give the numbers and cells of the rows asked for, or of all."""
        wanted = None if rows is None else np.array(sorted(rows), np.int64)
        for chunk in self.chunks():
            chosen = chunk if wanted is None else chunk.filter(np.isin(chunk.column(ROW_NO).to_numpy(), wanted))
            for number, *cells in zip(*(column.to_pylist() for column in chosen.columns), strict=True):
                yield number, cells


class NoRows(ReadRefused):
    """The file holds headers and no row; a register of events may say by it that nothing happened."""

    def __init__(self, *tables: RawTable) -> None:
        super().__init__(*(Fault("no_rows", one.file, one.sheet or None, one.header_row or None) for one in tables))
        self.tables = tables
