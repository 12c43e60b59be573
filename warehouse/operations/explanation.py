"""Explanations of doubtful rows: what the reporting unit says of its figures. None is ever overwritten."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from warehouse.control import METADATA
from warehouse.operations.rows import Instant, add_rows, column, key_column, not_after, read_rows


@dataclass(frozen=True)
class ExplanationRow:
    """What somebody said of one doubt at one time; the latest stands, the earlier ones stay."""

    doubt_id: str
    known_at: dt.datetime
    actor: str
    why: str


EXPLANATION = sa.Table(
    "explanation",
    METADATA,
    key_column("doubt_id"),
    sa.Column("known_at", Instant, primary_key=True),
    column("actor"),
    column("why"),
)


def add_explanation(engine: Engine, row: ExplanationRow) -> None:
    """Keep what was said of a doubt."""
    add_rows(engine, EXPLANATION, [row])


def explanations(engine: Engine, known_at: dt.datetime | None = None) -> dict[str, ExplanationRow]:
    """Return the latest explanation of each doubt, as known at a time."""
    query = sa.select(EXPLANATION).where(not_after(EXPLANATION, known_at)).order_by(EXPLANATION.c.known_at)
    return {row.doubt_id: row for row in read_rows(engine, query, ExplanationRow)}
