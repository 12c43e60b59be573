"""Missing is not zero, not due, not existing and not excluded: each state by its own name."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from tests.soundness.town import after, pay, staff, use


def test_a_unit_that_did_not_report_makes_its_parents_incomplete(town, ask):
    use(town, "a", "2024-01", "electricity", "10")
    root, a, b = ask(town).all("elec_kwh", "root a b", "2024-01")
    assert (root.value, root.status, root.due, root.got) == (Decimal(10), "incomplete", 2, 1)
    assert (a.status, b.status, b.value, b.due, b.got) == ("ok", "not_reported", None, 1, 0)


def test_a_file_that_covers_a_month_proves_every_units_zero(town, ask):
    pay(town, "a", "2024-01-03", "5.00")
    pay(town, "a", "2024-03-03", "5.00")
    answers = ask(town).all("op_cost_total", "b", "2024-01..2024-03")
    assert [(x.value, x.status) for x in answers] == [(0, "ok"), (None, "not_reported"), (0, "ok")]


def test_each_theme_has_its_own_population(town, ask):
    town.unit("c", "root", scope_energy=False)
    for unit in "abc":
        staff(town, unit, "2024-01", 10)
        use(town, unit, "2024-01", "water", "30")
        pay(town, unit, "2024-01-03", "300.00")
    asker = ask(town)
    water = asker.one("water_per_head", "root", "2024-01")
    cost = asker.one("op_cost_per_capita", "root", "2024-01")
    assert (water.numerator, water.denominator, water.due) == (60, 20.0, 2)
    assert (cost.numerator, cost.denominator, cost.due) == (Decimal("900.00"), 30.0, 3)
    assert asker.one("water_m3", "c", "2024-01").status == "excluded"


def test_the_file_of_one_office_does_not_speak_for_the_others(town, ask):
    offices = [f"o{n}" for n in range(9)]
    for office in offices:
        town.unit(office, "root")
        pay(town, office, "2024-01-03", "10.00")
    pay(town, "o0", "2024-02-03", "5.00", known=2)
    for office in offices[:2]:
        pay(town, office, "2024-02-04", "1.00", known=3)
    asker = ask(town)
    everybody = asker.one("op_cost_total", "root", "2024-01").due
    assert asker.one("op_cost_total", "root", "2024-01").got == everybody  # a file of the whole: nobody is missing
    then = asker.one("op_cost_total", "root", "2024-02", known_at=after(2))
    assert (then.status, then.got, then.numerator) == ("incomplete", 1, Decimal("5.00"))
    assert asker.one("op_cost_total", "o1", "2024-02", known_at=after(2)).status == "not_reported"
    assert asker.one("op_cost_total", "o0", "2024-02", known_at=after(2)).status == "ok"
    # two of nine are no single office any more
    assert asker.one("op_cost_total", "root", "2024-02").got == everybody
    assert asker.one("op_cost_total", "o8", "2024-02").numerator == 0


def test_excluded_units_are_named_as_such_and_stay_out_of_sums(town, ask):
    town.unit("s", "root", excluded=True)
    pay(town, "s", "2024-01-03", "300.00")
    pay(town, "a", "2024-01-03", "1.00")
    asker = ask(town)
    assert asker.one("op_cost_total", "s", "2024-01").status == "excluded"
    assert asker.one("op_cost_total", "root", "2024-01").numerator == Decimal("1.00")


def test_a_unit_kept_out_later_cannot_be_found_by_subtracting_two_boards(town, ask):
    town.unit("s", "root", known=(1, 3))
    town.unit("s", "root", known=3, valid=("2020-01", "2024-02"))
    town.unit("s", "root", known=3, valid=("2024-02",), excluded=True)
    for month in ("2024-01", "2024-02"):
        pay(town, "s", f"{month}-03", "300.00")
        pay(town, "a", f"{month}-03", "1.00")
    asker = ask(town)
    for moment in (None, after(2)):
        found = [asker.one("op_cost_total", "root", month, known_at=moment) for month in ("2024-01", "2024-02")]
        assert [answer.numerator for answer in found] == [Decimal("301.00"), Decimal("1.00")]
        assert asker.one("op_cost_total", "s", "2024-02", known_at=moment).status == "excluded"


def test_lives_decide_whether_a_unit_exists_in_a_period(town, ask):
    town.unit("c", "root", valid=("2024-02", "2024-04"))
    for month in ("2024-01", "2024-02", "2024-03", "2024-04", "2024-05"):
        pay(town, "a", f"{month}-03", "1.00")
    pay(town, "c", "2024-02-03", "3.00")
    asker = ask(town)
    assert [x.status for x in asker.all("op_cost_total", "c", "2024-01..2024-05")] == [
        "not_existing",
        "ok",
        "ok",
        "not_existing",
        "not_existing",
    ]
    until = asker.one("op_cost_total", "c", "2024-05", "ytd")
    assert (until.numerator, until.status, until.due) == (Decimal("3.00"), "ok", 2)


def test_months_that_have_not_ended_are_not_due_and_a_year_is_incomplete_until_it_is_over(town, ask):
    for month in ("2024-01", "2024-02", "2024-03"):
        pay(town, "a", f"{month}-03", "1.00")
    asker = ask(town)
    now = dt.datetime(2024, 2, 29, 17, tzinfo=dt.UTC)  # already 1 March in Shanghai
    assert [x.status for x in asker.all("op_cost_total", "a", "2024-01..2024-03", now=now)] == ["ok", "ok", "not_due"]
    earlier = now - dt.timedelta(hours=2)
    assert [x.status for x in asker.all("op_cost_total", "a", "2024-01..2024-03", now=earlier)] == [
        "ok",
        "not_due",
        "not_due",
    ]
    year = asker.one("op_cost_total", "a", "2024", "year", now=now)
    assert (year.numerator, year.status) == (Decimal("2.00"), "incomplete")


def test_months_beyond_all_data_are_not_reported(town, ask):
    pay(town, "a", "2024-01-03", "1.00")
    assert ask(town).one("op_cost_total", "a", "2029-01").status == "not_reported"


def test_before_the_first_batch_nothing_is_reported(town, ask):
    pay(town, "a", "2024-01-03", "1.00")
    answer = ask(town).one("op_cost_total", "root", "2024-01", known_at=dt.datetime(2024, 12, 1, tzinfo=dt.UTC))
    assert (answer.status, answer.value, answer.through_seq) == ("not_reported", None, 0)


def test_a_base_of_nothing_gives_no_change_but_the_difference(town, ask):
    pay(town, "a", "2023-01-03", "-5.00")
    pay(town, "a", "2024-01-03", "10.00")
    pay(town, "b", "2024-01-03", "1.00")
    asker = ask(town)
    answer = asker.one("op_cost_total_yoy", "a", "2024-01")
    assert (answer.value, answer.numerator, answer.denominator, answer.status) == (
        None,
        Decimal("15.00"),
        Decimal("-5.00"),
        "no_base",
    )
    assert asker.one("op_cost_yoy", "b", "2024-01").status == "no_base"


def test_a_change_over_an_incomplete_base_is_incomplete(town, ask):
    for unit in "ab":
        use(town, unit, "2024-01", "water", "30")
    use(town, "a", "2023-01", "water", "20")
    answer = ask(town).one("water_m3_yoy", "root", "2024-01")
    assert (answer.value, answer.status, answer.due, answer.got) == (200.0, "incomplete", 2, 2)


def test_no_denominator_and_no_source_are_told_apart(town, ask):
    pay(town, "a", "2024-01-03", "10.00")
    asker = ask(town)
    assert asker.one("op_cost_per_capita", "a", "2024-01").status == "no_source"
    staff(town, "b", "2024-01", 3)
    answer = ask(town).one("op_cost_per_capita", "a", "2024-01")
    assert (answer.status, answer.numerator, answer.value) == ("no_denominator", Decimal("10.00"), None)


def test_a_carrier_without_a_factor_is_not_zero_carbon(town, ask):
    town.unit("old", "root", valid=("2005-01",))
    for month in ("2010-01", "2024-01"):
        use(town, "old", month, "electricity", "10")
    asker = ask(town)
    answers = [asker.one("co2_t", "old", month) for month in ("2010-01", "2024-01")]
    assert [(x.status, x.numerator) for x in answers] == [("not_reported", None), ("ok", Decimal("5.306"))]


def test_a_missing_cost_is_not_zero_and_is_counted(town, ask):
    use = {"unit": "a", "month": "2024-01", "shared": False}
    town.add("energy_use", 1, carrier="electricity", quantity="5", cost="4.000000", **use)
    town.add("energy_use", 1, carrier="natural_gas", quantity="0", cost=None, note="infinite_price", **use)
    town.add("energy_use", 1, carrier="heat", quantity="7", cost=None, **use)
    town.add("energy_use", 1, carrier="water", quantity="0", cost=None, **use)
    asker = ask(town)
    assert asker.one("energy_cost", "a", "2024-01").numerator == Decimal("4.000000")
    assert asker.one("energy_cost_missing", "a", "2024-01").value == 2


def test_units_without_an_area_stay_outside_intensities_and_are_counted(town, ask):
    for unit in "ab":
        use(town, unit, "2024-01", "electricity", "100")
    town.add("building", 1, valid=("2020-01",), code="A", unit="a", gross_area="50.0000", tenure="owned")
    town.add("building", 1, valid=("2020-01",), code="B", unit="b", gross_area="0.0000", tenure="owned")
    asker = ask(town)
    answer = asker.one("elec_per_area", "root", "2024-01")
    assert (answer.numerator, answer.denominator, answer.value) == (Decimal(100), 50.0, 2.0)
    assert asker.one("elec_area_left_out", "root", "2024-01").value == 1
    assert asker.one("elec_kwh", "root", "2024-01").value == Decimal(200)
