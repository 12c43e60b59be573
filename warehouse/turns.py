"""Whose turn it is to write, where several machines share one control log, and commits that outlive a broken connection.

A file lock does not reach across machines. A turn is an advisory lock of the server, which makes others wait, and a
number that grows with every turn: a commit names the number it began with, so a writer that lost its connection, and
with it the lock, cannot commit beside the one that came after it. A log in SQLite has one machine and the file lock;
here nothing is to do for it.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Callable, Iterator

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from warehouse.base.errors import ServerError, ServerLost, StoreBusy
from warehouse.durable import WAITING
from warehouse.postgres import refusal

WRITER = "writer"
PAUSES = (0.2, 1.0, 3.0, 6.0, 10.0)
"""Seconds before a commit that met a broken connection is tried again."""

_LOOK_AGAIN = 0.2


def is_shared(engine: Engine) -> bool:
    """Tell whether a log is one that other machines may use too."""
    return engine.dialect.name == "postgresql"


class Turns:
    """The turns of one control log; `table` holds the number of each kind of turn."""

    def __init__(self, engine: Engine, table: sa.Table, receipts: sa.Table, shown: str) -> None:
        self.engine = engine
        self.table = table
        self.receipts = receipts
        self.shown = shown
        self.number: int | None = None
        """The writer's turn this process holds."""

    @contextlib.contextmanager
    def take(self, wait_seconds: float = 30, tell: Callable[[str], None] | None = None) -> Iterator[None]:
        """Hold the writer's turn for a job, across machines; wait for another's, saying so, then give up."""
        if not is_shared(self.engine):
            yield
            return
        with self.hold(WRITER, wait_seconds, tell) as is_held:
            if not is_held:
                raise self._busy(wait_seconds)
            self.number = self._count()
            try:
                yield
            finally:
                self.number = None

    @contextlib.contextmanager
    def hold(self, name: str, wait_seconds: float = 0, tell: Callable[[str], None] | None = None) -> Iterator[bool]:
        """Hold the lock of a name and give True; give False when another holds it for longer than the wait."""
        if not is_shared(self.engine):
            yield True
            return
        con = self.engine.execution_options(isolation_level="AUTOCOMMIT").connect()
        try:
            yield _lock(con, name, time.monotonic() + wait_seconds, tell)
        finally:
            with contextlib.suppress(ServerError):  # where the server is away, the lock has ended with its session
                con.execute(sa.text("SELECT pg_advisory_unlock_all()"))
            con.invalidate()
            con.close()

    def _count(self) -> int:
        """Begin a turn of the writer: from here on, whoever wrote before us cannot commit any more."""
        values = {"number": self.table.c.number + 1, "taken_by": f"{socket.gethostname()}:{os.getpid()}"}
        with self.engine.begin() as con:
            begun = sa.update(self.table).where(self.table.c.name == WRITER).values(**values)
            return int(con.execute(begun.returning(self.table.c.number)).scalar_one())

    def _busy(self, wait_seconds: float) -> StoreBusy:
        with self.engine.connect() as con:
            holder = con.execute(sa.select(self.table.c.taken_by).where(self.table.c.name == WRITER)).scalar()
        return StoreBusy(
            f"Another writer holds the store for more than {wait_seconds:.0f} s; the last to begin was {holder}.",
            "wait for it to end, or look there for a cockpit load, worker or run that still works",
        )

    def guard(self, con: Connection) -> None:
        """Within a transaction: let no other commit at the same time, and refuse if another's turn began since ours."""
        if not is_shared(self.engine):
            return
        wanted = sa.select(self.table.c.number).where(self.table.c.name == WRITER).with_for_update()
        number = con.execute(wanted).scalar_one()
        if self.number is not None and number != self.number:
            raise refusal("overtaken", self.shown)

    def commit(self, write: Callable[[Connection, int | None], None]) -> None:
        """Run a transaction that makes one receipt; done again where the connection broke, but never twice.

        The receipt's number is given before: after a break it tells whether the commit had arrived.
        """
        if not is_shared(self.engine):
            with self.engine.begin() as con:
                write(con, None)
            return
        number = self._next_receipt()
        for pause in (*PAUSES, None):
            try:
                with self.engine.begin() as con:
                    self.guard(con)
                    if not self._is_there(con, number):
                        write(con, number)
                return
            except ServerLost:
                if pause is None:
                    raise
                time.sleep(pause)

    def _next_receipt(self) -> int:
        key = sa.func.pg_get_serial_sequence(self.receipts.name, "receipt_id")
        with self.engine.connect() as con:
            return int(con.execute(sa.select(sa.func.nextval(key))).scalar_one())

    def _is_there(self, con: Connection, number: int) -> bool:
        return con.execute(sa.select(self.receipts.c.receipt_id).filter_by(receipt_id=number)).first() is not None


def _lock(con: Connection, name: str, deadline: float, tell: Callable[[str], None] | None) -> bool:
    """Advisory locks are the database's; the schema in the key keeps stores of one database apart."""
    key = sa.text("SELECT pg_try_advisory_lock(hashtextextended('cockpit/' || current_schema() || '/' || :name, 0))")
    told = False
    while not con.execute(key, {"name": name}).scalar():
        if time.monotonic() >= deadline:
            return False
        if tell and not told:
            tell(WAITING)
            told = True
        time.sleep(_LOOK_AGAIN)
    return True


@contextlib.contextmanager
def one_at_a_time(con: Connection, name: str) -> Iterator[None]:
    """Let transactions of one kind pass one after the other: the rest of the transaction is alone."""
    if con.dialect.name == "postgresql":
        key = "SELECT pg_advisory_xact_lock(hashtextextended('cockpit/' || current_schema() || '/' || :name, 1))"
        con.execute(sa.text(key), {"name": name})
    yield
