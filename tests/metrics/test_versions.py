"""Definitions that changed on a date: exactly the old figures before, the new ones after, comparisons by the newer rule."""

from __future__ import annotations

from decimal import Decimal

import pytest

from metrics.catalogue import build_catalogue
from metrics.model import seams
from warehouse.base.errors import DefinitionError

# energy of one unit, kWh and m3 of gas:   2023-12  2024-11  2024-12  2025-01  2025-02
ELECTRICITY = {"2023-12": 90, "2024-01": 50, "2024-11": 100, "2024-12": 200, "2025-01": 400, "2025-02": 800}
GAS = {"2023-12": 3, "2024-01": 2, "2024-11": 1, "2024-12": 2, "2025-01": 4, "2025-02": 8}

HEAD = """
[source.energy_use]
of = "energy_use"
dims = ["carrier", "shared"]

[source.staff_energy]
of = "staff"
theme = "energy"

[atom.heads]
of = "staff_energy"
kind = "stock"
value = "sum(energy_headcount)"
unit = "person"
"""
USED = """
[atom.used]
of = "energy_use"
kind = "flow"
value = "sum(quantity)"
where = "{where}"
unit = "kWh"
"""
USED_EARLIER = """
[[atom.used.earlier]]
where = "carrier = 'electricity'"
from = 2023-01-01
to = {to}
basis = {{ zh = "旧口径", en = "rule of 2023" }}
"""
TEXTS = """
title = {{ zh = "{id}", en = "{id}" }}
unit = "{unit}"
theme = "energy"
better = "lower"
digits = 1
dims = {dims}
basis = {{ zh = "新口径", en = "rule of 2025" }}
evidence = "C"
text = {{ zh = "用量", en = "use" }}
"""


def indicator(name: str, value: str, unit: str, atoms: str, expect: str, dims: str = "[]", earlier: str = "") -> str:
    return (
        f'[indicator.{name}]\nvalue = "{value}"' + TEXTS.format(id=name, unit=unit, dims=dims)
        + f'[indicator.{name}.example]\nperiod = "2025-01"\ngrain = "month"\n{atoms}\nexpect = "{expect}"\n' + earlier
    )  # fmt: skip


ONE = 'atoms.used = { "2025-01" = "1" }'
TOTAL = indicator("total", "used", "kWh", ONE, "1", '["carrier"]')
BOTH = "carrier in ('electricity', 'natural_gas')"


def texts(*blocks: str) -> dict[str, str]:
    return {"energy.toml": HEAD + "".join(blocks)}


@pytest.fixture(scope="module")
def contracts():
    from warehouse.contracts import load_contracts

    return load_contracts()


@pytest.fixture
def filled(world):
    world.unit("root", kind="region")
    world.unit("a", "root")
    for carrier, months in (("electricity", ELECTRICITY), ("natural_gas", GAS)):
        for month, quantity in months.items():
            world.add("energy_use", unit="a", month=month, carrier=carrier, quantity=str(quantity))
    for month in ("2024-11", "2024-12", "2025-01", "2025-02"):
        world.add("staff", unit="a", month=month, energy_headcount=10)
    return world


def values(asker, indicator: str, period: str, grain: str = "month", node: str = "root", **more):
    return {a.period: a.value for a in asker.all(indicator, node, period, grain, **more)}


def asker(world, catalogue):
    from tests.metrics.conftest import Asker

    return Asker(world.open(catalogue), catalogue)


def test_each_month_is_read_by_the_version_in_force_and_equals_the_catalogue_of_its_time(filled, contracts):
    old = build_catalogue(texts(USED.format(where="carrier = 'electricity'"), TOTAL), contracts)
    new = build_catalogue(texts(USED.format(where=BOTH), TOTAL), contracts)
    both = build_catalogue(texts(USED.format(where=BOTH) + USED_EARLIER.format(to="2025-01-01"), TOTAL), contracts)
    found = values(asker(filled, both), "total", "2024-11..2025-02")
    assert found == {"2024-11": 100, "2024-12": 200, "2025-01": 404, "2025-02": 808}
    before, after = old.indicators["total"], new.indicators["total"]
    assert [a.fingerprint for a in asker(filled, both).all("total", "root", "2024-12..2025-01")] == [
        before.fingerprint, after.fingerprint]  # fmt: skip
    assert before.fingerprint != after.fingerprint


def test_a_longer_window_is_read_by_the_version_in_force_at_its_end(filled, contracts):
    both = build_catalogue(texts(USED.format(where=BOTH) + USED_EARLIER.format(to="2025-01-01"), TOTAL), contracts)
    ask = asker(filled, both)
    # twelve months to 2024-12 by the old rule: 50 + 100 + 200; to 2025-01 by the new one for every month
    assert values(ask, "total", "2024-12..2025-01", "r12") == {"2024-12": 350, "2025-01": 101 + 202 + 404}
    assert values(ask, "total", "2024..2025", "year") == {"2024": 350, "2025": 404 + 808}
    assert values(ask, "total", "2024-Q4..2025-Q1", "quarter") == {"2024-Q4": 300, "2025-Q1": 1212}


def test_a_comparison_across_the_seam_is_restated_by_the_newer_rule_on_both_sides(filled, contracts):
    both = build_catalogue(texts(USED.format(where=BOTH) + USED_EARLIER.format(to="2025-01-01"), TOTAL), contracts)
    ask = asker(filled, both)
    (before,) = ask.all("total_yoy", "root", "2024-12")
    assert before.value == pytest.approx((200 - 90) / 90 * 100)
    (after,) = ask.all("total_yoy", "root", "2025-01")
    assert after.value == pytest.approx((404 - 52) / 52 * 100), "January 2024 by the rule of 2025: 50 + 2"
    assert before.fingerprint != after.fingerprint


