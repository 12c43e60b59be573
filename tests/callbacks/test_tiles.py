"""The one tile anatomy, and the tile that says why it has no figure."""

from __future__ import annotations

from dataclasses import replace

import pytest

from callbacks.board import read_board
from callbacks.focus import resolve
from callbacks.language import Language, load_texts
from callbacks.services import Viewer
from callbacks.state import ViewState
from callbacks.tiles import tile, tone_of
from metrics.model import STATUSES
from tests.fakes.services import FakeServices, budget_only, energy_only
from tests.fakes.texts import texts_of
from warehouse.base.scope import Scope

WORDS = Language("zh", load_texts("zh"))


def board_of(services: FakeServices, search: str = ""):
    with services.open(Viewer(Scope.everything(), "test")) as desk:
        focus = resolve(ViewState.parse(search), desk, WORDS)
        assert focus is not None
        return read_board(focus)


@pytest.mark.parametrize(
    ("change", "better", "tone"),
    [
        (-3.6, "lower", "good"), (3.6, "lower", "bad"), (0.8, "higher", "good"), (-0.8, "higher", "bad"),
        (5.0, "neutral", "even"), (5.0, "band", "even"), (0.01, "lower", "even"),
    ],
)  # fmt: skip
def test_a_change_is_good_or_bad_by_the_good_direction(change: float, better: str, tone: str) -> None:
    assert tone_of(change, better) == tone


def test_five_themes_give_five_tiles_with_everything_a_tile_has() -> None:
    board = board_of(FakeServices())
    assert [view.card.theme for view in board.tiles] == ["cost", "vehicle", "space", "energy", "service"]
    said = texts_of(tile(board.tiles[0], WORDS, "dark"))
    for part in ("机关运行成本", "机关运行经费", "亿元", "同比下降", "时间进度 83.3%", "截至2025年10月", "已报 40/40"):
        assert part in said


@pytest.mark.parametrize("status", [status for status in STATUSES if status not in ("ok", "incomplete")])
def test_a_tile_without_figure_says_which_state_it_is_in_and_why(status: str) -> None:
    view = board_of(FakeServices()).tiles[0]
    bare = replace(view, answer=replace(view.answer, value=None, status=status, due=60, got=3))
    said = texts_of(tile(bare, WORDS, "dark"))
    assert WORDS.say(f"status.short.{status}") in said
    assert WORDS.say(f"status.{status}", due=60, got=3) in said


def test_a_figure_that_lacks_a_base_says_so() -> None:
    view = board_of(FakeServices()).tiles[0]
    said = texts_of(tile(replace(view, change=None, points=None), WORDS, "dark"))
    assert WORDS.say("tile.no_base") in said


def test_percentages_change_in_points() -> None:
    board = board_of(budget_only())
    said = texts_of(tile(board.tiles[0], WORDS, "dark"))
    assert "个百分点" in said


@pytest.mark.parametrize("make", [energy_only, budget_only])
def test_themes_without_source_become_a_quiet_line_and_the_rest_fills_the_row(make) -> None:
    board = board_of(make())
    assert board.tiles
    assert "vehicle" in board.quiet
    assert {view.card.theme for view in board.tiles}.isdisjoint(board.quiet)


def test_one_theme_shows_several_of_its_figures() -> None:
    assert len(board_of(energy_only()).tiles) == 5
