"""The fold over a store: what was pushed or loaded becomes meter days, once, corrected in both times, and closed in time."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.office import ORG, Office
from warehouse.backup import backup, restore
from warehouse.live.folds import drop_old, fold_all, fold_is_due
from warehouse.metering import folding
from warehouse.metering.folding import arrivals_of, fold_readings, raw_of
from warehouse.publish import publish
from warehouse.store import Store
from warehouse.withdrawal import withdraw

DAY = dt.date(2026, 11, 1)
MIDNIGHT = dt.datetime(2026, 10, 31, 16, tzinfo=dt.UTC)
"""Of the first of November, in Shanghai."""
NOW = dt.datetime(2026, 11, 3, 12, tzinfo=dt.UTC)
METERS = "表号,单位名称,能源品种,倍率,整数位数,采集间隔,启用日期\nE1,市财政局,电,40,6,60,2020-01-01\n"
SWAPS = "表号,换表时间,旧表止码,新表起码\nE1,2026-11-01 09:30,1009.5,0\n"
NO_DAY: list[tuple[Any, ...]] = []


class Site(Office):
    """An office with one meter, and a hand that pushes its readings."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.now = NOW
        self.hand_in("org.csv", ORG)
        self.hand_in("表计台账.csv", METERS)

    def push(self, values: dict[int, str], *, quality: str = "good") -> None:
        """Push readings by hours after the midnight the first of November began with."""
        self.now += dt.timedelta(seconds=1)
        rows = [
            {
                "meter": "E1", "at": (MIDNIGHT + dt.timedelta(hours=hour)).isoformat(), "value": value,
                "kind": "register", "minutes": None, "factor": "1", "quality": quality,
            }
            for hour, value in values.items()
        ]  # fmt: skip
        arrivals_of(self.store).append({"received": self.now.isoformat(), "token": "t", "rows": rows}, self.now)

    def fold(self) -> tuple[int, ...]:
        self.now += dt.timedelta(seconds=1)
        return fold_all(self.store, clock=lambda: self.now)

    def days(self, at: int | None = None) -> list[tuple[Any, ...]]:
        publish(self.store, clock=lambda: self.now)
        generation = self.store.open_generation()
        seq = generation.through_seq if at is None else at
        rows = generation.con.execute(
            "SELECT day, quantity, got, complete, basis FROM d_meter_day WHERE rec_from <= $1 AND $1 < rec_to ORDER BY day, got DESC",
            [seq],
        ).fetchall()
        generation.close()
        return rows

    def asides(self) -> list[tuple[str, str]]:
        return [(entry["code"], entry["value"]) for entry in self.store.control.quarantine()]


def hours(first: int = 0, last: int = 24, start: int = 1000) -> dict[int, str]:
    return {hour: str(start + hour) for hour in range(first, last + 1)}


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_a_day_comes_in_parts_and_each_fold_is_a_correction_known_from_then_on(site: Site) -> None:
    site.push(hours(0, 6))
    [first] = site.fold()
    site.push(hours(7, 24))
    [second] = site.fold()
    assert site.days(first) == [(DAY, D(240), 6, False, "push")]
    assert site.days(second) == [(DAY, D(960), 24, True, "push")]
    site.push({10: "1010"})
    assert site.fold() == ()
    site.push({24: "1030"})
    [third] = site.fold()
    assert (site.days(second), site.days(third)) == (
        [(DAY, D(960), 24, True, "push")], [(DAY, D(1200), 24, True, "push")],
    )  # fmt: skip


def test_the_same_again_is_no_batch(site: Site) -> None:
    site.push(hours())
    site.fold()
    site.push(hours())
    assert fold_is_due(site.store) and site.fold() == () and not fold_is_due(site.store)


