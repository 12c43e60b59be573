"""The doctor finds each damage in a store made by the real loader, and is content again once its advice is followed."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.fakes.office import NOW, ORG, P1, P2, P2B, Office, pay
from tests.fakes.postgres import part_from
from warehouse import backup as backups
from warehouse.base.errors import StoreError
from warehouse.durable import writer_lock
from warehouse.health import agreement, surroundings
from warehouse.health import examine as doctor
from warehouse.health.finding import Finding, codes, finding
from warehouse.publish import publish
from warehouse.store import Store
from warehouse.withdrawal import withdraw

LATER = NOW + dt.timedelta(days=1)


class Ward(Office):
    """A published store of three loads and a withdrawal, and its backup."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.hand_in("组织机构.csv", ORG)
        self.hand_in("支付.csv", pay(P1, P2))
        self.hand_in("更正.csv", pay(P1, P2B.replace(",250", ",二百五")))
        self.hand_in("再更正.csv", pay(P1, P2B))
        withdraw(self.store, 3, why="看错一行", clock=lambda: NOW + dt.timedelta(hours=1))
        self.rebuild()
        self.copy = folder / "copy"
        backups.backup(self.store, self.copy)

    def rebuild(self) -> None:
        publish(self.store, force=True, clock=lambda: LATER)

    def found(self, *, deep: bool = False) -> tuple[Finding, ...]:
        return doctor.examine(self.store, deep=deep, clock=lambda: LATER).findings

    def codes(self, *, deep: bool = False) -> list[str]:
        return [one.code for one in self.found(deep=deep)]

    def segment(self) -> Path:
        return sorted(self.store.segments.glob("payment/*.parquet"))[0]

    def received(self) -> Path:
        return sorted(self.store.inbox.glob("*"))[0]

    def generation(self) -> Path:
        current = self.store.current()
        assert current is not None
        return current

    def sql(self, statement: str) -> None:
        with self.store.control.engine.begin() as con:
            con.execute(sa.text(statement))

    def bring_back(self, file: Path) -> None:
        """What the advice says: copy the file back from the same place in a backup."""
        file.unlink(missing_ok=True)
        shutil.copy(self.copy / file.relative_to(self.store.path), file)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, log_kind: str) -> Ward:
    return Ward(tmp_path_factory.mktemp("ward"))


@pytest.fixture
def ward(made: Ward, tmp_path: Path, log_kind: str, request: pytest.FixtureRequest) -> Ward:
    """A store of one's own to damage: hard links would damage the others, so it is copied."""
    made.store.control.close()
    shutil.copytree(made.folder, tmp_path / "ward")
    ward = Ward.__new__(Ward)
    Office.__init__(ward, tmp_path / "ward")
    ward.copy = tmp_path / "ward" / "copy"
    if log_kind == "postgresql":
        part_from(ward.store, request.getfixturevalue("postgres"))
    return ward


