"""Formulas of indicators: which operands they read, and what is above and below the line.

An operand is one atom seen through one window: the sum of a flow, the last month or the average of a stock, now or n
months earlier. How they become SQL stands in `quotient`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from sqlglot import exp

from metrics import expressions as ex
from metrics.expressions import BadExpression
from warehouse.base.periods import Grain, Window, windows

How = Literal["sum", "last", "avg"]
Span = Literal["asked", "before", "ytd", "ytd_before", "r12", "r12_before"]
"""The window asked, the year or the twelve months that end where it ends, and the month before each of them."""

MONTHS = "months"
WORKDAYS = "workdays"
HEATING_DAYS = "heating_days"
TIMES = frozenset({MONTHS, WORKDAYS, HEATING_DAYS})
"""Words of a formula that tell the length of the window: its months, working days, days of the heating season."""
LONGEST_SHIFT = 120
WHOLE = "*"
"""Of a part that is asked for: the figure of all parts together."""
_SPANS: dict[str, Span] = {"ytd": "ytd", "r12": "r12"}
_BEFORE: dict[Span, Span] = {"asked": "before", "ytd": "ytd_before", "r12": "r12_before"}


@dataclass(frozen=True, order=True)
class View:
    """Which months of which node are read: `shift` months earlier, of the node itself or of its parent."""

    shift: int = 0
    span: Span = "asked"
    above: bool = False
    over: str = ""
    """A dimension of whose parts the greatest is read, or `WHOLE`; empty for the part, or the node, that is asked."""

    @property
    def suffix(self) -> str:
        """What tells this view's names in generated SQL from those of the asked window."""
        parts = [*([self.span] if self.span != "asked" else []), *(["parent"] if self.above else [])]
        if self.over:
            parts.append("whole" if self.over == WHOLE else f"top_{self.over}")
        return "".join(f"_{part}" for part in [*parts, *([str(self.shift)] if self.shift else [])])


ASKED = View()


@dataclass(frozen=True, order=True)
class Operand:
    """One atom seen through one window, `shift` months earlier than asked."""

    atom: str
    how: How
    shift: int = 0
    span: Span = "asked"
    above: bool = False
    over: str = ""

    @property
    def view(self) -> View:
        """Months and node this operand reads."""
        return View(self.shift, self.span, self.above, self.over)

    @property
    def is_top(self) -> bool:
        """Tell whether the greatest part is read, and not a sum."""
        return self.over not in ("", WHOLE)

    @property
    def name(self) -> str:
        """Column the operand has in generated SQL."""
        base = self.atom if self.how == "sum" else f"{self.atom}_{self.how}"
        return base + self.view.suffix

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
    return _taken_apart(_unwrap(_operands(ex.read(text, ex.FORMULA), ASKED)))


@lru_cache(maxsize=4096)
def formula_at(text: str, grain: Grain, parted: bool = False) -> Formula:
    """Take a formula apart for windows of a grain, in which some views are the same: to date is the year to date.

    `parted`: figures are split by a dimension; where they are not, the whole is what is asked.
    """
    formula = parse_formula(text)
    if all(o.span == "asked" and (parted or o.over != WHOLE) for o in formula.operands):
        return formula

    def settled(node: exp.Expr) -> exp.Expr:
        if not isinstance(node, exp.Placeholder):
            return node
        operand: Operand = node.meta["operand"]
        if not parted and operand.over == WHOLE:
            operand = replace(operand, over="")
        return _placeholder(_settled(operand, grain))

    whole = formula.numerator
    if formula.denominator is not None:
        whole = exp.Div(this=exp.paren(formula.numerator), expression=exp.paren(formula.denominator))
    return _taken_apart(whole.copy().transform(settled))


def _settled(operand: Operand, grain: Grain) -> Operand:
    span = operand.span
    if (grain in ("ytd", "r12") and span.startswith(grain)) or (grain == "year" and span.startswith("ytd")):
        span = "before" if span.endswith("before") else "asked"
    if grain == "month" and span == "before":
        return replace(operand, span="asked", shift=operand.shift + 1)
    return replace(operand, span=span)


def _taken_apart(tree: exp.Expr) -> Formula:
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


