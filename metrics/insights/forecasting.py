"""From a series to its forecast: fill gaps, let the voices speak, check them against last year, put intervals on.

`learn_family` looks at all series of one metric together (the back-tests are pooled); `forecast` uses what it learnt
for one of them. Without a family a series is its own.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from metrics.insights import backtest, conformal
from metrics.insights.combine import LEAST, combined, length_class, method_name, railed
from metrics.insights.forecasters import seasonal_naive
from metrics.insights.forecasters.outlook import Floats, Outlook
from metrics.insights.model import Band, Forecast, ForecastStatus, Reason, Series, Step

LEVELS = (80, 90)
LONGEST_GAP = 6
"""A run of more missing months than this cuts the history: what lies before is another life."""
FAMILY_WEIGHT = 24
"""The family's experience counts in one series' back-test like this many of its own months."""
MOST_ORIGINS = 4
MOST_TRIALS = 240
"""Back-tests of one family: more make the factors no better, only slower."""


@dataclass(frozen=True)
class Family:
    """What the back-tests of all series of one metric taught."""

    factors: conformal.Factors
    naive_factors: conformal.Factors
    error: float
    """Mean error of the combination, in usual changes on last year, over `months` months."""
    naive_error: float
    months: int


def learn_family(histories: Sequence[Floats], season: int, horizon: int) -> Family:
    """Back-test a family of series and keep the pooled errors."""
    return family_of(family_trials(histories, season, horizon))


def family_trials(histories: Sequence[Floats], season: int, horizon: int) -> tuple[backtest.Trial, ...]:
    """Back-test a family within a fixed effort: many series share few origins each, few series get more."""
    usable = [history for history in histories if len(history) > LEAST]
    if not usable:
        return ()
    most = max(1, min(MOST_ORIGINS, MOST_TRIALS // len(usable)))
    stride = -(-len(usable) // MOST_TRIALS)
    chosen = usable[::stride]
    return tuple(trial for history in chosen for trial in backtest.trials(history, season, horizon, most))


def family_of(trials: Sequence[backtest.Trial]) -> Family:
    """Condense back-tests."""
    ours, naive, months = _errors(trials)
    return Family(conformal.learn(trials), conformal.learn(trials, naive=True), ours, naive, months)


def forecast(
    series: Series,
    horizon: int,
    levels: Sequence[int] = LEVELS,
    season: int = 12,
    family: Family | None = None,
) -> Forecast:
    """Return the expected path of a series with its intervals, or say why there is none."""
    if not series:
        return Forecast((), "none", "empty", Reason("no_values"))
    history, gaps = filled(series, season)
    own = backtest.trials(history, season, horizon, MOST_ORIGINS if family is None else 1)
    known = family if family is not None else family_of(own)
    status, reason = verdict(own, known, len(history), gaps)
    outlook, method, factors = _choose(history, season, horizon, status, known)
    steps = _steps(outlook, factors, history, season, series[-1][0], levels)
    return Forecast(steps, method, status, reason)


def filled(series: Series, season: int) -> tuple[Floats, int]:
    """Return the values without holes since the last long gap, and how many were filled in."""
    start = _start_of_life(series)
    kept = [(month, float(value)) for month, value in series if month >= start]
    values = np.full(kept[-1][0] - start + 1, np.nan)
    for month, value in kept:
        values[month - start] = value
    gaps = int(np.isnan(values).sum())
    return (_interpolated(values, season) if gaps else values), gaps


def _start_of_life(series: Series) -> int:
    start = series[0][0]
    for (before, _), (month, _) in itertools.pairwise(series):
        if month - before - 1 > LONGEST_GAP:
            start = month
    return start


def _interpolated(values: Floats, season: int) -> Floats:
    """Fill a hole by the same month of the year before (or after) at today's level, else between its neighbours."""
    months = np.arange(len(values))
    known = ~np.isnan(values)
    level = np.interp(months, months[known], values[known])
    out = values.copy()
    for hole in months[~known]:
        twins = (hole + lag for lag in (-season, season) if 0 <= hole + lag < len(values) and known[hole + lag])
        twin = next(twins, None)
        out[hole] = level[hole] if twin is None else values[twin] * _growth(values, known, int(hole), int(twin))
    return out


