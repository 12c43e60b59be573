"""Rows of the logistics forms: property service by month, meals by day, the housing fund by month."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import NamedTuple


class Property(NamedTuple):
    """What property management did for one unit in one building in one month."""

    month: int
    unit: str
    building: str
    supplier: str
    service_area: Decimal
    fee: Decimal
    staff: int
    equipment: int
    equipment_ok: int
    inspections_due: int
    inspections_done: int
    visits: int
    complaints: int
    own_cost: Decimal
    score: Decimal
    score_weight: Decimal
    hours_open: Decimal
    hours_used: Decimal


class Meal(NamedTuple):
    """One meal of one canteen on one day."""

    unit: str
    canteen: str
    served_on: dt.date
    meal: str
    persons: int
    food_cost: Decimal
    income: Decimal
    food_waste: Decimal
    sampled: int | None
    passed: int | None


class Fund(NamedTuple):
    """The housing fund in one month: flows of the month, balances at its end, in yuan."""

    month: int
    unit: str
    collected: Decimal
    withdrawn: Decimal
    loaned: Decimal
    deposit_balance: Decimal
    loan_balance: Decimal
    overdue: Decimal
    depositors: int
    cases: int
    online_cases: int
