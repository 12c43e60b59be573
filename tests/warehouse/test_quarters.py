"""A quarterly report is one report: due once after its quarter, reviewed, returned, locked and counted as one."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from tests.fakes.office import NOW, Office
from warehouse import report_periods
from warehouse.contracts import load_contracts
from warehouse.publish import publish
from warehouse.review import Action, Choice, decide, start
from warehouse.submissions import Submission, submission_status
from warehouse.waiting import Wanted, counts

ORG = (
    "单位代码,单位名称,简称,上级单位代码,层级,单位性质,机构序列,纳入节能名录,生效日期,失效日期,曾用名\n"
    "R,模拟市,,,市,区域,1,否,2020-01-01,,\nA,市财政局,财政局,R,市,政府,2,是,2020-01-01,,\nB,市教育局,教育局,R,市,政府,3,是,2020-01-01,,\n"
)
HEAD = "统计季度,单位名称,能源品种,本季消费量,本季费用(元)\n"
CONTRACTS = load_contracts(Path(__file__).parent / "quarterly")
QUARTER = CONTRACTS["energy_survey_quarter"]
JANUARY = 2024 * 12


@pytest.fixture
def surveyed(office: Office) -> Office:
    office.store.contracts = {**office.store.contracts, **CONTRACTS}
    assert office.hand_in("组织机构.csv", ORG).status == "committed"
    return office


def standing(office: Office, first: int = JANUARY, months: int = 12) -> list[Submission]:
    publish(office.store, clock=lambda: NOW)
    generation = office.store.open_generation()
    found = submission_status(generation, from_m=first, to_m=first + months, datasets=["energy_survey_quarter"])
    generation.close()
    return found


def judge(office: Office, action: Action, why: str = "") -> None:
    publish(office.store, clock=lambda: NOW)
    generation = office.store.open_generation()
    choice = Choice(JANUARY, JANUARY + 12, ("energy_survey_quarter",), frozenset({"A"}))
    decide(office.store, generation, action, choice, actor="审核人", why=why, clock=lambda: NOW + dt.timedelta(days=1))
    generation.close()


def test_a_period_has_one_name_and_one_due_day() -> None:
    """2024-Q1 is due on 20 April, 2024-Q4 on 20 January; each month of a quarter speaks of the same report."""
    assert [report_periods.label_of(QUARTER, JANUARY + n) for n in (0, 2, 3, 11)] == ["2024-Q1", "2024-Q1", "2024-Q2", "2024-Q4"]  # fmt: skip
    assert report_periods.due_on(QUARTER, JANUARY + 1) == dt.date(2024, 4, 20)
    assert report_periods.due_on(QUARTER, JANUARY + 9) == dt.date(2025, 1, 20)


def test_a_quarter_in_any_spelling_is_the_same_report(surveyed: Office) -> None:
    """Q1, 第一季度, 1-3月 and its last month all mean the first quarter: restated, never a second row."""
    for number, period in enumerate(["2024-Q1", "2024年第一季度", "2024年1-3月", "2024-03"]):
        report = surveyed.hand_in(f"季报{number}.csv", HEAD + f"{period},市财政局,电,{100 + number},80\n")
        assert (report.source, report.counts["accepted"]) == ("energy_survey_quarter", 1), report.message
    publish(surveyed.store, clock=lambda: NOW)
    rows = surveyed.store.open_generation().con.execute(
        "SELECT from_m - $1, to_m - $1, quantity FROM d_energy_survey_quarter WHERE rec_to > 1000", [JANUARY]
    )
    assert [(low, high, int(quantity)) for low, high, quantity in rows.fetchall()] == [(0, 3, 103)]


@pytest.mark.parametrize("period", ["2024年上半年", "2024年1-6月", "2024年2-4月", "2024"])
def test_another_length_is_set_aside(surveyed: Office, period: str) -> None:
    surveyed.hand_in("季报.csv", HEAD + f"{period},市财政局,电,100,80\n")
    assert {entry["code"] for entry in surveyed.store.control.quarantine()} == {"not_one_period"}


def test_each_unit_owes_one_report_a_quarter(surveyed: Office) -> None:
    surveyed.hand_in("季报.csv", HEAD + "2024年第1季度,市财政局,电,100,80\n2024年第1季度,市财政局,水,10,50\n")
    found = standing(surveyed)
    assert [(one.unit, one.period, one.state) for one in found] == [
        ("A", "2024-Q1", "reported"), ("B", "2024-Q1", "missing"), ("A", "2024-Q2", "missing"), ("B", "2024-Q2", "missing"),
        ("A", "2024-Q3", "missing"), ("B", "2024-Q3", "missing"), ("A", "2024-Q4", "missing"), ("B", "2024-Q4", "missing"),
    ]  # fmt: skip
    late = found[1]
    assert (late.due_on, late.is_late(dt.date(2024, 4, 20)), late.is_late(dt.date(2024, 4, 21))) == (
        dt.date(2024, 4, 20),
        False,
        True,
    )


def test_a_lock_holds_the_whole_quarter_and_names_it(surveyed: Office) -> None:
    surveyed.hand_in("季报.csv", HEAD + "2024-Q1,市财政局,电,100,80\n")
    publish(surveyed.store, clock=lambda: NOW)
    generation = surveyed.store.open_generation()
    start(surveyed.store, generation, JANUARY, actor="审核人", clock=lambda: NOW + dt.timedelta(days=1))
    generation.close()
    judge(surveyed, "accept")
    judge(surveyed, "finalise")
    surveyed.minute += 3000
    report = surveyed.hand_in("更正.csv", HEAD + "2024-02,市财政局,电,120,80\n2024-Q2,市财政局,电,90,70\n")
    assert (report.counts["accepted"], report.counts["quarantined"]) == (1, 1)
    entry = surveyed.store.control.quarantine()[0]
    assert (entry["code"], entry["value"]) == ("locked_period", "2024-Q1")
    assert [(one.unit, one.period, one.state) for one in standing(surveyed) if one.unit == "A"][:2] == [
        ("A", "2024-Q1", "final"),
        ("A", "2024-Q2", "reported"),
    ]


def test_rows_that_wait_are_counted_by_quarter(surveyed: Office) -> None:
    surveyed.hand_in("季报.csv", HEAD + "2024-02,市财政局,电,,80\n2024-Q1,市财政局,水,,80\n2024-Q2,市财政局,水,,80\n")
    told = counts(surveyed.store.control, CONTRACTS, Wanted())
    assert [(one.unit, one.period, one.open) for one in told] == [("A", "2024-Q1", 2), ("A", "2024-Q2", 1)]
