"""Worked examples: the formula of an indicator run on the month figures of its example, by the compiler itself.

`check_definitions` is what `cockpit indicators check` runs. `mutations` returns formulas that are wrong in one place; a test
holds that no example lets one of them pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal

import duckdb
from sqlglot import exp

from metrics import expressions as ex
from metrics.catalogue import build_catalogue, salvage
from metrics.compiler import compile_shape
from metrics.expressions import BadExpression
from metrics.formula import ASKED, TIMES, View, formula_at, parse_formula, seen_window
from metrics.model import Catalogue, Example, Figure, Indicator
from metrics.plan import Ask, Laid, Layout, Shape
from metrics.prepared import window_values
from metrics.tables import quoted
from metrics.time_words import shipped_days
from warehouse.base.errors import DefinitionError
from warehouse.base.periods import Period, Window, windows
from warehouse.contracts import Contract

_SOURCE, _THEME, _NODE, _PARENT = "example", "cost", "n", "p"
_EXACT = "DECIMAL(30,6)"


def check_definitions(texts: Mapping[str, str], contracts: Mapping[str, Contract]) -> Catalogue:
    """Return the catalogue of definition files; what is wrong with them and with their examples is told in one report."""
    try:
        catalogue = build_catalogue(texts, contracts)
    except DefinitionError as cause:
        raise DefinitionError("Definitions", [*cause.faults, *_sound_examples(texts, contracts)]) from cause
    check_examples(catalogue)
    return catalogue


def _sound_examples(texts: Mapping[str, str], contracts: Mapping[str, Contract]) -> list[str]:
    """Return what is wrong with the examples of the definitions that hold; nothing where nothing can be saved."""
    try:
        return _faults(salvage(texts, contracts))
    except DefinitionError:
        return []


def check_examples(catalogue: Catalogue) -> None:
    """Run every worked example; all that fail are reported together."""
    if faults := _faults(catalogue):
        raise DefinitionError("Worked examples", faults)


def _faults(catalogue: Catalogue) -> list[str]:
    return [
        f"{_place(i, catalogue.texts)}: {fault}"
        for one in catalogue.written
        for i in (one, *one.forms)
        for fault in example_faults(i)
    ]


def _place(indicator: Indicator, texts: Mapping[str, str]) -> str:
    """Return file and block of an example, as a reader finds them; a bureau's own block stands for a shipped one."""
    held = [
        file for file in sorted(texts, key=lambda name: "/" in name) if f"[indicator.{indicator.id}]" in texts[file]
    ]
    part = "" if indicator.caliber == "monitor" else f".{indicator.caliber}"
    return f"{f'{held[-1]} ' if held else ''}[indicator.{indicator.id}{part}.example]"


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
    if example.parts:
        return _run_by_parts(indicator, example)
    formula = formula_at(indicator.value, example.grain)
    views = {o.view for o in formula.operands} | {ASKED}
    above = any(view.above for view in views)
    single = example.grain == "month" and all(view.span == "asked" for view in views)
    atoms = sorted({o.atom for o in formula.operands} - TIMES)
    layout = Layout({a: Laid(a, 6, (_SOURCE,), (_SOURCE,)) for a in atoms}, {_SOURCE: _THEME}, 0, 100_000)
    ask = Ask(indicator.id, formula, indicator.scale)
    compiled = compile_shape(Shape((ask,), "now", "months" if single else "one", not above), layout)
    window = _window(example)
    read = [seen_window(window, view) for view in views]
    months = min(w.from_m for w in read), max(w.to_m for w in read)
    con = duckdb.connect()
    _fill(con, atoms, example, months)
    values: dict[str, object] = {
        "nodes": [_NODE] if above else _NODE, "lo": months[0], "hi": months[1], "hang_child": [_NODE],
        "hang_parent": [_PARENT], "hang_from": [months[0]], "hang_to": [months[1]],
    }  # fmt: skip
    for span in {view.span for view in views}:
        values |= window_values([seen_window(window, View(span=span))], "" if span == "asked" else f"_{span}")
    for operand in formula.operands:
        if operand.atom in TIMES:
            seen = seen_window(window, View(operand.shift, operand.span))
            values |= shipped_days(operand, seen)
    row = con.execute(compiled.sql, {k: v for k, v in values.items() if k in compiled.parameters}).fetchone()
    con.close()
    if row is None:
        return None, None, None
    return _sides(row, compiled.place, indicator.id)


def _run_by_parts(indicator: Indicator, example: Example) -> tuple[Figure | None, Figure | None, Figure | None]:
    """Run an example that says its figures by part: of one unit, split as it is asked."""
    dim = indicator.dims[0] if example.part is not None else None
    formula = formula_at(indicator.value, example.grain, dim is not None)
    atoms = sorted({o.atom for o in formula.operands} - TIMES)
    dims = sorted({o.over for o in formula.operands if o.is_top} | ({dim} if dim else set()))
    layout = Layout({a: Laid(a, 6, (_SOURCE,), (_SOURCE,)) for a in atoms}, {_SOURCE: _THEME}, 0, 100_000)
    ask = Ask(indicator.id, formula, indicator.scale)
    compiled = compile_shape(Shape((ask,), "leaf", "many", one_node=False, dim=dim), layout)
    window = _window(example)
    read = [seen_window(window, operand.view) for operand in formula.operands]
    months = min(w.from_m for w in read), max(w.to_m for w in read)
    con = duckdb.connect()
    _fill_parts(con, atoms, dims, example, months)
    values: dict[str, object] = {"nodes": [_NODE], "lo": months[0], "hi": months[1], "seq": 1}
    for view in {View(span=operand.span) for operand in formula.operands} | {ASKED}:
        values |= window_values([seen_window(window, view)], "" if view == ASKED else f"_{view.span}")
    found = con.execute(compiled.sql, {k: v for k, v in values.items() if k in compiled.parameters}).fetchall()
    con.close()
    place = compiled.place
    return next((_sides(row, place, indicator.id) for row in found if dim is None or row[place["part"]] == example.part), (None,) * 3)  # fmt: skip


