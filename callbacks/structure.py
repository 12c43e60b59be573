"""What a sum is made of: sorted bars by one dimension, with the shares."""

from __future__ import annotations

from callbacks.board import has_source
from callbacks.focus import Focus
from callbacks.panels import Bar, Panel, Table, bars, number_cell, text_cell
from callbacks.services import IndicatorCard
from metrics.model import Answer

MOST = 8
PREFERRED = ("carrier", "item_name", "item_code", "service_kind", "veh_class", "exp_kind", "fund")


def structure_panel(focus: Focus, indicator: str, path: str) -> Panel | None:
    """Return the parts of an additive indicator, or None when it has no dimension or no figure."""
    cards, words = focus.session.indicators(), focus.words
    dim = dimension_of(cards[indicator]) if has_source(cards, indicator) else None
    if dim is None:
        return None
    answers = focus.session.evaluate(focus.queries([indicator], by=dim))
    parts = sorted((a for a in answers if a.value and a.dim == dim), key=lambda a: -float(a.value or 0))
    total = sum(float(a.value or 0) for a in parts)
    if not parts or total <= 0:
        return None
    shown, rest = parts[:MOST], parts[MOST:]
    top = float(shown[0].value or 0)
    rows = [_bar(focus, indicator, path, dim, answer, total, top) for answer in shown]
    if rest:
        others = sum(float(a.value or 0) for a in rest)
        figure = words.figure(others, parts[0].unit)
        rows.append(
            Bar(words.say("structure.others"), others / top, f"{figure.text} · {words.percent(others / total * 100)}")
        )
    return Panel(
        name="structure",
        title=words.say("structure.title"),
        sub=words.say("structure.sub", name=cards[indicator].names[words.code], dim=words.say(f"dim.{dim}")),
        reading=words.say(
            "structure.reading",
            name=value_name(focus, dim, shown[0].dim_value),
            share=words.percent(top / total * 100),
            value=words.figure(shown[0].value, shown[0].unit).text,
        ),
        face=bars(rows),
        twin=_twin(focus, dim, parts, total),
        weight=1.0,
    )


def dimension_of(card: IndicatorCard) -> str | None:
    """Return the dimension that explains an indicator best."""
    return next((dim for dim in PREFERRED if dim in card.dims), None)


def value_name(focus: Focus, dim: str, value: str | None) -> str:
    """Return the name of a dimension's value; names from files stand as they are."""
    key = f"value.{dim}.{value}"
    if focus.words.has(key):
        return focus.words.say(key)
    return focus.session.labels(dim).get(value or "", value or focus.words.say("structure.blank"))


def _bar(focus: Focus, indicator: str, path: str, dim: str, answer: Answer, total: float, top: float) -> Bar:
    words = focus.words
    shown = words.figure(answer.value, answer.unit)
    part = float(answer.value or 0)
    return Bar(
        label=value_name(focus, dim, answer.dim_value),
        share=part / top,
        text=f"{shown.text} · {words.percent(part / total * 100)}",
        full=shown.full,
        href=focus.link(path, pick=indicator, where=(*focus.state.where, f"{dim} = '{answer.dim_value}'"))
        if answer.dim_value and "'" not in answer.dim_value
        else None,
    )


def _twin(focus: Focus, dim: str, parts: list[Answer], total: float) -> Table:
    words = focus.words
    headers = (
        words.say(f"dim.{dim}"),
        words.say("column.value", unit=words.unit(parts[0].unit)),
        words.say("column.share"),
    )
    rows = tuple(
        (
            text_cell(value_name(focus, dim, a.dim_value)),
            number_cell(words.figure(a.value, a.unit).text, words.full(a.value or 0)),
            number_cell(words.percent(float(a.value or 0) / total * 100)),
        )
        for a in parts
    )
    return Table(headers, rows)
