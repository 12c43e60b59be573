"""The fold of positions: vehicle days, in one batch with only the real changes; the places themselves go no further."""

from __future__ import annotations

import contextlib
import datetime as dt
import zoneinfo
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.base.clock import Clock, system_clock
from warehouse.ingest import load, scratch
from warehouse.live.arrivals import Arrivals
from warehouse.live.asides import Entry, keep_aside
from warehouse.live.known import fold_rules, folded_through, live_rows, moved_rows, set_folded, zone_of
from warehouse.live.raw_days import RawDays
from warehouse.metering.intervals import local_instant
from warehouse.metering.rules import FoldRules
from warehouse.store import Store
from warehouse.tracks.kept import KIND, VEHICLES, Fleet, known_fleet, points_of, raw_table, unit_on
from warehouse.tracks.track import DayTrack, fold_track

TARGET = "vehicle_day"
ACTOR = "fold"
PUSHED = "车辆定位 positions"
DAY = dt.timedelta(days=1)
COLUMNS = (
    "plate", "day", "unit", "km", "trips", "driving_minutes", "first_at", "last_at", "points", "strays", "gaps",
    "gap_minutes", "gap_km",
)  # fmt: skip
Touched = dict[str, set[dt.date]]


def arrivals_of(store: Store) -> Arrivals:
    """Return where pushed positions wait."""
    return Arrivals(store.path / "push" / KIND)


def raw_of(store: Store) -> RawDays:
    """Return where positions are kept by day."""
    return RawDays(store.path / "raw" / KIND)


@dataclass
class Desk:
    """One fold at work."""

    store: Store
    con: duckdb.DuckDBPyConnection
    zone: zoneinfo.ZoneInfo
    rules: FoldRules
    fleet: Fleet
    raw: RawDays
    now: dt.datetime
    entries: list[Entry] = field(default_factory=list)
    looked_at: set[str] = field(default_factory=set)

    def day_of(self, at: dt.datetime) -> dt.date:
        """Return the local day of an instant."""
        return at.astimezone(self.zone).date()


def has_news(store: Store) -> bool:
    """Tell whether there is anything to fold."""
    if arrivals_of(store).has_news():
        return True
    through = folded_through(store, KIND)
    return bool(raw_of(store).days()) and any(s.batch_seq > through for s in store.control.segments(VEHICLES))


def fold_positions(store: Store, *, clock: Clock = system_clock) -> tuple[int, ...]:
    """Fold every position that is new and return the batches that came of it; does not publish."""
    now, through = clock(), folded_through(store, KIND)
    last = store.control.last()[0]
    arrivals = arrivals_of(store)
    taken: dict[str, int] = {}
    rows: list[Mapping[str, Any]] = []
    for arrival in arrivals.waiting():
        taken[arrival.file] = arrival.end
        rows += [{**row, "received": arrival.body["received"]} for row in arrival.body["rows"]]
    with contextlib.closing(scratch(store)) as con:
        desk = Desk(
            store, con, zone_of(store), fold_rules(con, store), known_fleet(con, store), raw_of(store), now
        )  # fmt: skip
        _close_what_was_folded_elsewhere(desk)
        touched = _keep(desk, rows)
        _touched_by_register(desk, through, touched)
        found = list(_fold(desk, touched))
        batches = _commit(desk, found, clock) if found else ()
    marks = frozenset(desk.looked_at)
    keep_aside(store, TARGET, PUSHED, desk.entries, marks, actor=ACTOR, now=now)
    if taken:
        arrivals.advance(taken)
    if last > through:
        set_folded(store, KIND, last, now)
    return batches


def _close_what_was_folded_elsewhere(desk: Desk) -> None:
    """In a restored store the days that were folded before stand; their positions did not come along."""
    if desk.raw.folder.is_dir():
        return
    if days := live_rows(desk.con, desk.store, TARGET, ("day",)):
        desk.raw.close_before(max(day for (day,) in days) + DAY)


