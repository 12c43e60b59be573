"""The day of a meter: what was used, the highest load and when, what ran at night, and how much of the day is known.

A day with gaps is incomplete, never small: `got` of `expected` intervals were measured, and the quantity covers
`covered_minutes` of the day. What ran through a silence is known as a whole and shared over it by time; it counts in
the quantity, and in no interval and no peak.
"""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import median

from warehouse.metering.intervals import USUAL_MINUTES, Piece, local_instant, minutes_of, pieces_of
from warehouse.metering.reading import Aside, Meter, Reading, Version, newest
from warehouse.metering.rules import FoldRules

FEWEST_FOR_SPIKES = 8
"""Loads a day must have before one of them can stand out."""
HOUR = Decimal(3600)


@dataclass(frozen=True)
class DayFigure:
    """One meter on one local day; quantities in the unit of the energy, loads in that unit per hour."""

    meter: str
    day: dt.date
    version: Version
    quantity: Decimal | None
    peak_load: Decimal | None
    peak_at: dt.datetime | None
    night_quantity: Decimal | None
    night_complete: bool
    got: int
    expected: int
    covered_minutes: int
    spikes: int
    estimated: int

    @property
    def is_complete(self) -> bool:
        """Tell whether every interval of the day was measured."""
        return self.got == self.expected


@dataclass(frozen=True)
class Folded:
    """The days of one meter and what of its readings had to be set aside."""

    days: tuple[DayFigure, ...]
    asides: tuple[Aside, ...]


def fold_meter(
    meter: Meter, readings: Sequence[Reading], days: Collection[dt.date], zone: zoneinfo.ZoneInfo, rules: FoldRules
) -> Folded:
    """Fold a meter's readings to local days; readings beside the days are what the days' edges need.

    A day of which nothing is known is given with no quantity: it is for the caller to know whether it was ever told.
    """
    held = newest(readings)
    if not held:
        return Folded((), ())
    last = meter.at(held[-1].at, zone)
    minutes = minutes_of(held, last.minutes if last else None) or USUAL_MINUTES
    pieces, asides = pieces_of(meter, held, minutes, zone, rules)
    by_day: dict[dt.date, list[Piece]] = {}
    for piece in pieces:
        by_day.setdefault(piece.start.astimezone(zone).date(), []).append(piece)
    figures = []
    for day in sorted(days):
        version = meter.on(day)
        if version is not None:
            figures.append(figure_of(meter.name, day, version, by_day.get(day, []), minutes, zone, rules))
    return Folded(tuple(figures), tuple(sorted(set(asides), key=lambda one: (one.at, one.code))))


def figure_of(
    name: str, day: dt.date, version: Version, pieces: Sequence[Piece], minutes: int, zone: zoneinfo.ZoneInfo,
    rules: FoldRules,
) -> DayFigure:  # fmt: skip
    """Return the figure of a day from its pieces, by time and without overlaps."""
    start, end = local_instant(day, 0, zone), local_instant(day, 24, zone)
    night = nights(day, zone, rules)
    measured = [piece for piece in pieces if piece.is_measured]
    at_night = [piece for piece in pieces if within(piece, night)]
    peak = max(measured, key=lambda piece: (load_of(piece), -piece.start.timestamp()), default=None)
    return DayFigure(
        meter=name,
        day=day,
        version=version,
        quantity=sum((piece.quantity for piece in pieces), Decimal(0)) if pieces else None,
        peak_load=load_of(peak) if peak else None,
        peak_at=peak.start if peak else None,
        night_quantity=sum((piece.quantity for piece in at_night), Decimal(0)) if at_night else None,
        night_complete=all(slots(a, b, measured, minutes) == _slots(a, b, minutes) for a, b in night),
        got=slots(start, end, measured, minutes),
        expected=_slots(start, end, minutes),
        covered_minutes=sum(piece.seconds for piece in pieces) // 60,
        spikes=spikes(measured, rules.on("spike_factor", day)),
        estimated=sum(piece.is_estimated for piece in pieces),
    )


def load_of(piece: Piece) -> Decimal:
    """Return the mean load over a piece, per hour."""
    return piece.quantity * HOUR / Decimal(piece.seconds)


def nights(day: dt.date, zone: zoneinfo.ZoneInfo, rules: FoldRules) -> list[tuple[dt.datetime, dt.datetime]]:
    """Return the hours of night inside a local day: its first and its last, or one span where night begins after 0."""
    first, last = rules.night(day)
    hours = [(first, last)] if first < last else [(0, last), (first, 24)]
    return [(local_instant(day, a, zone), local_instant(day, b, zone)) for a, b in hours if a != b]


def within(piece: Piece, spans: Iterable[tuple[dt.datetime, dt.datetime]]) -> bool:
    """Tell whether a piece lies in one of the spans; pieces are cut at their edges."""
    return any(start <= piece.start and piece.end <= end for start, end in spans)


def _slots(start: dt.datetime, end: dt.datetime, minutes: int) -> int:
    return round((end - start).total_seconds() / 60 / minutes)


def slots(start: dt.datetime, end: dt.datetime, measured: Sequence[Piece], minutes: int) -> int:
    """Count the intervals of a span that were measured; a clock some seconds off does not lose one."""
    length = dt.timedelta(minutes=minutes)
    count = _slots(start, end, minutes)
    seconds = [0] * count
    for piece in measured:
        place = max(0, int((piece.start - start) / length))
        while place < count and start + place * length < piece.end:
            left, right = start + place * length, start + (place + 1) * length
            common = (min(piece.end, right, end) - max(piece.start, left)).total_seconds()
            seconds[place] += max(0, round(common))
            place += 1
    return sum(covered * 10 >= minutes * 60 * 9 for covered in seconds)


def spikes(measured: Sequence[Piece], factor: Decimal) -> int:
    """Count the loads that stand out: above `factor` times the day's median; they stay in the figures."""
    loads = [load_of(piece) for piece in measured]
    if len(loads) < FEWEST_FOR_SPIKES:
        return 0
    middle = median(loads)
    return sum(load > factor * middle for load in loads) if middle else 0
