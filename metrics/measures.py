"""Units with their algebra: what a text such as `L/100km` measures, and in which size.

The table of units is `units.toml`. A measure is a product of powers of what is measured and the size of one of it in the
first units of the table, kept as a fraction: `L/100km` is volume ÷ length and 1/1000 ÷ 100.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, lru_cache
from importlib import resources

from warehouse.base.errors import suggest

_WORDS = {"百": 100, "千": 1000, "万": 10_000, "亿": 100_000_000}
_NUMBER = re.compile(r"^(\d+)(?=\D)")


class BadUnit(ValueError):
    """A unit is not in the table, or its text cannot be read."""


@dataclass(frozen=True)
class Measure:
    """What is measured, as powers by name, and the size of one of it."""

    powers: tuple[tuple[str, int], ...] = ()
    size: Fraction = Fraction(1)

    def times(self, other: Measure, power: int = 1) -> Measure:
        """Return the product with another measure, or with its inverse."""
        found = dict(self.powers)
        for name, exponent in other.powers:
            found[name] = found.get(name, 0) + exponent * power
        kept = tuple(sorted((name, exponent) for name, exponent in found.items() if exponent))
        return Measure(kept, self.size * other.size**power)

    def is_like(self, other: Measure) -> bool:
        """Tell whether both measure the same, in whatever size."""
        return self.powers == other.powers

    @property
    def text(self) -> str:
        """What is measured, in the first units of the table."""
        first = {kind: next(iter(units)) for kind, units in table().items()}
        above = [first[name] + (f"^{power}" if power > 1 else "") for name, power in self.powers if power > 0]
        below = [first[name] + (f"^{-power}" if power < -1 else "") for name, power in self.powers if power < 0]
        text = "·".join(above) or "1"
        return text if not below else f"{text}/{below[0]}" if len(below) == 1 else f"{text}/({'·'.join(below)})"


@cache
def table() -> Mapping[str, Mapping[str, Fraction]]:
    """Read the table of units: kind → symbol → size."""
    text = (resources.files("metrics") / "units.toml").read_text(encoding="utf-8")
    return {kind: {name: Fraction(size) for name, size in units.items()} for kind, units in tomllib.loads(text).items()}


@cache
def _symbols() -> Mapping[str, tuple[str, Fraction]]:
    return {name: (kind, size) for kind, units in table().items() for name, size in units.items()}


@lru_cache(maxsize=1024)
def read_unit(text: str) -> Measure:
    """Read the text of a unit; BadUnit names the symbol nobody knows and the nearest one."""
    above, *below = text.replace(" ", "").split("/")
    if len(below) > 1:
        raise BadUnit(f"'{text}' has two strokes; write a/(b·c)")
    found = _product(above, text)
    for part in below:
        found = found.times(_product(part.removeprefix("(").removesuffix(")"), text), -1)
    return found


def _product(text: str, whole: str) -> Measure:
    found = Measure()
    for part in text.split("·"):
        found = found.times(_symbol(part, whole))
    return found


def _symbol(text: str, whole: str) -> Measure:
    known = _symbols()
    if text in known:
        kind, size = known[text]
        return Measure(() if kind == "number" else ((kind, 1),), size)
    number = _NUMBER.match(text)
    if number:
        return Measure((), Fraction(int(number[1]))).times(_symbol(text[number.end() :], whole))
    if text[:1] in _WORDS and len(text) > 1:
        return Measure((), Fraction(_WORDS[text[0]])).times(_symbol(text[1:], whole))
    near = suggest(text, known)
    hint = f"did you mean '{near[0]}'?" if near else "add it to metrics/units.toml with what it measures"
    raise BadUnit(f"there is no unit '{text}'" + (f" in '{whole}'" if text != whole else "") + f"; {hint}")
