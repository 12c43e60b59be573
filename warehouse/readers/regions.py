"""Find every table of a sheet: beside each other, below each other, or just one.

Blank columns part two tables only when both have labels that contracts know and share some of them, or start in
different rows; else they are spacers. A further header below parts two tables unless it repeats the one above; a
repeated header with a title or a unit note of its own starts a new table, since its unit or period may be another.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from warehouse.readers.across import running_months
from warehouse.readers.grid import Grid, patched
from warehouse.readers.headers import SEARCHED_ROWS, Heading, find_heading, is_label
from warehouse.readers.labels import Aliases, find_period, fold_label, split_unit
from warehouse.readers.preface import is_note_row, unit_notes
from warehouse.readers.raw import Cells
from warehouse.readers.rows import NOTE, classify
from warehouse.readers.sift import Mask, Places, Sieve, suspects
from warehouse.readers.structure import Merge, names_things

HEAD_ROWS = SEARCHED_ROWS + 20
MOST_CANDIDATES = 20_000
FEWEST_NAMES = 3
"""A row of fewer names below a caption is no header when nobody knows them."""
KNOWN_LABELS = 2
"""A row with so many labels that contracts know may be a header."""


@dataclass(frozen=True)
class Area:
    """Rows and columns of a sheet from 0, the ends not included."""

    top: int
    bottom: int
    left: int
    right: int


@dataclass(frozen=True)
class Region:
    """One table: where it stands, its heading with rows counted from the top of the area, its cells and their sorting."""

    area: Area
    heading: Heading
    columns: tuple[pa.Array, ...]
    dropped: frozenset[int]
    sieve: Sieve

    @property
    def body(self) -> int:
        """The row of the sheet below the header."""
        return self.area.top + self.heading.body


@dataclass(frozen=True)
class Sheet:
    """What the search works on."""

    grid: Grid
    merges: Sequence[Merge]
    aliases: Aliases
    found: dict[Area, Heading | None] = field(default_factory=dict, repr=False, compare=False)

    def heading(self, area: Area) -> Heading | None:
        """The heading of the table in an area; looked for once."""
        if area not in self.found:
            self.found[area] = self._heading(area)
        return self.found[area]

    def _heading(self, area: Area) -> Heading | None:
        head = self._titled(
            area, self.grid.rows(area.top, min(area.bottom, area.top + HEAD_ROWS), area.left, area.right)
        )
        return find_heading(head, self.aliases, self.merged(area))

    def merged(self, area: Area) -> list[Merge]:
        """The merged cells at the head of an area, counted from its corner."""
        return [
            ((top - area.top, left - area.left), (bottom - area.top, right - area.left))
            for (top, left), (bottom, right) in self.merges
            if area.top <= top < area.top + HEAD_ROWS and bottom < area.bottom
            if area.left <= left and right < area.right
        ]

    def _titled(self, area: Area, head: list[Cells]) -> list[Cells]:
        """The head with titles that are merged over this table and those left of it."""
        for (top, left), (_, right) in self.merges:
            at = top - area.top
            if left < area.left <= right and 0 <= at < len(head) and not any(head[at]):
                (text,) = self.grid.rows(top, top + 1, left, left + 1)[0]
                head[at] = (text, *head[at][1:])
        return head

    def is_note_row(self, area: Area, row: int) -> bool:
        """Whether a row of the sheet says who reported, when and in which unit."""
        (cells,) = self.grid.rows(row, row + 1, area.left, area.right)
        return is_note_row([fold_label(cell) for cell in cells], self.aliases)

    def known(self, cells: Sequence[str | None]) -> int:
        """How many of some cells are labels that contracts know; none when one of them is no label at all."""
        texts = [text for cell in cells if (text := fold_label(cell))]
        months = running_months(texts)
        names = [text for at, text in enumerate(texts) if at not in months]
        if len(texts) < KNOWN_LABELS or not all(is_label(text) for text in names):
            return 0
        return sum(1 for text in names if self.aliases(split_unit(text, self.aliases)[0])) + bool(months)


def find_regions(grid: Grid, merges: Sequence[Merge], aliases: Aliases) -> list[Region]:
    """The tables of a sheet, from left to right and from top to bottom."""
    sheet = Sheet(grid, merges, aliases)
    return list(_regions(sheet, Area(0, grid.height, 0, grid.width)))


def _regions(sheet: Sheet, area: Area) -> Iterator[Region]:
    parts = _beside(sheet, area)
    if len(parts) > 1:
        for part in parts:
            yield from _regions(sheet, part)
        return
    area = _from_known_labels(sheet, area)
    heading = sheet.heading(area)
    if heading is None:
        return
    region = _sift(sheet, area, heading, ())
    cut, again = _next_table(sheet, region)
    if cut is not None:
        upper = replace(area, bottom=cut)
        yield from _regions(sheet, upper) if len(_beside(sheet, upper)) > 1 else (_sift(sheet, upper, heading, again),)
        yield from _regions(sheet, replace(area, top=cut))
        return
    yield _sift(sheet, area, heading, again) if again else region


def _from_known_labels(sheet: Sheet, area: Area) -> Area:
    """The area without a long preface: cut above the first row far down whose labels contracts know."""
    heading = sheet.heading(area)
    if heading is not None and heading.hits:
        return area
    for top in range(
        area.top + SEARCHED_ROWS // 2, min(area.bottom, area.top + 20 * SEARCHED_ROWS), SEARCHED_ROWS // 2
    ):
        rows = sheet.grid.rows(top, top + SEARCHED_ROWS // 2, area.left, area.right)
        if any(sheet.known(row) >= KNOWN_LABELS + 1 for row in rows):
            return replace(area, top=top)
    return area


def _beside(sheet: Sheet, area: Area) -> list[Area]:
    """The tables that stand beside each other with blank columns between, or the area as it is."""
    used: Mask = sheet.grid.filled[area.top : area.bottom, area.left : area.right].sum(axis=0) > 0
    starts = np.flatnonzero(used & ~np.append(False, used[:-1]))
    if len(starts) < 2:
        return [area]
    ends = np.flatnonzero(used & ~np.append(used[1:], False)) + 1
    parts = [
        replace(area, left=area.left + int(a), right=area.left + int(b)) for a, b in zip(starts, ends, strict=True)
    ]
    joined = [parts[0]]
    for part in parts[1:]:
        if _are_two(sheet.heading(joined[-1]), sheet.heading(part)):
            joined.append(part)
        else:
            joined[-1] = replace(joined[-1], right=part.right)
    if len(joined) == 1:
        return [area]
    return [_trimmed(sheet.grid, part) for part in joined]


def _are_two(one: Heading | None, other: Heading | None) -> bool:
    if one is None or other is None or min(one.hits, other.hits) < KNOWN_LABELS:
        return False
    shared = {label for label in one.labels if label} & {label for label in other.labels if label}
    return bool(shared) or one.last != other.last


def _trimmed(grid: Grid, area: Area) -> Area:
    """The area without the blank rows below it that belong to a longer neighbour."""
    rows = np.flatnonzero(grid.filled[area.top : area.bottom, area.left : area.right].sum(axis=1))
    return replace(area, bottom=area.top + int(rows[-1]) + 1)


def _sift(sheet: Sheet, area: Area, heading: Heading, again: Sequence[int]) -> Region:
    """Sort the rows below a heading; `again` are the rows in which it was printed once more, counted from 0."""
    columns = _columns(sheet, area, area.top + heading.body)
    filled = sheet.grid.filled[area.top + heading.body : area.bottom, area.left : area.right]
    sieve = Sieve(_widened(heading, filled))
    columns = columns[: len(sieve.labels)]
    body, repeated = area.top + heading.body, frozenset(again)
    looked_at = suspects(columns, sieve.labels, filled)
    looked_at[np.array(again, np.int64) - body] = True
    doubtful = np.flatnonzero(looked_at)
    dropped = set()
    taken = [column.take(pa.array(doubtful)).to_pylist() for column in columns]
    for at, cells in zip(doubtful.tolist(), zip(*taken, strict=True), strict=True):
        if body + at in repeated:
            sieve.skipped["header"] += 1
            dropped.add(at)
        elif not sieve.takes(body + at + 1, cells):
            dropped.add(at)
    sieve.rows = max(0, area.bottom - body) - len(dropped)
    return Region(area, replace(heading, labels=sieve.labels, units=sieve.units), columns, frozenset(dropped), sieve)


def _widened(heading: Heading, filled: Mask) -> Heading:
    """Give columns that hold something below the header but have no name an empty label."""
    used = np.flatnonzero(filled.any(axis=0)) if filled.size else np.array([], np.int64)
    more = max(0, (int(used[-1]) + 1 if used.size else 0) - len(heading.labels))
    return replace(heading, labels=heading.labels + ("",) * more, units=heading.units + (None,) * more)


def _columns(sheet: Sheet, area: Area, body: int) -> tuple[pa.Array, ...]:
    """The columns of the body, with words merged down over several rows written in each of them.

    A number is not: it may be the sum of those rows.
    """
    height = max(0, area.bottom - body)
    columns = [column.slice(body, height) for column in sheet.grid.columns[area.left : area.right]]
    texts: dict[int, dict[int, str]] = {}
    for (top, left), (bottom, _) in sheet.merges:
        if bottom > top >= body and bottom < area.bottom and area.left <= left < area.right:
            text = columns[left - area.left][top - body].as_py()
            if (text and is_label(fold_label(text))) or _is_period(text):
                texts.setdefault(left - area.left, {}).update(dict.fromkeys(range(top - body, bottom - body + 1), text))
    for at, found in texts.items():
        columns[at] = patched(columns[at], found)
    return tuple(columns)


def _is_period(text: str) -> bool:
    return find_period(text) is not None and not fold_label(text).isdigit()


def _next_table(sheet: Sheet, region: Region) -> tuple[int | None, list[int]]:
    """The row from which on another table stands, and the rows in which this one's header is printed again."""
    area, again = region.area, list[int]()
    counts = sheet.grid.filled[region.body : area.bottom, area.left : area.right].sum(axis=1)
    if region.heading.hits == 0:
        return _next_unknown(sheet, region, counts), again
    for row in _candidates(region, counts):
        cells = sheet.grid.rows(row, row + 1, area.left, area.right)[0]
        if row in again or sheet.known(cells) < KNOWN_LABELS:
            continue
        start = _title_above(sheet, region, counts, row)
        below = sheet.heading(replace(area, top=start))
        if below is None or below.hits < KNOWN_LABELS or not below.first <= row - start <= below.last:
            continue
        if _same(below, region.heading) and not any(counts[start - region.body : row - region.body]):
            again += range(row - (row - start - below.first), start + below.last + 1)
        else:
            return start, again
    return None, again


