"""Exact numbers: parsing, scaling by powers of ten and showing them without a float in between."""

from __future__ import annotations

from decimal import Decimal

WAN = Decimal(10_000)
YI = Decimal(100_000_000)


def exact(value: Decimal | int) -> str:
    """Return the plain digits of an exact figure: no exponent, no trailing zeros after the point."""
    text = format(Decimal(value), "f")
    if "." not in text:
        return text
    return text.rstrip("0").rstrip(".") or "0"
