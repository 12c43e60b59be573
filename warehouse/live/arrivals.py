"""Arrivals: what was pushed, on disk before it is acknowledged, until the fold has taken it.

Each serving process appends to a file of its own, one line a request, so a request is there whole or not at all; a line
that a crash cut off was never acknowledged and is passed over. How far the fold has come in each file stands beside them.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import json
import os
import threading
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from warehouse.durable import flush_file, write_text

POSITIONS = "positions.json"


@dataclass(frozen=True)
class Arrival:
    """One acknowledged request: its content, and where the next one begins in its file."""

    file: str
    end: int
    body: Mapping[str, Any]


class Arrivals:
    """The waiting requests of one kind, in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._handle: int | None = None
        self._hour = ""

    def append(self, body: Mapping[str, Any], now: dt.datetime) -> None:
        """Write a request durably; when this returns it can be acknowledged, when it raises nothing was taken."""
        line = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        with self._lock:
            handle = self._open(f"{now.astimezone(dt.UTC):%Y%m%d-%H}")
            before = os.lseek(handle, 0, os.SEEK_END)
            try:
                written = 0
                while written < len(line):
                    written += os.write(handle, line[written:])
                os.fsync(handle)
            except OSError:
                self._forget(before)
                raise

    def _open(self, hour: str) -> int:
        if self._handle is not None and self._hour == hour:
            return self._handle
        self.close()
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{hour}-{os.getpid()}-{uuid.uuid4().hex[:8]}.ndjson"
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        # a file that is still written to is not cleared away
        fcntl.flock(handle, fcntl.LOCK_SH)
        flush_file(self.folder)
        flush_file(self.folder.parent)
        self._handle, self._hour = handle, hour
        return handle

    def _forget(self, before: int) -> None:
        """Take back a line that could not be written whole; the file is not appended to again: the fold may have read it."""
        if self._handle is not None:
            with contextlib.suppress(OSError):
                os.ftruncate(self._handle, before)
        self.close()

    def close(self) -> None:
        """Give up the file this process appends to."""
        if self._handle is not None:
            with contextlib.suppress(OSError):
                os.close(self._handle)
            self._handle = None

    # --- the fold's side ---------------------------------------------------------------------------------------------

    def waiting(self) -> Iterator[Arrival]:
        """Give the requests the fold has not taken, file by file."""
        positions = self._positions()
        for path in self._files():
            yield from _lines(path, positions.get(path.name, 0))

    def has_news(self) -> bool:
        """Tell whether something was appended since the last fold; only a file that grew is looked into."""
        positions = self._positions()
        ends = {path: positions.get(path.name, 0) for path in self._files()}
        return any(path.stat().st_size > end and not _taken(path, end) for path, end in ends.items())

    def advance(self, taken: Mapping[str, int]) -> None:
        """Note how far the fold has come, durably, and clear away files that are done with."""
        self.folder.mkdir(parents=True, exist_ok=True)
        positions = {**self._positions(), **taken}
        gone = [path.name for path in self._files() if self._clear(path, positions.get(path.name, 0))]
        kept = {name: end for name, end in positions.items() if name not in gone and (self.folder / name).exists()}
        write_text(self.folder / POSITIONS, json.dumps(kept, indent=1))

    @property
    def was_folded(self) -> bool:
        """Tell whether a fold has ever noted how far it came; a restored store does not know."""
        return (self.folder / POSITIONS).is_file()

    def drop_before(self, moment: dt.datetime) -> int:
        """Remove files that were begun before a moment and are taken: nothing of them outlives its time."""
        positions, mark = self._positions(), f"{moment.astimezone(dt.UTC):%Y%m%d-%H}"
        old = [path for path in self._files() if path.name[:11] < mark and _taken(path, positions.get(path.name, 0))]
        for path in old:
            path.unlink(missing_ok=True)
        return len(old)

    def _clear(self, path: Path, end: int) -> bool:
        """Remove a file whose writer is gone and whose every acknowledged line is taken."""
        handle = os.open(path, os.O_RDWR)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        else:
            if not _taken(path, end):
                return False
            path.unlink()
            return True
        finally:
            os.close(handle)

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("*.ndjson")) if self.folder.is_dir() else []

    def _positions(self) -> dict[str, int]:
        place = self.folder / POSITIONS
        try:
            found = json.loads(place.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            # taken twice is taken once: a lost note costs a second fold that changes nothing
            return {}
        return {str(name): int(end) for name, end in found.items()}


def _lines(path: Path, start: int) -> Iterator[Arrival]:
    with path.open("rb") as file:
        file.seek(start)
        for line in file:
            start += len(line)
            if not line.endswith(b"\n"):
                return
            with contextlib.suppress(ValueError):
                yield Arrival(path.name, start, json.loads(line))


def _taken(path: Path, end: int) -> bool:
    return next(_lines(path, end), None) is None
