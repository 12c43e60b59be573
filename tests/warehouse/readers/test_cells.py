"""Cells under a contract's column: units in cells and headers meet once, cumulative periods only where allowed."""

from __future__ import annotations

from decimal import Decimal

import pytest

from warehouse.base.periods import month_no
from warehouse.contracts import Column
from warehouse.readers.cells import factor_of, month_in, note_fits, parse_cell

MONEY = Column("amount", "dec(18,2)", unit="CNY", default_unit="CNY")
PRICE = Column("price", "dec(12,2)", unit="CNY", default_unit="万元")
PLAIN = Column("score", "dec(6,2)")
MARCH = str(month_no(2024, 3))


def test_the_unit_of_the_file_decides_the_factor():
    assert [factor_of(MONEY, unit) for unit in (None, "元", "万元")] == [1, 1, 10000]
    assert factor_of(PRICE, None) == 10000
    assert factor_of(MONEY, "千瓦时") is None
    assert factor_of(PLAIN, "辆") == 1


@pytest.mark.parametrize(
    ("column", "header", "text", "yuan"),
    [
        (MONEY, None, "12万元", "120000"),
        (MONEY, "万元", "12万元", "120000"),
        (MONEY, "万元", "120000元", "120000"),
        (PRICE, None, "17.98万元", "179800"),
    ],
)
def test_a_unit_in_the_cell_counts_once(column, header, text, yuan):
    """The loader multiplies what comes back by the factor of the column."""
    cell = parse_cell(column, text, header)
    factor = factor_of(column, header)
    assert cell.fault is None and cell.value is not None and factor is not None
    assert Decimal(cell.value) * factor == Decimal(yuan)


def test_a_unit_of_another_kind_in_the_cell_is_a_fault():
    assert parse_cell(MONEY, "12吨", None).fault == "unit_in_cell"


def test_a_share_in_a_column_without_unit_is_a_hundredth():
    assert parse_cell(PLAIN, "95%", None).value == "0.95"


def test_values_come_back_as_text_the_database_casts():
    assert parse_cell(Column("d", "date"), "2024年3月5日", None).value == "2024-03-05"
    assert parse_cell(Column("d", "datetime"), "2024/3/5 8:30", None).value == "2024-03-05 08:30:00"
    assert parse_cell(Column("m", "month"), "2024年3月", None).value == MARCH
    assert parse_cell(Column("y", "year"), "2024年度", None).value == "2024"
    assert parse_cell(Column("b", "bool"), "√", None).value == "true"
    assert parse_cell(Column("t", "text"), "　甲　", None).value == "甲"
    assert parse_cell(MONEY, "（１，２００）", None).value == "-1200"


def test_a_lost_key_is_refused():
    assert parse_cell(Column("no", "text", is_key=True), "4.4E+17", None).fault == "scientific_id"


def test_january_to_a_month_is_only_taken_where_figures_are_cumulative():
    assert parse_cell(Column("m", "month"), "2024年1-3月", None).fault == "cumulative_period"
    assert parse_cell(Column("m", "month", cumulative=True), "2024年1-3月", None).value == MARCH


def test_an_infinite_price_is_noted_by_its_name():
    assert parse_cell(Column("unit_price", "dec(24,12)"), "inf", None).note == "infinite_price"


@pytest.mark.parametrize(
    ("text", "month"),
    [("2024年3月", MARCH), ("202403", MARCH), ("2024年1-3月", MARCH), ("截至2024年3月31日", MARCH), ("2024年", None), ("2024年第一季度", None), (None, None), ("无期", None)],
)  # fmt: skip
def test_the_month_a_title_speaks_of(text, month):
    assert month_in(text) == month


def test_a_note_over_the_table_fits_columns_of_its_kind():
    assert note_fits(MONEY, "万元")
    assert not note_fits(MONEY, "千瓦时") and not note_fits(PLAIN, "万元") and not note_fits(MONEY, None)
