"""`cockpit pull` and the worker's pulls, against a real PostgreSQL; a store whose control log lies there too."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cockpit.pulls import due_key, pull_due
from cockpit.worker import run_once
from tests.fakes.office import NOW, ORG, P1, pay
from tests.fakes.postgres import PASSWORD, Postgres
from warehouse import operations
from warehouse.contracts import load_contracts
from warehouse.ingest import load
from warehouse.pulls.declaration import Declaration, read_folder
from warehouse.store import Store

ROOT = Path(__file__).parents[2]


class Desk:
    """A folder of declarations, a database, and a command line."""

    def __init__(self, folder: Path, server: Postgres) -> None:
        self.folder, self.server, self.schema = folder, server, server.fresh_schema()
        self.store = folder / "store"
        (folder / "pulls").mkdir()
        (folder / "pulls" / "vouchers.toml").write_text(
            'source = "payment"\nurl_env = "FINANCE"\ngrows_by = "changed"\nevery_minutes = 60\n'
            f"""query = '''SELECT vch AS "凭证号", 1 AS "行号", '市财政局' AS "单位名称", date '2025-01-10' AS "支付日期",
            '30201' AS "部门经济分类编码", '一般公共预算财政拨款' AS "资金来源", '基本支出-公用' AS "支出类型",
            amount AS "金额(元)", changed FROM {self.schema}.voucher'''\n""",
            encoding="utf-8",
        )
        self.environment = os.environ | {
            "COCKPIT_PULLS": str(folder / "pulls"), "FINANCE": server.url(), "PGPASSWORD": PASSWORD,
            "COCKPIT_CONTROL_URL": server.url(server.fresh_schema(), password=None),
        }  # fmt: skip
        with server.connect() as con:
            con.execute(f"CREATE SCHEMA {self.schema}")
            con.execute(
                f"CREATE TABLE {self.schema}.voucher (vch text, amount numeric, changed timestamptz DEFAULT now())"
            )

    def add(self, vch: str, amount: str) -> None:
        with self.server.connect() as con:
            con.execute(f"INSERT INTO {self.schema}.voucher (vch, amount) VALUES (%s, %s)", [vch, amount])

    def run(self, *arguments: object, **more: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "cockpit", *map(str, arguments), "--store", str(self.store)],
            cwd=ROOT, capture_output=True, text=True, check=False, env=self.environment | more,
        )  # fmt: skip
        assert "Traceback" not in done.stderr, done.stderr
        assert "s3cret" not in done.stdout + done.stderr
        return done

    def declarations(self) -> tuple[Declaration, ...]:
        return read_folder(self.folder / "pulls", load_contracts())


@pytest.fixture
def desk(tmp_path: Path, postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    return Desk(tmp_path, postgres)


def test_a_pull_from_the_command_line_reaches_the_figures(desk: Desk) -> None:
    (desk.folder / "组织机构.csv").write_text(ORG, encoding="utf-8")
    (desk.folder / "支付.csv").write_text(pay(P1), encoding="utf-8")
    done = desk.run("load", desk.folder / "组织机构.csv", desk.folder / "支付.csv")
    assert done.returncode == 0, done.stderr
    assert (desk.store / "control.toml").exists() and not (desk.store / "control.sqlite").exists()
    desk.add("V7", "49.50")
    done = desk.run("pull")
    assert done.returncode == 0, done.stderr
    (told,) = json.loads(done.stdout)
    assert (told["file"], told["status"], told["accepted"], told["rows_read"]) == (
        "vouchers.parquet",
        "committed",
        1,
        1,
    )
    (listed,) = json.loads(desk.run("pull", "--list", "--json").stdout)
    assert (listed["name"], listed["rows"], listed["batch_seq"], listed["reached"]) == (
        "vouchers",
        1,
        3,
        told["reached"],
    )
    assert json.loads(desk.run("doctor", "--json").stdout)["findings"] == []
    saved = desk.folder / "saved"
    assert desk.run("backup", saved).returncode == 0
    again = Desk.__new__(Desk)
    again.__dict__ = desk.__dict__ | {"store": desk.folder / "again"}
    assert again.run("restore", saved, COCKPIT_CONTROL_URL="").returncode == 0
    assert (again.store / "control.sqlite").exists()
    assert json.loads(again.run("doctor", "--json", COCKPIT_CONTROL_URL="").stdout)["findings"] == []


@pytest.mark.parametrize(
    ("arguments", "more", "words"),
    [
        (("pull", "nowhere"), {}, "vouchers"),
        (("pull",), {"FINANCE": ""}, "FINANCE is not set"),
        (("pull",), {"FINANCE": "postgresql://cockpit:geheim@127.0.0.1:1/office"}, "refused"),
        (("pull",), {"COCKPIT_PULLS": "/nowhere"}, "There is no folder"),
        (("load", "README.md"), {"COCKPIT_CONTROL_URL": "geheim"}, "not the address"),
        (("load", "README.md"), {"PGPASSWORD": "geheim"}, "does not take this user and password"),
    ],
)  # fmt: skip
def test_what_goes_wrong_is_told_in_words(
    desk: Desk, arguments: tuple[str, ...], more: dict[str, str], words: str
) -> None:
    done = desk.run(*arguments, **more)
    assert done.returncode == 2 and words in done.stderr, done.stderr
    assert "geheim" not in done.stdout + done.stderr


def test_the_worker_pulls_once_an_hour_and_tries_again_what_failed(desk: Desk) -> None:
    store, environment = Store(desk.store), {"FINANCE": desk.server.url()}
    (desk.folder / "组织机构.csv").write_text(ORG, encoding="utf-8")
    load(store, [desk.folder / "组织机构.csv"], clock=lambda: NOW)
    desk.add("V7", "49.50")
    (failed,) = pull_due(store, desk.declarations(), {}, NOW)
    assert not failed.ok and "FINANCE" in failed.message
    (done,) = pull_due(store, desk.declarations(), environment, NOW + dt.timedelta(minutes=5))
    assert done.ok and done.job == "pull vouchers"
    assert pull_due(store, desk.declarations(), environment, NOW + dt.timedelta(minutes=59)) == ()
    (later,) = pull_due(store, desk.declarations(), environment, NOW + dt.timedelta(minutes=60))
    assert later.ok and operations.last_runs(store.control.engine)["pull vouchers"] == later


def test_a_wrong_declaration_stops_no_worker(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COCKPIT_PULLS", str(desk.folder / "pulls"))
    (desk.folder / "pulls" / "wrong.toml").write_text("nonsense", encoding="utf-8")
    assert run_once(Store(desk.store), NOW) == ()


def test_the_stretches_of_a_day_begin_at_midnight(desk: Desk) -> None:
    (one,) = desk.declarations()
    assert due_key(one, dt.datetime(2026, 11, 1, 12, 59, tzinfo=dt.UTC)) == "2026-11-01T12:00Z/60"
    assert due_key(one, dt.datetime(2026, 11, 1, 13, 0, tzinfo=dt.UTC)) == "2026-11-01T13:00Z/60"
