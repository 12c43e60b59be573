"""A dry run says what a load would do, and does nothing."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest

from tests.fakes.office import ORG, P1, P2, PAY, Office, pay
from warehouse.corrections import NO_ADVICE, Advice, Corrections
from warehouse.preview import preview
from warehouse.reach import Reach
from warehouse.sight import Preview

MESSY = (
    "某市财政支付明细表,,,,,,,,\n"
    "单位：万元,,,,,,,,\n"
    "凭证号,行号,用款部门,支付日期,部门经济分类编码,部门经济分类名称,资金来源,支出类型,金额\n"
    "V1,1,市财政局,2025年1月10日,30201,办公费,一般公共预算财政拨款,基本支出-公用,0.01005\n"
    "V2,1,市教育句,2025-01-20,30202,印刷费,一般公共预算财政拨款,基本支出-公用,0.02\n"
    "V3,1,市教育句,2025-01-21,30202,印刷费,一般公共预算财政拨款,基本支出-公用,壹仟\n"
    "合计,,,,,,,,0.03005\n"
)
TOLD = Corrections({"用款部门": "unit"}, {"市教育句": "B"})


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    office = Office(tmp_path_factory.mktemp("office"))
    office.hand_in("组织机构.csv", ORG)
    office.hand_in("一月.csv", pay(P1))
    yield office
    office.store.control.close()


def look(office: Office, name: str, text: str, advice: Advice = NO_ADVICE, source: str | None = None) -> Preview:
    path = office.folder / name
    path.write_bytes(text.encode("gb18030"))
    return preview(office.store, path, source=source, advice=advice)


def test_a_file_is_shown_as_it_would_be_taken_and_nothing_is_committed(office: Office) -> None:
    before = (office.store.control.last(), len(office.store.control.receipts()), sorted(office.store.inbox.iterdir()))
    seen = look(office, "二月.csv", pay(P1, P2))
    assert (seen.source, seen.status, seen.period_from, seen.period_to) == ("payment", "ready", "2025-01", "2025-01")
    assert seen.counts["rows_in"] == 3
    assert (seen.counts["accepted"], seen.counts["unchanged"], seen.counts["quarantined"]) == (1, 1, 0)
    assert seen.skipped == {"header": 1}
    assert seen.candidates[0].name == "payment"
    assert (seen.candidates[0].known, seen.candidates[0].labels) == (9, 9)
    (sheet,) = seen.sheets
    assert sheet.header_row == 1
    assert [row.fate for row in sheet.rows] == ["same", "new"]
    assert sheet.rows[1].cells == (
        "V2", "1", "市教育局", "2025-01-20", "30202", "印刷费", "一般公共预算财政拨款", "基本支出-公用", "200",
    )  # fmt: skip
    after = (office.store.control.last(), len(office.store.control.receipts()), sorted(office.store.inbox.iterdir()))
    assert after == before


def test_a_required_column_of_an_unknown_name_is_asked_for_and_its_rows_stand_as_written(office: Office) -> None:
    seen = look(office, "乱.csv", MESSY)
    assert seen.status == "refused"
    assert "missing_column" in {fault.code for fault in seen.faults}
    (sheet,) = seen.sheets
    assert sheet.header_row == 3
    taken = {column.label: column.column for column in sheet.columns}
    assert taken["用款部门"] is None
    assert taken["金额"] == "amount"
    assert sheet.rows[0].cells[2] == "市财政局"
    assert sheet.rows[0].fate == "as_written"


def test_corrections_say_which_column_a_label_is_and_who_a_name_means(office: Office) -> None:
    seen = look(office, "乱.csv", MESSY, Advice(Corrections({"用款部门": "unit"})), source="payment")
    assert seen.status == "unchanged"
    (stranger,) = seen.strangers
    assert (stranger.text, stranger.rows, stranger.suggestions[0][0]) == ("市教育句", 2, "B")
    assert seen.counts["quarantined"] == 2
    told = look(office, "乱.csv", MESSY, Advice(TOLD), source="payment")
    assert (told.counts["accepted"], told.counts["unchanged"], told.counts["quarantined"]) == (1, 1, 1)
    (sheet,) = told.sheets
    amount = next(column for column in sheet.columns if column.column == "amount")
    assert (amount.unit, amount.unit_from, amount.stored_unit) == ("万元", "note", "CNY")
    chosen = next(column for column in sheet.columns if column.label == "用款部门")
    assert (chosen.column, chosen.is_chosen) == ("unit", True)
    assert [row.fate for row in sheet.rows] == ["same", "new", "aside"]
    assert (sheet.rows[1].cells[2], sheet.rows[1].cells[8]) == ("市教育局", "200")
    assert sheet.rows[2].wrong == (8,)
    assert [(fault.row, fault.column, fault.value) for fault in told.faults] == [(6, "金额", "壹仟")]
    assert next(s.chosen for s in told.strangers if s.text == "市教育句") == "B"


def test_a_file_nobody_knows_is_shown_with_its_labels_and_the_nearest_sources(office: Office) -> None:
    seen = look(office, "菜单.csv", "菜名,口味,单位名称\n红烧肉,咸,市财政局\n")
    assert (seen.status, seen.source) == ("refused", None)
    assert [column.label for column in seen.sheets[0].columns] == ["菜名", "口味", "单位名称"]
    assert seen.candidates and all(one.known == 1 for one in seen.candidates)
    assert seen.faults[0].code == "unknown_file"


def test_two_columns_of_one_name_are_told_apart_and_one_is_left_out(office: Office) -> None:
    text = PAY.replace("金额(元)", "金额(元),金额(元)") + f"{P1},{100.5}\n"
    seen = look(office, "双.csv", text)
    assert [fault.code for fault in seen.faults] == ["duplicate_column"]
    assert [c.label for c in seen.sheets[0].columns][-2:] == ["金额", "金额 2"]
    told = look(office, "双.csv", text, Advice(Corrections({"金额 2": ""})), source="payment")
    assert told.status == "unchanged"
    assert next(c.column for c in told.sheets[0].columns if c.label == "金额 2") is None


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [("空.csv", b"", "empty_file"), ("装.exe", b"MZ\0\0", "not_a_table"), ("图.xlsx", b"\x89PNG\r\n", "not_a_table")],
)
def test_what_is_no_table_is_said_so(office: Office, name: str, content: bytes, code: str) -> None:
    path = office.folder / name
    path.write_bytes(content)
    seen = preview(office.store, path)
    assert (seen.status, [fault.code for fault in seen.faults]) == ("refused", [code])
    assert set(seen.faults[0].texts) == {"zh", "en"}


def test_a_sheet_of_another_kind_is_shown_and_said_to_be_passed_over(office: Office, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    first = book.active
    first.title = "明细"
    for line in pay(P1, P2).splitlines():
        first.append(line.split(","))
    book.create_sheet("说明").append(["单位名称", "菜名", "口味"])
    book["说明"].append(["市教育局", "红烧肉", "咸"])
    book.save(tmp_path / "两张.xlsx")
    seen = preview(office.store, tmp_path / "两张.xlsx")
    assert seen.status == "ready"
    assert {sheet.name: sheet.is_read for sheet in seen.sheets} == {"明细": True, "说明": False}


def test_nobody_is_shown_or_reports_more_than_their_reach(office: Office) -> None:
    reach = Reach(frozenset({"B"}))
    seen = look(office, "二月.csv", pay(P1, P2), Advice(reach=reach))
    assert (seen.counts["accepted"], seen.counts["quarantined"], seen.counts["removed"]) == (1, 1, 0)
    assert [(fault.code, fault.row) for fault in seen.faults] == [("outside_scope", 2)]
    alone = look(office, "别家.csv", pay(P1), Advice(reach=reach))
    assert (alone.status, [fault.code for fault in alone.faults]) == ("refused", ["file_outside_scope"])
    register = look(office, "机构.csv", ORG, Advice(reach=reach))
    assert [fault.code for fault in register.faults] == ["source_outside_scope"]
    typo = look(office, "错字.csv", pay(P2.replace("市教育局", "市财政居")), Advice(reach=reach))
    assert all(code == "B" for stranger in typo.strangers for code, _ in stranger.suggestions)
    theme = look(office, "二月.csv", pay(P2), Advice(reach=Reach(themes=frozenset({"energy"}))))
    assert [fault.code for fault in theme.faults] == ["theme_outside_scope"]


def test_of_many_strange_names_those_of_most_rows_are_asked_for_and_the_rest_counted(office: Office) -> None:
    """60 names nobody knows, the last one in two rows; who was chosen is listed all the same."""
    line = "W{n},1,{name},2025-01-20,30202,印刷费,一般公共预算财政拨款,基本支出-公用,200"
    lines = [line.format(n=n, name=f"不知何处{n:02d}") for n in range(60)]
    text = pay(*lines, line.format(n=60, name="不知何处59"), line.format(n=61, name="市教育句"))
    seen = look(office, "多名.csv", text, Advice(Corrections({}, {"市教育句": "B"})))
    listed = [(one.text, one.rows) for one in seen.strangers]
    assert (listed[0], listed[48:]) == (("不知何处00", 1), [("不知何处48", 1), ("不知何处59", 2), ("市教育句", 0)])
    assert seen.strangers[-1].chosen == "B"
    assert (len(listed), seen.strangers_total) == (51, 61)


def test_no_strange_name_moves_when_somebody_is_chosen(office: Office) -> None:
    rows = [
        P1.replace("V1", f"N{n}").replace("市财政局", name)
        for n, name in enumerate(("市财政句", "市教育句", "市财政巨"))
    ]
    orders = []
    for chosen in ({}, {"市教育句": "B"}, {"市教育句": "B", "市财政巨": "A"}):
        seen = look(office, "三名.csv", pay(*rows), Advice(Corrections({}, chosen)))
        orders.append([one.text for one in seen.strangers])
        assert {one.text for one in seen.strangers if one.chosen} == set(chosen)
    assert orders == [["市教育句", "市财政句", "市财政巨"]] * 3


def test_a_preview_survives_the_way_through_json(office: Office) -> None:
    import json

    seen = look(office, "乱.csv", MESSY, Advice(TOLD), source="payment")
    assert Preview.parse(json.loads(json.dumps(seen.as_json()))) == seen


def test_corrections_go_with_the_load_and_are_kept_with_its_receipt(tmp_path: Path) -> None:
    from warehouse.ingest import load

    office = Office(tmp_path)
    office.hand_in("组织机构.csv", ORG)
    path = tmp_path / "乱.csv"
    path.write_bytes(MESSY.encode("gb18030"))
    (report,) = load(office.store, [path], source="payment", advice=Advice(TOLD))
    assert (report.status, report.counts["accepted"], report.counts["quarantined"]) == ("committed", 2, 1)
    assert office.store.control.receipts()[0]["message"]["corrections"] == TOLD.as_json()
    (entry,) = office.store.control.quarantine()
    assert '"市教育句"' in entry["raw"]
    office.store.control.close()


def test_a_full_slice_takes_back_only_rows_inside_the_reach(tmp_path: Path) -> None:
    from warehouse.ingest import load

    office = Office(tmp_path)
    office.hand_in("组织机构.csv", ORG)
    office.hand_in("一月.csv", pay(P1, P2))
    path = tmp_path / "教育.csv"
    path.write_text(pay(P2.replace("V2", "V9")), encoding="utf-8")
    (report,) = load(office.store, [path], advice=Advice(reach=Reach(frozenset({"B"}))))
    assert (report.counts["accepted"], report.counts["removed"]) == (1, 1)
    assert set(office.amounts()) == {"V1", "V9"}
    office.store.control.close()


PHONE = "13912345678"


def test_a_preview_shows_what_a_load_would_keep_and_nothing_else(office: Office, tmp_path: Path) -> None:
    """A telephone number in a text, in a column of figures, in a sheet nobody understands, and a marked row."""
    import json

    from warehouse.ingest import load

    noted = pay(P1, P2.replace("印刷费", f"印刷费 {PHONE}"))
    typed = pay(P1, P2.replace(",200", f",打 {PHONE} 问"))
    unknown = pay(P1, P2.replace("印刷费", f"印刷费 {PHONE}")).replace("金额(元)", "数")
    secret = pay(P1, P2.replace("印刷费", "秘密"))
    seen = [look(office, f"{n}.csv", text) for n, text in enumerate((noted, typed, unknown, secret))]
    shown = [json.dumps(one.as_json(), ensure_ascii=False) for one in seen]
    assert not any(PHONE in text for text in shown)
    assert [one.status for one in seen] == ["ready", "unchanged", "refused", "unchanged"]
    assert seen[2].sheets[0].rows[1].cells[5].startswith("印刷费 ")
    assert "秘密" not in shown[3]
    assert [told["zh"] for told in seen[0].beside] == ["已去除手机号 1 处，未保存。"]
    assert "第 3 行标有密级，已拒收" in seen[3].beside[0]["zh"]
    assert seen[3].beside[0]["en"].startswith("Rows 3 bear a marking of secrecy")
    total = look(office, "合计.csv", pay(P1, P2) + "合计,,,,,,,,999\n")
    assert [("999" in told["zh"], "300.5" in told["en"]) for told in total.beside] == [(True, True)]
    for number, one in enumerate(seen):
        other = Office(tmp_path / str(number))
        other.folder.mkdir()
        other.hand_in("组织机构.csv", ORG)
        other.hand_in("一月.csv", pay(P1))
        (report,) = load(other.store, [office.folder / f"{number}.csv"])
        assert {**one.counts} == {**report.counts}
        assert list(one.beside) == ([] if one.status == "refused" else report.message["beside"])
        assert (report.status == "refused") == (one.status == "refused")
        other.store.control.close()


def test_a_fault_tells_figures_and_words_as_people_write_them(office: Office) -> None:
    head = "统计期,单位名称,能源品种,数量,费用\n"
    twice = look(office, "能耗.csv", f"{head}2025-04,市教育局,电,5,3\n2025-04,市教育局,电,6,3\n", source="energy_use")
    assert [fault.value for fault in twice.faults] == ["B | 2025-04 | 电"] * 2
    less = look(
        office, "能耗.csv", f"{head}2025-04,市教育局,电,-99999.50,3\n2025-05,市教育局,电,-700,3\n", source="energy_use"
    )
    assert [fault.value for fault in less.faults] == ["-99999.5", "-700"]
    (dear,) = look(office, "能耗.csv", f"{head}2025-04,市教育局,电,0.2948,99999\n", source="energy_use").faults
    assert (dear.code, dear.value) == ("unit_price_unlikely", "能源品种 电，数量 0.2948，费用 99999")
    assert dear.texts["zh"].endswith("（能源品种 电，数量 0.2948，费用 99999）")


def test_a_row_under_the_key_of_another_unit_takes_nothing_from_it(tmp_path: Path) -> None:
    """Payments are told apart by their voucher: V2 of the one must not become V2 of the other."""
    from warehouse.ingest import load

    office = Office(tmp_path)
    office.hand_in("组织机构.csv", ORG)
    office.hand_in("一月.csv", pay(P1, P2))
    path = tmp_path / "财政.csv"
    path.write_text(pay(P1, P2.replace("市教育局", "市财政局").replace(",200", ",1")), encoding="utf-8")
    (report,) = load(office.store, [path], advice=Advice(reach=Reach(frozenset({"A"}))))
    assert (report.counts["unchanged"], report.counts["quarantined"], report.counts["delta_rows"]) == (1, 1, 0)
    (entry,) = office.store.control.quarantine()
    assert (entry["code"], entry["column_name"], entry["value"]) == ("key_outside_scope", "voucher", "V2")
    assert "B" not in report.message["zh"]
    assert office.amounts() == {"V1": Decimal("100.50"), "V2": Decimal(200)}
    (report,) = load(office.store, [path], advice=Advice(reach=Reach(frozenset({"A", "B"}))))
    assert report.counts["accepted"] == 1  # who reports for both may move it
    office.store.control.close()


def test_a_wide_form_shows_what_is_wrong_where_it_stands_and_names_the_column_as_people_do(office: Office) -> None:
    text = "统计期,单位名称,电(千瓦时),电费(元),水(吨),水费(元)\n2025-04,市教育局,约3万,21000,200,840\n"
    seen = look(office, "能耗.csv", text)
    (sheet,) = seen.sheets
    assert [head["zh"] for head in sheet.headers] == ["单位名称", "统计期", "能源品种", "数量", "费用"]
    assert [row.cells for row in sheet.rows] == [
        ("市教育局", "2025-04", "电", "约3万", "21000"),
        ("市教育局", "2025-04", "水", "200", "840"),
    ]
    assert [row.wrong for row in sheet.rows] == [(3,), ()]
    assert "“电”" in seen.faults[0].texts["zh"]
