"""The door of the readers: a path goes in, the tables found in it come out as text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from warehouse.readers.faults import Fault, ReadRefused
from warehouse.readers.raw import RawTable

__all__ = ["Fault", "RawTable", "ReadRefused", "read_tables"]


def read_tables(path: Path, aliases: Callable[[str], bool], *, name: str | None = None) -> tuple[RawTable, ...]:
    """Every table of the file, or `ReadRefused` with all its faults.

    `aliases` says whether some contract knows a label; it decides which row is the header.
    `name` is the name people know the file by, when the path is not.
    """
    raise ReadRefused(Fault("not_a_table", name or path.name))
