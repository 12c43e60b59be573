"""The door of the readers: a path goes in, the tables found in it come out as text.

What a file is gets decided by its first bytes, never by its name: people rename files.
"""

from __future__ import annotations

from pathlib import Path

from warehouse.base.clock import DEFAULT_ZONE
from warehouse.readers.csvfile import outline_csv, read_csv_tables
from warehouse.readers.faults import Fault, ReadRefused
from warehouse.readers.labels import Aliases
from warehouse.readers.parquetfile import read_parquet_table
from warehouse.readers.raw import Place, RawTable
from warehouse.readers.signatures import Kind, recognise
from warehouse.readers.workbook import outline_workbook, read_workbook

__all__ = ["Fault", "Place", "RawTable", "ReadRefused", "outline", "read_tables"]


def read_tables(
    path: Path, aliases: Aliases, *, name: str | None = None, zone: str = DEFAULT_ZONE
) -> tuple[RawTable, ...]:
    """Every table of the file, or `ReadRefused` with all its faults.

    `aliases` says whether some contract knows a label; it decides which row is the header.
    `name` is the name people know the file by, when the path is not. Instants are shown by the clock of `zone`.
    """
    known_as = name or path.name
    kind = recognise(path, known_as)
    if kind is Kind.PARQUET:
        return (read_parquet_table(path, known_as, aliases, zone),)
    if kind is Kind.TEXT:
        return read_csv_tables(path, known_as, aliases)
    return read_workbook(path, known_as, kind, aliases)


def outline(path: Path, aliases: Aliases, *, name: str | None = None) -> tuple[Place, ...]:
    """Where the headers of a text file or workbook stand, as `read_tables` finds them, without reading the rows."""
    known_as = name or path.name
    kind = recognise(path, known_as)
    if kind is Kind.PARQUET:
        return ()
    if kind is Kind.TEXT:
        return outline_csv(path, known_as, aliases)
    return outline_workbook(path, known_as, kind, aliases)
