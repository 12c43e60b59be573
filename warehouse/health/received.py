"""Received files: each is kept under its hash, for as long as its receipt speaks of it."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Collection, Iterator
from pathlib import Path

from warehouse.durable import sha256_of
from warehouse.health.finding import Finding, finding
from warehouse.health.log import Log

_SHA = re.compile(r"[0-9a-f]{64}")


def check_received(folder: Path, log: Log, passing: Collection[str] = ()) -> Iterator[Finding]:
    """Check the inbox against the receipts, and every file against its name; files of `passing` sources leave in time."""
    rows = (row for row in (*log.batches, *log.receipts) if row["dataset"] not in passing)
    wanted = {row["file_sha"]: row["file_name"] for row in rows if row["file_sha"]}
    for sha, name in sorted(wanted.items()):
        if not (folder / sha).is_file():
            yield finding("received_missing", folder / sha, name)
    for file in sorted(folder.glob("*")):
        if not _SHA.fullmatch(file.name):
            if file.suffix != ".tmp":
                yield finding("received_foreign", file)
            continue
        with contextlib.suppress(FileNotFoundError):
            if (digest := sha256_of(file)) != file.name:
                yield finding("received_hash", file, digest)
