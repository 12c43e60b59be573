"""Warnings: their lives and what each said about its periods. A warning is closed, never deleted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from warehouse.control import METADATA
from warehouse.operations.rows import Instant, column, key_column, read_rows

GRAVENESS = ("red", "orange", "yellow", "blue")


@dataclass(frozen=True)
class WarningRow:
    """One life of a warning: since the batch that made it known, until the batch that closed it."""

    warning_id: str
    opened_seq: int
    opened_at: dt.datetime
    rule: str
    indicator: str
    node: str
    node_name: str
    dim_value: str | None
    grain: str
    level: str
    title_zh: str
    title_en: str
    first_period: str
    last_period: str
    value: str
    base: str | None
    bound: str
    unit: str
    is_over: bool
    to_verify: bool
    judged_at: dt.datetime
    closed_seq: int | None = None
    closed_at: dt.datetime | None = None
    closed_why: str | None = None


@dataclass(frozen=True)
class ReadingRow:
    """What one warning said about one period, and since when that was known."""

    warning_id: str
    opened_seq: int
    period: str
    value: str
    base: str | None
    bound: str
    level: str
    known_seq: int
    known_at: dt.datetime
    gone_seq: int | None = None
    gone_at: dt.datetime | None = None


@dataclass(frozen=True)
class Closing:
    """The end of one life of a warning: cured (a later period is fine), corrected, or aged (no longer looked at)."""

    warning_id: str
    opened_seq: int
    seq: int
    at: dt.datetime
    why: str


@dataclass(frozen=True)
class WarningChange:
    """Everything one judgement changes, written in one transaction."""

    opened: tuple[WarningRow, ...] = ()
    updated: tuple[WarningRow, ...] = ()
    closed: tuple[Closing, ...] = ()
    new_readings: tuple[ReadingRow, ...] = ()
    gone_readings: tuple[ReadingRow, ...] = ()
    """Readings that no longer hold, with the moment (`gone_at`) since when."""

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing changes."""
        return not (self.opened or self.updated or self.closed or self.new_readings or self.gone_readings)


WARNING = sa.Table(
    "warning",
    METADATA,
    key_column("warning_id"),
    key_column("opened_seq", int),
    column("opened_at", Instant, index=True),
    *(column(name) for name in ("rule", "indicator", "node", "node_name")),
    column("dim_value", null=True),
    *(column(name) for name in ("grain", "level", "title_zh", "title_en", "first_period", "last_period", "value")),
    column("base", null=True),
    column("bound"),
    column("unit"),
    column("is_over", sa.Boolean),
    column("to_verify", sa.Boolean),
    column("judged_at", Instant),
    column("closed_seq", sa.Integer, null=True),
    column("closed_at", Instant, null=True),
    column("closed_why", null=True),
)


READING = sa.Table(
    "warning_reading",
    METADATA,
    key_column("warning_id"),
    key_column("opened_seq", int),
    key_column("period"),
    key_column("known_seq", int),
    column("value"),
    column("base", null=True),
    column("bound"),
    column("level"),
    column("known_at", Instant),
    column("gone_seq", sa.Integer, null=True),
    column("gone_at", Instant, null=True),
)


def standing_warnings(engine: Engine, cured_since: str) -> tuple[WarningRow, ...]:
    """Return the warnings that are open, and those cured whose last period is not before one, oldest life first."""
    recent = sa.and_(WARNING.c.closed_why == "cured", WARNING.c.last_period >= cured_since)
    query = sa.select(WARNING).where(sa.or_(WARNING.c.closed_at.is_(None), recent))
    return read_rows(engine, query.order_by(WARNING.c.warning_id, WARNING.c.opened_seq), WarningRow)


def warnings(
    engine: Engine,
    known_at: dt.datetime | None = None,
    nodes: frozenset[str] | None = None,
    with_closed: bool = False,
) -> tuple[WarningRow, ...]:
    """Return the warnings as known at a moment (None: now), newest first, only of the nodes a viewer may see.

    Seen from an earlier moment a warning has the last period, value and level it had then.
    """
    query = sa.select(WARNING)
    if known_at is not None:
        query = query.where(WARNING.c.opened_at <= known_at)
    if not with_closed:
        query = query.where(_alive(WARNING.c.closed_at, known_at))
    rows = read_rows(engine, query.order_by(WARNING.c.opened_at.desc(), WARNING.c.warning_id), WarningRow)
    visible = tuple(row for row in rows if nodes is None or row.node in nodes)
    return visible if known_at is None else _as_seen(visible, readings(engine, known_at), known_at)


def readings(engine: Engine, known_at: dt.datetime | None = None) -> dict[tuple[str, int], tuple[ReadingRow, ...]]:
    """Return what warnings said about their periods as known at a moment, by warning and opening batch."""
    query = sa.select(READING).where(_alive(READING.c.gone_at, known_at))
    if known_at is not None:
        query = query.where(READING.c.known_at <= known_at)
    found: dict[tuple[str, int], tuple[ReadingRow, ...]] = {}
    for row in read_rows(engine, query.order_by(READING.c.period), ReadingRow):
        key = (row.warning_id, row.opened_seq)
        found[key] = (*found.get(key, ()), row)
    return found


def _as_seen(
    rows: Sequence[WarningRow], told: dict[tuple[str, int], tuple[ReadingRow, ...]], known_at: dt.datetime
) -> tuple[WarningRow, ...]:
    return tuple(_row_seen(row, told.get((row.warning_id, row.opened_seq), ()), known_at) for row in rows)


def _row_seen(row: WarningRow, periods: Sequence[ReadingRow], known_at: dt.datetime) -> WarningRow:
    """Return a warning with the periods, value and level it had at a moment, and not yet closed if it was not."""
    if periods:
        last, gravest = periods[-1], min(periods, key=lambda one: GRAVENESS.index(one.level))
        shown = {"last_period": last.period, "value": last.value, "base": last.base, "bound": last.bound}
        row = replace(row, **shown, level=gravest.level)  # type: ignore[arg-type]
    if row.closed_at is not None and row.closed_at > known_at:
        return replace(row, closed_at=None, closed_seq=None, closed_why=None, is_over=False)
    return row


def _alive(closed_at: sa.ColumnElement[Any], known_at: dt.datetime | None) -> sa.ColumnElement[bool]:
    return closed_at.is_(None) if known_at is None else sa.or_(closed_at.is_(None), closed_at > known_at)


def apply_warnings(engine: Engine, change: WarningChange) -> None:
    """Open, refresh and close warnings in one transaction."""
    with engine.begin() as con:
        if change.opened:
            con.execute(sa.insert(WARNING), [asdict(row) for row in change.opened])
        for row in change.updated:
            con.execute(sa.update(WARNING).where(*_same(WARNING, row)).values(**asdict(row)))
        for end in change.closed:
            shut = {"closed_seq": end.seq, "closed_at": end.at, "closed_why": end.why}
            con.execute(sa.update(WARNING).where(*_same(WARNING, end)).values(**shut))
        for gone in change.gone_readings:
            where = (*_same(READING, gone), READING.c.period == gone.period, READING.c.known_seq == gone.known_seq)
            con.execute(sa.update(READING).where(*where).values(gone_seq=gone.gone_seq, gone_at=gone.gone_at))
        if change.new_readings:
            con.execute(sa.insert(READING), [asdict(row) for row in change.new_readings])


def _same(table: sa.Table, row: WarningRow | ReadingRow | Closing) -> tuple[sa.ColumnElement[bool], ...]:
    return table.c.warning_id == row.warning_id, table.c.opened_seq == row.opened_seq
