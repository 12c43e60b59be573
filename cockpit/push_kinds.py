"""The kinds of rows a machine may push: where, what a row holds, what it is checked against, where it waits."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from warehouse.live.arrivals import Arrivals
from warehouse.live.raw_days import RawDays
from warehouse.metering import folding as readings
from warehouse.metering.pushed import pushed_reading
from warehouse.metering.registered import published_meters
from warehouse.store import Generation, Store
from warehouse.tracks import folding as positions
from warehouse.tracks.kept import published_fleet
from warehouse.tracks.pushed import pushed_position

Register = Mapping[str, Any]
"""What a row may name, by name."""


@dataclass(frozen=True)
class PushKind:
    """One kind of rows."""

    name: str
    path: str
    key: str
    """The field that names the thing a row speaks of."""
    time: str
    """The field that says when; a thing has one row an instant."""
    register: Callable[[Generation], Register]
    owners: Callable[[Any], frozenset[str]]
    """Return the nodes a registered thing belongs to."""
    parse: Callable[[object, Any, zoneinfo.ZoneInfo, dt.datetime], dict[str, Any]]
    arrivals: Callable[[Store], Arrivals]
    raw: Callable[[Store], RawDays]


def _meter_owners(meter: Any) -> frozenset[str]:
    newest = meter.versions[-1]
    return frozenset({newest.unit, newest.building or newest.unit})


def _vehicle_owners(listed: Any) -> frozenset[str]:
    return frozenset({listed[-1][1]})


READINGS = PushKind(
    "readings", "/api/v1/readings", "meter", "read_at", published_meters, _meter_owners, pushed_reading,
    readings.arrivals_of, readings.raw_of,
)  # fmt: skip
POSITIONS = PushKind(
    "positions", "/api/v1/positions", "plate", "located_at", published_fleet, _vehicle_owners, pushed_position,
    positions.arrivals_of, positions.raw_of,
)  # fmt: skip
KINDS = (READINGS, POSITIONS)
