"""The ledger of data as screens know it: loads, rows kept aside, and what is due."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from callbacks.services import Batch, Doubtful, Due, Refused
from metrics.doubtful import DoubtfulRow
from metrics.duties import Duty
from warehouse.base.periods import month_label
from warehouse.contracts import Contract
from warehouse.control import from_iso
from warehouse.loads import Load
from warehouse.operations import ExplanationRow
from warehouse.quarantine import fault_texts

NO_END = 100_000
"""Months from here on (the year 8333) are how registers write that something has no end."""


def batch_of(load: Load, contract: Contract | None) -> Batch:
    """Return a load with the title of its dataset and its months as labels."""
    first, end = load.period_from, load.period_to
    return Batch(
        seq=load.seq,
        dataset=load.dataset,
        file_name=load.file_name,
        titles=dict(contract.title) if contract else {"zh": load.dataset, "en": load.dataset},
        recorded_at=load.recorded_at,
        actor=load.recorded_by,
        kind=load.kind,
        period_from=month_label(first) if first is not None else "",
        period_to=month_label(end - 1) if end is not None and end < NO_END else "",
        rows_in=load.rows_in,
        accepted=load.accepted,
        unchanged=load.unchanged,
        quarantined=load.quarantined,
        skipped=load.skipped,
        removed=load.removed,
        withdraws=load.withdraws,
        why=load.why or "",
    )


def due_of(duty: Duty, contract: Contract, period: str, today: dt.date) -> Due:
    """Return a duty with the title of its dataset and where it stands today."""
    return Due(
        dataset=duty.dataset,
        names=dict(contract.title),
        theme=duty.theme,
        period=period,
        due=duty.due,
        got=duty.got,
        missing=duty.missing,
        due_on=duty.due_on,
        status=duty.standing(today),
        reviewed=duty.reviewed,
        waiting=duty.waiting,
    )


def doubtful_of(
    row: DoubtfulRow, contract: Contract, unit_name: str, said: ExplanationRow | None, *, sees_all: bool
) -> Doubtful:
    """Return a doubtful row with the sentence of its pattern and what was said of it.

    Which other unit's form shows the same figures is said only to those who may see every unit.
    """
    doubt = next(doubt for doubt in contract.doubts if doubt.code == row.code)
    return Doubtful(
        unit=row.unit,
        unit_name=unit_name,
        period=month_label(row.month_no),
        titles=dict(contract.title),
        file_name=row.file_name,
        sheet=row.sheet,
        row_no=row.row_no,
        value=row.value,
        other=row.other if sees_all or doubt.kind != "twins" else "",
        reasons=doubt.text,
        explained=said.why if said else "",
        explained_by=said.actor if said else "",
    )


def refused_of(entry: Mapping[str, Any], contract: Contract | None) -> Refused:
    """Return an open entry of the quarantine with its reason in every language."""
    return Refused(
        dataset=entry["dataset"],
        file_name=entry["file_name"],
        sheet=entry["sheet"] or "",
        row_no=entry["row_no"],
        column=entry["column_name"] or "",
        value=entry["value"] or "",
        reasons=fault_texts(contract, entry),
        recorded_at=from_iso(entry["opened_at"]),
    )
