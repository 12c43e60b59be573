"""Questions that are refused with advice, and what is said of a time before anything was known."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from metrics.nodes import unknown_node
from tests.metrics.conftest import World
from warehouse.base.errors import QueryError

NOW = dt.datetime(2024, 5, 31, 16, 30, tzinfo=dt.UTC)
"""Half past midnight of 1 June at the store's place."""


@pytest.fixture
def small(world: World) -> World:
    world.batch(1, "2024-01-10")
    world.unit("r", name="模拟市")
    world.unit("a", "r", name="市财政局")
    return world


def test_more_periods_than_anybody_reads_are_refused(small: World, ask: Any) -> None:
    asker = ask(small)
    assert len(asker.all("op_funds_exp", "r", "1925-01..2024-12")) == 1200
    with pytest.raises(QueryError, match="1201 periods"):
        asker.all("op_funds_exp", "r", "1925-01..2025-01")
    assert len(asker.all("op_funds_exp", "r", "1924-01..2025-12", "year")) == 102


def test_the_tree_of_a_day_to_come_is_refused(small: World, ask: Any) -> None:
    asker = ask(small)
    asker.one("op_funds_exp", "r", "2024-01", tree="2024-06-01", now=NOW)
    with pytest.raises(QueryError, match="future"):
        asker.one("op_funds_exp", "r", "2024-01", tree="2024-06-02", now=NOW)


@pytest.mark.parametrize("by", [None, "kind"])
def test_before_the_first_batch_every_figure_is_unreported(small: World, ask: Any, by: str | None) -> None:
    asker = ask(small)
    early = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
    answers = asker.all("op_funds_exp energy_cost", "r a", "2023-10..2023-12", known_at=early, by=by)
    assert {answer.status for answer in answers} == {"not_reported"}
    assert asker.one("op_funds_exp", "r", "2023-12").status == "no_source"


def test_hints_name_units_and_fall_back_to_the_top(small: World, catalogue: Any) -> None:
    from metrics.knowledge import knowledge

    register = knowledge(small.open(catalogue)).register
    assert unknown_node("市财政厅", register).hint == "did you mean '市财政局' (a)?"
    assert unknown_node("9876543210", register).hint == "start from the top: '模拟市' (r)"
