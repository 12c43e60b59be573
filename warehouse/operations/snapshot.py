"""Snapshots: boards frozen figure by figure, with everything needed to prove them again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from warehouse.control import METADATA
from warehouse.operations.rows import Instant, column, key_column, read_rows


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
    state: str = "reported"
    """Whether reviewed or reported figures were frozen."""


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


SNAPSHOT = sa.Table(
    "snapshot",
    METADATA,
    key_column("snapshot_id"),
    column("kind"),
    column("day", index=True),
    column("taken_at", Instant),
    column("known_at", Instant),
    column("through_seq", sa.Integer),
    column("period"),
    column("values", sa.Integer),
    column("actor"),
    sa.Column("state", sa.String, nullable=False, server_default="reported"),
)


SNAPSHOT_VALUE = sa.Table(
    "snapshot_value",
    METADATA,
    *(key_column(name) for name in ("snapshot_id", "indicator", "node", "period", "grain")),
    *(column(name, null=True) for name in ("value", "numerator", "denominator")),
    column("unit"),
    column("due", sa.Integer, null=True),
    column("got", sa.Integer, null=True),
    column("status"),
    column("fingerprint"),
    column("through_seq", sa.Integer),
)


def add_snapshot(engine: Engine, head: SnapshotRow, values: Sequence[SnapshotValueRow]) -> None:
    """Freeze a board: head and figures in one transaction."""
    with engine.begin() as con:
        con.execute(sa.insert(SNAPSHOT).values(**vars(head)))
        if values:
            con.execute(sa.insert(SNAPSHOT_VALUE), [vars(row) for row in values])


def snapshots(engine: Engine, kind: str | None = None) -> tuple[SnapshotRow, ...]:
    """Return the snapshots taken, oldest first."""
    query = sa.select(SNAPSHOT).order_by(SNAPSHOT.c.taken_at)
    return read_rows(engine, query if kind is None else query.where(SNAPSHOT.c.kind == kind), SnapshotRow)


def snapshot_values(
    engine: Engine, snapshot_id: str, nodes: frozenset[str] | None = None
) -> tuple[SnapshotValueRow, ...]:
    """Return the frozen figures of a snapshot, only of the nodes a viewer may see."""
    query = sa.select(SNAPSHOT_VALUE).where(SNAPSHOT_VALUE.c.snapshot_id == snapshot_id)
    columns = (SNAPSHOT_VALUE.c.indicator, SNAPSHOT_VALUE.c.node, SNAPSHOT_VALUE.c.period)
    rows = read_rows(engine, query.order_by(*columns), SnapshotValueRow)
    return tuple(row for row in rows if nodes is None or row.node in nodes)
