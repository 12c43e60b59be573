"""`cockpit sources`: what a file may hold, and forms to fill in."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cockpit.test_cli import cockpit, said


def test_list_and_show_tell_what_a_source_is() -> None:
    listed = {row["source"]: row for row in json.loads(cockpit("sources", "list", "--json").stdout)}
    assert listed["three_public"]["title"] == "三公经费公开表" and listed["housing_fund"]["due_day"] == 15
    shown = json.loads(cockpit("sources", "show", "energy_use", "--json").stdout)
    columns = {row["column"]: row for row in shown["columns"]}
    assert columns["coal_raw.quantity"]["unit"] == "kg" and "煤炭" in columns["coal_raw.quantity"]["labels"]
    assert "unit_price_unlikely" in {check["code"] for check in shown["checks"]}


def test_template_writes_the_sheets_asked_for_and_keeps_a_file_that_is_there(tmp_path: Path) -> None:
    out = tmp_path / "form.xlsx"
    done = cockpit("sources", "template", "vehicle", "reception", "vehicle", "--out", out)
    assert (done.returncode, json.loads(done.stdout)["sheets"]) == (0, ["车辆台账", "公务接待台账"])
    written = out.read_bytes()
    assert "is there already" in said("sources", "template", "--out", out)
    assert out.read_bytes() == written


def test_template_says_what_it_cannot_write(tmp_path: Path) -> None:
    assert "'vehicle'" in said("sources", "template", "vehicel", "--out", tmp_path / "a.xlsx")
    assert ".xlsx" in said("sources", "template", "vehicle", "--out", tmp_path / "a.csv")
    assert str(tmp_path / "no") in said("sources", "template", "vehicle", "--out", tmp_path / "no" / "a.xlsx")
    assert not list(tmp_path.iterdir())
