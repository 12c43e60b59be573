"""Commands that keep a store over the years: compact it."""

from __future__ import annotations

from typing import Annotated

import typer

from cockpit.commands.common import JsonOption, StoreOption, print_json, print_table, progress, store_at
from cockpit.settings import Settings
from cockpit.upkeep import keep_up, policy_of
from warehouse.compaction import plan

_MEGA = 1 << 20


def compact(
    store: StoreOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be rebased.")] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Rebase every dataset, not only those that have grown beyond the settings.")
    ] = False,
    json_: JsonOption = False,
) -> None:
    """Make one history of many small segments, publish from it, and remove what it replaced when its days are over.

    Every board of every past day stays as it is.
    """
    place, policy = store_at(store), policy_of(Settings())
    if dry_run:
        rows = [
            {"dataset": work.dataset, "segments": len(work.replaces), "rows": work.rows, "bytes": work.bytes}
            for work in plan(place, policy, everything=everything)
        ]
        print_json(rows) if json_ else print_table(rows, ("dataset", "segments", "rows", "bytes"))
        return
    done = keep_up(place, policy, everything=everything, progress=progress)
    if json_:
        print_json(done.as_json())
        return
    for one in done.rebased:
        print(
            f"{one.dataset}: {one.segments_before} → {one.segments_after} segments, "
            f"{one.bytes_before / _MEGA:.1f} → {one.bytes_after / _MEGA:.1f} MiB"
        )
    print(
        f"已合并 {len(done.rebased)} 个数据集，移除旧段 {done.removed.segments} 个，另有 {done.removed.waiting} 个待保留期满。\n"
        f"{len(done.rebased)} datasets rebased, {done.removed.segments} replaced segments removed, "
        f"{done.removed.waiting} wait until their days are over."
    )
