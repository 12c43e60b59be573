"""The board of a chosen day beside what the same questions answer now, and which file made the difference."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

import dash_bootstrap_components as dbc
from dash import dcc, html

from callbacks import ids
from callbacks.attributes import attributes
from callbacks.board import Board, read_board
from callbacks.focus import Focus, resolve
from callbacks.grids import grid
from callbacks.panels import Cell, Panel, Table, calm, number_cell, rows_of, text_cell
from callbacks.request import Regions, stamp
from callbacks.sources import value_text
from callbacks.tiles import tiles
from metrics.diff import Difference

PAGE = "replay"
LISTED = 400
NAMED = 2
A_MONTH = dt.timedelta(days=30)
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
    """Return the day in view: the one asked here, the one the page is known at, or one a month before the newest."""
    if asked := focus.state.day or focus.state.known_at:
        return dt.date.fromisoformat(asked[:10])
    earlier = [day for day in days if day <= days[-1] - A_MONTH]
    return earlier[-1] if earlier else days[0]


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


def difference(then: Focus, board: Board) -> html.Div | None:
    """Return what the board's figures are now, which units moved them, and what came in since."""
    if then.known_at is None:
        return None
    live = replace(then, state=replace(then.state, known_at=None), known_at=None)
    heads = [view.card.id for view in board.tiles]
    names = dict.fromkeys([*heads, *(answer.indicator for view in board.tiles for answer in view.asides)])
    changes = moved(then.session.diff(live.query(names), then.known_at))
    children = tuple(node.code for node in then.children)
    below = moved(then.session.diff(live.query(heads, nodes=children), then.known_at)) if children else ()
    found = [changed_figures(then, changes), changed_units(then, below), arrived_since(then, then.known_at)]
    return rows_of([panel for panel in found if panel is not None], then.words, stamp(then), most=2)


def moved(changes: Sequence[Difference]) -> tuple[Difference, ...]:
    """Return the differences of figures: more reports under the same figure are none."""
    return tuple(change for change in changes if change.old.value != change.new.value)


def changed_figures(then: Focus, changes: Sequence[Difference]) -> Panel:
    """Return the figures of the board that are not what they were."""
    words = then.words
    keys = ("indicator", "then", "now", "difference", "files")
    cards = then.session.indicators()
    content = Table(
        tuple(words.say(f"column.{key}") for key in keys),
        tuple((text_cell(cards[c.new.indicator].names[words.code]), *_cells(then, c)) for c in changes),
    )
    return Panel(
        name="difference",
        title=words.say("replay.difference"),
        sub=words.period(then.window.label, then.grain),
        reading=words.say("replay.reading" if changes else "replay.same", count=words.count(len(changes))),
        face=grid(ids.grid(PAGE, "difference"), content, words) if changes else None,
        is_list=bool(changes),
        weight=1.0 if changes else 0.4,
    )


def changed_units(then: Focus, changes: Sequence[Difference]) -> Panel | None:
    """Return the units whose figures are not what they were, in official order."""
    if not changes:
        return None
    words, cards = then.words, then.session.indicators()
    keys = ("unit", "indicator", "then", "now", "difference", "files")
    rows = tuple(
        (
            text_cell(then.tree.name(c.new.node, c.new.node_name)),
            text_cell(cards[c.new.indicator].names[words.code]),
            *_cells(then, c),
        )
        for c in changes
    )
    units = len({change.new.node for change in changes})
    return Panel(
        name="units-changed",
        title=words.say("replay.units"),
        sub=words.say("replay.units.sub", count=words.count(units)),
        face=grid(ids.grid(PAGE, "units"), Table(tuple(words.say(f"column.{key}") for key in keys), rows), words),
        is_list=True,
    )


def arrived_since(then: Focus, moment: dt.datetime) -> Panel | None:
    """Return the files recorded after a moment, newest first."""
    batches = [batch for batch in then.session.batches(LISTED) if batch.recorded_at > moment]
    if not batches:
        return None
    words = then.words
    keys = ("recorded", "file", "source", "accepted", "removed")
    rows = tuple(
        (
            text_cell(words.moment(batch.recorded_at)),
            text_cell(file_text(then, batch.file_name, batch.withdraws)),
            text_cell(batch.titles[words.code]),
            number_cell(words.count(batch.accepted)),
            number_cell(words.count(batch.removed)),
        )
        for batch in batches
    )
    return Panel(
        name="arrived",
        title=words.say("replay.arrived"),
        sub=words.say("replay.arrived.sub", count=words.count(len(batches))),
        face=grid(ids.grid(PAGE, "arrived"), Table(tuple(words.say(f"column.{key}") for key in keys), rows), words),
        is_list=True,
    )


def _cells(focus: Focus, change: Difference) -> tuple[Cell, ...]:
    words = focus.words
    before, after = change.old, change.new
    return (
        number_cell(value_text(focus, before), words.full(before.value) if before.value is not None else ""),
        number_cell(value_text(focus, after), words.full(after.value) if after.value is not None else ""),
        _moved(focus, change),
        text_cell(files_text(focus, change)),
    )


def files_text(focus: Focus, change: Difference) -> str:
    """Return the names of the files that moved a figure, the last few of many."""
    words = focus.words
    names = list(dict.fromkeys(file_text(focus, part.file_name, part.withdraws) for part in reversed(change.batches)))
    if not names:
        return words.say("replay.no_file")
    joined = words.say("list.joint").join(names[:NAMED])
    more = len(names) - NAMED
    return words.say("replay.and_more", names=joined, count=words.count(more)) if more > 0 else joined


def file_text(focus: Focus, name: str, withdraws: int | None) -> str:
    """Return the name of a file, said to be withdrawn where the batch takes it back."""
    return name if withdraws is None else focus.words.say("replay.withdrawn", file=name, of=withdraws)


def _moved(focus: Focus, change: Difference) -> Cell:
    words, delta, unit = focus.words, change.change, change.new.unit
    if delta is None:
        return number_cell("", "")
    sign = "+" if delta > 0 else ""
    text = words.points(delta) if unit == "%" else sign + words.figure(delta, unit).text
    return number_cell(text, words.full(delta))
