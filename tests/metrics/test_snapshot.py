"""The published snapshot answers what the cubes answer, to the last bit, and only what it holds.

The oracle is the same world read without a snapshot, where every window is summed from its months.
"""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics.evaluate import evaluate
from metrics.model import Query
from metrics.snapshot import build_snapshots
from metrics.sql_text import sql_text
from tests.metrics.test_history import BATCHES, CALM, GRAINS, INDICATORS, MONTHS, history
from warehouse.base.periods import FISCAL_START
from warehouse.base.scope import Scope

LATER = ("2024-04", "2024-05", "2024-12")
NODES = ("root", "a", "b", "c")
STANDING = ("op_cost_total_rank", "veh_cost_per_veh_pct")


def opened(world, catalogue):
    """The world with its cubes alone, and once more with the snapshot beside them."""
    plain, published = world.open(catalogue), world.open(catalogue)
    build_snapshots(published.con, catalogue)
    return plain, published


def random_query(dice: random.Random) -> Query:
    start, end = sorted(dice.choices((*MONTHS, *LATER), k=2))
    now = dice.choice((None, dt.datetime(2024, 3, 9, tzinfo=dt.UTC), dt.datetime(2024, 8, 9, tzinfo=dt.UTC)))
    return Query(
        indicators=tuple(dice.sample((*INDICATORS.split(), *STANDING), dice.randint(1, 6))),
        nodes=tuple(dice.sample(NODES, dice.randint(1, 3))), period_from=start, period_to=end,
        grain=dice.choice(GRAINS), by=dice.choice((None, "children")),
        scope=dice.choice((Scope.everything(), Scope(nodes=frozenset({"a"})))), actor="test", now=now,
    )  # fmt: skip


def agree(seed, world_at, catalogue) -> int:
    """Ask random questions of a random history both ways; return how many the snapshot answered."""
    dice = random.Random(seed)
    world = history(world_at(), dice)
    world.meta = {FISCAL_START: dice.choice(("1", "10"))}
    world.recorded = {n: dt.datetime(2025, n, 5) for n in range(1, BATCHES + 1)}
    plain, published = opened(world, catalogue)
    taken = 0
    for _ in range(12):
        query = random_query(dice)
        assert evaluate(published, catalogue, query) == evaluate(plain, catalogue, query), (seed, query)
        taken += "snap_" in sql_text(published, catalogue, query)
    return taken


def test_the_snapshot_and_the_cubes_give_the_same_answers(world_at, catalogue):
    taken = []

    @settings(max_examples=2, **CALM)
    @given(seed=st.integers(0, 10**6))
    def tried(seed):
        taken.append(agree(seed, world_at, catalogue))

    tried()
    assert sum(taken) >= 2 * len(taken)


@pytest.mark.soak
def test_many_snapshots_and_cubes_give_the_same_answers(world_at, catalogue):
    @settings(max_examples=100, **{**CALM, "derandomize": False})
    @given(seed=st.integers(0, 10**9))
    def tried(seed):
        agree(seed, world_at, catalogue)

    tried()


@pytest.fixture
def year(world, catalogue):
    """One office, 10 yuan more spent every month of two years, known since January 2026; one office that moved in May."""
    world.batch(1, "2026-01-05")
    world.unit("root", kind="region", scope_cost=False)
    world.unit("a", "root")
    world.unit("b", "root", valid=("2020-01", "2025-05"))
    world.unit("b", "a", valid=("2025-05",))
    world.defaults()
    for number in range(24):
        when = f"{2024 + number // 12}-{number % 12 + 1:02d}"
        world.add("payment", voucher=str(number), line=1, unit="a", paid_on=f"{when}-03", item_code="30201",
                  fund="general", exp_kind="basic_public", amount=f"{10 * (number + 1)}.00")  # fmt: skip
    return opened(world, catalogue)[1]


def ask(catalogue, generation, grain, period, **more):
    query = Query(indicators=("op_cost_total",), nodes=("a",), period_from=period, period_to=period, grain=grain,
                  scope=Scope.everything(), actor="test", now=dt.datetime(2026, 1, 20, tzinfo=dt.UTC), **more)  # fmt: skip
    return query, evaluate(generation, catalogue, query)


@pytest.mark.parametrize(
    ("grain", "period", "table", "yuan"),
    [
        ("quarter", "2025-Q2", "snap_quarter", 160 + 170 + 180),
        ("ytd", "2025-03", "snap_ytd", 130 + 140 + 150),
        ("year", "2024", "snap_ytd", 10 * 12 * 13 // 2),
        ("r12", "2025-02", "snap_r12", sum(10 * n for n in range(3, 15))),
    ],
)
def test_each_kind_answers_with_a_row_that_says_its_window(year, catalogue, grain, period, table, yuan):
    query, (answer,) = ask(catalogue, year, grain, period)
    assert answer.value == Decimal(yuan) / 10000
    assert f"FROM {table} o0" in sql_text(year, catalogue, query)


def test_a_month_is_looked_up_in_the_cube_of_now(year, catalogue):
    query, (answer,) = ask(catalogue, year, "month", "2025-02")
    assert answer.value == Decimal(140) / 10000
    assert "FROM node_now o0" in sql_text(year, catalogue, query)


@pytest.mark.parametrize(
    "more",
    [{"by": "level"}, {"where": "level = 'city'"}, {"tree": "2025-06-30"}, {"known_at": dt.datetime(2025, 12, 1, tzinfo=dt.UTC)}],
)  # fmt: skip
def test_what_is_no_whole_node_of_now_goes_to_the_cubes(year, catalogue, more):
    query, _ = ask(catalogue, year, "ytd", "2025-03", **more)
    assert "snap_" not in sql_text(year, catalogue, query)


def test_a_child_that_moved_is_summed_over_the_months_it_hung_there(year, catalogue):
    query, answers = ask(catalogue, year, "ytd", "2025-06", by="children")
    assert [(a.node, a.value) for a in answers][-1][0] == "b"
    assert "snap_" not in sql_text(year, catalogue, query)
    before = replace(query, nodes=("root",), period_from="2024-12", period_to="2024-12")
    assert "snap_ytd" in sql_text(year, catalogue, before)


def test_a_column_bears_the_fingerprint_of_what_it_sums(year, catalogue):
    rows = year.con.execute("SELECT column_name, atom, fingerprint FROM snap_column ORDER BY 1").fetchall()
    assert ("op_cost", "op_cost", catalogue.atoms["op_cost"].fingerprint) in rows
    assert year.con.execute("SELECT DISTINCT through_seq FROM snap_kind").fetchall() == [(1,)]
