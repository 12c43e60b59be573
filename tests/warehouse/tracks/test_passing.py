"""Positions pass through: kilometres stay, places go, wherever a file left them."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest

from cockpit.inbox import Inbox
from cockpit.inbox_taking import Taking
from tests.fakes.office import ORG, Office
from warehouse.backup import backup, restore
from warehouse.health.examine import examine
from warehouse.live.folds import drop_old, fold_all
from warehouse.preview import preview
from warehouse.publish import publish
from warehouse.store import Store
from warehouse.tracks.folding import arrivals_of, raw_of

NOW = dt.datetime(2026, 11, 3, 12, tzinfo=dt.UTC)
LONGITUDE = "116.391"
VEHICLES = "统计月份,单位名称,号牌号码,编制类别,车辆状态\n2026-11,市财政局,模A1,应急保障,在用\n"
POINTS = "车牌号,定位时间,经度,纬度\n" + "".join(
    f"模A1,2026-11-02 08:{minute:02d}:00,{LONGITUDE}{minute},39.9\n" for minute in range(10)
)
FAULTY = POINTS + f"模A1,2026-11-02 09:00:00,39.9,{LONGITUDE}\n模A9,2026-11-02 09:00:00,{LONGITUDE},39.9\n"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, Path]]:
    """A store that took a file of positions through its watched inbox and folded it."""
    folder = tmp_path_factory.mktemp("gps")
    office = Office(folder)
    office.hand_in("org.csv", ORG)
    office.hand_in("车辆.csv", VEHICLES)
    (folder / "in").mkdir()
    (folder / "in" / "定位.csv").write_text(FAULTY, encoding="utf-8")
    taking = Taking(office.store, Inbox(folder / "in"), lambda: NOW)
    assert [taking.step() for _ in range(2)] == [0, 1]
    yield office.store, folder / "in"


def days(store: Store) -> list[tuple[Any, ...]]:
    publish(store, clock=lambda: NOW)
    generation = store.open_generation()
    rows = generation.con.execute("SELECT plate, day, unit, km, points, gaps FROM d_vehicle_day WHERE rec_to > 1000000")
    found = rows.fetchall()
    assert generation.con.execute("SELECT count(*) FROM d_gps_point").fetchone() == (0,)
    generation.close()
    return found


def with_places(folder: Path) -> list[Path]:
    """Files below a folder that hold a longitude of the drive, as text or as raw rows."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and (LONGITUDE.encode() in path.read_bytes() or "raw/position/2" in str(path))
    )


def test_a_file_of_positions_becomes_vehicle_days_and_then_its_places_are_gone(site: tuple[Store, Path]) -> None:
    """Steps of 8.53 m: beyond the jitter of 30 m after four and after eight of them, 68 m in all."""
    store, inbox = site
    batches = fold_all(store, clock=lambda: NOW)
    assert len(batches) == 1 and fold_all(store, clock=lambda: NOW) == ()
    [(plate, day, unit, km, points, gaps)] = days(store)
    assert (plate, day, unit, km, points, gaps) == ("模A1", dt.date(2026, 11, 2), "A", D("0.068"), 10, 0)
    asides = {(entry["dataset"], entry["code"], entry["raw"]) for entry in store.control.quarantine()}
    assert asides == {
        ("gps_point", "off_the_earth", "{}"),
        (
            "vehicle_day",
            "unit_of_vehicle_unknown",
            json.dumps({"车牌号": "模A9", "日期": "2026-11-02"}, ensure_ascii=False),
        ),
    }
    assert with_places(store.path) and with_places(inbox) == [inbox / "done" / "定位.csv"]
    backup(store, inbox.parent / "backup")
    assert with_places(inbox.parent / "backup") == []
    restored = Store(inbox.parent / "restored")
    restore(inbox.parent / "backup", restored)
    again = {"plate": "模A1", "at": "2026-11-02T03:00:00+00:00", "longitude": "117", "latitude": "40"}
    arrivals_of(restored).append({"received": NOW.isoformat(), "token": "t", "rows": [again]}, NOW)
    assert fold_all(restored, clock=lambda: NOW) == () and days(restored) == days(store)
    later = NOW + dt.timedelta(days=29)
    drop_old(store, later, reading_days=60, position_days=30, inbox=inbox)
    assert with_places(inbox)
    later = NOW + dt.timedelta(days=31)
    assert drop_old(store, later, reading_days=60, position_days=30, inbox=inbox) > 0
    assert with_places(store.path) == [] and with_places(inbox) == []
    assert len(days(store)) == 1
    assert not [one.code for one in examine(store, clock=lambda: later).findings if one.code.startswith("received")]


def test_a_preview_shows_no_place(site: tuple[Store, Path], tmp_path: Path) -> None:
    (tmp_path / "定位.csv").write_text(FAULTY, encoding="utf-8")
    seen = preview(site[0], tmp_path / "定位.csv", clock=lambda: NOW)
    assert (seen.source, seen.counts["quarantined"], seen.faults_total) == ("gps_point", 1, 1)
    assert LONGITUDE not in repr(seen)
    (tmp_path / "定位.csv").write_text(FAULTY.replace("定位时间", "时刻甲"), encoding="utf-8")
    assert LONGITUDE not in repr(preview(site[0], tmp_path / "定位.csv", source="gps_point", clock=lambda: NOW))


def test_a_position_that_comes_after_its_day_is_gone_changes_nothing(site: tuple[Store, Path]) -> None:
    store, _ = site
    later = NOW + dt.timedelta(days=31)
    drop_old(store, later, reading_days=60, position_days=30)
    before = days(store)
    row = {"plate": "模A1", "at": "2026-11-02T00:30:00+00:00", "longitude": "117", "latitude": "40"}
    arrivals_of(store).append({"received": later.isoformat(), "token": "t", "rows": [row]}, later)
    assert fold_all(store, clock=lambda: later) == ()
    assert days(store) == before and raw_of(store).days() == []
    assert "raw_gone" in {entry["code"] for entry in store.control.quarantine()}
