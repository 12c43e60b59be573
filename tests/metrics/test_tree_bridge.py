"""The bridge between the tree of each month's own time and the tree of one day, against figures added up by head."""

from __future__ import annotations

import datetime as dt
import random
from decimal import Decimal
from pathlib import Path

import pytest

from metrics.knowledge import knowledge
from metrics.model import Catalogue, Query
from metrics.prepared import is_laid
from metrics.tree_bridge import TreeBridge, spans, tree_bridge
from tests.metrics.conftest import World, month
from tests.metrics.test_history import history
from warehouse.base.errors import QueryError
from warehouse.base.scope import Scope
from warehouse.contracts import Contract
from warehouse.store import Generation

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
NONE = dict.fromkeys(("scope_cost", "scope_vehicle", "scope_space", "scope_energy", "scope_service"), False)


def query(
    indicator: str, node: str, period: str, grain: str = "month", *, tree: str = "2025-06-30", **more: object
) -> Query:
    return Query(
        indicators=tuple(indicator.split()), nodes=tuple(node.split()), period_from=period, period_to=period, grain=grain,
        tree=tree, actor="test", **{"now": NOW, "scope": Scope.everything(), **more},
    )  # fmt: skip


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, contracts: dict[str, Contract], catalogue: Catalogue) -> Generation:
    """R over P and Q (which gather only). A below P all the time; B below P until March 2025, then below Q; C below Q ended
    with February 2025 and was merged into A. Each month A costs 10, B 5, C 3 (B and C with cents); A has 2 heads, B 3, C 4.
    """
    world = World(contracts, tmp_path_factory.mktemp("town"))
    world.unit("R", **NONE)
    world.unit("P", "R", name="甲局", **NONE)
    world.unit("Q", "R", name="乙局", **NONE)
    world.unit("A", "P", name="甲一")
    world.unit("B", "P", valid=("2020-01", "2025-04"), name="乙一")
    world.unit("B", "Q", valid=("2025-04",), name="乙一")
    world.unit("C", "Q", valid=("2020-01", "2025-03"), name="乙二")
    world.add("org_succession", 1, unit="C", successor="A", happened_on="2025-03-01", change="merge")
    world.defaults()
    world.batch(1, "2025-08-20")
    for at in ("2025-01", "2025-02", "2025-03", "2025-04", "2025-05"):
        for unit, cost, heads in (("A", "10", 2), ("B", "5.07", 3), ("C", "3.01", 4)):
            if unit == "C" and at > "2025-02":
                continue
            world.add("energy_use", 1, unit=unit, month=at, carrier="water", quantity=cost, cost=cost)
            world.add(
                "staff", 1, unit=unit, month=at, authorised_staff=heads, actual_staff=heads, energy_headcount=heads
            )
    return world.open(catalogue)


def one(town: Generation, catalogue: Catalogue, asked: Query) -> TreeBridge:
    (found,) = tree_bridge(town, catalogue, asked)
    return found


def test_a_sum_is_bridged_by_the_units_that_came_in_and_left(town: Generation, catalogue: Catalogue) -> None:
    """P, January to May 2025: as it was 5 × 10 + 3 × 5.07 = 65.21; B's three months leave, C's two come in with A."""
    found = one(town, catalogue, query("energy_cost", "P", "2025-05", "ytd"))
    assert (found.as_was.numerator, found.as_of.numerator) == (Decimal("65.21"), Decimal("56.02"))
    assert [
        (k.move, k.unit, k.unit_name, k.months, k.under, k.tree_under, k.belonged, k.numerator, k.denominator, k.value)
        for k in found.units
    ] == [
        ("in", "C", "乙二", "2025-01..2025-02", "乙局", "甲一", "", Decimal("6.02"), None, Decimal("0.000602")),
        (
            "out",
            "B",
            "乙一",
            "2025-01..2025-03",
            "甲局",
            "乙局",
            "2020-01..2025-03",
            Decimal("-15.21"),
            None,
            Decimal("-0.001521"),
        ),
    ]
    assert found.adds_up is True
    assert found.as_was.value + sum(k.value for k in found.units) == found.as_of.value == Decimal("0.005602")


def test_what_one_node_loses_another_one_gains_and_the_top_has_nothing_to_bridge(
    town: Generation, catalogue: Catalogue
) -> None:
    other = one(town, catalogue, query("energy_cost", "Q", "2025-05", "ytd"))
    assert [(k.move, k.unit, k.numerator) for k in other.units] == [
        ("in", "B", Decimal("15.21")), ("out", "C", Decimal("-6.02")),
    ]  # fmt: skip
    top = one(town, catalogue, query("energy_cost", "R", "2025-05", "ytd"))
    assert top.units == ()
    assert top.adds_up is True
    assert top.as_was.value == top.as_of.value


