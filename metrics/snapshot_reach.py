"""Which questions the published snapshot answers; every other goes to the cubes, and the answer is the same.

The snapshot holds the figures of now of whole nodes, in the tree as it was, for windows that end with any month. A
question reaches beyond it when it asks for another day or tree, a filter, a part, the same units on both sides, a parent's
figures, or windows that are no row: cut before their end where they begin with it (twelve months), or shifted by less
than a period. A child that moved has only the months it hung where it is asked for, and is summed month by month.
"""

from __future__ import annotations

from dataclasses import replace

from metrics.cubes import OWN
from metrics.formula import MONTHS, Operand, seen_window
from metrics.knowledge import Known
from metrics.plan import Layout, Shape
from metrics.question import Question
from warehouse.base.periods import Grain

KINDS: dict[Grain, str] = {"quarter": "quarter", "ytd": "ytd", "year": "ytd", "r12": "r12"}
"""The kind that answers a grain; months are answered by the cube of now, a year is the year to date of its last month."""
STEP = {"quarter": 3, "ytd": 12, "r12": 1}
"""Months after which a window of a kind begins anew: what is shifted by so many, or a multiple, is a row too."""


def from_snapshot(shape: Shape, question: Question, known: Known) -> Shape:
    """Return the shape that reads the snapshot where it holds all that is asked; else the shape as it is."""
    kind = KINDS.get(question.query.grain)
    if (
        kind is None
        or question.query.align
        or shape.reading != "now"
        or shape.panel
        or not _holds(known.layout, kind, question)
    ):
        return shape
    operands = {o for ask in shape.asks for o in ask.formula.operands}
    if not all(is_row(operand, kind, known.layout) for operand in operands):
        return shape
    if shape.stays and _any_moved(question, known, operands):
        return shape
    asked_of = sum(question.elapsed_part(window).months > 0 for window in question.windows)
    return replace(shape, snap=kind, windows="end" if asked_of == 1 else "ends")


def _holds(layout: Layout, kind: str, question: Question) -> bool:
    """Tell whether every window is a row of a kind, and a row of its own."""
    if layout.published is None:
        return False
    parts = [(w, part) for w in question.windows if (part := question.elapsed_part(w)).months > 0]
    ends = [part.to_m for _, part in parts]
    if len(set(ends)) < len(ends) or max(ends, default=0) > layout.published.ends.get(kind, 0):
        return False
    return kind != "r12" or all(window.to_m == part.to_m for window, part in parts)


def is_row(operand: Operand, kind: str, layout: Layout) -> bool:
    """Tell whether what an operand reads stands in rows of a kind."""
    if operand.span != "asked" or operand.above or operand.over or operand.shift % STEP[kind]:
        return False
    return operand.atom == MONTHS or (
        layout.published is not None and replace(operand, shift=0).name in layout.published.columns
    )


def _any_moved(question: Question, known: Known, operands: set[Operand]) -> bool:
    """Tell whether a child hung elsewhere in a month that is read."""
    parts = [part for w in question.windows if (part := question.elapsed_part(w)).months > 0]
    seen = [seen_window(part, operand.view, question.fiscal_start) for part in parts for operand in operands]
    low, high = min((w.from_m for w in seen), default=0), max((w.to_m for w in seen), default=0)
    return any(
        known.register.has_moved(stay.child.removesuffix(OWN), low, high, question.seq)
        for stay in question.stays
        if not stay.child.endswith(OWN)
    )
