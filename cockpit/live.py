"""Live sources: the watched inbox, the fold of what was pushed, and the dropping of raw rows, each in the worker's time.

One thread looks often and lightly; whatever fails is noted and tried again, and never ends the worker.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from cockpit.inbox import Inbox
from cockpit.inbox_taking import Taking
from cockpit.pipeline import rebuild
from cockpit.settings import Settings
from warehouse.base.clock import Clock
from warehouse.base.errors import StoreBusy
from warehouse.live.folds import drop_old, fold_all, fold_is_due
from warehouse.store import Store

log = logging.getLogger(__name__)

FOLD = "fold"
DROP_SECONDS = 3600
CALM_SECONDS = 30
"""How long a step that failed is left alone."""


def fold_and_publish(store: Store, clock: Clock) -> int:
    """Fold what was pushed or loaded since the last fold, and publish; return how many batches came of it."""
    if not store.exists or not store.has_batches() or not fold_is_due(store):
        return 0
    try:
        with store.alone(FOLD):
            batches = fold_all(store, clock=clock)
    except StoreBusy:
        log.info("another writer is at work; the fold waits")
        return 0
    if batches:
        rebuild(store, clock=clock, force=False)
    return len(batches)


def drop_and_note(store: Store, clock: Clock, settings: Settings) -> None:
    """Drop raw rows that have had their time, wherever they lie."""
    if not store.exists:
        return
    try:
        with store.alone(FOLD):
            drop_old(
                store, clock(), reading_days=settings.reading_days, position_days=settings.position_days,
                inbox=settings.inbox_folder,
            )  # fmt: skip
    except StoreBusy:
        log.info("a fold is at work; dropping waits")


class Every:
    """A step that is done every so many seconds, and left alone for a while when it fails."""

    def __init__(self, seconds: float, step: Callable[[], object]) -> None:
        self.seconds, self.step, self.next = seconds, step, 0.0

    def turn(self, now: float) -> None:
        """Do the step if its time has come."""
        if now < self.next:
            return
        self.next = now + self.seconds
        try:
            self.step()
        except Exception:
            log.exception("a live step failed; it is tried again")
            self.next = now + max(self.seconds, CALM_SECONDS)


def steps_of(store: Store, clock: Clock, settings: Settings) -> list[Every]:
    """Return the steps of a deployment."""
    steps = [
        Every(settings.fold_seconds, lambda: fold_and_publish(store, clock)),
        Every(DROP_SECONDS, lambda: drop_and_note(store, clock, settings)),
    ]
    if settings.inbox_folder is not None:
        taking = Taking(store, Inbox(settings.inbox_folder), clock)
        steps.insert(0, Every(settings.inbox_seconds, taking.step))
    return steps


def start_live(store: Store, clock: Clock, settings: Settings) -> threading.Event:
    """Do the live steps in a thread of their own; return what ends it."""
    stop, steps = threading.Event(), steps_of(store, clock, settings)
    pause = min(step.seconds for step in steps)

    def run() -> None:
        while not stop.wait(min(pause, 1.0)):
            for step in steps:
                step.turn(time.monotonic())

    threading.Thread(target=run, name="live", daemon=True).start()
    return stop
