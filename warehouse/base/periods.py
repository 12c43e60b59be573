"""Months as numbers, periods as half-open spans of months, grains as windows.

A month number is `year * 12 + month - 1`; every stored validity is a half-open span `[from_m, to_m)`.
Every grain (month, quarter, year to date, rolling year, year) is a set of windows of months, so that one
mechanism answers all of them.

A fiscal year may begin in another month than January (`fiscal_start`, 1 to 12). It is named after the calendar year it
ends in: with 10, `2024` is October 2023 to September 2024 and `2024-Q1` is October to December 2023. Months keep their
calendar names.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Literal, get_args

from warehouse.base.errors import QueryError

OPEN = 2_147_483_647
"""Upper end of a span that has no end yet, in month numbers and in batch numbers."""

FISCAL_START = "fiscal_start"
"""What a store says of itself: the month its fiscal year begins in."""

Grain = Literal["month", "quarter", "ytd", "r12", "year"]
GRAINS: tuple[Grain, ...] = get_args(Grain)

_MONTH = re.compile(r"^(\d{4})-(\d{1,2})$")
_QUARTER = re.compile(r"^(\d{4})-Q([1-4])$", re.IGNORECASE)
_YEAR = re.compile(r"^(\d{4})$")
_STEP: dict[str, int] = {"month": 1, "quarter": 3, "year": 12, "ytd": 1, "r12": 1}


def month_no(year: int, month: int) -> int:
    """Return the number of a calendar month."""
    return year * 12 + month - 1


def month_of(day: dt.date) -> int:
    """Return the number of the month a day lies in."""
    return month_no(day.year, day.month)


def check_fiscal_start(text: str) -> int:
    """Return the month a fiscal year begins in, 1 to 12; anything else raises."""
    if text.strip().isdecimal() and 1 <= int(text) <= 12:
        return int(text)
    raise QueryError(f"fiscal_start = '{text}' is no month.", "write a number from 1 (January) to 12; 1 is the default")


def fiscal_shift(fiscal_start: int) -> int:
    """Return by how many months the fiscal year runs ahead of the calendar year it is named after."""
    return (1 - fiscal_start) % 12


def fiscal_year(number: int, fiscal_start: int = 1) -> int:
    """Return the fiscal year a month lies in."""
    return (number + fiscal_shift(fiscal_start)) // 12


def month_label(number: int) -> str:
    """Return `2024-05` for a month number."""
    return f"{number // 12:04d}-{number % 12 + 1:02d}"


def month_start(number: int) -> dt.date:
    """Return the first day of a month; the end of a half-open span is the start of the next."""
    return dt.date(number // 12, number % 12 + 1, 1)


@dataclass(frozen=True)
class Period:
    """A half-open span of months `[from_m, to_m)` with the text it was written as."""

    label: str
    from_m: int
    to_m: int

    @classmethod
    def parse(cls, text: str, fiscal_start: int = 1) -> Period:
        """Read `2024-05`, `2024-Q2` or `2024`; quarters and years are those of the fiscal year."""
        text, ahead = text.strip(), fiscal_shift(fiscal_start)
        if found := _MONTH.match(text):
            year, month = int(found[1]), int(found[2])
            if 1 <= month <= 12:
                start = month_no(year, month)
                return cls(month_label(start), start, start + 1)
        if found := _QUARTER.match(text):
            start = month_no(int(found[1]), int(found[2]) * 3 - 2) - ahead
            return cls(f"{found[1]}-Q{found[2]}", start, start + 3)
        if found := _YEAR.match(text):
            start = month_no(int(found[1]), 1) - ahead
            return cls(found[1], start, start + 12)
        raise QueryError(f"'{text}' is not a period.", "write 2024-05, 2024-Q2 or 2024")

    @classmethod
    def parse_range(cls, text: str, fiscal_start: int = 1) -> tuple[Period, Period]:
        """Read one period or an inclusive range `A..B`."""
        first, _, last = text.partition("..")
        start = cls.parse(first, fiscal_start)
        end = cls.parse(last, fiscal_start) if last else start
        if end.to_m <= start.from_m:
            raise QueryError(f"The period range '{text}' ends before it starts.", "write the earlier period first")
        return start, end


@dataclass(frozen=True)
class Window:
    """One answer period of a grain: its label and the months it covers."""

    label: str
    from_m: int
    to_m: int

    def shifted(self, months: int) -> Window:
        """Return the same window some months earlier, under the same label."""
        return Window(self.label, self.from_m - months, self.to_m - months)

    @property
    def months(self) -> int:
        """Number of months covered."""
        return self.to_m - self.from_m


def check_grain(text: str) -> Grain:
    """Return the text as a grain or say which exist."""
    for grain in GRAINS:
        if grain == text:
            return grain
    raise QueryError(f"'{text}' is not a grain.", f"use one of {', '.join(GRAINS)}")


def windows(grain: Grain, from_m: int, to_m: int, fiscal_start: int = 1) -> tuple[Window, ...]:
    """Return one window per period of the grain that touches `[from_m, to_m)`."""
    step = _STEP[grain]
    start = from_m - (from_m + fiscal_shift(fiscal_start)) % step
    return tuple(_window(grain, number, fiscal_shift(fiscal_start)) for number in range(start, to_m, step))


def _window(grain: Grain, number: int, ahead: int) -> Window:
    """Return the window that begins (month, quarter, year) or ends (ytd, r12) with a month."""
    year, month = divmod(number + ahead, 12)
    if grain == "month":
        return Window(month_label(number), number, number + 1)
    if grain == "quarter":
        return Window(f"{year:04d}-Q{month // 3 + 1}", number, number + 3)
    if grain == "year":
        return Window(f"{year:04d}", number, number + 12)
    if grain == "ytd":
        return Window(month_label(number), number - month, number + 1)
    return Window(month_label(number), number - 11, number + 1)


def natural_grain(text: str) -> Grain:
    """Return the grain a written period stands for when none is asked: its own length."""
    first, _ = Period.parse_range(text)
    return {1: "month", 3: "quarter"}.get(first.to_m - first.from_m, "year")  # type: ignore[return-value]
