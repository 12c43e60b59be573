"""Counts that no sum of changes can give: distinct things, kept exact by the history of each cell."""

from __future__ import annotations

import datetime as dt

from metrics import drill
from metrics.catalogue import build_catalogue
from metrics.evaluate import evaluate
from metrics.model import Query
from metrics.overlaps import overlaps
from warehouse.base.scope import Scope

DEFINITION = """
[source.trip]
of = "trip"
[atom.used]
of = "trip"
kind = "flow"
value = "count(distinct plate)"
disjoint = ["unit", "month"]
unit = "vehicle"
[indicator.used_vehicles]
title = { zh = "出车车辆", en = "Vehicles used" }
value = "used"
unit = "辆"
theme = "vehicle"
better = "neutral"
digits = 0
basis = { zh = "示例", en = "example" }
evidence = "D"
text = { zh = "有行程的车辆数", en = "Vehicles with a trip" }
[indicator.used_vehicles.example]
grain = "month"
period = "2024-01"
atoms.used = { "2024-01" = "2" }
expect = "2"
"""


def test_a_distinct_count_follows_every_correction(world, contracts):
    """a drives X twice and Y once; Y's trip is taken back by batch 3, one of X's by batch 4; batch 2 brings Z for b."""
    world.unit("root", kind="region")
    world.unit("a", "root")
    world.unit("b", "root")
    for known, plate, day, unit in (
        ((1, 4), "X", 1, "a"),
        (1, "X", 2, "a"),
        ((1, 3), "Y", 3, "a"),
        (2, "Z", 4, "b"),
        (4, "X", 5, "b"),
    ):
        world.add("trip", known, plate=plate, started_at=f"2024-01-0{day} 08:00:00", unit=unit, order_no="1")
    catalogue = build_catalogue({"trips.toml": DEFINITION}, contracts)
    generation = world.open(catalogue)
    seen = []
    for seq in (1, 2, 3, 4):
        moment = dt.datetime(2025, 1, 1, 1, tzinfo=dt.UTC) + dt.timedelta(days=seq)
        query = Query(indicators=("used_vehicles",), nodes=("root",), period_from="2024-01", period_to="2024-01", grain="month",
                      known_at=moment, scope=Scope.everything(), actor="test")  # fmt: skip
        seen.append(evaluate(generation, catalogue, query)[0].value)
        assert drill.rows(generation, catalogue, query, limit=None).numerator == seen[-1]
    assert seen == [2, 3, 2, 3]


def test_things_counted_twice_are_told_by_the_data(world, contracts):
    """X is driven by a in both months and by b in February; what is taken back counts no more."""
    world.unit("a")
    world.unit("b")
    for unit, plate, day, known in (
        ("a", "X", "01-02", 1),
        ("a", "X", "02-02", 1),
        ("b", "X", "02-03", 1),
        ("b", "Y", "02-03", 1),
        ("a", "Y", "02-03", (1, 2)),
    ):
        world.add("trip", known, plate=plate, started_at=f"2024-{day} 08:00:00", unit=unit, order_no="1")
    catalogue = build_catalogue({"trips.toml": DEFINITION}, contracts)
    found = overlaps(world.open(catalogue), catalogue)
    assert [(one.over, one.things, one.extra) for one in found] == [("unit", 1, 1), ("month", 1, 1)]
    assert "1 thing(s) are counted in several of 'unit', so that sums are 1 too great" in found[0].text
