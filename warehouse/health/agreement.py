"""Log, folders and pointer speak of one another: looked at together, while no writer is between two of them."""

from __future__ import annotations

import time

from warehouse.health.finding import Finding
from warehouse.health.generations import check_pointer
from warehouse.health.log import read_log
from warehouse.health.segments import check_foreign
from warehouse.health.surroundings import at_rest
from warehouse.store import Store

PASSING = frozenset(
    ["segment_foreign", "generation_foreign", "generation_behind", "generation_ahead", "pointer_old", "pointer_missing"]
)
"""What every load brings about for a while: its files come before its log entry, its generation after it."""

MOMENT = 0.25
"""Seconds within which a load that has committed takes the lock again to publish."""


def check_agreement(store: Store) -> tuple[Finding, ...]:
    """Check against the log as it is now; what may be passing counts only if it is still there a moment later."""
    found = _look(store)
    if any(one.code in PASSING for one in found):
        time.sleep(MOMENT)
        found = _look(store)
    return found


def _look(store: Store) -> tuple[Finding, ...]:
    with at_rest(store) as is_quiet:
        log = read_log(store.log)
        found = [*check_foreign(store.segments, log), *check_pointer(store, log)]
    return tuple(one for one in found if is_quiet or one.code not in PASSING)
