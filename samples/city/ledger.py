"""The ledger: what each body pays in each month, line by line, and the month that was sent again."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from samples.city import timeline as t
from samples.city.bodies import Body, City
from samples.city.calendar import label, month_no, moon, working_days, year_of
from samples.city.cars import Car
from samples.city.chance import dice, split
from samples.city.contracts import CUSTODY, PROPERTY, Services
from samples.city.driving import Held
from samples.city.energy import Consumption
from samples.city.fleet import Fleet
from samples.city.items import (
    ABROAD,
    BESIDE,
    CAR_PURCHASE,
    CAR_RUNNING,
    DEPRECIATED,
    HEATING,
    HOUSING_FUND,
    LARGE_REPAIR,
    POWER,
    PROPERTY_FEE,
    RECEPTION,
    RENT,
    REST,
    WATER,
    Item,
)  # fmt: skip
from samples.city.people import Heads
from samples.city.records import Expense, Payment
from samples.city.space import Ground

PACE = (0.026, 0.028, 0.050, 0.070, 0.076, 0.087, 0.085, 0.083, 0.098, 0.098, 0.124, 0.175)
"""Shares of a year by month: a slow first quarter, a heavy last one."""
_PER_HEAD = {"市": (30_000, 47_000), "县": (25_000, 35_000), "乡": (18_000, 28_000), "police": (58_000, 66_000)}
_FUNCTION = {"police": "2040201", "court": "2040501", "procuratorate": "2040401", "school": "2050802",
             "archive": "2012604", "library": "2070104"}  # fmt: skip
_ABROAD = (("office", 5), ("commerce", 6), ("dev", 9), ("edu", 9), ("gov", 5))
RENT_A_DAY = 1.2


@dataclass(frozen=True)
class Entry:
    """One voucher line of one body, before its unit code is written in."""

    key: str
    item: Item
    payment: Payment


@dataclass(frozen=True)
class Ledger:
    """All entries by month, and the one month as it was sent again."""

    city: City
    months: dict[int, list[Entry]]
    restated: list[Entry]

    def of(self, month: int, sent: dt.datetime) -> list[Entry]:
        """Return the entries of a month as they stood in the books on a day."""
        return self.restated if month == t.RESTATED and sent >= t.RESTATED_ON else self.months[month]


@dataclass(frozen=True)
class Sources:
    """What the ledger is fed from."""

    city: City
    census: dict[tuple[str, int], Heads]
    ground: Ground
    fleet: Fleet
    consumption: Consumption
    services: Services
    receipts: dict[int, list[Held]]


Line = tuple[Item, Decimal, str]
"""An item, its amount in a month and the contract it is paid on."""


def keep_books(sources: Sources) -> Ledger:
    """Book every month; a body's entries of a month stand together."""
    amounts = _amounts(sources)
    months: dict[int, list[Entry]] = {}
    for month in sorted(sources.receipts):
        serial = iter(range(1, 100_000))
        months[month] = [
            entry
            for body in sources.city.bodies
            for entry in _entries(sources.city, body, month, amounts.get((body.key, month), []), serial)
        ]
    return Ledger(sources.city, months, _restated(sources.city, months.get(t.RESTATED, [])))


def _amounts(sources: Sources) -> dict[tuple[str, int], list[Line]]:
    amounts: dict[tuple[str, int], list[Line]] = defaultdict(list)
    for body in sources.city.bodies:
        fixed = _fixed(sources, body)
        for month, lines in fixed.items():
            amounts[body.key, month] += lines
        for month, lines in _rest(sources, body, fixed).items():
            amounts[body.key, month] += lines
        for month, lines in _large_repairs(sources, body).items():
            amounts[body.key, month] += lines
    return amounts


def _fixed(sources: Sources, body: Body) -> dict[int, list[Line]]:
    """What follows from bills, contracts, receipts and rents."""
    found: dict[int, list[Line]] = defaultdict(list)
    running, bought = _cars(sources, body)
    for month in sorted(sources.receipts):
        lines = found[month]
        lines += _utilities(sources, body, month)
        lines += [(PROPERTY_FEE, amount, deal.contract_no) for deal, amount in sources.services.due(month)
                  if deal.key == body.key and deal.kind == PROPERTY]  # fmt: skip
        lines.append((CAR_RUNNING, running.get(month, Decimal(0)), ""))
        lines += [(CAR_PURCHASE, car.price, "") for car in bought.get(month, ())]
        rented = sum((s.gross for s in sources.ground.shares
                      if s.key == body.key and s.tenure == "租用" and s.from_m <= month < s.to_m), Decimal(0))  # fmt: skip
        lines.append((RENT, _yuan(float(rented) * RENT_A_DAY * 30), ""))
    _hospitality(sources.city, body, running, bought, found)
    return found


