"""What a unit of each carrier costs in each month."""

from __future__ import annotations

from dataclasses import dataclass

from samples.city.calendar import FIRST
from samples.city.chance import dice

_BANDS = {
    "electricity": (0.66, 0.80), "water": (4.1, 5.4), "natural_gas": (3.5, 4.2), "heat": (72.0, 92.0),
    "gasoline": (7.35, 8.25), "diesel": (7.05, 7.95), "coal_raw": (0.95, 1.25),
}  # fmt: skip


@dataclass(frozen=True)
class Prices:
    """Prices by carrier and month in yuan."""

    table: dict[tuple[str, int], float]

    def of(self, carrier: str, month: int) -> float:
        """Return the price of a carrier in a month."""
        return self.table[carrier, month]


def quote(seed: int, months: int) -> Prices:
    """Let each price wander inside its band."""
    table: dict[tuple[str, int], float] = {}
    for carrier, (low, high) in _BANDS.items():
        rng = dice(seed, "price", carrier)
        price = rng.uniform(low, high)
        for month in range(FIRST, FIRST + months):
            price = min(high, max(low, price + (high - low) * rng.uniform(-0.16, 0.16)))
            table[carrier, month] = round(price, 4 if carrier in ("electricity",) else 2)
    return Prices(table)
