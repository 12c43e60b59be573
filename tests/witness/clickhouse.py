"""ClickHouse inside the process: given the datasets as Parquet, it builds the cubes and answers by the same statements."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from metrics.dialects import in_dialect
from tests.witness.recorded import Written

SETTINGS = {
    "join_use_nulls": 1,  # a row that met nothing has nothing, not 0
    "aggregate_functions_null_for_empty": 1,  # the sum of nothing is nothing
    "prefer_column_name_to_alias": 1,  # sum(n) AS n is the sum of the column
    "schema_inference_make_columns_nullable": 1,
    "precise_float_parsing": 1,
    "output_format_json_quote_decimals": 1,
    "output_format_json_quote_64bit_integers": 0,
    "output_format_json_quote_denormals": 1,
    "max_query_size": 100_000_000,
    "max_ast_elements": 10_000_000,
    "max_expanded_ast_elements": 10_000_000,
}


class ClickHouse:
    """One session; its tables are its own and gone with it."""

    def __init__(self, folder: Path) -> None:
        from chdb import session  # half a gigabyte that only `make witness` brings: the other tests do without

        self.folder = folder
        self.session = session.Session()
        self.tables: dict[str, Sequence[str]] = {}
        for name, value in SETTINGS.items():
            self.session.query(f"SET {name} = {value}")

    def close(self) -> None:
        """End the session."""
        self.session.close()

    def read(self, con: duckdb.DuckDBPyConnection, tables: Mapping[str, Sequence[str]]) -> None:
        """Take over tables of a generation as Parquet."""
        for name, columns in tables.items():
            file = self.folder / f"{name}.parquet"
            con.execute(f"COPY \"{name}\" TO '{file}' (FORMAT parquet)")
            self._keep(name, f"SELECT * FROM file('{file}')", columns)

    def build(self, written: Sequence[Written]) -> dict[str, str]:
        """Write what the build wrote; return table → why not."""
        refused = {}
        for table in written:
            try:
                self._keep(table.table, in_dialect(table.query, "clickhouse", self.tables), table.columns)
            except (RuntimeError, ValueError) as cause:
                refused[table.table] = str(cause).splitlines()[0]
        return refused

    def _keep(self, name: str, query: str, columns: Sequence[str]) -> None:
        self.session.query(f'DROP TEMPORARY TABLE IF EXISTS "{name}"')
        self.session.query(f'CREATE TEMPORARY TABLE "{name}" ENGINE = Memory AS {query}')
        self.tables[name] = columns

    def ask(self, statement: str, values: Mapping[str, object]) -> list[tuple[Any, ...]]:
        """Answer a statement of the compiler."""
        query = in_dialect(statement, "clickhouse", self.tables, values)
        lines = self.session.query(query, "JSONCompactEachRowWithNamesAndTypes").bytes().splitlines()
        kinds = json.loads(lines[1]) if lines else []
        return [tuple(_read(*cell) for cell in zip(kinds, json.loads(line), strict=True)) for line in lines[2:]]

    def fetch(self, query: str) -> pa.Table:
        """Return the rows of a query."""
        file = self.folder / "answer.parquet"
        self.session.query(f"SELECT * FROM ({query}) INTO OUTFILE '{file}' TRUNCATE FORMAT Parquet")
        with duckdb.connect() as con:
            return con.sql(f"SELECT * FROM '{file}'").to_arrow_table()


def unlike(con: duckdb.DuckDBPyConnection, table: str, other: pa.Table) -> Iterator[str]:
    """Yield what differs between a table and the other engine's: kinds of columns, rows as multisets, cell for cell."""
    kinds = {row[0]: row[1] for row in con.execute(f'DESCRIBE "{table}"').fetchall()}
    con.register("other", other)
    theirs = {row[0]: row[1] for row in con.execute("DESCRIBE other").fetchall()}
    for name, kind in kinds.items():
        if kind.startswith("DECIMAL") and theirs.get(name) != kind:
            yield f"{table}.{name} is {kind}, there {theirs.get(name)}"
    mine = ", ".join(f'"{name}"' for name in kinds)
    cast = ", ".join(f'CAST("{name}" AS {kind}) AS "{name}"' for name, kind in kinds.items())
    ours, found = f'SELECT {mine} FROM "{table}"', f"SELECT {cast} FROM other"
    for text, query in (("not there", f"{ours} EXCEPT ALL {found}"), ("only there", f"{found} EXCEPT ALL {ours}")):
        if rows := con.execute(query).fetchall():
            yield f"{table}: {len(rows)} rows {text}: {rows[:2]}"
    con.unregister("other")


def _read(kind: str, value: Any) -> Any:
    """Return a value as its kind says it: a DECIMAL comes as text, a DOUBLE that is no number as well."""
    if value is None:
        return None
    if "Decimal" in kind:
        return Decimal(value)
    return float(value) if "Float" in kind else value
