"""Names and small facts about tables of a generation file, as generated SQL needs them."""

from __future__ import annotations

import duckdb


def quoted(name: str) -> str:
    """Return an identifier in quotes; names come from contracts and the catalogue only."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return a text constant that comes from the catalogue or from a parameter of a build."""
    return "'" + text.replace("'", "''") + "'"


def has_table(con: duckdb.DuckDBPyConnection, name: str) -> bool:
    """Tell whether a table exists in the generation."""
    found = con.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = $1", [name]).fetchone()
    return found is not None


def row_count(con: duckdb.DuckDBPyConnection, name: str) -> int:
    """Return how many rows a table has; 0 when it does not exist."""
    if not has_table(con, name):
        return 0
    found = con.execute(f"SELECT count(*) FROM {quoted(name)}").fetchone()
    return int(found[0]) if found else 0


def columns_of(con: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    """Return column → type of a table, in order; empty when it does not exist."""
    rows = con.execute(
        "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = $1 ORDER BY column_index", [table]
    ).fetchall()
    return dict(rows)


def narrow_counts(con: duckdb.DuckDBPyConnection, table: str) -> None:
    """Store whole numbers as BIGINT; sums of them come as HUGEINT."""
    for name, kind in columns_of(con, table).items():
        if kind == "HUGEINT":
            con.execute(f"ALTER TABLE {quoted(table)} ALTER {quoted(name)} TYPE BIGINT")


def month_list(first: int, end: int) -> str:
    """Return the months of a standing row between two bounds, one row each."""
    return f"unnest(range(greatest(from_m, {first})::BIGINT, least(to_m, {end})::BIGINT))::INTEGER AS month_no"
