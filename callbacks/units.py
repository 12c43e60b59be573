"""Lists of units side by side: the state matrix, peers and the strip of intensities."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import orjson
from dash import dcc, html

from callbacks.attributes import attributes
from callbacks.board import BOARD, has_source, mark_label, rolling_with_marks
from callbacks.focus import Focus
from callbacks.panels import Bar, Panel, Table, bars, number_cell, shape, text_cell, worst
from callbacks.services import LEVELS, Alarm, Mark, Node
from metrics.model import Answer

MATRIX_ROWS = 8
PEER_ROWS = 16
WALL_ROWS = 12
STRIP_MEASURES = ("en_nonheat_per_area", "en_per_area", "elec_per_area")
_BAR_CANDIDATES = ("op_cost_per_capita", "en_per_area", "elec_per_area", "budget_exec_rate")


def by_children(focus: Focus, indicator: str, **changes: Any) -> dict[str, Answer]:
    """Return an indicator of every child that has a figure, in official order."""
    answers = focus.session.evaluate(focus.queries([indicator], by="children", **changes))
    found = {answer.node: answer for answer in answers if answer.value is not None and answer.node != focus.node.code}
    return {node.code: found[node.code] for node in focus.children if node.code in found}


def share_of_top(answer: Answer, top: float) -> float:
    """Return a bar's share of the longest."""
    return float(answer.value or 0) / top if top else 0.0


def matrix_panel(focus: Focus, alarms: Sequence[Alarm]) -> Panel | None:
    """Return units by themes: the worst open warning of each, and one figure per head or area beside it."""
    if not focus.children:
        return None
    words, cards = focus.words, focus.session.indicators()
    alarms = _by_child(focus, alarms)
    themes = [theme.name for theme in BOARD if any(c.theme == theme.name and c.has_source for c in cards.values())]
    measure = next((name for name in _BAR_CANDIDATES if has_source(cards, name)), None)
    values = by_children(focus, measure) if measure else {}
    shown = _matrix_nodes(focus, alarms, values)
    top = max((float(values[n.code].value or 0) for n in shown if n.code in values), default=0.0)
    headers = [html.Span(words.say(f"theme.short.{name}"), className="matrix-theme") for name in themes]
    scale, unit = words.axis_scale(top, cards[measure].unit) if measure else (1.0, "")
    title = words.say("matrix.measure", name=cards[measure].names[words.code], unit=unit) if measure else ""
    head = html.Div(
        [html.Span(), *headers, html.Span(title, className="matrix-measure")], className="matrix-row matrix-head"
    )
    rows = [_matrix_row(focus, node, themes, alarms, values, (top, scale)) for node in shown]
    ordered = words.say("matrix.sub.todo" if alarms else "matrix.sub.order", count=words.count(len(shown)))
    return Panel(
        name="units",
        title=words.say("matrix.title"),
        sub=ordered,
        reading="",
        face=html.Div([head, *rows], className="matrix", style={"--themes": str(len(themes))}),
        twin=_matrix_twin(focus, shown, themes, alarms, values, title),
        weight=1.05,
    )


def _matrix_nodes(focus: Focus, alarms: Sequence[Alarm], values: dict[str, Answer]) -> tuple[Node, ...]:
    """Units with open items first come into the list; within it stands the official order."""
    rank = {level: place for place, level in enumerate(LEVELS)}
    worst_of: dict[str, int] = {}
    for alarm in alarms:
        worst_of[alarm.node] = min(rank[alarm.level], worst_of.get(alarm.node, len(LEVELS)))
    nodes = [node for node in focus.children if node.code in worst_of or node.code in values]
    kept = sorted(nodes, key=lambda node: worst_of.get(node.code, len(LEVELS)))[:MATRIX_ROWS]
    codes = {node.code for node in kept}
    return tuple(node for node in nodes if node.code in codes)


def _by_child(focus: Focus, alarms: Sequence[Alarm]) -> list[Alarm]:
    """Return warnings as warnings of the child they lie below; those of the node itself stay out."""
    found = [(alarm, _child_above(focus, alarm.node)) for alarm in alarms]
    return [replace(alarm, node=child) for alarm, child in found if child]


