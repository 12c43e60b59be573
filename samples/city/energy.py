"""Energy and water of each body and month, the forms as they are filled in, and the meters behind them."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import cache

from samples.city import timeline as t
from samples.city.bodies import Body, City
from samples.city.calendar import FIRST, moon, year_of
from samples.city.chance import dice, places
from samples.city.driving import FUEL, Held
from samples.city.fleet import Fleet
from samples.city.panels import panels
from samples.city.people import Heads
from samples.city.prices import Prices
from samples.city.records import CARRIERS, Energy, Expense, Meter, Use
from samples.city.space import Ground

BLANK = Use(None, None)
_ELECTRIC_SHAPE = (1.15, 0.85, 0.90, 0.75, 0.82, 1.08, 1.28, 1.32, 1.00, 0.80, 0.95, 1.10)
_WATER_SHAPE = (0.86, 0.80, 0.92, 0.96, 1.02, 1.12, 1.18, 1.18, 1.06, 1.00, 0.98, 0.92)
_HEAT_SHAPE = (0.27, 0.22, 0.13, 0, 0, 0, 0, 0, 0, 0, 0.14, 0.24)
_KWH_M2 = {"市": (48, 68), "县": (42, 60), "乡": (28, 42)}
_KWH_M2_OF = {"service": (96, 118), "police": (60, 72), "data": (60, 70)}
SAVED = 0.82
LEAK = 3.4
MILD = 0.84
SHARED_METER = "D-0001"
COAL_HEATED = "t1"
"""A town that heats with a boiler of its own."""
GREEN_POWER = ("goa", "service")
GENERATORS = ("police", "goa", "court")
SUB_ITEMS = {"A1": 0.40, "B1": 0.31, "C1": 0.14, "D1": 0.12}
"""Parts of the power counted by sub-meters; cooling swings with the season, a little is counted by none."""
_COOLING = (1.15, 1.05, 0.8, 0.55, 0.7, 1.1, 1.5, 1.5, 1.0, 0.6, 0.8, 1.1)


@dataclass(frozen=True)
class Consumption:
    """What was truly used by each body, and its nature per square metre and head."""

    city: City
    uses: dict[tuple[str, int], tuple[Use, ...]]

    def cost(self, key: str, month: int, *carriers: str) -> Decimal:
        """Return what a body's carriers cost in a month."""
        row = dict(zip(CARRIERS, self.uses[key, month], strict=True))
        return sum((row[carrier].cost or Decimal(0) for carrier in carriers), Decimal(0))


@dataclass(frozen=True)
class _Nature:
    kwh_m2: float
    heat_gj_m2: float
    gas_m3_m2: float
    water_m3_head: float


def consume(
    city: City, ground: Ground, fleet: Fleet, census: dict[tuple[str, int], Heads], prices: Prices,
    receipts: dict[int, list[Held]],
) -> Consumption:  # fmt: skip
    """Simulate every body's use in every month."""
    fuel = _fuel_by_body(fleet, receipts)
    uses: dict[tuple[str, int], tuple[Use, ...]] = {}
    for body in city.bodies:
        rng = dice(city.seed, "energy", body.key)
        nature = _nature(body, rng)
        for month in sorted(receipts):
            area, heads = float(ground.gross(body.key, month)), census[body.key, month].energy
            petrol, diesel = (fuel.get((body.key, month, carrier), BLANK) for carrier in ("gasoline", "diesel"))
            uses[body.key, month] = _month(city, body, nature, month, area, heads, rng, prices, petrol, diesel)
    _share_a_meter(city, uses, prices)
    return Consumption(city, uses)


def _nature(body: Body, rng: random.Random) -> _Nature:
    low, high = _KWH_M2_OF.get(body.key, _KWH_M2[body.level])
    gas = rng.uniform(0.2, 0.6) if rng.random() < 0.7 else 0.0
    return _Nature(rng.uniform(low, high), rng.uniform(0.25, 0.32), gas, rng.uniform(16, 26))


