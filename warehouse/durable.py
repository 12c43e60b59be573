"""Files that are there or not there: written aside, flushed, renamed, and the folder flushed too."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from warehouse.base.errors import StoreBusy, StoreError


def flush_file(path: Path) -> None:
    """Force a file's bytes to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def settle(temporary: Path, final: Path) -> None:
    """Make a finished temporary file appear under its final name, durably."""
    flush_file(temporary)
    temporary.replace(final)
    flush_file(final.parent)


def settle_new(temporary: Path, final: Path) -> None:
    """Make a finished temporary file appear under a name that nothing has yet.

    What another machine put there meanwhile stays as it is: it may be acknowledged already.
    """
    flush_file(temporary)
    try:
        os.link(temporary, final)
    except FileExistsError:
        raise StoreBusy(
            f"{final} has just been written by somebody else.", "run it again; the store takes one writer at a time"
        ) from None
    except OSError:  # a disk without hard links
        if final.exists():
            raise StoreBusy(f"{final} has just been written by somebody else.", "run it again") from None
        temporary.replace(final)
    temporary.unlink(missing_ok=True)
    flush_file(final.parent)


def write_text(path: Path, text: str) -> None:
    """Write a small file so that readers see the old or the new text, never a part."""
    temporary = path.with_suffix(f"{path.suffix}.tmp")
    temporary.write_text(text, encoding="utf-8")
    settle(temporary, path)


def sha256_of(path: Path) -> str:
    """Return the hex digest of a file."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def copy_whole(source: Path, target: Path) -> None:
    """Copy a file; on a disk that can, both share their blocks until one of them changes."""
    with source.open("rb") as read, target.open("wb") as written:
        left = os.fstat(read.fileno()).st_size
        try:
            while left > 0 and (done := os.copy_file_range(read.fileno(), written.fileno(), left)):
                left -= done
        except OSError:  # a disk or a system that cannot
            read.seek(0)
            written.seek(0)
            shutil.copyfileobj(read, written, 2**20)


def keep_copy(source: Path, folder: Path) -> str:
    """Keep a received file byte for byte under its hash, and return the hash."""
    sha = sha256_of(source)
    kept = folder / sha
    if not kept.exists():
        temporary = folder / f"{sha}.tmp"
        shutil.copyfile(source, temporary)
        settle(temporary, kept)
    return sha


def copy_aside(source: Path, folder: Path) -> tuple[str, Path | None]:
    """Copy a received file beside the place it would be kept in, flushed; return its hash and, if it is new, the copy."""
    sha = sha256_of(source)
    if (folder / sha).exists():
        return sha, None
    temporary = folder / f"{sha}.tmp"
    shutil.copyfile(source, temporary)
    flush_file(temporary)
    return sha, temporary


WAITING = "Another writer is at work; waiting for it."
"""What a writer says that has to wait; also where nobody looks on, for it explains the time a job took."""


@contextlib.contextmanager
def writer_lock(path: Path, wait_seconds: float = 30, tell: Callable[[str], None] | None = None) -> Iterator[None]:
    """Hold the one writer's lock for a job; wait for another writer, saying so, then give up."""
    if not path.parent.is_dir():
        raise StoreError(
            f"There is no store in {path.parent}.", f"create one with: cockpit load PATH --store {path.parent}"
        )
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        deadline = time.monotonic() + wait_seconds
        told = False
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise StoreBusy(
                        f"Another writer holds the store for more than {wait_seconds:.0f} s.",
                        "wait for it to end, or look for a cockpit load, worker or run that still works",
                    ) from None
                if tell and not told:
                    tell(WAITING)
                    told = True
                time.sleep(0.1)
        yield
    finally:
        os.close(descriptor)
