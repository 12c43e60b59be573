"""Every definition holds what it promises: its example, its texts, and no wrong formula passes its example."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest

from metrics import examples
from metrics.catalogue import build_catalogue, definition_texts, load_catalogue
from metrics.examples import check_definitions, check_examples, example_faults, mutations
from metrics.expressions import FORMULA_CALLS
from warehouse.base.errors import DefinitionError
from warehouse.contracts import load_contracts

CATALOGUE = load_catalogue()
CORE = [
    "op_cost_total",
    "op_cost_per_capita",
    "op_cost_yoy",
    "op_funds_exp",
    "budget_exec_rate",
    "three_public_total",
    "three_public_exec",
    "abroad_exp",
    "vehicle_exp",
    "reception_exp",
    "dec_spend_share",
    "veh_count",
    "veh_quota_rate",
    "veh_over_quota",
    "veh_over_std",
    "veh_nev_share",
    "veh_run_exp",
    "veh_cost_per_veh",
    "veh_no_order",
    "veh_borrowed",
    "off_gross_area",
    "off_area_per_head",
    "off_over_rooms",
    "off_over_area",
    "off_vacant_area",
    "off_vacancy_rate",
    "off_title_rate",
    "off_multi_rooms",
    "off_retired_rooms",
    "off_lease_vacant",
    "en_tce",
    "en_per_area",
    "en_per_head",
    "water_m3",
    "water_per_head",
    "co2_t",
    "co2_per_area",
    "elec_kwh",
    "elec_per_area",
    "elec_area_left_out",
    "energy_cost",
    "heat_gj",
    "gas_m3",
    "svc_amount",
    "svc_satisfaction",
    "svc_ontime",
]


class Lent:
    """A connection to a database that others use too: what was written is gone when it is closed."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self.con = con
        con.execute("BEGIN")

    def execute(self, *asked: Any) -> duckdb.DuckDBPyConnection:
        return self.con.execute(*asked)

    def close(self) -> None:
        self.con.execute("ROLLBACK")
        self.con.close()


@pytest.fixture(scope="module")
def one_database() -> Iterator[None]:
    """Run the examples in one database: to start one for each of two thousand formulas takes longer than the formulas."""
    with duckdb.connect() as con, pytest.MonkeyPatch.context() as patch:
        patch.setattr(examples, "duckdb", SimpleNamespace(connect=lambda: Lent(con.cursor())))
        yield


def test_every_indicator_of_the_first_release_is_defined():
    assert set(CORE) <= set(CATALOGUE.indicators)


@pytest.mark.usefixtures("one_database")
@pytest.mark.parametrize("indicator", CATALOGUE.written, ids=lambda i: i.id)
def test_the_worked_example_gives_the_stated_number(indicator):
    assert example_faults(indicator) == ()


@pytest.mark.usefixtures("one_database")
@pytest.mark.parametrize("indicator", CATALOGUE.written, ids=lambda i: i.id)
def test_a_formula_wrong_in_one_place_fails_its_example(indicator):
    for wrong in mutations(indicator):
        assert example_faults(wrong), f"{wrong.value} (scale {wrong.scale}) passes the example of {indicator.id}"


def test_every_numeric_indicator_has_its_change_over_a_year():
    """What is read of parts or of a parent has no panel of the same units: its base is told by others too."""
    for indicator in CATALOGUE.written:
        by_units = not any(call in indicator.value for call in ("whole(", "top(", "parent("))
        for beside in ("yoy", "same", "rank", "pct"):
            wanted = indicator.kind != "change" and (beside != "same" or by_units)
            assert (f"{indicator.id}_{beside}" in CATALOGUE.indicators) == wanted, (indicator.id, beside)


