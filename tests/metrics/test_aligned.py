"""Comparisons over the Spring Festival, added up by hand: it was on 10 February 2024 and on 29 January 2025."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from metrics.aligned import aligned
from warehouse.base.errors import QueryError
from warehouse.base.periods import month_no, windows

USED = {"2023-12": 40, "2024-01": 100, "2024-02": 60, "2024-03": 80, "2024-12": 50, "2025-01": 70, "2025-02": 110, "2025-03": 120}  # fmt: skip
BOTH = "2025-01..2025-02"


@pytest.fixture
def bureau(world):
    """root ─ a, b; b uses a tenth of a."""
    world.defaults()
    world.unit("root", kind="region", scope_energy=False)
    for unit, share in (("a", 1), ("b", Decimal("0.1"))):
        world.unit(unit, "root")
        for month in [f"{year}-{number:02}" for year in (2023, 2024, 2025) for number in range(1, 13)]:
            world.add(
                "energy_use",
                1,
                unit=unit,
                month=month,
                carrier="electricity",
                quantity=str(USED.get(month, 10) * share),
            )
    return world


@pytest.fixture
def asker(bureau, ask):
    return ask(bureau)


def test_month_by_month_the_festival_makes_a_fall_and_a_rise(asker):
    found = asker.all("elec_kwh_yoy", "a", "2025-01..2025-02")
    assert [x.value for x in found] == pytest.approx([-30, 250 / 3])
    assert {x.align for x in found} == {""}


@pytest.mark.parametrize("period", ["2025-01", "2025-02", "2025-01..2025-02"])
def test_aligned_both_months_are_one_and_so_is_the_change(asker, period):
    value, change, same = asker.all("elec_kwh elec_kwh_yoy elec_kwh_same", "a", period, align="spring")
    assert (value.value, change.value, same.value) == (Decimal(180), 12.5, 12.5)  # 180 against 160
    assert (change.numerator, change.denominator) == (Decimal(20), Decimal(160))
    assert {(x.period, x.grain, x.align, x.status) for x in (value, change, same)} == {(BOTH, "month", "spring", "ok")}


def test_other_months_stay_what_they_are(asker):
    found = asker.all("elec_kwh_yoy", "a", "2024-12..2025-03", align="spring")
    assert [(x.period, x.value) for x in found] == [("2024-12", 25.0), (BOTH, 12.5), ("2025-03", 50.0)]


def test_children_add_up_and_working_days_are_those_of_both_months(asker):
    parts = asker.all("elec_kwh", "root", "2025-02", by="children", align="spring")
    assert {x.node: x.value for x in parts if x.value is not None} == {"a": Decimal(180), "b": Decimal(18)}
    one = asker.one("elec_per_workday", "root", "2025-02", align="spring")
    assert (one.numerator, one.denominator) == (Decimal(198), 38)


def test_to_date_and_rolling_never_end_with_january(asker):
    found = asker.all("elec_kwh", "a", "2025-01..2025-03", "ytd", align="spring")
    assert [(x.period, x.value) for x in found] == [("2025-02", Decimal(180)), ("2025-03", Decimal(300))]
    (rolling,) = asker.all("elec_kwh", "a", "2025-01", "r12", align="spring")
    # March to December 2024, then January and February 2025
    assert (rolling.period, rolling.value) == ("2025-02", Decimal(80 + 8 * 10 + 50 + 180))


@pytest.mark.parametrize(
    ("period", "grain"), [("2025-01", "month"), ("2025-Q1", "quarter"), ("2025", "year"), ("2025-01", "ytd")]
)
def test_january_waits_for_february(asker, period, grain):
    in_february, in_march = (dt.datetime(2025, month, 10, tzinfo=dt.UTC) for month in (2, 3))
    early = asker.one("elec_kwh_yoy", "a", period, grain, align="spring", now=in_february)
    assert (early.value, early.status) == (None, "not_due")
    late = asker.one("elec_kwh_yoy", "a", period, grain, align="spring", now=in_march)
    assert late.value == 12.5


def test_quarters_and_years_are_compared_as_ever(asker):
    for period, grain in (("2025-Q1", "quarter"), ("2025", "year"), ("2025-Q2", "quarter")):
        joined, plain = (asker.one("elec_kwh_yoy", "a", period, grain, align=align) for align in ("spring", None))
        assert joined.value == plain.value and joined.align == "spring"


def test_a_fiscal_year_that_parts_the_two_months_is_refused_and_others_are_not():
    january = month_no(2025, 1)
    for start in range(1, 13):
        asked = windows("quarter", january, january + 2, start)
        if start in (2, 5, 8, 11):
            with pytest.raises(QueryError, match="parts January"):
                aligned("quarter", asked, start)
        else:
            assert aligned("quarter", asked, start) == asked
        if start == 2:
            for grain in ("ytd", "year"):
                with pytest.raises(QueryError, match="parts January"):
                    aligned(grain, windows(grain, january, january + 2, start), start)
    # a fiscal year from October, asked in January: October to February
    (one,) = aligned("ytd", windows("ytd", january, january + 1, 10), 10)
    assert (one.label, one.from_m, one.to_m) == ("2025-02", month_no(2024, 10), month_no(2025, 3))


def test_what_is_no_alignment_is_refused(asker):
    with pytest.raises(QueryError, match="lunar"):
        asker.one("elec_kwh", "a", "2025-01", align="lunar")
