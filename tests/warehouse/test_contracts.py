"""The shipped contracts: what they name, that no label means two things, and that every check is SQL that runs."""

from __future__ import annotations

import re
from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import duckdb
import pytest

from warehouse.base.errors import DefinitionError
from warehouse.contracts import Contract, load_contracts, normalise_label
from warehouse.readers.units import find_unit

CONTRACTS = load_contracts()
ALL = sorted(CONTRACTS)

COLUMNS = {
    "org_unit": "code name short_name parent department credit_code division level kind protocol_order climate valid_from valid_to aliases"
    " scope_cost scope_vehicle scope_space scope_energy scope_service excluded",
    "org_alias": "alias unit valid_from valid_to met_in",
    "org_succession": "unit successor happened_on change share document",
    "allocation": "account carrier unit basis share weight document valid_from valid_to",
    "staff": "unit month authorised_staff actual_staff energy_headcount outside_staff",
    "funds_quota": "unit quota_class per_head doc_no valid_from valid_to",
    "meeting": "meeting_no unit held_on kind grade persons days amount online approval",
    "budget": "unit year item_code item_name project fund exp_kind version approved_on amount",
    "payment": "voucher line unit paid_on item_code item_name function_code project fund exp_kind amount contract_no"
    " summary",
    "budget_execution": "unit month item_code item_name fund_type plan actual",
    "vehicle": "month plate unit vin model body veh_class displacement fuel bought_on price registered_on status owner"
    " approval marking on_platform inspection_due insurance_due holiday_seal days_available days_used device_days"
    " online_days",
    "vehicle_disposal": "plate unit veh_class bought_on disposed_on method income remitted approval early_approval",
    "vehicle_rental": "rental_no unit rented_on rental_kind days km supplier order_no amount",
    "vehicle_quota": "unit veh_class quota doc_no valid_from valid_to",
    "trip": "plate started_at ended_at unit order_no km purpose duty origin_place destination veh_class fuel time_kind"
    " sensitive_stops",
    "vehicle_expense": "receipt_no plate unit kind spent_on quantity unit_price amount odometer veh_class fuel designated"
    " alert",
    "building": "code unit name compound address built_year floors gross_area usable_area heated_area registrable"
    " title_no tenure valid_from valid_to use_doc central",
    "premises_report": "unit month planned_checks done_checks rooms_checked rooms_matched seats present",
    "space_disposal": "disposal_no unit building done_on method area income remitted doc_no",
    "space_exemption": "building room_no unit reason doc_no valid_from valid_to",
    "room": "building floor room_no room_kind usable_area unit person_no rank persons occupant_state status tenure"
    " compound approval valid_from valid_to",
    "energy_use": "unit month carrier account quantity unit_price cost charged_area area_price shared billed_from billed_to season prepaid",
    "meter_month": "meter_no month unit building carrier previous current ratio quantity sub_item night_quantity"
    " day_quantity",
    "service_contract": "contract_no unit service_kind supplier amount valid_from valid_to",
    "service_payment": "voucher contract_no unit paid_on amount service_kind supplier",
    "work_order": "order_no unit building kind reported_at closed_at sla_hours",
    "evaluation": "month unit service_kind score votes",
    "account_balance": "unit month account_code account_name side opening debit credit closing",
    "approved_area": "unit room_kind authorised_staff approved_area actual_area doc_no valid_from valid_to",
    "asset": "month asset_no unit name class_code class_name quantity original_value depreciation net_value"
    " acquired_on life_months life_years status department place from_pool count_result",
    "catering": "unit canteen served_on meal persons food_cost income food_waste sampled passed",
    "dispatch_order": "order_no unit plate purpose origin_place destination planned_start planned_end started_at"
    " ended_at odometer_out odometer_in km toll approved order_state",
    "energy_register": "year unit credit_code institution_kind superior division_code gross_area heated_area land_area"
    " energy_headcount authorised_staff vehicles charging_points quota_zone saving_office water_saving waste_sorting"
    " food_saving pv_capacity",
    "energy_end_use": "unit month end_use carrier quantity it_quantity",
    "energy_survey": "year unit carrier quantity cost heating_quantity transport_quantity machine_room_quantity",
    "energy_disclosure": "month unit published_on channel",
    "governance": "unit month dataset kind mark amount",
    "plan": "unit indicator year version value value_unit split base_share approved_on approved_by document reason"
    " m01 m02 m03 m04 m05 m06 m07 m08 m09 m10 m11 m12",
    "plan_month": "unit month indicator amount year_amount version",
    "target": "indicator level unit kind year value value_unit change_pct base_year direction",
    "degree_day": "climate month_of_year degree_days doc_no valid_from valid_to",
    "calendar": "country day kind name",
    "heating_season": "zone begins ends",
    "energy_norm": "measure kind zone norm_limit norm_base norm_guide",
    "housing_fund": "unit month collected collected_to_date withdrawn withdrawn_to_date loaned deposit_balance"
    " loan_balance overdue depositors cases online_cases",
    "meter_reading": "meter_no read_at unit building carrier previous current ratio quantity sub_item parent_meter"
    " subs_complete swapped",
    "meter": "meter unit building energy ratio digits interval_minutes valid_from valid_to parent_meter",
    "meter_day": "meter day unit building energy quantity peak_load peak_at night_quantity night_complete got expected"
    " complete covered_minutes spikes estimated parent_meter basis",
    "gps_point": "plate located_at longitude latitude",
    "vehicle_day": "plate day unit km trips driving_minutes first_at last_at points strays gaps gap_minutes gap_km",
    "fold_rule": "rule value",
    "meter_event": "meter swapped_at end_reading start_reading reason",
    "operation_event": "event_no unit building kind equipment level started_at ended_at handled measure",
    "property_service": "month unit building supplier service_area unit_price fee staff equipment equipment_ok"
    " inspections_due inspections_done visits complaints own_cost score score_weight meeting_hours_open"
    " meeting_hours_used",
    "reception": "reception_no unit received_on guest_unit letter_no purpose guests escorts meals meal_amount"
    " amount place is_foreign",
    "space_lease": "lease_no unit direction other_party building area rent_year approval valid_from valid_to",
    "three_public": "unit year stage total abroad vehicle_total vehicle_purchase vehicle_running reception"
    " trip_groups trip_persons vehicles_bought vehicles_held reception_batches reception_persons",
    "coal_factor": "carrier factor quota_factor",
    "co2_factor": "carrier factor",
    "office_cap": "level rank cap_m2",
    "service_room_cap": "level base_staff slope least_m2 most_m2",
    "asset_norm": "class_code class_name price_cap life_years",
    "vehicle_cap": "veh_class body price_cap displacement_cap price_cap_nev",
    "expense_item": "code name in_operating_cost in_operating_funds three_public general_spending cost_step",
    "cost_survey": "unit year total depreciation utilities property_fee average_staff average_area",
    "energy_quarter": "month unit carrier quantity cost",
    "reconcile_tolerance": "caliber measure_unit tolerance",
    "reconcile_note": "unit indicator caliber amount explanation document valid_from valid_to",
    "energy_quota": "level climate kind area_from area_to heads_from heads_to quota_limit quota_base quota_guide head_limit head_base head_guide regular_limit"
    " regular_base regular_guide",
}
SECOND_CHOICE = {
    "org_unit": {
        "统一社会信用代码": {"code", "credit_code"},
        "信用代码": {"code", "credit_code"},
        "主管部门代码": {"parent", "department"},
    }
}
"""Labels that stand for a further column where the file has a label of its own for the first."""
EVIDENCE = ("doc_no", "clause", "evidence", "status", "valid_from", "valid_to")


