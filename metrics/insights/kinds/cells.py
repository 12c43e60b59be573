"""The answers one rule sees of one node (and one member of its dimension): by indicator and period, in order."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from metrics.insights.model import Limit, Reading
from metrics.model import Answer
from warehouse.base.periods import Period, fiscal_shift, month_label, month_start
from warehouse.contracts import Contract
from warehouse.report_periods import may_still_come

FIRM = frozenset({"ok"})
PARTIAL = frozenset({"ok", "incomplete"})


@dataclass(frozen=True)
class Cells:
    """Answers by indicator, then by period label, oldest first."""

    answers: Mapping[str, Mapping[str, Answer]]
    today: dt.date | None = None
    """The day of the judgement at the store's place; None: late enough for everything to be overdue."""
    reports: tuple[Contract, ...] = ()
    """The datasets whose reports the answers rest on."""
    fiscal_start: int = 1
    """The month the store's fiscal year begins in."""

    def is_overdue(self, period: str) -> bool:
        """Tell whether the report of a period should have come by today."""
        span, today = Period.parse(period, self.fiscal_start), self.today
        if today is None:
            return True
        ahead, last = fiscal_shift(self.fiscal_start), span.to_m - 1
        return today >= month_start(span.to_m) and not any(may_still_come(c, last, today, ahead) for c in self.reports)

    def periods(self, indicator: str) -> tuple[str, ...]:
        """Return the periods there are answers for, oldest first."""
        return tuple(self.answers.get(indicator, {}))

    def answer(self, indicator: str, period: str) -> Answer | None:
        """Return the answer of one period."""
        return self.answers.get(indicator, {}).get(period)

    def value(self, indicator: str, period: str, partial: bool = False) -> Decimal | None:
        """Return the value of a period, if it is firm (or, where that is enough, partly reported)."""
        found = self.answer(indicator, period)
        if found is None or found.value is None or found.status not in (PARTIAL if partial else FIRM):
            return None
        return decimal(found.value)


def decimal(value: Decimal | float | int) -> Decimal:
    """Return a figure as an exact decimal: a float by its shortest text."""
    return value if isinstance(value, Decimal) else Decimal(repr(value))


def earlier(period: str, months: int) -> str:
    """Return the label of the month so many months before."""
    return month_label(Period.parse(period).from_m - months)


def reading(
    found: Answer, value: Decimal, limit: Limit, base: Decimal | None = None, unit: str | None = None
) -> Reading:
    """Return what a rule says about the period of an answer."""
    shown = found.unit if unit is None else unit
    return Reading(found.period, value, shown, limit.level, found.status, limit.bound, base)