def _month(
    city: City, body: Body, nature: _Nature, month: int, area: float, heads: int, rng: random.Random,
    prices: Prices, petrol: Use, diesel: Use,
) -> tuple[Use, ...]:  # fmt: skip
    at = moon(month) - 1
    growth = 1 + 0.004 * (year_of(month) - year_of(FIRST))
    power = area * nature.kwh_m2 * growth / 12 * _ELECTRIC_SHAPE[at] * rng.uniform(0.95, 1.05)
    if body.key == city.role("retrofit").key and month >= t.RETROFIT:
        power *= SAVED
    water = heads * nature.water_m3_head / 12 * _WATER_SHAPE[at] * rng.uniform(0.93, 1.07)
    if body.key == city.role("leak").key and month in t.LEAK:
        water *= LEAK
    heat = area * 0.92 * nature.heat_gj_m2 * _HEAT_SHAPE[at] * rng.uniform(0.96, 1.04)
    heat *= MILD if month in t.MILD_WINTER else 1.0
    gas = area * nature.gas_m3_m2 / 12 * rng.uniform(0.85, 1.15)
    burns_coal = body.key == COAL_HEATED
    return (
        _use("electricity", power, 0, month, prices),
        _water(city, body, nature, month, heads, water, prices),
        _use("natural_gas", gas, 0, month, prices) if nature.gas_m3_m2 else BLANK,
        _use("coal_raw", heat * 1000 / 20.9 / 0.72, 0, month, prices) if heat and burns_coal else BLANK,
        petrol,
        diesel,
        _use("heat", heat, 1, month, prices) if heat and not burns_coal else BLANK,
        Use(panels(body.key, month), None),
        Use(places(power * 0.2, 0), None) if body.key in GREEN_POWER and month >= t.GREEN_POWER else BLANK,
        _use("diesel_other", 60 + area / 900, 0, month, prices) if body.key in GENERATORS and at % 3 == 0 else BLANK,
    )


def _water(city: City, body: Body, nature: _Nature, month: int, heads: int, water: float, prices: Prices) -> Use:
    """The bimonthly bill: nothing in odd months, two months' water in even ones, year after year."""
    if body.key != city.role("bimonthly").key:
        return _use("water", water, 0, month, prices)
    if moon(month) % 2:
        return Use(Decimal(0), Decimal("0.00"))
    wave = (water / (heads * nature.water_m3_head / 12) - 1) * 0.3 + 1
    return _use("water", 2 * heads * nature.water_m3_head / 12 * wave, 0, month, prices)


def _use(carrier: str, quantity: float, digits: int, month: int, prices: Prices) -> Use:
    amount = places(quantity, digits)
    return Use(amount, (amount * _price(prices, carrier, month)).quantize(Decimal("0.01"), ROUND_HALF_UP))


def _price(prices: Prices, carrier: str, month: int) -> Decimal:
    return Decimal(str(prices.of(carrier.removesuffix("_other"), month)))


def _fuel_by_body(fleet: Fleet, receipts: dict[int, list[Held]]) -> dict[tuple[str, int, str], Use]:
    """Fuel of the energy form is the fuel of the receipts; the platform's cars refuel on the administration."""
    diesel = {car.plate for car in fleet.cars if car.model.fuel == "柴油"}
    sums: dict[tuple[str, int, str], Use] = {}
    for month, held in receipts.items():
        for one in held:
            row = one.row
            if not isinstance(row, Expense) or row.kind != FUEL or row.quantity is None:
                continue
            key = "goa" if one.key == "platform" else one.key
            place = (key, month, "diesel" if row.plate in diesel else "gasoline")
            before = sums.get(place, Use(Decimal(0), Decimal(0)))
            sums[place] = Use((before.quantity or 0) + row.quantity, (before.cost or 0) + row.amount)
    return sums


def _share_a_meter(city: City, uses: dict[tuple[str, int], tuple[Use, ...]], prices: Prices) -> None:
    """Two bodies behind one power meter: each is allotted a fixed part, to the kWh."""
    first, second = city.role("meter_first").key, city.role("meter_second").key
    for month in sorted({month for _, month in uses}):
        pair = [uses[key, month] for key in (first, second)]
        total = sum((row[0].quantity or Decimal(0) for row in pair), Decimal(0))
        part = (total * Decimal("0.45")).quantize(Decimal(1), ROUND_HALF_UP)
        for key, row, amount in zip((first, second), pair, (part, total - part), strict=True):
            uses[key, month] = (_use("electricity", float(amount), 0, month, prices), *row[1:])


