"""Charts as plain dictionaries in one template, and the one place that puts a chart on a page.

Plain dicts cost a hundredth of validated figures to build (validation happens in the tests). A chart is never
drawn without a figure: plotly would log it and the browser would keep the page it stood on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from dash import html

from callbacks.attributes import attributes
from callbacks.palette import PALETTES, Palette, translucent

FONT = "'Noto Sans CJK SC','Source Han Sans SC','Microsoft YaHei',system-ui,sans-serif"
SIZE = 14
CONFIG: Any = {
    "displayModeBar": False,
    "displaylogo": False,
    "showSendToCloud": False,
    "responsive": True,
    "scrollZoom": False,
    "doubleClick": False,
}

Figure = dict[str, Any]


def graph(graph_id: str, figure: Figure, described: str) -> html.Div:
    """Return the place of a chart; assets/13-charts.js draws it and keeps it under its id over refreshes.

    Dash 4.4 mounts everything anew below children a callback returns, so a `dcc.Graph` there would be drawn from
    nothing at every refresh. `described` is the chart's text for those who cannot see it.
    """
    drawn = orjson.dumps({**figure, "config": CONFIG}).decode()
    holder = html.Div(className="chart-frame", **attributes(data_chart=graph_id, data_figure=drawn))
    return html.Div(holder, className="chart-box", role="img", **attributes(aria_label=described))


def layout(theme: str, **changes: Any) -> dict[str, Any]:
    """Return the common layout of every chart in a theme, with changes laid over it."""
    ink = PALETTES[theme]
    base: dict[str, Any] = {
        "autosize": True,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": FONT, "size": SIZE, "color": ink.text_2},
        "margin": {"l": 52, "r": 12, "t": 8, "b": 28},
        "showlegend": False,
        "hovermode": "x unified",
        "hoverlabel": {"bgcolor": ink.panel, "bordercolor": ink.line, "font": {"color": ink.text, "size": SIZE}},
        "xaxis": axis(ink),
        "yaxis": axis(ink, gridded=True),
        "uirevision": "keep",
        "dragmode": False,
        "annotations": [],
        "shapes": [],
    }
    return base | changes


def axis(ink: Palette, gridded: bool = False, **changes: Any) -> dict[str, Any]:
    """Return an axis: pale grid across, no lines, no zoom."""
    base: dict[str, Any] = {
        "showgrid": gridded,
        "gridcolor": ink.grid,
        "zeroline": False,
        "linecolor": ink.line,
        "tickfont": {"color": ink.text_3, "size": SIZE},
        "fixedrange": True,
        "automargin": True,
        "separatethousands": True,
    }
    return base | changes


def line(
    x: Sequence[Any], y: Sequence[float | None], name: str, colour: str, hover: Sequence[str], **changes: Any
) -> Figure:
    """Return a line trace whose hover text is already written."""
    base: Figure = {
        "type": "scatter",
        "mode": "lines",
        "x": list(x),
        "y": list(y),
        "name": name,
        "text": list(hover),
        "hovertemplate": "%{text}<extra></extra>",
        "line": {"color": colour, "width": 2.5, "shape": "linear"},
    }
    return base | changes


def band(x: Sequence[Any], low: Sequence[float], high: Sequence[float], colour: str, share: float) -> Figure:
    """Return a filled band between two lines, without hover."""
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [*x, *reversed(x)],
        "y": [*high, *reversed(low)],
        "fill": "toself",
        "fillcolor": translucent(colour, share),
        "line": {"width": 0},
        "hoverinfo": "skip",
    }


def rule(value: float, colour: str, upright: bool = False, dash: str = "solid") -> dict[str, Any]:
    """Return a reference line across the chart."""
    along = {"yref": "paper", "y0": 0, "y1": 1, "x0": value, "x1": value}
    across = {"xref": "paper", "x0": 0, "x1": 1, "y0": value, "y1": value}
    return {"type": "line", "line": {"color": colour, "width": 1.5, "dash": dash}} | (along if upright else across)


def note(text: str, colour: str, **place: Any) -> dict[str, Any]:
    """Return a label inside a chart."""
    return {"text": text, "showarrow": False, "font": {"color": colour, "size": SIZE}} | place