def _sides(row: tuple[Figure | None, ...], place: Mapping[str, int], name: str) -> tuple[Figure | None, Figure | None, Figure | None]:  # fmt: skip
    value, below = place[f"{name}.value"], place.get(f"{name}.denominator")
    return row[value], row[place.get(f"{name}.numerator", value)], row[below] if below is not None else None


def _fill_parts(con: duckdb.DuckDBPyConnection, atoms: list[str], dims: list[str], example: Example, months: tuple[int, int]) -> None:  # fmt: skip
    """Write the changes of one unit by part; what the example says of no part is of none."""
    columns = "".join(f", {quoted(atom)} {_EXACT}" for atom in atoms)
    parts = "".join(f", {quoted(dim)} VARCHAR" for dim in dims)
    key = "unit VARCHAR, month_no INTEGER, batch_seq INTEGER"
    con.execute(f"CREATE TABLE leaf_{_SOURCE} ({key}{parts}{columns})")
    con.execute(f"CREATE TABLE unit_{_SOURCE} ({key}{columns}, got BIGINT)")
    con.execute(
        "CREATE TABLE population AS SELECT $theme AS theme, $node AS anc, $node AS dsc, 0 AS depth, true AS owes, "
        "0 AS from_m, 100000 AS to_m, 0 AS rec_from, 100000 AS rec_to", {"theme": _THEME, "node": _NODE},
    )  # fmt: skip
    given: dict[str, Mapping[str | None, Mapping[str, Decimal]]] = {
        atom: dict(example.parts[atom].items()) if atom in example.parts else {None: example.atoms[atom]}
        for atom in atoms
    }
    named = {part for each in given.values() for part in each}
    for month in range(*months):
        sums = [Decimal(0)] * len(atoms)
        for part in sorted(named, key=str):
            figures = [_in_month(given[atom].get(part), month) for atom in atoms]
            sums = [total + (figure or 0) for total, figure in zip(sums, figures, strict=True)]
            row = [_NODE, month, 1, *([part] * len(dims)), *figures]
            con.execute(f"INSERT INTO leaf_{_SOURCE} VALUES ({', '.join('?' for _ in row)})", row)
        row = [_NODE, month, 1, *sums, 1]
        con.execute(f"INSERT INTO unit_{_SOURCE} VALUES ({', '.join('?' for _ in row)})", row)


def _in_month(figures: Mapping[str, Decimal] | None, month: int) -> Decimal | None:
    if figures is None:
        return None
    return next((value for label, value in figures.items() if Period.parse(label).from_m == month), Decimal(0))


def _window(example: Example) -> Window:
    period = Period.parse(example.period)
    return windows(example.grain, period.from_m, period.to_m)[0]


def _fill(con: duckdb.DuckDBPyConnection, atoms: list[str], example: Example, months: tuple[int, int]) -> None:
    """Write a current cube with one node and its parent: the example's months, 0 where it names none."""
    columns = ", ".join(f"{quoted(atom)} {_EXACT}" for atom in atoms)
    con.execute(
        f"CREATE TABLE node_now (node VARCHAR, month_no INTEGER, {columns}, got_{_SOURCE} BIGINT, due_{_THEME} BIGINT)"
    )
    marks = ", ".join("?" for _ in atoms)
    for node, named in ((_NODE, example.atoms), (_PARENT, example.parent)):
        given = {atom: {Period.parse(m).from_m: v for m, v in figures.items()} for atom, figures in named.items()}
        for month in range(*months):
            figures = [given.get(atom, {}).get(month, Decimal(0)) for atom in atoms]
            con.execute(f"INSERT INTO node_now VALUES (?, ?, {marks}, 1, 1)", [node, month, *figures])


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
    if isinstance(node, exp.Anonymous) and node.name.lower() in ("annual", "opening"):
        yield exp.Avg(this=node.expressions[0].copy())
    if isinstance(node, exp.Anonymous) and node.name.lower() == "opening":
        yield exp.Last(this=node.expressions[0].copy())
    if isinstance(node, exp.Anonymous) and node.name.lower() in ("ytd", "r12", "parent", "whole", "top"):
        yield node.expressions[0].copy()
    if isinstance(node, exp.Anonymous) and node.name.lower() in ("ytd", "r12"):
        yield exp.Anonymous(
            this="ytd" if node.name.lower() == "r12" else "r12", expressions=[node.expressions[0].copy()]
        )
    if isinstance(node, exp.Column) and node.name.lower() in {*atoms, *TIMES}:  # else the dimension of a top()
        for atom in atoms:
            if atom != node.name.lower():
                yield exp.column(atom)
