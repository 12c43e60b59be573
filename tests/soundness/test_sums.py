"""Sums, stocks and ratios that are easily made wrong, each on a table small enough to add up by head."""

from __future__ import annotations

from decimal import Decimal

from tests.soundness.town import car, pay, staff


def test_a_parents_ratio_is_the_ratio_of_sums_not_the_mean_of_ratios(town, ask):
    pay(town, "a", "2024-01-03", "100.00")
    pay(town, "b", "2024-01-03", "100.00")
    staff(town, "a", "2024-01", 1)
    staff(town, "b", "2024-01", 9)
    asker = ask(town)
    assert [x.value for x in asker.all("op_cost_per_capita", "a b root", "2024-01")] == [100.0, 100 / 9, 20.0]


def test_two_rows_of_one_fact_never_multiply_the_rows_of_another(town, ask):
    for number in range(3):
        pay(town, "a", "2024-01-03", f"{number + 1}.00")
        car(town, "a", "2024-01", str(number))
    staff(town, "a", "2024-01", 2)
    asker = ask(town)
    assert asker.one("op_cost_per_capita", "a", "2024-01").value == 3.0
    assert asker.one("veh_count", "a", "2024-01").value == 3


def test_a_stock_is_never_summed_over_time(town, ask):
    for month in ("2024-01", "2024-02", "2024-03"):
        car(town, "a", month, "1")
        car(town, "a", month, "2")
    asker = ask(town)
    assert asker.one("veh_count", "root", "2024-Q1", "quarter").value == 2
    assert asker.one("veh_count", "root", "2024-03", "ytd").value == 2


def test_a_missing_month_of_an_average_is_no_smaller_divisor(town, ask):
    for month, amount in (("2024-01", "100.00"), ("2024-02", "200.00"), ("2024-03", "300.00")):
        pay(town, "a", f"{month}-03", amount)
    staff(town, "a", "2024-01", 10)
    staff(town, "a", "2024-03", 20)
    answer = ask(town).one("op_cost_per_capita", "a", "2024-Q1", "quarter")
    assert (answer.value, answer.denominator, answer.status) == (None, None, "incomplete")
    assert (answer.numerator, answer.due, answer.got) == (Decimal("600.00"), 3, 2)


def test_ten_thousands_stay_exact(town, ask):
    pay(town, "a", "2024-01-03", "9999999999999999.99")
    pay(town, "b", "2024-01-03", "0.01")
    assert ask(town).one("op_cost_total", "root", "2024-01").value == Decimal("1000000000000")
