"""One cell to one value: every spelling of the trap table, exact, and refused where it could mean two things."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warehouse.base.periods import month_no
from warehouse.readers.messages import codes
from warehouse.readers.month_values import parse_month, parse_months, parse_year
from warehouse.readers.values import (
    Bad,
    Months,
    Parsed,
    normalise,
    parse_bool,
    parse_date,
    parse_datetime,
    parse_decimal,
    parse_number,
    parse_text,
)

MARCH = month_no(2024, 3)


@pytest.mark.parametrize(
    "text", ["", " ", "　", "-", "--", "—", "——", "/", "无", "null", "NULL", "NA", "N/A", "n/a", "暂无", "－", None]
)
def test_a_blank_is_missing_and_never_zero(text):
    for parse in (parse_decimal, parse_date, parse_month, parse_bool, parse_text, parse_year):
        assert parse(text) == Parsed(None)


@pytest.mark.parametrize("text", ["#REF!", "#N/A", "#VALUE!", "#DIV/0!", "#NAME?", "#n/a", "####", "＃ＲＥＦ！"])
def test_a_failed_formula_is_a_fault_in_every_type(text):
    for parse in (parse_decimal, parse_date, parse_month, parse_bool, parse_text, parse_year):
        assert parse(text) == Bad("formula_error")


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("　　市　财政局 ", "市 财政局"),
        ("１２３ＡＢ", "123AB"),
        ("'00123", "00123"),
        ("4401\t", "4401"),
        ("\ufeff甲\u200b", "甲"),
    ],
)
def test_text_is_brought_to_one_form(text, plain):
    assert normalise(text) == plain


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1234.50", "1234.50"), ("1,234,567.8", "1234567.8"), ("１，２３４．５", "1234.5"), ("－12", "-12"), ("−12", "-12"),
        ("—12", "-12"), ("(1,234.50)", "-1234.50"), ("（３）", "-3"), ("12-", "-12"), ("+5", "5"), ("- 5", "-5"),
        ("¥1,200.00", "1200.00"), ("￥99", "99"), ("-¥7", "-7"), (".5", "0.5"), ("5.", "5"), ("1e-05", "0.00001"),
        ("1.5E+3", "1500"), ("12.5%", "0.125"), ("１２％", "0.12"), ("3‰", "0.003"), ("1.2万", "12000"),
        ("0.1", "0.1"), ("123456789012345678.12", "123456789012345678.12"), ("1 234 567.8", "1234567.8"), ("007", "7"),
    ],
)  # fmt: skip
def test_numbers_are_read_exactly(text, value):
    parsed = parse_decimal(text)
    assert isinstance(parsed, Parsed)
    assert parsed.value == Decimal(value)


@pytest.mark.parametrize(
    "text",
    [
        "约一万",
        "12,34",
        "1,23,456",
        "1.2.3",
        "1,234,5",
        "12:30",
        "5 1",
        "1/2",
        "2024-03",
        "十",
        "12个月左右",
        "--5",
        "5%%",
        "0x1F",
        "1e",
    ],
)
def test_what_is_no_number_is_refused(text):
    parsed = parse_decimal(text)
    assert isinstance(parsed, Bad)
    assert parsed.code == "not_a_number"


@pytest.mark.parametrize("text", ["4.4E+17", "1.10101199001011E+17", "1e15"])
def test_a_long_number_in_powers_of_ten_has_lost_digits(text):
    assert parse_decimal(text) == Bad("scientific_id")
    assert parse_text(text, is_key=True) == Bad("scientific_id")
    assert parse_text(text) == Parsed(text)


@pytest.mark.parametrize(
    ("text", "amount", "unit"),
    [
        ("123.4万元", "123.4", "万元"),
        ("56 kWh", "56", "kWh"),
        ("80㎡", "80", "m2"),
        ("-3 吨", "-3", "吨"),
        ("12（元）", "12", "(元)"),
    ],
)
def test_the_unit_behind_a_number_is_given_back(text, amount, unit):
    parsed = parse_number(text)
    assert isinstance(parsed, Parsed)
    assert parsed.value is not None
    assert (parsed.value.amount, parsed.value.unit) == (Decimal(amount), unit)
    assert parse_decimal(text) == Bad("unit_in_cell", unit)


def test_an_infinite_price_is_missing_and_noted():
    assert parse_decimal("inf") == parse_decimal("-Infinity") == Parsed(None, "infinite")


def test_a_withheld_figure_is_missing_and_noted():
    assert parse_decimal("***") == Parsed(None, "withheld")


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**14), max_value=10**14))
def test_a_number_written_with_or_without_commas_is_the_same_number(value):
    assert parse_decimal(f"{value:f}") == parse_decimal(f"{value:,f}") == Parsed(value)


@pytest.mark.parametrize(
    "text",
    ["2024-03-05", "2024/3/5", "2024.3.5", "20240305", "2024年3月5日", "2024年03月05号", "２０２４－０３－０５", "45356", "2024_3_5", "2024-03-05 00:00:00", "二〇二四年三月五日", "'2024-03-05"],
)  # fmt: skip
def test_a_day_in_its_spellings(text):
    parsed = parse_date(text)
    assert isinstance(parsed, Parsed)
    assert parsed.value == dt.date(2024, 3, 5)


@pytest.mark.parametrize(
    "text",
    ["2024-03-05 08:30:00", "2024-03-05T08:30", "2024/3/5 8:30", "20240305083000", "2024年3月5日 8时30分", "2024-03-05 上午8:30", "2024-03-05 08:30:00.000", "45356.3541666667", "2024-3-5 08:30:00 "],
)  # fmt: skip
def test_a_moment_in_its_spellings(text):
    parsed = parse_datetime(text)
    assert isinstance(parsed, Parsed)
    assert parsed.value == dt.datetime(2024, 3, 5, 8, 30)
    assert parse_date(text) == Parsed(dt.date(2024, 3, 5), "time_dropped")


def test_the_afternoon_is_twelve_hours_later():
    assert parse_datetime("2024-03-05 下午3:05") == Parsed(dt.datetime(2024, 3, 5, 15, 5))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("2024-03-00", "off_calendar"), ("2024-02-30", "off_calendar"), ("2024-13-01", "off_calendar"),
        ("2023-02-29", "off_calendar"), ("2024-04-31", "off_calendar"), ("0024-03-05", "off_calendar"),
        ("2024-03-05 25:00", "off_calendar"), ("05/03/2024", "ambiguous_date"), ("24-03-05", "ambiguous_date"),
        ("2024年3月", "day_missing"), ("2024-03", "day_missing"), ("昨天", "not_a_date"), ("123", "not_a_date"),
        ("99999", "not_a_date"), ("2024-03-05T08:30:00Z", "time_zone"), ("2024-03-05 08:30+08:00", "time_zone"),
    ],
)  # fmt: skip
def test_what_is_no_day_is_refused_by_its_kind(text, code):
    parsed = parse_datetime(text)
    assert isinstance(parsed, Bad)
    assert parsed.code == code


def test_a_day_off_the_calendar_names_the_last_one():
    assert parse_date("2024-02-30") == Bad("off_calendar", "2024-02-29")
    assert parse_date("2023-12-40") == Bad("off_calendar", "2023-12-31")


@pytest.mark.parametrize("text", ["长期", "至今", "9999-12-31", "无固定期限"])
def test_an_open_end_is_no_day(text):
    assert parse_date(text) == Parsed(None, "open_end")


@given(st.dates(min_value=dt.date(1955, 1, 1), max_value=dt.date(2118, 12, 31)))
def test_a_serial_day_is_the_day_a_spreadsheet_shows(day):
    serial = (day - dt.date(1899, 12, 30)).days
    assert parse_date(str(serial)) == Parsed(day, "serial_date")


@pytest.mark.parametrize(
    "text",
    ["2024年3月", "2024年03月份", "2024.3", "202403", "2024-03", "2024-3", "2024/03", "2024/3/1", "2024-03-15", "20240301", "45352", "２０２４年３月", "2024 年 3 月", "二〇二四年三月"],
)  # fmt: skip
def test_a_month_in_its_spellings(text):
    parsed = parse_month(text)
    assert isinstance(parsed, Parsed)
    assert parsed.value == Months(MARCH, MARCH + 1)


@pytest.mark.parametrize(
    ("text", "first", "months", "is_cumulative"),
    [
        ("2024年1-6月", 1, 6, True), ("1-6月", 1, 6, True), ("2024年1月-6月", 1, 6, True), ("2024年1—3月累计", 1, 3, True),
        ("截至2024年3月31日", 1, 3, True), ("截止2024年3月底", 1, 3, True), ("2024年4-6月", 4, 3, False),
        ("2024年第一季度", 1, 3, False), ("一季度", 1, 3, False), ("2024Q3", 7, 3, False), ("2024年4季度", 10, 3, False),
        ("上半年", 1, 6, False), ("2024年下半年", 7, 6, False), ("2024", 1, 12, False), ("2024年度", 1, 12, False),
        ("3月", 3, 1, False),
    ],
)  # fmt: skip
def test_longer_periods_and_those_without_a_year(text, first, months, is_cumulative):
    start = month_no(2024, first)
    assert parse_months(text, year=2024) == Parsed(Months(start, start + months, is_cumulative))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("1-6月", "year_missing"), ("3月", "year_missing"), ("2024年13月", "off_calendar"), ("2024-00", "off_calendar"),
        ("202413", "off_calendar"), ("2024年6-1月", "off_calendar"), ("2024-02-30", "off_calendar"), ("三月份报表", "not_a_month"),
        ("2024.1", "ambiguous_month"), ("2024年第一季度", "not_one_month"), ("2024", "not_one_month"),
    ],
)  # fmt: skip
def test_what_is_not_one_month_is_refused_by_its_kind(text, code):
    parsed = parse_month(text)
    assert isinstance(parsed, Bad)
    assert parsed.code == code


def test_october_typed_as_a_number_is_not_taken_for_january():
    assert parse_month("2024.1") == Bad("ambiguous_month", "2024")
    assert parse_month("2024.10") == Parsed(Months(month_no(2024, 10), month_no(2024, 11)))


@pytest.mark.parametrize("text", ["2024", "2024年", "2024年度", "２０２４", "2024.0"])
def test_a_year_in_its_spellings(text):
    assert parse_year(text) == Parsed(2024)


@pytest.mark.parametrize("text", ["24", "二十四", "2024-03", "1024"])
def test_what_is_no_year_is_refused(text):
    assert parse_year(text) == Bad("not_a_year")


@pytest.mark.parametrize(
    ("words", "value"), [("是 √ 1 Y y 有 已 TRUE 对 ✓ １", True), ("否 × 0 N no 未 FALSE 错 没有", False)]
)
def test_yes_and_no_in_their_spellings(words, value):
    assert [parse_bool(word) for word in words.split()] == [Parsed(value)] * len(words.split())


def test_a_third_answer_is_refused():
    assert parse_bool("可能") == Bad("not_yes_or_no")


@given(st.text(max_size=30))
def test_no_text_makes_a_parser_crash_and_every_refusal_has_a_sentence(text):
    for parse in (
        parse_decimal,
        parse_date,
        parse_datetime,
        parse_month,
        parse_bool,
        parse_text,
        parse_year,
    ):
        found = parse(text)
        assert isinstance(found, Parsed) or found.code in codes()
