"""Workbooks: sheets, merged cells, dates, long numbers, failed formulas."""

from __future__ import annotations

import datetime as dt
import zipfile

import openpyxl
import pytest
import xlsxwriter
import xlwt

from warehouse.readers.grid import cell_text
from warehouse.readers.marks import NEVER_COMPUTED
from warehouse.readers.tables import read_tables

KNOWN = frozenset(["统计期", "单位名称", "单位代码", "金额", "电/数量", "电/金额", "支付日期"])


@pytest.fixture
def book(tmp_path):
    """Build an xlsx with a function that fills it, and give its path."""

    def build(fill, name="book.xlsx"):
        path = tmp_path / name
        with xlsxwriter.Workbook(path) as workbook:
            fill(workbook)
        return path

    return build


def test_title_unit_and_merged_header_rows_are_understood(book, read):
    """
    1 市本级能耗月报（2024年3月）          (merged over all)
    2 单位：万元                            (merged)
    3 统计期 | 单位名称 | 电 (merged over 2)
    4 (merged down, twice) | 数量(千瓦时) | 金额(元)
    """

    def fill(workbook):
        sheet = workbook.add_worksheet("3月")
        sheet.merge_range("A1:D1", "市本级能耗月报（2024年3月）")
        sheet.merge_range("A2:D2", "单位：万元")
        sheet.merge_range("A3:A4", "统计期")
        sheet.merge_range("B3:B4", "单位\n名称")
        sheet.merge_range("C3:D3", "电")
        sheet.write_row("C4", ["数量(千瓦时)", "金额（元）"])
        sheet.write_row("A5", ["2024年3月", "市财政局", 12, 8.4])
        sheet.write_row("A6", ["合计", "", 12, 8.4])
        sheet.merge_range("A7:D7", "注：数据来自表计")

    reading = read(book(fill))
    table = reading.table
    assert table.labels == ("统计期", "单位名称", "电/数量", "电/金额")
    assert table.units == (None, None, "千瓦时", "元")
    assert (table.sheet, table.header_row, table.unit_note, table.period_note) == ("3月", 4, "万元", "2024年3月")
    assert reading.rows == [(5, "2024年3月", "市财政局", "12", "8.4")]
    assert reading.skipped == {"title": 1, "unit": 1, "header": 2, "total": 1, "note": 1}


def test_a_table_that_starts_below_and_right_of_the_corner_keeps_its_row_numbers(book, read):
    def fill(workbook):
        sheet = workbook.add_worksheet()
        sheet.write_row("C4", ["单位名称", "金额(元)"])
        sheet.write_row("C5", ["甲", 3])

    reading = read(book(fill))
    assert reading.rows == [(5, None, None, "甲", "3")]
    assert reading.table.labels == ("", "", "单位名称", "金额")
    assert reading.skipped == {"blank": 3, "header": 1}


def test_dates_numbers_and_yes_or_no_come_as_people_see_them(book, read):
    def fill(workbook):
        day = workbook.add_format({"num_format": "yyyy-mm-dd"})
        moment = workbook.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        sheet = workbook.add_worksheet()
        sheet.write_row("A1", ["单位名称", "支付日期", "统计期", "金额", "单位代码"])
        sheet.write("A2", "甲")
        sheet.write_datetime("B2", dt.datetime(2024, 3, 5), day)
        sheet.write_datetime("C2", dt.datetime(2024, 3, 5, 8, 30), moment)
        sheet.write("D2", 1234.5)
        sheet.write("E2", 440101)

    assert read(book(fill)).rows == [(2, "甲", "2024-03-05", "2024-03-05 08:30:00", "1234.5", "440101")]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (45352.0, "45352"), (0.1, "0.1"), (-3.0, "-3"), (4.4e17, "4.4E+17"), (999999999999999.0, "999999999999999"),
        (110101199001011234.0, "1.10101199001011E+17"), (True, "TRUE"), ("", None), (dt.time(8, 30), "08:30:00"),
    ],
)  # fmt: skip
def test_a_cell_becomes_text_without_pretending_precision(value, text):
    assert cell_text(value) == text


def test_every_sheet_with_a_table_is_read_and_a_cover_is_not(book):
    def fill(workbook):
        workbook.add_worksheet("说明").write("A1", "本表由各单位填报")
        for name in ("1月", "2月"):
            sheet = workbook.add_worksheet(name)
            sheet.write_row("A1", ["单位名称", "金额(元)"])
            sheet.write_row("A2", ["甲", 1])
        other = workbook.add_worksheet("字典")
        other.write_row("A1", ["代号", "含义"])
        other.write_row("A2", ["A", "甲类"])

    tables = read_tables(book(fill), KNOWN.__contains__)
    assert [table.sheet for table in tables] == ["1月", "2月"]


def test_a_hidden_sheet_is_read_and_said_to_be_hidden(book):
    def fill(workbook):
        workbook.add_worksheet("空")
        sheet = workbook.add_worksheet("藏")
        sheet.write_row("A1", ["单位名称", "金额"])
        sheet.write_row("A2", ["甲", 1])
        sheet.hide()

    (table,) = read_tables(book(fill), KNOWN.__contains__)
    assert [(remark.code, remark.sheet) for remark in table.remarks] == [("hidden_sheet", "藏")]


