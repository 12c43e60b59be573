"""Words above a table: labels, units in brackets, unit notes, periods in titles."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache

from warehouse.readers.units import is_unit

Aliases = Callable[[str], bool]

REMEMBERED = 1 << 16
"""Texts of heads whose form is kept: exports of one office say the same words file after file."""

_INVISIBLE = re.compile(r"[\s\u200b-\u200f\u2060\ufeff\u00ad]+")
_TAIL = re.compile(r"^(?P<label>.+?)[(\[{【〔](?P<inside>[^()\[\]{}【】〔〕]*)[)\]}】〕]$")
_BARE_UNIT = re.compile(r"^(?P<label>.+?)[/,:、_](?P<inside>[^/,:、_]+)$")
_NO_UNIT = re.compile(
    r"^(是/?否|必填|选填|可选|可空|不?含.*|有/?无|.*格式.*|y{2,4}.*|注?\d*|.*[年月季期](初|末|底|度|中)?|.*累计|合计|小计|当[年月期日].*|地[上下]"
    r"|[大小]写|税[前后]|预算.*|实际.*|估算|约|自动.*|手工.*|盖?章|签字|全称|简称|.*编?[代号]?码|名称|可.*|如有|选.*|\d+位)$",
    re.IGNORECASE,
)
_UNIT_NOTE = re.compile(r"(?:^|[^一-龥]|金额|计量|货币|数量)单 ?位 ?:? ?[:(] ?(?P<unit>[^)\];。 ]+)")
_STAMP = re.compile(
    r"(打印|导出|制表|制单|填报|填表|编制|下载|生成|查询|报送|报出|上报|审核|录入|印发)(日期|时间|时刻)?:"
)
_YEAR = r"(?:19|20)\d{2}"
_MONTH = r"(?:1[0-2]|0?[1-9])"
_PERIODS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"截[至止]{_YEAR}年(?:{_MONTH}月(?:\d{{1,2}}日)?)?[底末]?",
        rf"{_YEAR}年{_MONTH}月?[-~—–至到](?:{_YEAR}年)?{_MONTH}月",
        rf"{_YEAR}年第?[一二三四1-4]季度?",
        rf"{_YEAR}年[上下]半年",
        rf"{_YEAR}年{_MONTH}月(?:\d{{1,2}}日)?",
        rf"{_YEAR}年度?",
        rf"(?<!\d){_YEAR}[-_ ]?[Qq][1-4](?!\d)",
        rf"(?<!\d){_YEAR}[-./_](?:1[0-2]|0[1-9]|[1-9])(?!\d)",
        rf"(?<!\d){_YEAR}(?:1[0-2]|0[1-9])(?!\d)",
    )
)
_NUMERALS = ("一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二")
_SHEET_MONTH = re.compile(
    r"(?<![\d\-~—–至到.十])(?:(?P<digits>1[0-2]|0?[1-9])|(?P<numeral>十[一二]|[一二三四五六七八九十]))月(?![\d\-~—–至到前后])"
)
_WHOLE_YEAR = re.compile(rf"^{_YEAR}年?度?$")
_REVISION = re.compile(r"^(版|修订|修正|印发|起|以来|制定)")
_BARE_YEAR = re.compile(rf"(?<!\d){_YEAR}(?!\d)")


@lru_cache(maxsize=REMEMBERED)
def fold_label(text: str | None) -> str:
    """NFKC without any white space or invisible sign: the form labels are compared in."""
    return "" if text is None else _INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).strip("*'\"")


def split_unit(label: str, aliases: Aliases) -> tuple[str, str | None]:
    """Take the unit off a folded label: 金额(万元) -> 金额, 万元.

    A bracket behind a known label is taken for a unit even when nobody knows that unit, so that it gets refused with
    suggestions; plain remarks such as (含调整) are none. Behind an unknown label a bracket stays.
    """
    if label.startswith("(") and is_unit(label):
        return "", label.strip("()")
    found = _TAIL.match(label)
    if found is None:
        return _split_bare(label, aliases)
    bare, inside = found["label"], found["inside"]
    if is_unit(inside):
        return bare, inside
    first = re.split(r"[,;、]", inside)[0]
    if first != inside and is_unit(first):
        return bare, first
    if _NO_UNIT.match(inside) or not aliases(bare):
        return label, None
    return bare, inside


def _split_bare(label: str, aliases: Aliases) -> tuple[str, str | None]:
    found = _BARE_UNIT.match(label)
    if found and not aliases(label) and is_unit(found["inside"]):
        return found["label"], found["inside"]
    return label, None


@lru_cache(maxsize=REMEMBERED)
def find_unit_notes(cell: str) -> tuple[str, ...]:
    """The units a note above the table sets for all of it: 单位：万元、平方米 (but not 单位：市财政局)."""
    for found in _UNIT_NOTE.finditer(" ".join(unicodedata.normalize("NFKC", cell).split())):
        texts = [text.strip("(:") for text in re.split(r"[、,/]", found["unit"])]
        if texts and all(is_unit(text) for text in texts):
            return tuple(texts)
    return ()


def find_units(title: str) -> tuple[str, ...]:
    """The units that stand in brackets in a title: 2024年用电量（千瓦时）."""
    folded = fold_label(title)
    inside = re.findall(r"[(\[【](?:单位:?)?([^()\[\]【】]+)[)\]】]", folded)
    return tuple(text for text in inside if is_unit(text))


def find_period(*texts: str | None) -> str | None:
    """The first period written in any of the texts, as it stands there."""
    return next((found for text in texts if text and (found := _period_in(fold_label(text)))), None)


@lru_cache(maxsize=REMEMBERED)
def _period_in(folded: str) -> str | None:
    if not _STAMP.search(folded):
        for pattern in _PERIODS:
            if (found := pattern.search(folded)) and not _REVISION.match(folded[found.end() :]):
                return found[0]
    return None


def find_sheet_month(sheet: str) -> int | None:
    """The month a sheet is named after, such as 3月, 03月份 or 三月报表; a range of months is none."""
    found = _SHEET_MONTH.search(fold_label(sheet))
    if found is None:
        return None
    return int(found["digits"]) if found["digits"] else _NUMERALS.index(found["numeral"]) + 1


def in_month(period: str | None, sheet: str) -> str | None:
    """A period narrowed to the month a sheet is named after, when it names one year and that month is in it."""
    month, years = find_sheet_month(sheet), set(_BARE_YEAR.findall(period or ""))
    return f"{years.pop()}年{month}月" if month and len(years) == 1 and _WHOLE_YEAR.match(period or "") else period


def find_year(*texts: str | None) -> str | None:
    """A bare year in the name of a sheet or a file, when nothing better is written."""
    for text in texts:
        if found := _BARE_YEAR.search(fold_label(text)):
            return found[0]
    return None
