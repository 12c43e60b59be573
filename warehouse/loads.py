"""Loads: the batches a generation holds, when they came, and which months they brought."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from warehouse.store import Generation

FLOWING = ("month", "date", "datetime")
"""Datasets whose rows say that a month has figures; a plan for the whole year does not."""


@dataclass(frozen=True)
class Load:
    """One committed batch; months are numbers, `[period_from, period_to)`."""

    seq: int
    dataset: str
    file_name: str
    recorded_at: dt.datetime
    recorded_by: str
    kind: str
    period_from: int | None
    period_to: int | None
    rows_in: int
    accepted: int
    unchanged: int
    quarantined: int
    skipped: int
    removed: int
    withdraws: int | None = None
    """The batch this one takes back, and why."""
    why: str | None = None


def loads(generation: Generation, limit: int) -> tuple[Load, ...]:
    """Return the latest batches, newest first."""
    rows = generation.con.execute(
        """SELECT batch_seq, dataset, file_name, recorded_at, recorded_by, kind, period_from, period_to,
                  rows_in, accepted, unchanged, quarantined, skipped, removed, withdraws, why
           FROM batch WHERE batch_seq > 0 ORDER BY batch_seq DESC LIMIT ?""",
        [limit],
    ).fetchall()
    found = (Load(*row) for row in rows)
    return tuple(replace(one, recorded_at=one.recorded_at.replace(tzinfo=dt.UTC)) for one in found)


def touching(generation: Generation, found: Iterable[Load], units: Collection[str]) -> tuple[Load, ...]:
    """Return those loads that brought or took back a row of one of the units."""
    listed, kept = list(found), set()
    for dataset in {load.dataset for load in listed if load.dataset in generation.contracts}:
        rows = generation.con.execute(
            f"""SELECT DISTINCT unnest([rec_from, rec_to]) FROM d_{dataset}
                WHERE unit IN (SELECT unnest($1::VARCHAR[]))""",
            [list(units)],
        ).fetchall()
        kept |= {(dataset, seq) for (seq,) in rows}
    return tuple(load for load in listed if (load.dataset, load.seq) in kept)


def load_days(generation: Generation) -> tuple[dt.date, ...]:
    """Return the days of the store's place on which something was recorded, first to last."""
    zone = zoneinfo.ZoneInfo(generation.zone)
    rows = generation.con.execute("SELECT DISTINCT recorded_at FROM batch WHERE batch_seq > 0").fetchall()
    return tuple(sorted({moment.replace(tzinfo=dt.UTC).astimezone(zone).date() for (moment,) in rows}))


def last_month_at(generation: Generation, seq: int) -> int:
    """Return the last month of which figures were known at a batch; a file may reach beyond the data's last."""
    last = int(generation.meta["last_month"])
    if seq >= generation.through_seq:
        return last
    flows = [
        name
        for name, contract in generation.contracts.items()
        if contract.time_kind in FLOWING and not contract.is_reference
    ]
    row = generation.con.execute(
        "SELECT max(period_to) - 1 FROM batch WHERE batch_seq BETWEEN 1 AND ? AND list_contains(?, dataset)",
        [seq, flows],
    ).fetchone()
    return min(last, row[0]) if row and row[0] is not None else last
