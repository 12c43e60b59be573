"""A store whose year begins in October, from files to the command line; all sums below are added up by hand."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cockpit.cli import app
from cockpit.pipeline import load_and_publish
from warehouse.base.errors import RefusedInput
from warehouse.base.periods import month_label
from warehouse.store import Store

NOW = dt.datetime(2025, 3, 10, tzinfo=dt.UTC)
STORE = '[store]\norigin = "simulated"\nfiscal_start = {start}\n'
FILE = '\n[[file]]\npath = "{0}.csv"\nsource = "{0}"\nrecorded_at = "{1}"\n'
ORG = "单位代码,单位名称,层级,单位性质,生效日期,纳入成本统计,纳入节能名录\n9901,示例市财政局,市,政府,2000-01-01,是,是\n9902,示例市审计局,市,政府,2000-01-01,是,是\n"
PAYMENT = "凭证号,行号,单位代码,支付日期,部门经济分类编码,资金来源,支出类型,金额(元)\n"
BUDGET = "单位代码,年度,部门经济分类编码,资金来源,支出类型,预算版本号,批复日期,预算数(元)\n9901,2024,30201,一般公共预算财政拨款,基本支出-公用,{},2023-10-20,{}\n"
CUMULATED = "预算单位编码,统计期,部门经济分类编码,资金类型,累计执行数(元)\n"
MONTHS = [f"{2023 + (8 + n) // 12}-{(8 + n) % 12 + 1:02d}" for n in range(14)]
"""September 2023 to October 2024."""


def hand_over(folder: Path, texts: dict[str, str], day: str, start: int = 10) -> Path:
    folder.mkdir()
    for name, text in texts.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    files = "".join(FILE.format(name, f"{day}T{9 + n:02d}:00:00") for n, name in enumerate(texts))
    (folder / "manifest.toml").write_text(STORE.format(start=start) + files, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """10 yuan paid in every month from October 2023, 1 before, 100 after; a budget of 1,000 for 2024."""
    folder = tmp_path_factory.mktemp("fiscal")
    amounts = [1, *[10] * 12, 100]
    paid = "".join(
        f"v{n},1,9901,{month}-05,30201,一般公共预算财政拨款,基本支出-公用,{amount}\n"
        for n, (month, amount) in enumerate(zip(MONTHS, amounts, strict=True))
    )
    # runs from October: 5, 7, 8 and 10 were spent in the four months, 3 in September before
    runs = dict(zip(MONTHS, (90, 5, 12, 20, 30), strict=False))
    cumulated = "".join(f"9902,{month},30201,合计,{value}\n" for month, value in runs.items())
    texts = {
        "org_unit": ORG,
        "payment": PAYMENT + paid,
        "budget": BUDGET.format(1, 1000),
        "budget_execution": CUMULATED + cumulated,
    }
    store = Store(folder / "store")
    reports = load_and_publish(store, [hand_over(folder / "files", texts, "2024-11-05")], clock=lambda: NOW)
    assert [(report.status, report.message) for report in reports if report.status != "committed"] == []
    return store


def ask(place: Store, *words: str) -> list[dict[str, object]]:
    result = CliRunner().invoke(app, ["query", *words, "--node", "9901", "--store", str(place.path), "--json"])
    assert result.exit_code == 0, result.output
    rows: list[dict[str, object]] = json.loads(result.stdout)
    return rows


def test_years_quarters_and_the_year_to_date_are_fiscal_ones(place: Store) -> None:
    def paid(period: str, *more: str) -> list[tuple[object, object]]:
        found = ask(place, "budget_exec_rate", "--period", period, *more)
        return [(row["period"], row["numerator"]) for row in found]

    assert [(p, float(str(n))) for p, n in paid("2024")] == [("2024", 120.0)]
    assert [(p, float(str(n))) for p, n in paid("2024-Q1..2024-Q2")] == [("2024-Q1", 30.0), ("2024-Q2", 30.0)]
    assert [(p, float(str(n))) for p, n in paid("2023-12..2024-01", "--grain", "ytd")] == [
        ("2023-12", 30.0),
        ("2024-01", 40.0),
    ]
    months = paid("2024", "--grain", "month")
    assert [period for period, _ in months] == MONTHS[1:13]


def test_a_figure_of_a_year_is_true_in_the_months_of_the_fiscal_year(place: Store) -> None:
    (row,) = ask(place, "budget_exec_rate", "--period", "2024")
    assert (float(str(row["denominator"])), row["value"]) == (1000.0, 12.0)
    (first,) = ask(place, "budget_exec_rate", "--period", "2023-10")
    assert (float(str(first["denominator"])), first["value"]) == (1000.0, 1.0)
    (before,) = ask(place, "budget_exec_rate", "--period", "2023-09")
    assert before["value"] is None


def test_what_runs_on_begins_anew_with_the_fiscal_year(place: Store) -> None:
    generation = place.open_generation()
    rows = generation.con.execute("SELECT from_m, actual_flow FROM d_budget_execution ORDER BY from_m").fetchall()
    assert [(month_label(month), float(flow)) for month, flow in rows] == list(
        zip(MONTHS, (90, 5, 7, 8, 10), strict=False)
    )


def test_a_newer_version_takes_the_place_of_the_year_it_speaks_of(place: Store, tmp_path: Path) -> None:
    files = hand_over(tmp_path / "more", {"budget": BUDGET.format(1, 500)}, "2024-12-05")
    load_and_publish(place, [files], clock=lambda: NOW)
    rows = place.open_generation().con.execute("SELECT from_m, to_m, amount, rec_to < 2147483647 FROM d_budget ORDER BY rec_from").fetchall()  # fmt: skip
    assert [(month_label(a), month_label(b), float(c), d) for a, b, c, d in rows] == [
        ("2023-10", "2024-10", 1000.0, True),
        ("2023-10", "2024-10", 500.0, False),
    ]
    (row,) = ask(place, "budget_exec_rate", "--period", "2024")
    assert row["value"] == 24.0


def test_the_month_a_year_begins_in_never_changes(place: Store, tmp_path: Path) -> None:
    files = hand_over(tmp_path / "other", {"budget": BUDGET.format(2, 1)}, "2024-12-06", start=4)
    with pytest.raises(RefusedInput, match="fiscal_start = 10"):
        load_and_publish(place, [files], clock=lambda: NOW)


def test_a_printed_statement_and_an_aligned_answer_say_what_they_hold(place: Store) -> None:
    (row,) = ask(place, "budget_exec_rate", "--period", "2024-01", "--align", "spring")
    assert (row["period"], row["align"], float(str(row["numerator"]))) == ("2024-01..2024-02", "spring", 20.0)
    (plain,) = ask(place, "budget_exec_rate", "--period", "2024-01")
    assert plain["align"] == ""
