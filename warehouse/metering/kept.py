"""Readings as they are kept until their day is closed: Parquet rows from pushes, and the readings of loaded files."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from warehouse.base.paths import these_files
from warehouse.live.known import live_rows
from warehouse.metering.reading import ONE, Meter, Reading, Swap, Version
from warehouse.store import Store

FILES = "meter_reading"
SCHEMA = pa.schema([
    ("meter", pa.string()), ("read_at", pa.timestamp("s")), ("value", pa.decimal128(24, 6)), ("kind", pa.string()),
    ("minutes", pa.int32()), ("factor", pa.decimal128(24, 9)), ("quality", pa.string()),
    ("received", pa.timestamp("us")), ("token", pa.string()),
])  # fmt: skip
FILE_COLUMNS = (
    "meter_no", "read_at", "unit", "building", "carrier", "current", "ratio", "quantity", "swapped", "parent_meter",
)  # fmt: skip
FACTOR = Decimal("0.000000001")
FROM_FILE = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
"""A reading of a file is older than any pushed one of the same instant: a push speaks of the meter itself."""


@dataclass(frozen=True)
class Held:
    """The readings of one meter over a window: from where, and what a file says of a meter nobody registered."""

    pushed: Sequence[Reading]
    filed: Sequence[Reading]
    told: Meter | None = None

    @property
    def readings(self) -> list[Reading]:
        """Every reading, pushed or from files."""
        return [*self.filed, *self.pushed]


def raw_table(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Return pushed rows as they are kept."""
    columns = {
        "meter": [row["meter"] for row in rows],
        "read_at": [_naive(row["at"]) for row in rows],
        "value": [Decimal(row["value"]) for row in rows],
        "kind": [row["kind"] for row in rows],
        "minutes": [row["minutes"] for row in rows],
        "factor": [Decimal(row["factor"]).quantize(FACTOR) for row in rows],
        "quality": [row["quality"] for row in rows],
        "received": [_naive(row["received"]) for row in rows],
        "token": [row["token"] for row in rows],
    }
    return pa.table(columns, schema=SCHEMA)


def _naive(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).astimezone(dt.UTC).replace(tzinfo=None)


def pushed_readings(
    con: duckdb.DuckDBPyConnection, files: Sequence[Path], meters: Collection[str]
) -> dict[str, list[Reading]]:
    """Return the pushed readings of some meters in some files of raw days."""
    if not files:
        return {}
    rows = con.execute(
        f"SELECT meter, read_at, value, received, kind, minutes, factor, quality FROM read_parquet({these_files(files)})"
        " WHERE list_contains($1, meter) ORDER BY meter, read_at, received",
        [sorted(meters)],
    ).fetchall()
    return {
        name: [
            Reading(at.replace(tzinfo=dt.UTC), value, received.replace(tzinfo=dt.UTC), *rest)
            for _, at, value, received, *rest in found
        ]
        for name, found in groupby(rows, key=lambda row: row[0])
    }


def filed_readings(
    con: duckdb.DuckDBPyConnection, store: Store, meters: Collection[str], span: tuple[dt.datetime, dt.datetime],
    zone: zoneinfo.ZoneInfo,
) -> dict[str, tuple[list[Reading], Meter]]:  # fmt: skip
    """Return the readings of loaded files of some meters over a span, and the meters as the files tell of them."""
    low, high = (moment.astimezone(zone).replace(tzinfo=None) for moment in span)
    months = (low.year * 12 + low.month - 1, high.year * 12 + high.month - 1)
    rows = live_rows(
        con, store, FILES, FILE_COLUMNS,
        "list_contains(?, p.meter_no) AND p.read_at BETWEEN ? AND ? ORDER BY p.meter_no, p.read_at",
        [sorted(meters), low, high], months,
    )  # fmt: skip
    return {name: _told(name, list(found), zone) for name, found in groupby(rows, key=lambda row: row[0])}


def _told(name: str, rows: Sequence[tuple[Any, ...]], zone: zoneinfo.ZoneInfo) -> tuple[list[Reading], Meter]:
    readings, versions, swaps = [], list[Version](), []
    for _, read_at, unit, building, energy, current, ratio, quantity, swapped, parent in rows:
        at = read_at.replace(tzinfo=zone, microsecond=0).astimezone(dt.UTC)
        if current is not None:
            readings.append(Reading(at, current, FROM_FILE))
        elif quantity is not None:
            readings.append(Reading(at, quantity, FROM_FILE, "quantity"))
        if swapped:
            swaps.append(Swap(at - dt.timedelta(seconds=1), None, None))
        start = read_at.date() if versions else dt.date.min
        version = Version(start, unit, energy, None, building, ratio or ONE, parent=parent)
        if not versions or _is_other(versions[-1], version):
            versions.append(version)
    return readings, Meter(name, tuple(versions), tuple(swaps))


def _is_other(one: Version, two: Version) -> bool:
    return (one.unit, one.building, one.energy, one.ratio, one.parent) != (
        two.unit, two.building, two.energy, two.ratio, two.parent,
    )  # fmt: skip
