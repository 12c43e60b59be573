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


def create_table(
    con: duckdb.DuckDBPyConnection, name: str, select: str, *, order: str = "", temporary: bool = False
) -> None:
    """Write a query into a table; whole numbers are stored as BIGINT, sums of them come as HUGEINT."""
    kinds = con.execute(f"DESCRIBE {select}").fetchall()
    columns = ", ".join(
        f"{quoted(k[0])}::BIGINT AS {quoted(k[0])}" if k[1] == "HUGEINT" else quoted(k[0]) for k in kinds
    )
    kind = "TEMP TABLE" if temporary else "TABLE"
    ordered = f" ORDER BY {order}" if order else ""
    con.execute(f"CREATE OR REPLACE {kind} {quoted(name)} AS SELECT {columns} FROM ({select}){ordered}")


def month_list(first: int, end: int) -> str:
    """Return the months of a standing row between two bounds, one row each."""
    return f"unnest(range(greatest(from_m, {first})::BIGINT, least(to_m, {end})::BIGINT))::INTEGER AS month_no"
