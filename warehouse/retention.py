"""What may leave the disk, and when: segments that a rebase replaced, once nobody can need them.

Batches, received files, frozen boards and the segments that stand are never removed. A replaced segment goes when its
days are over, what replaced it is whole on the disk, and the published generation was made from that.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import sqlalchemy as sa

from warehouse import history
from warehouse.control import SEGMENT, SegmentRow, from_iso
from warehouse.durable import sha256_of
from warehouse.store import Store, connect


@dataclass(frozen=True)
class Removed:
    """What left the disk."""

    segments: int
    bytes: int
    waiting: int
    """Replaced segments that stay for now."""


def drop_replaced(store: Store, kept_days: int, now: dt.datetime) -> Removed:
    """Remove replaced segments whose time has come. The caller holds the writer lock."""
    replaced = [one for one in store.control.segments(replaced=True) if one.valid_to_seq is not None]
    due = [one for one in replaced if _age(one, now) >= dt.timedelta(days=kept_days)]
    if not due or not _is_published(store):
        return Removed(0, 0, len(replaced))
    standing = {name: store.control.segments(name) for name in {one.dataset for one in due}}
    sound = {name for name, segments in standing.items() if _is_whole(store, segments)}
    gone = [one for one in due if one.dataset in sound]
    for segment in gone:
        # the file first: a file without a line of the manifest would be taken for a lost batch
        (store.segments / segment.path).unlink(missing_ok=True)
        with store.control.engine.begin() as con:
            con.execute(sa.delete(SEGMENT).where(SEGMENT.c.path == segment.path, SEGMENT.c.valid_to_seq.is_not(None)))
    return Removed(len(gone), sum(one.bytes for one in gone), len(replaced) - len(gone))


def _age(segment: SegmentRow, now: dt.datetime) -> dt.timedelta:
    return now - from_iso(segment.replaced_at) if segment.replaced_at else dt.timedelta(0)


def _is_published(store: Store) -> bool:
    """Tell whether the published generation was made of the very segments that stand now."""
    current = store.current()
    if current is None or not current.is_file():
        return False
    try:
        with connect(str(current), read_only=True, memory="128MB", threads=1) as con:
            row = con.execute("SELECT value FROM meta WHERE key = 'segments'").fetchone()
    except duckdb.Error:
        return False
    return row is not None and row[0] == history.fingerprint(store.control.segments())


def _is_whole(store: Store, segments: Sequence[SegmentRow]) -> bool:
    files = [(store.segments / segment.path, segment.sha256) for segment in segments]
    return bool(files) and all(file.is_file() and sha256_of(file) == sha for file, sha in files)
