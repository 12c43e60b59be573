"""Forecasts on series with known answers, always against "same as last year"."""

from __future__ import annotations

import math
import random
from decimal import Decimal

import numpy as np
import pytest

from metrics.insights import forecasting
from metrics.insights.combine import combined, railed, voices
from metrics.insights.forecasters import dotm, mstl_ets, mstl_theta, seasonal_growth, seasonal_naive, shrunk_ses
from metrics.insights.model import Series

pytestmark = pytest.mark.filterwarnings("ignore")

SEASON = [100, 80, 90, 85, 95, 120, 160, 170, 110, 90, 95, 140]


def series(values: list[float], start: int = 24000) -> Series:
    return tuple((start + place, Decimal(str(round(value, 6)))) for place, value in enumerate(values))


def seasonal(months: int, trend: float = 0.0, noise: float = 0.0, seed: int = 1) -> list[float]:
    rng = random.Random(seed)
    return [SEASON[m % 12] + trend * m + rng.gauss(0, noise) for m in range(months)]


def test_a_constant_series_stays_constant_without_any_width() -> None:
    told = forecasting.forecast(series([42.0] * 30), 6)
    assert [step.mean for step in told.steps] == [42.0] * 6
    assert all(band.low == band.high == 42.0 for step in told.steps for band in step.bands)


def test_a_trend_goes_on_within_the_rails() -> None:
    told = forecasting.forecast(series([100.0 + 2 * m for m in range(48)]), 6)
    expected = [100.0 + 2 * m for m in range(48, 54)]
    assert told.status == "ok"
    assert [step.mean for step in told.steps] == pytest.approx(expected, rel=0.04)


def test_a_pure_season_repeats() -> None:
    told = forecasting.forecast(series(seasonal(48)), 12)
    assert [step.mean for step in told.steps] == pytest.approx(SEASON, rel=1e-6)


def test_season_with_trend_beats_last_year() -> None:
    values = seasonal(60, trend=1.0, noise=3)
    told = forecasting.forecast(series(values[:48]), 12)
    ours = sum(abs(step.mean - value) for step, value in zip(told.steps, values[48:], strict=True))
    naive = sum(abs(before - value) for before, value in zip(values[36:48], values[48:], strict=True))
    assert told.status == "ok"
    assert ours < naive


def test_what_does_not_beat_last_year_is_not_shown() -> None:
    values = np.array(seasonal(24) + [v * 1.0 for v in seasonal(24)])
    values[5::12] += [0.0, 0.001, 0.0, 0.001]
    told = forecasting.forecast(series(list(values)), 12)
    assert told.status == "fallback"
    assert told.method == seasonal_naive.NAME
    assert [step.mean for step in told.steps] == pytest.approx(list(values[-12:]))
    assert told.reason.key == "last_year_is_better"


@pytest.mark.parametrize("months", [1, 3, 5])
def test_too_short_a_history_gives_the_last_value_and_says_so(months: int) -> None:
    told = forecasting.forecast(series([10.0, 12.0, 11.0, 13.0, 12.5][:months]), 3)
    assert told.status == "short"
    assert told.reason.key == "too_short"
    assert {step.mean for step in told.steps} == {[10.0, 12.0, 11.0, 13.0, 12.5][months - 1]}


def test_nothing_gives_nothing() -> None:
    assert forecasting.forecast((), 3).status == "empty"


def test_gaps_are_filled_from_the_season_and_counted() -> None:
    values = seasonal(48)
    holed = tuple(pair for place, pair in enumerate(series(values)) if place not in (30, 31, 40))
    told = forecasting.forecast(holed, 12)
    assert dict(told.reason.values)["filled"] == "3"
    assert [step.mean for step in told.steps] == pytest.approx(SEASON, rel=0.02)
    assert told.steps[0].month_no == 24048


def test_history_before_a_long_gap_is_another_life() -> None:
    old, new = series([1000.0] * 12), series([10.0] * 14, start=24000 + 24)
    filled, gaps = forecasting.filled(old + new, 12)
    assert gaps == 0
    assert list(filled) == [10.0] * 14


