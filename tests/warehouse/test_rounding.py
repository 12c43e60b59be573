"""Digits a column does not keep: rounded half up and noted; noise of floats, exponents and underscores told apart."""

from __future__ import annotations

from decimal import Decimal

import pyarrow as pa
import pytest

from warehouse.columns import ColumnReader
from warehouse.contracts import Column
from warehouse.meanings import ONE, Meanings, scaled
from warehouse.organisations import Directory
from warehouse.readers.cells import parse_cell

MONEY = Column("amount", "dec(18,2)", unit="CNY", default_unit="CNY")
WAN = Decimal(10_000)


def bulk(text: str, factor: Decimal = ONE, column: Column = MONEY) -> Decimal | int | None:
    """The value of a text as columns without repetition are converted; None when it is left to the parser."""
    convert = ColumnReader(column, None, factor, Meanings(Directory(()))).bulk
    assert convert is not None
    clean, values = convert(pa.chunked_array([[text]], pa.string()))
    value: Decimal | int | None = values[0].as_py()
    return value if clean[0] else None


@pytest.mark.parametrize(
    ("text", "factor", "value"),
    [
        ("12", 1, "12.00"), ("-0.50", 1, "-0.50"), ("1.5", 1, "1.50"),
        ("61.123456", 10_000, "611234.56"), ("1,234.56", 1, "1234.56"), ("-1,234,567", 10_000, "-12345670000.00"),
    ],
)  # fmt: skip
def test_figures_the_column_keeps_are_cast_at_once(text: str, factor: int, value: str) -> None:
    assert bulk(text, Decimal(factor)) == Decimal(value)


@pytest.mark.parametrize(
    ("text", "factor", "value"),
    [
        ("0.014", 1, "0.01"), ("0.015", 1, "0.02"), ("-0.015", 1, "-0.02"), ("1,234.567", 1, "1234.57"),
        ("0.0000014", 10_000, "0.01"), ("0.001", 1, "0.00"),
    ],
)  # fmt: skip
def test_lost_digits_leave_a_note(text: str, factor: int, value: str) -> None:
    assert bulk(text, Decimal(factor)) is None
    cell = scaled(MONEY, parse_cell(MONEY, text, None), Decimal(factor))
    assert (Decimal(cell.value or "nan"), cell.note) == (Decimal(value), "rounded")


@pytest.mark.parametrize(
    ("text", "value"),
    [("1.5000", "1.50"), ("1,234.5600", "1234.56"), (" 7 ", "7.00"), ("0.000", "0.00"), ("+3", "3.00"), ("1,23", None)],
)
def test_what_is_left_to_the_parser_has_its_value_too(text: str, value: str | None) -> None:
    assert bulk(text) is None
    cell = Meanings(Directory(())).of(MONEY, text, None, ONE)
    assert (cell.value and Decimal(cell.value)) == (value and Decimal(value))
    assert bool(cell.fault) == (value is None)


def test_noise_leaves_no_note() -> None:
    cell = scaled(MONEY, parse_cell(MONEY, "703973.0399999999", None), Decimal(1))
    assert (cell.value, cell.note) == ("703973.04", None)


@pytest.mark.parametrize("text", ["1_000", "1e3", "1E3", "1.5e2"])
def test_exponents_and_underscores_are_for_the_parser(text: str) -> None:
    assert bulk(text) is None
    assert bulk(text, WAN) is None
    assert bulk(text, column=Column("count", "int")) is None
