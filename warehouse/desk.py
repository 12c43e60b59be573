"""The desk: where files given in on a page lie until they are loaded, and the secret that tells our own pages apart.

desk/<id>/<name>   one file, as it came; gone when it is loaded (the inbox keeps it), discarded,
                   or left undecided for some days
desk/secret        random bytes, made once; a page proves with them that it was served by this store
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import hmac
import os
import re
import secrets
import shutil
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from warehouse.durable import flush_file
from warehouse.spare import is_abandoned
from warehouse.store import Store

FOLDER = "desk"
SECRET = "secret"
LONGEST_NAME = 80
"""Characters of a file name: as many as fit any file system in common Chinese."""
MOST_NAME_BYTES = 240
"""Rare characters take four bytes; a file system takes 255."""

_UNSAFE = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|\u202a-\u202e\u2066-\u2069]+')


class TooLarge(Exception):
    """More bytes came than may."""


@dataclass(frozen=True)
class Kept:
    """A file on the desk: its sum and size."""

    path: Path
    sha: str
    bytes: int


def safe_name(text: str) -> str:
    """Return a file name without folders, control signs and what a file system forbids, not longer than fits."""
    plain = unicodedata.normalize("NFC", text).replace("\\", "/").rpartition("/")[2]
    plain = _UNSAFE.sub("_", plain).strip().lstrip(".")
    stem, dot, suffix = plain.rpartition(".")
    if dot and len(suffix) <= 10:
        return f"{_cut(stem, len(suffix.encode()) + 1, LONGEST_NAME - len(suffix) - 1)}.{suffix}" if stem else suffix
    return _cut(plain, 0, LONGEST_NAME) or "file"


def _cut(text: str, taken: int, most: int) -> str:
    """Return as much of a name as fits, in characters and beside the bytes that are taken."""
    return text[:most].encode()[: MOST_NAME_BYTES - taken].decode("utf-8", "ignore")


def place_of(store: Store, handover_id: str, name: str) -> Path:
    """Return where a file lies."""
    return store.path / FOLDER / handover_id / name


def keep(store: Store, handover_id: str, name: str, chunks: Iterable[bytes], most: int) -> Kept:
    """Write a stream to the desk, durably; `TooLarge` as soon as more than `most` bytes have come."""
    place = place_of(store, handover_id, name)
    place.parent.mkdir(parents=True, mode=0o700)
    digest, size = hashlib.sha256(), 0
    try:
        with place.open("xb") as file:
            for chunk in chunks:
                size += len(chunk)
                if size > most:
                    raise TooLarge
                digest.update(chunk)
                file.write(chunk)
        flush_file(place)
        flush_file(place.parent)
    except BaseException:
        drop(store, handover_id)
        raise
    return Kept(place, digest.hexdigest(), size)


def drop(store: Store, handover_id: str) -> None:
    """Take a file off the desk."""
    shutil.rmtree(store.path / FOLDER / handover_id, ignore_errors=True)


def drop_orphans(store: Store, kept: Collection[str], now: dt.datetime) -> int:
    """Remove what belongs to none of the hand-overs that keep their file, once it is a day old; return how many."""
    folder = store.path / FOLDER
    found = [place for place in folder.iterdir() if place.name not in kept] if folder.is_dir() else []
    gone = [place for place in found if place.name != SECRET and is_abandoned(place, now)]
    for place in gone:
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place, ignore_errors=True)
        else:
            place.unlink(missing_ok=True)
    return len(gone)


def secret_of(store: Store) -> bytes:
    """Return the store's secret, made on first use; processes that race for it agree on one."""
    place = store.path / FOLDER / SECRET
    with contextlib.suppress(FileNotFoundError):
        return place.read_bytes()
    place.parent.mkdir(mode=0o700, exist_ok=True)
    fresh = place.with_name(f"secret.{os.getpid()}.{secrets.token_hex(4)}")
    fresh.touch(mode=0o600)
    fresh.write_bytes(secrets.token_bytes(32))
    flush_file(fresh)
    with contextlib.suppress(FileExistsError):
        os.link(fresh, place)
    fresh.unlink()
    return place.read_bytes()


def token_of(store: Store, actor: str, day: dt.date) -> str:
    """Return what a page of ours shows to be known by: good for one person and one day."""
    return hmac.new(secret_of(store), f"{actor}|{day.isoformat()}".encode(), hashlib.sha256).hexdigest()


def is_token(store: Store, actor: str, today: dt.date, text: str) -> bool:
    """Tell whether a page was served to this person today or yesterday."""
    days = (today, today - dt.timedelta(days=1))
    said = text.encode("utf-8", "replace")  # only of ASCII texts could two be compared
    return any(hmac.compare_digest(token_of(store, actor, day).encode(), said) for day in days)
