"""The page of hand-overs: where its links lead, and how much one card asks at once."""

from __future__ import annotations

import datetime as dt
import json
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest

from callbacks.handlers.hand_in import sheet_link
from callbacks.handover_cards import card
from callbacks.language import Language, load_texts
from warehouse.operations.handover import HandoverRow
from warehouse.sight import Preview, StrangeName


@pytest.mark.parametrize("code", ["A", "A&lang=en", "3#1", "市 教育局", "50%+"])
def test_the_link_to_a_return_sheet_names_the_unit_whatever_its_code_holds(code: str) -> None:
    link = urlsplit(sheet_link(code, "zh"))
    assert (link.path, link.fragment) == ("/api/v1/hand-in/return.xlsx", "")
    assert parse_qs(link.query) == {"node": [code], "lang": ["zh"]}


@pytest.mark.parametrize(("total", "told"), [(1, False), (0, False), (71, True)])  # 0: kept before it was counted
def test_a_card_says_how_many_strange_names_it_does_not_list(total: int, told: bool) -> None:
    seen = Preview("a.csv", "payment", {"zh": "支付", "en": "Payments"}, "ready",
                   strangers=(StrangeName("市教育句", 3, ()),), strangers_total=total)  # fmt: skip
    now = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
    row = HandoverRow("h1", "a.csv", "", 1, "clerk", now, preview=json.loads(json.dumps(seen.as_json())))
    shown = str(card(SimpleNamespace(words=Language("zh", load_texts("zh"))), row, {}).to_plotly_json())
    assert ("还有 70 个名称未列出" in shown) is told
    assert ("有 71 个单位名称不在名录里" if told else "有 1 个单位名称不在名录里") in shown
