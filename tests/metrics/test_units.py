"""The unit checker: L/100km is what it says, and a formula that gives something else is told what would be right."""

from __future__ import annotations

from fractions import Fraction

import pytest

from metrics.catalogue import build_catalogue
from metrics.check_units import formula_fault, leaf_fault
from metrics.formula import parse_formula
from metrics.measures import BadUnit, read_unit
from metrics.model import Atom
from warehouse.base.errors import DefinitionError

UNITS = {
    "litres": "L", "km": "km", "spend": "CNY", "staff": "person", "area": "m2", "coal": "kgce", "cars": "vehicle",
    "trips": "trip", "meals": "meal", "waste": "kg", "water": "m3",
}  # fmt: skip
ATOMS = {name: Atom(name, "flow", unit, "cost") for name, unit in UNITS.items()}


@pytest.mark.parametrize(
    ("text", "measured", "size"),
    [
        ("L/100km", (("length", -1), ("volume", 1)), Fraction(1, 100_000)),
        ("元/(m²·月)", (("area", -1), ("calendar", -1), ("money", 1)), Fraction(1)),
        ("元/m²·月", (("area", -1), ("calendar", -1), ("money", 1)), Fraction(1)),
        ("kgce/(m²·a)", (("area", -1), ("calendar", -1), ("coal", 1)), Fraction(1, 12)),
        ("辆/百人", (("people", -1), ("vehicles", 1)), Fraction(1, 100)),
        ("件/万人次", (("count", 1), ("visits", -1)), Fraction(1, 10_000)),
        ("‰", (), Fraction(1, 1000)),
        ("亿元", (("money", 1),), Fraction(100_000_000)),
    ],
)
def test_a_unit_is_what_it_measures_in_which_size(text, measured, size):
    found = read_unit(text)
    assert (found.powers, found.size) == (measured, size)


@pytest.mark.parametrize(
    ("formula", "unit", "scale"),
    [
        ("litres * 100 / km", "L/100km", 0),
        ("litres / km", "L/km", 0),
        ("litres / km", "L/100km", 2),
        ("spend", "万元", -4),
        ("spend / avg(staff)", "元/人", 0),
        ("spend / 10000 / avg(staff)", "万元/人", 0),
        ("spend / (avg(area) * months)", "元/(m²·月)", 0),
        ("coal * 12 / (avg(area) * months)", "kgce/(m²·a)", 0),
        ("cars * 100 / staff", "辆/百人", 0),
        ("(spend - prior(spend, 12)) / prior(spend, 12)", "%", 2),
        ("spend / parent(spend) - prior(spend / parent(spend), 12)", "pp", 2),
        ("waste * 1000 / meals", "g/人次", 0),
        ("water", "L", 3),
        ("1 - trips / ytd(trips)", "%", 2),
    ],
)
def test_a_unit_the_formula_gives_is_accepted(formula, unit, scale):
    assert formula_fault(parse_formula(formula), unit, scale, ATOMS) is None


@pytest.mark.parametrize(
    ("formula", "unit", "scale", "said"),
    [
        ("litres / km", "L/100km", 0, "scale = 2 would be right"),
        ("litres * 100 / km", "L/km", 0, "scale = -2 would be right"),
        ("litres * 100 / spend", "L/100km", 0, "the formula gives m3/CNY, the unit says 'L/100km', which is m3/km"),
        ("spend", "万元", 0, "scale = -4 would be right"),
        ("spend / staff", "元/m²", 0, "the formula gives CNY/person, the unit says '元/m²'"),
        ("spend / (avg(area) * months)", "元/m²", 0, "the formula gives CNY/(m2·month)"),
        ("coal * 6 / (avg(area) * months)", "kgce/(m²·a)", 0, "the formula lacks the factor 2"),
        ("spend + km", "元", 0, "'spend' and 'km' in 'spend + km' are CNY and km"),
        ("spend - 100 * spend", "元", 0, "are other sizes"),
        ("spend * 0.7", "元", 0, "the formula lacks the factor 10/7"),
        ("trips / staff", "%", 2, "the formula gives count/person"),
        ("spend", "万圆", 0, "there is no unit '圆' in '万圆'"),
        ("spend", "kgcee", 0, "did you mean 'kgce'?"),
    ],
)
def test_a_unit_the_formula_does_not_give_is_told_what_would_be_right(formula, unit, scale, said):
    assert said in str(formula_fault(parse_formula(formula), unit, scale, ATOMS))


def test_numbers_that_are_no_change_of_size_are_named():
    formula = parse_formula("litres * 8 / (water * 5)")
    assert "lacks the factor" in str(formula_fault(formula, "%", 2, ATOMS))
    atoms = ATOMS | {"water": Atom("water", "flow", "L", "cost")}
    assert formula_fault(formula, "%", 2, atoms, ["8", "5"]) is None


def test_a_leaf_formula_keeps_its_unit():
    def leaf(text, unit):
        return leaf_fault(Atom("x", "stock", unit, "cost", leaf=text, operands=("cars", "staff")), ATOMS)

    assert leaf("greatest(cars - 0, 0)", "vehicle") is None
    assert "gives vehicle" in str(leaf("greatest(cars, 0)", "m2"))
    assert "'cars' and 'staff'" in str(leaf("greatest(cars - staff, 0)", "vehicle"))
    assert leaf("case when cars > staff then 1 else 0 end", "unit") is None


def test_faults_of_units_come_in_the_one_report(contracts):
    text = """
[source.pay]
of = "payment"
[atom.paid]
of = "pay"
kind = "flow"
value = "sum(amount)"
unit = "m2"
[atom.lines]
of = "pay"
kind = "flow"
value = "count(*)"
unit = "row"
[indicator.x]
title = { zh = "某", en = "X" }
value = "lines * 3"
unit = "条"
coefficients = [4]
theme = "cost"
better = "lower"
digits = 0
basis = { zh = "某", en = "X" }
evidence = "D"
text = { zh = "某", en = "X" }
[indicator.x.example]
grain = "month"
period = "2024-01"
atoms.lines = { "2024-01" = "1" }
expect = "3"
"""
    with pytest.raises(DefinitionError) as caught:
        build_catalogue({"a.toml": text}, contracts)
    report = str(caught.value)
    for part in (
        "a.toml [atom.paid] unit: the formula gives CNY, the unit says 'm2'",
        "a.toml [indicator.x] coefficients: the formula has no number 4",
        "a.toml [indicator.x] unit: with scale 0 the figure is no number of '条'; the formula lacks the factor 1/3",
    ):
        assert part in report, report


def test_a_text_with_two_strokes_is_refused():
    with pytest.raises(BadUnit, match="write a/\\(b·c\\)"):
        read_unit("元/m²/月")
