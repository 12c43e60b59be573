"""The fleet through the years: who holds which car, quotas, renewals, the shared platform, and the planted cars."""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from samples.city import timeline as t
from samples.city.bodies import PLATFORM, Body, City
from samples.city.calendar import FIRST, LONGEST, OPEN, day, moment, month_no, month_of, moon
from samples.city.cars import (
    BORROWED,
    COURIER,
    EMERGENCY,
    ENFORCEMENT,
    ILLEGAL,
    IN_USE,
    OTHER,
    RETIRED_SERVICE,
    SEALED,
    SPECIAL,
    Car,
    Model,
    bought_day,
    model_for,
    new_car,
)  # fmt: skip
from samples.city.chance import dice
from samples.city.garage import month_of_car
from samples.city.records import Quota, Vehicle

QUOTA_EXPORTS = tuple(
    moment(dt.date.fromisoformat(text), 15, 20) for text in ("2024-01-04", "2025-04-17", "2026-01-06")
)
MOVED_TO_PLATFORM = 30
_NEV_CHANCE = 0.3
_COUNTED = (IN_USE, SEALED)


@dataclass(frozen=True)
class Fleet:
    """All cars, the quotas in force from a month on, and which car carries which event."""

    city: City
    cars: tuple[Car, ...]
    quotas: tuple[tuple[str, str, int, int, int], ...]
    planted: dict[str, Car]

    def counted(self, key: str, month: int) -> list[Car]:
        """Return the cars that count as a body's own in a month."""
        return [
            car for car in self.cars
            if car.from_m <= month < car.to_m and car.status(month) in _COUNTED and car.holder(month) == key
        ]  # fmt: skip


def build(city: City) -> Fleet:
    """Hand out the cars, write the quotas on what is there, then let the years pass."""
    cars = list(_first_cars(city))
    slack = _slack(city)
    base = Counter((car.holder(FIRST), car.veh_class) for car in cars)
    quotas = {pair: count + slack.get(pair, _spare(city, pair)) for pair, count in sorted(base.items())}
    planted: dict[str, Car] = {}
    for name, plant in _PLANTS.items():
        planted[name] = plant(city, cars)
    moved = _to_platform(city, cars, set(map(id, planted.values())))
    _renew(city, cars, {*map(id, planted.values()), *map(id, moved)})
    spans = tuple(_quota_spans(quotas, Counter((car.holders[0][1], car.veh_class) for car in moved)))
    return Fleet(city, tuple(cars), spans, planted)


def _first_cars(city: City) -> Iterator[Car]:
    number = 1
    for body in (*city.bodies, city.platform):
        rng = dice(city.seed, "fleet", body.key)
        for veh_class in _classes(body, rng):
            model = model_for(veh_class, rng, _NEV_CHANCE)
            bought = bought_day(rng, model.fuel in ("纯电动", "插电混动"))
            yield new_car(number, model, veh_class, body.key, rng, bought)
            number += 1


def _classes(body: Body, rng: random.Random) -> list[str]:
    if body.key == PLATFORM:
        return [EMERGENCY] * 6 + [OTHER] * 28 + [COURIER] * 2
    if body.fleet == "police":
        return [COURIER] * 2 + [EMERGENCY] * 8 + [SPECIAL] * 22 + [ENFORCEMENT] * rng.randint(208, 232)
    table = {
        "office": [COURIER, COURIER, EMERGENCY, OTHER, OTHER, RETIRED_SERVICE],
        "bureau": [COURIER, EMERGENCY, OTHER, OTHER, *[OTHER] * rng.randint(0, 1)],
        "small": [COURIER, OTHER, OTHER],
        "enforcing": [COURIER, EMERGENCY, OTHER, OTHER, *[ENFORCEMENT] * rng.randint(2, 4)],
        "emergency": [COURIER, EMERGENCY, EMERGENCY, EMERGENCY, OTHER, SPECIAL],
        "justice": [COURIER, EMERGENCY, OTHER, *[ENFORCEMENT] * rng.randint(6, 8)],
        "county": [COURIER, EMERGENCY, OTHER, OTHER],
        "town": [EMERGENCY, OTHER, *[OTHER] * rng.randint(0, 2)],
    }
    return table.get(body.fleet, [])


