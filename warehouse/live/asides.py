"""What a fold sets aside: entries of the ordinary quarantine, opened and closed as the readings come right.

An entry stands for one reading of one meter; a fold that looks at its day again and no longer minds it closes it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from warehouse.control import COUNTS, iso
from warehouse.store import Store


@dataclass(frozen=True)
class Entry:
    """One row kept aside: its key in the source it belongs to, the reason, and the row as people read it."""

    key: str
    day: dt.date
    code: str
    value: str
    hint: str
    row: Mapping[str, str]
    unit: str | None = None


def keep_aside(
    store: Store, dataset: str, file_name: str, entries: Sequence[Entry], looked_at: frozenset[str], *,
    actor: str, now: dt.datetime,
) -> int:  # fmt: skip
    """Open entries that are new and close those of the keys looked at that no longer are; return how many were opened.

    `looked_at` are the "key-prefix|day" marks of what was folded again.
    """
    waiting = [one for one in store.control.quarantine(dataset=dataset) if one["file_name"] == file_name]
    open_now = {(one["row_key"], one["code"]): one["entry_id"] for one in waiting}
    wanted = {(entry.key, entry.code) for entry in entries}
    fresh = [entry for entry in entries if (entry.key, entry.code) not in open_now]
    closed = [
        number for (key, code), number in open_now.items() if _mark(key) in looked_at and (key, code) not in wanted
    ]
    if not fresh and not closed:
        return 0
    counts = dict.fromkeys(COUNTS, 0) | {"rows_in": len(fresh), "quarantined": len(fresh)}
    receipt = {
        "file_name": file_name, "file_sha": "", "dataset": dataset, "recorded_at": iso(_moment(store, now)),
        "loaded_at": iso(now), "actor": actor, "status": "refused" if fresh else "unchanged", "batch_seq": None,
        "counts": json.dumps(counts), "message": json.dumps(_told(len(fresh), len(closed)), ensure_ascii=False),
    }  # fmt: skip
    store.control.commit(receipt, None, (), [_row(entry, dataset, file_name, now) for entry in fresh], closed)
    return len(fresh)


def _mark(key: str) -> str:
    """Return the "name|day" a key "name|time" belongs to."""
    name, _, time = key.rpartition("|")
    return f"{name}|{time[:10]}"


def _moment(store: Store, now: dt.datetime) -> dt.datetime:
    last = store.control.last()[1]
    return max(now, last) if last else now


def _told(fresh: int, closed: int) -> dict[str, str]:
    return {
        "zh": f"读数折算：{fresh} 条待核，{closed} 条已消除。",
        "en": f"Folding of readings: {fresh} set aside, {closed} settled.",
    }


def _row(entry: Entry, dataset: str, file_name: str, now: dt.datetime) -> dict[str, Any]:
    raw = json.dumps(entry.row, ensure_ascii=False)
    return {
        "dataset": dataset,
        "file_name": file_name,
        "sheet": "",
        "row_no": 1,
        "column_name": "",
        "code": entry.code,
        "value": entry.value,
        "hint": entry.hint or None,
        "raw": raw,
        "row_hash": hashlib.sha256(f"{entry.key}|{raw}".encode()).hexdigest(),
        "row_key": entry.key,
        "opened_at": iso(now),
        "closed_by": None,
        "unit": entry.unit,
        "month": entry.day.year * 12 + entry.day.month - 1,
    }