def form_rows(consumption: Consumption, month: int, sent: dt.datetime) -> Iterator[Energy]:
    """Return the energy form of a month as it is filled in: per unit, with one clerk's copy of the month before."""
    city = consumption.city
    copied = city.role("copied").code
    for row in _true_rows(consumption, month, sent):
        if row.unit == copied and month == t.COPIED:
            last = next(r for r in _true_rows(consumption, month - 1, sent) if r.unit == copied)
            yield row._replace(uses=last.uses)
        else:
            yield row


def _true_rows(consumption: Consumption, month: int, sent: dt.datetime) -> Iterable[Energy]:
    city = consumption.city
    sharing = {city.role("meter_first").code, city.role("meter_second").code}
    rows: dict[str, Energy] = {}
    for body in city.bodies:
        code = city.code_of(body.key, month, sent)
        uses = consumption.uses[body.key, month]
        if code in rows:
            uses = tuple(_plus(a, b) for a, b in zip(rows[code].uses, uses, strict=True))
        rows[code] = Energy(code, month, uses, code in sharing)
    return rows.values()


def _plus(a: Use, b: Use) -> Use:
    if a.quantity is None or b.quantity is None:
        return b if a.quantity is None else a
    return Use(a.quantity + b.quantity, (a.cost or Decimal(0)) + (b.cost or Decimal(0)))


def meter_rows(consumption: Consumption, months: Iterable[int]) -> Iterator[Meter]:
    """Return readings of the shared meter, of the main meters of the others, and of the sub-meters below these."""
    city = consumption.city
    first, second = city.role("meter_first"), city.role("meter_second")
    meters: list[tuple[str, Body, tuple[str, ...]]] = [(SHARED_METER, first, (first.key, second.key))]
    others = [b for b in city.bodies if b.key not in (first.key, second.key, "culture", "sports", "data", "dev")]
    meters += [(f"D-{1001 + n}", body, (body.key,)) for n, body in enumerate(others)]
    for month in months:
        for meter_no, body, keys in meters:
            yield _reading(consumption, meter_no, body, keys, month)
            if meter_no != SHARED_METER:
                yield from (_sub_reading(consumption, meter_no, body, item, month) for item in SUB_ITEMS)


def _reading(consumption: Consumption, meter_no: str, body: Body, keys: tuple[str, ...], month: int) -> Meter:
    powers = [sum((consumption.uses[key, m][0].quantity or Decimal(0) for key in keys), Decimal(0))
              for m in range(FIRST, month + 1)]  # fmt: skip
    return _metered(consumption.city, meter_no, body, "", powers, month, with_hours=True)


def _sub_reading(consumption: Consumption, meter_no: str, body: Body, item: str, month: int) -> Meter:
    powers = [_sub_power(consumption.uses[body.key, m][0].quantity or Decimal(0), item, m)
              for m in range(FIRST, month + 1)]  # fmt: skip
    return _metered(consumption.city, f"{meter_no}-{item}", body, item, powers, month)


@cache
def _sub_power(power: Decimal, item: str, month: int) -> Decimal:
    parts = {name: share * (_COOLING[moon(month) - 1] if name == "B1" else 1.0) for name, share in SUB_ITEMS.items()}
    return places(float(power) * 0.97 * parts[item] / sum(parts.values()), 0)


def _metered(
    city: City, meter_no: str, body: Body, item: str, powers: list[Decimal], month: int, *, with_hours: bool = False
) -> Meter:
    ratio = Decimal(40)
    start = Decimal(dice(city.seed, meter_no).randint(1000, 9000))
    previous, current = start + sum(powers[:-1]) / ratio, start + sum(powers) / ratio
    quantity = (current - previous) * ratio
    night = day = None
    if with_hours:
        base = 0.36 if body.key in ("police", "service", "data") else 0.22
        rng = dice(city.seed, "hours", meter_no, month)
        day = places(float(quantity) * rng.uniform(0.49, 0.53), 0)
        night = places(float(day) / 8 * 5 * base * rng.uniform(0.9, 1.15), 0)
    return Meter(meter_no, month, body.code, "", "electricity", previous, current, ratio, quantity, item, night, day)


def in_ten_thousands(row: Energy) -> Energy:
    """Return a form whose costs in yuan were written under a heading of 万元: ten thousand times too much."""
    uses = tuple(use if use.cost is None else Use(use.quantity, use.cost * 10000) for use in row.uses)
    return row._replace(uses=uses)
