"""Indicators of every theme and kind, by SQL a person would write over the published datasets: no cube takes part.

Each figure is a query over `d_<dataset>` as known now, one row per unit and month (or finer). Who lies below a node is
walked anew for every month over `d_org_unit`. Windows, means and quotients are taken in fractions, which round once: a sum
must be equal, a ratio may be one last digit off, because the statement rounds each of its two sides before it divides.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import pytest

from metrics.catalogue import load_catalogue
from metrics.evaluate import evaluate
from metrics.model import Answer, Catalogue, Query
from tests.witness.test_clickhouse import bits
from warehouse.base.scope import Scope
from warehouse.store import Generation, Store

NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
FIRST, LAST = 2024 * 12, 2025 * 12 + 3
MID = "990121"

# who counts below a node, month by month
BELOW = """
WITH RECURSIVE month AS (SELECT unnest(range({first}, {last} + 1)) AS m),
place AS (
    SELECT code, parent, m, scope_{theme} AND NOT coalesce(excluded, false) AS counts
    FROM d_org_unit JOIN month ON m >= from_m AND m < to_m WHERE rec_to = 2147483647
), below AS (
    SELECT code, m, counts FROM place WHERE code = '{node}'
    UNION ALL
    SELECT p.code, p.m, p.counts FROM place p JOIN below b ON p.parent = b.code AND p.m = b.m
), figure AS ({figure})
SELECT b.m, sum(f.v) FROM below b JOIN figure f ON f.unit = b.code AND f.m = b.m WHERE b.counts GROUP BY b.m"""

PAID = """SELECT p.unit, year(p.paid_on) * 12 + month(p.paid_on) - 1 AS m, p.amount AS v FROM d_payment p
JOIN d_expense_item i ON i.code = p.item_code AND p.paid_on >= i.valid_from AND p.paid_on < coalesce(i.valid_to, DATE '9999-01-01')
WHERE p.rec_to = 2147483647 AND i.rec_to = 2147483647 AND """
SPENT = """SELECT unit, year(paid_on) * 12 + month(paid_on) - 1 AS m, amount AS v FROM d_payment
WHERE rec_to = 2147483647 AND exp_kind IS DISTINCT FROM 'accrual'"""
BUDGET = """SELECT unit, m, amount AS v FROM (
    SELECT *, max(version) OVER (PARTITION BY unit, year, item_code, project, fund, exp_kind) AS newest
    FROM d_budget WHERE rec_to = 2147483647) JOIN month ON m // 12 = year
WHERE version = newest AND exp_kind IS DISTINCT FROM 'accrual'"""
STAFF = "SELECT unit, month AS m, {column} AS v FROM d_staff WHERE rec_to = 2147483647"
CARS = """SELECT unit, month AS m, 1 AS v FROM d_vehicle
WHERE rec_to = 2147483647 AND status IN ('in_use', 'sealed')"""
OVER_QUOTA = """SELECT c.unit, c.m, greatest(c.n - coalesce(q.n, 0), 0) AS v
FROM (SELECT unit, month AS m, veh_class, count(*) AS n FROM d_vehicle
      WHERE rec_to = 2147483647 AND status IN ('in_use', 'sealed') GROUP BY ALL) c
