"""A trend marks where the definition of its indicator changed: thin, neutral, with the sentence."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from callbacks.language import Language, load_texts
from callbacks.palette import PALETTES
from callbacks.services import Seam
from callbacks.trends import mark_seams, seam_sentences
from tests.fakes.services import cards

MONTHS = ["2024-11", "2024-12", "2025-01", "2025-02"]
BASIS = {"zh": "新办法（2025）", "en": "New rules (2025)"}
WORDS = {code: Language(code, load_texts(code)) for code in ("zh", "en")}


def marked(month: int, theme: str = "dark") -> dict[str, Any]:
    card = replace(next(iter(cards().values())), seams=(Seam(month, BASIS),))
    figure: dict[str, Any] = {"data": [], "layout": {}}
    mark_seams(figure, MONTHS, card, WORDS["zh"], theme)
    return figure["layout"]


@pytest.mark.parametrize("theme", PALETTES)
def test_a_line_stands_before_the_first_month_of_the_new_definition(theme: str) -> None:
    found = marked(2025 * 12, theme)
    (line,), (note,) = found["shapes"], found["annotations"]
    assert (line["x0"], line["x1"]) == (1.5, 1.5)
    assert line["line"] == {"color": PALETTES[theme].text_3, "width": 1}
    assert note["hovertext"] == "自2025年1月起按新定义计算，依据：新办法（2025）。"


@pytest.mark.parametrize("month", [2024 * 12 + 10, 2023 * 12, 2026 * 12])
def test_a_change_outside_the_months_shown_leaves_no_mark(month: int) -> None:
    assert marked(month) == {}


def test_the_reading_says_it_too() -> None:
    card = replace(next(iter(cards().values())), seams=(Seam(2025 * 12, BASIS),))
    assert seam_sentences(MONTHS, card, WORDS["en"]) == [
        "From Jan 2025 on the definition is another, by New rules (2025)."
    ]
