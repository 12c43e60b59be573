"""Commands that save a store and bring it back: backup, restore, the drill, rebuild."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cockpit import pipeline
from cockpit.commands.common import StoreOption, print_json, progress, store_at
from cockpit.upkeep import differing_tables, drill_backup
from warehouse import backup as backups
from warehouse.drill import Drill, keep_sums, published_sums
from warehouse.replay import replay, unlike
from warehouse.store import Store


def backup(
    folder: Path,
    store: StoreOption = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Restore it into a temporary folder at once and compare the figures.")
    ] = False,
) -> None:
    """Copy the store while it is served and written; a second backup into the folder adds what is new."""
    place = store_at(store)
    sums = published_sums(place)
    report = backups.backup(place, folder)
    keep_sums(folder, sums)
    if not verify:
        print_json(report.__dict__)
        return
    done = drill_backup(folder, progress=progress)
    print_json({**report.__dict__, "drill": done.as_json()})
    raise typer.Exit(_told(done))


def restore(
    folder: Path,
    store: StoreOption = None,
    drill: Annotated[
        bool, typer.Option("--drill", help="Only try: into a temporary folder, compare the figures, remove it again.")
    ] = False,
) -> None:
    """Bring a backup back into an empty place, check every hash and publish."""
    if drill:
        done = drill_backup(folder, progress=progress)
        print_json(done.as_json())
        raise typer.Exit(_told(done))
    place = store_at(store)
    report = backups.restore(folder, place)
    pipeline.rebuild(place, progress=progress)
    print_json(report.__dict__)


def _told(done: Drill) -> int:
    if done.different:
        typer.echo(
            f"恢复演练：{len(done.different)} 张表与备份时发布的不同：{'、'.join(done.different)}。\n"
            f"Drill: {len(done.different)} tables differ from what was published: {', '.join(done.different)}.",
            err=True,
        )
        return 1
    typer.echo(
        f"恢复演练通过：每个文件的校验值相符，重建成功，{done.tables} 张表与备份时发布的一致。\n"
        f"Drill passed: every file has its hash, the figures were built anew, {done.tables} tables equal what was published.",
        err=True,
    )
    return 0


def rebuild(
    store: StoreOption = None,
    from_inbox: Annotated[
        Path | None,
        typer.Option("--from-inbox", help="Make a new store in this folder by reading every received file again."),
    ] = None,
) -> None:
    """Build the projection anew from the segments and publish it."""
    place = store_at(store)
    if from_inbox is None:
        number = pipeline.rebuild(place, progress=progress)
        print_json({"generation": number, "through_seq": place.control.last()[0]})
        return
    new = Store(from_inbox)
    done = replay(place, new, progress=progress)
    pipeline.rebuild(new, progress=progress)
    different = differing_tables(place, new)
    print_json({**done.as_json(), "different_tables": different})
    raise typer.Exit(1 if unlike(done.remarks) or different else 0)
