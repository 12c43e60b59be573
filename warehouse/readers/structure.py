"""What the shape of a sheet says where no contract knows its words: groups of columns, forms, tables lying on their side.

Everything here looks at folded cells and merged areas only. Forms and lying tables have no row of column names;
they are refused with a sentence of their own instead of being read as something they are not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

Merge = tuple[tuple[int, int], tuple[int, int]]
"""Upper left and lower right cell of a merged area, 0-based, both inclusive."""

Rows = Sequence[Sequence[str]]

FORM_ROWS = 4
"""Fewer rows of pairs prove nothing: a small table may look like them."""
LOOKED_AT = 20
LONGEST_NAME = 14

_NAMES_A_THING = re.compile(
    r"[名称号码址点期间额量率度价型类别质位门数式务因由容注色径积长宽高重速围限格人者话箱编级况向程费比龄历业族籍目]"
    r":?(\([^()]*\))?:?$"
)
"""The endings of words that name a property: 名称, 日期, 编号, 金额, 数量, 地址, 电话 and so on."""
_DIGIT = re.compile(r"\d")
_COUNTER = re.compile(r"^(序号|编号|行号|行次|no\.?|#)$", re.IGNORECASE)
_SUM = re.compile(r"^(合计|总计|小计|total)$", re.IGNORECASE)


def groups_of(rows: Rows, row: int, merges: Sequence[Merge]) -> list[tuple[int, int]]:
    """First and last column of each name in a row that reaches over several columns.

    Merged cells say so; where there are none, a name reaches over the blanks behind it.
    """
    if merges:
        return [(left, right) for (start, left), (end, right) in merges if start <= row == end and right > left]
    width = max(len(rows[row]), len(rows[row + 1]) if row + 1 < len(rows) else 0)
    named = [c for c, cell in enumerate(rows[row]) if cell]
    ends = [*(at - 1 for at in named[1:]), width - 1]
    return [(left, right) for left, right in zip(named, ends, strict=True) if right > left]


def is_grouped(rows: Rows, row: int, merges: Sequence[Merge], is_label: Callable[[str], bool]) -> bool:
    """Whether some cells of a row are groups whose members the next row names.

    Members stand below groups only: beside them is nothing, or a cell merged down. A row of data fills that too.
    """
    if row + 1 >= len(rows):
        return False
    below = rows[row + 1]
    width = max(len(rows[row]), len(below))
    groups = groups_of(rows, row, merges)
    if not groups or any(right - left + 1 >= width for left, right in groups):
        return False
    members = [below[c] for left, right in groups for c in range(left, min(right + 1, len(below))) if below[c]]
    beside = [c for c in range(width) if not any(left <= c <= right for left, right in groups)]
    if not beside or any(c < len(below) and below[c] for c in beside):
        return False
    return len(members) > len(groups) and all(is_label(cell) for cell in members)


def is_numbered(row: Sequence[str]) -> bool:
    """Whether a row counts what stands below it, as 序号 | 1 | 2 | 3 over records that run from left to right."""
    cells = [cell for cell in row if cell]
    if len(cells) < 3 or not _COUNTER.match(cells[0]):
        return False
    counted = cells[1:-1] if _SUM.match(cells[-1]) else cells[1:]
    return len(counted) >= 2 and counted == [str(number) for number in range(1, len(counted) + 1)]


def is_form(rows: Rows) -> bool:
    """Whether a sheet is a form, with names beside their values and several such pairs in a row."""
    filled = [cells for row in rows[:LOOKED_AT] if (cells := [cell for cell in row if cell])]
    pairs = [cells for cells in filled if len(cells) >= 4 and len(cells) % 2 == 0]
    if len(filled) < FORM_ROWS or len(pairs) * 2 < len(filled):
        return False
    first, later, values = (_share(_places(filled, at)) for at in ("first", "later", "value"))
    names = min(first, later)
    return names >= 0.3 and values * 3 <= names


def _places(rows: Rows, which: str) -> Iterator[str]:
    for row in rows:
        for at, cell in enumerate(row):
            if which == ("value" if at % 2 else "later" if at else "first"):
                yield cell


def _share(cells: Iterator[str]) -> float:
    """How many of the cells look like the name of a property."""
    found = [
        len(cell) <= LONGEST_NAME and not _DIGIT.search(cell) and bool(_NAMES_A_THING.search(cell)) for cell in cells
    ]
    return sum(found) / len(found) if found else 0.0


def names_things(cells: Sequence[str]) -> bool:
    """Whether the cells of a row are different names of properties, at least every third by its ending."""
    return len(set(cells)) == len(cells) and _share(iter(cells)) * 3 >= 1


def reads_sideways(rows: Rows, row: int) -> bool:
    """Whether the cells of a row and of the next are names each beside its value, as in a form: no header is so."""
    return row + 1 < len(rows) and _pairs_off(rows[row]) and _pairs_off(rows[row + 1])


def _pairs_off(row: Sequence[str]) -> bool:
    cells = [cell for cell in row if cell]
    if len(cells) < 4 or len(cells) % 2:
        return False
    return _share(iter(cells[0::2])) * 4 >= 3 and _share(iter(cells[1::2])) == 0


def holds_one_value(rows: Rows, row: int, merges: Sequence[Merge]) -> bool:
    """Whether a row is a name beside one value over most of the columns, beside another such row: no header is so."""
    wide = {
        start: (left, right)
        for (start, left), (end, right) in merges
        if start == end and abs(start - row) <= 1 and (right - left + 1) * 2 >= len(rows[row])
    }
    filled = sum(1 for cell in rows[row] if cell)
    return filled <= 2 and row in wide and wide[row][0] > 0 and wide[row] in (wide.get(row - 1), wide.get(row + 1))


def lies_on_its_side(rows: Rows, knows: Callable[[str], bool], hits: int) -> bool:
    """Whether the names contracts know stand below each other in the first column, and hardly in any row."""
    names = {row[0] for row in rows[:LOOKED_AT] if row and row[0] and knows(row[0])}
    numbered = any(is_numbered(row) for row in rows[:LOOKED_AT])
    return (len(names) >= 3 and len(names) > hits + 1) or (numbered and hits < 2)
