"""Names and small facts about tables of a generation file, as generated SQL needs them."""

from __future__ import annotations

import duckdb


def quoted(name: str) -> str:
    """Return an identifier in quotes; names come from contracts and the catalogue only."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return a text constant that comes from the catalogue or from a parameter of a build."""
    return "'" + text.replace("'", "''") + "'"


def table_names(con: duckdb.DuckDBPyConnection) -> frozenset[str]:
    """Return the tables of the generation."""
    return frozenset(row[0] for row in con.execute("SHOW TABLES").fetchall())


def has_rows(con: duckdb.DuckDBPyConnection, name: str) -> bool:
    """Tell whether an existing table holds anything."""
    return con.execute(f"SELECT 1 FROM {quoted(name)} LIMIT 1").fetchone() is not None


def columns_of(con: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    """Return column → type of a table, in order."""
    return {row[0]: row[1] for row in con.execute(f"DESCRIBE {quoted(table)}").fetchall()}


def decimals(kind: str) -> int:
    """Return how many decimals a number type keeps: 2 for DECIMAL(38,2), 0 for a whole number."""
    return int(kind.rstrip(")").rpartition(",")[2]) if kind.startswith("DECIMAL") else 0


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