def _keep(desk: Desk, rows: Iterable[Mapping[str, Any]]) -> Touched:
    """Keep positions under their days; one of a closed day is dropped: its day is folded, and its place is not kept."""
    closed = desk.raw.closed_before()
    touched: Touched = defaultdict(set)
    by_day: dict[dt.date, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        at = dt.datetime.fromisoformat(row["at"])
        if (day := desk.day_of(at)) < closed:
            desk.entries.append(_entry(row["plate"], day, "raw_gone", f"{closed:%Y-%m-%d}"))
            continue
        silence = dt.timedelta(minutes=float(desk.rules.on("gps_gap_minutes", day)))
        touched[row["plate"]].update({day, desk.day_of(at + silence)})
        by_day[day].append(row)
    desk.raw.add({day: raw_table(listed) for day, listed in by_day.items()})
    return touched


def _touched_by_register(desk: Desk, through: int, touched: Touched) -> None:
    """A vehicle that moved to another unit, or became known, is folded again for the days whose positions are there."""
    moved = {plate for (plate,) in moved_rows(desk.con, desk.store, VEHICLES, ("plate",), through)}
    days = desk.raw.days()
    if not moved or not days:
        return
    for plate, points in points_of(desk.con, desk.raw.files(days), moved).items():
        touched[plate].update(desk.day_of(point.at) for point in points)


def _fold(desk: Desk, touched: Touched) -> Iterable[dict[str, Any]]:
    closed = desk.raw.closed_before()
    by_day: dict[dt.date, set[str]] = defaultdict(set)
    for plate, days in touched.items():
        for day in days:
            by_day[day].add(plate)
    for day, plates in sorted(by_day.items()):
        if day < closed:
            continue
        points = points_of(desk.con, desk.raw.files([day - DAY, day]), plates)
        told = _told(desk, plates, day)
        for plate in sorted(plates):
            track = fold_track(
                points.get(plate, []), local_instant(day, 0, desk.zone), local_instant(day, 24, desk.zone),
                desk.rules, day,
            )  # fmt: skip
            unit = unit_on(desk.fleet, plate, day)
            desk.looked_at.add(f"{plate}|{day:%Y-%m-%d}")
            if unit is None:
                desk.entries.append(_entry(plate, day, "unit_of_vehicle_unknown", ""))
            elif track.points or plate in told:
                yield _row(plate, day, unit, track, desk.zone)


def _told(desk: Desk, plates: Iterable[str], day: dt.date) -> set[str]:
    month = day.year * 12 + day.month - 1
    wanted = "list_contains(?, p.plate) AND p.day = ?"
    values = [sorted(plates), day]
    return {plate for (plate,) in live_rows(desk.con, desk.store, TARGET, ("plate",), wanted, values, (month, month))}


def _entry(plate: str, day: dt.date, code: str, hint: str) -> Entry:
    """Return an entry that tells no place: a vehicle and a day."""
    row = {"车牌号": plate, "日期": f"{day:%Y-%m-%d}"}
    return Entry(f"{plate}|{day:%Y-%m-%d}", day, code, plate, hint, row)


def _row(plate: str, day: dt.date, unit: str, track: DayTrack, zone: zoneinfo.ZoneInfo) -> dict[str, Any]:
    return {
        "plate": plate,
        "day": f"{day:%Y-%m-%d}",
        "unit": unit,
        "km": f"{track.km:f}",
        "trips": str(track.trips),
        "driving_minutes": str(track.driving_minutes),
        "first_at": _local(track.first_at, zone),
        "last_at": _local(track.last_at, zone),
        "points": str(track.points),
        "strays": str(track.strays),
        "gaps": str(track.gaps),
        "gap_minutes": str(track.gap_minutes),
        "gap_km": f"{track.gap_km:f}",
    }


def _local(at: dt.datetime | None, zone: zoneinfo.ZoneInfo) -> str | None:
    return None if at is None else f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S}"


def _commit(desk: Desk, rows: list[dict[str, Any]], clock: Clock) -> tuple[int, ...]:
    place = desk.store.path / "push" / f"{TARGET}.parquet"
    place.parent.mkdir(parents=True, exist_ok=True)
    ordered = sorted(rows, key=lambda row: (row["plate"], row["day"]))
    pq.write_table(pa.Table.from_pylist(ordered, schema=pa.schema([(name, pa.string()) for name in COLUMNS])), place)
    try:
        reports = load(desk.store, [place], source=TARGET, actor=ACTOR, clock=clock)
    finally:
        place.unlink(missing_ok=True)
    return tuple(report.batch_seq for report in reports if report.status == "committed" and report.batch_seq)
