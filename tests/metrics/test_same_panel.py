"""The same units on both sides (同口径): by hand, and against a plain computation on frames for any pattern of reports."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

NO_THEME = dict.fromkeys(("scope_cost", "scope_vehicle", "scope_space", "scope_energy", "scope_service"), False)


def use(world, unit, month, quantity, known=1):
    world.add("energy_use", known, unit=unit, month=month, carrier="water", quantity=str(quantity), shared=False)


def staff(world, unit, month, heads):
    world.add("staff", 1, unit=unit, month=month, authorised_staff=heads, actual_staff=heads, energy_headcount=heads)


@pytest.fixture
def town(world):
    """root ─ left ─ a, b and root ─ right ─ c; b hung under right until 2023 ended."""
    world.unit("root", kind="region", **NO_THEME)
    world.unit("left", "root", **NO_THEME)
    world.unit("right", "root", **NO_THEME)
    world.unit("a", "left")
    world.unit("b", "right", valid=("2020-01", "2024-01"))
    world.unit("b", "left", valid=("2024-01",))
    world.unit("c", "right")
    world.defaults()
    return world


def test_who_did_not_report_on_both_sides_is_left_out_of_both(town, ask):
    for unit, before, now in (("a", 100, 110), ("b", None, 900), ("c", 50, 40)):
        if before is not None:
            use(town, unit, "2023-01", before)
        use(town, unit, "2024-01", now)
    asker = ask(town)
    everyone, same = asker.all("water_m3_yoy water_m3_same", "root", "2024-01")
    assert everyone.value == 600.0
    assert (same.value, same.numerator, same.denominator) == (0.0, 0, 150)
    assert (same.status, same.due, same.got) == ("incomplete", 3, 2)  # b owed both and handed in one
    assert asker.one("water_m3_same", "a", "2024-01").value == 10.0
    assert asker.one("water_m3_same", "a", "2024-01").status == "ok"
    b = asker.one("water_m3_same", "b", "2024-01")
    assert (b.value, b.status, b.due, b.got) == (None, "not_reported", 1, 0)


def test_a_unit_that_moved_between_two_nodes_is_comparable_only_above_both(town, ask):
    for unit, before, now in (("a", 100, 120), ("b", 100, 200), ("c", 100, 100)):
        use(town, unit, "2023-01", before)
        use(town, unit, "2024-01", now)
    asker = ask(town)
    assert [x.value for x in asker.all("water_m3_same", "left right root", "2024-01")] == [20.0, 0.0, 40.0]
    assert [x.status for x in asker.all("water_m3_same", "left right root", "2024-01")] == ["ok"] * 3
    assert asker.one("water_m3_same", "left", "2024-01", tree="2024-06-01").value == 60.0
    parts = asker.all("water_m3_same", "root", "2024-01", by="children")
    assert [(x.node, x.value) for x in parts] == [("left", 20.0), ("right", 0.0)]


def test_a_new_unit_has_no_base_and_its_parent_loses_nothing(town, ask):
    town.unit("n", "left", valid=("2023-06",))
    for unit in "abc":
        use(town, unit, "2023-01", 100)
        use(town, unit, "2024-01", 100)
    use(town, "n", "2024-01", 70)
    asker = ask(town)
    assert asker.one("water_m3_same", "n", "2024-01").status == "no_base"
    root = asker.one("water_m3_same", "root", "2024-01")
    assert (root.value, root.status, root.due, root.got) == (0.0, "ok", 3, 3)
    assert asker.one("water_m3_yoy", "root", "2024-01").value == 70 / 300 * 100


def test_a_missing_month_to_date_leaves_the_unit_out_and_a_withdrawn_report_as_well(town, ask):
    for unit in "ac":
        for year, quantity in ((2023, 10), (2024, 20)):
            for month in (1, 2, 3):
                if (unit, year, month) != ("c", 2024, 2):
                    use(town, unit, f"{year}-{month:02}", quantity, known=(1, 3) if (unit, year) == ("a", 2023) else 1)
    town.add("energy_use", 2, unit="c", month="2024-02", carrier="water", quantity="50", shared=False)
    asker = ask(town)
    known = {seq: dt.datetime(2025, 1, 1 + seq, 1, tzinfo=dt.UTC) for seq in (1, 2, 3)}
    found = [asker.one("water_m3_same", "root", "2024-03", "ytd", known_at=known[seq]) for seq in (1, 2, 3)]
    assert [(x.numerator, x.denominator, x.got) for x in found] == [(30, 30, 1), (90, 60, 2), (60, 30, 1)]


def test_a_ratio_takes_both_its_sides_from_the_same_units(town, ask):
    """b has no staff before, so neither its water nor its heads count: (60 ÷ 3) against (30 ÷ 2)."""
    for unit, before, now in (("a", (30, 2), (60, 3)), ("b", (500, None), (900, 1))):
        for year, (quantity, heads) in ((2023, before), (2024, now)):
            use(town, unit, f"{year}-01", quantity)
            if heads is not None:
                staff(town, unit, f"{year}-01", heads)
    assert ask(town).one("water_per_head_same", "root", "2024-01").value == (20.0 - 15.0) / 15.0 * 100


@given(st.data())
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_pattern_of_reports_gives_what_plain_frames_give(world_at, ask, data):
    world = world_at()
    world.unit("root", kind="region", **NO_THEME)
    for mid in ("x", "y"):
        world.unit(mid, "root", **NO_THEME)
    world.defaults()
    places, reports = [], []
    for number in range(5):
        unit, first = f"u{number}", data.draw(st.sampled_from("xy"))
        moves = data.draw(st.sampled_from([None, "2023-02", "2024-02"]))
        second = data.draw(st.sampled_from("xy"))
        spans = [(first, 24240, 24999)] if moves is None else [(first, 24240, _m(moves)), (second, _m(moves), 24999)]
        for place, from_m, to_m in spans:
            until = (f"{to_m // 12}-{to_m % 12 + 1:02}",) if to_m < 24999 else ()
            world.unit(unit, place, valid=(f"{from_m // 12}-{from_m % 12 + 1:02}", *until))
            places += [{"unit": unit, "node": node, "from_m": from_m, "to_m": to_m} for node in (place, "root", unit)]
        for year in (2023, 2024):
            for month in (1, 2, 3):
                if data.draw(st.integers(0, 7)):
                    quantity = data.draw(st.integers(0, 90))
                    use(world, unit, f"{year}-{month:02}", quantity)
                    reports.append({"unit": unit, "m": _m(f"{year}-{month:02}"), "q": quantity})
    if not reports:
        return
    asker = ask(world)
    nodes = ["root", "x", "y", *(f"u{n}" for n in range(5))]
    found = asker.all("water_m3_same", " ".join(nodes), "2024-01..2024-03", "ytd")
    for answer in found:
        last = _m(answer.period)
        want = _plain(places, reports, answer.node, last)
        assert (answer.numerator, answer.denominator) == want if want else answer.numerator is None, answer


def _m(text):
    return int(text[:4]) * 12 + int(text[5:7]) - 1


def _plain(places, reports, node, last):
    """Return (now − before, before) over the units below a node that reported each month of both years to date."""
    months = [m for start in (last - last % 12, last - last % 12 - 12) for m in range(start, start + last % 12 + 1)]
    rows = pl.DataFrame(reports).join(pl.DataFrame(places).filter(pl.col("node") == node), on="unit")
    rows = rows.filter(pl.col("m").is_between(pl.col("from_m"), pl.col("to_m") - 1), pl.col("m").is_in(months)).unique(["unit", "m"])  # fmt: skip
    whole = rows.group_by("unit").len().filter(pl.col("len") == len(months))
    rows = rows.join(whole, on="unit", how="semi")
    if rows.is_empty():
        return None
    now = rows.filter(pl.col("m") >= last - last % 12)["q"].sum()
    before = rows.filter(pl.col("m") < last - last % 12)["q"].sum()
    return now - before, before
