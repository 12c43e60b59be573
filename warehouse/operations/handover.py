"""Hand-overs: files given in on a page, what was understood and corrected, and what became of them.

received → waiting → loading → done or failed; or received → discarded, or failed when nobody decides for days. Each step is one statement that holds only in
the state before it, so that two hands never take one hand-over twice. A worker that dies leaves `loading` behind: the
next one goes on from the receipt when there is one, else it loads again.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from warehouse.control import METADATA, RECEIPT
from warehouse.operations.rows import Instant, column, key_column, read_rows

RECEIVED, WAITING, LOADING, DONE, FAILED, DISCARDED = (
    "received", "waiting", "loading", "done", "failed", "discarded",
)  # fmt: skip
FILE, RETURN = "file", "return"
UNDECIDED = "undecided"
"""Why a hand-over failed about which nobody decided in time."""

OPEN_STATES = (RECEIVED, WAITING, LOADING)


class Document(sa.types.TypeDecorator[Any]):
    """A plain value as JSON text."""

    impl = sa.String
    cache_ok = True

    def process_bind_param(self, value: Any, _dialect: Any) -> str | None:
        return None if value is None else json.dumps(value, ensure_ascii=False, default=str)

    def process_result_value(self, value: Any, _dialect: Any) -> Any:
        return None if value is None else json.loads(value)


@dataclass(frozen=True)
class HandoverRow:
    """One file given in.

    `kind` is a file, or a return sheet that was corrected; `node` is the unit in view when it was given in; `scope` is for whom its owner may report: codes of units and
    themes, None for all. `after_receipt` is the last receipt before its load began, `tries` how often that was.
    """

    handover_id: str
    file_name: str
    sha: str
    bytes: int
    actor: str
    given_at: dt.datetime
    state: str = RECEIVED
    changed_at: dt.datetime | None = None
    node: str | None = None
    kind: str = FILE
    source: str | None = None
    corrections: Mapping[str, Any] = field(default_factory=dict)
    scope: Mapping[str, Any] = field(default_factory=dict)
    preview: Mapping[str, Any] | None = None
    report: Sequence[Mapping[str, Any]] | None = None
    why: str = ""
    after_receipt: int | None = None
    tries: int = 0


HANDOVER = sa.Table(
    "handover",
    METADATA,
    key_column("handover_id"),
    column("file_name"),
    column("sha"),
    column("bytes", sa.Integer),
    column("actor", index=True),
    column("given_at", Instant),
    column("state", index=True),
    column("changed_at", Instant, null=True),
    column("node", null=True),
    column("kind"),
    column("source", null=True),
    column("corrections", Document),
    column("scope", Document),
    column("preview", Document, null=True),
    column("report", Document, null=True),
    column("why"),
    column("after_receipt", sa.Integer, null=True),
    column("tries", sa.Integer),
)


def add_handover(engine: Engine, row: HandoverRow) -> None:
    """Keep a file that was just given in."""
    with engine.begin() as con:
        con.execute(sa.insert(HANDOVER).values(**asdict(row)))


def find_handover(engine: Engine, handover_id: str) -> HandoverRow | None:
    """Return one hand-over."""
    found = read_rows(engine, sa.select(HANDOVER).where(HANDOVER.c.handover_id == handover_id), HandoverRow)
    return found[0] if found else None


def handovers(engine: Engine, actor: str, limit: int) -> tuple[HandoverRow, ...]:
    """Return what somebody gave in, newest first, the open ones before the others; what was discarded is left out."""
    is_open = sa.case((HANDOVER.c.state.in_(OPEN_STATES), 0), else_=1)
    query = (
        sa.select(HANDOVER)
        .where(HANDOVER.c.actor == actor, HANDOVER.c.state != DISCARDED)
        .order_by(is_open, HANDOVER.c.given_at.desc(), HANDOVER.c.handover_id)
        .limit(limit)
    )
    return read_rows(engine, query, HandoverRow)


def count_open(engine: Engine, actor: str) -> int:
    """Return how many hand-overs of somebody are not finished."""
    query = sa.select(sa.func.count()).where(HANDOVER.c.actor == actor, HANDOVER.c.state.in_(OPEN_STATES))
    with engine.connect() as con:
        return con.execute(query).scalar() or 0


def understand_handover(
    engine: Engine, handover_id: str, preview: Mapping[str, Any] | None, now: dt.datetime, *, source: str | None,
    corrections: Mapping[str, Any], kind: str = FILE,
) -> bool:  # fmt: skip
    """Keep what was understood of a file under some corrections; False when it is no longer to be corrected."""
    values = {"preview": preview, "source": source, "corrections": corrections, "kind": kind}
    return _step(engine, handover_id, (RECEIVED,), changed_at=now, **values)


def accept_handover(engine: Engine, handover_id: str, now: dt.datetime) -> bool:
    """Queue a hand-over for the worker; False when it is not waiting for a decision."""
    return _step(engine, handover_id, (RECEIVED,), state=WAITING, changed_at=now)


def discard_handover(engine: Engine, handover_id: str, now: dt.datetime) -> bool:
    """Give up a hand-over that was not queued; False when it was."""
    return _step(engine, handover_id, (RECEIVED,), state=DISCARDED, changed_at=now)


def expire_handovers(engine: Engine, before: dt.datetime, now: dt.datetime) -> tuple[str, ...]:
    """Give up what nobody decided or looked at since a moment, with what was understood of it; return which."""
    touched = sa.func.coalesce(HANDOVER.c.changed_at, HANDOVER.c.given_at)
    is_left = sa.and_(HANDOVER.c.state == RECEIVED, touched < before)
    step = sa.update(HANDOVER).where(is_left).values(state=FAILED, why=UNDECIDED, changed_at=now, preview=None)
    with engine.begin() as con:
        return tuple(row.handover_id for row in con.execute(step.returning(HANDOVER.c.handover_id)))


def open_ids(engine: Engine) -> frozenset[str]:
    """Return the hand-overs that still need their file."""
    query = sa.select(HANDOVER.c.handover_id).where(HANDOVER.c.state.in_(OPEN_STATES))
    with engine.connect() as con:
        return frozenset(row.handover_id for row in con.execute(query))


def is_waited_for(engine: Engine) -> bool:
    """Tell whether there is something to load: one light look."""
    query = sa.select(sa.literal(1)).where(HANDOVER.c.state.in_((WAITING, LOADING))).limit(1)
    with engine.connect() as con:
        return con.execute(query).first() is not None


def next_handover(engine: Engine) -> HandoverRow | None:
    """Return what is to be loaded next: what a worker left behind, else the oldest that waits."""
    is_left = sa.case((HANDOVER.c.state == LOADING, 0), else_=1)
    query = (
        sa.select(HANDOVER)
        .where(HANDOVER.c.state.in_((WAITING, LOADING)))
        .order_by(is_left, HANDOVER.c.changed_at, HANDOVER.c.handover_id)
        .limit(1)
    )
    found = read_rows(engine, query, HandoverRow)
    return found[0] if found else None


def begin_handover(engine: Engine, handover_id: str, now: dt.datetime) -> HandoverRow | None:
    """Mark a hand-over as being loaded; the last receipt before its first try is kept, to know its own again."""
    last = sa.select(sa.func.coalesce(sa.func.max(RECEIPT.c.receipt_id), 0)).scalar_subquery()
    first = sa.func.coalesce(HANDOVER.c.after_receipt, last)
    step = {"state": LOADING, "changed_at": now, "tries": HANDOVER.c.tries + 1, "after_receipt": first}
    return find_handover(engine, handover_id) if _step(engine, handover_id, (WAITING, LOADING), **step) else None


def wait_on(engine: Engine, handover_id: str) -> bool:
    """Take back a try that found another writer at work."""
    return _step(engine, handover_id, (LOADING,), state=WAITING, tries=HANDOVER.c.tries - 1)


def finish_handover(
    engine: Engine, handover_id: str, state: str, now: dt.datetime, *, report: Sequence[Mapping[str, Any]] = (),
    why: str = "",
) -> bool:  # fmt: skip
    """Keep what became of a hand-over."""
    return _step(engine, handover_id, (LOADING,), state=state, changed_at=now, report=list(report), why=why)


def receipts_of(engine: Engine, row: HandoverRow) -> list[dict[str, Any]]:
    """Return the receipts a hand-over has left since its load began, oldest first."""
    query = (
        sa.select(RECEIPT)
        .where(RECEIPT.c.receipt_id > (row.after_receipt or 0))
        # what must not be kept was taken out of some files: those lie under the sum of what is left
        .where(sa.or_(RECEIPT.c.file_sha == row.sha, RECEIPT.c.received_sha == row.sha))
        .where(RECEIPT.c.file_name == row.file_name, RECEIPT.c.actor == row.actor)
        .order_by(RECEIPT.c.receipt_id)
    )
    with engine.connect() as con:
        rows = con.execute(query).fetchall()
    return [{**row._mapping, "counts": json.loads(row.counts), "message": json.loads(row.message)} for row in rows]


def _step(engine: Engine, handover_id: str, states: Sequence[str], **values: Any) -> bool:
    """Change a hand-over that is in one of some states; False when it is in another."""
    step = sa.update(HANDOVER).where(HANDOVER.c.handover_id == handover_id, HANDOVER.c.state.in_(states))
    with engine.begin() as con:
        return con.execute(step.values(**values)).rowcount == 1
