"""A handful of figures with the day each became known, answered in the shape of `evaluate`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from metrics.model import Answer, Query
from warehouse.base.periods import Period, windows

STOCKS = frozenset({"veh_over_quota", "veh_borrowed", "off_over_rooms"})


def known(day: str) -> dt.datetime:
    """The end of a day, in UTC."""
    return dt.datetime.fromisoformat(day).replace(hour=12, tzinfo=dt.UTC)


@dataclass
class Figures:
    """Monthly figures: (indicator, node, month) → (since when known, value); None: the report is owed."""

    cells: dict[tuple[str, str, int], list[tuple[dt.datetime, Decimal | None]]] = field(default_factory=dict)
    denominators: dict[tuple[str, str], Decimal] = field(default_factory=dict)
    asked: list[Query] = field(default_factory=list)

    def put(self, indicator: str, node: str, values: dict[str, object], day: str | None = None) -> Figures:
        """Set months; without a day each is known on the 10th of the month after it."""
        for label, value in values.items():
            span = Period.parse(label)
            at = known(day) if day else known(f"{span.to_m // 12:04d}-{span.to_m % 12 + 1:02d}-10")
            entry = (at, None if value is None else Decimal(str(value)))
            self.cells.setdefault((indicator, node, span.from_m), []).append(entry)
        return self

    def evaluate(self, query: Query) -> tuple[Answer, ...]:
        """Answer as the real one does: one row per indicator, node and window."""
        self.asked.append(query)
        low, high = Period.parse(query.period_from), Period.parse(query.period_to)
        return tuple(
            self._answer(query, indicator, node, window.label, range(window.from_m, window.to_m))
            for indicator in query.indicators
            for node in query.nodes
            if query.scope.nodes is None or node in query.scope.nodes
            for window in windows(query.grain, low.from_m, high.to_m)
        )

    def _known(self, indicator: str, node: str, month: int, at: dt.datetime | None) -> tuple[bool, Decimal | None]:
        entries = [v for since, v in self.cells.get((indicator, node, month), []) if at is None or since <= at]
        return bool(entries), entries[-1] if entries else None

    def _answer(self, query: Query, indicator: str, node: str, label: str, months: Iterable[int]) -> Answer:
        found = [self._known(indicator, node, month, query.known_at) for month in months]
        if indicator in STOCKS:
            found = found[-1:]
        values = [value for is_known, value in found if is_known and value is not None]
        owed = [value for is_known, value in found if is_known and value is None]
        status = (
            "ok" if len(values) == len(found) else "incomplete" if values else "not_reported" if owed else "not_due"
        )
        total = sum(values, Decimal(0)) if values else None
        below = self.denominators.get((indicator, node))
        value = float(total / below * 100) if total is not None and below else total
        return Answer(
            indicator=indicator, node=node, node_name=node, dim=query.by, dim_value="item" if query.by else None,
            period=label, grain=query.grain, value=value, numerator=total, denominator=below, unit="u",
            due=len(found), got=len(values), status=status, fingerprint="f", through_seq=1, known_at=query.known_at,
            tree=query.tree, origin="real",
        )  # fmt: skip
