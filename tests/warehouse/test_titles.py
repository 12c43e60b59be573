"""Sheets as offices send them, through the loader: titles that contradict, a sheet a month, what is hidden."""

from __future__ import annotations

import datetime as dt

import duckdb
import pytest
import xlsxwriter

from tests.fakes.office import NOW
from warehouse.ingest import load
from warehouse.mapping import match_label

HEAD = ("单位名称", "统计期", "电(千瓦时)", "电费(元)")
NO_PERIOD = ("单位名称", "电(千瓦时)", "电费(元)")


@pytest.fixture
def hand_in(office, tmp_path):
    """Hand in a workbook given as sheets of rows, each with a title, and give the report."""

    def give(sheets, *, hide=(), name="能耗.xlsx"):
        path = tmp_path / name
        with xlsxwriter.Workbook(path) as workbook:
            for called, rows in sheets.items():
                sheet = workbook.add_worksheet(called)
                for number, row in enumerate(rows):
                    sheet.write_row(number, 0, row)
                for row in hide:
                    sheet.set_row(row - 1, None, None, {"hidden": True})
        office.minute += 1
        clock = lambda: NOW + dt.timedelta(minutes=office.minute)  # noqa: E731
        (report,) = load(office.store, [path], clock=clock)
        return report

    return give


def test_last_years_title_over_this_years_rows_is_asked_about(hand_in):
    report = hand_in({"表1": [["2023年公共机构能耗表"], HEAD, ["市财政局", "2024-03", 1000, 700]]})
    assert (report.status, report.message["codes"]) == ("refused", ["period_conflict"])
    assert "2023年" in report.message["zh"]
    assert "2024-03" in report.message["zh"]


def test_a_title_that_covers_its_rows_is_believed(hand_in):
    report = hand_in({"表1": [["2024年1-6月能耗表"], HEAD, ["市财政局", "2024-03", 1000, 700]]})
    assert (report.status, report.counts["accepted"]) == ("committed", 1)


def test_a_title_and_the_name_of_its_sheet_must_not_contradict(hand_in):
    report = hand_in({"3月": [["2024年2月能耗表"], NO_PERIOD, ["市财政局", 1000, 700]]})
    assert (report.status, report.message["codes"]) == ("refused", ["month_conflict"])


def test_one_sheet_a_month_takes_its_month_from_the_sheet_and_its_year_from_the_title(hand_in, office):
    sheets = {
        f"{month}月": [["2024年能耗表"], NO_PERIOD, ["市财政局", month * 1000, month * 700]] for month in (1, 2, 11)
    }
    report = hand_in(sheets)
    assert (report.status, report.counts["accepted"]) == ("committed", 3)
    (segment,) = office.store.control.segments("energy_use")
    assert (segment.from_m, segment.to_m) == (2024 * 12, 2024 * 12 + 11)


def test_the_same_row_on_two_sheets_names_the_other_sheet(hand_in):
    rows = [HEAD, ["市财政局", "2024-03", 1000, 700]]
    report = hand_in({"上报": rows, "复核": [HEAD, ["市教育局", "2024-03", 5, 3], ["市财政局", "2024-03", 1000, 800]]})
    assert report.counts["quarantined"] == 2
    told = [fault["zh"] for fault in report.message["faults"]]
    assert any("“复核”第 3 行" in text and "上报!2" in text for text in told)


def test_hidden_rows_are_taken_and_the_report_says_so(hand_in):
    report = hand_in({"表1": [HEAD, ["市财政局", "2024-03", 1000, 700], ["市教育局", "2024-03", 5, 3]]}, hide=[3])
    assert report.counts["accepted"] == 2
    assert "有 1 行数据被隐藏" in report.message["zh"]
    assert "Rows: 3" in report.message["en"]


def test_two_blocks_of_one_sheet_each_have_their_own_unit(hand_in, office):
    """The left block counts in 万元 and the right one in 元; both say 0.07 万元 = 700 元."""
    report = hand_in(
        {
            "表1": [
                ["单位：万元", "", "", "", "", "单位：元"],
                ["单位名称", "统计期", "电(千瓦时)", "电费", "", "单位名称", "统计期", "电(千瓦时)", "电费"],
                ["市财政局", "2024-03", 1000, 0.07, "", "市教育局", "2024-03", 1000, 700],
            ]
        }
    )
    assert (report.status, report.counts["accepted"], report.counts["quarantined"]) == ("committed", 2, 0)
    path = office.store.segments / office.store.control.segments("energy_use")[0].path
    assert duckdb.sql(f"SELECT DISTINCT cost FROM read_parquet('{path}')").fetchall() == [(700,)]


def test_months_as_columns_of_nobody_knows_what_are_refused_with_what_to_write(hand_in):
    months = [f"{month}月" for month in range(1, 13)]
    report = hand_in({"表1": [["2024年情况"], ["单位名称", *months, "合计"], ["市财政局", *range(100, 112), 1266]]})
    assert (report.status, report.message["codes"]) == ("refused", ["months_across"])
    assert "1月、2月" in report.message["zh"]


def test_a_longer_name_is_never_taken_for_the_shorter_one_in_it(office):
    known = office.store.contracts["three_public"].labels
    names = {
        label: match_label(label, known) for label in ("公务用车购置及运行维护费", "公务用车购置费", "公务用车购置数")
    }
    assert names == {
        "公务用车购置及运行维护费": "vehicle_total",
        "公务用车购置费": "vehicle_purchase",
        "公务用车购置数": "vehicles_bought",
    }
    assert match_label("公务用车购置及运行维护费(本级)", known) == "vehicle_total"
    assert match_label("公务用车购置计划", known) is None
