"""A frozen board is proved by the data known then; anything else is an alarm."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from metrics.insights import snapshots
from metrics.insights.snapshots import Board
from tests.metrics.insights.figures import Figures, known
from warehouse import operations
from warehouse.base.errors import UnknownName
from warehouse.base.periods import month_no
from warehouse.base.scope import Scope
from warehouse.schema import upgrade

BOARD = Board(("en_tce", "water_m3"), ("city", "a"), month_no(2024, 5), known("2024-06-15"), Scope.everything(), "t")


@pytest.fixture
def taken(figures: Figures) -> tuple[operations.SnapshotRow, tuple[operations.SnapshotValueRow, ...]]:
    figures.put("en_tce", "a", {"2024-04": "1.10", "2024-05": "2.20"}).put("en_tce", "city", {"2024-05": "2.20"})
    figures.put("water_m3", "a", {"2024-05": 7}).put("water_m3", "city", {"2024-05": 7})
    return snapshots.take(figures.evaluate, BOARD, "daily", "2024-06-15", known("2024-06-15"), 9)


def test_every_figure_of_the_board_is_kept_exactly(taken) -> None:
    head, values = taken
    assert (head.kind, head.day, head.period, head.through_seq) == ("daily", "2024-06-15", "2024-05", 9)
    assert head.values == len(values) == 2 * 2 * 3
    kept = {(row.indicator, row.node, row.grain): row.value for row in values}
    assert kept["en_tce", "a", "month"] == "2.2"
    assert kept["en_tce", "a", "ytd"] == "3.3"


def test_a_true_snapshot_is_proved_also_after_later_corrections(figures: Figures, taken) -> None:
    head, values = taken
    figures.put("en_tce", "a", {"2024-05": 99}, day="2024-07-01")
    assert snapshots.verify(figures.evaluate, head, values, Scope.everything(), "t") == ()


def test_a_changed_history_is_an_alarm(figures: Figures, taken) -> None:
    head, values = taken
    figures.put("en_tce", "a", {"2024-05": 99}, day="2024-06-14")
    found = snapshots.verify(figures.evaluate, head, values, Scope.everything(), "t")
    assert {(one.indicator, one.node, one.field) for one in found} == {
        ("en_tce", "a", "value"), ("en_tce", "a", "numerator"),
    }  # fmt: skip
    assert {(one.frozen, one.found) for one in found if one.grain == "month"} == {("2.2", "99")}


def test_a_changed_definition_is_an_alarm(figures: Figures, taken) -> None:
    head, values = taken
    other = tuple(replace(row, fingerprint="other") for row in values)
    found = snapshots.verify(figures.evaluate, head, other, Scope.everything(), "t")
    assert {one.field for one in found} == {"fingerprint"}


def test_a_snapshot_survives_the_database(figures: Figures, taken) -> None:
    engine = sa.create_engine("sqlite://")
    upgrade(engine)
    head, values = taken
    operations.add_snapshot(engine, head, values)
    assert operations.snapshots(engine) == (head,)
    assert set(operations.snapshot_values(engine, head.snapshot_id)) == set(values)
    assert {row.node for row in operations.snapshot_values(engine, head.snapshot_id, frozenset({"a"}))} == {"a"}
    assert snapshots.verify_stored(engine, figures.evaluate, Scope.everything(), "t") == {head.snapshot_id: ()}
    with pytest.raises(UnknownName, match="did you mean"):
        snapshots.verify_stored(engine, figures.evaluate, Scope.everything(), "t", ["daily-2024-06-14-20240615T120000"])
