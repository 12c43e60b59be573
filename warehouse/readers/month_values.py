"""What a text says of months: one, a range, a quarter, a half, a year, the year up to a month."""

from __future__ import annotations

import re
from collections.abc import Callable

from warehouse.base.periods import month_no
from warehouse.readers.values import (
    DAY,
    FIRST_YEAR,
    HAN_DIGITS,
    LAST_YEAR,
    MINUS,
    MONTH_COMPACT,
    MONTH_ONLY,
    Bad,
    Months,
    Parsed,
    blank_or_error,
    han_to_digits,
    normalise,
    parse_datetime,
)

_LOST_ZERO = re.compile(r"^\d{4}\.1$")
_MONTH_ALONE = re.compile(r"^(?P<month>\d{1,2})月份?$")
_RANGE = re.compile(
    r"^(?:(?P<year>\d{4})[年./-]?)?(?P<first>\d{1,2})月?份?[-~至到](?:(?P<year2>\d{4})[年./-])?(?P<last>\d{1,2})月份?(?:累计)?$"
)
_UNTIL = re.compile(r"^截[至止]?(?P<year>\d{4})年(?P<month>\d{1,2})月(?:\d{1,2}日|[底末])?$")
_QUARTER = re.compile(
    r"^(?:(?P<year>\d{4})[年-]?)?第?(?P<quarter>[一二三四1-4])季度?$|^(?P<year_q>\d{4})[-年 ]?q(?P<number>[1-4])$",
    re.IGNORECASE,
)
_HALF = re.compile(r"^(?:(?P<year>\d{4})年)?(?P<half>[上下])半年$")
_YEAR = re.compile(r"^(?P<year>\d{4})(?:\.0+)?(?:年度?)?$")


def parse_months(text: str | None, *, year: int | None = None) -> Parsed[Months] | Bad:
    """A month, quarter, half, year or January-to-month; `year` helps a text that leaves it out."""
    plain = han_to_digits(normalise(text).replace(" ", "").translate(MINUS))
    early: Parsed[Months] | Bad | None = blank_or_error(plain)
    if early is not None:
        return early
    for read in _MONTH_READERS:
        span = read(plain, year)
        if span is not None:
            return span if isinstance(span, Bad) else Parsed(span)
    return _month_of_day(text)


def parse_month(text: str | None, *, year: int | None = None) -> Parsed[Months] | Bad:
    """One month, or January up to a month marked cumulative; quarters and years are refused."""
    parsed = parse_months(text, year=year)
    if isinstance(parsed, Bad) or parsed.value is None:
        return parsed
    span = parsed.value
    return parsed if span.to_m - span.from_m == 1 or span.is_cumulative else Bad("not_one_month")


def parse_year(text: str | None) -> Parsed[int] | Bad:
    """A calendar year: 2024, 2024年, 2024年度."""
    plain = han_to_digits(normalise(text).replace(" ", ""))
    early: Parsed[int] | Bad | None = blank_or_error(plain)
    if early is not None:
        return early
    found = _YEAR.match(plain)
    if found is None or not FIRST_YEAR <= int(found["year"]) <= LAST_YEAR:
        return Bad("not_a_year")
    return Parsed(int(found["year"]))


def _one(year: int | None, month: int) -> Months | Bad:
    if year is None:
        return Bad("year_missing")
    if not 1 <= month <= 12 or not FIRST_YEAR <= year <= LAST_YEAR:
        return Bad("off_calendar")
    number = month_no(year, month)
    return Months(number, number + 1)


def _read_month(text: str, year: int | None) -> Months | Bad | None:
    if _LOST_ZERO.match(text):
        return Bad("ambiguous_month", text[:4])  # 2024.10 typed as a number is shown and exported as 2024.1
    found = MONTH_ONLY.match(text) or MONTH_COMPACT.match(text)
    if found:
        return _one(int(found["year"]), int(found["month"]))
    alone = _MONTH_ALONE.match(text)
    return _one(year, int(alone["month"])) if alone else None


def _read_range(text: str, year: int | None) -> Months | Bad | None:
    found = _RANGE.match(text)
    if found is None or DAY.match(text):
        return None
    first_year = int(found["year"]) if found["year"] else year
    last_year = int(found["year2"]) if found["year2"] else first_year
    first, last = _one(first_year, int(found["first"])), _one(last_year, int(found["last"]))
    if isinstance(first, Bad) or isinstance(last, Bad):
        return first if isinstance(first, Bad) else last
    if last.to_m <= first.from_m:
        return Bad("off_calendar")
    is_from_january = first.from_m % 12 == 0 and first.from_m // 12 == last.from_m // 12
    return Months(first.from_m, last.to_m, is_cumulative=is_from_january)


def _read_until(text: str, _year: int | None) -> Months | Bad | None:
    found = _UNTIL.match(text)
    if found is None:
        return None
    month = _one(int(found["year"]), int(found["month"]))
    return month if isinstance(month, Bad) else Months(month.from_m - month.from_m % 12, month.to_m, is_cumulative=True)


def _read_quarter(text: str, year: int | None) -> Months | Bad | None:
    found = _QUARTER.match(text)
    if found is None:
        return None
    own = found["year"] or found["year_q"]
    sign = found["quarter"] or found["number"]
    quarter = HAN_DIGITS.get(sign) or int(sign)
    first = _one(int(own) if own else year, quarter * 3 - 2)
    return first if isinstance(first, Bad) else Months(first.from_m, first.from_m + 3)


def _read_half(text: str, year: int | None) -> Months | Bad | None:
    found = _HALF.match(text)
    if found is None:
        return None
    first = _one(int(found["year"]) if found["year"] else year, 1 if found["half"] == "上" else 7)
    return first if isinstance(first, Bad) else Months(first.from_m, first.from_m + 6)


def _read_year(text: str, _year: int | None) -> Months | Bad | None:
    found = _YEAR.match(text)
    if found is None:
        return None
    first = _one(int(found["year"]), 1)
    return first if isinstance(first, Bad) else Months(first.from_m, first.from_m + 12)


_MONTH_READERS: tuple[Callable[[str, int | None], Months | Bad | None], ...] = (
    _read_month, _read_range, _read_until, _read_quarter, _read_half, _read_year,
)  # fmt: skip


def _month_of_day(text: str | None) -> Parsed[Months] | Bad:
    """The month of a full date: 2024/3/1, 45352; a day 00 means the month alone to those who write it."""
    plain = normalise(text)
    parsed = parse_datetime(plain)
    if isinstance(parsed, Bad):
        return Bad("not_a_month") if parsed.code in ("not_a_date", "day_missing") else parsed
    if parsed.value is None:
        return Parsed(None, parsed.note)
    number = month_no(parsed.value.year, parsed.value.month)
    return Parsed(Months(number, number + 1), parsed.note)
