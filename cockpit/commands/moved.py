"""What a batch moved, as the command line shows it: by `withdraw` for its own batch, by `diff --batch` for any."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cockpit.commands.common import err, in_currency, print_table
from metrics.model import Catalogue
from metrics.moves import Span, moves
from warehouse.base.scope import Scope
from warehouse.store import Generation, State

MOST_LINES = 40
COLUMNS = (
    "indicator",
    "place",
    "node",
    "node_name",
    "period",
    "old",
    "new",
    "change",
    "unit",
    "old_status",
    "new_status",
)


def batch_moves(
    generation: Generation,
    catalogue: Catalogue,
    batch_seq: int,
    *,
    actor: str,
    indicators: Sequence[str] = (),
    span: Span | None = None,
    state: State | None = None,
) -> list[dict[str, Any]]:
    """Return what a batch moved as plain rows, top movers first, units in the store's currency."""
    found = moves(
        generation, catalogue, batch_seq, scope=Scope.everything(), actor=actor, indicators=indicators, span=span,
        state=state,
    )  # fmt: skip
    return in_currency([move.as_json() for move in found], generation.meta)


def print_moves(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print the first lines for people, and say how many more there are."""
    if not rows:
        print("没有指标变动。 No indicator moved.")
        return
    print_table(rows[:MOST_LINES], COLUMNS)
    if len(rows) > MOST_LINES:
        rest = len(rows) - MOST_LINES
        err.print(f"另有 {rest} 行，用 --json 查看全部。 {rest} more lines; --json shows all.", markup=False)
