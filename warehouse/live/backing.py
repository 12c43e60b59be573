"""Pushed readings in a backup: what waits and what is kept by day go along, so that a restored store folds on.

Positions do not: a copy of them would outlive their time. How far the fold had come is left behind on purpose: a restored
store folds everything once more, which changes nothing that the log already knew.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from warehouse.durable import settle

KINDS = ("reading",)


def back_up_readings(store: Path, target: Path) -> int:
    """Bring the waiting and kept readings of a backup up to date; what was dropped in time leaves it too."""
    size = 0
    for kind in KINDS:
        size += _mirror(store / "push" / kind, target / "push" / kind, "*.ndjson")
        size += _mirror(store / "raw" / kind, target / "raw" / kind, "*/*.parquet")
        size += _mirror(store / "raw" / kind, target / "raw" / kind, "closed_before")
    return size


def bring_back_readings(source: Path, store: Path) -> None:
    """Place the readings of a backup into a restored store."""
    back_up_readings(source, store)


def _mirror(source: Path, target: Path, pattern: str) -> int:
    size = 0
    wanted = {file.relative_to(source) for file in source.glob(pattern)} if source.is_dir() else set()
    for file in target.glob(pattern) if target.is_dir() else ():
        if file.relative_to(target) not in wanted:
            file.unlink()
    for name in sorted(wanted):
        size += _bring(source / name, target / name)
    return size


def _bring(source: Path, target: Path) -> int:
    """Copy one file whole; one that was joined or dropped meanwhile is in the others, or had its time."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f"{target.name}.tmp")
    try:
        shutil.copyfile(source, temporary)
    except FileNotFoundError:
        return 0
    settle(temporary, target)
    return target.stat().st_size
