"""Protection: what is marked secret is rejected, telephone and identity numbers are kept nowhere in the store."""

from __future__ import annotations

import datetime as dt
import io
import sqlite3
from decimal import Decimal
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter

from tests.fakes.clerk import Clerk
from tests.fakes.office import NOW, ORG, P1, P2, Office, pay
from warehouse.backup import backup, restore
from warehouse.health.examine import examine
from warehouse.ingest import load
from warehouse.protection.rules import TEXT, Role, is_identity, is_marked, role_of_label, scrub
from warehouse.protection.watch import is_suspicious
from warehouse.receipts import FileReport
from warehouse.store import Store

MOBILE = "13812345678"
IDENTITY = "11010519491231002X"
"""The example of GB 11643: its check digit is right."""
PUBLIC = "一般公共预算财政拨款,基本支出-公用"
SECRET = f"V7,1,市教育局,2025-01-20,30202,秘密工程,{PUBLIC},777.77"


def everything(store: Store) -> bytes:
    """Every byte a store keeps: control log, received files (workbooks unpacked), segments."""
    found = [b"\n".join(line.encode() for line in sqlite3.connect(store.path / "control.sqlite").iterdump())]
    for file in sorted(store.path.glob("**/*")):
        if not file.is_file() or file.name.startswith("control"):
            continue
        data = file.read_bytes()
        found.append(data)
        if data[:4] == b"PK\x03\x04":
            book = openpyxl.load_workbook(io.BytesIO(data))
            cells = (str(cell) for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row)
            found.append("\n".join((*book.sheetnames, *cells)).encode())
        elif data[:4] == b"PAR1":
            found.append(str(pq.read_table(file).to_pylist()).encode())
    return b"\n".join(found)


def findings(office: Office) -> list[str]:
    office.amounts()  # publishes
    return [found.code for found in examine(office.store).findings]


def hand_in_book(office: Office, name: str, sheets: dict[str, list[list[object]]]) -> FileReport:
    path = office.folder / name
    with xlsxwriter.Workbook(str(path), {"strings_to_formulas": False}) as book:
        for title, rows in sheets.items():
            sheet = book.add_worksheet(title)
            for at, row in enumerate(rows):
                sheet.write_row(at, 0, row)
    office.minute += 1
    return load(office.store, [path], clock=lambda: NOW + dt.timedelta(minutes=office.minute))[0]


# --- the rules, on texts ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["秘密", "机密", "绝密", "机密级", "机密★5年", "机密 ★ 长期", "秘密☆6个月", "【机密】", "（秘密）", "机密*5年", "绝密★启用前",
     "关于印发方案的通知（机密★1年）", "密级：机密", "密级为秘密", "本表密级：秘密★3年"],
)  # fmt: skip
def test_a_marking_is_known(text: str) -> None:
    assert is_marked(text)


@pytest.mark.parametrize(
    "text",
    ["非密", "内部", "公开", "无", "", "机要局", "市国家保密局", "机密级文件柜采购", "机密文件销毁服务", "商业秘密", "保密柜", "密级：无",
     "密级：非密", "涉密载体销毁费", "机要通信", "秘密工程", "密码锁", "保守国家秘密法宣传"],
)  # fmt: skip
def test_a_word_is_no_marking(text: str) -> None:
    assert not is_marked(text)


def test_in_a_column_of_levels_the_word_is_enough() -> None:
    level = role_of_label("密级")
    assert [is_marked(text, level) for text in ("机密5年", "秘密级", "非密", "内部", "公开", "无")] == [True] * 2 + [
        False
    ] * 4
    flag = role_of_label("是否涉密")
    assert [is_marked(text, flag) for text in ("是", "否", "")] == [True, False, False]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("联系张三13812345678办公", "联系张三[手机号已去除]办公"),
        ("138-1234-5678", "[手机号已去除]"),
        ("+86 138 1234 5678", "[手机号已去除]"),
        ("１３８１２３４５６７８", "[手机号已去除]"),
        ("报修电话0571-88888888转801", "报修电话[电话号已去除]"),
        ("(0571)88888888", "[电话号已去除]"),
        ("电话：88888888", "电话:[电话号已去除]"),
        (f"{IDENTITY}，李四", "[身份证号已去除],李四"),
        ("旧证110105491231002", "旧证[身份证号已去除]"),
    ],
)
def test_numbers_of_people_are_masked(text: str, left: str) -> None:
    assert scrub(text)[0] == left


