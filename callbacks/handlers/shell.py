"""The frame's words and pickers: menu, labels, organisation tree, periods. Asked again only when language, tree or
caliber change, not at every view."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, html

from callbacks import ids
from callbacks.focus import known_moment
from callbacks.language import Language
from callbacks.request import Door
from callbacks.services import Session, Tree
from callbacks.state import AS_WAS, ViewState
from warehouse.base.errors import StoreError
from warehouse.base.periods import GRAINS, Period, month_label

Menu = Sequence[tuple[str, str, Mapping[str, str]]]
"""Name, path and titles of each page of the menu."""
LATEST = ""


def register(app: Dash, door: Door, pages: Sequence[str], menu: Menu) -> None:
    """Register the routing between address and pages (in the browser) and the frame's one request."""
    in_browser: Any = app.clientside_callback
    routed = [Output(ids.page_state(name), "data") for name in pages]
    in_browser(
        ClientsideFunction("shell", "route"),
        [Output(ids.SHELL_KEY, "data"), *routed],
        Input(ids.ADDRESS, "pathname"),
        Input(ids.ADDRESS, "search"),
        Input(ids.VERSION, "data"),
    )
    in_browser(ClientsideFunction("shell", "welcome"), Input(ids.DEFAULTS, "data"), prevent_initial_call=True)
    in_browser(
        ClientsideFunction("shell", "choose"),
        Output(ids.ADDRESS, "search"),
        Input(ids.NODE_PICKER, "value"),
        Input(ids.PERIOD_PICKER, "value"),
        Input(ids.GRAIN_PICKER, "value"),
        Input(ids.KNOWN_PICKER, "value"),
        Input(ids.TREE_PICKER, "value"),
        State(ids.ADDRESS, "search"),
        State(ids.DEFAULTS, "data"),
        prevent_initial_call=True,
    )
    outputs = [
        *(Output(ids.menu_link(name), "children") for name, _, _ in menu),
        *(Output(ids.context_label(part), "children") for part in ids.CONTEXT_PARTS),
        Output(ids.NODE_PICKER, "options"),
        Output(ids.NODE_PICKER, "labels"),
        Output(ids.PERIOD_PICKER, "options"),
        Output(ids.GRAIN_PICKER, "options"),
        Output(ids.TREE_PICKER, "options"),
        Output(ids.BRAND, "children"),
        Output(ids.ORIGIN, "children"),
        Output(ids.LANGUAGE_BUTTON, "children"),
        Output(ids.THEME_BUTTON, "children"),
        Output(ids.COPY_BUTTON, "children"),
        Output(ids.FOOTER, "children"),
        Output(ids.DEFAULTS, "data"),
    ]

    @app.callback(outputs, Input(ids.SHELL_KEY, "data"), prevent_initial_call=True)
    def _(key: Mapping[str, Any]) -> list[Any]:
        return frame(door, ViewState.parse(key["search"]), menu)


def frame(door: Door, state: ViewState, menu: Menu) -> list[Any]:
    """Return the children of the frame, also while there is no data."""
    words = door.words(state.lang)
    try:
        if door.services.is_ready():
            with door.services.open(door.viewer()) as session:
                return _filled(door.words(state.lang, session.facts), state, menu, session)
    except StoreError:
        pass
    return _dressed(words, state, menu, [], [], [], None, {"node": None})


def _filled(words: Language, state: ViewState, menu: Menu, session: Session) -> list[Any]:
    known_at = known_moment(state, session)
    latest = session.latest_period(known_at)
    tree = session.tree(known_at, state.tree)
    days = session.known_days()
    trees = tree_options(words, days, state.tree)
    defaults = {
        "node": tree.root,
        "latest": latest,
        "simulated": session.facts.is_simulated,
        "mark": words.say(f"origin.{session.facts.origin}"),
        "words": {key: words.texts[f"client.{key}"] for key in _CLIENT_WORDS},
    }
    return _dressed(
        words,
        state,
        menu,
        node_options(tree),
        period_options(words, latest, days, state.period),
        trees,
        session,
        defaults,
    )


_CLIENT_WORDS = ("copied", "lost", "age_now", "age_minutes", "age_hours", "age_days", "latest", "table", "chart")


def _dressed(
    words: Language,
    state: ViewState,
    menu: Menu,
    nodes: list[Any],
    periods: list[Any],
    trees: list[Any],
    session: Session | None,
    defaults: dict[str, Any],
) -> list[Any]:
    facts = session.facts if session else None
    origin = words.say(f"origin.{facts.origin}") if facts else ""
    mark = html.Span(origin, className="simulated" if facts and facts.is_simulated else "real") if origin else None
    if facts and facts.definition_faults:
        told = words.say("definitions.broken", count=str(facts.definition_faults))
        mark = html.Span([mark, html.Span(told, className="broken", role="status")])
    return [
        *(titles[state.lang] for _, _, titles in menu),
        *(words.say(f"context.{part}") for part in ids.CONTEXT_PARTS),
        nodes,
        {"search": words.say("context.search"), "no_options_found": words.say("context.nothing")},
        periods,
        [{"label": words.say(f"grain.{grain}"), "value": grain} for grain in GRAINS],
        trees,
        words.say("brand.name"),
        mark,
        words.say("button.language"),
        words.say(f"button.theme.{state.theme}"),
        words.say("button.copy"),
        _foot(words, facts),
        defaults,
    ]


def _foot(words: Language, facts: Any) -> list[Any]:
    notice = html.Span(words.say("foot.unclassified"))
    if facts is None:
        return [notice]
    published = words.moment(facts.published_at) if facts.published_at else "—"
    return [html.Span(words.say("foot.batch", seq=facts.through_seq, moment=published)), notice]


def node_options(tree: Tree) -> list[dict[str, Any]]:
    """Return the tree as a list: indented, found by name, other names, code and pinyin initials."""
    return [
        {
            "label": "\u2003" * node.depth + node.name,
            "value": node.code,
            "search": " ".join((node.name, node.full_name, node.code, node.initials, *node.others)),
        }
        for node in tree.nodes.values()
    ]


def period_options(
    words: Language, latest: str | None, days: Sequence[dt.date], chosen: str | None = None
) -> list[dict[str, Any]]:
    """Return the months one can choose, newest first; the first choice follows the newest data.

    The chosen month is always among them, also one after the last that was known on a past day.
    """
    if latest is None:
        return []
    end = Period.parse(latest).from_m
    start = min((day.year * 12 + day.month - 1 for day in days), default=end) - 24
    months = [month_label(number) for number in range(end, start - 1, -1)]
    if chosen and chosen != LATEST and chosen not in months:
        months.insert(0, chosen)
    newest = {"label": words.say("context.latest", period=words.period(latest, "month")), "value": LATEST}
    return [newest, *({"label": words.period(month, "month"), "value": month} for month in months)]


def tree_options(words: Language, days: Sequence[dt.date], chosen: str) -> list[dict[str, Any]]:
    """Return the organisations one can look through: as it was each month, or as on a day."""
    first = {"label": words.say("tree.as_was"), "value": AS_WAS}
    dates = {f"{year}-01-01" for year in {day.year for day in days}}
    if days:
        dates.add(days[-1].isoformat())
    if chosen != AS_WAS:
        dates.add(chosen)
    return [first, *({"label": words.say("tree.on", day=day), "value": day} for day in sorted(dates, reverse=True))]
