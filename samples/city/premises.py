"""The papers of the space office: approved area, leases, exemptions, monthly reports, vacant rooms put to use."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple

from samples.city import timeline as t
from samples.city.bodies import Body, City
from samples.city.calendar import OPEN, day, label, moment, month_no, moon
from samples.city.chance import cents, dice, places
from samples.city.people import Heads
from samples.city.rooms import LEASED, LET, VACANT
from samples.city.space import AFTER_MERGER, AFTER_NEW, OLD, START, SUMMER, Ground

EXPORTS = (START, AFTER_MERGER, AFTER_NEW)
LEASE_EXPORTS = (START, SUMMER)
_RENT_A_DAY = Decimal("1.2")
_LET_UNTIL = dt.date(2027, 1, 1)
_SERVICE = {"市": (1000, 0.01, 6, 8), "县": (500, 0.02, 6, 8), "乡": (0, 0.0, 8, 8)}


class Approved(NamedTuple):
    """What was approved for one unit over a span."""

    unit: str
    room_kind: str
    authorised_staff: int
    approved_area: Decimal
    doc_no: str
    valid_from: dt.date
    valid_to: dt.date | None


class Lease(NamedTuple):
    """Rooms taken in or let out."""

    lease_no: str
    unit: str
    direction: str
    other_party: str
    building: str
    area: Decimal
    rent_year: Decimal
    approval: str
    valid_from: dt.date
    valid_to: dt.date | None


class Exemption(NamedTuple):
    """A room above the cap that may stay."""

    building: str
    room_no: str
    unit: str
    reason: str
    doc_no: str
    valid_from: dt.date
    valid_to: dt.date | None


class Report(NamedTuple):
    """The premises report of one unit and month."""

    unit: str
    month: int
    planned_checks: int
    done_checks: int
    rooms_checked: int
    rooms_matched: int
    seats: int
    present: int


class Use(NamedTuple):
    """Vacant space put to use, or rent collected."""

    disposal_no: str
    unit: str
    building: str
    done_on: dt.date
    method: str
    area: Decimal | None
    income: Decimal | None
    remitted: Decimal | None
    doc_no: str


def by_code(city: City, bodies: Iterable[Body], sent: dt.datetime) -> Iterator[tuple[str, int, int, list[Body]]]:
    """Yield (code, from month, to month, the bodies that report under it then), as known on a day."""
    cuts = (OLD, t.MERGER, t.NEW_BUREAU, OPEN)
    runs: dict[str, list[tuple[int, int, list[Body]]]] = {}
    everyone = list(bodies)
    for start, end in pairwise(cuts):
        held: dict[str, list[Body]] = {}
        for body in everyone:
            held.setdefault(city.code_of(body.key, start, sent), []).append(body)
        for code, members in held.items():
            done = runs.setdefault(code, [])
            if done and done[-1][1] == start and done[-1][2] == members:
                done[-1] = (done[-1][0], end, members)
            else:
                done.append((start, end, members))
    for code, pieces in runs.items():
        for start, end, members in pieces:
            yield code, start, end, members


def until(month: int) -> dt.date | None:
    """Return the first day after a span, or nothing while it is open."""
    return None if month == OPEN else day(month, 1)


def approved_rows(city: City, sent: dt.datetime) -> list[Approved]:
    """Return the approved area of every unit: posts by their caps, service rooms by formula, equipment on top."""
    rows = []
    for code, start, end, members in by_code(city, city.bodies, sent):
        heads = sum(body.authorised for body in members)
        area = sum((_allowed(body) for body in members), Decimal(0))
        doc = f"模机管房〔{start // 12}〕{start % 12 + 1}号"
        rows.append(Approved(code, "全部", heads, area, doc, day(start, 1), until(end)))
    return rows


def _allowed(body: Body) -> Decimal:
    base, slope, least, most = _SERVICE[body.level]
    service = min(most, max(least, (base - body.authorised) * slope))
    leaders = 1.12 if body.fleet == "office" else 1.0
    return places(body.authorised * (11.2 * leaders + service) * 1.09, 2)


def lease_rows(ground: Ground, sent: dt.datetime) -> list[Lease]:
    """Return what is rented in, and the halls that are let, as known on a day."""
    rows = []
    for share in (s for s in ground.shares if s.tenure == LEASED and s.seen <= sent):
        code = ground.city.code_of(share.key, max(share.from_m, t.NEW_BUREAU), sent)
        rent = (share.gross * _RENT_A_DAY * 365).quantize(Decimal("0.01"))
        rows.append(Lease(f"ZR-{share.house.code}", code, "租用", "金桥置业有限公司", share.house.code, share.gross, rent,
                          "模机管房〔2024〕3号", day(share.from_m, 1), None))  # fmt: skip
    for number, space in enumerate((s for s in ground.spaces if s.status == LET), 1):
        code = ground.city.by_key[space.key].code
        rent = (space.area * _RENT_A_DAY * 365).quantize(Decimal("0.01"))
        rows.append(Lease(f"ZC-{number:03d}", code, "出租", "便民服务企业", space.house.code, space.area, rent,
                          space.approval, dt.date(2023, 1, 1), _LET_UNTIL))  # fmt: skip
    return rows


def exemption_rows(ground: Ground, sent: dt.datetime) -> list[Exemption]:
    """Return the rooms above the cap that may stay."""
    room = ground.planted["approved_room"]
    code = ground.city.code_of(room.key, t.MOVE, sent)
    since = moment(dt.date(2024, 9, 1), 9, 0).date()
    return [Exemption(room.house.code, room.room_no, code, "承重结构不可分隔", room.approval, since, _LET_UNTIL)]


def report_rows(city: City, census: dict[tuple[str, int], Heads], month: int, sent: dt.datetime) -> list[Report]:
    """Return the premises reports of a month, bodies added up by the code they report under."""
    sums: dict[str, list[int]] = {}
    for body in city.bodies:
        rng = dice(city.seed, "premises", body.key, month)
        heads = census[body.key, month]
        checked = round(body.authorised * rng.uniform(0.25, 0.45))
        matched = checked - (rng.randint(1, 2) if rng.random() < 0.15 else 0)
        done = 4 - (rng.random() < 0.12)
        held = sums.setdefault(city.code_of(body.key, month, sent), [0] * 6)
        figures = (4, int(done), checked, matched, heads.authorised, round(heads.actual * rng.uniform(0.62, 0.84)))
        for place, figure in enumerate(figures):
            held[place] += figure
    return [Report(code, month, *figures) for code, figures in sums.items()]


def use_rows(ground: Ground, month: int, sent: dt.datetime) -> list[Use]:
    """Return vacant rooms put to use in a month, and at the end of a quarter the rent collected."""
    city, stamp = ground.city, label(month).replace("-", "")
    rng = dice(city.seed, "put to use", month)
    vacant = [s for s in ground.spaces if s.status == VACANT and s.from_m <= month < s.to_m]
    rows = []
    for number, space in enumerate(rng.sample(vacant, min(len(vacant), rng.randint(1, 4))), 1):
        code = city.code_of(space.key, month, sent)
        rows.append(Use(f"CZ{stamp}{number:02d}", code, space.house.code, day(month, 18), "调剂使用", space.area, None,
                        None, f"模机管房〔{month // 12}〕{20 + moon(month)}号"))  # fmt: skip
    if moon(month) % 3 == 0 and month >= month_no(2024, 1):
        for number, space in enumerate((s for s in ground.spaces if s.status == LET), 1):
            rent = cents(float(space.area) * float(_RENT_A_DAY) * 365 / 4)
            rows.append(Use(f"ZJ{stamp}{number:02d}", city.by_key[space.key].code, space.house.code, day(month, 25),
                            "出租", None, rent, rent, space.approval))  # fmt: skip
    return rows
