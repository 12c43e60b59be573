"""A register of events says that nothing happened only for a month that some file says it covers; hand-made truths.

Bureaux A and B count in the theme of vehicles; the register is that of vehicles disposed of.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest
import xlsxwriter

from cockpit.pipeline import Cubes
from tests.fakes.carried import carried_on, differences, why_anew
from tests.fakes.office import NOW
from tests.fakes.reviewers import CLERK, Reviewers
from tests.warehouse.test_draft import HEAD as PAYMENTS
from warehouse.contracts import load_contracts
from warehouse.corrections import Advice
from warehouse.declared import is_event_register
from warehouse.ingest import load
from warehouse.preview import preview
from warehouse.publish import publish
from warehouse.reach import Reach
from warehouse.receipts import FileReport
from warehouse.replay import replay
from warehouse.store import Store
from warehouse.submissions import submission_status

REGISTER = (
    "单位代码,单位名称,简称,上级单位代码,层级,单位性质,机构序列,纳入公务用车,生效日期,失效日期\n"
    "R,模拟市,,,市,区域,1,否,2020-01-01,\n"
    "A,市财政局,财政局,R,市,政府,2,是,2020-01-01,\n"
    "B,市教育局,教育局,R,市,政府,3,是,2020-01-01,\n"
)
HEAD = "号牌号码,单位名称,处置日期,处置方式\n"
CAR = "模A·10001,市财政局,2025-01-15,报废\n"
OTHER = "模A·10002,市教育局,2025-03-09,报废\n"


class Garage(Reviewers):
    """An office that keeps one register of disposals."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, register=REGISTER, indicators=("veh_disposed",))

    def told(self, name: str, text: str, **said: object) -> FileReport:
        """Hand a file in with what is said beside it."""
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        now = self.tick()
        return load(self.store, [path], actor=CLERK, clock=lambda: now, **said)[0]  # type: ignore[arg-type]

    def told_in_sheets(self, sheets: Mapping[str, str], source: str | None = None) -> FileReport:
        """Hand a workbook in, each sheet given as the lines of a table."""
        path = self.folder / "台账.xlsx"
        with xlsxwriter.Workbook(str(path)) as book:
            for name, text in sheets.items():
                sheet = book.add_worksheet(name)
                for at, line in enumerate(text.splitlines()):
                    sheet.write_row(at, 0, line.split(","))
        now = self.tick()
        return load(self.store, [path], actor=CLERK, clock=lambda: now, source=source)[0]

    def shown(self, month: str, node: str = "R", at: int | None = None) -> tuple[object, ...]:
        """Return value, status and how many of those who owe have reported."""
        one = self.ask(None, month, node, at, "veh_disposed")
        return one.value, one.status, one.due, one.got


SPAN = (2025 * 12, 2025 * 12 + 3)
ZERO, NOT, ONE = (0, "ok", 2, 2), (None, "not_reported", 2, 0), (1, "ok", 2, 2)


@pytest.fixture
def garage(tmp_path: Path) -> Garage:
    return Garage(tmp_path)


def test_only_a_month_that_is_declared_is_a_zero(garage: Garage) -> None:
    assert garage.told("台账.csv", HEAD + CAR).batch_seq == 2
    assert [garage.shown(m) for m in ("2025-01", "2025-02", "2025-03")] == [ONE, NOT, NOT]
    # the same rows, now said to cover January to March: a batch of its own without a row
    again = garage.told("台账.csv", HEAD + CAR, span=SPAN)
    assert (again.status, again.batch_seq, again.counts["delta_rows"]) == ("committed", 3, 0)
    assert [garage.shown(m) for m in ("2025-01", "2025-02", "2025-03", "2025-04")] == [ONE, ZERO, ZERO, NOT]
    assert garage.shown("2025-02", at=2) == NOT
    assert garage.shown("2025-02", node="B") == (0, "ok", 1, 1)
    # and once more changes nothing
    assert garage.told("台账.csv", HEAD + CAR, span=SPAN).status == "unchanged"


def test_a_register_without_any_row_says_that_nothing_happened(garage: Garage) -> None:
    bare = garage.told("空表.csv", HEAD)
    assert (bare.status, bare.message["codes"]) == ("refused", ["no_rows"])
    titled = garage.told("零报告.csv", "模拟市2025年2月车辆处置台账,,,\n" + HEAD)
    assert titled.status == "committed"
    assert [garage.shown(m) for m in ("2025-01", "2025-02")] == [NOT, ZERO]
    garage.take_back(titled.batch_seq or 0)
    assert [garage.shown("2025-02"), garage.shown("2025-02", at=titled.batch_seq)] == [NOT, ZERO]
    # withdrawn, it may be said again
    assert garage.told("零报告.csv", "模拟市2025年2月车辆处置台账,,,\n" + HEAD).status == "committed"
    assert garage.shown("2025-02") == ZERO


