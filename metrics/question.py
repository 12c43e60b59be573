"""Reading a query: every name checked, every word turned into a number, the scope applied before anything is asked."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from dataclasses import dataclass, replace

from metrics.aligned import aligned, check_align, check_shifts, elapsed_end
from metrics.cubes import OWN
from metrics.filters import Filter, read_filter
from metrics.formula import WHOLE, parse_formula
from metrics.knowledge import Known
from metrics.model import AS_WAS, UNIT_DIMS, Catalogue, Indicator, Query
from metrics.nodes import Register, Stay, unknown_indicator
from warehouse.base.clock import DEFAULT_ZONE
from warehouse.base.errors import QueryError, suggest
from warehouse.base.periods import Period, Window, check_grain, month_of, windows
from warehouse.store import Generation

CHILDREN = "children"
MOST_WINDOWS = 1200
FURTHEST_BASE = 24
"""Months before the first window that a change against last year may still read, of the twelve months up to it."""


@dataclass(frozen=True)
class Question:
    """A query after reading."""

    query: Query
    indicators: tuple[Indicator, ...]
    windows: tuple[Window, ...]
    elapsed: int
    """First month that had not ended at the moment of the question."""
    seq: int
    tree_month: int | None
    where: Filter | None
    stays: tuple[Stay, ...]
    fiscal_start: int = 1

    @property
    def by_children(self) -> bool:
        """Tell whether each node is split into its children."""
        return self.query.by == CHILDREN

    @property
    def dim(self) -> str | None:
        """The dimension to split by, if it is not the children."""
        return None if self.by_children else self.query.by

    def elapsed_part(self, window: Window) -> Window:
        """Return the part of a window that has elapsed; it may be empty."""
        end = min(window.to_m, self.elapsed)
        return Window(window.label, window.from_m, elapsed_end(end) if self.query.align else end)

    def version(self, indicator: Indicator, window: Window) -> Indicator:
        """Return the version of an indicator that answers a window: the one in force in its last elapsed month."""
        if not indicator.earlier:
            return indicator
        part = self.elapsed_part(window)
        return indicator.at((part.to_m if part.months > 0 else window.to_m) - 1)

    def versions(self, indicator: Indicator) -> tuple[Indicator, ...]:
        """Return every version of an indicator that answers one of the windows."""
        return tuple({v.id: v for window in self.windows if (v := self.version(indicator, window))}.values())


def read_question(generation: Generation, catalogue: Catalogue, query: Query, known: Known) -> Question:
    """Check every word of a query; names nobody knows raise with suggestions."""
    check_grain(query.grain)
    indicators = tuple(find_indicator(catalogue, name) for name in query.indicators)
    known.register.check(query.nodes)
    refuse_future(generation, query)
    begins = generation.fiscal_start
    start, end = Period.parse(query.period_from, begins), Period.parse(query.period_to, begins)
    if end.to_m <= start.from_m:
        raise QueryError(
            f"{query.period_from}..{query.period_to} ends before it starts.", "the earlier period comes first"
        )
    asked = windows(query.grain, start.from_m, end.to_m, begins)
    if check_align(query.align):
        check_shifts(indicators)
        asked = aligned(query.grain, asked, begins)
        if query.grain == "month":  # two months are read as one longer window
            query = replace(query, grain="quarter")
    if len(asked) > MOST_WINDOWS:
        raise QueryError(
            f"{query.period_from}..{query.period_to} has {len(asked)} periods; at most {MOST_WINDOWS} are answered.",
            "ask for a shorter range, or for years or quarters instead of months",
        )
    dims = _common_dims(indicators)
    ranked = [i.id for i in indicators if i.role in ("rank", "pct")]
    if ranked and query.by not in (None, CHILDREN):
        raise QueryError(f"{', '.join(ranked)} cannot be split by '{query.by}'.", "a place among peers has no parts; ask by children, or for the figure itself")  # fmt: skip
    if query.by is not None and query.by not in (CHILDREN, *UNIT_DIMS, *dims):
        raise _no_split(query.by, indicators, dims)
    where = read_filter(query.where, dims) if query.where and query.where.strip() else None
    if where is not None and where.row_dims:
        _refuse_part_of_whole(indicators, where)
    seq, tree_month = generation.batch_at(query.known_at), _tree_month(query.tree)
    reach = (
        max((o.shift for i in indicators for v in i.versions for o in parse_formula(v.value).operands), default=0)
        + FURTHEST_BASE // 2
    )
    stays = _stays(query, asked, known.register, seq, tree_month, max(reach, FURTHEST_BASE)) if query.by == CHILDREN else ()  # fmt: skip
    return Question(
        query, indicators, asked, elapsed_month(generation, known, query), seq, tree_month, where, stays, begins
    )


def _refuse_part_of_whole(indicators: tuple[Indicator, ...], where: Filter) -> None:
    """A share of a part in the whole has no meaning among the rows of that part alone."""
    shares = [i.id for i in indicators if any(o.over == WHOLE for o in parse_formula(i.value).operands)]
    if shares:
        raise QueryError(
            f"{', '.join(shares)} is a share of all parts; a filter by {', '.join(where.row_dims)} leaves no whole.",
            f"ask --by {where.row_dims[0]}",
        )


def find_indicator(catalogue: Catalogue, name: str) -> Indicator:
    """Return an indicator, or raise with suggestions by spelling and by pinyin."""
    found = catalogue.indicators.get(name)
    if found is None:
        raise unknown_indicator(name, {i.id: (i.title.zh, i.title.en) for i in catalogue.indicators.values()})
    return found


def moment_of(generation: Generation, known: Known, query: Query) -> dt.datetime | None:
    """Return the moment a question stands at, at the store's place; None before anything was loaded."""
    moment = query.known_at or query.now or known.last_recorded
    if moment is None:
        return None
    return moment.astimezone(zoneinfo.ZoneInfo(generation.meta.get("timezone", DEFAULT_ZONE)))