def _child_above(focus: Focus, code: str) -> str | None:
    """Return the child of the node in view that a unit lies below."""
    return next((node.code for node in focus.tree.path(code) if node.parent == focus.node.code), None)


def _alarms_of(node: Node, theme: str, alarms: Sequence[Alarm]) -> list[Alarm]:
    return [a for a in alarms if a.theme == theme and a.node == node.code]


def _matrix_row(
    focus: Focus,
    node: Node,
    themes: Sequence[str],
    alarms: Sequence[Alarm],
    values: dict[str, Answer],
    scale: tuple[float, float],
) -> html.Div:
    marks = []
    for theme in themes:
        firing = _alarms_of(node, theme, alarms)
        title = "；".join(alarm.titles[focus.words.code] for alarm in firing)
        marks.append(shape(worst(alarm.level for alarm in firing), title or focus.words.say("matrix.calm")))
    answer = values.get(node.code)
    measure: list[Any] = []
    if answer is not None:
        shown = focus.words.figure(answer.value, answer.unit)
        width = f"{min(share_of_top(answer, scale[0]), 1) * 100:.1f}%"
        measure = [
            html.Div(html.Div(className="fill", style={"width": width}), className="track"),
            html.Span(focus.words.plain(float(answer.value or 0) / scale[1]), title=shown.full, className="bar-value"),
        ]
    name = dcc.Link(node.name, href=focus.link("/", node=node.code), className="matrix-name", title=node.name)
    return html.Div([name, *marks, html.Div(measure, className="matrix-bar")], className="matrix-row")


def _matrix_twin(
    focus: Focus,
    nodes: Sequence[Node],
    themes: Sequence[str],
    alarms: Sequence[Alarm],
    values: dict[str, Answer],
    title: str,
) -> Table:
    words = focus.words
    headers = (words.say("column.unit"), *(words.say(f"theme.short.{name}") for name in themes), title)
    rows = []
    for node in nodes:
        levels = [worst(alarm.level for alarm in _alarms_of(node, theme, alarms)) for theme in themes]
        cells = [text_cell(words.say(f"level.{level}") if level else "") for level in levels]
        answer = values.get(node.code)
        figure = words.figure(answer.value, answer.unit) if answer else words.figure(None, "")
        rows.append((text_cell(node.name), *cells, number_cell(figure.text, figure.full)))
    return Table(headers, tuple(rows))


def answers_table(focus: Focus, answers: Sequence[Answer]) -> Table:
    """Return answers of units as a table."""
    words = focus.words
    unit = answers[0].unit if answers else ""
    headers = (words.say("column.unit"), words.say("column.value", unit=words.unit(unit)))
    return Table(
        headers,
        tuple(
            (
                text_cell(focus.tree.name(a.node)),
                number_cell(words.figure(a.value, a.unit).text, words.full(a.value) if a.value is not None else ""),
            )
            for a in answers
        ),
    )


def strip_panel(focus: Focus) -> Panel | None:
    """Return every unit as a dot along the quota: in the unit itself, or in percent of each unit's own limit."""
    cards, words = focus.session.indicators(), focus.words
    measure = next((name for name in STRIP_MEASURES if has_source(cards, name)), None)
    if measure is None or not focus.children:
        return None
    found = rolling_with_marks(focus, measure)
    if len(found) < 3:
        return None
    own = {marks for _, _, marks in found}
    common = next(iter(own)) if len(own) == 1 else ()
    relative = not common and all(marks for _, _, marks in found)
    placed = [(a, value / marks[-1].value * 100 if relative else value, marks) for a, value, marks in found]
    limit = 100.0 if relative else (common[-1].value if common else None)
    unit = "%" if relative else words.unit(cards[measure].unit)
    key = "strip.sub.relative" if relative else "strip.sub"
    return Panel(
        name="strip",
        title=cards[measure].names[words.code],
        sub=words.say(key, unit=unit, count=words.count(len(found))),
        reading=_strip_reading(focus, placed, limit),
        face=_strip(focus, placed, common, limit),
        twin=answers_table(focus, [answer for answer, _, _ in found]),
        weight=1.25,
    )


