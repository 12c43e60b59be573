"""The board of a chosen day beside what the same questions answer now, and which file made the difference."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html

from callbacks.attributes import attributes
from callbacks.board import Board, read_board
from callbacks.focus import Focus, resolve
from callbacks.panels import Panel, Table, calm, frame, number_cell, table, text_cell
from callbacks.request import Regions, stamp
from callbacks.services import Change
from callbacks.sources import value_text
from callbacks.tiles import tiles

REGIONS = ("head", "controls", "then", "difference")


def read(focus: Focus) -> Regions:
    """Return the regions of the replay page."""
    days = focus.session.known_days()
    if not days:
        return {}
    words = focus.words
    day = chosen_day(focus, days)
    controls = day_controls(focus, days, day)
    then = as_of(focus, day)
    if then is None:
        return {"controls": controls, "then": calm(words.say("empty.then"), words.say("empty.then.why", known_at=day))}
    board = read_board(then)
    return {
        "controls": controls,
        "then": html.Div(
            [
                html.H2(
                    words.say("replay.then", day=words.day(day), period=words.period(then.window.label, then.grain))
                ),
                tiles(board.tiles, words, focus.state.theme),
            ],
            className="then",
        ),
        "difference": difference(then, board),
    }


def chosen_day(focus: Focus, days: Sequence[dt.date]) -> dt.date:
    """Return the day in view: the one asked, or the day before the newest record."""
    if focus.state.day:
        return dt.date.fromisoformat(focus.state.day)
    return days[-2] if len(days) > 1 else days[-1]


def as_of(focus: Focus, day: dt.date) -> Focus | None:
    """Return the same view as it was known at the end of a day."""
    return resolve(replace(focus.state, known_at=day.isoformat()), focus.session, focus.words)


def day_controls(focus: Focus, days: Sequence[dt.date], day: dt.date) -> html.Div:
    """Return a date field and a slider over the days on which something was recorded."""
    words = focus.words
    place = max((index for index, known in enumerate(days) if known <= day), default=0)
    slider = dcc.Input(
        type="range", min=0, max=max(len(days) - 1, 1), step=1, value=place, id="replay-slider", debounce=True
    )
    return html.Div(
        [
            html.Label(words.say("replay.day"), htmlFor="replay-day", className="control-label"),
            dbc.Input(
                type="date", id="replay-day", value=day.isoformat(), min=days[0].isoformat(), max=days[-1].isoformat()
            ),
            html.Span(days[0].isoformat(), className="edge"),
            html.Div(slider, className="slider", **attributes(data_days=",".join(known.isoformat() for known in days))),
            html.Span(days[-1].isoformat(), className="edge"),
        ],
        className="replay-controls",
    )


def difference(then: Focus, board: Board) -> Any:
    """Return what the board's figures are now, and the files that moved them."""
    words = then.words
    if then.known_at is None:
        return None
    live = replace(then, state=replace(then.state, known_at=None), known_at=None)
    names = [view.card.id for view in board.tiles]
    asides = [answer.indicator for view in board.tiles for answer in view.asides]
    changes = then.session.diff([live.query(dict.fromkeys([*names, *asides]))], then.known_at)
    cards = then.session.indicators()
    keys = ("indicator", "then", "now", "difference", "files")
    content = Table(
        tuple(words.say(f"column.{key}") for key in keys),
        tuple((text_cell(cards[c.indicator].names[words.code]), *_cells(then, c)) for c in changes),
    )
    reading = words.say("replay.reading" if changes else "replay.same", count=words.count(len(changes)))
    panel = Panel(
        name="difference",
        title=words.say("replay.difference"),
        sub=words.period(then.window.label, then.grain),
        reading=reading,
        face=html.Div(table(content), className="listing") if changes else None,
        is_list=bool(changes),
    )
    return frame(panel, words, stamp(then))


def _cells(focus: Focus, change: Change) -> tuple[Any, ...]:
    words = focus.words
    before, after = change.before, change.after
    moved = ""
    if before.value is not None and after.value is not None:
        delta = float(after.value) - float(before.value)
        sign = "+" if delta > 0 else ""
        moved = sign + words.figure(delta, after.unit).text
    return (
        number_cell(value_text(focus, before), words.full(before.value) if before.value is not None else ""),
        number_cell(value_text(focus, after), words.full(after.value) if after.value is not None else ""),
        number_cell(moved),
        text_cell(words.say("list.joint").join(change.files) or words.say("replay.no_file")),
    )
