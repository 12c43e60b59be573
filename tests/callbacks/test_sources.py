"""Rows behind a figure in words: how a part came from a bill that several units share, in both languages."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace

import pytest

from callbacks.language import Language, load_texts
from callbacks.sources import rows_table
from metrics.drill_words import Division, DrillRow, DrillRows


@pytest.mark.parametrize(
    ("division", "chinese", "english"),
    [
        (None, "电", "电"),
        (Division("divided", Decimal("38.2000"), "fixed", "纪要5", False),
         "电 · 分摊 38.2 %（按固定比例），依据 纪要5", "电 · 38.2 % of a shared bill (by fixed shares), document 纪要5"),
        (Division("divided", Decimal("30.0000"), "area", "纪要5", False),
         "电 · 分摊 30 %（按面积），依据 纪要5", "电 · 30 % of a shared bill (by area), document 纪要5"),
        (Division("divided", None, "headcount", "纪要5", True), "电 · 分摊（按人数），依据 纪要5；有单位不纳入，比例不公布",
         "电 · part of a shared bill (by headcount), document 纪要5; a unit is kept out, the share is not told"),
        (Division("no_rule", None, None, None, False), "电 · 未分摊：没有分摊规则", "电 · undivided: no allocation rule"),
        (Division("no_weight", None, None, None, True), "电 · 未分摊：有单位缺少面积或人数；不含不纳入单位的部分",
         "电 · undivided: area or headcount of a unit is missing; without the part of units kept out"),
    ],
)  # fmt: skip
def test_a_row_says_how_it_came_from_a_shared_bill(division: Division | None, chinese: str, english: str) -> None:
    row = DrillRow("numerator", "energy_cost", "energy_use", "A", "财政局", "2025-01", "电", "电.csv", "", 3,
                   Decimal(35), Decimal(35), division)  # fmt: skip
    found = DrillRows(None, (row,), 1, None, None)  # type: ignore[arg-type]
    for code, said in (("zh", chinese), ("en", english)):
        focus = SimpleNamespace(words=Language(code, load_texts(code)))
        assert said in [cell.text for cell in rows_table(focus, found).rows[0]]  # type: ignore[arg-type]
