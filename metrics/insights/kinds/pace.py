"""More of the year's plan is used than may be used by now: never measured against linear time.

The indicator is an execution rate in per cent (used over plan). How much of the plan may be used by the end of a month is
told by the plan by month of the node, where it has one, else by the shares of the rule; what is ahead of that must also be
worth an amount. Shares of 100 throughout: an overrun.
"""

from __future__ import annotations

from decimal import Decimal

from metrics.insights.kinds.cells import Cells, decimal, reading
from metrics.insights.model import Reading, Rule
from warehouse.base.periods import Period, fiscal_shift

LOOKBACK = 0
HUNDRED = Decimal(100)


def _place(period: str, fiscal_start: int) -> int:
    """Return the place of a month in the fiscal year, whose shares are told from its first month on."""
    return (Period.parse(period).from_m + fiscal_shift(fiscal_start)) % 12


def read(rule: Rule, cells: Cells) -> tuple[Reading, ...]:
    """Compare the rate of each month's running total with the share allowed by the end of that month."""
    found = []
    for period in cells.periods(rule.indicator):
        rate, answer = cells.value(rule.indicator, period, rule.partial), cells.answer(rule.indicator, period)
        if rate is None or answer is None or answer.numerator is None or answer.denominator is None:
            continue
        planned = cells.value(rule.plan, period) if rule.plan else None
        share = rule.shares[_place(period, cells.fiscal_start)] if planned is None else planned
        ahead = decimal(answer.numerator) - decimal(answer.denominator) * share / HUNDRED
        limit = rule.limit_for(rate - share)
        if limit is not None and ahead > 0 and ahead >= rule.floor:
            found.append(reading(answer, rate, limit, share))
    return tuple(found)
