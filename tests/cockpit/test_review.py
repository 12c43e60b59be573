"""States of submissions: reported, reviewed, restated, returned, final; figures and states of every day in between.

Bureau A reports 10 kWh for January and B 20; every expected figure is added up by hand.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest

from cockpit.pipeline import Cubes
from metrics.drill import rows
from metrics.model import Query
from metrics.moves import moves
from tests.fakes.office import P1, P2, pay
from tests.fakes.reviewers import CHIEF, CLERK, REGISTER, Reviewers, energy, few
from warehouse.base.errors import RefusedInput
from warehouse.base.scope import Scope
from warehouse.health.examine import examine
from warehouse.review import Choice, decide
from warehouse.submissions import submission_status

JAN = "2025-01"
A10, A15, B20 = "市财政局 2025-01 10", "市财政局 2025-01 15", "市教育局 2025-01 20"


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Reviewers:
    """Both bureaux have reported January; the store works with review from January on (batches 2 and 3)."""
    office = Reviewers(tmp_path_factory.mktemp("begun"))
    office.report("1月.csv", energy(A10, B20))
    assert office.begin(JAN).batch_seq == 3
    office.open().close()
    office.store.control.close()
    return office


@pytest.fixture
def office(begun: Reviewers, tmp_path: Path) -> Reviewers:
    """A copy of it to go on with."""
    return begun.copied(tmp_path)


def figure(office: Reviewers, state: str | None = None, at: int | None = None, node: str = "R") -> tuple[object, ...]:
    answer = office.ask(state, at=at, node=node)
    return answer.value, answer.due, answer.got, answer.status, answer.state


def test_a_report_goes_on_the_board_when_it_is_reviewed_and_a_restatement_waits(office: Reviewers) -> None:
    assert figure(office) == (None, 2, 0, "not_reported", "reviewed")
    assert office.judge("accept", "A", JAN).batch_seq == 4
    assert figure(office) == (10, 2, 1, "incomplete", "reviewed")
    assert office.judge("accept", "B", JAN).batch_seq == 5
    assert figure(office) == (30, 2, 2, "ok", "reviewed")
    office.report("更正.csv", energy(A15), actor="赵报")  # 6
    assert figure(office) == (30, 2, 2, "ok", "reviewed")
    assert figure(office, "reported") == (35, 2, 2, "ok", "reported")
    one = office.where("A", JAN)
    assert (one.state, one.restated, one.counts, one.reported_by, one.reviewed_by) == (
        "reported",
        True,
        True,
        "赵报",
        CHIEF,
    )
    assert one.reporters == ("赵报",)
    office.judge("accept", "A", JAN)  # 7
    assert figure(office) == (35, 2, 2, "ok", "reviewed")
    assert office.where("A", JAN).state == "reviewed"
    # every day in between, as it was known: states and figures
    assert [figure(office, at=seq)[0] for seq in range(2, 8)] == [30, None, 10, 30, 30, 35]
    assert [office.where("A", JAN, at=seq).state for seq in range(1, 8)] == [
        "missing", "reported", "reported", "reviewed", "reviewed", "reported", "reviewed",
    ]  # fmt: skip
    assert [figure(office, "reported", at=seq)[0] for seq in range(2, 8)] == [30, 30, 30, 30, 35, 35]


def test_a_new_unit_report_that_is_known_already_leaves_the_review_standing(office: Reviewers) -> None:
    office.judge("accept", "A", JAN)
    assert office.report("再报.csv", energy(A10)).status == "unchanged"
    assert office.where("A", JAN).state == "reviewed"


def test_what_is_returned_waits_for_the_unit(office: Reviewers) -> None:
    with pytest.raises(RefusedInput, match="原因"):
        office.judge("return", "A", JAN)
    office.judge("return", "A", JAN, why="缺附件")
    one = office.where("A", JAN)
    assert (one.state, one.reason, one.decided_by, one.counts) == ("returned", "缺附件", CHIEF, False)
    with pytest.raises(RefusedInput, match="已退回（缺附件）"):
        office.judge("accept", "A", JAN)
    office.report("重报.csv", energy(A15))
    assert office.where("A", JAN).state == "reported"
    office.judge("accept", "A", JAN)
    assert figure(office, node="A")[0] == 15


def test_returning_a_review_takes_it_off_the_board_and_returning_a_restatement_does_not(office: Reviewers) -> None:
    office.judge("accept", "A", JAN)
    office.report("更正.csv", energy(A15))
    office.judge("return", "A", JAN, why="数不对")
    assert (office.where("A", JAN).state, office.where("A", JAN).counts) == ("returned", True)
    assert figure(office, node="A")[0] == 10
    office.report("改回.csv", energy(A10))
    office.judge("accept", "A", JAN)
    office.judge("return", "A", JAN, why="查实有误")
    assert figure(office, node="A") == (None, 1, 0, "not_reported", "reviewed")


def test_final_is_locked_row_by_row(office: Reviewers) -> None:
    office.judge("accept", "A", JAN)
    assert office.judge("finalise", "A", JAN).batch_seq == 5
    assert office.where("A", JAN).locked
    report = office.report("更正.csv", energy(A15, "市教育局 2025-01 25"))
    assert (report.status, report.counts["accepted"], report.counts["quarantined"]) == ("committed", 1, 1)
    (entry,) = office.store.control.quarantine()
    assert (entry["code"], entry["value"], entry["row_no"]) == ("locked_period", JAN, 2)
    assert "已定" in report.message["faults"][0]["zh"]
    assert figure(office, "reported")[0] == 35  # A stays 10, B becomes 25
    same = office.report("原样.csv", energy(A10, "市教育局 2025-01 25"))
    assert (same.status, same.counts["unchanged"], same.counts["quarantined"]) == ("unchanged", 2, 0)


def test_an_approval_opens_the_lock_until_it_is_final_again(office: Reviewers) -> None:
    office.judge("accept", "A", JAN)
    office.judge("finalise", "A", JAN)
    with pytest.raises(RefusedInput, match="原因"):
        office.judge("approve", "A", JAN)
    office.judge("approve", "A", JAN, why="审计调整")
    one = office.where("A", JAN)
    assert (one.state, one.locked, one.reason) == ("final", False, "审计调整")
    assert office.report("更正.csv", energy(A15)).status == "committed"
    assert (office.where("A", JAN).state, figure(office, node="A")[0]) == ("reported", 10)
    assert office.store.control.quarantine() == []
    office.judge("accept", "A", JAN)
    office.judge("finalise", "A", JAN)
    assert (office.where("A", JAN).state, office.where("A", JAN).locked) == ("final", True)
    assert figure(office, node="A")[0] == 15
    assert office.report("又改.csv", energy(A10)).status == "refused"


def test_an_approval_that_is_not_used_is_closed_by_making_final(office: Reviewers) -> None:
    office.judge("accept", "A", JAN)
    office.judge("finalise", "A", JAN)
    office.judge("approve", "A", JAN, why="可能要改")
    office.judge("finalise", "A", JAN)
    assert office.where("A", JAN).locked


def test_a_row_set_aside_by_a_lock_is_closed_by_the_same_row_after_approval(office: Reviewers) -> None:
    office.judge("accept", "A", JAN)
    office.judge("finalise", "A", JAN)
    office.report("更正.csv", energy(A15))
    assert len(office.store.control.quarantine()) == 1
    office.judge("approve", "A", JAN, why="审计调整")
    office.report("更正.csv", energy(A15))
    assert office.store.control.quarantine() == []


def test_a_full_file_neither_removes_nor_moves_rows_of_a_final_submission(tmp_path: Path) -> None:
    office = Reviewers(tmp_path)
    office.report("支付.csv", pay(P1, P2))
    office.begin(JAN)
    office.judge("accept", "A", JAN, dataset="payment")
    office.judge("finalise", "A", JAN, dataset="payment")
    without = office.report("缺行.csv", pay(P2))
    assert (without.counts["removed"], without.message["notes"]["kept_final"]) == (0, 1)
    assert "予以保留" in without.message["zh"]
    moved = office.report("改单位.csv", pay(P1.replace("市财政局", "市教育局"), P2))
    assert (moved.counts["accepted"], moved.counts["quarantined"]) == (0, 1)
    assert office.amounts() == {"V1": Decimal("100.50"), "V2": Decimal(200)}


def test_of_one_file_for_all_a_unit_counts_when_its_own_part_is_reviewed(tmp_path: Path) -> None:
    office = Reviewers(tmp_path)
    office.report("支付.csv", pay(P1, "V3,1,市财政局,2024-12-10,30201,办公费,一般公共预算财政拨款,基本支出-公用,7"))
    office.begin(JAN)

    def paid(month: str = JAN) -> tuple[object, ...]:
        answer = office.ask(None, month, indicator="op_funds_exp")
        return answer.numerator, answer.due, answer.got, answer.status

    assert paid("2024-12") == (7, 2, 2, "ok")  # before the first month under review everything counts
    assert paid() == (None, 2, 0, "not_reported")
    office.judge("accept", "B", JAN, dataset="payment")  # the file holds no row of B: its part is nothing, reviewed
    assert paid() == (0, 2, 1, "incomplete")
    office.judge("accept", "A", JAN, dataset="payment")
    assert paid() == (Decimal("100.50"), 2, 2, "ok")
    office.report("补.csv", pay(P1, P2))
    assert paid() == (Decimal("100.50"), 2, 2, "ok")
    assert office.where("B", JAN, dataset="payment").restated


def test_the_reporter_does_not_review_unless_there_is_nobody_else(office: Reviewers) -> None:
    with pytest.raises(RefusedInput, match="须由他人审核"):
        office.judge("accept", "A", JAN, actor=CLERK)
    with pytest.raises(RefusedInput, match="原因"):
        office.judge("accept", "A", JAN, actor=CLERK, own=True)
    office.judge("accept", "A", JAN, actor=CLERK, own=True, why="只有一人")
    assert office.where("A", JAN).is_own
    office.judge("finalise", "A", JAN, actor=CLERK)  # locking what is reviewed is no review
    assert office.where("A", JAN).state == "final"


@pytest.mark.parametrize(
    ("before", "action", "said"),
    [
        ((), "finalise", "还没有审核"),
        ((), "approve", "没有锁定"),
        (("accept",), "accept", "已由 李审 审核"),
        (("accept", "finalise"), "return", "已定，不能退回"),
        (("accept", "finalise"), "accept", "已定，无需再审"),
        (("accept", "finalise"), "finalise", "已经定稿"),
        (("accept", "finalise", "approve"), "approve", "已获准更改"),
        (("return",), "return", "已经退回"),
        (("return",), "finalise", "已退回"),
    ],
)
def test_a_step_that_does_not_follow_is_refused_in_words(
    office: Reviewers, before: tuple[str, ...], action: str, said: str
) -> None:
    for step in before:
        office.judge(step, "A", JAN, why="理由")  # type: ignore[arg-type]
    last = office.store.control.last()
    with pytest.raises(RefusedInput, match=said) as refused:
        office.judge(action, "A", JAN, why="理由")  # type: ignore[arg-type]
    assert refused.value.message.count("财政局 energy_use 2025-01") == 2  # in both languages
    assert office.store.control.last() == last


def test_nothing_is_decided_on_what_was_not_reported_or_not_seen(office: Reviewers) -> None:
    with pytest.raises(RefusedInput, match="还没有报送"):
        office.judge("accept", "A", "2025-02")
    office.report("更正.csv", energy(A15))  # 4
    with pytest.raises(RefusedInput, match="请先看过再审"):
        office.judge("accept", "A", JAN, seen=3)
    with pytest.raises(RefusedInput, match="请先看过再审"):
        office.judge("accept", "A", JAN, changed_by=2)
    done = office.judge("accept", "A", JAN, changed_by=4)
    assert [one.unit for one in done.decided] == ["A"]


def test_some_of_a_choice_can_be_decided_and_the_rest_is_told(office: Reviewers) -> None:
    office.judge("accept", "A", JAN)
    choice = Choice(2025 * 12, 2025 * 12 + 1, ("energy_use",))
    done = office.settle(lambda g, now: decide(office.store, g, "accept", choice, actor=CHIEF, clock=lambda: now))
    assert [one.unit for one in done.decided] == ["B"]
    assert [(told["unit"], "已由 李审 审核" in told["zh"]) for told in done.passed_over] == [("A", True)]


def test_withdrawing_a_review_takes_it_back_and_a_later_one_stays(office: Reviewers) -> None:
    office.judge("accept", "A", JAN)  # 4
    office.report("更正.csv", energy(A15))  # 5
    office.judge("accept", "A", JAN)  # 6
    done = office.take_back(6)
    assert (done.batch_seq, done.taken_back, done.came_back) == (7, 1, 1)
    assert (office.where("A", JAN).state, figure(office, node="A")[0]) == ("reported", 10)
    office.take_back(4)
    assert figure(office, node="A")[2:4] == (0, "not_reported")
    assert [figure(office, at=seq, node="A")[0] for seq in range(4, 9)] == [10, 10, 15, 10, None]


def test_a_withdrawal_does_not_change_what_is_final_nor_take_a_lock_away(office: Reviewers) -> None:
    office.judge("accept", "A", JAN)
    office.judge("finalise", "A", JAN)  # 5
    with pytest.raises(RefusedInput, match="会改动已定的报送：A 2025-01"):
        office.take_back(2)
    with pytest.raises(RefusedInput, match="不能撤回"):
        office.take_back(5)
    office.judge("approve", "A", JAN, why="撤回错误文件")  # 6
    assert office.take_back(2).taken_back == 2
    assert (office.where("A", JAN).state, figure(office, node="A")[0]) == ("missing", 10)


def test_rows_withdrawn_after_their_review_leave_the_board_by_a_decision(office: Reviewers) -> None:
    """The reviewed view goes on showing what was reviewed; somebody has to be able to say that it is gone."""
    office.judge("accept", "A", JAN)  # 4
    office.take_back(2)  # 5
    one = office.where("A", JAN)
    assert (one.state, one.restated, one.counts, figure(office, node="A")[0]) == ("missing", True, True, 10)
    other = office.copied(office.folder / "other")
    office.judge("accept", "A", JAN, actor="赵审")
    assert figure(office, node="A") == (None, 1, 0, "not_reported", "reviewed")
    other.judge("return", "A", JAN, why="文件有误，请重报")
    assert figure(other, node="A") == (None, 1, 0, "not_reported", "reviewed")
    assert (other.where("A", JAN).state, other.where("A", JAN).reason) == ("returned", "文件有误，请重报")
    for office_ in (office, other):
        assert [figure(office_, at=seq, node="A")[0] for seq in (4, 5, 6)] == [10, 10, None]
        with pytest.raises(RefusedInput):
            office_.judge("finalise", "B", JAN)  # never reviewed: nothing stands that could be taken off


def test_a_file_for_all_is_reviewed_by_its_batch_also_for_those_it_has_no_row_of(tmp_path: Path) -> None:
    office = Reviewers(tmp_path)
    office.report("支付.csv", pay(P1))  # 2
    office.begin(JAN)
    choice = Choice(2025 * 12, 2025 * 12 + 1, changed_by=2)
    done = office.settle(lambda g, now: decide(office.store, g, "accept", choice, actor=CHIEF, clock=lambda: now))
    assert sorted(one.unit for one in done.decided) == ["A", "B"]


def test_a_payment_that_moves_to_another_unit_counts_once_whatever_is_reviewed_first(tmp_path: Path) -> None:
    office = Reviewers(tmp_path)
    office.report("支付.csv", pay(P1))  # 2: A paid 100.50
    office.begin(JAN)  # 3
    office.judge("accept", "A", JAN, dataset="payment")  # 4
    office.report("更正.csv", pay(P1.replace("市财政局", "市教育局")))  # 5: it was B

    def paid(at: int | None = None) -> list[object]:
        return [office.ask(None, node=node, at=at, indicator="op_funds_exp").numerator for node in ("R", "A", "B")]

    was = [Decimal("100.50"), Decimal("100.50"), None]
    assert paid() == was
    office.judge("accept", "B", JAN, dataset="payment")  # 6
    assert [one or 0 for one in paid()] == [Decimal("100.50"), 0, Decimal("100.50")]
    assert paid(5) == was
    office.take_back(6)  # 7: the review of B is taken back, that of A still stands
    assert paid() == was
    office.judge("accept", "A", JAN, dataset="payment")  # 8
    assert [one or 0 for one in paid()] == [0, 0, 0]
    office.judge("accept", "B", JAN, dataset="payment")  # 9
    assert [one or 0 for one in paid()] == [Decimal("100.50"), 0, Decimal("100.50")]


def test_a_compound_owes_nothing_and_what_it_hands_in_is_reviewed_all_the_same(tmp_path: Path) -> None:
    office = Reviewers(tmp_path)
    office.report("大院.csv", REGISTER + "C,市政大院,大院,R,市,院落,4,是,是,2020-01-01,\n")
    office.report("1月.csv", energy(A10))
    found = submission_status(office.open(), from_m=2025 * 12, to_m=2025 * 12 + 1, datasets=("energy_use",))
    assert [(one.unit, one.state) for one in found] == [("A", "reported"), ("B", "missing")]
    office.report("大院1月.csv", energy("市政大院 2025-01 30"))
    own = office.where("C", JAN)
    assert (own.state, own.due_on) == ("reported", None)


def test_a_store_without_review_has_nothing_of_it(tmp_path: Path) -> None:
    office = Reviewers(tmp_path)
    office.report("1月.csv", energy(A10, B20))
    generation = office.open()
    schemas = generation.con.execute("SELECT DISTINCT schema_name FROM duckdb_tables() WHERE NOT internal").fetchall()
    assert schemas == [("main",)]
    assert not generation.has_review
    assert generation.seen(None) is generation.seen("reviewed") is generation.seen("reported") is generation
    assert figure(office) == figure(office, "reviewed") == (30, 2, 2, "ok", "reported")
    assert (office.where("A", JAN).state, office.where("A", JAN).counts) == ("reported", True)
    with pytest.raises(RefusedInput, match="没有启用审核"):
        office.judge("accept", "A", JAN)


def test_review_may_begin_later_be_moved_and_be_ended(office: Reviewers) -> None:
    office.judge("accept", "A", JAN)  # 4
    office.begin("2025-02")  # 5: January counts as loaded again, except where somebody decided
    assert figure(office) == (30, 2, 2, "ok", "reviewed")
    office.report("更正.csv", energy(A15, "市教育局 2025-01 25"))  # 6
    assert figure(office)[0] == 10 + 25
    office.begin(JAN)  # 7
    assert figure(office) == (10, 2, 1, "incomplete", "reviewed")
    with pytest.raises(RefusedInput, match="已启用审核"):
        office.begin(JAN)
    office.take_back(7)  # back to what batch 5 had said
    assert figure(office)[0] == 35
    office.take_back(5)
    office.take_back(3)
    assert figure(office) == (40, 2, 2, "ok", "reviewed")  # no review stands: all that is loaded counts
    assert [figure(office, at=seq)[0] for seq in (2, 3, 4, 5, 6, 7, 8)] == [30, None, 10, 30, 35, 10, 35]


def test_a_period_before_the_first_under_review_can_be_made_final(office: Reviewers) -> None:
    office.report("去年.csv", energy("市财政局 2024-12 8"))  # 4
    assert figure_of(office, "2024-12") == 8
    office.judge("finalise", "A", "2024-12")
    assert office.report("改去年.csv", energy("市财政局 2024-12 9")).status == "refused"
    assert office.where("A", "2024-12").reviewed_by == CHIEF
    with pytest.raises(RefusedInput, match="须由他人审核"):
        office.report("去年2.csv", energy("市教育局 2024-12 8"))
        office.judge("finalise", "B", "2024-12", actor=CLERK)


def figure_of(office: Reviewers, month: str) -> object:
    return office.ask(None, month).value


def test_a_drill_into_the_reviewed_figure_shows_the_reviewed_rows(office: Reviewers) -> None:
    office.judge("accept", "A", JAN)
    office.report("更正.csv", energy(A15))
    query = Query(indicators=("elec_kwh",), nodes=("R",), period_from=JAN, period_to=JAN, grain="month",
                  scope=Scope.everything(), actor="t")  # fmt: skip
    found = rows(office.open(), few(), query)
    assert [(row.unit, row.contribution, row.file_name) for row in found.rows] == [("A", 10, "1月.csv")]
    assert found.numerator == found.answer.numerator == 10


def test_what_a_review_moved_is_told_as_what_a_load_moved(office: Reviewers) -> None:
    office.judge("accept", "A", JAN)  # 4
    told = {
        seq: [(move.figure.new.node, move.figure.old.value, move.figure.new.value)
              for move in moves(office.open(), few(), seq, scope=Scope.everything(), actor="t", indicators=("elec_kwh",))]
        for seq in (2, 4)
    }  # fmt: skip
    assert told == {2: [("R", None, 30), ("A", None, 10), ("B", None, 20)], 4: [("R", None, 10), ("A", None, 10)]}


def test_the_doctor_builds_the_reviewed_view_anew_and_finds_nothing(office: Reviewers) -> None:
    office.judge("accept", "A", JAN)
    office.judge("finalise", "A", JAN)
    office.judge("accept", "B", JAN)  # 6
    office.take_back(6)
    office.open().close()
    builders = [Cubes(few())]
    later = dt.datetime(2026, 12, 1, tzinfo=dt.UTC)
    assert examine(office.store, builders, deep=True, clock=lambda: later).findings == ()
