"""The small SQL expressions of definitions and filters: parsed, held to a closed list, written canonically.

A closed list is what makes an expression portable and safe (notes: equality rules). Anything outside it is a fault
with the text of the offending part; nothing is passed through to the database unread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from sqlglot import exp, parse
from sqlglot.errors import SqlglotError

from warehouse.base.errors import suggest

DIALECT = "duckdb"
LONGEST = 2_000
MOST_NODES = 400

_SHARED: tuple[type[exp.Expr], ...] = (
    exp.Column, exp.Identifier, exp.Literal, exp.Null, exp.Paren, exp.Neg, exp.Add, exp.Sub, exp.Mul,
)  # fmt: skip
CONDITION: tuple[type[exp.Expr], ...] = (
    *_SHARED, exp.Boolean, exp.And, exp.Or, exp.Not, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE,
    exp.In, exp.Is, exp.Between,
)  # fmt: skip
ROW: tuple[type[exp.Expr], ...] = (
    *CONDITION, exp.Case, exp.If, exp.Coalesce, exp.Greatest, exp.Least, exp.Month, exp.Year, exp.DateDiff, exp.Var, exp.Mod,
)  # fmt: skip
AGGREGATE: tuple[type[exp.Expr], ...] = (*ROW, exp.Sum, exp.Count, exp.Star, exp.Distinct)
FORMULA: tuple[type[exp.Expr], ...] = (*_SHARED, exp.Div, exp.Last, exp.Avg, exp.Anonymous)
FORMULA_CALLS = ("annual", "opening", "prior", "ytd", "r12", "parent", "whole", "top")


class BadExpression(ValueError):
    """An expression cannot be read or holds something outside the closed list."""


def read(text: str, allowed: tuple[type[exp.Expr], ...]) -> exp.Expr:
    """Parse one expression and hold every part of it to the closed list; comments are dropped."""
    if len(text) > LONGEST:
        raise BadExpression(f"the text has {len(text)} characters, at most {LONGEST} are read")
    try:
        trees = parse(text, dialect=DIALECT)
    except (SqlglotError, RecursionError) as cause:
        raise BadExpression(f"'{_short(text)}' cannot be read: {_first_line(cause)}{_wide_signs(text)}") from cause
    if len(trees) != 1 or trees[0] is None:
        raise BadExpression(f"'{_short(text)}' is not one expression")
    tree = trees[0]
    _check(tree, allowed)
    for node in tree.walk():
        node.comments = None
    return tree


def _check(tree: exp.Expr, allowed: tuple[type[exp.Expr], ...]) -> None:
    for count, node in enumerate(tree.walk()):
        if count > MOST_NODES:
            raise BadExpression(f"the expression has more than {MOST_NODES} parts")
        if type(node) not in allowed:
            raise BadExpression(
                f"'{_short(node.sql(DIALECT))}' is not allowed here ({type(node).__name__}){_instead(node, allowed)}"
            )
        if isinstance(node, exp.Anonymous) and node.name.lower() not in FORMULA_CALLS:
            raise BadExpression(_no_function(node.name))
        if isinstance(node, exp.Column) and len(node.parts) > 2:
            raise BadExpression(f"'{_short(node.sql(DIALECT))}' has too many dots")
        if isinstance(node, exp.In) and (node.args.get("query") or node.args.get("unnest")):
            raise BadExpression("IN takes a list of values, not a query")
        if isinstance(node, exp.DateDiff) and node.text("unit").upper() != "SECOND":
            raise BadExpression("date_diff counts seconds only; other units differ between engines")


def _wide_signs(text: str) -> str:
    """Say which signs of a Chinese keyboard stand where plain ones are meant."""
    found = [f"{wide} as {plain}" for wide, plain in _PLAIN.items() if wide in text]
    return f" Write {', '.join(found)}." if found else ""


def _instead(node: exp.Expr, allowed: tuple[type[exp.Expr], ...]) -> str:
    """Say what is written instead of an aggregate in a formula."""
    if allowed is FORMULA and isinstance(node, (exp.Sum, exp.Count)):
        return ": a flow is summed by itself, write its name alone; of a stock write last(…) or avg(…)"
    return ""


_PLAIN = {"（": "(", "）": ")", "×": "*", "÷": "/", "，": ",", "＋": "+", "－": "-", "−": "-"}


def _no_function(name: str) -> str:
    known = ("last", "avg", *FORMULA_CALLS)
    near = suggest(name.lower(), known)
    return f"there is no function '{name}'; " + (
        f"did you mean '{near[0]}'?" if near else f"use {', '.join(f'{one}()' for one in known)}"
    )


def columns(tree: exp.Expr) -> Iterator[tuple[str, str]]:
    """Yield (table or '', name) of every column of an expression."""
    for node in tree.find_all(exp.Column):
        yield node.table.lower(), node.name.lower()


def rename(tree: exp.Expr, name: Callable[[str, str], exp.Expr]) -> exp.Expr:
    """Return the expression with every column replaced by what `name(table, column)` gives."""

    def replaced(node: exp.Expr) -> exp.Expr:
        return name(node.table.lower(), node.name.lower()) if isinstance(node, exp.Column) else node

    return tree.copy().transform(replaced)


def column(name: str, table: str | None = None) -> exp.Column:
    """Return a quoted column reference; names come from the catalogue, never from a user."""
    return exp.column(exp.to_identifier(name, quoted=True), table=exp.to_identifier(table) if table else None)


def sql(tree: exp.Expr) -> str:
    """Write an expression in the one dialect we run."""
    return tree.sql(dialect=DIALECT)


def canonical(text: str | None, allowed: tuple[type[exp.Expr], ...] = AGGREGATE) -> str:
    """Return the text under which two spellings of one expression are the same (layout, case of keywords)."""
    return "" if text is None else sql(read(text, allowed))


def conjunction(parts: Iterable[exp.Expr]) -> exp.Expr | None:
    """Return the parts joined by AND, each in parentheses; None for no part."""
    found = list(parts)
    return exp.and_(*found, dialect=DIALECT) if found else None


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 60 else text[:57] + "..."


def _first_line(cause: BaseException) -> str:
    lines = str(cause).strip().splitlines()
    return lines[0] if lines else type(cause).__name__
