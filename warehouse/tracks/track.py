"""Positions of a vehicle → how far it went on a day. Pure; distances on the sphere, in metres until the last step.

A vehicle that stands drifts: movement counts from an anchor and only beyond the jitter. A point that would need more
than the top speed strays and is passed over. Over a silence the road is not known: it is counted with its minutes and its
straight line, never as kilometres driven.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from warehouse.metering.rules import FoldRules

EARTH_M = 6_371_008.8
"""Mean radius of the earth (IUGG)."""
CRAWL_SECONDS = 120
"""A step beyond the jitter that took longer began with standing: only its last part was driven."""
MOST_STRAYS = 3
"""Points in a row that stray before they are believed: the vehicle is there, however it came."""


@dataclass(frozen=True)
class Point:
    """Where a vehicle was at an instant (UTC), in degrees."""

    at: dt.datetime
    longitude: float
    latitude: float


@dataclass(frozen=True)
class DayTrack:
    """What a vehicle drove on a day."""

    km: Decimal
    trips: int
    driving_minutes: int
    first_at: dt.datetime | None
    last_at: dt.datetime | None
    points: int
    strays: int
    gaps: int
    gap_minutes: int
    gap_km: Decimal


@dataclass
class _Walk:
    """A walk along the points, and what it has met."""

    anchor: Point
    last: Point
    metres: float = 0.0
    moving_seconds: float = 0.0
    trips: int = 0
    moved_at: dt.datetime | None = None
    first_at: dt.datetime | None = None
    strays: int = 0
    straying: int = 0
    gaps: int = 0
    gap_seconds: float = 0.0
    gap_metres: float = 0.0


def metres_between(one: Point, two: Point) -> float:
    """Return the great-circle distance of two points (haversine)."""
    lat1, lat2 = math.radians(one.latitude), math.radians(two.latitude)
    half_lat, half_lon = (lat2 - lat1) / 2, math.radians(two.longitude - one.longitude) / 2
    square = math.sin(half_lat) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin(half_lon) ** 2
    return 2 * EARTH_M * math.asin(min(1.0, math.sqrt(square)))


def fold_track(
    points: Sequence[Point], start: dt.datetime, end: dt.datetime, rules: FoldRules, day: dt.date
) -> DayTrack:
    """Fold points (by time, one an instant) to the day `[start, end)`; what came just before it only leads into it.

    A way between two points belongs to the day of the later one.
    """
    own = [point for point in points if start <= point.at < end]
    gap_seconds = float(rules.on("gps_gap_minutes", day)) * 60
    lead = [point for point in points if point.at < start and (start - point.at).total_seconds() <= gap_seconds]
    way = [*lead[-1:], *own]
    if not own:
        return DayTrack(Decimal(0), 0, 0, None, None, 0, 0, 0, 0, Decimal(0))
    walk = _Walk(way[0], way[0])
    for point in way[1:]:
        _go(walk, point, rules, day, gap_seconds)
    return DayTrack(
        _km(walk.metres), walk.trips, round(walk.moving_seconds / 60), walk.first_at, walk.moved_at, len(own),
        walk.strays, walk.gaps, round(walk.gap_seconds / 60), _km(walk.gap_metres),
    )  # fmt: skip


def _go(walk: _Walk, point: Point, rules: FoldRules, day: dt.date, gap_seconds: float) -> None:
    elapsed = (point.at - walk.last.at).total_seconds()
    distance = metres_between(walk.anchor, point)
    jitter = float(rules.on("gps_jitter_m", day))
    if elapsed > gap_seconds:
        if distance > jitter:
            walk.gaps += 1
            walk.gap_seconds += elapsed
            walk.gap_metres += distance
        walk.anchor = walk.last = point
        walk.straying = 0
        return
    if distance > jitter and distance > float(rules.on("gps_top_kmh", day)) / 3.6 * max(elapsed, 1.0):
        walk.strays += 1
        walk.straying += 1
        if walk.straying >= MOST_STRAYS:
            walk.anchor = walk.last = point
            walk.straying = 0
        return
    walk.straying = 0
    if distance >= jitter:
        stopped = float(rules.on("trip_stop_minutes", day)) * 60
        if walk.moved_at is None or (walk.last.at - walk.moved_at).total_seconds() >= stopped:
            walk.trips += 1
        walk.first_at = walk.first_at or walk.last.at
        walk.metres += distance
        since_anchor = (point.at - walk.anchor.at).total_seconds()
        walk.moving_seconds += since_anchor if since_anchor <= CRAWL_SECONDS else elapsed
        walk.moved_at = point.at
        walk.anchor = point
    walk.last = point


def _km(metres: float) -> Decimal:
    return Decimal(round(metres)) / 1000
