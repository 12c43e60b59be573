"""Keeping a store small: by hand and at night, with every table of figures as it was."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from pathlib import Path

import pytest

from cockpit.pipeline import load_and_publish, withdraw_and_publish
from cockpit.upkeep import keep_up, tend_nightly
from tests.cockpit.test_cli import cockpit
from tests.fakes.office import NOW, ORG, P1, P2, P2B, pay
from warehouse import operations
from warehouse.compaction import Policy
from warehouse.store import Store
from warehouse.sums import history_sums, sums_of

COSTED = (
    ORG.replace("曾用名\n", "曾用名,纳入成本统计\n").replace(",,\n", ",,,是\n").replace(",市财政厅\n", ",市财政厅,是\n")
)
OFTEN = Policy(most_segments=1)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Register, payments, a correction that is withdrawn, and a second register."""
    folder = tmp_path_factory.mktemp("compact")
    store = Store(folder / "store")
    files = (("组织机构.csv", COSTED), ("支付.csv", pay(P1, P2)), ("更正.csv", pay(P1, P2B)),
             ("名录二.csv", COSTED.replace("市教育局", "市教体局")))  # fmt: skip
    for minute, (name, text) in enumerate(files):
        (folder / name).write_text(text, encoding="utf-8")
        clock = lambda: NOW + dt.timedelta(minutes=minute)  # noqa: B023, E731
        assert load_and_publish(store, [folder / name], clock=clock)[0].status == "committed"
    withdraw_and_publish(store, 3, why="报错", clock=lambda: NOW + dt.timedelta(hours=1))
    store.control.close()
    return folder / "store"


@pytest.fixture
def store(made: Path, tmp_path: Path) -> Store:
    return Store(Path(shutil.copytree(made, tmp_path / "store")))


def sums(store: Store) -> list[dict[str, str]]:
    """Every table as of now, and every fact table and the tree as of every batch."""
    generation = store.open_generation()
    found = [sums_of(generation.con)]
    found += [history_sums(generation.con, seq) for seq in range(generation.through_seq + 1)]
    generation.close()
    return found


def test_every_table_of_every_day_is_the_same_after_compacting(store: Store) -> None:
    before, gen = sums(store), store.open_generation().number
    assert any(name.startswith("node_") for name in before[0]) and len(before) == 7
    done = keep_up(store, OFTEN, clock=lambda: NOW)
    assert {one.dataset for one in done.rebased} == {"payment", "org_unit"}
    assert done.generation == gen + 1
    assert sums(store) == before


def test_the_command_says_what_it_would_do_and_does_it(store: Store) -> None:
    plan = json.loads(cockpit("compact", "--all", "--dry-run", "--json", "--store", store.path).stdout)
    assert {key: plan_of(plan)[key] for key in ("dataset", "segments")} == {"dataset": "payment", "segments": 3}
    assert len(store.control.segments("payment")) == 3, "looking changes nothing"
    done = cockpit("compact", "--all", "--store", store.path)
    assert done.returncode == 0 and "payment: 3 → 1 segments" in done.stdout and "datasets rebased" in done.stdout
    assert cockpit("doctor", "--deep", "--store", store.path).returncode == 0


def plan_of(rows: list[dict[str, object]]) -> dict[str, object]:
    return next(row for row in rows if row["dataset"] == "payment")


def test_the_night_keeps_up_once_and_lets_go_when_the_days_are_over(store: Store) -> None:
    day = NOW.replace(hour=18)  # 02:00 in Shanghai
    assert tend_nightly(store, OFTEN, NOW.replace(hour=16)) is None, "not before its hour"
    first = tend_nightly(store, OFTEN, day)
    assert first is not None and first.ok and first.message == "2 datasets rebased, 0 segments removed"
    assert tend_nightly(store, OFTEN, day + dt.timedelta(minutes=5)) is None, "once a night"
    later = tend_nightly(store, OFTEN, day + dt.timedelta(days=14))
    assert later is not None and later.message == "0 datasets rebased, 5 segments removed"


def test_a_failing_night_is_noted_and_tried_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("cockpit.upkeep.compact", full)
    day = NOW.replace(hour=18)
    row = tend_nightly(store, OFTEN, day)
    assert row is not None and not row.ok and "No space" in row.message
    monkeypatch.undo()
    again = tend_nightly(store, OFTEN, day + dt.timedelta(minutes=5))
    assert again is not None and again.ok
    assert operations.last_runs(store.control.engine)["compaction"].ok


def test_a_store_named_from_where_one_stands_is_compacted_too(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(store.path.parent)
    near = Store(Path(store.path.name))
    before = sums(near)
    assert keep_up(near, OFTEN, clock=lambda: NOW).rebased
    assert sums(near) == before
