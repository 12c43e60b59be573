"""The SQL of a formula: two exact sides, one division.

A value is `float(numerator) / float(denominator)`: each side is finished exactly, cast to the nearest DOUBLE once, and
divided once. A mean is a pair, the sum of its months and their number; the number is brought to the other side before
the cast, so `cost / avg(staff)` is `cost × months / sum of staff`. A stock that stayed the same in all months is its own
mean and brings nothing: `cost / staff`, as anybody would divide by hand.

A side is exact while it is sums and differences of exact figures, times or divided by short numbers and months: such
a side stays within 38 digits. A product of two figures, or by a longer number, may need more, so its parts are cast to
DOUBLE first; so is a change of a ratio, which is taken from the two ratios as they are shown, each of them one division.
DuckDB casts a DECIMAL with decimals to the nearest DOUBLE at any size, a whole number below 2^64 (beyond, one bit may
be off).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from sqlglot import exp

from metrics import expressions as ex
from metrics.formula import TIMES, Formula, Operand, is_exact

LONGEST_FACTOR = 9
"""Digits of a number that multiplies an exact figure: 38 must hold the product."""


class Reader(Protocol):
    """Where the operands of a formula stand in the statement."""

    def figure(self, operand: Operand) -> str:
        """Return the exact figure; of a mean the sum of its months, or the figure they share."""

    def months(self, operand: Operand) -> str | None:
        """Return by what the figure of a mean is still to be divided; None for any other."""

    def ratio(self, tree: exp.Expr) -> str | None:
        """Return the column a ratio within a side stands in already; None where it is divided in place."""


@dataclass(frozen=True)
class Side:
    """An exact tree over months still to divide by. `figures` tells a figure from a bare number."""

    above: exp.Expr
    over: tuple[str, ...] = ()
    figures: bool = False


# --- what is written --------------------------------------------------------------------------------------------------


def side_sql(tree: exp.Expr, read: Reader) -> str:
    """Write one side as it is shown: exact where it can be, a mean as the DOUBLE of its quotient."""
    return _written(_named(tree, read.figure) if is_exact(tree) else _double(tree, read))


def ratio_sql(tree: exp.Div, read: Reader) -> str:
    """Write a ratio within a side as the figure it is shown as: one division."""
    return _written(_quotient(tree, read))


def value_sql(formula: Formula, scale: int, read: Reader, digits: Mapping[str, int]) -> str:
    """Write the value in the declared unit; `digits` gives the decimals of each atom."""
    if formula.denominator is None:
        if is_exact(formula.numerator):
            return _exact_scaled(formula, scale, read, digits)
        return _scaled(side_sql(formula.numerator, read), scale)
    above, below = (_written(side) for side in _two_sides(formula.numerator, formula.denominator, read))
    guard = f"CASE WHEN {below} > 0 THEN {below} END" if formula.kind == "change" else f"nullif({below}, 0)"
    return _scaled(f"{above} / {guard}", scale)


def _exact_scaled(formula: Formula, scale: int, read: Reader, digits: Mapping[str, int]) -> str:
    text = side_sql(formula.numerator, read)
    if scale == 0:
        return text
    places = max(digits.get(operand.atom, 0) for operand in formula.operands)
    if scale > 0:
        return f"CAST({text} AS DECIMAL({37 - scale}, {places})) * {10**scale}"
    factor = "0." + "0" * (-scale - 1) + "1"
    return f"CAST({text} AS DECIMAL({37 + scale}, {places})) * CAST({factor} AS DECIMAL({1 - scale}, {-scale}))"


def _scaled(text: str, scale: int) -> str:
    if scale == 0:
        return text
    return f"{text} * {float(10**scale)!r}" if scale > 0 else f"({text}) / {float(10**-scale)!r}"


# --- exact sides ------------------------------------------------------------------------------------------------------


def exact_side(tree: exp.Expr, read: Reader) -> Side | None:
    """Return a tree as an exact side; None where only DOUBLE is sure to hold it."""
    if isinstance(tree, exp.Placeholder):
        operand: Operand = tree.meta["operand"]
        months = read.months(operand)
        return Side(_column(read.figure(operand)), (months,) if months else (), operand.atom not in TIMES)
    if isinstance(tree, exp.Literal):
        digits = tree.name.replace(".", "", 1)
        return Side(tree.copy()) if digits.isdigit() and len(digits) <= LONGEST_FACTOR else None
    if isinstance(tree, (exp.Paren, exp.Neg)):
        inner = exact_side(tree.this, read)
        return inner and Side(type(tree)(this=inner.above), inner.over, inner.figures)
    if isinstance(tree, (exp.Add, exp.Sub, exp.Mul, exp.Div)):
        first, second = exact_side(tree.this, read), exact_side(tree.expression, read)
        return first and second and _joined(tree, first, second)
    return None


def _joined(tree: exp.Expr, first: Side, second: Side) -> Side | None:
    if isinstance(tree, (exp.Add, exp.Sub)):
        missing, lacking = _without(second.over, first.over), _without(first.over, second.over)
        above = type(tree)(this=_times(first.above, missing), expression=_times(second.above, lacking))
        return Side(above, (*first.over, *missing), first.figures or second.figures)
    if isinstance(tree, exp.Mul) and not (first.figures and second.figures):
        product = exp.Mul(this=_bound(first.above), expression=_bound(second.above))
        return Side(product, (*first.over, *second.over), first.figures or second.figures)
    if isinstance(tree, exp.Div) and isinstance(second.above, exp.Literal) and Decimal(second.above.name) != 0:
        return Side(first.above, (*first.over, second.above.name), first.figures)
    return None


def _without(over: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    """Return the months of one side that the other does not have as well."""
    return tuple((Counter(over) - Counter(other)).elements())


def _times(tree: exp.Expr, months: tuple[str, ...]) -> exp.Expr:
    for name in months:
        tree = exp.Mul(this=_bound(tree), expression=_column(name))
    return tree


def _bound(tree: exp.Expr) -> exp.Expr:
    """Return a tree as a factor."""
    return exp.paren(tree, copy=False) if isinstance(tree, (exp.Add, exp.Sub, exp.Neg)) else tree


# --- double -----------------------------------------------------------------------------------------------------------


def _two_sides(numerator: exp.Expr, denominator: exp.Expr, read: Reader) -> tuple[exp.Expr, exp.Expr]:
    """Return both sides as DOUBLE: exact up to their only cast, with the months of means brought across."""
    above, below = exact_side(numerator, read), exact_side(denominator, read)
    if above is None or below is None:
        return _double(numerator, read), _double(denominator, read)
    return (
        _cast(_times(above.above, _without(below.over, above.over))),
        _cast(_times(below.above, _without(above.over, below.over))),
    )


def _double(tree: exp.Expr, read: Reader) -> exp.Expr:
    """Return a tree as DOUBLE: every part that can be exact is finished first and cast once."""
    side = exact_side(tree, read)
    if side is not None:
        return _over(_cast(side.above), side.over)
    if isinstance(tree, exp.Div):
        named = read.ratio(tree)
        return _column(named) if named else exp.paren(_quotient(tree, read), copy=False)
    if isinstance(tree, exp.Paren):
        return _bound(_double(tree.this, read))
    made = tree.copy()
    for key in ("this", "expression"):
        if isinstance(tree.args.get(key), exp.Expr):
            made.set(key, _double(tree.args[key], read))
    return exp.paren(made, copy=False)


def _quotient(tree: exp.Div, read: Reader) -> exp.Expr:
    above, below = _two_sides(tree.this, tree.expression, read)
    return exp.Div(this=above, expression=_nullif(below))


def _over(tree: exp.Expr, months: tuple[str, ...]) -> exp.Expr:
    if not months:
        return tree
    below = _times(_column(months[0]), months[1:])
    if isinstance(below, exp.Mul):
        below = exp.paren(below, copy=False)
    return exp.paren(exp.Div(this=tree, expression=below), copy=False)


def _nullif(tree: exp.Expr) -> exp.Expr:
    return exp.Nullif(this=tree, expression=exp.Literal.number(0))


def _cast(tree: exp.Expr) -> exp.Expr:
    return exp.Cast(this=tree, to=exp.DataType(this=exp.DType.DOUBLE))


def _column(text: str) -> exp.Expr:
    """Return what a reader wrote as a node that is written as it stands: a library has thousands of them."""
    return exp.Var(this=text)


def _written(tree: exp.Expr) -> str:
    """Write a tree that was made for this text alone."""
    return tree.sql(dialect=ex.DIALECT, copy=False)


def _named(tree: exp.Expr, name: Callable[[Operand], str]) -> exp.Expr:
    def replaced(node: exp.Expr) -> exp.Expr:
        return _column(name(node.meta["operand"])) if isinstance(node, exp.Placeholder) else node

    return tree.copy().transform(replaced)
