"""What a writer of definitions asks the commands: which indicators, which atoms, the whole page of one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cockpit.cli import app
from cockpit.commands.definitions import told_beside
from metrics.catalogue import load_catalogue
from metrics.model import Indicator


def told(store: Path, *words: str) -> str:
    found = CliRunner().invoke(app, ["indicators", *words, "--store", str(store)])
    assert found.exit_code == 0, found.output
    return found.stdout


def test_the_list_stands_by_theme_with_every_indicator_once(tmp_path: Path) -> None:
    lines = told(tmp_path / "none", "list").splitlines()
    ids = [line.split()[0] for line in lines if line.strip()]
    for item in load_catalogue().written:
        assert ids.count(item.id) == 1
    assert any(line.startswith("公务用车 vehicle:") for line in lines)


def test_show_prints_the_page_of_the_handbook_in_either_language(tmp_path: Path) -> None:
    assert "结果为 7.5 辆/百人。" in told(tmp_path / "none", "show", "veh_per_100")
    english = told(tmp_path / "none", "show", "veh_per_100", "--lang", "en")
    assert "Population: Units that belong to the theme" in english
    assert "FROM vehicle\n" in english


def test_show_as_json_tells_example_and_calibers(tmp_path: Path) -> None:
    found = json.loads(told(tmp_path / "none", "show", "op_cost_total", "--json"))
    assert found["example"]["atoms"]
    assert {form["caliber"] for form in found["calibers"]} == {"survey", "finance"}


def test_atoms_are_found_by_a_part_of_their_name(tmp_path: Path) -> None:
    rows = json.loads(told(tmp_path / "none", "atoms", "staff_of", "--json"))
    assert [(row["atom"], row["kind"], row["unit"]) for row in rows] == [("staff_of_fleet", "stock", "person")]


@pytest.mark.parametrize("item", [i for i in load_catalogue().written if i.hint is not None], ids=lambda item: item.id)
def test_a_hint_that_no_document_confirms_says_so_in_both_languages(item: Indicator) -> None:
    told = told_beside(item)
    confirmed = item.evidence in ("C", "C2", "L")
    assert told["to_verify"] is not confirmed
    assert ("待核实" in told["hint"]["zh"], "to be verified" in told["hint"]["en"]) == (not confirmed, not confirmed)
