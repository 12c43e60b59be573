"""The dated parameters of folding: when night is, what a spike is, how long a silence may be bridged."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

DEFAULTS = {
    "night_from_hour": Decimal(23),
    "night_to_hour": Decimal(6),
    "spike_factor": Decimal(10),
    "bridge_hours": Decimal(24),
    "gps_gap_minutes": Decimal(10),
    "gps_jitter_m": Decimal(30),
    "gps_top_kmh": Decimal(180),
    "trip_stop_minutes": Decimal(15),
}
"""What holds where the store's table of fold rules says nothing; the shipped table says the same, with its evidence."""


@dataclass(frozen=True)
class FoldRules:
    """Values of the fold rules by name, each from a day on, oldest first."""

    dated: Mapping[str, tuple[tuple[dt.date, Decimal], ...]] = field(default_factory=dict)

    def on(self, name: str, day: dt.date) -> Decimal:
        """Return the value of a rule on a local day."""
        found = [value for start, value in self.dated.get(name, ()) if start <= day]
        return found[-1] if found else DEFAULTS[name]

    def night(self, day: dt.date) -> tuple[int, int]:
        """Return the local hours night begins and ends at; it runs over midnight where the first is the later."""
        return int(self.on("night_from_hour", day)), int(self.on("night_to_hour", day))


def rules_of(rows: Iterable[tuple[str, dt.date, Decimal]]) -> FoldRules:
    """Return the rules of some (name, valid from, value) rows."""
    found: dict[str, list[tuple[dt.date, Decimal]]] = {}
    for name, start, value in rows:
        found.setdefault(name, []).append((start, value))
    return FoldRules({name: tuple(sorted(values)) for name, values in found.items()})
