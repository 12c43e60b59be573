"""Find the header of a sheet under its titles and over its sub-headers.

Every block of one to four rows near the top is a candidate; the one whose joined labels most contracts know wins.
Without any known label the first row that looks like a row of names is taken, so that an unknown file can still
be described to its owner.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache

from warehouse.readers.across import running_months
from warehouse.readers.labels import (
    REMEMBERED,
    Aliases,
    find_period,
    find_unit_notes,
    find_year,
    fold_label,
    in_month,
    split_unit,
)
from warehouse.readers.preface import corner_notes, is_note_row, unit_notes
from warehouse.readers.structure import Merge, holds_one_value, is_form, is_grouped, is_numbered, reads_sideways
from warehouse.readers.units import is_money, is_unit

Grid = Sequence[Sequence[str | None]]

SEARCHED_ROWS = 40
DEEPEST = 4
FOLLOWING_ROWS = 4

_NUMBER = re.compile(r"^[-+(]?[\d,]*\.?\d+([eE][-+]?\d+)?%?\)?$")
_DATE = re.compile(r"^\d{2,4}[-/.年]\d{1,2}([-/.月]\d{1,2})?[日月]?(\d{1,2}:\d{2}.*)?$")
_TIME = re.compile(r"^\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?$")
_COUNTED = re.compile(r"^(\d{1,3}|[甲乙丙丁戊己庚]|[A-Z]|栏次|—|-)$")


_PERIOD = "\x1d"
"""Before a cell of a row of months: 2024-01 names a column there, and is a value anywhere else."""


@dataclass(frozen=True)
class Heading:
    """Where the header stands, what it says, and what the rows before the data are.

    A note on money (单位：万元) is kept in `unit_note` only: which columns hold money is for the contract to say.
    """

    first: int
    last: int
    body: int
    labels: tuple[str, ...]
    units: tuple[str | None, ...]
    unit_note: str | None
    title: str | None
    period_note: str | None
    before: tuple[str, ...]
    hits: int

    def with_names(self, sheet: str, file: str) -> str | None:
        """The period of the title, else of the sheet's name, else of the file's name; a sheet 3月 is March of that year."""
        found = self.period_note or find_period(sheet, file) or find_year(self.title, sheet, file)
        return in_month(found, sheet)


@dataclass(frozen=True)
class _Block:
    first: int
    last: int
    labels: tuple[str, ...]
    units: tuple[str | None, ...]
    hits: int
    is_doubtful: bool = False


def find_heading(grid: Grid, aliases: Aliases, merges: Sequence[Merge] = ()) -> Heading | None:
    """The heading of the table in a grid, or None when no row looks like one."""
    aliases = cache(aliases)  # every row of the head is asked about up to four times
    top = [[fold_label(cell) for cell in row] for row in grid[:SEARCHED_ROWS]]
    named = [[""] * len(row) if is_note_row(row, aliases) else _months_marked(row) for row in top]
    block = _known_block(named, aliases, merges)
    if block is None and not is_form(top):
        block = _plain_block(named, aliases, merges)
    return None if block is None else _describe(top, grid, block, aliases)


def _months_marked(row: list[str]) -> list[str]:
    """The row with its cells marked that are months following each other."""
    places = running_months(row)
    return [_PERIOD + cell if at in places else cell for at, cell in enumerate(row)] if places else row


def _known_block(top: list[list[str]], aliases: Aliases, merges: Sequence[Merge]) -> _Block | None:
    best: _Block | None = None
    for first in range(len(top)):
        for block in _blocks_from(top, first, aliases, merges):
            if best is None or _rank(block) > _rank(best):
                best = block
    if best is None or best.hits == 0:
        return None
    named = sum(1 for label in best.labels if label)
    widest = max(_filled(row) for row in top)
    if best.hits >= 2:
        return best
    is_first = all(_filled(row) < named for row in top[: best.first])  # one word known may stand in a row of data
    return best if is_first and named == 2 and named * 10 >= widest * 6 else None


def _blocks_from(top: list[list[str]], first: int, aliases: Aliases, merges: Sequence[Merge]) -> Iterator[_Block]:
    """The possible headers that start in a row; a lone group name above full labels is possible but doubtful.

    None cuts through a merged cell.
    """
    if not _may_start(top, first):
        return
    shallowest = _whole(top, first, merges)
    yield _join(top, first, shallowest, aliases, merges)
    if shallowest == first and _is_lone_group(top, first):
        yield replace(_join(top, first, first + 1, aliases, merges), is_doubtful=True)
    for last in range(shallowest + 1, min(first + DEEPEST, len(top))):
        if not _continues(top, first, last, merges):
            return
        yield replace(
            _join(top, first, last, aliases, merges), is_doubtful=not merges and not _is_plainly_header(top, last)
        )


def _whole(top: list[list[str]], first: int, merges: Sequence[Merge]) -> int:
    """The last row of the smallest header that starts in a row and holds its merged cells and their members whole.

    A cell merged down over more rows than a header has stands for a block of data.
    """
    last, end = first, min(first + DEEPEST, len(top)) - 1
    while last < end:
        reaching = [bottom for (start, _), (bottom, _) in merges if first <= start <= last < bottom <= end]
        members = is_grouped(top, last, merges, is_label) and (bool(merges) or _is_plainly_header(top, last + 1))
        deeper = max([last, *reaching, last + members])
        if deeper == last or not all(_is_words(top[row]) for row in range(last + 1, deeper + 1)):
            break
        last = deeper
    return last


def _is_words(row: Sequence[str]) -> bool:
    return all(is_label(cell) or is_unit(cell) for cell in row if cell)


def _is_plainly_header(top: list[list[str]], row: int) -> bool:
    """Whether a row that fills gaps above it cannot be a first row of data: its names repeat, or figures follow them."""
    named = [cell for cell in top[row] if cell]
    if len(set(named)) < len(named) or row + 1 >= len(top):
        return True
    below = top[row + 1 : row + 1 + FOLLOWING_ROWS]
    return any(_cell(top[row], c) and cell and not is_label(cell) for line in below for c, cell in enumerate(line))


def _rank(block: _Block) -> tuple[float, int]:
    """More known labels first; of equals the deeper block, unless it only may be one."""
    return block.hits - block.is_doubtful / 2, block.last - block.first


def _is_lone_group(top: list[list[str]], first: int) -> bool:
    """A single name over the right part of a full row of names, as 电 over 数量 and 金额."""
    if first + 1 >= len(top) or _filled(top[first]) != 1 or top[first][0]:
        return False
    below = [cell for cell in top[first + 1] if cell]
    return len(below) > 2 and all(is_label(cell) for cell in below)


def _plain_block(top: list[list[str]], aliases: Aliases, merges: Sequence[Merge]) -> _Block | None:
    """The first block that names most of the columns of the widest row."""
    widest = max((_filled(row) for row in top), default=0)
    for first, row in enumerate(top):
        if is_numbered(row):
            return _join(top, first, first, aliases, merges)
        names = [cell for cell in row if is_label(cell)]
        if len(names) < 2 or len(names) * 10 < _filled(row) * 8:
            continue
        if holds_one_value(top, first, merges) or reads_sideways(top, first):
            continue
        if any(_is_record(line, row) for line in top[:first]):
            return None  # names do not stand between records
        last = shallowest = _whole(top, first, merges)
        while last + 1 < min(len(top), first + DEEPEST) and _continues(top, first, last + 1, merges):
            last += 1
        while last > shallowest and not merges and not _is_plainly_header(top, last):
            last -= 1
        block = _join(top, first, last, aliases, merges)
        if sum(1 for label in block.labels if label) * 10 >= widest * 6:
            return block
    return None


def _is_record(line: Sequence[str], names: Sequence[str]) -> bool:
    """Whether a row above others is as full as they are and holds figures, as no title is."""
    figures = sum(1 for cell in line if cell and not is_label(cell))
    return figures > 0 and _filled(line) >= max(2, _filled(names))


@lru_cache(maxsize=REMEMBERED)
def is_label(cell: str) -> bool:
    """Whether a folded cell could name a column."""
    return bool(cell) and len(cell) <= 60 and not any(shape.match(cell) for shape in (_NUMBER, _DATE, _TIME))


def _may_start(top: list[list[str]], first: int) -> bool:
    """Whether names may begin in a row; a note such as 单位：元 is no name, though 单位 alone is one."""
    return any(is_label(cell) and not find_unit_notes(cell) for cell in top[first])


def _filled(row: Sequence[str]) -> int:
    return sum(1 for cell in row if cell)


def _continues(top: list[list[str]], first: int, row: int, merges: Sequence[Merge]) -> bool:
    """Whether `row` is a further header row of the block that starts at `first`.

    Merged cells say so; without them the row must fill the gaps of the row above with names.
    """
    cells, above = top[row], top[row - 1]
    named = [cell for cell in cells if cell]
    if not named or not all(is_label(cell) or is_unit(cell) for cell in named):
        return False
    if any(start == row and bottom >= first + DEEPEST for (start, _), (bottom, _) in merges):
        return False  # such a cell stands for a block of data
    if _spans_down(merges, first, row) or _groups_above(merges, row - 1, len(above)):
        return _filled(above) > 1 or row - 1 > first
    width = max(len(cells), len(above))
    gaps = [c for c in range(1, width) if not _cell(above, c) and _cell(cells, c)]
    if not gaps or _filled(above) < 2:
        return False
    unnamed = _unnamed(top[first : row + 1])
    if unnamed and not (row + 1 < min(len(top), first + DEEPEST) and _continues(top, first, row + 1, merges)):
        return False
    repeated = len(set(named)) < len(named)
    vertical = any(_cell(above, c) and not _cell(cells, c) for c in range(width))
    return repeated or vertical


def _unnamed(rows: Sequence[Sequence[str]]) -> list[int]:
    """Columns that have no name in any of the rows."""
    return [column for column in range(_last_filled(*rows) + 1) if not any(_cell(row, column) for row in rows)]


def _spans_down(merges: Sequence[Merge], first: int, row: int) -> bool:
    return any(first <= top < row <= bottom < first + DEEPEST for (top, _), (bottom, _) in merges)


def _groups_above(merges: Sequence[Merge], row: int, width: int) -> bool:
    return any(top == row and left < right < width and right - left + 1 < width for (top, left), (_, right) in merges)


def _last_filled(*rows: Sequence[str]) -> int:
    return max((c for row in rows for c, cell in enumerate(row) if cell), default=-1)


def _cell(row: Sequence[str], column: int) -> str:
    return row[column] if column < len(row) else ""


def _join(top: list[list[str]], first: int, last: int, aliases: Aliases, merges: Sequence[Merge]) -> _Block:
    reach = [right for (start, _), (end, right) in merges if first <= start and end <= last]
    width = max([_last_filled(*top[first : last + 1]), *reach]) + 1
    filled = [_fill(top, row, first, last, width, merges) for row in range(first, last + 1)]
    joined = [_label([row[column] for row in filled], aliases) for column in range(width)]
    labels = tuple(label.replace(_PERIOD, "") for label, _ in joined)
    runs = any(_PERIOD in label for label, _ in joined)
    hits = sum(1 for label in labels if _is_known(label, aliases)) + runs
    return _Block(first, last, labels, tuple(unit for _, unit in joined), hits)


def _is_known(label: str, aliases: Aliases) -> bool:
    """Whether the label or its lower part is known; the group above may be mere decoration."""
    parts = label.split("/")
    return any(text and aliases(text) for at in range(len(parts)) if (text := "/".join(parts[at:])))


def _fill(top: list[list[str]], row: int, first: int, last: int, width: int, merges: Sequence[Merge]) -> list[str]:
    """The row with group names written over all columns of their group."""
    cells = [_cell(top[row], column) for column in range(width)]
    merged = [m for m in merges if m[0][0] <= row <= m[1][0] and m[1][0] >= first]
    for (top_row, left), (_, right) in merged:
        for column in range(left, min(right + 1, width)):
            if top_row == row:
                cells[column] = cells[column] or _cell(top[row], left)
    if row == last or any(m[0][0] == row and m[0][1] < m[1][1] for m in merged):
        return cells
    for column in range(1, width):
        if not cells[column] and any(_cell(top[below], column) for below in range(row + 1, last + 1)):
            cells[column] = cells[column - 1]
    return cells


def _label(parts: Sequence[str], aliases: Aliases) -> tuple[str, str | None]:
    """Join the parts of one column from top to bottom and take the lowest unit."""
    names: list[str] = []
    unit: str | None = None
    for part in parts:
        name, own = _part(part, bool(names), aliases)
        unit = own or unit
        if name and (not names or names[-1] != name):
            names.append(name)
    return "/".join(names), unit


def _part(part: str, below: bool, aliases: Aliases) -> tuple[str, str | None]:
    if below and part and is_unit(part):
        return "", part.strip("()")
    return split_unit(part, aliases)


@dataclass(frozen=True)
class _Above:
    """What the rows over the header say."""

    kinds: tuple[str, ...]
    title: str | None
    notes: tuple[str, ...]
    period: str | None


def _describe(top: list[list[str]], grid: Grid, block: _Block, aliases: Aliases) -> Heading:
    above = _read_above(grid[: block.first], aliases)
    kinds, units = _read_below(top, block)
    notes = above.notes or corner_notes([cell for row in top[block.first : block.last + 1] for cell in row])
    note = next((unit for unit in notes if is_money(unit)), notes[0] if notes else None)
    if len(notes) == 1 and note is not None and not is_money(note):
        units = [unit or note for unit in units]
    before = (*above.kinds, *("header",) * (block.last - block.first + 1), *kinds)
    return Heading(
        first=block.first, last=block.last, body=len(before), labels=block.labels, units=tuple(units), unit_note=note,
        title=above.title, period_note=above.period, before=before, hits=block.hits,
    )  # fmt: skip


def _read_above(rows: Grid, aliases: Aliases) -> _Above:
    kinds, titles = [], []
    notes: dict[str, None] = {}
    period = None
    for row in rows:
        cells = [str(cell) for cell in row if cell is not None and fold_label(cell)]
        own = unit_notes(cells, aliases)
        notes.update(dict.fromkeys(own))
        period = period or find_period(*cells)
        kinds.append("blank" if not cells else "unit" if own and len(cells) == 1 else "title")
        if kinds[-1] == "title":
            titles.append(" ".join(dict.fromkeys(cell.strip() for cell in cells)))
    return _Above(tuple(kinds), " / ".join(titles) or None, tuple(notes), period)


def _read_below(top: list[list[str]], block: _Block) -> tuple[list[str], list[str | None]]:
    """One row of units and one of column numbers that may follow the header, in either order."""
    kinds: list[str] = []
    units = list(block.units)
    for at, row in enumerate(top[block.last + 1 : block.last + 3], block.last + 1):
        kind = _under_header(row, len(block.labels))
        if kind is None or kind in kinds or (kind == "header" and not _only_counts(top, at)):
            break
        if kind == "unit":
            units = [_cell(row, column).strip("()") or unit for column, unit in enumerate(units)]
        kinds.append(kind)
    return kinds, units


def _only_counts(top: list[list[str]], at: int) -> bool:
    """Whether a row of column numbers is none of data: it has a letter, or words stand below one of its numbers."""
    if any(cell and not cell.isdigit() for cell in top[at]):
        return True
    below = top[at + 1 : at + 1 + FOLLOWING_ROWS]
    return any(_cell(top[at], column) and is_label(_cell(row, column)) for row in below for column in range(len(row)))


def _under_header(row: list[str], width: int) -> str | None:
    """A row of units or of column numbers between the header and the data."""
    named = [cell for cell in row if cell]
    if len(named) >= 1 and all(is_unit(cell) and not cell.isdigit() for cell in named):
        return "unit"
    if len(named) < max(3, width - 1) or not all(_COUNTED.match(cell) for cell in named):
        return None
    numbers = [int(cell) for cell in named if cell.isdigit()]
    lettered = len(numbers) < len(named)
    counted = numbers == list(range(numbers[0], numbers[0] + len(numbers))) if numbers else False
    return "header" if counted and numbers[0] == 1 and (lettered or len(numbers) >= 4) else None
