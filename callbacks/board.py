"""The board: what stands on the tiles of each theme, and how one set of questions fills them.

Everything is asked in one go and cut apart afterwards, so a board costs the same number of questions whatever it shows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from callbacks.focus import YEARLY_CHANGE, Focus
from callbacks.services import LEVELS, Alarm, IndicatorCard, Level, Mark
from callbacks.tiles import Bands, Ruler, TileView, is_shown
from metrics.model import THEMES, Answer, Query
from warehouse.base.periods import Period, fiscal_shift

PLANNED_BY_NOW = {
    "budget_exec_rate": "budget_paid_plan_share",
    "op_funds_exec": "op_funds_plan_share",
    "three_public_exec": "three_public_plan_share",
}
"""Execution rate → how much of the year its plan by month has spent by the end of a period."""
HISTORY_MONTHS = 25
SHOWN_MONTHS = 13
MOST_TILES = 5


@dataclass(frozen=True)
class Theme:
    """Which indicators lead a theme, which stand beside them, and what the leading one is read against."""

    name: str
    path: str
    heads: tuple[str, ...]
    asides: tuple[str, ...]
    ruler: str = ""
    per_unit: tuple[str, ...] = ()


BOARD: tuple[Theme, ...] = (
    Theme(
        "cost",
        "/cost",
        ("op_funds_exp", "op_cost_total", "budget_exec_rate", "three_public_total", "op_cost_per_capita"),
        ("budget_exec_rate", "three_public_exec"),
        "pace:budget_exec_rate",
        ("op_cost_per_capita",),
    ),
    Theme(
        "vehicle", "/", ("veh_count", "veh_nev_share"), ("veh_nev_share", "veh_cost_per_veh"), "quota:veh_quota_rate"
    ),
    Theme(
        "space",
        "/",
        ("off_area_per_head", "off_title_rate"),
        ("off_vacancy_rate", "off_title_rate"),
        "share:off_title_rate",
    ),
    Theme(
        "energy",
        "/energy",
        ("en_per_area", "elec_per_area", "elec_kwh", "energy_cost", "en_tce", "co2_per_area", "water_per_head"),
        ("en_per_head", "co2_per_area"),
        "bands:en_nonheat_per_area",
        ("en_per_area", "elec_per_area"),
    ),
    Theme("service", "/", ("svc_satisfaction", "svc_ontime"), ("svc_ontime", "svc_amount"), "score:svc_satisfaction"),
)


@dataclass(frozen=True)
class Board:
    """The tiles of a view, what fires below its node, and the themes without any source."""

    tiles: tuple[TileView, ...]
    alarms: tuple[Alarm, ...]
    quiet: tuple[str, ...]


@dataclass(frozen=True)
class Answers:
    """All answers of one request, found again by what they answer."""

    rows: Mapping[tuple[str, str, str, str], Answer]

    @classmethod
    def of(cls, answers: Iterable[Answer]) -> Answers:
        """Index answers without dimension by indicator, node, period and grain."""
        return cls({(a.indicator, a.node, a.period, a.grain): a for a in answers if a.dim in (None, "children")})

    def get(self, indicator: str, node: str, period: str, grain: str) -> Answer | None:
        """Return the answer, or None when it was not asked or not allowed."""
        return self.rows.get((indicator, node, period, grain))


def has_source(cards: Mapping[str, IndicatorCard], indicator: str) -> bool:
    """Tell whether an indicator exists and has data to come from."""
    return indicator in cards and cards[indicator].has_source


def sourced(theme: Theme, cards: Mapping[str, IndicatorCard]) -> tuple[str, ...]:
    """Return the indicators of a theme that have a source: its heads first, then the others."""
    heads = [name for name in theme.heads if has_source(cards, name)]
    others = [key for key, card in sorted(cards.items()) if card.theme == theme.name and card.has_source]
    return tuple(dict.fromkeys([*heads, *others]))


def chosen_heads(cards: Mapping[str, IndicatorCard]) -> tuple[tuple[Theme, str], ...]:
    """Return one leading indicator a theme; where fewer than three themes have a source, all candidates of each."""
    present = [(theme, names) for theme in BOARD if (names := sourced(theme, cards))]
    if len(present) > 2:
        return tuple((theme, names[0]) for theme, names in present)
    return tuple((theme, name) for theme, names in present for name in names[: 2 * MOST_TILES])


def best_tiles(views: Sequence[TileView]) -> tuple[TileView, ...]:
    """Return at most five tiles, those with a figure first, an even share of each theme, in their order."""
    if len(views) <= MOST_TILES:
        return tuple(views)
    each = -(-MOST_TILES // len({view.card.theme for view in views}))
    found = [view for view in views if is_shown(view.answer)] or list(views)
    even: list[TileView] = []
    for view in found:
        if sum(other.card.theme == view.card.theme for other in even) < each:
            even.append(view)
    wanted = [*even, *(view for view in found if view not in even)][:MOST_TILES]
    return tuple(view for view in found if view in wanted)


def read_board(focus: Focus) -> Board:
    """Ask for everything the overview's tiles need and cut it into tiles."""
    cards = focus.session.indicators()
    alarms = focus.session.warnings(focus.node.code, focus.known_at)
    views = best_tiles(read_tiles(focus, chosen_heads(cards), alarms))
    shown = {view.card.theme for view in views}
    return Board(views, alarms, tuple(name for name in THEMES if name not in shown))


