"""Yearly plans of a few units: operating funds evenly, raised in July; three public expenses by month as they were handed in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from samples.city import budgets
from samples.city.calendar import FIRST, month_no, year_of
from samples.city.items import PUBLIC, THREE_PUBLIC, Item
from samples.city.knowledge import Knowledge, Sums

EVEN, AS_BEFORE, GIVEN = "按月平均", "按上年同期", "按月给定"
FUNDS, HOSPITALITY = "机关运行经费", "三公经费"
SHAPE = (5, 4, 7, 8, 8, 9, 8, 8, 9, 8, 10, 16)
"""Per cent of the year in each month of a plan that is given by month: little at first, much in December."""
CENT = Decimal("0.01")


class Planned(NamedTuple):
    """One version of a unit's plan of a year, in 万元."""

    unit: str
    indicator: str
    year: int
    version: int
    value: Decimal
    split: str
    approved_on: dt.date
    months: tuple[Decimal, ...]
    reason: str


def sent_on(year: int, version: int) -> dt.datetime:
    """Plans follow the budget by two days."""
    return budgets.sent_on(year, version) + dt.timedelta(days=2, minutes=7)


def plan_rows(plan: budgets.Plan, year: int, version: int) -> list[Planned]:
    """Return what a version of a year's plans says; in July only the office that manages affairs has more to spend."""
    sent, city = sent_on(year, version), plan.city
    approved = sent.date() - dt.timedelta(days=3)

    def code(key: str) -> str:
        return city.code_of(key, month_no(year, sent.month), sent)

    def funds(key: str) -> Decimal:
        return _of(plan, key, year, lambda item: item.kind == PUBLIC and item.code.startswith("302"))

    raised = (funds("goa") * Decimal("1.1")).quantize(CENT)
    if version == budgets.JULY:
        return [Planned(code("goa"), FUNDS, year, 2, raised, EVEN, approved, (), "年中追加")]
    guests = _of(plan, "police", year, lambda item: item.code in THREE_PUBLIC)
    months = [(guests * share / 100).quantize(CENT) for share in SHAPE[:-1]]
    given = (*months, guests - sum(months, Decimal(0)))
    shaped = AS_BEFORE if year > year_of(FIRST) else EVEN
    return [
        Planned(code("goa"), FUNDS, year, 1, funds("goa"), EVEN, approved, (), ""),
        Planned(code("office"), FUNDS, year, 1, funds("office"), shaped, approved, (), ""),
        Planned(code("police"), HOSPITALITY, year, 1, guests, GIVEN, approved, given, ""),
    ]


def _of(plan: budgets.Plan, key: str, year: int, wanted: Callable[[Item], bool]) -> Decimal:
    lines = [line for line in plan.lines if line.key == key and line.year == year and wanted(line.item)]
    return (sum((line.at(budgets.INITIAL) for line in lines), Decimal(0)) / 10_000).quantize(CENT)


def planned(known: Knowledge, indicator: str) -> Sums:
    """Work out the months of the plans that are split evenly or given, in yuan; the newest version counts."""
    newest: dict[tuple[str, int], Planned] = {}
    for row in known.rows("plan"):
        place = (row.unit, row.year)
        if row.indicator == indicator and (place not in newest or newest[place].version < row.version):
            newest[place] = row
    return {(row.unit, month): amount for row in newest.values() for month, amount in _months(row)}


def _months(row: Planned) -> Iterator[tuple[int, Decimal]]:
    first = month_no(row.year, 1)
    if row.split == GIVEN:
        yield from ((first + place, value * 10_000) for place, value in enumerate(row.months))
    elif row.split == EVEN:
        year = row.value * 10_000
        so_far = [(year * count / 12).quantize(CENT, ROUND_HALF_UP) for count in range(13)]
        yield from ((first + place, so_far[place + 1] - so_far[place]) for place in range(12))