def _slack(city: City) -> dict[tuple[str, str], int]:
    """The body that goes over its quota has no place to spare; the lender gets its car back."""
    return {(city.role("over_quota").key, OTHER): 0}


def _spare(city: City, pair: tuple[str, str]) -> int:
    most = {ENFORCEMENT: 2, OTHER: 1}.get(pair[1], 0)
    return dice(city.seed, "quota", *pair).randint(0, most)


def _take(cars: list[Car], key: str, veh_class: str) -> Car:
    return next(c for c in cars if c.holders == [(0, key)] and c.veh_class == veh_class and not c.states)


def _over_standard(city: City, cars: list[Car]) -> Car:
    """In place of an old car comes one far over price and displacement."""
    key = city.role("over_standard_car").key
    old = _take(cars, key, EMERGENCY)
    old.to_m = t.OVER_STANDARD_CAR
    return _added(city, cars, ILLEGAL, EMERGENCY, key, t.OVER_STANDARD_CAR)


def _over_quota(city: City, cars: list[Car]) -> Car:
    """One more car than the class may have."""
    key = city.role("over_quota").key
    rng = dice(city.seed, "over_quota")
    return _added(city, cars, model_for(OTHER, rng, 0.0), OTHER, key, t.OVER_QUOTA)


def _borrowed(city: City, cars: list[Car]) -> Car:
    """A county car drives for a city bureau for some months."""
    car = _take(cars, city.role("lender").key, OTHER)
    start, end = t.BORROWED
    car.holders = [(0, car.holders[0][1]), (start, city.role("borrower").key), (end, car.holders[0][1])]
    car.states = [(start, end, BORROWED)]
    return car


def _parked(city: City, cars: list[Car]) -> Car:
    """An emergency car stands sealed for a season: that is what it is for."""
    car = _take(cars, city.role("parked").key, EMERGENCY)
    car.states = [(*t.PARKED, SEALED)]
    return car


def _waiting(_: City, cars: list[Car]) -> Car:
    """An emergency car in use that nobody needs for months."""
    car = _take(cars, PLATFORM, EMERGENCY)
    car.idle = t.PARKED
    return car


def _holiday(city: City, cars: list[Car]) -> Car:
    """The car that is out in the National Day week without an order."""
    return _take(cars, city.role("holiday_trips").key, OTHER)


_PLANTS = {
    "over_standard_car": _over_standard,
    "over_quota": _over_quota,
    "borrowed": _borrowed,
    "parked": _parked,
    "waiting": _waiting,
    "holiday_trips": _holiday,
}


def _added(city: City, cars: list[Car], model: Model, veh_class: str, key: str, month: int) -> Car:
    rng = dice(city.seed, "new car", key, month)
    car = new_car(len(cars) + 1, model, veh_class, key, rng, day(month, 9))
    car.from_m = month
    cars.append(car)
    return car


def _to_platform(city: City, cars: list[Car], taken: set[int]) -> list[Car]:
    """Move plain cars of city bureaux to the shared platform."""
    givers = {b.key for b in city.bodies if b.level == "市" and b.fleet in ("office", "bureau", "small", "enforcing")}
    givers -= {"goa", city.role("overrun").key}
    plain = [
        c for c in cars if c.holder(FIRST) in givers and c.veh_class == OTHER and id(c) not in taken and not c.from_m
    ]
    moved = plain[::2] + plain[1::2]
    moved = moved[: min(MOVED_TO_PLATFORM, max(1, len(plain) - 2))]
    for car in moved:
        car.holders.append((t.PLATFORM, PLATFORM))
    return moved


