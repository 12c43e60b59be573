"""What every question on the command line has: its moment, its state, its caliber, its nodes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Annotated

import typer

from metrics.model import CALIBERS, Caliber
from warehouse.base.clock import parse_instant, system_clock
from warehouse.base.errors import QueryError, suggest
from warehouse.store import STATES, Generation, State

KnownAtOption = Annotated[
    str | None, typer.Option("--known-at", help="As known then: a date (its end) or an instant; default now.")
]


def moment_of(text: str | None, zone: str) -> dt.datetime | None:
    """Return the asked moment of knowledge; a future one is refused."""
    if text is None:
        return None
    moment = parse_instant(text, zone)
    end_of_today = parse_instant(system_clock().date().isoformat(), zone)
    if moment > max(end_of_today, system_clock()):
        raise QueryError(f"'{text}' lies in the future; nothing is known then.", "ask for today or an earlier day")
    return min(moment, system_clock())


StateOption = Annotated[
    str | None,
    typer.Option("--state", help="reviewed or reported; default reviewed where the store works with review."),
]


def state_of(text: str | None) -> State | None:
    """Return the asked state of the figures."""
    for state in STATES:
        if state == text:
            return state
    if text is not None:
        raise QueryError(f"'{text}' is no state of a figure.", f"use {' or '.join(STATES)}")
    return None


CaliberOption = Annotated[
    str,
    typer.Option(
        "--caliber", help="monitor (监测口径: ledgers, meters) or survey (统计口径); also finance, published."
    ),
]


def caliber_of(text: str) -> Caliber:
    """Return the asked caliber."""
    for caliber in CALIBERS:
        if caliber == text:
            return caliber
    near = suggest(text, CALIBERS)
    raise QueryError(
        f"'{text}' is no caliber.", f"did you mean '{near[0]}'?" if near else f"use one of {', '.join(CALIBERS)}"
    )


def nodes_of(generation: Generation, asked: Sequence[str], seq: int | None = None) -> tuple[str, ...]:
    """Return node codes for codes or names, aliases as known at a batch; without any, the root."""
    from metrics.knowledge import knowledge
    from metrics.nodes import find_node, root_node

    register = knowledge(generation).register
    at = generation.through_seq if seq is None else seq
    return tuple(find_node(register, text, at) for text in asked) or (root_node(register, generation.through_seq),)
