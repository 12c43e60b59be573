"""Pulls: how far each declared query of a database was taken, noted in the transaction that took its rows."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from warehouse.control import METADATA
from warehouse.operations.rows import Instant, column, read_rows


@dataclass(frozen=True)
class PullRow:
    """One pull that was taken: up to which value of the growing column, as text the source's own type reads back."""

    name: str
    receipt_id: int
    batch_seq: int | None
    dataset: str
    declared: str
    """Sum of what was declared: another query has another watermark."""
    is_full: bool
    rows: int
    reached: str | None
    pulled_at: dt.datetime
    shape: str
    """Names and types of the columns, as JSON: what must not change unnoticed."""
    sha: str
    """Sum of the rows read: the very same rows again are no news."""


PULL = sa.Table(
    "pull",
    METADATA,
    sa.Column("receipt_id", sa.Integer, primary_key=True, autoincrement=False),
    column("name", index=True),
    column("batch_seq", sa.Integer, null=True),
    column("dataset"),
    column("declared"),
    column("is_full", sa.Boolean),
    column("rows", sa.BigInteger),
    column("reached", null=True),
    column("pulled_at", Instant),
    column("shape"),
    column("sha"),
)


def add_pull(con: Connection, row: PullRow) -> None:
    """Note a pull within the transaction that makes its rows known."""
    con.execute(sa.insert(PULL).values(**asdict(row)))


def pulls(engine: Engine, name: str | None = None) -> tuple[PullRow, ...]:
    """Return the pulls taken, oldest first."""
    query = sa.select(PULL).order_by(PULL.c.receipt_id)
    return read_rows(engine, query if name is None else query.where(PULL.c.name == name), PullRow)


def last_pull(engine: Engine, name: str) -> PullRow | None:
    """Return how far a pull has come, None before its first."""
    newest = sa.select(PULL).where(PULL.c.name == name).order_by(PULL.c.receipt_id.desc()).limit(1)
    found = read_rows(engine, newest, PullRow)
    return found[0] if found else None
