"""Operational records beside the control log: forecasts, landings, warnings, snapshots and the worker's runs.

They are derived, but they are history: what was forecast or frozen then cannot be computed again by anybody who did
not keep it. Rows are appended; the only change ever made to a row is that a warning is closed.
Exact figures are text, instants are sortable UTC text, lists are JSON.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from warehouse.control import METADATA, from_iso, iso

Row = TypeVar("Row")
GRAVENESS = ("red", "orange", "yellow", "blue")


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
class SnapshotRow:
    """One freezing of the board: when, as known when, by whom and why."""

    snapshot_id: str
    kind: str
    day: str
    taken_at: dt.datetime
    known_at: dt.datetime
    through_seq: int
    period: str
    values: int
    actor: str


@dataclass(frozen=True)
class SnapshotValueRow:
    """One frozen figure with everything needed to prove it."""

    snapshot_id: str
    indicator: str
    node: str
    period: str
    grain: str
    value: str | None
    numerator: str | None
    denominator: str | None
    unit: str
    due: int | None
    got: int | None
    status: str
    fingerprint: str
    through_seq: int


@dataclass(frozen=True)
class RunRow:
    """One finished job of the worker; `due_key` names what it was due for, so that it is done once."""

    job: str
    due_key: str
    started_at: dt.datetime
    finished_at: dt.datetime
    ok: bool
    message: str


class _Instant(sa.types.TypeDecorator[dt.datetime]):
    """An aware instant as sortable text."""

    impl = sa.String
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, _dialect: Any) -> str | None:
        return None if value is None else iso(value)

    def process_result_value(self, value: Any, _dialect: Any) -> dt.datetime | None:
        return None if value is None else from_iso(value)


def _key(name: str, kind: type[Any] = str) -> sa.Column[Any]:
    return sa.Column(name, {str: sa.String, int: sa.Integer}[kind], primary_key=True)


def _has(name: str, kind: Any = sa.String, *, null: bool = False, index: bool = False) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=null, index=index)


FORECAST = sa.Table(
    "forecast",
    METADATA,
    _key("indicator"),
    _key("node"),
    sa.Column("made_at", _Instant, primary_key=True),
    _key("step", int),
    _has("data_hash", index=True),
    _has("known_at", _Instant),
    _has("through_seq", sa.Integer),
    _has("month_no", sa.Integer),
    *(_has(name, sa.Float) for name in ("mean", "lo80", "hi80", "lo90", "hi90")),
    _has("unit"),
    _has("history", sa.Integer),
    *(_has(name) for name in ("method", "status", "reason")),
)

LANDING = sa.Table(
    "landing",
    METADATA,
    _key("indicator"),
    _key("node"),
    _key("year", int),
    sa.Column("made_at", _Instant, primary_key=True),
    _has("known_at", _Instant, index=True),
    _has("through_seq", sa.Integer),
    _has("data_hash"),
    _has("unit"),
    _has("paid", sa.Float),
    _has("months_reported", sa.Integer),
    _has("missing"),
    _has("expected", sa.Float),
    *(_has(name, sa.Float, null=True) for name in ("lo80", "hi80", "lo90", "hi90", "budget", "exceed_probability")),
    *(_has(name, sa.Integer, null=True) for name in ("crossing_early", "crossing_likely", "crossing_late")),
    *(_has(name) for name in ("status", "method", "reason", "path")),
)

WARNING = sa.Table(
    "warning",
    METADATA,
    _key("warning_id"),
    _key("opened_seq", int),
    _has("opened_at", _Instant, index=True),
    *(_has(name) for name in ("rule", "indicator", "node", "node_name")),
    _has("dim_value", null=True),
    *(_has(name) for name in ("grain", "level", "title_zh", "title_en", "first_period", "last_period", "value")),
    _has("base", null=True),
    _has("bound"),
    _has("unit"),
    _has("is_over", sa.Boolean),
    _has("to_verify", sa.Boolean),
    _has("judged_at", _Instant),
    _has("closed_seq", sa.Integer, null=True),
    _has("closed_at", _Instant, null=True),
    _has("closed_why", null=True),
)

READING = sa.Table(
    "warning_reading",
    METADATA,
    _key("warning_id"),
    _key("opened_seq", int),
    _key("period"),
    _key("known_seq", int),
    _has("value"),
    _has("base", null=True),
    _has("bound"),
    _has("level"),
    _has("known_at", _Instant),
    _has("gone_seq", sa.Integer, null=True),
    _has("gone_at", _Instant, null=True),
)

SNAPSHOT = sa.Table(
    "snapshot",
    METADATA,
    _key("snapshot_id"),
    _has("kind"),
    _has("day", index=True),
    _has("taken_at", _Instant),
    _has("known_at", _Instant),
    _has("through_seq", sa.Integer),
    _has("period"),
    _has("values", sa.Integer),
    _has("actor"),
)

SNAPSHOT_VALUE = sa.Table(
    "snapshot_value",
    METADATA,
    *(_key(name) for name in ("snapshot_id", "indicator", "node", "period", "grain")),
    *(_has(name, null=True) for name in ("value", "numerator", "denominator")),
    _has("unit"),
    _has("due", sa.Integer, null=True),
    _has("got", sa.Integer, null=True),
    _has("status"),
    _has("fingerprint"),
    _has("through_seq", sa.Integer),
)

RUN = sa.Table(
    "worker_run",
    METADATA,
    _key("job"),
    _key("due_key"),
    _has("started_at", _Instant),
    _has("finished_at", _Instant),
    _has("ok", sa.Boolean),
    _has("message"),
)

TABLES = (FORECAST, LANDING, WARNING, READING, SNAPSHOT, SNAPSHOT_VALUE, RUN)


def ensure(engine: Engine) -> None:
    """Create the tables that are not there yet."""
    METADATA.create_all(engine, tables=list(TABLES))


# --- forecasts and landings ------------------------------------------------------------------------------------------


def landing_hashes(engine: Engine) -> dict[tuple[str, str, int], str]:
    """Return the data hash of the newest landing of each indicator, node and year."""
    return _newest_hash(engine, LANDING, ("indicator", "node", "year"))


def _newest_hash(engine: Engine, table: sa.Table, key: Sequence[str]) -> dict[Any, str]:
    query = sa.select(table).with_only_columns(*(table.c[name] for name in key), table.c.data_hash)
    with engine.connect() as con:
        return {tuple(row[:-1]): row[-1] for row in con.execute(query.order_by(table.c.made_at))}


def add_forecasts(engine: Engine, rows: Iterable[ForecastRow]) -> int:
    """Store forecasts; an earlier one is never overwritten."""
    return _add(engine, FORECAST, rows)


def add_landings(engine: Engine, rows: Iterable[LandingRow]) -> int:
    """Store landings; an earlier one is never overwritten."""
    return _add(engine, LANDING, rows)


def forecasts(
    engine: Engine, indicator: str, node: str, known_at: dt.datetime | None = None
) -> tuple[ForecastRow, ...]:
    """Return the steps of the newest forecast that rests on nothing known later than a moment (None: now)."""
    chosen = sa.select(sa.func.max(FORECAST.c.made_at)).where(
        FORECAST.c.indicator == indicator, FORECAST.c.node == node, _not_after(FORECAST, known_at)
    )
    query = sa.select(FORECAST).where(
        FORECAST.c.indicator == indicator, FORECAST.c.node == node, FORECAST.c.made_at == chosen.scalar_subquery()
    )
    return _read(engine, query.order_by(FORECAST.c.step), ForecastRow)


def landings(
    engine: Engine,
    indicator: str | None = None,
    node: str | None = None,
    known_at: dt.datetime | None = None,
    year: int | None = None,
) -> tuple[LandingRow, ...]:
    """Return the newest landing per indicator and node that rests on nothing known later than a moment."""
    query = sa.select(LANDING).where(_not_after(LANDING, known_at))
    for column, wanted in (("indicator", indicator), ("node", node), ("year", year)):
        if wanted is not None:
            query = query.where(LANDING.c[column] == wanted)
    newest: dict[tuple[str, str], LandingRow] = {}
    for row in _read(engine, query.order_by(LANDING.c.year, LANDING.c.made_at), LandingRow):
        newest[row.indicator, row.node] = row
    return tuple(newest[key] for key in sorted(newest))


def _not_after(table: sa.Table, known_at: dt.datetime | None) -> sa.ColumnElement[bool]:
    return sa.true() if known_at is None else table.c.known_at <= known_at


# --- warnings --------------------------------------------------------------------------------------------------------


def standing_warnings(engine: Engine, cured_since: str) -> tuple[WarningRow, ...]:
    """Return the warnings that are open, and those cured whose last period is not before one, oldest life first."""
    recent = sa.and_(WARNING.c.closed_why == "cured", WARNING.c.last_period >= cured_since)
    query = sa.select(WARNING).where(sa.or_(WARNING.c.closed_at.is_(None), recent))
    return _read(engine, query.order_by(WARNING.c.warning_id, WARNING.c.opened_seq), WarningRow)


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
    rows = _read(engine, query.order_by(WARNING.c.opened_at.desc(), WARNING.c.warning_id), WarningRow)
    visible = tuple(row for row in rows if nodes is None or row.node in nodes)
    return visible if known_at is None else _as_seen(visible, readings(engine, known_at), known_at)


def readings(engine: Engine, known_at: dt.datetime | None = None) -> dict[tuple[str, int], tuple[ReadingRow, ...]]:
    """Return what warnings said about their periods as known at a moment, by warning and opening batch."""
    query = sa.select(READING).where(_alive(READING.c.gone_at, known_at))
    if known_at is not None:
        query = query.where(READING.c.known_at <= known_at)
    found: dict[tuple[str, int], tuple[ReadingRow, ...]] = {}
    for row in _read(engine, query.order_by(READING.c.period), ReadingRow):
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


# --- snapshots -------------------------------------------------------------------------------------------------------


def add_snapshot(engine: Engine, head: SnapshotRow, values: Sequence[SnapshotValueRow]) -> None:
    """Freeze a board: head and figures in one transaction."""
    with engine.begin() as con:
        con.execute(sa.insert(SNAPSHOT).values(**asdict(head)))
        if values:
            con.execute(sa.insert(SNAPSHOT_VALUE), [asdict(row) for row in values])


def snapshots(engine: Engine, kind: str | None = None) -> tuple[SnapshotRow, ...]:
    """Return the snapshots taken, oldest first."""
    query = sa.select(SNAPSHOT).order_by(SNAPSHOT.c.taken_at)
    return _read(engine, query if kind is None else query.where(SNAPSHOT.c.kind == kind), SnapshotRow)


def snapshot_values(
    engine: Engine, snapshot_id: str, nodes: frozenset[str] | None = None
) -> tuple[SnapshotValueRow, ...]:
    """Return the frozen figures of a snapshot, only of the nodes a viewer may see."""
    query = sa.select(SNAPSHOT_VALUE).where(SNAPSHOT_VALUE.c.snapshot_id == snapshot_id)
    columns = (SNAPSHOT_VALUE.c.indicator, SNAPSHOT_VALUE.c.node, SNAPSHOT_VALUE.c.period)
    rows = _read(engine, query.order_by(*columns), SnapshotValueRow)
    return tuple(row for row in rows if nodes is None or row.node in nodes)


# --- the worker's runs -----------------------------------------------------------------------------------------------


def add_run(engine: Engine, row: RunRow) -> None:
    """Note a finished job; a failed try of the same thing is replaced."""
    with engine.begin() as con:
        con.execute(sa.delete(RUN).where(RUN.c.job == row.job, RUN.c.due_key == row.due_key))
        con.execute(sa.insert(RUN).values(**asdict(row)))


def last_runs(engine: Engine) -> dict[str, RunRow]:
    """Return the last finished run of each job."""
    return {row.job: row for row in _read(engine, sa.select(RUN).order_by(RUN.c.finished_at), RunRow)}


def find_run(engine: Engine, job: str, due_key: str) -> RunRow | None:
    """Return the run of a job for what it was due for."""
    found = _read(engine, sa.select(RUN).where(RUN.c.job == job, RUN.c.due_key == due_key), RunRow)
    return found[0] if found else None


def is_done(engine: Engine, job: str, due_key: str) -> bool:
    """Tell whether a job has succeeded for what it was due for."""
    run = find_run(engine, job, due_key)
    return run is not None and run.ok


# --- rows in and out -------------------------------------------------------------------------------------------------


def _add(engine: Engine, table: sa.Table, rows: Iterable[Any]) -> int:
    listed = [asdict(row) for row in rows]
    if listed:
        with engine.begin() as con:
            con.execute(sa.insert(table), listed)
    return len(listed)


def _read(engine: Engine, query: sa.Select[Any], kind: type[Row]) -> tuple[Row, ...]:
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    with engine.connect() as con:
        return tuple(kind(**{name: row._mapping[name] for name in names}) for row in con.execute(query))
