"""Forms written from the contracts: what they say, and that a filled one loads as it is."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import openpyxl
import pytest
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from tests.fakes.blank import lay_blank
from tests.warehouse.test_examples import CONTRACTS, NOW, ORG, stored
from warehouse.ingest import load
from warehouse.receipts import FileReport
from warehouse.store import Store
from warehouse.template import FIRST_DATE, LONGEST_LIST, fields_of, sheet_name, typed, write_template

MARK = "注：示例 "


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "store")
    lay_blank(store, lambda: NOW)
    (tmp_path / "org.csv").write_text(ORG, encoding="utf-8")
    load(store, [tmp_path / "org.csv"], source="org_unit", clock=lambda: NOW)
    return store


def form(tmp_path: Path, *names: str) -> tuple[Path, Workbook]:
    path = tmp_path / "form.xlsx"
    write_template(path, [CONTRACTS[name] for name in names])
    return path, openpyxl.load_workbook(path)


def fill(sheet: Worksheet) -> None:
    """Type the example line once more below itself, as a person does: numbers, dates and texts."""
    for cell in sheet[2]:
        text = cell.value
        sheet.cell(3, cell.column, text.removeprefix(MARK) if isinstance(text, str) else text)


def hand_in(store: Store, path: Path, source: str | None = None) -> FileReport:
    return load(store, [path], source=source, clock=lambda: NOW)[0]


@pytest.mark.parametrize("name", sorted(CONTRACTS))
def test_a_filled_form_loads_as_it_is_and_the_example_line_does_not(name: str, store: Store, tmp_path: Path) -> None:
    path, book = form(tmp_path, name)
    sheet = book[sheet_name(CONTRACTS[name])]
    fill(sheet)
    book.save(path)
    report = hand_in(store, path)
    assert (report.source, report.status) == (name, "committed"), report.message
    assert (report.counts["accepted"], report.counts["unchanged"], report.counts["quarantined"]) == (1, 0, 0)


def test_what_is_typed_into_a_form_is_stored_in_the_stored_units(store: Store, tmp_path: Path) -> None:
    """17.98 万元 are 179,800.00 yuan; a date cell of March is the month of March 2024."""
    path, book = form(tmp_path, "vehicle")
    sheet = book["车辆台账"]
    fill(sheet)
    sheet.cell(3, 1, dt.date(2024, 3, 1))
    book.save(path)
    assert hand_in(store, path).counts["accepted"] == 1
    (row,) = stored(store, "vehicle")
    assert (str(row["price"]), row["month"], row["bought_on"]) == ("179800.00", 2024 * 12 + 2, dt.date(2019, 6, 1))


def test_an_untouched_form_holds_nothing(store: Store, tmp_path: Path) -> None:
    path, _ = form(tmp_path, "vehicle")
    report = hand_in(store, path)
    assert (report.status, report.message["codes"]) == ("refused", ["no_rows"])


def test_of_many_forms_in_a_workbook_one_filled_sheet_loads(store: Store, tmp_path: Path) -> None:
    path, book = form(tmp_path, "vehicle", "reception", "staff")
    fill(book["公务接待台账"])
    book.save(path)
    report = hand_in(store, path)
    assert (report.source, report.counts["accepted"]) == ("reception", 1)


def test_a_sheet_says_units_requirement_choices_and_dates(tmp_path: Path) -> None:
    _, book = form(tmp_path, "vehicle", "energy_use")
    sheet = book["车辆台账"]
    headings = [cell.value for cell in sheet[1]]
    assert headings[:3] == ["*统计月份", "*号牌号码", "*单位名称"] and "购置价格(万元)" in headings
    assert "车辆状态" in headings  # blank means 在用, so it is not required
    rules = {str(rule.sqref): rule for rule in sheet.data_validations.dataValidation}
    fuel, bought = rules["I3:I1002"], rules["J3:J1002"]
    assert headings[8] == "燃料种类" and fuel.formula1 == '"汽油,柴油,纯电动,插电混动"'
    assert headings[9] == "购置日期" and (bought.type, bought.operator) == ("date", "greaterThanOrEqual")
    assert sheet.column_dimensions["J"].width >= 12 and sheet["J2"].number_format == "yyyy-mm-dd"
    assert sheet["A2"].value == MARK + "2024年3月" and sheet["K2"].value == 17.98
    assert [cell.value for cell in book["公共机构能源资源消费月报"][1]][:8] == [
        "*单位名称", "*统计期", "户号", "分摊", "计费开始日期", "计费截止日期", "采暖季", "充值",
    ]  # fmt: skip


def test_the_explanations_name_every_column_and_are_no_table(tmp_path: Path) -> None:
    _, book = form(tmp_path, "vehicle", "three_public")
    lines = [row[0] for row in book["填表说明"].iter_rows(values_only=True)]
    assert all(len(row) == 1 for row in book["填表说明"].iter_rows(values_only=True))
    assert sum(line.startswith("【") for line in lines) == 24 + 15
    plate = next(line for line in lines if line.startswith("【*号牌号码】"))
    assert "必填。主键" in plate and "Required. Key" in plate
    body = next(line for line in lines if line.startswith("【车辆类型】"))
    assert "可填：轿车、越野车、商务车、中型客车、大型客车、专用车。" in body and "GA 802-2019" in body
    assert any("本表按月份报送全量" in line for line in lines) and any("一个文件只填一张表" in line for line in lines)


@pytest.mark.parametrize("name", sorted(CONTRACTS))
def test_every_form_fits_a_spreadsheet(name: str) -> None:
    assert 1 <= len(sheet_name(CONTRACTS[name])) <= 31
    for field in fields_of(CONTRACTS[name]):
        assert len(",".join(field.choices)) <= LONGEST_LIST, field.heading


def test_sheets_of_all_sources_have_names_of_their_own() -> None:
    assert len({sheet_name(contract) for contract in CONTRACTS.values()}) == len(CONTRACTS)


def test_an_example_is_typed_as_its_column_wants_it() -> None:
    vehicle, energy = CONTRACTS["vehicle"], CONTRACTS["energy_use"]
    assert typed(vehicle.column("month"), "2024年12月") == dt.date(2024, 12, 1)
    assert typed(vehicle.column("bought_on"), "2019.6.1") == dt.date(2019, 6, 1) > FIRST_DATE
    assert typed(energy.column("cost"), "１０５０") == 1050.0
    assert typed(vehicle.column("displacement"), "—") is None
    assert typed(vehicle.column("vin"), "") is None
