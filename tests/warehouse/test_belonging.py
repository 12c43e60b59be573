"""Who reports for some units closes no waiting row of another, neither by a return sheet nor by a good row."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from cockpit.reading import Asked, read_returned
from tests.fakes.clerk import Clerk
from tests.fakes.office import NOW, ORG, P1, P2, Office, pay
from warehouse.corrections import Advice
from warehouse.ingest import load
from warehouse.reach import EVERYTHING, Reach
from warehouse.waiting import Wanted, waiting_rows

SHEET = "支付明细"
A9, B9 = P1.replace("V1", "V9").replace(",100.50", ",壹佰"), P2.replace("V2", "V8").replace(",200", ",贰佰")
NOBODY = P1.replace("V1", "V7").replace("市财政局", "市财整局")
ONLY_A, ONLY_B = Reach(frozenset({"A"})), Reach(frozenset({"B"}))


@pytest.fixture
def office(tmp_path: Path):
    office = Office(tmp_path)
    office.hand_in("组织机构.csv", ORG)
    yield office
    office.store.control.close()


def give(office: Office, name: str, text: str, actor: str, reach: Reach = EVERYTHING):
    path = office.folder / name
    path.write_text(text, encoding="utf-8")
    office.minute += 1
    moment = NOW + dt.timedelta(minutes=office.minute)
    (report,) = load(office.store, [path], actor=actor, clock=lambda: moment, advice=Advice(reach=reach))
    return report


def waiting(office: Office) -> set[str | None]:
    return {row.raw["凭证号"] for row in waiting_rows(office.store.control, Wanted())}


def line_of(clerk: Clerk, voucher: str) -> int:
    return next(n for n, line in enumerate(clerk.rows(SHEET), 2) if line["凭证号"] == voucher)


def test_a_forwarded_return_sheet_discards_no_row_of_another_unit_or_hand(office: Office) -> None:
    give(office, "两家.csv", pay(A9, B9, NOBODY), "张三")
    clerk = Clerk(office)
    for voucher in ("V9", "V8", "V7"):
        clerk.put(SHEET, line_of(clerk, voucher), "【处理】", "作废")
    clerk.book.save(clerk.path)
    asked = Asked(office.store.path, clerk.path, advice=Advice(reach=ONLY_B), actor="李四")
    assert read_returned(office.store, asked) == {
        "status": "ready",
        "counts": {"again": 0, "discarded": 1, "beyond": 2},
    }
    done = clerk.hand_back(reach=ONLY_B)
    assert (done.counts["discarded"], done.counts["beyond"], done.is_all_well) == (1, 2, False)
    assert waiting(office) == {"V9", "V7"}
    assert "2 行属于您报送范围以外的单位，未处理，继续待核" in done.message["zh"]
    assert "2 lines are of units you do not report for" in done.message["en"]
    assert clerk.hand_back(actor="张三", reach=ONLY_A).counts["discarded"] == 2  # of their unit, and of their own hand
    assert waiting(office) == set()


def test_a_row_of_another_unit_is_not_taken_over_by_writing_the_own_unit_into_it(office: Office) -> None:
    give(office, "别家.csv", pay(A9), "张三")
    clerk = Clerk(office)
    clerk.put(SHEET, 2, "【更正】金额(元)", "100").put(SHEET, 2, "单位名称", "市教育局")
    done = clerk.hand_back(reach=ONLY_B)
    assert (done.counts["mended"], done.counts["beyond"]) == (0, 1)
    assert waiting(office) == {"V9"}


def test_who_named_the_wrong_unit_may_put_that_right_or_discard_it(office: Office) -> None:
    strayed = [P1.replace("V1", voucher) for voucher in ("V5", "V6")]
    assert give(office, "混.csv", pay(P2, *strayed), "李四", ONLY_B).counts["quarantined"] == 2
    clerk = Clerk(office)
    clerk.put(SHEET, line_of(clerk, "V5"), "【更正】单位名称", "市教育局")
    clerk.put(SHEET, line_of(clerk, "V6"), "【处理】", "作废")
    done = clerk.hand_back(reach=ONLY_B)
    assert (done.counts["mended"], done.counts["discarded"], done.counts["beyond"]) == (1, 1, 0)
    assert set(office.amounts()) == {"V2", "V5"}


def test_a_source_outside_the_themes_is_left_alone(office: Office) -> None:
    give(office, "别家.csv", pay(A9), "张三")
    clerk = Clerk(office).put(SHEET, 2, "【处理】", "作废")
    assert clerk.hand_back(reach=Reach(themes=frozenset({"energy"}))).counts["beyond"] == 1
    assert waiting(office) == {"V9"}


@pytest.mark.parametrize(("reach", "open_rows"), [(ONLY_B, {"V9"}), (EVERYTHING, set())])
def test_a_good_row_closes_no_waiting_row_of_another_unit_under_the_same_key(
    office: Office, reach: Reach, open_rows: set[str]
) -> None:
    give(office, "财政.csv", pay(A9), "张三")
    assert give(office, "教育.csv", pay(P2.replace("V2", "V9")), "李四", reach).counts["accepted"] == 1
    assert waiting(office) == open_rows


def test_a_good_row_of_the_own_unit_closes_what_waited(office: Office) -> None:
    give(office, "财政.csv", pay(A9), "张三")
    give(office, "财政改.csv", pay(A9.replace("壹佰", "100")), "王五", ONLY_A)
    assert waiting(office) == set()


def test_a_mended_return_line_closes_no_waiting_row_of_another_unit_under_the_same_key(office: Office) -> None:
    give(office, "财政.csv", pay(A9), "张三")
    give(office, "教育.csv", pay(B9.replace("V8", "V9")), "李四", ONLY_B)
    clerk = Clerk(office, Wanted(unit="B")).put(SHEET, 2, "【更正】金额(元)", "200")
    assert clerk.hand_back(reach=ONLY_B).counts["mended"] == 1
    assert {(row.file, row.unit) for row in waiting_rows(office.store.control, Wanted())} == {("财政.csv", "A")}
