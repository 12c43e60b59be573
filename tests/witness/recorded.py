"""A build of the cubes once more, every statement noted as it goes by: the text another engine is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import duckdb
import sqlglot
from sqlglot import exp

from metrics import cubes
from metrics.model import Catalogue
from warehouse.contracts import Contract
from warehouse.store import Generation

GIVEN = ("closure", "closure_ext", "batch", "meta", "allocated", "declared_month")
"""What a build finds beside the datasets."""


@dataclass(frozen=True)
class Written:
    """A table as the build writes it: by a query, or under a new name."""

    table: str
    query: str
    columns: tuple[str, ...]


@dataclass
class Recorder:
    """A connection that notes which tables were written and by which query."""

    con: duckdb.DuckDBPyConnection
    written: list[Written] = field(default_factory=list)

    def execute(self, sql: str, *values: Any) -> duckdb.DuckDBPyConnection:
        done = self.con.execute(sql, *values)
        if sql.lstrip().upper().startswith(("CREATE", "ALTER")) and not sql.lstrip().upper().startswith(
            "CREATE SCHEMA"
        ):
            self._note(sqlglot.parse_one(sql, dialect="duckdb"))
        return done

    def _note(self, tree: exp.Expr) -> None:
        if isinstance(tree, exp.Alter):
            table, query = tree.args["actions"][0].this.name, f'SELECT * FROM "{tree.this.name}"'
        elif tree.args.get("expression"):
            table, query = tree.this.name, tree.expression.sql("duckdb")
        else:
            return
        columns = tuple(row[0] for row in self.con.execute(f'DESCRIBE "{table}"').fetchall())
        self.written.append(Written(table, query, columns))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.con, name)


def datasets(con: duckdb.DuckDBPyConnection) -> dict[str, tuple[str, ...]]:
    """Return what a build reads: the tables of the datasets and the tree, with their columns."""
    rows = con.execute(
        "SELECT table_name, column_name FROM duckdb_columns() JOIN duckdb_tables() USING (database_name, schema_name, table_name)"
        " WHERE schema_name = 'main' AND NOT temporary ORDER BY table_name, column_index"
    ).fetchall()
    tables: dict[str, list[str]] = {}
    for table, column in rows:
        if table.startswith("d_") or table in GIVEN:
            tables.setdefault(table, []).append(column)
    return {table: tuple(columns) for table, columns in tables.items()}


def record(generation: Generation, contracts: Mapping[str, Contract], catalogue: Catalogue) -> tuple[Written, ...]:
    """Build the cubes of a generation anew beside it and return what was written, in order."""
    with duckdb.connect() as con:
        for table in datasets(generation.con):
            rows = generation.con.sql(f'SELECT * FROM "{table}"').to_arrow_table()
            con.register("given", rows)
            con.execute(f'CREATE TABLE "{table}" AS SELECT * FROM given')
            con.unregister("given")
        recorder = Recorder(con)
        cubes.build(recorder, contracts, catalogue)  # type: ignore[arg-type]
        return tuple(recorder.written)
