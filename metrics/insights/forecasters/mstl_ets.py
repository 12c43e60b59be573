"""Season taken out by STL, the rest by automatic exponential smoothing without a season."""

from __future__ import annotations

from metrics.insights.forecasters.outlook import Floats, Outlook, from_model

NAME = "mstl_ets"


def needs(season: int) -> int:
    """Return how many months it takes at least: STL wants more than two seasons."""
    return 2 * season + 1


def expect(history: Floats, season: int, horizon: int) -> Outlook:
    """Fit and run the model."""
    from statsforecast.models import MSTL, AutoETS

    trend = AutoETS(season_length=1, model="ZZN")
    return from_model(MSTL(season_length=season, trend_forecaster=trend), history, horizon)
