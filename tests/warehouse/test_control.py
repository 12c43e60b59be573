"""The control log takes a file of any size: what a statement can hold is no limit to what a file can mend."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from warehouse.control import Control
from warehouse.store import Store

pytestmark = pytest.mark.both_logs

MANY = 40_001
LIMIT = 32_766
"""Values SQLite takes in one statement unless it was built otherwise."""


def receipt(name: str) -> dict[str, Any]:
    return {
        "file_name": name, "file_sha": name, "dataset": "payment", "recorded_at": "", "loaded_at": "", "actor": "张三",
        "status": "committed", "batch_seq": None, "counts": "{}", "message": "{}",
    }  # fmt: skip


def entry(row_no: int) -> dict[str, Any]:
    return {
        "dataset": "payment", "file_name": "支付.csv", "sheet": "", "row_no": row_no, "column_name": "amount",
        "code": "not_a_number", "value": "二百", "hint": None, "raw": "{}", "row_hash": str(row_no), "row_key": None,
        "opened_at": "",
    }  # fmt: skip


@pytest.fixture
def control(tmp_path: Path, log_kind: str) -> Control:
    store = Store(tmp_path / "store")
    store.create()
    control = Control(store.log)
    if log_kind == "sqlite":

        @event.listens_for(control.engine, "connect")
        def _limit(connection: sqlite3.Connection, _: object) -> None:
            connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, LIMIT)

    return control


def test_as_many_rows_as_there_are_are_closed_and_opened_again(control: Control, log_kind: str) -> None:
    many = MANY if log_kind == "sqlite" else MANY // 10
    control.commit(receipt("一"), None, (), [entry(row) for row in range(many)])
    numbers = [one["entry_id"] for one in control.quarantine()]
    assert len(numbers) == many
    control.commit(receipt("二"), None, (), (), mended=numbers[:-1])
    assert [one["entry_id"] for one in control.quarantine()] == numbers[-1:]
    assert {one["closed_by"] for one in control.quarantine(open_only=False)} == {2, None}
    control.commit(receipt("三"), None, (), (), mended=numbers[-1:], reopened=numbers[:-1])
    assert [one["entry_id"] for one in control.quarantine()] == numbers[:-1]


def test_a_row_that_waits_under_another_entry_is_not_opened_twice(control: Control) -> None:
    control.commit(receipt("一"), None, (), [entry(1), entry(2)])
    control.commit(receipt("二"), None, (), (), mended=[1, 2])
    control.commit(receipt("三"), None, (), [entry(1)])
    control.commit(receipt("四"), None, (), (), reopened=[1, 2])
    assert [(one["entry_id"], one["row_no"]) for one in control.quarantine()] == [(2, 2), (3, 1)]
