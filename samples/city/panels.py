"""Solar panels on the roofs: what is installed and what it gives."""

from __future__ import annotations

from decimal import Decimal

from samples.city.calendar import moon
from samples.city.chance import dice, places

PANELS = {"goa": 380, "service": 160, "school": 120, "library": 90, "d_gov": 60, "t1": 24}
"""Installed panels in kW."""
_SUN = (0.55, 0.65, 0.95, 1.15, 1.35, 1.35, 1.20, 1.20, 1.10, 0.95, 0.70, 0.55)


def panels(key: str, month: int) -> Decimal | None:
    """Return the kWh a body's panels gave in a month; None where there are none."""
    if key not in PANELS:
        return None
    rng = dice(0, "sun", key, month)
    return places(PANELS[key] * 98 * _SUN[moon(month) - 1] * rng.uniform(0.9, 1.1), 0)
