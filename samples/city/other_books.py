"""The same figures in other books: accounts of finance, the cost survey, the quarterly energy survey, what was published.

Most agree but for rounding. Planted: a unit that published nothing, one that published more than it paid, one that did so
with a note, one whose survey leaves out the depreciation, and one whose accountant booked what the ledger does not have.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from samples.city.bodies import DATA, Body, City
from samples.city.calendar import moment, month_no, moon, year_of
from samples.city.energy import Consumption
from samples.city.items import ACCRUAL, DEPRECIATION, GENERAL, OUTSIDE_COST
from samples.city.ledger import Ledger, payment_rows
from samples.city.people import Heads
from samples.city.records import CARRIERS
from samples.city.space import Ground

TEN_THOUSAND = Decimal(10_000)
CENT = Decimal("0.01")
PUBLISHED_MORE, NOTED_MORE, BOOKED_MORE = Decimal("0.80"), Decimal("1.20"), Decimal("12345.67")
PLANTED_YEAR = 2025
CAPITAL = ("309", "310")
UTILITIES = ("30205", "30206", "30208")
ITEMS = {"30212": 0, "31013": 1, "30231": 2, "30217": 3}
SURVEYED = ("electricity", "water", "natural_gas", "coal_raw", "gasoline", "diesel", "heat", "diesel_other")


class Published(NamedTuple):
    """What one unit disclosed of one year, in 万元 with two decimals."""

    unit: str
    year: int
    abroad: Decimal
    bought: Decimal
    running: Decimal
    reception: Decimal

    @property
    def total(self) -> Decimal:
        """All of it."""
        return self.abroad + self.bought + self.running + self.reception


class CostSurveyed(NamedTuple):
    """The cost survey of one unit and year, in 万元 with two decimals."""

    unit: str
    year: int
    total: Decimal
    depreciation: Decimal
    utilities: Decimal
    staff: Decimal
    area: Decimal


class Quarterly(NamedTuple):
    """One carrier of one unit in the survey of one quarter, under its last month."""

    month: int
    unit: str
    carrier: str
    quantity: Decimal
    cost: Decimal


class Balance(NamedTuple):
    """One account of one unit in one month."""

    unit: str
    month: int
    code: str
    name: str
    side: str
    debit: Decimal
    credit: Decimal
    closing: Decimal


class Remark(NamedTuple):
    """Why a unit's figure differs."""

    unit: str
    indicator: str
    amount: Decimal
    text: str
    document: str
    valid_from: dt.date
    valid_to: dt.date


@dataclass(frozen=True)
class Planted:
    """The units whose books differ on purpose."""

    silent: Body
    more: Body
    noted: Body
    without_wear: Body
    booked: Body


def planted(city: City) -> Planted:
    """Choose units that carry no reform and no story about their spending; a small town lets one carry several."""
    busy = {"culture", "sports", DATA, "dev", city.role("restated").key, city.role("overrun").key}
    calm = [body for body in city.bodies if body.key not in busy]
    return Planted(*(calm[n % len(calm)] for n in (3, 5, 7, 9, 11)))


@dataclass
class Books:
    """What the other books are written from; sums of a month are kept while they are asked for again."""

    city: City
    ledger: Ledger
    census: dict[tuple[str, int], Heads]
    ground: Ground
    consumption: Consumption
    _sums: dict[tuple[int, dt.datetime], dict[tuple[str, str], Decimal]] = field(default_factory=dict)

    def paid(self, month: int, sent: dt.datetime) -> dict[tuple[str, str], Decimal]:
        """Return (unit, item) → amount of a month as it stood in the ledger; the general budget's own items once more."""
        if (month, sent) not in self._sums:
            found: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
            for row in payment_rows(self.ledger, month, sent):
                found[row.unit, row.item_code] += row.amount
                if row.exp_kind != ACCRUAL:
                    found[row.unit, "cash"] += row.amount
                if row.fund == GENERAL and row.item_code in ITEMS:
                    found[row.unit, f"general {row.item_code}"] += row.amount
            self._sums[month, sent] = found
        return self._sums[month, sent]

    def code(self, body: Body, month: int, sent: dt.datetime) -> str:
        """Return the code a body reports under."""
        return self.city.code_of(body.key, month, sent)


def _year(year: int) -> range:
    return range(month_no(year, 1), month_no(year, 12) + 1)


def _shown(amount: Decimal) -> Decimal:
    """Return yuan as 万元 with two decimals."""
    return (amount / TEN_THOUSAND).quantize(CENT, ROUND_HALF_UP)


# --- what was published -----------------------------------------------------------------------------------------------


def published_day(year: int) -> dt.datetime:
    """Return when the final accounts of a year have been disclosed and collected."""
    return moment(dt.date(year + 1, 9, 10), 15, 20)


def published_rows(books: Books, year: int, sent: dt.datetime) -> list[Published]:
    """Return what every unit disclosed of a year."""
    sums: dict[str, list[Decimal]] = {}
    for month in _year(year):
        for (unit, item), amount in books.paid(month, sent).items():
            if item.startswith("general "):
                sums.setdefault(unit, [Decimal(0)] * 4)[ITEMS[item.removeprefix("general ")]] += amount
    shown = {unit: [_shown(amount) for amount in amounts] for unit, amounts in sums.items()}
    if year == PLANTED_YEAR:
        odd, last = planted(books.city), month_no(year, 12)
        shown[books.code(odd.more, last, sent)][3] += PUBLISHED_MORE
        shown[books.code(odd.noted, last, sent)][3] += NOTED_MORE
        del shown[books.code(odd.silent, last, sent)]
    return [Published(unit, year, *amounts) for unit, amounts in sorted(shown.items())]


