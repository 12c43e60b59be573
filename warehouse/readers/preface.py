"""Rows between the title of a table and its header that say who reported, when, and in which unit.

Every filled cell of such a row is a note (填报单位：某局, 单位：万元, 日期：2025-04-05), or the value of the cell before it
(单位： | 万元). One office and one period may stand beside them without a name. Such a row is no part of a header, even
where its merged cells stand over those of the header like groups.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from warehouse.readers.labels import Aliases, find_period, find_unit_notes, fold_label
from warehouse.readers.units import is_unit

_KEY = (
    r"[一-龥、/]{0,10}(单位|部门|机关|机构|日期|时间|期间|年度|月份|季度|[期度]别|所属期|统计期|报告期|人|电话|方式|[表文编]号|代码|密级"
    r"|来源|口径|范围|有效期至?|审核|复核|制表|填表|领导|主管|会计|出纳)(\([^()]*\))?"
)
_NOTE = re.compile(rf"^[(\[【]?{_KEY}:(?P<value>.*?)[)\]】]?$")
_UNIT_ONLY = re.compile(r"^[(\[【]?(金额|货币|计量|数量)?单位:?[:(]")
_OFFICE = re.compile(
    r"^[^:,;]{2,}(局|厅|委|委员会|办|办公室|院|校|中心|处|科|所|公司|政府|部|队|站|馆|会)(\(.*\)|\(?盖章\)?)?$"
)
_STAMP = re.compile(r"^\d{2,4}[-/.年]\d{1,2}([-/.月]\d{1,2}日?)?月?$")
_PERSON = re.compile(r"^[一-龥·]{2,4}$")


def is_note_row(cells: Sequence[str], aliases: Aliases) -> bool:
    """Whether the folded cells of a row say something about the table above which it stands, and name no column.

    A row of several unit notes alone may give each column its unit, and is none.
    """
    filled = _paired([cell for cell in cells if cell], aliases)
    notes = [cell for cell in filled if _says(cell)]
    if not notes or (len(notes) > 1 and all(_UNIT_ONLY.match(cell) for cell in filled)):
        return False
    others = [cell for cell in filled if not _says(cell)]
    periods = [cell for cell in others if _is_time(cell)]
    offices = [cell for cell in others if cell not in periods and _OFFICE.match(cell) and not aliases(cell)]
    return len(periods) + len(offices) == len(others) and len(periods) <= 1 and len(offices) <= 1


def unit_notes(cells: Sequence[str], aliases: Aliases) -> tuple[str, ...]:
    """The units the cells of a row set for the whole table; 单位： and 万元 may stand in two cells."""
    return tuple(unit for cell in _paired(cells, aliases) for unit in find_unit_notes(cell))


def corner_notes(cells: Sequence[str]) -> tuple[str, ...]:
    """The units a lone note among the cells of a header sets for the whole table, as 单位：万元 in its corner."""
    noted = {cell for cell in cells if _UNIT_ONLY.match(cell) and find_unit_notes(cell)}
    return find_unit_notes(noted.pop()) if len(noted) == 1 else ()


def _says(cell: str) -> bool:
    found = _NOTE.match(cell)
    return bool(found and found["value"]) or bool(_UNIT_ONLY.match(cell) and find_unit_notes(cell))


def _paired(cells: Sequence[str], aliases: Aliases) -> list[str]:
    """The cells, with a name that ends in a colon and the value in the next cell as one."""
    joined: list[str] = []
    for cell in cells:
        before = fold_label(joined[-1]) if joined else ""
        if (
            before.endswith(":")
            and (found := _NOTE.match(before))
            and not found["value"]
            and _may_be_value(cell, aliases)
        ):
            joined[-1] = before + cell
        else:
            joined.append(cell)
    return joined


def _may_be_value(cell: str, aliases: Aliases) -> bool:
    if aliases(cell):
        return False
    return is_unit(cell) or _is_time(cell) or any(shape.match(cell) for shape in (_OFFICE, _PERSON))


def _is_time(cell: str) -> bool:
    return bool(_STAMP.match(cell)) or find_period(cell) == cell
