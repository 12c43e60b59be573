"""Warnings as a short list for the board and as groups for their own page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from dash import dcc, html

from callbacks.attributes import attributes
from callbacks.focus import Focus
from callbacks.language import Language
from callbacks.panels import LEVEL_SHAPES, Panel, Table, number_cell, shape, text_cell
from callbacks.services import LEVELS, Alarm
from warehouse.base.periods import Grain

TODAY = 5
LISTED = 100
PATHS = {"cost": "/cost", "energy": "/energy"}


def most_urgent(alarms: Sequence[Alarm]) -> list[Alarm]:
    """Return warnings from the most severe down; of one level the newest first."""
    rank = {level: place for place, level in enumerate(LEVELS)}
    newest = sorted(alarms, key=lambda alarm: alarm.since_seq or 0, reverse=True)
    return sorted(newest, key=lambda alarm: rank[alarm.level])


def today_panel(focus: Focus, alarms: Sequence[Alarm]) -> Panel:
    """Return the counts of the four colours and at most five items to decide today."""
    words = focus.words
    ordered = most_urgent(alarms)
    counts = level_counts(alarms, words)
    items = [_item(focus, alarm, times) for alarm, times in gathered(ordered)[:TODAY]]
    body: list[Any] = items or [html.P(words.say("warnings.none"), className="why")]
    more = len(ordered) - TODAY
    rest = [
        dcc.Link(words.say("warnings.more", count=words.count(more)), href=focus.link("/warnings"), className="more")
    ]
    return Panel(
        name="warnings",
        title=words.say("warnings.title"),
        sub=words.say("warnings.sub"),
        face=html.Div(
            [counts, html.Div(body, className="alarm-list"), *(rest if more > 0 else [])], className="alarms"
        ),
        twin=alarms_table(focus, [alarm for alarm, _ in gathered(ordered)[:TODAY]]),
        weight=0.85,
    )


def level_counts(alarms: Sequence[Alarm], words: Language) -> html.Div:
    """Return how many warnings fire in each of the four colours."""
    return html.Div([_count_box(level, alarms, words) for level in LEVELS], className="level-counts")


def _count_box(level: Any, alarms: Sequence[Alarm], words: Language) -> html.Div:
    count = sum(1 for alarm in alarms if alarm.level == level)
    label = html.Span([html.I(LEVEL_SHAPES[level], **attributes(aria_hidden="true")), words.say(f"level.{level}")])
    return html.Div([html.B(words.count(count)), label], className=f"level-count {level}{'' if count else ' nil'}")


def gathered(ordered: Sequence[Alarm]) -> list[tuple[Alarm, int]]:
    """Return warnings of one rule at one unit as one item, with how many there are."""
    counts: dict[tuple[str, str, str], int] = {}
    first: dict[tuple[str, str, str], Alarm] = {}
    for alarm in ordered:
        key = (alarm.rule, alarm.node, alarm.member)
        counts[key] = counts.get(key, 0) + 1
        first.setdefault(key, alarm)
    return [(first[key], counts[key]) for key in first]


def _item(focus: Focus, alarm: Alarm, times: int) -> dcc.Link:
    words = focus.words
    what = what_text(alarm, words)
    return dcc.Link(
        [
            shape(alarm.level, words.say(f"level.{alarm.level}")),
            html.Span(
                [
                    html.B(focus.tree.name(alarm.node, alarm.node_name)),
                    html.Span(what if times == 1 else words.say("warnings.times", what=what, times=times)),
                ],
                className="alarm-what",
            ),
            html.Span(value_text(alarm, words), className="alarm-value"),
        ],
        href=tile_link(focus, alarm),
        className="alarm-item",
    )


def value_text(alarm: Alarm, words: Language) -> str:
    """Return the figure that fires, or what it is when there is none."""
    if alarm.kind in ("missing", "repeat"):
        return words.say(f"warnings.said.{alarm.kind}", bound=words.full(alarm.threshold or 0))
    return words.figure(alarm.value, alarm.unit).text if alarm.value is not None else words.say("warnings.no_value")


def tile_link(focus: Focus, alarm: Alarm) -> str:
    """Return the address of the tile a warning speaks of, as known when it first fired."""
    since = focus.words.local(alarm.since).isoformat() if alarm.since else None
    return focus.link(
        PATHS.get(alarm.theme, "/"),
        node=alarm.node,
        period=alarm.period,
        grain=alarm.grain,
        pick=alarm.indicator,
        known_at=focus.state.known_at or since,
    )


def since_text(alarm: Alarm, words: Language) -> str:
    """Return since when a warning fires."""
    return words.say("warnings.since", day=words.local(alarm.since).strftime("%Y-%m-%d")) if alarm.since else ""


def alarms_table(focus: Focus, alarms: Sequence[Alarm]) -> Table:
    """Return warnings as a table."""
    words = focus.words
    keys = ("level", "unit", "what", "period", "figure", "threshold", "since")
    return Table(tuple(words.say(f"column.{key}") for key in keys), tuple(_table_row(focus, a) for a in alarms))


def _table_row(focus: Focus, alarm: Alarm) -> tuple[Any, ...]:
    words = focus.words
    limit = threshold_text(alarm, words)
    full = "" if alarm.value is None else words.full(alarm.value)
    return (
        text_cell(f"{LEVEL_SHAPES[alarm.level]} {words.say(f'level.{alarm.level}')}", tone=f"level-text {alarm.level}"),
        text_cell(focus.tree.name(alarm.node, alarm.node_name)),
        text_cell(what_text(alarm, words), href=tile_link(focus, alarm)),
        text_cell(words.period(alarm.period, cast(Grain, alarm.grain))),
        number_cell(value_text(alarm, words), full),
        number_cell(limit),
        text_cell(words.local(alarm.since).strftime("%Y-%m-%d") if alarm.since else ""),
    )


def level_panels(focus: Focus, alarms: Sequence[Alarm]) -> list[Panel]:
    """Return one panel per colour that fires, with every warning of it."""
    words = focus.words
    found = []
    for level in LEVELS:
        firing = [alarm for alarm in most_urgent(alarms) if alarm.level == level]
        if not firing:
            continue
        shown = firing[:LISTED]
        more = len(firing) - len(shown)
        found.append(
            Panel(
                name=f"level-{level}",
                title=words.say(f"level.title.{level}"),
                sub=words.say("warnings.count", count=words.count(len(firing))),
                face=_cards(focus, shown),
                twin=alarms_table(focus, shown),
                reading=words.say("warnings.more_below", count=words.count(more)) if more else "",
            )
        )
    return found


def _cards(focus: Focus, alarms: Sequence[Alarm]) -> html.Div:
    words = focus.words
    return html.Div(
        [
            dcc.Link(
                [
                    shape(alarm.level, words.say(f"level.{alarm.level}")),
                    html.Span(
                        [html.B(focus.tree.name(alarm.node, alarm.node_name)), html.Span(what_text(alarm, words))],
                        className="alarm-what",
                    ),
                    html.Span(_figure_against(alarm, words), className="alarm-value"),
                    html.Span(words.period(alarm.period, cast(Grain, alarm.grain)), className="alarm-period"),
                    html.Span(since_text(alarm, words), className="alarm-since"),
                ],
                href=tile_link(focus, alarm),
                className="alarm-item full",
            )
            for alarm in alarms
        ],
        className="alarm-list",
    )


def _figure_against(alarm: Alarm, words: Language) -> str:
    if alarm.value is None or alarm.threshold is None or alarm.kind in ("missing", "repeat"):
        return value_text(alarm, words)
    return words.say("warnings.against", value=value_text(alarm, words), limit=threshold_text(alarm, words))


def threshold_text(alarm: Alarm, words: Language) -> str:
    """Return the bound that was passed, in what the kind of the rule measures it in."""
    if alarm.threshold is None:
        return ""
    if alarm.kind == "threshold":
        return words.figure(alarm.threshold, alarm.unit).text
    return words.say(f"warnings.bound.{alarm.kind}", bound=words.full(alarm.threshold))


def what_text(alarm: Alarm, words: Language) -> str:
    """Return what the warning says, with the member of the dimension it speaks of."""
    title = alarm.titles[words.code]
    return words.say("warnings.member", title=title, member=alarm.member) if alarm.member else title