LEFT JOIN (SELECT unit, m, veh_class, sum(quota) AS n FROM d_vehicle_quota JOIN month ON m >= from_m AND m < to_m
           WHERE rec_to = 2147483647 GROUP BY ALL) q ON q.unit = c.unit AND q.m = c.m AND q.veh_class = c.veh_class"""
RUNNING = """SELECT unit, year(spent_on) * 12 + month(spent_on) - 1 AS m, amount AS v FROM d_vehicle_expense
WHERE rec_to = 2147483647 AND kind IS DISTINCT FROM 'topup'"""
ROOMS = """SELECT unit, m, usable_area AS v FROM d_room JOIN month ON m >= from_m AND m < to_m
WHERE rec_to = 2147483647 AND """
MANY_ROOMS = """SELECT unit, m, 1 AS v FROM d_room JOIN month ON m >= from_m AND m < to_m
WHERE rec_to = 2147483647 AND room_kind = 'office' AND status = 'in_use' AND person_no <> ''
GROUP BY unit, m, person_no HAVING count(*) >= 2"""
AREA = """SELECT unit, m, gross_area AS v FROM d_building JOIN month ON m >= from_m AND m < to_m
WHERE rec_to = 2147483647"""
USED = "SELECT unit, month AS m, quantity AS v FROM d_energy_use WHERE rec_to = 2147483647 AND carrier = '{carrier}'"
BILLS = "SELECT unit, month AS m, cost AS v FROM d_energy_use WHERE rec_to = 2147483647"
BY_FACTOR = """SELECT e.unit, e.month AS m, e.quantity * f.factor AS v FROM d_energy_use e
JOIN d_{table} f ON f.carrier = e.carrier AND e.month >= f.from_m AND e.month < f.to_m
WHERE e.rec_to = 2147483647 AND f.rec_to = 2147483647"""
ELEC_WITH_AREA = f"""SELECT e.unit, e.m, sum(e.v) AS v FROM ({USED.format(carrier="electricity")}) e
WHERE (SELECT sum(a.v) FROM ({AREA}) a WHERE a.unit = e.unit AND a.m = e.m) > 0 GROUP BY e.unit, e.m"""
SERVICE = """SELECT unit, year(paid_on) * 12 + month(paid_on) - 1 AS m, amount AS v FROM d_service_payment
WHERE rec_to = 2147483647"""
VOTED = """SELECT unit, month AS m, {value} AS v FROM d_evaluation WHERE rec_to = 2147483647 AND score IS NOT NULL"""
ORDERS = """SELECT unit, year(closed_at) * 12 + month(closed_at) - 1 AS m, {value} AS v FROM d_work_order
WHERE rec_to = 2147483647 AND closed_at IS NOT NULL"""
PUBLIC = "i.three_public IN ('abroad', 'vehicle', 'reception') AND p.fund = 'general'"


@dataclass(frozen=True)
class Figure:
    """A query of one row or more per unit and month, and how the months of a window become one figure."""

    sql: str
    how: str = "sum"


@dataclass(frozen=True)
class Hand:
    """An indicator by hand: one figure, or one over another, or its change on the year before; `times` the unit's size."""

    theme: str
    above: Figure
    below: Figure | None = None
    times: Fraction = Fraction(1)
    change: bool = False


PERCENT, WAN = Fraction(100), Fraction(1, 10_000)
HAND = {
    "op_cost_total": Hand("cost", Figure(PAID + "i.in_operating_cost"), times=WAN),
    "op_cost_per_capita": Hand("cost", Figure(PAID + "i.in_operating_cost"), Figure(STAFF.format(column="actual_staff"), "avg")),
    "op_cost_yoy": Hand("cost", Figure(PAID + "i.in_operating_cost"), times=PERCENT, change=True),
    "three_public_total": Hand("cost", Figure(PAID + PUBLIC), times=WAN),
    "budget_exec_rate": Hand("cost", Figure(SPENT), Figure(BUDGET, "last"), PERCENT),
    "veh_count": Hand("vehicle", Figure(CARS, "last")),
    "veh_over_quota": Hand("vehicle", Figure(OVER_QUOTA, "last")),
    "veh_nev_share": Hand("vehicle", Figure(CARS + " AND fuel IN ('electric', 'phev')", "last"), Figure(CARS, "last"), PERCENT),
    "veh_cost_per_veh": Hand("vehicle", Figure(RUNNING), Figure(CARS, "avg")),
    "veh_run_exp": Hand("vehicle", Figure(RUNNING), times=WAN),
    "off_vacant_area": Hand("space", Figure(ROOMS + "status = 'vacant'", "last")),
    "off_vacancy_rate": Hand("space", Figure(ROOMS + "status = 'vacant'", "last"), Figure(AREA, "last"), PERCENT),
    "off_multi_rooms": Hand("space", Figure(MANY_ROOMS, "last")),
    "off_title_rate": Hand("space", Figure(AREA + " AND registrable AND title_no <> ''", "last"), Figure(AREA + " AND registrable", "last"), PERCENT),
    "elec_kwh": Hand("energy", Figure(USED.format(carrier="electricity"))),
    "elec_kwh_yoy": Hand("energy", Figure(USED.format(carrier="electricity")), times=PERCENT, change=True),
    "en_tce": Hand("energy", Figure(BY_FACTOR.format(table="coal_factor")), times=Fraction(1, 1000)),
    "co2_t": Hand("energy", Figure(BY_FACTOR.format(table="co2_factor")), times=Fraction(1, 1000)),
    "elec_per_area": Hand("energy", Figure(ELEC_WITH_AREA), Figure(AREA, "avg")),
    "water_per_head": Hand("energy", Figure(USED.format(carrier="water")), Figure(STAFF.format(column="energy_headcount"), "avg")),
    "energy_cost": Hand("energy", Figure(BILLS), times=WAN),
    "svc_amount": Hand("service", Figure(SERVICE), times=WAN),
    "svc_satisfaction": Hand("service", Figure(VOTED.format(value="score * votes")), Figure(VOTED.format(value="votes"))),
    "svc_ontime": Hand("service", Figure(ORDERS.format(value="CASE WHEN epoch(closed_at) - epoch(reported_at) <= sla_hours * 3600 THEN 1 ELSE 0 END")), Figure(ORDERS.format(value="1")), PERCENT),
}  # fmt: skip
ASKED = (
    ("month", "2024-05", "2025-04"), ("ytd", "2024-05", "2025-04"), ("year", "2024", "2024"),
)  # fmt: skip


