"""A control log on a server: is it this store's, and does the server keep what it acknowledges."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import sqlalchemy as sa

from warehouse.control import STORE_ID, Control
from warehouse.health.finding import Finding, finding
from warehouse.postgres import Address
from warehouse.schema import revision_of
from warehouse.store import Store
from warehouse.whereabouts import read_pointer

SAFE = ("fsync", "full_page_writes")
"""What a server must not have switched off: else a power cut takes what was acknowledged."""


def check_server(store: Store, address: Address) -> Iterator[Finding]:
    """Check whose log it is and how the server writes; nothing is said of a log without tables, which is damaged."""
    with contextlib.closing(Control(address)) as control:
        if revision_of(control.engine) == "":
            return
        ours, theirs = read_pointer(store.path)[1], control.meta().get(STORE_ID)
        if theirs != ours:
            yield finding("log_foreign", address, theirs, ours)
        with control.engine.connect() as con:
            for name in SAFE:
                setting = con.execute(sa.select(sa.func.current_setting(name))).scalar_one()
                if setting != "on":
                    yield finding("log_not_durable", address, f"{name} = {setting}", f"{name} = on")
