"""The overview: five tiles, the year's end, units, warnings, intensities, budget pace and data in place."""

from __future__ import annotations

from dash import html

from callbacks.alarms import today_panel
from callbacks.board import Board, read_board
from callbacks.completeness import arrival_panel
from callbacks.focus import Focus
from callbacks.outlook import landing_panel
from callbacks.pace import pace_panel
from callbacks.panels import Panel, rows_of
from callbacks.request import Regions, stamp
from callbacks.tiles import tiles
from callbacks.units import matrix_panel, peers_panel, strip_panel

PAGE = "overview"


def read(focus: Focus) -> Regions:
    """Return the regions of the overview."""
    board = read_board(focus)
    return {
        "tiles": tiles(board.tiles, focus.words, focus.state.theme),
        "panels": rows_of(panels(focus, board, PAGE), focus.words, stamp(focus)),
        "quiet": quiet_line(focus, board),
    }


def panels(focus: Focus, board: Board, page: str) -> list[Panel]:
    """Return the panels that have something to show, in reading order."""
    landings = focus.session.landings(focus.node.code, focus.known_at)
    dues = focus.session.due_list(focus.node.code, focus.last_month, focus.known_at)
    lead = board.tiles[0].card.id if board.tiles else ""
    upper = [landing_panel(focus, page, landings), matrix_panel(focus, board.alarms), today_panel(focus, board.alarms)]
    lower = [strip_panel(focus), pace_panel(focus), arrival_panel(focus, dues)]
    found = [panel for panel in (*upper, *lower) if panel is not None]
    if len(found) < 4 and lead and (peers := peers_panel(focus, lead, "/")) is not None:
        found.insert(0, peers)
    return found


def quiet_line(focus: Focus, board: Board) -> html.P | None:
    """Return the line that names the themes without any source."""
    if not board.quiet:
        return None
    words = focus.words
    names = words.say("list.joint").join(words.say(f"theme.{name}") for name in board.quiet)
    return html.P(words.say("quiet.themes", names=names), className="quiet-line")
