"""Landings: sums that can be added up by head, intervals, the chance of an overrun, and months nobody reported."""

from __future__ import annotations

import datetime as dt
import random
from decimal import Decimal

import pytest

from metrics.catalogue import load_catalogue
from metrics.insights import landing, projections
from metrics.insights.landing import History, land, learn, outlook
from metrics.insights.model import Landing
from metrics.model import Answer, Query
from tests.metrics.insights.figures import Figures
from warehouse.base.periods import month_no
from warehouse.base.scope import Scope

pytestmark = pytest.mark.filterwarnings("ignore")

SHARES = [5, 4, 6, 7, 7, 8, 7, 7, 9, 9, 12, 19]


def history(node: str, months: int, level: float, noise: float, budget: float | None = None, seed: int = 0) -> History:
    rng = random.Random(f"{node}{seed}")
    values = [level * SHARES[m % 12] * (1 + rng.gauss(0, noise)) for m in range(months)]
    series = tuple((month_no(2022, 1) + m, Decimal(str(round(v, 2)))) for m, v in enumerate(values))
    return History(node, series, budget=budget)


def landed(one: History, family: list[History], year: int = 2024) -> Landing:
    told, ours, naive = learn(family)
    return land("op_funds_exp", "万元", year, one, outlook(one, told), ours, naive)


FAMILY = [history(f"u{n}", 30, 1 + n / 10, 0.1) for n in range(24)]


def test_the_landing_is_what_is_paid_plus_what_is_expected() -> None:
    result = landed(FAMILY[3], FAMILY)
    paid = sum(float(value) for month, value in FAMILY[3].series if month >= month_no(2024, 1))
    assert result.paid == pytest.approx(paid)
    assert result.months_reported == 6
    assert len(result.path) == 12
    assert result.path[5].total == pytest.approx(paid)
    assert result.path[11].total == pytest.approx(result.expected)
    assert result.status == "ok"


def test_a_fiscal_year_lands_by_its_own_twelve_months() -> None:
    """FY2024 is October 2023 to September 2024; of thirty months from January 2022 on, nine of it are known."""
    told, ours, naive = learn(FAMILY)
    one = FAMILY[3]
    result = land("x", "u", 2024, one, outlook(one, told), ours, naive, fiscal_start=10)
    first = month_no(2023, 10)
    assert [point.month_no for point in result.path] == list(range(first, first + 12))
    assert result.months_reported == 9
    assert result.paid == pytest.approx(sum(float(value) for month, value in one.series if month >= first))
    assert result.path[11].total == pytest.approx(result.expected)


