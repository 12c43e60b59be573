"""What a difference between two moments comes from: data, the organisation tree, or definitions that changed.

The figure of then is computed once more by the definitions of later: what that moves is the definitions' part. The rest
came by batches; those of the organisation register are the tree's part, all others the data's. The parts add up to the
difference; for a ratio the data are taken first, then the tree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from metrics.model import Answer, Figure


class Moving(Protocol):
    """What one batch moved, in base units."""

    @property
    def numerator(self) -> Decimal: ...

    @property
    def denominator(self) -> Decimal | None: ...

    @property
    def is_tree(self) -> bool: ...


@dataclass(frozen=True)
class Parts:
    """The parts of one difference, in the declared unit; None where they cannot be told or the unit became another."""

    definitions: Figure | None = None
    data: Figure | None = None
    tree: Figure | None = None


def parts_of(old: Answer, restated: Answer, new: Answer, batches: Sequence[Moving], scale: int) -> Parts:
    """Return the parts of a difference; `restated` is the figure of then by the definitions of later."""
    definitions = _less(restated, old)
    moved = _less(new, restated)
    if moved is None:
        return Parts(definitions)
    trees = [batch for batch in batches if batch.is_tree]
    if not trees:
        return Parts(definitions, moved, _nothing(moved))
    if len(trees) == len(batches):
        return Parts(definitions, _nothing(moved), moved)
    data = _data(restated, new, batches, scale)
    if data is None:
        return Parts(definitions)
    return Parts(definitions, data, _minus(moved, data))


def _data(restated: Answer, new: Answer, batches: Sequence[Moving], scale: int) -> Figure | None:
    """Return what the batches of data moved by themselves; None where the batches do not add up to the difference."""
    sides = []
    for name in ("numerator", "denominator"):
        before, after = getattr(restated, name), getattr(new, name)
        if before is None and after is None:
            continue
        moves = [getattr(batch, name) or Decimal(0) for batch in batches]
        if not _is_exact(before) or not _is_exact(after) or Decimal(before) + sum(moves) != Decimal(after):
            return None
        sides.append(
            Decimal(before) + sum((m for m, b in zip(moves, batches, strict=True) if not b.is_tree), Decimal(0))
        )
    if len(sides) == 1 and isinstance(restated.value, Decimal | int):
        return sides[0].scaleb(scale) - Decimal(restated.value)
    if len(sides) == 2 and sides[1] and isinstance(restated.value, float):
        return float(sides[0]) / float(sides[1]) * 10.0**scale - restated.value
    return None


def _is_exact(figure: object) -> bool:
    return isinstance(figure, Decimal | int)


def _less(one: Answer, other: Answer) -> Figure | None:
    if one.value is None or other.value is None or one.unit != other.unit:
        return None
    return _minus(one.value, other.value)


def _minus(one: Figure, other: Figure) -> Figure:
    if isinstance(one, float) or isinstance(other, float):
        return float(one) - float(other)
    return one - other


def _nothing(like: Figure) -> Figure:
    return 0.0 if isinstance(like, float) else Decimal(0)
