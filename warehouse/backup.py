"""Backup while serving, restore with every hash checked, and rebuild of the projection."""

from __future__ import annotations

import os
import shutil
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from warehouse.base.errors import StoreError
from warehouse.durable import flush_file, sha256_of
from warehouse.store import FOLDERS, Store


@dataclass(frozen=True)
class BackupReport:
    """What a backup or restore moved."""

    folder: str
    through_seq: int
    segments: int
    received_files: int
    bytes: int


def backup(store: Store, target: Path) -> BackupReport:
    """Copy the store to a folder without stopping it: control log first, then every segment it names.

    Segments and received files never change, so a second backup into the same folder only adds.
    """
    target.mkdir(parents=True, exist_ok=True)
    source = sqlite3.connect(store.control.path)
    copy = sqlite3.connect(target / "control.sqlite.tmp")
    with copy:
        source.backup(copy)
    copy.close()
    source.close()
    (target / "control.sqlite.tmp").replace(target / "control.sqlite")
    saved = Store(target)
    size = 0
    segments = saved.control.segments()
    for segment in segments:
        size += _bring(store.segments / segment.path, target / "seg" / segment.path)
    kept = sorted(store.inbox.glob("[0-9a-f]*"))
    for file in kept:
        size += _bring(file, target / "inbox" / file.name)
    last, _ = saved.control.last()
    saved.control.close()
    flush_file(target)
    return BackupReport(str(target), last, len(segments), len(kept), size)


def _bring(source: Path, target: Path) -> int:
    """Hard-link where the disk allows, else copy; an existing file of that name is the same file."""
    size = source.stat().st_size
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(source, target)
        except OSError:
            shutil.copyfile(source, target)
            flush_file(target)
    return size


def restore(source: Path, store: Store) -> BackupReport:
    """Rebuild a store from a backup folder into an empty place; every segment's hash must match."""
    if not (source / "control.sqlite").exists():
        raise StoreError(f"{source} is not a backup: it holds no control.sqlite.", "name the folder given to backup")
    if store.exists:
        raise StoreError(f"{store.path} already holds a store.", "restore into an empty folder")
    saved = Store(source)
    wrong = [
        segment.path
        for segment in saved.control.segments()
        if not (source / "seg" / segment.path).exists() or sha256_of(source / "seg" / segment.path) != segment.sha256
    ]
    if wrong:
        raise StoreError(f"The backup is damaged: {', '.join(wrong)} missing or changed.", "use another backup")
    for name in FOLDERS:
        (store.path / name).mkdir(parents=True, exist_ok=True)
    size = 0
    segments = saved.control.segments()
    for segment in segments:
        target = store.segments / segment.path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / "seg" / segment.path, target)
        size += target.stat().st_size
    kept = sorted((source / "inbox").glob("[0-9a-f]*"))
    for file in kept:
        shutil.copyfile(file, store.inbox / file.name)
    saved.control.close()
    shutil.copyfile(source / "control.sqlite", store.path / "control.sqlite")
    last, _ = store.control.last()
    return BackupReport(str(store.path), last, len(segments), len(kept), size)