def read_tiles(
    focus: Focus, heads: Sequence[tuple[Theme, str]], alarms: Sequence[Alarm], by_indicator: bool = False
) -> tuple[TileView, ...]:
    """Return the tiles of some leading indicators. On a page of one theme each tile is named by its indicator."""
    cards = focus.session.indicators()
    found = Answers.of(focus.session.evaluate(_questions(focus, heads, cards)))
    reported = _as_reported(focus, [name for _, name in heads])
    alone = by_indicator or len({theme.name for theme, _ in heads}) < len(heads)
    return tuple(
        replace(view, reported=reported.get(name, focus.node.code, focus.window.label, focus.grain))
        for theme, name in heads
        if (view := _view(focus, theme, name, cards, found, alarms, alone)) is not None
    )


def _as_reported(focus: Focus, names: Sequence[str]) -> Answers:
    """Return the leading figures as reported, where the board shows reviewed ones: a tile tells what still waits."""
    if not focus.shows_reviewed:
        return Answers({})
    return Answers.of(focus.session.evaluate(focus.queries(dict.fromkeys(names), state="reported")))


def _questions(focus: Focus, heads: Sequence[tuple[Theme, str]], cards: Mapping[str, IndicatorCard]) -> list[Query]:
    names = [name for _, name in heads]
    asides = [name for theme, _ in heads for name in theme.asides if has_source(cards, name)]
    paces = [name for theme, _ in heads if (name := theme.ruler.partition(":")[2]) and has_source(cards, name)]
    in_points = [name for name in names if cards[name].unit == "%"]
    changes = [f"{name}{YEARLY_CHANGE}" for name in names if cards[name].unit != "%"]
    asked = focus.queries(dict.fromkeys([*names, *asides, *changes]))
    history = {"period_from": focus.months_back(HISTORY_MONTHS - 1), "period_to": focus.last_month}
    asked += focus.queries(dict.fromkeys(names), grain="month", **history)
    if in_points:
        asked += focus.queries(in_points, period_from=focus.year_earlier(), period_to=focus.year_earlier())
    paces += [PLANNED_BY_NOW[name] for name in paces if has_source(cards, PLANNED_BY_NOW.get(name, ""))]
    if paces:
        asked += focus.queries(
            dict.fromkeys(paces), grain="ytd", period_from=focus.last_month, period_to=focus.last_month
        )
    return asked


def _view(
    focus: Focus,
    theme: Theme,
    name: str,
    cards: Mapping[str, IndicatorCard],
    found: Answers,
    alarms: Sequence[Alarm],
    alone: bool,
) -> TileView | None:
    node, period, grain = focus.node.code, focus.window.label, focus.grain
    answer = found.get(name, node, period, grain)
    if answer is None:
        return None
    history = [found.get(name, node, focus.months_back(back), "month") for back in range(HISTORY_MONTHS - 1, -1, -1)]
    values = [_number(item) for item in history]
    asides = (
        () if alone else tuple(a for key in theme.asides if key != name and (a := found.get(key, node, period, grain)))
    )
    title = cards[name].names[focus.words.code] if alone else focus.words.say(f"theme.{theme.name}")
    return TileView(
        card=cards[name],
        heading=title,
        answer=answer,
        change=found.get(f"{name}{YEARLY_CHANGE}", node, period, grain),
        points=_points(answer, found.get(name, node, focus.year_earlier(), grain)) if cards[name].unit == "%" else None,
        current=tuple(values[-SHOWN_MONTHS:]),
        before=tuple(values[: HISTORY_MONTHS - 12]),
        ruler=ruler_of(focus, theme, found) if not alone or name == theme.heads[0] else None,
        asides=asides,
        cards=cards,
        levels=count_levels(a for a in alarms if _concerns(a, theme, name, alone)),
        href=focus.link(theme.path) if not alone else focus.link(theme.path, pick=name),
        as_of=focus.words.period(focus.last_month, "month"),
    )


def count_levels(alarms: Iterable[Alarm]) -> tuple[tuple[Level, int], ...]:
    """Return how many warnings fire per level, most severe first, without the empty ones."""
    counts = Counter(alarm.level for alarm in alarms)
    return tuple((level, counts[level]) for level in LEVELS if counts[level])


