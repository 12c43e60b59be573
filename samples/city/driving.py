"""What the cars do and cost: journeys with their orders, receipts for fuel, repair, insurance and tolls."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from samples.city import timeline as t
from samples.city.bodies import PLATFORM, City
from samples.city.calendar import FIRST, day, days_in, label, month_of, moon, working_days
from samples.city.cars import DIESEL, ELECTRIC, EMERGENCY, ENFORCEMENT, HYBRID, Car
from samples.city.chance import cents, dice, places
from samples.city.fleet import Fleet
from samples.city.prices import Prices
from samples.city.records import Expense, Trip

FUEL, CHARGE, REPAIR, INSURANCE, TOLL, PARKING, INSPECTION, TOPUP = (
    "加油", "充电", "维修", "保险", "过路", "停车", "年检", "充值"
)  # fmt: skip
TOPUP_AMOUNT = Decimal("60000.00")
_PURPOSES = ("调研检查", "参加会议", "送取文件", "项目督导", "基层走访", "应急处置", "信访接待", "外出培训")
_PLACES = ("市民中心", "启明区", "远山县", "青石镇", "柳泉镇", "双河镇", "白杨镇", "高铁站", "省城", "经开区")
_TRIPS_A_MONTH = (1, 1, 2, 2, 2, 3)
HOLIDAY_TRIPS, SENSITIVE_STOPS = 5, 2


@dataclass(frozen=True)
class Held:
    """A row of a month with the body it belongs to; the code follows when it is sent."""

    key: str
    row: Trip | Expense


def drive(fleet: Fleet, prices: Prices, months: int) -> tuple[dict[int, list[Held]], dict[int, list[Held]]]:
    """Return journeys and receipts by month; the unit of each row is filled in when it is sent."""
    trips: dict[int, list[Held]] = {}
    receipts: dict[int, list[Held]] = {}
    odometers: dict[str, float] = {}
    for month in range(FIRST, FIRST + months):
        rng = dice(fleet.city.seed, "driving", month)
        trips[month] = sorted(_journeys(fleet, month, rng), key=lambda held: (held.row[1], held.row[0]))
        trips[month] = _numbered(trips[month], month)
        receipts[month] = list(_receipts(fleet, prices, month, rng, odometers))
    return trips, receipts


def _journeys(fleet: Fleet, month: int, rng: random.Random) -> Iterator[Held]:
    days = working_days(month)
    for car in fleet.cars:
        if not car.drives(month):
            continue
        count = rng.choice(_TRIPS_A_MONTH)
        for date in sorted(rng.sample(days, count)):
            yield Held(car.holder(month), _journey(car, date, count, rng))
    if month == t.HOLIDAY_TRIPS:
        yield from _holiday_journeys(fleet.planted["holiday_trips"], month, rng)


def _journey(car: Car, date: dt.date, count: int, rng: random.Random) -> Trip:
    """One journey; patrols and stand-by of police and emergency cars run at any hour without an order."""
    on_duty = car.veh_class == ENFORCEMENT and rng.random() < 0.55
    on_duty = on_duty or (car.veh_class == EMERGENCY and rng.random() < 0.12)
    hour = rng.randint(18, 23) if on_duty else rng.randint(8, 14)
    start = dt.datetime(date.year, date.month, date.day, hour, rng.randint(0, 59))
    km = places(car.km_year / 12 / count * rng.uniform(0.75, 1.25), 1)
    hours = rng.uniform(5, 9) if on_duty else max(1.0, min(float(km) / 55, 9) + rng.uniform(0, 1.5))
    end = start + dt.timedelta(minutes=round(hours * 60))
    purpose = "值班备勤巡逻" if on_duty else rng.choice(_PURPOSES)
    origin, destination = rng.sample(_PLACES, 2)
    when = "非工作时段" if hour >= 18 else "工作时段"
    return Trip(
        car.plate, start, end, "", "" if on_duty else "order", km, purpose, on_duty, origin, destination, car.veh_class,
        car.model.fuel, when, 0,
    )  # fmt: skip


def _holiday_journeys(car: Car, month: int, rng: random.Random) -> Iterator[Held]:
    for number in range(1, HOLIDAY_TRIPS + 1):
        date = day(month, number)
        start = dt.datetime(date.year, date.month, date.day, rng.randint(9, 11), rng.randint(0, 59))
        end = start + dt.timedelta(minutes=rng.randint(180, 420))
        km = places(rng.uniform(60, 180), 1)
        trip = Trip(
            car.plate, start, end, "", "", km, "", False, "市民中心", "远山县", car.veh_class, car.model.fuel, "法定节假日",
            int(number <= SENSITIVE_STOPS),
        )  # fmt: skip
        yield Held(car.holder(month), trip)


def _numbered(held: list[Held], month: int) -> list[Held]:
    """Give each ordered journey its order number in the order of departure."""
    stamp = label(month).replace("-", "")
    rows = []
    for number, one in enumerate(held, 1):
        row = one.row
        if isinstance(row, Trip) and row.order_no:
            row = row._replace(order_no=f"PC{stamp}{number:05d}")
        rows.append(Held(one.key, row))
    return rows


def _receipts(
    fleet: Fleet, prices: Prices, month: int, rng: random.Random, odometers: dict[str, float]
) -> Iterator[Held]:
    number, marks = 0, dice(fleet.city.seed, "receipt marks", month)
    for car in fleet.cars:
        if not car.drives(month):
            continue
        for expense in _of_car(car, prices, month, rng, odometers):
            number += 1
            yield Held(car.holder(month), _marked(expense, car, marks)._replace(receipt_no=_receipt_no(month, number)))
    if month == t.TOPUP:
        card = next(c for c in fleet.cars if c.holders[0][1] == PLATFORM)
        topup = Expense(
            _receipt_no(month, number + 1), card.plate, "", TOPUP, day(month, 18), None, None, TOPUP_AMOUNT, None
        )
        yield Held(PLATFORM, topup)


def _marked(expense: Expense, car: Car, rng: random.Random) -> Expense:
    """What the platform adds: the class of the car, whether the place is a designated one, and a doubt now and then."""
    designated = rng.random() < 0.985 if expense.kind in (FUEL, REPAIR, INSURANCE) else None
    alert = (
        rng.choice(("超油箱容积", "非工作时段", "同日异地")) if expense.kind == FUEL and rng.random() < 0.003 else ""
    )
    return expense._replace(veh_class=car.veh_class, fuel=car.model.fuel, designated=designated, alert=alert)


def _receipt_no(month: int, number: int) -> str:
    return f"FY{label(month).replace('-', '')}{number:05d}"


def _of_car(car: Car, prices: Prices, month: int, rng: random.Random, odometers: dict[str, float]) -> Iterator[Expense]:
    km = car.km_year / 12 * rng.uniform(0.85, 1.15)
    driven = odometers.get(car.plate, car.km_year * max(0, month - month_of(car.bought_on)) / 12) + km
    odometers[car.plate] = driven
    yield from _energy_of_car(car, prices, month, rng, km, round(driven))
    for kind, amount in _other_costs(car, month, rng, km):
        yield Expense("", car.plate, "", kind, _some_day(month, rng), None, None, cents(amount), None)


def _energy_of_car(
    car: Car, prices: Prices, month: int, rng: random.Random, km: float, odometer: int
) -> Iterator[Expense]:
    fuel, rate = car.model.fuel, car.model.per_100_km * rng.uniform(0.93, 1.07)
    if fuel in (ELECTRIC, HYBRID):
        winter = 1.25 if moon(month) in (12, 1, 2) else 1.0
        kwh = places(km * (rate if fuel == ELECTRIC else 6.0) * winter / 100, 2)
        price = places(rng.uniform(0.95, 1.35), 2)
        date = _some_day(month, rng)
        yield Expense("", car.plate, "", CHARGE, date, kwh, price, cents(float(kwh * price)), odometer)
    if fuel == ELECTRIC:
        return
    litres = km * rate / 100 * (0.7 if fuel == HYBRID else 1.0)
    fills = 1 if litres < 95 else 2
    price = places(prices.of("diesel" if fuel == DIESEL else "gasoline", month), 2)
    for _ in range(fills):
        quantity = places(litres / fills, 2)
        date = _some_day(month, rng)
        yield Expense("", car.plate, "", FUEL, date, quantity, price, cents(float(quantity * price)), odometer)


def _other_costs(car: Car, month: int, rng: random.Random, km: float) -> Iterator[tuple[str, float]]:
    busy = 1.7 if car.veh_class == ENFORCEMENT else 1.0
    if rng.random() < 0.18 * busy:
        yield REPAIR, rng.uniform(700, 2900)
    if moon(month) == car.bought_on.month:
        yield INSURANCE, rng.uniform(2600, 4100)
        yield INSPECTION, rng.uniform(180, 360)
    if rng.random() < 0.38:
        yield TOLL, km * rng.uniform(0.12, 0.3)
    if rng.random() < 0.15:
        yield PARKING, rng.uniform(20, 160)


def _some_day(month: int, rng: random.Random) -> dt.date:
    return day(month, rng.randint(2, days_in(month) - 1))


def as_sent(city: City, held: list[Held], month: int, sent: dt.datetime) -> list[Trip | Expense]:
    """Return rows with the unit code under which they are sent on a day."""
    codes: dict[str, str] = {}
    rows: list[Trip | Expense] = []
    for one in held:
        code = codes.get(one.key) or codes.setdefault(one.key, city.code_of(one.key, month, sent))
        rows.append(one.row._replace(unit=code))
    return rows
