"""The bench measures what it says: limits are judged the right way round, and only figures count as data."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from importlib import import_module
from pathlib import Path

import duckdb
import pytest

from benchmarks import large, run, sample, serving
from benchmarks.grown import METERS, Grown, definitions
from benchmarks.report import Line
from warehouse.history import live
from warehouse.ingest import scratch

MODULES = sorted(path.stem for path in Path(run.__file__).parent.glob("*.py") if path.stem != "__init__")


@pytest.mark.parametrize("name", MODULES)
def test_a_bench_module_imports_and_says_what_it_is_for(name: str) -> None:
    assert import_module(f"benchmarks.{name}").__doc__


@pytest.mark.parametrize(
    ("line", "holds"),
    [
        (Line("at the limit", 1.2, 1.2), True),
        (Line("above the limit", 1.21, 1.2), False),
        (Line("at the least", 0.5, 0.5, at_least=True), True),
        (Line("below the least", 0.49, 0.5, at_least=True), False),
        (Line("for the record", 99.0), True),
    ],
)
def test_a_line_judges_its_limit(line: Line, holds: bool) -> None:
    assert line.holds is holds
    assert line.text().startswith("ok" if holds else "MISS")


def test_seconds_of_the_sample_are_judged_on_an_idle_machine_only() -> None:
    assert not sample.in_time(61.0, busy=0.1).holds
    assert sample.in_time(59.0, busy=0.1).holds
    assert sample.in_time(61.0, busy=2.0).limit is None


def test_only_requests_that_fill_a_region_of_a_page_count_as_data() -> None:
    regions = serving.page_regions()
    assert serving.carries_figures("..overview-head.children...overview-tiles.children..", regions)
    assert not serving.carries_figures("..menu-overview.children...shell-footer.children..", regions)
    assert not serving.carries_figures("address.search", regions)


def test_the_request_is_the_one_a_browser_sends() -> None:
    asked = json.loads(serving.Call("..a.children...b.options..", "a-state", "data").body("?node=X", 3))
    assert asked["outputs"] == [{"id": "a", "property": "children"}, {"id": "b", "property": "options"}]
    assert asked["inputs"] == [{"id": "a-state", "property": "data", "value": {"search": "?node=X", "version": 3}}]
    assert asked["changedPropIds"] == ["a-state.data"]


def test_the_large_run_is_about_loading_and_a_store_grown_large() -> None:
    assert list(run.chosen(large=False, only=None)) == list(run.PARTS)
    assert list(run.chosen(large=True, only=None)) == ["load", "indicators", "grown", "publish"]
    assert list(run.chosen(large=True, only=["sample", "load"])) == ["sample", "load"]
    assert run.chosen(large=True, only=["load"]) != run.chosen(large=False, only=["load"])
    assert list(run.chosen(large=False, only=["grown", "load"])) == ["load", "grown"]


def standing(grown: Grown, con: duckdb.DuckDBPyConnection) -> Decimal:
    """The sum of the meter days that stand, from the segments themselves."""
    segments = grown.store.control.segments("meter_day")
    row = con.execute(f"SELECT sum(quantity) FROM ({live(grown.store.segments, segments)})").fetchone()
    assert row is not None
    return Decimal(row[0])


def test_a_store_is_grown_restated_and_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Few rows: what is asked is right, how fast it is has no meaning."""
    monkeypatch.setattr(large, "ROUNDS", 1)
    monkeypatch.setattr(large, "PAGED_ROUNDS", 1)
    grown = Grown(tmp_path, 24 * 28 * 10, replace(METERS, units=5))
    catalogue = definitions(grown.store.contracts)
    with scratch(grown.store) as con:
        grown.fill(con)
        past = grown.store.control.last()[0]
        before = standing(grown, con)
        for number in range(2):
            grown.restate(con, number, 0.5)
    grown.published(catalogue)
    lines = large.ask(grown, catalogue, past)
    assert len([line for line in lines if line.limit is not None]) == 4
    with closing(grown.store.open_generation()) as generation:
        sums = "SELECT sum(metered), sum(metered) FILTER (batch_seq <= $1) FROM node_meter WHERE node = 'R'"
        now, then = generation.con.execute(sums, [past]).fetchone() or (0, 0)
        moved = generation.con.execute("SELECT count(*) FROM d_meter_day WHERE rec_from > $1", [past]).fetchone()
    # each restated row is one more than it was
    assert moved is not None and moved[0] > 0
    assert (then, now) == (before, before + moved[0])


def test_a_missed_limit_ends_with_one_and_is_written_where_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def absent(_: run.Workshop) -> list[Line]:
        raise run.Skipped("not here")

    monkeypatch.setattr(run, "PARTS", {"fast": lambda _: [Line("fast", 1.0, 1.2)], "absent": absent})
    assert run.main([]) == 0
    assert "1 of 1 limits kept, skipped: absent" in capsys.readouterr().out
    monkeypatch.setattr(run, "PARTS", {"slow": lambda _: [Line("slow", 2.0, 1.2)]})
    assert run.main(["--out", str(tmp_path / "found.json")]) == 1
    assert [line["holds"] for line in json.loads((tmp_path / "found.json").read_text())["lines"]] == [False]
