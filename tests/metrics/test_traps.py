"""Silently wrong numbers that a metric layer meets, each on a table small enough to add up by head."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from metrics import drill
from metrics.model import Query
from warehouse.base.errors import Forbidden, QueryError, UnknownName
from warehouse.base.scope import Scope

NO_THEME = dict.fromkeys(("scope_cost", "scope_vehicle", "scope_space", "scope_energy", "scope_service"), False)
PAY = {"line": 1, "item_code": "30201", "fund": "general", "exp_kind": "basic_public"}


@pytest.fixture
def town(world):
    """root ─ a, b; reference tables as shipped."""
    world.unit("root", kind="region", name="示例市", **NO_THEME)
    world.unit("a", "root", name="财政局")
    world.unit("b", "root", name="审计局")
    world.defaults()
    return world


def pay(world, unit, day, amount, known=1, **more):
    world.add(
        "payment",
        known,
        voucher=f"{unit}{day}{amount}{known}",
        unit=unit,
        paid_on=day,
        amount=amount,
        **{**PAY, **more},
    )


def staff(world, unit, month, heads, known=1):
    world.add(
        "staff", known, unit=unit, month=month, authorised_staff=heads, actual_staff=heads, energy_headcount=heads
    )


def car(world, unit, month, plate, known=1, **more):
    row = {
        "body": "sedan",
        "veh_class": "courier",
        "fuel": "gasoline",
        "status": "in_use",
        "displacement": "1.6",
        "price": "120000.00",
    }
    world.add("vehicle", known, unit=unit, month=month, plate=plate, **{**row, **more})


# --- sums, stocks, ratios ---------------------------------------------------------------------------------------------


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


# --- history ----------------------------------------------------------------------------------------------------------


def test_a_value_changed_there_and_back_gives_three_boards(town, ask):
    pay(town, "a", "2024-01-03", "1.00", known=(1, 2))
    pay(town, "a", "2024-01-03", "2.00", known=(2, 3))
    pay(town, "a", "2024-01-03", "1.00", known=3)
    asker = ask(town)
    boards = [asker.one("op_cost_total", "root", "2024-01", known_at=_after(seq)) for seq in (1, 2, 3)]
    assert [(b.numerator, b.through_seq) for b in boards] == [
        (Decimal("1.00"), 1),
        (Decimal("2.00"), 2),
        (Decimal("1.00"), 3),
    ]


def test_the_latest_budget_version_counts_and_its_withdrawal_brings_the_older_back(town, ask):
    line = {
        "unit": "a",
        "year": 2024,
        "item_code": "30201",
        "project": "",
        "fund": "general",
        "exp_kind": "basic_public",
    }
    town.add("budget", 1, version=1, amount="100.00", **line)
    town.add("budget", (2, 3), version=2, amount="300.00", **line)
    town.add("budget", 2, version=1, amount="50.00", **{**line, "item_code": "30202"})
    pay(town, "a", "2024-01-03", "30.00")
    pay(town, "a", "2024-02-03", "1.00", known=3)
    asker = ask(town)
    seen = [asker.one("budget_exec_rate", "a", "2024-01", "ytd", known_at=_after(seq)).denominator for seq in (1, 2, 3)]
    assert seen == [Decimal("100.00"), Decimal("350.00"), Decimal("150.00")]


def test_a_corrected_factor_changes_history_only_after_it_was_known(town, ask):
    _use(town, "a", "2024-01", "electricity", "1000")
    _use(town, "a", "2024-02", "electricity", "1000")
    town.add("coal_factor", 2, valid=("2024-02",), carrier="electricity", factor="0.300000")
    asker = ask(town)
    months = "2024-01..2024-02"
    before = asker.all("en_tce", "root", months, known_at=_after(1))
    assert [x.numerator for x in before] == [Decimal("122.9"), Decimal("122.9")]
    assert [x.numerator for x in asker.all("en_tce", "root", months)] == [Decimal("122.9"), Decimal("300")]


def test_a_late_re_parenting_moves_the_past_only_under_the_tree_that_knows_it(town, ask):
    town.rows["org_unit"] = [row for row in town.rows["org_unit"] if row["code"] != "b"]
    town.unit("b", "root", known=(1, 2))
    town.unit("b", "root", valid=("2020-01", "2024-02"), known=2)
    town.unit("b", "a", valid=("2024-02",), known=2)
    for month in ("2024-01", "2024-02"):
        pay(town, "b", f"{month}-03", "7.00")
    asker = ask(town)
    months = "2024-01..2024-02"
    assert [x.numerator for x in asker.all("op_cost_total", "a", months, known_at=_after(1))] == [0, 0]
    assert [x.numerator for x in asker.all("op_cost_total", "a", months)] == [0, Decimal("7.00")]
    assert [x.numerator for x in asker.all("op_cost_total", "a", months, tree="2024-03-01")] == [Decimal("7.00")] * 2
    for tree in ("as-was", "2024-01-15", "2024-03-01"):
        assert [x.numerator for x in asker.all("op_cost_total", "root", months, tree=tree)] == [Decimal("7.00")] * 2


def test_a_child_counts_for_its_parent_only_while_it_hangs_there(town, ask):
    town.rows["org_unit"] = [row for row in town.rows["org_unit"] if row["code"] != "b"]
    town.unit("b", "root", valid=("2020-01", "2024-02"))
    town.unit("b", "a", valid=("2024-02",))
    for month in ("2024-01", "2024-02"):
        pay(town, "a", f"{month}-03", "1.00")
        pay(town, "b", f"{month}-03", "7.00")
    asker = ask(town)
    parts = asker.all("op_cost_total", "a", "2024-02", "ytd", by="children")
    assert [(p.node, p.dim_value, p.numerator) for p in parts] == [
        ("a", "a", Decimal("2.00")),
        ("b", "b", Decimal("7.00")),
    ]
    whole = asker.one("op_cost_total", "a", "2024-02", "ytd").numerator
    assert whole == Decimal("9.00")
    today = asker.all("op_cost_total", "a", "2024-02", "ytd", by="children", tree="2024-02-29")
    assert [(p.node, p.numerator) for p in today] == [("a", Decimal("2.00")), ("b", Decimal("14.00"))]


def test_facts_outside_a_units_life_are_dropped_and_counted(town, ask):
    town.unit("c", "root", valid=("2020-01", "2024-02"))
    pay(town, "c", "2024-01-03", "1.00")
    pay(town, "c", "2024-02-03", "5.00")
    pay(town, "nobody", "2024-02-03", "5.00")
    asker = ask(town)
    assert [x.numerator for x in asker.all("op_cost_total", "root", "2024-01..2024-02")] == [Decimal("1.00"), 0]
    rows = asker.generation.con.execute("SELECT unit, month_no, rows FROM outside_life ORDER BY unit").fetchall()
    assert rows == [("c", 24289, 1), ("nobody", 24289, 1)]


# --- missing is not zero ----------------------------------------------------------------------------------------------


def test_a_unit_that_did_not_report_makes_its_parents_incomplete(town, ask):
    _use(town, "a", "2024-01", "electricity", "10")
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
        _use(town, unit, "2024-01", "water", "30")
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
    then = asker.one("op_cost_total", "root", "2024-02", known_at=_after(2))
    assert (then.status, then.got, then.numerator) == ("incomplete", 1, Decimal("5.00"))
    assert asker.one("op_cost_total", "o1", "2024-02", known_at=_after(2)).status == "not_reported"
    assert asker.one("op_cost_total", "o0", "2024-02", known_at=_after(2)).status == "ok"
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
    for moment in (None, _after(2)):
        found = [asker.one("op_cost_total", "root", month, known_at=moment) for month in ("2024-01", "2024-02")]
        assert [answer.numerator for answer in found] == [Decimal("301.00"), Decimal("1.00")]
        assert asker.one("op_cost_total", "s", "2024-02", known_at=moment).status == "excluded"


def test_lives_deciecide_whether_a_unit_exists_in_a_period(town, ask):
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
        _use(town, unit, "2024-01", "water", "30")
    _use(town, "a", "2023-01", "water", "20")
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
        _use(town, "old", month, "electricity", "10")
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
        _use(town, unit, "2024-01", "electricity", "100")
    town.add("building", 1, valid=("2020-01",), code="A", unit="a", gross_area="50.0000", tenure="owned")
    town.add("building", 1, valid=("2020-01",), code="B", unit="b", gross_area="0.0000", tenure="owned")
    asker = ask(town)
    answer = asker.one("elec_per_area", "root", "2024-01")
    assert (answer.numerator, answer.denominator, answer.value) == (Decimal(100), 50.0, 2.0)
    assert asker.one("elec_area_left_out", "root", "2024-01").value == 1
    assert asker.one("elec_kwh", "root", "2024-01").value == Decimal(200)


# --- leaf formulas ----------------------------------------------------------------------------------------------------


def test_over_quota_is_counted_per_unit_and_class_before_it_is_summed(town, ask):
    for unit, klass, cars, quota in (
        ("a", "courier", 3, 1),
        ("a", "emergency", 1, 5),
        ("b", "courier", 1, 9),
        ("b", "special", 2, None),
    ):
        for number in range(cars):
            car(town, unit, "2024-01", f"{unit}{klass}{number}", veh_class=klass)
        if quota is not None:
            town.add("vehicle_quota", 1, valid=("2020-01",), unit=unit, veh_class=klass, quota=quota)
    asker = ask(town)
    assert asker.one("veh_over_quota", "root", "2024-01").value == 4
    parts = asker.all("veh_over_quota", "root", "2024-01", by="veh_class")
    assert {p.dim_value: p.value for p in parts} == {"courier": 2, "special": 2}
    assert asker.one("veh_quota_rate", "root", "2024-01").value == 7 / 15 * 100.0


def test_a_car_leaving_a_cell_later_takes_its_excess_back(town, ask):
    town.add("vehicle_quota", 1, valid=("2020-01",), unit="a", veh_class="courier", quota=1)
    car(town, "a", "2024-01", "1")
    car(town, "a", "2024-01", "2", known=(2, 3))
    car(town, "a", "2024-02", "9", known=3)
    asker = ask(town)
    seen = [asker.one("veh_over_quota", "root", "2024-01", known_at=_after(seq)).value for seq in (1, 2, 3)]
    assert seen == [0, 1, 0]


def test_over_standard_follows_class_body_fuel_and_approval(town, ask):
    car(town, "a", "2024-01", "at the caps")
    car(town, "a", "2024-01", "dear", price="120000.01")
    car(town, "a", "2024-01", "big", displacement="1.8")
    car(town, "a", "2024-01", "approved", price="300000.00", approval="批〔2023〕1号")
    car(town, "a", "2024-01", "electric", price="175000.00", fuel="electric", displacement=None)
    car(town, "a", "2024-01", "scrapped", price="900000.00", status="scrapped")
    asker = ask(town)
    assert asker.one("veh_over_std", "root", "2024-01").value == 2
    assert asker.one("veh_count", "root", "2024-01").value == 5
    assert asker.one("veh_nev_share", "root", "2024-01").value == 20.0


def test_rooms_are_judged_by_post_level_persons_and_approval(town, ask):
    def room(number, area, **more):
        row = {"building": "B", "room_no": number, "unit": "a", "room_kind": "office", "rank": "staff", "persons": 1, "status": "in_use",
               "tenure": "owned", "compound": "x", "occupant_state": "active", "person_no": number}  # fmt: skip
        town.add("room", 1, valid=("2020-01",), usable_area=area, **{**row, **more})

    room("1", "9.00")
    room("2", "9.01")
    room("3", "18.00", persons=2)
    room("4", "30.00", approval="批")
    room("5", "90.00", room_kind="technical")
    room("6", "40.00", rank="bureau_head", person_no="1")
    room("7", "12.00", status="vacant", person_no=None)
    room("8", "20.00", tenure="leased", rank="bureau_head", occupant_state="retired")
    room("9", "5.00", tenure="leased", compound="elsewhere")
    staff(town, "a", "2024-01", 10)
    asker = ask(town)
    values = {
        x.indicator: x.value
        for x in asker.all(
            "off_over_rooms off_over_area off_vacant_area off_multi_rooms off_retired_rooms off_lease_vacant off_area_per_head",
            "a",
            "2024-01",
        )
    }
    assert values == {
        "off_over_rooms": 2, "off_over_area": Decimal("16.01"), "off_vacant_area": Decimal("12.00"), "off_multi_rooms": 1,
        "off_retired_rooms": 1, "off_lease_vacant": Decimal("20.00"), "off_area_per_head": 143.01 / 10,
    }  # fmt: skip


def test_trips_services_and_expenses_follow_their_rules(town, ask):
    for number, order, duty in ((1, None, False), (2, "", False), (3, "P1", False), (4, None, True)):
        town.add("trip", 1, plate="x", started_at=f"2024-01-0{number} 08:00:00", unit="a", order_no=order, duty=duty)
    for number, closed in ((1, "2024-01-02 10:00:00"), (2, "2024-01-02 10:00:01"), (3, None)):
        town.add(
            "work_order",
            1,
            order_no=str(number),
            unit="a",
            reported_at="2024-01-01 10:00:00",
            closed_at=closed,
            sla_hours="24.0",
            kind="水电",
        )
    town.add("evaluation", 1, month="2024-01", unit="a", service_kind="property", score="80.00", votes=10)
    town.add("evaluation", 1, month="2024-01", unit="a", service_kind="catering", score="95.00", votes=30)
    for number, kind in enumerate(("fuel", "topup", "repair")):
        town.add(
            "vehicle_expense", 1, receipt_no=str(number), unit="a", kind=kind, spent_on="2024-01-05", amount="100.00"
        )
    town.add("service_payment", 1, voucher="1", unit="a", paid_on="2024-01-05", amount="25000.00")
    asker = ask(town)
    values = {
        x.indicator: x.value
        for x in asker.all("veh_no_order svc_ontime svc_satisfaction veh_run_exp svc_amount", "root", "2024-01")
    }
    assert values == {
        "veh_no_order": 2,
        "svc_ontime": 50.0,
        "svc_satisfaction": 91.25,
        "veh_run_exp": Decimal("0.02"),
        "svc_amount": Decimal("2.5"),
    }


def test_funds_and_kinds_decide_what_is_three_public_and_operating_funds(town, ask):
    pay(town, "a", "2024-01-01", "1.00", item_code="30217")
    pay(town, "a", "2024-01-02", "10.00", item_code="30231", exp_kind="project")
    pay(town, "a", "2024-01-03", "100.00", item_code="31013", fund="other")
    pay(town, "a", "2024-01-04", "1000.00", item_code="ZJTX", exp_kind="accrual")
    pay(town, "a", "2024-12-04", "27.00")
    asker = ask(town)
    year = {
        x.indicator: x.numerator
        for x in asker.all("three_public_total op_funds_exp op_cost_total dec_spend_share", "a", "2024", "year")
    }
    assert year["three_public_total"] == Decimal("11.00")
    assert year["op_cost_total"] == Decimal("1038.00")
    assert year["dec_spend_share"] == Decimal("27.00")
    assert year["op_funds_exp"] == Decimal("28.00")
    assert asker.one("dec_spend_share", "a", "2024", "year").denominator == Decimal("138.00")


# --- splits, filters, scope -------------------------------------------------------------------------------------------


def test_a_row_without_a_key_keeps_its_place_among_the_parts(town, ask):
    pay(town, "a", "2024-01-01", "1.00", exp_kind=None)
    pay(town, "a", "2024-01-02", "10.00", exp_kind="project")
    parts = ask(town).all("op_cost_total", "root", "2024-01", by="exp_kind")
    assert [(p.dim_value, p.numerator) for p in parts] == [("project", Decimal("10.00")), (None, Decimal("1.00"))]


def test_filters_and_attributes_of_units_split_figures_and_duties(town, ask):
    town.unit("t", "root", level="town")
    pay(town, "a", "2024-01-01", "1.00")
    pay(town, "t", "2024-01-01", "10.00", item_code="30202")
    asker = ask(town)
    parts = asker.all("op_cost_total", "root", "2024-01", by="level")
    assert [(p.dim_value, p.numerator, p.due) for p in parts] == [
        ("city", Decimal("1.00"), 2),
        ("town", Decimal("10.00"), 1),
    ]
    towns = asker.one("op_cost_total", "root", "2024-01", where="level = 'town'")
    assert (towns.numerator, towns.due) == (Decimal("10.00"), 1)
    item = asker.one("op_cost_total", "root", "2024-01", where="item_code in ('30202') and level <> 'city'")
    assert (item.numerator, item.due) == (Decimal("10.00"), 1)


HOSTILE = (
    "item_code = '1'; DROP TABLE d_payment", "item_code = (SELECT 1)", "1 = 1", "read_csv('/etc/passwd') = 'x'", "item_code = $seq", "item_code = ?",
    "exists (select 1)", "item_code like '%'", "amount > 5", "d_payment.item_code = '1'", "item_code = '1' union select 1", "item_code = '1' --",
    "item_code[1] = '3'", "item_code::int = 1", "'a' || item_code = 'ab'", "case when item_code = '1' then true end", "not", "(" * 300, "item_code",
    "item_code = '1' or " * 200 + "item_code = '1'", "getenv('HOME') = 'x'", "item_code ~ 'x'", "cast(item_code as int) = 1", "\x00",
)  # fmt: skip


def test_hostile_and_broken_filters_are_refused_or_harmless(town, ask):
    pay(town, "a", "2024-01-01", "1.00")
    asker = ask(town)
    for text in HOSTILE:
        with pytest.raises(QueryError):
            asker.one("op_cost_total", "root", "2024-01", where=text)
    assert asker.one("op_cost_total", "root", "2024-01", where="item_code = 'x'' or ''1''=''1'").value == 0
    assert asker.one("op_cost_total", "root", "2024-01").numerator == Decimal("1.00")


def test_scope_forbids_other_subtrees_and_other_themes(town, ask):
    town.unit("a1", "a")
    pay(town, "a1", "2024-01-01", "1.00")
    asker = ask(town)
    scope = Scope(nodes=frozenset({"a"}), domains=frozenset({"cost"}))
    answers = {x.node: x for x in asker.all("op_cost_total", "root a b a1", "2024-01", scope=scope)}
    assert {node: x.status for node, x in answers.items()} == {
        "root": "forbidden",
        "a": "ok",
        "b": "forbidden",
        "a1": "ok",
    }
    assert (answers["root"].value, answers["root"].due, answers["root"].numerator) == (None, 0, None)
    assert asker.one("veh_count", "a", "2024-01", scope=scope).status == "forbidden"
    with pytest.raises(Forbidden):
        drill.rows(asker.generation, asker.catalogue, _query("op_cost_total", "root", "2024-01", scope))


def test_a_unit_that_moved_in_is_not_seen_before_it_came(town, ask):
    town.unit("m", "b", valid=("2020-01", "2024-02"))
    town.unit("m", "a", valid=("2024-02",))
    for month in ("2024-01", "2024-02"):
        pay(town, "m", f"{month}-03", "7.00")
    scope = Scope(nodes=frozenset({"a"}))
    answers = ask(town).all("op_cost_total", "m", "2024-01..2024-02", scope=scope)
    assert [x.status for x in answers] == ["forbidden", "ok"]


def test_unknown_names_come_with_suggestions_by_spelling_and_pinyin(town, ask):
    pay(town, "a", "2024-01-01", "1.00")
    asker = ask(town)
    for wrong, right in (
        ("op_cost_totl", "op_cost_total"),
        ("jgyxcb", "op_cost_total"),
        ("三公经费", "three_public_total"),
    ):
        with pytest.raises(UnknownName) as caught:
            asker.one(wrong, "root", "2024-01")
        assert right in caught.value.suggestions, wrong
    for wrong in ("财政", "czj", "财政局"):
        with pytest.raises(UnknownName) as caught:
            asker.one("op_cost_total", wrong, "2024-01")
        assert caught.value.suggestions[0] == "a", wrong


def test_questions_that_make_no_sense_say_what_would(town, ask):
    pay(town, "a", "2024-01-01", "1.00")
    asker = ask(town)
    for more, part in (
        ({"by": "item_cod"}, "did you mean 'item_code'?"),
        ({"tree": "yesterday"}, "write as-was or a day"),
        ({"known_at": dt.datetime(2031, 1, 1, tzinfo=dt.UTC)}, "ask for a day that has passed"),
    ):
        with pytest.raises(QueryError, match=part.replace("?", r"\?")):
            asker.one("op_cost_total", "root", "2024-01", **more)


# --- helpers ----------------------------------------------------------------------------------------------------------


def _after(seq: int) -> dt.datetime:
    return dt.datetime(2025, 1, 1, 1, tzinfo=dt.UTC) + dt.timedelta(days=seq)


def _use(world, unit, month, carrier, quantity, known=1):
    world.add("energy_use", known, unit=unit, month=month, carrier=carrier, quantity=quantity, cost=None, shared=False)


def _query(indicator, node, period, scope):
    return Query(indicators=(indicator,), nodes=(node,), period_from=period, period_to=period, grain="month", scope=scope, actor="test",
                 now=dt.datetime(2030, 1, 1, tzinfo=dt.UTC))  # fmt: skip
