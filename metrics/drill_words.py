"""The words of drilling: a line behind a figure, and what each side of a formula reads in which months."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from sqlglot import exp

from metrics.formula import TIMES, Formula, Operand, is_exact, operands_of, seen_window
from metrics.model import Answer
from metrics.rule_rows import RuleRow
from warehouse.base.periods import Window

Side = Literal["numerator", "denominator"]


@dataclass(frozen=True)
class Division:
    """How a row came from a bill that several units share."""

    state: str
    """divided, no_rule or no_weight: what `warehouse.allocating` made of the bill."""
    share: Decimal | None
    """Percent of the bill; None where it is undivided, or must not be told."""
    basis: str | None
    document: str | None
    is_secret: bool
    """A unit kept out of the figures has a part of the bill: its part is in no figure, and no share is told."""


@dataclass(frozen=True)
class DrillRow:
    """One line behind a figure. `contribution` None: the row explains a cell but does not add by itself."""

    side: Side
    atom: str
    dataset: str
    unit: str
    unit_name: str
    period: str
    label: str
    file_name: str
    sheet: str
    row_no: int
    contribution: Decimal | None
    value: Decimal | None
    division: Division | None = None


@dataclass(frozen=True)
class DrillRows:
    """The lines behind one figure, largest first; totals cover all of them, also those not listed.

    `numerator` and `denominator` are the sums of contributions. An average divides its sum by the months of the
    window: `numerator_divisor`, `denominator_divisor`. A side that is no sum of rows has no total.
    """

    answer: Answer
    rows: tuple[DrillRow, ...]
    count: int
    numerator: Decimal | None
    denominator: Decimal | None
    numerator_divisor: int = 1
    denominator_divisor: int = 1
    rules: tuple[RuleRow, ...] = ()
    """Rows of reference tables that were looked up for the rows of the figure."""


@dataclass(frozen=True)
class Read:
    """One operand of one side: how often it goes into the side's sum (−1 where it is taken off) and its months."""

    side: Side
    operand: Operand
    weight: Decimal
    from_m: int
    to_m: int


def is_linear(tree: exp.Expr) -> bool:
    """Tell whether a side is a sum of its operands, so that contributions add up to it; a parent's are not listed.

    The greatest part is a sum of rows once it is known which part that is, which only a drill looks up.
    """
    if any(operand.above or operand.is_top for operand in operands_of(tree)):
        return False
    return isinstance(tree, exp.Placeholder) or _is_weighted_sum(tree)


def _is_weighted_sum(tree: exp.Expr) -> bool:
    """Tell whether a tree is sums and differences of exact figures, each perhaps times a constant."""
    if isinstance(tree, exp.Mul):
        taken = _times(tree)
        return taken is not None and _is_weighted_sum(taken[1])
    if isinstance(tree, (exp.Paren, exp.Neg)):
        return _is_weighted_sum(tree.this)
    if isinstance(tree, (exp.Add, exp.Sub)):
        return _is_weighted_sum(tree.this) and _is_weighted_sum(tree.expression)
    return is_exact(tree)


def _times(tree: exp.Mul) -> tuple[Decimal, exp.Expr] | None:
    """Return a product as a constant and what it multiplies; None where neither side is a constant."""
    for one, other in ((tree.this, tree.expression), (tree.expression, tree.this)):
        number = one.unnest()
        if isinstance(number, exp.Literal) and not number.is_string:
            return Decimal(number.name), other
    return None


def divisor_of(tree: exp.Expr | None, window: Window, fiscal_start: int = 1) -> int:
    """Return the months an average divides its sum by; 1 for anything else."""
    if not isinstance(tree, exp.Placeholder) or tree.meta["operand"].how != "avg":
        return 1
    return max(seen_window(window, tree.meta["operand"].view, fiscal_start).months, 1)


def side_reads(side: Side, tree: exp.Expr | None, window: Window, fiscal_start: int = 1) -> list[Read]:
    """Return the operands of a side with their weights; in a product of figures or a quotient a weight has no meaning."""
    found: list[Read] = []

    def walk(node: exp.Expr, weight: Decimal) -> None:
        if isinstance(node, exp.Placeholder):
            operand: Operand = node.meta["operand"]
            if operand.atom not in TIMES and not operand.above:
                earlier = seen_window(window, operand.view, fiscal_start)
                start = earlier.to_m - 1 if operand.how == "last" else earlier.from_m
                found.append(Read(side, operand, weight, start, earlier.to_m))
            return
        if isinstance(node, exp.Neg):
            walk(node.this, -weight)
            return
        if isinstance(node, exp.Mul) and (taken := _times(node)) is not None:
            walk(taken[1], weight * taken[0])
            return
        for key in ("this", "expression"):
            if isinstance(node.args.get(key), exp.Expr):
                walk(node.args[key], -weight if key == "expression" and isinstance(node, exp.Sub) else weight)

    if tree is not None:
        walk(tree, Decimal(1))
    return found


def reads_of(formula: Formula, window: Window, fiscal_start: int = 1) -> list[Read]:
    """Return every operand of both sides with its weight and its months."""
    return [
        *side_reads("numerator", formula.numerator, window, fiscal_start),
        *side_reads("denominator", formula.denominator, window, fiscal_start),
    ]
