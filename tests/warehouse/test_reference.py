"""The reference rows the package ships: complete, without overlaps, with evidence, and in agreement with the documents."""

from __future__ import annotations

import csv
import datetime as dt
from collections import defaultdict
from decimal import Decimal
from importlib import resources
from itertools import pairwise

import pytest

from warehouse.base.periods import month_no
from warehouse.base.workdays import working_days
from warehouse.contracts import load_contracts

CONTRACTS = {name: contract for name, contract in load_contracts().items() if contract.is_reference}
ALL = sorted(CONTRACTS)


def rows(name: str) -> list[dict[str, str]]:
    text = (resources.files("warehouse") / "reference" / f"{name}.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def in_force(name: str, day: str, **wanted: str) -> list[dict[str, str]]:
    return [
        row
        for row in rows(name)
        if row["valid_from"] <= day < (row["valid_to"] or "9999") and all(row[k] == v for k, v in wanted.items())
    ]


@pytest.mark.parametrize("name", ALL)
def test_a_table_has_exactly_the_columns_of_its_contract(name: str) -> None:
    assert list(rows(name)[0]) == [column.name for column in CONTRACTS[name].columns]


@pytest.mark.parametrize("name", ALL)
def test_every_row_names_document_clause_and_evidence(name: str) -> None:
    for row in rows(name):
        assert row["doc_no"] and row["clause"] and row[CONTRACTS[name].time_column]
        assert row["evidence"] in {"C", "C2", "R", "D", "K"}
        assert row["status"] == ("有效" if row["evidence"] in {"C", "C2"} else "待核实")


@pytest.mark.parametrize("name", ALL)
def test_rows_of_one_key_never_overlap(name: str) -> None:
    spans: dict[tuple[str, ...], list[tuple[str, str]]] = defaultdict(list)
    keys = [key for key in CONTRACTS[name].keys if key != "valid_from"]
    if CONTRACTS[name].time_kind != "span":  # a row of one day, which its key names
        assert len({tuple(row[key] for key in keys) for row in rows(name)}) == len(rows(name))
        return
    for row in rows(name):
        spans[tuple(row[key] for key in keys)].append((row["valid_from"], row["valid_to"] or "9999"))
    for key, found in spans.items():
        found.sort()
        assert all(a[1] <= b[0] for a, b in pairwise(found)), key


@pytest.mark.parametrize("name", ALL)
def test_enumerated_cells_are_ids_of_the_contract(name: str) -> None:
    for column in CONTRACTS[name].columns:
        if column.values:
            used = {row[column.name] for row in rows(name)} - {""}
            assert used <= set(column.values.values()), column.name


@pytest.mark.parametrize("name", ["coal_factor", "co2_factor"])
def test_every_carrier_has_a_factor_today(name: str) -> None:
    carriers = set(load_contracts()["energy_use"].unpivot.groups)  # type: ignore[union-attr]
    found = {row["carrier"] for row in in_force(name, "2026-01-01")}
    assert carriers <= found <= set(load_contracts()["energy_use"].column("carrier").values.values())


def test_factors_of_litres_fold_the_density_in() -> None:
    """petrol 1.4714 kgce/kg × 0.73 kg/L, diesel 1.4571 × 0.86; CO2 2.9251 and 3.0959 per kg; heat 0.03412 per MJ."""
    coal = {row["carrier"]: Decimal(row["factor"]) for row in in_force("coal_factor", "2024-01-01")}
    co2 = {row["carrier"]: Decimal(row["factor"]) for row in in_force("co2_factor", "2024-01-01")}
    assert coal["gasoline"] == Decimal("1.4714") * Decimal("0.73")
    assert coal["diesel"] == Decimal("1.4571") * Decimal("0.86")
    assert coal["heat"] == Decimal("0.03412") * 1000
    assert co2["gasoline"] == Decimal("2.9251") * Decimal("0.73")
    assert co2["diesel"] == Decimal("3.0959") * Decimal("0.86")
    assert (coal["electricity"], coal["natural_gas"], coal["water"]) == (Decimal("0.1229"), Decimal("1.33"), 0)


@pytest.mark.parametrize(
    "day, factor",
    [("2021-06-01", "0.5568"), ("2022-06-01", "0.5366"), ("2023-06-01", "0.5306"), ("2025-06-01", "0.5306")],
)
def test_electricity_takes_the_factor_of_its_year_else_the_newest_earlier_one(day: str, factor: str) -> None:
    found = in_force("co2_factor", day, carrier="electricity")
    assert [Decimal(row["factor"]) for row in found] == [Decimal(factor)]


@pytest.mark.parametrize(
    "level, caps",
    [
        ("nation", (54, 42, 24, 18, 12, 9)),
        ("province", (54, 42, 30, 24, 18, 12, 9)),
        ("city", (42, 30, 24, 18, 9)),
        ("county", (30, 24, 18, 12, 9)),
        ("town", (24, 18, 9)),
    ],
)
def test_office_caps_are_those_of_2014_and_not_of_1999(level: str, caps: tuple[int, ...]) -> None:
    assert tuple(int(Decimal(row["cap_m2"])) for row in rows("office_cap") if row["level"] == level) == caps


def test_each_rank_of_a_room_has_one_level_and_one_cap() -> None:
    ranks = [row["rank"] for row in rows("office_cap")]
    assert len(ranks) == len(set(ranks))
    assert set(load_contracts()["room"].column("rank").values.values()) == set(ranks)


def test_every_class_and_body_of_a_vehicle_has_one_row() -> None:
    vehicle = load_contracts()["vehicle"]
    wanted = {
        (kind, body)
        for kind in vehicle.column("veh_class").values.values()
        for body in vehicle.column("body").values.values()
    }
    found = [(row["veh_class"], row["body"]) for row in rows("vehicle_cap")]
    assert len(found) == len(wanted) and set(found) == wanted


@pytest.mark.parametrize(
    "kind, body, price, litres",
    [
        ("courier", "sedan", "120000", "1.6"),
        ("emergency", "sedan", "180000", "1.8"),
        ("other", "minibus", "250000", "3.0"),
        ("enforcement", "coach", "450000", ""),
        ("special", "special", "", ""),
    ],
)
def test_vehicle_caps_follow_the_rule_of_2017(kind: str, body: str, price: str, litres: str) -> None:
    row = in_force("vehicle_cap", "2024-01-01", veh_class=kind, body=body)[0]
    assert (row["price_cap"].removesuffix(".00"), row["displacement_cap"]) == (price, litres)


def test_three_public_codes_are_abroad_reception_and_both_kinds_of_vehicle_cost() -> None:
    found = {row["code"]: row["three_public"] for row in rows("expense_item") if row["three_public"]}
    assert found == {
        "30212": "abroad", "30217": "reception", "30231": "vehicle", "31013": "vehicle", "30913": "vehicle",
    }  # fmt: skip


def test_operating_funds_are_all_302_codes_and_operating_cost_adds_depreciation() -> None:
    table = rows("expense_item")
    assert {row["code"] for row in table if row["in_operating_funds"] == "true"} == {
        row["code"] for row in table if row["code"].startswith("302")
    }
    in_cost = {row["code"] for row in table if row["in_operating_cost"] == "true"}
    assert "ZJTX" in in_cost and not {"30226", "30227"} & in_cost
    assert all(code.startswith("302") for code in in_cost - {"ZJTX"})


def test_quota_bands_stand_in_order() -> None:
    for row in rows("energy_quota"):
        for measure in ("quota", "head", "regular"):
            guide, base, limit = (Decimal(row[f"{measure}_{line}"]) for line in ("guide", "base", "limit"))
            assert guide <= base <= limit


@pytest.mark.parametrize(
    ("level", "climate", "limits"),
    [
        ("province", "B", (25.5, 1611.5, 81.0)),
        ("city", "A", (21.9, 1300.8, 72.6)),
        ("city", "B", (22.3, 1557.1, 80.0)),
        ("county", "A", (20.0, 1197.8, 67.4)),
        ("county", "B", (20.8, 1293.4, 75.8)),
    ],
)
def test_quotas_are_those_of_the_level_and_the_zone(level: str, climate: str, limits: tuple[float, ...]) -> None:
    row = in_force("energy_quota", "2024-01-01", level=level, climate=climate)[0]
    assert tuple(float(row[f"{measure}_limit"]) for measure in ("quota", "head", "regular")) == limits


def test_norms_only_recalled_are_marked_and_stand_in_order() -> None:
    table = rows("energy_norm")
    assert all(row["status"] == "待核实" for row in table if row["measure"] == "power_per_area")
    assert all(float(row["norm_guide"]) <= float(row["norm_limit"]) for row in table)


WORKING_DAYS = {
    2024: (22, 18, 21, 22, 21, 19, 23, 22, 21, 19, 21, 22),
    2025: (19, 19, 21, 22, 19, 20, 23, 21, 23, 18, 20, 23),
    2026: (21, 16, 22, 21, 19, 21, 23, 21, 22, 18, 21, 23),
}
"""Counted by hand from the printed notices: weekdays, less days off, plus weekend days worked instead."""
OFF_2026 = "01-01 01-02 01-03 02-15 02-16 02-17 02-18 02-19 02-20 02-21 02-22 02-23 04-04 04-05 04-06 05-01 05-02 05-03 05-04 05-05"
OFF_2026 += " 06-19 06-20 06-21 09-25 09-26 09-27 10-01 10-02 10-03 10-04 10-05 10-06 10-07"
WORKED_2026 = "01-04 02-14 02-28 05-09 09-20 10-10"


def test_the_calendar_of_2026_is_that_of_the_notice() -> None:
    of_year = [row for row in rows("calendar") if row["day"].startswith("2026")]
    assert [row["day"][5:] for row in of_year if row["kind"] in ("holiday", "rest")] == OFF_2026.split()
    assert [row["day"][5:] for row in of_year if row["kind"] == "shifted"] == WORKED_2026.split()


@pytest.mark.parametrize("year", WORKING_DAYS)
def test_months_have_the_working_days_of_the_notice(year: int) -> None:
    days = {dt.date.fromisoformat(row["day"]): row["kind"] for row in rows("calendar")}
    assert tuple(working_days(days, month_no(year, month)) for month in range(1, 13)) == WORKING_DAYS[year]


def test_every_year_of_the_calendar_has_all_its_holidays() -> None:
    named: dict[str, set[str]] = defaultdict(set)
    for row in rows("calendar"):
        named[row["day"][:4]].add(row["name"])
    assert list(named) == [str(year) for year in range(2018, 2027)]
    assert all(
        {"元旦", "春节", "清明", "劳动节", "端午", "中秋", "国庆节"} - found <= {"中秋"} for found in named.values()
    )
