"""The two real samples through the whole door, against an independent computation on the raw files.

The truth side reads the raw files with Polars and adds in Decimal; no project code takes part in it. Rules:
quantities and prices are the shortest decimal text of the source's floats; the bill of a month is quantity × price,
half up to six places, and missing when the price has no limit; m² = sqft × 0.09290304; the area of a year is the mean
of its months; a building-month without area stays out of both sides of an intensity; a ratio is one float division.
"""

from __future__ import annotations

import datetime as dt
import os
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from math import isfinite
from pathlib import Path

import polars as pl
import pytest

from cockpit.pipeline import load_and_publish
from metrics.catalogue import Catalogue, load_catalogue
from metrics.evaluate import evaluate
from metrics.model import Answer, Query
from samples import gsa, ua
from warehouse.base.scope import Scope
from warehouse.receipts import FileReport
from warehouse.store import Generation, Store

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
DATA = Path(os.environ.get("COCKPIT_DATA", Path(__file__).parents[3] / "shared" / "data"))
SQUARE_FOOT = Decimal("0.09290304")
MILLIONTH = Decimal("0.000001")
HUNDREDTH = Decimal("0.01")


# --- the store under test ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Loaded:
    """A sample as loaded: what the loader said and the generation it published."""

    raw: Path
    reports: tuple[FileReport, ...]
    generation: Generation
    catalogue: Catalogue

    def ask(self, indicator: str, nodes: Iterable[str], period: str, grain: str) -> dict[tuple[str, str], Answer]:
        """Return the answers by node and period."""
        first, _, last = period.partition("..")
        query = Query(
            indicators=(indicator,),
            nodes=tuple(nodes),
            period_from=first,
            period_to=last or first,
            grain=grain,  # type: ignore[arg-type]
            scope=Scope.everything(),
            actor="test",
            now=NOW,
        )
        answers = evaluate(self.generation, self.catalogue, query)
        return {(answer.node, answer.period): answer for answer in answers}


SAMPLES = {"gsa": (gsa, "gsa_euas"), "ua": (ua, "ua_city_budget")}
EXTENTS = ("excerpt", pytest.param("whole", marks=pytest.mark.soak))
"""The excerpt that lies in the repository, and the whole data set where it is at hand."""


def load_sample(name: str, request: pytest.FixtureRequest) -> Loaded:
    sample, needed = SAMPLES[name]
    if request.param == "excerpt":
        built = request.getfixturevalue("build_sample")(name)
        return Loaded(sample.EXCERPT, built.reports, Store(built.store).open_generation(), load_catalogue())
    if not (DATA / needed).is_dir():
        print("skipped: no data")
        pytest.skip("no data")
    folder = request.getfixturevalue("tmp_path_factory").mktemp(f"{name}_whole")
    sample.write(folder / "files", DATA)
    store = Store(folder / "store")
    reports = load_and_publish(store, [folder / "files"], clock=lambda: NOW)
    return Loaded(DATA / needed, tuple(reports), store.open_generation(), load_catalogue())


@pytest.fixture(scope="module", params=EXTENTS)
def buildings(request: pytest.FixtureRequest) -> Loaded:
    return load_sample("gsa", request)


@pytest.fixture(scope="module", params=EXTENTS)
def cities(request: pytest.FixtureRequest) -> Loaded:
    return load_sample("ua", request)


# --- the truth of the buildings ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Year:
    """What one node used in one fiscal year (October to September), from the raw files."""

    kwh: Decimal = Decimal(0)
    cost: Decimal = Decimal(0)
    kwh_with_area: Decimal = Decimal(0)
    area_months: Decimal = Decimal(0)
    """Sum of the areas of its twelve month ends."""
    months: tuple[Decimal, ...] = (Decimal(0),) * 12
    """The area at each month end, October first."""

    def plus(self, other: Year) -> Year:
        return Year(
            self.kwh + other.kwh,
            self.cost + other.cost,
            self.kwh_with_area + other.kwh_with_area,
            self.area_months + other.area_months,
            tuple(mine + theirs for mine, theirs in zip(self.months, other.months, strict=True)),
        )


def bill(quantity: float, price: float | None) -> Decimal:
    if price is None or not isfinite(price):
        return Decimal(0)
    return (Decimal(repr(quantity)) * Decimal(repr(price))).quantize(MILLIONTH, rounding=ROUND_HALF_UP)


