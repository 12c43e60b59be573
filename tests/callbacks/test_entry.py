"""The handbook says of every indicator what it means, by which text, and what is still to be verified."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from callbacks.entry import Entry, entry
from callbacks.language import Language, load_texts
from docs.handbook import PAGES
from metrics.catalogue import load_catalogue
from metrics.model import Indicator, Texts, Version
from warehouse.contracts import load_contracts

CATALOGUE, CONTRACTS = load_catalogue(), load_contracts()
WORDS = {code: Language(code, load_texts(code)) for code in ("zh", "en")}
ALWAYS = ("meaning", "formula", "unit", "better", "kind", "scope", "dims", "basis", "reads", "history", "example", "owner",
          "statement")  # fmt: skip


def made(item: Indicator, code: str = "zh") -> Entry:
    return entry(item, CATALOGUE, CONTRACTS, WORDS[code])


def said(one: Entry, key: str) -> str:
    return " ".join(next(part for part in one.parts if part.key == key).lines)


@pytest.mark.parametrize("item", CATALOGUE.written, ids=lambda item: item.id)
def test_an_entry_has_every_heading_in_both_languages(item: Indicator) -> None:
    for code in WORDS:
        keys = [part.key for part in made(item, code).parts]
        assert [key for key in ALWAYS if key not in keys] == []
        assert ("beside" in keys) == (item.kind != "change")
        assert ("hint" in keys) == (item.hint is not None)
        assert sum(key.startswith("form ") for key in keys) == len(item.forms)


@pytest.mark.parametrize("item", CATALOGUE.written, ids=lambda item: item.id)
def test_chinese_texts_end_as_sentences_and_keep_their_own_marks(item: Indicator) -> None:
    for part in made(item).parts:
        for line in part.lines:
            assert not re.search(r"[\u4e00-\u9fff][,;:?!]", line), line
            assert "。。" not in line and "{" not in line
            if part.key in ("meaning", "basis", "hint", "example", "scope", "kind"):
                assert line.endswith("。"), line


@pytest.mark.parametrize("item", CATALOGUE.written, ids=lambda item: item.id)
def test_what_is_only_recalled_is_told_as_to_be_verified(item: Indicator) -> None:
    is_recalled = item.evidence in ("R", "K")
    for code, words in WORDS.items():
        assert (words.say("entry.basis.doubt") in said(made(item, code), "basis")) == is_recalled
    assert "待核实" in said(made(item), "basis") or not is_recalled


def test_the_history_names_every_version_with_its_months_and_the_seam() -> None:
    item = CATALOGUE.indicators["veh_per_100"]
    before = replace(item, id="veh_per_100@2024-12", basis=Texts("旧办法", "The former rules"))
    told = said(made(replace(item, earlier=(Version(0, 2025 * 12, before, "last(vehicles)"),))), "history")
    assert "最初至2024-12：last(vehicles)（辆/百人），依据：旧办法。" in told
    assert "自 2025-01 起按现行定义" in told


def test_the_example_tells_its_numbers() -> None:
    one = made(CATALOGUE.indicators["veh_per_100"])
    assert said(one, "example").startswith("期间为 2024年1—2月 累计：分子 900，分母 120，结果为 7.5 辆/百人。")
    table = next(part.table for part in one.parts if part.key == "example")
    assert ("vehicles", "7", "9") in table


def test_the_documents_hold_an_entry_for_every_indicator_in_both_languages() -> None:
    index = PAGES["handbook.md"]()
    for item in CATALOGUE.written:
        for code in WORDS:
            assert f"(handbook/{code}/{item.theme}.md#{item.id})" in index
    for code in WORDS:
        pages = "".join(text() for name, text in PAGES.items() if f"/{code}/" in name)
        assert [item.id for item in CATALOGUE.written if f'<a id="{item.id}"></a>' not in pages] == []


def test_only_tables_the_figures_are_worked_out_by_are_named() -> None:
    assert "tables" not in [part.key for part in made(CATALOGUE.indicators["veh_per_100"]).parts]
    assert "vehicle_cap" in said(made(CATALOGUE.indicators["veh_over_std"]), "tables")