def test_the_name_of_a_file_proves_nothing(garage: Garage) -> None:
    assert garage.told("2025年2月车辆处置台账.csv", HEAD).status == "refused"


def test_a_title_over_rows_of_other_months_is_no_declaration(garage: Garage) -> None:
    garage.told("台账.csv", "模拟市2025年4月车辆处置台账,,,\n" + HEAD + CAR + OTHER)
    assert [garage.shown(f"2025-0{m}") for m in (1, 2, 3, 4)] == [ONE, NOT, ONE, NOT]


def test_a_month_with_a_row_set_aside_is_not_declared(garage: Garage) -> None:
    strange = "模A·10003,无此单位,2025-02-11,报废\n"
    report = garage.told("台账.csv", HEAD + CAR + strange, span=SPAN)
    assert report.counts["quarantined"] == 1
    assert [garage.shown(f"2025-0{m}") for m in (1, 2, 3)] == [ONE, NOT, ZERO]
    # a row of which nobody can tell the month may be of any
    report = garage.told("台账二.csv", HEAD + CAR + "模A·10004,市财政局,不详,报废\n", span=(2025 * 12, 2025 * 12 + 6))
    assert report.counts["quarantined"] == 1
    assert garage.shown("2025-05") == NOT


def test_a_month_that_is_not_over_cannot_be_declared(garage: Garage) -> None:
    """The file comes in on 1 November 2026: October is over, November is not."""
    garage.told(
        "台账.csv", "2026年10月至11月,,,\n" + HEAD, source="vehicle_disposal", span=(2026 * 12 + 9, 2026 * 12 + 11)
    )
    assert [garage.shown("2026-10"), garage.shown("2026-11")[0]] == [ZERO, None]


def test_who_reports_for_one_unit_declares_for_that_unit_alone(garage: Garage) -> None:
    advice = Advice(reach=Reach(frozenset({"A"})))
    garage.told("财政局.csv", HEAD, span=SPAN, source="vehicle_disposal", advice=advice)
    assert garage.shown("2025-02") == (0, "incomplete", 2, 1)
    assert [garage.shown("2025-02", node=n)[1] for n in ("A", "B")] == ["ok", "not_reported"]
    garage.told("全市.csv", HEAD, span=SPAN, source="vehicle_disposal")
    assert garage.shown("2025-02") == ZERO


def test_a_month_declared_for_one_unit_is_reported_by_that_unit_alone(tmp_path: Path) -> None:
    """Payments are owed every month by A and B; A pays nothing in March, then everybody says so, then both are undone."""
    office = Reviewers(tmp_path, indicators=("op_funds_exp",))
    path = office.folder / "支付.csv"
    path.write_text("2025年3月支付明细\n" + PAYMENTS, encoding="utf-8")

    def told(advice: Advice) -> None:
        now = office.tick()
        assert load(office.store, [path], actor=CLERK, clock=lambda: now, advice=advice)[0].status == "committed"

    def stands(month: int) -> dict[str, str]:
        publish(office.store, [], clock=lambda: NOW)
        with closing(office.store.open_generation()) as generation:
            found = submission_status(generation, from_m=month, to_m=month + 1, datasets=["payment"])
        return {one.unit: one.state for one in found}

    told(Advice(reach=Reach(frozenset({"A"}))))
    assert stands(24302) == {"A": "reported", "B": "missing"}
    assert stands(24303) == {"A": "missing", "B": "missing"}
    told(Advice())
    assert stands(24302) == {"A": "reported", "B": "reported"}
    office.take_back(3)
    assert stands(24302) == {"A": "reported", "B": "missing"}
    office.take_back(2)
    assert stands(24302) == {"A": "missing", "B": "missing"}


def test_a_store_made_anew_keeps_for_whom_a_month_was_declared(garage: Garage, tmp_path: Path) -> None:
    advice = Advice(reach=Reach(frozenset({"A"})))
    garage.told("财政局.csv", "2025年2月车辆处置台账,,,\n" + HEAD, advice=advice)
    garage.told("财政局二.csv", HEAD + CAR, span=SPAN, advice=advice)
    new = Store(tmp_path / "anew")
    new.contracts = garage.store.contracts
    assert replay(garage.store, new).remarks == ()
    said = [[batch["declared"] for batch in store.control.batches()[2:]] for store in (garage.store, new)]
    assert said[0] == said[1]
    assert said[1] == ['{"months": [[24301, 24302]], "units": ["A"]}', '{"months": [[24300, 24303]], "units": ["A"]}']


def test_an_empty_sheet_named_after_its_month_says_that_nothing_happened(garage: Garage) -> None:
    title = "模拟市2025年车辆处置台账\n"
    assert garage.told_in_sheets({"1月": title + HEAD + CAR, "2月": title + HEAD}).status == "committed"
    assert [garage.shown(f"2025-0{m}") for m in (1, 2, 3)] == [ONE, ZERO, NOT]


