"""One measured line: a ratio to a probe of the same run, and the limit it must keep."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """What was measured; `limit` None is for the record only."""

    name: str
    value: float
    limit: float | None = None
    unit: str = "×"
    at_least: bool = False

    @property
    def holds(self) -> bool:
        """Tell whether the limit is kept."""
        if self.limit is None:
            return True
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def text(self) -> str:
        """Return the line as printed."""
        sign = "≥" if self.at_least else "≤"
        limit = "" if self.limit is None else f"  (limit {sign} {self.limit:g})"
        return f"{'ok  ' if self.holds else 'MISS'}  {self.value:8.3f} {self.unit}  {self.name}{limit}"