def test_parts_and_filters_read_the_version_of_their_month(filled, contracts):
    both = build_catalogue(texts(USED.format(where=BOTH) + USED_EARLIER.format(to="2025-01-01"), TOTAL), contracts)
    ask = asker(filled, both)
    parts = {(a.period, a.dim_value): a.value for a in ask.all("total", "root", "2024-12..2025-01", by="carrier")}
    assert parts[("2024-12", "electricity")] == 200 and parts[("2025-01", "natural_gas")] == 4
    assert not parts[("2024-12", "natural_gas")]
    (child,) = [a for a in ask.all("total", "root", "2024-12", by="children") if a.node == "a"]
    assert child.value == 200


def test_a_new_formula_and_unit_of_an_indicator_alone(filled, contracts):
    heads = 'atoms.used = { "2025-01" = "1000" }\natoms.heads = { "2025-01" = "10" }'
    earlier = """
[[indicator.rate.earlier]]
value = "used"
unit = "MWh"
scale = -3
from = 2023-01-01
to = 2024-12-31
basis = { zh = "旧办法", en = "the measure of 2023" }
"""
    rate = indicator("rate", "used / avg(heads)", "kWh/person", heads, "100", earlier=earlier)
    catalogue = build_catalogue(texts(USED.format(where="carrier = 'electricity'"), rate), contracts)
    old, new = asker(filled, catalogue).all("rate", "root", "2024-12..2025-01")
    assert (old.value, old.unit) == (Decimal("0.200"), "MWh")
    assert (new.value, new.unit) == (40.0, "kWh/person")
    item = catalogue.indicators["rate"]
    assert seams(item, 2024 * 12, 2026 * 12) == (2025 * 12,)
    assert seams(item, 2025 * 12 + 1, 2026 * 12) == ()
    (version,) = item.earlier
    assert version.written == "used" and version.indicator.basis.en == "the measure of 2023"
    assert catalogue.indicators["rate_yoy"].earlier[0].indicator.value == "((used) - prior(used, 12)) / prior(used, 12)"


def test_a_leaf_formula_follows_the_versions_of_what_it_reads(filled, contracts):
    leaf = """
[atom.used_staffed]
kind = "leaf"
leaf = "case when heads > 0 then used else 0 end"
adds = "flow"
missing = { heads = "0" }
unit = "kWh"
"""
    staffed = indicator("staffed", "used_staffed", "kWh", 'atoms.used_staffed = { "2025-01" = "1" }', "1")
    both = USED.format(where=BOTH) + USED_EARLIER.format(to="2025-01-01")
    now = build_catalogue(texts(both, leaf, staffed), contracts)
    found = values(asker(filled, now), "staffed", "2024-11..2025-01")
    assert found == {"2024-11": 100, "2024-12": 200, "2025-01": 404}
    then = build_catalogue(texts(USED.format(where="carrier = 'electricity'"), leaf, staffed), contracts)
    assert now.indicators["staffed"].at(2024 * 12).fingerprint == then.indicators["staffed"].fingerprint


def test_what_lies_below_changed_twice_joins_without_a_gap(filled, contracts):
    twice = USED.format(where=BOTH) + USED_EARLIER.format(to="2024-12-01") + """
[[atom.used.earlier]]
where = "carrier = 'natural_gas'"
from = 2024-12-01
to = 2025-01-31
basis = { zh = "过渡", en = "in between" }
"""  # fmt: skip
    catalogue = build_catalogue(texts(twice, TOTAL), contracts)
    assert values(asker(filled, catalogue), "total", "2024-11..2025-02") == {
        "2024-11": 100, "2024-12": 2, "2025-01": 4, "2025-02": 808}  # fmt: skip
    assert seams(catalogue.indicators["total"], 0, 3000 * 12) == (2024 * 12 + 11, 2025 * 12 + 1)


@pytest.mark.parametrize(
    ("to", "also", "fault"),
    [
        ("2024-12-15", "", "lies inside a month"),
        ("2022-06-01", "", "is not after"),
        ("2025-01-01", "from = 2025-03-01", "no version is in force from 2025-01 to before 2025-03"),
        ("2025-01-01", "from = 2024-11-01", "two versions are in force from 2024-11 to before 2025-01"),
    ],
)
def test_versions_that_overlap_or_leave_a_gap_are_faults(contracts, to, also, fault):
    earlier = f"""
[[indicator.total.earlier]]
value = "used"
{{from_}}
to = {to}
basis = {{{{ zh = "旧", en = "old" }}}}
"""
    block = TOTAL.replace('value = "used"', f'value = "used"\n{also}') + earlier.format(from_="from = 2023-01-01")
    with pytest.raises(DefinitionError) as caught:
        build_catalogue(texts(USED.format(where=BOTH), block), contracts)
    assert len(caught.value.faults) == 1
    assert fault in caught.value.faults[0] and "energy.toml [indicator.total.earlier]" in caught.value.faults[0]


def test_every_fault_of_an_earlier_block_is_told_at_once(contracts):
    earlier = """
[[indicator.total.earlier]]
value = "usd"
form = 2023-01-01
to = "yesterday"
[[atom.used.earlier]]
where = "carier = 'electricity'"
from = 2023-01-01
to = 2025-01-01
"""
    with pytest.raises(DefinitionError) as caught:
        build_catalogue(texts(USED.format(where=BOTH), TOTAL, earlier), contracts)
    told = "\n".join(caught.value.faults)
    assert "unknown key 'form'; did you mean 'from'?" in told
    assert "needs a month or a day such as 2025-01-01, not 'yesterday'" in told
    assert "unknown column 'carier'; did you mean 'carrier'?" in told
    assert "[atom.used.earlier] basis: needs one text in zh and one in en" in told
