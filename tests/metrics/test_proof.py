"""Proof of a figure: its rows, what moved it, and what was frozen."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from metrics import drill
from metrics.diff import difference
from metrics.model import Query
from warehouse.base.errors import QueryError
from warehouse.base.scope import Scope

NOW = dt.datetime(2030, 1, 1, tzinfo=dt.UTC)
NO_THEME = dict.fromkeys(("scope_cost", "scope_vehicle", "scope_space", "scope_energy", "scope_service"), False)
PAY = {"line": 1, "item_code": "30201", "fund": "general", "exp_kind": "basic_public"}


@pytest.fixture
def town(world):
    """root ─ a, b. Batch 2 corrects a's January from 100 to 90 and brings February; batch 3 brings b's staff."""
    world.unit("root", kind="region", **NO_THEME)
    world.unit("a", "root", name="财政局")
    world.unit("b", "root")
    world.defaults()
    world.add(
        "payment", (1, 2), voucher="1", unit="a", paid_on="2024-01-03", amount="100.00", item_name="办公费", **PAY
    )
    world.add("payment", 2, voucher="1", unit="a", paid_on="2024-01-03", amount="90.00", item_name="办公费", **PAY)
    world.add("payment", 1, voucher="2", unit="b", paid_on="2024-01-04", amount="20.00", **PAY)
    world.add("payment", 1, voucher="3", unit="b", paid_on="2024-01-05", amount="5.00", **{**PAY, "item_code": "30302"})
    world.add("payment", 2, voucher="4", unit="b", paid_on="2024-02-04", amount="-3.00", **PAY)
    for month in ("2024-01", "2024-02"):
        world.add("staff", 1, unit="a", month=month, authorised_staff=2, actual_staff=2, energy_headcount=2)
        world.add("staff", 3, unit="b", month=month, authorised_staff=3, actual_staff=3, energy_headcount=3)
    for plate, klass in (("1", "courier"), ("2", "courier"), ("3", "emergency")):
        world.add(
            "vehicle",
            1,
            unit="a",
            month="2024-01",
            plate=plate,
            veh_class=klass,
            body="sedan",
            fuel="gasoline",
            status="in_use",
        )
    world.add("vehicle_quota", 1, valid=("2020-01",), unit="a", veh_class="courier", quota=1)
    return world


def query(indicator, node="root", period="2024-01", grain="month", **more):
    return Query(
        indicators=(indicator,), nodes=(node,), period_from=period, period_to=period, grain=grain, scope=Scope.everything(), actor="test",
        **{"now": NOW, **more},
    )  # fmt: skip


def rows_of(asker, *args, **more):
    return drill.rows(asker.generation, asker.catalogue, query(*args, **more), limit=None)


def test_the_rows_behind_a_sum_name_their_place_and_add_up(town, ask):
    found = rows_of(ask(town), "op_cost_total", period="2024-02", grain="ytd")
    listed = [(r.unit, r.unit_name, r.period, r.file_name, r.row_no, r.contribution) for r in found.rows]
    assert listed == [
        ("a", "财政局", "2024-01", "payment.csv", 2, Decimal("90.00")),
        ("b", "b", "2024-01", "payment.csv", 3, Decimal("20.00")),
        ("b", "b", "2024-02", "payment.csv", 5, Decimal("-3.00")),
    ]
    assert (found.numerator, found.answer.numerator, found.denominator, found.count) == (
        Decimal("107.00"),
        Decimal("107.00"),
        None,
        3,
    )
    assert found.rows[0].label == "1 · 办公费"


def test_rows_of_a_ratio_stand_on_two_sides_and_an_average_says_its_months(town, ask):
    found = rows_of(ask(town), "op_cost_per_capita", period="2024-02", grain="ytd")
    assert (found.numerator, found.denominator, found.denominator_divisor) == (Decimal("107.00"), Decimal(10), 2)
    assert found.answer.denominator == 5.0
    assert {r.side for r in found.rows} == {"numerator", "denominator"}


def test_rows_of_the_past_are_those_known_then(town, ask):
    then = dt.datetime(2025, 1, 2, 1, tzinfo=dt.UTC)
    found = rows_of(ask(town), "op_cost_total", known_at=then)
    assert [r.contribution for r in found.rows] == [Decimal("100.00"), Decimal("20.00")]


def test_a_listing_is_cut_but_its_sums_are_not(town, ask):
    asker = ask(town)
    found = drill.rows(asker.generation, asker.catalogue, query("op_cost_total"), limit=1)
    assert (len(found.rows), found.count, found.numerator) == (1, 2, Decimal("110.00"))


def test_a_cell_that_is_no_sum_of_rows_is_a_line_and_explains_itself(town, ask):
    found = rows_of(ask(town), "veh_over_quota")
    adding = [(r.dataset, r.label, r.contribution) for r in found.rows if r.contribution is not None]
    assert adding[0][1:] == ("courier", Decimal(1)) or adding[1][1:] == ("courier", Decimal(1))
    assert sum(a[2] for a in adding) == found.numerator == 2
    explaining = [r for r in found.rows if r.contribution is None]
    assert sorted((r.dataset, r.value) for r in explaining) == [
        ("vehicle", 1),
        ("vehicle", 1),
        ("vehicle", 1),
        ("vehicle_quota", 1),
    ]


def test_rows_follow_a_filter_and_another_days_tree(town, ask):
    asker = ask(town)
    for more in ({"where": "item_code = '30201' and level = 'city'"}, {"tree": "2024-02-01"}):
        found = rows_of(asker, "op_cost_total", **more)
        assert found.numerator == found.answer.numerator == Decimal("110.00"), more


def test_a_change_shows_the_rows_of_now_and_those_of_the_base_with_opposite_sign(town, ask):
    town.add("payment", 1, voucher="0", unit="a", paid_on="2023-01-03", amount="10.00", **PAY)
    found = rows_of(ask(town), "op_cost_total_yoy", node="a")
    assert [(r.side, r.period, r.contribution) for r in found.rows] == [
        ("numerator", "2024-01", Decimal("90.00")),
        ("numerator", "2023-01", Decimal("-10.00")),
        ("denominator", "2023-01", Decimal("10.00")),
    ]
    assert found.answer.value == 800.0


def test_rows_stand_behind_one_figure_only(town, ask):
    with pytest.raises(QueryError, match="one indicator of one node"):
        rows_of(ask(town), "op_cost_total", by="children")


def test_differences_of_a_sum_are_the_parts_of_the_batches(town, ask):
    asker = ask(town)
    for first, last in ((1, 2), (1, 3), (0, 2), (2, 3)):
        (found,) = compare(asker, "op_cost_total", first, last)
        total = sum((moved.numerator for moved in found.batches), Decimal(0))
        assert total == Decimal(found.new.numerator or 0) - Decimal(found.old.numerator or 0), (first, last)
    (found,) = compare(asker, "op_cost_total", 1, 3)
    assert [(m.batch_seq, m.file_name, m.numerator) for m in found.batches] == [(2, "batch 2", Decimal("-13.00"))]
    assert found.change == Decimal("-0.0013")


def test_differences_of_a_ratio_name_the_batches_of_both_sides(town, ask):
    (found,) = compare(ask(town), "op_cost_per_capita", 1, 3)
    assert [(m.batch_seq, m.numerator, m.denominator) for m in found.batches] == [
        (2, Decimal("-13.00"), Decimal(0)),
        (3, Decimal(0), Decimal(6)),
    ]
    assert found.as_json()["old_status"] == "incomplete"
    assert found.as_json()["new_status"] == "ok"


def compare(asker, indicator, first, last):
    moments = [dt.datetime(2025, 1, 1, 1, tzinfo=dt.UTC) + dt.timedelta(days=seq) for seq in (first, last)]
    return difference(
        asker.generation, asker.catalogue, indicators=(indicator,), nodes=("root",), period_from="2024-02", period_to="2024-02", grain="ytd",
        from_time=moments[0], to_time=moments[1], scope=Scope.everything(), actor="test",
    )  # fmt: skip
