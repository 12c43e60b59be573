"""The small world of the metric tests, and a town in it."""

from __future__ import annotations

import pytest

from tests.metrics.conftest import ask, ask_with, catalogue, contracts, world, world_at
from tests.soundness.town import NO_THEME

__all__ = ["ask", "ask_with", "catalogue", "contracts", "world", "world_at"]


@pytest.fixture
def town(world):
    """root ─ a, b; reference tables as shipped."""
    world.unit("root", kind="region", name="示例市", **NO_THEME)
    world.unit("a", "root", name="财政局")
    world.unit("b", "root", name="审计局")
    world.defaults()
    return world
