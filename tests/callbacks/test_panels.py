"""Rows without an empty third, labels that do not lie on each other, tables that say everything."""

from __future__ import annotations

import json

import pytest

from callbacks.language import Language, load_texts
from callbacks.panels import Panel, Table, as_json, balanced, frame, number_cell, staggered, text_cell, worst

WORDS = Language("zh", load_texts("zh"))


@pytest.mark.parametrize(
    ("count", "rows"), [(0, []), (1, [1]), (2, [2]), (3, [3]), (4, [2, 2]), (5, [3, 2]), (6, [3, 3]), (7, [3, 2, 2])]
)
def test_panels_share_their_rows_evenly(count: int, rows: list[int]) -> None:
    panels = [Panel(str(n), str(n), None) for n in range(count)]
    found = balanced(panels)
    assert [len(row) for row in found] == rows
    assert [panel for row in found for panel in row] == panels


def test_close_labels_stand_on_different_storeys() -> None:
    placed = staggered([(0.50, "b"), (0.10, "a"), (0.55, "c"), (0.90, "d")])
    assert placed == [(0.10, "a", 0), (0.50, "b", 0), (0.55, "c", 1), (0.90, "d", 0)]


def test_the_twin_carries_the_full_figure() -> None:
    content = Table(("单位", "值"), ((text_cell("甲"), number_cell("3.42", "34,215.6")),))
    assert json.loads(as_json(content)) == {
        "headers": ["单位", "值"],
        "rows": [[["甲", None], ["3.42", "34,215.6"]]],
        "totals": 0,
    }


def test_a_panel_without_a_table_offers_no_export() -> None:
    said = str(frame(Panel("a", "A", None), WORDS, "stamp").to_plotly_json())
    assert "export" not in said
    assert "twin" not in said


def test_the_worst_level_is_the_gravest() -> None:
    assert worst(["blue", "orange", "yellow"]) == "orange"
    assert worst([]) is None
