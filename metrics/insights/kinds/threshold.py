"""The value itself passes a bound."""

from __future__ import annotations

from metrics.insights.kinds.cells import Cells, reading
from metrics.insights.model import Reading, Rule

LOOKBACK = 0


def read(rule: Rule, cells: Cells) -> tuple[Reading, ...]:
    """Compare each period's value with the bounds."""
    found = []
    for period in cells.periods(rule.indicator):
        value, answer = cells.value(rule.indicator, period, rule.partial), cells.answer(rule.indicator, period)
        limit = rule.limit_for(value) if value is not None else None
        if answer is not None and value is not None and limit is not None and abs(value) >= rule.floor:
            found.append(reading(answer, value, limit))
    return tuple(found)
