"""A store in which nothing was handed in yet: made once in a process by the ordinary code, copied for each test.

To make one costs more than most tests do with it. How a store comes to be is shown where it is the question: those
tests make their own.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import tempfile
import uuid
from pathlib import Path

from warehouse.base.clock import Clock
from warehouse.ingest import load
from warehouse.store import STORE_ID, Store

_MADE: dict[tuple[object, ...], tempfile.TemporaryDirectory[str]] = {}


def lay_blank(store: Store, clock: Clock) -> None:
    """Let an empty place hold the folders, the control log and the reference tables of the store's contracts.

    A store that is there stays as it is, and one whose log lies on a server is left to make itself. Every copy has a
    name of its own, as every store has.
    """
    if store.path.exists() or not isinstance(store.log, Path):
        return
    key = (clock(), *store.contracts)
    if key not in _MADE:
        _MADE[key] = _make(store, clock)
    shutil.copytree(Path(_MADE[key].name) / "store", store.path)
    with contextlib.closing(sqlite3.connect(store.log)) as log, log:
        log.execute("UPDATE store_meta SET value = ? WHERE key = ?", (uuid.uuid4().hex, STORE_ID))


def forget_blanks() -> None:
    """Remove what was made: a worker of a run on several ends without doing so by itself."""
    while _MADE:
        _MADE.popitem()[1].cleanup()


def _make(like: Store, clock: Clock) -> tempfile.TemporaryDirectory[str]:
    """Make one by loading a file that is none of ours, and forget what was agreed on for it."""
    folder = tempfile.TemporaryDirectory(prefix="cockpit-blank-")
    store, letter = Store(Path(folder.name) / "store"), Path(folder.name) / "letter.docx"
    letter.touch()
    store.contracts = dict(like.contracts)
    (report,) = load(store, [letter], clock=clock)
    assert report.status == "ignored", report
    store.control.close()
    with contextlib.closing(sqlite3.connect(store.log)) as log, log:
        log.execute("DELETE FROM store_meta WHERE key <> ?", (STORE_ID,))
    return folder
