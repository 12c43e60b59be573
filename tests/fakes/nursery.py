"""A process that imports the warehouse once and forks workers to be killed: `python -m tests.fakes.nursery STORE FILES`.

Each line on standard input is one trial: `first stage seconds`. A forked worker goes through load, publish, withdraw and
compact over and over, beginning with file number `first`, and tells what it begins and what is acknowledged; the given
time after it has begun the named stage it is killed. `stage` none lets it end one round.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from warehouse import draft
from warehouse.base.clock import system_clock
from warehouse.compaction import Policy, compact
from warehouse.control import withdrawn
from warehouse.ingest import load
from warehouse.publish import publish
from warehouse.retention import drop_replaced
from warehouse.store import Store
from warehouse.withdrawal import withdraw

ROUNDS = 4


def work(store: Store, folder: Path, first: int, files: int, rounds: int) -> None:
    drafted_from = draft.FEWEST_ROWS
    for number in (n % files for n in range(first, first + rounds)):
        draft.FEWEST_ROWS = 1 if number % 3 == 0 else drafted_from
        with _told("load", number):
            (report,) = load(store, [folder / f"pay{number}.csv"])
            assert report.status in ("committed", "unchanged"), report
        with _told("publish", number):
            publish(store)
        with _told("withdraw", number):
            if number % 2:
                withdraw(store, standing_batch(store, report.file), why="报错")
        with _told("compact", number):
            compact(store, Policy(most_segments=1))
            publish(store)
            with store.writing():
                drop_replaced(store, 0, system_clock())


def standing_batch(store: Store, file: str) -> int:
    """Return the batch that brought a file's rows, also when the one that loaded it was killed before it could say so."""
    batches = store.control.batches()
    gone = withdrawn(batches)
    return max(
        b["batch_seq"] for b in batches if b["file_name"] == file and b["kind"] == "load" and b["batch_seq"] not in gone
    )


@contextlib.contextmanager
def _told(stage: str, number: int) -> Iterator[None]:
    os.write(1, f"begin {stage} {number}\n".encode())
    start = time.monotonic()
    yield
    os.write(1, f"done {stage} {number} {time.monotonic() - start:.4f}\n".encode())


def trial(store: Path, folder: Path, files: int, first: int, stage: str, seconds: float) -> None:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.dup2(writer, 1)
        status = 1
        try:
            work(Store(store), folder, first, files, 1 if stage == "none" else ROUNDS)
            status = 0
        finally:
            os._exit(status)
    os.close(writer)
    with os.fdopen(reader, encoding="utf-8") as told:
        for line in told:
            print(line, end="", flush=True)
            if line.startswith(f"begin {stage} "):
                time.sleep(seconds)
                os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    print("killed" if os.WIFSIGNALED(status) else f"ended {os.WEXITSTATUS(status)}", flush=True)


def main() -> None:
    store, folder, files = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    print("ready", flush=True)
    for line in sys.stdin:
        first, stage, seconds = line.split()
        trial(store, folder, files, int(first), stage, float(seconds))


if __name__ == "__main__":
    main()
