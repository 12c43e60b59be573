"""A table as it stood in the file: every cell text, every row with its place, nothing yet believed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import duckdb

from warehouse.readers.faults import Fault

Cells = tuple[str | None, ...]


def create(table: str) -> str:
    """The words that create a table; one in the catalogue `temp` never touches the database's file."""
    return f"CREATE {'TEMP ' if table.startswith('temp.') else ''}TABLE {table}"


class Source(Protocol):
    """Where the data rows of a table wait until they are asked for."""

    def load(self, con: duckdb.DuckDBPyConnection, table: str) -> None:
        """Create `table` with row_no and one text column per label."""


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

    def load_into(self, con: duckdb.DuckDBPyConnection, table: str) -> None:
        """Create TABLE `table`(row_no BIGINT, c0 VARCHAR, c1 VARCHAR, …) holding the data rows only."""
        self.source.load(con, table)
