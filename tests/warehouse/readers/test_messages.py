"""Sentences: whole, in both languages, with the place and the value, for every code there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import warehouse.readers
from warehouse.readers.faults import Fault
from warehouse.readers.messages import codes, kinds, message

FULL = {"file": "能耗.xlsx", "sheet": "3月", "row": 12, "column": "金额", "value": "七百", "hint": "甲、乙"}


@pytest.mark.parametrize("code", codes())
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_code_has_a_whole_sentence_with_its_place(code, lang):
    text = message(Fault(code, **FULL), lang)
    assert "能耗.xlsx" in text
    assert text.endswith("。" if lang == "zh" else ".")
    assert not re.search(r"[{}]|None", text)
    assert not re.search(r"[一-龥]{8}", text) or lang == "zh"


@pytest.mark.parametrize("code", codes())
def test_a_fault_that_knows_little_still_speaks(code):
    for lang in ("zh", "en"):
        text = message(Fault(code, "a.csv"), lang)
        assert "a.csv" in text.lower() and "None" not in text


def test_the_place_is_named_from_file_to_column():
    assert message(Fault("not_a_number", **FULL), "zh").startswith(
        "《能耗.xlsx》工作表“3月”第 12 行“金额”列应为数字，现为“七百”"
    )
    assert message(Fault("not_a_number", **FULL), "en").startswith(
        "Column “金额”, row 12, sheet “3月”, 能耗.xlsx should be a number"
    )


def test_an_unknown_unit_comes_with_units_that_would_fit():
    fault = Fault("unknown_unit", "a.csv", None, 1, "电", "千瓦", "kWh")
    assert "千瓦时" in message(fault, "zh")
    assert "千瓦时" in message(fault, "en")


def test_a_strange_file_is_called_what_it_is():
    for kind, names in kinds().items():
        for lang in ("zh", "en"):
            assert names[lang] in message(Fault("not_a_table", "a.xls", value=".xls", hint=kind), lang)


def test_long_and_broken_values_are_shown_short_and_in_one_line():
    text = message(Fault("not_a_number", "a.csv", row=2, value="很长\n" * 200), "zh")
    assert len(text) < 200 and "\n" not in text


def test_a_code_without_a_sentence_is_still_told():
    assert "a.csv" in message(Fault("something_new", "a.csv", row=3, value="x"), "en")


def test_every_code_the_readers_raise_is_in_the_catalogue():
    folder = Path(warehouse.readers.__file__).parent
    used = {
        code
        for path in folder.glob("*.py")
        for code in re.findall(r'(?:Fault|Bad)\(\s*"([a-z_0-9]+)"|fault="([a-z_]+)"', path.read_text(encoding="utf-8"))
    }
    assert {a or b for a, b in used} <= set(codes())