def elapsed_month(generation: Generation, known: Known, query: Query) -> int:
    """Return the first month that had not ended at the moment of the question, in the store's time zone."""
    moment = moment_of(generation, known, query)
    return 0 if moment is None else month_of(moment.date())


def refuse_future(generation: Generation, query: Query) -> None:
    """Nothing is known yet of a moment that has not come, nor of the organisation as it will be then."""
    if query.now is None:
        return
    if query.known_at is not None and query.known_at > query.now:
        raise QueryError(f"Known at {query.known_at.isoformat()} lies in the future.", "ask for a day that has passed")
    if _tree_month(query.tree) is None:
        return
    today = query.now.astimezone(zoneinfo.ZoneInfo(generation.meta.get("timezone", DEFAULT_ZONE))).date()
    if dt.date.fromisoformat(query.tree) > today:
        raise QueryError(f"The tree of {query.tree} lies in the future.", "ask for today's or an earlier day's tree")


def _common_dims(indicators: tuple[Indicator, ...]) -> tuple[str, ...]:
    common = set.intersection(*(set(i.dims) for i in indicators)) if indicators else set()
    return tuple(sorted(common))


def _no_split(by: str, indicators: tuple[Indicator, ...], dims: tuple[str, ...]) -> QueryError:
    choices = (CHILDREN, *UNIT_DIMS, *dims)
    near = suggest(by, choices)
    hint = f"did you mean '{near[0]}'?" if near else f"available: {', '.join(choices)}"
    return QueryError(f"{', '.join(i.id for i in indicators)} cannot be split by '{by}'.", hint)


def _tree_month(tree: str) -> int | None:
    if tree == AS_WAS:
        return None
    try:
        return month_of(dt.date.fromisoformat(tree))
    except ValueError as cause:
        raise QueryError(f"'{tree}' is no tree.", f"write {AS_WAS} or a day such as 2024-05-31") from cause


def _stays(query: Query, asked: tuple[Window, ...], register: Register, seq: int, tree_month: int | None,
           reach: int) -> tuple[Stay, ...]:  # fmt: skip
    """Return the children of every node, and its own figures as one more, in the months of the windows and their bases."""
    from_m, to_m = min(w.from_m for w in asked) - reach, max(w.to_m for w in asked)
    found: list[Stay] = []
    for node in query.nodes:
        found.append(Stay(node, node + OWN, from_m, to_m))
        if tree_month is None:
            found += register.children(node, from_m, to_m, seq)
        else:
            under = register.children(node, tree_month, tree_month + 1, seq)
            found += [Stay(node, stay.child, from_m, to_m) for stay in under]
    return tuple(found)
