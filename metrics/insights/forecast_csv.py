"""`cockpit forecast`: many series in one file, their forecasts in another.

In: `series,period,value`. Out: `series,step,mean,lo80,hi80,…,method,status,reason`. Periods are months (2024-05),
quarters (2024-Q2), years, days, or running numbers; within a series they must not repeat. The back-tests are pooled
over all series of the file.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterable, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path

from metrics.insights import forecasting
from metrics.insights.model import Forecast, Series
from warehouse.base.errors import QueryError, RefusedInput
from warehouse.base.periods import Period

HEADERS = ("series", "period", "value")
MOST_FAULTS = 20


def forecast_csv(source: Path, target: Path, season: int, horizon: int, levels: Sequence[int]) -> int:
    """Forecast every series of a file; return how many there were."""
    series = read_series(source)
    histories = [forecasting.filled(one, season)[0] for one in series.values() if one]
    family = forecasting.learn_family(histories, season, horizon)
    forecasts = {name: forecasting.forecast(one, horizon, levels, season, family) for name, one in series.items()}
    write_forecasts(target, forecasts, levels)
    return len(forecasts)


def read_series(source: Path) -> dict[str, Series]:
    """Read the series of a file in order of appearance; all faults are reported together."""
    with source.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.DictReader(stream)
        missing = [name for name in HEADERS if name not in (reader.fieldnames or ())]
        if missing:
            raise RefusedInput(
                f"{source.name}: column(s) missing: {', '.join(missing)}.", "columns: series,period,value"
            )
        rows = list(reader)
    return _gather(source.name, rows)


def _gather(name: str, rows: Iterable[dict[str, str]]) -> dict[str, Series]:
    found: dict[str, dict[int, Decimal]] = {}
    faults: list[str] = []
    for number, row in enumerate(rows, start=2):
        months = found.setdefault(row["series"], {})
        try:
            place, value = place_of(row["period"], len(months)), _value(row["value"])
        except (QueryError, InvalidOperation, ValueError):
            faults.append(f"row {number}: '{row['period']}' / '{row['value']}' is not a period and a number")
            continue
        if place in months:
            faults.append(f"row {number}: period {row['period']} of series {row['series']} appears twice")
        elif value is not None:
            months[place] = value
    if faults:
        more = f" … and {len(faults) - MOST_FAULTS} more" if len(faults) > MOST_FAULTS else ""
        raise RefusedInput(f"{name}: " + "; ".join(faults[:MOST_FAULTS]) + more + ".")
    return {series: forecasting.as_series(list(months.items())) for series, months in found.items()}


def place_of(period: str, position: int) -> int:
    """Return the running number of a period: months, quarters, years and days each count in their own unit."""
    text = (period or "").strip()
    if not text:
        return position
    if text.lstrip("-").isdigit() and len(text) != 4:
        return int(text)
    if len(text) == 10:
        return dt.date.fromisoformat(text).toordinal()
    span = Period.parse(text)
    return span.from_m // (span.to_m - span.from_m)


def _value(text: str) -> Decimal | None:
    """Read a number; blank means not reported."""
    if not (text or "").strip():
        return None
    value = Decimal(text.strip())
    if not value.is_finite():
        raise ValueError(text)
    return value


def write_forecasts(target: Path, forecasts: dict[str, Forecast], levels: Sequence[int]) -> None:
    """Write one row per series and step; a series without a forecast has one row that says why."""
    ends = [f"{end}{level}" for level in sorted(levels) for end in ("lo", "hi")]
    with target.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["series", "step", "mean", *ends, "method", "status", "reason"])
        for name, one in forecasts.items():
            writer.writerows(_rows(name, one, len(ends)))


def _rows(name: str, one: Forecast, ends: int) -> list[list[object]]:
    tail = [one.method, one.status, one.reason.text()]
    if not one.steps:
        return [[name, "", "", *[""] * ends, *tail]]
    return [
        [name, step.number, repr(step.mean), *[repr(end) for b in step.bands for end in (b.low, b.high)], *tail]
        for step in one.steps
    ]
