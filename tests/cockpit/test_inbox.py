"""The watched inbox: only what is complete is taken, once, and what became of it lies beside it."""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cockpit.inbox import Inbox
from cockpit.inbox_taking import Taking
from cockpit.pipeline import load_and_publish
from tests.fakes.office import NOW, ORG, P1, P2, PAY, pay
from warehouse import operations
from warehouse.base.errors import StoreBusy
from warehouse.receipts import FileReport
from warehouse.store import Store


class Desk:
    """An inbox, the store behind it, and the worker's hand."""

    def __init__(self, folder: Path) -> None:
        self.store, self.folder = Store(folder / "store"), folder / "inbox"
        self.folder.mkdir()
        self.taking = self.hand()

    def hand(self, load: Callable[..., list[FileReport]] = load_and_publish) -> Taking:
        return Taking(self.store, Inbox(self.folder), lambda: NOW, load)

    def put(self, name: str, text: str) -> Path:
        place = self.folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
        return place

    def take(self, *, looks: int = 2) -> int:
        return sum(self.taking.step() for _ in range(looks))

    def files(self) -> set[str]:
        found = (path.relative_to(self.folder) for path in self.folder.rglob("*") if path.is_file())
        return {str(path) for path in found if ".report." not in path.name}

    def datasets(self) -> list[tuple[str, str]]:
        return [(b["dataset"], b["recorded_by"]) for b in self.store.control.batches() if b["batch_seq"]]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_file_is_taken_published_and_moved_with_its_report(desk: Desk) -> None:
    desk.put("org.csv", ORG)
    assert [desk.taking.step() for _ in range(3)] == [0, 1, 0]
    desk.put(
        "市财政局/支付.csv", pay(P1, P2, "V3,1,市气象局,2025-01-10,30201,办公费,一般公共预算财政拨款,基本支出-公用,1")
    )
    desk.put("notes.txt", "no table")
    desk.put("broken.csv", "")
    assert desk.take() == 2
    assert desk.files() == {"done/org.csv", "done/市财政局/支付.csv", "refused/notes.txt", "broken.csv"}
    assert desk.datasets() == [("org_unit", "inbox"), ("payment", "市财政局")]
    assert desk.store.open_generation().through_seq == 2
    told = json.loads((desk.folder / "done/市财政局/支付.csv.report.json").read_text(encoding="utf-8"))
    assert told["actor"] == "市财政局"
    assert [(one["status"], one["accepted"], one["quarantined"]) for one in told["files"]] == [("committed", 2, 1)]
    text = (desk.folder / "done/市财政局/支付.csv.report.txt").read_text(encoding="utf-8")
    assert "市气象局" in text and "set aside" in text
    assert "not a table" in (desk.folder / "refused/notes.txt.report.txt").read_text(encoding="utf-8")


def test_an_empty_file_waits_and_is_refused_in_the_end(desk: Desk) -> None:
    desk.put("empty.csv", "")
    assert desk.take(looks=20) == 0
    assert desk.take(looks=2) == 1
    assert desk.files() == {"refused/empty.csv"}


def test_a_file_that_grows_or_has_an_unfinished_name_is_not_touched(desk: Desk) -> None:
    place = desk.put("org.csv", ORG[:40])
    for name in (".hidden.csv", "org.csv.part", "a.tmp", "~$a.xlsx", "b.CRDOWNLOAD"):
        desk.put(name, ORG)
    desk.taking.step()
    for size in (80, 120, len(ORG)):
        place.write_text(ORG[:size], encoding="utf-8")
        assert desk.taking.step() == 0
    os.utime(place, ns=(1, 1))
    assert desk.taking.step() == 0
    assert desk.taking.step() == 1
    (desk.folder / "org.csv.part").rename(desk.folder / "again.csv")
    assert desk.take() == 1
    assert desk.files() == {".hidden.csv", "a.tmp", "~$a.xlsx", "b.CRDOWNLOAD", "done/org.csv", "done/again.csv"}