def _next_unknown(sheet: Sheet, region: Region, counts: Places) -> int | None:
    """The caption from which on another table of words nobody knows stands: as wide as the table, with names below it.

    A section of the same table has a row of data below its caption, which holds figures or no names of properties.
    """
    area = region.area
    wide = {top for (top, left), (_, right) in sheet.merges if left <= area.left and right >= area.right - 1}
    for at in np.flatnonzero((counts[:-1] == 1) & (counts[1:] >= KNOWN_LABELS))[:MOST_CANDIDATES].tolist():
        row = region.body + int(at)
        if row not in wide and area.right - area.left > 1 and sheet.merges:
            continue
        cells = [fold_label(cell) for cell in sheet.grid.rows(row + 1, row + 2, area.left, area.right)[0]]
        named = [cell for cell in cells if cell]
        if len(named) < FEWEST_NAMES or not all(is_label(cell) for cell in named) or not names_things(named):
            continue
        below = sheet.heading(replace(area, top=row))
        if below is not None and below.first <= 1 <= below.last:
            return row
    return None


def _candidates(region: Region, counts: Places) -> list[int]:
    """Rows that may be a header: behind rows that are no data, behind lone cells, or with several words of this header."""
    behind = counts <= 1
    behind[list(region.dropped)] = True
    names = pa.array(
        sorted({part for label in region.heading.labels for part in label.split("/") if part}), pa.string()
    )
    repeated = np.zeros(len(counts), np.int64)
    for column in region.columns if len(names) else ():
        repeated += pc.is_in(column, value_set=names).to_numpy(zero_copy_only=False)
    maybe = (repeated >= KNOWN_LABELS) | np.append(False, behind[:-1])
    rows = np.flatnonzero(maybe & (counts >= KNOWN_LABELS))
    return [region.body + int(row) for row in rows[:MOST_CANDIDATES]]


def _title_above(sheet: Sheet, region: Region, counts: Places, row: int) -> int:
    """The first of the rows above a header that are its titles, or set its unit, and not notes of the table above."""
    start = row
    while start > region.body and (counts[start - 1 - region.body] <= 1 or sheet.is_note_row(region.area, start - 1)):
        start -= 1
    after_note = False
    first = start
    for at, cells in enumerate(sheet.grid.rows(start, row, region.area.left, region.area.right), start):
        is_blank = not any(cells)
        sets_unit = bool(unit_notes([cell for cell in cells if cell], sheet.aliases))
        is_note = classify(cells, region.heading.labels, after_note=after_note) == NOTE
        after_note = not is_blank and is_note and not sets_unit
        if after_note or (is_blank and first == at):
            first = at + 1
    return first


def _same(one: Heading, other: Heading) -> bool:
    return [label for label in one.labels if label] == [label for label in other.labels if label]
