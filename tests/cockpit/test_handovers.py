"""Hand-overs are loaded once, in their order, whatever happens to the worker."""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
import textwrap
import threading
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cockpit import handovers as hand
from tests.fakes.office import NOW, ORG, P1, P2, P2B, Office, pay
from warehouse import desk
from warehouse.durable import writer_lock
from warehouse.operations import handover
from warehouse.operations.handover import HandoverRow

ROOT = Path(__file__).parents[2]


def clock() -> dt.datetime:
    return NOW + dt.timedelta(hours=1)


@pytest.fixture
def office(tmp_path: Path):
    office = Office(tmp_path)
    office.hand_in("组织机构.csv", ORG)
    yield office
    office.store.control.close()


def give(
    office: Office, key: str, text: str, name: str = "支付.csv", *, accept: bool = True, **values: Any
) -> HandoverRow:
    kept = desk.keep(office.store, key, name, [text.encode()], most=10_000)
    row = HandoverRow(key, name, kept.sha, kept.bytes, "clerk", clock(), **values)
    handover.add_handover(office.store.control.engine, row)
    if accept:
        assert handover.accept_handover(office.store.control.engine, key, clock())
    return row


def told(office: Office, key: str) -> HandoverRow:
    row = handover.find_handover(office.store.control.engine, key)
    assert row is not None
    return row


def test_what_is_accepted_is_loaded_published_and_told(office: Office) -> None:
    give(office, "h1", pay(P1))
    give(office, "h2", pay(P2), accept=False)
    assert hand.take_handovers(office.store, clock) == 1
    row = told(office, "h1")
    assert row.state == handover.DONE
    assert row.report is not None
    assert (row.report[0]["accepted"], row.report[0]["status"]) == (1, "committed")
    assert office.store.open_generation().through_seq == row.report[0]["batch_seq"]
    assert office.store.control.batches()[-1]["recorded_by"] == "clerk"
    assert told(office, "h2").state == handover.RECEIVED
    assert not desk.place_of(office.store, "h1", "支付.csv").exists()
    assert desk.place_of(office.store, "h2", "支付.csv").exists()
    assert hand.take_handovers(office.store, clock) == 0


def test_corrections_and_scope_go_with_the_load(office: Office) -> None:
    text = pay(P1, P2.replace("市教育局", "市教育句")).replace("单位名称", "用款部门")
    corrections = {"columns": {"用款部门": "unit"}, "organisations": {"市教育句": "B"}}
    give(office, "h1", text, source="payment", corrections=corrections, scope={"units": ["B"]})
    hand.take_handovers(office.store, clock)
    row = told(office, "h1")
    assert row.report is not None
    assert (row.report[0]["accepted"], row.report[0]["quarantined"]) == (1, 1)
    assert office.amounts() == {"V2": Decimal(200)}


def test_hand_overs_are_taken_in_the_order_they_were_accepted(office: Office) -> None:
    give(office, "b", pay(P2), accept=False)
    give(office, "a", pay(P2B), accept=False)
    engine = office.store.control.engine
    handover.accept_handover(engine, "b", clock())
    handover.accept_handover(engine, "a", clock() + dt.timedelta(seconds=1))
    assert hand.take_handovers(office.store, lambda: clock() + dt.timedelta(minutes=1)) == 2
    assert office.amounts() == {"V2": Decimal(250)}


def test_a_decision_is_taken_once(office: Office) -> None:
    give(office, "h1", pay(P1))
    engine = office.store.control.engine
    assert not handover.accept_handover(engine, "h1", clock())
    assert not handover.discard_handover(engine, "h1", clock())
    assert not handover.understand_handover(engine, "h1", {}, clock(), source=None, corrections={})
    give(office, "h2", pay(P1), accept=False)
    assert handover.discard_handover(engine, "h2", clock())
    assert not handover.accept_handover(engine, "h2", clock())
    assert [row.handover_id for row in handover.handovers(engine, "clerk", 10)] == ["h1"]
    assert handover.handovers(engine, "another", 10) == ()


