"""Which sources have come in for a period, and who is missing."""

from __future__ import annotations

from collections.abc import Sequence

from dash import html

from callbacks.focus import Focus
from callbacks.panels import Cell, Panel, Table, number_cell, text_cell
from callbacks.services import Due

NAMED = 3


def arrival_panel(focus: Focus, dues: Sequence[Due], most: int = 5) -> Panel | None:
    """Return the panel "data in place": got of due per source and the first names that are missing."""
    if not dues:
        return None
    words = focus.words
    late = [due for due in dues if due.got < due.due]
    unseen = [due for due in dues if due.waiting]
    shown = sorted(dues, key=lambda due: (due.got >= due.due, not due.waiting))[:most]
    key = "arrival.reading.late" if late else "arrival.reading.waiting" if unseen else "arrival.reading.all"
    values = {"count": words.count(len(late or unseen)), "total": words.count(len(dues))}
    return Panel(
        name="arrival",
        title=words.say("arrival.title"),
        sub=words.period(focus.last_month, "month"),
        reading=words.say(key, **values),
        face=html.Div([_row(focus, due) for due in shown], className="arrival"),
        twin=arrival_table(focus, dues),
        weight=0.85,
    )


def missing_text(focus: Focus, due: Due) -> str:
    """Return who is missing, or that all is there, or that nothing is due yet."""
    words = focus.words
    if due.status == "not_due":
        return (
            words.say("arrival.not_due", day=due.due_on.isoformat())
            if due.due_on
            else words.say("arrival.not_due.open")
        )
    if due.got >= due.due:
        if due.waiting:
            return words.say("arrival.waiting", names=_named(focus, due.waiting))
        return words.say("arrival.complete")
    return _named(focus, due.missing)


def _named(focus: Focus, codes: Sequence[str]) -> str:
    """Return the first names and how many more there are."""
    words = focus.words
    names = [focus.tree.name(code) for code in codes[:NAMED]]
    joined = words.say("list.joint").join(names)
    more = len(codes) - len(names)
    return words.say("arrival.and_more", names=joined, count=words.count(more)) if more > 0 else joined


def _row(focus: Focus, due: Due) -> html.Div:
    words = focus.words
    state = "waiting" if due.status == "not_due" else "complete" if due.got >= due.due else "late"
    if state == "complete" and due.waiting:
        state = "waiting"
    got = words.say("tile.got.bare", got=words.count(due.got), due=words.count(due.due))
    if due.reviewed is not None:
        got = words.say("tile.reviewed", got=words.count(due.reviewed), due=words.count(due.due))
    missing = missing_text(focus, due)
    return html.Div(
        [
            html.Span(due.names[words.code], className="arrival-name"),
            html.Span(got, className=f"arrival-got {state}"),
            html.Span(missing, className="arrival-missing", title=missing),
        ],
        className="arrival-row",
    )


def _review_cells(focus: Focus, due: Due) -> tuple[Cell, Cell]:
    words = focus.words
    waiting = words.say("list.joint").join(focus.tree.name(code) for code in due.waiting)
    return number_cell("" if due.reviewed is None else words.count(due.reviewed)), text_cell(waiting)


def arrival_table(focus: Focus, dues: Sequence[Due]) -> Table:
    """Return completeness as a table with every missing name."""
    words = focus.words
    has_review = any(due.reviewed is not None for due in dues)
    keys = ("source", "period", "due", "got", "due_on", "missing", *(("reviewed", "waiting") if has_review else ()))
    rows = tuple(
        (
            text_cell(due.names[words.code]),
            text_cell(due.period),
            number_cell(words.count(due.due)),
            number_cell(words.count(due.got)),
            text_cell(due.due_on.isoformat() if due.due_on else ""),
            text_cell(words.say("list.joint").join(focus.tree.name(code) for code in due.missing)),
            *(_review_cells(focus, due) if has_review else ()),
        )
        for due in dues
    )
    return Table(tuple(words.say(f"column.{key}") for key in keys), rows)
