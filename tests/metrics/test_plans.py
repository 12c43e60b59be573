"""Plans by month: split exactly, kept in versions, replayed, summed over the tree, and the pace against them."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics.plans import Inputs, Version, in_force, lay, split

D = Decimal


def version(way: str, value: str = "1200", unit: str = "CNY", **more: Any) -> Version:
    return Version("u", "op_funds_exp", 2025 * 12, more.pop("number", 1), D(value), unit, way, **more)  # type: ignore[arg-type]


def months(*laid: Any) -> list[str]:
    return [str(share.amount) for one in laid for share in one.months]


# --- splitting, by hand -----------------------------------------------------------------------------------------------


def test_an_even_split_rounds_running_totals_so_that_no_month_carries_the_rest() -> None:
    """100 / 12 = 8.333…: running totals 8.33 16.67 25.00, again and again."""
    assert months(lay(version("even", "100"), Inputs(1))) == ["8.33", "8.34", "8.33"] * 4


def test_last_years_shape_is_scaled_to_the_plan() -> None:
    figures = tuple(D(n) for n in ("10", "20", "30", "40", "0", "0", "0", "0", "0", "0", "0", "100"))
    assert months(lay(version("last_year_shape", "1000"), Inputs(1, figures))) == [
        "50.00", "100.00", "150.00", "200.00", "0.00", "0.00", "0.00", "0.00", "0.00", "0.00", "0.00", "500.00",
    ]  # fmt: skip


def test_a_base_share_is_even_and_the_rest_follows_the_degree_days() -> None:
    """1200, 40 % even: 40 a month; 720 over 600 + 300 + 100 degree days: 432, 216, 72."""
    days = (D(600), D(300), *[D(0)] * 9, D(100))
    laid = lay(version("degree_days", "1200", base_share=D(40)), Inputs(1, degree_days=days))
    assert months(laid) == ["472.00", "256.00", *["40.00"] * 9, "112.00"]


def test_given_months_stay_as_they_were_given_also_when_the_year_begins_in_october() -> None:
    told = tuple(D(n) for n in range(1, 13))
    october = Version("u", "op_funds_exp", 2024 * 12 + 9, 1, D(78), "CNY_10k", "given", given=told)
    assert months(lay(october, Inputs(1))) == [f"{n}0000.00" for n in (10, 11, 12, 1, 2, 3, 4, 5, 6, 7, 8, 9)]


def test_without_a_month_of_last_year_nothing_is_split_and_the_month_is_named() -> None:
    laid = lay(version("last_year_shape"), Inputs(1, (D(1), None, *[D(1)] * 10)))
    assert (laid.months, laid.missing) == ((), ("2025-02",))
    assert lay(version("last_year_shape"), Inputs(1, (D(0),) * 12)).missing == ("total",)


def test_the_version_in_force_is_the_highest_known_and_a_withdrawal_brings_the_older_back() -> None:
    first = version("even", number=1, rec_from=1, rec_to=99)
    second = version("even", number=2, rec_from=3, rec_to=5)
    assert [in_force([first, second], seq) for seq in (0, 1, 3, 4, 5)] == [None, first, second, second, first]


@settings(max_examples=200, deadline=None)
@given(
    st.decimals(0, 10**12, places=4),
    st.lists(st.decimals(-(10**6), 10**9, places=6), min_size=12, max_size=12).filter(lambda w: sum(w) > 0),
)
def test_the_months_add_up_to_the_year_whatever_the_weights(year: Decimal, weights: list[Decimal]) -> None:
    whole = Fraction(sum(weights))
    found = split(year, [Fraction(w) / whole for w in weights])
    digit = max((-row[3].as_tuple().exponent for row in found), default=0)  # type: ignore[operator]
    assert sum((row[3] for row in found), D(0)) == year
    assert all(abs(Fraction(row[2]) - row[1]) <= Fraction(1, 2 * 100) for row in found)
    assert digit <= 4


# --- in a store -------------------------------------------------------------------------------------------------------


def items(world: Any) -> None:
    world.add(
        "expense_item",
        0,
        code="30201",
        name="办公费",
        in_operating_cost=True,
        in_operating_funds=True,
        valid=("2018-01",),
    )


def pay(world: Any, unit: str, months: dict[str, str], known: int = 1) -> None:
    for number, (month, amount) in enumerate(months.items()):
        world.add("payment", known, voucher=f"{unit}{month}{known}", line=number, unit=unit, paid_on=f"{month}-15", item_code="30201",
                  item_name="办公费", fund="general", exp_kind="basic_public", amount=amount)  # fmt: skip


def plan(world: Any, unit: str, value: str, known: Any = 2, number: int = 1, split: str = "even", **more: Any) -> None:
    world.add("plan", known, unit=unit, indicator=more.pop("indicator", "op_funds_exp"), year=2025, version=number, value=value,
              value_unit=more.pop("value_unit", "CNY"), split=split, **more)  # fmt: skip


@pytest.fixture
def city(world: Any) -> Any:
    """A region with two units; a pays 100 a month in 2024 but 1,200 in December, 150 a month in 2025; b half of it."""
    items(world)
    world.unit(
        "root", kind="region", **{f"scope_{t}": False for t in ("cost", "vehicle", "space", "energy", "service")}
    )
    for unit, share in (("a", 1), ("b", 2)):
        world.unit(unit, "root")
        pay(world, unit, {f"2024-{m:02d}": str((1200 if m == 12 else 100) // share) for m in range(1, 13)})
        pay(world, unit, {f"2025-{m:02d}": str(150 // share) for m in range(1, 7)}, known=3)
    for seq, day in ((1, "2025-01-10"), (2, "2025-02-20"), (3, "2025-07-10"), (4, "2025-07-20"), (5, "2025-08-10")):
        world.batch(seq, day)
    return world


def test_the_pace_is_held_against_the_plan_and_not_against_time(city: Any, ask: Any) -> None:
    """2024 had 100 in 2,300 each month up to November: a plan of 4,600 by that shape is 200 a month, 900 paid of 1,200 planned."""
    plan(city, "a", "4600", split="last_year_shape")
    asked = ask(city)
    assert asked.one("op_funds_plan", "a", "2025-06", "ytd").numerator == D(1200)
    pace = asked.one("op_funds_pace", "a", "2025-06", "ytd")
    assert (pace.numerator, pace.denominator, pace.value, pace.status) == (D(900), D(1200), 75.0, "ok")
    share = asked.one("op_funds_plan_share", "a", "2025-06", "ytd")
    assert (share.numerator, share.denominator) == (D(1200), D(4600))


def test_a_region_has_the_sum_of_the_plans_below_only_where_all_have_one(city: Any, ask: Any) -> None:
    plan(city, "a", "4600", split="last_year_shape")
    half = ask(city).one("op_funds_plan", "root", "2025-06", "ytd")
    assert (half.status, half.got < half.due) == ("incomplete", True)
    plan(city, "b", "1200")
    whole = ask(city).one("op_funds_plan", "root", "2025-06", "ytd")
    assert (whole.numerator, whole.status) == (D(1800), "ok")


def test_a_region_with_a_plan_of_its_own_is_measured_by_that(city: Any, ask: Any) -> None:
    plan(city, "a", "1200")
    plan(city, "root", "2400")
    asked = ask(city)
    own = asked.one("op_funds_plan", "root", "2025-06", "ytd")
    assert (own.numerator, own.status, own.due, own.got) == (D(1200), "ok", 12, 12)
    assert asked.one("op_funds_plan", "a", "2025-06", "ytd").numerator == D(600)
    assert asked.one("op_funds_plan", "b", "2025-06", "ytd").status == "not_reported"
    assert asked.one("op_funds_pace", "root", "2025-06", "ytd").value == 1350 / 1200 * 100


def test_a_district_of_its_own_plan_stands_for_its_units_above_it(world: Any, ask: Any) -> None:
    """root = district (own plan 2,400, one unit without one) + unit a (1,200): 300 a month, complete."""
    items(world)
    none = {f"scope_{t}": False for t in ("cost", "vehicle", "space", "energy", "service")}
    world.unit("root", kind="region", **none)
    world.unit("district", "root", kind="region", **none)
    world.unit("a", "root")
    world.unit("d", "district")
    pay(world, "a", {"2025-01": "1"})
    plan(world, "district", "2400", known=2)
    plan(world, "a", "1200", known=3)
    asked = ask(world)
    found = asked.one("op_funds_plan", "root", "2025-03")
    assert (found.numerator, found.status, found.due, found.got) == (D(300), "ok", 2, 2)
    early = asked.one("op_funds_plan", "root", "2025-01", known_at=asked.generation.recorded_at(2))
    assert early.status in ("incomplete", "not_due")


def test_versions_are_kept_and_each_is_split_by_what_was_known_when_it_came(city: Any, ask: Any) -> None:
    """The shape of version 1 is that of February; a correction of 2024 in August moves no month of it."""
    plan(city, "a", "4600", known=2, split="last_year_shape")
    plan(city, "a", "6900", known=4, number=2, split="last_year_shape")
    pay(city, "a", {"2024-06": "10000"}, known=5)
    asked = ask(city)

    def june(seq: int) -> Any:
        return asked.one("op_funds_plan", "a", "2025-05", known_at=asked.generation.recorded_at(seq)).numerator

    assert [june(seq) for seq in (3, 4, 5)] == [D(200), D(300), D(300)]


def test_a_plan_sent_before_december_was_reported_is_split_from_the_day_it_was(city: Any, ask: Any) -> None:
    for row in city.rows["payment"]:
        if row["paid_on"].startswith("2024-12"):
            row["rec_from"] = 3
    plan(city, "a", "4600", known=2, split="last_year_shape")
    asked = ask(city)
    rows = asked.generation.con.execute("SELECT DISTINCT rec_from FROM d_plan_month").fetchall()
    assert rows == [(3,)]
