"""Formulas of indicators: which operands they read, and what is above and below the line.

An operand is one atom seen through one window: the sum of a flow, the last month or the average of a stock, now or n
months earlier. How they become SQL stands in `quotient`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from sqlglot import exp

from metrics import expressions as ex
from metrics.expressions import BadExpression

How = Literal["sum", "last", "avg"]
MONTHS = "months"
LONGEST_SHIFT = 120


@dataclass(frozen=True, order=True)
class Operand:
    """One atom seen through one window, `shift` months earlier than asked."""

    atom: str
    how: How
    shift: int = 0

    @property
    def name(self) -> str:
        """Column the operand has in generated SQL."""
        base = self.atom if self.how == "sum" else f"{self.atom}_{self.how}"
        return f"{base}_{self.shift}" if self.shift else base

    @property
    def months(self) -> str:
        """Column of the months by which the sum of a mean is still to be divided."""
        return f"{self.name}_months"


@dataclass(frozen=True)
class Formula:
    """A formula taken apart: the value is numerator alone, or numerator / denominator; both are trees of operands."""

    kind: Literal["sum", "ratio", "change"]
    numerator: exp.Expr
    denominator: exp.Expr | None
    current: exp.Expr | None
    """For a change: the figure of now, whose absence is not the absence of a base."""
    operands: tuple[Operand, ...]

    def side(self, tree: exp.Expr | None) -> tuple[Operand, ...]:
        """Return the operands of one side."""
        return () if tree is None else tuple(sorted(set(operands_of(tree))))


@lru_cache(maxsize=2048)
def parse_formula(text: str) -> Formula:
    """Take a formula apart; bare names of stocks are judged by the catalogue, which knows kinds."""
    tree = _unwrap(_operands(ex.read(text, ex.FORMULA), 0))
    numerator, denominator = _sides(tree)
    current = _current(numerator, denominator)
    kind: Literal["sum", "ratio", "change"] = (
        "change" if current is not None else "ratio" if denominator is not None else "sum"
    )
    return Formula(kind, numerator, denominator, current, tuple(sorted(set(operands_of(tree)))))


def operands_of(tree: exp.Expr) -> Iterator[Operand]:
    """Yield every operand of a tree that was read by `parse_formula`."""
    for node in tree.find_all(exp.Placeholder):
        yield node.meta["operand"]


def is_exact(tree: exp.Expr) -> bool:
    """Tell whether a tree is only sums and differences of exact figures, so that it stays DECIMAL."""
    if isinstance(tree, exp.Placeholder):
        operand: Operand = tree.meta["operand"]
        return operand.how != "avg"
    if isinstance(tree, (exp.Paren, exp.Neg)):
        return is_exact(tree.this)
    if isinstance(tree, (exp.Add, exp.Sub)):
        return is_exact(tree.this) and is_exact(tree.expression)
    return False


def _operands(node: exp.Expr, shift: int) -> exp.Expr:
    """Return the tree with every read of an atom replaced by a placeholder that carries its operand."""
    if isinstance(node, exp.Column):
        if node.table:
            raise BadExpression(f"'{ex.sql(node)}': atoms have no dot in their name")
        return _placeholder(Operand(node.name.lower(), "sum", shift))
    if isinstance(node, (exp.Last, exp.Avg)):
        return _placeholder(Operand(_atom_of(node.this, node), "last" if isinstance(node, exp.Last) else "avg", shift))
    if isinstance(node, exp.Anonymous):
        if node.name.lower() == "annual":
            return _placeholder(Operand(_atom_of(_only(node, 1)[0], node), "last", shift))
        inner, months = _only(node, 2)
        return exp.paren(_operands(inner, shift + _shift(months)), copy=False)
    if isinstance(node, exp.Literal) and node.is_string:
        raise BadExpression(f"a formula has no texts: {ex.sql(node)}")
    copy = node.copy()
    for key in ("this", "expression"):
        if isinstance(copy.args.get(key), exp.Expr):
            copy.set(key, _operands(copy.args[key], shift))
    return copy


def _only(node: exp.Anonymous, count: int) -> list[exp.Expr]:
    if len(node.expressions) != count:
        raise BadExpression(f"{node.name.lower()}() takes {count} argument(s), not {len(node.expressions)}")
    return list(node.expressions)


def _atom_of(node: exp.Expr | None, call: exp.Expr) -> str:
    if not isinstance(node, exp.Column) or node.table:
        raise BadExpression(f"'{ex.sql(call)}' must name one atom")
    return node.name.lower()


def _shift(node: exp.Expr) -> int:
    if isinstance(node, exp.Literal) and not node.is_string and node.name.isdigit():
        months = int(node.name)
        if 1 <= months <= LONGEST_SHIFT:
            return months
    raise BadExpression(f"prior() goes back a whole number of months from 1 to {LONGEST_SHIFT}, not {ex.sql(node)}")


def _placeholder(operand: Operand) -> exp.Expr:
    if operand.atom == MONTHS and operand.how != "sum":
        raise BadExpression("months is the number of months of the window; write it bare")
    node = exp.Placeholder(this=operand.name)
    node.meta["operand"] = operand
    return node


def _unwrap(tree: exp.Expr) -> exp.Expr:
    while isinstance(tree, exp.Paren):
        tree = tree.this
    return tree


def _sides(tree: exp.Expr) -> tuple[exp.Expr, exp.Expr | None]:
    if isinstance(tree, exp.Div):
        return _unwrap(tree.this), _unwrap(tree.expression)
    return tree, None


def _current(numerator: exp.Expr, denominator: exp.Expr | None) -> exp.Expr | None:
    """Recognise (x − base) / base where base is only earlier months: a change against a base."""
    if denominator is None or not isinstance(numerator, exp.Sub):
        return None
    base = _unwrap(numerator.expression)
    earlier = list(operands_of(denominator))
    if not earlier or any(not o.shift for o in earlier) or ex.sql(base) != ex.sql(denominator):
        return None
    return _unwrap(numerator.this)
