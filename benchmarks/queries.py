"""Answering: every core indicator against the SQL a person would write over the same cube cells."""

from __future__ import annotations

import datetime as dt
import math
import time
from collections.abc import Callable
from functools import partial

from benchmarks.report import Line
from metrics.catalogue import load_catalogue
from metrics.evaluate import evaluate
from metrics.model import Query
from warehouse.base.periods import month_label
from warehouse.base.scope import Scope
from warehouse.store import Generation, Store

GEOMETRIC_LIMIT, WORST_LIMIT = 1.2, 1.5
ROUNDS = 30


def ratio(above: str, below: str, times: int = 1) -> str:
    """Return one division of two exact sums as a person would write it."""
    scaled = f" * {times}" if times != 1 else ""
    return f"CAST({above} AS DOUBLE){scaled} / nullif(CAST({below} AS DOUBLE), 0)"


HAND = {
    "op_cost_total": "op_cost / 10000",
    "op_cost_per_capita": ratio("op_cost", "staff"),
    "op_funds_exp": "op_funds / 10000",
    "budget_exec_rate": ratio("paid", "budget_adjusted", 100),
    "three_public_total": "(abroad + vehicle_spend + reception) / 10000",
    "three_public_exec": ratio("(abroad + vehicle_spend + reception)", "three_public_budget", 100),
    "veh_count": "vehicles",
    "veh_quota_rate": ratio("vehicles", "quota", 100),
    "veh_over_std": "vehicles_over_std",
    "veh_nev_share": ratio("vehicles_nev", "vehicles", 100),
    "veh_cost_per_veh": ratio("vehicle_running", "vehicles"),
    "veh_no_order": "trips_without_order",
    "off_area_per_head": ratio("office_area", "staff_authorised"),
    "off_over_rooms": "rooms_over",
    "off_vacancy_rate": ratio("vacant_area", "gross_area", 100),
    "off_title_rate": ratio("registered_area", "registrable_area", 100),
    "en_tce": "kgce / 1000",
    "en_per_area": ratio("kgce_with_area", "energy_area"),
    "en_per_head": ratio("kgce", "energy_heads"),
    "water_per_head": ratio("water", "energy_heads"),
    "co2_per_area": ratio("kgco2_with_area", "energy_area"),
    "svc_amount": "service_paid / 10000",
    "svc_satisfaction": ratio("score_votes", "votes"),
    "svc_ontime": ratio("orders_on_time", "orders_closed", 100),
    "elec_kwh": "elec",
    "elec_per_area": ratio("elec_with_area", "energy_area"),
    "energy_cost": "energy_paid / 10000",
}
"""Written by hand over node_now: month cells of one node, with what was due and what came."""


def best(work: Callable[[], object]) -> float:
    """Return the shortest of some runs, in seconds of the processor; both sides run in one thread."""
    times = []
    for _ in range(ROUNDS):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def measure(store: Store, now: dt.datetime) -> list[Line]:
    """Return the geometric mean and the worst ratio over the library, for the root and for one unit."""
    generation, catalogue = store.open_generation(memory="1GB", threads=1), load_catalogue()
    last = int(generation.meta["last_month"])
    nodes = _nodes(generation)
    ratios: dict[str, float] = {}
    for indicator, expression in HAND.items():
        theme = catalogue.indicators[indicator].theme
        report = f"got_{catalogue.indicators[indicator].sources[0]}"
        for node in nodes:
            hand = (
                f"SELECT month_no, {expression}, due_{theme}, {report} FROM node_now"
                f" WHERE node = ? AND month_no BETWEEN ? AND ? ORDER BY month_no"
            )
            question = Query(
                indicators=(indicator,), nodes=(node,), period_from=month_label(last - 12),
                period_to=month_label(last), grain="month", scope=Scope.everything(), actor="bench", now=now,
            )  # fmt: skip
            by_hand = best(partial(_by_hand, generation, hand, [node, last - 12, last]))
            ours = best(partial(evaluate, generation, catalogue, question))
            ratios[f"{indicator}@{node}"] = ours / by_hand
    generation.close()
    mean = math.exp(sum(map(math.log, ratios.values())) / len(ratios))
    slowest = max(ratios, key=lambda key: ratios[key])
    return [
        Line("query: geometric mean over core indicators / hand-written SQL", mean, GEOMETRIC_LIMIT),
        Line(f"query: worst ({slowest}) / hand-written SQL", ratios[slowest], WORST_LIMIT),
    ]


def _by_hand(generation: Generation, sql: str, values: list[str | int]) -> list[tuple[object, ...]]:
    return generation.con.execute(sql, values).fetchall()


def _nodes(generation: Generation) -> tuple[str, ...]:
    rows = generation.con.execute(
        "SELECT anc FROM closure WHERE rec_to = 2147483647 GROUP BY anc ORDER BY count(*) DESC, anc"
    ).fetchall()
    return rows[0][0], rows[-1][0]
