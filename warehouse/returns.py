"""Returns: the words of the return sheet, the identity of its lines, and what a corrected one says.

A line is told by a hidden identity, never by its place, so a clerk may sort, filter and delete. A cell counts as
changed only where it differs from what was written there.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import python_calamine as calamine

from warehouse.base.errors import RefusedInput
from warehouse.readers.raw import Cells
from warehouse.readers.workbook import cell_text
from warehouse.waiting import WaitingRow

LONGEST_CELL = 32_000
"""A spreadsheet's cell holds little more; a longer one is shown cut and counts as unchanged."""

SEARCHED_ROWS = 10
_IDENTITY = re.compile(r"^([0-9a-f]{8})-([0-9a-f]{64})-([0-9a-f]{16})$")
_UNWRITABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f\ufffe\uffff]")


@cache
def words() -> dict[str, Any]:
    """Return everything a return sheet says."""
    return tomllib.loads((resources.files("warehouse") / "returns.toml").read_text(encoding="utf-8"))


def refusal(name: str, **values: object) -> RefusedInput:
    """Return why a return sheet cannot be written or read, in both languages, with what to do."""
    said = {key: sentence.format(**values) for key, sentence in words()["refused"][name].items()}
    return RefusedInput(f"{said['zh']} {said['en']}", f"{said['hint_zh']} · {said['hint_en']}")


@dataclass(frozen=True)
class Identity:
    """Which row of which store a line is."""

    store: str
    row_hash: str
    place: str

    @classmethod
    def of(cls, row: WaitingRow, store_id: str) -> Identity:
        """Return the identity of a waiting row."""
        return cls(store_id[:8], row.row_hash, row.place)

    @classmethod
    def parse(cls, text: str) -> Identity | None:
        """Read what `text` wrote, None when it is anything else."""
        found = _IDENTITY.match(text.strip())
        return cls(*found.groups()) if found else None

    @property
    def text(self) -> str:
        """The identity as it stands in the hidden column."""
        return f"{self.store}-{self.row_hash}-{self.place}"


def as_written(text: str | None) -> str:
    """Return a raw cell as the sheet shows it."""
    shown = _UNWRITABLE.sub("␀", (text or "").replace("\r\n", "\n").replace("\r", "\n"))
    return shown if len(shown) <= LONGEST_CELL else f"{shown[:LONGEST_CELL]}…"


@dataclass(frozen=True)
class Line:
    """One line as it came back: its cells by head, what stands in its correction cells, what shall be done."""

    sheet: str
    number: int
    identity: str
    cells: Mapping[str, str | None]
    corrections: Mapping[str, str]
    decision: str

    def merged(self, row: WaitingRow) -> dict[str, str | None]:
        """Return the cells of a row with what the clerk changed in them."""
        heads = row.layout.heads if row.layout else {}
        return {label: self._value(heads.get(label, label), cell) for label, cell in row.raw.items()}

    def _value(self, head: str, cell: str | None) -> str | None:
        if head in self.corrections:
            return self.corrections[head]
        found = self.cells.get(head, as_written(cell))
        return cell if (found or "") == as_written(cell) else found or None


@dataclass(frozen=True)
class ReturnSheet:
    """What a corrected return sheet holds."""

    name: str
    lines: tuple[Line, ...]
    strangers: tuple[tuple[str, int], ...]
    """Lines that have no identity but something in them."""
    unknown_columns: tuple[str, ...]


def is_return_sheet(path: Path) -> bool:
    """Tell whether a file is a workbook with the identity column of a return sheet."""
    try:
        return any(_heads(grid) for _, grid in _grids(path))
    except (calamine.CalamineError, OSError, ValueError):
        return False


def read_return_sheet(path: Path, name: str | None = None) -> ReturnSheet:
    """Read a return sheet as it came back; raises RefusedInput when it is none."""
    known_as = name or path.name
    if not path.is_file():
        raise refusal("missing", file=path)
    try:
        grids = [(sheet, grid, at) for sheet, grid in _grids(path) if (at := _heads(grid))]
    except (calamine.CalamineError, OSError, ValueError) as error:
        raise refusal("unreadable", file=known_as) from error
    if not grids:
        raise refusal("no_return_sheet", file=known_as)
    lines: list[Line] = []
    strangers: list[tuple[str, int]] = []
    unknown: list[str] = []
    for sheet, grid, at in grids:
        heads = [text or "" for text in grid[at - 1]]
        for number, cells in enumerate(grid[at:], at + 1):
            line = _line(sheet, number, heads, cells)
            if line.identity:
                lines.append(line)
            elif any(cells):
                strangers.append((sheet, number))
        unknown += _unnamed(heads, grid[at:])
    return ReturnSheet(known_as, tuple(lines), tuple(strangers), tuple(dict.fromkeys(unknown)))


def heads_of(path: Path) -> list[tuple[str, int, tuple[str, ...]]]:
    """Return the sheets of a return sheet that hold rows: title, number of the head row, heads."""
    return [
        (sheet, at, tuple(text or "" for text in grid[at - 1])) for sheet, grid in _grids(path) if (at := _heads(grid))
    ]


def _grids(path: Path) -> list[tuple[str, list[Cells]]]:
    book = calamine.CalamineWorkbook.from_path(str(path))
    found = []
    for name in book.sheet_names:
        rows = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
        found.append((name, [tuple(cell_text(cell) for cell in row) for row in rows]))
    return found


def _heads(grid: Sequence[Cells]) -> int:
    """The number of the row that names the columns, 0 when no row near the top does."""
    identity = words()["heads"]["identity"]
    return next((at for at, row in enumerate(grid[:SEARCHED_ROWS], 1) if identity in row), 0)


def _line(sheet: str, number: int, heads: Sequence[str], cells: Cells) -> Line:
    said = words()["heads"]
    fixed = {said[name] for name in ("identity", "file", "place", "row", "why", "what")}
    identity, decision = "", ""
    own: dict[str, str | None] = {}
    corrections: dict[str, str] = {}
    for head, cell in zip(heads, cells, strict=False):
        if head == said["identity"]:
            identity = (cell or "").strip()
        elif head == said["what"]:
            decision = (cell or "").strip()
        elif head.startswith(said["correction"]):
            if cell and cell.strip():
                corrections[head.removeprefix(said["correction"])] = cell
        elif head and head not in fixed and not head.startswith(said["reason"]):
            own[head] = cell
    return Line(sheet, number, identity, own, corrections, decision)


def _unnamed(heads: Sequence[str], rows: Sequence[Cells]) -> list[str]:
    """Places of columns without a head that hold something: whatever was typed there has no meaning."""
    places = [at for at, head in enumerate(heads) if not head]
    places += range(len(heads), max((len(row) for row in rows), default=0))
    return [f"{_letter(at)}" for at in places if any(len(row) > at and row[at] for row in rows)]


def _letter(at: int) -> str:
    name = ""
    at += 1
    while at:
        at, left = divmod(at - 1, 26)
        name = chr(65 + left) + name
    return name