RECEPTIONS = "接待编号,单位名称,接待日期,来宾单位,接待人数,陪餐人数,接待费用\n"


@pytest.mark.parametrize("source", [None, "vehicle_disposal"])
def test_an_empty_sheet_of_another_source_says_nothing_of_this_one(garage: Garage, source: str | None) -> None:
    """No receptions in February and March, and no title of theirs, make a month without disposals."""
    sheets = {
        "2025年1月": HEAD + CAR,
        "2025年2月": RECEPTIONS,
        "接待": "2025年3月公务接待台账\n" + RECEPTIONS,
        "2025年4月": HEAD,
    }
    assert garage.told_in_sheets(sheets, source=source).status == "committed"
    assert [garage.shown(f"2025-0{m}") for m in (1, 2, 3, 4)] == [ONE, NOT, NOT, ZERO]


@pytest.mark.parametrize(
    ("title", "zeros"),
    [
        ("2025年车辆处置台账", ()),
        ("2025年度车辆处置台账", ()),
        ("2025年2月车辆处置台账", (2,)),
        ("2025年1-3月车辆处置台账", (1, 2, 3)),
        ("2025年第一季度车辆处置台账", (1, 2, 3)),
        ("2025年上半年车辆处置台账", (1, 2, 3, 4, 5, 6)),
        ("2025年1-12月车辆处置台账", (1, 2, 3, 4, 5, 6, 7)),
    ],
)
def test_a_title_declares_the_months_it_names_and_a_bare_year_names_none(
    garage: Garage, title: str, zeros: tuple[int, ...]
) -> None:
    """The one row under the title is of February; the months asked for begin after it and end with July."""
    garage.told("台账.csv", f"{title},,,\n" + HEAD + CAR.replace("01-15", "02-05"))
    truth = [ONE, *(ZERO if m in zeros else NOT for m in range(3, 8))]
    assert [garage.shown(f"2025-0{m}") for m in range(2, 8)] == truth


def test_series_that_go_on_are_no_registers_of_events() -> None:
    told = {name for name, contract in load_contracts().items() if is_event_register(contract)}
    assert {"vehicle_disposal", "trip", "reception", "payment", "vehicle_rental", "operation_event"} <= told
    assert told.isdisjoint({"meter_day", "meter_reading", "vehicle_day", "org_succession", "energy_use"})


def test_a_generation_carried_on_knows_what_was_declared(garage: Garage, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="warehouse.publish")
    builders = [Cubes(garage.catalogue)]

    def carry_on() -> None:
        publish(garage.store, builders, clock=lambda: NOW)
        assert carried_on(caplog), why_anew(caplog)
        assert differences(garage.store, builders) == []

    garage.told("一月.csv", HEAD + CAR)
    publish(garage.store, builders, clock=lambda: NOW)
    garage.told("二月.csv", HEAD, span=(24301, 24302), source="vehicle_disposal")
    carry_on()
    garage.told("三月.csv", HEAD + OTHER, span=(24302, 24304), source="vehicle_disposal")
    carry_on()
    assert [garage.shown(f"2025-0{m}") for m in (1, 2, 3, 4)] == [ONE, ZERO, ONE, ZERO]
    garage.open().close()
    garage.take_back(3)
    carry_on()
    assert garage.shown("2025-02") == NOT


def test_a_store_made_anew_from_its_files_declares_the_same(garage: Garage, tmp_path: Path) -> None:
    garage.told("台账.csv", HEAD + CAR, span=SPAN)
    garage.told("零报告.csv", "模拟市2025年4月车辆处置台账,,,\n" + HEAD)
    garage.take_back(3)
    new = Store(tmp_path / "anew")
    new.contracts = garage.store.contracts
    assert replay(garage.store, new).remarks == ()
    said = [[batch["declared"] for batch in store.control.batches()] for store in (garage.store, new)]
    assert said[0] == said[1] == [None, None, '{"months": [[24300, 24303]]}', '{"months": [[24303, 24304]]}', None]


def test_a_preview_says_that_a_report_of_nothing_would_be_taken(garage: Garage) -> None:
    text = "模拟市2025年2月车辆处置台账,,,\n" + HEAD
    path = garage.folder / "零报告.csv"
    path.write_text(text, encoding="utf-8")
    assert preview(garage.store, path, clock=lambda: NOW).status == "ready"
    garage.told("零报告.csv", text)
    assert preview(garage.store, path, clock=lambda: NOW).status == "unchanged"
    bare = garage.folder / "空表.csv"
    bare.write_text(HEAD, encoding="utf-8")
    assert preview(garage.store, bare, clock=lambda: NOW).status == "refused"
    assert preview(garage.store, bare, clock=lambda: NOW, span=SPAN).status == "ready"
