"""Keeping a store from the command line: withdraw, what a batch moved, the doctor, and a clock that steps back."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from pathlib import Path

import pytest

from cockpit.pipeline import load_and_publish, withdraw_and_publish
from tests.cockpit.test_cli import cockpit, said
from tests.fakes.office import NOW, ORG, P1, P2, P2B, pay
from warehouse.store import Store

COSTED = (
    ORG.replace("曾用名\n", "曾用名,纳入成本统计\n").replace(",,\n", ",,,是\n").replace(",市财政厅\n", ",市财政厅,是\n")
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of a register, January's payments (300.50) and a correction (350.50)."""
    folder = tmp_path_factory.mktemp("upkeep")
    store = Store(folder / "store")
    for name, text in (("组织机构.csv", COSTED), ("支付.csv", pay(P1, P2)), ("更正.csv", pay(P1, P2B))):
        (folder / name).write_text(text, encoding="utf-8")
        (report,) = load_and_publish(store, [folder / name])
        assert report.status == "committed", report.message
    store.control.close()
    return folder


@pytest.fixture
def desk(made: Path, tmp_path: Path) -> Path:
    """The same store, to change."""
    shutil.copytree(made, tmp_path / "desk")
    return tmp_path / "desk" / "store"


def spent(store: Path, *more: str) -> str | None:
    done = cockpit("query", "op_cost_total", "--period", "2025-01", "--json", "--store", store, *more)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)[0]["numerator"]


def test_a_correction_is_withdrawn_and_what_that_moved_is_told(desk: Path) -> None:
    assert spent(desk) == "350.5"
    done = cockpit("withdraw", 3, "--why", "看错一行", "--actor", "王五", "--store", desk, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["batch_seq"], told["withdraws"], told["why"], told["recorded_by"]) == (4, 3, "看错一行", "王五")
    rows = [row for row in told["moved"] if row["indicator"] == "op_cost_total"]
    assert [(row["place"], row["node"], row["change"]) for row in rows] == [
        ("board", "R", "-0.005"), ("unit", "B", "-0.005"),
    ]  # fmt: skip
    assert spent(desk) == "300.5"
    again = json.loads(cockpit("diff", "--batch", 4, "--store", desk, "--json").stdout)
    assert again == told["moved"]
    table = cockpit("withdraw", 2, "--why", "全部作废", "--store", desk)
    assert table.returncode == 0 and "批次 5 撤回了批次 2" in table.stdout and "op_cost_total" in table.stdout
    assert cockpit("load", desk.parent / "支付.csv", "--store", desk).returncode == 0
    assert spent(desk) == "300.5"
    listed = cockpit("batches", "--store", desk).stdout
    assert "withdrawal" in listed and "全部作废" in listed
    assert cockpit("doctor", "--deep", "--store", desk).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("withdraw", "9", "--why", "x"), "没有批次 9"), (("withdraw", "0", "--why", "x"), "Batch 0"),
        (("withdraw", "2"), "--why"), (("diff",), "--batch SEQ"), (("diff", "--batch", "9"), "no batch 9"),
        (("diff", "--batch", "2", "--from", "2025-01-01"), "--batch stands alone"),
        (("diff", "--batch", "2", "--grain", "year"), "--period"),
        (("diff", "--batch", "2", "op_cost_totl"), "op_cost_total"),
    ],
)  # fmt: skip
def test_wrong_words_are_answered_with_advice(made: Path, arguments: tuple[str, ...], words: str) -> None:
    assert words in said(*arguments, "--store", made / "store")


def test_the_doctor_tells_by_its_exit_code(desk: Path, tmp_path: Path) -> None:
    sound = cockpit("doctor", "--store", desk, "--json")
    assert sound.returncode == 0 and json.loads(sound.stdout)["healthy"] is True
    (desk / "gen" / "CURRENT").write_text("7.duckdb", encoding="utf-8")
    ill = cockpit("doctor", "--store", desk)
    assert ill.returncode == 1 and "generation_missing" in ill.stdout and "cockpit rebuild" in ill.stdout
    assert cockpit("rebuild", "--store", desk).returncode == 0
    assert cockpit("doctor", "--deep", "--store", desk).returncode == 0
    assert "no store" in said("doctor", "--store", tmp_path / "none")
    assert "not a store" in said("doctor", "--store", tmp_path)


def test_a_damaged_log_sends_to_the_doctor_and_the_doctor_to_the_backup(desk: Path) -> None:
    log = desk / "control.sqlite"
    for side in desk.glob("control.sqlite-*"):
        side.unlink()
    log.write_bytes(log.read_bytes()[:6000])
    assert "cockpit doctor" in said("batches", "--store", desk)
    told = json.loads(cockpit("doctor", "--store", desk, "--json").stdout)
    assert [one["code"] for one in told["findings"]] == ["log_damaged"]
    assert "cockpit restore" in told["findings"][0]["do_en"]


def test_a_clock_that_steps_back_goes_on_loading_and_time_stays_in_order(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    days = iter((0, -3, -400, 1))
    for name, text in (("一.csv", COSTED), ("二.csv", pay(P1, P2)), ("三.csv", pay(P1, P2B))):
        (tmp_path / name).write_text(text, encoding="utf-8")
        now = NOW + dt.timedelta(days=next(days))
        (report,) = load_and_publish(store, [tmp_path / name], clock=lambda now=now: now)
        assert report.status == "committed", report.message
    withdraw_and_publish(store, 3, why="x", clock=lambda: NOW - dt.timedelta(days=9))
    times = [batch["recorded_at"] for batch in store.control.batches()[1:]]
    assert times == sorted(times) and len(set(times)) == 1
    ahead = NOW + dt.timedelta(days=9)
    (late,) = load_and_publish(store, [tmp_path / "三.csv"], recorded_at=ahead, clock=lambda: NOW)
    assert late.status == "refused"
