"""Figures recounted from the registers kept beside the books, row by row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from samples.city.calendar import month_of
from samples.city.figures import Figure, Measure
from samples.city.items import ACCRUAL
from samples.city.knowledge import Sums

_HELD = ("在用", "封存")
_FUELLED = ("汽油", "柴油")
_PLACES = ("加油", "维修", "保险")
_DAY = {
    "vehicle_disposal": "disposed_on", "vehicle_rental": "rented_on", "reception": "received_on", "meeting": "held_on",
    "space_disposal": "done_on",
}  # fmt: skip
Amount = Callable[[Any], Any]


def _row(source: str, wanted: Amount = lambda _: True, amount: Amount = lambda _: 1) -> Measure:
    """Add up the wanted rows of a register by unit and month; a blank adds nothing."""

    def measure(known: Any, _: int) -> Sums:
        sums: Sums = defaultdict(Decimal)
        for row in known.rows(source):
            if wanted(row):
                month = month_of(getattr(row, _DAY[source])) if source in _DAY else row.month
                sums[row.unit, month] += amount(row) or 0
        return sums

    return measure


def _moved(source: str, wanted: Amount = lambda _: True, amount: Amount = lambda _: 1) -> Measure:
    """Add up rows of the journeys, receipts or the fleet, whose months the files declare."""
    return lambda known, _: known.counted(source, wanted, amount)


def _standing(source: str, wanted: Amount, amount: Amount = lambda _: 1) -> Measure:
    """Add up the rows of a register that hold in the month asked for."""
    return lambda known, month: known.area(source, month, wanted, amount)


def _item(*codes: str) -> Measure:
    return lambda known, _: known.paid(lambda row: row.item_code in codes and row.exp_kind != ACCRUAL)


def _age(row: Any) -> int:
    return int(row.month) - month_of(row.bought_on)


def _is_held(row: Any) -> bool:
    return row.status in _HELD


def _many_escorts(row: Any) -> bool:
    return bool(row.escorts > 3 if row.guests <= 10 else row.escorts * 3 > row.guests)


def _present(row: Any) -> bool:
    return row.status not in ("已处置", "盘亏")


RECOUNTED: dict[str, Figure] = {
    "meeting_exp": Figure("万元", _item("30215"), shift=-4),
    "travel_exp": Figure("万元", _item("30211"), shift=-4),
    "utility_exp": Figure("万元", _item("30205", "30206", "30208"), shift=-4),
    "rent_exp": Figure("万元", _item("30214"), shift=-4),
    "depreciation": Figure("万元", lambda known, _: known.paid(lambda row: row.exp_kind == ACCRUAL), shift=-4),
    "three_public_share": Figure("%", lambda known, _: known.three_public, lambda known, _: known.op_cost, 2),
    "meeting_cost_per_day": Figure(
        "元/人天", _row("meeting", lambda r: r.kind == "会议", lambda r: r.amount),
        _row("meeting", lambda r: r.kind == "会议", lambda r: r.persons * r.days),
    ),
    "staff_outside": Figure("人", _row("staff", amount=lambda r: r.outside_staff), stock=True),
    "rec_batches": Figure("批", _row("reception")),
    "rec_persons": Figure("人次", _row("reception", amount=lambda r: r.guests)),
    "rec_per_person": Figure(
        "元/人次", lambda known, _: known.item("30217"), _row("reception", amount=lambda r: r.guests)
    ),
    "rec_no_letter": Figure("批", _row("reception", lambda r: not r.letter_no)),
    "rec_escort_over": Figure("批", _row("reception", _many_escorts)),
    "veh_new_nev_share": Figure(
        "%", _moved("vehicle", lambda r: _is_held(r) and _age(r) == 0 and r.fuel in ("纯电动", "插电混动")),
        _moved("vehicle", lambda r: _is_held(r) and _age(r) == 0), 2,
    ),
    "veh_over8_share": Figure(
        "%", _moved("vehicle", lambda r: _is_held(r) and _age(r) >= 96), _moved("vehicle", _is_held), 2, stock=True
    ),
    "veh_marked_rate": Figure(
        "%", _moved("vehicle", lambda r: _is_held(r) and r.marking == "是"),
        _moved("vehicle", lambda r: _is_held(r) and r.marking in ("是", "否")), 2, stock=True,
    ),
    "veh_holiday_sealed": Figure(
        "%", _moved("vehicle", lambda r: _is_held(r) and r.holiday_seal == "已封存"),
        _moved("vehicle", lambda r: _is_held(r) and r.holiday_seal in ("已封存", "未封存")), 2,
    ),
    "veh_gps_online": Figure(
        "%", _moved("vehicle", amount=lambda r: r.online_days), _moved("vehicle", amount=lambda r: r.device_days), 2
    ),
    "veh_use_rate": Figure(
        "%", _moved("vehicle", amount=lambda r: r.days_used),
        _moved("vehicle", lambda r: r.status in ("在用", "借入"), lambda r: r.days_available), 2,
    ),
    "veh_km": Figure("km", _moved("trip", amount=lambda r: r.km)),
    "veh_trips": Figure("次", _moved("trip")),
    "veh_fuel_per_100km": Figure(
        "L/100km", _moved("vehicle_expense", lambda r: r.kind == "加油" and r.fuel in _FUELLED, lambda r: r.quantity),
        _moved("trip", lambda r: r.fuel in _FUELLED, lambda r: r.km), 2,
    ),
    "veh_offhours": Figure(
        "次", _moved("trip", lambda r: r.time_kind != "工作时段" and not r.order_no and not r.duty)
    ),
    "veh_sensitive_poi": Figure("次", _moved("trip", lambda r: not r.duty, lambda r: r.sensitive_stops)),
    "veh_refuel_anomaly": Figure("次", _moved("vehicle_expense", lambda r: bool(r.alert))),
    "veh_designated_rate": Figure(
        "%", _moved("vehicle_expense", lambda r: r.kind in _PLACES and r.designated, lambda r: r.amount),
        _moved("vehicle_expense", lambda r: r.kind in _PLACES and r.designated is not None, lambda r: r.amount), 2,
    ),
    "veh_disposed": Figure("辆", _row("vehicle_disposal")),
    "veh_disposal_income": Figure("万元", _row("vehicle_disposal", amount=lambda r: r.income), shift=-4),
    "veh_rent_exp": Figure("万元", _row("vehicle_rental", amount=lambda r: r.amount), shift=-4),
    "off_usable_area": Figure("m²", _standing("room", lambda _: True, lambda r: r.usable_area), stock=True),
    "off_area_quota_rate": Figure(
        "%",
        _standing("room", lambda r: r.status == "在用" and r.room_kind in ("办公室", "服务用房", "设备用房"),
                  lambda r: r.usable_area),
        _standing("approved_area", lambda _: True, lambda r: r.approved_area), 2, stock=True,
    ),
    "off_lease_in_area": Figure("m²", _standing("space_lease", lambda r: r.direction == "租用", lambda r: r.area), stock=True),
    "off_lease_out_area": Figure("m²", _standing("space_lease", lambda r: r.direction == "出租", lambda r: r.area), stock=True),
    "off_doc_rate": Figure(
        "%", _standing("building", lambda r: bool(r.use_doc)), _standing("building", lambda _: True), 2, stock=True
    ),
    "off_central_rate": Figure(
        "%", _standing("building", lambda r: r.central, lambda r: r.gross_area),
        _standing("building", lambda _: True, lambda r: r.gross_area), 2, stock=True,
    ),
    "off_inspect_rate": Figure(
        "%", _row("premises_report", amount=lambda r: r.done_checks),
        _row("premises_report", amount=lambda r: r.planned_checks), 2,
    ),
    "off_seat_use": Figure(
        "%", _row("premises_report", amount=lambda r: r.present), _row("premises_report", amount=lambda r: r.seats), 2
    ),
    "off_disposal_area": Figure("m²", _row("space_disposal", amount=lambda r: r.area)),
    "off_repair_invest": Figure("万元", _item("31006"), shift=-4),
    "ast_value": Figure("万元", _row("asset", _present, lambda r: r.original_value), shift=-4, stock=True),
    "ast_net": Figure("万元", _row("asset", _present, lambda r: r.original_value - r.depreciation), shift=-4, stock=True),
    "ast_match": Figure(
        "%", _row("asset", lambda r: r.count_result == "相符", lambda r: r.quantity),
        _row("asset", lambda r: r.count_result in ("相符", "盘盈", "盘亏"), lambda r: r.quantity), 2, stock=True,
    ),
}  # fmt: skip
