"""What a store stands on: folders, rights, room on the disk, and what interrupted work left behind."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from warehouse.base.errors import ServerError
from warehouse.control import Control
from warehouse.health.finding import Finding, finding
from warehouse.postgres import Address
from warehouse.store import FOLDERS, Store
from warehouse.turns import WRITER
from warehouse.whereabouts import LOG, POINTER

SPARE = 256 << 20
"""Room beside a publish: a load's own files and the log."""
_MEGA = 1 << 20


def check_surroundings(store: Store) -> Iterator[Finding]:
    """Check folders, rights, room and leftovers."""
    yield from _folders(store)
    yield from _rights(store)
    yield from _room(store)
    with at_rest(store) as is_quiet:  # a writer's temporary files are no leftovers
        leftovers = tuple(_leftovers(store)) if is_quiet else ()
    yield from leftovers


@contextlib.contextmanager
def at_rest(store: Store) -> Iterator[bool]:
    """Keep writers waiting for the length of a look and give True; give False when one is at work."""
    if not store.lock.exists() or not os.access(store.lock, os.W_OK):
        yield True
        return
    with store.lock.open("r+b") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_quiet = True
        except BlockingIOError:
            is_quiet = False
        with _nobody_elsewhere(store) if is_quiet else contextlib.nullcontext(False) as is_alone:
            yield is_alone


@contextlib.contextmanager
def _nobody_elsewhere(store: Store) -> Iterator[bool]:
    """Keep writers of other machines waiting too; where the log does not answer, nobody knows of them."""
    place = store.log
    with contextlib.ExitStack() as held:
        is_alone = True
        if isinstance(place, Address):
            control = held.enter_context(contextlib.closing(Control(place)))
            try:
                is_alone = held.enter_context(control.turns.hold(WRITER))
            except ServerError:
                is_alone = False
        yield is_alone


def _folders(store: Store) -> Iterator[Finding]:
    for name in FOLDERS:
        if not (store.path / name).is_dir():
            yield finding("folder_missing", store.path / name)


def _rights(store: Store) -> Iterator[Finding]:
    for place in (store.path, *(store.path / name for name in (*FOLDERS, LOG, POINTER))):
        if not place.exists():
            continue
        needed = os.R_OK | os.W_OK | (os.X_OK if place.is_dir() else 0)
        if not os.access(place, needed):
            yield finding("no_access", place)
        mode = place.stat().st_mode
        if mode & 0o002:
            yield finding("open_to_all", place, f"{mode & 0o777:o}")


def _room(store: Store) -> Iterator[Finding]:
    largest = max((_size(file) for file in store.generations.glob("*.duckdb")), default=0)
    needed, free = 2 * largest + SPARE, shutil.disk_usage(store.path).free
    if free < needed:
        yield finding("disk_low", store.path, f"{free // _MEGA} MB", f"{needed // _MEGA} MB")


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:  # removed since it was listed
        return 0


def _leftovers(store: Store) -> Iterator[Finding]:
    places: tuple[Iterator[Path], ...] = (
        store.tmp.glob("*"), store.inbox.glob("*.tmp"), store.generations.glob("*.tmp*"), store.path.glob("*.tmp"),
    )  # fmt: skip
    for file in sorted(file for found in places for file in found):
        with contextlib.suppress(FileNotFoundError):
            yield finding("leftover", file, file.stat().st_size)
