"""Several tables on one sheet, spacers, repeated headers, hidden rows. Each sheet is drawn in its test."""

from __future__ import annotations

import pytest
import xlsxwriter
import xlwt

from warehouse.readers.tables import ReadRefused, read_tables

KNOWN = frozenset(["统计期", "单位名称", "金额", "电费", "水费", "电/数量", "电/金额", "人数", "支付日期"]).__contains__


@pytest.fixture
def tables(tmp_path):
    """Write a drawn sheet, its cells parted by | and numbers as numbers, and give the tables read from it."""

    def read(drawn, *, merge=(), hide=(), hide_columns=(), name="表"):
        path = tmp_path / "book.xlsx"
        with xlsxwriter.Workbook(path, {"strings_to_numbers": True}) as workbook:
            sheet = workbook.add_worksheet(name)
            for row, line in enumerate(drawn.strip("\n").split("\n")):
                for column, cell in enumerate(line.split("|")):
                    if cell.strip():
                        sheet.write(row, column, cell.strip())
            for area in merge:
                sheet.merge_range(area, "")
            for row in hide:
                sheet.set_row(row - 1, None, None, {"hidden": True})
            for columns in hide_columns:
                sheet.set_column(columns, None, None, {"hidden": True})
        return read_tables(path, KNOWN)

    return read


def told(table):
    return table.labels, [(number, *cells) for number, cells in table.texts()]


def test_two_tables_below_each_other_keep_their_own_columns(tables):
    """The second has its columns in another order: matched by label, never by place."""
    first, second = tables("单位名称|电费|水费\n甲|5|7\n合计|5|7\n\n乡镇\n单位名称|水费|电费\n乙|3|4")
    assert told(first) == (("单位名称", "电费", "水费"), [(2, "甲", "5", "7")])
    assert told(second) == (("单位名称", "水费", "电费"), [(7, "乙", "3", "4")])
    assert (second.title, second.header_row) == ("乡镇", 6)
    assert dict(first.skipped) == {"header": 1, "total": 1, "blank": 1}
    assert dict(second.skipped) == {"title": 1, "header": 1}


def test_a_header_in_another_order_directly_below_data_is_seen(tables):
    first, second = tables("单位名称|电费|水费\n甲|5|7\n单位名称|水费|电费\n乙|3|4")
    assert told(first)[1] == [(2, "甲", "5", "7")]
    assert told(second) == (("单位名称", "水费", "电费"), [(4, "乙", "3", "4")])


def test_a_block_with_a_unit_note_of_its_own_is_a_table_of_its_own(tables):
    first, second = tables("单位：万元\n单位名称|金额\n甲|1\n\n单位：元\n单位名称|金额\n乙|20000")
    assert [(t.unit_note, told(t)[1]) for t in (first, second)] == [
        ("万元", [(3, "甲", "1")]), ("元", [(7, "乙", "20000")]),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "note",
    [
        "填报单位：模拟局| |单位：元",
        "单位：元| |填报单位：模拟局",
        "填报单位：模拟局  单位：元",
        "填报单位：|模拟局|（单位：元）",
    ],
)
def test_a_row_of_notes_begins_a_table_of_its_own_when_it_sets_a_unit(tables, note):
    above = "填报单位：模拟局| |单位：万元\n单位名称|金额|人数\n甲|1|5\n财务负责人：李四| |制表：王五\n\n"
    first, second = tables(f"{above}{note}\n单位名称|金额|人数\n乙|20000|6")
    assert [(t.unit_note, told(t)[1]) for t in (first, second)] == [
        ("万元", [(3, "甲", "1", "5")]), ("元", [(8, "乙", "20000", "6")]),
    ]  # fmt: skip
    assert dict(first.skipped) == {"title": 1, "header": 1, "note": 1, "blank": 1}


def test_notes_stay_with_the_table_above_them(tables):
    first, second = tables("单位名称|金额|人数\n甲|1|5\n注：略\n续注\n\n下半年\n单位名称|金额|人数\n乙|2|6")
    assert dict(first.skipped) == {"header": 1, "note": 2, "blank": 1}
    assert (second.title, told(second)[1]) == ("下半年", [(8, "乙", "2", "6")])


def test_tables_beside_each_other_are_told_apart_and_named_by_their_columns(tables):
    """Both are of one kind; the left one is longer."""
    left, right = tables("单位名称|金额| |单位名称|金额\n甲|1| |丙|3\n乙|2", name="3月")
    assert (left.sheet, told(left)) == ("3月 A:B", (("单位名称", "金额"), [(2, "甲", "1"), (3, "乙", "2")]))
    assert (right.sheet, told(right)) == ("3月 D:E", (("单位名称", "金额"), [(2, "丙", "3")]))
    assert (right.first_column, dict(right.skipped)) == (4, {"header": 1})


def test_a_title_merged_over_both_tables_is_the_title_of_both(tables):
    drawn = "2024年3月水电| | | | \n单位名称|金额| |单位名称|金额\n甲|1| |丙|3"
    assert [t.period_note for t in tables(drawn, merge=["A1:E1"])] == ["2024年3月", "2024年3月"]


def test_tables_in_two_rows_and_two_columns(tables):
    found = tables("单位名称|金额| |单位名称|金额\n甲|1| |乙|2\n\n单位名称|水费| |单位名称|水费\n丙|3| |丁|4", name="s")
    rows = [told(table) for table in found]
    assert rows == [
        (("单位名称", "金额"), [(2, "甲", "1")]),
        (("单位名称", "水费"), [(5, "丙", "3")]),
        (("单位名称", "金额"), [(2, "乙", "2")]),
        (("单位名称", "水费"), [(5, "丁", "4")]),
    ]


