"""Handing files in: where to drop them, what was understood of each, and how the unit in view stands."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Sequence
from urllib.parse import urlencode

from dash import html
from dash.development.base_component import Component

from callbacks import ids
from callbacks.attributes import attributes
from callbacks.desk import DeskView, Waiting
from callbacks.focus import Focus
from callbacks.grids import grid
from callbacks.handover_cards import card
from callbacks.panels import Cell, Panel, Table, frame, number_cell, text_cell
from callbacks.request import Regions, stamp
from warehouse.base.periods import Period, month_label
from warehouse.operations.handover import OPEN_STATES
from warehouse.review import texts as review_texts
from warehouse.submissions import Submission

PAGE = "hand-in"
REGIONS = ("head", "give", "mine", "owed", "waiting")
MONTHS_SHOWN = 3
ADDRESS = "/api/v1/hand-in"


def read(focus: Focus) -> Regions:
    """Return the regions of the page of hand-overs."""
    view = focus.session.desk()
    first = month_label(Period.parse(focus.last_month).from_m - MONTHS_SHOWN + 1)
    owed = focus.session.submissions(focus.node.code, first, focus.last_month)
    found: Regions = {
        "give": drop_zone(focus, view),
        "mine": handed_in(focus, view),
        "owed": frame(owed_panel(focus, view, owed), focus.words, stamp(focus)),
    }
    waiting = focus.session.waiting(focus.node.code)
    if waiting:
        found["waiting"] = frame(waiting_panel(focus, waiting), focus.words, stamp(focus))
    return found


def drop_zone(focus: Focus, view: DeskView) -> html.Div:
    """Return the place files are dropped on; the script beside the page sends them with the token."""
    words = focus.words
    steps = [
        html.Li([html.B(words.say(f"desk.step{n}")), html.Span(words.say(f"desk.step{n}.why"))]) for n in (1, 2, 3)
    ]
    choose = html.Button(words.say("desk.choose"), className="act", type="button", **attributes(data_desk="choose"))
    return html.Div(
        [
            html.Div(
                [
                    html.Div(words.say("desk.drop"), className="desk-drop-title"),
                    html.Div([choose, html.Span(words.say("desk.kinds"))], className="desk-drop-choose"),
                    html.P(words.say("foot.unclassified"), className="desk-notice"),
                ],
                className="desk-drop",
                **attributes(data_desk="drop"),
            ),
            html.Ol(steps, className="desk-steps"),
        ],
        className="desk-give",
        **attributes(
            data_token=view.token,
            data_node=focus.node.code,
            data_lang=words.code,
            data_too_large=words.say("desk.refused.too_large", name="{name}", limit="{limit}"),
            data_sending=words.say("desk.sending", name="{name}", done="{done}"),
            data_reading=words.say("desk.reading", name="{name}"),
            data_lost=words.say("desk.lost", name="{name}"),
        ),
    )


def handed_in(focus: Focus, view: DeskView) -> html.Div:
    """Return the files of the viewer: those that wait for a decision as cards, the others as lines."""
    opened = [row for row in reversed(view.rows) if row.state in OPEN_STATES]
    closed = [row for row in view.rows if row.state not in OPEN_STATES]
    cards: list[Component] = [card(focus, row, view.sources) for row in opened]
    if closed:
        title = html.H2(focus.words.say("desk.before"), className="desk-title")
        cards += [title, *(card(focus, row, view.sources) for row in closed)]
    return html.Div(cards, className="desk-cards", **attributes(data_desk="cards"))


# --- how the unit stands ---------------------------------------------------------------------------------------------


def owed_panel(focus: Focus, view: DeskView, owed: Sequence[Submission]) -> Panel:
    """Return what the unit in view owes for the last months, whether it came, and what was decided."""
    words, today = focus.words, local_day(focus)
    late = [one for one in owed if one.is_late(today)]
    back = [one for one in owed if one.state == "returned"]
    key = "none" if not owed else "returned" if back else "late" if late else "all"
    reading = words.say(f"desk.owed.reading.{key}", count=words.count(len(back or late)), total=words.count(len(owed)))
    keys = ("source", *(("unit",) if focus.children else ()), "period", "state", "note", "due_on", "reported")
    rows = tuple(_owed_row(focus, view, one, today) for one in owed)
    content = Table(tuple(words.say(f"desk.column.{name}") for name in keys), rows)
    return Panel(
        name="owed",
        title=words.say("desk.owed"),
        sub=focus.node.name,
        reading=reading,
        face=grid(ids.grid(PAGE, "owed"), content, words) if rows else None,
        is_list=bool(rows),
    )


def local_day(focus: Focus) -> dt.date:
    """Return today at the store's place."""
    return focus.session.now.astimezone(zoneinfo.ZoneInfo(focus.session.facts.zone)).date()


def _owed_row(focus: Focus, view: DeskView, one: Submission, today: dt.date) -> tuple[Cell, ...]:
    words = focus.words
    unit = (text_cell(one.unit_name),) if focus.children else ()
    reported = ""
    if one.reported_at is not None:
        reported = words.say("desk.reported", actor=one.reported_by, moment=words.moment(one.reported_at))
    state = review_texts()["state"][one.state][words.code]
    return (
        text_cell(view.sources[one.dataset].titles[words.code]),
        *unit,
        text_cell(one.period),
        text_cell(state, tone="bad" if one.is_late(today) else ""),
        text_cell(standing(focus, one, today)),
        text_cell(one.due_on.isoformat() if one.due_on else ""),
        text_cell(reported),
    )


def standing(focus: Focus, one: Submission, today: dt.date) -> str:
    """Return in words what the unit has to know: why it came back, how late it is, how many days are left."""
    words = focus.words
    if one.state == "returned":
        return words.say("desk.stands.returned", why=one.reason or "", actor=one.decided_by or "")
    if one.state != "missing":
        return words.say("desk.stands.restated") if one.restated else ""
    if one.due_on is None:
        return ""
    days = (today - one.due_on).days
    if days > 0:
        return words.say("desk.stands.late", days=words.count(days))
    return words.say("desk.stands.today" if days == 0 else "desk.stands.left", days=words.count(-days))


def waiting_panel(focus: Focus, waiting: Sequence[Waiting]) -> Panel:
    """Return the rows of the unit in view that wait to be corrected, and the sheet to correct them in."""
    words = focus.words
    keys = ("source", "unit", "period", "rows")
    rows = tuple(
        (
            text_cell(one.titles[words.code]),
            text_cell(focus.tree.name(one.unit) if one.unit else words.say("desk.unknown_unit")),
            text_cell(one.period or ""),
            number_cell(words.count(one.rows)),
        )
        for one in waiting
    )
    return Panel(
        name="waiting",
        title=words.say("desk.waiting"),
        sub=focus.node.name,
        reading=words.say("desk.waiting.reading", count=words.count(sum(one.rows for one in waiting))),
        face=grid(
            ids.grid(PAGE, "waiting"), Table(tuple(words.say(f"desk.column.{name}") for name in keys), rows), words
        ),
        tools=(html.A(words.say("desk.sheet"), href=sheet_link(focus.node.code, words.code), className="tool strong"),),
        is_list=True,
    )


def sheet_link(node: str, lang: str) -> str:
    """Return where the return sheet of a unit lies; a code is whatever the register says, also with & or #."""
    return f"{ADDRESS}/return.xlsx?{urlencode({'node': node, 'lang': lang})}"
