"""The value is so many times that of the same month last year.

Bills that come every second month (the month before, or its twin a year ago, is zero) are compared two months at a
time: a bill that slips by a month is no leak.
"""

from __future__ import annotations

from decimal import Decimal

from metrics.insights.kinds.cells import Cells, earlier, reading
from metrics.insights.model import Reading, Rule

LOOKBACK = 14
YEAR = 12


def read(rule: Rule, cells: Cells) -> tuple[Reading, ...]:
    """Compare each month with its twin of last year."""
    found = []
    for period in cells.periods(rule.indicator):
        pair, answer = _pair(rule, cells, period), cells.answer(rule.indicator, period)
        if pair is None or answer is None:
            continue
        value, base = pair
        limit = rule.limit_for(value / base) if base > 0 else None
        if limit is not None and abs(value - base) >= rule.floor:
            found.append(reading(answer, value, limit, base))
    return tuple(found)


def _pair(rule: Rule, cells: Cells, period: str) -> tuple[Decimal, Decimal] | None:
    """Return the value and that of last year, both over two months where bills come every second month."""
    months = [earlier(period, back) for back in (0, 1, YEAR, YEAR + 1)]
    now, before, base, base_before = (cells.value(rule.indicator, month) for month in months)
    if now is None or base is None:
        return None
    if before is None or base_before is None or (before > 0 and base_before > 0):
        return now, base
    return now + before, base + base_before
