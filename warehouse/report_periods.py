"""The period of a report: how many months one report covers, what people call it, and when it is due.

A contract says it once (`due = { day = 20, months = 3 }` for a quarterly report, `due = { months_after = 2, day = 28 }`
for a survey; rows of years cover twelve months); states of submissions, reminders, warnings, counts, locks and boards
all ask here. A period is known by its first month.
"""

from __future__ import annotations

import datetime as dt

from warehouse.base.periods import month_label, month_start
from warehouse.contracts import Contract


def months_of(contract: Contract) -> int:
    """Return how many months one report of a source covers."""
    return 12 if contract.time_kind == "year" else contract.due_months


def first_month(contract: Contract, month: int) -> int:
    """Return the first month of the report that a month lies in."""
    return month - month % months_of(contract)


def label_of(contract: Contract, month: int) -> str:
    """Return the report that a month lies in, as people write it: 2024-03, 2024-Q1, 2024-H1, 2024."""
    months, first = months_of(contract), first_month(contract, month)
    if months == 12:
        return f"{first // 12:04d}"
    if months in (3, 6):
        return f"{first // 12:04d}-{'Q' if months == 3 else 'H'}{first % 12 // months + 1}"
    return month_label(first)


def has_due_day(contract: Contract) -> bool:
    """Tell whether there is a day by which the reports of a source are due."""
    return contract.due_day is not None or contract.term is not None


def due_on(contract: Contract, month: int, ahead: int = 0) -> dt.date:
    """Return the last day to hand in the report that a month lies in, of a source that has such a day.

    What is owed by period is due on a day of the month after the period; a survey on one of the n-th month after the
    time it asks for, a yearly one after the fiscal year, which runs `ahead` of the calendar's by so many months.
    """
    if contract.due_day is not None:
        return month_start(first_month(contract, month) + months_of(contract)).replace(day=contract.due_day)
    if contract.term is None:
        raise ValueError(f"{contract.name} has no day by which it is due")
    ends = ((month + ahead) // 12 + 1) * 12 - ahead if contract.time_kind == "year" else month + 1
    return contract.term.due_on(ends)


def may_still_come(contract: Contract, month: int, today: dt.date, ahead: int = 0) -> bool:
    """Tell whether the report that a month lies in would be in time today; one without a day is never waited for."""
    return has_due_day(contract) and today <= due_on(contract, month, ahead)


def label_sql(contract: Contract, month: str) -> str:
    """SQL of `label_of` for the number of a first month."""
    months = months_of(contract)
    year = f"printf('%04d', {month} // 12)"
    if months == 12:
        return year
    if months in (3, 6):
        return f"{year} || '-{'Q' if months == 3 else 'H'}' || ({month} % 12 // {months} + 1)"
    return f"printf('%04d-%02d', {month} // 12, {month} % 12 + 1)"