def test_a_ratio_is_bridged_above_and_below_the_line(town: Generation, catalogue: Catalogue) -> None:
    """P in February: 15.07 over 5 heads as it was; by the tree of June 13.01 over 6: B (5.07, 3) left, C (3.01, 4) came."""
    found = one(town, catalogue, query("water_per_head", "P", "2025-02"))
    assert (found.as_was.numerator, found.as_was.denominator) == (Decimal("15.07"), 5)
    assert [(k.move, k.unit, k.numerator, k.denominator, k.value) for k in found.units] == [
        ("in", "C", Decimal("3.01"), Decimal(4), None), ("out", "B", Decimal("-5.07"), Decimal(-3), None),
    ]  # fmt: skip
    assert (found.as_of.numerator, found.as_of.denominator, found.adds_up) == (Decimal("13.01"), 6, True)


def test_a_mean_is_bridged_by_each_units_part_of_it(town: Generation, catalogue: Catalogue) -> None:
    """Heads of P, January to May: as it was (5+5+5+2+2)/5 = 3.8; by June's tree (6+6+2+2+2)/5 = 3.6."""
    found = one(town, catalogue, query("water_per_head", "P", "2025-05", "ytd"))
    assert (found.as_was.denominator, found.as_of.denominator) == (3.8, 3.6)
    assert [(k.unit, k.denominator) for k in found.units] == [("C", 1.6), ("B", -1.8)]
    assert found.adds_up is True


def test_an_earlier_days_tree_takes_back_what_was_moved_later(town: Generation, catalogue: Catalogue) -> None:
    found = one(town, catalogue, query("energy_cost", "P", "2025-05", tree="2025-01-31"))
    assert [(k.move, k.unit, k.months, k.under, k.tree_under, k.numerator) for k in found.units] == [
        ("in", "B", "2025-05", "乙局", "甲局", Decimal("5.07"))
    ]
    assert found.units[0].belonged == "2020-01..2025-03"


def test_a_change_bridges_the_months_of_both_sides(town: Generation, catalogue: Catalogue) -> None:
    """Nothing is known of 2024: B leaves the figure of now and never was in a base."""
    found = one(town, catalogue, query("energy_cost_yoy", "P", "2025-02"))
    assert [(k.unit, k.months) for k in found.units] == [("C", "2024-02, 2025-02"), ("B", "2024-02, 2025-02")]
    assert [(k.unit, k.denominator) for k in found.units] == [("C", None), ("B", None)]


def test_a_filter_holds_on_both_sides(town: Generation, catalogue: Catalogue) -> None:
    found = one(town, catalogue, query("energy_cost", "P", "2025-02", where="carrier = 'water'"))
    assert [(k.unit, k.numerator) for k in found.units] == [("C", Decimal("3.01")), ("B", Decimal("-5.07"))]
    nothing = one(town, catalogue, query("energy_cost", "P", "2025-02", where="carrier = 'coal'"))
    assert all(not k.numerator for k in nothing.units)
    assert nothing.adds_up is not False


def test_units_outside_the_scope_are_not_named(town: Generation, catalogue: Catalogue) -> None:
    found = one(town, catalogue, query("energy_cost", "P", "2025-02", scope=Scope(frozenset({"P"}), None)))
    assert [(k.move, k.unit, k.unit_name, k.under, k.tree_under) for k in found.units] == [
        ("in", "", "—", "", ""), ("out", "B", "乙一", "甲局", "—"),
    ]  # fmt: skip
    assert found.adds_up is True
    hidden = one(town, catalogue, query("energy_cost", "Q", "2025-02", scope=Scope(frozenset({"P"}), None)))
    assert (hidden.as_of.status, hidden.units, hidden.adds_up) == ("forbidden", (), None)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (query("energy_cost", "P", "2025-02", tree="as-was"), "tree of a day"),
        (query("energy_cost", "P", "2025-02", by="children"), "one figure"),
        (query("energy_cost_rank", "A", "2025-02"), "comparison of units"),
        (query("energy_cost_same", "P", "2025-02"), "comparison of units"),
    ],
)
def test_what_has_no_bridge_says_so(town: Generation, catalogue: Catalogue, asked: Query, said: str) -> None:
    with pytest.raises(QueryError, match=said):
        tree_bridge(town, catalogue, asked)


def test_months_are_written_as_spans() -> None:
    assert spans(month(m) for m in ("2025-03", "2024-12", "2025-01", "2025-05")) == "2024-12..2025-01, 2025-03, 2025-05"


@pytest.mark.parametrize("seed", range(2))
def test_every_bridge_over_a_random_history_adds_up(
    contracts: dict[str, Contract], catalogue: Catalogue, tmp_path: Path, seed: int
) -> None:
    """The two ends are answers of their own; what stands between them comes from the units alone."""
    world, dice = World(contracts, tmp_path), random.Random(seed)
    history(world, dice)
    g = world.open(catalogue)
    layout = knowledge(g).layout
    asked = " ".join(dice.sample([i.id for i in catalogue.written if is_laid(i, layout)], 25))
    moved = 0
    for grain, period, tree in (("month", "2024-02", "2024-01-31"), ("ytd", "2024-03", "2024-12-31")):
        for found in tree_bridge(g, catalogue, query(asked, "root a", period, grain, tree=tree)):
            assert found.adds_up is not False, found
            moved += bool(found.units) and found.adds_up is True
    assert moved > 3
