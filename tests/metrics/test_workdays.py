"""Working days and days of heating in formulas; every count below is taken from the printed notices, by hand."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from metrics.catalogue import build_catalogue
from metrics.model import Catalogue
from tests.metrics.test_functions import definitions
from warehouse.base.errors import DefinitionError
from warehouse.base.periods import OPEN, month_no
from warehouse.base.workdays import Season, heating_days, working_days

WORKDAYS_2025 = (19, 19, 21, 22, 19, 20, 23, 21, 23, 18, 20, 23)
"""By the notice for 2025; 248 in all. January: 23 weekdays less 1 (New Year), less 4 (28–31), plus Sunday the 26th."""
PER_DAY_ZONES = ("寒冷B", "夏热冬暖A")
QUARTERS_OF_HEATING = {"2023-Q4": 47, "2024-Q1": 75, "2024-Q2": 0}
"""15 November to 15 March: 16 + 31 days, then 31 + 29 + 15."""


@pytest.fixture
def bureau(world):
    """root ─ a (cold zone), b (warm zone); electricity 1,000 a month and heat 470 a month each, from 2023 to 2025."""
    world.defaults()
    world.unit("root", kind="region", scope_energy=False)
    for unit, zone in zip("ab", PER_DAY_ZONES, strict=True):
        world.unit(unit, "root", climate=zone)
        for year in (2023, 2024, 2025):
            for month in range(1, 13):
                for carrier, quantity in (("electricity", "1000"), ("heat", "470")):
                    world.add(
                        "energy_use", 1, unit=unit, month=f"{year}-{month:02}", carrier=carrier, quantity=quantity
                    )
    return world


def test_months_of_2025_have_the_days_of_the_notice(bureau, ask):
    found = ask(bureau).all("elec_per_workday", "a", "2025-01..2025-12")
    assert [x.denominator for x in found] == list(WORKDAYS_2025)
    assert [x.value for x in found] == [1000.0 / days for days in WORKDAYS_2025]
    assert {x.status for x in found} == {"ok"} and {x.unit for x in found} == {"kWh/日"}


@pytest.mark.parametrize(
    ("period", "grain", "amount", "days"),
    [("2025-Q1", "quarter", 3000, 59), ("2025", "year", 12000, 248), ("2025-03", "ytd", 3000, 59), ("2025-01", "r12", 12000, 248)],
)  # fmt: skip
def test_longer_windows_add_their_days_up(bureau, ask, period, grain, amount, days):
    if grain == "r12":  # 2024 has 251 working days, 22 of them in January; January 2025 has 19
        days = 251 - 22 + 19
    one = ask(bureau).one("elec_per_workday", "a", period, grain)
    assert (one.value, one.numerator, one.denominator) == (amount / days, Decimal(amount), days)


def test_of_a_running_year_only_the_months_elapsed_count(bureau, ask):
    now = dt.datetime(2025, 3, 10, tzinfo=dt.UTC)
    one = ask(bureau).one("elec_per_workday", "a", "2025", "year", now=now)
    assert (one.numerator, one.denominator, one.status) == (Decimal(2000), 38, "incomplete")


def test_a_change_over_a_year_divides_each_side_by_its_own_days(bureau, ask):
    asker = ask(bureau)
    # February had 18 working days in 2024 and 19 in 2025, at the same use
    wanted = (1000 / 19 - 1000 / 18) / (1000 / 18) * 100
    for role in ("yoy", "same"):
        assert asker.one(f"elec_per_workday_{role}", "root", "2025-02").value == pytest.approx(wanted, rel=1e-12)
    two = asker.all("elec_per_workday_yoy", "root", "2025-01..2025-02")
    assert [x.value for x in two] == pytest.approx([(22 / 19 - 1) * 100, wanted], rel=1e-12)


def test_children_and_dimensions_have_the_days_of_the_window(bureau, ask):
    asker = ask(bureau)
    for by in ("children", "climate"):
        found = asker.all("elec_per_workday", "root", "2025-Q1", "quarter", by=by)
        assert {(x.value, x.denominator) for x in found if x.value is not None} == {(3000 / 59, 59)}


def test_a_local_row_counts_from_the_moment_it_was_known(bureau, ask):
    bureau.batch(1, "2025-01-02")
    bureau.batch(2, "2025-06-02")
    bureau.add("calendar", 2, country="CN", day="2025-05-30", kind="rest", name="本地放假", evidence="L")
    asker = ask(bureau)
    assert asker.one("elec_per_workday", "a", "2025-05").denominator == 18
    before = dt.datetime(2025, 6, 1, tzinfo=dt.UTC)
    assert asker.one("elec_per_workday", "a", "2025-05", known_at=before).denominator == 19


@pytest.mark.parametrize("country", ["US", "UA"])
def test_a_store_of_another_country_does_not_count_by_this_calendar(bureau, ask, country):
    bureau.meta["country"] = country
    one = ask(bureau).one("elec_per_workday", "a", "2025-05")
    assert (one.value, one.status) == (None, "no_denominator")


def test_a_year_nobody_announced_has_no_working_days(world, ask):
    world.defaults()
    world.unit("a")
    for month in ("2026-12", "2027-01"):
        world.add("energy_use", 1, unit="a", month=month, carrier="electricity", quantity="1000")
    asker = ask(world)
    assert asker.one("elec_per_workday", "a", "2026-12").denominator == 23
    for period, grain in (("2027-01", "month"), ("2027-01", "r12")):
        one = asker.one("elec_per_workday", "a", period, grain)
        assert (one.value, one.status) == (None, "no_denominator")


@pytest.mark.parametrize(("period", "days"), QUARTERS_OF_HEATING.items())
def test_days_of_heating_are_those_of_the_zone(bureau, ask, period, days):
    asker = ask(bureau)
    cold = asker.one("heat_per_heating_day", "a", period, "quarter")
    warm, both = asker.all("heat_per_heating_day", "b root", period, "quarter")
    assert (cold.value, cold.denominator) == ((1410 / days, days) if days else (None, 0))
    # a zone without heating has no days, and two zones have no one season
    assert (warm.value, warm.denominator, warm.status) == (None, 0, "no_denominator")
    assert (both.value, both.denominator, both.status) == (None, None, "no_denominator")


def test_a_node_without_a_zone_has_that_of_the_units_below_it(bureau, ask):
    bureau.rows["org_unit"] = [row for row in bureau.rows["org_unit"] if row["code"] != "b"]
    for period, grain, days in (("2024-01", "month", 31), ("2024-Q1", "quarter", 75)):
        one = ask(bureau).one("heat_per_heating_day", "root", period, grain)
        assert one.denominator == days
    children = ask(bureau).all("heat_per_heating_day", "root", "2024-Q1", "quarter", by="children")
    assert {(x.node, x.denominator) for x in children if x.value is not None} == {("a", 75)}


def test_seasons_run_over_the_turn_of_the_year_and_end_when_they_are_no_longer_valid():
    old = Season("z", "11-15", "03-15", 0, month_no(2025, 11))
    new = Season("z", "11-01", "03-31", month_no(2025, 11), OPEN)
    wanted = {(2025, 3): 15, (2025, 10): 0, (2025, 11): 30, (2026, 3): 31, (2026, 4): 0, (2024, 2): 29}
    assert {at: heating_days([old, new], month_no(*at)) for at in wanted} == wanted
    assert heating_days([], month_no(2025, 1)) is None


def test_a_day_of_a_known_year_without_a_row_is_what_its_weekday_says():
    friday, saturday = dt.date(2025, 8, 1), dt.date(2025, 8, 2)
    assert working_days({friday: "holiday", saturday: "workday"}, month_no(2025, 8)) == 21
    assert working_days({friday: "rest"}, month_no(2025, 8)) == 20
    assert working_days({dt.date(2025, 1, 1): "holiday"}, month_no(2025, 8)) == 21
    assert working_days({}, month_no(2025, 8)) is None


def test_lengths_are_no_names_for_atoms_and_are_written_bare(contracts):
    for wrong in ("avg(workdays)", "last(heating_days)"):
        with pytest.raises(DefinitionError, match="bare"):
            build_catalogue({"a.toml": definitions({"wrong": f"paid / {wrong}"})}, contracts)
    text = definitions({"spent": "paid"}).replace("[atom.paid]", "[atom.workdays]")
    with pytest.raises(DefinitionError, match="is taken"):
        build_catalogue({"a.toml": text}, contracts)


def test_working_days_and_months_are_not_of_one_size(catalogue: Catalogue, contracts):
    with pytest.raises(DefinitionError, match="CNY/day"):
        build_catalogue({"a.toml": definitions({"to_date": "paid / workdays"}, "元/月")}, contracts)