@pytest.mark.parametrize(
    "text",
    ["合同号13812345678", "V13812345678", "订单号：13912345678", "1381234567890", "12812345678", "91330100002489012K", "13812345678.50",
     "发票号码:12345678", "110105194912310021", "110105199913310021", "20250120", "010-12345678", "公文13812345678号", "表号0571888888"],
)  # fmt: skip
def test_numbers_of_things_stay(text: str) -> None:
    assert scrub(text) == (text, ())


def test_a_label_decides(office: Office) -> None:
    del office
    for label in (
        "联系电话",
        "手机号码",
        "办公电话",
        "联系方式",
        "经办人手机",
        "身份证号",
        "证件号码",
        "mobile",
        "phone_number",
    ):
        assert role_of_label(label).decisive, label
    for label in ("电话费", "手机费(元)", "摘要", "合同编号", "号牌号码", "表号", "凭证号"):
        assert not role_of_label(label).decisive, label
    assert scrub("88888888", role_of_label("联系电话"))[0] == "[手机号已去除]"
    assert scrub("无", role_of_label("联系电话"))[0] == "无"


def test_the_check_digit_is_counted_as_the_standard_does() -> None:
    assert is_identity(IDENTITY) and is_identity("440524188001010014")
    assert not is_identity("110105194912310021") and not is_identity("000105194912310021")


def test_a_column_is_looked_at_in_bulk_as_its_texts_are_one_by_one() -> None:
    clean = [f"办公用品第{n}批，共{n}件" for n in range(5000)]
    for text in (
        "王五13912345678",
        "0571-88888888",
        IDENTITY,
        "机密★5年",
        "手机139 1234 5678",
        "１３９１２３４５６７８",
    ):
        for at in (0, 2500, 4999):
            texts = pa.chunked_array([[*clean[:at], text, *clean[at:]]])
            assert is_suspicious(texts, TEXT), (text, at)
            assert is_suspicious(texts.slice(max(0, at - 1), 3), TEXT), (text, at)
    assert not is_suspicious(pa.chunked_array([clean]), TEXT)
    assert not is_suspicious(pa.chunked_array([[None, ""]]), TEXT)
    assert not is_suspicious(pa.chunked_array([[f"合同号1391234{n}" for n in range(1000, 3000)]]), TEXT)
    assert is_suspicious(pa.chunked_array([["公开", "机密"]]).dictionary_encode(), Role(is_level=True))


# --- rows that are marked ---------------------------------------------------------------------------------------------


def test_a_marked_row_is_rejected_and_only_its_number_is_known(office: Office) -> None:
    text = pay(P1, SECRET, P2).replace("金额(元)", "金额(元),密级")
    lines = text.splitlines()
    text = "\n".join([lines[0], f"{lines[1]},非密", f"{lines[2]},机密★5年", f"{lines[3]},内部"]) + "\n"
    report = office.hand_in("付款.csv", text)
    assert (report.counts["accepted"], report.counts["quarantined"], report.counts["skipped"]) == (2, 0, 2)
    assert report.message["skipped"] == {"classified": 1, "header": 1}
    assert report.message["protected"]["classified"] == {"": "3"}
    assert "第 3 行标有密级" in report.message["zh"]
    assert office.amounts() == {"V1": Decimal("100.50"), "V2": Decimal("200.00")}
    kept = everything(office.store)
    assert b"777.77" not in kept and "秘密工程".encode() not in kept
    assert findings(office) == []


