"""PostgreSQL, where several machines share it: how a server is named, how we connect, what a failure is called.

A password never becomes part of what is shown, stored or logged. It comes from the address a person set in the
environment, or from libpq's own places: PGPASSWORD, PGPASSFILE, ~/.pgpass.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import URL, Engine
from sqlalchemy.engine.interfaces import ExceptionContext

from warehouse.base.errors import ServerError, ServerLost

DRIVERS = ("postgresql", "postgres", "postgresql+psycopg")
SCHEMA = "cockpit"
"""Where the tables lie when the address names no schema."""

CONNECT_SECONDS = 10
UNANSWERED_MS = 30_000
"""So long a sent packet may stay without an answer before the connection counts as broken."""

_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_SECRET = ("password", "passfile", "sslpassword")
_WORDS: tuple[tuple[str, str], ...] = (
    ("password", r"password authentication failed|认证失败|no password supplied|empty password"),
    ("no_database", r'database "[^"]*" does not exist|数据库 .*不存在'),
    ("no_role", r'role "[^"]*" does not exist|角色 .*不存在'),
    ("not_admitted", r"no pg_hba\.conf entry|pg_hba\.conf"),
    ("too_many", r"too many (clients|connections)|remaining connection slots"),
    ("starting", r"starting up|shutting down|recovery mode"),
    ("unknown_host", r"could not translate host name|failed to resolve host|Name or service not known"),
    ("refused", r"Connection refused|No such file or directory|Is the server running"),
    ("timeout", r"timeout expired|timed out|connection timeout"),
    ("ssl", r"SSL|certificate"),
)
"""What libpq says when it cannot connect, for which the protocol has no code; first match counts."""

_STATES: Mapping[str, str] = {
    "28P01": "password", "28000": "not_admitted", "3D000": "no_database", "53300": "too_many", "57P03": "starting",
    "42501": "no_rights", "25006": "read_only", "57014": "too_long", "55P03": "locked", "53100": "disk_full",
    "57P01": "lost", "57P02": "lost", "08006": "lost", "08003": "lost", "25P03": "lost",
}  # fmt: skip
"""Codes of the server's own answers."""


PASSING = ("lost", "refused", "timeout", "starting", "too_many")
"""What may be over in a moment."""


@dataclass(frozen=True)
class Address:
    """A server, a database and the schema of one store in it."""

    url: URL = field(repr=False)
    schema: str = SCHEMA
    """Empty where the server's own is meant: a source has no schema of ours."""

    @property
    def shown(self) -> str:
        """The address without anything secret: for people, and for the store's own file."""
        kept = {key: value for key, value in self.url.query.items() if key not in _SECRET}
        named = {**kept, "schema": self.schema} if self.schema else kept
        bare = self.url.set(drivername="postgresql", query=named)
        return URL.create(
            bare.drivername, bare.username, None, bare.host, bare.port, bare.database, bare.query
        ).render_as_string(hide_password=False)

    @property
    def has_password(self) -> bool:
        """Tell whether the address itself brings a password."""
        return bool(self.url.password) or any(key in self.url.query for key in _SECRET)

    def __str__(self) -> str:
        """Show it without anything secret."""
        return self.shown


def parse_address(text: str, schema: str = SCHEMA) -> Address:
    """Read an address `postgresql://user@host:port/database?schema=name`; a fault never repeats the text.

    `schema` is the one meant where none is named; empty leaves it to the server.
    """
    try:
        url = sa.make_url(text.strip())
    except (sa.exc.ArgumentError, ValueError):
        raise refusal("not_an_address") from None
    if url.drivername not in DRIVERS or not url.database:
        raise refusal("not_an_address")
    named = url.query.get("schema", schema)
    if not isinstance(named, str) or (named and not _NAME.fullmatch(named)) or named.startswith("pg_"):
        raise refusal("bad_schema", value=named)
    return Address(url.set(drivername="postgresql+psycopg").difference_update_query(["schema"]), named)


