"""Tokens of machines that push, and the answers their repeated requests get again.

Of a token only a digest is kept; it speaks for what stands below one node, and for the kinds of rows it was made for.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from dataclasses import asdict, dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from warehouse.control import METADATA
from warehouse.operations.rows import Instant, column, key_column, read_rows


@dataclass(frozen=True)
class TokenRow:
    """One token: what it is called, whom it speaks for, and until when it held."""

    token_id: str
    name: str
    digest: str
    node: str
    kinds: str
    """Names of the kinds of rows it may push, separated by blanks."""
    made_at: dt.datetime
    made_by: str
    revoked_at: dt.datetime | None = None
    revoked_by: str | None = None


@dataclass(frozen=True)
class AnswerRow:
    """The answer once given to a request that named a key."""

    token_id: str
    request_key: str
    body_sha: str
    answer: str
    answered_at: dt.datetime


TOKEN = sa.Table(
    "push_token",
    METADATA,
    key_column("token_id"),
    column("name"),
    column("digest"),
    column("node"),
    column("kinds"),
    column("made_at", Instant),
    column("made_by"),
    column("revoked_at", Instant, null=True),
    column("revoked_by", null=True),
)
ANSWER = sa.Table(
    "push_answer",
    METADATA,
    key_column("token_id"),
    key_column("request_key"),
    column("body_sha"),
    column("answer"),
    column("answered_at", Instant, index=True),
)


def add_token(engine: Engine, row: TokenRow) -> None:
    """Keep a new token."""
    with engine.begin() as con:
        con.execute(sa.insert(TOKEN).values(**asdict(row)))


def tokens(engine: Engine) -> tuple[TokenRow, ...]:
    """Return every token, revoked ones too, oldest first."""
    return read_rows(engine, sa.select(TOKEN).order_by(TOKEN.c.made_at, TOKEN.c.token_id), TokenRow)


def find_token(engine: Engine, token_id: str) -> TokenRow | None:
    """Return the token of an id."""
    found = read_rows(engine, sa.select(TOKEN).where(TOKEN.c.token_id == token_id), TokenRow)
    return found[0] if found else None


def revoke_token(engine: Engine, token_id: str, actor: str, now: dt.datetime) -> bool:
    """Revoke a token that holds; False when there is none."""
    wanted = sa.update(TOKEN).where(TOKEN.c.token_id == token_id, TOKEN.c.revoked_at.is_(None))
    with engine.begin() as con:
        return con.execute(wanted.values(revoked_at=now, revoked_by=actor)).rowcount == 1


def find_answer(engine: Engine, token_id: str, request_key: str) -> AnswerRow | None:
    """Return the answer a request of this key was given."""
    wanted = sa.select(ANSWER).where(ANSWER.c.token_id == token_id, ANSWER.c.request_key == request_key)
    found = read_rows(engine, wanted, AnswerRow)
    return found[0] if found else None


def keep_answer(engine: Engine, row: AnswerRow, forget_before: dt.datetime) -> None:
    """Keep the answer of a request and forget old ones; of two at once the first stays."""
    with contextlib.suppress(sa.exc.IntegrityError), engine.begin() as con:
        con.execute(sa.delete(ANSWER).where(ANSWER.c.answered_at < forget_before))
        con.execute(sa.insert(ANSWER).values(**asdict(row)))
