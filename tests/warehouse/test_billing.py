"""Bills of several months, spread to the last digit; cards that were filled."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fakes.office import NOW, Office
from warehouse.billing import spread_bills
from warehouse.contracts import load_contracts
from warehouse.publish import publish
from warehouse.store import connect

HEAD = "统计期,单位名称,水(吨),水费(元),热力(吉焦),热力费(元),计费开始日期,计费截止日期,充值\n"


def parts(office: Office) -> list[tuple[Any, ...]]:
    publish(office.store, clock=lambda: NOW)
    generation = office.store.open_generation()
    rows = generation.con.execute(
        "SELECT carrier, from_m // 12 * 100 + from_m % 12 + 1, quantity, cost, row_no FROM d_energy_use ORDER BY ALL"
    ).fetchall()
    generation.close()
    return rows


def test_a_bill_of_two_months_is_spread_by_days_and_adds_up(office: Office) -> None:
    # 16 January to 15 March 2025: 16 + 28 + 15 = 59 days of 100.000001 m³
    office.hand_in("水.csv", HEAD + "2025-03,市财政局,100.000001,590,,,2025-01-16,2025-03-15,\n")
    found = parts(office)
    assert [(row[1], row[3]) for row in found] == [
        (202501, Decimal(160)),
        (202502, Decimal(280)),
        (202503, Decimal(150)),
    ]
    assert [row[2] for row in found] == [Decimal("27.118644"), Decimal("47.457627"), Decimal("25.423730")]
    assert sum(row[2] for row in found) == Decimal("100.000001")
    assert {row[4] for row in found} == {2}


def test_heat_of_a_season_crosses_the_year(office: Office) -> None:
    office.hand_in("热.csv", HEAD + "2025-11,市财政局,,,1210,121000,2025-11-15,2026-03-15,\n")
    # 16 + 31 + 31 + 28 + 15 = 121 days, 10 GJ a day
    assert [(row[1], row[2]) for row in parts(office)] == [
        (202511, 160), (202512, 310), (202601, 310), (202602, 280), (202603, 150),
    ]  # fmt: skip


def test_a_december_bill_that_came_in_january_counts_for_december(office: Office) -> None:
    office.hand_in("水.csv", HEAD + "2025-01,市财政局,62,310,,,2024-12-01,2024-12-31,\n")
    assert [(row[1], row[2]) for row in parts(office)] == [(202412, 62)]


def test_a_card_that_was_filled_is_no_consumption(office: Office) -> None:
    report = office.hand_in(
        "购电.csv",
        "统计期,单位名称,电(千瓦时),电费(元),充值\n2025-01,市财政局,5000,3500,是\n2025-02,市财政局,900,630,否\n",
    )
    assert report.counts["accepted"] == 2
    assert [(row[1], row[2], row[3]) for row in parts(office)] == [(202501, None, None), (202502, 900, 630)]


def test_days_in_the_wrong_order_or_alone_are_set_aside(office: Office) -> None:
    lines = "2025-03,市财政局,10,50,,,2025-03-15,2025-01-16,\n2025-03,市教育局,10,50,,,2025-01-16,,\n"
    office.hand_in("水.csv", HEAD + lines)
    found = {(entry["row_no"], entry["code"]) for entry in office.store.control.quarantine()}
    assert found == {(2, "billed_days_reversed"), (3, "billed_days_incomplete")}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    bill=st.decimals(min_value=-(10**9), max_value=10**9, places=6),
    first=st.dates(min_value=dt.date(2020, 1, 1), max_value=dt.date(2030, 1, 1)),
    days=st.integers(min_value=0, max_value=399),
)
def test_the_parts_of_any_bill_add_up_to_it(bill: Decimal, first: Any, days: int) -> None:
    contract = load_contracts()["energy_use"]
    last = first + dt.timedelta(days=days)
    with connect() as con:
        names = ", ".join(f'CAST(NULL AS {c.sql_type}) AS "{c.name}"' for c in contract.columns)
        con.execute(
            f"CREATE TABLE d_energy_use AS SELECT 1::BIGINT AS row_id, 0 AS from_m, 1 AS to_m, {names}, CAST(NULL AS VARCHAR) AS note"
        )
        con.execute(
            "UPDATE d_energy_use SET quantity = $1, cost = $1, billed_from = $2, billed_to = $3", [bill, first, last]
        )
        spread_bills(con, contract)
        months = (last.year - first.year) * 12 + last.month - first.month + 1
        rows = con.execute(
            "SELECT sum(quantity), sum(cost), count(DISTINCT from_m), count(*) FROM d_energy_use"
        ).fetchone()
    assert rows == (bill, bill, months, months)