@pytest.fixture(scope="module")
def city(build_town) -> Iterator[Generation]:
    generation = Store(build_town(1, 16, 16).store).open_generation(memory="2GB")
    yield generation
    generation.close()


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


@pytest.mark.parametrize("indicator", HAND)
def test_an_indicator_is_what_a_person_would_write(city: Generation, catalogue: Catalogue, indicator: str) -> None:
    hand, counted = HAND[indicator], Counter[str]()
    for node in ("990000", MID):
        above = months_of(city, hand.theme, node, hand.above)
        below = months_of(city, hand.theme, node, hand.below) if hand.below else {}
        for grain, first, last in ASKED:
            query = Query(indicators=(indicator,), nodes=(node,), period_from=first, period_to=last, grain=grain,
                          scope=Scope.everything(), actor="test", now=NOW)  # fmt: skip
            for answer in evaluate(city, catalogue, query):
                window = window_of(grain, answer.period)
                compare(answer, by_hand(hand, above, below, window), counted)
    print(f"{indicator}: " + ", ".join(f"{name} {number}" for name, number in sorted(counted.items())))
    assert counted["equal"] + counted["one last digit off"] >= 4, counted


def months_of(city: Generation, theme: str, node: str, figure: Figure) -> dict[int, Fraction]:
    """Return the figure of a node by month."""
    sql = BELOW.format(first=FIRST, last=LAST, theme=theme, node=node, figure=figure.sql)
    return {month: Fraction(value) for month, value in city.con.execute(sql).fetchall() if value is not None}


def window_of(grain: str, period: str) -> range:
    """Return the months of a period."""
    year = int(period[:4])
    if grain == "year":
        return range(year * 12, year * 12 + 12)
    month = year * 12 + int(period[5:7]) - 1
    return range(year * 12 if grain == "ytd" else month, month + 1)


def folded(figure: Figure, months: dict[int, Fraction], window: range) -> Fraction | None:
    """Return one figure of a window: the sum of its months, the last of them, or their mean."""
    if figure.how == "last":
        return months.get(window[-1])
    known = [months[month] for month in window if month in months]
    if not known:
        return None
    return sum(known, Fraction(0)) / (len(window) if figure.how == "avg" else 1)


def by_hand(hand: Hand, above: dict[int, Fraction], below: dict[int, Fraction], window: range) -> Fraction | None:
    """Return the value of a window, in the unit of the indicator."""
    figure = folded(hand.above, above, window)
    if hand.change:
        base = folded(hand.above, above, range(window.start - 12, window.stop - 12))
        return (figure - base) / base * hand.times if figure is not None and base else None
    if hand.below is None:
        return None if figure is None else figure * hand.times
    divisor = folded(hand.below, below, window)
    return figure / divisor * hand.times if figure is not None and divisor else None


def compare(answer: Answer, expected: Fraction | None, counted: Counter[str]) -> None:
    """Hold an answer against the value by hand; where nobody reported, neither has one, or the answer is a reported 0."""
    if answer.value is None or expected is None:
        assert not answer.value or expected is not None, answer
        assert answer.value is not None or answer.status != "ok", (answer, expected)
        counted["no value" if answer.value is None else "zero"] += 1
    elif isinstance(answer.value, float):
        off = abs(bits(answer.value) - bits(float(expected)))
        assert off <= 1, (answer, float(expected), off)
        counted["one last digit off" if off else "equal"] += 1
    else:
        assert Fraction(Decimal(answer.value)) == expected, (answer, expected)
        counted["equal"] += 1
