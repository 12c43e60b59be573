"""Generations that were carried on, held against ones built anew: every table, every column, every row."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import duckdb
import pytest

from metrics import cubes
from metrics.model import Catalogue
from metrics.refresh import refresh
from metrics.snapshot import build_snapshots, refresh_snapshots
from warehouse.base.sql import quote
from warehouse.contracts import Contract
from warehouse.incremental import Change
from warehouse.projection import project
from warehouse.publish import Builder
from warehouse.store import Store, connect

BUILT_AT = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Cubes:
    """The cubes of a catalogue, whole or carried on."""

    catalogue: Catalogue

    def __call__(self, con: duckdb.DuckDBPyConnection, contracts: Mapping[str, Contract]) -> None:
        cubes.build(con, contracts, self.catalogue)
        build_snapshots(con, self.catalogue)

    def refresh(self, con: duckdb.DuckDBPyConnection, contracts: Mapping[str, Contract], change: Change) -> None:
        refresh(con, contracts, self.catalogue, change)
        refresh_snapshots(con, self.catalogue)


def differences(store: Store, builders: Sequence[Builder] = (), catalogue: str = "") -> list[str]:
    """Build the published generation anew beside it and return the tables in which they differ."""
    with contextlib.closing(connect(spill=store.tmp)) as con:
        con.execute("ATTACH ':memory:' AS anew")
        con.execute("USE anew")
        project(con, store, store.control.last()[0], catalogue, BUILT_AT)
        for builder in builders:
            builder(con, store.contracts)
        con.execute(f"ATTACH {quote(str(store.current()))} AS served (READ_ONLY)")
        return list(unlike(con, "anew", con, "served"))


def unlike(left: duckdb.DuckDBPyConnection, one: str, right: duckdb.DuckDBPyConnection, other: str) -> Iterator[str]:
    """Compare two databases table by table as multisets of rows."""
    tables, others = tables_of(left, one), tables_of(right, other)
    assert len(tables) > 20
    for name in sorted({*tables, *others}):
        if tables.get(name) != others.get(name):
            yield f"{name}: {tables.get(name)} != {others.get(name)}"
        elif (a := rows_of(left, one, name, tables[name])) != (b := rows_of(right, other, name, tables[name])):
            lost, made = [row for row in a if row not in b], [row for row in b if row not in a]
            yield f"{name}: anew {len(a)} rows, carried on {len(b)}: {lost[:3]} != {made[:3]}"


def tables_of(con: duckdb.DuckDBPyConnection, database: str) -> dict[str, tuple[tuple[str, str], ...]]:
    """Return schema.table → its columns and their types, by name of the column."""
    rows = con.execute(
        "SELECT schema_name || '.' || table_name, column_name, data_type FROM duckdb_columns() JOIN duckdb_tables()"
        " USING (database_name, schema_name, table_name) WHERE database_name = $1 AND NOT temporary ORDER BY 1, 2",
        [database],
    ).fetchall()
    return {name: tuple((c, k) for n, c, k in rows if n == name) for name in {row[0] for row in rows}}


def rows_of(
    con: duckdb.DuckDBPyConnection, database: str, table: str, columns: tuple[tuple[str, str], ...]
) -> list[tuple[object, ...]]:
    """Return the rows of a table in an order of their own; when it was built is no part of what it says."""
    named = ", ".join(f'"{name}"' for name, _ in columns)
    where = " WHERE key <> 'built_at'" if table == "main.meta" else ""
    return con.execute(f"SELECT {named} FROM {database}.{table}{where} ORDER BY ALL").fetchall()


def carried_on(log: pytest.LogCaptureFixture) -> bool:
    """Tell whether the last publish carried the generation before on."""
    said = [record.getMessage() for record in log.records if record.name == "warehouse.publish"]
    return "carries on" in said[-1]


def why_anew(log: pytest.LogCaptureFixture) -> str:
    """Return why the last publish built anew."""
    said = [record.getMessage() for record in log.records if record.name == "warehouse.publish"]
    return said[-1].partition("built anew: ")[2]
