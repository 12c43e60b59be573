"""Frozen answers: rows a store can keep, and the proof that the data still gives them.

A frozen figure carries fingerprint and `through_seq`; asked again as known then it must be the same to the last digit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from metrics.model import Answer, Figure
from warehouse.base.money import exact

EXACT = "exact"
FLOAT = "float"
COMPARED = ("value", "numerator", "denominator", "unit", "due", "got", "status", "fingerprint", "through_seq")


@dataclass(frozen=True)
class Frozen:
    """One answer as it is kept: every figure as text that reads back to the same figure."""

    key: tuple[str, ...]
    fields: Mapping[str, str | int | None]


@dataclass(frozen=True)
class Broken:
    """One field of one frozen answer that the data no longer gives."""

    key: tuple[str, ...]
    field: str
    frozen: str | int | None
    found: str | int | None


def freeze(answers: Iterable[Answer]) -> tuple[Frozen, ...]:
    """Turn answers into rows to keep."""
    return tuple(Frozen(key_of(answer), _fields(answer)) for answer in answers)


def key_of(answer: Answer) -> tuple[str, ...]:
    """Return what a frozen answer is found by."""
    return (
        answer.indicator,
        answer.node,
        answer.dim or "",
        answer.dim_value or "",
        answer.period,
        answer.grain,
        answer.tree,
    )


def verify(frozen: Iterable[Frozen], answers: Iterable[Answer]) -> tuple[Broken, ...]:
    """Compare frozen rows with the answers given now as known then; an empty result proves the board."""
    found = {key_of(answer): _fields(answer) for answer in answers}
    broken: list[Broken] = []
    for row in frozen:
        now = found.get(row.key, {})
        broken += [
            Broken(row.key, name, row.fields[name], now.get(name))
            for name in COMPARED
            if row.fields[name] != now.get(name)
        ]
    return tuple(broken)


def figure_text(value: Figure | None) -> str | None:
    """Write a figure so that it reads back the same: plain digits of an exact one, the shortest form of a float."""
    if value is None:
        return None
    return f"{FLOAT}:{value!r}" if isinstance(value, float) else f"{EXACT}:{exact(value)}"


def figure_of(text: str | None) -> Figure | None:
    """Read a figure written by `figure_text`."""
    if text is None:
        return None
    kind, _, digits = text.partition(":")
    return float(digits) if kind == FLOAT else Decimal(digits)


def _fields(answer: Answer) -> dict[str, str | int | None]:
    fields: dict[str, Any] = asdict(answer)
    for name in ("value", "numerator", "denominator"):
        fields[name] = figure_text(fields[name])
    fields["known_at"] = None if answer.known_at is None else answer.known_at.isoformat()
    return fields
