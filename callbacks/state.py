"""What the viewer is looking at: one frozen value, and its lossless form in the address line.

A pasted link shows the same view, including "as known on". Text that cannot be read is kept out of the state
and named in `ignored`, so that the page can say so instead of guessing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from warehouse.base.clock import parse_instant
from warehouse.base.errors import QueryError
from warehouse.base.periods import GRAINS, Period
from warehouse.store import STATES, State

LANGUAGES = ("zh", "en")
THEMES = ("dark", "light")
AS_WAS = "as-was"
DEFAULT_GRAIN = "ytd"
SOURCE_ROWS = "rows"


@dataclass(frozen=True)
class ViewState:
    """One view: node, period and grain, caliber (known_at, tree), filters, language, theme and what is opened."""

    node: str | None = None
    period: str | None = None
    grain: str = DEFAULT_GRAIN
    known_at: str | None = None
    tree: str = AS_WAS
    state: State | None = None
    """reviewed or reported figures; without a word reviewed ones, where the store works with review."""
    where: tuple[str, ...] = ()
    lang: str = "zh"
    theme: str = "dark"
    pick: str | None = None
    day: str | None = None
    show: str | None = None
    ignored: tuple[str, ...] = field(default=(), compare=False)

    @classmethod
    def parse(cls, search: str | None) -> ViewState:
        """Read the query part of an address; unknown keys belong to others and are left alone."""
        pairs = parse_qsl((search or "").removeprefix("?"), keep_blank_values=False)
        values: dict[str, Any] = {}
        ignored: list[str] = []
        for key, text in pairs:
            if key == "where":
                values["where"] = (*values.get("where", ()), text)
            elif key in _READERS:
                _take(key, text, values, ignored)
        return cls(**values, ignored=tuple(ignored))

    def search(self) -> str:
        """Return the query part of the address that stands for this view; defaults are left out."""
        blank = ViewState()
        pairs = [
            (key, getattr(self, key))
            for key in _READERS
            if getattr(self, key) is not None and getattr(self, key) != getattr(blank, key)
        ]
        pairs += [("where", text) for text in self.where]
        return f"?{urlencode(pairs, quote_via=quote)}" if pairs else ""

    def link(self, path: str, **changes: Any) -> str:
        """Return the address of a page in this view with some fields changed."""
        return path + replace(self, **changes).search()

    def known_instant(self, zone: str) -> dt.datetime | None:
        """Return the instant of "as known on" in the store's zone, or None for now."""
        return None if self.known_at is None else parse_instant(self.known_at, zone)


def _take(key: str, text: str, values: dict[str, Any], ignored: list[str]) -> None:
    if _READERS[key](text):
        values[key] = text
    else:
        ignored.append(f"{key}={text}")


def _any_text(text: str) -> bool:
    return bool(text)


def _is_period(text: str) -> bool:
    try:
        Period.parse(text)
    except QueryError:
        return False
    return True


def _is_instant(text: str) -> bool:
    try:
        parse_instant(text)
    except (QueryError, OverflowError):
        return False
    return True


def _is_day(text: str) -> bool:
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        return False
    return True


_READERS: dict[str, Callable[[str], bool]] = {
    "node": _any_text,
    "period": _is_period,
    "grain": lambda text: text in GRAINS,
    "known_at": _is_instant,
    "tree": lambda text: text == AS_WAS or _is_day(text),
    "state": lambda text: text in STATES,
    "lang": lambda text: text in LANGUAGES,
    "theme": lambda text: text in THEMES,
    "pick": _any_text,
    "day": _is_day,
    "show": lambda text: text == SOURCE_ROWS,
}
