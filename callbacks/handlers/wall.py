"""The wall: the overview and the themes as a programme of boards, all read in one request, turned in the browser."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from dash import html

from callbacks.alarms import today_panel
from callbacks.attributes import attributes
from callbacks.board import BOARD, Board, Theme, read_board, read_tiles, sourced
from callbacks.completeness import arrival_panel
from callbacks.focus import Focus
from callbacks.handlers.domain import structured, theme_alarms
from callbacks.outlook import landing_panel
from callbacks.pace import pace_panel
from callbacks.panels import Panel, rows_of
from callbacks.request import Regions, notes_of, stamp
from callbacks.state import AS_WAS
from callbacks.structure import structure_panel
from callbacks.tiles import tiles
from callbacks.trends import trend_panel
from callbacks.units import WALL_ROWS, matrix_panel, peers_panel, strip_panel

PAGE = "wall"
REGIONS = ("head", "stage")
THEME_BOARDS = ("cost", "energy")
SECONDS = 20


def read(focus: Focus) -> Regions:
    """Return the whole programme; the page's ordinary head stays away, the stage has its own."""
    overview = read_board(focus)
    boards = [_board(focus, "overview", focus.words.say("wall.title"), _overview(focus, overview))]
    for theme in (theme for theme in BOARD if theme.name in THEME_BOARDS):
        if sourced(theme, focus.session.indicators()):
            boards.append(_board(focus, theme.name, focus.words.say(f"theme.{theme.name}"), _theme(focus, theme)))
    return {
        "head": None,
        "stage": html.Div([*boards, _foot(focus)], className="stage", **attributes(data_seconds=str(SECONDS))),
    }


def _board(focus: Focus, name: str, title: str, content: Sequence[Any]) -> html.Div:
    return html.Div(
        [_top(focus, title), *content], className=f"board board-{name}", **attributes(data_board=name, data_title=title)
    )


def _top(focus: Focus, title: str) -> html.Div:
    words, facts = focus.words, focus.session.facts
    below = len(focus.children)
    who = words.say("wall.units", node=focus.node.name, count=words.count(below)) if below else focus.node.name
    chips = [who, words.period(focus.window.label, focus.grain)]
    if focus.state.tree == AS_WAS:
        chips.append(words.say("tree.as_was"))
    chips += notes_of(focus)
    marks = [html.Span(text, className="wall-chip") for text in chips]
    origin = html.Span(
        words.say(f"origin.{facts.origin}"), className="wall-chip strong" if facts.is_simulated else "wall-chip"
    )
    age = attributes(data_age_of=facts.published_at.isoformat() if facts.published_at else None)
    clock = html.Div(
        [
            html.Div("", className="clock", **attributes(data_clock="1")),
            html.Div(
                [html.Span("", **attributes(data_today="1")), html.Span("", className="age", **age)],
                className="wall-date",
            ),
        ],
        className="wall-clock",
    )
    return html.Div([html.H1(title), html.Div([*marks, origin], className="wall-chips"), clock], className="wall-top")


def _foot(focus: Focus) -> html.Div:
    words, facts = focus.words, focus.session.facts
    published = words.moment(facts.published_at) if facts.published_at else "—"
    return html.Div(
        [
            html.Span(words.say("foot.batch", seq=facts.through_seq, moment=published)),
            html.Span(
                "",
                className="wall-next",
                **attributes(data_next=words.texts["wall.next"], data_paused=words.say("wall.paused")),
            ),
        ],
        className="wall-foot",
    )


def _overview(focus: Focus, board: Board) -> list[Any]:
    """The overview's tiles and panels; projections only where the office has switched them on."""
    words = focus.words
    lead = board.tiles[0].card.id if board.tiles else ""
    dues = focus.session.due_list(focus.node.code, focus.last_month, focus.known_at)
    first = None
    if focus.session.viewer.internal_on_wall:
        first = landing_panel(focus, PAGE, focus.session.landings(focus.node.code, focus.known_at))
    first = first or (trend_panel(focus, f"{PAGE}-overview", lead, is_brief=True) if lead else None)
    found = [
        first,
        matrix_panel(focus, board.alarms),
        today_panel(focus, board.alarms),
        strip_panel(focus),
        pace_panel(focus),
        arrival_panel(focus, dues),
    ]
    present = [panel for panel in found if panel is not None]
    return [tiles(board.tiles, words, focus.state.theme), rows_of(present, words, stamp(focus))]


def _theme(focus: Focus, theme: Theme) -> list[Any]:
    words, cards = focus.words, focus.session.indicators()
    names = sourced(theme, cards)[:5]
    alarms = theme_alarms(focus, theme)
    views = read_tiles(focus, [(theme, name) for name in names], alarms, by_indicator=True)
    found: list[Panel | None] = [
        peers_panel(focus, names[0], theme.path, WALL_ROWS),
        trend_panel(focus, f"{PAGE}-{theme.name}", names[0], is_brief=True),
        structure_panel(focus, structured(cards, theme, names[0]), theme.path),
    ]
    present = [replace(panel, weight=1.0) for panel in found if panel is not None]
    return [tiles(views, words, focus.state.theme), rows_of(present, words, stamp(focus))]
