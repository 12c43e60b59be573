"""Frozen boards: what the leader saw, kept figure by figure, and proved again from the data known then.

A frozen figure carries fingerprint and `through_seq`. Verifying asks the same question at the same moment of knowledge;
any difference is an alarm: either somebody changed history, or a definition changed without a new batch.

Figures that count warnings or refused rows are the exception (`unbatched`): a warning that opens or closes, and a file
refused whole, is dated by the last batch without being one, so what was known at that batch grows afterwards. Of them
only unit, definition and batch are compared, not the amounts.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy.engine import Engine

from metrics.insights.model import Evaluate
from metrics.model import Answer, Catalogue, Figure, Query
from warehouse import operations
from warehouse.base.errors import UnknownName
from warehouse.base.money import exact
from warehouse.base.periods import Grain, month_label
from warehouse.base.scope import Scope
from warehouse.governance import DATASET, UNBATCHED
from warehouse.operations import SnapshotRow, SnapshotValueRow
from warehouse.store import State

GRAINS: tuple[Grain, ...] = ("month", "ytd", "r12")
COMPARED = ("value", "numerator", "denominator", "unit", "due", "got", "status", "fingerprint", "through_seq")

SETTLED = ("unit", "fingerprint", "through_seq")
"""What is compared of a figure that may still move without a batch."""

Key = tuple[str, str, str, str]


@dataclass(frozen=True)
class Board:
    """What is frozen: which figures of which nodes, seen when and by whom."""

    indicators: tuple[str, ...]
    nodes: tuple[str, ...]
    month: int
    known_at: dt.datetime
    scope: Scope
    actor: str
    state: State | None = None
    """Which figures are frozen; without a word those a board shows."""


@dataclass(frozen=True)
class Difference:
    """One frozen figure that is not proved by the data."""

    snapshot_id: str
    indicator: str
    node: str
    period: str
    grain: str
    field: str
    frozen: str
    found: str


def board_indicators(catalogue: Catalogue) -> tuple[str, ...]:
    """Return the indicators of the board: every one that has a block of its own."""
    return tuple(indicator.id for indicator in catalogue.written)


def unbatched(catalogue: Catalogue) -> frozenset[str]:
    """Return the indicators whose amounts change without a batch: what governance tells of warnings and refused rows."""
    kinds = tuple(f"'{kind}'" for kind in UNBATCHED)
    atoms = {
        name
        for name, atom in catalogue.atoms.items()
        for part in atom.parts
        if catalogue.sources[part.of].of == DATASET and any(kind in (part.where or "") for kind in kinds)
    }
    return frozenset(
        name for name, one in catalogue.indicators.items() if any(atoms & {*version.atoms} for version in one.versions)
    )


def take(
    evaluate: Evaluate, board: Board, kind: str, day: str, taken_at: dt.datetime, through_seq: int
) -> tuple[SnapshotRow, tuple[SnapshotValueRow, ...]]:
    """Freeze a board; its id says what it is of and when."""
    snapshot_id = f"{kind}-{day}-{taken_at:%Y%m%dT%H%M%S}"
    answers = tuple(_answers(evaluate, board))
    values = tuple(frozen(snapshot_id, answer) for answer in answers)
    head = SnapshotRow(
        snapshot_id,
        kind,
        day,
        taken_at,
        board.known_at,
        through_seq,
        month_label(board.month),
        len(values),
        board.actor,
        answers[0].state if answers else "reported",
    )
    return head, values


def _answers(evaluate: Evaluate, board: Board) -> Iterator[Answer]:
    for grain in GRAINS:
        yield from evaluate(
            Query(
                indicators=board.indicators,
                nodes=board.nodes,
                period_from=month_label(board.month),
                period_to=month_label(board.month),
                grain=grain,
                known_at=board.known_at,
                scope=board.scope,
                actor=board.actor,
                state=board.state,
            )
        )


def frozen(snapshot_id: str, answer: Answer) -> SnapshotValueRow:
    """Return an answer as it is kept: exact figures as plain digits, ratios by their shortest text."""
    return SnapshotValueRow(
        snapshot_id=snapshot_id,
        indicator=answer.indicator,
        node=answer.node,
        period=answer.period,
        grain=answer.grain,
        value=_text(answer.value),
        numerator=_text(answer.numerator),
        denominator=_text(answer.denominator),
        unit=answer.unit,
        due=answer.due,
        got=answer.got,
        status=answer.status,
        fingerprint=answer.fingerprint,
        through_seq=answer.through_seq,
    )


def _text(figure: Figure | None) -> str | None:
    if figure is None:
        return None
    return exact(figure) if isinstance(figure, Decimal | int) else repr(figure)


def verify(
    evaluate: Evaluate, head: SnapshotRow, values: Sequence[SnapshotValueRow], scope: Scope, actor: str,
    moving: Collection[str] = (),
) -> tuple[Difference, ...]:  # fmt: skip
    """Ask again what was frozen, as known then, and return every difference; of `moving` ones none in amounts."""
    kept = {_key(row): row for row in values}
    found = {_key(row): row for row in _asked_again(evaluate, head, values, scope, actor)}
    return tuple(
        difference
        for key in sorted(kept.keys() | found.keys())
        for difference in _compare(
            head.snapshot_id, key, kept.get(key), found.get(key), SETTLED if key[0] in moving else COMPARED
        )
    )


def _asked_again(
    evaluate: Evaluate, head: SnapshotRow, values: Iterable[SnapshotValueRow], scope: Scope, actor: str
) -> list[SnapshotValueRow]:
    rows = list(values)
    board = Board(
        indicators=tuple(sorted({row.indicator for row in rows})),
        nodes=tuple(sorted({row.node for row in rows})),
        month=int(head.period[:4]) * 12 + int(head.period[5:7]) - 1,
        known_at=head.known_at,
        scope=scope,
        actor=actor,
        state="reviewed" if head.state == "reviewed" else "reported",
    )
    return [frozen(head.snapshot_id, answer) for answer in _answers(evaluate, board)] if rows else []


def _key(row: SnapshotValueRow) -> Key:
    return row.indicator, row.node, row.period, row.grain


def _compare(
    snapshot_id: str, key: Key, kept: SnapshotValueRow | None, found: SnapshotValueRow | None, fields: Sequence[str]
) -> Iterator[Difference]:
    if kept is None or found is None:
        yield Difference(snapshot_id, *key, "row", _there(kept), _there(found))
        return
    for name in fields:
        before, after = getattr(kept, name), getattr(found, name)
        if before != after:
            yield Difference(snapshot_id, *key, name, str(before), str(after))


def _there(row: SnapshotValueRow | None) -> str:
    return "absent" if row is None else "present"


def verify_stored(
    engine: Engine, evaluate: Evaluate, scope: Scope, actor: str, ids: Collection[str] = (),
    moving: Collection[str] = (),
) -> dict[str, tuple[Difference, ...]]:  # fmt: skip
    """Verify the named snapshots, or all of them; what differs stands under each one's id.

    `moving` names the indicators whose amounts are not compared: those of `unbatched`.
    """
    heads = {head.snapshot_id: head for head in operations.snapshots(engine)}
    for name in ids:
        if name not in heads:
            raise UnknownName("snapshot", name, heads)
    return {
        name: verify(evaluate, head, operations.snapshot_values(engine, name), scope, actor, moving)
        for name, head in heads.items()
        if not ids or name in ids
    }
