"""Commands on batches that were committed: list them, withdraw one."""

from __future__ import annotations

from typing import Annotated

import typer

from cockpit import pipeline
from cockpit.commands.common import JsonOption, StoreOption, print_json, print_table, progress, store_at

COLUMNS = (
    "batch_seq", "kind", "dataset", "file_name", "recorded_at", "rows_in", "accepted", "quarantined", "removed",
    "withdraws", "why",
)  # fmt: skip


def batches(store: StoreOption = None, json_: JsonOption = False) -> None:
    """List the committed batches, oldest first."""
    rows = store_at(store).control.batches()
    if json_:
        print_json(rows)
    else:
        print_table(rows, COLUMNS)


def withdraw(
    seq: Annotated[int, typer.Argument(help="Number of the batch, as `cockpit batches` lists it.", metavar="SEQ")],
    why: Annotated[str, typer.Option("--why", help="The reason; it is kept and shown.")] = "",
    store: StoreOption = None,
    actor: Annotated[str, typer.Option(help="Who withdraws it.")] = "local",
    json_: JsonOption = False,
) -> None:
    """Take back what is still live of a batch by a new batch, publish, and tell what that moved."""
    from cockpit.commands.moved import batch_moves, print_moves
    from metrics.standing import standing

    place = store_at(store)
    done = pipeline.withdraw_and_publish(place, seq, why=why, actor=actor, progress=progress)
    generation = place.open_generation(memory="1GB", threads=2)
    moved = batch_moves(generation, standing(place).catalogue, done.batch_seq, actor=actor)
    if json_:
        print_json({**done.as_json(), "moved": moved})
        return
    print(f"{done.message['zh']}\n{done.message['en']}")
    print_moves(moved)
