"""Working days: Monday to Friday, but for the days a published calendar says otherwise.

A calendar lists the exceptions alone: days off (`holiday` 节假日, `rest` 调休放假) and weekend days worked instead
(`shifted` 调休上班, `workday` 工作日). A year of which it says nothing has not been announced, and then nobody knows its
working days: the answer is None, never a guess that forgets the Spring Festival.
"""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from warehouse.base.periods import month_start

COUNTRY = "country"
"""What a store says of itself: whose calendar counts, as an ISO 3166 code."""
DEFAULT_COUNTRY = "CN"
WORKED = frozenset({"workday", "shifted"})
KINDS = ("workday", "shifted", "rest", "holiday")


@dataclass(frozen=True)
class DayRow:
    """What a calendar says of one day, known in batches `[rec_from, rec_to)`."""

    day: dt.date
    kind: str
    rec_from: int
    rec_to: int


def days_known(rows: Iterable[DayRow], seq: int) -> dict[dt.date, str]:
    """Return what was known at a batch: day → kind."""
    return {row.day: row.kind for row in rows if row.rec_from <= seq < row.rec_to}


def working_days(days: Mapping[dt.date, str], month: int) -> int | None:
    """Return the working days of a month by its number; None for a year the calendar does not know."""
    first = month_start(month)
    if not any(day.year == first.year for day in days):
        return None
    length = calendar.monthrange(first.year, first.month)[1]
    return sum(is_worked(days, first + dt.timedelta(days=n)) for n in range(length))


def is_worked(days: Mapping[dt.date, str], day: dt.date) -> bool:
    """Tell whether a day is worked, of a year the calendar knows."""
    kind = days.get(day)
    return day.weekday() < 5 if kind is None else kind in WORKED


@dataclass(frozen=True)
class Season:
    """The heating season of a climate zone: from day `begins` to day `ends` (both heated), as `11-15`, in some months."""

    zone: str
    begins: str
    ends: str
    from_m: int
    to_m: int


def heating_days(seasons: Iterable[Season], month: int) -> int | None:
    """Return how many days of a month are heated in the one zone given; None where no season is set."""
    found = [season for season in seasons if season.from_m <= month < season.to_m]
    if not found:
        return None
    first = month_start(month)
    length = calendar.monthrange(first.year, first.month)[1]
    days = [f"{first.month:02d}-{number:02d}" for number in range(1, length + 1)]
    return sum(any(_lies_in(day, season) for season in found) for day in days)


def _lies_in(day: str, season: Season) -> bool:
    """Tell whether a day of the year lies in a season, which may run over the turn of the year."""
    if season.begins == season.ends == "":
        return False
    if season.begins <= season.ends:
        return season.begins <= day <= season.ends
    return day >= season.begins or day <= season.ends
