"""Where everybody sits over the years: settlements, the great move, leases, and the planted rooms."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise

from samples.city import timeline as t
from samples.city.bodies import Body, City
from samples.city.calendar import OPEN, day, moment, month_no
from samples.city.chance import dice, places
from samples.city.estate import CIVIC, LEASED_NEXT_DOOR, RENTED, Estate, House
from samples.city.records import Building, Room
from samples.city.rooms import (
    ACTIVE,
    ANCILLARY,
    LEASED,
    LET,
    OFFICE,
    OWNED,
    RETIRED,
    SERVICE,
    VACANT,
    Space,
    settle,
    vacant_rooms,
)  # fmt: skip

EXPORTS = tuple(
    moment(dt.date.fromisoformat(text), 14, 10)
    for text in ("2024-01-04", "2024-10-11", "2025-04-17", "2025-07-11", "2025-09-19", "2025-12-12")
)
START, AFTER_MOVE, AFTER_MERGER, SUMMER, AFTER_NEW, WINTER = EXPORTS
OLD = month_no(2020, 1)
CENTRAL = (CIVIC, "市委大院", "府前街院", "建设路院")
"""Compounds where several bodies work together."""


@dataclass(frozen=True)
class Share:
    """A body's part of a building over a span of months, in the knowledge of the exports."""

    house: House
    key: str
    gross: Decimal
    usable: Decimal
    tenure: str
    from_m: int
    to_m: int
    seen: dt.datetime
    end_seen: dt.datetime | None


@dataclass(frozen=True)
class Ground:
    """All rooms and building shares of the city through all months."""

    city: City
    spaces: tuple[Space, ...]
    shares: tuple[Share, ...]
    planted: dict[str, Space]

    def gross(self, key: str, month: int) -> Decimal:
        """Return a body's own and rented gross area in a month."""
        return sum((s.gross for s in self.shares if s.key == key and s.from_m <= month < s.to_m), Decimal(0))


def build(city: City) -> Ground:
    """Settle everybody, then let the years pass over the rooms."""
    estate = Estate(city.seed)
    spaces: list[Space] = []
    for body in city.bodies:
        spaces += _settlement(city, estate, body, body.compound, OLD, START)
    spaces += _common_rooms(city, estate)
    spaces += _rented(city, estate, "tenant", RENTED, 5, OLD, START)
    spaces = _move(city, estate, spaces)
    spaces += _rented(city, estate, "lease", LEASED_NEXT_DOOR, 6, t.LEASE, SUMMER)
    planted: dict[str, Space] = {}
    for name, change in _CHANGES.items():
        spaces, planted[name] = change(city, spaces)
    return Ground(city, tuple(spaces), tuple(_shares(spaces)), planted)


def _settlement(city: City, estate: Estate, body: Body, compound: str, from_m: int, seen: dt.datetime) -> list[Space]:
    rng = dice(city.seed, "rooms", body.key, compound)
    house = estate.house_for(compound)
    rooms = settle(estate, house, body, round(body.authorised * 0.97), rng, from_m, seen)
    many = 9 if body.key == city.role("lease").key else max(1, round(len(rooms) * rng.uniform(0.04, 0.09)))
    for plan in vacant_rooms(body, many, rng):
        floor, room_no = estate.next_room(house)
        rooms.append(replace(plan, house=house, floor=floor, room_no=room_no, from_m=from_m, seen=seen))
    return rooms


def _common_rooms(city: City, estate: Estate) -> Iterator[Space]:
    """Halls and canteen of the civic centre, kept by the administration of office affairs."""
    body = city.by_key["goa"]
    house = estate.annex(CIVIC, "市民中心会议中心")
    rng = dice(city.seed, "common")
    kinds = [SERVICE] * 6 + [ANCILLARY] * 54
    for number, kind in enumerate(kinds):
        floor, room_no = estate.next_room(house)
        let = number >= len(kinds) - 2
        area = places(rng.uniform(90, 330), 2)
        space = Space(house, floor, room_no, kind, area, body.key, from_m=OLD, seen=START)
        yield replace(space, status=LET, approval="模机管房〔2023〕12号") if let else space


