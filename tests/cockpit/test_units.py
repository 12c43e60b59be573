"""Units on the command line: suggestions say why in both languages; a recorded alias finds the unit from its day on."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from callbacks.handlers.shell import node_options
from callbacks.trees import arrange
from cockpit.cli import app
from cockpit.commands.unit_commands import alias_and_publish
from metrics.nodes import read_register
from tests.fakes.office import NOW, ORG, P1, Office, pay
from warehouse.names import nearness, take_apart
from warehouse.organisations import sentence
from warehouse.units import units_in

REASONS = ("same", "spelling", "sound", "initials", "abbreviation", "form", "cut_off", "region")


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """Two bureaux and one payment; the day after, an alias."""
    office = Office(tmp_path_factory.mktemp("office"))
    office.hand_in("组织机构.csv", ORG)
    office.hand_in("支付.csv", pay(P1))
    later = NOW + dt.timedelta(days=1)
    report = alias_and_publish(office.store, "市财", "A", actor="李工", clock=lambda: later)
    assert (report["code"], report["batch_seq"], report["waiting"]) == ("A", 3, 0)
    return office


def run(office: Office, *arguments: str) -> str:
    done = CliRunner().invoke(app, [*arguments, "--store", str(office.store.path)])
    assert done.exit_code == 0, done.output
    return done.output


def test_a_suggestion_says_why_in_both_languages(office: Office) -> None:
    (first, *_) = json.loads(run(office, "units", "suggest", "市才政局", "--json"))["suggestions"]
    assert first["code"] == "A"
    assert (first["why"], first["why_en"]) == ("读音相近", "similar sound")
    nothing = run(office, "units", "suggest", "远洋航运公司")
    assert "远洋航运公司：名录中没有相近的单位。\nNo unit comes near 远洋航运公司.\n" in nothing


def test_every_reason_of_a_suggestion_has_its_words() -> None:
    for reason in REASONS:
        assert all(sentence("why", reason)[code] for code in ("zh", "en"))
    source = Path(nearness.__code__.co_filename).read_text(encoding="utf-8")
    assert {reason for reason in REASONS if f'"{reason}"' in source} == {*REASONS} - {"region"}
    assert nearness(take_apart("甲局"), take_apart("甲局"))[1] in REASONS


def test_a_recorded_alias_finds_the_unit_as_known_at_the_asked_moment(office: Office) -> None:
    asked = ("query", "op_funds_exp", "--period", "2025-01", "--node", "市财")
    (answer,) = json.loads(run(office, *asked, "--json"))
    assert (answer["node"], answer["node_name"]) == ("A", "市财政局")
    (then,) = json.loads(run(office, *asked, "--known-at", f"{NOW.date() + dt.timedelta(days=1)}", "--json"))
    assert then["node"] == "A"
    done = CliRunner().invoke(app, [*asked, "--known-at", f"{NOW.date()}", "--store", str(office.store.path)])
    assert done.exit_code != 0, "nobody called it so that day"
    assert "市财" in str(done.exception)


def test_the_search_of_the_screens_knows_other_names_of_the_moment(office: Office) -> None:
    generation = office.store.open_generation(memory="1GB", threads=2)  # as the command of the test before holds it
    register = read_register(generation.con)
    for seq, names in ((2, ("市财政厅",)), (3, ("市财政厅", "市财"))):
        tree = arrange(units_in(generation, 2025 * 12, seq), lambda code, seq=seq: register.other_names(code, seq))
        assert tree.nodes["A"].others == names
        (found,) = (option["search"] for option in node_options(tree) if option["value"] == "A")
        assert ("市财" in found.split()) == (seq == 3)


def test_units_are_listed_below_a_region_or_below_the_department_that_leads_them(tmp_path: Path) -> None:
    office = Office(tmp_path)
    office.hand_in(
        "组织机构.csv",
        "单位代码,单位名称,上级单位代码,主管部门,层级,单位性质,生效日期\nR,模拟市,,,市,区域,2020-01-01\n"
        "A,市财政局,R,,市,政府,2020-01-01\nC,甲县,R,,县,区域,2020-01-01\nF,甲县财政局,C,市财政局,县,政府,2020-01-01\n"
        "T,太平镇财政所,C,F,乡,政府,2020-01-01\n",
    )
    for options, codes in (
        (("--below", "C"), "CFT"), (("--below", "A"), "A"), (("--below", "A", "--tree", "department"), "AFT"),
        (("--below", "甲县财政局", "--tree", "department"), "FT"), ((), "ACFRT"),
    ):  # fmt: skip
        assert "".join(row["code"] for row in json.loads(run(office, "units", "list", *options, "--json"))) == codes
    done = CliRunner().invoke(app, ["units", "list", "--tree", "other", "--store", str(office.store.path)])
    assert done.exit_code != 0
