"""The definitions as commands use and print them: those that stand, and the history of one."""

from __future__ import annotations

from typing import Any

from cockpit.commands.common import err
from metrics.model import Catalogue, Indicator
from metrics.standing import standing
from warehouse.base.periods import month_label
from warehouse.store import Store

HISTORY_COLUMNS = ("from", "to", "value", "unit", "basis", "basis_en", "fingerprint")


def standing_definitions(place: Store) -> Catalogue:
    """Return the definitions in force; faults of those that were to take their place are told beside the answer."""
    found = standing(place)
    if found.faults:
        err.print(
            f"指标定义有 {len(found.faults)} 处错误，沿用上次正确的定义。The definitions have {len(found.faults)} fault(s); the last "
            "good ones are used. See: cockpit indicators check", markup=False,
        )  # fmt: skip
    return found.catalogue


def history(item: Indicator) -> list[dict[str, Any]]:
    """Return every version of an indicator with its months (half-open), formula, document and fingerprint."""
    rows = [
        (month_label(v.from_m) if v.from_m else None, month_label(v.to_m), v.written, v.indicator) for v in item.earlier
    ]
    begun = month_label(item.earlier[-1].to_m) if item.earlier else item.since
    return [
        {"from": start, "to": end, "value": written, "unit": one.unit, "basis": one.basis.zh, "basis_en": one.basis.en,
         "fingerprint": one.fingerprint}
        for start, end, written, one in (*rows, (begun, None, item.value, item))
    ]  # fmt: skip
