"""A report is due and has not come."""

from __future__ import annotations

from decimal import Decimal

from metrics.insights.kinds.cells import Cells, reading
from metrics.insights.model import Reading, Rule

LOOKBACK = 0
OWED = frozenset({"not_reported", "incomplete"})
UNIT = "report"


def read(rule: Rule, cells: Cells) -> tuple[Reading, ...]:
    """Count the reports each period still owes."""
    found = []
    for period in cells.periods(rule.indicator):
        answer = cells.answer(rule.indicator, period)
        if answer is None or answer.status not in OWED or not cells.is_overdue(period):
            continue
        owed = Decimal(answer.due - answer.got)
        limit = rule.limit_for(owed)
        if limit is not None:
            found.append(reading(answer, owed, limit, Decimal(answer.due), UNIT))
    return tuple(found)
