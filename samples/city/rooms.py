"""The rooms a body fills when it settles in a building: offices by rank, service, equipment, technical, vacant."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from samples.city.bodies import Body
from samples.city.calendar import OPEN
from samples.city.chance import places
from samples.city.estate import Estate, House

OFFICE, SERVICE, EQUIPMENT, ANCILLARY, TECHNICAL = "办公室", "服务用房", "设备用房", "附属用房", "技术业务用房"
IN_USE, VACANT, LET = "在用", "闲置", "出租出借"
OWNED, LEASED = "自有", "租用"
ACTIVE, RETIRED = "在职", "退休"

CAPS: dict[str, int] = {
    "市级正职": 42, "市级副职": 30, "正局": 24, "副局": 18, "局以下": 9,
    "县级正职": 30, "县级副职": 24, "正科": 18, "副科": 12, "科以下": 9,
    "乡级正职": 24, "乡级副职": 18, "乡级工作人员": 9,
}  # fmt: skip
"""Most usable square metres a head, by rank (construction standard 2014 and the provincial rule for towns)."""

_LEADERS: dict[str, tuple[tuple[str, int], ...]] = {
    "office": (("市级正职", 1), ("市级副职", 9)),
    "gov": (("市级正职", 1), ("市级副职", 8)),
    "congress": (("市级正职", 1), ("市级副职", 6)),
    "cppcc": (("市级正职", 1), ("市级副职", 5)),
}
_RANKS = {
    "市": ("正局", "副局", "局以下"),
    "县": ("正科", "副科", "科以下"),
    "乡": ("乡级正职", "乡级副职", "乡级工作人员"),
}
_SHARES = {"police": (0.012, 0.04), "justice": (0.03, 0.08), "town": (0.02, 0.09)}
_TECHNICAL = {"police": 21.0, "justice": 13.0}
_TECHNICAL_OF = {"service": 150.0, "library": 70.0, "archive": 60.0, "school": 55.0}


@dataclass(frozen=True)
class Space:
    """One room over one span; `seen` and `end_seen` are the exports that first told of its start and its end."""

    house: House
    floor: int
    room_no: str
    kind: str
    area: Decimal
    key: str
    person: str = ""
    rank: str = ""
    persons: int = 0
    state: str = ""
    status: str = IN_USE
    tenure: str = OWNED
    approval: str = ""
    from_m: int = 0
    to_m: int = OPEN
    seen: dt.datetime = dt.datetime.min
    end_seen: dt.datetime | None = None

    def closed(self, month: int, seen: dt.datetime) -> Space:
        """Return the room handed back."""
        return replace(self, to_m=month, end_seen=seen)

    def reopened(self, month: int, seen: dt.datetime, **changes: object) -> Space:
        """Return the same room with something changed from a month on."""
        fresh = replace(self, from_m=month, to_m=OPEN, seen=seen, end_seen=None)
        return replace(fresh, **changes)  # type: ignore[arg-type]


def settle(
    estate: Estate, house: House, body: Body, heads: int, rng: random.Random, from_m: int, seen: dt.datetime
) -> list[Space]:
    """Return the rooms of a body that moves into a house."""
    plans = [*_offices(body, heads, rng), *_other_rooms(body, heads, rng)]
    spaces = []
    for number, plan in enumerate(plans):
        floor, room_no = estate.next_room(house)
        person = f"P{body.code[-7:]}{number + 1:04d}" if plan.rank else ""
        spaces.append(replace(plan, house=house, floor=floor, room_no=room_no, person=person, from_m=from_m, seen=seen))
    return spaces


_NOWHERE = House("", "", "", "", 0, 1, 0.6, "")


def _plan(body: Body, kind: str, area: float, **more: object) -> Space:
    return replace(Space(_NOWHERE, 0, "", kind, places(area, 2), body.key), **more)  # type: ignore[arg-type]


def _offices(body: Body, heads: int, rng: random.Random) -> Iterator[Space]:
    first, second, third = _RANKS[body.level]
    chiefs, deputies = _SHARES.get(body.fleet, (0.06, 0.12) if body.level == "市" else (0.07, 0.13))
    singles = [*_leaders(body), (first, max(1, round(heads * chiefs))), (second, max(2, round(heads * deputies)))]
    for rank, count in singles:
        for _ in range(count):
            yield _office(body, rank, 1, CAPS[rank] * rng.uniform(0.8, 0.975))
    left = heads - sum(count for rank, count in singles if rank in (first, second))
    while left > 0:
        persons = min(left, rng.choice((2, 2, 3, 3, 3, 4)))
        yield _office(body, third, persons, persons * rng.uniform(7.4, 8.9))
        left -= persons


def _leaders(body: Body) -> tuple[tuple[str, int], ...]:
    if body.key in _LEADERS:
        return _LEADERS[body.key]
    if body.level == "县" and body.key.endswith(("_office", "_gov")):
        return (("县级正职", 1), ("县级副职", 5))
    return ()


def _office(body: Body, rank: str, persons: int, area: float) -> Space:
    return _plan(body, OFFICE, area, rank=rank, persons=persons, state=ACTIVE)


def _other_rooms(body: Body, heads: int, rng: random.Random) -> Iterator[Space]:
    per_head = {"市": 7.2, "县": 6.4, "乡": 7.0}[body.level]
    if body.fleet == "police":
        per_head = 4.2
    office = heads * 10.0
    yield from _filled(body, SERVICE, heads * per_head, 28, 92, rng)
    yield from _filled(body, EQUIPMENT, (office + heads * per_head) * 0.085, 18, 60, rng)
    yield from _filled(body, ANCILLARY, heads * 1.3, 20, 70, rng)
    technical = _TECHNICAL_OF.get(body.key, _TECHNICAL.get(body.fleet, 0.0))
    yield from _filled(body, TECHNICAL, heads * technical, 60, 220, rng)


def _filled(body: Body, kind: str, area: float, low: int, high: int, rng: random.Random) -> Iterable[Space]:
    while area >= low * 0.6:
        size = min(area, rng.uniform(low, high))
        yield _plan(body, kind, size)
        area -= size


def vacant_rooms(body: Body, count: int, rng: random.Random) -> list[Space]:
    """Return offices nobody sits in."""
    return [_plan(body, OFFICE, rng.uniform(13.2, 17.4), status=VACANT) for _ in range(count)]
