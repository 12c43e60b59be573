"""The card of a hand-over: what stands on it before a file is handed in, and after."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from callbacks.handover_cards import card
from callbacks.language import Language, load_texts
from warehouse.operations.handover import DONE, HandoverRow
from warehouse.sight import Preview, StrangeName

GAP = {"zh": "合计为 999，读到的各行相加为 300.5。", "en": "The total is 999, but the rows add up to 300.5."}
SECRET = {"zh": "第 3 行标有密级，已拒收，内容未保存。", "en": "Rows 3 bear a marking of secrecy; they were rejected."}
ROW = HandoverRow("h1", "a.csv", "", 1, "clerk", dt.datetime(2026, 11, 1, tzinfo=dt.UTC))
SEEN = Preview("a.csv", "payment", {"zh": "支付", "en": "Payments"}, "ready", counts={"accepted": 2, "skipped": 2})


def shown(row: HandoverRow, lang: str = "zh", left: int = 0) -> str:
    """Return all that stands on a card, as one text."""
    session = SimpleNamespace(still_waiting=lambda _: left)
    focus = SimpleNamespace(words=Language(lang, load_texts(lang)), session=session, link=lambda path: path)
    return str(card(focus, row, {}).to_plotly_json())


def before(seen: Preview) -> HandoverRow:
    return replace(ROW, preview=json.loads(json.dumps(seen.as_json())))


def after(**report: Any) -> HandoverRow:
    told = {"zh": "", "en": "", "beside": [GAP, SECRET]}
    return replace(
        ROW,
        state=DONE,
        report=[{"source": "payment", "status": "committed", "batch_seq": 7, "message": told, **report}],
    )


@pytest.mark.parametrize(
    ("lang", "left", "told"),
    [
        ("zh", 2, "其中还有 2 行等着改正。"), ("en", 2, "Of these rows still to be corrected: 2."),
        ("zh", 0, "待核的行都已改好。"), ("en", 0, "All rows set aside have been mended since."),
    ],
)  # fmt: skip
def test_the_sheet_is_offered_only_while_a_row_waits(lang: str, left: int, told: str) -> None:
    text = shown(after(quarantined=3), lang, left)
    assert told in text
    assert ("return.xlsx" in text) is bool(left)
    assert told not in shown(after(accepted=3), lang, left)  # nothing was set aside: nothing is said of it


ASKED, SETTLED = StrangeName("市教育句", 3, ()), StrangeName("市财政句", 0, (("A", "市财政局"),), chosen="A")


@pytest.mark.parametrize(
    ("strangers", "zh", "en"),
    [
        ((ASKED,), "有 1 个单位名称不在名录里", "not in the register: 1"),
        ((ASKED, SETTLED), "还有 1 个单位名称不在名录里，已指明 1 个", "1 left, 1 settled"),
        ((SETTLED,), "不在名录里的 1 个单位名称都已指明", "all 1 settled"),
    ],
)
def test_a_name_that_was_settled_is_no_longer_counted_as_strange(
    strangers: tuple[StrangeName, ...], zh: str, en: str
) -> None:
    row = before(replace(SEEN, strangers=strangers, strangers_total=len(strangers)))
    assert zh in shown(row)
    assert en in shown(row, "en")


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_what_a_load_says_beside_its_counts_stands_on_the_card_before_and_after(lang: str) -> None:
    seen = replace(SEEN, beside=(GAP, SECRET), skipped={"header": 1, "classified": 1})
    for text in (shown(before(seen), lang), shown(after(accepted=2), lang)):
        assert GAP[lang] in text
        assert SECRET[lang] in text
        assert "classified" not in text
    assert ("表头 1" if lang == "zh" else "header 1") in shown(before(seen), lang)
    # a preview, and a report, kept before there was anything to say beside the counts
    old = {name: value for name, value in before(seen).preview.items() if name != "beside"}  # type: ignore[union-attr]
    assert GAP[lang] not in shown(replace(ROW, preview=old), lang)
    assert GAP[lang] not in shown(after(message={"zh": "", "en": ""}), lang)
