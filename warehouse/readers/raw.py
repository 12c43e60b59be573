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


class Miscounted(Exception):
    """The database read other records than the survey counted; the file must be read record by record."""


@dataclass(frozen=True)
class Scan:
    """SQL that reads the records of a file in their order, to be written to an empty table and numbered there."""

    sql: str
    first_record: int
    records: int
    dropped: tuple[int, ...]

    def number_rows(self, con: duckdb.DuckDBPyConnection, table: str) -> None:
        """Give the rows just written their record numbers and drop those that are no data."""
        # a table keeps the order of insertion, and rowid counts it
        con.execute(f"UPDATE {table} SET row_no = rowid + {self.first_record}")
        count = con.execute(f"SELECT count(*), max(row_no) FROM {table}").fetchone()
        if count != (self.records, self.first_record + self.records - 1):
            raise Miscounted(f"{count} records parsed, {self.records} surveyed")
        if self.dropped:
            con.execute(f"DELETE FROM {table} WHERE row_no IN ({', '.join(map(str, self.dropped))})")


class Source(Protocol):
    """Where the data rows of a table wait until they are asked for."""

    @property
    def scan(self) -> Scan | None:
        """How a database reads the rows straight from the file, if it can."""

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

    @property
    def scan(self) -> Scan | None:
        """How a database reads the rows straight from the file, if it can."""
        return self.source.scan

    def load_into(self, con: duckdb.DuckDBPyConnection, table: str) -> None:
        """Create TABLE `table`(row_no BIGINT, c0 VARCHAR, c1 VARCHAR, …) holding the data rows only."""
        self.source.load(con, table)
