"""A ratio is `float(numerator) / float(denominator)` of two exact sides, also over a mean: checked with fractions.

The side of the test adds in Fraction. The months of a mean stand on the other side, but a stock that stayed the same is
its own mean. `float(Fraction)` is the nearest double, whatever the size.
"""

from __future__ import annotations

import datetime as dt
import random
from decimal import Decimal
from fractions import Fraction

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics.compiler import compile_shape
from metrics.formula import parse_formula
from metrics.plan import Ask, Laid, Layout, Shape
from metrics.quotient import exact_side

DIGITS = {"cost": 2, "coal": 12, "heads": 0, "area": 4}
LARGEST = {"cost": 10**15, "coal": 10**22, "heads": 2 * 10**6, "area": 10**20}
LAYOUT = Layout({atom: Laid(atom, digits, ("s",), ("s",)) for atom, digits in DIGITS.items()}, {"s": "cost"}, 0, 600)
FIRST = 240

Months = dict[str, list[Fraction]]
Side = tuple[Fraction, int]
"""A figure and the months it is still to be divided by."""


def total(months: Months, atom: str) -> Side:
    return sum(months[atom], Fraction(0)), 1


def mean(months: Months, atom: str) -> Side:
    figures = months[atom]
    return (figures[0], 1) if len(set(figures)) == 1 else (sum(figures), len(figures))


def ratio(above: Side, below: Side) -> float:
    """Bring the months of both sides across, round each side once, divide once."""
    return float(above[0] * below[1]) / float(below[0] * above[1])


def times(side: Side, factor: str | int) -> Side:
    return side[0] * Fraction(factor), side[1]


FORMULAS = {
    "cost / avg(heads)": lambda m: ratio(total(m, "cost"), mean(m, "heads")),
    "coal / avg(area)": lambda m: ratio(total(m, "coal"), mean(m, "area")),
    "avg(area) / cost": lambda m: ratio(mean(m, "area"), total(m, "cost")),
    "last(area) / avg(heads)": lambda m: ratio((m["area"][-1], 1), mean(m, "heads")),
    "coal * 12 / (avg(area) * months)": lambda m: ratio(
        times(total(m, "coal"), 12), times(mean(m, "area"), len(m["area"]))
    ),
    "coal * 0.7143 / avg(heads)": lambda m: ratio(times(total(m, "coal"), "0.7143"), mean(m, "heads")),
    "coal / 1000 / avg(heads)": lambda m: ratio((total(m, "coal")[0], 1000), mean(m, "heads")),
    "-(cost - coal) / avg(heads)": lambda m: ratio(
        (total(m, "coal")[0] - total(m, "cost")[0], 1), mean(m, "heads")
    ),
    "cost / (avg(heads) + 3 * avg(heads))": lambda m: ratio(total(m, "cost"), times(mean(m, "heads"), 4)),
}  # fmt: skip


def store(months: Months, start: int, node: str = "n") -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    kinds = ", ".join(f"{atom} {f'DECIMAL(38,{digits})' if digits else 'BIGINT'}" for atom, digits in DIGITS.items())
    con.execute(f"CREATE TABLE node_now (node VARCHAR, month_no INTEGER, {kinds}, got_s BIGINT, due_cost BIGINT)")
    for place in range(len(months["cost"])):
        figures = [format(decimal(months[atom][place], digits), "f") for atom, digits in DIGITS.items()]
        con.execute("INSERT INTO node_now VALUES (?, ?, ?, ?, ?, ?, 1, 1)", [node, start + place, *figures])
    return con


def decimal(figure: Fraction, digits: int) -> Decimal:
    whole = figure * 10**digits
    assert whole.denominator == 1
    return Decimal(whole.numerator).scaleb(-digits)