def seen_window(window: Window, view: View, fiscal_start: int = 1) -> Window:
    """Return the months a view reads for a window asked; the year to date begins where that grain begins it."""
    span, _, before = view.span.partition("_")
    found = window
    if span in ("ytd", "r12"):
        found = windows("ytd" if span == "ytd" else "r12", window.to_m - 1, window.to_m, fiscal_start)[0]
    if before or span == "before":
        found = Window(found.label, found.from_m - 1, found.from_m)
    return found.shifted(view.shift)


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


def _operands(node: exp.Expr, view: View) -> exp.Expr:
    """Return the tree with every read of an atom replaced by a placeholder that carries its operand."""
    if isinstance(node, exp.Column):
        if node.table:
            raise BadExpression(f"'{ex.sql(node)}': atoms have no dot in their name")
        return _seen(node.name.lower(), "sum", view)
    if isinstance(node, (exp.Last, exp.Avg)):
        return _seen(_atom_of(node.this, node), "last" if isinstance(node, exp.Last) else "avg", view)
    if isinstance(node, exp.Anonymous):
        return _called(node, view)
    if isinstance(node, exp.Literal) and node.is_string:
        raise BadExpression(f"a formula has no texts: {ex.sql(node)}")
    copy = node.copy()
    for key in ("this", "expression"):
        if isinstance(copy.args.get(key), exp.Expr):
            copy.set(key, _operands(copy.args[key], view))
    return copy


def _called(node: exp.Anonymous, view: View) -> exp.Expr:
    """Return what a function of ours reads: an atom in its own way, or a whole formula through another view."""
    name = node.name.lower()
    if name == "annual":
        return _seen(_atom_of(_only(node, 1)[0], node), "last", view)
    if name == "opening":
        return _seen(_atom_of(_only(node, 1)[0], node), "last", replace(view, span=_BEFORE[view.span]))
    if name == "prior":
        inner, months = _only(node, 2)
        return exp.paren(_operands(inner, replace(view, shift=view.shift + _shift(months))), copy=False)
    if name == "top":
        return _greatest(node, view)
    inner = _only(node, 1)[0]
    if name in ("parent", "whole") and view.over:
        raise BadExpression(f"'{ex.sql(node)}' stands inside whole() or top(): it is read of the node itself")
    if name == "whole":
        if view.above:
            raise BadExpression(f"'{ex.sql(node)}' stands inside parent(): a share is either of a parent or of a whole")
        return exp.paren(_operands(inner, replace(view, over=WHOLE)), copy=False)
    if name == "parent":
        if view.above:
            raise BadExpression(f"'{ex.sql(node)}' stands inside parent(): the parent of a parent is not read")
        return exp.paren(_operands(inner, replace(view, above=True)), copy=False)
    if view.span != "asked":
        raise BadExpression(f"'{ex.sql(node)}' stands inside {view.span}(): a figure has one span of months")
    return exp.paren(_operands(inner, replace(view, span=_SPANS[name])), copy=False)


def _greatest(node: exp.Anonymous, view: View) -> exp.Expr:
    """Return the read of the greatest part: of one atom, because the greatest of a sum is no sum of the greatest."""
    inner, dim = _only(node, 2)
    if view.above or view.over:
        raise BadExpression(f"'{ex.sql(node)}' stands inside parent(), whole() or top(): it is read of the node itself")
    if not isinstance(dim, exp.Column) or dim.table:
        raise BadExpression(f"'{ex.sql(node)}': the second argument of top() names a dimension")
    own = replace(view, over=dim.name.lower())
    if isinstance(inner, exp.Last):
        return _seen(_atom_of(inner.this, node), "last", own)
    return _seen(_atom_of(inner, node), "sum", own)


def _seen(atom: str, how: How, view: View) -> exp.Expr:
    if atom == MONTHS:
        return _placeholder(Operand(atom, how, 0, view.span))
    if atom in TIMES:  # those of an earlier window are other days
        return _placeholder(Operand(atom, how, view.shift, view.span))
    return _placeholder(Operand(atom, how, view.shift, view.span, view.above, view.over))


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
    if operand.atom in TIMES and operand.how != "sum":
        raise BadExpression(f"{operand.atom} is a length of the window; write it bare")
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
