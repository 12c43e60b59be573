"""Months as columns through the loader: what the period is, what the figures are, and what is asked instead of guessed."""

from __future__ import annotations

from decimal import Decimal

import duckdb
import pytest
import xlsxwriter

from tests.fakes.clerk import Clerk
from tests.fakes.office import NOW
from warehouse.ingest import load
from warehouse.preview import preview
from warehouse.readers.across import read_head, running_months

MARCH_2024 = 2024 * 12 + 2


@pytest.fixture
def taken(office):
    """The rows of a dataset in the order of their keys, from the segments themselves."""

    def read(dataset, *columns):
        files = [str(office.store.segments / one.path) for one in office.store.control.segments(dataset)]
        return duckdb.sql(f"SELECT {', '.join(columns)} FROM read_parquet({files}) ORDER BY ALL").fetchall()

    return read


def codes(report):
    return report.message["codes"]


@pytest.mark.parametrize(
    ("label", "kind", "first", "last", "year", "rest"),
    [
        ("1月", "month", 1, 1, None, ""),
        ("十二月份", "month", 12, 12, None, ""),
        ("2024-01", "month", 1, 1, 2024, ""),
        ("202411", "month", 11, 11, 2024, ""),
        ("2024年/3月", "month", 3, 3, 2024, ""),
        ("本年/3月", "month", 3, 3, None, ""),
        ("3月/用电量", "month", 3, 3, None, "用电量"),
        ("3月用电量", "month", 3, 3, None, "用电量"),
        ("第二季度", "span", 4, 6, None, ""),
        ("2024Q4", "span", 10, 12, 2024, ""),
        ("1-3月累计", "span", 1, 3, None, ""),
        ("下半年", "span", 7, 12, None, ""),
        ("2024年度", "year", 1, 12, 2024, ""),
        ("Sept", None, 0, 0, None, ""),
        ("Sep", "month", 9, 9, None, ""),
        ("Separate", None, 0, 0, None, ""),
        ("单位名称", None, 0, 0, None, ""),
        ("月份", None, 0, 0, None, ""),
        ("12", None, 0, 0, None, ""),
    ],
)
def test_a_heading_is_read_as_the_period_it_names(label, kind, first, last, year, rest):
    head = read_head(label)
    if kind is None:
        assert head is None
    else:
        assert (head.kind, head.first, head.last, head.year, head.rest) == (kind, first, last, year, rest)


def test_last_years_column_is_known_as_such():
    assert read_head("上年同期/3月").is_last_year
    assert read_head("去年3月").is_last_year
    assert not read_head("本年/3月").is_last_year


def test_months_that_follow_each_other_head_columns_and_others_do_not():
    assert running_months(["单位", "2024-11", "2024-12", "2025-01", "合计"]) == {1, 2, 3}
    assert running_months(["单位", "1月", "2月", "3月", "1月", "2月", "3月"]) == {1, 2, 3, 4, 5, 6}
    assert running_months(["甲", "2024-01", "2024-07", "2025-02"]) == frozenset()
    assert running_months(["甲", "2024-01", "2024-02"]) == frozenset()
    assert running_months(["甲", "1月", "2月"]) == {1, 2}
    assert running_months(["甲", "1月", "3月"]) == frozenset()


def test_a_blank_month_makes_no_row_and_a_zero_makes_one(office, taken):
    """Bureau A: 100, nothing, 0; its 合计 says 100. Bureau B: 5, 6, 7, and its 合计 of 19 is one too many."""
    report = office.hand_in(
        "用电.csv",
        "2024年各单位用电量（千瓦时）\n单位名称,1月,2月,3月,合计\n市财政局,100,,0,100\n市教育局,5,6,7,19\n合计,105,6,7,118\n",
    )
    assert (report.status, report.source) == ("committed", "energy_use")
    assert (report.counts["accepted"], report.counts["delta_rows"]) == (2, 5)
    assert taken("energy_use", "unit", "month", "carrier", "quantity") == [
        ("A", MARCH_2024 - 2, "electricity", Decimal(100)),
        ("A", MARCH_2024, "electricity", Decimal(0)),
        ("B", MARCH_2024 - 2, "electricity", Decimal(5)),
        ("B", MARCH_2024 - 1, "electricity", Decimal(6)),
        ("B", MARCH_2024, "electricity", Decimal(7)),
    ]
    (gap,) = report.message["totals"]
    assert gap["zh"].startswith("《用电.csv》第 4 行“合计”列的合计为 19，读到的各行相加为 18")


def test_the_same_table_again_changes_nothing(office):
    text = "2024年用电量（千瓦时）\n单位名称,2024-01,2024-02,2024-03\n市财政局,1,2,3\n"
    assert office.hand_in("一.csv", text).counts["accepted"] == 1
    again = office.hand_in("二.csv", text.replace("2024-01,2024-02,2024-03", "一月,二月,三月"))
    assert (again.status, again.counts["unchanged"]) == ("unchanged", 1)