def test_links_are_not_followed_and_names_never_collide(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text(ORG, encoding="utf-8")
    (desk.folder / "link.csv").symlink_to(tmp_path / "secret.csv")
    for _ in range(3):
        desk.put("org.csv", ORG)
        assert desk.take() == 1
    assert desk.files() == {"link.csv", "done/org.csv", "done/org (2).csv", "done/org (3).csv"}
    assert len(desk.datasets()) == 1


MANIFEST = """
[store]
origin = "real"
[[file]]
path = "org.csv"
source = "org_unit"
recorded_at = "2025-02-01T08:00:00+08:00"
[[file]]
path = "pay.csv"
source = "payment"
recorded_at = "2025-02-02T08:00:00+08:00"
"""


def test_a_folder_with_a_manifest_is_one_delivery(desk: Desk) -> None:
    desk.put("二月/manifest.toml", MANIFEST)
    desk.put("二月/org.csv", ORG)
    desk.put("二月/pay.csv.part", PAY)
    assert desk.take(looks=3) == 0
    (desk.folder / "二月/pay.csv.part").unlink()
    desk.put("二月/pay.csv", pay(P1))
    assert desk.take() == 1
    assert desk.files() == {"done/二月/manifest.toml", "done/二月/org.csv", "done/二月/pay.csv"}
    assert [b["recorded_at"][:10] for b in desk.store.control.batches() if b["batch_seq"]] == [
        "2025-02-01",
        "2025-02-02",
    ]
    told = json.loads((desk.folder / "done/二月.report.json").read_text(encoding="utf-8"))
    assert [one["status"] for one in told["files"]] == ["committed", "committed"]


def test_a_faulty_manifest_refuses_the_delivery(desk: Desk) -> None:
    desk.put("x/manifest.toml", '[[file]]\npath = "nowhere.csv"\n')
    assert desk.take() == 1
    assert desk.files() == {"refused/x/manifest.toml"}
    assert "nowhere.csv" in (desk.folder / "refused/x.report.txt").read_text(encoding="utf-8")


def test_a_missing_folder_is_said_once_and_taken_up_when_it_is_there(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.put("org.csv", ORG)
    desk.take()
    gone = desk.folder.rename(desk.folder.with_name("away"))
    desk.take(looks=5)
    runs = operations.last_runs(desk.store.control.engine)
    assert not runs["inbox"].ok and str(desk.folder) in runs["inbox"].message
    assert sum(str(desk.folder) in record.getMessage() for record in caplog.records) == 1
    gone.rename(desk.folder)
    desk.take(looks=1)
    assert operations.last_runs(desk.store.control.engine)["inbox"].ok


def test_a_busy_store_lets_the_inbox_wait(desk: Desk) -> None:
    def busy(*_: object, **__: object) -> list[FileReport]:
        raise StoreBusy("Another writer holds the store.", "wait")

    desk.taking = desk.hand(busy)
    desk.put("org.csv", ORG)
    assert desk.take(looks=3) == 0 and desk.files() == {"org.csv"}
    desk.taking = desk.hand()
    assert desk.take() == 1


def test_a_fault_of_ours_does_not_stop_the_others(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    def load(store: Store, paths: list[Path], **more: object) -> list[FileReport]:
        if any(path.name == "bad.csv" for path in paths):
            raise RuntimeError("nobody thought of it")
        return load_and_publish(store, paths, **more)  # type: ignore[arg-type]

    desk.taking = desk.hand(load)
    desk.put("bad.csv", ORG)
    desk.put("org.csv", ORG)
    assert desk.take(looks=5) == 2
    assert desk.files() == {"refused/bad.csv", "done/org.csv"}


KILLED = """
import datetime as dt, os, signal, sys
from pathlib import Path
from cockpit.inbox import Inbox
from cockpit.inbox_taking import Taking
from cockpit.pipeline import load_and_publish
from warehouse.store import Store

def load(*args, **more):
    load_and_publish(*args, **more)
    os.kill(os.getpid(), signal.SIGKILL)

clock = lambda: dt.datetime.fromisoformat(sys.argv[3])
taking = Taking(Store(sys.argv[1]), Inbox(Path(sys.argv[2])), clock, load)
taking.step(), taking.step()
"""


def test_a_worker_killed_between_load_and_move_undoes_nothing_newer(desk: Desk) -> None:
    """A is loaded and the worker dies; B corrects it; the next worker moves A away and B still stands."""
    desk.put("org.csv", ORG)
    desk.take()
    desk.put("a.csv", pay(P1))
    arguments = [sys.executable, "-c", KILLED, str(desk.store.path), str(desk.folder), NOW.isoformat()]
    assert subprocess.run(arguments, check=False).returncode == -signal.SIGKILL
    assert "a.csv" in desk.files() and len(desk.datasets()) == 2
    correction = desk.store.path.parent / "b.csv"
    correction.write_text(pay(P1.replace("100.50", "99.00")), encoding="utf-8")
    later = NOW + dt.timedelta(minutes=1)
    load_and_publish(desk.store, [correction], clock=lambda: later)
    desk.taking = Taking(desk.store, Inbox(desk.folder), lambda: later)
    assert desk.take() == 1
    assert desk.files() == {"done/org.csv", "done/a.csv"} and len(desk.datasets()) == 3
    rows = desk.store.open_generation().con.execute("SELECT amount FROM d_payment WHERE rec_to > 1000000").fetchall()
    assert [str(amount) for (amount,) in rows] == ["99.00"]
    told = json.loads((desk.folder / "done/a.csv.report.json").read_text(encoding="utf-8"))
    assert told["files"][0]["status"] == "committed" and not desk.taking.journal.exists()
    desk.put("a.csv", pay(P1))
    assert desk.take() == 1 and len(desk.datasets()) == 4
