"""The real services over a store small enough to add up by head: two bureaux, three payments, one correction.

          January            February      known
财政局      100.50                          1 Feb
教育局      200 → 250 (corrected 5 Mar)     1 Feb / 5 Mar
财政局                        40            1 Mar
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest

from callbacks.language import load_texts
from callbacks.live import LiveServices
from callbacks.request import Door, answer
from callbacks.services import Viewer, open_services
from callbacks.state import ViewState
from cockpit.pipeline import load_and_publish, withdraw_and_publish
from metrics.model import Query
from pages.cost import PAGE as COST
from pages.data import PAGE as DATA
from pages.overview import PAGE as OVERVIEW
from pages.replay import PAGE as REPLAY
from tests.fakes.texts import texts_of
from warehouse.base.scope import Scope
from warehouse.store import Store

NOW = dt.datetime(2025, 3, 12, 4, tzinfo=dt.UTC)
ORG = (
    "单位代码,单位名称,简称,上级单位代码,层级,单位性质,机构序列,生效日期,纳入成本统计\n"
    "R,模拟市,,,市,区域,1,2020-01-01,否\n"
    "B,市教育局,教育局,R,市,政府,30,2020-01-01,是\n"
    "A,市财政局,财政局,R,市,政府,20,2020-01-01,是\n"
)
HEAD = "凭证号,行号,单位名称,支付日期,部门经济分类编码,部门经济分类名称,资金来源,支出类型,金额(元)\n"
KIND = "30201,办公费,一般公共预算财政拨款,基本支出-公用"
JANUARY = HEAD + f"V1,1,市财政局,2025-01-10,{KIND},100.50\nV2,1,市教育局,2025-01-20,{KIND},200\n"
CORRECTED = HEAD + f"V1,1,市财政局,2025-01-10,{KIND},100.50\nV2,1,市教育局,2025-01-20,{KIND},250\n"
FEBRUARY = HEAD + f"V3,1,市财政局,2025-02-03,{KIND},40\nV4,1,市水利局,2025-02-04,{KIND},7\n"
THREE_PUBLIC = (
    "预算单位名称,年度,预决算,三公经费合计(元),因公出国(境)费(元),公务用车购置及运行维护费(元),公务接待费(元)\n"
    "市财政局,2024,决算,150000,10000,90000,20000\n"
)
ENERGY = "统计期,单位名称,电(千瓦时),电费(元)\n2025-01,市教育局,10234,7163.8\n2025-02,市教育局,10234,7163.8\n"
VIEWER = Viewer(Scope.everything(), "test")


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> LiveServices:
    folder = tmp_path_factory.mktemp("live")
    store = Store(folder / "store")
    for name, text, day in (
        ("机构.csv", ORG, "2025-01-02"),
        ("支付_1月.csv", JANUARY, "2025-02-01"),
        ("支付_2月.csv", FEBRUARY, "2025-03-01"),
        ("支付_1月_更正.csv", CORRECTED, "2025-03-05"),
        ("三公.csv", THREE_PUBLIC, "2025-03-06"),
        ("能耗.csv", ENERGY, "2025-03-06"),
    ):
        path = folder / name
        path.write_text(text, encoding="utf-8")
        moment = dt.datetime.fromisoformat(day + "T04:00:00+00:00")
        load_and_publish(store, [path], clock=lambda moment=moment: moment)
    return LiveServices(store, clock=lambda: NOW)


def ask(node: str, period: str, known_at: dt.datetime | None = None) -> Query:
    return Query(
        indicators=("op_cost_total",), nodes=(node,), period_from=period, period_to=period, grain="ytd",
        known_at=known_at, scope=Scope.everything(), actor="test",
    )  # fmt: skip


def test_the_tree_stands_in_official_order_and_is_found_by_pinyin(services: LiveServices) -> None:
    with services.open(VIEWER) as desk:
        tree = desk.tree(None, "as-was")
    assert [node.code for node in tree.children(tree.root)] == ["A", "B"]
    assert tree.nodes["A"].name == "财政局"
    assert tree.nodes["A"].initials == "sczj"
    assert [node.code for node in tree.path("B")] == ["R", "B"]


def test_figures_are_those_of_the_files(services: LiveServices) -> None:
    with services.open(VIEWER) as desk:
        now, then = desk.evaluate([ask("R", "2025-02"), ask("R", "2025-01", dt.datetime(2025, 2, 2, tzinfo=dt.UTC))])
    assert now.value == Decimal("0.03905")
    assert then.value == Decimal("0.03005")


def test_the_newest_month_is_the_newest_known_one(services: LiveServices) -> None:
    with services.open(VIEWER) as desk:
        assert desk.latest_period(None) == "2025-02"
        assert desk.latest_period(dt.datetime(2025, 2, 2, tzinfo=dt.UTC)) == "2025-01"
        assert desk.latest_period(dt.datetime(2024, 12, 31, tzinfo=dt.UTC)) is None


def test_the_rows_behind_a_figure_add_up_to_it(services: LiveServices) -> None:
    with services.open(VIEWER) as desk:
        found = desk.drill(ask("R", "2025-02"), 300)
    assert sum(row.contribution or 0 for row in found.rows) == found.numerator == Decimal("390.50")
    assert {row.file_name for row in found.rows} == {"支付_1月.csv", "支付_1月_更正.csv", "支付_2月.csv"}


def test_a_difference_names_the_file_that_made_it(services: LiveServices) -> None:
    with services.open(VIEWER) as desk:
        (change,) = desk.diff(ask("R", "2025-01"), dt.datetime(2025, 3, 2, tzinfo=dt.UTC))
    assert (change.old.value, change.new.value) == (Decimal("0.03005"), Decimal("0.03505"))
    assert [part.file_name for part in change.batches] == ["支付_1月_更正.csv"]


def test_what_was_refused_says_why_in_both_languages(services: LiveServices) -> None:
    with services.open(VIEWER) as desk:
        check, row = desk.quarantine(10)
    assert row.value == "市水利局"
    assert row.reasons["zh"] != row.reasons["en"]
    assert "三公经费合计不等于" in check.reasons["zh"]


def test_a_viewer_of_one_unit_sees_no_row_set_aside_of_another(services: LiveServices) -> None:
    with services.open(Viewer(Scope(nodes=frozenset({"A"})), "clerk")) as desk:
        (own,) = desk.quarantine(10)
    assert own.file_name == "三公.csv"
    with services.open(Viewer(Scope(nodes=frozenset({"B"})), "clerk")) as desk:
        assert desk.quarantine(10) == ()


def test_a_viewer_of_one_unit_or_theme_sees_only_loads_that_touched_it(services: LiveServices) -> None:
    for scope, files in (
        (Scope(nodes=frozenset({"A"})), ["支付_2月.csv", "支付_1月.csv", "机构.csv"]),
        (Scope(domains=frozenset({"energy"})), ["能耗.csv"]),
    ):
        with services.open(Viewer(scope, "clerk")) as desk:
            assert [batch.file_name for batch in desk.batches(10)] == files


def test_doubtful_rows_come_with_their_reason(services: LiveServices) -> None:
    with services.open(VIEWER) as desk:
        (row,) = desk.doubts("R", None, 10)
        assert desk.doubts("A", None, 10) == ()
        assert desk.doubts("R", dt.datetime(2025, 3, 5, 12, tzinfo=dt.UTC), 10) == ()
    assert (row.unit_name, row.period, row.value) == ("教育局", "2025-02", "10234.000000 / 7163.800000")
    assert "上月" in row.reasons["zh"]


def test_what_is_due_is_counted_below_the_node(services: LiveServices) -> None:
    with services.open(VIEWER) as desk:
        due = next(due for due in desk.due_list("R", "2025-02", None) if due.dataset == "payment")
    assert due.got == due.due
    assert due.status == "ok"


def test_themes_without_rows_have_no_source(services: LiveServices) -> None:
    with services.open(VIEWER) as desk:
        cards = desk.indicators()
    assert cards["op_cost_total"].has_source
    assert not cards["veh_count"].has_source


def test_a_scope_hides_the_rest_of_the_tree(services: LiveServices) -> None:
    with services.open(Viewer(Scope(nodes=frozenset({"A"})), "clerk")) as desk:
        assert list(desk.tree(None, "as-was").nodes) == ["A"]


def test_the_version_changes_with_the_data_only(services: LiveServices) -> None:
    assert services.version() == services.version()
    assert services.version().through_seq == 5


@pytest.mark.parametrize("page", [OVERVIEW, COST, REPLAY, DATA], ids=lambda page: page.name)
def test_pages_show_the_figures_of_the_store(services: LiveServices, page) -> None:
    texts = {code: load_texts(code) for code in ("zh", "en")}
    found = answer(Door(services, texts, lambda: VIEWER), ViewState(), page.read, page.name)
    said = texts_of(list(found.values()))
    assert texts["zh"]["state.failed"] not in said
    assert "模拟市" in said


def test_a_missing_store_is_not_ready_and_says_how_to_load(tmp_path: Path) -> None:
    services = open_services(Store(tmp_path / "nowhere"))
    assert not services.is_ready()
    assert services.version().generation == 0
    assert "cockpit load" in services.load_hint()


def test_a_withdrawal_is_shown_as_such_with_its_reason(tmp_path: Path) -> None:
    """January's correction is withdrawn in April: the data page and the replay say so, March's board stays."""
    store, april = Store(tmp_path / "store"), dt.datetime(2025, 4, 2, 4, tzinfo=dt.UTC)
    for name, text, moment in (("机构.csv", ORG, NOW), ("一.csv", JANUARY, NOW), ("更正.csv", CORRECTED, NOW)):
        (tmp_path / name).write_text(text, encoding="utf-8")
        load_and_publish(store, [tmp_path / name], clock=lambda moment=moment: moment)
    withdraw_and_publish(store, 3, why="金额看错一行", actor="李四", clock=lambda: april)
    services = LiveServices(store, clock=lambda: april)
    with services.open(VIEWER) as desk:
        newest = desk.batches(1)[0]
        (change,) = desk.diff(ask("R", "2025-01"), NOW)
        then = desk.evaluate([ask("R", "2025-01", NOW)])[0]
    assert (newest.withdraws, newest.why, newest.actor, newest.removed) == (3, "金额看错一行", "李四", 1)
    assert (then.value, change.new.value) == (Decimal("0.03505"), Decimal("0.03005"))
    assert [(part.batch_seq, part.withdraws) for part in change.batches] == [(4, 3)]
    for code, said in (("zh", "撤回批次 #3：金额看错一行"), ("en", "Withdraws batch #3: 金额看错一行")):
        texts = {lang: load_texts(lang) for lang in ("zh", "en")}
        found = answer(Door(services, texts, lambda: VIEWER), ViewState(lang=code), DATA.read, DATA.name)
        assert said in str(found["batches"])
