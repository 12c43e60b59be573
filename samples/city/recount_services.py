"""Measures of energy by purpose, services, canteens and the fund, counted from the files by themselves."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from samples.city.figures import Figure, Measure
from samples.city.knowledge import Sums


def _any(_: Any) -> bool:
    return True


def _in_room(row: Any) -> bool:
    return bool(row.end_use == "数据中心机房")


def _rows(source: str, wanted: Callable[[Any], Any] = _any, amount: str = "") -> Measure:
    """Add up a column over the wanted rows of a dataset, or count them."""
    return lambda known, _: known.counted(source, wanted, lambda row: getattr(row, amount) if amount else 1)


def _both(a: Sums, b: Sums) -> Sums:
    return {place: a.get(place, Decimal(0)) + b.get(place, Decimal(0)) for place in {*a, *b}}


SERVED: dict[str, Figure] = {
    "pv_kwh": Figure("kWh", lambda known, _: known.used("pv")),
    "coal_t": Figure("t", lambda known, _: known.used("coal_raw"), shift=-3),
    "dc_eue": Figure("1", _rows("energy_end_use", _in_room, "quantity"), _rows("energy_end_use", _in_room, "it_quantity")),
    "charging_kwh": Figure("kWh", _rows("energy_end_use", lambda row: row.end_use == "充电桩", "quantity")),
    "elec_sub_hvac_share": Figure(
        "%", _rows("meter_month", lambda row: row.sub_item == "B1", "quantity"),
        _rows("meter_month", lambda row: row.sub_item, "quantity"), 2,
    ),
    "en_disclosure_rate": Figure(
        "%", _rows("energy_disclosure", lambda row: row.published_on), _rows("energy_disclosure"), 2,
    ),
    "svc_share": Figure(
        "%", lambda known, _: known.service_paid,
        lambda known, _: _both(known.service_paid, known.counted("property_service", _any, lambda row: row.own_cost)), 2,
    ),
    "svc_round_rate": Figure(
        "%", _rows("property_service", amount="inspections_done"), _rows("property_service", amount="inspections_due"), 2,
    ),
    "cat_meals": Figure("人次", _rows("catering", amount="persons")),
    "cat_cost_meal": Figure("元/人次", _rows("catering", amount="food_cost"), _rows("catering", amount="persons")),
    "hpf_collect": Figure("亿元", _rows("housing_fund", amount="collected"), shift=-8),
}  # fmt: skip
