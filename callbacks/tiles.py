"""The one tile anatomy of every page: name, value, change, ruler, sparkline, completeness; or why there is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from dash import dcc, html

from callbacks.attributes import attributes
from callbacks.language import Language
from callbacks.panels import LEVEL_SHAPES
from callbacks.services import IndicatorCard, Level
from callbacks.sparkline import sparkline
from metrics.model import Answer, Better

Tone = Literal["good", "bad", "even"]
_SHOWABLE = ("ok", "incomplete")
_EVEN_BELOW = 0.05


@dataclass(frozen=True)
class Ruler:
    """A bar from nought to `top` with neutral marks; all in the same unit."""

    value: float
    top: float
    marks: tuple[tuple[float, str], ...]
    described: str


@dataclass(frozen=True)
class Bands:
    """How many units stand in each band of a quota."""

    counts: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class TileView:
    """What one tile shows, before it is dressed."""

    card: IndicatorCard
    heading: str
    answer: Answer
    change: Answer | None
    points: float | None
    current: tuple[float | None, ...]
    before: tuple[float | None, ...]
    ruler: Ruler | Bands | None
    asides: tuple[Answer, ...]
    cards: Mapping[str, IndicatorCard]
    levels: tuple[tuple[Level, int], ...]
    href: str
    as_of: str
    reported: Answer | None = None
    """The same figure as reported, where the tile shows what stands reviewed."""


def is_shown(answer: Answer | None) -> bool:
    """Tell whether an answer has a figure to show."""
    return answer is not None and answer.value is not None and answer.status in _SHOWABLE


def tone_of(change: float, better: Better) -> Tone:
    """Say whether a change is good news, by the indicator's good direction."""
    if abs(change) < _EVEN_BELOW or better in ("neutral", "band"):
        return "even"
    return "good" if (change < 0) == (better == "lower") else "bad"


def direction(change: float) -> str:
    """Return the word key of a change."""
    return "even" if abs(change) < _EVEN_BELOW else "rose" if change > 0 else "fell"


def tile(view: TileView, words: Language, theme: str, is_picked: bool = False) -> Any:
    """Return one tile as a link to its page."""
    if not is_shown(view.answer):
        return dcc.Link([_head(view, words), *_absent(view, words)], href=view.href, className="tile absent")
    shown = words.figure(view.answer.value, view.answer.unit)
    what = [] if _name(view, words) == view.heading else [html.Span(_name(view, words), className="what")]
    value = html.Div(
        [html.B(shown.number), html.Span(shown.unit, className="unit"), *what], className="value", title=shown.full
    )
    line = sparkline(view.current, view.before, theme, words.say("tile.spark", name=_name(view, words)))
    parts = [_head(view, words), value, _change(view, words), line, _ruler(view.ruler, words), _foot(view, words)]
    return dcc.Link(
        [part for part in parts if part is not None], href=view.href, className="tile picked" if is_picked else "tile"
    )


def tiles(views: Sequence[TileView], words: Language, theme: str, picked: str | None = None) -> html.Div:
    """Return a row of tiles; the picked one is framed."""
    row = [tile(view, words, theme, view.card.id == picked) for view in views]
    return html.Div(row, className=f"tiles count-{len(views)}")


def status_text(answer: Answer, words: Language) -> str:
    """Return the sentence that says which state an answer without figure is in."""
    return words.say(f"status.{answer.status}", due=answer.due, got=answer.got)


def change_words(change: float, words: Language, in_points: bool) -> str:
    """Return the size of a change without its sign, which the arrow and the word carry."""
    return words.points(abs(change)).lstrip("+") if in_points else words.percent(abs(change))


def _name(view: TileView, words: Language) -> str:
    return view.card.names[words.code]


def _head(view: TileView, words: Language) -> html.Div:
    name = _name(view, words)
    title = html.Span(view.heading, className="name")
    flags = [
        html.Span(
            [
                html.I(LEVEL_SHAPES[level], **attributes(aria_hidden="true")),
                words.say(f"level.flag.{level}", count=count),
            ],
            className=f"badge {level}",
        )
        for level, count in view.levels[:1]
    ]
    return html.Div([html.Div(title, className="names", title=f"{view.heading} {name}"), *flags], className="tile-head")


