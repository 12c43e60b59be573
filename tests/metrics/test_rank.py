"""Rank and percentile among peers, by hand and against a plain computation; nobody sees more than the own place."""

from __future__ import annotations

import random

import polars as pl
import pytest

from warehouse.base.errors import QueryError
from warehouse.base.scope import Scope

NO_THEME = dict.fromkeys(("scope_cost", "scope_vehicle", "scope_space", "scope_energy", "scope_service"), False)


def use(world, unit, month, quantity):
    world.add("energy_use", 1, unit=unit, month=month, carrier="water", quantity=str(quantity), shared=False)


def staff(world, unit, month, heads):
    world.add("staff", 1, unit=unit, month=month, authorised_staff=heads, actual_staff=heads, energy_headcount=heads)


@pytest.fixture
def town(world):
    """Six city bureaus a … f in one zone and a county bureau z; f hands nothing in."""
    world.unit("root", kind="region", **NO_THEME)
    for unit in "abcdef":
        world.unit(unit, "root", climate="cold")
    world.unit("z", "root", climate="cold", level="county")
    world.defaults()
    for unit, quantity in zip("abcdez", (30, 10, 20, 10, 50, 1), strict=True):
        use(world, unit, "2024-01", quantity)
    return world


def test_the_best_is_first_equal_figures_share_a_place_and_who_is_missing_has_none(town, ask):
    asker = ask(town)
    found = asker.all("water_m3_rank", "a b c d e f", "2024-01")
    assert [(x.value, x.denominator) for x in found] == [(4, 5), (1, 5), (3, 5), (1, 5), (5, 5), (None, None)]
    assert [x.status for x in found] == ["incomplete"] * 5 + ["not_reported"]
    assert {(x.due, x.got) for x in found[:5]} == {(6, 5)}
    places = asker.all("water_m3_pct", "a b c d e", "2024-01")
    assert [x.value for x in places] == [75.0, 0.0, 50.0, 0.0, 100.0]
    alone = asker.one("water_m3_rank", "z", "2024-01")
    assert (alone.value, alone.denominator, alone.status) == (1, 1, "ok")
    few = asker.one("water_m3_pct", "z", "2024-01")
    assert (few.value, few.numerator, few.denominator, few.status) == (None, 1, 1, "no_denominator")


def test_without_a_good_direction_the_greatest_is_first_and_with_higher_as_well(town, ask):
    for unit, amount in zip("abc", (5, 9, 7), strict=True):
        town.add("energy_use", 1, unit=unit, month="2024-01", carrier="natural_gas", quantity=str(amount), shared=False)
    asker = ask(town)
    assert asker.catalogue.indicators["gas_m3"].better != "lower"
    assert [x.value for x in asker.all("gas_m3_rank", "a b c", "2024-01")] == [3, 1, 2]


def test_peers_are_those_of_the_last_month_of_each_window(town, ask):
    town.rows["org_unit"] = [row for row in town.rows["org_unit"] if row["code"] != "z"]
    town.unit("z", "root", climate="cold", level="county", valid=("2020-01", "2024-02"))
    town.unit("z", "root", climate="cold", valid=("2024-02",))
    for unit in "abcdez":
        use(town, unit, "2024-02", 5 if unit == "z" else 7)
    asker = ask(town)
    found = asker.all("water_m3_rank", "z a", "2024-01..2024-02")
    assert [(x.value, x.denominator) for x in found] == [(1, 1), (1, 6), (4, 5), (2, 6)]
    assert [x.value for x in asker.all("water_m3_rank", "z a", "2024-02", "ytd")] == [1, 5]


def test_children_are_ranked_among_all_their_peers_and_a_rank_has_no_parts(town, ask):
    asker = ask(town)
    parts = asker.all("water_m3_rank", "root", "2024-01", by="children")
    assert {x.node: x.value for x in parts} == {"a": 4, "b": 1, "c": 3, "d": 1, "e": 5, "f": None, "z": 1}
    with pytest.raises(QueryError, match="cannot be split by 'level'"):
        asker.all("water_m3_rank", "root", "2024-01", by="level")


def test_a_viewer_learns_the_own_place_and_no_other_name(town, ask):
    asker = ask(town)
    scope = Scope(nodes=frozenset({"a"}))
    own, other = asker.all("water_m3_rank", "a b", "2024-01", scope=scope)
    assert (own.value, own.denominator) == (4, 5)
    assert (other.status, other.value, other.denominator) == ("forbidden", None, None)


@pytest.mark.parametrize("grain", ["month", "ytd"])
def test_ranks_are_those_of_a_plain_computation(world_at, ask, grain):
    chance = random.Random(5)
    world = world_at()
    world.unit("root", kind="region", **NO_THEME)
    world.defaults()
    rows = []
    for number in range(40):
        unit, level, climate = f"u{number:02}", chance.choice(["city", "county"]), chance.choice(["cold", "warm"])
        world.unit(unit, "root", level=level, climate=climate, kind=chance.choice(["government", "institution"]))
        kind = world.rows["org_unit"][-1]["kind"]
        water, heads = {}, {}
        for month in (1, 2):
            if chance.random() < 0.85:
                use(world, unit, f"2024-{month:02}", water.setdefault(month, chance.randrange(0, 20)))
            if chance.random() < 0.9:
                staff(world, unit, f"2024-{month:02}", heads.setdefault(month, chance.randrange(1, 4)))
        months = [2] if grain == "month" else [1, 2]
        value = None
        if any(m in water for m in months) and all(m in heads for m in months):
            value = sum(water.get(m, 0) for m in months) * len(months) / sum(heads[m] for m in months)
        rows.append((unit, level, kind, climate, value))
    frame = pl.DataFrame(rows, schema=["unit", "level", "kind", "climate", "value"], orient="row")
    group = ["level", "kind", "climate"]
    frame = frame.with_columns(
        rank=pl.col("value").rank("min").over(group), n=pl.col("value").count().over(group)
    ).with_columns(pct=pl.when(pl.col("n") >= 5).then((pl.col("rank") - 1) / (pl.col("n") - 1) * 100))
    asker = ask(world)
    units = " ".join(frame["unit"])
    for column, name in (("rank", "water_per_head_rank"), ("pct", "water_per_head_pct")):
        found = {x.node: x.value for x in asker.all(name, units, "2024-02", grain)}
        for unit, want in zip(frame["unit"], frame[column], strict=True):
            assert found[unit] == (None if want is None else pytest.approx(want, rel=1e-12)), (name, unit)
