"""Heat of a season: its days come from the table of heating seasons, its parts add up, and unknown days are asked for."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.fakes.office import NOW, Office
from warehouse.billing import spread_label
from warehouse.publish import publish
from warehouse.readers.seasons import season_of

ZONED = (
    "单位代码,单位名称,简称,上级单位代码,层级,单位性质,机构序列,气候区,生效日期,失效日期,曾用名\n"
    "R,模拟市,,,市,区域,1,,2020-01-01,,\nA,市财政局,财政局,R,市,政府,2,寒冷B,2020-01-01,,\n"
    "B,市教育局,教育局,R,市,政府,3,夏热冬冷A,2020-01-01,,\nC,市审计局,审计局,R,市,政府,4,,2020-01-01,,\n"
)
HEAD = "统计期,单位名称,热力(吉焦),热力费(元),供热收费面积(㎡),采暖单价(元/㎡·季),计费开始日期,计费截止日期\n"
NOVEMBER = 2024 * 12 + 10


@pytest.fixture
def heated(office: Office) -> Office:
    """Three bureaux: one of a zone that is heated, one of a zone that is not, one of no known zone."""
    assert office.hand_in("组织机构.csv", ZONED).status == "committed"
    return office


def parts(office: Office, seq: int | None = None) -> list[tuple[int, Decimal | None, Decimal | None]]:
    publish(office.store, clock=lambda: NOW)
    generation = office.store.open_generation()
    at = generation.through_seq if seq is None else seq
    rows = generation.con.execute(
        "SELECT from_m - $2, quantity, cost FROM d_energy_use WHERE rec_from <= $1 AND $1 < rec_to ORDER BY ALL",
        [at, NOVEMBER],
    ).fetchall()
    generation.close()
    return rows


@pytest.mark.parametrize("period", ["2024-2025采暖季", "2024—2025供暖季", "2024-25年供热季", "2024至2025年度采暖期", "２０２４－２０２５ 采暖季"])  # fmt: skip
def test_a_season_in_words_is_understood(period: str) -> None:
    assert season_of(period, bare=False) == NOVEMBER


@pytest.mark.parametrize("period", ["2024-2025", "2024采暖季", "2024-2026采暖季", "2024-11", "2025-2024供暖季", ""])
def test_what_may_be_something_else_is_no_season(period: str) -> None:
    assert season_of(period, bare=False) is None


def test_heat_in_gj_named_by_its_season_is_spread_by_the_days_of_the_zone(heated: Office) -> None:
    """寒冷B is heated 15 November to 15 March: 16 + 31 + 31 + 28 + 15 = 121 days, 1210 GJ are 10 a day."""
    report = heated.hand_in("热.csv", HEAD + "2024-2025采暖季,市财政局,1210,108900.01,,,,\n")
    assert report.counts["accepted"] == 1, report.message
    found = parts(heated)
    assert [(month, quantity) for month, quantity, _ in found] == [(0, 160), (1, 310), (2, 310), (3, 280), (4, 150)]
    # 900 yuan a day and one hundredth more, cut down at each month's end
    assert [cost for _, _, cost in found] == [
        Decimal(text) for text in ("14400.001322", "27900.002562", "27900.002562", "25200.002314", "13500.001240")
    ]
    assert sum(cost or 0 for _, _, cost in found) == Decimal("108900.01")


def test_heat_by_area_costs_area_times_the_price_of_the_season(heated: Office) -> None:
    """4033.5 m² at 24 yuan a season: 96 804 yuan, 800.03… a day; no quantity follows from it."""
    heated.hand_in("热.csv", HEAD + "2024—2025供暖季,市财政局,,,4033.5,24,,\n")
    found = parts(heated)
    assert sum(cost or 0 for _, _, cost in found) == Decimal(96804)
    assert found[0] == (0, None, Decimal("12800.528925")), "96 804 × 16 / 121, cut at the sixth digit"
    assert {quantity for _, quantity, _ in found} == {None}


def test_an_area_bill_that_does_not_add_up_is_set_aside(heated: Office) -> None:
    heated.hand_in("热.csv", HEAD + "2024-2025采暖季,市财政局,,90000,4033.5,24,,\n2025-01,市教育局,,,4000,2400,,\n")
    assert {(e["row_no"], e["code"]) for e in heated.store.control.quarantine()} == {
        (2, "area_bill_differs"),
        (3, "area_bill_differs"),
    }


def test_days_that_nobody_knows_are_asked_for(heated: Office) -> None:
    """A zone without a season, and a unit of no zone; with its own days on the bill nothing has to be known."""
    lines = "2024-2025采暖季,市教育局,121,9000,,,,\n2024-2025采暖季,市审计局,121,9000,,,,\n"
    report = heated.hand_in("热.csv", HEAD + lines)
    assert report.counts["quarantined"] == 2
    assert {(e["row_no"], e["code"], e["value"]) for e in heated.store.control.quarantine()} == {
        (2, "season_unknown", "2024-2025"),
        (3, "season_unknown", "2024-2025"),
    }
    told = report.message["faults"][0]["zh"]
    assert "2024-2025采暖季从哪天到哪天" in told
    mended = heated.hand_in("热2.csv", HEAD + "2024-2025采暖季,市教育局,121,9000,,,2024-12-01,2024-12-31\n")
    assert mended.counts["accepted"] == 1
    assert parts(heated) == [(1, Decimal(121), Decimal(9000))]


def test_a_city_that_heats_longer_moves_the_parts_from_that_batch_on(heated: Office) -> None:
    """Heated to 31 March by a later announcement: 137 days of 1370 GJ; a past day keeps the 121 days it knew."""
    heated.hand_in("热.csv", HEAD + "2024-2025采暖季,市财政局,1370,123300,,,,\n")
    known = heated.store.control.last()[0]
    season = "采暖气候区,采暖开始日,采暖结束日,文号,证据等级,生效日期\n寒冷B,11-15,03-31,示供热办1号,L,2024-07-01\n"
    assert heated.hand_in("采暖期.csv", season).counts["accepted"] == 1
    assert [(month, quantity) for month, quantity, _ in parts(heated)] == [
        (0, 160), (1, 310), (2, 310), (3, 280), (4, 310),
    ]  # fmt: skip
    before = parts(heated, known)
    assert before[0][1] == Decimal("181.157024"), "1370 × 16 / 121, cut at the sixth digit"
    assert sum(quantity or 0 for _, quantity, _ in before) == 1370


def test_a_season_of_another_carrier_and_no_season_are_set_aside(heated: Office) -> None:
    lines = "统计期,单位名称,电(千瓦时),电费(元)\n2024-2025采暖季,市财政局,1000,700\n"
    heated.hand_in("电.csv", lines)
    assert {e["code"] for e in heated.store.control.quarantine()} == {"not_a_heating_season"}


def test_a_season_in_a_column_of_its_own_leaves_the_month_as_written(heated: Office) -> None:
    lines = "统计期,单位名称,采暖季,热力(吉焦),热力费(元)\n2025-03,市财政局,2024-2025,1210,108900\n"
    assert heated.hand_in("热.csv", lines).counts["accepted"] == 1
    publish(heated.store, clock=lambda: NOW)
    rows = heated.store.open_generation().con.execute(
        "SELECT DISTINCT month, season, billed_from::VARCHAR, billed_to::VARCHAR FROM d_energy_use"
    )
    assert rows.fetchall() == [(2025 * 12 + 2, NOVEMBER, "2024-11-15", "2025-03-15")]


def test_a_drilled_part_says_its_days_of_the_bill(heated: Office) -> None:
    """The label of a line behind a figure: the days billed, and how many of them lie in the month."""
    heated.hand_in("热.csv", HEAD + "2024-2025采暖季,市财政局,1210,108900,,,,\n")
    publish(heated.store, clock=lambda: NOW)
    rows = heated.store.open_generation().con.execute(
        f"SELECT {spread_label('billed_from', 'billed_to')} FROM d_energy_use ORDER BY from_m"
    )
    assert [text for (text,) in rows.fetchall()] == [f"2024-11-15–2025-03-15 {n}/121" for n in (16, 31, 31, 28, 15)]