def _absent(view: TileView, words: Language) -> list[Any]:
    answer = view.answer
    return [
        html.Div(html.B(words.say(f"status.short.{answer.status}")), className="value none"),
        html.P(status_text(answer, words), className="why"),
        *([html.P(got_text(view, words), className="why late")] if _waits(view) else []),
    ]


def _waits(view: TileView) -> bool:
    """Tell whether reports came that a figure without value leaves out, since nobody has reviewed them."""
    return view.reported is not None and view.reported.got > view.answer.got


def _change(view: TileView, words: Language) -> html.Div:
    if view.points is not None:
        return _arrow(view.points, view.card.better, words, in_points=True)
    if view.change is not None and view.change.value is not None:
        return _arrow(float(view.change.value), view.card.better, words, in_points=False)
    return html.Div(words.say("tile.no_base"), className="change even")


def _arrow(change: float, better: Better, words: Language, in_points: bool) -> html.Div:
    way = direction(change)
    sign = {"rose": "▲", "fell": "▼", "even": "■"}[way]
    return html.Div(
        [
            html.Span(
                [html.I(sign, **attributes(aria_hidden="true")), change_words(change, words, in_points)],
                className="size",
            ),
            html.Span(words.say(f"tile.change.{way}"), className="way"),
        ],
        className=f"change {tone_of(change, better)}",
    )


def _ruler(ruler: Ruler | Bands | None, words: Language) -> html.Div | None:
    if ruler is None:
        return html.Div(className="ruler none")
    if isinstance(ruler, Bands):
        return _bands(ruler, words)
    fill = html.Div(className="fill", style={"width": f"{_at(ruler.value, ruler):.2%}"})
    ticks = [html.I(className="tick", style={"left": f"{_at(value, ruler):.2%}"}) for value, _ in ruler.marks]
    labels = [
        html.Span(label, className="mark-label", style={"left": f"{_at(value, ruler):.2%}"})
        for value, label in ruler.marks
    ] or [html.Span(ruler.described, className="mark-label at-start")]
    return html.Div(
        [html.Div([fill, *ticks], className="track"), html.Div(labels, className="mark-labels")],
        className="ruler",
        title=ruler.described,
    )


def _bands(bands: Bands, words: Language) -> html.Div:
    total = max(sum(count for _, count in bands.counts), 1)
    parts = [
        html.Div(className=f"band {key}", style={"flexGrow": str(count)}, title=words.say(f"band.{key}", count=count))
        for key, count in bands.counts
        if count
    ]
    labels = [
        html.Span(words.say(f"band.{key}", count=count), style={"flexGrow": str(max(count / total, 0.18))})
        for key, count in bands.counts
        if count
    ]
    return html.Div(
        [html.Div(parts, className="track bands"), html.Div(labels, className="band-labels")], className="ruler"
    )


def _at(value: float, ruler: Ruler) -> float:
    return min(max(value / ruler.top, 0.0), 1.0) if ruler.top else 0.0


def _foot(view: TileView, words: Language) -> html.Div:
    said = [_aside(answer, view.cards, words) for answer in view.asides if is_shown(answer)]
    got = got_text(view, words)
    complete = "late" if view.answer.got < view.answer.due else ""
    return html.Div(
        [
            html.Div([html.Span(text) for text in said], className="asides"),
            html.Div(
                [html.Span(words.say("tile.as_of", period=view.as_of)), html.Span(got, className=complete)],
                className="asof",
            ),
        ],
        className="tile-foot",
    )


def got_text(view: TileView, words: Language) -> str:
    """Return how complete a figure is: reports that came, or that are reviewed and how many of them still wait."""
    values = {"got": words.count(view.answer.got), "due": words.count(view.answer.due)}
    if view.answer.state != "reviewed":
        return words.say("tile.got", **values)
    waiting = view.reported.got - view.answer.got if view.reported is not None else 0
    if waiting > 0:
        return words.say("tile.reviewed.waiting", waiting=words.count(waiting), **values)
    return words.say("tile.reviewed", **values)


def _aside(answer: Answer, cards: Mapping[str, IndicatorCard], words: Language) -> str:
    shown = words.figure(answer.value, answer.unit)
    key = f"aside.{answer.indicator}"
    if words.has(key):
        return words.say(key, value=shown.text)
    return words.say("aside.other", name=cards[answer.indicator].names[words.code], value=shown.text)
