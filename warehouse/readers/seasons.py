"""Heating seasons as people write them: 2024-2025采暖季, 2024—2025年供暖季, 24-25 is no season.

A season is named by the two years it lies in; its month number is November of the first, in whatever zone.
"""

from __future__ import annotations

import re

from warehouse.base.periods import month_no
from warehouse.readers.values import normalise

NOTE = "heating_season"
"""The note on a row whose period was written as a heating season."""
FIRST_MONTH = 11

_SEASON = re.compile(
    r"^(?P<first>[12]\d{3})年?度?[-~/至到、](?P<last>[12]\d{3}|\d{2})年?度?(?P<word>(?:冬季)?(?:采暖|供暖|供热|取暖)(?:季|期|季度|年度|季节)?)?$"
)
_DASHES = str.maketrans({"−": "-", "﹣": "-", "–": "-", "—": "-", "‐": "-", "‑": "-", "～": "-"})


def season_of(text: str, *, bare: bool) -> int | None:
    """Return the month number of a season; None where the text is none. `bare`: the column says already that it is one."""
    found = _SEASON.match(re.sub(r"-+", "-", normalise(text).replace(" ", "").translate(_DASHES)))
    if found is None or not (bare or found["word"]):
        return None
    first, last = int(found["first"]), found["last"]
    follows = f"{first + 1:04d}"
    return month_no(first, FIRST_MONTH) if last in (follows, follows[2:]) else None