def test_a_total_does_not_tell_the_amount_of_a_row_that_was_rejected(office: Office) -> None:
    marked = SECRET.replace("秘密工程", "秘密★5年")
    report = office.hand_in("一月.csv", pay(P1, marked, "合计,,,,,,,,878.27"))
    assert report.counts["accepted"] == 1
    assert "totals" not in report.message
    assert "878" not in report.message["zh"]


def test_the_row_numbers_of_the_others_do_not_move(office: Office) -> None:
    bad = P2.replace(",200", ",二百")
    office.hand_in("付款.csv", pay(P1, SECRET.replace("秘密工程", "机密★5年"), bad))
    (entry,) = office.store.control.quarantine()
    assert (entry["row_no"], entry["code"]) == (4, "not_a_number")


def test_a_word_in_a_purchase_rejects_nothing(office: Office) -> None:
    report = office.hand_in("付款.csv", pay(P1, SECRET.replace("秘密工程", "机密级文件柜采购")))
    assert report.counts["accepted"] == 2
    assert "protected" not in report.message
    kept = (office.store.inbox / office.store.control.batches()[-1]["file_sha"]).read_bytes()
    assert kept == (office.folder / "付款.csv").read_bytes(), "then the copy is the file, byte for byte"


@pytest.mark.parametrize("mark", ["机密★5年", "密级：秘密"])
@pytest.mark.parametrize("place", ["above", "below"])
def test_a_marked_sheet_is_rejected_whole_and_nothing_of_it_is_kept(office: Office, mark: str, place: str) -> None:
    rows = pay(SECRET)
    text = f"{mark}\n{rows}" if place == "above" else f"{rows}{mark},,,,,,,,\n"
    report = office.hand_in("付款.csv", text)
    assert (report.status, report.message["codes"]) == ("refused", ["classified_file"])
    assert b"777.77" not in everything(office.store)
    receipt = office.store.control.receipts()[0]
    assert receipt["file_sha"] == "" and len(receipt["received_sha"]) == 64
    assert findings(office) == []


def test_of_a_workbook_only_the_marked_sheet_goes(office: Office) -> None:
    head = pay().strip().split(",")
    one = [head, P1.split(",")]
    two = [["秘密★3年"], head, SECRET.split(",")]
    report = hand_in_book(office, "付款.xlsx", {"一月": one, "二月": two})
    assert report.status == "committed"
    assert office.amounts() == {"V1": Decimal("100.50")}
    assert report.message["protected"]["classified_sheets"] == 1
    assert "工作表“二月”标有密级" in report.message["zh"]
    assert b"777.77" not in everything(office.store)


# --- numbers of people ------------------------------------------------------------------------------------------------


def test_numbers_are_masked_in_facts_quarantine_messages_and_the_copy(office: Office) -> None:
    head = pay().replace("金额(元)", "金额(元),联系电话,备注").strip()
    rows = [f"{P1},0571-88888888,经办{MOBILE}", f"{P2.replace(',200', ',二百')},{MOBILE},{IDENTITY}"]
    rows[0] = rows[0].replace("办公费", f"办公费{MOBILE}")
    report = office.hand_in("付款.csv", "\n".join([head, *rows]) + "\n")
    assert (report.counts["accepted"], report.counts["quarantined"]) == (1, 1)
    assert report.message["protected"]["masked"] == {"identity": 1, "phone": 4}
    kept = everything(office.store)
    for number in (MOBILE, IDENTITY, "88888888"):
        assert number.encode() not in kept
    (entry,) = office.store.control.quarantine()
    assert "[身份证号已去除]" in entry["raw"]
    assert office.store.control.batches()[-1]["file_sha"] in {file.name for file in office.store.inbox.iterdir()}


@pytest.mark.parametrize("column", ["单位名称", "支付日期", "金额"])
def test_a_number_written_into_the_wrong_column_is_kept_nowhere(office: Office, column: str) -> None:
    wrong = {
        "单位名称": P2.replace("市教育局", f"王五 {MOBILE}"),
        "支付日期": P2.replace("2025-01-20", MOBILE),
        "金额": P2.replace(",200", f",问王五{MOBILE}"),
    }[column]
    report = office.hand_in("付款.csv", pay(P1, wrong))
    assert report.counts["quarantined"] == 1
    assert MOBILE.encode() not in everything(office.store)