Placed = tuple[Answer, float, tuple[Mark, ...]]


def _strip_reading(focus: Focus, placed: Sequence[Placed], limit: float | None) -> str:
    words = focus.words
    if limit is None:
        answers = sorted(placed, key=lambda item: item[1])
        middle = statistics.median(value for _, value, _ in answers)
        unit = answers[0][0].unit
        return words.say(
            "strip.reading.median",
            middle=words.figure(middle, unit).text,
            name=focus.tree.name(answers[-1][0].node),
            most=words.figure(answers[-1][1], unit).text,
        )
    over = [item for item in placed if item[1] > limit]
    if not over:
        return words.say("strip.reading.none", total=words.count(len(placed)))
    most = max(over, key=lambda item: item[1])
    return words.say(
        "strip.reading.over",
        count=words.count(len(over)),
        total=words.count(len(placed)),
        name=focus.tree.name(most[0].node),
        value=words.figure(most[0].value, most[0].unit).text,
    )


def _strip(focus: Focus, placed: Sequence[Placed], common: Sequence[Mark], limit: float | None) -> html.Div:
    values = [value for _, value, _ in placed]
    low, high = _trimmed(values, limit)
    span = (high - low) or 1.0

    def at(value: float) -> str:
        return f"{min(max((value - low) / span, 0), 1) * 96 + 2:.2f}%"

    dots = [
        [
            at(value),
            f"{20 + (index * 37 % 61)}%",
            f"{focus.tree.name(answer.node)} {focus.words.figure(answer.value, answer.unit).text}",
            focus.link("/energy", node=answer.node),
            limit is not None and value > limit,
        ]
        for index, (answer, value, _) in enumerate(placed)
    ]
    lines: list[tuple[float, str]] = [(mark.value, mark_label(focus, mark)) for mark in common]
    if not common and limit is not None:
        lines = [(limit, focus.words.say("mark.limit", value="100%"))]
    if limit is None:
        lines = [
            (
                statistics.median(values),
                focus.words.say("mark.median", value=focus.words.figure(statistics.median(values), "").number),
            )
        ]
    zone = html.Div(className="over-zone", style={"left": at(limit), "right": "0"}) if limit is not None else None
    ticks = [html.I(className="line", style={"left": at(value)}) for value, _ in lines]
    labels = [html.Span(text, className="mark-label", style={"left": at(value)}) for value, text in lines]
    most = max(placed, key=lambda item: item[1])
    outlier = html.Span(
        f"{focus.tree.name(most[0].node)} {focus.words.figure(most[0].value, '').number}", className="outlier"
    )
    cloud = html.Div(className="dots", **attributes(data_dots=orjson.dumps(dots).decode()))
    stage = [part for part in (zone, *ticks, cloud) if part is not None]
    above = [outlier] if limit is None or most[1] > limit else []
    return html.Div(
        [
            html.Div(above, className="strip-above"),
            html.Div(stage, className="strip-stage"),
            html.Div(labels, className="mark-labels"),
        ],
        className="strip",
    )


def _trimmed(values: Sequence[float], limit: float | None) -> tuple[float, float]:
    """Return the ends of the strip; a single far outlier stands at the edge and does not squeeze the rest."""
    ordered = sorted(values)
    high = ordered[-1]
    if len(ordered) >= 12:
        high = min(high, ordered[int(len(ordered) * 0.9)] * 1.6)
    return min(ordered[0], limit or ordered[0]), max(high, (limit or 0) * 1.08)


