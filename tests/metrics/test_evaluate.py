"""Answers on a town of two bureaux under one root; every table here can be added up by head."""

from __future__ import annotations

from decimal import Decimal

import pytest


@pytest.fixture
def town(world):
    """root ─ a, b. Cost 30201: a 100 + 50, b 200 in January; a 10 in February. Staff a 2 → 4, b 8."""
    world.unit(
        "root",
        kind="region",
        scope_cost=False,
        scope_vehicle=False,
        scope_space=False,
        scope_energy=False,
        scope_service=False,
    )
    world.unit("a", "root")
    world.unit("b", "root")
    world.defaults()
    pay = {"item_code": "30201", "fund": "general", "exp_kind": "basic_public"}
    world.add("payment", 1, voucher="1", line=1, unit="a", paid_on="2024-01-05", amount="100.00", **pay)
    world.add("payment", 1, voucher="1", line=2, unit="a", paid_on="2024-01-06", amount="50.00", **pay)
    world.add("payment", 1, voucher="2", line=1, unit="b", paid_on="2024-01-31", amount="200.00", **pay)
    world.add("payment", 2, voucher="3", line=1, unit="a", paid_on="2024-02-01", amount="10.00", **pay)
    for unit, when, heads in (("a", "2024-01", 2), ("a", "2024-02", 4), ("b", "2024-01", 8), ("b", "2024-02", 8)):
        world.add("staff", 1, unit=unit, month=when, authorised_staff=heads, actual_staff=heads, energy_headcount=heads)
    return world


def test_month_sums_of_root_and_units(town, ask):
    asker = ask(town)
    root = asker.one("op_cost_total", "root", "2024-01")
    assert (root.numerator, root.value, root.status, root.due, root.got) == (
        Decimal("350.00"),
        Decimal("0.035"),
        "ok",
        2,
        2,
    )
    assert asker.one("op_cost_total", "a", "2024-01").numerator == Decimal("150.00")
    assert asker.one("op_cost_total", "b", "2024-02").numerator == Decimal("0.00")


def test_cost_per_head_divides_sums_and_averages_the_stock_over_months(town, ask):
    answer = ask(town).one("op_cost_per_capita", "root", "2024-02", "ytd")
    assert answer.numerator == Decimal("360.00")
    assert answer.denominator == 11.0
    assert answer.value == 360.0 / 11.0
    assert answer.status == "ok"


def test_parts_by_children_add_up_to_their_parent(town, ask):
    asker = ask(town)
    parts = asker.all("op_cost_total", "root", "2024-01", by="children")
    assert [(p.node, p.numerator) for p in parts] == [("a", Decimal("150.00")), ("b", Decimal("200.00"))]
    assert all(p.dim == "children" and p.dim_value == p.node for p in parts)


def test_known_before_a_batch_does_not_see_it(town, ask):
    asker = ask(town)
    early = asker.generation.recorded_at(1)
    import datetime as dt

    known = dt.datetime(2025, 1, 2, 1, tzinfo=dt.UTC)
    assert asker.generation.batch_at(known) == 1, early
    assert asker.one("op_cost_total", "root", "2024-02", "ytd", known_at=known).numerator == Decimal("350.00")
    assert asker.one("op_cost_total", "root", "2024-02", "ytd").numerator == Decimal("360.00")