def ruler_of(focus: Focus, theme: Theme, found: Answers) -> Ruler | Bands | None:
    """Return what a leading indicator is read against."""
    kind, _, measure = theme.ruler.partition(":")
    answer = found.get(measure, focus.node.code, focus.last_month, "ytd")
    value = _number(answer)
    if kind == "bands":
        return _energy_ruler(focus, measure) if has_source(focus.session.indicators(), measure) else None
    if answer is None or value is None:
        return None
    say = focus.words.say
    if kind == "pace":
        mark, by = pace_mark(
            focus, found.get(PLANNED_BY_NOW.get(measure, ""), focus.node.code, focus.last_month, "ytd")
        )
        marks = ((mark, say(f"ruler.pace.{by}", value=focus.words.percent(mark))),)
        return Ruler(value, 105, marks, say(f"ruler.pace.described.{by}", value=focus.words.percent(value)))
    if kind == "quota":
        quota = float(answer.denominator or 0)
        marks = ((100.0, say("ruler.quota", value=focus.words.full(round(quota)))),)
        return Ruler(value, max(115, value), marks, say("ruler.quota.described", value=focus.words.percent(value)))
    key = "ruler.title" if kind == "share" else "ruler.score"
    return Ruler(
        value, 100, _targets(focus, measure), say(key, value=focus.words.figure(answer.value, answer.unit).text)
    )


def _targets(focus: Focus, indicator: str) -> tuple[tuple[float, str], ...]:
    marks = focus.session.marks(indicator, focus.node.code, focus.last_month, focus.known_at)
    return tuple((mark.value, mark_label(focus, mark)) for mark in marks)


def mark_label(focus: Focus, mark: Mark) -> str:
    """Return a reference line's short label."""
    return focus.words.say(f"mark.{mark.key}", value=focus.words.figure(mark.value, "").number.rstrip("0").rstrip("."))


def _energy_ruler(focus: Focus, measure: str) -> Ruler | Bands | None:
    """A unit has the ruler of its own quota; a node with many below shows how many stand in each band."""
    below = focus.children
    if below:
        counts = Counter(band_of(value, marks) for _, value, marks in rolling_with_marks(focus, measure) if marks)
        ordered = tuple((key, counts[key]) for key in ("guide", "base", "limit", "over") if counts[key])
        return Bands(ordered) if ordered else None
    marks = focus.session.marks(measure, focus.node.code, focus.last_month, focus.known_at)
    rolling = focus.session.evaluate(_rolling(focus, measure))
    if not marks or not rolling or rolling[0].value is None:
        return None
    value = float(rolling[0].value)
    labelled = tuple((mark.value, mark_label(focus, mark)) for mark in marks)
    return Ruler(
        value,
        max(value, marks[-1].value) * 1.1,
        labelled,
        focus.words.say("ruler.r12", value=focus.words.figure(value, rolling[0].unit).text),
    )


def _rolling(focus: Focus, measure: str, by: str | None = None) -> list[Query]:
    span = {"grain": "r12", "period_from": focus.last_month, "period_to": focus.last_month}
    return focus.queries([measure], by=by, **span)


def rolling_with_marks(focus: Focus, measure: str) -> tuple[tuple[Answer, float, tuple[Mark, ...]], ...]:
    """Return the last twelve months of every child with the quota lines that hold for it."""
    marks = focus.session.marks
    return tuple(
        (answer, float(answer.value), marks(measure, answer.node, focus.last_month, focus.known_at))
        for answer in focus.session.evaluate(_rolling(focus, measure, "children"))
        if answer.value is not None and answer.node != focus.node.code
    )


def band_of(value: float, marks: Sequence[Mark]) -> str:
    """Return the first line a value stays under, or `over`."""
    return next((mark.key for mark in marks if value <= mark.value), "over")


def pace_mark(focus: Focus, planned: Answer | None) -> tuple[float, Literal["plan", "time"]]:
    """Return the per cent of the year an execution rate is held against: what is planned by now, else the year elapsed.

    A plan that some units below lack is not the node's plan; the words beside the mark say which of the two it is.
    """
    if planned is not None and planned.value is not None and planned.status == "ok":
        return float(planned.value), "plan"
    return time_progress(focus) * 100, "time"


def time_progress(focus: Focus) -> float:
    """Return the share of the year that has passed at the end of the period."""
    month = Period.parse(focus.last_month).from_m + fiscal_shift(focus.session.facts.fiscal_start)
    return (month % 12 + 1) / 12


def _number(answer: Answer | None) -> float | None:
    return None if answer is None or answer.value is None else float(answer.value)


def _points(now: Answer, then: Answer | None) -> float | None:
    if now.value is None or then is None or then.value is None:
        return None
    return float(now.value) - float(then.value)


def _concerns(alarm: Alarm, theme: Theme, name: str, alone: bool) -> bool:
    return alarm.indicator.removesuffix("_yoy") == name if alone else alarm.theme == theme.name
