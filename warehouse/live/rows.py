"""Fields of a pushed row: texts, times, figures as they may be written, each with the refusal it can meet."""

from __future__ import annotations

import datetime as dt
import json
import zoneinfo
from collections.abc import Collection, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from warehouse.live.answers import Refusal

LONGEST_TEXT = 64
AHEAD = dt.timedelta(minutes=5)
"""How far a sender's clock may go ahead of ours."""
FIRST_YEAR = 2000


def as_object(row: object, known: Collection[str]) -> Mapping[str, Any]:
    """Return a row as an object with known fields only."""
    if not isinstance(row, dict):
        raise Refusal("not_an_object", shown(row), ", ".join(known))
    for name in row:
        if name not in known:
            raise Refusal("unknown_field", str(name), ", ".join(known))
    return row


def text_of(row: Mapping[str, Any], name: str) -> str:
    """Return a text that must be there."""
    value = row.get(name)
    if value is None:
        raise Refusal("missing", name)
    if not isinstance(value, str) or not 0 < len(value.strip()) <= LONGEST_TEXT or not value.strip().isprintable():
        raise Refusal("not_text", shown(value), name)
    return value.strip()


def time_of(row: Mapping[str, Any], name: str, zone: zoneinfo.ZoneInfo, now: dt.datetime) -> dt.datetime:
    """Return an instant in whole seconds; a time without an offset is on the store's clock."""
    written = row.get(name)
    if written is None:
        raise Refusal("missing", name)
    try:
        if not isinstance(written, str) or len(written) < 16:
            raise ValueError
        moment = dt.datetime.fromisoformat(written.strip()).replace(microsecond=0)
        at = (moment if moment.tzinfo else _local(moment, zone, written)).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        raise Refusal("not_a_time", shown(written)) from None
    if at > now + AHEAD:
        raise Refusal("in_future", written, f"{now.astimezone(zone):%Y-%m-%dT%H:%M:%S%z}")
    if at.year < FIRST_YEAR:
        raise Refusal("not_a_time", written)
    return at


def _local(moment: dt.datetime, zone: zoneinfo.ZoneInfo, written: str) -> dt.datetime:
    """Place a time on the local clock; one that comes twice or never there does not say when it was."""
    first, second = moment.replace(tzinfo=zone), moment.replace(tzinfo=zone, fold=1)
    if first.utcoffset() != second.utcoffset():
        raise Refusal("time_not_unique", written, first.isoformat())
    return first


def number_of(row: Mapping[str, Any], name: str, digits: int = 12, places: int = 6) -> Decimal | None:
    """Return a figure, exactly as it was written; None where it was not given."""
    value = row.get(name)
    if value is None:
        return None
    try:
        if isinstance(value, bool) or not isinstance(value, (int, str, Decimal)):
            raise InvalidOperation
        number = Decimal(value if not isinstance(value, str) else value.strip())
        if not number.is_finite() or abs(number) >= Decimal(10) ** digits:
            raise InvalidOperation
        if number != number.quantize(Decimal(1).scaleb(-places)):
            raise InvalidOperation
    except InvalidOperation:
        raise Refusal("not_a_number", shown(value), name) from None
    return number


def parse_json(text: str | bytes) -> Any:
    """Read JSON with figures as they were written; what JSON does not know is a ValueError."""
    return json.loads(text, parse_float=Decimal, parse_constant=_no_constant)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no figure")


def shown(value: object) -> str:
    """Return a value as a person may read it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
