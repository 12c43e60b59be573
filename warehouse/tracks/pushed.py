"""A pushed position: what a positioning platform sends as one row.

{"plate": "模A·10001", "located_at": "2026-11-22T10:15:05+08:00", "longitude": 116.397, "latitude": 39.909}
"""

from __future__ import annotations

import datetime as dt
import zoneinfo
from typing import Any

from warehouse.live.answers import Refusal
from warehouse.live.rows import as_object, number_of, text_of, time_of
from warehouse.tracks.kept import Fleet

FIELDS = ("plate", "located_at", "longitude", "latitude")


def pushed_position(row: object, fleet: Fleet, zone: zoneinfo.ZoneInfo, now: dt.datetime) -> dict[str, Any]:
    """Return what is kept of a row (plain values), or raise the Refusal that says why it is not taken."""
    data = as_object(row, FIELDS)
    plate = text_of(data, "plate")
    if plate not in fleet:
        raise Refusal("unknown_vehicle", plate)
    at = time_of(data, "located_at", zone, now)
    longitude = number_of(data, "longitude", digits=4, places=8)
    latitude = number_of(data, "latitude", digits=4, places=8)
    if longitude is None or latitude is None:
        raise Refusal("missing", "longitude" if longitude is None else "latitude")
    if abs(longitude) > 180 or abs(latitude) > 90:
        raise Refusal("off_the_earth", f"{longitude}, {latitude}")
    return {"plate": plate, "at": at.isoformat(), "longitude": f"{longitude:f}", "latitude": f"{latitude:f}"}