def asked(con: duckdb.DuckDBPyConnection, formulas: list[str], windows: list[tuple[int, int]]) -> list[list[float]]:
    """Return the values of each window, in the order of the formulas."""
    shape = Shape(
        tuple(Ask(f"i{place}", parse_formula(text), 0) for place, text in enumerate(formulas)),
        "now", "one" if len(windows) == 1 else "many", True,
    )  # fmt: skip
    compiled = compile_shape(shape, LAYOUT)
    first, last = min(w[0] for w in windows), max(w[1] for w in windows)
    values = {
        "nodes": "n", "first": first, "last": last, "months": [w[1] - w[0] for w in windows], "ends": [w[1] for w in windows],
        "member": [[n for n, w in enumerate(windows) if w[0] <= m < w[1]] for m in range(first, last)],
    }  # fmt: skip
    rows = con.execute(compiled.sql, {k: v for k, v in values.items() if k in compiled.parameters}).fetchall()
    rows.sort(key=lambda row: row[compiled.place["w"]])
    return [[row[compiled.place[f"i{place}.value"]] for place in range(len(formulas))] for row in rows]


@st.composite
def some_months(draw: st.DrawFn) -> Months:
    """Return one to twelve months; a stock often stays as it is, as staff and buildings do."""
    count = draw(st.integers(1, 12))

    def figures(atom: str) -> list[Fraction]:
        one = st.integers(1, LARGEST[atom]).map(lambda unscaled: Fraction(unscaled, 10 ** DIGITS[atom]))
        steady = draw(st.booleans()) and atom in ("heads", "area")
        return [draw(one)] * count if steady else draw(st.lists(one, min_size=count, max_size=count))

    return {atom: figures(atom) for atom in DIGITS}


@given(some_months())
@settings(max_examples=60, deadline=None)
def test_a_ratio_is_one_division_of_two_exact_sides(months):
    con = store(months, FIRST)
    ((*found,),) = asked(con, list(FORMULAS), [(FIRST, FIRST + len(months["cost"]))])
    con.close()
    assert found == [expected(months) for expected in FORMULAS.values()]


