"""The value is more than a share of its quota, both over a whole year: a yearly quota is never met in parts."""

from __future__ import annotations

from decimal import Decimal

from metrics.insights.kinds.cells import Cells, reading
from metrics.insights.model import Reading, Rule

LOOKBACK = 0
HUNDRED = Decimal(100)


def read(rule: Rule, cells: Cells) -> tuple[Reading, ...]:
    """Compare each period's value with the quota of the same period, in per cent."""
    assert rule.against is not None
    found = []
    for period in cells.periods(rule.indicator):
        value, quota = cells.value(rule.indicator, period, rule.partial), cells.value(rule.against, period)
        answer = cells.answer(rule.indicator, period)
        if answer is None or value is None or quota is None or quota <= 0:
            continue
        limit = rule.limit_for(value / quota * HUNDRED)
        if limit is not None and value - quota >= rule.floor:
            found.append(reading(answer, value, limit, quota))
    return tuple(found)
