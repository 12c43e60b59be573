"""春节可比口径: January and February are one, so that the Spring Festival lies on both sides of a comparison.

The festival falls between 21 January and 20 February, in January of one year and in February of the next. One rule, that
of the national statistics: the two months are never told apart. A month of either is answered as both together
(`2025-01..2025-02`), a year to date or twelve months that would end with January end with February, and of a running
year January counts when February has ended as well. Quarters and years hold both months anyway.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from metrics.formula import parse_formula
from metrics.model import Indicator
from warehouse.base.errors import QueryError
from warehouse.base.periods import Grain, Window, month_label, windows

SPRING = "spring"
ALIGNS = (SPRING,)


def check_align(text: str | None) -> str | None:
    """Return the asked alignment or say which exist."""
    if text is None or text in ALIGNS:
        return text
    raise QueryError(f"'{text}' is no alignment.", f"use {SPRING}, or leave it out")


def aligned(grain: Grain, asked: Sequence[Window], fiscal_start: int) -> tuple[Window, ...]:
    """Return the windows of a grain that never part January from February."""
    found: dict[tuple[int, int], Window] = {}
    for window in asked:
        one = _whole(grain, window, fiscal_start)
        if _parts(one.from_m) or _parts(one.to_m):
            raise QueryError(
                f"{one.label} of a fiscal year from month {fiscal_start} parts January from February.",
                "leave out --align, or ask for months",
            )
        found.setdefault((one.from_m, one.to_m), one)
    return tuple(found.values())


def _whole(grain: Grain, window: Window, fiscal_start: int) -> Window:
    if grain == "month" and window.from_m % 12 in (0, 1):
        start = window.from_m - window.from_m % 12
        return Window(f"{month_label(start)}..{month_label(start + 1)}", start, start + 2)
    if grain in ("ytd", "r12") and _parts(window.to_m):
        return windows(grain, window.to_m, window.to_m + 1, fiscal_start)[0]
    return window


def _parts(month: int) -> bool:
    """Tell whether a bound before this month lies between January and February; twelve months back it lies there too."""
    return month % 12 == 1


def elapsed_end(end: int) -> int:
    """Return up to where a running window counts: January only together with its February."""
    return end - 1 if _parts(end) else end


def check_shifts(indicators: Iterable[Indicator]) -> None:
    """Refuse what is held against another month than that of a year before."""
    wrong = {
        indicator.id: operand.shift
        for indicator in indicators
        for version in indicator.versions
        for operand in parse_formula(version.value).operands
        if operand.shift % 12
    }
    if wrong:
        told = ", ".join(f"{name} ({shift} months earlier)" for name, shift in wrong.items())
        raise QueryError(f"Aligned figures are compared with those of years before: {told}.", "leave out --align")