def test_a_worker_that_died_after_the_commit_left_a_receipt_that_is_the_outcome(office: Office, monkeypatch) -> None:
    give(office, "h1", pay(P1))

    class Killed(BaseException):
        pass

    def dies(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("cockpit.pipeline.rebuild", dies)
        with pytest.raises(Killed):
            hand.take_handovers(office.store, clock)
    assert told(office, "h1").state == handover.LOADING
    batches = len(office.store.control.batches())
    assert hand.take_handovers(office.store, clock) == 1
    row = told(office, "h1")
    assert row.report is not None
    assert (row.state, row.report[0]["status"], row.report[0]["accepted"]) == (handover.DONE, "committed", 1)
    assert len(office.store.control.batches()) == batches
    assert office.store.open_generation().through_seq == batches - 1


def test_a_file_something_was_taken_out_of_is_known_again_by_what_was_handed_in(office: Office, monkeypatch) -> None:
    """A telephone number is not kept: what lies in the inbox is not the file that lay on the desk."""
    give(office, "h1", pay(P1.replace("办公费", "办公费 13912345678")))

    def dies(*_: object, **__: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr("cockpit.pipeline.rebuild", dies)
        assert hand.take_handovers(office.store, clock) == 0
    receipts = len(office.store.control.receipts())
    assert hand.take_handovers(office.store, clock) == 1
    row = told(office, "h1")
    assert row.report is not None
    assert (row.state, row.report[0]["status"], row.report[0]["accepted"]) == (handover.DONE, "committed", 1)
    assert len(office.store.control.receipts()) == receipts


def test_another_writer_is_waited_for_without_losing_a_try(office: Office, monkeypatch) -> None:
    give(office, "h1", pay(P1))
    monkeypatch.setattr("warehouse.durable.time.monotonic", iter(range(0, 10_000, 40)).__next__)
    with writer_lock(office.store.lock):
        assert hand.take_handovers(office.store, clock) == 0
    assert (told(office, "h1").state, told(office, "h1").tries) == (handover.WAITING, 0)
    assert hand.take_handovers(office.store, clock) == 1


def test_a_file_that_always_fails_is_given_up_and_the_next_one_is_taken(office: Office, monkeypatch) -> None:
    give(office, "h1", pay(P1))
    give(office, "h2", pay(P2), name="二.csv")
    real = hand.load_and_publish

    def breaks(store, paths, **values):
        if "支付" in str(paths[0]):
            raise MemoryError
        return real(store, paths, **values)

    monkeypatch.setattr(hand, "load_and_publish", breaks)
    for _ in range(hand.MOST_TRIES):
        hand.take_handovers(office.store, clock)
    assert told(office, "h1").state == handover.FAILED
    assert told(office, "h1").why.startswith("#")
    assert told(office, "h2").state == handover.DONE


def test_a_file_that_is_no_longer_there_is_said_to_be_lost(office: Office) -> None:
    give(office, "h1", pay(P1))
    desk.drop(office.store, "h1")
    hand.take_handovers(office.store, clock)
    assert (told(office, "h1").state, told(office, "h1").why) == (handover.FAILED, "lost")


def test_an_empty_or_missing_store_has_nothing_to_take(tmp_path: Path) -> None:
    from warehouse.store import Store

    assert hand.take_handovers(Store(tmp_path / "nowhere"), clock) == 0


WORKER = """
    import sys, threading
    from warehouse.base.clock import system_clock
    from warehouse.store import Store
    from cockpit.handovers import watch_handovers
    print("up", flush=True)
    watch_handovers(Store(sys.argv[1]), system_clock, threading.Event())
"""


def start_worker(store: Path) -> subprocess.Popen[str]:
    code = textwrap.dedent(WORKER)
    return subprocess.Popen(
        [sys.executable, "-c", code, str(store)], cwd=ROOT, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


def kill_at(worker: subprocess.Popen[str], seconds: float) -> None:
    timer = threading.Timer(seconds, worker.send_signal, [signal.SIGKILL])
    timer.start()
    worker.wait()
    timer.join()
    assert worker.stdout is not None
    worker.stdout.close()


def killed_anywhere(office: Office, moments: list[float]) -> None:
    """Kill a worker at each moment after its start, with one file a round; then let one finish what was left."""
    for number, seconds in enumerate(moments):
        give(office, f"h{number}", pay(P1.replace("V1", f"V{number}")), name=f"{number}.csv")
        worker = start_worker(office.store.path)
        assert worker.stdout is not None
        worker.stdout.readline()
        kill_at(worker, seconds)
    office.store.control.close()
    later = lambda: dt.datetime.now(dt.UTC)  # noqa: E731
    hand.take_handovers(office.store, later)
    for number in range(len(moments)):
        row = told(office, f"h{number}")
        assert row.report is not None
        assert (row.state, sum(one["accepted"] for one in row.report)) == (handover.DONE, 1)
    loads = [batch for batch in office.store.control.batches() if batch["dataset"] == "payment"]
    assert len(loads) == len(moments)
    assert office.store.open_generation().through_seq == loads[-1]["batch_seq"]


def test_a_worker_killed_at_any_moment_loses_nothing_and_loads_nothing_twice(office: Office) -> None:
    killed_anywhere(office, [0.3, 0.9, 1.3])


@pytest.mark.soak
def test_a_worker_killed_at_many_moments(office: Office) -> None:
    killed_anywhere(office, [0.1 * step for step in range(1, 26)])
