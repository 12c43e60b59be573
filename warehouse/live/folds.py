"""All folds together, and the end of raw rows: readings and positions are dropped after their days, wherever they lie."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path

from warehouse.base.clock import Clock, system_clock
from warehouse.control import from_iso
from warehouse.live.known import zone_of
from warehouse.live.passing_files import passing_files, passing_sources
from warehouse.metering import folding as readings
from warehouse.store import Store
from warehouse.tracks import folding as positions

REPORT = ".report.json"


def fold_is_due(store: Store) -> bool:
    """Tell whether something waits to be folded."""
    return readings.has_news(store) or positions.has_news(store)


def fold_all(store: Store, *, clock: Clock = system_clock) -> tuple[int, ...]:
    """Fold what waits and return the batches that came of it; does not publish."""
    batches: tuple[int, ...] = ()
    if readings.has_news(store):
        batches += readings.fold_readings(store, clock=clock).batches
    if positions.has_news(store):
        batches += positions.fold_positions(store, clock=clock)
    return batches


def drop_old(
    store: Store, now: dt.datetime, *, reading_days: int, position_days: int, inbox: Path | None = None
) -> int:
    """Drop raw readings and positions older than so many days, and the files positions came in; return how many."""
    today = now.astimezone(zone_of(store)).date()
    reading_end, position_end = (today - dt.timedelta(days=days) for days in (reading_days, position_days))
    dropped = readings.raw_of(store).drop_before(reading_end) + positions.raw_of(store).drop_before(position_end)
    dropped += readings.arrivals_of(store).drop_before(now - dt.timedelta(days=reading_days))
    moment = now - dt.timedelta(days=position_days)
    dropped += positions.arrivals_of(store).drop_before(moment)
    received = [store.inbox / sha for sha, at in passing_files(store).items() if at <= moment]
    for file in (*received, *_handed_in(store, inbox, moment)):
        if file.is_file():
            file.unlink()
            dropped += 1
    return dropped


def _handed_in(store: Store, inbox: Path | None, moment: dt.datetime) -> Iterator[Path]:
    """Give the passing files that the watched inbox moved away before a moment; their reports stay."""
    if inbox is None or not inbox.is_dir():
        return
    names = passing_sources(store)
    for report in inbox.rglob(f"*{REPORT}"):
        try:
            told = json.loads(report.read_text(encoding="utf-8"))
            is_old = from_iso(told["taken_at"]) <= moment
        except (ValueError, KeyError, OSError):
            continue
        if not is_old:
            continue
        place = report.with_name(report.name.removesuffix(REPORT))
        for file in told["files"]:
            if file["source"] in names:
                yield place if place.is_file() else place / file["file"]
