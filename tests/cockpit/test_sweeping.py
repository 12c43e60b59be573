"""What nobody decides about, and what belongs to nobody, does not lie on the disk for ever."""

from __future__ import annotations

import datetime as dt
import os
import tempfile
from pathlib import Path

import pytest

from cockpit import worker
from cockpit.sweeping import sweep
from tests.fakes.office import NOW, ORG, P1, Office, pay
from warehouse import desk
from warehouse.operations import handover
from warehouse.operations.handover import HandoverRow
from warehouse.preview import preview
from warehouse.spare import PREFIX
from warehouse.store import connect

DAY = dt.timedelta(days=1)


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "temp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temp"))
    office = Office(tmp_path)
    office.hand_in("组织机构.csv", ORG)
    yield office
    office.store.control.close()


def give(office: Office, key: str, days_ago: float) -> None:
    kept = desk.keep(office.store, key, "支付.csv", [pay(P1).encode()], most=10_000)
    given_at = NOW - days_ago * DAY
    row = HandoverRow(key, "支付.csv", kept.sha, kept.bytes, "clerk", given_at, preview={"rows": ["V1"]})
    handover.add_handover(office.store.control.engine, row)
    age(kept.path.parent, days_ago)


def age(place: Path, days_ago: float) -> None:
    moment = (NOW - days_ago * DAY).timestamp()
    os.utime(place, (moment, moment))


def lying(office: Office) -> set[str]:
    return {place.name for place in (office.store.path / "desk").iterdir()}


def state(office: Office, key: str) -> tuple[str, str, bool]:
    row = handover.find_handover(office.store.control.engine, key)
    assert row is not None
    return row.state, row.why, row.preview is None


def test_a_hand_over_nobody_decides_about_goes_after_its_days_with_its_bytes(office: Office) -> None:
    engine = office.store.control.engine
    for key, days_ago in (("young", 6.9), ("old", 7.1), ("seen", 20), ("accepted", 20)):
        give(office, key, days_ago)
    assert handover.understand_handover(engine, "seen", {}, NOW - 2 * DAY, source=None, corrections={})
    assert handover.accept_handover(engine, "accepted", NOW - 19 * DAY)
    assert sweep(office.store, 7, NOW) == 1
    assert lying(office) == {"young", "seen", "accepted"}
    assert state(office, "old") == (handover.FAILED, handover.UNDECIDED, True)
    assert [state(office, key)[0] for key in ("young", "seen", "accepted")] == ["received", "received", "waiting"]
    assert not handover.accept_handover(engine, "old", NOW)
    assert "old" in {row.handover_id for row in handover.handovers(engine, "clerk", 30)}, "its owner is told"
    assert sweep(office.store, 7, NOW) == 0


def test_files_without_a_hand_over_go_after_a_day_and_the_secret_stays(office: Office) -> None:
    secret = desk.secret_of(office.store)
    for key, days_ago in (("orphan", 1.1), ("coming", 0.5)):
        kept = desk.keep(office.store, key, "支付.csv", [b"a"], most=10)
        age(kept.path.parent, days_ago)
    half = office.store.path / "desk" / "secret.1.ab"
    half.touch()
    for place in (half, half.with_name("secret")):
        age(place, 30)
    sweep(office.store, 7, NOW)
    assert lying(office) == {"coming", "secret"}
    assert desk.secret_of(office.store) == secret


def test_a_discarded_file_that_stayed_behind_goes_too(office: Office) -> None:
    give(office, "left", 3)
    assert handover.discard_handover(office.store.control.engine, "left", NOW - 2 * DAY)
    sweep(office.store, 7, NOW)
    assert lying(office) == set()


def test_folders_of_killed_readers_go_after_a_day(office: Office, tmp_path: Path) -> None:
    temp = tmp_path / "temp"
    stale, fresh, other, elsewhere = (temp / name for name in (f"{PREFIX}a", f"{PREFIX}b", "other", "elsewhere"))
    for place, days_ago in ((stale, 1.1), (fresh, 0.9), (other, 9), (elsewhere, 9)):
        place.mkdir()
        (place / "clean").touch()
        age(place, days_ago)
    (temp / f"{PREFIX}link").symlink_to(elsewhere)
    sweep(office.store, 7, NOW)
    assert {place.name for place in temp.iterdir()} == {fresh.name, "other", "elsewhere", f"{PREFIX}link"}
    assert (elsewhere / "clean").exists()


def test_a_preview_reads_in_such_a_folder_and_leaves_none(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[str] = []

    def watched(*given, **named):
        used.extend(place.name for place in Path(tempfile.gettempdir()).iterdir())
        return connect(*given, **named)

    monkeypatch.setattr("warehouse.preview.connect", watched)
    path = office.folder / "支付.csv"
    path.write_text(pay(P1), encoding="utf-8")
    assert preview(office.store, path).status == "ready"
    assert len(used) == 1 and used[0].startswith(PREFIX)
    assert list(Path(tempfile.gettempdir()).iterdir()) == []


def test_the_worker_sweeps_as_the_deployment_has_set(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    give(office, "old", 4)
    worker.tend(office.store, NOW)
    assert lying(office) == {"old"}
    monkeypatch.setenv("COCKPIT_KEEP_UNDECIDED_DAYS", "3")
    worker.tend(office.store, NOW)
    assert lying(office) == set()
