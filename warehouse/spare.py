"""Folders of one reading: where a file is looked at beside the store, and how those of killed readers go.

A reader removes its folder itself; one that was killed cannot. What is a day old belongs to nobody who still reads.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

PREFIX = "cockpit-preview-"
ABANDONED = dt.timedelta(days=1)
"""What nobody claims is let alone for so long: it may be in the making."""


@contextlib.contextmanager
def spare_folder() -> Iterator[Path]:
    """Give a folder for the time of one reading."""
    with tempfile.TemporaryDirectory(prefix=PREFIX) as folder:
        yield Path(folder)


def clear_spare_folders(now: dt.datetime) -> int:
    """Remove our own folders that killed readers left behind; return how many."""
    found = [
        place
        for place in Path(tempfile.gettempdir()).glob(f"{PREFIX}*")
        if not place.is_symlink() and place.is_dir() and is_abandoned(place, now) and place.stat().st_uid == os.getuid()
    ]
    for place in found:
        shutil.rmtree(place, ignore_errors=True)
    return len(found)


def is_abandoned(place: Path, now: dt.datetime) -> bool:
    """Tell whether nothing was written to a place for a day; False when it is just being removed."""
    try:
        return dt.datetime.fromtimestamp(place.lstat().st_mtime, dt.UTC) < now - ABANDONED
    except FileNotFoundError:
        return False
