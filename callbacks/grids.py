"""Large tables as one component: sorting, filtering and only the visible rows in the page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from unicodedata import east_asian_width

import dash_ag_grid as dag

from callbacks.language import Language
from callbacks.panels import Cell, Table

_GRID_WORDS = (
    "contains", "notContains", "equals", "notEqual", "startsWith", "endsWith", "blank", "notBlank", "lessThan",
    "greaterThan", "inRange", "filterOoo", "noRowsToShow", "andCondition", "orCondition",
)  # fmt: skip
_ROW_PIXELS = 34
_ALL_ROWS_BELOW = 14
_HEIGHT_PIXELS = 480
_NARROW, _SURE, _WIDE = 6, 14, 60
"""Widths in half characters: a column's least share, how much of it is never cut, its largest share. Figures need no more than is theirs."""
_SORT_MARK = 2
_HALF_PIXELS, _PADDING_PIXELS = 7.2, 26


def grid(grid_id: str, content: Table, words: Language) -> dag.AgGrid:
    """Return a table whose figures sort as figures and whose sums stay at its foot."""
    body = content.rows[: len(content.rows) - content.totals]
    totals = content.rows[len(content.rows) - content.totals :]
    options: dict[str, Any] = {
        "rowHeight": _ROW_PIXELS,
        "headerHeight": _ROW_PIXELS + 2,
        "suppressCellFocus": False,
        "enableCellTextSelection": True,
        "suppressMovableColumns": True,
        "animateRows": False,
        "localeText": {key: words.say(f"grid.{key}") for key in _GRID_WORDS},
        "domLayout": "autoHeight" if len(content.rows) <= _ALL_ROWS_BELOW else "normal",
    }
    if totals:
        options["pinnedBottomRowData"] = [record(row) for row in totals]
    tall = len(content.rows) > _ALL_ROWS_BELOW
    return dag.AgGrid(
        id=grid_id,
        columnDefs=[_column(place, text, content.rows) for place, text in enumerate(content.headers)],
        rowData=[record(row) for row in body],
        defaultColDef={"sortable": True, "resizable": True, "filter": True},
        dashGridOptions=options,
        className="ag-theme-cockpit",
        style={"height": f"{_HEIGHT_PIXELS}px" if tall else None, "width": "100%"},
    )


def record(row: Sequence[Cell]) -> dict[str, Any]:
    """Return a row as fields: `t0` for the eye, `v0` for sorting and exports."""
    found: dict[str, Any] = {}
    for place, cell in enumerate(row):
        found[f"t{place}"] = cell.text
        found[f"v{place}"] = _number(cell.full) if cell.is_number else cell.text
    return found


def _column(place: int, header: str, rows: Sequence[Sequence[Cell]]) -> dict[str, Any]:
    is_number = bool(rows) and rows[0][place].is_number
    longest = max((_width(row[place].text) for row in rows), default=0)
    wanted = max(longest, _width(header) + _SORT_MARK)
    column: dict[str, Any] = {
        "headerName": header,
        "field": f"v{place}" if is_number else f"t{place}",
        "tooltipField": f"t{place}",
        "minWidth": round(min(wanted, _SURE) * _HALF_PIXELS + _PADDING_PIXELS),
        "flex": _NARROW if is_number else min(max(wanted, _NARROW), _WIDE),
    }
    if is_number:
        column |= {
            "type": "rightAligned",
            "valueFormatter": {"function": f"params.data.t{place}"},
            "filter": "agNumberColumnFilter",
        }
    return column


def _width(text: str) -> int:
    """Return the room a text takes, in half characters: a Chinese character takes two."""
    return sum(2 if east_asian_width(sign) in "WF" else 1 for sign in text)


def _number(full: str | None) -> float | None:
    text = (full or "").replace(",", "").replace("−", "-").split(" ")[0]
    try:
        return float(text)
    except ValueError:
        return None
