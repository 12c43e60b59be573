"""Forecasts: every step of every series as it was forecast at one time; none is ever overwritten."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from warehouse.control import METADATA
from warehouse.operations.rows import Instant, add_rows, column, key_column, not_after, read_rows


@dataclass(frozen=True)
class ForecastRow:
    """One month ahead of one series, as it was forecast at one time from one state of the data."""

    indicator: str
    node: str
    data_hash: str
    step: int
    made_at: dt.datetime
    known_at: dt.datetime
    through_seq: int
    month_no: int
    mean: float
    lo80: float
    hi80: float
    lo90: float
    hi90: float
    unit: str
    history: int
    method: str
    status: str
    reason: str


FORECAST = sa.Table(
    "forecast",
    METADATA,
    key_column("indicator"),
    key_column("node"),
    sa.Column("made_at", Instant, primary_key=True),
    key_column("step", int),
    column("data_hash", index=True),
    column("known_at", Instant),
    column("through_seq", sa.Integer),
    column("month_no", sa.Integer),
    *(column(name, sa.Float) for name in ("mean", "lo80", "hi80", "lo90", "hi90")),
    column("unit"),
    column("history", sa.Integer),
    *(column(name) for name in ("method", "status", "reason")),
)


def add_forecasts(engine: Engine, rows: Iterable[ForecastRow]) -> int:
    """Store forecasts; an earlier one is never overwritten."""
    return add_rows(engine, FORECAST, rows)


def forecasts(
    engine: Engine, indicator: str, node: str, known_at: dt.datetime | None = None
) -> tuple[ForecastRow, ...]:
    """Return the steps of the newest forecast that rests on nothing known later than a moment (None: now)."""
    chosen = sa.select(sa.func.max(FORECAST.c.made_at)).where(
        FORECAST.c.indicator == indicator, FORECAST.c.node == node, not_after(FORECAST, known_at)
    )
    query = sa.select(FORECAST).where(
        FORECAST.c.indicator == indicator, FORECAST.c.node == node, FORECAST.c.made_at == chosen.scalar_subquery()
    )
    return read_rows(engine, query.order_by(FORECAST.c.step), ForecastRow)