def _growth(values: Floats, known: NDArray[np.bool_], hole: int, twin: int) -> float:
    """Return how the months around a hole compare with the months around its twin a season away."""
    pairs = [(hole + lag, twin + lag) for lag in (-2, -1, 1, 2)]
    inside = [(h, t) for h, t in pairs if min(h, t) >= 0 and max(h, t) < len(values) and known[h] and known[t]]
    here, there = sum(values[h] for h, _ in inside), sum(values[t] for _, t in inside)
    return float(here / there) if there and here / there > 0 else 1.0


def verdict(own: Sequence[backtest.Trial], family: Family, length: int, gaps: int) -> tuple[ForecastStatus, Reason]:
    """Say whether the combination may be shown: it must have beaten "same as last year" in the back-tests."""
    noted = (("months", str(length)), ("filled", str(gaps))) if gaps else (("months", str(length)),)
    if length < LEAST:
        return "short", Reason("too_short", noted)
    ours, naive = _blended(own, family)
    if naive == 0 and ours == 0:
        return "ok", Reason("no_error_so_far" if family.months or own else "no_backtest_yet", noted)
    ratio = ours / naive if naive else float("inf")
    told = (*noted, ("error_ratio", f"{ratio:.2f}"))
    return ("ok", Reason("beats_last_year", told)) if ratio < 1 else ("fallback", Reason("last_year_is_better", told))


def _blended(own: Sequence[backtest.Trial], family: Family) -> tuple[float, float]:
    """Return both errors of a series, leaning on the family as if it were some months more of its own."""
    ours, naive, months = _errors(own)
    weight = min(FAMILY_WEIGHT, family.months)
    total = months + weight
    if not total:
        return 0.0, 0.0
    return (ours * months + family.error * weight) / total, (naive * months + family.naive_error * weight) / total


def _errors(trials: Sequence[backtest.Trial]) -> tuple[float, float, int]:
    """Return the mean scaled error of the combination and of last year, and the months behind them."""
    scored = [trial for trial in trials if trial.scale > 0]
    months = sum(len(trial.actual) for trial in scored)
    if not months:
        return 0.0, 0.0, 0
    ours = sum(float(np.abs(trial.actual - trial.expected).sum()) / trial.scale for trial in scored)
    naive = sum(float(np.abs(trial.actual - trial.naive).sum()) / trial.scale for trial in scored)
    return ours / months, naive / months, months


def _choose(
    history: Floats, season: int, horizon: int, status: ForecastStatus, family: Family
) -> tuple[Outlook, str, conformal.Factors]:
    if status == "fallback":
        naive = seasonal_naive.expect(history, season, horizon)
        return replace(naive, mean=railed(naive.mean, history)), seasonal_naive.NAME, family.naive_factors
    return combined(history, season, horizon), method_name(history, season), family.factors


def _steps(
    outlook: Outlook, factors: conformal.Factors, history: Floats, season: int, last: int, levels: Sequence[int]
) -> tuple[Step, ...]:
    half = backtest.widths(outlook, history, season)
    kind = length_class(len(history), season)
    steps = []
    for number, (mean, width) in enumerate(zip(outlook.mean, half, strict=True), start=1):
        bands = _bands(float(mean), float(width), factors, kind, number, levels, bool(history.min() >= 0))
        steps.append(Step(number, last + number, float(mean), bands))
    return tuple(steps)


def _bands(
    mean: float, width: float, factors: conformal.Factors, kind: int, step: int, levels: Sequence[int], above_zero: bool
) -> tuple[Band, ...]:
    """Return the intervals around a mean, each inside the next wider one."""
    bands: list[Band] = []
    low, high = mean, mean
    for level in sorted(levels):
        down, up = factors.ends(kind, step, level)
        low, high = min(low, mean + down * width), max(high, mean + up * width)
        bands.append(Band(level, max(low, 0.0) if above_zero else low, high))
    return tuple(bands)


def as_series(values: Sequence[tuple[int, Decimal]]) -> Series:
    """Return months in order, each once."""
    return tuple(sorted(dict(values).items()))
