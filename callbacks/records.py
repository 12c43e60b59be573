"""Stored records as screens know them: warnings and year-end projections the worker left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import orjson

from callbacks.services import Alarm, IndicatorCard, Landing, LandingPoint
from warehouse.base.periods import Period, month_label
from warehouse.operations import LandingRow, WarningRow

NAIVE, NO_DATA = "seasonal_naive", "no_data"
"""Method and status of stored projections that screens treat in a way of their own."""


def alarm_of(row: WarningRow, theme: str, kind: str, member: str) -> Alarm:
    """Return a stored warning, with the theme of its indicator, the kind of its rule and the name of its member."""
    return Alarm(
        rule=row.rule,
        theme=theme,
        indicator=row.indicator,
        node=row.node,
        node_name=row.node_name,
        period=row.last_period,
        grain=row.grain,
        value=Decimal(row.value) if row.value not in ("", None) else None,
        unit=row.unit,
        level=row.level,  # type: ignore[arg-type]
        titles={"zh": row.title_zh, "en": row.title_en},
        threshold=float(row.bound) if row.bound else None,
        kind=kind,
        member=member,
        since=row.opened_at,
        since_seq=row.opened_seq,
    )


def landing_of(row: LandingRow, card: IndicatorCard, last_year: Mapping[str, float]) -> Landing:
    """Return a stored projection with last year's running totals, by month, beside it."""
    path = [_path_point(item) for item in orjson.loads(row.path)]
    points = tuple(
        replace(point, last_year=last_year.get(month_label(Period.parse(point.period).from_m - 12))) for point in path
    )
    return Landing(
        indicator=row.indicator,
        names=card.names,
        node=row.node,
        year=row.year,
        unit=row.unit,
        points=_joined(points),
        plan=row.budget,
        over_plan=row.exceed_probability,
        status=row.status,
        reason=row.reason,
        is_naive=row.method == NAIVE,
    )


def _path_point(item: Mapping[str, Any] | Sequence[Any]) -> LandingPoint:
    month, reported, total, low80, high80, low90, high90 = item.values() if isinstance(item, Mapping) else item
    period = month if isinstance(month, str) else month_label(int(month))
    if reported:
        return LandingPoint(period, actual=total)
    return LandingPoint(period, mean=total, low80=low80, high80=high80, low90=low90, high90=high90)


def _joined(points: Sequence[LandingPoint]) -> tuple[LandingPoint, ...]:
    """Let the fan start at the last reported month, where it has no width."""
    known = [index for index, point in enumerate(points) if point.actual is not None]
    if not known or known[-1] == len(points) - 1:
        return tuple(points)
    last = points[known[-1]]
    start = replace(
        last, mean=last.actual, low80=last.actual, high80=last.actual, low90=last.actual, high90=last.actual
    )
    return (*points[: known[-1]], start, *points[known[-1] + 1 :])
