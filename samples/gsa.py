"""US federal buildings (real): a register, areas and monthly bills, handed in once a fiscal year.

A fiscal year ends in September; its files were known a month later. The register of a year names the buildings seen
so far and closes those not seen since the calendar year before, so that replay never knows a building's end early.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from math import isfinite
from pathlib import Path

import polars as pl

from samples.delivery import Handed, plain, write_csv, write_manifest

STORE = {
    "name_zh": "美国联邦政府建筑能耗",
    "name_en": "US federal buildings",
    "origin": "real",
    "currency": "USD",
    "timezone": "America/New_York",
    "country": "US",
    "fiscal_start": "10",
}
EXCERPT = Path(__file__).parent / "data" / "gsa"
ROOT = "US"
FIRST_FISCAL_YEAR = 2003
LAST_FISCAL_YEAR = 2017
_CENT_OF_CENT = Decimal("0.000001")
_ORG_HEADER = (
    "code", "name", "parent", "level", "kind", "protocol_order", "valid_from", "valid_to",
    "scope_cost", "scope_vehicle", "scope_space", "scope_energy", "scope_service",
)  # fmt: skip
_AREA_HEADER = ("building_number", "unit", "name", "address", "gross_area (sqft)", "valid_from", "valid_to")
_ENERGY_HEADER = (
    "building_number", "month", "electricity_kwh", "electric_usd_per_kwh", "gas_cubic_ft (ft3)",
    "gas_usd_per_cubic_ft", "gas_cost",
)  # fmt: skip


def write(out: Path, data_root: Path | None) -> None:
    """Write the export files and the manifest; without `data_root` from the excerpt beside this module."""
    source = EXCERPT if data_root is None else data_root / "gsa_euas"
    register = pl.read_csv(source / "building_register.csv").with_columns(
        pl.col("first_year", "last_year").cast(pl.Int32)
    )
    areas = pl.read_csv(source / "gross_area_by_year.csv").with_columns(pl.col("year").cast(pl.Int32))
    energy = pl.read_parquet(source / "monthly_energy.parquet").with_columns(
        (pl.col("year") + (pl.col("month") >= 10)).alias("fiscal_year")
    )
    out.mkdir(parents=True, exist_ok=True)
    files: list[Handed] = []
    for year in range(FIRST_FISCAL_YEAR, LAST_FISCAL_YEAR + 1):
        files += _write_year(out, year, register, areas, energy)
    write_manifest(out, STORE, files)


def _write_year(
    out: Path, year: int, register: pl.DataFrame, areas: pl.DataFrame, energy: pl.DataFrame
) -> Iterator[Handed]:
    seen = register.filter(pl.col("first_year") <= year).sort("building_number")
    states = register["state"].unique().sort().to_list()
    write_csv(out / f"register_FY{year}.csv", _ORG_HEADER, _org_rows(seen, states, year))
    yield Handed(f"register_FY{year}.csv", "org_unit", f"{year}-10-31T09:00:00")
    known = areas.filter(pl.col("year") <= year).sort("building_number", "year")
    write_csv(out / f"buildings_FY{year}.csv", _AREA_HEADER, _area_rows(known, seen))
    yield Handed(f"buildings_FY{year}.csv", "building", f"{year}-10-31T09:30:00")
    bills = energy.filter(pl.col("fiscal_year") == year).sort("building_number", "year", "month")
    if not bills.is_empty():
        write_csv(out / f"energy_FY{year}.csv", _ENERGY_HEADER, _energy_rows(bills))
        yield Handed(f"energy_FY{year}.csv", "energy_use", f"{year}-10-31T10:00:00")


def _org_rows(register: pl.DataFrame, states: Sequence[str], year: int) -> Iterator[tuple[object, ...]]:
    """The country, its states, and each building as a leaf; a building not seen in the last calendar year is closed.

    Only buildings report, so only they are in the populations.
    """
    no, yes = "否", "是"
    nothing, scopes = (no, no, no, no, no), (no, no, yes, yes, no)
    yield ROOT, "US federal buildings", None, "nation", "region", 0, "2002-01-01", None, *nothing
    for order, state in enumerate(states, 1):
        yield f"{ROOT}-{state}", state, ROOT, "province", "region", order, "2002-01-01", None, *nothing
    columns = ("building_number", "state", "city", "first_year", "last_year")
    for code, state, city, first, last in register.select(columns).iter_rows():
        name = f"{code} {city.title()}" if city else code
        end = f"{last + 1}-01-01" if last < year else None
        yield code, name, f"{ROOT}-{state}", None, "building", None, f"{first}-01-01", end, *scopes


def _area_rows(areas: pl.DataFrame, register: pl.DataFrame) -> Iterator[tuple[object, ...]]:
    """Spans of years with one and the same area; a year that is missing in the source stays missing, 0 stays 0."""
    cities = dict(register.select("building_number", "city").iter_rows())
    rows = list(areas.select("building_number", "year", "gross_sqft").iter_rows())
    start = 0
    for index, (row, following) in enumerate(pairwise([*rows, (None, 0, 0.0)])):
        code, year, area = row
        if following == (code, year + 1, area):
            continue
        city = cities[code].title() if cities[code] else None
        yield code, code, code, city, plain(area), f"{rows[start][1]}-01-01", f"{year + 1}-01-01"
        start = index + 1


def _energy_rows(bills: pl.DataFrame) -> Iterator[tuple[object, ...]]:
    """One line a building and month, figures as the source has them, prices without limit included.

    The gas bill is multiplied out here in the units it was billed in, because the store keeps gas in cubic metres.
    """
    columns = (
        "building_number", "year", "month", "electricity_kwh", "electric_usd_per_kwh", "gas_cubic_ft",
        "gas_usd_per_cubic_ft",
    )  # fmt: skip
    for code, year, month, kwh, kwh_price, gas, gas_price in bills.select(columns).iter_rows():
        yield (
            code, f"{year}-{month:02d}", plain(kwh), _price(kwh_price), plain(gas), _price(gas_price),
            _bill(gas, gas_price),
        )  # fmt: skip


def _price(price: float | None) -> str | None:
    return None if price is None else plain(price)


def _bill(quantity: float, price: float | None) -> str | None:
    if price is None or not isfinite(price):
        return None
    cost = Decimal(repr(quantity)) * Decimal(repr(price))
    return format(cost.quantize(_CENT_OF_CENT, rounding=ROUND_HALF_UP), "f")
