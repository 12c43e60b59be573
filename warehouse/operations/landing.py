"""Landings: where a year's total was expected to end, as seen at one time; none is ever overwritten."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from warehouse.control import METADATA
from warehouse.operations.rows import Instant, add_rows, column, key_column, not_after, read_rows


@dataclass(frozen=True)
class LandingRow:
    """Where a year's total was expected to land at one time. `missing` (month labels) and `path` are JSON.

    A point of the path: month, whether it is reported, running total, lo80, hi80, lo90, hi90.
    """

    indicator: str
    node: str
    year: int
    data_hash: str
    made_at: dt.datetime
    known_at: dt.datetime
    through_seq: int
    unit: str
    paid: float
    months_reported: int
    missing: str
    expected: float
    lo80: float | None
    hi80: float | None
    lo90: float | None
    hi90: float | None
    budget: float | None
    exceed_probability: float | None
    crossing_early: int | None
    crossing_likely: int | None
    crossing_late: int | None
    status: str
    method: str
    reason: str
    path: str


LANDING = sa.Table(
    "landing",
    METADATA,
    key_column("indicator"),
    key_column("node"),
    key_column("year", int),
    sa.Column("made_at", Instant, primary_key=True),
    column("known_at", Instant, index=True),
    column("through_seq", sa.Integer),
    column("data_hash"),
    column("unit"),
    column("paid", sa.Float),
    column("months_reported", sa.Integer),
    column("missing"),
    column("expected", sa.Float),
    *(column(name, sa.Float, null=True) for name in ("lo80", "hi80", "lo90", "hi90", "budget", "exceed_probability")),
    *(column(name, sa.Integer, null=True) for name in ("crossing_early", "crossing_likely", "crossing_late")),
    *(column(name) for name in ("status", "method", "reason", "path")),
)


def landing_hashes(engine: Engine) -> dict[tuple[str, str, int], str]:
    """Return the data hash of the newest landing of each indicator, node and year."""
    columns = (LANDING.c.indicator, LANDING.c.node, LANDING.c.year, LANDING.c.data_hash)
    with engine.connect() as con:
        rows = con.execute(sa.select(*columns).order_by(LANDING.c.made_at))
        return {(row.indicator, row.node, row.year): row.data_hash for row in rows}


def add_landings(engine: Engine, rows: Iterable[LandingRow]) -> int:
    """Store landings; an earlier one is never overwritten."""
    return add_rows(engine, LANDING, rows)


def landings(
    engine: Engine,
    indicator: str | None = None,
    node: str | None = None,
    known_at: dt.datetime | None = None,
    year: int | None = None,
) -> tuple[LandingRow, ...]:
    """Return the newest landing per indicator and node that rests on nothing known later than a moment."""
    query = sa.select(LANDING).where(not_after(LANDING, known_at))
    for name, wanted in (("indicator", indicator), ("node", node), ("year", year)):
        if wanted is not None:
            query = query.where(LANDING.c[name] == wanted)
    newest: dict[tuple[str, str], LandingRow] = {}
    for row in read_rows(engine, query.order_by(LANDING.c.year, LANDING.c.made_at), LandingRow):
        newest[row.indicator, row.node] = row
    return tuple(newest[key] for key in sorted(newest))
