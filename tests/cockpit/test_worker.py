"""The worker does what is due, once, also after it was away."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from cockpit import worker
from cockpit.office import Office, open_office
from cockpit.pipeline import load_and_publish
from cockpit.worker import Job, run_jobs
from metrics.catalogue import load_catalogue
from metrics.insights import projections, snapshots
from metrics.insights.lifecycle import Moment
from metrics.insights.nodes import Nodes, arrange
from metrics.insights.rules import load_rules
from metrics.model import Catalogue
from samples import city
from tests.metrics.insights.figures import Figures, known
from warehouse import operations
from warehouse.base.errors import QueryError
from warehouse.base.periods import month_label, month_no
from warehouse.base.scope import Scope
from warehouse.contracts import load_contracts
from warehouse.operations import RunRow
from warehouse.schema import upgrade
from warehouse.store import Store

pytestmark = pytest.mark.filterwarnings("ignore")

LANDED = ("op_funds_exp", "en_tce", "energy_cost")
NOW = dt.datetime(2024, 8, 20, 2, 0, tzinfo=dt.UTC)
UNITS = tuple(f"u{n}" for n in range(6))
FACTS = replace(load_contracts()["energy_use"], due_day=15)


def catalogue() -> Catalogue:
    names = (*LANDED, "op_funds_exec", "veh_over_quota", "budget_exec_rate", "budget_paid_plan_share")
    entries = {
        name: SimpleNamespace(id=name, unit="u", scale=0, fingerprint="f", dims=(), sources=("s",)) for name in names
    }
    source = SimpleNamespace(of="facts", lookups=())
    told = SimpleNamespace(
        sources={"s": source}, indicators=entries, fingerprint="c" * 64, written=tuple(entries.values())
    )
    return cast(Catalogue, told)


@pytest.fixture
def figures() -> Figures:
    told = Figures()
    for place, unit in enumerate(("city", *UNITS)):
        for name in LANDED:
            told.put(name, unit, {month_label(m): 100 + place + m % 12 * 5 + (m * m + place) % 7
                                  for m in range(month_no(2022, 1), month_no(2024, 8))})  # fmt: skip
    told.put("veh_over_quota", "u1", {"2024-03": 1, "2024-04": 1, "2024-05": 0})
    return told


@pytest.fixture
def office(figures: Figures) -> Office:
    engine = sa.create_engine("sqlite://")
    upgrade(engine)
    months = range(month_no(2022, 2), month_no(2024, 9))
    return Office(
        engine=engine,
        evaluate=figures.evaluate,
        catalogue=catalogue(),
        rules=tuple(rule for rule in load_rules() if rule.id == "veh_over_quota"),
        nodes=Nodes("city", UNITS, UNITS[:2]),
        moments=tuple(Moment(n, known(f"{month_label(month)}-10")) for n, month in enumerate(months, start=1)),
        contracts={"facts": FACTS},
        first_month=month_no(2022, 1),
        last_month=month_no(2024, 7),
        zone=ZoneInfo("Asia/Shanghai"),
        now=NOW,
    )


def names(rows: tuple[RunRow, ...]) -> list[str]:
    return [row.job for row in rows]


def later(office: Office, **changes: Any) -> Office:
    return replace(office, **changes)


def test_all_jobs_are_done_once(office: Office) -> None:
    done = run_jobs(office)
    assert names(done) == ["projections", "warnings", "month-end", "daily"]
    assert [row.message for row in done if not row.ok] == []
    assert run_jobs(office) == ()


def test_what_is_due_is_known_from_records_not_from_memory(office: Office) -> None:
    run_jobs(office)
    assert run_jobs(later(office, now=NOW + dt.timedelta(hours=1))) == ()
    tomorrow = run_jobs(later(office, now=NOW + dt.timedelta(days=1)))
    assert names(tomorrow) == ["warnings", "daily"]


def test_a_month_end_that_was_missed_is_frozen_as_it_was_known_then(office: Office) -> None:
    run_jobs(office)
    (row,) = operations.snapshots(office.engine, "month-end")
    assert row.day == "2024-07-31"
    assert row.known_at == dt.datetime(2024, 7, 31, 16, 0, tzinfo=dt.UTC)
    assert row.period == "2024-07"
    assert row.through_seq == 30


def test_before_half_past_midnight_no_day_is_frozen(office: Office) -> None:
    early = later(office, now=dt.datetime(2024, 8, 31, 16, 10, tzinfo=dt.UTC))
    assert names(run_jobs(early)) == ["projections", "warnings"]
    assert names(run_jobs(later(early, now=early.now + dt.timedelta(minutes=20)))) == ["month-end", "daily"]


def test_landings_are_stored_for_every_node_and_read_back(office: Office) -> None:
    run_jobs(office)
    rows = operations.landings(office.engine, "en_tce")
    assert {row.node for row in rows} == {"city", *UNITS}
    (city,) = operations.landings(office.engine, "en_tce", "city")
    assert (city.year, city.months_reported, city.status) == (2024, 7, "ok")
    assert city.lo90 is not None and city.lo80 is not None and city.hi80 is not None and city.hi90 is not None
    assert city.lo90 <= city.lo80 <= city.expected <= city.hi80 <= city.hi90
    steps = operations.forecasts(office.engine, "en_tce", "city")
    assert [step.month_no for step in steps] == list(range(month_no(2024, 8), month_no(2025, 8)))
    assert city.expected == pytest.approx(city.paid + sum(step.mean for step in steps[:5]))


def test_only_changed_series_are_expected_again(office: Office, figures: Figures) -> None:
    run_jobs(office)
    figures.put("en_tce", "u3", {"2024-07": 250}, day="2024-08-20")
    after = later(office, moments=(*office.moments, Moment(99, NOW)), now=NOW + dt.timedelta(hours=2))
    run_jobs(after)
    fresh = [row for row in operations.landings(office.engine) if row.made_at == after.now]
    assert [(row.indicator, row.node, row.through_seq) for row in fresh] == [("en_tce", "u3", 99)]
    (before,) = operations.landings(office.engine, "en_tce", "u3", known_at=NOW - dt.timedelta(hours=1))
    assert before.paid != fresh[0].paid


def test_history_is_walked_so_that_a_cured_warning_is_in_the_replay(office: Office) -> None:
    run_jobs(office)
    assert operations.warnings(office.engine) == ()
    assert [row.node for row in operations.warnings(office.engine, known("2024-05-01"))] == ["u1"]
    assert operations.warnings(office.engine, known("2024-04-09")) == ()
    (row,) = operations.warnings(office.engine, with_closed=True)
    assert (row.opened_at, row.closed_at) == (known("2024-04-10"), known("2024-06-10"))


def test_changed_rules_are_judged_without_walking_again(office: Office, figures: Figures) -> None:
    run_jobs(office)
    more = tuple(rule for rule in load_rules() if rule.id in {"veh_over_quota", "budget_pace"})
    asked = len(figures.asked)
    worker.judge_rules(later(office, rules=more))
    assert len(figures.asked) - asked < 12
    assert len(operations.warnings(office.engine, with_closed=True)) == 1


def test_a_job_that_fails_is_noted_tried_again_and_stops_no_other(office: Office) -> None:
    def broken(_: Office) -> str:
        raise QueryError("no such thing")

    jobs = (Job("broken", lambda _: "today", broken), *worker.JOBS)
    first = run_jobs(office, jobs)
    assert (first[0].ok, first[0].message) == (False, "no such thing")
    assert len(first) == 5
    assert names(run_jobs(office, jobs)) == ["broken"]


def test_boards_are_frozen_on_the_published_warnings_and_stay_proved(tmp_path: Path) -> None:
    """A warning is dated by the last batch without being one: the amounts that count warnings prove nothing later."""
    now = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
    city.write(tmp_path / "files", seed=1, months=8, units=16)
    store = Store(tmp_path / "store")
    load_and_publish(store, [tmp_path / "files"], clock=lambda: now)

    def proved(at: dt.datetime, *, strictly: bool) -> dict[str, int]:
        with open_office(store, at) as office:
            moving = () if strictly else snapshots.unbatched(office.catalogue)
            found = snapshots.verify_stored(office.engine, office.evaluate, Scope.everything(), "t", moving=moving)
        return {one.indicator: len(found) for several in found.values() for one in several}

    assert names(worker.run_once(store, now)) == ["projections", "warnings", "month-end", "daily"]
    assert proved(now, strictly=True) == {}
    assert worker.run_once(store, now) == ()
    assert proved(now, strictly=True) == {}
    more = tuple(replace(row, warning_id=f"{row.warning_id}+") for row in operations.warnings(store.control.engine))
    operations.apply_warnings(store.control.engine, operations.WarningChange(opened=more))
    worker.publish_if_needed(store, now + dt.timedelta(hours=2))
    assert set(proved(now, strictly=True)) == {"warn_open"}
    assert proved(now, strictly=False) == {}


def test_only_figures_that_count_warnings_or_refused_rows_move_without_a_batch() -> None:
    told = load_catalogue()
    moving = snapshots.unbatched(told)
    assert moving & {one.id for one in told.written} == {"warn_open", "warn_ontime", "dq_rule_fail"}


def test_nothing_is_due_in_a_store_that_is_not_there(tmp_path) -> None:

    assert worker.run_once(Store(tmp_path / "nowhere"), NOW) == ()


def test_units_are_leaves_and_organisations_but_no_compounds_buildings_or_regions_with_units() -> None:
    rows: list[tuple[str, str | None, str]] = [
        ("city", None, "region"), ("bureau", "city", "government"), ("branch", "bureau", "institution"),
        ("county", "city", "region"), ("school", "county", "institution"), ("hall", "city", "compound"),
        ("town", "county", "region"), ("state", "city", "region"), ("house", "state", "building"),
    ]  # fmt: skip
    nodes = arrange(rows)
    assert nodes.root == "city"
    assert nodes.units == ("bureau", "branch", "school", "town")
    assert nodes.children == ("bureau", "county", "hall", "state")
    assert nodes.all == ("city", "county", "state", "bureau", "branch", "school", "town")


def test_a_landing_that_names_an_unknown_indicator_is_a_fault(tmp_path) -> None:
    from warehouse.base.errors import DefinitionError

    file = tmp_path / "landings.toml"
    file.write_text('[[landing]]\nindicator = "en_tc"\nlevel = 3\n', encoding="utf-8")
    with pytest.raises(DefinitionError) as caught:
        projections.load_specs(catalogue(), file)
    assert len(caught.value.faults) >= 2
