"""Positions fold to kilometres worked out by hand on the equator: a hundredth of a degree is 1.11195 km."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal as D

import pytest

from warehouse.metering.rules import rules_of
from warehouse.tracks.track import Point, fold_track, metres_between

DAY = dt.date(2026, 11, 1)
START = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
END = START + dt.timedelta(days=1)
RULES = rules_of([])


def way(*steps: tuple[float, float]) -> list[Point]:
    """Points on the equator: minutes after midnight, hundredths of a degree east."""
    return [Point(START + dt.timedelta(minutes=minute), place / 100, 0.0) for minute, place in steps]


def test_a_degree_of_the_equator_and_a_quarter_of_the_earth() -> None:
    assert metres_between(Point(START, 0, 0), Point(START, 1, 0)) == pytest.approx(111_195, abs=1)
    assert metres_between(Point(START, 0, 0), Point(START, 45, 90)) == pytest.approx(10_007_557, abs=1)


def test_a_drive_of_three_minutes() -> None:
    track = fold_track(way((60, 0), (61, 1), (62, 2), (63, 3)), START, END, RULES, DAY)
    assert (track.km, track.trips, track.driving_minutes, track.gaps) == (D("3.336"), 1, 3, 0)
    assert (track.first_at, track.last_at) == (START + dt.timedelta(minutes=60), START + dt.timedelta(minutes=63))


def test_standing_drift_is_no_drive() -> None:
    """Up to 0.0002 of a degree, 22 m, to and fro for half an hour."""
    track = fold_track(way(*((minute, 0.02 * (minute % 2)) for minute in range(30))), START, END, RULES, DAY)
    assert (track.km, track.trips, track.points) == (D(0), 0, 30)


def test_a_stop_of_a_quarter_of_an_hour_ends_a_trip() -> None:
    standing = [(minute, 2) for minute in range(3, 20)]
    track = fold_track(way((0, 0), (1, 1), (2, 2), *standing, (20, 3), (21, 4)), START, END, RULES, DAY)
    assert (track.trips, track.km) == (2, D("4.448"))


def test_a_silence_is_noted_and_not_driven() -> None:
    track = fold_track(way((0, 0), (1, 1), (31, 20), (32, 21)), START, END, RULES, DAY)
    assert (track.km, track.gaps, track.gap_minutes, track.gap_km) == (D("2.224"), 1, 30, D("21.127"))


def test_parked_over_a_silence_is_no_gap() -> None:
    assert fold_track(way((0, 0), (600, 0.01)), START, END, RULES, DAY).gaps == 0


def test_a_point_that_flies_is_passed_over() -> None:
    track = fold_track(way((0, 0), (1, 1), (2, 500), (3, 3), (4, 4)), START, END, RULES, DAY)
    assert (track.km, track.strays) == (D("4.448"), 1)


def test_the_way_over_midnight_belongs_to_the_later_day() -> None:
    points = way((-1, 0), (1, 1), (2, 2))
    before = START - dt.timedelta(days=1)
    assert fold_track(points, START, END, RULES, DAY).km == D("2.224")
    assert fold_track(points, before, START, RULES, DAY - dt.timedelta(days=1)).km == D(0)


def test_a_day_without_points_is_empty() -> None:
    assert fold_track([], START, END, RULES, DAY).points == 0
