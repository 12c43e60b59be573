"""Both languages say everything, and numbers read as people write them."""

from __future__ import annotations

import ast
import re
import string
from decimal import Decimal
from pathlib import Path

import pytest

from callbacks.language import Language, load_texts

ROOT = Path(__file__).parents[2]
SOURCES = [path for name in ("callbacks", "pages", "cockpit") for path in (ROOT / name).rglob("*.py")]
SOURCES = [path for path in SOURCES if not path.is_relative_to(ROOT / "cockpit" / "commands")]
HAN = re.compile(r"[\u3400-\u9fff]")
ZH, EN = load_texts("zh"), load_texts("en")


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_both_languages_have_the_same_keys() -> None:
    assert ZH.keys() == EN.keys()


def test_every_sentence_has_the_same_placeholders_but_for_the_name_of_a_month() -> None:
    loose = {"year", "month", "month_name", "day", "quarter", "from_year", "from_month", "from_name"}
    for key in ZH:
        assert placeholders(ZH[key]) - loose == placeholders(EN[key]) - loose, key


def docstrings(tree: ast.Module) -> set[int]:
    found = set()
    for node in ast.walk(tree):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
                found.add(id(child.value))
    return found


def titles(tree: ast.Module) -> set[int]:
    """Texts of one thing live with the thing: the titles of a page stand in its spec."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == "titles":
            found |= {id(child) for child in ast.walk(node.value)}
    return found


UNIT_WORDS = {"万", "亿", "元", "万亿kMB"}
"""Not words to read but parts of units that are recognised in declared units."""


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_word_for_the_user_stands_in_python(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    allowed = docstrings(tree) | titles(tree)
    found = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in allowed
        and HAN.search(node.value)
        and node.value not in UNIT_WORDS
    ]
    assert found == []


def test_every_key_the_program_names_exists() -> None:
    named = set()
    for path in SOURCES:
        named |= set(re.findall(r'say\(\s*"([a-z0-9_.]+)"', path.read_text(encoding="utf-8")))
    assert named
    assert named - ZH.keys() == set()


zh, en = Language("zh", ZH), Language("en", EN)


@pytest.mark.parametrize(
    ("value", "unit", "chinese", "english"),
    [
        (Decimal("34215.6"), "万元", "3.42 亿元", "342 M CNY"),
        (Decimal("861.27"), "万元", "861 万元", "8.61 M CNY"),
        (612, "辆", "612 辆", "612 vehicles"),
        (11.84, "m²/人", "11.8 m²/人", "11.8 m²/person"),
        (2_612_400.0, "kWh", "261 万 kWh", "2.61 M kWh"),
        (78.94, "%", "78.9%", "78.9%"),
        (-0.04, "%", "0.0%", "0.0%"),
        (-1234.5, "元/人", "−1,234 元/人", "−1,234 CNY/person"),
        (0, "间", "0 间", "0 rooms"),
    ],
)
def test_figures_read_as_people_write_them(value: float | Decimal, unit: str, chinese: str, english: str) -> None:
    assert zh.figure(value, unit).text == chinese
    assert en.figure(value, unit).text == english


def test_the_full_figure_keeps_every_digit() -> None:
    assert zh.figure(Decimal("34215.612345"), "万元").full == "34,215.612345 万元"
    assert zh.full(Decimal("1200.500")) == "1,200.5"
    assert zh.full(7) == "7"


def test_money_is_in_the_currency_of_the_store() -> None:
    assert Language("zh", ZH, "UAH").figure(Decimal("120000"), "万元").text == "12.0 亿格里夫纳"
    assert Language("en", EN, "USD").figure(3.5, "元/m²").text == "3.50 USD/m²"


def test_missing_is_a_dash_not_a_nought() -> None:
    assert zh.figure(None, "万元").text == "—"


def test_periods_are_spelled_out() -> None:
    assert zh.period("2025-10", "ytd") == "2025年1—10月 累计"
    assert zh.period("2025-10", "r12") == "2024年11月—2025年10月"
    assert en.period("2025-Q3", "quarter") == "Q3 2025"
    assert en.period("2025-10", "month") == "Oct 2025"


def test_years_of_a_store_that_begins_in_october_are_named_as_fiscal_years() -> None:
    chinese, english = Language("zh", ZH, fiscal_start=10), Language("en", EN, fiscal_start=10)
    assert english.period("2024", "year") == "FY2024"
    assert chinese.period("2024-Q1", "quarter") == "2024财年第1季度"
    assert chinese.period("2023-12", "ytd") == "2024财年 2023年10月—2023年12月 累计"
    assert english.period("2023-12", "month") == "Dec 2023"
    assert english.period("2023-12", "r12") == "Jan 2023 – Dec 2023"
