"""Positions as they are kept until their days are over, and the vehicles they belong to."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from warehouse.base.paths import these_files
from warehouse.base.periods import month_of
from warehouse.live.known import live_rows
from warehouse.store import Generation, Store
from warehouse.tracks.track import Point

KIND = "position"
VEHICLES = "vehicle"
SCHEMA = pa.schema([
    ("plate", pa.string()), ("located_at", pa.timestamp("s")), ("longitude", pa.float64()),
    ("latitude", pa.float64()), ("received", pa.timestamp("us")),
])  # fmt: skip

Fleet = Mapping[str, Sequence[tuple[int, str]]]
"""Plate → the unit it is listed under, by month, oldest first."""


def raw_table(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Return positions as they are kept; instants are aware texts."""
    columns = {
        "plate": [row["plate"] for row in rows],
        "located_at": [_naive(row["at"]) for row in rows],
        "longitude": [float(row["longitude"]) for row in rows],
        "latitude": [float(row["latitude"]) for row in rows],
        "received": [_naive(row["received"]) for row in rows],
    }
    return pa.table(columns, schema=SCHEMA)


def _naive(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).astimezone(dt.UTC).replace(tzinfo=None)


def points_of(con: duckdb.DuckDBPyConnection, files: Sequence[Path], plates: Collection[str]) -> dict[str, list[Point]]:
    """Return the points of some vehicles by time, one an instant: the one received last."""
    if not files:
        return {}
    rows = con.execute(
        f"SELECT plate, located_at, longitude, latitude FROM read_parquet({these_files(files)})"
        " WHERE list_contains($1, plate)"
        " QUALIFY row_number() OVER (PARTITION BY plate, located_at ORDER BY received DESC, longitude, latitude) = 1"
        " ORDER BY plate, located_at",
        [sorted(plates)],
    ).fetchall()
    return {
        plate: [Point(at.replace(tzinfo=dt.UTC), longitude, latitude) for _, at, longitude, latitude in found]
        for plate, found in groupby(rows, key=lambda row: row[0])
    }


def known_fleet(con: duckdb.DuckDBPyConnection, store: Store) -> Fleet:
    """Return the vehicles of the register, as committed."""
    return fleet_of(live_rows(con, store, VEHICLES, ("plate", "month", "unit")))


def published_fleet(generation: Generation) -> Fleet:
    """Return the vehicles of the register, as published."""
    at = generation.through_seq
    wanted = f"SELECT plate, month, unit FROM d_{VEHICLES} WHERE rec_from <= ? AND ? < rec_to"
    return fleet_of(generation.con.execute(wanted, [at, at]).fetchall())


def fleet_of(rows: Iterable[tuple[str, int, str]]) -> Fleet:
    """Return the units of each plate by month."""
    found: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for plate, month, unit in rows:
        found[plate].append((month, unit))
    return {plate: sorted(listed) for plate, listed in found.items()}


def unit_on(fleet: Fleet, plate: str, day: dt.date) -> str | None:
    """Return the unit a vehicle is listed under in the month of a day, or else in the last month before, or the first."""
    listed = fleet.get(plate)
    if not listed:
        return None
    place = bisect_right(listed, (month_of(day), "\uffff"))
    return listed[max(0, place - 1)][1]
