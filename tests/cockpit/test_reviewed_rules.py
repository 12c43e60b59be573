"""The reviewed board by the same rules as the reported one: for whom a file speaks, and what a running total says."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from tests.fakes.office import pay
from tests.fakes.reviewers import REGISTER, Reviewers

NINE = REGISTER + "".join(
    f"U{n},模拟单位{n},,R,市,政府,{n + 3},是,是,2020-01-01,\n" for n in range(7)
)  # A, B and seven more: one of nine is a single office
NAMES = ("市财政局", "市教育局", *(f"模拟单位{n}" for n in range(7)))


def voucher(unit: str, day: str, amount: str) -> str:
    return f"{unit}{day},1,{unit},{day},30201,办公费,一般公共预算财政拨款,基本支出-公用,{amount}"


def test_one_offices_own_file_speaks_for_it_alone_on_the_reviewed_board_and_among_submissions(tmp_path: Path) -> None:
    """January names all nine with 10 each; of February one office sends its own voucher of 5. Review begins with March."""
    office = Reviewers(tmp_path, register=NINE)
    office.report("1月.csv", pay(*(voucher(name, "2025-01-10", "10") for name in NAMES)))
    office.report("2月.csv", pay(voucher("市财政局", "2025-02-10", "5")))

    def seen(state: str, month: str) -> tuple[object, ...]:
        answer = office.ask(state, month, indicator="op_funds_exp")
        return answer.numerator, answer.due, answer.got, answer.status

    def states(month: str) -> list[str]:
        return [office.where(unit, month, dataset="payment").state for unit in ("A", "B", "U6")]

    assert states("2025-01") == ["reported", "reported", "reported"]
    assert states("2025-02") == ["reported", "missing", "missing"]
    office.begin("2025-03")
    for state in ("reported", "reviewed"):
        assert seen(state, "2025-01") == (Decimal(90), 9, 9, "ok")
        assert seen(state, "2025-02") == (Decimal(5), 9, 1, "incomplete")
    assert states("2025-02") == ["reported", "missing", "missing"]
    # two of nine are no single office: from here on the file speaks for all, and one taken back is one again
    second = office.report(
        "2月2.csv", pay(voucher("市财政局", "2025-02-10", "5"), voucher("市教育局", "2025-02-11", "1"))
    )
    for state in ("reported", "reviewed"):
        assert seen(state, "2025-02") == (Decimal(6), 9, 9, "ok")
    assert states("2025-02") == ["reported", "reported", "reported"]
    office.take_back(second.batch_seq)
    for state in ("reported", "reviewed"):
        assert seen(state, "2025-02") == (Decimal(5), 9, 1, "incomplete")
    assert states("2025-02") == ["reported", "missing", "missing"]


HEAD = "预算单位名称,统计期,部门经济分类编码,全年计划,累计执行数\n"


def running(*lines: str) -> str:
    return HEAD + "".join("市财政局,{},30201,1200,{}\n".format(*line.split()) for line in lines)


def test_a_running_total_is_told_apart_into_months_from_what_is_reviewed_alone(tmp_path: Path) -> None:
    """10 to January, 25 to February, 45 to March: 10, 15 and 20. April's 100 and February's 30 wait for their review."""
    office = Reviewers(tmp_path, indicators=("budget_exec_rate",))
    office.report("1-3月.csv", running("2025年1月 10", "2025年1-2月 25", "2025年1-3月 45"))
    office.begin("2025-01")
    for month in ("2025-01", "2025-02", "2025-03"):
        office.judge("accept", "A", month, dataset="budget_execution")
    office.report("1-4月.csv", running("2025年1-4月 100"))

    def flows(state: str) -> list[object]:
        months = ("2025-01", "2025-02", "2025-03", "2025-04")
        return [office.ask(state, month, node="A", indicator="budget_exec_rate").numerator for month in months]

    assert flows("reported") == [10, 15, 20, 55]
    assert flows("reviewed") == [10, 15, 20, None]
    office.report("更正.csv", running("2025年1-2月 30"))
    assert flows("reported") == [10, 20, 15, 55]
    assert flows("reviewed") == [10, 15, 20, None]
    office.judge("accept", "A", "2025-04", dataset="budget_execution")
    assert flows("reviewed") == [10, 15, 20, 55]
    office.judge("accept", "A", "2025-02", dataset="budget_execution")
    assert flows("reviewed") == [10, 20, 15, 55]


def test_a_month_reviewed_before_the_one_below_it_holds_what_ran_up_to_it(tmp_path: Path) -> None:
    """Only March's 45 is reviewed: the year to March is right, and January and February say that they wait."""
    office = Reviewers(tmp_path, indicators=("budget_exec_rate",))
    office.report("1-3月.csv", running("2025年1月 10", "2025年1-2月 25", "2025年1-3月 45"))
    office.begin("2025-01")
    office.judge("accept", "A", "2025-03", dataset="budget_execution")
    asked = [
        office.ask("reviewed", month, node="A", indicator="budget_exec_rate")
        for month in ("2025-01", "2025-02", "2025-03")
    ]
    assert [(one.numerator, one.got) for one in asked] == [(None, 0), (None, 0), (45, 1)]
