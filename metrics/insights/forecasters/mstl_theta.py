"""Season taken out by STL, the rest by the dynamic optimised Theta model."""

from __future__ import annotations

from metrics.insights.forecasters.outlook import Floats, Outlook, from_model

NAME = "mstl_theta"


def needs(season: int) -> int:
    """Return how many months it takes at least: STL wants more than two seasons."""
    return 2 * season + 1


def expect(history: Floats, season: int, horizon: int) -> Outlook:
    """Fit and run the model."""
    from statsforecast.models import MSTL, DynamicOptimizedTheta

    trend = DynamicOptimizedTheta(season_length=1)
    return from_model(MSTL(season_length=season, trend_forecaster=trend), history, horizon)
