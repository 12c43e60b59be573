"""The unit checker: what a formula gives by the units of what it reads, against the unit it declares.

A number in a formula is a change of size: `litres * 100 / km` gives L per 100 km. So is `scale`. Sums and differences need
one unit on both sides, in one size. What cannot be known, such as a quantity whose unit depends on its row, is not judged.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from fractions import Fraction

from sqlglot import exp

from metrics import expressions as ex
from metrics.formula import MONTHS, TIMES, Formula, Operand
from metrics.measures import BadUnit, Measure, read_unit
from metrics.model import Atom
from metrics.quotient import LONGEST_FACTOR

Read = Callable[[exp.Expr], Measure | None]
"""What a leaf of a tree measures; None where that is not known, and of a number that it is no coefficient."""


class Mismatch(ValueError):
    """Two sides of a sum measure different things, or the same in different sizes."""


ANYTHING = Measure((("anything", 1),))
"""Zero and NULL: nothing, of whatever."""


def formula_fault(formula: Formula, unit: str, scale: int, atoms: Mapping[str, Atom],
                  coefficients: Collection[str] = ()) -> str | None:  # fmt: skip
    """Return what is wrong with the declared unit of an indicator, or None.

    `coefficients` are the numbers of the formula that are no change of size, such as the hours of a night.
    """
    read = _operand(atoms, coefficients)
    try:
        declared = read_unit(unit)
        whole = _measure(formula.numerator, read)
        if formula.denominator is not None and whole is not None:
            below = _measure(formula.denominator, read)
            whole = None if below is None else whole.times(below, -1)
    except (BadUnit, Mismatch) as cause:
        return str(cause)
    return _compared(whole, declared, unit, scale)


def _compared(whole: Measure | None, declared: Measure, unit: str, scale: int) -> str | None:
    if whole is None or ANYTHING.powers[0] in whole.powers:
        return None
    if not whole.is_like(declared):
        return f"the formula gives {whole.text}, the unit says '{unit}', which is {declared.text}"
    factor = whole.size / declared.size
    if factor == Fraction(10) ** scale:
        return None
    right = next((power for power in range(-12, 13) if Fraction(10) ** power == factor), None)
    would = (
        f"scale = {right} would be right"
        if right is not None
        else f"the formula lacks the factor {factor / Fraction(10) ** scale}"
    )
    return f"with scale {scale} the figure is no number of '{unit}'; {would}"


def leaf_fault(atom: Atom, atoms: Mapping[str, Atom]) -> str | None:
    """Return what is wrong with the declared unit of a leaf atom, or None."""

    def column(node: exp.Expr) -> Measure | None:
        if isinstance(node, exp.Literal):
            return None
        found = atoms.get(node.name.lower())
        return read_unit(found.unit) if found is not None else None

    try:
        declared = read_unit(atom.unit)
        whole = _measure(ex.read(atom.leaf or "0", ex.ROW), column)
    except (BadUnit, Mismatch) as cause:
        return str(cause)
    return _compared(whole, declared, atom.unit, 0)


def sum_fault(unit: str, value: exp.Expr, columns: Mapping[str, str | None]) -> str | None:
    """Return what is wrong with the unit of a sum over columns, or None; a count gives what is counted.

    A column says its unit and not per what it is told, so a unit with a stroke is held to what stands above the stroke.
    """

    def column(node: exp.Expr) -> Measure | None:
        if isinstance(node, exp.Literal):
            return None
        table = node.args.get("table")
        said = columns.get(f"{table.name}.{node.name}".lower() if table else node.name.lower())
        return read_unit(said) if said else None

    try:
        declared = read_unit(unit)
        above = read_unit(unit.partition("/")[0])
        whole = _measure(value.this, column) if isinstance(value, exp.Sum) else None
    except (BadUnit, Mismatch) as cause:
        return str(cause)
    if isinstance(value, exp.Sum) and isinstance(value.this, exp.Literal):
        whole = None
    if whole is not None and whole.is_like(above):
        declared = above
    return _compared(whole, declared, unit, 0)


def _operand(atoms: Mapping[str, Atom], coefficients: Collection[str]) -> Read:
    def read(node: exp.Expr) -> Measure | None:
        if isinstance(node, exp.Literal):
            return Measure() if node.name in coefficients else None
        operand: Operand = node.meta["operand"]
        if operand.atom in TIMES:
            return read_unit("month" if operand.atom == MONTHS else "day")
        return read_unit(atoms[operand.atom].unit)

    return read


def _measure(node: exp.Expr, read: Read) -> Measure | None:
    """Return what a tree measures, None where a part of it is not known."""
    if isinstance(node, (exp.Placeholder, exp.Column)):
        return read(node)
    if isinstance(node, exp.Null):
        return ANYTHING
    if isinstance(node, exp.Literal):
        return None if node.is_string else read(node) or _number(node.name)
    if isinstance(node, (exp.Paren, exp.Neg)):
        return _measure(node.this, read)
    if isinstance(node, (exp.Mul, exp.Div)):
        first, second = _measure(node.this, read), _measure(node.expression, read)
        return None if first is None or second is None else first.times(second, 1 if isinstance(node, exp.Mul) else -1)
    if isinstance(node, (exp.Add, exp.Sub)):
        return _same(node, [node.this, node.expression], read)
    if isinstance(node, (exp.Greatest, exp.Least, exp.Coalesce)):
        return _same(node, [node.this, *node.expressions], read)
    return None


def _number(text: str) -> Measure:
    value = Fraction(text)
    return Measure((), 1 / value) if value and len(text) <= LONGEST_FACTOR else ANYTHING


def _same(node: exp.Expr, parts: list[exp.Expr], read: Read) -> Measure | None:
    found = [(part, measure) for part in parts if (measure := _measure(part, read)) != ANYTHING]
    if not found or any(measure is None for _, measure in found):
        return None
    (first, one), *others = found
    for other, measure in others:
        if one is not None and measure is not None and one != measure:
            gives = "other sizes" if one.is_like(measure) else f"{one.text} and {measure.text}"
            raise Mismatch(f"'{_told(first)}' and '{_told(other)}' in '{_told(node)}' are {gives}")
    return one


def _told(node: exp.Expr) -> str:
    text = ex.sql(node).replace("$", "").replace(":", "")
    return text if len(text) <= 40 else text[:37] + "..."
