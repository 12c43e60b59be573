"""A control log copied whole from one database to another, of whichever kind: how backups leave and enter a server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

AT_ONCE = 5_000
"""Rows carried at a time."""

REVISION = "alembic_version"


def copy_log(source: Engine, target: Engine) -> None:
    """Copy every row of every table as one moment of the source shows them, in one transaction of the target.

    Both have the same tables; what a new target's tables were made with is replaced.
    """
    with _one_moment(source) as reading, target.begin() as writing:
        tables = sa.MetaData()
        tables.reflect(reading)
        for table in tables.sorted_tables:
            if table.name == REVISION:
                continue
            here = sa.Table(table.name, sa.MetaData(), autoload_with=writing)
            writing.execute(sa.delete(here))
            for rows in _batches(reading, table):
                writing.execute(sa.insert(here), rows)
            _count_on(writing, here)


def _one_moment(source: Engine) -> Connection:
    """A snapshot: a reader of SQLite's WAL has one for as long as it reads within a transaction."""
    if source.dialect.name == "postgresql":
        return source.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True).connect()
    con = source.connect()
    con.exec_driver_sql("BEGIN")
    return con


def _batches(con: Connection, table: sa.Table) -> Iterator[Sequence[dict[str, Any]]]:
    found = con.execution_options(yield_per=AT_ONCE).execute(sa.select(table).order_by(*table.primary_key))
    for rows in found.mappings().partitions(AT_ONCE):
        yield [dict(row) for row in rows]


def _count_on(con: Connection, table: sa.Table) -> None:
    """Numbers a server gives out go on after the highest that came along."""
    if con.dialect.name != "postgresql":
        return
    for column in table.primary_key:
        sequence = sa.select(sa.func.pg_get_serial_sequence(table.name, column.name))
        if con.execute(sequence).scalar() is not None:
            highest = sa.select(sa.func.coalesce(sa.func.max(column), 0)).scalar_subquery()
            name = sa.func.pg_get_serial_sequence(table.name, column.name)
            con.execute(sa.select(sa.func.setval(name, highest + 1, False)))
