"""A second engine that counts by itself: the same definitions on ClickHouse give the same figures, cell by cell.

ClickHouse is handed the published datasets and the tree as Parquet and the very statements of the build and of the
questions, spelled for it by `metrics.dialects`. Nothing is compared with a tolerance.
"""

from __future__ import annotations

from tests.witness.clickhouse import unlike
from tests.witness.conftest import Witnessed

CUBES = ("population", "leaf_", "unit_", "node_")
NOT_RUN: dict[str, str] = {}
"""Tables that ClickHouse cannot write, with the reason; whatever is not named here must run."""


def test_every_statement_of_the_build_runs_but_those_named(sample: Witnessed) -> None:
    assert set(sample.refused) == set(NOT_RUN), sample.refused


def test_every_cube_has_the_same_rows(sample: Witnessed) -> None:
    con, rows, cells, found = sample.generation.con, 0, 0, []
    tables = {table.table: table.columns for table in sample.written if table.table.startswith(CUBES)}
    for name, columns in tables.items():
        if name in NOT_RUN:
            continue
        other = sample.second.fetch(f'SELECT * FROM "{name}"')
        rows, cells = rows + other.num_rows, cells + other.num_rows * len(columns)
        found += list(unlike(con, name, other))
    print(f"{sample.name}: {len(tables)} cubes, {rows:,} rows, {cells:,} cells, {len(found)} differences")
    assert found == []