def test_every_source_of_the_spine_has_a_contract_and_no_other() -> None:
    assert set(CONTRACTS) == set(COLUMNS)


@pytest.mark.parametrize("name", ALL)
def test_columns_are_those_agreed(name: str) -> None:
    contract = CONTRACTS[name]
    evidence = EVIDENCE if contract.time_kind == "span" else EVIDENCE[:4]
    wanted = tuple(COLUMNS[name].split()) + (evidence if contract.is_reference else ())
    assert tuple(column.name for column in contract.columns) == wanted


@pytest.mark.parametrize("name", ALL)
def test_no_label_means_two_columns(name: str) -> None:
    twice = {label: names for label, names in meanings(CONTRACTS[name]).items() if len(names) > 1}
    assert twice == SECOND_CHOICE.get(name, {})


def meanings(contract: Contract) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for column in contract.columns:
        for label in column.labels:
            found[label].add(column.name)
    if contract.unpivot:
        for group, measures in contract.unpivot.groups.items():
            for measure, column in measures.items():
                for label in column.labels:
                    found[label].add(f"{group}.{measure}")
    return found


@pytest.mark.parametrize("name", ALL)
def test_every_column_has_a_chinese_and_an_english_label(name: str) -> None:
    for column in CONTRACTS[name].columns:
        assert any(re.search("[一-龥]", alias) for alias in column.aliases), column.name
        assert re.fullmatch("[a-z][a-z0-9_]*", column.name)