def test_overlapping_windows_divide_each_by_its_own_months():
    chance = random.Random(7)
    months = {
        atom: [Fraction(chance.randrange(1, LARGEST[atom]), 10**digits) for _ in range(24)]
        for atom, digits in DIGITS.items()
    }
    to_date = [(FIRST + end // 12 * 12, FIRST + end + 1) for end in range(24)]
    rolling = [(FIRST + end - 11, FIRST + end + 1) for end in range(11, 24)]
    windows = [*to_date, *rolling]
    con = store(months, FIRST)
    found = asked(con, list(FORMULAS), windows)
    con.close()
    for (first, last), values in zip(windows, found, strict=True):
        part = {atom: figures[first - FIRST : last - FIRST] for atom, figures in months.items()}
        assert values == [expected(part) for expected in FORMULAS.values()], (first, last)


@pytest.mark.parametrize("area", ["120.0000", "0.0001", "98765432.1234", "1427470009054272.1234"])
def test_a_stock_that_stayed_divides_as_it_is(area):
    """1/3 of the yearly figures would differ in the last bit from what a person divides by hand."""
    months: Months = {atom: [Fraction(1)] * 12 for atom in DIGITS}
    months["area"] = [Fraction(area)] * 12
    months["coal"] = [Fraction(7 * month + 1, 1000) for month in range(12)]
    con = store(months, FIRST)
    assert asked(con, ["coal / avg(area)"], [(FIRST, FIRST + 12)]) == [[float(sum(months["coal"])) / float(area)]]
    con.close()


def test_a_change_of_a_ratio_is_taken_from_the_two_ratios_as_shown():
    chance = random.Random(3)
    months = {
        atom: [Fraction(chance.randrange(1, LARGEST[atom]), 10**digits) for _ in range(24)]
        for atom, digits in DIGITS.items()
    }
    change = "((coal / avg(area)) - prior((coal / avg(area)), 12)) / prior((coal / avg(area)), 12)"
    halves = [{atom: figures[cut : cut + 12] for atom, figures in months.items()} for cut in (0, 12)]
    before, now = (FORMULAS["coal / avg(area)"](half) for half in halves)
    con = store(months, FIRST)
    assert asked(con, [change], [(FIRST + 12, FIRST + 24)]) == [[(now - before) / before]]
    con.close()


def test_a_product_of_two_figures_and_a_divisor_that_may_be_nothing_are_not_exact():
    class Reader:
        def figure(self, operand):
            return operand.name

        def months(self, operand):
            return operand.months if operand.how == "avg" else None

    for text in ("cost * heads", "cost / heads", "cost / 0", "cost * 1e3", "cost * 0.1234567891"):
        assert exact_side(parse_formula(f"({text}) + 1").numerator, Reader()) is None, text
    assert exact_side(parse_formula("cost * 3 / 7 - avg(heads)").numerator, Reader()).over == ("7", "heads_avg_months")


def test_a_ratio_over_a_mean_is_the_same_however_it_is_asked(world, ask):
    """Eleven months, five units, as it lies, as it was known, and through the tree of a day."""
    chance = random.Random(11)
    world.unit("root", kind="region", scope_cost=False)
    world.defaults()
    paid, heads = Fraction(0), 0
    for unit in "abcde":
        world.unit(unit, "root")
        for month in range(1, 12):
            amount, people = Decimal(chance.randrange(10**9)).scaleb(-2), chance.randrange(1, 300)
            paid, heads = paid + Fraction(amount), heads + people
            world.add("payment", 1, voucher=f"{unit}{month}", line=1, unit=unit, paid_on=f"2024-{month:02}-05", amount=str(amount),
                      item_code="30201", fund="general", exp_kind="basic_public")  # fmt: skip
            world.add("staff", 1, unit=unit, month=f"2024-{month:02}", authorised_staff=people, actual_staff=people, energy_headcount=people)  # fmt: skip
    world.unit("z", "root", known=3)
    assert heads % 11
    asker = ask(world)
    for more in (
        {},
        {"known_at": dt.datetime(2025, 1, 2, 1, tzinfo=dt.UTC)},
        {"tree": "2024-05-01"},
        {"where": "level = 'city'"},
    ):
        found = asker.one("op_cost_per_capita", "root", "2024-11", "ytd", **more)
        assert found.value == float(paid * 11) / float(heads), more
        assert found.denominator == heads / 11


def test_a_mean_with_a_month_nobody_reported_has_no_value(world, ask):
    world.unit("a")
    world.defaults()
    world.add("payment", 1, voucher="1", line=1, unit="a", paid_on="2024-01-05", amount="0.07",
              item_code="30201", fund="general", exp_kind="basic_public")  # fmt: skip
    for month in ("2024-01", "2024-03"):
        world.add("staff", 1, unit="a", month=month, authorised_staff=100, actual_staff=100, energy_headcount=100)
    asker = ask(world)
    found = asker.one("op_cost_per_capita", "a", "2024-03", "ytd")
    assert (found.status, found.value, found.numerator, found.denominator) == (
        "incomplete",
        None,
        Decimal("0.07"),
        None,
    )
    assert (found.due, found.got) == (3, 1)  # of the operand that misses most, the payments
    assert asker.one("op_cost_per_capita", "a", "2024-01", "ytd").value == 0.07 / 100


def test_a_unit_that_did_not_yet_live_lacks_no_month_of_a_mean(world, ask):
    """Months before its life owe nothing: the stock was none then, as it was in the sum of the town."""
    world.unit("a", valid=("2024-03",))
    world.unit("b")
    world.defaults()
    world.add("payment", 1, voucher="1", line=1, unit="a", paid_on="2024-03-05", amount="600.00",
              item_code="30201", fund="general", exp_kind="basic_public")  # fmt: skip
    for month in ("2024-03", "2024-04"):
        world.add("staff", 1, unit="a", month=month, authorised_staff=6, actual_staff=6, energy_headcount=6)
    found = ask(world).one("op_cost_per_capita", "a", "2024-04", "ytd")
    assert (found.value, found.denominator) == (600 / 3, 12 / 4)