def remark_rows(books: Books, sent: dt.datetime) -> list[Remark]:
    """Return the note one unit attached to what it published."""
    unit = books.code(planted(books.city).noted, month_no(PLANTED_YEAR, 12), sent)
    return [Remark(unit, name, -NOTED_MORE, "公开数含上年结转的接待费", "模函〔2026〕18号", dt.date(PLANTED_YEAR, 1, 1),
                   dt.date(PLANTED_YEAR + 1, 1, 1)) for name in ("three_public_total", "reception_exp")]  # fmt: skip


# --- the cost survey --------------------------------------------------------------------------------------------------


def surveyed_day(year: int) -> dt.datetime:
    """Return when the cost survey of a year is handed in."""
    return moment(dt.date(year + 1, 4, 8), 10, 5)


def surveyed_rows(books: Books, year: int, sent: dt.datetime) -> list[CostSurveyed]:
    """Return the survey of a year: accrual, with depreciation; one unit leaves its own out."""
    sums: dict[str, list[Decimal]] = {}
    for month in _year(year):
        for (unit, item), amount in books.paid(month, sent).items():
            found = sums.setdefault(unit, [Decimal(0)] * 5)
            found[0] += amount * (item == DEPRECIATION or (item.startswith("302") and item not in OUTSIDE_COST))
            found[1] += amount * (item == DEPRECIATION)
            found[2] += amount * (item in UTILITIES)
        for body in books.city.bodies:
            found = sums.setdefault(books.code(body, month, sent), [Decimal(0)] * 5)
            found[3] += books.census[body.key, month].actual
            found[4] += books.ground.gross(body.key, month)
    if year == PLANTED_YEAR:
        found = sums[books.code(planted(books.city).without_wear, month_no(year, 12), sent)]
        found[0], found[1] = found[0] - found[1], Decimal(0)
    return [
        CostSurveyed(unit, year, _shown(total), _shown(wear), _shown(bills), (heads / 12).quantize(CENT),
                     (area / 12).quantize(CENT))
        for unit, (total, wear, bills, heads, area) in sorted(sums.items())
        if total
    ]  # fmt: skip


# --- the quarterly survey ---------------------------------------------------------------------------------------------


def quarter_day(last: int) -> dt.datetime:
    """Return when the survey of the quarter that ends with a month is handed in."""
    return moment(dt.date(year_of(last + 1), moon(last + 1), 17), 9, 50)


def quarter_rows(books: Books, last: int, sent: dt.datetime) -> list[Quarterly]:
    """Return what was truly used in a quarter, also by those whose monthly form never came or was copied."""
    sums: dict[tuple[str, str], list[Decimal]] = {}
    for month in range(last - 2, last + 1):
        for body in books.city.bodies:
            unit = books.code(body, month, sent)
            for carrier, use in zip(CARRIERS, books.consumption.uses[body.key, month], strict=True):
                if carrier in SURVEYED and use.quantity:
                    found = sums.setdefault((unit, carrier), [Decimal(0)] * 2)
                    found[0] += use.quantity
                    found[1] += use.cost or 0
    return [Quarterly(last, unit, carrier, *figures) for (unit, carrier), figures in sums.items()]


# --- the accounts of finance ------------------------------------------------------------------------------------------


def balance_rows(books: Books, month: int, sent: dt.datetime) -> Iterator[Balance]:
    """Return the accounts of a month: expense of the financial books, expenditure of the budget books, depreciation."""
    booked = books.code(planted(books.city).booked, month, sent)
    year: dict[str, list[Decimal]] = {}
    now: dict[str, list[Decimal]] = {}
    for passed in range(month_no(year_of(month), 1), month + 1):
        for unit, figures in _booked(books, passed, sent).items():
            year[unit] = [a + b for a, b in zip(year.get(unit, [Decimal(0)] * 3), figures, strict=True)]
            if passed == month:
                now[unit] = figures
    for unit, (expense, cash, wear) in sorted(now.items()):
        more = BOOKED_MORE if unit == booked and month == month_no(PLANTED_YEAR, 6) else Decimal(0)
        ahead = (
            BOOKED_MORE if unit == booked and month_no(PLANTED_YEAR, 6) <= month <= month_no(PLANTED_YEAR, 12) else 0
        )
        zero = Decimal(0)
        yield Balance(unit, month, "5001", "业务活动费用", "借", expense + more, zero, year[unit][0] + ahead)
        yield Balance(unit, month, "7101", "行政支出", "借", cash, zero, year[unit][1])
        yield Balance(unit, month, "1602", "固定资产累计折旧", "贷", zero, wear, year[unit][2])


def _booked(books: Books, month: int, sent: dt.datetime) -> dict[str, list[Decimal]]:
    found: dict[str, list[Decimal]] = {}
    for (unit, item), amount in books.paid(month, sent).items():
        expense, cash, wear = found.setdefault(unit, [Decimal(0)] * 3)
        if item == "cash":
            cash += amount
        elif item == DEPRECIATION:
            wear, expense = wear + amount, expense + amount
        elif item.isdigit() and not item.startswith(CAPITAL):
            expense += amount
        found[unit] = [expense, cash, wear]
    return found
