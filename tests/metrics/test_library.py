"""The ids the office is asked for every year: cost, vehicles, space, assets and receptions are all defined, each in its theme."""

from __future__ import annotations

import pytest

from metrics.catalogue import load_catalogue

CATALOGUE = load_catalogue()
ASKED = {
    "cost": "op_cost_total op_cost_per_capita op_cost_per_area op_cost_yoy op_funds_exp op_funds_exec budget_exec_rate"
    " budget_adj_rate dec_spend_share quota_exec_rate three_public_total abroad_exp vehicle_exp reception_exp"
    " three_public_exec three_public_share meeting_exp training_exp travel_exp office_exp_per_capita utility_exp"
    " property_exp_per_area repair_exp rent_exp depreciation general_exp_cut meeting_cost_per_day training_cost_per_day"
    " staff_outside rec_batches rec_persons rec_per_person rec_no_letter rec_escort_over",
    "vehicle": "veh_count veh_quota_rate veh_over_quota veh_over_std veh_per_100 veh_nev_share veh_new_nev_share"
    " veh_age_avg veh_over8_share veh_early_replace veh_run_exp veh_cost_per_veh veh_cost_per_100km veh_fuel_per_100km"
    " veh_refuel_anomaly veh_km veh_trips veh_use_rate veh_idle_30d veh_offhours veh_no_order veh_sensitive_poi"
    " veh_gps_online veh_inspect_due veh_marked_rate veh_platform_rate veh_designated_rate veh_holiday_sealed"
    " veh_rent_exp veh_disposed veh_disposal_income veh_disposal_remit veh_borrowed",
    "space": "off_gross_area off_usable_area off_area_per_head off_service_per_head off_service_over"
    " off_area_quota_rate off_over_rooms off_over_area off_over_approved off_vacant_area off_vacancy_rate"
    " off_lease_in_area off_lease_out_area off_lease_vacant off_title_rate off_doc_rate off_ledger_match"
    " off_usable_coef off_inspect_rate off_seat_use off_multi_rooms off_retired_rooms off_central_rate"
    " off_disposal_area off_disposal_rate off_repair_invest off_rent_income off_rent_remit",
    "service": "ast_value ast_net ast_newness ast_over_config ast_idle ast_pool_reuse ast_match",
}


@pytest.mark.parametrize("theme", ASKED)
def test_every_indicator_asked_for_is_defined_in_its_theme(theme: str) -> None:
    missing = [name for name in ASKED[theme].split() if name not in CATALOGUE.indicators]
    assert missing == []
    assert {CATALOGUE.indicators[name].theme for name in ASKED[theme].split()} == {theme}


def test_what_is_judged_by_a_recalled_rule_alone_says_so() -> None:
    for name in ("veh_early_replace", "rec_escort_over", "off_service_over", "ast_over_config"):
        indicator = CATALOGUE.indicators[name]
        assert indicator.evidence == "R"
        assert "待核实" in indicator.text.zh
        assert indicator.hint is not None and "待核实" in indicator.hint.zh
