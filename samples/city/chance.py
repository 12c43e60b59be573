"""Dice that give the same throws for the same seed and purpose, whatever else is simulated."""

from __future__ import annotations

import random
from decimal import Decimal


def dice(seed: int, *purpose: object) -> random.Random:
    """Return the generator of one purpose; a new purpose never disturbs the throws of another."""
    return random.Random(f"{seed}/{'/'.join(map(str, purpose))}")


def cents(value: float) -> Decimal:
    """Return an amount of yuan with two decimals."""
    return places(value, 2)


def places(value: float, digits: int) -> Decimal:
    """Return a number with exactly so many decimals."""
    return Decimal(round(value * 10**digits)).scaleb(-digits)


def split(rng: random.Random, total: int, parts: int) -> list[int]:
    """Cut a whole number into so many positive parts of uneven size."""
    parts = max(1, min(parts, total // 100))
    weights = [rng.uniform(0.4, 1.6) for _ in range(parts)]
    whole = sum(weights)
    cut = [int(total * weight / whole) for weight in weights]
    cut[0] += total - sum(cut)
    return cut