def building_years(raw: Path) -> dict[tuple[str, int], Year]:
    """Add up each building's fiscal years; an area is of a calendar year, so a fiscal one has three months of the one
    before."""
    areas = pl.read_csv(raw / "gross_area_by_year.csv").select(
        "building_number", pl.col("year").cast(pl.Int32), pl.col("gross_sqft").cast(pl.Float64)
    )
    area = {(code, year): Decimal(repr(sqft)) * SQUARE_FOOT for code, year, sqft in areas.iter_rows()}
    years: dict[tuple[str, int], Year] = defaultdict(Year)
    for code, year in {(code, year + later) for code, year in area for later in (0, 1)}:
        ends = (area.get((code, year - 1), Decimal(0)),) * 3 + (area.get((code, year), Decimal(0)),) * 9
        years[code, year] = years[code, year].plus(Year(area_months=sum(ends, Decimal(0)), months=ends))
    columns = ("electricity_kwh", "electric_usd_per_kwh", "gas_cubic_ft", "gas_usd_per_cubic_ft")
    lines = pl.read_parquet(raw / "monthly_energy.parquet").select("building_number", "year", "month", *columns)
    for code, year, month, kwh, kwh_price, gas, gas_price in lines.iter_rows():
        used = Decimal(repr(kwh))
        counted = used if area.get((code, year), Decimal(0)) > 0 else Decimal(0)
        fiscal = code, year + 1 if month >= 10 else year
        years[fiscal] = years[fiscal].plus(Year(used, bill(kwh, kwh_price) + bill(gas, gas_price), counted))
    return years


def portfolio(years: Mapping[tuple[str, int], Year]) -> dict[int, Year]:
    total: dict[int, Year] = defaultdict(Year)
    for (_, year), part in years.items():
        total[year] = total[year].plus(part)
    return total


def in_base_units(answer: Answer) -> Decimal:
    """A sum in the unit its rows are kept in: money is declared in ten thousands."""
    assert answer.value is not None
    return Decimal(answer.value) * (10_000 if answer.unit.startswith("万") else 1)


def assert_year(found: Loaded, node: str, wanted: Mapping[int, Year]) -> None:
    kwh = found.ask("elec_kwh", [node], "2002..2015", "year")
    cost = found.ask("energy_cost", [node], "2002..2015", "year")
    per_area = found.ask("elec_per_area", [node], "2002..2015", "year")
    for year, truth in wanted.items():
        key = (node, str(year))
        assert in_base_units(kwh[key]) == truth.kwh, key
        assert in_base_units(cost[key]) == truth.cost, key
        if truth.area_months and all(truth.months):
            steady = len(set(truth.months)) == 1
            above, below = (
                (truth.kwh_with_area, truth.months[0]) if steady else (truth.kwh_with_area * 12, truth.area_months)
            )
            assert per_area[key].numerator == truth.kwh_with_area, key
            assert per_area[key].denominator == (float(below) if steady else float(below) / 12), key
            assert per_area[key].value == float(above) / float(below), key
        else:
            assert per_area[key].value is None, key


# --- buildings --------------------------------------------------------------------------------------------------


def test_every_line_of_the_buildings_is_taken(buildings: Loaded) -> None:
    for report in buildings.reports:
        assert report.status in ("committed", "unchanged") and not report.counts["quarantined"], report.file
    lines = pl.read_parquet(buildings.raw / "monthly_energy.parquet").height
    taken = sum(report.counts["accepted"] for report in buildings.reports if report.source == "energy_use")
    assert taken == lines


def test_annual_electricity_intensity_and_cost_of_the_portfolio_equal_the_raw_files(buildings: Loaded) -> None:
    truth = portfolio(building_years(buildings.raw))
    whole_years = {year: truth[year] for year in range(2004, 2015)}
    assert_year(buildings, gsa.ROOT, whole_years)


def test_annual_figures_of_single_buildings_equal_the_raw_files(buildings: Loaded) -> None:
    years = building_years(buildings.raw)
    first_of_each_state = (
        pl.read_csv(buildings.raw / "building_register.csv").group_by("state").agg(pl.col("building_number").min())
    )
    for code in sorted(first_of_each_state["building_number"].to_list())[:12]:
        wanted = {year: part for (building, year), part in years.items() if building == code and 2004 <= year < 2015}
        reported = {year: part for year, part in wanted.items() if part.kwh}
        assert_year(buildings, code, reported)


