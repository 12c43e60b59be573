"""Headings that are periods: 1月, 2024-01, 一月, 第一季度, 1-3月, 2024年, each over a column of figures of its own.

A heading may also name what stands below it (1月/数量, 1月用电量) or whose year it is (本年, 上年同期). A year that the
heading does not say is left open here: who reads the table looks for it in the title, or asks.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import Literal

from warehouse.readers.labels import fold_label
from warehouse.readers.rows import is_sum_word

Kind = Literal["month", "span", "year"]

FEWEST_RUNNING = 3
"""So many columns of months that follow each other make a row the header, whatever else it says."""

FEWEST_BARE = 2

_NUMERALS = {
    sign: at for at, sign in enumerate(["一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二"], 1)
}
_MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
_ENGLISH = {spelling: at for at, name in enumerate(_MONTHS, 1) for spelling in (name[:3], name)}
_YEAR = r"(?:(?P<year>(?:19|20)\d{2})(?:年度?|[-./_])?)?"
_SHAPES: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("span", re.compile(rf"^{_YEAR}(?P<first>1[0-2]|0?[1-9])月?份?[-~—–至到](?P<last>1[0-2]|0?[1-9])月份?(?P<rest>.*)$")),
    ("span", re.compile(rf"^{_YEAR}第?(?P<quarter>[一二三四1-4])季度?(?P<rest>.*)$")),
    ("span", re.compile(r"^(?P<year>(?:19|20)\d{2})?[-年]?[Qq](?P<quarter>[1-4])(?P<year_q>(?:19|20)\d{2})?(?P<rest>)$")),
    ("span", re.compile(rf"^{_YEAR}(?P<half>[上下])半年(?P<rest>.*)$")),
    ("month", re.compile(rf"^{_YEAR}(?P<month>1[0-2]|0?[1-9])月份?(?P<rest>(?!\d).*)$")),
    ("month", re.compile(rf"^{_YEAR}(?P<numeral>十[一二]?|[一二三四五六七八九])月份?(?P<rest>.*)$")),
    ("month", re.compile(r"^(?P<year>(?:19|20)\d{2})[-./](?P<month>1[0-2]|0?[1-9])(?P<rest>)$")),
    ("month", re.compile(r"^(?P<year>(?:19|20)\d{2})(?P<month>1[0-2]|0[1-9])(?P<rest>)$")),
    ("month", re.compile(r"^(?P<year>(?:19|20)\d{2})-(?P<month>\d\d)-01(?:00:00:00)?(?P<rest>)$")),
    ("month", re.compile(rf"^(?P<english>{'|'.join(sorted(_ENGLISH, key=len, reverse=True))})\.?[-,']?(?P<year>20\d{{2}})?(?P<rest>)$", re.I)),
    ("year", re.compile(r"^(?P<year>(?:19|20)\d{2})年?度?(?P<rest>)$")),
    ("year", re.compile(r"^(?P<year>(?:19|20)\d{2})年度?(?P<rest>\D.*)$")),
)  # fmt: skip
_END = re.compile(r"^(末|底|末数|底数|合计|小计|当月|本月|当期|累计)$")
_SPACER = re.compile(r"^(月份|月度|统计期|期间|时间|年度|各月|分月|按月|月|逐月|报告期|所属期)$")
_THIS = re.compile(r"^(本年|今年|当年|本年度|本期)(数|实际|实际数)?$")
_BRACKET = re.compile(r"\([^()]*\)$")
_MAYBE = re.compile(r"月|季|^(?:19|20)\d{2}[-./]?\d{1,2}|^[A-Za-z]{3}")
_LAST = re.compile(r"(上年|去年|上一年|上年度|同期)")
_THIS_BEFORE = re.compile(r"^(本年|今年|当年)度?(?=.)")


@dataclass(frozen=True)
class PeriodHead:
    """What a heading says: months of a year `[first, last]`, the year if written, and what else stands in it.

    `is_last_year` is a column for comparison: its figures were reported a year ago. `rest` is what names the figures.
    """

    kind: Kind
    first: int
    last: int
    year: int | None = None
    rest: str = ""
    is_last_year: bool = False

    @property
    def is_cumulative(self) -> bool:
        """Whether it runs from January over several months, as 1-3月 does."""
        return self.kind == "span" and self.first == 1


@lru_cache(maxsize=8_192)  # the labels of a file are asked about for every contract
def read_head(label: str) -> PeriodHead | None:
    """The period a joined heading names in one of its parts; None when it names none."""
    parts = [part for part in fold_label(label).split("/") if part]
    found: PeriodHead | None = None
    years = [int(part[:4]) for part in parts if _is_year(part)]
    rest: list[str] = []
    is_last = False
    for part in parts:
        if _LAST.search(part) and _part(_LAST.sub("", part)) is None:
            is_last = True
            continue
        head = _part(part)
        if head is None or (head.kind == "year" and len(parts) > 1 and found is None and not _only_year(parts)):
            rest += [] if _THIS.match(part) or _SPACER.match(part) or head is not None else [part]
        elif found is None or found.kind == "year":
            found = head
        else:
            rest.append(part)
    if found is None:
        return None
    is_last = is_last or found.is_last_year
    year = found.year or (years[0] if years else None)
    return replace(
        found, year=year, rest="/".join([*rest, *([found.rest] if found.rest else [])]), is_last_year=is_last
    )


def _only_year(parts: Sequence[str]) -> bool:
    """Whether no part of a heading is a month or a quarter: then the year itself is the period."""
    heads = [head for part in parts if (head := _part(part))]
    return all(head.kind == "year" for head in heads)


def _is_year(part: str) -> bool:
    head = _part(part)
    return head is not None and head.kind == "year"


def _part(text: str) -> PeriodHead | None:
    plain = _THIS_BEFORE.sub("", text)
    is_last = bool(_LAST.search(plain))
    plain = _LAST.sub("", plain)
    for kind, shape in _SHAPES:
        if found := shape.match(plain):
            return _head(kind, found.groupdict(), is_last)
    return None


def _head(kind: Kind, found: dict[str, str | None], is_last: bool) -> PeriodHead:
    year = found.get("year") or found.get("year_q")
    rest = found.get("rest") or ""
    if (of := found.get("quarter")) is not None:
        at = _NUMERALS.get(of) or int(of)
        first, last = at * 3 - 2, at * 3
    elif (of := found.get("half")) is not None:
        first, last = (1, 6) if of == "上" else (7, 12)
    elif kind == "span":
        first, last = int(found["first"] or 0), int(found["last"] or 0)
    elif kind == "year":
        first, last = 1, 12
    else:
        text, numeral, english = found.get("month"), found.get("numeral"), found.get("english")
        first = last = int(text) if text else _NUMERALS[numeral] if numeral else _ENGLISH[(english or "").lower()]
    plain = "" if _END.match(rest) else rest
    return PeriodHead(kind, first, last, int(year) if year else None, plain, is_last)


def running_months(cells: Sequence[str]) -> frozenset[int]:
    """The places of cells that are months following each other: such a row heads columns of figures.

    They may begin anew, as for another item or year, and quarters may stand between them. Fewer than three in a row,
    or with a gap, may be anything; without their year (1月, 2月) two are enough, since no date is written so.
    """
    if sum(1 for cell in cells if _MAYBE.search(cell)) < FEWEST_BARE:
        return frozenset()
    bare = [_BRACKET.sub("", cell) for cell in cells]
    heads = [(at, head) for at, cell in enumerate(bare) if cell and (head := read_head(cell)) and not head.rest]
    months = [(at, (head.year or 0) * 12 + head.first) for at, head in heads if head.kind == "month"]
    fewest = FEWEST_BARE if all(head.year is None for _, head in heads) else FEWEST_RUNNING
    steps = [later - earlier for (_, earlier), (_, later) in pairwise(months)]
    if steps.count(1) < fewest - 1 or any(step > 1 for step in steps):
        return frozenset()
    return frozenset(at for at, _ in heads)


def is_sum_head(label: str) -> bool:
    """Whether a heading is that of a sum over the others: 合计, 全年合计, 累计."""
    last = fold_label(label).rsplit("/", 1)[-1]
    return is_sum_word(last) or bool(
        re.match(r"^(全年|本年|年度|1-12月)?(合计|总计|累计|小计|总数|汇总)(数|额|量)?$", last)
    )
