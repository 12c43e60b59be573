"""Budgets of 16 Ukrainian cities (real): plan and cumulative spending by month and economic code.

The report of a month is handed in on the 15th of the next month. A city has one budget code until December 2022 and
another from January 2023 (Kyiv kept its own); no month has both. Both codes are dated aliases of the city's one node; the
code stands in the unit column as in the source.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from samples.delivery import Handed, plain, write_csv, write_manifest

STORE = {
    "name_zh": "乌克兰城市预算",
    "name_en": "Budgets of Ukrainian cities",
    "origin": "real",
    "currency": "UAH",
    "timezone": "Europe/Kyiv",
    "country": "UA",
}
EXCERPT = Path(__file__).parent / "data" / "ua"
ROOT = "UA"
_ORG_HEADER = (
    "code", "name", "parent", "level", "kind", "protocol_order", "aliases", "valid_from", "valid_to",
    "scope_cost", "scope_vehicle", "scope_space", "scope_energy", "scope_service",
)  # fmt: skip
_SOURCE_COLUMNS = (
    "REP_PERIOD", "FUND_TYP", "COD_BUDGET", "COD_CONS_EK", "COD_CONS_EK_NAME", "PLANS_AMT", "FAKT_AMT",
)  # fmt: skip


def write(out: Path, data_root: Path | None) -> None:
    """Write the export files and the manifest; without `data_root` from the copy beside this module."""
    source = EXCERPT if data_root is None else data_root / "ua_city_budget"
    lines = pl.read_parquet(source / "expenses.parquet")
    codes = _budget_codes(lines)
    out.mkdir(parents=True, exist_ok=True)
    files = [*_write_registers(out, codes), *_write_months(out, lines)]
    write_manifest(out, STORE, sorted(files, key=lambda file: file.recorded_at))


def _write_registers(out: Path, codes: pl.DataFrame) -> Iterator[Handed]:
    """One register in January of each year in which some city got a budget code."""
    for year in codes["from_year"].unique().sort().to_list():
        path = f"cities_{year}.csv"
        write_csv(out / path, _ORG_HEADER, _org_rows(codes, year))
        yield Handed(path, "org_unit", f"{year}-01-15T09:00:00")


def _write_months(out: Path, lines: pl.DataFrame) -> Iterator[Handed]:
    """One report a month, handed in on the 15th of the month after."""
    for period, rows in lines.sort(_SOURCE_COLUMNS[:4]).group_by("REP_PERIOD", maintain_order=True):
        day = period[0]
        path = f"expenses_{day:%Y-%m}.csv"
        write_csv(out / path, _SOURCE_COLUMNS, _execution_rows(rows.select(_SOURCE_COLUMNS)))
        yield Handed(path, "budget_execution", f"{day + dt.timedelta(days=15):%Y-%m-%d}T09:30:00")


def node_code(city: str) -> str:
    """Return the code of a city's node."""
    return f"{ROOT}-{city.upper().replace(' ', '-')}"


def _budget_codes(lines: pl.DataFrame) -> pl.DataFrame:
    """Return city, budget code, first year and last year of each code."""
    return (
        lines.with_columns(pl.col("REP_PERIOD").dt.year().alias("year"))
        .group_by("CITY", "COD_BUDGET")
        .agg(pl.col("year").min().alias("from_year"), pl.col("year").max().alias("to_year"))
        .sort("CITY", "from_year")
    )


def _org_rows(codes: pl.DataFrame, year: int) -> Iterator[tuple[object, ...]]:
    """The register as known in January of a year: one row per city and budget code, closed by its successor."""
    nothing, scopes = ("否",) * 5, ("是", "否", "否", "否", "否")
    yield ROOT, "Ukrainian cities", None, "nation", "region", 0, None, "2021-01-01", None, *nothing
    cities = codes["CITY"].unique().sort().to_list()
    known = codes.filter(pl.col("from_year") <= year)
    for city, budget, first, last in known.iter_rows():
        end = f"{last + 1}-01-01" if last < year else None
        order = cities.index(city) + 1
        yield node_code(city), city, ROOT, "city", "region", order, budget, f"{first}-01-01", end, *scopes


def _execution_rows(rows: pl.DataFrame) -> Iterator[tuple[object, ...]]:
    for period, fund, budget, item, name, plan, actual in rows.iter_rows():
        yield period.isoformat(), fund, budget, item, name, plain(plan), plain(actual)
