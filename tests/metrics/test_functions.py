"""Every function of a formula, on figures small enough to add up by head: at a leaf, at its parent and at the root."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from metrics.catalogue import build_catalogue
from metrics.examples import example_faults, mutations
from warehouse.base.errors import DefinitionError
from warehouse.base.scope import Scope

FORMULAS = {
    "spent": "paid",
    "to_date": "ytd(paid)",
    "to_date_rate": "ytd(paid) / annual(heads)",
    "rolling": "r12(paid)",
    "rolling_head": "r12(paid / avg(heads))",
    "grown": "last(heads) - opening(heads)",
    "grown_year": "last(heads) - ytd(opening(heads))",
    "share": "paid / parent(paid)",
    "share_to_date": "ytd(paid) / ytd(parent(paid))",
    "to_date_change": "(ytd(paid) - prior(ytd(paid), 12)) / prior(ytd(paid), 12)",
    "a_month": "r12(paid) / r12(months)",
    "last_year": "prior(paid, 12)",
}
UNITS = {
    "to_date_rate": "元/人",
    "rolling_head": "元/人",
    "grown": "人",
    "grown_year": "人",
    "share": "1",
    "share_to_date": "1",
    "to_date_change": "1",
    "a_month": "元/月",
}
BLOCK = """
[indicator.{name}]
title = {{ zh = "某", en = "X" }}
value = "{value}"
unit = "{unit}"
theme = "cost"
better = "lower"
digits = 0
basis = {{ zh = "某", en = "X" }}
evidence = "D"
text = {{ zh = "某", en = "X" }}
"""
TEXT = """
[source.pay]
of = "payment"
[source.people]
of = "staff"
theme = "cost"
[atom.paid]
of = "pay"
kind = "flow"
value = "sum(amount)"
unit = "CNY"
[atom.heads]
of = "people"
kind = "stock"
value = "sum(actual_staff)"
unit = "person"
"""


def definitions(formulas, unit="CNY"):
    text = TEXT
    for name, value in formulas.items():
        text += BLOCK.format(name=name, value=value, unit=UNITS.get(name, unit))
        atoms = [atom for atom in ("paid", "heads") if atom in value]
        text += f'[indicator.{name}.example]\ngrain = "month"\nperiod = "2024-01"\nexpect = "1"\n'
        text += "".join(f'atoms.{atom} = {{ "2024-01" = "1" }}\n' for atom in atoms)
        text += 'parent.paid = { "2024-01" = "1" }\n' if "parent(" in value else ""
    return text


@pytest.fixture(scope="session")
def functions(contracts):
    return build_catalogue({"a.toml": definitions(FORMULAS)}, contracts)


@pytest.fixture
def town(world):
    """root ─ bureau ─ a, b; b hangs under the root itself until the end of 2023."""
    world.unit("root", kind="region", scope_cost=False)
    world.unit("bureau", "root", scope_cost=False)
    world.unit("a", "bureau")
    world.unit("b", "root", valid=("2020-01", "2024-01"))
    world.unit("b", "bureau", valid=("2024-01",))
    for year, factor in ((2022, 1), (2023, 10), (2024, 100)):
        for month in range(1, 13):
            pay(world, "a", f"{year}-{month:02}", factor * month)
            pay(world, "b", f"{year}-{month:02}", factor)
            staff(world, "a", f"{year}-{month:02}", 10 * (year - 2021) + month)
            staff(world, "b", f"{year}-{month:02}", 2)
    return world


def pay(world, unit, month, amount, known=1):
    world.add("payment", known, voucher=f"{unit}{month}{known}", line=1, unit=unit, paid_on=f"{month}-05", amount=str(amount),
              item_code="30201", fund="general", exp_kind="basic_public")  # fmt: skip


def staff(world, unit, month, heads, known=1):
    world.add("staff", known, unit=unit, month=month, authorised_staff=heads, actual_staff=heads, energy_headcount=heads)  # fmt: skip


@pytest.fixture
def asker(town, functions, ask_with):
    return ask_with(town, functions)


A_2023, A_2024 = 780, 7800  # 10 and 100 times 1 + … + 12


@pytest.mark.parametrize("grain", ["month", "quarter", "ytd", "r12", "year"])
def test_to_date_and_rolling_end_where_the_window_ends_whatever_it_is(asker, grain):
    period = {"quarter": "2024-Q1", "year": "2024"}.get(grain, "2024-03")
    last = 12 if grain == "year" else 3
    of_a, of_b = 100 * sum(range(1, last + 1)), 100 * last
    found = asker.all("to_date rolling", "a b", period, grain)
    before_a, before_b = 10 * sum(range(last + 1, 13)), 10 * (12 - last)
    assert [x.value for x in found] == [of_a, of_b, of_a + before_a, of_b + before_b]
    assert {x.status for x in found} == {"ok"}


@pytest.mark.parametrize("reading", [{}, {"known_at": dt.datetime(2025, 1, 2, 1, tzinfo=dt.UTC)}, {"where": "level = 'city'"}])  # fmt: skip
def test_functions_read_the_same_however_the_cells_are_read(town, functions, ask_with, reading):
    """At the bureau b counts from January 2024 on, as it was: the twelve months hold its older figures at the root only."""
    town.unit("z", "root", known=3)
    asker = ask_with(town, functions)
    figures = {
        (name, node): asker.one(name, node, "2024-03", **reading).value
        for name in ("to_date", "rolling", "grown", "grown_year")
        for node in ("a", "bureau", "root")
    }
    a_rolling, b_rolling = 600 + 10 * sum(range(4, 13)), 300 + 90
    assert figures == {
        ("to_date", "a"): 600, ("to_date", "bureau"): 900, ("to_date", "root"): 900,
        ("rolling", "a"): a_rolling, ("rolling", "bureau"): a_rolling + 300, ("rolling", "root"): a_rolling + b_rolling,
        ("grown", "a"): 1, ("grown", "bureau"): 1, ("grown", "root"): 1,
        ("grown_year", "a"): 33 - 32, ("grown_year", "bureau"): 35 - 32, ("grown_year", "root"): 35 - 34,
    }  # fmt: skip


def test_several_windows_each_read_their_own_year_and_opening(asker):
    found = asker.all("to_date grown", "a", "2023-11..2024-02")
    assert [x.value for x in found] == [660, 780, 100, 300, 1, 1, 31 + 0 - 32, 1]
    found = asker.all("grown", "a", "2023-Q4..2024-Q2", "quarter")
    assert [x.value for x in found] == [32 - 29, 33 - 32, 36 - 33]
    found = asker.all("grown to_date_rate rolling_head a_month", "a", "2023..2024", "year")
    assert [x.value for x in found[:4]] == [32 - 22, 42 - 32, 780 / 32, 7800 / 42]
    heads = [sum(10 * n + month for month in range(1, 13)) for n in (2, 3)]
    assert [x.value for x in found[4:]] == [780 * 12 / heads[0], 7800 * 12 / heads[1], 780 / 12, 7800 / 12]


def test_a_change_to_date_and_a_bare_earlier_figure(asker):
    assert asker.one("to_date_change", "b", "2024-06").value == 9.0
    assert asker.one("last_year", "a", "2024-06").value == 60


def test_a_share_is_of_the_parent_of_each_month(asker):
    assert asker.one("share", "a", "2024-02").value == 200 / 300
    assert asker.one("share", "b", "2023-12").value == 10 / 130  # under the root, which also holds a
    # over a window the parent is another one in each month
    found = asker.one("share", "b", "2024-02", "r12")
    assert (found.numerator, found.denominator) == (300, sum(10 * month + 10 for month in range(3, 13)) + 200 + 300)
    root = asker.one("share", "root", "2024-02")
    assert (root.status, root.value, root.numerator) == ("no_denominator", None, 300)
    parts = asker.all("share", "bureau", "2024-02", by="children")
    assert [(x.node, x.value) for x in parts] == [("a", 200 / 300), ("b", 100 / 300)]
    assert asker.one("share_to_date", "a", "2024-03").value == 600 / 900


@pytest.mark.parametrize("more", [{"tree": "2024-06-01"}, {"where": "level = 'city'"}, {"known_at": dt.datetime(2025, 1, 2, tzinfo=dt.UTC)}])  # fmt: skip
def test_a_share_of_the_parent_in_every_reading(town, functions, ask_with, more):
    town.unit("z", "root", known=3)
    asker = ask_with(town, functions)
    parent = 130 if more.get("tree") else 20 + 120 - 10  # of the bureau in today's tree, of the root as it was
    assert asker.one("share", "b", "2023-12", **more).value == 10 / parent
    assert asker.one("share", "b", "2024-02", **more).value == 100 / 300
    parts = asker.all("share", "bureau", "2024-02", by="children", **more)
    assert [x.value for x in parts if x.node != "bureau"] == [200 / 300, 100 / 300]


def test_a_share_of_a_parent_outside_the_scope_would_tell_its_figure(asker):
    own = Scope(nodes=frozenset({"a"}))
    assert asker.one("share", "a", "2024-02", scope=own).status == "forbidden"
    assert asker.one("share", "a", "2024-02", scope=Scope(nodes=frozenset({"bureau"}))).value == 200 / 300
    assert asker.one("spent", "a", "2024-02", scope=own).value == 200


def test_a_share_by_dimension_is_held_against_the_same_part_of_the_parent(asker):
    (part,) = asker.all("share", "a", "2024-02", by="level")
    assert (part.dim_value, part.value) == ("city", 200 / 300)


def test_a_withdrawn_batch_takes_its_months_out_of_the_year(town, functions, ask_with):
    town.rows["payment"] = [r for r in town.rows["payment"] if r["unit"] != "a" or str(r["paid_on"])[:7] != "2024-02"]
    pay(town, "a", "2024-02", 777, known=(2, 3))
    asker = ask_with(town, functions)
    known = {seq: dt.datetime(2025, 1, 1 + seq, 1, tzinfo=dt.UTC) for seq in (1, 2, 3)}
    values = [asker.one("to_date", "a", "2024-03", known_at=known[seq]).value for seq in (2, 3)]
    assert values == [Decimal(400 + 777), Decimal(400)]


@pytest.mark.parametrize(
    ("formula", "fault"),
    [
        ("ytd(r12(paid))", "stands inside ytd()"),
        ("parent(parent(paid))", "the parent of a parent is not read"),
        ("opening(paid)", "'paid' is a flow"),
        ("ytd(heads)", "'heads' is a stock"),
        ("ytd(paid, 1)", "takes 1 argument(s), not 2"),
        ("yttd(paid)", "did you mean 'ytd'?"),
    ],
)
def test_a_function_used_wrongly_says_what_is_wrong(contracts, formula, fault):
    with pytest.raises(DefinitionError) as caught:
        build_catalogue({"a.toml": definitions({"x": formula})}, contracts)
    assert fault in str(caught.value)


def test_a_worked_example_may_read_a_year_an_opening_and_a_parent(contracts):
    text = definitions({"x": "ytd(paid) / ytd(parent(paid)) + (last(heads) - opening(heads)) / last(heads)"}, "1")
    for old, new in (
        ('\natoms.paid = { "2024-01" = "1" }', '\natoms.paid = { "2023-12" = "5", "2024-01" = "1", "2024-06" = "2" }'),
        ('parent.paid = { "2024-01" = "1" }', 'parent.paid = { "2023-12" = "7", "2024-01" = "4", "2024-06" = "8" }'),
        ('atoms.heads = { "2024-01" = "1" }', 'atoms.heads = { "2024-03" = "5", "2024-06" = "8" }'),
        (
            'grain = "month"\nperiod = "2024-01"\nexpect = "1"',
            'grain = "quarter"\nperiod = "2024-Q2"\nexpect = "0.625"',
        ),
    ):
        assert old in text
        text = text.replace(old, new)
    catalogue = build_catalogue({"a.toml": text}, contracts)
    assert example_faults(catalogue.indicators["x"]) == ()
    wrong = [one.value for one in mutations(catalogue.indicators["x"]) if not example_faults(one)]
    assert wrong == []
