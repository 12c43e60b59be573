"""A view made definite: which node, which months, as known when. Built once per request, asked by every region."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

from callbacks.language import Language
from callbacks.services import Node, Session, Tree
from callbacks.state import ViewState
from metrics.catalogue import UNIT_DIMS
from metrics.model import Query
from warehouse.base.errors import QueryError
from warehouse.base.periods import Grain, Period, Window, month_label, windows

YEARLY_CHANGE = "_yoy"


@dataclass(frozen=True)
class Focus:
    """What one request looks at, with the words to speak about it."""

    state: ViewState
    words: Language
    session: Session
    tree: Tree
    node: Node
    window: Window
    grain: Grain
    known_at: dt.datetime | None

    @property
    def last_month(self) -> str:
        """The last month of the window."""
        return month_label(self.window.to_m - 1)

    @property
    def children(self) -> tuple[Node, ...]:
        """The nodes directly below the one in view, in official order."""
        return self.tree.children(self.node.code)

    def query(self, indicators: Iterable[str], **changes: Any) -> Query:
        """Return the question for some indicators, at the view's node, period and caliber unless changed."""
        values: dict[str, Any] = {
            "indicators": tuple(indicators),
            "nodes": (self.node.code,),
            "period_from": self.window.label,
            "period_to": self.window.label,
            "grain": self.grain,
            "by": None,
            "where": None,
            "known_at": self.known_at,
            "tree": self.state.tree,
            "state": self.state.state,
            "scope": self.session.viewer.scope,
            "actor": self.session.viewer.actor,
        }
        return Query(**(values | changes))

    def queries(self, indicators: Iterable[str], **changes: Any) -> list[Query]:
        """Return the questions for some indicators with the view's filters, each where it can be honoured."""
        cards = self.session.indicators()
        groups: dict[str | None, list[str]] = {}
        for name in indicators:
            card = cards.get(name.removesuffix(YEARLY_CHANGE))
            groups.setdefault(self._where(card.dims if card else ()), []).append(name)
        return [self.query(names, where=where, **changes) for where, names in groups.items()]

    def _where(self, dims: Iterable[str]) -> str | None:
        """Return the filters that speak of something the indicator can be split by."""
        known = {*dims, *UNIT_DIMS}
        return " and ".join(text for text in self.state.where if dimension_in(text) in known) or None

    @property
    def shows_reviewed(self) -> bool:
        """Tell whether the figures in view are those that stand reviewed."""
        return self.session.facts.has_review and self.state.state != "reported"

    def months_back(self, count: int) -> str:
        """Return the month so many months before the last of the window."""
        return month_label(self.window.to_m - 1 - count)

    def year_earlier(self) -> str:
        """Return the label of the same period one year earlier."""
        end, begins = self.window.to_m - 12, self.session.facts.fiscal_start
        return windows(self.grain, end - 1, end, begins)[-1].label

    def link(self, path: str, **changes: Any) -> str:
        """Return the address of a page in this view with some fields changed."""
        return self.state.link(path, **changes)


def dimension_in(condition: str) -> str:
    """Return the dimension a filter chip speaks of: its first word."""
    return re.split(r"[^A-Za-z0-9_]", condition.strip(), maxsplit=1)[0]


def resolve(state: ViewState, session: Session, words: Language) -> Focus | None:
    """Make a view definite; None when nothing was known at that time."""
    known_at = known_moment(state, session)
    latest = session.latest_period(known_at)
    if latest is None:
        return None
    tree = session.tree(known_at, state.tree)
    node = tree.nodes.get(state.node or tree.root) or tree.nodes.get(tree.root)
    if node is None:
        return None
    window = window_of(state, latest, session.facts.fiscal_start)
    return Focus(state, words, session, tree, node, window, cast(Grain, state.grain), known_at)


def known_moment(state: ViewState, session: Session) -> dt.datetime | None:
    """Return the instant of "as known on"; today's date means now, a later one is refused."""
    moment = state.known_instant(session.facts.zone)
    if moment is None or moment <= session.now:
        return moment
    if moment.date() - session.now.date() <= dt.timedelta(days=1):
        return None
    raise QueryError(f"known_at {state.known_at} lies in the future.", "ask for a day that has passed")


def window_of(state: ViewState, latest: str, fiscal_start: int = 1) -> Window:
    """Return the last window of the grain that the chosen period touches, not beyond the latest month."""
    newest = Period.parse(latest)
    chosen = Period.parse(state.period, fiscal_start) if state.period else newest
    end = min(chosen.to_m, newest.to_m) if chosen.from_m < newest.to_m else chosen.to_m
    return windows(cast(Grain, state.grain), end - 1, end, fiscal_start)[-1]
