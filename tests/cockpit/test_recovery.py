"""Bringing a store back: the drill of a backup, and a store made anew from its received files."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from pathlib import Path

import pytest

from cockpit.pipeline import examine_store, load_and_publish, rebuild
from cockpit.upkeep import differing_tables, drill_backup, keep_up
from tests.cockpit.test_cli import cockpit, said
from tests.cockpit.test_compact import OFTEN, made, sums  # noqa: F401
from tests.fakes.office import NOW, P1, pay
from warehouse.backup import backup
from warehouse.base.errors import StoreError
from warehouse.drill import keep_sums, published_sums
from warehouse.replay import replay
from warehouse.store import Store

LATER = NOW + dt.timedelta(days=60)


@pytest.fixture
def store(made: Path, tmp_path: Path) -> Store:  # noqa: F811
    return Store(Path(shutil.copytree(made, tmp_path / "store")))


def saved(store: Store, folder: Path) -> Path:
    sums = published_sums(store)
    backup(store, folder)
    keep_sums(folder, sums)
    return folder


# --- the drill --------------------------------------------------------------------------------------------------------


def test_a_backup_is_tried_by_command_and_leaves_nothing_behind(store: Store, tmp_path: Path) -> None:
    done = cockpit("backup", tmp_path / "saved", "--verify", "--store", store.path)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)["drill"]
    assert (told["compared"], told["holds"], told["through_seq"]) == ("everything", True, 5)
    assert told["tables"] > 40 and "恢复演练通过" in done.stderr and "Drill passed" in done.stderr
    assert sorted(file.name for file in tmp_path.iterdir()) == ["saved", "store"]
    again = cockpit("restore", tmp_path / "saved", "--drill", "--store", tmp_path / "nowhere")
    assert again.returncode == 0 and not (tmp_path / "nowhere").exists()


def test_figures_that_do_not_come_back_are_named(store: Store, tmp_path: Path) -> None:
    folder = saved(store, tmp_path / "saved")
    kept = json.loads((folder / "sums.json").read_text(encoding="utf-8"))
    kept["everything"]["d_payment"] = "9 rows, sum 1"
    (folder / "sums.json").write_text(json.dumps(kept), encoding="utf-8")
    done = cockpit("restore", folder, "--drill")
    assert done.returncode == 1 and "d_payment" in done.stderr
    assert json.loads(done.stdout)["different"] == ["d_payment"]


def test_a_damaged_backup_fails_its_drill_in_words(store: Store, tmp_path: Path) -> None:
    folder = saved(store, tmp_path / "saved")
    file = next((folder / "seg").glob("payment/*"))
    content = file.read_bytes()
    file.unlink()
    file.write_bytes(content[:-1])
    assert "damaged" in said("restore", folder, "--drill")
    assert not list(tmp_path.glob("drill-*"))


def test_a_load_between_the_figures_and_the_log_leaves_the_facts_comparable(store: Store, tmp_path: Path) -> None:
    """Sums are those of batch 5; the saved log holds batch 6 as well."""
    before = published_sums(store)
    (tmp_path / "新.csv").write_text(pay(P1), encoding="utf-8")
    load_and_publish(store, [tmp_path / "新.csv"])
    backup(store, tmp_path / "saved")
    keep_sums(tmp_path / "saved", before)
    done = drill_backup(tmp_path / "saved")
    assert (done.compared, done.holds, done.through_seq) == ("facts", True, 6)
    keep_sums(tmp_path / "saved", None)
    assert drill_backup(tmp_path / "saved").compared == "nothing"


# --- from the inbox ---------------------------------------------------------------------------------------------------


def test_a_store_made_from_its_received_files_shows_the_same_boards(store: Store, tmp_path: Path) -> None:
    done = cockpit("rebuild", "--from-inbox", tmp_path / "new", "--store", store.path)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["through_seq"], told["replayed"], told["remarks"], told["different_tables"]) == (5, 6, [], [])
    new = Store(tmp_path / "new")
    assert sums_but_meta(new) == sums_but_meta(store)
    batches = [one.control.batches() for one in (store, new)]
    assert batches[0] == batches[1], "numbers, recorded times, actors and counts"
    assert new.control.receipts() == store.control.receipts()
    assert examine_store(new, deep=True, clock=lambda: LATER).healthy


def sums_but_meta(store: Store) -> list[dict[str, str]]:
    return [{name: value for name, value in one.items() if name != "meta"} for one in sums(store)]


@pytest.mark.parametrize("is_compacted", [False, True])
def test_a_redacted_file_is_carried_over_and_said(store: Store, tmp_path: Path, is_compacted: bool) -> None:
    if is_compacted:
        keep_up(store, OFTEN, clock=lambda: NOW)
    (store.inbox / store.control.batches()[2]["file_sha"]).unlink()
    done = replay(store, Store(tmp_path / "new"))
    assert [(one.batch_seq, one.how, one.why) for one in done.remarks] == [(2, "carried", "the received file is gone")]
    new = Store(tmp_path / "new")
    rebuild(new)
    assert differing_tables(store, new) == ()


def test_what_neither_file_nor_segment_holds_is_lost_under_its_number(store: Store, tmp_path: Path) -> None:
    (store.inbox / store.control.batches()[2]["file_sha"]).unlink()
    (store.segments / "payment" / "00000002-0.parquet").unlink()
    done = cockpit("rebuild", "--from-inbox", tmp_path / "new", "--store", store.path)
    assert done.returncode == 1, done.stderr
    told = json.loads(done.stdout)
    lost = [one for one in told["remarks"] if one["how"] == "lost"]
    assert [one["batch_seq"] for one in lost] == [2] and "gone" in lost[0]["why"]
    assert told["through_seq"] == 5 and "d_payment" in told["different_tables"]
    new = Store(tmp_path / "new")
    assert [row["kind"] for row in new.control.batches()] == [row["kind"] for row in store.control.batches()]


def test_a_place_that_holds_a_store_is_refused(store: Store) -> None:
    with pytest.raises(StoreError, match="already holds"):
        replay(store, Store(store.path))
