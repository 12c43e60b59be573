"""The handbook on screen: every indicator, found by name, id or initials, and the page of the one that is picked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import dcc, html

from callbacks.attributes import attributes
from callbacks.entry import Entry, Part
from callbacks.focus import Focus
from callbacks.panels import Panel, Table, text_cell
from callbacks.services import IndicatorCard
from metrics.model import THEMES
from metrics.nodes import fold, initials

PATH = "/data"


def handbook_panel(focus: Focus, cards: Sequence[IndicatorCard]) -> Panel:
    """Return the handbook: the list on the left, one page on the right, the whole list as table and export."""
    words = focus.words
    sourced = sum(card.has_source for card in cards)
    picked = focus.state.pick
    found = focus.session.entry(picked, words) if picked else None
    return Panel(
        name="handbook",
        title=words.say("handbook.title"),
        sub=words.say("handbook.sub"),
        reading=words.say("handbook.reading", total=words.count(len(cards)), sourced=words.count(sourced)),
        face=html.Div([_index(focus, cards), _page(focus, found)], className="handbook"),
        twin=listing(focus, cards),
    )


def listing(focus: Focus, cards: Sequence[IndicatorCard]) -> Table:
    """Return the indicators of the catalogue with unit, formula in words, basis and whether a source is loaded."""
    words = focus.words
    keys = ("theme", "indicator", "id", "unit_of", "better", "meaning", "basis", "has_source")
    rows = tuple(
        (
            text_cell(words.say(f"theme.{card.theme}")),
            text_cell(card.names[words.code]),
            text_cell(card.id),
            text_cell(words.unit(card.unit)),
            text_cell(words.say(f"better.{card.better}")),
            text_cell(card.meaning.get(words.code, "")),
            text_cell(card.documents.get(words.code, "")),
            text_cell(words.say("handbook.sourced" if card.has_source else "handbook.unsourced")),
        )
        for card in cards
    )
    return Table(tuple(words.say(f"column.{key}") for key in keys), rows)


def spellings(card: IndicatorCard) -> str:
    """Return what an indicator is found by: its names, its id and the first letters of its pinyin."""
    return " ".join(dict.fromkeys([*map(fold, card.names.values()), card.id, initials(card.names.get("zh", ""))]))


def _index(focus: Focus, cards: Sequence[IndicatorCard]) -> html.Div:
    find = dcc.Input(type="search", placeholder=focus.words.say("entry.find"), className="find", debounce=True)
    groups = [_group(focus, theme, [card for card in cards if card.theme == theme]) for theme in THEMES]
    return html.Div(
        [find, html.Div([group for group in groups if group is not None], className="entries")], className="index"
    )


def _group(focus: Focus, theme: str, cards: Sequence[IndicatorCard]) -> html.Div | None:
    if not cards:
        return None
    links = [_link(focus, card) for card in cards]
    return html.Div([html.H3(focus.words.say(f"theme.{theme}")), *links], className="group")


def _link(focus: Focus, card: IndicatorCard) -> html.Div:
    name = card.names[focus.words.code]
    here = " here" if card.id == focus.state.pick else ""
    link = dcc.Link(name, href=focus.link(PATH, pick=card.id), title=card.id)
    return html.Div(
        link, className=f"name{'' if card.has_source else ' bare'}{here}", **attributes(data_find=spellings(card))
    )


def _page(focus: Focus, found: Entry | None) -> html.Div:
    if found is None:
        return html.Div(html.P(focus.words.say("entry.pick"), className="hint"), className="entry")
    head = html.Header([html.H3(found.title), html.Span(found.id, className="id")])
    return html.Div([head, html.Dl([piece for part in found.parts for piece in _part(part)])], className="entry")


def _part(part: Part) -> list[Any]:
    held: list[Any] = [html.P(line) for line in part.lines]
    if part.table:
        held.append(_table(part.table))
    if part.code:
        held.append(html.Pre(part.code))
    return [html.Dt(part.title), html.Dd(held)]


def _table(rows: Sequence[Sequence[str]]) -> html.Table:
    head = html.Tr([html.Th(text, scope="col") for text in rows[0]])
    body = [html.Tr([html.Td(text) for text in row]) for row in rows[1:]]
    return html.Table([html.Thead(head), html.Tbody(body)], className="grid-table")
