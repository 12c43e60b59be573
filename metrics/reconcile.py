"""Reconciliation (口径对账): one figure as ledgers, finance, the official survey and the disclosure have it, side by side.

Every figure is an answer of `evaluate`. The difference, ours − theirs, is taken apart unit by unit: who is on one side
only, who owes a report, items one side counts otherwise, rounding, what a note explains. The parts add up to the
difference to the last digit, because what no reason covers is a part too: the unexplained rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from metrics.attribution import Part, take_apart
from metrics.calibers import form_of
from metrics.define_forms import is_plain_sum
from metrics.editions import in_force
from metrics.evaluate import evaluate
from metrics.knowledge import knowledge
from metrics.model import AS_WAS, CALIBERS, Answer, Caliber, Catalogue, Figure, Indicator, Query
from metrics.notes import read_notes, read_tolerance
from metrics.question import find_indicator
from metrics.unit_answers import unit_answers
from warehouse.base.errors import QueryError
from warehouse.base.money import exact
from warehouse.base.periods import Window, windows
from warehouse.store import Generation

SHOWN: tuple[Caliber, ...] = ("monitor", "finance", "survey", "published")
"""In this order they stand side by side."""


@dataclass(frozen=True)
class Comparison:
    """Our figure against that of one other book; figures are in the declared unit."""

    ours: Answer
    other: Answer
    difference: Figure | None
    """Ours − theirs; None where one of them has no figure."""
    tolerance: Decimal
    """How far one unit may lie off by rounding."""
    parts: tuple[Part, ...]
    """What the difference is made of; empty for a ratio, whose sides are reconciled as figures of their own."""

    @property
    def rest(self) -> Decimal:
        """What no reason covers."""
        return sum((part.amount for part in self.parts if part.reason == "unexplained"), Decimal(0))


@dataclass(frozen=True)
class Reconciled:
    """One figure of one node and period in every book that has it."""

    figures: Mapping[Caliber, Answer]
    against: tuple[Comparison, ...]

    def as_json(self) -> dict[str, Any]:
        """Return plain values for printing; exact figures as strings."""
        ours = self.figures["monitor"]
        return {
            "indicator": ours.indicator, "node": ours.node, "node_name": ours.node_name, "period": ours.period,
            "grain": ours.grain, "unit": ours.unit,
            "figures": {
                name: {"value": plain(one.value), "status": one.status, "due": one.due, "got": one.got,
                       "fingerprint": one.fingerprint}
                for name, one in self.figures.items()
            },
            "against": [
                {
                    "caliber": one.other.caliber, "difference": plain(one.difference), "tolerance": exact(one.tolerance),
                    "unexplained": exact(one.rest), "parts": [part.as_json() for part in one.parts],
                }
                for one in self.against
            ],
            "origin": ours.origin,
        }  # fmt: skip


def plain(figure: Figure | None) -> str | float | None:
    """Return a figure as it is printed: exact ones as text."""
    return figure if figure is None or isinstance(figure, float) else exact(figure)


def comparable(catalogue: Catalogue, grain: str) -> tuple[str, ...]:
    """Return the indicators another book has for a grain."""
    return tuple(i.id for i in catalogue.written if any(not f.grains or grain in f.grains for f in i.forms))


def reconcile(generation: Generation, catalogue: Catalogue, query: Query) -> tuple[Reconciled, ...]:
    """Return every figure a query asks for in all its books, with what the differences come from.

    The query's caliber counts for nothing here; it asks for whole nodes in the tree as it was.
    """
    if query.by is not None or query.where is not None or query.tree != AS_WAS:
        raise QueryError("Figures are reconciled for whole nodes.", "ask without --by, --where and --tree")
    generation = generation.seen(query.state)
    defined = in_force(generation, catalogue, query.known_at)
    start = windows(query.grain, *_span(generation, query), generation.fiscal_start)
    found = []
    for name in query.indicators:
        indicator = find_indicator(defined, name)
        books = [c for c in CALIBERS if form_of(indicator, c, query.grain) is not None]
        asked = {c: evaluate(generation, catalogue, replace(query, indicators=(name,), caliber=c)) for c in books}
        rows = [dict(zip(asked, answers, strict=True)) for answers in zip(*asked.values(), strict=True)]
        spans = [window for _ in query.nodes for window in start]
        for figures, window in zip(rows, spans, strict=True):
            held = _Side(generation, catalogue, defined, query, indicator, window)
            shown = {c: figures[c] for c in SHOWN if c in figures}
            found.append(
                Reconciled(
                    shown, tuple(held.against(figures["monitor"], figures[c]) for c in SHOWN[1:] if c in figures)
                )
            )
    return tuple(found)


def _span(generation: Generation, query: Query) -> tuple[int, int]:
    from warehouse.base.periods import Period

    fiscal = generation.fiscal_start
    return Period.parse(query.period_from, fiscal).from_m, Period.parse(query.period_to, fiscal).to_m


@dataclass(frozen=True)
class _Side:
    """Our side of a comparison, and what both sides are read with."""

    generation: Generation
    catalogue: Catalogue
    defined: Catalogue
    query: Query
    indicator: Indicator
    window: Window

    def against(self, ours: Answer, other: Answer) -> Comparison:
        form = form_of(self.indicator, other.caliber, self.query.grain)
        assert form is not None  # only books that have the figure are compared
        seq = ours.through_seq
        month = self.window.to_m - 1
        allowed = read_tolerance(self.generation, other.caliber, form.unit, month, seq)
        if ours.value is None or other.value is None:
            return Comparison(ours, other, None, allowed, ())
        difference = ours.value - other.value  # type: ignore[operator]  # both are Decimal or both float
        if not (is_plain_sum(self.indicator) and is_plain_sum(form)):
            return Comparison(ours, other, difference, allowed, ())
        parts = take_apart(
            Decimal(difference),
            self._by_unit(ours, (self.indicator.id, *form.more, *form.less), "monitor"),
            self._by_unit(ours, (self.indicator.id,), other.caliber),
            {**{name: (-1, self.defined.indicators[name].title) for name in form.more},
             **{name: (1, self.defined.indicators[name].title) for name in form.less}},
            self.indicator.id,
            allowed,
            read_notes(self.generation, self.indicator.id, other.caliber, self.window, seq),
        )  # fmt: skip
        return Comparison(ours, other, difference, allowed, parts)

    def _by_unit(self, ours: Answer, names: Sequence[str], caliber: Caliber) -> dict[str, dict[str, Answer]]:
        asked = replace(self.query, indicators=tuple(names), nodes=(ours.node,), caliber=caliber,
                        period_from=self._label, period_to=self._label)  # fmt: skip
        return unit_answers(self.generation, self.catalogue, asked, knowledge(self.generation), self.window)

    @property
    def _label(self) -> str:
        return self.window.label