def test_codes_that_look_like_numbers_of_people_stay(office: Office) -> None:
    voucher = P1.replace("V1", MOBILE)
    contract = f"{P2},{IDENTITY[:-1]}2,{MOBILE}"
    head = pay().replace("金额(元)", "金额(元),合同编号,设备编号").strip()
    report = office.hand_in("付款.csv", f"{head}\n{voucher},HT-{MOBILE},{MOBILE}\n{contract}\n")
    assert report.counts["accepted"] == 2
    assert MOBILE in office.amounts()
    kept = (office.store.inbox / office.store.control.batches()[-1]["file_sha"]).read_bytes()
    assert kept == (office.folder / "付款.csv").read_bytes()


def test_a_contact_below_the_table_of_a_workbook_is_not_kept(office: Office) -> None:
    head = pay().strip().split(",")
    rows = [
        ["2025年1月付款", None],
        head,
        P1.split(","),
        ["填表人：张三", f"联系电话：{MOBILE}"],
        ["联系人：李四", int(MOBILE)],
    ]
    report = hand_in_book(office, "付款.xlsx", {"付款": rows, "说明": [["联系人"], [f"李四 {IDENTITY}"]]})
    assert report.counts["accepted"] == 1
    kept = everything(office.store)
    assert MOBILE.encode() not in kept and IDENTITY.encode() not in kept
    assert office.amounts() == {"V1": Decimal("100.50")}


def test_a_cleaned_workbook_reads_as_the_original_did(office: Office) -> None:
    """Dates, figures, failed formulas, merged titles: only what had to go is another."""
    path = office.folder / "混合.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet("付款")
        sheet.merge_range(0, 0, 0, 8, f"付款明细 电话{MOBILE}")
        sheet.write_row(1, 0, pay().strip().split(","))
        day = book.add_format({"num_format": "yyyy/m/d"})
        for at, voucher in ((2, "V1"), (3, "V2")):
            sheet.write_row(at, 0, [voucher, 1, "市财政局"])
            sheet.write_datetime(at, 3, dt.datetime(2025, 1, 10), day)
            sheet.write_row(at, 4, [30201, "办公费", *PUBLIC.split(",")])
        sheet.write_number(2, 8, 100.5)
        sheet.write_formula(3, 8, "=1/0", None, "#DIV/0!")
    office.minute += 1
    report = load(office.store, [path], clock=lambda: NOW + dt.timedelta(minutes=office.minute))[0]
    assert (report.counts["accepted"], report.counts["quarantined"]) == (1, 1)
    assert office.amounts() == {"V1": Decimal("100.50")}
    (entry,) = office.store.control.quarantine()
    assert (entry["row_no"], entry["value"]) == (4, "#DIV/0!")
    assert MOBILE.encode() not in everything(office.store)


def test_parquet_is_cleaned_too(office: Office) -> None:
    names = pay().strip().split(",")
    rows = [P1.replace("办公费", f"办公费{MOBILE}").split(","), SECRET.replace("秘密工程", "机密").split(",")]
    path = office.folder / "付款.parquet"
    pq.write_table(pa.table({name: [row[at] for row in rows] for at, name in enumerate(names)}), path)
    office.minute += 1
    report = load(office.store, [path], clock=lambda: NOW + dt.timedelta(minutes=office.minute))[0]
    assert report.counts["accepted"] == 1
    kept = everything(office.store)
    assert MOBILE.encode() not in kept and b"777.77" not in kept


def test_a_refused_file_keeps_no_numbers_either(office: Office) -> None:
    report = office.hand_in("通讯录.csv", f"姓名,电话\n张三,{MOBILE}\n李四,0571-88888888\n")
    assert report.status == "refused"
    kept = everything(office.store)
    assert MOBILE.encode() not in kept and b"88888888" not in kept
    assert findings(office) == []


