"""A pushed reading: what a collecting platform sends as one row, and what of it can be taken.

    {"meter": "E-0001", "read_at": "2026-11-22T10:15:00+08:00", "reading": "10240.5", "unit": "kWh"}

`reading` is what the dial shows, before the ratio; `quantity` is what was used in the `minutes` that end at `read_at`.
"""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from warehouse.live.answers import Refusal
from warehouse.live.rows import as_object, number_of, shown, text_of, time_of
from warehouse.metering.intervals import LENGTHS
from warehouse.metering.reading import BASE_UNITS, ONE, QUALITIES, Meter
from warehouse.readers.units import UnknownUnit, convert_factor, find_unit, suggest_units

FIELDS = ("meter", "read_at", "reading", "quantity", "unit", "minutes", "ratio", "quality")


def pushed_reading(
    row: object, meters: Mapping[str, Meter], zone: zoneinfo.ZoneInfo, now: dt.datetime
) -> dict[str, Any]:
    """Return what is kept of a row (plain values), or raise the Refusal that says why it is not taken."""
    data = as_object(row, FIELDS)
    name = text_of(data, "meter")
    meter = meters.get(name)
    if meter is None:
        raise Refusal("unknown_meter", name)
    at = time_of(data, "read_at", zone, now)
    version = meter.at(at - dt.timedelta(seconds=1), zone) or meter.at(at, zone)
    if version is None:
        raise Refusal("not_in_service", name)
    reading, quantity = number_of(data, "reading"), number_of(data, "quantity")
    if (reading is None) == (quantity is None):
        raise Refusal("reading_or_quantity")
    value, field = (reading, "reading") if reading is not None else (quantity, "quantity")
    if value is not None and value < 0:
        raise Refusal("negative", shown(value), field)
    ratio = number_of(data, "ratio")
    if ratio is not None and ratio != version.ratio:
        raise Refusal("ratio_differs", shown(ratio), f"{version.ratio:f}")
    return {
        "meter": name,
        "at": at.isoformat(),
        "value": f"{value:f}",
        "kind": "register" if reading is not None else "quantity",
        "minutes": _minutes(data),
        "factor": f"{_factor(data, version.energy):f}",
        "quality": _quality(data),
    }


def _factor(data: Mapping[str, Any], energy: str) -> Decimal:
    base = BASE_UNITS.get(energy)
    if data.get("unit") is None or base is None:
        return ONE
    written = text_of(data, "unit")
    factor = convert_factor(written, base)
    if isinstance(factor, UnknownUnit):
        unit = find_unit(base)
        fitting = suggest_units(written, unit.dimension) if unit else ()
        raise Refusal("unknown_unit", written, ", ".join(fitting))
    return factor


def _minutes(data: Mapping[str, Any]) -> int | None:
    minutes = data.get("minutes")
    if minutes is None:
        return None
    if isinstance(minutes, bool) or minutes not in LENGTHS:
        raise Refusal("bad_minutes", shown(minutes), ", ".join(map(str, LENGTHS)))
    return int(minutes)


def _quality(data: Mapping[str, Any]) -> str:
    quality = data.get("quality", "good")
    if quality not in QUALITIES:
        raise Refusal("bad_quality", shown(quality), ", ".join(QUALITIES))
    return str(quality)