def test_a_unit_and_an_item_a_line_take_the_item_from_its_column(office, taken):
    office.hand_in(
        "能源.csv", "2024年各单位能源消费量\n单位名称,能源品种,1月,2月,3月\n市财政局,电,10,,30\n市财政局,水,4,5,6\n"
    )
    assert taken("energy_use", "carrier", "month", "quantity") == [
        ("electricity", MARCH_2024 - 2, 10),
        ("electricity", MARCH_2024, 30),
        ("water", MARCH_2024 - 2, 4),
        ("water", MARCH_2024 - 1, 5),
        ("water", MARCH_2024, 6),
    ]


def test_the_year_may_stand_in_a_column_and_a_line_without_one_is_set_aside(office, taken):
    report = office.hand_in(
        "电费.csv",
        "各单位电费（元）\n年度,单位名称,一月,二月,三月,一季度\n2023,市财政局,10,20,30,60\n,市教育局,1,2,3,6\n",
    )
    assert (report.counts["accepted"], report.counts["quarantined"]) == (1, 1)
    assert [fault["zh"] for fault in report.message["faults"]] == [
        "《电费.csv》第 4 行“年度”列不能为空。请补填后再导入。"
    ]
    assert taken("energy_use", "unit", "month", "cost") == [
        ("A", 2023 * 12, 10), ("A", 2023 * 12 + 1, 20), ("A", 2023 * 12 + 2, 30),
    ]  # fmt: skip


def test_two_measures_a_month_stand_in_one_row(office, taken):
    report = office.hand_in(
        "电.csv", "2024年能源\n单位名称,1月,,2月,\n,用电量,电费,用电量,电费\n市财政局,1000,700,2000,1400\n"
    )
    assert report.counts["accepted"] == 1
    assert taken("energy_use", "month", "quantity", "cost") == [(2024 * 12, 1000, 700), (2024 * 12 + 1, 2000, 1400)]


def test_last_years_columns_are_left_out_and_a_written_year_is_believed(office, taken):
    report = office.hand_in(
        "比.csv", "2024年用电量（千瓦时）\n单位名称,本年,,,上年同期,,\n,1月,2月,3月,1月,2月,3月\n市财政局,1,2,3,7,8,9\n"
    )
    assert report.status == "committed"
    assert report.message["ignored_columns"] == ["上年同期/1月", "上年同期/2月", "上年同期/3月"]
    assert taken("energy_use", "month", "quantity") == [(2024 * 12, 1), (2024 * 12 + 1, 2), (2024 * 12 + 2, 3)]


def test_both_written_years_are_taken(office, taken):
    office.hand_in(
        "两年.csv", "用电量（千瓦时）\n单位名称,2023年,,,2024年,,\n,1月,2月,3月,1月,2月,3月\n市财政局,1,2,3,7,8,9\n"
    )
    assert taken("energy_use", "month", "quantity") == [
        *((2023 * 12 + at, at + 1) for at in range(3)),
        *((2024 * 12 + at, at + 7) for at in range(3)),
    ]


def test_a_bad_cell_names_its_heading_and_the_line_is_set_aside(office):
    report = office.hand_in(
        "用电.csv", "2024年用电量（千瓦时）\n单位名称,1月,2月,3月\n市财政局,1,约二,3\n市教育局,1,2,-3\n"
    )
    assert (report.counts["accepted"], report.counts["quarantined"]) == (0, 2)
    told = [fault["zh"] for fault in report.message["faults"]]
    assert told[0].startswith("《用电.csv》第 3 行“2月”列应为数字，现为“约二”")
    assert told[1].startswith("《用电.csv》第 4 行“3月”列")


def test_the_unit_of_a_title_or_a_note_counts_for_every_month(office, taken):
    office.hand_in("万.csv", "2024年用电量\n单位：万千瓦时\n单位名称,1月,2月,3月\n市财政局,1,2,0.5\n")
    assert [row[0] for row in taken("energy_use", "quantity")] == [5000, 10000, 20000]


@pytest.mark.parametrize(
    ("text", "source", "code", "says"),
    [
        ("各单位用电量（千瓦时）\n单位名称,1月,2月,3月\n市财政局,1,2,3\n", None, "months_without_year", "年份"),
        ("2024年各单位情况\n单位名称,1月,2月,3月\n市财政局,1,2,3\n", None, "months_across", "1月、2月、3月"),
        ("2024年各单位情况\n单位名称,1月,2月,3月\n市财政局,1,2,3\n", "energy_use", "measure_unclear", "表名"),
        ("2024年用电量及电费\n单位名称,1月,2月,3月\n市财政局,1,2,3\n", "energy_use", "measure_unclear", "电费"),
        ("2024年用电量\n单位名称,第一季度,第二季度\n市财政局,1,2\n", "energy_use", "periods_too_long", "第一季度、第二季度"),
        ("2024年用电量\n单位名称,1月,2月,2月\n市财政局,1,2,3\n", None, "duplicate_column", "2月"),
        ("2024年用电量（立方米）\n单位名称,1月,2月,3月\n市财政局,1,2,3\n", None, "unknown_unit", "立方米"),
    ],
)  # fmt: skip
def test_what_is_not_said_is_asked(office, text, source, code, says):
    report = office.hand_in("表.csv", text, source=source)
    assert (report.status, codes(report)) == ("refused", [code])
    assert says in report.message["zh"]


