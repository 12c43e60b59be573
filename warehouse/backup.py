"""Backup while serving, and restore with every hash checked."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from warehouse.base.errors import StoreError
from warehouse.control import Control
from warehouse.durable import settle, sha256_of
from warehouse.live.backing import back_up_readings, bring_back_readings
from warehouse.live.passing_files import passing_files
from warehouse.schema import bring_forward
from warehouse.store import FOLDERS, STORE_ID, Store
from warehouse.transfer import copy_log
from warehouse.whereabouts import LOG, claim

_SHA = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class BackupReport:
    """What a backup or restore moved."""

    folder: str
    through_seq: int
    segments: int
    received_files: int
    bytes: int


def backup(store: Store, target: Path) -> BackupReport:
    """Copy the store to a folder without stopping it: the control log as of one moment, then every segment it names.

    Segments and received files never change, so a second backup into the same folder only adds what is new and
    mends what was damaged. The copied log takes its name last: until then the folder is the backup it was before.
    """
    _refuse_foreign(store, target)
    target.mkdir(parents=True, exist_ok=True)
    log = _copy_control(store, target)
    copied = Control(log)
    size = 0
    segments = copied.segments()
    for segment in segments:
        size += _bring(store.segments / segment.path, target / "seg" / segment.path, segment.sha256)
    # what came in after the log was copied is not spoken of in it, and does no harm
    passing = passing_files(store)
    kept = [file for file in _received(store.inbox) if file.name not in passing]
    for file in kept:
        size += _bring(file, target / "inbox" / file.name, file.name)
    size += _copy_definitions(store.path, target)
    size += back_up_readings(store.path, target)
    last, _ = copied.last()
    copied.close()
    settle(log, target / LOG)
    _drop_replaced(target / "seg", {segment.path for segment in segments})
    return BackupReport(str(target), last, len(segments), len(kept), size)


def _drop_replaced(folder: Path, named: set[str]) -> None:
    """Remove what an earlier backup into the folder needed and this one does not: a rebase has replaced it."""
    for file in folder.glob("*/*"):
        if str(file.relative_to(folder)) not in named:
            file.unlink()


def _refuse_foreign(store: Store, target: Path) -> None:
    """A folder takes backups of one store only, and never lies in a store that is in use."""
    before = Store(target)
    if not before.exists:
        return
    if before.generations.exists():
        raise StoreError(f"{target} is a store in use, not a backup.", "name another folder")
    ours, theirs = store.control.meta().get(STORE_ID), before.control.meta().get(STORE_ID)
    known, saved = _batches(store), _batches(before)
    before.control.close()
    if (theirs is not None and theirs != ours) or known[: len(saved)] != saved:
        raise StoreError(f"{target} holds the backup of another store.", "name another folder")


def _batches(store: Store) -> list[tuple[object, ...]]:
    return [(row["batch_seq"], row["file_sha"], row["committed_at"]) for row in store.control.batches()]


def _copy_control(store: Store, target: Path) -> Path:
    """Copy the control log as it is at one moment, while others read and write it; without replaced segments.

    A log on a server leaves it as a log in SQLite, which comes back into either kind.
    """
    temporary = target / f"{LOG}.tmp"
    temporary.unlink(missing_ok=True)
    place = store.control.place
    if isinstance(place, Path):
        _copy_file(place, temporary)
    else:
        saved = Control(temporary)
        bring_forward(saved.engine)
        copy_log(store.control.engine, saved.engine)
        saved.close()
    with contextlib.closing(sqlite3.connect(temporary)) as copy:
        copy.execute("PRAGMA journal_mode=DELETE")
        with copy:
            copy.execute("DELETE FROM segment WHERE valid_to_seq IS NOT NULL")
    return temporary


def _copy_file(log: Path, target: Path) -> None:
    with contextlib.closing(sqlite3.connect(log)) as source, contextlib.closing(sqlite3.connect(target)) as copy, copy:
        source.backup(copy)


def _received(folder: Path) -> list[Path]:
    """Return the received files; each is named by its hash."""
    return sorted(file for file in folder.glob("*") if _SHA.fullmatch(file.name))


def _bring(source: Path, target: Path, sha: str) -> int:
    """Hard-link where the disk allows, else copy; what stands there with other bytes is replaced."""
    if not target.exists() or sha256_of(target) != sha:
        if not source.exists() or sha256_of(source) != sha:
            raise StoreError(f"{source} is missing or changed.", "restore the store from an earlier backup")
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f"{target.name}.tmp")
        temporary.unlink(missing_ok=True)
        try:
            os.link(source, temporary)
        except OSError:
            shutil.copyfile(source, temporary)
        settle(temporary, target)
    return target.stat().st_size


def restore(source: Path, store: Store) -> BackupReport:
    """Rebuild a store from a backup folder into an empty place; every hash must match.

    The control log comes last: until it is there, there is no store, and restore can be run again.
    """
    if not (source / LOG).exists():
        raise StoreError(f"{source} is not a backup: it holds no control.sqlite.", "name the folder given to backup")
    if store.exists and not _is_bare(store):
        raise StoreError(f"{store.path} already holds a store.", "restore into an empty folder")
    saved = Store(source)
    segments, kept = saved.control.segments(), _received(source / "inbox")
    wrong = _damaged(saved)
    if wrong:
        raise StoreError(f"The backup is damaged: {', '.join(wrong)} missing or changed.", "use another backup")
    for name in FOLDERS:
        (store.path / name).mkdir(parents=True, exist_ok=True)
    _claim(saved, store)
    size = 0
    for segment in segments:
        size += _place(source / "seg" / segment.path, store.segments / segment.path)
    for file in kept:
        _place(file, store.inbox / file.name)
    _copy_definitions(source, store.path)
    bring_back_readings(source, store.path)
    _bring_log(saved, store)
    saved.control.close()
    last, _ = store.control.last()
    return BackupReport(str(store.path), last, len(segments), len(kept), size)


def _copy_definitions(source: Path, target: Path) -> int:
    """Copy what every publish was defined by, and a bureau's own definitions; neither can be made anew."""
    files = [*(source / "catalogues").glob("*.json"), *(source / "definitions").glob("*.toml")]
    return sum(_place(file, target / file.relative_to(source)) for file in files)


