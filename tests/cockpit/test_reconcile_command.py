"""Figures beside each other on the command line: reconcile, its bridge, the caliber of a query, who counts in a theme."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cockpit.cli import app
from tests.fakes.office import PAY, Office
from warehouse.base.errors import QueryError

UNITS = (
    "单位代码,单位名称,简称,上级单位代码,层级,单位性质,机构序列,纳入成本统计,纳入公务用车,生效日期,失效日期\n"
    "R,模拟市,,,市,区域,1,否,否,2020-01-01,\nA,市财政局,财政局,R,市,政府,2,是,是,2020-01-01,\n"
    "B,市教育局,教育局,R,市,政府,3,是,是,2020-01-01,2024-06-30\n"
    "B,市教育局,教育局,R,市,政府,3,是,否,2024-07-01,\n"
)
PAID = (
    "V1,1,市财政局,2024-12-10,30217,公务接待费,一般公共预算财政拨款,基本支出-公用,10050.50\n"
    "V2,1,市教育局,2024-12-20,30217,公务接待费,一般公共预算财政拨款,基本支出-公用,20000\n"
    "V3,1,市教育局,2024-12-20,31002,办公设备购置,一般公共预算财政拨款,项目支出,300\n"
)
SHOWN = "部门名称,决算年度,预决算,三公经费合计(万元),公务接待费(万元)\n市财政局,2024,决算,1.01,1.01\n"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    office = Office(tmp_path_factory.mktemp("office"))
    for name, text in (("组织机构.csv", UNITS), ("支付.csv", PAY + PAID), ("三公公开.csv", SHOWN)):
        assert office.hand_in(name, text).status == "committed"
    assert CliRunner().invoke(app, ["rebuild", "--store", str(office.store.path)]).exit_code == 0
    return office.store.path


def run(store: Path, *words: str) -> Result:
    return CliRunner().invoke(app, [*words, "--store", str(store)])


def told(store: Path, *words: str) -> list[dict[str, Any]]:
    done = run(store, *words, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_figures_stand_side_by_side_with_the_reasons_of_the_difference(store: Path) -> None:
    """A published 1.01 for 1.00505; B paid 2.00 and published nothing."""
    (found,) = told(store, "reconcile", "three_public_total", "--period", "2024")
    figures = {name: (one["value"], one["due"], one["got"]) for name, one in found["figures"].items()}
    assert figures["published"] == ("1.01", 2, 1) and figures["monitor"][0] == "3.00505"
    (against,) = found["against"]
    assert (against["caliber"], against["difference"], against["unexplained"]) == ("published", "1.99505", "0")
    assert [(part["reason"], part["amount"], part["units"][0]["node_name"]) for part in against["parts"]] == [
        ("late", "2", "市教育局"), ("rounding", "-0.00495", "市财政局"),
    ]  # fmt: skip
    table = run(store, "reconcile", "three_public_total", "--period", "2024")
    assert table.exit_code == 0 and "1.99505" in table.stdout


def test_all_figures_other_books_have_are_compared_where_none_is_named(store: Path) -> None:
    named = {row["indicator"] for row in told(store, "reconcile", "--period", "2024")}
    assert {"three_public_total", "reception_exp", "op_cost_total", "en_tce"} <= named
    monthly = {row["indicator"] for row in told(store, "reconcile", "--period", "2024-12")}
    assert "op_cost_total" in monthly and "en_tce" not in monthly  # accounts are monthly, surveys are not


def test_a_bridge_is_printed_step_by_step(store: Path) -> None:
    (found,) = told(store, "reconcile", "--bridge", "op_cost", "--period", "2024-12")
    assert [(step["role"], step["adds"]) for step in found["steps"]] == [
        ("start", "3.03505"), ("plus", "0"), ("less", "-0.03"), ("less", "0"), ("less", "0"), ("end", "3.00505"),
    ]  # fmt: skip
    assert found["unexplained"] == "0"
    with pytest.raises(QueryError, match="names its own indicators"):
        CliRunner().invoke(
            app, ["reconcile", "en_tce", "--bridge", "op_cost", "--period", "2024", "--store", str(store)],
            catch_exceptions=False,
        )  # fmt: skip


def test_the_caliber_is_asked_for_and_stands_in_the_answer(store: Path) -> None:
    (survey,) = told(store, "query", "op_cost_total", "--period", "2024", "--caliber", "survey")
    assert (survey["status"], survey["caliber"], survey["value"]) == ("no_source", "survey", None)
    (published,) = told(store, "query", "three_public_total", "--period", "2024", "--caliber", "published")
    assert (published["value"], published["caliber"]) == ("1.01", "published")
    with pytest.raises(QueryError, match="did you mean 'survey'"):
        CliRunner().invoke(
            app, ["query", "op_cost_total", "--period", "2024", "--caliber", "surveys", "--store", str(store)],
            catch_exceptions=False,
        )  # fmt: skip


def test_who_counts_in_a_theme_is_listed_with_its_months(store: Path) -> None:
    def standing(day: str) -> dict[str, tuple[str, str, str | None]]:
        rows = told(store, "units", "scope", "vehicle", "--at", day)
        return {row["node"]: (row["standing"], row["since"], row["until"]) for row in rows}

    assert standing("2024-06-15")["B"] == ("in", "2020-01", "2024-06")
    assert standing("2024-07-15") == {
        "R": ("out", "2020-01", None), "A": ("in", "2020-01", None), "B": ("out", "2024-07", None)
    }  # fmt: skip
