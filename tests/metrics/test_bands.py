"""Rows of a table chosen by a measured value, and targets written as a change from a base year; all by hand."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from metrics import drill
from metrics.catalogue import build_catalogue, definition_texts
from metrics.model import Query
from metrics.quotas import energy_quotas
from metrics.rule_rows import rules_behind
from metrics.targets import targets
from tests.metrics.conftest import month
from warehouse.base.errors import DefinitionError
from warehouse.base.scope import Scope


def quota(
    world: Any,
    limit: str,
    low: str | None = None,
    high: str | None = None,
    valid: str = "2019-01",
    known: Any = 0,
    **more: Any,
) -> None:
    world.add("energy_quota", known, level="city", climate="B", kind="organ", quota_limit=limit, quota_base="5", quota_guide="1",
              area_from=low, area_to=high, doc_no=f"doc {limit}", clause="c", evidence="L", status="有效", valid=(valid,), **more)  # fmt: skip


def register(world: Any, unit: str, area: str, heads: int, year: int = 2024) -> None:
    world.add("energy_register", 1, year=year, unit=unit, institution_kind="organ", quota_zone="B", gross_area=area,
              energy_headcount=heads)  # fmt: skip


@pytest.fixture
def town(world: Any) -> Any:
    """Below 1,000 m² 30, from there to 5,000 20, beyond 10 kgce/m²; before 2022 it was 25 for all."""
    world.meta["first_month"] = str(month("2021-01"))
    world.unit("root", kind="region", scope_energy=False)
    for code, area in (("small", "999.99"), ("middle", "1000"), ("large", "5000"), ("none", None)):
        world.unit(code, "root", climate="寒冷B")
        register(world, code, area, 10)
        register(world, code, area, 10, 2021)
    quota(world, "25")
    quota(world, "30", None, "1000", "2022-01")
    quota(world, "20", "1000", "5000", "2022-01")
    quota(world, "10", "5000", None, "2022-01")
    return world


def limits(asked: Any, period: str) -> dict[str, Any]:
    rows = asked.generation.con.execute(
        "SELECT unit, sum(quota_limit_kgce) FROM leaf_register WHERE month_no = $m GROUP BY unit", {"m": month(period)}
    ).fetchall()
    return {unit: value for unit, value in rows if value}


def test_the_row_is_chosen_by_the_band_the_value_lies_in(town: Any, ask: Any) -> None:
    asked = ask(town)
    assert limits(asked, "2024-06") == {"small": Decimal("29999.7"), "middle": 20000, "large": 50000}
    assert limits(asked, "2021-06") == {"small": Decimal("24999.75"), "middle": 25000, "large": 125000}


def test_two_bounds_are_both_held(world: Any, ask: Any) -> None:
    world.unit("u", climate="寒冷B")
    register(world, "u", "1000", 300)
    quota(world, "7", "500", None, heads_from=None, heads_to=300)
    quota(world, "9", "500", None, heads_from=300, heads_to=None)
    assert limits(ask(world), "2024-06") == {"u": 9000}


def test_of_two_bands_that_meet_the_later_holds_and_nothing_is_counted_twice(world: Any, ask: Any) -> None:
    world.unit("u", climate="寒冷B")
    world.unit("v", climate="寒冷B")
    register(world, "u", "1500", 10)
    register(world, "v", "500", 10)
    quota(world, "30", None, "2000", "2020-01")
    quota(world, "20", "1000", None, "2024-07", known=2)
    asked = ask(world)
    assert limits(asked, "2024-06") == {"u": 45000, "v": 15000}
    assert limits(asked, "2024-07") == {"u": 30000}  # what is left of the first has no rule any more


def test_screens_and_rows_behind_a_figure_choose_the_same_row(town: Any, catalogue: Any, ask: Any) -> None:
    asked = ask(town)
    found = energy_quotas(asked.generation, month("2024-06"), asked.generation.through_seq)
    assert {unit: lines["limit"].value for unit, lines in found.items()} == {"small": 30, "middle": 20, "large": 10}
    assert {unit: lines["limit"].document for unit, lines in found.items()} == {"small": "doc 30", "middle": "doc 20", "large": "doc 10"}  # fmt: skip
    for unit in ("small", "middle", "large"):
        for carrier in ("electricity",):
            town.add("energy_survey", 1, year=2024, unit=unit, carrier=carrier, quantity=10_000_000)
    town.defaults()
    asked = ask(town)
    query = Query(indicators=("en_quota_band",), nodes=("root",), period_from="2024-06", period_to="2024-06", grain="month",
                  scope=Scope.everything(), actor="test")  # fmt: skip
    behind = drill.rows(asked.generation, catalogue, query)
    held = {row.unit: row.value for row in behind.rows if row.contribution is None and row.dataset == "energy_register"}
    assert held == {"small": Decimal("29999.7"), "middle": 20000, "large": 50000}


@pytest.mark.parametrize(
    ("was", "becomes", "told"),
    [
        ('gross_area = ["area_from"', 'gros_area = ["area_from"', "did you mean 'gross_area'"),
        ('["area_from", "area_to"]', '["area_from", "area_too"]', "did you mean 'area_to'"),
        ('["area_from", "area_to"]', '"area_from"', "lies between two columns"),
        ("where = \"kind = 'base' and value_unit = 'tce'\"", "where = \"kid = 'base'\"", "did you mean 'kind'"),
    ],
)
def test_what_cannot_be_a_band_is_told(contracts: Any, was: str, becomes: str, told: str) -> None:
    texts = definition_texts()
    file = next(name for name, text in texts.items() if was in text)
    with pytest.raises(DefinitionError) as refused:
        build_catalogue(texts | {file: texts[file].replace(was, becomes, 1)}, contracts)
    assert told in str(refused.value)


def test_a_target_in_per_cent_is_that_part_of_its_base_line(world: Any, ask: Any) -> None:
    """200 tce in 2020, 5 % less by 2025: 190. The last twelve months had 196: 4 of 10."""
    world.unit("u")
    world.unit("v")
    world.add("coal_factor", 0, carrier="electricity", factor="1", valid=("2000-01",), doc_no="x", clause="x", evidence="C", status="有效")  # fmt: skip
    held = {"indicator": "en_tce", "level": "unit", "valid": ("2021-06",)}
    world.add("target", 1, **held, unit="u", kind="base", year=2020, value=200, value_unit="tce")
    world.add("target", 1, **held, unit="u", kind="base", year=2019, value=900, value_unit="tce")
    world.add("target", 1, **held, unit="v", kind="base", year=2020, value=700, value_unit="tce")
    world.add(
        "target", 1, **held, unit="u", kind="target", year=2025, change_pct="-5", base_year=2020, direction="drop"
    )
    for number in range(1, 13):
        world.add("energy_use", 1, month=f"2024-{number:02d}", unit="u", carrier="electricity", quantity="16333.25")
    asked = ask(world)
    kgce = asked.generation.con.execute(
        "SELECT unit, sum(en_target_value) FROM leaf_target_value WHERE month_no = $m GROUP BY unit",
        {"m": month("2024-12")},
    ).fetchall()
    assert kgce == [("u", 190000)]


def test_the_rows_of_tables_behind_a_figure_are_told_with_document_evidence_and_start(
    world: Any, catalogue: Any, ask: Any
) -> None:
    """Two payments of one item, one of another whose row is only recalled, and one that finds no row."""
    world.unit("root", kind="region", scope_cost=False)
    world.unit("u", "root")
    for code, evidence, status in (("30201", "C2", "有效"), ("30226", "R", "待核实")):
        world.add("expense_item", 0, code=code, name=code, in_operating_cost=True, doc_no="book", clause=code, evidence=evidence,
                  status=status, valid=("2018-01",))  # fmt: skip
    for number, (code, day) in enumerate(
        (("30201", "2024-01-05"), ("30201", "2024-02-05"), ("30226", "2024-02-06"), ("99", "2024-02-07"))
    ):
        world.add("payment", 1, unit="u", voucher=str(number), line=1, paid_on=day, item_code=code, fund="general",
                  exp_kind="basic_public", amount="10")  # fmt: skip
    asked = ask(world)
    query = Query(indicators=("op_cost_total",), nodes=("root", "u"), period_from="2024-01", period_to="2024-02", grain="month",
                  scope=Scope.everything(), actor="test")  # fmt: skip
    answers = asked.all("op_cost_total", "root u", "2024-01..2024-02")
    behind = rules_behind(asked.generation, catalogue, query, answers)
    told = {(a.node, a.period): [(r.clause, r.evidence, r.to_verify, r.valid_from, r.rows) for r in rows]
            for a, rows in zip(answers, behind, strict=True)}  # fmt: skip
    january, february = (
        [("30201", "C2", False, "2018-01", 1)],
        [("30201", "C2", False, "2018-01", 1), ("30226", "R", True, "2018-01", 1)],
    )
    assert told == {
        ("root", "2024-01"): january,
        ("u", "2024-01"): january,
        ("root", "2024-02"): february,
        ("u", "2024-02"): february,
    }
    one = drill.rows(asked.generation, catalogue, replace(query, nodes=("u",), period_from="2024-02"))
    assert [rule.document for rule in one.rules] == ["book", "book"]


def test_a_change_against_a_base_line_is_the_target_a_year_is_held_against(world: Any, ask: Any) -> None:
    """The city: 20 kgce/m² in 2020, 5 % less by 2025 is 19. Its bureau has 100 of its own. The nation is nobody here."""
    world.unit("root", kind="region", scope_energy=False)
    world.unit("bureau", "root")
    held = {
        "indicator": "en_per_area",
        "doc_no": "plan",
        "clause": "c",
        "evidence": "C2",
        "status": "有效",
        "valid": ("2021-06",),
    }
    world.add("target", 0, **held, level="city", kind="base", year=2020, value=20, value_unit="kgce/m²")
    world.add("target", 0, **held, level="city", kind="target", year=2025, change_pct="-5", base_year=2020)
    world.add("target", 0, **held, level="city", kind="target", year=2030, change_pct="-9", base_year=2020)
    world.add("target", 0, **held, level="nation", kind="target", year=2025, value=1, value_unit="kgce/m²")
    world.add(
        "target", 0, **held, level="unit", unit="bureau", kind="target", year=2025, value=100, value_unit="kgce/m²"
    )
    world.add("energy_use", 1, month="2024-01", unit="bureau", carrier="electricity", quantity=1)
    asked = ask(world)
    seq = asked.generation.through_seq
    found = {year: {node: row.value for node, row in targets(asked.generation, "en_per_area", year, month("2024-12"), seq).items()}
             for year in (2024, 2026)}  # fmt: skip
    assert found == {2024: {"root": 19, "bureau": 100}, 2026: {"root": Decimal("18.2")}}
    assert targets(asked.generation, "en_per_area", 2024, month("2021-01"), seq) == {}
