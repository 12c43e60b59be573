"""What the control log keeps of a delivery: its receipt, and the batch it became."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from warehouse.base.clock import Clock
from warehouse.base.periods import OPEN
from warehouse.control import COUNTS, SegmentRow, iso
from warehouse.declared import NOTHING, Declared
from warehouse.manifest import Delivery
from warehouse.store import Store


class Writer(Protocol):
    """Who writes the log: for which store, in whose name, by which clock."""

    @property
    def store(self) -> Store: ...

    @property
    def actor(self) -> str: ...

    @property
    def clock(self) -> Clock: ...


def receipt_row(
    writer: Writer, delivery: Delivery, sha: str, dataset: str | None, moment: dt.datetime, status: str,
    counts: Mapping[str, int], text: Mapping[str, Any], batch_seq: int | None,
) -> dict[str, Any]:  # fmt: skip
    """Return the row of the control log that says what became of a delivery."""
    return {
        "file_name": delivery.name,
        "file_sha": sha,
        "dataset": dataset,
        "recorded_at": iso(moment),
        "loaded_at": iso(writer.clock()),
        "actor": writer.actor,
        "status": status,
        "batch_seq": batch_seq,
        "counts": json.dumps(dict(counts)),
        "message": json.dumps(text, ensure_ascii=False),
        "declared_source": delivery.source,
        "span_from": delivery.span[0] if delivery.span else None,
        "span_to": delivery.span[1] if delivery.span else None,
        "portion": delivery.portion,
    }


def batch_row(
    writer: Writer, dataset: str, name: str, sha: str, seq: int, moment: dt.datetime,
    segments: Sequence[SegmentRow], counts: Mapping[str, int], declared: Declared = NOTHING,
) -> dict[str, Any]:  # fmt: skip
    """Return the row of the control log that makes a delivery a batch."""
    said = [(declared.months[0], declared.months[-1] + 1)] if declared.months else []
    spans = [(segment.from_m, segment.to_m) for segment in segments] or said
    low = min((span[0] for span in spans), default=None)
    high = max((span[1] for span in spans), default=None)
    return {
        "batch_seq": seq,
        "dataset": dataset,
        "file_name": name,
        "file_sha": sha,
        "kind": "defaults" if seq == 0 else "load",
        "origin": writer.store.control.meta().get("origin", "real"),
        "recorded_at": iso(moment),
        "recorded_by": writer.actor,
        "committed_at": iso(writer.clock()),
        "period_from": low,
        "period_to": None if high in (None, OPEN) else high,
        "declared": declared.text,
        **{column: counts.get(column, 0) for column in COUNTS},
    }
