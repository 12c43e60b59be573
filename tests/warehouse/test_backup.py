"""A backup is of one store, mends itself, and comes back only when every byte is right."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes.office import ORG, P1, P2, Office, pay
from warehouse.backup import backup, restore
from warehouse.base.errors import StoreError
from warehouse.durable import writer_lock
from warehouse.store import STORE_ID, Store

pytestmark = pytest.mark.both_logs


def an_office(folder: Path) -> Office:
    folder.mkdir()
    office = Office(folder)
    assert office.hand_in("组织机构.csv", ORG).status == "committed"
    return office


def overwrite(file: Path, text: str) -> None:
    """Put other bytes under a name, without touching what is linked to it."""
    file.unlink()
    file.write_text(text, encoding="utf-8")


def test_a_folder_takes_backups_of_one_store_only(tmp_path: Path) -> None:
    one, two = an_office(tmp_path / "one"), an_office(tmp_path / "two")
    assert one.store.control.meta()[STORE_ID] != two.store.control.meta()[STORE_ID]
    backup(one.store, tmp_path / "saved")
    with pytest.raises(StoreError, match="another store"):
        backup(two.store, tmp_path / "saved")
    one.hand_in("支付.csv", pay(P1))
    assert backup(one.store, tmp_path / "saved").received_files == 2
    with pytest.raises(StoreError, match="in use"):
        backup(one.store, one.store.path)


def test_stores_that_parted_after_a_restore_do_not_mix(tmp_path: Path) -> None:
    one = an_office(tmp_path / "one")
    backup(one.store, tmp_path / "saved")
    other = Office(tmp_path / "one")
    other.store = Store(tmp_path / "again")
    restore(tmp_path / "saved", other.store)
    one.hand_in("支付.csv", pay(P1))
    other.hand_in("支付2.csv", pay(P2))
    backup(one.store, tmp_path / "saved")
    with pytest.raises(StoreError, match="another store"):
        backup(other.store, tmp_path / "saved")


def test_a_second_backup_mends_what_was_damaged(tmp_path: Path) -> None:
    office = an_office(tmp_path / "one")
    backup(office.store, tmp_path / "saved")
    segment = next((tmp_path / "saved/seg").glob("org_unit/*.parquet"))
    overwrite(segment, "x" * segment.stat().st_size)
    with pytest.raises(StoreError, match="damaged"):
        restore(tmp_path / "saved", Store(tmp_path / "new"))
    backup(office.store, tmp_path / "saved")
    assert restore(tmp_path / "saved", Store(tmp_path / "new")).received_files == 1
    assert not list((tmp_path / "new").rglob("*.tmp"))


@pytest.mark.parametrize("gone", [True, False])
def test_received_files_are_checked_before_anything_is_restored(tmp_path: Path, gone: bool) -> None:
    office = an_office(tmp_path / "one")
    backup(office.store, tmp_path / "saved")
    (received,) = (tmp_path / "saved/inbox").iterdir()
    received.unlink() if gone else overwrite(received, "other")
    with pytest.raises(StoreError, match=received.name):
        restore(tmp_path / "saved", Store(tmp_path / "new"))
    assert not (tmp_path / "new").exists()


def test_a_damaged_store_is_not_backed_up_silently(tmp_path: Path) -> None:
    office = an_office(tmp_path / "one")
    overwrite(next(office.store.segments.glob("org_unit/*.parquet")), "x")
    with pytest.raises(StoreError, match="missing or changed"):
        backup(office.store, tmp_path / "saved")


def test_an_unreadable_generation_says_what_to_do(tmp_path: Path) -> None:
    office = an_office(tmp_path / "one")
    office.amounts()
    pointer = office.store.generations / "CURRENT"
    (office.store.generations / pointer.read_text()).write_bytes(b"no database")
    with pytest.raises(StoreError) as told:
        office.store.open_generation()
    assert told.value.hint == "run: cockpit rebuild"
    pointer.write_text("")
    with pytest.raises(StoreError, match="no published generation"):
        office.store.open_generation()
    assert office.amounts() == {}


def test_the_lock_of_a_store_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no store"), writer_lock(tmp_path / "nowhere" / "writer.lock"):
        pass