def _is_bare(store: Store) -> bool:
    """Tell whether a restore onto a server was broken off before the log was there: then it may go on."""
    return not isinstance(store.log, Path) and not store.has_batches()


def _claim(saved: Store, store: Store) -> None:
    """Before anything is copied: the schema that shall hold the log is this folder's from now on."""
    place = store.log
    if not isinstance(place, Path):
        with contextlib.closing(Control(place)) as control:
            claim(store.path, place, control, has_data=False, store_id=saved.control.meta().get(STORE_ID))


def _bring_log(saved: Store, store: Store) -> None:
    """Put the log in place: as a file, or as the rows of a schema that is empty."""
    if isinstance(store.log, Path):
        _place(saved.path / LOG, store.log)
    else:
        copy_log(saved.control.engine, store.control.engine)


def _damaged(saved: Store) -> list[str]:
    """Return the segments and received files that are missing or hold other bytes than they should."""
    files = {f"seg/{segment.path}": segment.sha256 for segment in saved.control.segments()}
    files |= {f"inbox/{row['file_sha']}": row["file_sha"] for row in saved.control.batches() if row["file_sha"]}
    files |= {f"inbox/{file.name}": file.name for file in _received(saved.inbox)}
    return [
        name for name, sha in files.items() if not (saved.path / name).exists() or sha256_of(saved.path / name) != sha
    ]


def _place(source: Path, target: Path) -> int:
    """Copy a file so that it is there whole or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f"{target.name}.tmp")
    shutil.copyfile(source, temporary)
    settle(temporary, target)
    return target.stat().st_size
