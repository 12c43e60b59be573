"""Generations come and go: the newest three stay, and whoever reads an older one reads it to the end."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from tests.fakes.office import NOW, ORG, P1, P2, P2B, Office, pay
from warehouse.publish import publish

READER = """
import sys
from warehouse.store import Store
generation = Store(sys.argv[1]).open_generation()
print("open", flush=True)
sys.stdin.readline()
print(generation.con.execute("SELECT sum(amount) FROM d_payment WHERE rec_to = 2147483647").fetchone()[0], flush=True)
"""


@pytest.fixture
def office(tmp_path: Path) -> Office:
    office = Office(tmp_path)
    office.hand_in("组织机构.csv", ORG)
    office.hand_in("支付.csv", pay(P1, P2))
    return office


def again(office: Office, times: int = 1) -> None:
    for _ in range(times):
        publish(office.store, force=True, clock=lambda: NOW)


def kept(office: Office) -> list[int]:
    return sorted(int(file.stem) for file in office.store.generations.glob("*.duckdb"))


def test_the_newest_three_stay(office: Office) -> None:
    again(office, 5)
    assert kept(office) == [3, 4, 5]
    assert office.store.current() == office.store.generations / "5.duckdb"


def test_three_stay_also_where_numbers_were_left_out(office: Office) -> None:
    again(office, 3)
    office.store.control.add_generation(40, 2, "40.duckdb", "", NOW, 1, "")
    again(office)
    assert kept(office) == [2, 3, 41]


def test_a_reader_keeps_its_generation_to_the_end(office: Office) -> None:
    """A reader in a process of its own opens generation 1; five more follow, with another figure; it still answers."""
    again(office)
    command = [sys.executable, "-c", READER, str(office.store.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as reader:
        assert reader.stdin and reader.stdout
        assert reader.stdout.readline() == "open\n"
        here = office.store.open_generation()
        office.hand_in("更正.csv", pay(P1, P2B))
        again(office, 5)
        assert kept(office) == [4, 5, 6]
        reader.stdin.write("go on\n")
        reader.stdin.flush()
        assert Decimal(reader.stdout.readline().strip()) == Decimal("300.50")
    total = "SELECT sum(amount) FROM d_payment WHERE rec_to = 2147483647"
    assert here.con.execute(total).fetchone() == (Decimal("300.50"),)
    assert here.cursor().con.execute(total).fetchone() == (Decimal("300.50"),)
    assert office.store.open_generation().con.execute(total).fetchone() == (Decimal("350.50"),)


def test_a_generation_swapped_out_while_it_is_opened_is_asked_for_again(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    again(office, 4)
    answers = [office.store.generations / "1.duckdb", office.store.generations / "4.duckdb"]
    monkeypatch.setattr(office.store, "current", lambda: answers.pop(0) if len(answers) > 1 else answers[0])
    assert office.store.open_generation().number == 4


def test_a_file_that_cannot_be_removed_stops_no_publish(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    again(office, 3)

    def refuse(self: Path, missing_ok: bool = False) -> None:
        if self.name == "1.duckdb":
            raise PermissionError(1, "in use")
        unlink(self, missing_ok)

    unlink = Path.unlink
    monkeypatch.setattr(Path, "unlink", refuse)
    again(office)
    assert kept(office) == [1, 2, 3, 4]
    monkeypatch.undo()
    again(office)
    assert kept(office) == [3, 4, 5]


@pytest.mark.both_logs
def test_sums_of_a_generation_are_kept(office: Office) -> None:
    again(office)
    (digest,) = office.store.control.generation_sums().values()
    assert digest is not None and len(digest) == 64


def test_a_clock_that_steps_back_stops_no_publish(office: Office) -> None:
    publish(office.store, clock=lambda: NOW - dt.timedelta(days=400))
    assert office.store.open_generation().through_seq == 2
