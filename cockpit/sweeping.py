"""Sweeping: hand-overs nobody decided about, and files that belong to none, do not lie on the desk for ever."""

from __future__ import annotations

import datetime as dt
import logging

from warehouse import desk
from warehouse.operations import handover
from warehouse.spare import clear_spare_folders
from warehouse.store import Store

log = logging.getLogger(__name__)


def sweep(store: Store, days: int, now: dt.datetime) -> int:
    """Give up what waited for a decision for so many days, with its file; remove what belongs to no open hand-over and
    the folders of killed readers. Return how many hand-overs were given up: their owner still sees them, and why."""
    engine = store.control.engine
    given_up = handover.expire_handovers(engine, now - dt.timedelta(days=days), now)
    for handover_id in given_up:
        desk.drop(store, handover_id)
    orphans = desk.drop_orphans(store, handover.open_ids(engine), now)
    folders = clear_spare_folders(now)
    if given_up or orphans or folders:
        log.info("swept: %d undecided hand-overs, %d orphans, %d folders", len(given_up), orphans, folders)
    return len(given_up)
