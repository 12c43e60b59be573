"""Expected answers: the value of an indicator at a node and period, and the other checks of the truth file."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from samples.city.figures import Figure, Measure
from samples.city.items import THREE_PUBLIC
from samples.city.knowledge import Knowledge, Sums, months_of
from samples.city.plans import FUNDS, HOSPITALITY, planned
from samples.city.recount import RECOUNTED
from samples.city.recount_services import SERVED

Check = dict[str, object]


def _of(name: str) -> Measure:
    return lambda known, _: getattr(known, name)


def _used(carrier: str) -> Measure:
    return lambda known, _: known.used(carrier)


def _at(name: str) -> Measure:
    return lambda known, month: getattr(known, name)(month)


FIGURES: dict[str, Figure] = {
    **RECOUNTED, **SERVED,
    "op_cost_total": Figure("万元", _of("op_cost"), shift=-4),
    "op_funds_exp": Figure("万元", _of("op_funds"), shift=-4),
    "three_public_total": Figure("万元", _of("three_public"), shift=-4),
    "op_funds_plan": Figure("万元", lambda known, _: planned(known, FUNDS), shift=-4),
    "op_funds_pace": Figure("%", _of("op_funds"), lambda known, _: planned(known, FUNDS), 2),
    "three_public_plan": Figure("万元", lambda known, _: planned(known, HOSPITALITY), shift=-4),
    "three_public_pace": Figure("%", _of("three_public"), lambda known, _: planned(known, HOSPITALITY), 2),
    "dec_spend_share": Figure("%", lambda known, _: _december(known), _of("cash"), 2),
    "reception_exp": Figure("万元", lambda known, _: known.item("30217"), shift=-4),
    "elec_kwh": Figure("kWh", _used("electricity")),
    "water_m3": Figure("m³", _used("water")),
    "heat_gj": Figure("GJ", _used("heat")),
    "energy_cost": Figure("万元", _of("energy_cost"), shift=-4),
    "en_tce": Figure("tce", _of("kgce"), shift=-3),
    "veh_count": Figure("辆", _of("held"), stock=True),
    "veh_nev_share": Figure("%", _of("held_nev"), _of("held"), 2, stock=True),
    "veh_borrowed": Figure("辆", _of("borrowed"), stock=True),
    "veh_over_std": Figure("辆", _of("over_standard"), stock=True),
    "veh_over_quota": Figure("辆", _of("over_quota"), stock=True),
    "veh_no_order": Figure("次", _of("no_order")),
    "veh_run_exp": Figure("万元", _of("running"), shift=-4),
    "off_gross_area": Figure("m²", _at("gross"), stock=True),
    "off_title_rate": Figure(
        "%", lambda k, m: k.gross(m, lambda r: r.registrable and r.title_no),
        lambda k, m: k.gross(m, lambda r: r.registrable), 2, stock=True,
    ),
    "off_area_per_head": Figure(
        "m²/人", lambda k, m: k.area("room", m, lambda r: r.room_kind == "办公室", lambda r: r.usable_area),
        _of("authorised"), stock=True,
    ),
    "off_vacancy_rate": Figure(
        "%", lambda k, m: k.area("room", m, lambda r: r.status == "闲置", lambda r: r.usable_area), _at("gross"), 2,
        stock=True,
    ),
    "off_over_rooms": Figure("间", _at("over_rooms"), stock=True),
    "off_retired_rooms": Figure("间", _at("retired_rooms"), stock=True),
    "off_multi_rooms": Figure("人", _at("many_rooms"), stock=True),
    "off_lease_vacant": Figure("m²", _at("leased_beside_vacant"), stock=True),
    "svc_amount": Figure("万元", _of("service_paid"), shift=-4),
    "svc_satisfaction": Figure("分", _of("points"), _of("votes")),
    "svc_ontime": Figure("%", lambda k, _: k.jobs[1], lambda k, _: k.jobs[0], 2),
}  # fmt: skip


def _december(known: Knowledge) -> Sums:
    return {(unit, month): amount for (unit, month), amount in known.cash.items() if month % 12 == 11}


@dataclass(frozen=True)
class Answer:
    """One figure: exact sums in base units and the value in the declared unit."""

    value: Decimal | float
    numerator: Decimal
    denominator: Decimal | None
    unit: str


def answer(known: Knowledge, indicator: str, node: str, period: str, grain: str = "month") -> Answer:
    """Work out one figure from what is known."""
    months = months_of(period, grain)
    if indicator == "three_public_exec":
        return _execution(known, node, months, None)
    if indicator.startswith("budget_exec_rate:"):
        return _execution(known, node, months, indicator.partition(":")[2])
    figure = FIGURES[indicator]
    span = months[-1:] if figure.stock else months
    above = known.add(known.measured(figure.above, span[-1]), node, span)
    if figure.below is None:
        return Answer(above.scaleb(figure.shift), above, None, figure.unit)
    below = known.add(known.measured(figure.below, span[-1]), node, span)
    return Answer(float(above) / float(below) * 10**figure.shift, above, below, figure.unit)


def has_base(known: Knowledge, indicator: str, node: str, period: str, grain: str) -> bool:
    """Tell whether there is anything to divide by."""
    figure, months = FIGURES[indicator], months_of(period, grain)
    span = months[-1:] if figure.stock else months
    return figure.below is None or known.add(known.measured(figure.below, span[-1]), node, span) != 0


def _execution(known: Knowledge, node: str, months: list[int], item: str | None) -> Answer:
    """Paid so far against the budget of the year: of the three public expenses, or of one item."""
    paid = known.add(known.three_public if item is None else known.item(item), node, months)
    planned = known.budget(
        node, months[-1],
        lambda row: row.item_code == item if item else row.item_code in THREE_PUBLIC and row.fund.startswith("一般"),
    )  # fmt: skip
    return Answer(float(paid) / float(planned) * 100, paid, planned, "%")


def text(value: Decimal | float) -> str:
    """Write a figure: decimals in full without spare zeros, a float in its shortest form."""
    if isinstance(value, float):
        return repr(value)
    return format(value.normalize(), "f") if value else "0"


def value_check(
    known: Knowledge, indicator: str, node: str, period: str, grain: str = "month", known_at: dt.date | None = None
) -> Check:
    """Expect a value, now or as known on a day."""
    found = answer(known, indicator, node, period, grain)
    check: Check = {"type": "value", "indicator": indicator, "node": node, "period": period, "grain": grain,
                    "value": text(found.value), "unit": found.unit, "numerator": text(found.numerator)}  # fmt: skip
    if found.denominator is not None:
        check["denominator"] = text(found.denominator)
    if known_at is not None:
        check["known_at"] = known_at.isoformat()
    return check


def warning_check(
    known: Knowledge, rule: str, indicator: str, node: str, period: str, level: str, grain: str = "month",
    dim_value: str | None = None,
) -> Check:  # fmt: skip
    """Expect a warning since a period, with the value it shows there."""
    shown = f"{indicator}:{dim_value}" if dim_value else indicator
    found = answer(known, shown, node, period, grain)
    check: Check = {"type": "warning", "rule": rule, "indicator": indicator, "node": node, "period": period,
                    "grain": grain, "value": text(found.value), "unit": found.unit, "level": level}  # fmt: skip
    if dim_value:
        check["dim_value"] = dim_value
    return check


def missing_check(node: str, period: str) -> Check:
    """Expect the reminder that a unit owes its energy form."""
    return {"type": "warning", "rule": "energy_missing", "indicator": "en_tce", "node": node, "period": period,
            "grain": "month", "value": "1", "unit": "report", "level": "blue"}  # fmt: skip


def silence_check(indicator: str, node: str) -> Check:
    """Expect no warning above yellow on an indicator at a node."""
    return {"type": "no_warning", "indicator": indicator, "node": node}


def status_check(
    known: Knowledge, node: str, period: str, known_at: dt.date | None = None, indicator: str = "elec_kwh"
) -> Check:
    """Expect who owed an energy form and who had sent it."""
    month = months_of(period, "month")[0]
    due, got = known.energy_reports(node, month)
    status = "ok" if due == got else "incomplete" if got else "not_reported"
    check: Check = {"type": "status", "indicator": indicator, "node": node, "period": period, "grain": "month",
                    "status": status, "due": due, "got": got}  # fmt: skip
    if known_at is not None:
        check["known_at"] = known_at.isoformat()
    return check
