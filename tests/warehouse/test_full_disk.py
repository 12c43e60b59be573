"""A disk that fills up at each stage: what is acknowledged stays, words instead of tracebacks, and it goes on afterwards."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cockpit.failures import words
from tests.fakes.office import NOW, ORG, P1, P2, P2B, Office, pay
from warehouse import compaction, ingest, publish, segment
from warehouse.base.errors import CockpitError
from warehouse.compaction import Policy, compact
from warehouse.control import Control
from warehouse.health.examine import examine
from warehouse.withdrawal import withdraw

SIZE = "48m"
LATER = NOW + dt.timedelta(days=1)


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A small disk in memory, gone afterwards."""
    place = tmp_path_factory.mktemp("disk")
    if os.geteuid() != 0:
        pytest.skip("a small disk can be mounted by root only")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", place], capture_output=True, text=True, check=False)  # fmt: skip
    if mounted.returncode:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr.strip()}")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


@pytest.fixture(scope="module")
def office(disk: Path) -> Office:
    office = Office(disk)
    office.hand_in("组织机构.csv", ORG)
    office.hand_in("支付.csv", pay(P1, P2))
    assert len(office.amounts()) == 2
    return office


class Ballast:
    """Takes all the room that is left, until it is thrown off."""

    def __init__(self, disk: Path) -> None:
        self.file = disk / "ballast"

    def fill(self) -> None:
        with self.file.open("ab", buffering=0) as handle, contextlib.suppress(OSError):
            for block in (1 << 20, 1 << 12, 1):
                with contextlib.suppress(OSError):
                    while True:
                        handle.write(b"x" * block)

    def throw_off(self) -> None:
        self.file.unlink(missing_ok=True)


@pytest.fixture
def ballast(disk: Path) -> Iterator[Ballast]:
    ballast = Ballast(disk)
    yield ballast
    ballast.throw_off()


STAGES: dict[str, tuple[Any, str]] = {
    "the copy of the received file": (ingest, "copy_aside"),
    "the segment": (segment, "write_aside"),
    "the control log": (Control, "commit"),
    "the generation built anew": (publish, "project"),
    "the generation carried on": (publish, "advance"),
    "the pointer": (publish, "write_text"),
    "the history": (compaction, "write_aside"),
    "the log of a rebase": (compaction, "_let_stand"),
    "the segment of a withdrawal": (segment, "write_aside"),
}


def full_at(monkeypatch: pytest.MonkeyPatch, stage: str, ballast: Ballast) -> None:
    """Let the disk run full at the moment a stage begins."""
    place, name = STAGES[stage]
    real: Callable[..., Any] = getattr(place, name)

    def on_a_full_disk(*given: Any, **named: Any) -> Any:
        ballast.fill()
        return real(*given, **named)

    monkeypatch.setattr(place, name, on_a_full_disk)


@pytest.mark.parametrize("stage", STAGES)
def test_the_disk_runs_full_at(stage: str, office: Office, ballast: Ballast, monkeypatch: pytest.MonkeyPatch) -> None:
    store = office.store
    if "rebase" in stage or "history" in stage:
        office.hand_in("先报.csv", pay(P1, P2B.replace(",250", f",{len(stage)}")))
    before = office.amounts()
    seqs = [row["batch_seq"] for row in store.control.batches()]
    # each time another figure, so that each time something is to be written
    text = pay(P1, P2B.replace(",250", f",{300 + len(seqs)}"))

    def attempt() -> None:
        if "rebase" in stage or "history" in stage:
            compact(store, Policy(most_segments=0), clock=lambda: LATER)
        elif "withdrawal" in stage:
            withdraw(store, seqs[-1], why="报错", clock=lambda: LATER)
        else:
            report = office.hand_in("更正.csv", text)
            assert report.status in ("committed", "unchanged"), report.message
            publish.publish(store, clock=lambda: LATER, force="anew" in stage)

    full_at(monkeypatch, stage, ballast)
    with pytest.raises(Exception) as full:
        attempt()
    monkeypatch.undo()
    told = (full.value.message, full.value.hint) if isinstance(full.value, CockpitError) else words(full.value)
    assert told is not None, f"a traceback: {full.value!r}"
    assert "disk is full" in told[0] and "acknowledged is kept" in told[1], told
    # readers see what was acknowledged, while the disk is still full
    shown = dict(store.open_generation().con.execute("SELECT voucher, amount FROM d_payment WHERE rec_to = 2147483647").fetchall())  # fmt: skip
    assert shown == before
    ballast.throw_off()
    attempt()
    publish.publish(store, clock=lambda: LATER)
    assert set(office.amounts()) == {"V1", "V2"}
    assert [row["batch_seq"] for row in store.control.batches()][: len(seqs)] == seqs
    found = [one for one in examine(store, deep=True, clock=lambda: LATER).findings if one.code != "disk_low"]
    assert not found, found
