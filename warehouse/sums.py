"""Sums over the tables of a generation: two builds of one knowledge have the same, whatever the order of their rows."""

from __future__ import annotations

import duckdb

from warehouse.base.periods import OPEN

BUILD = ("built_at", "segments")
"""Facts of a generation that differ from build to build of the same figures."""


def table_names(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the tables of the database in use; one outside the main schema bears its schema's name before its own."""
    rows = con.execute(
        "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = current_database()"
        " AND NOT temporary AND NOT internal ORDER BY 1, 2"
    ).fetchall()
    return [table if schema == "main" else f"{schema}.{table}" for schema, table in rows]


def table_sum(con: duckdb.DuckDBPyConnection, table: str, through: int | None = None) -> str:
    """Return the number of rows and a sum over all cells.

    With `through` only what was known at that batch counts, as it was known then: rows carry an interval of knowledge.
    """
    place = ".".join(f'"{part}"' for part in table.split("."))
    columns = sorted(row[0] for row in con.execute(f"DESCRIBE {place}").fetchall())
    cells = ", ".join(_cell(column, through) for column in columns)
    where = ""
    if table == "meta":
        where = f" WHERE key NOT IN ({', '.join(repr(key) for key in BUILD)})"
    elif through is not None:
        where = f" WHERE rec_from <= {through}"
    row = con.execute(f"SELECT count(*), sum(hash({cells})::HUGEINT) FROM {place}{where}").fetchone()
    return f"{row[0]} rows, sum {row[1]}" if row else ""


def _cell(column: str, through: int | None) -> str:
    if column == "rec_to" and through is not None:
        return f"CASE WHEN rec_to > {through} THEN {OPEN} ELSE rec_to END"
    return f'"{column}"'


def sums_of(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Return the sum of every table."""
    return {table: table_sum(con, table) for table in table_names(con)}


def history_sums(con: duckdb.DuckDBPyConnection, through: int) -> dict[str, str]:
    """Return the sum of every fact table and of the tree as known at a batch and at all before it."""
    tables = [name for name in table_names(con) if name.startswith("d_") or name == "closure"]
    return {table: table_sum(con, table, through) for table in tables}
