"""The bridge between two trees: a figure by the tree of each month's own time, and by the tree of one day.

What differs is who counts below a node in which months: as-was + units that came in − units that left = as of the day.
A sum adds up to the last digit, a ratio by its numerator and by its denominator. Units that are under one node in both
trees are in no line, so a bridge is as long as what was reorganised.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Literal

from metrics.calibers import of_caliber
from metrics.drill import Read, reads_of
from metrics.drill_words import divisor_of, is_linear
from metrics.editions import in_force
from metrics.evaluate import evaluate
from metrics.formula import parse_formula
from metrics.knowledge import Known, knowledge
from metrics.model import AS_WAS, Answer, Catalogue, Figure, Indicator, Query
from metrics.plan import Ask
from metrics.prepared import is_laid
from metrics.question import Question, read_question
from metrics.unit_cells import unit_cells
from warehouse.base.errors import QueryError
from warehouse.base.money import exact
from warehouse.base.periods import OPEN, month_label
from warehouse.base.scope import Scope
from warehouse.store import Generation

Move = Literal["in", "out"]
Sides = tuple[Literal["numerator"], Literal["denominator"]]
SIDES: Sides = ("numerator", "denominator")
_HIDDEN = ""
"""Stands for the units a viewer may not see by name; their figures are in the difference that is seen anyway."""
_ROUNDING = 1e-12
"""A mean is divided as a whole, its parts one by one: they meet within a few last places of a float."""


@dataclass(frozen=True)
class Crossing:
    """A unit that counts below the node by one tree and not by the other; figures are signed, in base units.

    `months`: where the trees differ · `under`: what it hung under in those months · `tree_under`: what it hangs under in
    the tree of the day (— for a name the viewer may not see) · `belonged`: when it truly was below the node, "" never.
    """

    move: Move
    unit: str
    unit_name: str
    months: str
    under: str
    tree_under: str
    belonged: str
    numerator: Figure | None
    denominator: Figure | None
    value: Decimal | None
    """The figure in the declared unit, where the indicator is an exact sum."""


@dataclass(frozen=True)
class TreeBridge:
    """One figure by both trees and the units between them."""

    as_was: Answer
    as_of: Answer
    units: tuple[Crossing, ...]
    adds_up: bool | None
    """None: the figure is no sum over units on some side, or is not shown by one of the trees."""

    def as_json(self) -> dict[str, Any]:
        """Return plain values for printing; exact figures as strings."""
        answer = self.as_of
        return {
            "indicator": answer.indicator, "node": answer.node, "node_name": answer.node_name, "period": answer.period,
            "grain": answer.grain, "unit": answer.unit, "tree": answer.tree,
            "as_was": _end(self.as_was), "as_of": _end(answer), "adds_up": self.adds_up,
            "units": [
                {
                    "move": line.move, "node": line.unit, "node_name": line.unit_name, "months": line.months,
                    "under": line.under, "tree_under": line.tree_under, "belonged": line.belonged,
                    "value": _plain(line.value), "numerator": _plain(line.numerator),
                    "denominator": _plain(line.denominator),
                }
                for line in self.units
            ],
        }  # fmt: skip


def _end(answer: Answer) -> dict[str, Any]:
    return {
        "value": _plain(answer.value), "numerator": _plain(answer.numerator), "denominator": _plain(answer.denominator),
        "due": answer.due, "got": answer.got, "status": answer.status,
    }  # fmt: skip


def _plain(figure: Figure | None) -> str | float | None:
    return figure if figure is None or isinstance(figure, float) else exact(figure)


def tree_bridge(generation: Generation, catalogue: Catalogue, query: Query) -> tuple[TreeBridge, ...]:
    """Return the bridge of every figure a query asks for; its tree is the one of the day."""
    if query.tree == AS_WAS:
        raise QueryError("A bridge leads to the tree of a day.", "add --tree 2025-01-31")
    if query.by is not None or query.factors is not None:
        raise QueryError("A bridge stands behind one figure of a node.", "ask without --by and without --factors")
    generation = generation.seen(query.state)
    known = knowledge(generation)
    defined = of_caliber(in_force(generation, catalogue, query.known_at), query.caliber, query.grain)
    question = read_question(generation, defined, query, known)
    if unfit := [i.id for i in question.indicators if i.role in ("same", "rank", "pct")]:
        raise QueryError(
            f"{', '.join(unfit)} is made of a comparison of units, not of a sum over them.",
            "ask for the figure itself: what moves it moves its rank",
        )
    were = evaluate(generation, catalogue, replace(query, tree=AS_WAS))
    are = evaluate(generation, catalogue, query)
    finder = _Finder(generation, question, known)
    return tuple(finder.bridge(*pair) for pair in zip(were, are, strict=True))


@dataclass
class _Tally:
    """What one unit brings or takes, while it is added up."""

    months: set[int] = field(default_factory=set)
    sides: dict[str, Decimal] = field(default_factory=dict)

    def add(self, side: str, figure: Decimal) -> None:
        self.sides[side] = self.sides.get(side, Decimal(0)) + figure


class _Finder:
    """Finds who counts by one tree only, and with which figures."""

    def __init__(self, generation: Generation, question: Question, known: Known) -> None:
        self.generation = generation
        self.question = question
        self.known = known
        self.indicators = {i.id: i for i in question.indicators}
        self.windows = {w.label: w for w in question.windows}

    def bridge(self, as_was: Answer, as_of: Answer) -> TreeBridge:
        """Return the bridge between one figure by both trees."""
        window = self.windows[as_of.period]
        version = self.question.version(self.indicators[as_of.indicator], window)
        elapsed = self.question.elapsed_part(window)
        if (
            "forbidden" in (as_was.status, as_of.status)
            or elapsed.months <= 0
            or not is_laid(version, self.known.layout)
        ):
            return TreeBridge(as_was, as_of, (), None)
        formula = parse_formula(version.value)
        trees = {"numerator": formula.numerator, "denominator": formula.denominator}
        reads = reads_of(formula, elapsed, self.question.fiscal_start)
        tallies = self._tallies(version, as_of.node, reads)
        shown = self._by_name(tallies, self.question.query.scope)
        divisors = {side: divisor_of(tree, elapsed, self.question.fiscal_start) for side, tree in trees.items()}
        linear = {side: tree is None or is_linear(tree) for side, tree in trees.items()}
        scale = version.scale if formula.denominator is None and divisors["numerator"] == 1 else None
        lines = self._lines(as_of.node, shown, divisors, linear, scale)
        return TreeBridge(as_was, as_of, lines, _adds_up(as_was, as_of, lines) if all(linear.values()) else None)

    def _tallies(self, version: Indicator, node: str, reads: Sequence[Read]) -> dict[tuple[Move, str], _Tally]:
        found: dict[tuple[Move, str], _Tally] = defaultdict(_Tally)
        if not reads:
            return found
        ask = (Ask(version.id, parse_formula(version.value), version.scale),)
        columns, rows = self._rows(ask, node, min(r.from_m for r in reads), max(r.to_m for r in reads))
        laid = self.known.layout.atoms
        for move, unit, month, *figures in rows:
            cells = dict(zip(columns, figures, strict=True))
            sign = 1 if move == "in" else -1
            for read in reads:
                if not read.from_m <= month < read.to_m:
                    continue
                tally = found[move, unit]
                tally.months.add(month)
                parts = [cells[f"{read.operand.atom}@{table}"] for table in laid[read.operand.atom].tables]
                if any(part is not None for part in parts):
                    tally.add(
                        read.side,
                        sum((Decimal(str(p)) for p in parts if p is not None), Decimal(0)) * sign * read.weight,
                    )
        return found

    def _rows(
        self, asks: tuple[Ask, ...], node: str, lo: int, hi: int
    ) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        """Return the unit-months that only one of the trees has, with the names of their figures."""
        where = self.question.where
        was = unit_cells(asks, self.known.layout, where=where)
        day = unit_cells(asks, self.known.layout, as_of=True, where=where)
        text = (
            f"WITH was AS ({was.sql}), day AS ({day.sql})\n"
            "SELECT 'in' AS move, * FROM day ANTI JOIN was USING (unit, month_no)\nUNION ALL BY NAME\n"
            "SELECT 'out' AS move, * FROM was ANTI JOIN day USING (unit, month_no)"
        )
        every: dict[str, object] = {
            "nodes": node, "lo": lo, "hi": hi, "seq": self.question.seq, "tree_month": self.question.tree_month,
            **(where.parameters if where else {}),
        }  # fmt: skip
        given = {k: v for k, v in every.items() if k in was.parameters | day.parameters}
        return was.columns[2:], self.generation.con.execute(text, given).fetchall()

    def _by_name(self, tallies: Mapping[tuple[Move, str], _Tally], scope: Scope) -> dict[tuple[Move, str], _Tally]:
        """Return the tallies by the units a viewer may see; the others together, without a name."""
        found: dict[tuple[Move, str], _Tally] = {}
        for (move, unit), tally in tallies.items():
            seen = self.known.register.visible(unit, min(tally.months), max(tally.months) + 1, self.question.seq, scope)
            kept = found.setdefault((move, unit if seen else _HIDDEN), _Tally())
            kept.months |= tally.months
            for side, figure in tally.sides.items():
                kept.add(side, figure)
        return found

    def _lines(self, node: str, tallies: Mapping[tuple[Move, str], _Tally], divisors: Mapping[str, int],
               linear: Mapping[str, bool], scale: int | None) -> tuple[Crossing, ...]:  # fmt: skip
        units = sorted({unit for _, unit in tallies} - {_HIDDEN})
        stays, above = self._stays(node, units), self._above(units)
        register, seq, scope = self.known.register, self.question.seq, self.question.query.scope
        day = self.question.tree_month or 0

        def name(code: str, month: int) -> str:
            return register.name(code, month, seq) if register.visible(code, month, month + 1, seq, scope) else "—"

        lines = []
        for (move, unit), tally in tallies.items():
            first, last = min(tally.months), max(tally.months) + 1
            sums = {side: tally.sides.get(side) if linear[side] else None for side in SIDES}
            under = dict.fromkeys(stay.parent for stay in register.parents(unit, first, last, seq)) if unit else {}
            above_sum = sums["numerator"]
            lines.append(
                Crossing(
                    move, unit, register.name(unit, last - 1, seq) if unit else "—", spans(tally.months),
                    " / ".join(name(code, last - 1) for code in under),
                    " / ".join(name(code, day) for code in above.get(unit, ())),
                    ", ".join(_span(*stay) for stay in stays.get(unit, ())),
                    _shared(sums["numerator"], divisors["numerator"]), _shared(sums["denominator"], divisors["denominator"]),
                    None if scale is None or above_sum is None else above_sum.scaleb(scale),
                )
            )  # fmt: skip
        return tuple(
            sorted(
                lines, key=lambda line: (line.move, line.unit == _HIDDEN, -abs(float(line.numerator or 0)), line.unit)
            )
        )

    def _stays(self, node: str, units: Sequence[str]) -> dict[str, list[tuple[int, int]]]:
        """Return the months each unit truly was below the node, as known at the moment of the question."""
        rows = self.generation.con.execute(
            "SELECT dsc, from_m, to_m FROM closure WHERE anc = $node AND dsc IN (SELECT unnest($units)) AND depth > 0 "
            "AND rec_from <= $seq AND $seq < rec_to ORDER BY dsc, from_m",
            {"node": node, "units": list(units), "seq": self.question.seq},
        ).fetchall()
        found: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for unit, from_m, to_m in rows:
            joins = found[unit] and found[unit][-1][1] == from_m
            found[unit].append((found[unit].pop()[0] if joins else from_m, to_m))
        return found

    def _above(self, units: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Return what each unit hangs under directly in the tree of the day."""
        rows = self.generation.con.execute(
            "SELECT dsc, list(DISTINCT anc ORDER BY anc) FROM closure_ext WHERE dsc IN (SELECT unnest($units)) AND depth = 1 "
            "AND from_m <= $month AND $month < to_m AND rec_from <= $seq AND $seq < rec_to GROUP BY dsc",
            {"units": list(units), "month": self.question.tree_month, "seq": self.question.seq},
        ).fetchall()
        return {unit: tuple(codes) for unit, codes in rows}