def test_layout_and_case_do_not_change_a_fingerprint_but_a_rule_does():
    base = _catalogue(value="amount_paid / last(heads)")
    same = _catalogue(value="amount_paid   /  LAST( heads )")
    filtered = _catalogue(value="amount_paid / last(heads)", where="fund = 'general'")
    scaled = _catalogue(value="amount_paid / last(heads)", scale=2, unit="CNY/百person")
    marks = [c.indicators["x"].fingerprint for c in (base, same, filtered, scaled)]
    assert marks[0] == marks[1]
    assert len(set(marks)) == 3


def test_all_faults_of_all_files_come_in_one_report_with_place_and_suggestion():
    first = _text(value="amount_paid / heads", extra="beter = 'lower'\n")
    second = '[source.q]\nof = "paymnt"\n[atom.z]\nof = "pay"\nkind = "flow"\nvalue = "sum(amont)"\nunit = "CNY"\n[indicator.x]\n'
    with pytest.raises(DefinitionError) as caught:
        build_catalogue(
            {"a.toml": first, "b.toml": second, "c.toml": "[[[", "d.toml": "[indikator.y]"}, load_contracts()
        )
    report = str(caught.value)
    for part in (
        "a.toml [indicator.x] value: 'heads' is a stock: write avg(heads) or last(heads)",
        "a.toml [indicator.x]: unknown key 'beter'; did you mean 'better'?",
        "b.toml [source.q] of: there is no dataset 'paymnt'; did you mean 'payment'?",
        "b.toml [atom.z] value: unknown column 'amont'; did you mean 'amount'?",
        "b.toml [indicator.x]: the name is taken by a.toml [indicator.x]",
        "c.toml: not TOML",
        "d.toml: unknown table 'indikator'; did you mean 'indicator'?",
    ):
        assert part in report, report


@pytest.mark.parametrize(
    ("formula", "fault"),
    [
        ("last(amount_paid)", "'amount_paid' is a flow"),
        ("avg(heds)", "there is no atom 'heds'; did you mean 'heads'?"),
        ("median(amount_paid)", "is not allowed here"),
        ("prior(amount_paid, 0)", "prior() goes back a whole number of months"),
        ("first(amount_paid)", "is not allowed here"),
        ("amount_paid / (", "cannot be read"),
        ("(select 1)", "is not allowed here"),
        ("'a'", "a formula has no texts"),
    ],
)
def test_a_bad_formula_says_what_is_wrong(formula, fault):
    with pytest.raises(DefinitionError) as caught:
        _catalogue(value=formula)
    assert fault in str(caught.value)


def test_a_distinct_count_must_say_over_what_its_sets_are_disjoint():
    text = _text().replace('value = "sum(amount)"', 'value = "count(distinct voucher)"')
    with pytest.raises(DefinitionError, match="adds up only over disjoint sets"):
        build_catalogue({"a.toml": text}, load_contracts())


def test_a_failing_example_is_reported_with_both_figures():
    catalogue = _catalogue(expect="11")
    with pytest.raises(
        DefinitionError, match=r"\[indicator\.x\.example\]: the value of 2024-01 is 10\.0, the example says 11"
    ):
        check_examples(catalogue)


def test_a_fault_hides_no_wrong_example_of_another_block():
    wrong = _text(expect="11")
    broken = '[indicator.y]\nvalue = "amount_paid / heads"\n'
    with pytest.raises(DefinitionError) as caught:
        check_definitions({"a.toml": wrong, "b.toml": broken}, load_contracts())
    report = str(caught.value)
    assert "b.toml [indicator.y] value: 'heads' is a stock: write avg(heads) or last(heads)" in report
    assert "b.toml [indicator.y]: key 'unit' is missing" in report
    assert "[indicator.x.example]: the value of 2024-01 is 10.0, the example says 11" in report


def _catalogue(**changes):
    return build_catalogue({"a.toml": _text(**changes)}, load_contracts())


