"""Time is always a parameter; this is the only place that reads it from the machine.

Instants are aware datetimes in UTC. A day given by a person means the end of that day in the store's time zone.
"""

from __future__ import annotations

import datetime as dt
import os
import zoneinfo
from collections.abc import Callable

from warehouse.base.errors import QueryError

Clock = Callable[[], dt.datetime]
DEFAULT_ZONE = "Asia/Shanghai"


def system_clock() -> dt.datetime:
    """Return the present instant; `COCKPIT_NOW` (ISO) holds it still for demonstrations and tests."""
    fixed = os.environ.get("COCKPIT_NOW")
    return parse_instant(fixed, DEFAULT_ZONE) if fixed else dt.datetime.now(dt.UTC)


def parse_instant(text: str, zone: str = DEFAULT_ZONE) -> dt.datetime:
    """Read a date (its end in the zone) or an instant; a naive time is taken in the zone."""
    place = zoneinfo.ZoneInfo(zone)
    try:
        if len(text.strip()) == 10:
            day = dt.date.fromisoformat(text.strip())
            return dt.datetime.combine(day, dt.time(23, 59, 59, 999999), place).astimezone(dt.UTC)
        moment = dt.datetime.fromisoformat(text.strip())
    except ValueError as cause:
        raise QueryError(f"'{text}' is not a date or an instant.", "write 2024-05-31 or 2024-05-31T18:00:00") from cause
    return (moment if moment.tzinfo else moment.replace(tzinfo=place)).astimezone(dt.UTC)
