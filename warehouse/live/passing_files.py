"""Files whose rows only pass through: which they are, so that no copy of them outlives its time."""

from __future__ import annotations

import datetime as dt

from warehouse.control import from_iso
from warehouse.store import Store


def passing_sources(store: Store) -> frozenset[str]:
    """Return the sources whose rows only pass through."""
    return frozenset(name for name, contract in store.contracts.items() if contract.is_passing)


def passing_files(store: Store) -> dict[str, dt.datetime]:
    """Return the sums of kept files that hold nothing but passing rows, each with when it was last handed in."""
    names = passing_sources(store)
    last: dict[str, dt.datetime] = {}
    shared: set[str] = set()
    for receipt in store.control.receipts(limit=None):
        sha = receipt["file_sha"]
        if receipt["dataset"] in names:
            at = from_iso(receipt["loaded_at"])
            last[sha] = max(last.get(sha, at), at)
        elif receipt["dataset"]:
            shared.add(sha)
    return {sha: at for sha, at in last.items() if sha and sha not in shared}