def _rented(
    city: City, estate: Estate, role: str, compound: str, count: int, from_m: int, seen: dt.datetime
) -> Iterator[Space]:
    body = city.role(role)
    house = estate.annex(compound, "建设路院商贸附楼" if compound == LEASED_NEXT_DOOR else compound)
    rng = dice(city.seed, "rented", role)
    third = {"市": "局以下", "县": "科以下", "乡": "乡级工作人员"}[body.level]
    for _ in range(count):
        floor, room_no = estate.next_room(house)
        space = Space(house, floor, room_no, OFFICE, places(rng.uniform(16.4, 17.6), 2), body.key)
        occupied = replace(space, rank=third, persons=2, state=ACTIVE, tenure=LEASED)
        yield replace(occupied, from_m=from_m, seen=seen)


def _move(city: City, estate: Estate, spaces: list[Space]) -> list[Space]:
    """Hand back the old rooms of the movers and settle them in the civic centre."""
    movers = city.movers()
    leaves = [s.key in movers and s.tenure == OWNED for s in spaces]
    kept = [s.closed(t.MOVE, AFTER_MOVE) if leaving else s for s, leaving in zip(spaces, leaves, strict=True)]
    for key in movers:
        kept += _settlement(city, estate, city.by_key[key], CIVIC, t.MOVE, AFTER_MOVE)
    return kept


def _pick(spaces: list[Space], key: str, month: int, wanted: Callable[[Space], bool]) -> int:
    for place, space in enumerate(spaces):
        if space.key == key and space.from_m <= month < space.to_m and space.tenure == OWNED and wanted(space):
            return place
    raise LookupError(f"No room of {key} to plant an event in.")


def _second(space: Space) -> bool:
    return space.rank in ("副局", "副科") and not space.approval and space.state == ACTIVE


def _over_standard(city: City, spaces: list[Space]) -> tuple[list[Space], Space]:
    """Two rooms knocked into one: far over what a deputy may have, nobody asked."""
    return _changed(city, spaces, "over_room", t.OVER_ROOM, SUMMER, _second, area=Decimal("27.60"))


def _retired(city: City, spaces: list[Space]) -> tuple[list[Space], Space]:
    """A deputy retires and keeps the key."""
    return _changed(city, spaces, "retired_room", t.RETIRED_ROOM, WINTER, _second, state=RETIRED)


def _two_rooms(city: City, spaces: list[Space]) -> tuple[list[Space], Space]:
    """A deputy takes a vacant room as well."""
    key = city.role("two_rooms").key
    first = spaces[_pick(spaces, key, t.TWO_ROOMS, _second)]
    return _changed(
        city, spaces, "two_rooms", t.TWO_ROOMS, AFTER_MERGER, lambda s: s.status == VACANT,
        status="在用", person=first.person, rank=first.rank, persons=1, state=ACTIVE,
    )  # fmt: skip


def _approved(city: City, spaces: list[Space]) -> tuple[list[Space], Space]:
    """A room too large by the shape of the house, approved as such: must not alarm."""
    key = city.role("approved_room").key
    place = _pick(spaces, key, t.MOVE, lambda s: s.rank == "正局")
    spaces[place] = replace(spaces[place], area=Decimal("29.80"), approval="模机管房〔2024〕7号")
    return spaces, spaces[place]


def _changed(
    city: City, spaces: list[Space], role: str, month: int, seen: dt.datetime, wanted: Callable[[Space], bool],
    **changes: object,
) -> tuple[list[Space], Space]:  # fmt: skip
    place = _pick(spaces, city.role(role).key, month, wanted)
    fresh = spaces[place].reopened(month, seen, **changes)
    return [*spaces[:place], spaces[place].closed(month, seen), *spaces[place + 1 :], fresh], fresh


