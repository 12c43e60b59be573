"""What is kept beside the fleet register: marks, dates due, days on the road, cars disposed of, cars hired."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import NamedTuple

from samples.city.bodies import City
from samples.city.calendar import day, days_in, has_holiday, label, month_of, moon, working_days, year_of
from samples.city.cars import COURIER, EMERGENCY, ENFORCEMENT, IN_USE, SEALED, SPECIAL, Car
from samples.city.chance import cents, dice, places

_ON_DUTY = (COURIER, EMERGENCY, ENFORCEMENT, SPECIAL)
_SHARE_OF_DAYS = {ENFORCEMENT: (0.55, 0.85), EMERGENCY: (0.12, 0.35), COURIER: (0.3, 0.6), SPECIAL: (0.1, 0.3)}
_OLD_ENOUGH = 96


class Month(NamedTuple):
    """What one car did in one month and what is due."""

    marking: str
    on_platform: bool
    inspection_due: dt.date
    insurance_due: dt.date
    holiday_seal: str
    days_available: int
    days_used: int
    device_days: int
    online_days: int


class Disposal(NamedTuple):
    """One car as it left the fleet."""

    plate: str
    unit: str
    veh_class: str
    bought_on: dt.date
    disposed_on: dt.date
    method: str
    income: Decimal
    remitted: Decimal
    approval: str
    early_approval: str


class Rental(NamedTuple):
    """One hire from outside."""

    rental_no: str
    unit: str
    rented_on: dt.date
    rental_kind: str
    days: Decimal
    km: Decimal
    supplier: str
    amount: Decimal


def month_of_car(seed: int, car: Car, month: int) -> Month:
    """Return what the platform tells of a car in a month."""
    marks, rng = dice(seed, "marks", car.plate), dice(seed, "month of car", car.plate, month)
    marking = "免喷" if car.veh_class == ENFORCEMENT and marks.random() < 0.12 else _often(marks.random(), 0.97)
    on_platform = marks.random() < 0.975
    status = car.status(month)
    available = max(0, len(working_days(month)) - (rng.randint(0, 3) if rng.random() < 0.3 else 0))
    available = available if status != SEALED and month < car.to_m else 0
    share = rng.uniform(*_SHARE_OF_DAYS.get(car.veh_class, (0.28, 0.62)))
    used = round(available * share) if car.drives(month) else 0
    devices = days_in(month) if on_platform and month < car.to_m else 0
    online = round(devices * rng.uniform(0.955, 1.0))
    return Month(
        marking, on_platform, _due(car, month, 28), _due(car, month, 20), _seal(car, month, rng.random()), available,
        used, devices, online,
    )  # fmt: skip


def _often(chance: float, share: float) -> str:
    return "是" if chance < share else "否"


def _due(car: Car, month: int, number: int) -> dt.date:
    """The next anniversary of the purchase: what falls into the month told has been done."""
    ahead = (car.bought_on.month - moon(month) - 1) % 12 + 1
    return day(month + ahead, number)


def _seal(car: Car, month: int, chance: float) -> str:
    """How the car stood over the holidays of a month; blank in a month without any."""
    if not has_holiday(month) or car.status(month) not in (IN_USE, SEALED):
        return ""
    if car.status(month) == SEALED:
        return "已封存"
    return "免封存" if car.veh_class in _ON_DUTY else "已封存" if chance < 0.97 else "未封存"


def disposal_rows(city: City, cars: Iterable[Car], month: int, sent: dt.datetime) -> list[Disposal]:
    """Return the cars that left in a month; what they brought goes to the treasury."""
    return [_disposal(city, car, month, sent) for car in cars if car.to_m == month]


def _disposal(city: City, car: Car, month: int, sent: dt.datetime) -> Disposal:
    rng = dice(city.seed, "disposal", car.plate)
    old = month - month_of(car.bought_on) >= _OLD_ENOUGH
    auction = rng.random() < 0.7
    income = places(rng.uniform(9_000, 42_000) if auction else rng.uniform(700, 2_400), 0) + Decimal("0.00")
    doc = f"模机管车〔{year_of(month)}〕{rng.randint(2, 60)}号"
    remitted = income if rng.random() < 0.9 else Decimal("0.00")
    return Disposal(
        car.plate, city.code_of(car.holder(month), month, sent), car.veh_class, car.bought_on, day(month, 16),
        "公开拍卖" if auction else "报废", income, remitted, doc, "" if old else doc,
    )  # fmt: skip


def rental_rows(city: City, month: int, sent: dt.datetime) -> list[Rental]:
    """Return the hires of a month: bureaux with few cars rent for groups and far trips."""
    rows = list(_hires(city, month, sent))
    stamp = label(month).replace("-", "")
    return [row._replace(rental_no=f"ZC{stamp}{number:04d}") for number, row in enumerate(rows, 1)]


def _hires(city: City, month: int, sent: dt.datetime) -> Iterator[Rental]:
    for body in city.bodies:
        rng = dice(city.seed, "rentals", body.key, month)
        for _ in range(rng.choice((0, 0, 1, 1, 2)) if body.fleet in ("bureau", "small") else 0):
            days = Decimal(rng.choice((1, 1, 1, 2, 3)))
            km = places(rng.uniform(60, 260) * float(days), 1)
            yield Rental(
                "", city.code_of(body.key, month, sent), rng.choice(working_days(month)), "单次租赁", days, km,
                rng.choice(("顺达汽车租赁有限公司", "捷行出行服务公司")), cents(float(days) * rng.uniform(380, 760)),
            )  # fmt: skip
