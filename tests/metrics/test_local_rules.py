"""Rules of a bureau's own: a row that starts later replaces the shipped one from then on, and an exemption is seen."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from metrics.catalogue import load_catalogue
from warehouse.contracts import load_contracts

JUDGING = {
    "veh_over_std": "vehicle",
    "off_over_rooms": "room",
    "ast_over_config": "asset",
}
"""Indicators that judge by a reference table → the source whose rows carry the evidence of the rule."""


@pytest.mark.parametrize("name", ["vehicle_cap", "office_cap", "expense_item", "asset_norm", "service_room_cap"])
def test_a_file_of_one_local_row_leaves_the_other_rows_in_force(name: str) -> None:
    assert load_contracts()[name].slice == "increment"


@pytest.mark.parametrize("indicator", JUDGING)
def test_a_judgement_can_be_split_by_the_evidence_of_its_rule_and_says_when_it_is_not_verified(indicator: str) -> None:
    catalogue = load_catalogue()
    assert "evidence" in catalogue.indicators[indicator].dims
    assert "待核实" in catalogue.indicators[indicator].text.zh


def _room(world: Any, number: str, area: str, **more: Any) -> None:
    world.add("room", unit="u", building="F1", room_no=number, room_kind="office", usable_area=area, rank="staff",
              persons=1, status="in_use", tenure="owned", valid=("2024-01",), **more)  # fmt: skip


def test_a_local_cap_holds_from_its_month_and_the_national_one_before(world: Any, ask: Any) -> None:
    world.defaults()
    world.unit("u")
    _room(world, "101", "8.50")
    world.add("office_cap", 2, valid=("2024-07",), level="city", rank="staff", cap_m2="8", doc_no="local", clause="local",
              evidence="L", status="有效")  # fmt: skip
    asked = ask(world)
    assert asked.one("off_over_rooms", "u", "2024-06").value == 0
    assert asked.one("off_over_rooms", "u", "2024-07").value == 1
    assert asked.one("off_over_area", "u", "2024-12").value == Decimal("0.50")
    local = [a for a in asked.all("off_over_rooms", "u", "2024-12", by="evidence") if a.dim_value == "L"]
    assert [a.value for a in local] == [1]


def test_an_exemption_silences_a_room_while_it_lasts_and_is_counted_beside(world: Any, ask: Any) -> None:
    world.defaults()
    world.unit("u")
    _room(world, "101", "12.00")
    _room(world, "102", "12.00")
    world.add("space_exemption", unit="u", building="F1", room_no="102", doc_no="No. 7", valid=("2024-03", "2024-06"))
    asked = ask(world)
    seen = {m: (asked.one("off_over_rooms", "u", m).value, asked.one("off_over_approved", "u", m).value)
            for m in ("2024-02", "2024-03", "2024-05", "2024-06")}  # fmt: skip
    assert seen == {"2024-02": (2, 0), "2024-03": (1, 1), "2024-05": (1, 1), "2024-06": (2, 0)}


@pytest.mark.parametrize(
    ("level", "staff", "area", "over"),
    [
        # city: 8 up to 200, (1000 - x) / 100 between, 6 from 400 on
        ("city", 100, "900", "100"),
        ("city", 300, "2150", "50"),
        ("city", 500, "3000.5", "0.5"),
        # county: 8 up to 100, (500 - x) / 50 between, 6 from 200 on
        ("county", 150, "1060", "10"),
        ("town", 60, "480", "0"),
    ],
)
def test_service_rooms_over_the_formula_of_their_level(
    world: Any, ask: Any, level: str, staff: int, area: str, over: str
) -> None:
    world.defaults()
    world.unit("u", level=level)
    world.add("staff", unit="u", month="2024-01", authorised_staff=staff)
    world.add("room", unit="u", building="F1", room_no="1", room_kind="service", usable_area=area, status="in_use",
              tenure="owned", valid=("2024-01",))  # fmt: skip
    assert ask(world).one("off_service_over", "u", "2024-01").value == Decimal(over)


def test_technical_rooms_stay_outside_every_figure_per_head_and_over_standard(world: Any, ask: Any) -> None:
    world.defaults()
    world.unit("u")
    world.add("staff", unit="u", month="2024-01", authorised_staff=10)
    world.add("room", unit="u", building="F1", room_no="1", room_kind="technical", usable_area="500", rank="staff",
              persons=1, status="in_use", tenure="owned", valid=("2024-01",))  # fmt: skip
    world.add("approved_area", unit="u", room_kind="all", approved_area="200", valid=("2024-01",))
    asked = ask(world)
    for indicator in ("off_area_per_head", "off_service_per_head", "off_over_rooms", "off_over_area", "off_service_over",
                      "off_area_quota_rate"):  # fmt: skip
        assert asked.one(indicator, "u", "2024-01").value in (0, None), indicator


def test_the_three_public_expenses_and_the_cut_read_only_their_own_items_and_funds(world: Any, ask: Any) -> None:
    world.defaults()
    world.unit("u")
    for number, (day, code, fund, amount) in enumerate(
        (("2023-03-05", "30201", "general", "1000.00"), ("2024-03-05", "30201", "general", "900.00"),
         ("2024-03-05", "30217", "general", "40.00"), ("2024-03-05", "30217", "other", "7.00"),
         ("2024-03-05", "30228", "general", "500.00")), 1,
    ):  # fmt: skip
        world.add("payment", unit="u", voucher=str(number), line=1, paid_on=day, item_code=code, fund=fund,
                  exp_kind="basic_public", amount=amount)  # fmt: skip
    asked = ask(world)
    assert asked.one("reception_exp", "u", "2024-03").numerator == Decimal("40.00")
    # general spending: 900 + 40 + 7 against 1000; trade union dues are none of it
    assert asked.one("general_exp_cut", "u", "2024-03").value == pytest.approx(5.3)