def _yuan(value: float) -> Decimal:
    return Decimal(round(value * 100)).scaleb(-2)


def _utilities(sources: Sources, body: Body, month: int) -> Iterator[Line]:
    use = sources.consumption
    yield WATER, use.cost(body.key, month, "water"), ""
    custody = [
        (deal, amount) for deal, amount in sources.services.due(month) if deal.kind == CUSTODY and deal.key == body.key
    ]
    if custody:
        deal, amount = custody[0]
        yield POWER, amount, deal.contract_no
        return
    yield POWER, use.cost(body.key, month, "electricity"), ""
    yield HEATING, use.cost(body.key, month, "natural_gas", "heat"), ""


def _cars(sources: Sources, body: Body) -> tuple[dict[int, Decimal], dict[int, list[Car]]]:
    """Running cost from the receipts and purchases from the register; the administration pays for the platform."""
    mine = {body.key, "platform"} if body.key == "goa" else {body.key}
    running: dict[int, Decimal] = defaultdict(Decimal)
    for month, held in sources.receipts.items():
        for one in held:
            if one.key in mine and isinstance(one.row, Expense):
                running[month] += one.row.amount
    bought: dict[int, list[Car]] = defaultdict(list)
    for car in sources.fleet.cars:
        if car.from_m and car.holder(car.from_m) in mine:
            bought[car.from_m].append(car)
    return running, bought


def _hospitality(
    city: City, body: Body, running: dict[int, Decimal], bought: dict[int, list[Car]], found: dict[int, list[Line]]
) -> None:
    """Reception follows the size of the car costs; a few bodies travel abroad once a year."""
    rng = dice(city.seed, "hospitality", body.key)
    for year in sorted({year_of(month) for month in found}):
        cars = float(sum((running.get(month_no(year, n), Decimal(0)) for n in range(1, 13)), Decimal(0)))
        usual = max(9_000.0, cars * rng.uniform(0.13, 0.22))
        overrun = body.key == city.role("overrun").key and year == t.OVERRUN_YEAR
        cars += float(sum((car.price for n in range(1, 13) for car in bought.get(month_no(year, n), ())), Decimal(0)))
        total = overrun_total(usual, cars) if overrun else usual
        for month in (month_no(year, n) for n in range(1, 13)):
            share = PACE[moon(month) - 1] * rng.uniform(0.85, 1.15)
            if overrun:
                share = 0.094 if moon(month) < 11 else 0.03
            found[month].append((RECEPTION, _yuan(total * share), ""))
        for key, number in _ABROAD:
            if key == body.key:
                found[month_no(year, number)].append((ABROAD, _yuan(rng.uniform(28_000, 62_000)), ""))


def overrun_total(usual: float, cars: float) -> float:
    """What is spent on reception when it bursts its item and the three public expenses of the unit."""
    return max(66_000.0, usual * 1.45 + cars * 0.35)


def _rest(sources: Sources, body: Body, fixed: dict[int, list[Line]]) -> dict[int, list[Line]]:
    """Spread what is left of the yearly cost over the other items."""
    rng = dice(sources.city.seed, "ledger", body.key)
    found: dict[int, list[Line]] = defaultdict(list)
    low, high = _PER_HEAD["police" if body.fleet == "police" else body.level]
    per_head = rng.uniform(low, high)
    wear = rng.uniform(0.06, 0.1)
    for year in sorted({year_of(month) for month in fixed}):
        heads = sources.census[body.key, month_no(year, 1)].actual
        target = per_head * heads * (1 - 0.012 * (year - 2024)) * rng.uniform(0.985, 1.01)
        booked = float(sum((amount for month in fixed if year_of(month) == year for item, amount, _ in fixed[month]
                            if item.code.startswith("302")), Decimal(0)))  # fmt: skip
        left = max(target * 0.42, target * (1 - wear) - booked)
        pace = _pace(sources.city, body, year)
        for number in range(12):
            month = month_no(year, number + 1)
            for item in (*REST, *BESIDE):
                found[month].append((item, _yuan(left * item.weight * pace[number] * rng.uniform(0.88, 1.12)), ""))
            found[month].append((DEPRECIATED, _yuan(target * wear / 12), ""))
            found[month].append((HOUSING_FUND, _yuan(heads * 1180 * rng.uniform(0.99, 1.01)), ""))
    return found


