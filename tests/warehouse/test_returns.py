"""Return sheets: what is wrong goes out to be corrected, comes back through the same door, and is closed where mended."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter

from tests.fakes.clerk import Clerk
from tests.fakes.office import NOW, ORG, P1, P2, Office, pay
from warehouse.base.errors import RefusedInput
from warehouse.base.periods import OPEN
from warehouse.base.runs import runs
from warehouse.health.examine import examine
from warehouse.ingest import load
from warehouse.publish import publish
from warehouse.resubmission import resubmit
from warehouse.return_sheet import write_return_sheet
from warehouse.returns import is_return_sheet
from warehouse.waiting import Wanted, counts, waiting_rows
from warehouse.withdrawal import withdraw

SHEET = "支付明细"
PUBLIC = "一般公共预算财政拨款,基本支出-公用"
BAD = f"V3,1,市教肓局,2025-01-20,30202,印刷费,{PUBLIC},二百"
"""The unit is misspelt and the amount is a word."""
GOOD3 = f"V3,1,市教育局,2025-01-20,30202,印刷费,{PUBLIC},200"


def open_rows(office: Office) -> list[tuple[str, int, tuple[str, ...]]]:
    rows = waiting_rows(office.store.control, Wanted())
    return [
        (row.file, row.row_no, tuple(sorted({e["code"] for e in row.entries if e["closed_by"] is None})))
        for row in rows
    ]


# --- there and back ---------------------------------------------------------------------------------------------------


def test_a_corrected_row_is_taken_and_closes_what_it_mends(office: Office) -> None:
    office.hand_in("付款.csv", pay(P1, BAD))
    assert open_rows(office) == [("付款.csv", 3, ("not_a_number", "unknown_org"))]
    clerk = Clerk(office)
    clerk.put(SHEET, 2, "【更正】金额(元)", 200).put(SHEET, 2, "【更正】单位名称", "市教育局")
    done = clerk.hand_back()
    assert (done.counts["mended"], done.counts["still_wrong"], done.rows) == (1, 0, 1)
    assert done.is_all_well
    assert open_rows(office) == []
    assert office.amounts() == {"V1": Decimal("100.50"), "V3": Decimal("200.00")}
    batch = office.store.control.batches()[-1]
    assert (batch["kind"], batch["file_name"], batch["recorded_by"]) == ("resubmit", clerk.path.name, "李四")
    assert (batch["accepted"], batch["unchanged"], batch["removed"], batch["delta_rows"]) == (1, 0, 0, 1)
    receipt = office.store.control.receipts()[0]
    assert receipt["message"]["return_sheet"] == {"mended": {"付款.csv": {"": "3"}}}
    generation = office.store.open_generation()
    place = generation.con.execute("SELECT file_name, row_no FROM d_payment WHERE voucher = 'V3'").fetchone()
    generation.close()
    assert place == ("付款.csv", 3), "a figure leads to the line it was reported in"
    assert examine(office.store).healthy


def test_the_sheet_handed_in_twice_changes_nothing_the_second_time(office: Office) -> None:
    office.hand_in("付款.csv", pay(P1, BAD))
    clerk = Clerk(office)
    clerk.put(SHEET, 2, "【更正】金额(元)", "200").put(SHEET, 2, "【更正】单位名称", "市教育局")
    clerk.hand_back()
    before = office.store.control.last()[0], len(office.store.control.receipts())
    again = clerk.hand_back()
    assert (again.counts["already"], again.counts["mended"]) == (1, 0)
    assert (office.store.control.last()[0], len(office.store.control.receipts())) == before
    assert "此前已改正 1 行" in again.message["zh"]


def test_a_correction_that_is_still_wrong_stays_open_with_its_new_reason_and_may_be_corrected_again(
    office: Office,
) -> None:
    office.hand_in("付款.csv", pay(P1, BAD))
    clerk = Clerk(office)
    clerk.put(SHEET, 2, "【更正】金额(元)", "12.5.1").put(SHEET, 2, "【更正】单位名称", "市教育局")
    done = clerk.hand_back()
    assert (done.counts["mended"], done.counts["still_wrong"]) == (0, 1)
    assert not done.is_all_well and not done.did_something
    assert done.reports[0].status == "refused"
    assert open_rows(office) == [("付款.csv", 3, ("not_a_number",))]
    (entry,) = office.store.control.quarantine()
    assert (entry["value"], entry["unit"], entry["file_name"], entry["row_no"]) == ("12.5.1", "B", "付款.csv", 3)
    clerk.put(SHEET, 2, "【更正】金额(元)", 200)  # in the very same workbook
    assert clerk.hand_back().counts["mended"] == 1
    assert office.amounts()["V3"] == Decimal("200.00")
    assert open_rows(office) == []
    assert {entry["closed_by"] is None for entry in office.store.control.quarantine(open_only=False)} == {False}


def test_the_same_wrong_correction_twice_leaves_one_open_row(office: Office) -> None:
    office.hand_in("付款.csv", pay(P1, BAD))
    clerk = Clerk(office)
    clerk.put(SHEET, 2, "【更正】金额(元)", "三百")
    clerk.hand_back()
    clerk.hand_back()
    assert open_rows(office) == [("付款.csv", 3, ("not_a_number", "unknown_org"))]
    assert counts(office.store.control, office.store.contracts, Wanted(is_open=None))[0].open == 1


def test_a_second_sheet_shows_what_was_corrected_so_far(office: Office) -> None:
    office.hand_in("付款.csv", pay(P1, BAD))
    Clerk(office).put(SHEET, 2, "【更正】单位名称", "市教育局").hand_back()
    (line,) = Clerk(office).rows(SHEET)
    assert line["单位名称"] == "市教育局"
    assert "【更正】单位名称" not in Clerk(office).heads(SHEET)
    assert "二百" in line["【原因】金额(元)"]


def test_a_cell_corrected_in_place_counts_and_the_correction_column_counts_more(office: Office) -> None:
    office.hand_in("付款.csv", pay(P1, BAD))
    clerk = Clerk(office)
    clerk.put(SHEET, 2, "单位名称", "市教育局").put(SHEET, 2, "金额(元)", 7).put(SHEET, 2, "【更正】金额(元)", 8)
    assert clerk.hand_back().counts["mended"] == 1
    assert office.amounts()["V3"] == Decimal("8.00")


def test_rows_left_alone_are_counted_and_wait_on(office: Office) -> None:
    office.hand_in("付款.csv", pay(P1, BAD, BAD.replace("V3", "V4")))
    clerk = Clerk(office)
    clerk.put(SHEET, 2, "【更正】金额(元)", 1).put(SHEET, 2, "【更正】单位名称", "B")
    done = clerk.hand_back()
    assert (done.counts["mended"], done.counts["untouched"]) == (1, 1)
    assert [row for _, row, _ in open_rows(office)] == [4]


def test_a_sheet_nobody_wrote_into_does_nothing(office: Office) -> None:
    office.hand_in("付款.csv", pay(P1, BAD))
    done = Clerk(office).hand_back()
    assert (done.counts["untouched"], done.reports) == (1, [])
    assert "没有一行被改动" in done.message["zh"]
    assert office.store.control.receipts()[0]["file_name"] == "付款.csv"


def test_lines_may_be_sorted_and_deleted(office: Office) -> None:
    office.hand_in("付款.csv", pay(P1, *(BAD.replace("V3", f"V{n}") for n in (3, 4, 5))))
    clerk = Clerk(office)
    for row, amount in ((2, 30), (3, 40), (4, 50)):
        clerk.put(SHEET, row, "【更正】金额(元)", amount).put(SHEET, row, "【更正】单位名称", "B")
    sheet = clerk.book[SHEET]
    lines = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2)]
    sheet.delete_rows(2, 3)
    for line in (lines[2], lines[0]):
        sheet.append(line)
    assert clerk.hand_back().counts["mended"] == 2
    assert {key: value for key, value in office.amounts().items() if key != "V1"} == {
        "V3": Decimal("30.00"), "V5": Decimal("50.00"),
    }  # fmt: skip
    assert [row for _, row, _ in open_rows(office)] == [4]


# --- what the clerk decides -------------------------------------------------------------------------------------------


def test_a_row_whose_unit_was_registered_since_is_handed_in_as_it_stands(office: Office) -> None:
    line = f"V9,1,市新设局,2025-03-01,30201,办公费,{PUBLIC},9"
    office.hand_in("付款.csv", pay(P1, line))
    clerk = Clerk(office)
    assert clerk.put(SHEET, 2, "【处理】", "原样报送").hand_back().counts["still_wrong"] == 1
    office.hand_in("组织机构.csv", ORG + "C,市新设局,新设局,R,市,政府,4,2020-01-01,,\n")
    assert clerk.hand_back().counts["mended"] == 1
    assert office.amounts()["V9"] == Decimal("9.00")


def test_a_discarded_row_waits_no_more_and_brings_no_figure(office: Office) -> None:
    office.hand_in("付款.csv", pay(P1, BAD))
    done = Clerk(office).put(SHEET, 2, "【处理】", "作废").hand_back()
    assert (done.counts["discarded"], done.counts["mended"]) == (1, 0)
    assert open_rows(office) == []
    assert office.amounts() == {"V1": Decimal("100.50")}
    assert office.store.control.receipts()[0]["message"]["return_sheet"] == {"discarded": {"付款.csv": {"": "3"}}}


def test_an_amount_only_asked_about_is_taken_when_it_is_confirmed(office: Office) -> None:
    months = [f"V{n},1,市教育局,2025-0{n}-20,30202,印刷费,{PUBLIC},100" for n in (1, 2, 3)]
    office.hand_in("付款.csv", pay(*months))
    office.hand_in("四月.csv", pay(f"V4,1,市教育局,2025-04-20,30202,印刷费,{PUBLIC},1000000"))
    assert open_rows(office) == [("四月.csv", 2, ("magnitude",))]
    clerk = Clerk(office)
    clerk.put(SHEET, 2, "部门经济分类名称", "印刷费 ")
    assert clerk.hand_back().counts["still_wrong"] == 1, "a change elsewhere is no answer"
    clerk.put(SHEET, 2, "【处理】", "原样报送")
    assert clerk.hand_back().counts["mended"] == 1
    assert office.amounts()["V4"] == Decimal("1000000.00")


def test_one_small_line_beside_a_large_month_is_not_taken_for_a_slip_of_unit(office: Office) -> None:
    large = [f"V{n},1,市教育局,2025-0{n}-20,30202,印刷费,{PUBLIC},5000000" for n in (1, 2, 3, 4)]
    office.hand_in("付款.csv", pay(*large, f"V5,1,市教育局,2025-04-21,30202,印刷费,{PUBLIC},十元"))
    assert Clerk(office).put(SHEET, 2, "【更正】金额(元)", 10).hand_back().counts["mended"] == 1


def test_any_other_word_under_what_shall_be_done_is_told(office: Office) -> None:
    office.hand_in("付款.csv", pay(P1, BAD))
    done = Clerk(office).put(SHEET, 2, "【处理】", "删掉").hand_back()
    assert (done.counts["undecided"], done.counts["discarded"]) == (1, 0)
    assert f"{SHEET} 2" in done.message["zh"]


# --- sheets that are not what they should be --------------------------------------------------------------------------


def test_the_sheet_of_another_store_is_told(office: Office, tmp_path_factory: pytest.TempPathFactory) -> None:
    office.hand_in("付款.csv", pay(P1, BAD))
    other = Office(tmp_path_factory.mktemp("other"))
    other.hand_in("组织机构.csv", ORG)
    other.hand_in("付款.csv", pay(P1, BAD))
    clerk = Clerk(office).put(SHEET, 2, "【更正】金额(元)", 1)
    clerk.book.save(clerk.path)
    done = resubmit(other.store, clerk.path, clock=lambda: NOW + dt.timedelta(hours=1))
    assert (done.counts["foreign"], done.counts["mended"]) == (1, 0)
    assert "另一个库" in done.message["zh"] and "another store" in done.message["en"]


@pytest.mark.parametrize("identity", ["", "x", "0", None])
def test_an_altered_identity_is_told_and_nothing_else_suffers(office: Office, identity: str | None) -> None:
    office.hand_in("付款.csv", pay(P1, BAD, BAD.replace("V3", "V4")))
    clerk = Clerk(office)
    for row in (2, 3):
        clerk.put(SHEET, row, "【更正】金额(元)", 5).put(SHEET, row, "【更正】单位名称", "B")
    text = clerk.cell(SHEET, 2, "【行标识】请勿改动").value
    clerk.put(
        SHEET, 2, "【行标识】请勿改动", text[:-1] + ("1" if text[-1] == "0" else "0") if identity == "0" else identity
    )
    done = clerk.hand_back()
    assert done.counts["mended"] == 1
    assert done.counts["altered" if identity in ("x", "0") else "strangers"] == 1
    assert f"{SHEET} 2" in done.message["zh"]
    assert [row for _, row, _ in open_rows(office)] == [3]


def test_a_line_copied_below_is_told_and_neither_of_the_two_counts(office: Office) -> None:
    office.hand_in("付款.csv", pay(P1, BAD))
    clerk = Clerk(office)
    clerk.put(SHEET, 2, "【更正】金额(元)", 5)
    clerk.book[SHEET].append([cell.value for cell in clerk.book[SHEET][2]])
    done = clerk.hand_back()
    assert (done.counts["repeated"], done.counts["mended"]) == (2, 0)


def test_a_file_that_is_no_return_sheet_is_refused_with_the_way_to_one(office: Office, tmp_path: Path) -> None:
    path = tmp_path / "别的.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        book.add_worksheet().write(0, 0, "凭证号")
    assert not is_return_sheet(path)
    with pytest.raises(RefusedInput) as caught:
        resubmit(office.store, path)
    assert "不是退改表" in caught.value.message and "quarantine export" in (caught.value.hint or "")
    (tmp_path / "坏.xlsx").write_bytes(b"PK\x03\x04 nothing")
    for name, word in (("坏.xlsx", "无法读取"), ("没有.xlsx", "没有文件")):
        with pytest.raises(RefusedInput, match=word):
            resubmit(office.store, tmp_path / name)


def test_a_return_sheet_among_ordinary_files_is_told_where_it_belongs(office: Office) -> None:
    office.hand_in("付款.csv", pay(P1, BAD))
    report = load(office.store, [Clerk(office).path], clock=lambda: NOW + dt.timedelta(hours=1))[0]
    assert (report.status, report.message["codes"]) == ("refused", ["return_sheet"])
    assert "quarantine resubmit" in report.message["zh"]


def test_nothing_that_waits_is_no_sheet(office: Office, tmp_path: Path) -> None:
    with pytest.raises(RefusedInput, match="未生成退改表"):
        write_return_sheet(tmp_path / "空.xlsx", [], office.store.contracts, "x")
    assert not (tmp_path / "空.xlsx").exists()


# --- how rows are read again ------------------------------------------------------------------------------------------


def test_a_row_is_read_again_in_the_unit_of_its_own_file(office: Office) -> None:
    text = pay(P1.replace("100.50", "0.5"), BAD).replace("金额(元)", "金额(万元)")
    office.hand_in("付款.csv", text)
    clerk = Clerk(office)
    clerk.put(SHEET, 2, "【更正】金额(万元)", 3).put(SHEET, 2, "【更正】单位名称", "B")
    assert clerk.hand_back().counts["mended"] == 1
    assert office.amounts() == {"V1": Decimal("5000.00"), "V3": Decimal("30000.00")}


def test_a_month_that_only_the_title_names_is_kept(office: Office) -> None:
    head = "2025年3月人员情况表,,,\n单位名称,编制人数,实有人数,用能人数\n"
    office.hand_in("人员.csv", head + "市财政局,10,9,12\n市教育局,八,7,8\n", source="staff")
    title = office.store.contracts["staff"].title["zh"]
    assert Clerk(office).put(title, 2, "【更正】编制人数", 8).hand_back().counts["mended"] == 1
    publish(office.store, clock=lambda: NOW)
    generation = office.store.open_generation()
    rows = generation.con.execute(
        "SELECT unit, from_m - 2025 * 12 + 1, authorised_staff FROM d_staff ORDER BY unit"
    ).fetchall()
    generation.close()
    assert rows == [("A", 3, 10), ("B", 3, 8)]


def test_a_full_slice_loses_nothing_by_a_return_sheet(office: Office) -> None:
    assert office.store.contracts["payment"].slice == "full"
    office.hand_in("付款.csv", pay(P1, P2, BAD))
    clerk = Clerk(office)
    clerk.put(SHEET, 2, "【更正】金额(元)", 200).put(SHEET, 2, "【更正】单位名称", "市教育局")
    done = clerk.hand_back()
    assert done.reports[0].counts["removed"] == 0
    assert sorted(office.amounts()) == ["V1", "V2", "V3"]


def test_a_mended_row_that_says_what_is_known_already_is_no_change(office: Office) -> None:
    office.hand_in("付款.csv", pay(P1, BAD))
    sheet = Clerk(office)
    office.hand_in("更正.csv", pay(P1, GOOD3))  # meanwhile the file itself was sent again
    last = office.store.control.last()[0]
    sheet.put(SHEET, 2, "【更正】金额(元)", 200)
    done = sheet.hand_back()
    assert (done.counts["already"], done.counts["mended"], office.store.control.last()[0]) == (1, 0, last)


def test_withdrawing_the_return_sheet_opens_its_rows_again(office: Office) -> None:
    office.hand_in("付款.csv", pay(P1, BAD))
    clerk = Clerk(office)
    clerk.put(SHEET, 2, "【更正】金额(元)", 200).put(SHEET, 2, "【更正】单位名称", "B")
    seq = clerk.hand_back().reports[0].batch_seq
    assert seq is not None
    office.minute += 1
    withdraw(office.store, seq, why="改错了", clock=lambda: NOW + dt.timedelta(minutes=office.minute))
    assert open_rows(office) == [("付款.csv", 3, ("not_a_number", "unknown_org"))]
    assert office.amounts() == {"V1": Decimal("100.50")}
    assert examine(office.store).healthy
    assert clerk.hand_back().counts["mended"] == 1


def test_cells_beyond_the_header_are_on_the_sheet_and_can_be_cleared(office: Office) -> None:
    long = f"V3,1,市教育局,2025-01-20,30202,印刷,费,{PUBLIC},200"
    office.hand_in("付款.csv", pay(P1, long))
    clerk = Clerk(office)
    (line,) = clerk.rows(SHEET)
    assert line["列10"] == "200"
    shifted = ["印刷、费", *PUBLIC.split(","), "200", None]
    heads = ["部门经济分类名称", "资金来源", "支出类型", "金额(元)", "列10"]
    for head, value in zip(heads, shifted, strict=True):
        clerk.put(SHEET, 2, head, value)
    assert clerk.hand_back().counts["mended"] == 1
    assert office.amounts()["V3"] == Decimal("200.00")


def test_a_unit_is_checked_against_the_whole_register(office: Office) -> None:
    office.hand_in(
        "组织机构.csv", ORG + "C,市档案局,档案局,R,市,政府,4,二月,,\nD,市信访局,信访局,X,市,政府,5,2020-01-01,,\n"
    )
    title = office.store.contracts["org_unit"].title["zh"]
    clerk = Clerk(office)
    (first, second) = clerk.rows(title)
    assert (first["单位代码"], second["单位代码"]) == ("C", "D")
    clerk.put(title, 2, "【更正】生效日期", dt.date(2024, 1, 1))
    done = clerk.hand_back()
    assert (done.counts["mended"], done.counts["untouched"]) == (1, 1), done.message
    assert done.reports[0].counts["accepted"] == 1
    clerk.put(title, 3, "【更正】上级单位代码", "C")
    assert clerk.hand_back().counts["mended"] == 1, "its superior came with the first correction"


def test_a_new_version_of_a_unit_closes_the_one_before(office: Office) -> None:
    office.hand_in("组织机构.csv", ORG + "A,市财政局,财政局,R,市,政府,7,二〇二四年,,\n")
    title = office.store.contracts["org_unit"].title["zh"]
    done = Clerk(office).put(title, 2, "【更正】生效日期", dt.date(2024, 1, 1)).hand_back()
    assert (done.counts["mended"], done.reports[0].counts["accepted"]) == (1, 1)
    publish(office.store, clock=lambda: NOW)
    generation = office.store.open_generation()
    rows = generation.con.execute(
        "SELECT valid_from, valid_to, from_m, to_m FROM d_org_unit WHERE code = 'A' AND rec_to > 1000000 ORDER BY valid_from"
    ).fetchall()
    generation.close()
    start, change = 2020 * 12, 2024 * 12
    assert [(row[0], row[2], row[3]) for row in rows] == [
        (dt.date(2020, 1, 1), start, change), (dt.date(2024, 1, 1), change, OPEN),
    ]  # fmt: skip


# --- the sheet itself -------------------------------------------------------------------------------------------------


def test_each_source_has_a_sheet_with_the_labels_of_its_file(office: Office) -> None:
    office.hand_in("付款.csv", pay(P1, BAD))
    office.hand_in("人员.csv", "单位名称,统计期,编制人数,实有人数,用能人数\n市财政局,2025-01,十,9,12\n", source="staff")
    clerk = Clerk(office, lang="both")
    staff = office.store.contracts["staff"].title["zh"]
    assert clerk.book.sheetnames[0] == "说明 Read me"
    assert set(clerk.written.sheets) == {SHEET, staff}
    assert clerk.heads(staff)[6:] == [
        "单位名称",
        "统计期",
        "编制人数",
        "【更正】编制人数",
        "【原因】编制人数",
        "实有人数",
        "用能人数",
    ]
    sheet = clerk.book[SHEET]
    assert sheet.freeze_panes == "G2"
    assert sheet.column_dimensions["A"].hidden
    wrong = clerk.cell(SHEET, 2, "金额(元)")
    fine = clerk.cell(SHEET, 2, "凭证号")
    assert (wrong.fill.start_color.rgb, fine.fill.fill_type) == ("FFF8CBAD", None)
    why = clerk.cell(SHEET, 2, "【原因】金额(元)").value
    assert why == (
        "“金额”列应为数字，现为“二百”。请填写数字，没有数据时留空。\n"
        "Column “金额” should be a number but says “二百”. Please write a number, or leave the cell empty when there is none."
    )
    assert clerk.cell(SHEET, 2, "【更正】金额(元)").value is None
    assert "【更正】凭证号" not in clerk.heads(SHEET)


def test_values_the_contract_knows_are_offered(office: Office) -> None:
    office.hand_in("付款.csv", pay(P1, BAD.replace("基本支出-公用", "基本支出")))
    clerk = Clerk(office)
    at = clerk.cell(SHEET, 2, "【更正】支出类型").coordinate
    rules = {str(rule.sqref): rule.formula1 for rule in clerk.book[SHEET].data_validations.dataValidation}
    offered = next(formula for place, formula in rules.items() if at in place)
    assert "基本支出-公用" in offered
    assert any("原样报送,作废" in formula for formula in rules.values())


@pytest.mark.parametrize("text", ["=1+1", "+1+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", '=HYPERLINK("http://x")', "\t=1"])
def test_nothing_a_file_holds_becomes_a_formula(office: Office, text: str) -> None:
    quoted = '"' + text.replace('"', '""') + '"'
    office.hand_in("付款.csv", pay(P1, f"V3,1,市教育局,2025-01-20,30202,{quoted},{PUBLIC},{quoted}"))
    clerk = Clerk(office)
    for head in ("部门经济分类名称", "金额(元)"):
        cell = clerk.cell(SHEET, 2, head)
        assert (cell.data_type, cell.quotePrefix, cell.value.strip()) == ("s", True, text.strip())
    assert clerk.hand_back().counts["untouched"] == 1, "what was written reads back as what it was"


@pytest.mark.parametrize("text", [" 二百 ", "二\n百", "长" * 40_000, "控\x01制", "_x0041_", "１２.３a", "00123x"])
def test_what_was_not_touched_reads_back_as_it_was(office: Office, text: str) -> None:
    office.hand_in("付款.csv", pay(P1, f'V3,1,市教育局,2025-01-20,30202,"{text}",{PUBLIC},二百'))
    clerk = Clerk(office)
    moment = NOW + dt.timedelta(minutes=office.minute)
    done = resubmit(office.store, clerk.path, clock=lambda: moment)
    assert (done.counts["untouched"], done.counts["still_wrong"]) == (1, 0)


def test_equal_rows_of_two_sheets_of_a_workbook_are_two_rows(office: Office, tmp_path: Path) -> None:
    path = tmp_path / "两表.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        for name in ("一月", "二月"):
            sheet = book.add_worksheet(name)
            for at, line in enumerate((pay().strip(), BAD)):
                sheet.write_row(at, 0, line.split(","))
    office.minute += 1
    report = load(office.store, [path], clock=lambda: NOW + dt.timedelta(minutes=office.minute))[0]
    assert report.counts["quarantined"] == 2
    clerk = Clerk(office)
    assert [line["【来源工作表】"] for line in clerk.rows(SHEET)] == ["一月", "二月"]
    for row, voucher in ((2, "V31"), (3, "V32")):
        clerk.put(SHEET, row, "凭证号", voucher)
        clerk.put(SHEET, row, "【更正】金额(元)", row).put(SHEET, row, "【更正】单位名称", "B")
    done = clerk.hand_back()
    assert done.counts["mended"] == 2
    assert done.reports[0].message["return_sheet"] == {"mended": {"两表.xlsx": {"一月": "2", "二月": "2"}}}
    assert office.amounts() == {"V31": Decimal("2.00"), "V32": Decimal("3.00")}


def test_rows_of_one_unit_period_batch_or_file_can_be_asked_for(office: Office) -> None:
    office.hand_in("一.csv", pay(P1, BAD.replace("市教肓局", "市教育局")))
    office.hand_in("二.csv", pay(P2, BAD.replace("市教肓局", "市财政局").replace("V3", "V4").replace("01-20", "02-20")))
    control = office.store.control

    def asked(**given: object) -> list[str]:
        return [row.file for row in waiting_rows(control, Wanted.of(**given))]  # type: ignore[arg-type]

    assert asked() == ["一.csv", "二.csv"]
    assert asked(unit="B") == ["一.csv"]
    assert asked(period="2025-02") == ["二.csv"]
    assert asked(period="2025-Q1") == ["一.csv", "二.csv"]
    assert asked(batch=3) == ["二.csv"]
    assert asked(file="一.csv") == ["一.csv"]
    assert asked(source="staff") == []


def test_rows_are_counted_per_source_unit_and_period(office: Office) -> None:
    lines = [
        BAD.replace("市教肓局", "市教育局"),
        BAD.replace("V3", "V4"),
        BAD.replace("市教肓局", "市财政局").replace("V3", "V5"),
    ]
    office.hand_in("一.csv", pay(P1, *lines))
    clerk = Clerk(office, Wanted(unit="B"))
    clerk.put(SHEET, 2, "【更正】金额(元)", 1).hand_back()
    found = counts(office.store.control, office.store.contracts, Wanted(is_open=None))
    assert [(c.dataset, c.unit, c.period, c.open, c.closed) for c in found] == [
        ("payment", None, "2025-01", 1, 0),
        ("payment", "A", "2025-01", 1, 0),
        ("payment", "B", "2025-01", 0, 1),
    ]
    assert found[0].codes == {"not_a_number": 1, "unknown_org": 1}


def test_twenty_thousand_rows_are_written_and_read_again(office: Office) -> None:
    """No assertion on seconds: a quadratic way would not end within the limit of the suite."""
    many = 20_000
    office.hand_in(
        "大.csv", pay(P1, *(f"W{n:05d},1,市教育局,2025-01-20,30202,印刷费,{PUBLIC},约{n}" for n in range(many)))
    )
    rows = waiting_rows(office.store.control, Wanted())
    path = office.folder / "大退改表.xlsx"
    written = write_return_sheet(path, rows, office.store.contracts, office.store.control.meta()["store_id"])
    assert (written.rows, written.sheets) == (many, {SHEET: many})
    done = resubmit(office.store, path, clock=lambda: NOW + dt.timedelta(hours=1))
    assert done.counts["untouched"] == many


def test_row_numbers_are_told_in_runs() -> None:
    assert runs([9, 5, 6, 7, 3]) == "3、5-7、9"


def test_the_sheet_of_openpyxl_is_the_sheet_that_was_written(office: Office) -> None:
    """The clerk of these tests saves with another program than the one that wrote: hidden column and lists survive."""
    office.hand_in("付款.csv", pay(P1, BAD))
    clerk = Clerk(office)
    clerk.book.save(clerk.path)
    again = openpyxl.load_workbook(clerk.path)
    assert again[SHEET].column_dimensions["A"].hidden
    assert is_return_sheet(clerk.path)
