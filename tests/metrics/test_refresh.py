"""Cubes carried on from batch to batch are the cubes built whole, whatever came: figures, lookups, months.

The oracle is the same world opened anew, which knows nothing of what came before.
"""

from __future__ import annotations

import datetime as dt
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics.refresh import refresh
from metrics.snapshot import build_snapshots, refresh_snapshots
from tests.fakes.carried import unlike
from tests.metrics.test_history import BATCHES, CALM, history, known_then
from warehouse.base.periods import OPEN
from warehouse.incremental import Anew, Change

SETTLED = ("org_unit",)
"""What moves everything when it moves; here it stands from the first batch."""


def settled(world):
    """The world with the same offices in every batch; another month is under way with every batch."""
    for name in SETTLED:
        world.rows[name] = [{**row, "rec_from": 1, "rec_to": OPEN} for row in world.rows[name] if row["rec_from"] < 3]
    return world


def at(world, seq):
    """The world as known at a batch, recorded in a month of its own."""
    past = known_then(world, seq)
    past.recorded = {n: dt.datetime(2025, n, 5) for n in range(seq + 1) if n}
    return past


def carry(world, before, after, catalogue):
    """Open the world at one batch, bring its facts to another, carry the cubes on; return both generations' connections."""
    con, later = at(world, before).open(catalogue).con, at(world, after)
    anew = later.open(catalogue).con
    for one in (con, anew):
        build_snapshots(one, catalogue)
    moved = {}
    for name, contract in world.contracts.items():
        rows = [row for row in later.rows.get(name, ()) if row["rec_from"] > before or before < row["rec_to"] < OPEN]
        if rows:
            con.execute(f"DROP TABLE d_{name}")
            later._write(con, name, contract)
            moved[name] = True
    for table in ("batch", "meta"):
        con.execute(f"DELETE FROM {table}")
        for row in anew.execute(f"FROM {table}").fetchall():
            con.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)
    refresh(con, world.contracts, catalogue, Change(before, moved))
    refresh_snapshots(con, catalogue)
    return con, anew, moved


def agree(seed, world_at, catalogue) -> int:
    """Carry a random history on, batch by batch and over two; return how often that was possible."""
    taken = 0
    world = settled(history(world_at(), random.Random(seed)))
    for before, after in ((2, 3), (2, BATCHES)):
        try:
            con, anew, moved = carry(world, before, after, catalogue)
        except Anew as why:
            assert "first rows" in str(why)
            continue
        taken += bool(moved)
        assert not list(unlike(anew, "memory", con, "memory")), (seed, before, after)
    return taken


def test_cubes_carried_on_are_those_built_anew(world_at, catalogue):
    taken = []

    @settings(max_examples=2, **CALM)
    @given(seed=st.integers(0, 10**6))
    def tried(seed):
        taken.append(agree(seed, world_at, catalogue))

    tried()
    assert sum(taken) >= len(taken)


@pytest.mark.soak
def test_many_cubes_carried_on(world_at, catalogue):
    @settings(max_examples=100, **{**CALM, "derandomize": False})
    @given(seed=st.integers(0, 10**9))
    def tried(seed):
        agree(seed, world_at, catalogue)

    tried()