def test_a_workbook_with_merged_years_and_a_sheet_an_item_is_read_as_well(office, taken, tmp_path):
    """Two sheets, 用电量 and 用水量, each 2024 merged over its months: 2 and 3 kWh, 5 and 7 m³."""
    path = tmp_path / "年报.xlsx"
    with xlsxwriter.Workbook(path) as book:
        for name, figures in (("用电量", (2, 3)), ("用水量", (5, 7))):
            sheet = book.add_worksheet(name)
            sheet.merge_range(0, 0, 1, 0, "单位名称")
            sheet.merge_range(0, 1, 0, 2, "2024年")
            sheet.write_row(1, 1, ["1月", "2月"])
            sheet.write_row(2, 0, ["市财政局", *figures])
    (report,) = load(office.store, [path], clock=lambda: NOW)
    assert report.status == "committed", report.message
    assert taken("energy_use", "carrier", "quantity") == [
        ("electricity", 2), ("electricity", 3), ("water", 5), ("water", 7),
    ]  # fmt: skip


def test_two_tables_below_each_other_each_have_their_own_title(office, taken, tmp_path):
    path = tmp_path / "上下.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("表1")
        for at, (item, first) in enumerate((("用电量（千瓦时）", 1), ("用水量（吨）", 11))):
            sheet.write(at * 5, 0, f"2024年{item}")
            sheet.write_row(at * 5 + 1, 0, ["单位名称", "1月", "2月", "3月"])
            sheet.write_row(at * 5 + 2, 0, ["市财政局", first, first + 1, first + 2])
    (report,) = load(office.store, [path], clock=lambda: NOW)
    assert report.status == "committed", report.message
    assert [row for row in taken("energy_use", "carrier", "quantity") if row[0] == "water"] == [
        ("water", 11), ("water", 12), ("water", 13),
    ]  # fmt: skip


def test_a_preview_shows_each_months_column_for_what_it_is(office, tmp_path):
    path = tmp_path / "用电.csv"
    path.write_text("2024年用电量（千瓦时）\n单位名称,1月,2月,3月,合计\n市财政局,100,,300,400\n", encoding="utf-8")
    seen = preview(office.store, path, clock=lambda: NOW)
    assert (seen.status, seen.source, seen.period_from, seen.period_to) == ("ready", "energy_use", "2024-01", "2024-03")
    (sheet,) = seen.sheets
    assert [(one.label, one.column, one.unit) for one in sheet.columns] == [
        ("单位名称", "unit", None),
        ("1月", "electricity.quantity", "千瓦时"),
        ("2月", "electricity.quantity", "千瓦时"),
        ("3月", "electricity.quantity", "千瓦时"),
        ("合计", None, None),
    ]
    assert len(sheet.rows) == 2


def test_tables_below_each_other_in_a_csv_are_split_like_those_of_a_sheet(office, taken):
    report = office.hand_in(
        "上下.csv",
        "2024年用电量（千瓦时）\n单位名称,1月,2月,3月\n市财政局,1,2,3\n合计,1,2,3\n制表人 李四\n\n"
        "2024年用水量（吨）\n单位名称,1月,2月\n市财政局,11,12\n",
    )
    assert report.status == "committed", report.message
    assert taken("energy_use", "carrier", "quantity") == [
        ("electricity", 1), ("electricity", 2), ("electricity", 3), ("water", 11), ("water", 12),
    ]  # fmt: skip
    assert (report.counts["rows_in"], report.counts["skipped"]) == (9, 7)


def test_a_blank_line_within_one_table_splits_nothing(office):
    report = office.hand_in(
        "一.csv", "单位名称,统计期,电(千瓦时),电费(元)\n市财政局,2024-01,1000,700\n\n市教育局,2024-01,10,7\n"
    )
    assert report.counts["accepted"] == 2


def test_a_bad_month_is_corrected_beside_its_own_heading_and_the_whole_line_comes_in(office, taken):
    office.hand_in("用电.csv", "2024年用电量（千瓦时）\n单位名称,1月,2月,3月\n市财政局,1,约二,3\n")
    clerk = Clerk(office)
    (sheet,) = clerk.written.sheets
    (head,) = [head for head in clerk.heads(sheet) if head and head.startswith("【更正】2月")]
    done = clerk.put(sheet, 2, head, "2").hand_back()
    assert (done.counts["mended"], done.counts["still_wrong"]) == (1, 0)
    assert [row[0] for row in taken("energy_use", "quantity")] == [1, 2, 3]
    assert office.store.control.quarantine() == []