def test_any_order_in_any_parts_gives_the_same_day(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    whole = Site(tmp_path / "a")
    readings = hours(-24, 48) | {5: "7", 17: "999"}
    whole.push(readings)
    whole.fold()
    parts = Site(tmp_path / "b")
    order = [hour * 31 % 73 - 24 for hour in range(73)]
    for place in range(0, 73, 15):
        parts.push({hour: readings[hour] for hour in order[place : place + 15]})
        parts.fold()
    assert parts.days() == whole.days()
    assert (
        sorted(parts.asides()) == sorted(whole.asides()) == [("reading_below_last", "7"), ("reading_below_last", "999")]
    )


def test_a_swap_told_later_settles_what_was_set_aside(site: Site) -> None:
    """1000 to 1009 by nine o'clock, half a unit to the swap, then from 0 to 15: 24.5 units of 40."""
    site.push(hours(0, 9) | {hour: str(hour - 9) for hour in range(10, 25)})
    site.fold()
    assert site.asides() == [("register_fell", "1")]
    assert site.days() == [(DAY, D(23 * 40), 23, False, "push")]
    site.hand_in("换表.csv", SWAPS)
    site.fold()
    assert site.days() == [(DAY, D(980), 24, True, "push")]
    assert site.asides() == []


def test_a_line_cut_off_is_passed_over_and_nothing_after_it_is_lost(site: Site) -> None:
    site.push(hours(0, 12))
    [file] = (site.store.path / "push" / "reading").glob("*.ndjson")
    site.push(hours(13, 24))
    with file.open("ab") as torn:
        torn.write(b'{"received": "2026')
    site.fold()
    assert site.days() == [(DAY, D(960), 24, True, "push")]
    site.push({24: "1030"})
    site.fold()
    assert site.days() == [(DAY, D(1200), 24, True, "push")] and not fold_is_due(site.store)


def test_a_fold_broken_off_before_its_batch_is_done_again(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.push(hours())

    def broken(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(folding, "load", broken)
        with pytest.raises(OSError, match="No space"):
            site.fold()
    assert fold_is_due(site.store) and len(site.fold()) == 1
    assert site.days() == [(DAY, D(960), 24, True, "push")]


def test_what_is_noted_as_taken_may_be_lost(site: Site) -> None:
    site.push(hours())
    site.fold()
    (site.store.path / "push" / "reading" / "positions.json").unlink()
    assert fold_is_due(site.store) and site.fold() == ()


def test_raw_readings_go_in_time_and_their_days_stay_as_they_are(site: Site) -> None:
    site.push(hours(-24, 72))
    site.fold()
    before = site.days()
    assert len(before) == 4
    later = NOW + dt.timedelta(days=8)
    assert drop_old(site.store, later, reading_days=9, position_days=30) >= 2
    assert raw_of(site.store).days() == [dt.date(2026, 11, 2), dt.date(2026, 11, 3), dt.date(2026, 11, 4)]
    site.push({12: "5000", 30: "5000"})
    site.fold()
    assert site.days() == before
    assert sorted(site.asides()) == [("raw_gone", "5000"), ("raw_gone", "5000")]


def test_a_restored_store_folds_on_where_the_other_stood(site: Site, tmp_path: Path) -> None:
    """Half a day is folded, two hours wait: the restored store knows all fourteen hours and takes the rest."""
    site.push(hours(0, 12))
    site.fold()
    site.push(hours(13, 14))
    backup(site.store, tmp_path / "backup")
    site.store = Store(tmp_path / "restored")
    restore(tmp_path / "backup", site.store)
    assert fold_is_due(site.store)
    site.fold()
    assert site.days() == [(DAY, D(560), 14, False, "push")]
    site.push(hours(15, 24))
    site.fold()
    assert site.days() == [(DAY, D(960), 24, True, "push")]


READINGS = "表号,采集时间,单位名称,能源品种,本次读数,倍率\n"


def lines(meter: str, values: dict[int, str], unit: str = "市财政局") -> str:
    moments = {hour: dt.datetime(2026, 11, 1) + dt.timedelta(hours=hour) for hour in values}
    return "".join(f"{meter},{moments[hour]:%Y-%m-%d %H:%M},{unit},电,{value},20\n" for hour, value in values.items())


def test_readings_of_a_file_fold_by_the_same_rules(site: Site) -> None:
    """E1 goes by its registered ratio of 40, F7 by the 20 its file says; M9 is read once a month and is no profile."""
    monthly = "M9,2026-10-01 00:00,市教育局,电,5,1\nM9,2026-11-01 00:00,市教育局,电,9,1\n"
    report = site.hand_in("读数.csv", READINGS + lines("E1", hours()) + lines("F7", hours(0, 12), "市教育局") + monthly)
    assert (report.source, report.status) == ("meter_reading", "committed")
    site.fold()
    assert site.days() == [(DAY, D(960), 24, True, "file"), (DAY, D(240), 12, False, "file")]
    site.push({24: "1034"})
    site.fold()
    assert site.days()[0] == (DAY, D(1360), 24, True, "both")


def test_a_withdrawn_file_leaves_days_of_which_nothing_is_known(site: Site) -> None:
    report = site.hand_in("读数.csv", READINGS + lines("E1", hours()))
    site.fold()
    assert report.batch_seq is not None
    withdraw(site.store, report.batch_seq, why="wrong meter", clock=lambda: NOW)
    site.fold()
    assert site.days() == [(DAY, None, 0, False, "file")]


def test_nothing_new_is_nothing_to_do(site: Site) -> None:
    site.fold()
    assert not fold_is_due(site.store)
    assert fold_readings(site.store, clock=lambda: NOW).batches == () and site.days() == NO_DAY
