"""The frame every chart and list stands in: title, one-sentence reading, face, table twin, export.

The twin is the exact content of the face as a table; the export writes that table, nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from dash import dcc, html
from dash.development.base_component import Component

from callbacks.attributes import attributes
from callbacks.language import Language
from callbacks.services import LEVELS, Level

Child = Component | str | None
LEVEL_SHAPES: dict[Level, str] = {"red": "◆", "orange": "▲", "yellow": "●", "blue": "○"}


@dataclass(frozen=True)
class Cell:
    """A table cell: the text for the eye and, for figures, the full one for the export."""

    text: str
    full: str | None = None
    is_number: bool = False
    href: str | None = None
    tone: str = ""


@dataclass(frozen=True)
class Table:
    """Headers and rows; the last `totals` rows are sums of the others."""

    headers: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    totals: int = 0


@dataclass(frozen=True)
class Panel:
    """One panel of a page before it is dressed."""

    name: str
    title: str
    face: Child | list[Any]
    sub: str = ""
    reading: str = ""
    twin: Table | None = None
    weight: float = 1.0
    tools: tuple[Component, ...] = field(default=())
    tall: bool = False
    is_list: bool = False
    """The face is itself a table: exported as it stands, without a twin."""


def text_cell(text: str, href: str | None = None, tone: str = "") -> Cell:
    """Return a cell of words."""
    return Cell(text, href=href, tone=tone)


def number_cell(text: str, full: str | None = None) -> Cell:
    """Return a right-aligned cell."""
    return Cell(text, full=full or text, is_number=True)


def frame(panel: Panel, words: Language, stamp: str) -> html.Section:
    """Return a panel with its header, reading, face and hidden twin; `stamp` heads the export."""
    title = html.Div(
        [html.H2(panel.title), html.Span(panel.sub, className="sub")],
        className="panel-title",
        **attributes(data_act="unfold"),
    )
    head = html.Header([title, html.Div(_tools(panel, words), className="tools")])
    reading = html.P(panel.reading, className="reading") if panel.reading else None
    holder = html.Div(className="twin") if panel.twin else None
    return html.Section(
        [part for part in (head, reading, html.Div(panel.face, className="face"), holder) if part is not None],
        className=f"panel panel-{panel.name}{' tall' if panel.tall else ''}",
        style={"--weight": str(panel.weight)},
        **attributes(
            data_title=panel.title,
            data_stamp=stamp,
            data_name=panel.name,
            data_twin=as_json(panel.twin) if panel.twin else None,
        ),
    )


def as_json(content: Table) -> str:
    """Return a table for the browser, which draws the twin when somebody asks for it: [text, full figure or null]."""
    rows = [[[cell.text, cell.full if cell.is_number else None] for cell in row] for row in content.rows]
    return orjson.dumps({"headers": content.headers, "rows": rows, "totals": content.totals}).decode()


def _tools(panel: Panel, words: Language) -> list[Any]:
    twin = html.Button(words.say("panel.table"), className="tool", **attributes(data_act="twin"))
    export = html.Button(words.say("panel.export"), className="tool", **attributes(data_act="export"))
    return [*panel.tools, *([twin] if panel.twin else []), *([export] if panel.twin or panel.is_list else [])]


def rows_of(panels: Iterable[Panel], words: Language, stamp: str, most: int = 3) -> html.Div:
    """Return panels in rows of like length, so that no part of the screen stays empty."""
    present = list(panels)
    rows = [
        html.Div([frame(panel, words, stamp) for panel in row], className=f"panel-row of-{len(row)}")
        for row in balanced(present, most)
    ]
    return html.Div(rows, className=f"panels count-{len(present)}")


def balanced(panels: Sequence[Panel], most: int = 3) -> list[list[Panel]]:
    """Split panels into rows of at most three, the longer rows first: 6 → 3+3, 5 → 3+2, 4 → 2+2."""
    count = -(-len(panels) // most) if panels else 0
    rows: list[list[Panel]] = []
    rest = list(panels)
    for left in range(count, 0, -1):
        size = -(-len(rest) // left)
        rows.append(rest[:size])
        rest = rest[size:]
    return rows


@dataclass(frozen=True)
class Bar:
    """One row of a bar list: shares are of the width of the track."""

    label: str
    share: float
    text: str
    full: str = ""
    href: str | None = None
    tone: str = ""
    ticks: tuple[float, ...] = ()
    is_here: bool = False


def bars(rows: Iterable[Bar], lines: Sequence[tuple[float, str]] = ()) -> html.Div:
    """Return lying bars with reference lines across all rows, labelled once above."""
    labels = [
        html.Span(text, className=f"line-label level-{level}", style={"left": f"{min(max(share, 0), 1):.2%}"})
        for share, text, level in staggered(lines)
    ]
    top = html.Div([html.Span(), html.Div(labels, className="line-labels"), html.Span()], className="bar-row bar-top")
    return html.Div([*([top] if labels else []), *(_bar(row, lines) for row in rows)], className="bars")


def staggered(lines: Sequence[tuple[float, str]], apart: float = 0.17) -> list[tuple[float, str, int]]:
    """Return labels with the storey each stands on, so that close neighbours do not lie on each other."""
    last: dict[int, float] = {}
    placed = []
    for share, text in sorted(line for line in lines if line[1]):
        level = next((n for n in (0, 1) if share - last.get(n, -1.0) >= apart), 2)
        last[level] = share
        placed.append((share, text, level))
    return placed


def _bar(row: Bar, lines: Sequence[tuple[float, str]]) -> html.Div:
    marks = [html.I(className="line", style={"left": f"{min(max(share, 0), 1):.2%}"}) for share, _ in lines]
    marks += [html.I(className="tick", style={"left": f"{min(max(share, 0), 1):.2%}"}) for share in row.ticks]
    fill = html.Div(className=f"fill {row.tone}".strip(), style={"width": f"{min(max(row.share, 0), 1):.2%}"})
    label: Any = dcc.Link(row.label, href=row.href) if row.href else html.Span(row.label)
    return html.Div(
        [
            html.Div(label, className="bar-label", title=row.label),
            html.Div([fill, *marks], className="track"),
            html.Div(row.text, className="bar-value", title=row.full or row.text),
        ],
        className=f"bar-row{' here' if row.is_here else ''}",
    )


def badge(level: Level, text: str) -> html.Span:
    """Return a warning mark: shape, colour and word together."""
    return html.Span([html.I(LEVEL_SHAPES[level], **attributes(aria_hidden="true")), text], className=f"badge {level}")


def shape(level: Level | None, title: str) -> html.Span:
    """Return the shape of a level for a matrix cell; a small dot when nothing fires."""
    if level is None:
        return html.Span("·", className="shape calm", title=title)
    return html.Span(LEVEL_SHAPES[level], className=f"shape {level}", title=title)


def worst(levels: Iterable[Level]) -> Level | None:
    """Return the most severe of some levels."""
    found = set(levels)
    return next((level for level in LEVELS if level in found), None)


def calm(title: str, text: str, extra: Child = None) -> html.Div:
    """Return the designed look of empty, missing and failed: one calm component."""
    return html.Div([html.H2(title), html.P(text), *([extra] if extra is not None else [])], className="calm")
