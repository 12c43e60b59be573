"""Coefficients of each month's own time, or of one year in all months, on two years of factors written by hand."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import duckdb
import pytest

from metrics.evaluate import evaluate
from metrics.model import Query
from metrics.sql_text import sql_text
from warehouse.base.errors import QueryError
from warehouse.base.scope import Scope
from warehouse.store import Generation


@pytest.fixture
def generation(world, catalogue):
    """Electricity of one unit: 100 kWh in 2023-12 and 200 in 2024-01; 0.3 kgce a kWh in 2023 (0.4 since batch 3), then 0.1."""
    world.unit("root", kind="region")
    world.unit("a", "root")
    for month, quantity in (("2023-12", "100"), ("2024-01", "200")):
        world.add("energy_use", unit="a", month=month, carrier="electricity", quantity=quantity)
    world.add("coal_factor", (1, 3), valid=("2023-01", "2024-01"), carrier="electricity", factor="0.300000")
    world.add("coal_factor", 3, valid=("2023-01", "2024-01"), carrier="electricity", factor="0.400000")
    world.add("coal_factor", 1, valid=("2024-01",), carrier="electricity", factor="0.100000")
    for seq, day in ((1, "2025-01-10"), (3, "2025-03-10")):
        world.batch(seq, day)
    made = world.open(catalogue)
    made.con.execute(f"ATTACH '{made.path}' AS file")
    made.con.execute("COPY FROM DATABASE memory TO file")
    made.con.execute("DETACH file")
    return Generation(made.path, duckdb.connect(str(made.path), read_only=True), made.contracts, made.meta)


@pytest.fixture
def ask(generation, catalogue):
    def asked(factors, indicators="en_tce", **more):
        query = Query(
            indicators=tuple(indicators.split()), nodes=("root",), period_from="2023-12", period_to="2024-01",
            grain="month", scope=Scope.everything(), actor="test", now=dt.datetime(2030, 1, 1, tzinfo=dt.UTC),
            factors=factors, **more,
        )  # fmt: skip
        return evaluate(generation, catalogue, query)

    return asked


def kgce(answers):
    return [answer.numerator for answer in answers if answer.indicator == "en_tce"]


def test_one_year_of_factors_holds_in_all_months(ask):
    assert kgce(ask(None)) == kgce(ask("as-dated")) == [40, 20]
    assert kgce(ask("2023")) == [40, 80]
    assert kgce(ask("2024")) == [10, 20]
    assert [a.value for a in ask("2023")] == [Decimal("0.040"), Decimal("0.080")]
    assert kgce(ask(None)) == [40, 20], "a question by another year leaves nothing behind"


def test_factors_of_a_year_are_those_known_then(ask):
    then = dt.datetime(2025, 2, 1, tzinfo=dt.UTC)
    assert kgce(ask("2023", known_at=then)) == [30, 60]
    assert kgce(ask(None, known_at=then)) == [30, 20]


def test_the_answer_says_which_and_what_reads_none_says_none(ask):
    found = ask("2023", "elec_kwh en_tce")
    assert [(a.indicator, a.factors) for a in found] == [
        ("elec_kwh", ""), ("elec_kwh", ""), ("en_tce", "2023"), ("en_tce", "2023")]  # fmt: skip
    assert [a.value for a in found[:2]] == [100, 200]
    assert {a.factors for a in ask("as-dated")} == {"as-dated"}
    assert {a.factors for a in ask(None)} == {""}


def test_parts_and_changes_follow(ask):
    assert kgce(ask("2023", by="carrier")) == [40, 80]
    assert [a.numerator for a in ask("2024", by="children") if a.node == "a"] == [10, 20]


def test_years_without_factors_and_other_words_are_refused(ask, generation, catalogue):
    with pytest.raises(QueryError, match="no row valid in 1990"):
        ask("1990")
    with pytest.raises(QueryError, match="names no factors"):
        ask("dated")
    query = Query(indicators=("en_tce",), nodes=("root",), period_from="2024-01", period_to="2024-01", grain="month",
                  scope=Scope.everything(), actor="test", factors="2023")  # fmt: skip
    with pytest.raises(QueryError, match="stand in no generation file"):
        sql_text(generation, catalogue, query)
