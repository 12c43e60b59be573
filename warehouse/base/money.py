"""Exact numbers, shown without a float in between."""

from __future__ import annotations

from decimal import Decimal


def exact(value: Decimal | int) -> str:
    """Return the plain digits of an exact figure: no exponent, no trailing zeros after the point."""
    text = format(Decimal(value), "f")
    if "." not in text:
        return text
    return text.rstrip("0").rstrip(".") or "0"
