"""Definitions of a past day answer for that day; broken ones take no board down; a bureau adds its own in a folder."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from cockpit import worker
from cockpit.office import open_office
from cockpit.pipeline import load_and_publish, rebuild
from metrics.catalogue import OWN, build_catalogue, load_catalogue, salvage
from metrics.editions import in_force, undefined_ids
from metrics.evaluate import evaluate
from metrics.insights.snapshots import verify_stored
from metrics.model import Query
from metrics.standing import as_published, standing
from samples import city
from warehouse.base.errors import DefinitionError
from warehouse.base.periods import month_label
from warehouse.base.scope import Scope
from warehouse.contracts import load_contracts
from warehouse.store import Store

DAY = dt.timedelta(days=1)
HALF = """
[atom.elec]
of = "energy_use"
kind = "flow"
value = "sum(quantity)"
where = "carrier = 'electricity' and shared"
unit = "kWh"
"""
EXTRA = """
[indicator.elec_cost_alone]
title = { zh = "能源支出另计", en = "Energy paid, again" }
value = "energy_paid"
unit = "CNY"
theme = "energy"
better = "lower"
digits = 0
basis = { zh = "本单位", en = "own" }
evidence = "D"
text = { zh = "能源支出", en = "energy paid" }
[indicator.elec_cost_alone.example]
period = "2024-01"
grain = "month"
atoms.energy_paid = { "2024-01" = "3" }
expect = "3"
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A small town published at `first`, its board frozen, then electricity defined otherwise and published a day later."""
    place = tmp_path_factory.mktemp("editions")
    city.write(place / "files", seed=3, months=4, units=12, truth=place / "truth.json")
    store = Store(place / "store")
    first = dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC)
    load_and_publish(store, [place / "files"], clock=lambda: first)
    with open_office(store, first) as office:
        snapshot = worker.take_snapshot(office, "manual", "2026-11-01", first)
    before = {a: _ask(store, a, None, first) for a in ("elec_kwh", "elec_per_area", "water_m3", "elec_kwh_yoy")}
    store.definitions.mkdir()
    (store.definitions / "ours.toml").write_text(HALF + EXTRA, encoding="utf-8")
    rebuild(store, clock=lambda: first + DAY, force=False)
    return store, first, snapshot, before


def _ask(store, indicator, known_at, now, **more):
    generation = store.open_generation()
    period = month_label(int(generation.meta["last_month"]))
    try:
        (answer,) = evaluate(generation, standing(store).catalogue, Query(
            indicators=(indicator,), nodes=(_root(generation),), period_from=period, period_to=period, grain="month",
            known_at=known_at, scope=Scope.everything(), actor="test", now=now, **more))  # fmt: skip
    finally:
        generation.close()
    return answer


def _root(generation):
    from metrics.knowledge import knowledge
    from metrics.nodes import root_node

    return root_node(knowledge(generation).register, generation.through_seq)


def _electricity(store, condition):
    generation = store.open_generation()
    month = int(generation.meta["last_month"])
    (row,) = generation.con.execute(
        f"""SELECT sum(e.quantity) FROM d_energy_use e JOIN population p ON p.theme = 'energy' AND p.dsc = e.unit
        AND p.anc = '{_root(generation)}' AND e.from_m >= p.from_m AND e.from_m < p.to_m AND p.rec_to = 2147483647
        WHERE e.from_m = {month} AND e.rec_to = 2147483647 AND e.carrier = 'electricity' AND {condition}"""
    ).fetchall()
    generation.close()
    return row[0]


def test_a_day_is_answered_by_what_was_defined_on_it(built):
    store, first, _, before = built
    now = first + 2 * DAY
    then = _ask(store, "elec_kwh", first + DAY / 2, now)
    live = _ask(store, "elec_kwh", None, now)
    assert then.value == before["elec_kwh"].value == _electricity(store, "true")
    assert (live.value or 0) == (_electricity(store, "shared") or 0) != then.value
    assert then.fingerprint == before["elec_kwh"].fingerprint != live.fingerprint
    assert _ask(store, "elec_kwh", first + DAY, now).fingerprint == live.fingerprint, "published at that very moment"
    assert _ask(store, "elec_kwh", first + DAY, now).value == live.value, "replay as of now equals live"


def test_leaf_formulas_and_comparisons_of_that_day_come_back_too(built):
    store, first, _, before = built
    for name in ("elec_per_area", "elec_kwh_yoy", "water_m3"):
        then = _ask(store, name, first + DAY / 2, first + 2 * DAY)
        assert (then.value, then.numerator, then.denominator, then.status, then.fingerprint) == (
            before[name].value, before[name].numerator, before[name].denominator, before[name].status,
            before[name].fingerprint)  # fmt: skip


def test_before_the_first_publish_the_first_definitions_hold(built):
    store, first, _, before = built
    early = _ask(store, "elec_kwh", dt.datetime(2026, 6, 1, tzinfo=dt.UTC), first + 2 * DAY)
    assert early.fingerprint == before["elec_kwh"].fingerprint


def test_a_frozen_board_is_proved_after_its_definitions_changed(built):
    store, first, snapshot, _ = built
    with open_office(store, first + 2 * DAY) as office:
        found = verify_stored(office.engine, office.evaluate, Scope.everything(), "test", [snapshot])
    assert found == {snapshot: ()}


def test_what_was_not_defined_then_has_no_source_then(built):
    store, first, _, _ = built
    then = _ask(store, "elec_cost_alone", first + DAY / 2, first + 2 * DAY)
    assert (then.status, then.value) == ("no_source", None)
    live = _ask(store, "elec_cost_alone", None, first + 2 * DAY)
    assert (
        live.status in ("ok", "incomplete")
        and live.value == _ask(store, "energy_cost", None, first + 2 * DAY).numerator
    )
    generation = store.open_generation()
    then_catalogue = in_force(generation, standing(store).catalogue, first + DAY / 2)
    assert undefined_ids(then_catalogue, ["elec_cost_alone", "elec_kwh"]) == ("elec_cost_alone",)
    generation.close()


def test_texts_are_kept_by_fingerprint_and_named_by_the_log(built):
    store, first, _, _ = built
    rows = store.control.generations()
    assert [row["built_at"] for row in rows] == [first, first + DAY]
    assert len({row["catalogue"] for row in rows}) == 2
    generation = store.open_generation()
    assert len(generation.meta["references"]) == 64, (
        "the reference tables have a mark of their own beside the definitions'"
    )
    generation.close()
    kept = [json.loads((store.catalogues / f"{row['catalogue']}.json").read_text(encoding="utf-8")) for row in rows]
    assert "ours.toml" not in "".join(kept[0]["texts"]) and kept[1]["texts"][OWN + "ours.toml"] == HALF + EXTRA
    contracts = load_contracts()
    for row, one in zip(rows, kept, strict=True):
        assert build_catalogue(one["texts"], contracts).fingerprint == row["catalogue"] == one["fingerprint"]


def test_a_drill_of_a_past_day_adds_up_to_its_figure(built):
    from metrics.drill import rows

    store, first, _, before = built
    generation = store.open_generation()
    period = month_label(int(generation.meta["last_month"]))
    found = rows(generation, standing(store).catalogue, Query(
        indicators=("elec_kwh",), nodes=(_root(generation),), period_from=period, period_to=period, grain="month",
        known_at=first + DAY / 2, scope=Scope.everything(), actor="test"), limit=None)  # fmt: skip
    generation.close()
    assert sum(row.contribution for row in found.rows) == before["elec_kwh"].value


def test_broken_definitions_keep_the_board_and_are_told(built):
    store, first, _, _ = built
    sound = standing(store)
    (store.definitions / "worse.toml").write_text(
        '[indicator.elec_kwh]\nvalue = "elect"\n[atom.elec2]\nof = 7\n', encoding="utf-8"
    )
    try:
        found = standing(store)
        assert found.catalogue.fingerprint == sound.catalogue.fingerprint and not sound.faults
        told = "\n".join(found.faults)
        assert "own/worse.toml [indicator.elec_kwh]" in told and "own/worse.toml [atom.elec2]" in told
        with pytest.raises(DefinitionError):
            load_catalogue(own=store.definitions)
        generations = len(store.control.generations())
        rebuild(store, clock=lambda: first + 2 * DAY, force=True)
        assert store.control.generations()[-1]["catalogue"] == sound.catalogue.fingerprint
        assert len(store.control.generations()) == generations + 1
        assert _ask(store, "elec_kwh", None, first + 2 * DAY).value is not None
        generation = store.open_generation()
        shown = as_published(store, generation)
        assert shown.catalogue.fingerprint == sound.catalogue.fingerprint and len(shown.faults) == len(found.faults)
        generation.close()
    finally:
        (store.definitions / "worse.toml").unlink()


def test_two_blocks_of_a_bureau_with_one_name_are_a_fault(tmp_path):
    for name in ("a.toml", "b.toml"):
        (tmp_path / name).write_text(HALF, encoding="utf-8")
    with pytest.raises(DefinitionError) as caught:
        load_catalogue(own=tmp_path)
    assert caught.value.faults == ("own/b.toml [atom.elec]: the name is taken by own/a.toml [atom.elec]",)


def test_an_old_definition_the_contracts_no_longer_bear_leaves_the_others():
    shipped = dict(load_catalogue().texts)
    shipped["old.toml"] = HALF.replace("[atom.elec]", "[atom.elec_old]").replace("shared", "sharred") + EXTRA.replace(
        'value = "energy_paid"', 'value = "elec_old"').replace("atoms.energy_paid", "atoms.elec_old")  # fmt: skip
    found = salvage(shipped, load_contracts())
    assert "elec_cost_alone" not in found.indicators and "elec_kwh" in found.indicators


def test_a_difference_says_what_the_definitions_moved(built):
    from metrics.diff import difference

    store, first, _, before = built
    generation = store.open_generation()
    period = month_label(int(generation.meta["last_month"]))
    (found,) = difference(
        generation, standing(store).catalogue, indicators=("elec_kwh",), nodes=(_root(generation),), period_from=period,
        period_to=period, grain="month", from_time=first + DAY / 2, to_time=None, scope=Scope.everything(), actor="test",
    )  # fmt: skip
    generation.close()
    assert found.old.value == before["elec_kwh"].value
    if found.new.value is not None:
        assert found.parts.definitions == found.change != 0 and found.parts.data == 0 == found.parts.tree
    assert found.batches == (), "no batch came in between"