def cut(file: Path) -> None:
    data = file.read_bytes()
    file.unlink()
    file.write_bytes(data[: len(data) // 2])


def flip(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.unlink()
    file.write_bytes(data)


@pytest.mark.both_logs
def test_a_sound_store_is_healthy_also_when_looked_at_closely(ward: Ward) -> None:
    report = doctor.examine(ward.store, deep=True, clock=lambda: LATER)
    assert (report.findings, report.healthy) == ((), True)
    segments = len(list(ward.store.segments.rglob("*.parquet")))
    assert (report.batches, report.segments, report.received) == (5, segments, 4)


@pytest.mark.both_logs
def test_looking_changes_nothing(ward: Ward) -> None:
    def state() -> dict[str, bytes]:
        files = (file for file in ward.store.path.rglob("*") if file.is_file())
        return {str(file): file.read_bytes() for file in files if file.suffix not in (".sqlite-wal", ".sqlite-shm")}

    before = state()
    ward.found()
    after = state()
    assert {k: v for k, v in after.items() if "sqlite-" not in k} == {
        k: v for k, v in before.items() if "sqlite-" not in k
    }


@pytest.mark.parametrize(
    ("damage", "code"), [(cut, "segment_size"), (flip, "segment_hash"), (Path.unlink, "segment_missing")]
)
def test_a_damaged_segment_is_found_and_a_backup_mends_it(
    ward: Ward, damage: Callable[[Path], None], code: str
) -> None:
    file = ward.segment()
    damage(file)
    (one,) = ward.found()
    assert (one.code, one.severity, one.where) == (code, "error", str(file))
    ward.bring_back(file)
    assert ward.codes(deep=True) == []


@pytest.mark.parametrize(
    ("damage", "code"), [(cut, "received_hash"), (flip, "received_hash"), (Path.unlink, "received_missing")]
)
def test_a_damaged_received_file_is_found_and_a_backup_mends_it(
    ward: Ward, damage: Callable[[Path], None], code: str
) -> None:
    file = ward.received()
    damage(file)
    assert ward.codes() == [code]
    ward.bring_back(file)
    assert ward.codes() == []


def test_a_missing_received_file_may_be_put_back_from_its_original(ward: Ward) -> None:
    batch = ward.store.control.batches()[-2]
    (ward.store.inbox / batch["file_sha"]).unlink()
    (one,) = ward.found()
    assert batch["file_name"] in one.zh and batch["file_name"] in one.en
    shutil.copy(ward.folder / batch["file_name"], one.where)
    assert ward.codes() == []


@pytest.mark.parametrize(
    ("damage", "code"), [(cut, "generation_altered"), (flip, "generation_altered"), (Path.unlink, "generation_missing")]
)
def test_a_damaged_generation_is_found_and_a_rebuild_mends_it(
    ward: Ward, damage: Callable[[Path], None], code: str
) -> None:
    damage(ward.generation())
    (one,) = ward.found()
    assert (one.code, "cockpit rebuild" in one.do_zh, "cockpit rebuild" in one.do_en) == (code, True, True)
    ward.rebuild()
    assert ward.codes(deep=True) == []


def test_a_damaged_earlier_generation_is_told_and_may_be_deleted(ward: Ward) -> None:
    first = ward.generation()
    ward.rebuild()
    cut(first)
    (one,) = ward.found()
    assert (one.code, one.severity, one.where) == ("generation_old_altered", "warning", str(first))
    first.unlink()
    assert ward.codes() == []


@pytest.mark.parametrize("damage", [cut, flip, Path.unlink])
def test_no_figures_are_made_of_a_damaged_segment(ward: Ward, damage: Callable[[Path], None]) -> None:
    before = ward.generation()
    damage(ward.segment())
    with pytest.raises(StoreError, match=r"cockpit doctor"):
        ward.rebuild()
    assert ward.generation() == before and before.exists()


@pytest.mark.parametrize(
    ("text", "code"),
    [("", "pointer_missing"), ("nine.duckdb", "pointer_wrong"), ("../1.duckdb", "pointer_wrong"), ("99.duckdb", "generation_missing")],
)  # fmt: skip
def test_a_wrong_pointer_is_found_and_a_rebuild_mends_it(ward: Ward, text: str, code: str) -> None:
    (ward.store.generations / "CURRENT").write_text(text, encoding="utf-8")
    assert ward.codes() == [code]
    ward.rebuild()
    assert ward.codes(deep=True) == []


def test_a_pointer_to_an_earlier_generation_is_found(ward: Ward) -> None:
    first = ward.generation().name
    ward.rebuild()
    (ward.store.generations / "CURRENT").write_text(first, encoding="utf-8")
    assert ward.codes() == ["pointer_old"]


@pytest.mark.both_logs
def test_a_generation_that_lacks_the_newest_batch_is_found(ward: Ward) -> None:
    ward.minute = 100
    ward.hand_in("三月.csv", pay(P1.replace("V1", "V9").replace("2025-01", "2025-03")))
    assert ward.codes() == ["generation_behind"]
    ward.rebuild()
    assert ward.codes() == []


def test_a_generation_whose_figures_are_not_those_of_the_segments_is_found(ward: Ward) -> None:
    import duckdb

    file = ward.generation()
    with duckdb.connect(str(file)) as con:
        con.execute("UPDATE d_payment SET amount = amount + 1 WHERE voucher = 'V1'")
    ward.sql("UPDATE generation SET sha256 = NULL")
    assert ward.codes() == []
    (one,) = ward.found(deep=True)
    assert one.code == "generation_differs" and "d_payment" in one.where
    ward.rebuild()
    assert ward.codes(deep=True) == []


@pytest.mark.parametrize(
    "damage", [cut, lambda file: file.write_bytes(b""), lambda file: file.write_text("words" * 999)]
)
def test_a_damaged_control_log_is_found_and_nothing_is_loaded_over_it(
    ward: Ward, damage: Callable[[Path], None]
) -> None:
    log = ward.store.path / "control.sqlite"
    damage(log)
    assert ward.codes() == ["log_damaged"]
    segments = sorted(ward.store.segments.rglob("*.parquet"))
    with pytest.raises(Exception):  # noqa: B017 - the database says it in words of its own
        ward.hand_in("三月.csv", pay(P1))
    assert sorted(ward.store.segments.rglob("*.parquet")) == segments
    fresh = Store(ward.folder / "fresh")
    backups.restore(ward.copy, fresh)
    publish(fresh, clock=lambda: LATER)
    assert doctor.examine(fresh, deep=True, clock=lambda: LATER).healthy


def test_a_missing_control_log_is_found_and_nothing_is_loaded_over_it(ward: Ward) -> None:
    for file in ward.store.path.glob("control.sqlite*"):
        file.unlink()
    assert ward.codes() == ["log_missing"]
    with pytest.raises(StoreError, match="missing"):
        ward.hand_in("三月.csv", pay(P1))
    assert ward.segment().exists()


@pytest.mark.parametrize(
    ("place", "code"),
    [("seg/payment/00000099-0.parquet", "segment_foreign"), ("seg/notes.txt", "segment_foreign"), ("inbox/报表.xlsx", "received_foreign"),
     ("gen/old.duckdb", "generation_foreign"), ("tmp/payment-9.parquet.tmp", "leftover"), ("inbox/ab.tmp", "leftover"),
     ("gen/9.duckdb.tmp", "leftover")],
)  # fmt: skip
def test_a_file_that_does_not_belong_is_found_and_may_be_moved_away(ward: Ward, place: str, code: str) -> None:
    file = ward.store.path / place
    file.write_bytes(b"foreign")
    (one,) = ward.found()
    assert (one.code, one.severity, one.where) == (code, "warning", str(file))
    file.unlink()
    assert ward.codes() == []


def meanwhile(
    monkeypatch: pytest.MonkeyPatch, module: object, name: str, work: Callable[[], object], *, times: int = 1
) -> None:
    """Let somebody work just before a step of the doctor, as often as said."""
    step, left = getattr(module, name), [work] * times

    def after(*args: object, **options: object) -> object:
        if left:
            left.pop()()
        return step(*args, **options)

    monkeypatch.setattr(module, name, after)


def load_march(ward: Ward) -> None:
    ward.minute = 100
    ward.hand_in("三月.csv", pay(P1.replace("V1", "V9").replace("2025-01", "2025-03")))


@pytest.mark.parametrize("step", ["check_log", "check_segments", "check_generations", "check_agreement"])
def test_a_load_between_two_looks_of_the_doctor_is_no_finding(
    ward: Ward, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """The log read first knows neither the new segment nor the new generation."""

    def load() -> None:
        load_march(ward)
        ward.rebuild()

    meanwhile(monkeypatch, doctor, step, load)
    assert ward.codes() == []


def test_a_load_that_publishes_a_moment_after_its_commit_is_no_finding(
    ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    meanwhile(monkeypatch, doctor, "check_log", lambda: load_march(ward))
    meanwhile(monkeypatch, agreement.time, "sleep", ward.rebuild)
    assert ward.codes() == []


@pytest.mark.both_logs
def test_what_a_writer_at_work_is_about_to_set_right_is_not_told(ward: Ward) -> None:
    """A segment before its log entry and a generation behind the log are findings once the writer is gone."""
    load_march(ward)
    (ward.store.segments / "payment" / "00000006-0.parquet").write_bytes(b"not yet committed")
    with writer_lock(ward.store.lock):
        assert ward.codes() == []
    assert sorted(ward.codes()) == ["generation_behind", "segment_foreign"]


@pytest.mark.both_logs
def test_damage_is_told_also_beside_a_writer(ward: Ward) -> None:
    cut(ward.segment())
    ward.generation().unlink()
    with writer_lock(ward.store.lock):
        assert sorted(ward.codes()) == ["generation_missing", "segment_size"]


def test_a_load_before_the_figures_are_made_anew_is_told_as_that(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    meanwhile(monkeypatch, doctor, "check_pairs", lambda: load_march(ward))
    assert ward.codes(deep=True) == ["generation_behind"]


def test_a_file_that_vanishes_after_it_was_listed_is_gone(ward: Ward) -> None:
    """A link to nothing is listed and cannot be opened, like a file removed in between."""
    first = ward.generation()
    ward.rebuild()
    first.unlink()
    for place in (first, ward.store.tmp / "a.tmp", ward.store.inbox / "a.tmp", ward.store.inbox / ("0" * 64),
                  ward.store.segments / "payment" / "00000009-0.parquet"):  # fmt: skip
        place.symlink_to(ward.folder / "nothing")
    assert ward.codes(deep=True) == []


def test_temporary_files_of_a_load_at_work_are_no_leftovers(ward: Ward) -> None:
    (ward.store.tmp / "payment-9.parquet.tmp").write_bytes(b"half")
    with writer_lock(ward.store.lock):
        assert ward.codes() == []
    assert ward.codes() == ["leftover"]


@pytest.mark.both_logs
@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("UPDATE batch SET accepted = accepted + 1 WHERE batch_seq = 2", "counts_wrong"),
        ("UPDATE batch SET recorded_at = '2027-01-01T00:00:00.000000Z' WHERE batch_seq = 2", "batch_time"),
        ("UPDATE batch SET withdraws = 1 WHERE batch_seq = 3", "withdrawal_loose"),
        ("UPDATE segment SET rows = rows + 1 WHERE batch_seq = 2", "segment_rows"),
        ("UPDATE receipt SET batch_seq = 77 WHERE batch_seq = 2", "receipt_loose"),
        ("UPDATE quarantine SET closed_by = 77", "quarantine_loose"),
        ("DELETE FROM batch WHERE batch_seq = 2", "batch_gap"),
        ("DELETE FROM segment WHERE batch_seq = 2", "segment_foreign"),
        ("UPDATE alembic_version SET version_num = '0001'", "schema_behind"),
        ("UPDATE alembic_version SET version_num = '9999'", "schema_ahead"),
        ("DROP TABLE quarantine", "log_damaged"),
    ],
)  # fmt: skip
def test_an_altered_log_is_found(ward: Ward, statement: str, code: str) -> None:
    ward.sql(statement)
    assert code in ward.codes()


def test_a_log_replaced_by_an_older_one_is_found(ward: Ward) -> None:
    """The backup's log is put in place after another load: the newest segment and the generation are ahead of it."""
    ward.minute = 100
    ward.hand_in("三月.csv", pay(P1.replace("V1", "V9").replace("2025-01", "2025-03")))
    ward.rebuild()
    ward.store.control.close()
    for file in ward.store.path.glob("control.sqlite*"):
        file.unlink()
    shutil.copy(ward.copy / "control.sqlite", ward.store.path / "control.sqlite")
    assert {"segment_foreign", "generation_ahead"} <= set(ward.codes())


def test_a_clock_that_stepped_back_is_found(ward: Ward) -> None:
    early = doctor.examine(ward.store, clock=lambda: NOW - dt.timedelta(days=400))
    assert [one.code for one in early.findings] == ["clock_behind"]


def test_a_full_disk_and_rights_are_told(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    ward.store.path.chmod(0o777)
    assert ward.codes() == ["open_to_all"]
    ward.store.path.chmod(0o755)
    monkeypatch.setattr(surroundings.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(100, 99, 1))
    assert ward.codes() == ["disk_low"]
    monkeypatch.undo()
    monkeypatch.setattr(surroundings.os, "access", lambda *_: False)
    assert set(ward.codes()) == {"no_access"}


def test_a_missing_folder_is_told(ward: Ward) -> None:
    shutil.rmtree(ward.store.tmp)
    assert ward.codes() == ["folder_missing"]
    ward.store.tmp.mkdir()
    assert ward.codes() == []


def test_what_is_not_a_store_is_said(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "none"):
        with pytest.raises(StoreError, match="store"):
            doctor.examine(Store(place))


def test_a_store_before_its_first_load_is_healthy(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    store.create()
    assert doctor.examine(store, deep=True).findings == ()


@pytest.mark.parametrize("code", codes())
def test_every_finding_says_where_and_what_to_do_in_both_languages(code: str) -> None:
    one = finding(code, "HERE", "THIS", "THAT")
    assert one.severity in ("error", "warning")
    assert one.zh.endswith("。") and one.en.endswith((".", "”")) and one.do_zh and one.do_en
    assert all("HERE" in said or code == "quarantine_loose" for said in (one.zh, one.en))
