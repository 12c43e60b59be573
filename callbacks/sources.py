"""The last drill step: the rows of the files behind a figure, with their sum, which is the figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from dash import dcc, html

from callbacks import ids
from callbacks.focus import Focus
from callbacks.grids import grid
from callbacks.panels import Panel, Table, number_cell, text_cell
from callbacks.state import SOURCE_ROWS
from metrics.drill import DrillRow, DrillRows
from metrics.model import Answer
from metrics.rule_rows import RuleRow

LIMIT = 300
RULES_TOLD = 4
"""Documents named below a figure; the JSON of `cockpit query` has all."""


def rows_panel(focus: Focus, path: str, indicator: str) -> Panel:
    """Return the rows behind the picked figure; above the last step only a link, since they may be very many."""
    words = focus.words
    name = focus.session.indicators()[indicator].names[words.code]
    title, sub = words.say("rows.title"), words.say("rows.sub", name=name, node=focus.node.name)
    if focus.children and focus.state.show != SOURCE_ROWS:
        link = dcc.Link(
            words.say("rows.show"), href=focus.link(path, pick=indicator, show=SOURCE_ROWS), className="more"
        )
        return Panel("rows", title, html.P([words.say("rows.closed"), " ", link], className="why"), sub=sub)
    found = focus.session.drill(focus.queries([indicator])[0], LIMIT)
    if not found.rows:
        return Panel("rows", title, html.P(words.say("rows.none"), className="why"), sub=sub)
    return Panel(
        name="rows",
        title=title,
        sub=sub,
        reading=equation(focus, found) + rules_told(focus, found),
        face=grid(ids.grid(path.strip("/"), "rows"), rows_table(focus, found), words),
        is_list=True,
    )


def equation(focus: Focus, found: DrillRows) -> str:
    """Return the sentence that ties the rows to the tile: their sum, and the quotient of two sums for a ratio."""
    words, answer = focus.words, found.answer
    values = {
        "count": words.count(found.count),
        "numerator": _exact(focus, found.numerator),
        "value": words.figure(answer.value, answer.unit).full,
    }
    if found.numerator is None:
        return words.say("rows.cells", **values)
    if found.denominator is None:
        return words.say("rows.sum", **values)
    months = found.denominator_divisor
    key = "rows.ratio" if months == 1 else "rows.ratio.averaged"
    return words.say(key, denominator=_exact(focus, found.denominator), months=months, **values)


def rules_told(focus: Focus, found: DrillRows) -> str:
    """Return the rows of reference tables the figure rests on: document, evidence, since when, and 待核实 where it is."""
    if not found.rules:
        return ""
    words = focus.words
    told = [
        words.say(
            "rows.rule.to_verify" if rule.to_verify else "rows.rule",
            document=rule.document, evidence=rule.evidence, since=words.period(rule.valid_from, "month"), count=words.count(rule.rows),
        )
        for rule in documents(found.rules)
    ]  # fmt: skip
    more = len(told) - RULES_TOLD
    listed = words.say("rows.rules.between").join(told[:RULES_TOLD])
    return words.say("rows.rules.more" if more > 0 else "rows.rules", rules=listed, more=words.count(max(more, 0)))


def documents(rules: Sequence[RuleRow]) -> list[RuleRow]:
    """Return one line for each document, evidence and start; what is to be verified comes first."""
    found: dict[tuple[str, str, str], RuleRow] = {}
    for rule in rules:
        key = (rule.document, rule.evidence, rule.valid_from)
        held = found.get(key)
        rows = rule.rows + (held.rows if held else 0)
        found[key] = replace(rule, rows=rows, to_verify=rule.to_verify or (held is not None and held.to_verify))
    return sorted(found.values(), key=lambda rule: (not rule.to_verify, -rule.rows))


def _exact(focus: Focus, value: Decimal | None) -> str:
    return "—" if value is None else focus.words.full(value)


def rows_table(focus: Focus, found: DrillRows) -> Table:
    """Return the listed rows, what the others add, and the sum."""
    words = focus.words
    keys = ("side", "period", "unit", "what", "file", "place", "adds")
    body: list[tuple[Any, ...]] = [_row(focus, row) for row in found.rows]
    totals = 0
    for side, total in (("numerator", found.numerator), ("denominator", found.denominator)):
        listed = [row for row in found.rows if row.side == side]
        if total is None or not listed:
            continue
        rest = total - sum((row.contribution or Decimal(0) for row in listed), Decimal(0))
        if rest and found.count > len(found.rows):
            body.append(_total(focus, words.say("rows.rest", side=words.say(f"rows.side.{side}")), rest))
            totals += 1
        body.append(_total(focus, words.say("rows.total", side=words.say(f"rows.side.{side}")), total))
        totals += 1
    return Table(tuple(words.say(f"column.{key}") for key in keys), tuple(body), totals)


def _row(focus: Focus, row: DrillRow) -> tuple[Any, ...]:
    words = focus.words
    place = words.say("rows.place.sheet" if row.sheet else "rows.place", sheet=row.sheet, row=row.row_no)
    return (
        text_cell(words.say(f"rows.side.{row.side}")),
        text_cell(row.period),
        text_cell(row.unit_name),
        text_cell(_what(focus, row)),
        text_cell(row.file_name),
        text_cell(place),
        number_cell(words.full(row.contribution) if row.contribution is not None else ""),
    )


def _what(focus: Focus, row: DrillRow) -> str:
    """Return what tells the row from others, and how it came from a shared bill."""
    told = row.division
    if told is None:
        return row.label
    words = focus.words
    if told.state == "divided":
        basis = words.say(f"rows.basis.{told.basis}")
        share = None if told.share is None else words.full(told.share.normalize())
        key = "rows.divided.untold" if share is None else "rows.divided"
        said = words.say(key, share=share or "", basis=basis, document=told.document or "—")
    else:
        said = words.say(f"rows.undivided.{told.state}")
        said += words.say("rows.undivided.less") if told.is_secret else ""
    return " · ".join(filter(None, (row.label, said)))


def _total(focus: Focus, label: str, value: Decimal) -> tuple[Any, ...]:
    return (text_cell(label), *(text_cell("") for _ in range(5)), number_cell(focus.words.full(value)))


def value_text(focus: Focus, answer: Answer) -> str:
    """Return an answer's figure, or its state when there is none."""
    if answer.value is None:
        return focus.words.say(f"status.short.{answer.status}")
    return focus.words.figure(answer.value, answer.unit).text
