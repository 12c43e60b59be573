"""Taking what lies in the watched inbox: load, publish, move away with a report beside it.

Before a load it is written down what is about to be taken. A worker that was ended between the load and the move finds
the receipts of its own load and only moves: nothing is taken twice, and nothing newer is undone.
"""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

from cockpit import inbox_reports as words
from cockpit.inbox import ACTOR, Inbox, Mark, Parcel, write_reports
from cockpit.pipeline import load_and_publish, rebuild
from warehouse import operations
from warehouse.base.clock import Clock
from warehouse.base.errors import CockpitError, StoreBusy
from warehouse.control import iso
from warehouse.durable import sha256_of, write_text
from warehouse.operations import RunRow
from warehouse.receipts import FileReport
from warehouse.store import Store

log = logging.getLogger(__name__)

JOB = "inbox"
MOST_TRIES = 3
LOOKS_BETWEEN_PROBES = 60
Load = Callable[..., list[FileReport]]


@dataclass
class Taking:
    """The inbox of one worker: what it waits for, what it could not move, and what it last said of its health."""

    store: Store
    inbox: Inbox
    clock: Clock
    load: Load = load_and_publish
    stuck: dict[Path, Mark] = field(default_factory=dict)
    """What was loaded and could not be moved away; it is not loaded again as long as it stays the same."""
    tries: dict[tuple[Path, Mark], int] = field(default_factory=dict)
    looks: int = 0
    said: str | None = None

    @property
    def journal(self) -> Path:
        """Where it is written down what is about to be taken."""
        return self.store.path / "inbox-taking.json"

    def step(self) -> int:
        """Look once and take what is complete; return how many parcels were moved away."""
        if not self._is_well():
            return 0
        ready = [one for one in self.inbox.complete() if self.stuck.get(one.path) != one.mark]
        self.stuck = {path: mark for path, mark in self.stuck.items() if path.exists()}
        if not ready:
            return 0
        self.store.path.mkdir(parents=True, exist_ok=True)
        try:
            with self.store.alone(JOB):
                left = self._finish_interrupted(ready)
                return len(ready) - len(left) + sum(self._take(parcels) for parcels in _together(left))
        except StoreBusy:
            log.info("another writer is at work; the inbox waits")
            return 0

    # --- health ------------------------------------------------------------------------------------------------------

    def _is_well(self) -> bool:
        """Tell whether the folder can be used; a change is said once, in the log and among the worker's runs."""
        trouble: CockpitError | None = None
        if self.looks % LOOKS_BETWEEN_PROBES == 0 or self.said or not self.inbox.folder.is_dir():
            trouble = self.inbox.trouble()
        self.looks += 1
        message = trouble.message if trouble else ""
        if message != (self.said or "") or self.said is None:
            self._say(message, trouble.hint if trouble else None)
        return trouble is None

    def _say(self, message: str, hint: str | None) -> None:
        was, self.said = self.said, message
        if message:
            log.warning("%s %s", message, hint or "")
        elif was:
            log.info("the inbox %s can be used again", self.inbox.folder)
        if self.store.exists and (message or was):
            now = self.clock()
            text = message or str(self.inbox.folder)
            operations.add_run(self.store.control.engine, RunRow(JOB, "folder", now, now, not message, text))

    # --- taking ------------------------------------------------------------------------------------------------------

    def _take(self, parcels: Sequence[Parcel]) -> int:
        """Load parcels of one actor in one go and move each away."""
        files = {str(path): sha256_of(path) for parcel in parcels for path in parcel.files}
        after = max((row["receipt_id"] for row in self._receipts(limit=1)), default=0)
        write_text(self.journal, json.dumps({"after": after, "files": files}, ensure_ascii=False, indent=1))
        try:
            reports = self.load(
                self.store, [one.path for one in parcels], actor=parcels[0].actor, clock=self.clock
            )  # fmt: skip
        except StoreBusy:
            raise
        except CockpitError as fault:
            refused = fault
            return self._apart(parcels, lambda one: words.told_fault(one.path.name, refused))
        except Exception as fault:
            unforeseen = fault
            log.exception("the inbox could not be loaded")
            return self._apart(parcels, lambda one: self._given_up(one, unforeseen))
        by_name = {report.file: [report] for report in reports}
        if len(parcels) == 1:
            by_name = {parcels[0].path.name: reports}
        moved = sum(self._away(one, words.told(by_name[one.path.name])) for one in parcels)
        if moved == len(parcels):
            self.journal.unlink()
        return moved

    def _apart(self, parcels: Sequence[Parcel], refuse: Callable[[Parcel], list[words.Told] | None]) -> int:
        """What fails together is taken one by one; what fails alone is refused."""
        if len(parcels) > 1:
            return sum(self._take([parcel]) for parcel in parcels)
        reports = refuse(parcels[0])
        return 0 if reports is None else self._away(parcels[0], reports)

    def _given_up(self, parcel: Parcel, fault: Exception) -> list[words.Told] | None:
        """Return the refusal of a parcel that failed for a reason nobody foresaw, once it was tried often enough."""
        key = (parcel.path, parcel.mark)
        self.tries[key] = self.tries.get(key, 0) + 1
        if self.tries[key] < MOST_TRIES:
            return None
        reference = secrets.token_hex(4)
        log.error("%s is given up, reference %s: %s", parcel.path.name, reference, fault)
        return words.told_fault(parcel.path.name, words.trouble("ours", reference=reference))

    def _away(self, parcel: Parcel, reports: list[words.Told]) -> int:
        """Move a parcel away with its report; what cannot be moved stays and is not loaded again."""
        at = iso(self.clock())
        try:
            place = self.inbox.place_for(parcel, is_refused=words.is_refused(reports))
            write_reports(
                place, words.as_json(reports, parcel.actor, at), words.as_text(reports, parcel.actor, at)
            )  # fmt: skip
            parcel.path.rename(place)
        except OSError as cause:
            self.stuck[parcel.path] = parcel.mark
            self._say(words.words()["lines"]["stuck"].format(path=parcel.path, reason=cause.strerror), None)
            return 0
        return 1

    # --- after an interruption ---------------------------------------------------------------------------------------

    def _finish_interrupted(self, ready: Sequence[Parcel]) -> list[Parcel]:
        """Move away what the last worker had loaded when it was ended; return what is left to load."""
        begun = self._begun()
        if begun is None or not self.store.exists:
            return list(ready)
        taken = {row["file_sha"]: row for row in self._receipts() if row["receipt_id"] > begun["after"]}
        left = []
        for parcel in ready:
            shas = [begun["files"].get(str(path)) for path in parcel.files]
            found = [taken[sha] for sha in shas if sha in taken]
            is_loaded = parcel.path.is_file() and found and sha256_of(parcel.path) == shas[0]
            if is_loaded:
                rebuild(self.store, clock=self.clock, force=False)
                self._away(parcel, words.told_by_receipts(found))
            else:
                left.append(parcel)
        if not self.stuck:
            self.journal.unlink(missing_ok=True)
        return left

    def _begun(self) -> Mapping[str, Any] | None:
        try:
            found: Mapping[str, Any] = json.loads(self.journal.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return None
        return found

    def _receipts(self, limit: int | None = 1000) -> list[dict[str, Any]]:
        return self.store.control.receipts(limit) if self.store.exists else []


def _together(parcels: Iterable[Parcel]) -> list[list[Parcel]]:
    """Return what may be loaded in one go: files of one folder; a delivery with a manifest stands alone."""
    folders = [parcel for parcel in parcels if parcel.path.is_dir()]
    files = sorted((p for p in parcels if not p.path.is_dir()), key=lambda p: (p.actor != ACTOR, p.path))
    return [[one] for one in folders] + [list(found) for _, found in groupby(files, key=lambda p: p.path.parent)]