def test_the_worker_lands_the_fiscal_year_of_the_last_month_told() -> None:
    """November 2024 lies in FY2025; its plan is asked for that year."""
    asked: list[str] = []
    months = [(2023 + (9 + n) // 12, (9 + n) % 12 + 1) for n in range(14)]

    def evaluate(query: Query) -> tuple[Answer, ...]:
        asked.append(query.period_from)
        if query.grain == "year":
            return ()
        return tuple(
            Answer("en_tce", "u", "u", None, None, f"{year}-{month:02d}", "month", Decimal(10), None, None, "tce", 1, 1,
                   "ok", "f", 1, None, "as-was", "simulated")
            for year, month in months
        )  # fmt: skip

    desk = projections.Desk(("u",), month_no(2023, 10), month_no(2024, 11), 1, dt.datetime(2024, 12, 5, tzinfo=dt.UTC),
                            Scope.everything(), "test", dt.datetime(2024, 12, 5, tzinfo=dt.UTC), fiscal_start=10)  # fmt: skip
    spec = projections.Spec("en_tce", budget="en_tce_plan")
    (found,) = projections.project(evaluate, load_catalogue(), [spec], desk, {}).landings
    assert (found.year, found.paid, asked) == (2025, 20, ["2023-10", "2025"])


def test_running_totals_never_fall_and_reported_months_have_no_width() -> None:
    result = landed(FAMILY[0], FAMILY)
    totals = [point.total for point in result.path]
    assert totals == sorted(totals)
    for point in result.path:
        low, high = point.bands[1].low, point.bands[1].high
        assert low <= point.total <= high
        assert (low == high) == point.reported


def test_the_narrow_interval_lies_in_the_wide_one_and_above_what_is_paid() -> None:
    result = landed(FAMILY[1], FAMILY)
    narrow, wide = result.bands
    assert result.paid <= wide.low <= narrow.low <= result.expected <= narrow.high <= wide.high


def test_the_interval_of_the_year_covers_what_comes() -> None:
    """60 units, half of the third year known; the 90 % interval of the total must hold about nine in ten."""
    whole = [history(f"s{n}", 36, 1 + n / 30, 0.15) for n in range(60)]
    halves = [History(one.node, one.series[:30]) for one in whole]
    told, ours, naive = learn(halves)
    inside = 0
    for one, full in zip(halves, whole, strict=True):
        result = land("x", "u", 2024, one, outlook(one, told), ours, naive)
        total = sum(float(value) for month, value in full.series if month >= month_no(2024, 1))
        band = result.band(90)
        assert band is not None
        inside += band.low <= total <= band.high
    assert 50 <= inside <= 60


@pytest.mark.parametrize(("budget", "low", "high"), [(1000.0, 0.0, 0.05), (60.0, 0.95, 1.0)])
def test_the_chance_of_an_overrun_follows_the_budget(budget: float, low: float, high: float) -> None:
    one = History("u0", FAMILY[0].series, budget=budget)
    result = landed(one, FAMILY)
    assert result.exceed_probability is not None
    assert low <= result.exceed_probability <= high


def test_the_month_of_passing_the_budget_is_named() -> None:
    known = landed(FAMILY[0], FAMILY)
    one = History("u0", FAMILY[0].series, budget=known.path[9].total)
    early, likely, late = landed(one, FAMILY).crossing
    assert likely in {month_no(2024, 10), month_no(2024, 11)}
    assert early is not None and early <= likely
    assert late is None or late >= likely


def test_a_complete_year_is_closed() -> None:
    one = history("done", 36, 1, 0.1, budget=50)
    result = landed(one, [*FAMILY, one])
    assert result.status == "closed"
    assert result.expected == pytest.approx(result.paid)
    assert result.exceed_probability == 1.0
    assert all(band.low == band.high == result.expected for band in result.bands)


def test_a_month_nobody_reported_is_estimated_and_said() -> None:
    hole = month_no(2024, 3)
    full = FAMILY[2]
    one = History("u2", tuple(pair for pair in full.series if pair[0] != hole), missing=(hole,))
    result = landed(one, FAMILY)
    assert result.status == "incomplete"
    assert result.months_missing == (hole,)
    assert result.months_reported == 5
    assert result.expected > result.paid
    assert not result.path[2].reported


def test_a_partly_reported_month_is_a_floor() -> None:
    last = FAMILY[2].series[-1]
    one = History("u2", FAMILY[2].series[:-1], partial=((last[0], last[1] * 10),))
    result = landed(one, FAMILY)
    assert result.status == "incomplete"
    assert result.path[5].total - result.path[4].total == pytest.approx(float(last[1]) * 10)


def test_without_experience_there_is_no_interval_and_no_chance() -> None:
    one = History("only", FAMILY[0].series[:8], budget=100.0)
    result = land("x", "u", 2022, one, outlook(one, learn([one])[0]), *learn([one])[1:])
    assert result.status == "short"
    assert result.bands == ()
    assert result.exceed_probability is None


def test_nothing_known_lands_nowhere() -> None:
    one = History("none", (), missing=(month_no(2024, 1),))
    told, ours, naive = learn(FAMILY)
    result = land("x", "u", 2024, one, outlook(one, told), ours, naive)
    assert (result.status, result.expected, result.path) == ("no_data", 0.0, ())


def answers(figures: Figures, status: str, got: int, due: int) -> Answer:
    from dataclasses import replace

    from metrics.model import Query

    query = Query(indicators=("x",), nodes=("n",), period_from="2024-01", period_to="2024-01", grain="month",
                  scope=Scope.everything(), actor="t")  # fmt: skip
    figures.put("x", "n", {"2024-01": 5})
    (answer,) = figures.evaluate(query)
    return replace(answer, status=status, got=got, due=due)


@pytest.mark.parametrize(("status", "got", "due", "bins"), [
    ("ok", 60, 60, (1, 0, 0)), ("incomplete", 58, 60, (1, 0, 0)), ("incomplete", 40, 60, (0, 1, 0)),
])  # fmt: skip
def test_months_are_sorted_by_how_complete_they_are(
    figures: Figures, status: str, got: int, due: int, bins: tuple[int, int, int]
) -> None:
    (one,) = projections.gather([answers(figures, status, got, due)], month_no(2024, 1), {})
    assert (len(one.series), len(one.partial), len(one.missing)) == bins


def test_sum_errors_are_never_those_of_independent_months() -> None:
    _, ours, _ = learn(FAMILY)
    assert set(ours.by_months) >= {1, 6, 12}
    assert len(ours.of(6)) >= landing.ENOUGH


def test_a_landing_row_carries_everything_a_page_needs() -> None:
    result = landed(History("u0", FAMILY[0].series, budget=100.0), FAMILY)
    now = dt.datetime(2024, 7, 15, tzinfo=dt.UTC)
    desk = projections.Desk(("u0",), 0, 1, 7, now, Scope.everything(), "t", now)
    row = projections.landing_row(result, "h", desk)
    assert row.path.startswith('[["2024-01",true,')
    assert (row.budget, row.status, row.through_seq, row.missing) == (100.0, "ok", 7, "[]")
