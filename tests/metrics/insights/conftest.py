"""Fixtures of the insight tests."""

from __future__ import annotations

import pytest

from tests.metrics.insights.figures import Figures


@pytest.fixture
def figures() -> Figures:
    """An empty set of figures."""
    return Figures()
