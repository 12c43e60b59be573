"""Property service, canteens and the housing fund, as their reports tell them month by month."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from samples.city.bodies import Body, City
from samples.city.calendar import FIRST, moon, working_days, year_of
from samples.city.chance import cents, dice, places
from samples.city.contracts import PROPERTY, Services
from samples.city.people import Heads
from samples.city.service_records import Fund, Meal, Property
from samples.city.space import Ground

_CANTEENS = {
    "goa": ("市民中心食堂", 620),
    "police": ("市公安局食堂", 480),
    "court": ("市法院食堂", 130),
    "school": ("党校食堂", 150),
}
"""Canteens and the lunches they serve on a working day."""
_CENTRE = "house"
"""The bureau under which the fund centre reports."""


@dataclass(frozen=True)
class Logistics:
    """What the reports are written from."""

    city: City
    ground: Ground
    census: dict[tuple[str, int], Heads]
    services: Services


def property_rows(logistics: Logistics, month: int, sent: dt.datetime) -> list[Property]:
    """Return the property reports of a month as sent on a day; parts of one unit in one building are added up."""
    deals = {
        deal.key: deal
        for deal in logistics.services.deals
        if deal.kind == PROPERTY and deal.from_m <= month < deal.to_m
    }
    homes = {s.key: s.house.code for s in logistics.ground.shares if s.tenure == "自有" and s.from_m <= month < s.to_m}
    found: dict[tuple[str, str], Property] = {}
    for body in logistics.city.bodies:
        deal = deals[body.key]
        fee = deal.year_amount / 12
        row = _report(logistics, body, month, homes[body.key], deal.supplier, fee)
        row = row._replace(unit=logistics.city.code_of(body.key, month, sent))
        before = found.get((row.unit, row.building))
        found[row.unit, row.building] = row if before is None else _joined(before, row)
    return list(found.values())


def _report(logistics: Logistics, body: Body, month: int, home: str, supplier: str, fee: Decimal) -> Property:
    rng = dice(logistics.city.seed, "property", body.key, month)
    area, heads = logistics.ground.gross(body.key, month), logistics.census[body.key, month]
    devices = 6 + round(float(area) / 180)
    due = 20 + round(float(area) / 150)
    visits = heads.energy * len(working_days(month))
    rooms = 1 + body.authorised // 45
    opened = rooms * 8 * len(working_days(month))
    return Property(
        month, "", home, supplier, area, fee.quantize(Decimal("0.01")), 2 + round(float(area) / 900), devices,
        devices - sum(rng.random() < 0.009 for _ in range(devices)), due, due - sum(rng.random() < 0.03 for _ in range(due)),
        visits, sum(rng.random() < 0.35 for _ in range(1 + visits // 1500)), cents(body.authorised * rng.uniform(95, 135)),
        places(rng.uniform(86, 97), 2), Decimal(1 + body.authorised // 100), Decimal(opened),
        places(opened * rng.uniform(0.2, 0.46), 1),
    )  # fmt: skip


def _joined(a: Property, b: Property) -> Property:
    """Two bodies of one unit in one building: counts add up, the score is weighed."""
    weight = a.score_weight + b.score_weight
    score = ((a.score * a.score_weight + b.score * b.score_weight) / weight).quantize(Decimal("0.01"))
    return a._replace(
        service_area=a.service_area + b.service_area, fee=a.fee + b.fee, staff=a.staff + b.staff,
        equipment=a.equipment + b.equipment, equipment_ok=a.equipment_ok + b.equipment_ok,
        inspections_due=a.inspections_due + b.inspections_due, inspections_done=a.inspections_done + b.inspections_done,
        visits=a.visits + b.visits, complaints=a.complaints + b.complaints, own_cost=a.own_cost + b.own_cost,
        score=score, score_weight=weight, hours_open=a.hours_open + b.hours_open, hours_used=a.hours_used + b.hours_used,
    )  # fmt: skip


def meal_rows(logistics: Logistics, month: int) -> Iterator[Meal]:
    """Return every meal of a month."""
    for key, (canteen, lunches) in _CANTEENS.items():
        if key not in logistics.city.by_key:
            continue
        rng = dice(logistics.city.seed, "meals", key, month)
        dear = rng.uniform(13.6, 16.4) * 1.015 ** (year_of(month) - year_of(FIRST))
        for date in working_days(month):
            for meal, part, price in (("早餐", 0.42, 0.45), ("午餐", 1.0, 1.0)):
                persons = round(lunches * part * rng.uniform(0.88, 1.08))
                waste = places(persons * rng.uniform(58, 98) / 1000 * (0.5 if meal == "早餐" else 1), 3)
                tested = rng.randint(4, 8) if meal == "午餐" and date.weekday() == 0 else None
                passed = None if tested is None else tested - (rng.random() < 0.012)
                yield Meal(
                    logistics.city.by_key[key].code, canteen, date, meal, persons, cents(persons * dear * price),
                    cents(persons * (3 if meal == "早餐" else 8)), waste, tested, passed,
                )  # fmt: skip


def fund_rows(logistics: Logistics, month: int) -> list[Fund]:
    """Return the report of the fund centre for a month; balances follow from the flows."""
    told: list[Fund] = []
    deposits, loans = Decimal("8642000000"), Decimal("6130000000")
    for at in range(FIRST, month + 1):
        rng = dice(logistics.city.seed, "fund", at)
        collected = places(1.24e8 * (1.6 if moon(at) == 12 else 1.0) * rng.uniform(0.96, 1.05), -2)
        withdrawn = places(0.92e8 * rng.uniform(0.9, 1.1), -2)
        lent, repaid = places(0.7e8 * rng.uniform(0.8, 1.2), -2), places(0.58e8 * rng.uniform(0.97, 1.03), -2)
        deposits, loans = deposits + collected - withdrawn, loans + lent - repaid
        cases = rng.randint(19_500, 24_500)
        told.append(Fund(
            at, logistics.city.by_key[_CENTRE].code, collected, withdrawn, lent, deposits, loans,
            places(float(loans) * rng.uniform(0.00062, 0.00098), -2), 98_600 + 40 * (at - FIRST), cases,
            round(cases * min(0.96, 0.84 + 0.003 * (at - FIRST) + rng.uniform(-0.01, 0.01))),
        ))  # fmt: skip
    return told[-1:]
