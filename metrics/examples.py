"""Worked examples: the formula of an indicator run on the month figures of its example, by the compiler itself.

`check_examples` is what `cockpit indicators check` runs. `mutations` returns formulas that are wrong in one place; a test
holds that no example lets one of them pass.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import duckdb
from sqlglot import exp

from metrics import expressions as ex
from metrics.compiler import compile_shape
from metrics.expressions import BadExpression
from metrics.formula import MONTHS, parse_formula
from metrics.model import Catalogue, Example, Figure, Indicator
from metrics.plan import Ask, Laid, Layout, Shape
from metrics.tables import quoted
from warehouse.base.errors import DefinitionError
from warehouse.base.periods import Period, Window, windows

_SOURCE, _THEME, _NODE = "example", "cost", "n"
_EXACT = "DECIMAL(30,6)"


def check_examples(catalogue: Catalogue) -> None:
    """Run every worked example; all that fail are reported together."""
    faults = [f"{i.id}: {fault}" for i in catalogue.written for fault in example_faults(i)]
    if faults:
        raise DefinitionError("Worked examples", faults)


def example_faults(indicator: Indicator) -> tuple[str, ...]:
    """Return what differs between the example and the formula; empty when they agree."""
    example = indicator.example
    if example is None:
        return ("it has no worked example",)
    value, numerator, denominator = run_example(indicator, example)
    wanted = (("value", example.expect, value), ("numerator", example.numerator, numerator),
              ("denominator", example.denominator, denominator))  # fmt: skip
    return tuple(
        f"the {name} of {example.period} is {found}, the example says {said}"
        for name, said, found in wanted
        if said is not None and not _same(said, found)
    )


def run_example(indicator: Indicator, example: Example) -> tuple[Figure | None, Figure | None, Figure | None]:
    """Return value, numerator and denominator of the example's window."""
    formula = parse_formula(indicator.value)
    atoms = sorted({o.atom for o in formula.operands} - {MONTHS})
    layout = Layout({a: Laid(a, 6, (_SOURCE,), (_SOURCE,)) for a in atoms}, {_SOURCE: _THEME}, 0, 100_000)
    shape = Shape(
        (Ask(indicator.id, formula, indicator.scale),), "now", "months" if example.grain == "month" else "one", True
    )
    compiled = compile_shape(shape, layout)
    window = _window(example)
    con = duckdb.connect()
    _fill(con, atoms, example, window)
    values: dict[str, object] = {"nodes": _NODE, "first": window.from_m, "last": window.to_m}
    row = con.execute(compiled.sql, {k: v for k, v in values.items() if k in compiled.parameters}).fetchone()
    con.close()
    if row is None:
        return None, None, None
    place = compiled.place
    value = place[f"{indicator.id}.value"]
    below = place.get(f"{indicator.id}.denominator")
    return row[value], row[place.get(f"{indicator.id}.numerator", value)], row[below] if below is not None else None


def _window(example: Example) -> Window:
    period = Period.parse(example.period)
    return windows(example.grain, period.from_m, period.to_m)[0]


def _fill(con: duckdb.DuckDBPyConnection, atoms: list[str], example: Example, window: Window) -> None:
    """Write a current cube with one node: the example's months, 0 where it names none."""
    columns = ", ".join(f"{quoted(atom)} {_EXACT}" for atom in atoms)
    con.execute(
        f"CREATE TABLE node_now (node VARCHAR, month_no INTEGER, {columns}, got_{_SOURCE} BIGINT, due_{_THEME} BIGINT)"
    )
    named = [Period.parse(month).from_m for figures in example.atoms.values() for month in figures]
    for month in range(min([*named, window.from_m]), max([*named, window.to_m - 1]) + 1):
        figures = [_figure(example, atom, month) for atom in atoms]
        marks = ", ".join("?" for _ in atoms)
        con.execute(f"INSERT INTO node_now VALUES (?, ?, {marks}, 1, 1)", [_NODE, month, *figures])


def _figure(example: Example, atom: str, month: int) -> Decimal:
    found = {Period.parse(text).from_m: figure for text, figure in example.atoms[atom].items()}
    return found.get(month, Decimal(0))


def _same(said: str, found: Figure | None) -> bool:
    if found is None:
        return False
    return float(said) == found if isinstance(found, float) else Decimal(said) == found


# --- wrong in one place -----------------------------------------------------------------------------------------------


def mutations(indicator: Indicator) -> Iterator[Indicator]:
    """Yield the indicator with one thing wrong: an operator, a window, a shift, a side, an operand, or the scale."""
    seen = {indicator.value}
    for text in _mutated_texts(indicator):
        if text not in seen and _reads(text):
            seen.add(text)
            yield replace(indicator, value=text)
    for scale in (indicator.scale - 1, indicator.scale + 1):
        yield replace(indicator, scale=scale)


def _reads(text: str) -> bool:
    try:
        parse_formula(text)
    except BadExpression:
        return False
    return True


def _mutated_texts(indicator: Indicator) -> Iterator[str]:
    tree = ex.read(indicator.value, ex.FORMULA)
    for number, node in enumerate(tree.walk()):
        for other in _others(node, indicator.atoms):
            copy = tree.copy()
            target = list(copy.walk())[number]
            if target is copy:
                copy = other
            else:
                target.replace(other)
            yield ex.sql(copy)


_SWAPPED: dict[type[exp.Expr], tuple[type[exp.Expr], ...]] = {
    exp.Add: (exp.Sub,),
    exp.Sub: (exp.Add,),
    exp.Mul: (exp.Div,),
    exp.Div: (exp.Mul,),
}


def _others(node: exp.Expr, atoms: tuple[str, ...]) -> Iterator[exp.Expr]:
    """Return what may stand wrongly in the place of a part of a formula."""
    for kind in _SWAPPED.get(type(node), ()):
        yield kind(this=node.this.copy(), expression=node.expression.copy())
    if isinstance(node, exp.Div):
        yield exp.Div(this=node.expression.copy(), expression=node.this.copy())
    if isinstance(node, (exp.Add, exp.Sub)):
        yield node.this.copy()
        yield node.expression.copy()
    if isinstance(node, exp.Last):
        yield exp.Avg(this=node.this.copy())
    if isinstance(node, exp.Avg):
        yield exp.Last(this=node.this.copy())
    if isinstance(node, exp.Anonymous) and node.name.lower() == "prior":
        yield node.expressions[0].copy()
        yield exp.Anonymous(this="prior", expressions=[node.expressions[0].copy(), exp.Literal.number(1)])
    if isinstance(node, exp.Anonymous) and node.name.lower() == "annual":
        yield exp.Avg(this=node.expressions[0].copy())
    if isinstance(node, exp.Column):
        for atom in atoms:
            if atom != node.name.lower():
                yield exp.column(atom)
