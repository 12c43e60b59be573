"""What goes wrong on the command line ends in plain words and exit code 2, never in a traceback."""

from __future__ import annotations

import io
import os
import socket
import subprocess
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import fields
from pathlib import Path

import pytest

from cockpit.cli import NOT_BUILT, main
from cockpit.commands.common import in_currency
from cockpit.commands.metric_commands import LANDING_COLUMNS, SNAPSHOT_COLUMNS
from tests.fakes.office import ORG, Office
from warehouse.operations import LandingRow, SnapshotRow

Run = Callable[..., subprocess.CompletedProcess[str]]
QUERY = ("query", "op_funds_exp", "--period", "2025-01")


def cockpit(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command line here: to start Python for each command takes ten times as long as what is asked of it."""
    out, errors, code = io.StringIO(), io.StringIO(), 0
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(errors):
        patch.setattr(sys, "argv", ["cockpit", *map(str, arguments)])
        for name, value in environment.items():
            patch.setenv(name, value)
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        except Exception:
            traceback.print_exc()
            code = 1
    return subprocess.CompletedProcess(arguments, code, out.getvalue(), errors.getvalue())


def started(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command line as a person does, in a process of its own."""
    command = [sys.executable, "-m", "cockpit", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment}, check=False)


def said(*arguments: object, run: Run = cockpit, **environment: str) -> str:
    """Return what a failing command says."""
    done = run(*arguments, **environment)
    assert done.returncode == 2, done
    assert "Traceback" not in done.stderr
    assert 1 <= len(done.stderr.strip().splitlines()) <= 2, done.stderr
    return done.stderr


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    office = Office(tmp_path_factory.mktemp("office"))
    assert office.hand_in("组织机构.csv", ORG + "Z,直管处,,,市,直属,9,2020-01-01,,\n").status == "committed"
    assert cockpit("rebuild", "--store", office.store.path).returncode == 0
    return office


def test_a_missing_store_is_said(tmp_path: Path) -> None:
    for run in (cockpit, started):
        assert "no store" in said("rebuild", "--store", tmp_path / "none", run=run)


@pytest.mark.parametrize("command", ["serve", "run"])
def test_a_port_that_is_taken_is_said_before_anything_starts(command: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        text = said(command, "--store", tmp_path / "store", "--port", port)
    assert f"127.0.0.1:{port} is in use" in text
    assert "--port" in text
    assert "Serving" not in text


def test_a_store_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    (tmp_path / "a.csv").write_text("x\n", encoding="utf-8")
    assert str(tmp_path / "file") in said("load", tmp_path / "a.csv", "--store", tmp_path / "file")


def test_a_control_log_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "control.sqlite").write_text("no database at all, only words" * 50, encoding="utf-8")
    assert str(tmp_path) in said("batches", "--store", tmp_path)
    assert "Traceback" in started("batches", "--store", tmp_path, COCKPIT_DEBUG="1").stderr


def test_a_broken_generation_is_to_be_rebuilt(tmp_path: Path) -> None:
    (tmp_path / "gen").mkdir()
    (tmp_path / "gen" / "1.duckdb").write_text("x", encoding="utf-8")
    for name in ("", "1.duckdb"):
        (tmp_path / "gen" / "CURRENT").write_text(name, encoding="utf-8")
        assert "cockpit rebuild" in said(*QUERY, "--store", tmp_path)


def test_levels_that_are_no_percents(tmp_path: Path) -> None:
    assert "'x'" in said("forecast", "--input", "a.csv", "--out", tmp_path / "b.csv", "--levels", "x")


def test_a_file_in_a_folder_that_is_not_there(office: Office, tmp_path: Path) -> None:
    target = tmp_path / "no" / "q.csv"
    assert str(target.parent) in said("quarantine", "export", target, "--store", office.store.path)


def test_a_setting_that_is_no_number(tmp_path: Path) -> None:
    assert "COCKPIT_" in said("serve", "--store", tmp_path, COCKPIT_PORT="many")


@pytest.mark.parametrize("command", NOT_BUILT)
def test_what_is_promised_and_not_built_says_so(command: Sequence[str]) -> None:
    assert "not built yet" in said(*command)


def test_several_roots_ask_which_one(office: Office) -> None:
    words = said(*QUERY, "--store", office.store.path)
    assert "'模拟市' (R)" in words and "'直管处' (Z)" in words
    assert cockpit(*QUERY, "--store", office.store.path, "--node", "Z").returncode == 0
    assert "'市财政局' (A)" in said(*QUERY, "--store", office.store.path, "--node", "市财政局局")


def test_before_the_first_batch_nothing_was_reported(office: Office) -> None:
    done = cockpit(*QUERY, "--store", office.store.path, "--node", "Z", "--known-at", "2019-01-01", "--format", "csv")
    assert done.returncode == 0 and "not_reported" in done.stdout


def test_units_are_written_in_the_currency_of_the_store() -> None:
    rows = [{"indicator": "op_cost_total", "unit": "万元"}, {"indicator": "elec_kwh", "unit": "kWh"}]
    assert [row["unit"] for row in in_currency(rows, {"currency": "UAH"})] == ["万格里夫纳", "kWh"]
    assert in_currency(rows, {"currency": "CNY"}) == in_currency(rows, {}) == rows


@pytest.mark.parametrize("form", ["json", "csv", "table"])
def test_answers_of_a_store_in_another_currency_say_so(office: Office, form: str) -> None:
    office.store.control.set_meta({"currency": "USD"})
    assert cockpit("rebuild", "--store", office.store.path).returncode == 0
    for command in ((*QUERY, "--node", "Z", "--format", form), ("indicators", "list")):
        said = cockpit(*command, "--store", office.store.path)
        assert said.returncode == 0 and "万美元" in said.stdout and "万元" not in said.stdout


def test_tables_ask_for_columns_that_exist() -> None:
    assert set(LANDING_COLUMNS) <= {field.name for field in fields(LandingRow)}
    assert set(SNAPSHOT_COLUMNS) <= {field.name for field in fields(SnapshotRow)}


def test_a_sample_too_small_to_tell_its_story_says_so(tmp_path: Path) -> None:
    told = said("sample", "city", "--units", 10, "--out", tmp_path / "out")
    assert "at least 12 units" in told and "--units" in told and "ValueError" not in told
