"""Digits a column does not keep: rounded half up and noted; noise of floats, exponents and underscores told apart."""

from __future__ import annotations

from decimal import Decimal

import duckdb
import pytest

from warehouse.casting import cast_of
from warehouse.contracts import Column
from warehouse.meanings import scaled
from warehouse.readers.cells import parse_cell

MONEY = Column("amount", "dec(18,2)", unit="CNY", default_unit="CNY")
WAN = Decimal(10_000)


def fast(text: str, factor: Decimal = Decimal(1), column: Column = MONEY) -> Decimal | None:
    con = duckdb.connect()
    row = con.execute(f"SELECT {cast_of(column, 0, factor)} FROM (SELECT $1::VARCHAR AS c0) r", [text]).fetchone()
    return row[0] if row else None


@pytest.mark.parametrize(
    ("text", "factor", "value"),
    [
        ("12", 1, "12.00"), ("-0.50", 1, "-0.50"), ("1.5000", 1, "1.50"), ("1,234.56", 1, "1234.56"),
        ("703973.0399999999", 1, "703973.04"), ("61.123456", 10_000, "611234.56"), ("0.000", 1, "0.00"),
    ],
)  # fmt: skip
def test_figures_the_column_keeps_are_cast_at_once(text: str, factor: int, value: str) -> None:
    assert fast(text, Decimal(factor)) == Decimal(value)


@pytest.mark.parametrize(
    ("text", "factor", "value"),
    [
        ("0.014", 1, "0.01"), ("0.015", 1, "0.02"), ("-0.015", 1, "-0.02"), ("1,234.567", 1, "1234.57"),
        ("0.0000014", 10_000, "0.01"), ("0.001", 1, "0.00"),
    ],
)  # fmt: skip
def test_lost_digits_leave_a_note(text: str, factor: int, value: str) -> None:
    assert fast(text, Decimal(factor)) is None
    cell = scaled(MONEY, parse_cell(MONEY, text, None), Decimal(factor))
    assert (Decimal(cell.value or "nan"), cell.note) == (Decimal(value), "rounded")


def test_noise_leaves_no_note() -> None:
    cell = scaled(MONEY, parse_cell(MONEY, "703973.0399999999", None), Decimal(1))
    assert (cell.value, cell.note) == ("703973.04", None)


@pytest.mark.parametrize("text", ["1_000", "1e3", "1E3", "1.5e2"])
def test_exponents_and_underscores_are_for_the_parser(text: str) -> None:
    assert fast(text) is None
    assert fast(text, WAN) is None
    assert fast(text, column=Column("count", "int")) is None
