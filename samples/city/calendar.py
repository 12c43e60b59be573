"""Months as numbers, working days and the statutory holidays of the simulated years."""

from __future__ import annotations

import calendar
import datetime as dt
from functools import cache

ZONE = dt.timezone(dt.timedelta(hours=8))
OPEN = 2_147_483_647
"""Month number of a span that has no end yet."""


def month_no(year: int, month: int) -> int:
    """Return the number of a calendar month."""
    return year * 12 + month - 1


FIRST = month_no(2024, 1)
LONGEST = 34
"""Months that can be told without looking into the future of the office: 2024-01 to 2026-10."""

_HOLIDAYS = (
    ("2024-01-01", 1), ("2024-02-10", 8), ("2024-04-04", 3), ("2024-05-01", 5), ("2024-06-08", 3), ("2024-09-15", 3),
    ("2024-10-01", 7), ("2025-01-01", 1), ("2025-01-28", 8), ("2025-04-04", 3), ("2025-05-01", 5), ("2025-05-31", 3),
    ("2025-10-01", 8), ("2026-01-01", 3), ("2026-02-15", 9), ("2026-04-04", 3), ("2026-05-01", 5), ("2026-06-19", 3),
    ("2026-09-25", 3), ("2026-10-01", 7),
)  # fmt: skip


def year_of(month: int) -> int:
    """Return the calendar year of a month number."""
    return month // 12


def moon(month: int) -> int:
    """Return the month of the year, 1 to 12."""
    return month % 12 + 1


def label(month: int) -> str:
    """Return `2024-05`."""
    return f"{year_of(month):04d}-{moon(month):02d}"


def day(month: int, number: int) -> dt.date:
    """Return a day of a month, the last one when the month is shorter."""
    return dt.date(year_of(month), moon(month), min(number, days_in(month)))


def days_in(month: int) -> int:
    """Return how many days a month has."""
    return calendar.monthrange(year_of(month), moon(month))[1]


def month_of(date: dt.date) -> int:
    """Return the number of the month a day lies in."""
    return month_no(date.year, date.month)


def moment(date: dt.date, hour: int, minute: int) -> dt.datetime:
    """Return an instant of the office clock."""
    return dt.datetime(date.year, date.month, date.day, hour, minute, tzinfo=ZONE)


@cache
def holidays() -> frozenset[dt.date]:
    """Return all statutory days off."""
    return frozenset(
        dt.date.fromisoformat(first) + dt.timedelta(days=n) for first, length in _HOLIDAYS for n in range(length)
    )


@cache
def has_holiday(month: int) -> bool:
    """Tell whether a statutory day off lies in a month."""
    return any(month_of(date) == month for date in holidays())


@cache
def working_days(month: int) -> tuple[dt.date, ...]:
    """Return the working days of a month (adjusted Saturdays are left out)."""
    days = (day(month, number) for number in range(1, days_in(month) + 1))
    return tuple(date for date in days if date.weekday() < 5 and date not in holidays())
