"""Two calibers and more: the same indicator from ledgers, surveys, accounts and disclosures; all figures by hand."""

from __future__ import annotations

import datetime as dt

import pytest

from metrics.catalogue import build_catalogue, load_catalogue
from metrics.drill import rows as drill_rows
from metrics.examples import example_faults, mutations
from metrics.model import Query
from warehouse.base.errors import DefinitionError
from warehouse.base.scope import Scope

NO_THEME = dict.fromkeys(("scope_cost", "scope_vehicle", "scope_space", "scope_energy", "scope_service"), False)


@pytest.fixture
def town(world):
    """root ─ a, b; water by month from the bills, by quarter and by year from the surveys."""
    world.unit("root", kind="region", **NO_THEME)
    world.unit("a", "root")
    world.unit("b", "root")
    world.defaults()
    for unit, base in (("a", 10), ("b", 20)):
        for number in range(1, 13):
            world.add(
                "energy_use", unit=unit, month=f"2024-{number:02d}", carrier="water", quantity=str(base), shared=False
            )
    world.add("energy_quarter", 2, unit="a", month="2024-03", carrier="water", quantity="31")
    world.add("energy_quarter", 2, unit="b", month="2024-03", carrier="water", quantity="60")
    world.add("energy_survey", 3, unit="a", year=2024, carrier="water", quantity="121.5")
    world.batch(1, "2025-01-10")
    world.batch(2, "2025-01-11")
    world.batch(3, "2025-02-12")
    return world


def test_each_caliber_answers_from_its_own_sources_and_its_own_grains(town, ask):
    asker = ask(town)
    assert asker.one("water_m3", "root", "2024", "year").value == 360
    survey = asker.one("water_m3", "root", "2024", "year", caliber="survey")
    assert (survey.value, survey.status, survey.due, survey.got) == (121.5, "incomplete", 2, 1)
    assert survey.caliber == "survey" and asker.one("water_m3", "root", "2024", "year").caliber == "monitor"
    quarter = asker.one("water_m3", "root", "2024-Q1", "quarter", caliber="survey")
    assert (quarter.value, quarter.status) == (91, "ok")
    assert asker.one("water_m3", "a", "2024-Q1", "quarter").value == 30
    for grain, period in (("month", "2024-03"), ("ytd", "2024-03"), ("r12", "2024-12")):
        row = asker.one("water_m3", "root", period, grain, caliber="survey")
        assert (row.value, row.status) == (None, "no_source")


def test_an_indicator_without_a_form_has_no_source_in_that_caliber(town, ask):
    asker = ask(town)
    for caliber in ("survey", "finance", "published"):
        row = asker.one("co2_t", "root", "2024", "year", caliber=caliber)
        assert (row.value, row.status, row.caliber) == (None, "no_source", caliber)


def test_the_change_of_a_surveyed_figure_is_one_of_surveyed_figures(town, ask):
    town.add("energy_survey", 3, unit="a", year=2023, carrier="water", quantity="90")
    change = ask(town).one("water_m3_yoy", "a", "2024", "year", caliber="survey")
    assert (change.value, change.numerator, change.denominator) == (35.0, 31.5, 90)


def test_a_survey_is_late_only_after_its_own_day(town, ask):
    asker = ask(town)
    late = {"period": "2024", "grain": "year", "caliber": "survey"}
    on = dt.datetime(2025, 2, 28, 12, tzinfo=dt.UTC)
    assert asker.one("water_m3", "b", now=on, **late).status == "not_due"
    assert asker.one("water_m3", "b", now=on + dt.timedelta(days=1), **late).status == "not_reported"
    running = asker.one("water_m3", "b", "2025", "year", caliber="survey", now=dt.datetime(2025, 6, 1, tzinfo=dt.UTC))
    assert running.status == "not_due"


def test_a_survey_is_known_from_its_own_batch_on(town, ask):
    asker = ask(town)
    before = dt.datetime(2025, 2, 11, tzinfo=dt.UTC)
    assert asker.one("water_m3", "a", "2024", "year", caliber="survey", known_at=before, now=before).status == "not_due"
    assert asker.one("water_m3", "a", "2024", "year", caliber="survey").value == 121.5


def test_a_budget_that_was_disclosed_is_no_final_account(town, ask):
    town.add("three_public", 2, unit="a", year=2024, stage="final", total="46300.00", reception="46300.00")
    town.add("three_public", 2, unit="b", year=2024, stage="budget", total="99900.00", reception="99900.00")
    asker = ask(town)
    whole = asker.one("three_public_total", "root", "2024", "year", caliber="published")
    assert (str(whole.value), whole.due, whole.got, whole.status) == ("4.630000", 2, 1, "incomplete")
    assert asker.one("three_public_total", "b", "2024", "year", caliber="published").status == "not_reported"


