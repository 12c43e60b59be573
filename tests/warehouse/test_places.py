"""Where a store lies must not matter: names with quotes and blanks are names like any other."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from tests.warehouse.test_load import ORG, P1, P2, P2B, pay
from warehouse.ingest import load
from warehouse.publish import publish
from warehouse.store import Store

NOW = dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC)


def test_a_store_may_lie_under_a_name_with_a_quote(tmp_path: Path) -> None:
    store = Store(tmp_path / "the office's store")
    for number, (name, text) in enumerate([("组织.csv", ORG), ("一.csv", pay(P1, P2)), ("二.csv", pay(P1, P2B))]):
        (tmp_path / name).write_text(text, encoding="utf-8")
        moment = NOW + dt.timedelta(minutes=number)
        (report,) = load(store, [tmp_path / name], clock=lambda now=moment: now)
        assert report.status == "committed"
    publish(store, clock=lambda: NOW)
    generation = store.open_generation()
    found = generation.con.execute("SELECT amount FROM d_payment WHERE rec_to > 1000 ORDER BY voucher").fetchall()
    assert [str(row[0]) for row in found] == ["100.50", "250.00"]
    generation.close()
