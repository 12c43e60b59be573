"""Targets: a row of one's own leaves the national rows in force, and progress is the drop reached over the drop asked for."""

from __future__ import annotations

import csv
from decimal import Decimal
from importlib import resources
from pathlib import Path
from typing import Any

from tests.fakes.office import NOW, ORG, Office
from warehouse.publish import publish

OWN = (
    "目标指标,目标层级,承担单位,目标类别,目标年度,目标值,目标值单位,变化率,基年,目标方向,依据,证据等级,生效日期\n"
    "能源消费总量,单位,市财政局,基线,2023,100,tce,,,,市管〔2024〕1号,本单位,2024-01-01\n"
    "能源消费总量,单位,市财政局,目标,2025,95,tce,,2023,不高于,市管〔2024〕1号,本单位,2024-01-01\n"
    "单位建筑面积能耗,国家,,目标,2025,,,-6,2020,下降,市管〔2024〕1号,本单位,2024-01-01\n"
)


def shipped() -> list[dict[str, str]]:
    text = (resources.files("warehouse") / "reference" / "target.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def test_a_bureaus_rows_add_to_the_national_ones(tmp_path: Path) -> None:
    office = Office(tmp_path)
    office.hand_in("组织机构.csv", ORG)
    report = office.hand_in("目标.csv", OWN, source="target")
    assert (report.status, report.counts["accepted"]) == ("committed", 3)
    publish(office.store, clock=lambda: NOW)
    generation = office.store.open_generation()
    rows = generation.con.execute(
        "SELECT indicator, kind, year, unit, value, change_pct, evidence FROM d_target WHERE rec_to > 1000000 AND to_m > 2025 * 12"
    ).fetchall()
    generation.close()
    assert len(rows) == len(shipped()) + 3
    assert ("en_tce", "base", 2020, None, Decimal("164000000.0000"), None, "C") in rows
    assert ("en_tce", "target", 2025, "A", Decimal("95.0000"), None, "L") in rows


def test_progress_is_the_drop_reached_over_the_drop_asked_for(world: Any, ask: Any) -> None:
    """100 tce in the base year, 90 by the target, 96 in the last twelve months: 4 of 10."""
    world.unit("u")
    world.add(
        "coal_factor",
        0,
        carrier="electricity",
        factor="1",
        valid=("2000-01",),
        doc_no="x",
        clause="x",
        evidence="C",
        status="有效",
    )
    for kind, year, value in (("base", 2023, 100), ("target", 2025, 90)):
        world.add("target", 1, indicator="en_tce", level="unit", unit="u", kind=kind, year=year, value=value, value_unit="tce",
                  valid=("2024-01",))  # fmt: skip
    for month in range(1, 13):
        world.add("energy_use", 1, month=f"2024-{month:02d}", unit="u", carrier="electricity", quantity=8000)
    world.unit("other")
    world.add("target", 0, indicator="en_tce", level="nation", kind="base", year=2020, value=164000000, value_unit="tce",
              valid=("2021-06",))  # fmt: skip
    asked = ask(world)
    assert asked.one("en_target_progress", "other", "2024-12", "r12").status != "ok"
    found = asked.one("en_target_progress", "u", "2024-12", "r12")
    assert (found.numerator, found.denominator, found.value, found.status) == (
        Decimal(4000),
        Decimal(10000),
        40.0,
        "ok",
    )