@pytest.mark.parametrize("name", ALL)
def test_slices_dues_and_sizes_name_what_exists(name: str) -> None:
    contract = CONTRACTS[name]
    names = {column.name for column in contract.columns}
    assert set(contract.slice_by) <= names | {"month"}
    assert contract.due_day is None or 1 <= contract.due_day <= 28
    assert set(contract.derived) <= names
    if contract.magnitude:
        assert {contract.magnitude["column"], *contract.magnitude["per"]} <= names


@pytest.mark.parametrize("name", ALL)
def test_units_are_known_units(name: str) -> None:
    contract = CONTRACTS[name]
    columns = list(contract.columns)
    if contract.unpivot:
        columns += [column for measures in contract.unpivot.groups.values() for column in measures.values()]
    for column in columns:
        if column.unit is None:
            continue
        stored, written = find_unit(column.unit), find_unit(column.default_unit or column.unit)
        assert stored and written and stored.dimension == written.dimension, column.name


@pytest.mark.parametrize("name", ALL)
def test_checks_derivations_and_months_are_sql_over_the_typed_columns(name: str) -> None:
    contract = CONTRACTS[name]
    con = duckdb.connect()
    columns = ", ".join(f'"{column.name}" {column.sql_type}' for column in contract.columns)
    con.execute(f"CREATE TABLE staged ({columns}, note VARCHAR)")
    for check in contract.checks:
        kind = con.execute(f"SELECT typeof(({check.expr})) FROM (SELECT 1) LEFT JOIN staged ON true").fetchone()
        assert kind == ("BOOLEAN",), check.code
        assert set(check.text) == {"zh", "en"}, check.code
    for column, expr in contract.derived.items():
        con.execute(f'UPDATE staged SET "{column}" = {expr}')
    if contract.month_expr:
        con.execute(f"SELECT year({contract.month_expr}) FROM staged")


@pytest.mark.parametrize("name", ALL)
def test_enumerations_lead_to_ids(name: str) -> None:
    for column in CONTRACTS[name].columns:
        if column.name == "status" and CONTRACTS[name].is_reference:
            assert set(column.values.values()) == {"有效", "待核实"}
            continue
        for shown, value in column.values.items():
            assert re.fullmatch("[A-Za-z][A-Za-z0-9_]*", value), f"{column.name}: {shown}"


@pytest.mark.parametrize("dataset, column", [("payment", "fund"), ("payment", "exp_kind"), ("vehicle", "veh_class")])
def test_a_shared_enumeration_has_the_same_ids_everywhere(dataset: str, column: str) -> None:
    ids = set(CONTRACTS[dataset].column(column).values.values())
    for contract in CONTRACTS.values():
        for other in contract.columns:
            if other.name == column:
                assert set(other.values.values()) == ids, contract.name


