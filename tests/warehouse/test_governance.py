"""What the store tells of its own reports: who owes one is who owes one in every answer."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from tests.fakes.office import NOW
from tests.fakes.reviewers import REGISTER, Reviewers, energy
from warehouse import incremental, projection
from warehouse.governance import build_governance, renew_governance
from warehouse.operations import apply_warnings
from warehouse.operations.warning import WarningChange, WarningRow
from warehouse.publish import publish
from warehouse.store import Store


def test_who_owes_a_report_owes_it_in_the_ledger_too(tmp_path: Path) -> None:
    """A and B owe, so does the region S that is on the list itself; the compound Z gathers what nobody divided. A reported."""
    register = REGISTER + "S,示范区,,R,区,区域,4,否,是,2020-01-01,\nZ,市民中心,,R,市,集中办公区,9,否,是,2020-01-01,\n"
    office = Reviewers(tmp_path, register=register, indicators=("elec_kwh",))
    assert office.report("电.csv", energy("市财政局 2025-01 10")).status == "committed"
    publish(office.store, clock=lambda: NOW)
    generation = office.store.open_generation()
    told = "SELECT kind, unit FROM d_governance WHERE dataset = 'energy_use' AND kind IN ('due', 'got') AND month = $1 ORDER BY ALL"
    january, february = (generation.con.execute(told, [2025 * 12 + month]).fetchall() for month in (0, 1))
    generation.close()
    assert january == [("due", "A"), ("due", "B"), ("due", "S"), ("got", "A")]
    # of the months after it nobody reported: all of them owe those too
    assert february == [("due", "A"), ("due", "B"), ("due", "S")]


def warn(store: Store, name: str) -> None:
    opened = WarningRow(
        name, 2, NOW, "rule", "elec_kwh", "A", "市财政局", None, "month", "red", "用电", "Power", "2025-01", "2025-01",
        "10", None, "5", "kWh", True, False, NOW,
    )  # fmt: skip
    apply_warnings(store.control.engine, WarningChange(opened=(opened,)))


def test_a_warning_that_opens_without_a_batch_is_counted_at_the_next_publish(tmp_path: Path) -> None:
    """The worker judges after a publish; what it finds is no batch, and the figure that counts warnings says it too."""
    office = Reviewers(tmp_path, indicators=("elec_kwh",))
    office.report("电.csv", energy("市财政局 2025-01 10"))
    first = publish(office.store, clock=lambda: NOW)
    assert publish(office.store, clock=lambda: NOW) == first
    warn(office.store, "w1")
    second = publish(office.store, clock=lambda: NOW)
    generation = office.store.open_generation()
    found = generation.con.execute("SELECT unit, month, rec_from FROM d_governance WHERE kind = 'warning'").fetchall()
    generation.close()
    assert (second, found) == (first + 1, [("A", 2026 * 12 + 10, 2)])
    assert publish(office.store, clock=lambda: NOW) == second


@pytest.mark.parametrize("anew", [True, False])
def test_a_warning_that_opens_while_a_generation_is_built_is_counted_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, anew: bool
) -> None:
    """The worker writes warnings without the lock of the writer."""
    office = Reviewers(tmp_path, indicators=("elec_kwh",))
    office.report("电.csv", energy("市财政局 2025-01 10"))
    publish(office.store, clock=lambda: NOW)
    warn(office.store, "w1")

    def full(con: duckdb.DuckDBPyConnection, store: Store) -> None:
        build_governance(con, store)
        warn(store, "w2")

    def carried(con: duckdb.DuckDBPyConnection, store: Store, before: int) -> bool:
        stands = renew_governance(con, store, before)
        warn(store, "w2")
        return stands

    with monkeypatch.context() as patched:
        patched.setattr(projection, "build_governance", full)
        patched.setattr(incremental, "renew_governance", carried)
        number = publish(office.store, clock=lambda: NOW, force=anew)
    assert publish(office.store, clock=lambda: NOW) == number + 1
    generation = office.store.open_generation()
    assert generation.con.execute("SELECT sum(amount) FROM d_governance WHERE kind = 'warning'").fetchall() == [(2,)]
    generation.close()