def peers_panel(focus: Focus, indicator: str, page_path: str, most: int = PEER_ROWS) -> Panel | None:
    """Return the units below (or beside) the node as bars with the median, the quota lines and last year as a tick."""
    cards, words = focus.session.indicators(), focus.words
    if not has_source(cards, indicator):
        return None
    above = focus if focus.children else beside(focus)
    if above is None or not above.children:
        return None
    values = by_children(above, indicator)
    if not values:
        return None
    earlier = focus.year_earlier()
    before = by_children(above, indicator, period_from=earlier, period_to=earlier)
    shown = _peers_shown(list(values.values()), focus.node.code, most)
    numbers = [float(answer.value or 0) for answer in values.values()]
    middle = statistics.median(numbers)
    marks = focus.session.marks(indicator, above.node.code, focus.last_month, focus.known_at)
    top = (
        max([*numbers, *(float(a.value or 0) for a in before.values() if a.node in values), *(m.value for m in marks)])
        * 1.04
    )
    limit = marks[-1].value if marks else None
    unit = cards[indicator].unit
    divisor, axis_unit = words.axis_scale(top, unit)
    rows = [
        _peer(focus, answer, before.get(answer.node), (top, divisor), limit, page_path, indicator) for answer in shown
    ]
    lines = [(middle / top, words.say("mark.median", value=words.plain(middle / divisor)))]
    lines += [(mark.value / top, mark_label(focus, mark)) for mark in marks]
    highest = max(values.values(), key=lambda answer: float(answer.value or 0))
    return Panel(
        name="peers",
        title=words.say("peers.title"),
        sub=words.say("peers.sub", name=cards[indicator].names[words.code], unit=axis_unit),
        reading=words.say(
            "peers.reading",
            count=words.count(len(values)),
            name=focus.tree.name(highest.node),
            most=words.figure(highest.value, unit).text,
            middle=words.figure(middle, unit).text,
        ),
        face=bars(rows, lines if "/" in unit or unit == "%" else lines[:1]),
        twin=_peers_twin(focus, list(values.values()), before),
        weight=1.2,
        tall=True,
    )


def beside(focus: Focus) -> Focus | None:
    """Return the view one node up, for a node without children."""
    path = focus.tree.path(focus.node.code)
    if len(path) < 2:
        return None
    return Focus(
        focus.state, focus.words, focus.session, focus.tree, path[-2], focus.window, focus.grain, focus.known_at
    )


def _peers_shown(answers: list[Answer], here: str, most: int) -> list[Answer]:
    """In official order; of many, the largest and the one in view."""
    if len(answers) <= most:
        return answers
    kept = {a.node for a in sorted(answers, key=lambda a: -float(a.value or 0))[:most]} | {here}
    return [answer for answer in answers if answer.node in kept]


def _peer(
    focus: Focus,
    answer: Answer,
    before: Answer | None,
    scale: tuple[float, float],
    limit: float | None,
    path: str,
    indicator: str,
) -> Bar:
    value = float(answer.value or 0)
    top, divisor = scale
    shown = focus.words.figure(answer.value, answer.unit)
    return Bar(
        label=focus.tree.name(answer.node),
        share=value / top if top else 0,
        text=focus.words.plain(value / divisor),
        full=shown.full,
        href=focus.link(path, node=answer.node, pick=indicator),
        tone="over" if limit is not None and value > limit else "",
        ticks=(float(before.value) / top,) if before is not None and before.value is not None and top else (),
        is_here=answer.node == focus.node.code,
    )


def _peers_twin(focus: Focus, answers: Sequence[Answer], before: dict[str, Answer]) -> Table:
    words = focus.words
    unit = answers[0].unit
    headers = (
        words.say("column.unit"),
        words.say("column.value", unit=words.unit(unit)),
        words.say("column.last_year"),
    )
    rows = []
    for answer in answers:
        then = before.get(answer.node)
        cells = [words.figure(a.value, unit) if a else words.figure(None, unit) for a in (answer, then)]
        fulls = [words.full(a.value) if a and a.value is not None else "" for a in (answer, then)]
        rows.append(
            (
                text_cell(focus.tree.name(answer.node)),
                *(number_cell(cell.text, full) for cell, full in zip(cells, fulls, strict=True)),
            )
        )
    return Table(headers, tuple(rows))
