"""The worker's hand: takes what was handed in on the page, loads and publishes it, and keeps what became of it.

A hand-over is looked for often and lightly. It may be interrupted at any moment: what was committed is recognised by
its receipt, what was not is loaded again, and a file that ends the worker three times is given up.
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cockpit.pipeline import load_and_publish, rebuild
from cockpit.reading import reach_of
from warehouse import desk
from warehouse.base.clock import Clock
from warehouse.base.errors import CockpitError, StoreBusy
from warehouse.corrections import Advice, Corrections
from warehouse.operations import handover
from warehouse.operations.handover import HandoverRow
from warehouse.receipts import FileReport
from warehouse.resubmission import resubmit
from warehouse.store import Store

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
MOST_TRIES = 3


def advice_of(row: HandoverRow) -> Advice:
    """Return the corrections of a hand-over and for whom its owner may report."""
    return Advice(Corrections.parse(row.corrections), reach_of(row.scope))


def take_handovers(store: Store, clock: Clock) -> int:
    """Load everything that waits, one after the other; return how many came to an end. One worker does so at a time."""
    if not store.exists or not handover.is_waited_for(store.control.engine):
        return 0
    done = 0
    try:
        with store.alone("handover"):
            while (row := handover.next_handover(store.control.engine)) is not None and _take(store, row, clock):
                done += 1
    except StoreBusy:
        log.info("another worker takes the hand-overs")
    return done


def _take(store: Store, row: HandoverRow, clock: Clock) -> bool:
    """Bring one hand-over to its end; False when it has to wait."""
    engine = store.control.engine
    begun = handover.begin_handover(engine, row.handover_id, clock())
    if begun is None:
        return True
    try:
        state, reports, why = _load(store, begun, clock)
    except StoreBusy:
        handover.wait_on(engine, row.handover_id)
        return False
    except CockpitError as fault:
        state, reports, why = handover.FAILED, [], fault.message
    except Exception:
        if begun.tries < MOST_TRIES:
            log.exception("hand-over %s was interrupted; it is tried again", row.handover_id)
            return False
        reference = secrets.token_hex(4)
        log.exception("hand-over %s failed, reference %s", row.handover_id, reference)
        state, reports, why = handover.FAILED, _told(handover.receipts_of(engine, begun)), f"#{reference}"
    handover.finish_handover(engine, row.handover_id, state, clock(), report=reports, why=why)
    desk.drop(store, row.handover_id)
    return True


def _load(store: Store, row: HandoverRow, clock: Clock) -> tuple[str, list[dict[str, Any]], str]:
    receipts = handover.receipts_of(store.control.engine, row)
    if receipts and row.kind == handover.FILE:  # committed before the worker died: only the publication may be missing
        rebuild(store, clock=clock, force=False)
        return handover.DONE, _told(receipts), ""
    place = desk.place_of(store, row.handover_id, row.file_name)
    if not place.is_file():
        return handover.FAILED, [], "lost"
    if row.tries > MOST_TRIES:
        return handover.FAILED, [], "ended_worker"
    if row.kind == handover.RETURN:
        return _resubmit(store, row, place, clock, _told(receipts))
    reports = load_and_publish(
        store, [place], source=row.source, actor=row.actor, clock=clock, advice=advice_of(row)
    )  # fmt: skip
    return handover.DONE, [report.as_json() for report in reports], ""


def _resubmit(
    store: Store, row: HandoverRow, place: Path, clock: Clock, before: list[dict[str, Any]]
) -> tuple[str, list[dict[str, Any]], str]:
    """Take a corrected return sheet. Lines that were mended before the worker died are mended once: their receipts
    stand before the reports of the others."""
    done = resubmit(store, place, actor=row.actor, clock=clock, reach=advice_of(row).reach)
    rebuild(store, clock=clock, force=False)
    told = [*before, *(report.as_json() for report in done.reports)]
    return handover.DONE, [{"outcome": done.counts, "message": done.message}, *told], ""


def _told(receipts: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return receipts as the reports of the loads that left them."""
    return [FileReport.of_receipt(receipt).as_json() for receipt in receipts]


def watch_handovers(store: Store, clock: Clock, stop: threading.Event) -> None:
    """Look for hand-overs until told to stop; a failure of the look itself is noted and looked past."""
    while not stop.wait(LOOK_SECONDS):
        try:
            take_handovers(store, clock)
        except Exception:
            log.exception("hand-overs could not be looked for")
            stop.wait(LOOK_SECONDS * 20)


def start_watching(store: Store, clock: Clock) -> threading.Event:
    """Watch in a thread of its own; return what ends it."""
    stop = threading.Event()
    threading.Thread(target=watch_handovers, args=(store, clock, stop), name="handovers", daemon=True).start()
    return stop