def _renew(city: City, cars: list[Car], taken: set[int]) -> None:
    """Replace some cars past eight years by cars of new energy, one for one, never in the rush of December."""
    rng = dice(city.seed, "renewal")
    spared = {city.role("overrun").key, city.role("over_quota").key}
    for month in range(FIRST + 2, FIRST + LONGEST):
        old = [
            c for c in cars
            if id(c) not in taken and c.to_m == OPEN and not c.from_m and c.holder(month) not in spared
            and month - month_of(c.bought_on) >= 97
        ]  # fmt: skip
        if not old or moon(month) == 12 or rng.random() < 0.3:
            continue
        gone = rng.choice(old)
        gone.to_m = month
        _added(city, cars, model_for(gone.veh_class, rng, 0.9), gone.veh_class, gone.holder(month), month)


def _quota_spans(
    quotas: dict[tuple[str, str], int], moved: Counter[tuple[str, str]]
) -> Iterator[tuple[str, str, int, int, int]]:
    start = month_no(2020, 1)
    for (key, veh_class), quota in quotas.items():
        change = moved.total() if (key, veh_class) == (PLATFORM, OTHER) else -moved[key, veh_class]
        if not change:
            yield key, veh_class, quota, start, OPEN
            continue
        yield key, veh_class, quota, start, t.PLATFORM
        yield key, veh_class, quota + change, t.PLATFORM, OPEN


def vehicle_rows(fleet: Fleet, month: int, sent: dt.datetime) -> Iterator[Vehicle]:
    """Return the car register of a month as sent on a day."""
    for car in fleet.cars:
        if not car.listed(month):
            continue
        status = car.status(month)
        owner = fleet.city.code_of(car.holders[0][1], month, sent) if status == BORROWED else ""
        yield Vehicle(
            month, car.plate, fleet.city.code_of(car.holder(month), month, sent), car.vin, car.model.name,
            car.model.body, car.veh_class, _displacement(car), car.model.fuel, car.bought_on, car.price,
            car.bought_on + dt.timedelta(days=12), status, owner, car.approval,
            *month_of_car(fleet.city.seed, car, month),
        )  # fmt: skip


def _displacement(car: Car) -> Decimal | None:
    return Decimal(car.model.displacement) if car.model.displacement else None


def quota_rows(fleet: Fleet, sent: dt.datetime) -> Iterator[Quota]:
    """Return the quota list as exported on a day: bodies added up per unit, cut where they change."""
    parts: dict[tuple[str, str], list[tuple[int, int, int]]] = {}
    for key, veh_class, quota, start, end in fleet.quotas:
        for first, last in _knowable(start, end, sent):
            for code, begin, until in _by_code(fleet.city, key, first, last, sent):
                parts.setdefault((code, veh_class), []).append((begin, until, quota))
    for (code, veh_class), pieces in sorted(parts.items()):
        cuts = sorted({m for start, end, _ in pieces for m in (start, end)})
        for start, end in pairwise(cuts):
            held = [quota for first, last, quota in pieces if first <= start and end <= last]
            if held:
                doc = f"模车编〔{start // 12}〕{start % 12 + 1}号"
                yield Quota(code, veh_class, sum(held), doc, day(start, 1), None if end == OPEN else day(end, 1))


def _knowable(start: int, end: int, sent: dt.datetime) -> Iterator[tuple[int, int]]:
    """Nobody knows of the platform before it is decided."""
    decided = sent >= QUOTA_EXPORTS[-1]
    if decided or start < t.PLATFORM:
        yield start, end if decided or end != t.PLATFORM else OPEN


def _by_code(city: City, key: str, start: int, end: int, sent: dt.datetime) -> Iterator[tuple[str, int, int]]:
    if start < t.MERGER < end and city.code_of(key, t.MERGER, sent) != city.code_of(key, start, sent):
        yield city.code_of(key, start, sent), start, t.MERGER
        yield city.code_of(key, t.MERGER, sent), t.MERGER, end
    else:
        yield city.code_of(key, start, sent), start, end