def _shared(total: Decimal | None, divisor: int) -> Figure | None:
    """Return a sum, or its part of a mean over the months of the window."""
    return total if total is None or divisor == 1 else float(total) / divisor


def _adds_up(as_was: Answer, as_of: Answer, lines: Iterable[Crossing]) -> bool | None:
    """Tell whether both sides meet; None where one of them is not shown by some tree."""
    kept = tuple(lines)
    if as_was.numerator is None and as_of.numerator is None:
        return None
    sides = [_side_meets(getattr(as_was, s), [getattr(k, s) for k in kept], getattr(as_of, s)) for s in SIDES]
    return False if False in sides else None if None in sides else True


def _side_meets(start: Figure | None, moved: Sequence[Figure | None], end: Figure | None) -> bool | None:
    """A figure that one tree does not show counts as nothing if that is what it is: nobody reported."""
    met = _meets(start, moved, end)
    return (met or None) if start is None or end is None else met


def _meets(start: Figure | None, moved: Sequence[Figure | None], end: Figure | None) -> bool:
    figures = [figure for figure in (start, *moved, end) if figure is not None]
    if any(isinstance(figure, float) for figure in figures):
        gap = float(start or 0) + sum(float(m or 0) for m in moved) - float(end or 0)
        return abs(gap) <= _ROUNDING * max((abs(float(f)) for f in figures), default=0.0) * max(len(figures), 1)
    return Decimal(start or 0) + sum((Decimal(m or 0) for m in moved), Decimal(0)) == Decimal(end or 0)


def spans(months: Iterable[int]) -> str:
    """Return months as text: "2024-01..2024-03, 2024-06"."""
    found: list[list[int]] = []
    for month in sorted(set(months)):
        if found and found[-1][1] == month:
            found[-1][1] = month + 1
        else:
            found.append([month, month + 1])
    return ", ".join(_span(first, end) for first, end in found)


def _span(from_m: int, to_m: int) -> str:
    """Return a half-open span as people write it; one that goes on has no end."""
    first = month_label(from_m)
    if to_m >= OPEN:
        return f"{first}.."
    return first if to_m == from_m + 1 else f"{first}..{month_label(to_m - 1)}"