def test_rows_behind_a_figure_are_those_of_its_caliber(town, ask, catalogue):
    town.add("three_public", 2, unit="a", year=2024, stage="final", total="46300.00")
    town.add("three_public", 2, unit="a", year=2024, stage="budget", total="50000.00")
    asker = ask(town)
    query = Query(
        indicators=("three_public_total",), nodes=("a",), period_from="2024", period_to="2024", grain="year",
        scope=Scope.everything(), actor="test", caliber="published", now=dt.datetime(2030, 1, 1, tzinfo=dt.UTC),
    )  # fmt: skip
    found = drill_rows(asker.generation, catalogue, query)
    assert [str(row.contribution) for row in found.rows] == ["46300.00"]


FAULTS = """
[source.energy_use]
of = "energy_use"
[atom.used]
of = "energy_use"
kind = "flow"
value = "sum(quantity)"
where = "carrier = 'water'"
unit = "m3"
[indicator.x]
title = { zh = "用水", en = "Water" }
value = "used"
unit = "m³"
theme = "energy"
better = "lower"
digits = 0
basis = { zh = "某", en = "some" }
evidence = "D"
text = { zh = "合计", en = "sum" }
[indicator.x.example]
grain = "month"
period = "2024-05"
atoms.used = { "2024-05" = "3" }
expect = "3"
[[indicator.x.survey]]
value = "usd"
grains = ["yearly"]
text = { zh = "年报", en = "survey" }
basis = { zh = "某", en = "some" }
evidence = "D"
example = { grain = "month", period = "2024-05", atoms = { used = { "2024-05" = "3" } }, expect = "3" }
more = ["y"]
[[indicator.x.finance]]
value = "used"
formula = "used"
[bridge.water]
title = { zh = "桥", en = "bridge" }
start = "x"
less = ["z"]
end = "xx"
basis = { zh = "某", en = "some" }
evidence = "D"
"""


def test_faults_of_forms_and_bridges_come_in_the_one_report(contracts):
    with pytest.raises(DefinitionError) as caught:
        build_catalogue({"own.toml": FAULTS}, contracts)
    told = "\n".join(caught.value.faults)
    for wanted in (
        "own.toml [indicator.x.survey] value: there is no atom 'usd'; did you mean 'used'?",
        "own.toml [indicator.x.finance]: unknown key 'formula'",
        "own.toml [indicator.x.finance]: key 'text' is missing",
        "own.toml [bridge.water] end: there is no indicator 'xx'; did you mean 'x'?",
    ):
        assert wanted in told


def test_two_forms_may_not_answer_one_grain(contracts):
    form = FAULTS[FAULTS.index("[[indicator.x.survey]]") : FAULTS.index('more = ["y"]')]
    form = form.replace('"usd"', '"used"').replace('["yearly"]', '["year"]')
    sound = FAULTS[: FAULTS.index("[[indicator.x.survey]]")]
    made = build_catalogue({"own.toml": sound + form}, contracts).indicators
    assert [f.grains for f in made["x"].forms] == [("year",)]
    assert [f.caliber for f in made["x_yoy"].forms] == ["survey"]
    with pytest.raises(DefinitionError, match="two forms answer year"):
        build_catalogue({"own.toml": sound + form + form}, contracts)


def test_a_difference_can_only_be_said_in_the_unit_of_the_figure(contracts):
    form = FAULTS[FAULTS.index("[[indicator.x.survey]]") : FAULTS.index("[[indicator.x.finance]]")]
    form = form.replace('"usd"', '"used"').replace('["yearly"]', '["year"]')
    sound = FAULTS[: FAULTS.index("[[indicator.x.survey]]")]
    with pytest.raises(DefinitionError, match="there is no indicator 'y'"):
        build_catalogue({"own.toml": sound + form}, contracts)
    other = sound[sound.index("[indicator.x]") :].replace("indicator.x", "indicator.y")
    other = other.replace('unit = "m³"', 'unit = "万m³"\nscale = -4').replace('expect = "3"', 'expect = "0.0003"')
    with pytest.raises(DefinitionError, match="'y' is no sum in m³"):
        build_catalogue({"own.toml": sound + other + form}, contracts)


FORMS = [form for indicator in load_catalogue().written for form in indicator.forms]


@pytest.mark.parametrize("form", FORMS, ids=lambda f: f"{f.id}.{f.caliber}.{'.'.join(f.grains)}")
def test_a_form_wrong_in_one_place_fails_its_example(form):
    assert example_faults(form) == ()
    for wrong in mutations(form):
        assert example_faults(wrong), f"{wrong.value} (scale {wrong.scale}) passes the example of {form.id}"