_CHANGES = {
    "approved_room": _approved,
    "two_rooms": _two_rooms,
    "over_room": _over_standard,
    "retired_room": _retired,
}


def _shares(spaces: list[Space]) -> Iterator[Share]:
    """A body's share of a house is what its rooms take up, over the time it holds them."""
    held: dict[tuple[str, str], list[Space]] = {}
    for space in spaces:
        held.setdefault((space.house.code, space.key), []).append(space)
    for rooms in held.values():
        first = rooms[0]
        begin = min(room.from_m for room in rooms)
        usable = sum((r.area for r in rooms if r.from_m == begin), Decimal(0))
        last = rooms[0] if all(r.to_m != OPEN for r in rooms) else None
        gross = places(float(usable) / first.house.coefficient, 2)
        yield Share(
            first.house, first.key, gross, usable, first.tenure, begin, last.to_m if last else OPEN, first.seen,
            last.end_seen if last else None,
        )  # fmt: skip


def room_rows(ground: Ground, sent: dt.datetime) -> Iterator[Room]:
    """Return the room ledger as exported on a day."""
    for space in ground.spaces:
        if space.seen > sent:
            continue
        to_m = space.to_m if space.end_seen and space.end_seen <= sent else OPEN
        for code, start, end in _pieces(ground.city, space.key, space.from_m, to_m, sent):
            yield Room(
                space.house.code, space.floor, space.room_no, space.kind, space.area, code, space.person, space.rank,
                space.persons, space.state, space.status, space.tenure, space.house.compound, space.approval,
                day(start, 1), None if end == OPEN else day(end, 1),
            )  # fmt: skip


def _pieces(city: City, key: str, from_m: int, to_m: int, sent: dt.datetime) -> Iterator[tuple[str, int, int]]:
    """Cut a span where the code changes under which the body reports."""
    cuts = [from_m, *(m for m in (t.MERGER, t.NEW_BUREAU) if from_m < m < to_m), to_m]
    start = from_m
    for cut in cuts[1:]:
        code = city.code_of(key, start, sent)
        if cut == to_m or city.code_of(key, cut, sent) != code:
            yield code, start, cut
            start = cut


def building_rows(ground: Ground, sent: dt.datetime) -> Iterable[Building]:
    """Return the building ledger as exported on a day: shares added up per unit, cut where they change."""
    parts: dict[tuple[str, str], list[tuple[int, int, Share]]] = {}
    for share in ground.shares:
        if share.seen > sent:
            continue
        to_m = share.to_m if share.end_seen and share.end_seen <= sent else OPEN
        for code, start, end in _pieces(ground.city, share.key, share.from_m, to_m, sent):
            parts.setdefault((share.house.code, code), []).append((start, end, share))
    for (_, code), pieces in sorted(parts.items()):
        yield from _stacked(code, pieces)


def _stacked(code: str, pieces: list[tuple[int, int, Share]]) -> Iterator[Building]:
    cuts = sorted({m for start, end, _ in pieces for m in (start, end)})
    for start, end in pairwise(cuts):
        held = [share for first, last, share in pieces if first <= start and end <= last]
        if held:
            yield _building(code, held, start, end)


def _building(code: str, held: list[Share], start: int, end: int) -> Building:
    house, tenure = held[0].house, held[0].tenure
    gross = sum((s.gross for s in held), Decimal(0))
    usable = sum((s.usable for s in held), Decimal(0))
    owned = tenure == OWNED
    # one share in twelve has no certificate of use yet
    written = dice(0, "certificate", house.code, code).random() > 0.08
    return Building(
        house.code, code, house.name, house.compound, house.address, house.built_year, house.floors, gross, usable,
        places(float(gross) * 0.92, 2), owned, house.title_no if owned else "", tenure, day(start, 1),
        None if end == OPEN else day(end, 1), f"模房用〔{start // 12}〕{house.code[1:]}号" if written else "",
        house.compound in CENTRAL,
    )  # fmt: skip