def _large_repairs(sources: Sources, body: Body) -> dict[int, list[Line]]:
    """Every few years a house is repaired at large; those who carry a story about their spending are spared."""
    city = sources.city
    if body in (city.role("rush"), city.role("overrun"), city.role("shrunk"), city.role("restated")):
        return {}
    rng = dice(city.seed, "large repairs", body.key)
    years = sorted({year_of(month) for month in sources.receipts})
    return {month_no(year, rng.randint(5, 10)): [(LARGE_REPAIR, _yuan(rng.uniform(90_000, 620_000)), "")]
            for year in years if rng.random() < 0.22}  # fmt: skip


def _pace(city: City, body: Body, year: int) -> tuple[float, ...]:
    """The year's rhythm: one body rushes in December, a newly formed one spends evenly in its first months."""
    if body.key == city.role("rush").key and year == year_of(t.RUSH):
        return (*(share * 0.5 for share in PACE[:11]), 1 - 0.5 * sum(PACE[:11]))
    if body.key == "data" and year == year_of(t.NEW_BUREAU):
        later = sum(PACE[6:]) / 6
        return (*PACE[:6], *(later,) * 6)
    return PACE


def _entries(city: City, body: Body, month: int, lines: list[Line], serial: Iterator[int]) -> Iterator[Entry]:
    rng = dice(city.seed, "vouchers", body.key, month)
    days = working_days(month)
    for item, amount, contract_no in lines:
        if amount <= 0:
            continue
        voucher = f"{label(month).replace('-', '')}{next(serial):06d}"
        paid_on = rng.choice(days)
        for number, part in enumerate(split(rng, round(amount * 100), rng.randint(*item.lines)), 1):
            yield Entry(body.key, item, _payment(body, item, voucher, number, paid_on, part, contract_no))


def _payment(
    body: Body, item: Item, voucher: str, line: int, paid_on: dt.date, cents: int, contract_no: str
) -> Payment:
    function = _FUNCTION.get(body.key, "2010301")
    return Payment(
        voucher, line, "", paid_on, item.code, item.name, function, item.project, item.fund, item.kind,
        Decimal(cents).scaleb(-2), contract_no, item.text,
    )  # fmt: skip


def _restated(city: City, entries: list[Entry]) -> list[Entry]:
    """The month as corrected later: three amounts changed, one line gone, one line new."""
    key = city.role("restated").key
    mine = [e for e in entries if e.key == key and e.item.code in ("30201", "30211", "30213")]
    if len(mine) < 5:
        return entries
    factors = {id(mine[0]): Decimal("0.62"), id(mine[1]): Decimal("1.18"), id(mine[2]): Decimal("0.85")}
    gone = mine[3]
    changed = [_scaled(e, factors.get(id(e), Decimal(1))) for e in entries if e is not gone]
    extra = mine[4].payment._replace(line=9, amount=Decimal("1860.40"), summary="差旅报销补录")
    return [*changed, Entry(key, mine[4].item, extra)]


def _scaled(entry: Entry, factor: Decimal) -> Entry:
    if factor == 1:
        return entry
    amount = (entry.payment.amount * factor).quantize(Decimal("0.01"))
    return Entry(entry.key, entry.item, entry.payment._replace(amount=amount))


def payment_rows(ledger: Ledger, month: int, sent: dt.datetime) -> list[Payment]:
    """Return the ledger of a month as sent on a day."""
    city, codes = ledger.city, {}
    for entry in ledger.of(month, sent):
        if entry.key not in codes:
            codes[entry.key] = city.code_of(entry.key, month, sent)
    return [entry.payment._replace(unit=codes[entry.key]) for entry in ledger.of(month, sent)]
