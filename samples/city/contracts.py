"""Service contracts and what is paid on them: property, catering, maintenance, and the energy custody."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from samples.city import timeline as t
from samples.city.bodies import Body, City
from samples.city.calendar import FIRST, OPEN, day, label, moment, month_no, moon, working_days, year_of
from samples.city.chance import dice, places
from samples.city.energy import Consumption
from samples.city.records import Contract, ServicePayment
from samples.city.space import Ground

EXPORTS = tuple(
    moment(dt.date.fromisoformat(text), 16, 5)
    for text in ("2024-01-09", "2025-01-13", "2025-02-14", "2025-04-17", "2025-09-19", "2026-01-12")
)
PROPERTY, CATERING, MAINTENANCE, CUSTODY = "物业", "餐饮", "维保", "能源托管"
CLEANING, SECURITY = "保洁", "保安"
_PRICE = {"市": (2.7, 4.4), "县": (1.6, 2.7), "乡": (1.1, 1.9)}
_SUPPLIERS = {
    PROPERTY: ("安居物业服务有限公司", "瑞和物业管理有限公司", "众信物业集团", "新程后勤服务公司"),
    CATERING: ("禾香餐饮管理公司", "家味团膳服务公司"),
    MAINTENANCE: ("恒通机电维保公司", "万安电梯工程公司"),
    CUSTODY: ("绿源综合能源服务公司",),
    CLEANING: ("洁佳环境服务公司", "净美保洁公司"),
    SECURITY: ("安盾保安服务公司", "平安护卫公司"),
}
_QUARTER_PAID_IN = (1, 4, 7, 10)


@dataclass(frozen=True)
class Deal:
    """One contract of one body: what it costs a year and the months it runs."""

    contract_no: str
    key: str
    kind: str
    supplier: str
    year_amount: Decimal
    from_m: int
    to_m: int

    @property
    def amount(self) -> Decimal:
        """The sum of the contract over its whole run."""
        return self.year_amount * (self.to_m - self.from_m) / 12


@dataclass(frozen=True)
class Services:
    """All contracts of the city."""

    city: City
    deals: tuple[Deal, ...]

    def due(self, month: int) -> Iterator[tuple[Deal, Decimal]]:
        """Return what is paid in a month: property a quarter in arrears, the rest monthly."""
        for deal in self.deals:
            if deal.kind == PROPERTY and moon(month) in _QUARTER_PAID_IN and deal.from_m < month <= deal.to_m:
                yield deal, deal.year_amount / 4
            if deal.kind != PROPERTY and deal.from_m <= month < deal.to_m:
                yield deal, deal.year_amount / 12


def agree(city: City, ground: Ground, consumption: Consumption, months: int) -> Services:
    """Write the contracts of the year before the first and of every year told."""
    years = range(year_of(FIRST) - 1, year_of(FIRST + months - 1) + 1)
    deals: list[Deal] = []
    for number, body in enumerate(city.bodies, 1):
        rng = dice(city.seed, "contracts", body.key)
        price = rng.uniform(*_PRICE[body.level])
        supplier = rng.choice(_SUPPLIERS[PROPERTY])
        for year in years:
            area = float(ground.gross(body.key, month_no(year, 12)))
            amount = places(round(area * price * 12, -2), 2) // 1200 * 1200
            start = month_no(year, 1)
            deals.append(Deal(f"WY{year}-{number:03d}", body.key, PROPERTY, supplier, amount, start, start + 12))
            deals += _others(body, number, year)
            deals += _guards(body, number, year)
    deals.append(_custody(city, consumption))
    return Services(city, tuple(deals))


def _others(body: Body, number: int, year: int) -> Iterator[Deal]:
    rng = dice(0, "others", body.key, body.authorised)
    start = month_no(year, 1)
    if body.authorised >= 60:
        amount = Decimal(round(body.authorised * rng.uniform(2400, 3300) / 1200)) * 1200
        supplier = rng.choice(_SUPPLIERS[CATERING])
        yield Deal(f"CY{year}-{number:03d}", body.key, CATERING, supplier, amount, start, start + 12)
    if number % 4 == 0:
        amount = Decimal(rng.randint(20, 60)) * 1200
        supplier = rng.choice(_SUPPLIERS[MAINTENANCE])
        yield Deal(f"WB{year}-{number:03d}", body.key, MAINTENANCE, supplier, amount, start, start + 12)


def _guards(body: Body, number: int, year: int) -> Iterator[Deal]:
    """Larger bodies buy cleaning and security apart from property management."""
    if body.authorised < 60:
        return
    rng, start = dice(0, "guards", body.key, body.authorised), month_no(year, 1)
    for kind, mark, low, high in ((CLEANING, "BJ", 180, 320), (SECURITY, "BA", 350, 620)):
        amount = Decimal(round(body.authorised * rng.uniform(low, high) / 1200) or 1) * 1200
        yield Deal(
            f"{mark}{year}-{number:03d}", body.key, kind, rng.choice(_SUPPLIERS[kind]), amount, start, start + 12
        )


def _custody(city: City, consumption: Consumption) -> Deal:
    """The provider takes over power, gas and heat for five years at seven per cent less than the bills before."""
    body = city.role("custody")
    months = range(t.CUSTODY - 13, t.CUSTODY - 1)
    bills = sum((consumption.cost(body.key, m, "electricity", "natural_gas", "heat") for m in months), Decimal(0))
    amount = Decimal(round(float(bills) * 0.93 / 1200)) * 1200
    return Deal("TG2025-001", body.key, CUSTODY, _SUPPLIERS[CUSTODY][0], amount, t.CUSTODY, t.CUSTODY + 60)


def contract_rows(services: Services, sent: dt.datetime) -> Iterator[Contract]:
    """Return the list of contracts as exported on a day, with the ends as they stand in the paper."""
    for deal in services.deals:
        if moment(day(deal.from_m, 1), 0, 0) > sent:
            continue
        month = min(deal.to_m, OPEN) - 1
        code = services.city.code_of(deal.key, month, sent)
        begin, end = day(deal.from_m, 1), day(deal.to_m - 1, 31)
        yield Contract(deal.contract_no, code, deal.kind, deal.supplier, deal.amount, begin, end)


def payment_rows(services: Services, month: int, sent: dt.datetime) -> Iterator[ServicePayment]:
    """Return what was paid on contracts in a month, as sent on a day."""
    days = working_days(month)
    for number, (deal, amount) in enumerate(services.due(month), 1):
        paid_on = days[min(number % 12 + 3, len(days) - 1)]
        code = services.city.code_of(deal.key, month, sent)
        voucher = f"FK{label(month).replace('-', '')}{number:04d}"
        yield ServicePayment(voucher, deal.contract_no, code, paid_on, amount, deal.kind, deal.supplier)
