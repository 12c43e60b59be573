"""The stages of a build as Spark SQL: text, held as golden files; run where Spark is, not here.

The definitions of `stages.toml` have one atom of each kind, so that the files change with the compiler, not with the
library. Renew on purpose and read the difference like code: RENEW_GOLDEN=1 python -m pytest tests/witness/test_spark.py
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import sqlglot

from metrics.catalogue import build_catalogue
from metrics.dialects import in_dialect
from tests.metrics.conftest import World
from tests.witness.recorded import Written, datasets, record
from warehouse.contracts import load_contracts

HERE = Path(__file__).parent
GOLDEN = HERE / "golden" / "spark"
HELD = (
    "population", "rows_payment", "leaf_payment", "unit_payment", "node_payment", "leaf_vehicle", "unit_vehicle",
    "leaf_cars_over", "unit_cars_over", "node_cars_over", "moved", "node_due", "node_now",
)  # fmt: skip
RENEW = "renew with: RENEW_GOLDEN=1 python -m pytest tests/witness/test_spark.py"


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Build a small town by the definitions of this test and write what was run for Spark, by table."""
    contracts = load_contracts()
    catalogue = build_catalogue({"stages.toml": (HERE / "stages.toml").read_text(encoding="utf-8")}, contracts)
    world = World(contracts, tmp_path_factory.mktemp("spark"))
    world.unit("root")
    world.unit("a", "root")
    world.defaults()
    world.add("payment", 1, voucher="1", line=1, unit="a", paid_on="2024-01-03", item_code="30201", amount="1.00")
    world.add("vehicle", 1, unit="a", month="2024-01", plate="1", veh_class="courier", body="sedan", status="in_use")
    world.add("vehicle_quota", 1, valid=("2020-01",), unit="a", veh_class="courier", quota=1)
    generation = world.open(catalogue)
    tables, written = dict(datasets(generation.con)), dict[str, str]()
    for table in record(generation, contracts, catalogue):
        written[_name(table, written)] = in_dialect(table.query, "spark", tables)
        tables[table.table] = table.columns
    return written


def _name(table: Written, written: dict[str, str]) -> str:
    """Return a name of its own for a table that is written again."""
    return (
        table.table
        if table.table not in written
        else f"{table.table}_{sum(n.startswith(table.table) for n in written)}"
    )


@pytest.mark.parametrize("table", HELD)
def test_a_stage_keeps_its_text(spark: dict[str, str], table: str) -> None:
    file = GOLDEN / f"{table}.sql"
    text = sqlglot.transpile(spark[table], read="spark", write="spark", pretty=True)[0] + "\n"
    if os.environ.get("RENEW_GOLDEN"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8"), RENEW


def test_no_stage_uses_what_spark_has_not(spark: dict[str, str]) -> None:
    for table, text in spark.items():
        (tree,) = sqlglot.parse(text, dialect="spark")
        assert tree is not None
        for word in (" BY NAME", "UNNEST(", "RANGE(", " REPLACE (", "::", "list_"):
            assert word not in text, (table, word)
        for cast in tree.find_all(sqlglot.exp.Cast):
            assert not isinstance(cast.this, sqlglot.exp.Explode), (table, "a generator stands in no other expression")
