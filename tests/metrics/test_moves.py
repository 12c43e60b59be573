"""What one batch moved: the units add up to the board, the batches add up to the difference of two boards.

          Jan 2024     known            below
a         100          1                root
b          50 → 80     1, by batch 2    root
c          20          3                b
"""

from __future__ import annotations

from decimal import Decimal

import pytest

from metrics.moves import Span, moves, span_of, touched_tables
from warehouse.base.errors import QueryError, UnknownName
from warehouse.base.scope import Scope

PAY = {"line": 1, "item_code": "30201", "fund": "general", "exp_kind": "basic_public"}
WHOLE = Span("2024-01", "2024-01", "month")


@pytest.fixture
def town(world, contracts):
    for code, parent in (("root", None), ("a", "root"), ("b", "root"), ("c", "b")):
        world.unit(code, parent, scope_cost=code != "root")
    world.defaults()
    pay = {**PAY, "fund": None, "exp_kind": "基本支出-公用"}
    world.add("payment", 1, voucher="1", unit="a", paid_on="2024-01-10", amount="100.00", **pay)
    world.add("payment", (1, 2), voucher="2", unit="b", paid_on="2024-01-10", amount="50.00", **pay)
    world.add("payment", 2, voucher="2", unit="b", paid_on="2024-01-10", amount="80.00", **pay)
    world.add("payment", 3, voucher="3", unit="c", paid_on="2024-01-10", amount="20.00", **pay)
    for seq in (1, 2, 3):
        world.batch(seq, "2024-02-05")
    return world


def moved(asker, seq, *indicators, span=WHOLE, scope=None):
    found = moves(
        asker.generation, asker.catalogue, seq, scope=scope or Scope.everything(), actor="test",
        indicators=indicators, span=span,
    )  # fmt: skip
    figures = [m for m in found if m.figure.old.value != m.figure.new.value]
    return [(m.place, m.figure.new.node, m.figure.change or Decimal(m.figure.new.value or 0)) for m in figures]


def test_each_batch_names_its_units_and_they_add_up_to_the_board(town, ask):
    asker = ask(town)
    assert moved(asker, 1, "op_cost_total") == [
        ("board", "root", Decimal("0.0150")), ("unit", "a", Decimal("0.0100")), ("own", "b", Decimal("0.0050")),
        ("unit", "c", Decimal(0)),  # one file reports for all: c spent nothing yet, and that is known now
    ]  # fmt: skip
    assert moved(asker, 2, "op_cost_total") == [("board", "root", Decimal("0.0030")), ("own", "b", Decimal("0.0030"))]
    assert moved(asker, 3, "op_cost_total") == [("board", "root", Decimal("0.0020")), ("unit", "c", Decimal("0.0020"))]


def test_batches_of_one_moment_are_told_apart_and_add_up_to_the_board_of_now(town, ask):
    asker = ask(town)
    boards = [moved(asker, seq, "op_cost_total")[0][2] for seq in (1, 2, 3)]
    assert sum(boards) == asker.one("op_cost_total", "root", "2024-01").value == Decimal("0.0200")


def test_without_a_period_a_batch_speaks_of_its_own_months(town, ask):
    asker = ask(town)
    assert span_of(asker.generation, touched_tables(asker.generation, 2)) == WHOLE
    town.add("payment", 4, voucher="4", unit="a", paid_on="2024-03-10", amount="1.00", **{**PAY, "fund": None, "exp_kind": "基本支出-公用"})  # fmt: skip
    town.add("payment", 4, voucher="5", unit="a", paid_on="2024-02-10", amount="1.00", **{**PAY, "fund": None, "exp_kind": "基本支出-公用"})  # fmt: skip
    assert span_of(ask(town).generation, touched_tables(ask(town).generation, 4)) == Span("2024", "2024", "year")


def test_only_what_moved_is_told_and_the_largest_move_comes_first(town, ask):
    found = moves(ask(town).generation, ask(town).catalogue, 2, scope=Scope.everything(), actor="test", span=WHOLE)
    assert all(move.figure.is_change for move in found)
    assert {move.figure.new.indicator for move in found} >= {"op_cost_total"}
    first = [move.figure.new.indicator for move in found]
    assert first == sorted(first, key=first.index), "lines of one indicator stand together"


def test_a_viewer_sees_the_moves_of_the_own_subtree_only(town, ask):
    inside = Scope(nodes=frozenset({"a"}), domains=None)
    found = moves(ask(town).generation, ask(town).catalogue, 1, scope=inside, actor="test", span=WHOLE)
    assert {move.figure.new.node for move in found} == {"a"}


@pytest.mark.parametrize("seq", [0, -1, 4])
def test_a_batch_that_is_not_there_is_refused(town, ask, seq):
    with pytest.raises(QueryError, match="no batch"):
        moved(ask(town), seq)


def test_an_unknown_indicator_is_refused_with_suggestions(town, ask):
    with pytest.raises(UnknownName, match="op_cost_total"):
        moved(ask(town), 1, "op_cost_totl")
