"""Doubtful rows on the command line: listed with what they were compared with, explained, and doubted anew when figures change."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cockpit.cli import app
from cockpit.pipeline import load_and_publish
from tests.fakes.office import NOW, ORG, Office

HEAD = "统计期,单位名称,电(千瓦时),电费(元)\n"


def run(*words: str) -> str:
    done = CliRunner().invoke(app, list(words))
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.fixture
def store(tmp_path: Path) -> str:
    office = Office(tmp_path)
    office.hand_in("组织机构.csv", ORG)
    office.hand_in("1月.csv", HEAD + "2025-01,市财政局,10234,7163.8\n")
    (tmp_path / "2月.csv").write_text(HEAD + "2025-02,市财政局,10234,7163.8\n", encoding="utf-8")
    load_and_publish(office.store, [tmp_path / "2月.csv"], clock=lambda: NOW.replace(hour=13))
    return str(office.store.path)


def test_a_doubt_is_listed_and_explained(store: str) -> None:
    (found,) = json.loads(run("doubts", "list", "--store", store, "--json"))
    assert (found["unit"], found["month"], found["file"], found["row"]) == ("A", "2025-02", "2月.csv", 2)
    assert found["value"] == "10234.000000 / 7163.800000"
    assert found["other"] == "1月.csv 2"
    run("doubts", "explain", found["doubt"], "--why", "表计故障，按上月估计", "--actor", "小李", "--store", store)
    (again,) = json.loads(run("doubts", "list", "--store", store, "--json"))
    assert (again["explained"], again["explained_by"]) == ("表计故障，按上月估计", "小李")


def test_an_explanation_needs_words_and_a_doubt_that_stands(store: str) -> None:
    (found,) = json.loads(run("doubts", "list", "--store", store, "--json"))
    for words in (("explain", found["doubt"]), ("explain", "000000000000", "--why", "x")):
        assert CliRunner().invoke(app, ["doubts", *words, "--store", store]).exit_code != 0