def test_a_file_nobody_can_look_through_is_not_kept(office: Office) -> None:
    path = office.folder / "坏.xlsx"
    path.write_bytes(b"PK\x03\x04" + MOBILE.encode())
    office.minute += 1
    report = load(office.store, [path], clock=lambda: NOW + dt.timedelta(minutes=office.minute))[0]
    assert report.status == "refused"
    assert MOBILE.encode() not in everything(office.store)
    assert findings(office) == []


def test_a_large_csv_is_watched_as_it_is_read(office: Office) -> None:
    """Beyond what is looked over whole: the number stands in the middle of a column of free text."""
    lines = [f"W{n},1,市财政局,2025-01-10,30201,第{n}批办公用品,{PUBLIC},1" for n in range(6000)]
    lines[4321] = lines[4321].replace("第4321批", f"王五{MOBILE}")
    assert len("\n".join(lines).encode()) > 1 << 18
    report = office.hand_in("大.csv", pay(*lines))
    assert report.counts["accepted"] == 6000
    assert report.message["protected"]["masked"] == {"phone": 1}
    assert MOBILE.encode() not in everything(office.store)


# --- the store afterwards ---------------------------------------------------------------------------------------------


def test_the_same_file_again_changes_nothing(office: Office) -> None:
    text = pay(P1.replace("办公费", f"办公费{MOBILE}"), SECRET.replace("秘密工程", "机密★5年"))
    first = office.hand_in("付款.csv", text)
    again = office.hand_in("付款.csv", text)
    assert (first.status, again.status) == ("committed", "unchanged")
    assert (
        len({receipt["file_sha"] for receipt in office.store.control.receipts() if receipt["file_name"] == "付款.csv"})
        == 1
    )


def test_backup_restore_and_doctor_are_content(office: Office, tmp_path: Path) -> None:
    office.hand_in("付款.csv", pay(P1.replace("办公费", f"办公费{MOBILE}"), SECRET.replace("秘密工程", "机密★5年")))
    backup(office.store, tmp_path / "备份")
    other = Store(tmp_path / "恢复")
    restore(tmp_path / "备份", other)
    assert findings(office) == []
    assert MOBILE.encode() not in everything(other)


def test_a_kept_copy_loads_to_the_same_figures(office: Office, tmp_path: Path) -> None:
    office.hand_in("付款.csv", pay(P1.replace("办公费", f"办公费{MOBILE}"), SECRET.replace("秘密工程", "机密★5年"), P2))
    kept = office.store.inbox / office.store.control.batches()[-1]["file_sha"]
    twin = Office(tmp_path / "另")
    (tmp_path / "另").mkdir()
    twin.hand_in("组织机构.csv", (office.folder / "组织机构.csv").read_text(encoding="utf-8"))
    twin.hand_in("付款.csv", kept.read_text(encoding="utf-8"))
    assert twin.amounts() == office.amounts() == {"V1": Decimal("100.50"), "V2": Decimal("200.00")}


def test_what_a_clerk_types_into_a_return_sheet_is_not_kept_either(office: Office) -> None:
    office.hand_in("付款.csv", pay(P1, P2.replace(",200", ",二百")))
    clerk = Clerk(office)
    clerk.put("支付明细", 2, "【更正】金额(元)", 200).put("支付明细", 2, "部门经济分类名称", f"印刷费，问{MOBILE}")
    assert clerk.hand_back().counts["mended"] == 1
    assert office.amounts()["V2"] == Decimal("200.00")
    assert MOBILE.encode() not in everything(office.store)


@pytest.mark.parametrize("label", ["曾用名", "别名", "aliases"])
def test_the_other_names_of_an_office_may_be_numbers_like_those_of_telephones(office: Office, label: str) -> None:
    # budget codes of eleven digits stand among the former names of a register
    office.hand_in("名录.csv", ORG.replace("曾用名", label).replace("市财政厅", "13563000000"))
    assert office.hand_in("支付.csv", pay(P1.replace("市财政局", "13563000000"))).counts["accepted"] == 1