def test_intervals_lie_inside_each_other_and_above_zero() -> None:
    values = [max(v, 0.5) for v in seasonal(40, noise=40)]
    told = forecasting.forecast(series(values), 12, levels=(50, 80, 90))
    for step in told.steps:
        narrow, middle, wide = step.bands
        assert 0 <= wide.low <= middle.low <= narrow.low <= step.mean <= narrow.high <= middle.high <= wide.high


def test_the_path_stays_within_its_history_widened_by_one_range() -> None:
    history = np.array([5.0, 6, 7, 8, 9, 10])
    assert list(railed(np.array([-50.0, 7, 99]), history)) == [0.0, 7.0, 15.0]


def test_the_same_series_gives_the_same_forecast() -> None:
    values = series(seasonal(40, noise=5))
    assert forecasting.forecast(values, 12) == forecasting.forecast(values, 12)


@pytest.mark.parametrize(
    ("length", "noise", "names"),
    [
        (3, 5, ["seasonal_naive"]),
        (9, 5, ["shrunk_ses"]),
        (20, 500, ["seasonal_naive", "seasonal_growth", "shrunk_ses", "dotm"]),
        (20, 5, ["seasonal_naive", "seasonal_growth", "shrunk_ses"]),
        (30, 5, ["seasonal_naive", "seasonal_growth", "shrunk_ses", "dotm", "mstl_theta"]),
        (60, 5, ["seasonal_naive", "dotm", "mstl_theta", "mstl_ets"]),
    ],
)
def test_length_and_season_decide_who_speaks(length: int, noise: float, names: list[str]) -> None:
    history = np.array(seasonal(length, noise=noise, seed=4))
    assert [module.NAME for module in voices(history, 12)] == names


def test_growth_so_far_is_carried_on_in_part() -> None:
    history = np.array(SEASON + [value * 1.1 for value in SEASON[:6]])
    told = seasonal_growth.expect(history, 12, 2).mean
    assert told == pytest.approx([SEASON[6] * 1.07, SEASON[7] * 1.07])


@pytest.mark.parametrize("module", [dotm, mstl_ets, mstl_theta, seasonal_growth, seasonal_naive, shrunk_ses])
def test_every_forecaster_has_the_same_shape(module) -> None:
    history = np.array(seasonal(40, noise=2))
    told = module.expect(history, 12, 15)
    assert len(told.mean) == len(told.half) == 15
    assert np.isfinite(told.mean).all()
    assert (told.half >= 0).all()
    assert module.needs(12) <= 25


def test_the_combination_is_the_median() -> None:
    history = np.array(seasonal(40, noise=2))
    paths = [module.expect(history, 12, 12).mean for module in voices(history, 12)]
    assert combined(history, 12, 12).mean == pytest.approx(np.median(paths, axis=0))


def test_intervals_cover_what_they_say_on_simulated_series() -> None:
    """80 series of one family, 36 months each; the intervals of the 12 months after must hold 80 and 90 %."""
    runs = [seasonal(48, trend=0.3, noise=8, seed=seed) for seed in range(80)]
    family = forecasting.learn_family([np.array(run[:36]) for run in runs], 12, 12)
    inside = {80: 0, 90: 0}
    for run in runs:
        told = forecasting.forecast(series(run[:36]), 12, family=family)
        for step, actual in zip(told.steps, run[36:], strict=True):
            for level in inside:
                inside[level] += step.band(level).low <= actual <= step.band(level).high
    shares = {level: count / (len(runs) * 12) for level, count in inside.items()}
    assert 0.75 <= shares[80] <= 0.90
    assert 0.86 <= shares[90] <= 0.97


def test_a_negative_month_is_no_obstacle() -> None:
    values = seasonal(30, noise=2)
    values[11] = -40
    told = forecasting.forecast(series(values), 6)
    assert all(math.isfinite(step.mean) for step in told.steps)
