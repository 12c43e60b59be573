"""`cockpit forecast` reads and writes exactly the promised shapes."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from metrics.insights.forecast_csv import forecast_csv, place_of
from warehouse.base.errors import RefusedInput

pytestmark = pytest.mark.filterwarnings("ignore")


def test_every_series_gets_its_steps(tmp_path: Path) -> None:
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    lines = ["series,period,value"]
    lines += [f"a,{2020 + m // 12}-{m % 12 + 1:02d},{100 + m % 12}" for m in range(36)]
    lines += ["b,2024-01,5", "b,2024-02,6", "c,2024-01,"]
    source.write_text("\n".join(lines), encoding="utf-8")
    assert forecast_csv(source, target, 12, 3, (80, 90)) == 3
    with target.open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == ["series", "step", "mean", "lo80", "hi80", "lo90", "hi90", "method", "status", "reason"]
    assert [(row["series"], row["step"]) for row in rows] == [
        ("a", "1"), ("a", "2"), ("a", "3"), ("b", "1"), ("b", "2"), ("b", "3"), ("c", ""),
    ]  # fmt: skip
    assert [row["status"] for row in rows][3:] == ["short", "short", "short", "empty"]
    assert float(rows[0]["mean"]) == pytest.approx(100)


def test_all_faults_are_told_together(tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    source.write_text("series,period,value\na,2024-13,1\na,2024-01,x\na,2024-02,1\na,2024-02,2\n", encoding="utf-8")
    with pytest.raises(RefusedInput) as fault:
        forecast_csv(source, tmp_path / "out.csv", 12, 3, (80, 90))
    assert all(f"row {number}" in fault.value.message for number in (2, 3, 5))


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    source.write_text("series,value\na,1\n", encoding="utf-8")
    with pytest.raises(RefusedInput, match="period"):
        forecast_csv(source, tmp_path / "out.csv", 12, 3, (80, 90))


@pytest.mark.parametrize(("text", "place"), [
    ("2024-05", 2024 * 12 + 4), ("2024-Q2", 2024 * 4 + 1), ("2024", 2024), ("17", 17), ("2024-05-03", 739009), ("", 4),
])  # fmt: skip
def test_periods_count_in_their_own_unit(text: str, place: int) -> None:
    assert place_of(text, 4) == place
