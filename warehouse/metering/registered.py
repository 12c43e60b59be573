"""The meter register as the store knows it now: versions and swaps of each meter."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Iterable, Sequence
from typing import Any

import duckdb

from warehouse.live.known import live_rows
from warehouse.metering.reading import Meter, Swap, Version
from warehouse.store import Generation, Store

REGISTER, SWAPS = "meter", "meter_event"
VERSION_COLUMNS = (
    "meter", "valid_from", "unit", "energy", "valid_to", "building", "ratio", "digits", "interval_minutes",
    "parent_meter",
)  # fmt: skip
SWAP_COLUMNS = ("meter", "swapped_at", "end_reading", "start_reading")


def known_meters(con: duckdb.DuckDBPyConnection, store: Store, zone: zoneinfo.ZoneInfo) -> dict[str, Meter]:
    """Return every registered meter by name, as committed."""
    return meters_of(live_rows(con, store, REGISTER, VERSION_COLUMNS), live_rows(con, store, SWAPS, SWAP_COLUMNS), zone)


def published_meters(generation: Generation) -> dict[str, Meter]:
    """Return every registered meter by name, as published."""
    at = generation.through_seq

    def rows(dataset: str, columns: Sequence[str]) -> list[tuple[Any, ...]]:
        names = ", ".join(columns)
        wanted = f"SELECT {names} FROM d_{dataset} WHERE rec_from <= ? AND ? < rec_to"
        return generation.con.execute(wanted, [at, at]).fetchall()

    return meters_of(rows(REGISTER, VERSION_COLUMNS), rows(SWAPS, SWAP_COLUMNS), zoneinfo.ZoneInfo(generation.zone))


def meters_of(
    versions: Iterable[tuple[Any, ...]], swaps: Iterable[tuple[Any, ...]], zone: zoneinfo.ZoneInfo
) -> dict[str, Meter]:
    """Return meters from rows of the register and of the swaps; times of swaps are on the store's clock."""
    found: dict[str, list[Version]] = {}
    for name, *rest in versions:
        found.setdefault(name, []).append(Version(*rest))
    swapped: dict[str, list[Swap]] = {}
    for name, at, end, start in swaps:
        swapped.setdefault(name, []).append(Swap(at.replace(tzinfo=zone).astimezone(dt.UTC), end, start))
    return {
        name: Meter(
            name,
            tuple(sorted(listed, key=lambda version: version.valid_from)),
            tuple(sorted(swapped.get(name, ()), key=lambda swap: swap.at)),
        )
        for name, listed in found.items()
    }