@pytest.mark.parametrize("name", ALL)
def test_examples_show_two_good_rows_and_a_bad_one_in_known_headings(name: str) -> None:
    contract = CONTRACTS[name]
    good = [example for example in contract.examples if "expect" in example]
    bad = [example for example in contract.examples if "reason" in example]
    assert len(good) >= 2 and len(bad) >= 1 and len(good) + len(bad) == len(contract.examples)
    columns = {column.name for column in contract.columns}
    for example in contract.examples:
        for heading in example["row"]:
            assert normalise_label(heading) in contract.labels, heading
    for example in good:
        assert set(example["expect"]) <= columns


def test_a_cost_is_the_half_up_product_of_the_written_figures() -> None:
    """0.5 × 0.000001 is half a millionth and becomes one; 17 digits of a price count."""
    expr = CONTRACTS["energy_use"].derived["cost"]
    quantity, price = (CONTRACTS["energy_use"].column(name).sql_type for name in ("quantity", "unit_price"))
    for written, at in [
        ("0.5", "0.000001"),
        ("709600.0", "0.08442925591882751"),
        ("513798466.0", "0.0003514876543219"),
    ]:
        sql = f"SELECT {expr} FROM (SELECT CAST('{written}' AS {quantity}) AS quantity, CAST('{at}' AS {price}) AS unit_price, NULL AS charged_area, NULL AS area_price)"
        found = duckdb.connect().execute(sql).fetchone()
        wanted = (Decimal(written) * Decimal(at)).quantize(Decimal("0.000001"), rounding=ROUND_HALF_UP)
        assert found == (wanted,)


BOUNDED = """
name = "x"
title = { zh = "甲", en = "X" }
theme = "cost"
time = { kind = "month", column = "month" }
slice = "increment"
standard = "GB/T 1"
bounds = { most = 40 }
column = [
    { name = "month", type = "month", key = true, aliases = ["月份"] },
    { name = "persons", type = "int", aliases = ["人数"], standard = "GB/T 1 表2" },
]
check = [{ code = "too_many", expr = "persons <= bound(MOST)", text = { zh = "超过bound(MOST)人", en = "above bound(MOST)" } }]
"""


def folder_with(tmp_path: Path, text: str) -> Path:
    (tmp_path / "x.toml").write_text(text, encoding="utf-8")
    return tmp_path


def test_a_bound_is_the_same_figure_in_the_check_and_in_what_it_says(tmp_path: Path) -> None:
    contract = load_contracts(folder_with(tmp_path, BOUNDED.replace("MOST", "most")))["x"]
    assert contract.checks[0].expr == "persons <= 40"
    assert dict(contract.checks[0].text) == {"zh": "超过40人", "en": "above 40"}
    assert (contract.standard, contract.column("persons").standard) == ("GB/T 1", "GB/T 1 表2")
    assert contract.column("month").standard is None


def test_a_bound_nobody_set_is_a_fault_of_the_contract(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match=r"bound\(least\)"):
        load_contracts(folder_with(tmp_path, BOUNDED.replace("MOST", "least")))


def test_a_pair_names_columns_and_a_list_that_exist(tmp_path: Path) -> None:
    pair = (
        'pair = [{ code = "p", columns = ["month", "nname"], list = "no_list", text = { zh = "错", en = "wrong" } }]\n'
    )
    with pytest.raises(DefinitionError) as caught:
        load_contracts(folder_with(tmp_path, pair + BOUNDED.replace("MOST", "most")))
    assert "'nname', which is not a column" in str(caught.value) and "'no_list'" in str(caught.value)


@pytest.mark.parametrize("carrier, middle", [("electricity", 700), ("heat", 90_000), ("water", 5_000)])
def test_price_bands_tell_a_crossed_pair_of_figures(carrier: str, middle: int) -> None:
    """1,000 units at the usual price pass, the same figures crossed do not, and no quantity is no price."""
    check = next(c for c in CONTRACTS["energy_use"].checks if c.code == "unit_price_unlikely")
    con = duckdb.connect()
    for quantity, cost, wanted in ((1000, middle, True), (middle, 1000, False), (0, middle, True)):
        row = f"SELECT '{carrier}' AS carrier, {quantity} AS quantity, {cost} AS cost, NULL AS unit_price"
        assert con.execute(f"SELECT {check.expr} FROM ({row})").fetchone() == (wanted,), (quantity, cost)
