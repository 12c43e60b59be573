"""Every figure of a report is that of the month before: last month's form, sent again."""

from __future__ import annotations

from decimal import Decimal

from metrics.insights.kinds.cells import Cells, earlier, reading
from metrics.insights.model import Reading, Rule

LOOKBACK = 1
FEWEST = 2
"""A single figure may repeat by chance; so many that are not zero hardly do."""


def read(rule: Rule, cells: Cells) -> tuple[Reading, ...]:
    """Compare each month's figures with those of the month before."""
    found = []
    for period in cells.periods(rule.indicator):
        now, before = _figures(rule, cells, period), _figures(rule, cells, earlier(period, 1))
        telling = [name for name, value in now.items() if value]
        if len(telling) < FEWEST or now != before:
            continue
        answer, limit = cells.answer(rule.indicator, period), rule.limit_for(Decimal(len(telling)))
        if answer is not None and limit is not None and rule.indicator in now:
            found.append(reading(answer, now[rule.indicator], limit, before[rule.indicator]))
    return tuple(found)


def _figures(rule: Rule, cells: Cells, period: str) -> dict[str, Decimal]:
    values = {name: cells.value(name, period) for name in (rule.indicator, *rule.also)}
    return {name: value for name, value in values.items() if value is not None}
