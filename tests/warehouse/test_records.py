"""Operational records mean the same whichever database keeps them: what is written comes back, in the same order."""

from __future__ import annotations

import datetime as dt
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, get_type_hints

import pytest
import sqlalchemy as sa

from warehouse import operations
from warehouse.operations import Closing, ReadingRow, RunRow, SnapshotRow, SnapshotValueRow, WarningChange, WarningRow
from warehouse.store import Store

pytestmark = pytest.mark.both_logs
T0 = dt.datetime(2026, 1, 1, 8, 30, 0, 123456, tzinfo=dt.UTC)


@pytest.fixture
def engine(tmp_path: Path, log_kind: str) -> sa.Engine:
    store = Store(tmp_path / "store")
    store.create()
    return store.control.engine


def a_row(kind: type[Any], **given: Any) -> Any:
    """A row of any kind with a value of its type in each field."""
    values: dict[str, Any] = {}
    hints = get_type_hints(kind)
    for one in fields(kind):
        hint = str(hints[one.name])
        if "datetime" in hint:
            values[one.name] = T0
        elif "bool" in hint:
            values[one.name] = True
        elif "float" in hint:
            values[one.name] = 0.1
        elif "int" in hint:
            values[one.name] = 7
        else:
            values[one.name] = f"{one.name} 文"
    return kind(**(values | given))


def test_forecasts_and_landings_come_back_as_they_were(engine: sa.Engine) -> None:
    rows = [a_row(operations.ForecastRow, step=step, mean=step / 3) for step in (2, 1)]
    assert operations.add_forecasts(engine, rows) == 2
    assert operations.forecasts(engine, "indicator 文", "node 文") == (rows[1], rows[0])
    landing = a_row(operations.LandingRow, year=2026, lo80=None, path="[]")
    operations.add_landings(engine, [landing, replace(landing, node="B"), replace(landing, node="a")])
    assert [row.node for row in operations.landings(engine)] == ["B", "a", "node 文"]
    assert operations.landings(engine, node="node 文") == (landing,)
    assert operations.landings(engine, known_at=T0 - dt.timedelta(microseconds=1)) == ()


def test_runs_snapshots_and_warnings_come_back_as_they_were(engine: sa.Engine) -> None:
    run = RunRow("daily", "2026-01-01", T0, T0, False, "x" * 100_000)
    operations.add_run(engine, run)
    operations.add_run(engine, replace(run, ok=True))
    assert operations.last_runs(engine) == {"daily": replace(run, ok=True)} and operations.is_done(
        engine, "daily", "2026-01-01"
    )
    head = a_row(SnapshotRow)
    figures = [a_row(SnapshotValueRow, indicator=name, value=None) for name in ("b", "B", "中", "a")]
    operations.add_snapshot(engine, head, figures)
    assert operations.snapshots(engine) == (head,)
    assert [one.indicator for one in operations.snapshot_values(engine, head.snapshot_id)] == ["B", "a", "b", "中"]
    warning = a_row(WarningRow, closed_seq=None, closed_at=None, closed_why=None, level="red", last_period="2026-01")
    reading = a_row(ReadingRow, warning_id=warning.warning_id, opened_seq=7, gone_seq=None, gone_at=None)
    operations.apply_warnings(engine, WarningChange(opened=(warning,), new_readings=(reading,)))
    assert operations.warnings(engine) == (warning,)
    assert operations.readings(engine) == {(warning.warning_id, 7): (reading,)}
    later = T0 + dt.timedelta(days=1)
    operations.apply_warnings(engine, WarningChange(closed=(Closing(warning.warning_id, 7, 9, later, "cured"),)))
    assert operations.warnings(engine) == ()
    assert [row.closed_seq for row in operations.standing_warnings(engine, "2025")] == [9]
