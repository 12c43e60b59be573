"""Simple exponential smoothing on seasonal indices that are shrunk towards "no season" while years are few.

With y years of history the indices keep the weight y / (y + 0.5), or more where last year's pattern repeats: short
series profit from a season they can hardly prove, which automatic models switch off.
"""

from __future__ import annotations

import numpy as np

from metrics.insights.forecasters.outlook import Z80, Floats, Outlook, season_strength

NAME = "shrunk_ses"

ALPHAS = np.linspace(0.05, 0.95, 19)
SMALLEST_SHARE = 0.02
"""Below this share of the mean a value is too near zero for ratios; differences are used instead."""


def needs(_season: int) -> int:
    """Return how many months it takes at least."""
    return 2


def expect(history: Floats, season: int, horizon: int) -> Outlook:
    """Take the season out, smooth the level, put the season back."""
    ratios = bool(history.min() > SMALLEST_SHARE * history.mean() > 0)
    index = _indices(history, season, ratios)
    phase = np.arange(len(history) + horizon) % season
    past, ahead = index[phase[: len(history)]], index[phase[len(history) :]]
    level, residuals = _smooth(history / past if ratios else history - past)
    spread = float(np.sqrt(np.mean(residuals**2))) if len(residuals) else 0.0
    half = Z80 * spread * np.sqrt(1 + 0.1 * np.arange(horizon))
    return Outlook(level * ahead, half * ahead) if ratios else Outlook(level + ahead, half)


def _indices(history: Floats, season: int, ratios: bool) -> Floats:
    """Return one index per phase (ratio or difference to the trend), shrunk by the years behind it."""
    neutral = 1.0 if ratios else 0.0
    if len(history) < season:
        return np.full(season, neutral)
    trend = _trend(history, season)
    raw = history / trend if ratios else history - trend
    phase = np.arange(len(history)) % season
    known = np.isfinite(raw)
    medians = [np.median(raw[known & (phase == p)]) if (known & (phase == p)).any() else neutral for p in range(season)]
    index = np.asarray(medians, dtype=float)
    index = index / index.mean() if ratios else index - index.mean()
    years = len(history) / season
    weight = max(years / (years + 0.5), season_strength(history, season))
    return np.asarray(neutral + weight * (index - neutral))


def _trend(history: Floats, season: int) -> Floats:
    """Return the centred moving average over one season; with less than two seasons, the mean of the last one."""
    if len(history) < 2 * season:
        return np.full(len(history), history[-season:].mean())
    weights = np.ones(season) / season
    if season % 2 == 0:
        weights = np.concatenate(([0.5], np.ones(season - 1), [0.5])) / season
    middle = np.convolve(history, weights, mode="valid")
    edge = (len(history) - len(middle)) // 2
    trend = np.full(len(history), np.nan)
    trend[edge : edge + len(middle)] = middle
    return trend


def _smooth(values: Floats) -> tuple[float, Floats]:
    """Return the last level of the best smoothing weight, and its one-step errors."""
    best: tuple[float, float, Floats] | None = None
    for alpha in ALPHAS:
        level, errors = _run(values, float(alpha))
        cost = float(np.sum(errors**2))
        if best is None or cost < best[0] * (1 - 1e-9):
            best = (cost, level, errors)
    assert best is not None
    return best[1], best[2]


def _run(values: Floats, alpha: float) -> tuple[float, Floats]:
    level = float(values[: max(1, min(4, len(values)))].mean())
    errors = np.empty(len(values))
    for number, value in enumerate(values):
        errors[number] = value - level
        level += alpha * errors[number]
    return level, errors[1:]
