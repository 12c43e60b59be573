"""Runs of the worker: what was done for what it was due for, so that it is done once."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from warehouse.control import METADATA
from warehouse.operations.rows import Instant, column, key_column, read_rows


@dataclass(frozen=True)
class RunRow:
    """One finished job of the worker; `due_key` names what it was due for, so that it is done once."""

    job: str
    due_key: str
    started_at: dt.datetime
    finished_at: dt.datetime
    ok: bool
    message: str


RUN = sa.Table(
    "worker_run",
    METADATA,
    key_column("job"),
    key_column("due_key"),
    column("started_at", Instant),
    column("finished_at", Instant),
    column("ok", sa.Boolean),
    column("message"),
)


def add_run(engine: Engine, row: RunRow) -> None:
    """Note a finished job; a failed try of the same thing is replaced."""
    with engine.begin() as con:
        con.execute(sa.delete(RUN).where(RUN.c.job == row.job, RUN.c.due_key == row.due_key))
        con.execute(sa.insert(RUN).values(**asdict(row)))


def last_runs(engine: Engine) -> dict[str, RunRow]:
    """Return the last finished run of each job."""
    return {row.job: row for row in read_rows(engine, sa.select(RUN).order_by(RUN.c.finished_at), RunRow)}


def find_run(engine: Engine, job: str, due_key: str) -> RunRow | None:
    """Return the run of a job for what it was due for."""
    found = read_rows(engine, sa.select(RUN).where(RUN.c.job == job, RUN.c.due_key == due_key), RunRow)
    return found[0] if found else None


def is_done(engine: Engine, job: str, due_key: str) -> bool:
    """Tell whether a job has succeeded for what it was due for."""
    run = find_run(engine, job, due_key)
    return run is not None and run.ok
