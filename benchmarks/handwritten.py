"""Statements as a person would write them over the tables of a generation: one plain SELECT per shape of formula.

Written from the text of a definition alone, knowing nothing of the compiler: names of atoms are columns, `last` and `avg`
of one month are the month's figure, `prior(…, 12)` is the row twelve months earlier, a quotient is one division.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp, parse_one

from metrics.model import Indicator
from metrics.plan import Layout

NOW, BEFORE = "n", "b"


@dataclass(frozen=True)
class Months:
    """A statement over single months of every node, and the columns it gives beside node and month."""

    sql: str
    columns: tuple[str, ...]


def month_sql(indicator: Indicator, layout: Layout) -> Months | None:
    """Return the figures, sides and counts of an indicator per node and month; None for a form nobody writes by hand."""
    tree = _plain(parse_one(indicator.value, dialect="duckdb"), NOW)
    if tree is None:
        return None
    above, below = _sides(tree)
    scale = float(10 ** abs(indicator.scale))
    cells = [("value", _value(above, below, indicator.kind == "change", indicator.scale, scale))]
    cells += [("numerator", _exact(above))] + ([("denominator", _exact(below))] if below is not None else [])
    text = " ".join(sql for _, sql in cells)
    reads_before = f'"{BEFORE}".' in text
    for source in dict.fromkeys(s for atom in indicator.atoms for s in layout.atoms[atom].sources):
        theme = layout.themes[source]
        for table in (NOW, BEFORE) if reads_before else (NOW,):
            cells += [
                (f"due_{theme}_{table}", f'{table}."due_{theme}"'),
                (f"got_{source}_{table}", f'{table}."got_{source}"'),
            ]
    cells = list(dict(cells).items())
    joined = f" LEFT JOIN node_now {BEFORE} ON {BEFORE}.node = {NOW}.node AND {BEFORE}.month_no = {NOW}.month_no - 12"
    listed = ", ".join(f'{sql} AS "{name}"' for name, sql in cells)
    return Months(
        f"SELECT {NOW}.node, {NOW}.month_no, {listed} FROM node_now {NOW}{joined if reads_before else ''}"
        f" WHERE {NOW}.month_no >= $first AND {NOW}.month_no < $last",
        tuple(name for name, _ in cells),
    )


def _plain(tree: exp.Expr, table: str) -> exp.Expr | None:
    """Return a formula with columns for its names; None where it reads a parent, another window or a length of time."""
    if isinstance(tree, exp.Column):
        if tree.name in ("months", "workdays", "heating_days"):
            return None
        return exp.column(tree.name, table=table, quoted=True)
    if isinstance(tree, (exp.Last, exp.Avg)):
        return _plain(tree.this, table)
    if isinstance(tree, exp.Anonymous):
        if tree.name.lower() != "prior" or tree.expressions[1].name != "12" or table == BEFORE:
            return None
        inner = _plain(tree.expressions[0], BEFORE)
        return inner and exp.paren(inner)
    if isinstance(tree, exp.Literal):
        return tree.copy()
    if isinstance(tree, (exp.Add, exp.Sub, exp.Mul, exp.Div)):
        first, second = _plain(tree.this, table), _plain(tree.expression, table)
        return type(tree)(this=first, expression=second) if first is not None and second is not None else None
    if isinstance(tree, (exp.Paren, exp.Neg)):
        inner = _plain(tree.this, table)
        return inner and type(tree)(this=inner)
    return None


def _sides(tree: exp.Expr) -> tuple[exp.Expr, exp.Expr | None]:
    while isinstance(tree, exp.Paren):
        tree = tree.this
    return (tree.this, tree.expression) if isinstance(tree, exp.Div) else (tree, None)


def _exact(tree: exp.Expr) -> str:
    """SQL of one side: a quotient or a product within it is a DOUBLE, all else stays exact."""
    if any(isinstance(node, (exp.Div, exp.Mul)) for node in tree.walk()):
        return _double(tree)
    return tree.sql("duckdb")


def _double(tree: exp.Expr) -> str:
    if isinstance(tree, exp.Paren):
        return f"({_double(tree.this)})"
    if isinstance(tree, exp.Div):
        return f"({_double(tree.this)} / nullif({_double(tree.expression)}, 0))"
    if isinstance(tree, (exp.Add, exp.Sub)) and any(isinstance(node, exp.Div) for node in tree.walk()):
        return f"({_double(tree.this)} {'+' if isinstance(tree, exp.Add) else '-'} {_double(tree.expression)})"
    return f"CAST({tree.sql('duckdb')} AS DOUBLE)"


def _value(above: exp.Expr, below: exp.Expr | None, is_change: bool, power: int, scale: float) -> str:
    if below is None:
        text = _exact(above)
    else:
        under = _double(below)
        guard = f"CASE WHEN {under} > 0 THEN {under} END" if is_change else f"nullif({under}, 0)"
        text = f"{_double(above)} / {guard}"
    if power == 0:
        return text
    return f"({text}) * {scale}" if power > 0 else f"({text}) / {scale}"
