"""The fold: what was pushed or loaded since the last one becomes meter days, in one batch with only the real changes.

A fold may be broken off anywhere: what it kept is kept twice at worst, and folding the same readings again changes
nothing. Only when the batch stands is what was pushed marked as taken.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import zoneinfo
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.base.clock import Clock, system_clock
from warehouse.ingest import load, scratch
from warehouse.live.arrivals import Arrivals
from warehouse.live.asides import Entry, keep_aside
from warehouse.live.known import RULES, fold_rules, folded_through, live_rows, moved_rows, set_folded, zone_of
from warehouse.live.raw_days import RawDays
from warehouse.metering.day import DayFigure, fold_meter
from warehouse.metering.intervals import local_instant, minutes_of
from warehouse.metering.kept import FILES, Held, filed_readings, pushed_readings, raw_table
from warehouse.metering.reading import Aside, Meter, newest
from warehouse.metering.registered import REGISTER, SWAPS, known_meters
from warehouse.metering.rules import FoldRules
from warehouse.store import Store

KIND = "reading"
TARGET = "meter_day"
ACTOR = "fold"
PUSHED = "推送读数 pushed readings"
"""What stands for the file name of what was pushed."""
NEIGHBOURS = 3
"""Readings on either side that one reading can bring into another light."""
MOST_METERS = 500
"""Meters whose readings are held in memory at a time."""
DAY = dt.timedelta(days=1)
SIX = Decimal("0.000001")
THREE = Decimal("0.001")

STAYING = ("meter", "day", "unit", "building", "energy", "expected", "parent_meter", "basis")
"""Columns of a meter day that do not come from its readings."""

Touched = dict[str, set[dt.datetime]]
Told = Mapping[str, Any]


@dataclass(frozen=True)
class FoldReport:
    """What a fold did."""

    readings: int = 0
    """Pushed readings taken."""
    days: int = 0
    """Meter days that were looked at."""
    batches: tuple[int, ...] = ()
    set_aside: int = 0
    left_alone: int = 0
    """Days that were touched but are closed."""


def arrivals_of(store: Store) -> Arrivals:
    """Return where pushed readings wait."""
    return Arrivals(store.path / "push" / KIND)


def raw_of(store: Store) -> RawDays:
    """Return where pushed readings are kept by day."""
    return RawDays(store.path / "raw" / KIND)


@dataclass
class Desk:
    """One fold at work."""

    store: Store
    con: duckdb.DuckDBPyConnection
    zone: zoneinfo.ZoneInfo
    rules: FoldRules
    meters: Mapping[str, Meter]
    raw: RawDays
    now: dt.datetime
    entries: list[Entry] = field(default_factory=list)
    looked_at: set[str] = field(default_factory=set)
    left_alone: int = 0

    @property
    def bridge(self) -> dt.timedelta:
        """The longest silence that is bridged."""
        return dt.timedelta(hours=float(self.rules.on("bridge_hours", self.day_of(self.now))))

    def day_of(self, at: dt.datetime) -> dt.date:
        """Return the local day of an instant."""
        return at.astimezone(self.zone).date()


def has_news(store: Store) -> bool:
    """Tell whether there is anything to fold."""
    arrivals = arrivals_of(store)
    if arrivals.has_news() or (raw_of(store).days() and not arrivals.was_folded):
        return True
    through = folded_through(store, KIND)
    return any(s.batch_seq > through for name in (FILES, REGISTER, SWAPS) for s in store.control.segments(name))


def fold_readings(store: Store, *, clock: Clock = system_clock) -> FoldReport:
    """Fold everything that is new; does not publish."""
    now, through = clock(), folded_through(store, KIND)
    last = store.control.last()[0]
    arrivals = arrivals_of(store)
    taken: dict[str, int] = {}
    rows: list[Mapping[str, Any]] = []
    for arrival in arrivals.waiting():
        taken[arrival.file] = arrival.end
        said = {"received": arrival.body["received"], "token": arrival.body["token"]}
        rows += [{**row, **said} for row in arrival.body["rows"]]
    with contextlib.closing(scratch(store)) as con:
        zone = zone_of(store)
        desk = Desk(store, con, zone, fold_rules(con, store), known_meters(con, store, zone), raw_of(store), now)
        touched = _keep(desk, rows)
        _touched_by_batches(desk, through, touched)
        batches, days = _fold_all(desk, touched, clock)
    aside = keep_aside(store, FILES, PUSHED, desk.entries, frozenset(desk.looked_at), actor=ACTOR, now=now)
    if taken or not arrivals.was_folded:
        arrivals.advance(taken)
    if last > through:
        set_folded(store, KIND, last, now)
    return FoldReport(len(rows), days, batches, aside, desk.left_alone)


# --- what is new ------------------------------------------------------------------------------------------------------


def _keep(desk: Desk, rows: Iterable[Mapping[str, Any]]) -> Touched:
    """Keep pushed rows under their days; those of a closed day are set aside, for it is never folded again."""
    closed = desk.raw.closed_before()
    touched: Touched = defaultdict(set)
    by_day: dict[dt.date, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        at = dt.datetime.fromisoformat(row["at"])
        if (day := desk.day_of(at)) < closed:
            aside = Aside(at, "raw_gone", row["value"], f"{closed:%Y-%m-%d}")
            desk.entries.append(_entry(desk, row["meter"], aside, row["kind"]))
            continue
        touched[row["meter"]].add(at)
        by_day[day].append(row)
    desk.raw.add({day: raw_table(listed) for day, listed in by_day.items()})
    return touched


def _touched_by_batches(desk: Desk, through: int, touched: Touched) -> None:
    """Add what files, the register and the fold rules moved since the last fold."""
    for meter, read_at in moved_rows(desk.con, desk.store, FILES, ("meter_no", "read_at"), through):
        touched[meter].add(read_at.replace(tzinfo=desk.zone, microsecond=0).astimezone(dt.UTC))
    changed = {name for (name,) in moved_rows(desk.con, desk.store, REGISTER, ("meter",), through)}
    changed |= {name for (name,) in moved_rows(desk.con, desk.store, SWAPS, ("meter",), through)}
    everything = _must_fold_all(desk) or bool(through and moved_rows(desk.con, desk.store, RULES, ("rule",), through))
    if not changed and not everything:
        return
    names = sorted(desk.meters) if everything else sorted(changed)
    for name, found in pushed_readings(desk.con, desk.raw.files(desk.raw.days()), names).items():
        touched[name].update(reading.at for reading in found)
    wanted = "list_contains(?, p.meter_no)"
    for name, read_at in live_rows(desk.con, desk.store, FILES, ("meter_no", "read_at"), wanted, [names]):
        touched[name].add(read_at.replace(tzinfo=desk.zone, microsecond=0).astimezone(dt.UTC))


def _must_fold_all(desk: Desk) -> bool:
    """Tell whether raw readings are here of which nobody knows whether they were folded: the store was restored."""
    return bool(desk.raw.days()) and not arrivals_of(desk.store).was_folded


# --- folding ----------------------------------------------------------------------------------------------------------


def _fold_all(desk: Desk, touched: Touched, clock: Clock) -> tuple[tuple[int, ...], int]:
    names = sorted(touched)
    batches: list[int] = []
    days = 0
    for start in range(0, len(names), MOST_METERS):
        part = names[start : start + MOST_METERS]
        rows = _fold_some(desk, {name: touched[name] for name in part})
        days += len(rows)
        if rows:
            batches += _commit(desk, rows, clock)
    return tuple(batches), days


def _fold_some(desk: Desk, touched: Mapping[str, set[dt.datetime]]) -> list[dict[str, Any]]:
    moments = [at for found in touched.values() for at in found]
    low, high = min(moments) - 2 * desk.bridge - DAY, max(moments) + 2 * desk.bridge + DAY
    files = desk.raw.files(_days(desk.day_of(low), desk.day_of(high)))
    pushed = pushed_readings(desk.con, files, touched)
    filed = filed_readings(desk.con, desk.store, touched, (low, high), desk.zone)
    told = _days_told(desk, touched, (low, high))
    rows: list[dict[str, Any]] = []
    for name, moved in touched.items():
        readings, meter = filed.get(name, ([], None))
        held = Held(pushed.get(name, ()), readings, meter)
        if meter := _known_as(desk, name, held):
            rows += _fold_one(desk, meter, held, moved, told.get(name, {}))
        elif not held.readings and name in told:
            gone = {desk.day_of(at - shift) for at in moved for shift in (dt.timedelta(0), dt.timedelta(hours=1))}
            rows += [_unknown(one) for day, one in told[name].items() if day in gone and one["basis"] == "file"]
    return rows


def _known_as(desk: Desk, name: str, held: Held) -> Meter | None:
    """Return the meter as registered, else as its file tells of it; a file of monthly readings is no load profile."""
    if not held.pushed and minutes_of(newest(held.filed), None) is None:
        return None
    registered = desk.meters.get(name)
    if registered is None or held.told is None:
        return registered or held.told
    swaps = sorted({*registered.swaps, *held.told.swaps}, key=lambda swap: swap.at)
    return Meter(name, registered.versions, tuple(swaps))


def _fold_one(
    desk: Desk, meter: Meter, held: Held, moved: Collection[dt.datetime], told: Mapping[dt.date, Told]
) -> Iterable[dict[str, Any]]:
    readings = newest(held.readings)
    times = [reading.at for reading in readings]
    pushed = {reading.at for reading in held.pushed}
    closed = desk.raw.closed_before()
    for day in sorted(_days_moved(desk, times, moved)):
        basis = told[day]["basis"] if day in told else None
        if day < closed and (basis or ("push" if pushed else "file")) != "file":
            desk.left_alone += 1
            continue
        start, end = local_instant(day, 0, desk.zone), local_instant(day, 24, desk.zone)
        context = readings[_edge(times, start - desk.bridge, -1) : _edge(times, end + desk.bridge, 1)]
        folded = fold_meter(meter, context, [day], desk.zone, desk.rules)
        desk.looked_at.add(f"{meter.name}|{day:%Y-%m-%d}")
        kinds = {reading.at: reading.kind for reading in context}
        desk.entries += [
            _entry(desk, meter.name, aside, kinds.get(aside.at, "register"))
            for aside in folded.asides
            if desk.day_of(aside.at) == day and aside.at in pushed
        ]
        own = [at for at in times[bisect_left(times, start) : bisect_left(times, end) + 1] if start <= at <= end]
        figures = [figure for figure in folded.days if figure.quantity is not None]
        yield from (_row(figure, desk.zone, _basis(own, pushed, basis)) for figure in figures)
        if not figures and day in told:
            yield _unknown(told[day])


def _edge(times: Sequence[dt.datetime], at: dt.datetime, beyond: int) -> int:
    """Return where a context begins or ends: one reading beyond its span, if there is one."""
    return max(0, bisect_left(times, at) + beyond)


def _days_moved(desk: Desk, times: Sequence[dt.datetime], moved: Collection[dt.datetime]) -> set[dt.date]:
    """Return the days that some readings can bring into another light: theirs and those of their neighbours."""
    days: set[dt.date] = set()
    for at in moved:
        place = bisect_left(times, at)
        before = times[max(0, place - NEIGHBOURS) : place]
        after = times[place : place + NEIGHBOURS + 1]
        low = max(min([at, *before]), at - desk.bridge)
        high = min(max([at, *after]), at + desk.bridge)
        days.update(_days(desk.day_of(low - dt.timedelta(hours=1)), desk.day_of(high)))
    return days


def _basis(own: Iterable[dt.datetime], pushed: Collection[dt.datetime], told: str | None) -> str:
    kinds = {"push" if at in pushed else "file" for at in own}
    if len(kinds) == 2:
        return "both"
    return kinds.pop() if kinds else told or ("push" if pushed else "file")


def _days_told(
    desk: Desk, touched: Collection[str], span: tuple[dt.datetime, dt.datetime]
) -> dict[str, dict[dt.date, Told]]:
    """Return the days already folded of some meters: what stays true of them when their readings go."""
    low, high = map(desk.day_of, span)
    months = (low.year * 12 + low.month - 1, high.year * 12 + high.month - 1)
    rows = live_rows(
        desk.con, desk.store, TARGET, STAYING,
        "list_contains(?, p.meter) AND p.day BETWEEN ? AND ?", [sorted(touched), low, high], months,
    )  # fmt: skip
    found: dict[str, dict[dt.date, Told]] = defaultdict(dict)
    for row in rows:
        found[row[0]][row[1]] = dict(zip(STAYING, row, strict=True))
    return found


def _days(first: dt.date, last: dt.date) -> list[dt.date]:
    return [first + n * DAY for n in range((last - first).days + 1)]


# --- rows -------------------------------------------------------------------------------------------------------------


def _row(figure: DayFigure, zone: zoneinfo.ZoneInfo, basis: str) -> dict[str, Any]:
    version = figure.version
    return {
        "meter": figure.meter,
        "day": f"{figure.day:%Y-%m-%d}",
        "unit": version.unit,
        "building": version.building,
        "energy": version.energy,
        "quantity": _text(figure.quantity, SIX),
        "peak_load": _text(figure.peak_load, THREE),
        "peak_at": figure.peak_at and f"{figure.peak_at.astimezone(zone):%Y-%m-%d %H:%M:%S}",
        "night_quantity": _text(figure.night_quantity, SIX),
        "night_complete": "是" if figure.night_complete else "否",
        "got": str(figure.got),
        "expected": str(figure.expected),
        "complete": "是" if figure.is_complete else "否",
        "covered_minutes": str(figure.covered_minutes),
        "spikes": str(figure.spikes),
        "estimated": str(figure.estimated),
        "parent_meter": version.parent,
        "basis": basis,
    }


def _unknown(told: Told) -> dict[str, Any]:
    """Return the row of a day that was told and of which nothing is known any more: no quantity, not a small one."""
    stays = {name: None if value is None else str(value) for name, value in told.items()}
    nothing = {"night_complete": "否", "got": "0", "complete": "否", "covered_minutes": "0", "spikes": "0"}
    return dict.fromkeys(_SCHEMA.names) | stays | nothing | {"estimated": "0"}


def _text(value: Decimal | None, places: Decimal) -> str | None:
    return None if value is None else f"{value.quantize(places, rounding=ROUND_HALF_EVEN):f}"


def _entry(desk: Desk, meter: str, aside: Aside, kind: str) -> Entry:
    local = aside.at.astimezone(desk.zone)
    version = desk.meters[meter].on(local.date()) if meter in desk.meters else None
    row = {
        "表号": meter,
        "采集时间": f"{local:%Y-%m-%d %H:%M:%S}",
        "本次读数" if kind == "register" else "用量": aside.value,
    }
    unit = version.unit if version else None
    return Entry(f"{meter}|{local:%Y-%m-%d %H:%M:%S}", local.date(), aside.code, aside.value, aside.hint, row, unit)


def _commit(desk: Desk, rows: Sequence[Mapping[str, Any]], clock: Clock) -> list[int]:
    """Hand the days in as a file of their source, which is kept like any other; only what changed becomes a batch."""
    place = desk.store.path / "push" / f"{TARGET}.parquet"
    _write(place, rows)
    try:
        reports = load(desk.store, [place], source=TARGET, actor=ACTOR, clock=clock)
    finally:
        place.unlink(missing_ok=True)
    return [report.batch_seq for report in reports if report.status == "committed" and report.batch_seq]


def _write(place: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    ordered = sorted(rows, key=lambda row: (row["meter"], row["day"]))
    pq.write_table(pa.Table.from_pylist([dict(row) for row in ordered], schema=_SCHEMA), place)


_SCHEMA = pa.schema([
    (name, pa.string()) for name in (
        "meter", "day", "unit", "building", "energy", "quantity", "peak_load", "peak_at", "night_quantity",
        "night_complete", "got", "expected", "complete", "covered_minutes", "spikes", "estimated", "parent_meter",
        "basis",
    )
])  # fmt: skip