def test_prices_without_limit_leave_the_bill_missing_and_are_counted(buildings: Loaded) -> None:
    lines = pl.read_parquet(buildings.raw / "monthly_energy.parquet")
    counted = sum(lines[name].is_infinite().sum() for name in ("electric_usd_per_kwh", "gas_usd_per_cubic_ft"))
    assert counted > 0
    assert infinite_prices(buildings) == counted


def infinite_prices(found: Loaded) -> int:
    """How many prices without limit the loader counted over all files."""
    return sum(int(report.message.get("notes", {}).get("infinite_price", 0)) for report in found.reports)


# --- cities -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Execution:
    """Plan and spending since January of one city at the end of one month, all codes, both funds."""

    plan: Decimal
    actual: Decimal


def executions(raw: Path) -> dict[tuple[str, str], Execution]:
    lines = pl.read_parquet(raw / "expenses.parquet").filter(pl.col("FUND_TYP") == "T")
    plan: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    actual: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for period, city, planned, spent in lines.select("REP_PERIOD", "CITY", "PLANS_AMT", "FAKT_AMT").iter_rows():
        key = (ua.node_code(city), f"{period:%Y-%m}")
        plan[key] += Decimal(repr(planned)).quantize(HUNDREDTH)
        actual[key] += Decimal(repr(spent)).quantize(HUNDREDTH)
    return {key: Execution(plan[key], actual[key]) for key in plan}


def test_every_line_of_the_cities_is_taken(cities: Loaded) -> None:
    for report in cities.reports:
        assert report.status in ("committed", "unchanged") and not report.counts["quarantined"], report.file
    lines = pl.read_parquet(cities.raw / "expenses.parquet").height
    taken = sum(report.counts["accepted"] for report in cities.reports if report.source == "budget_execution")
    assert taken == lines


def test_no_month_of_a_city_carries_two_budget_codes(cities: Loaded) -> None:
    """A city changed its code between December 2022 and January 2023, so nothing is counted twice."""
    lines = pl.read_parquet(cities.raw / "expenses.parquet")
    assert lines.group_by("CITY", "REP_PERIOD").agg(pl.col("COD_BUDGET").n_unique())["COD_BUDGET"].max() == 1
    assert lines.group_by("CITY").agg(pl.col("COD_BUDGET").n_unique())["COD_BUDGET"].max() == 2


def test_year_to_date_execution_of_each_city_equals_the_raw_table(cities: Loaded) -> None:
    truth = executions(cities.raw)
    nodes = sorted({node for node, _ in truth})
    found = cities.ask("budget_exec_rate", nodes, "2021-01..2024-12", "ytd")
    assert len(nodes) == 16 and len(truth) == 16 * 48
    for key, wanted in truth.items():
        answer = found[key]
        assert (answer.numerator, answer.denominator) == (wanted.actual, wanted.plan), key
        assert answer.value == float(wanted.actual) / float(wanted.plan) * 100, key


def test_the_cities_owe_a_report_each_and_their_root_owes_none(cities: Loaded) -> None:
    answers = cities.ask("budget_exec_rate", [ua.ROOT], "2021-01..2024-12", "month").values()
    assert {(answer.due, answer.got, answer.status) for answer in answers} == {(16, 16, "ok")}


def test_corrections_stay_negative_months_and_spending_without_a_plan_stays(cities: Loaded) -> None:
    lines = pl.read_parquet(cities.raw / "expenses.parquet").sort("REP_PERIOD")
    series = ["CITY", "FUND_TYP", "COD_CONS_EK", pl.col("REP_PERIOD").dt.year().alias("year")]
    falls = lines.select(pl.col("FAKT_AMT").diff().over(series)).filter(pl.col("FAKT_AMT") < 0).height
    december = (pl.col("REP_PERIOD").dt.month() == 12) & (pl.col("PLANS_AMT") == 0) & (pl.col("FAKT_AMT") > 0)
    unplanned = lines.filter(december).height
    assert falls > 0 and unplanned > 0
    con = cities.generation.con
    shown = con.execute(
        "SELECT count(*) FILTER (WHERE actual_flow < 0), count(*) FILTER (WHERE from_m % 12 = 11 AND plan = 0 AND"
        " actual > 0) FROM d_budget_execution WHERE rec_to = 2147483647"
    ).fetchone()
    assert shown == (falls, unplanned)
