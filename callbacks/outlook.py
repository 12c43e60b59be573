"""The year-end projection as a fan, with its sentence and its twin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import html

from callbacks import ids
from callbacks.figures import SIZE, Figure, axis, band, graph, layout, line, note
from callbacks.focus import Focus
from callbacks.language import Language
from callbacks.palette import PALETTES, Palette
from callbacks.panels import Panel, Table, number_cell, text_cell
from callbacks.services import Landing, LandingPoint
from warehouse.base.periods import Period


def landing_panel(focus: Focus, page: str, landings: Sequence[Landing], index: int = 0) -> Panel | None:
    """Return the panel of one projection, or None when the worker has stored none."""
    if index >= len(landings):
        return None
    landing, words = landings[index], focus.words
    name = landing.names[words.code]
    unit = words.figure(largest(landing), landing.unit).unit
    sentence = reading(landing, words)
    face: Any = html.P(sentence, className="why")
    if landing.end is not None:
        figure = fan(landing, words, focus.state.theme)
        face = graph(ids.graph(page, f"landing-{index}"), figure, sentence)
    return Panel(
        name="landing",
        title=words.say("landing.title"),
        sub=words.say("landing.sub", year=words.period(str(landing.year), "year"), name=name, unit=unit),
        reading=sentence if landing.end is not None else "",
        face=face,
        twin=twin(landing, words),
        weight=1.25,
    )


def reading(landing: Landing, words: Language) -> str:
    """Return the projection in one sentence."""
    end = landing.end
    if end is None or end.mean is None or end.low90 is None or end.high90 is None:
        key = f"landing.none.{landing.status}"
        return words.say(key if words.has(key) else "landing.none", reason=landing.reason)
    unit = landing.unit
    values = {
        "year": words.period(str(landing.year), "year"),
        "mean": words.figure(end.mean, unit).text,
        "low": words.figure(end.low90, unit).number,
        "high": words.figure(end.high90, unit).text,
    }
    basis = words.say("landing.as_last_year") if landing.is_naive else ""
    if landing.plan is None or landing.over_plan is None:
        return words.say("landing.reading", basis=basis, **values)
    return words.say("landing.reading.plan", basis=basis, risk=words.percent(landing.over_plan * 100), **values)


def twin(landing: Landing, words: Language) -> Table:
    """Return the projection as a table."""
    keys = ("period", "actual", "last_year", "mean", "low80", "high80", "low90", "high90")
    headers = tuple(words.say(f"landing.column.{key}") for key in keys)
    return Table(headers, tuple(_twin_row(point, landing.unit, words) for point in landing.points))


def _twin_row(point: LandingPoint, unit: str, words: Language) -> tuple[Any, ...]:
    values = (point.actual, point.last_year, point.mean, point.low80, point.high80, point.low90, point.high90)
    cells = [
        number_cell("", "") if value is None else number_cell(words.figure(value, unit).text, words.full(value))
        for value in values
    ]
    return (text_cell(words.period(point.period, "month")), *cells)


def fan(landing: Landing, words: Language, theme: str) -> Figure:
    """Return the chart: months so far, last year in pale, the plan, and the 80 and 90 % fan to the year's end."""
    ink = PALETTES[theme]
    scale = scale_of(landing, words)
    points = landing.points
    x = list(range(len(points)))
    known = [index for index in x if points[index].actual is not None]
    ahead = [index for index in x if points[index].mean is not None and (not known or index >= known[-1])]
    traces: list[Figure] = []
    if ahead:
        traces += _fan_traces(points, ahead, scale, ink, words, landing.unit)
    traces.append(_past(points, x, scale, ink, words, landing.unit))
    traces.append(_actual(points, known, scale, ink, words, landing.unit))
    end = ahead[-1] if ahead else len(points) - 1
    notes, shapes = _labels(landing, end, known, scale, ink, words)
    return {"data": traces, "layout": _fan_layout(landing, theme, words, notes, shapes)}


def _scaled(value: float | None, scale: float) -> float | None:
    return None if value is None else value / scale


def _hover(
    points: Sequence[LandingPoint], key: str, label: str, unit: str, words: Language, at: Sequence[int]
) -> list[str]:
    values = [getattr(points[index], key) for index in at]
    return ["" if v is None else words.say(label, value=words.figure(v, unit).text) for v in values]


def _past(
    points: Sequence[LandingPoint], x: list[int], scale: float, ink: Palette, words: Language, unit: str
) -> Figure:
    hover = _hover(points, "last_year", "landing.hover.last_year", unit, words, x)
    values = [_scaled(point.last_year, scale) for point in points]
    return line(
        x, values, "last_year", ink.last_year, hover, line={"color": ink.last_year, "width": 1.8, "dash": "dot"}
    )


def _actual(
    points: Sequence[LandingPoint], known: list[int], scale: float, ink: Palette, words: Language, unit: str
) -> Figure:
    hover = _hover(points, "actual", "landing.hover.actual", unit, words, known)
    values = [_scaled(points[index].actual, scale) for index in known]
    sizes = [0.0] * max(len(known) - 1, 0) + [9.0] * min(len(known), 1)
    return line(
        known, values, "actual", ink.accent, hover, mode="lines+markers", marker={"size": sizes, "color": ink.accent}
    )