def _text(value="amount_paid / last(heads)", where=None, scale=0, extra="", expect="10", unit="CNY/person"):
    condition = f'where = "{where}"\n' if where else ""
    return f"""
[source.pay]
of = "payment"
[source.people]
of = "staff"
[atom.amount_paid]
of = "pay"
kind = "flow"
value = "sum(amount)"
{condition}unit = "CNY"
[atom.heads]
of = "people"
kind = "stock"
value = "sum(actual_staff)"
unit = "person"
[indicator.x]
title = {{ zh = "某", en = "X" }}
value = "{value}"
unit = "{unit}"
scale = {scale}
theme = "cost"
better = "lower"
digits = 0
{extra}basis = {{ zh = "某", en = "X" }}
evidence = "D"
text = {{ zh = "某", en = "X" }}
[indicator.x.example]
grain = "month"
period = "2024-01"
atoms.amount_paid = {{ "2024-01" = "100" }}
atoms.heads = {{ "2024-01" = "10" }}
expect = "{expect}"
"""


def test_the_indicator_of_the_guide_is_one_block_that_holds():
    guide = (Path(__file__).parents[2] / "docs" / "definitions.md").read_text(encoding="utf-8")
    block = guide.split("```toml\n")[1].split("```")[0]
    catalogue = check_definitions({**definition_texts(), "own/guide.toml": block}, load_contracts())
    assert catalogue.indicators["cars_per_hundred"].title.zh == "每百人车辆数"
    for call in ("last", "avg", *FORMULA_CALLS):
        assert f"`{call}(" in guide


BLOCK = """
[indicator.cars]
title = { zh = "每百人车辆数", en = "Vehicles per hundred staff" }
value = "last(vehicles) * 100 / last(staff_of_fleet)"
unit = "辆/百人"
theme = "vehicle"
better = "lower"
digits = 1
basis = { zh = "办法", en = "Rules" }
evidence = "D"
text = { zh = "期末保有量 ÷ 期末实有人数 × 100", en = "Vehicles ÷ staff" }
[indicator.cars.example]
grain = "ytd"
period = "2024-02"
atoms.vehicles = { "2024-01" = "9", "2024-02" = "6" }
atoms.staff_of_fleet = { "2024-01" = "100", "2024-02" = "120" }
expect = "5"
"""
LEAVES = '[atom.aa]\nleaf = "bb + 1"\nunit = "vehicle"\n[atom.bb]\nleaf = "aa + 1"\nunit = "vehicle"\n'
TYPED = [
    ("last(vehicles)", "last(vehicels)", "[indicator.cars] value: there is no atom 'vehicels'; did you mean 'vehicles'?"),
    ("last(vehicles)", "sum(vehicles)", "[indicator.cars] value: 'SUM(vehicles)' is not allowed here (Sum): a flow is summed"),
    ("last(vehicles) * 100 /", "last（vehicles）× 100 ÷", "Write （ as (, ） as ), × as *, ÷ as /."),
    ('evidence = "D"', 'evidence = "A"', "evidence: 'A' is none of C (official text), C2 (official report of it), R (recalled)"),
    ('evidence = "D"', "evidence = “D”", 'not TOML: Invalid value (at line 10, column 12). Texts stand in plain quotes'),
    ('evidence = "D"', 'evidence = "D"\ndims = "veh_class"', "dims: must be a list of texts such as [\"veh_class\"], not 'veh_class'"),
    ("digits = 1", 'digits = "one"', "digits: must be a whole number without quotes, not 'one'"),
    ("[indicator.cars]", LEAVES + "[indicator.cars]", "[atom.aa] leaf: 'bb' is not a plain sum; a leaf formula reads"),
]  # fmt: skip


@pytest.mark.parametrize(("right", "wrong", "said"), TYPED, ids=[wrong for _, wrong, _ in TYPED])
def test_a_slip_of_the_hand_is_told_with_what_would_be_right(right: str, wrong: str, said: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        build_catalogue({**definition_texts(), "own/mine.toml": BLOCK.replace(right, wrong, 1)}, load_contracts())
    assert any(
        f"own/mine.toml{'' if 'TOML' in said else ' '}" in fault and said in fault for fault in caught.value.faults
    )
    assert len(caught.value.faults) <= 2
