"""Writers wait for each other; readers always see the figures of one published batch."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import duckdb
import pytest

from tests.fakes.office import NOW, ORG, Office, pay
from warehouse.base.errors import StoreBusy
from warehouse.compaction import Policy, compact
from warehouse.contracts import Contract
from warehouse.durable import writer_lock
from warehouse.health.examine import examine
from warehouse.ingest import load
from warehouse.publish import publish
from warehouse.store import Store

ROOT = Path(__file__).parents[2]
LOADER = """
import sys
from pathlib import Path
from warehouse.ingest import load
from warehouse.store import Store
print("ready", flush=True)
sys.stdin.readline()
for file in sys.argv[2:]:
    report = load(Store(sys.argv[1]), [Path(file)], progress=lambda text: print(text, flush=True))[0]
    print(report.status, flush=True)
"""


def payment(number: int, amount: int) -> str:
    return (
        f"V{number},1,市财政局,2025-{number % 12 + 1:02d}-10,30201,办公费,一般公共预算财政拨款,基本支出-公用,{amount}"
    )


@pytest.fixture
def office(tmp_path: Path) -> Office:
    office = Office(tmp_path)
    office.hand_in("组织机构.csv", ORG)
    return office


def loader(store: Store, *files: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", LOADER, str(store.path), *map(str, files)]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


# --- two writers ------------------------------------------------------------------------------------------------------


def test_a_second_writer_says_that_it_waits_and_goes_on_when_the_first_has_ended(
    office: Office, tmp_path: Path
) -> None:
    (tmp_path / "支付.csv").write_text(pay(payment(1, 100)), encoding="utf-8")
    with loader(office.store, tmp_path / "支付.csv") as other:
        assert other.stdin and other.stdout and other.stdout.readline() == "ready\n"
        with office.store.writing():
            print("go", file=other.stdin, flush=True)
            assert other.stdout.readline() == "Another writer is at work; waiting for it.\n"
            assert office.store.control.last()[0] == 1
        assert other.stdout.read().splitlines()[-1] == "committed"
    assert office.store.control.last()[0] == 2


def test_two_processes_that_load_at_once_both_get_all_their_files_in(office: Office, tmp_path: Path) -> None:
    files = [tmp_path / f"支付{number}.csv" for number in range(8)]
    for number, file in enumerate(files):
        file.write_text(pay(payment(number, 2**number)), encoding="utf-8")
    with loader(office.store, *files[:4]) as one, loader(office.store, *files[4:]) as other:
        for process in (one, other):
            assert process.stdin and process.stdout and process.stdout.readline() == "ready\n"
        for process in (one, other):
            print("go", file=process.stdin, flush=True)
        said = [process.stdout.read().split("\n") for process in (one, other) if process.stdout]
    assert [lines.count("committed") for lines in said] == [4, 4]
    assert [row["batch_seq"] for row in office.store.control.batches()] == list(range(10))
    assert sum(office.amounts().values()) == 2**8 - 1
    assert not examine(office.store, deep=True, clock=lambda: NOW + dt.timedelta(days=9999)).findings


def test_a_writer_gives_up_in_words_when_the_other_never_ends(office: Office) -> None:
    with (
        writer_lock(office.store.lock),
        pytest.raises(StoreBusy, match="Another writer holds the store"),
        office.store.writing(wait_seconds=0.2),
    ):
        pass


@pytest.mark.soak
def test_the_command_waits_thirty_seconds_and_ends_with_two(office: Office, tmp_path: Path) -> None:
    (tmp_path / "支付.csv").write_text(pay(payment(1, 100)), encoding="utf-8")
    command = [sys.executable, "-m", "cockpit", "load", str(tmp_path / "支付.csv"), "--store", str(office.store.path)]
    with office.store.writing():
        start = time.monotonic()
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and time.monotonic() - start >= 30
    assert "waiting for it" in done.stderr and "more than 30 s" in done.stderr and "Traceback" not in done.stderr


# --- readers beside a writer ------------------------------------------------------------------------------------------


def unit_total(con: duckdb.DuckDBPyConnection, contracts: Mapping[str, Contract]) -> None:
    """A second table of the same file, so that a reader can tell a torn one."""
    con.execute("CREATE TABLE unit_total AS SELECT unit, sum(amount) AS total FROM d_payment WHERE rec_to = 2147483647 GROUP BY 1")  # fmt: skip


def read_beside(office: Office, tmp_path: Path, seconds: int) -> int:
    """Commit, publish and now and then compact every second beside four readers; return how often they looked."""
    store = office.store
    (tmp_path / "支付.csv").write_text(pay(payment(0, 1)), encoding="utf-8")
    load(store, [tmp_path / "支付.csv"])
    publish(store, [unit_total])
    command = [sys.executable, "-m", "tests.fakes.reader", str(store.path), str(seconds)]
    told = [tmp_path / f"reader{number}.txt" for number in range(4)]
    readers = [subprocess.Popen(command, cwd=ROOT, stdout=file.open("w")) for file in told]
    totals, amounts, number = {2: 1}, {0: 1}, 1
    start = time.monotonic()
    while any(reader.poll() is None for reader in readers):
        amounts[number % 12] = 1000 + number  # each month is sent again and again
        (tmp_path / "支付.csv").write_text(pay(payment(number % 12, 1000 + number)), encoding="utf-8")
        (report,) = load(store, [tmp_path / "支付.csv"])
        assert report.batch_seq == number + 2, report
        totals[report.batch_seq] = sum(amounts.values())
        with store.writing():
            publish(store, [unit_total])
        if number % 5 == 0:
            compact(store, Policy(most_segments=3))
            with store.writing():
                publish(store, [unit_total])
        number += 1
        time.sleep(max(0.0, start + number - time.monotonic()))  # a commit a second
    looks = [line.split() for file in told for line in file.read_text().splitlines()]
    failed = [" ".join(look) for look in looks if look[0] == "failed"]
    assert not failed, failed[:3]
    torn = [look for look in looks if [int(cell) for cell in look[1:]] != [int(look[0]), *[totals[int(look[0])]] * 2]]
    assert not torn, torn[:3]
    assert all(reader.returncode == 0 for reader in readers)
    assert len({look[0] for look in looks}) >= 3, "the readers saw the figures move"
    return len(looks)


def test_four_readers_beside_a_commit_a_second_see_whole_batches_only(office: Office, tmp_path: Path) -> None:
    assert read_beside(office, tmp_path, 10) > 40


@pytest.mark.soak
def test_four_readers_for_ten_minutes(office: Office, tmp_path: Path) -> None:
    assert read_beside(office, tmp_path, 600) > 2000