def _fan_traces(
    points: Sequence[LandingPoint], ahead: list[int], scale: float, ink: Palette, words: Language, unit: str
) -> list[Figure]:
    traces: list[Figure] = []
    for low, high, share in (("low90", "high90", 0.16), ("low80", "high80", 0.26)):
        lows = [getattr(points[index], low) for index in ahead]
        highs = [getattr(points[index], high) for index in ahead]
        if None not in lows and None not in highs:
            traces.append(band(ahead, [v / scale for v in lows], [v / scale for v in highs], ink.accent, share))
    hover = _hover(points, "mean", "landing.hover.mean", unit, words, ahead)
    values = [_scaled(points[index].mean, scale) for index in ahead]
    sizes = [0.0] * (len(ahead) - 1) + [9.0]
    style = {"color": ink.accent, "width": 2.2, "dash": "dash"}
    traces.append(
        line(
            ahead,
            values,
            "mean",
            ink.accent,
            hover,
            line=style,
            mode="lines+markers",
            marker={"size": sizes, "color": ink.accent},
        )
    )
    return traces


def _labels(
    landing: Landing, end: int, known: list[int], scale: float, ink: Palette, words: Language
) -> tuple[list[Any], list[Any]]:
    """Return the labels right of the last month, moved apart, and the line of the plan."""
    last = landing.points[end]
    wanted = [
        (last.last_year, "landing.label.last_year", ink.text_3),
        (landing.plan, "landing.label.plan", ink.text),
        (last.mean, "landing.label.mean", ink.accent),
    ]
    present = [
        (value, words.say(key, value=words.figure(value, landing.unit).number), colour)
        for value, key, colour in wanted
        if value
    ]
    ordered = sorted(present, key=lambda item: -item[0])
    notes = [
        note(text, colour, x=end, y=value / scale, xanchor="left", yanchor="middle", xshift=12, yshift=shift)
        for (value, text, colour), shift in zip(ordered, _apart([v for v, _, _ in ordered], landing), strict=True)
    ]
    if known and landing.points[known[-1]].actual is not None:
        value = float(landing.points[known[-1]].actual or 0)
        label = words.say(
            "landing.label.actual",
            period=words.month_name(Period.parse(landing.points[known[-1]].period).from_m),
            value=words.figure(value, landing.unit).number,
        )
        notes.append(
            note(
                label, ink.accent, x=known[-1], y=value / scale, xanchor="right", yanchor="bottom", xshift=-6, yshift=4
            )
        )
    shapes = []
    if landing.plan is not None:
        height = landing.plan / scale
        shapes.append(
            {
                "type": "line",
                "xref": "x",
                "x0": 0,
                "x1": end,
                "y0": height,
                "y1": height,
                "line": {"color": ink.text, "width": 1.6},
            }
        )
    return notes, shapes


def _apart(values: Sequence[float], landing: Landing) -> list[float]:
    """Return vertical shifts in pixels that keep labels of close values from lying on each other."""
    if not values:
        return []
    span = max(largest(landing) - _lowest(landing), 1e-9)
    height = 220.0
    places = [value / span * height for value in values]
    moved = [places[0]]
    for place in places[1:]:
        moved.append(min(place, moved[-1] - 1.5 * SIZE))
    centre = sum(places) / len(places) - sum(moved) / len(moved)
    return [new - old + centre for new, old in zip(moved, places, strict=True)]


def largest(landing: Landing) -> float:
    """Return the greatest value the chart shows."""
    values = [v for p in landing.points for v in (p.actual, p.last_year, p.mean, p.high90) if v is not None]
    return max([*values, landing.plan or 0.0, 0.0])


def _lowest(landing: Landing) -> float:
    values = [v for p in _window(landing) for v in (p.actual, p.last_year, p.low90) if v is not None]
    return min(values, default=0.0)


def _window(landing: Landing) -> Sequence[LandingPoint]:
    return landing.points[_first_shown(landing) :]


def _first_shown(landing: Landing) -> int:
    return max(0, len(landing.points) - 7)


def scale_of(landing: Landing, words: Language) -> float:
    """Return the divisor from the declared unit to the unit written above the chart."""
    return words.axis_scale(largest(landing), landing.unit)[0]


def _fan_layout(landing: Landing, theme: str, words: Language, notes: list[Any], shapes: list[Any]) -> dict[str, Any]:
    ink = PALETTES[theme]
    first, last = _first_shown(landing), len(landing.points) - 1
    ticks = list(range(first, last + 1))
    names = [words.month_name(Period.parse(landing.points[index].period).from_m) for index in ticks]
    scale = scale_of(landing, words)
    low, high = _lowest(landing) / scale, largest(landing) / scale
    pad = (high - low) * 0.08 or 1.0
    return layout(
        theme,
        margin={"l": 44, "r": 104, "t": 6, "b": 26},
        xaxis=axis(ink, tickvals=ticks, ticktext=names, range=[first - 0.2, last + 0.05], showgrid=False),
        yaxis=axis(ink, gridded=True, range=[low - pad, high + pad], nticks=5),
        annotations=notes,
        shapes=shapes,
    )
