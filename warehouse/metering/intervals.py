"""Pieces of use: intervals cut where the day, the night or the ratio changes, so that each belongs to one of each.

A cut shares a piece by time; the last part takes the remainder, so the parts always add up to the whole.
"""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from itertools import pairwise

from warehouse.metering.reading import Aside, Meter, Reading
from warehouse.metering.rules import FoldRules
from warehouse.metering.screen import Mark, Step, plain, steps_of

LENGTHS = (1, 5, 10, 15, 20, 30, 60)
"""Minutes between readings that an office's platforms use."""
USUAL_MINUTES = 15
_EXACT = Decimal("0.000000000001")


@dataclass(frozen=True)
class Piece:
    """What was used between two instants, in the unit of the energy; `is_measured` when no reading was left out."""

    start: dt.datetime
    end: dt.datetime
    quantity: Decimal
    is_measured: bool
    is_estimated: bool = False

    @property
    def seconds(self) -> int:
        """Length of the piece."""
        return round((self.end - self.start).total_seconds())


def minutes_of(readings: Sequence[Reading], declared: int | None) -> int | None:
    """Return the minutes between readings: as declared, as said, or as mostly seen; None when it is no load profile."""
    if declared:
        return declared
    said = Counter(one.minutes for one in readings if one.minutes)
    if said:
        return said.most_common(1)[0][0]
    seen = Counter(_near(b.at - a.at) for a, b in pairwise(readings))
    seen.pop(None, None)
    return min(seen, key=lambda minutes: (-seen[minutes], minutes or 0)) if seen else None


def _near(gap: dt.timedelta) -> int | None:
    minutes = gap.total_seconds() / 60
    return next((length for length in LENGTHS if abs(minutes - length) <= length / 10), None)


def pieces_of(
    meter: Meter, readings: Sequence[Reading], minutes: int, zone: zoneinfo.ZoneInfo, rules: FoldRules
) -> tuple[list[Piece], list[Aside]]:
    """Return the pieces of a meter's readings (one an instant, by time), cut by day, night and ratio."""
    asides = [Aside(r.at, "quality_bad", plain(r.value)) for r in readings if r.quality == "bad"]
    fine = [reading for reading in readings if reading.quality != "bad"]
    estimated = frozenset(reading.at for reading in fine if reading.quality == "estimated")
    pieces: list[Piece] = []
    for step, factor in _steps(meter, fine, zone, asides):
        pieces += _cut(meter, step, factor, minutes, zone, rules, step.end in estimated, asides)
    pieces += _quantities(meter, fine, minutes, zone, rules, pieces, asides)
    return sorted(pieces, key=lambda piece: piece.start), asides


def _steps(
    meter: Meter, readings: Sequence[Reading], zone: zoneinfo.ZoneInfo, asides: list[Aside]
) -> Iterator[tuple[Step, Decimal]]:
    """Give the steps of the dial; a change of the unit it is told in is a new dial."""
    dials = [reading for reading in readings if reading.kind == "register"]
    for factor in dict.fromkeys(reading.factor for reading in dials):
        marks = [Mark(one.at, one.value) for one in dials if one.factor == factor]
        steps, left = steps_of(marks, meter.swaps, lambda at: _digits(meter, at, zone))
        asides += left
        yield from ((step, factor) for step in steps)


def _digits(meter: Meter, at: dt.datetime, zone: zoneinfo.ZoneInfo) -> int | None:
    version = meter.at(at, zone)
    return version.digits if version else None


def _cut(
    meter: Meter, step: Step, factor: Decimal, minutes: int, zone: zoneinfo.ZoneInfo, rules: FoldRules,
    is_estimated: bool, asides: list[Aside],
) -> Iterator[Piece]:  # fmt: skip
    hours = (step.end - step.start).total_seconds() / 3600
    local = step.end.astimezone(zone).date()
    if hours > rules.on("bridge_hours", local):
        asides.append(Aside(step.end, "silence_too_long", plain(step.moved * factor), f"{hours:.0f}"))
        return
    is_measured = hours * 60 <= minutes * 1.5
    for start, end, moved in shared(step.start, step.end, step.moved, cuts(step.start, step.end, zone, rules)):
        version = meter.at(start, zone)
        if version is None:
            asides.append(Aside(end, "meter_not_in_service", plain(moved * factor)))
            continue
        yield Piece(start, end, moved * version.ratio * factor, is_measured, is_estimated)


def _quantities(
    meter: Meter, readings: Sequence[Reading], minutes: int, zone: zoneinfo.ZoneInfo, rules: FoldRules,
    taken: Sequence[Piece], asides: list[Aside],
) -> Iterator[Piece]:  # fmt: skip
    """Give the pieces of quantities; the ratio is in them already, and no time is counted twice."""
    spans = [(piece.start, piece.end) for piece in taken]
    reached = dt.datetime.min.replace(tzinfo=dt.UTC)
    for one in readings:
        if one.kind != "quantity":
            continue
        start = one.at - dt.timedelta(minutes=one.minutes or minutes)
        if one.value < 0:
            asides.append(Aside(one.at, "negative_quantity", plain(one.value)))
        elif start < reached or any(a < one.at and start < b for a, b in spans):
            asides.append(Aside(one.at, "time_counted_already", plain(one.value)))
        else:
            reached = one.at
            for left, right, part in shared(start, one.at, one.value, cuts(start, one.at, zone, rules)):
                if meter.at(left, zone) is None:
                    asides.append(Aside(right, "meter_not_in_service", plain(part * one.factor)))
                else:
                    yield Piece(left, right, part * one.factor, True, one.quality == "estimated")


def cuts(start: dt.datetime, end: dt.datetime, zone: zoneinfo.ZoneInfo, rules: FoldRules) -> list[dt.datetime]:
    """Return the instants inside a span at which a local day, or a night, begins or ends."""
    found = set()
    day = start.astimezone(zone).date()
    while day <= end.astimezone(zone).date():
        for hour in (0, *rules.night(day)):
            moment = local_instant(day, hour, zone)
            if start < moment < end:
                found.add(moment)
        day += dt.timedelta(days=1)
    return sorted(found)


def local_instant(day: dt.date, hour: int, zone: zoneinfo.ZoneInfo) -> dt.datetime:
    """Return the instant of a full hour of a local day; 24 is the start of the next."""
    if hour == 24:
        return local_instant(day + dt.timedelta(days=1), 0, zone)
    return dt.datetime.combine(day, dt.time(hour), zone).astimezone(dt.UTC)


def shared(
    start: dt.datetime, end: dt.datetime, whole: Decimal, inside: Iterable[dt.datetime]
) -> Iterator[tuple[dt.datetime, dt.datetime, Decimal]]:
    """Share a figure over the parts of a span by their time; the last part takes the remainder."""
    seconds = Decimal(round((end - start).total_seconds()))
    rest, left = whole, start
    for at in inside:
        part = whole * Decimal(round((at - left).total_seconds())) / seconds
        part = part.quantize(_EXACT, rounding=ROUND_HALF_EVEN) if part else part
        yield left, at, part
        rest, left = rest - part, at
    yield left, end, rest