def test_failed_formulas_are_shown_and_not_taken_for_blank(book, read):
    def fill(workbook):
        sheet = workbook.add_worksheet()
        sheet.write_row("A1", ["单位名称", "金额"])
        for row, error in enumerate(["#DIV/0!", "#REF!", "#N/A", "#VALUE!"], 2):
            sheet.write(f"A{row}", f"单位{row}")
            sheet.write_formula(f"B{row}", "=1/0", None, error)

    assert [row[2] for row in read(book(fill)).rows] == ["#DIV/0!", "#REF!", "#N/A", "#VALUE!"]


def test_a_formula_nobody_ever_computed_is_not_taken_for_blank(tmp_path, read):
    workbook = openpyxl.Workbook()
    for row in (["单位名称", "金额"], ["甲", "=1+1"], ["乙", 5]):
        workbook.active.append(row)
    workbook.save(tmp_path / "o.xlsx")
    assert read(tmp_path / "o.xlsx").rows == [(2, "甲", NEVER_COMPUTED), (3, "乙", "5")]


def test_an_old_workbook_is_read_with_its_errors_and_merges(tmp_path, read):
    workbook = xlwt.Workbook()
    sheet = workbook.add_sheet("旧表")
    sheet.write_merge(0, 0, 0, 2, "2024年3月支付表")
    for column, label in enumerate(["单位名称", "支付日期", "金额(万元)"]):
        sheet.write(1, column, label)
    sheet.write(2, 0, "甲")
    sheet.write(2, 1, dt.date(2024, 3, 5), xlwt.easyxf(num_format_str="yyyy-mm-dd"))
    sheet.write(2, 2, 1.25)
    sheet.write(3, 0, "乙")
    sheet.row(3).set_cell_error(2, "#REF!")
    workbook.save(str(tmp_path / "old.xls"))
    reading = read(tmp_path / "old.xls")
    assert reading.table.units == (None, None, "万元")
    assert reading.rows == [(3, "甲", "2024-03-05", "1.25"), (4, "乙", None, "#REF!")]


def test_an_open_document_sheet_is_read(tmp_path, read):
    cell = '<table:table-cell office:value-type="{}" {}><text:p>{}</text:p></table:table-cell>'
    rows = [
        cell.format("string", "", "单位名称") + cell.format("string", "", "金额(元)"),
        cell.format("string", "", "甲") + cell.format("float", 'office:value="12.5"', "12.5"),
        cell.format("string", "", "乙")
        + cell.format("string", 'office:string-value="" calcext:value-type="error"', "#DIV/0!"),
    ]
    write_ods(tmp_path / "t.ods", "".join(f"<table:table-row>{row}</table:table-row>" for row in rows))
    assert read(tmp_path / "t.ods").rows == [(2, "甲", "12.5"), (3, "乙", "#DIV/0!")]


def write_ods(path, rows):
    spaces = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text")
    )
    calc = 'xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"'
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {spaces} {calc}><office:body>'
        f'<office:spreadsheet><table:table table:name="表">{rows}</table:table></office:spreadsheet>'
        "</office:body></office:document-content>"
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", content)
        archive.writestr("META-INF/manifest.xml", "<manifest/>")


def test_a_workbook_named_csv_is_read_as_what_it_is(book, read):
    def fill(workbook):
        sheet = workbook.add_worksheet()
        sheet.write_row("A1", ["单位名称", "金额"])
        sheet.write_row("A2", ["甲", 1])

    assert read(book(fill, "really.csv")).rows == [(2, "甲", "1")]


def test_columns_without_a_name_keep_their_cells(book):
    def fill(workbook):
        sheet = workbook.add_worksheet()
        sheet.write_row("A1", ["单位名称", "金额"])
        sheet.write_row("A2", ["甲", 1, "旁注"])

    (table,) = read_tables(book(fill), KNOWN.__contains__)
    assert table.labels == ("单位名称", "金额", "")
    assert list(table.texts()) == [(2, ["甲", "1", "旁注"])]


def test_a_merged_row_of_notes_between_title_and_grouped_header_is_no_group(book, read):
    """
    1 title (merged over all)
    2 填报单位：… (A:D merged) | 单位：万元 (E:G merged)
    3 统计期 | 单位名称 | 电 (merged over 2) | 水 (merged over 2) | 备注
    4 (merged down, twice) | 数量 | 费用 | 数量 | 费用 | (merged down)
    """

    def fill(workbook):
        sheet = workbook.add_worksheet("3月")
        sheet.merge_range("A1:G1", "2025年3月水电费统计表")
        sheet.merge_range("A2:D2", "填报单位：模拟市机关事务管理局")
        sheet.merge_range("E2:G2", "单位：万元")
        for column, label in (("A", "统计期"), ("B", "单位名称"), ("G", "备注")):
            sheet.merge_range(f"{column}3:{column}4", label)
        sheet.merge_range("C3:D3", "电")
        sheet.merge_range("E3:F3", "水")
        sheet.write_row("C4", ["数量", "费用", "数量", "费用"])
        sheet.write_row("A5", ["2025-03", "市财政局", 12, 8.4, 3, 0.5, "略"])

    reading = read(book(fill))
    table = reading.table
    assert table.labels == ("统计期", "单位名称", "电/数量", "电/费用", "水/数量", "水/费用", "备注")
    assert (set(table.units), table.unit_note, table.header_row) == ({None}, "万元", 4)
    assert reading.skipped == {"title": 2, "header": 2}
    assert reading.rows == [(5, "2025-03", "市财政局", "12", "8.4", "3", "0.5", "略")]