def open_engine(address: Address) -> Engine:
    """Return an engine whose statements find the address's schema, commit durably, and fail in words."""
    engine = sa.create_engine(address.url, connect_args=_options(address), pool_pre_ping=True, hide_parameters=True)
    # before the dialect asks which schema is its own
    event.listen(engine, "connect", lambda connection, _: _settle(connection, address.schema), insert=True)
    event.listen(engine, "handle_error", lambda context: _tell(context, address.shown), retval=True)
    return engine


def _options(address: Address) -> dict[str, Any]:
    """How a connection is made, as far as the address does not say it: nobody waits for a server for ever."""
    options: dict[str, Any] = {
        "connect_timeout": CONNECT_SECONDS, "application_name": "cockpit", "keepalives_idle": 30,
        "keepalives_interval": 10, "keepalives_count": 3, "tcp_user_timeout": UNANSWERED_MS,
    }  # fmt: skip
    return {key: value for key, value in options.items() if key not in address.url.query}


def connect(address: Address, timeout_seconds: int) -> psycopg.Connection[Any]:
    """Open one plain connection, for reading what others keep; a statement ends after so many seconds."""
    said = address.url.translate_connect_args(username="user", database="dbname")
    path = [f"-c search_path={address.schema}"] if address.schema else []
    limits = [f"-c statement_timeout={timeout_seconds * 1000}", "-c lock_timeout=60000", "-c datestyle=ISO"]
    options = {**_options(address), **said, **address.url.query, "options": " ".join([*path, *limits])}
    return psycopg.connect(**options)


def explain(error: psycopg.Error, shown: str) -> ServerError | None:
    """Return what the world did, in words; None where a statement was at fault."""
    code = code_of(error)
    if code is None and isinstance(error, psycopg.OperationalError):
        code = "lost" if error.sqlstate is None else "unspecified"
    return None if code is None else refusal(code, shown, first_line(error))


def _settle(connection: Any, schema: str) -> None:
    """Every connection: our schema, times in UTC, and a commit that is acknowledged is on disk."""
    is_automatic, connection.autocommit = connection.autocommit, True
    with connection.cursor() as cursor:
        cursor.execute(f'SET search_path TO "{schema}"')
        cursor.execute("SET TIME ZONE 'UTC'")
        cursor.execute("SELECT current_setting('synchronous_commit')")
        if cursor.fetchone()[0] not in ("on", "remote_apply"):
            cursor.execute("SET synchronous_commit TO on")
    connection.autocommit = is_automatic


def _tell(context: ExceptionContext, shown: str) -> BaseException | None:
    """Say in words what the world did; faults of a statement stay what they are."""
    if context.is_pre_ping:
        return None  # the pool takes another connection by itself
    cause = context.original_exception
    code = code_of(cause)
    if context.connection is None and code is None:
        return refusal("unspecified", shown, first_line(cause))
    if context.is_disconnect and context.connection is not None:
        return refusal("lost", shown, first_line(cause))
    return None if code is None else refusal(code, shown, first_line(cause))


def code_of(error: BaseException) -> str | None:
    """Return which known failure an error of the driver is."""
    state = getattr(error, "sqlstate", None)
    if state is not None:
        return _STATES.get(state)
    text = str(error)
    return next((code for code, pattern in _WORDS if re.search(pattern, text)), None)


def first_line(error: BaseException) -> str:
    """Return the line of an error that says the cause: libpq names the server first, then why."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0][:300] if lines else type(error).__name__


@cache
def _texts() -> dict[str, dict[str, str]]:
    return tomllib.loads((resources.files("warehouse") / "postgres.toml").read_text(encoding="utf-8"))


def refusal(code: str, where: object = "", value: object = "", expected: object = "") -> ServerError:
    """Return the error of a failure, in both languages, with what to do."""
    values = {"where": str(where), "value": str(value), "expected": str(expected)}
    text = {name: sentence.format(**values) for name, sentence in _texts()[code].items()}
    kind = ServerLost if code in PASSING else ServerError
    return kind(f"{text['zh']} {text['en']}", f"{text['do_zh']} · {text['do_en']}")