def test_a_blank_column_between_labels_is_a_spacer(tables):
    (table,) = tables("统计期|单位名称| |金额|人数\n2024-03|甲| |1|5")
    assert told(table) == (("统计期", "单位名称", "", "金额", "人数"), [(2, "2024-03", "甲", None, "1", "5")])


def test_a_header_printed_again_at_each_page_is_no_table(tables):
    (table,) = tables("单位名称|金额|人数\n甲|1|5\n单位名称|金额|人数\n乙|2|6\n\n单位名称|金额|人数\n丙|3|7")
    assert [row[1] for row in told(table)[1]] == ["甲", "乙", "丙"]
    assert dict(table.skipped) == {"header": 3, "blank": 1}


def test_a_header_of_two_rows_printed_again_is_no_table(tables):
    head = "统计期|单位名称|电| \n | |数量|金额\n"
    (table,) = tables(f"{head}2024-01|甲|1|2\n{head}2024-02|甲|3|4", merge=["C1:D1", "C4:D4"])
    assert [row[1:] for row in told(table)[1]] == [("2024-01", "甲", "1", "2"), ("2024-02", "甲", "3", "4")]
    assert dict(table.skipped) == {"header": 4}


def test_a_table_far_below_its_preface_is_found(tables):
    preface = "".join(f"填报要求第 {number} 条，请逐项核对|见附件\n" for number in range(1, 61))
    (table,) = tables(f"{preface}单位名称|金额|人数\n甲|1|5")
    assert told(table)[1] == [(62, "甲", "1", "5")]


def test_words_merged_down_stand_in_each_of_their_rows_and_numbers_do_not(tables):
    """A merged amount may be the sum of its rows."""
    (table,) = tables(
        "单位名称|统计期|金额|人数\n甲|2024年3月|9|5\n | | |6\n乙|2024年3月|1|7", merge=["A2:A3", "B2:B3", "C2:C3"]
    )
    assert [row[1:] for row in told(table)[1]] == [
        ("甲", "2024年3月", "9", "5"), ("甲", "2024年3月", None, "6"), ("乙", "2024年3月", "1", "7"),
    ]  # fmt: skip


def test_hidden_rows_and_columns_are_read_and_said(tables):
    """Row 4 is blank as well as hidden: nothing is lost by that."""
    (table,) = tables("单位名称|金额|人数\n甲|1|5\n乙|2|6\n\n丙|3|7", hide=[3, 4], hide_columns=["C:C"])
    assert [row[1] for row in told(table)[1]] == ["甲", "乙", "丙"]
    assert [(r.code, r.value, r.hint) for r in table.remarks] == [
        ("hidden_rows", "1", "3"), ("hidden_columns", "1", "人数"),
    ]  # fmt: skip


def test_hidden_rows_of_an_old_workbook_are_said(tmp_path):
    workbook = xlwt.Workbook()
    sheet = workbook.add_sheet("旧")
    for row, cells in enumerate([("单位名称", "金额", "人数"), ("甲", 1, 5), ("乙", 2, 6)]):
        for column, cell in enumerate(cells):
            sheet.write(row, column, cell)
    sheet.row(2).hidden = True
    sheet.col(1).hidden = True
    workbook.save(str(tmp_path / "old.xls"))
    (table,) = read_tables(tmp_path / "old.xls", KNOWN)
    assert [(r.code, r.hint) for r in table.remarks] == [("hidden_rows", "3"), ("hidden_columns", "金额")]


def test_a_form_is_refused_as_one(tables):
    form = "申请单位|甲局|申请日期|2024-03-01\n用车事由|开会|出发地点|市政府\n驾驶员姓名|张三|联系电话|略\n车辆类型|轿车|行驶里程|30"
    with pytest.raises(ReadRefused) as caught:
        tables(form)
    assert [(fault.code, fault.value) for fault in caught.value.faults] == [("form_sheet", "申请单位")]


def test_a_table_on_its_side_is_refused_with_the_way_to_turn_it(tables):
    with pytest.raises(ReadRefused) as caught:
        tables("单位名称|甲|乙\n统计期|2024-03|2024-03\n电费|1|2\n水费|3|4")
    assert [fault.code for fault in caught.value.faults] == ["lying_table"]


def test_a_table_nobody_knows_is_described_with_both_rows_of_its_header(tables):
    (table,) = tables("类别|期末|  |备注\n |账面|净值| \n备件|10|9|x", merge=["A1:A2", "B1:C1", "D1:D2"])
    assert table.labels == ("类别", "期末/账面", "期末/净值", "备注")


def test_tables_of_unknown_words_under_captions_of_their_own_are_told_apart(tables):
    first, second = tables(
        "上年借款||\n借款银行|贷款期限|贷款利率\n甲行|2|0.01\n本年借款||\n贷款银行名称|贷款起始日期|贷款截止日期\n乙行|3|4",
        merge=("A1:C1", "A4:C4"),
    )
    assert told(first) == (("借款银行", "贷款期限", "贷款利率"), [(3, "甲行", "2", "0.01")])
    assert told(second) == (("贷款银行名称", "贷款起始日期", "贷款截止日期"), [(6, "乙行", "3", "4")])


def test_a_section_of_an_unknown_table_is_no_table_of_its_own(tables):
    (table,) = tables("资产名称|原始价值|累计折旧额\n甲|5|6\n房屋部分||\n乙|3|4\n丙|7|8", merge=("A3:C3",))
    assert table.labels == ("资产名称", "原始价值", "累计折旧额")
