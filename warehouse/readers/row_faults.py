"""What is odd about single records of a text file: their width, their quotes, other records inside them."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from warehouse.readers.faults import Fault, ReadRefused
from warehouse.readers.raw import Cells
from warehouse.readers.sift import Row

MANY_ROW_FAULTS = 100_000


class RowFaults:
    """Notes records that are wider or narrower than the header, or hold other records."""

    def __init__(self, name: str, width: int, delimiter: str) -> None:
        self.name = name
        self.delimiter = delimiter
        self.width = width
        self.found: list[Fault] = []
        self.surplus: dict[int, Cells] = {}
        self.ill: set[int] = set()
        self._last: Fault | None = None

    def watch(self, rows: Iterator[Row]) -> Iterator[Row]:
        """Let the rows pass and look at their width."""
        for number, cells in rows:
            self.look(number, cells)
            yield number, cells

    def look(self, number: int, cells: Sequence[str | None]) -> None:
        """Judge one row; a file in which most rows are odd is refused as a whole."""
        self._last = self._judge(number, cells)
        if self._last is not None:
            self.found.append(self._last)
            if len(self.found) > MANY_ROW_FAULTS:
                raise ReadRefused(replace(self.found[0], code="odd_rows"))

    def finish(self, path: Path) -> None:
        """A last record that is too short and has no line end was cut off."""
        if self._last is None or self._last.code != "short_row" or not self.found:
            return
        with path.open("rb") as file:
            file.seek(-1, io.SEEK_END)
            if file.read(1) not in b"\r\n":
                self.found[-1] = replace(self._last, code="truncated_row")

    def _judge(self, number: int, cells: Sequence[str | None]) -> Fault | None:
        whole = next(
            (cell for at, cell in enumerate(cells) if cell and "\n" in cell and self._swallows(at, cell)), None
        )
        if whole is not None:
            return Fault("swallowed_rows", self.name, row=number, value=whole, hint=str(whole.count("\n")))
        if len(cells) == self.width:
            return self._quoting(number, cells)
        surplus = [cell for cell in cells[self.width :] if cell]
        if len(cells) > self.width and not surplus:
            return self._quoting(number, cells)
        if surplus:
            self.surplus[number] = tuple(cell or None for cell in cells[self.width :])
        code = "short_row" if len(cells) < self.width else "long_row"
        value = surplus[0] if surplus else str(len(cells))
        return Fault(code, self.name, row=number, value=value, hint=str(self.width))

    def _quoting(self, number: int, cells: Sequence[str | None]) -> Fault | None:
        """A row with something behind a closing quote: which letters were meant cannot be told."""
        if number not in self.ill:
            return None
        shown = next((cell for cell in cells if cell and '"' in cell), next((cell for cell in cells if cell), None))
        return Fault("stray_quote", self.name, row=number, value=shown)

    def _swallows(self, column: int, cell: str) -> bool:
        """Whether a cell of several lines holds whole records: a quote that was meant as a letter opened it.

        One comma tells nothing, since any sentence may hold one.
        """
        fewest = 2 if self.delimiter == "," else 1
        first, *others = cell.split("\n")
        rest = self.width - 1 - column
        whole = self.width - 1
        return (rest >= fewest and first.count(self.delimiter) == rest) or any(
            whole >= fewest and line.count(self.delimiter) == whole for line in others
        )
