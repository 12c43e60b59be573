"""Portions: how much of its source a delivery is, where it says so itself instead of its contract.

A part holds rows that changed, and what is absent from it says nothing. A whole holds every row of its name: what is
absent from it is gone, but only what came under that name, for other files may speak of the same source.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from warehouse.base.sql import quote
from warehouse.contracts import Contract

PART, WHOLE = "part", "whole"
PORTIONS = (PART, WHOLE)
Entry = Mapping[str, Any]


def portioned(contract: Contract, portion: str | None) -> Contract:
    """Return a contract as it takes the rows of such a delivery."""
    if portion is None:
        return contract
    return replace(contract, slice="increment" if portion == PART else "full", slice_by=())


def reachable(within: str | None, portion: str | None, name: str) -> str | None:
    """SQL over the known rows `k` that a delivery may take back."""
    own = f"k.file_name = {quote(name)}" if portion == WHOLE else None
    return " AND ".join(one for one in (within, own) if one) or None


def not_waiting(entries: Sequence[Entry], waiting: Sequence[Entry], portion: str | None) -> Sequence[Entry]:
    """Leave out rows that wait already: rows read again and again have another number each time."""
    if portion is None:
        return entries
    known = {_mark(entry) for entry in waiting}
    return [entry for entry in entries if _mark(entry) not in known]


def _mark(entry: Entry) -> tuple[object, ...]:
    return tuple(entry[name] for name in ("file_name", "sheet", "row_hash", "code", "column_name"))
