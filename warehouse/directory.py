"""The organisations a store knows now: the register's units, and the names people recorded for them."""

from __future__ import annotations

import duckdb

from warehouse.deltas import known_rows
from warehouse.organisations import Alias, Directory, Listed
from warehouse.store import Store

REGISTER, ALIASES = "org_unit", "org_alias"
NAMING = frozenset({REGISTER, ALIASES})
"""Datasets after which a name may mean somebody else."""

SINCE_EVER = 1900 * 12
"""Month of the day that stands for "from the beginning" where no day was given."""


def read_directory(con: duckdb.DuckDBPyConnection, store: Store) -> Directory:
    """Return the organisations as known after every batch; uses temp table `known`."""
    return Directory(_units(con, store), _aliases(con, store))


def _units(con: duckdb.DuckDBPyConnection, store: Store) -> list[Listed]:
    if not _known(con, store, REGISTER):
        return []
    rows = con.execute(
        "SELECT code, name, short_name, aliases, nullif(parent, ''), credit_code, division, kind, level, department, from_m, to_m"
        " FROM known ORDER BY from_m, code"
    ).fetchall()
    return [Listed(*row) for row in rows]


def _aliases(con: duckdb.DuckDBPyConnection, store: Store) -> list[Alias]:
    if not _known(con, store, ALIASES):
        return []
    rows = con.execute("SELECT alias, unit, from_m, to_m FROM known ORDER BY alias, from_m").fetchall()
    return [Alias(text, code, 0 if start <= SINCE_EVER else start, end) for text, code, start, end in rows]


def _known(con: duckdb.DuckDBPyConnection, store: Store, dataset: str) -> bool:
    return known_rows(con, store.contracts[dataset], store.segments, store.control.segments(dataset))
