"""Plans on the command line and in a store: versions are listed with dates and who, every month is reproduced, and a
generation carried on holds the months of one built anew."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cockpit.cli import app
from metrics import cubes, refresh
from metrics.catalogue import load_catalogue
from tests.fakes.office import NOW, Office, pay
from warehouse.publish import publish

ORG = (
    "单位代码,单位名称,上级单位代码,层级,单位性质,机构序列,生效日期,纳入成本统计\n"
    "R,模拟市,,市,区域,1,2020-01-01,否\nA,市财政局,R,市,政府,2,2020-01-01,是\nB,市教育局,R,市,政府,3,2020-01-01,是\n"
)
PLAN = "计划单位,计划指标,计划年度,计划版本号,全年计划数,计划数单位,分解方式,下达日期,下达部门,调整原因\n"
ADJUSTED = PLAN + "市财政局,机关运行经费,2025,2,0.36,万元,按上年同期,2025-07-20,市财政局,年中追加\n"


def spent(unit: str, year: int, amounts: list[int]) -> list[str]:
    line = "{u}{y}{m},1,{u},{y}-{m:02d}-10,30201,办公费,一般公共预算财政拨款,基本支出-公用,{a}"
    return [line.format(u=unit, y=year, m=m, a=a) for m, a in enumerate(amounts, 1)]


class Calculated:
    """The cubes as the worker builds and carries them on."""

    def __init__(self) -> None:
        self.catalogue = load_catalogue()

    def __call__(self, con: object, contracts: object) -> None:
        cubes.build(con, contracts, self.catalogue)  # type: ignore[arg-type]

    def refresh(self, con: object, contracts: object, change: object) -> None:
        refresh.refresh(con, contracts, self.catalogue, change)  # type: ignore[arg-type]


def published(office: Office, *, force: bool = False) -> list[tuple[object, ...]]:
    publish(office.store, [Calculated()], clock=lambda: NOW, force=force)
    generation = office.store.open_generation()
    rows = generation.con.execute(
        """SELECT node, month_no, batch_seq, sum(op_funds_planned), sum(op_funds_planned_year), sum(got) FROM node_plan_op_funds
           GROUP BY ALL HAVING sum(op_funds_planned) <> 0 OR sum(got) <> 0 ORDER BY ALL"""
    ).fetchall()
    rows += generation.con.execute(
        "SELECT node, month_no, op_funds_planned, got_plan_op_funds FROM node_now ORDER BY ALL"
    ).fetchall()
    generation.close()
    return rows


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """A: 100 a month and 1,300 in December 2024; a plan of 2,400 by that shape, raised to 3,600 later. The city: 6,000."""
    office = Office(tmp_path_factory.mktemp("plans"))
    office.hand_in("组织机构.csv", ORG)
    office.hand_in("支付.csv", pay(*spent("市财政局", 2024, [100] * 11 + [1300]), *spent("市教育局", 2024, [50] * 12)))
    report = office.hand_in("年度计划.csv", PLAN + "市财政局,机关运行经费,2025,1,0.24,万元,按上年同期,2025-02-20,市财政局,\n"
                            "模拟市,机关运行经费,2025,1,0.6,万元,平均,2025-02-20,市政府,\n")  # fmt: skip
    assert (report.status, report.source) == ("committed", "plan")
    office.made = [published(office)]  # type: ignore[attr-defined]
    office.hand_in("支付2.csv", pay(*spent("市财政局", 2025, [100] * 6)))
    office.made.append(published(office))  # type: ignore[attr-defined]
    office.made.append(published(office, force=True))  # type: ignore[attr-defined]
    office.hand_in("年度计划_调整.csv", ADJUSTED)
    office.made.append(published(office))  # type: ignore[attr-defined]
    office.made.append(published(office, force=True))  # type: ignore[attr-defined]
    return office


def run(office: Office, *arguments: str) -> object:
    done = CliRunner().invoke(app, [*arguments, "--json", "--store", str(office.store.path)])
    assert done.exit_code == 0, done.output
    return json.loads(done.output)


def test_a_generation_carried_on_holds_the_plans_of_one_built_anew(office: Office) -> None:
    _, carried, carried_anew, adjusted, adjusted_anew = office.made  # type: ignore[attr-defined]
    assert carried == carried_anew
    assert adjusted == adjusted_anew
    assert adjusted != carried


def test_versions_are_listed_with_dates_and_who(office: Office) -> None:
    rows = run(office, "plan", "list", "--node", "A")
    assert [
        (r["version"], r["value"], r["approved_on"], r["approved_by"], r["reason"], r["in_force"]) for r in rows
    ] == [
        (1, "0.24", "2025-02-20", "市财政局", None, False),
        (2, "0.36", "2025-07-20", "市财政局", "年中追加", True),
    ]
    assert rows[0]["known_from"] < rows[1]["known_from"]
    at_first = run(office, "plan", "list", "--node", "A", "--known-at", (NOW + dt.timedelta(minutes=3)).isoformat())
    assert [(r["version"], r["in_force"]) for r in at_first] == [(1, True)]


def test_show_gives_all_twelve_months_also_those_to_come(office: Office) -> None:
    rows = run(office, "plan", "show", "op_funds_exp", "--node", "A", "--year", "2025")
    assert [Decimal(r["value"]) for r in rows] == [Decimal("0.015")] * 11 + [Decimal("0.195")]
    assert (Decimal(rows[-1]["to_date"]), rows[-1]["status"]) == (Decimal("0.36"), "ok")
    city = run(office, "plan", "show", "op_funds_exp", "--year", "2025")
    assert [Decimal(r["value"]) for r in city] == [Decimal("0.05")] * 12


def test_explain_reproduces_every_month(office: Office) -> None:
    told = run(office, "plan", "explain", "op_funds_exp", "--node", "市财政局", "--year", "2025")
    assert (told["year_amount"], told["split"], told["missing"]) == ("3600", "last_year_shape", [])
    assert [(m["read"], m["weight"], m["amount"]) for m in told["months"]][-2:] == [
        ("0.01", "1/24", "150"),
        ("0.13", "13/24", "1950"),
    ]
    assert all(m["reproduced"] is True for m in told["months"])
    then = run(office, "plan", "explain", "op_funds_exp", "--node", "A", "--year", "2025", "--known-at",
               (NOW + dt.timedelta(minutes=3)).isoformat())  # fmt: skip
    assert (then["version"], [m["amount"] for m in then["months"]]) == (1, ["100"] * 11 + ["1300"])
    assert all(m["reproduced"] is True for m in then["months"])


def test_a_name_nobody_plans_is_answered_with_one_that_is(office: Office, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["plan", "show", "op_funds_ex", "--year", "2025", "--store", str(office.store.path)])
    assert "did you mean 'op_funds_exp'?" in str(getattr(done.exception, "hint", "")) + str(done.exception)
