"""What is told about one file of a load: its counts, its status, and what a person should read."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from warehouse import quarantine
from warehouse.contracts import Contract
from warehouse.control import COUNTS
from warehouse.manifest import Delivery
from warehouse.readers.messages import message
from warehouse.review import text as review_text
from warehouse.stage import Staged

MAX_FAULTS_SHOWN = 20


@dataclass(frozen=True)
class FileReport:
    """What became of one file; rows_in = accepted + unchanged + quarantined + skipped."""

    file: str
    source: str | None
    batch_seq: int | None
    status: str
    counts: Mapping[str, int]
    message: Mapping[str, Any]

    @classmethod
    def of_receipt(cls, receipt: Mapping[str, Any]) -> FileReport:
        """Return the report of the load that left a receipt."""
        return cls(
            receipt["file_name"], receipt["dataset"], receipt["batch_seq"], receipt["status"], receipt["counts"],
            receipt["message"],
        )  # fmt: skip

    def as_json(self) -> dict[str, Any]:
        """Return the object `cockpit load` prints."""
        return {
            "file": self.file,
            "source": self.source,
            "batch_seq": self.batch_seq,
            **{name: self.counts.get(name, 0) for name in COUNTS},
            "status": self.status,
            "message": self.message,
        }


def already(delivery: Delivery, seen: Mapping[str, Any], *, is_withdrawn: bool) -> FileReport:
    """Return the report of a delivery that was taken, or refused, before."""
    counts = dict(seen["counts"])
    if seen["status"] == "refused":
        return FileReport(delivery.name, seen["dataset"], None, "refused", counts, json.loads(seen["message"]))
    counts["unchanged"] = counts.get("unchanged", 0) + counts.get("accepted", 0)
    counts.update(accepted=0, removed=0, delta_rows=0)
    text = told("withdrawn" if is_withdrawn else "again", file=delivery.name, seq=seen["batch_seq"])
    return FileReport(delivery.name, seen["dataset"], seen["batch_seq"], "unchanged", counts, text)


def outcome_text(
    contract: Contract, counts: Mapping[str, int], staged: Staged, entries: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return the sentences of a file whose rows were taken or set aside, with its first faults."""
    rows = {name: counts[name] for name in ("accepted", "unchanged", "quarantined", "skipped")}
    text: dict[str, Any] = told("outcome", title=contract.title, **rows)
    if staged.skipped:
        text["skipped"] = dict(staged.skipped)
    if staged.notes:
        text["notes"] = dict(staged.notes)
    if staged.ignored:
        names = "、".join(staged.ignored[:MAX_FAULTS_SHOWN]) + ("…" if len(staged.ignored) > MAX_FAULTS_SHOWN else "")
        text["ignored_columns"] = staged.ignored[:MAX_FAULTS_SHOWN]
        ignored = told("ignored", names=names)
        text["zh"] += ignored["zh"]
        text["en"] += f" {ignored['en']}"
    if kept := kept_final(staged):
        text["zh"] += kept["zh"]
        text["en"] += f" {kept['en']}"
    if staged.gaps:
        text["totals"] = staged.gaps[:MAX_FAULTS_SHOWN]
        text["zh"] += staged.gaps[0]["zh"]
        text["en"] += f" {staged.gaps[0]['en']}"
    if remarks := remarks_of(staged):
        text["remarks"] = remarks
        text["zh"] += "".join(one["zh"] for one in remarks)
        text["en"] += "".join(f" {one['en']}" for one in remarks)
    if beside := beside_counts(staged):
        text["beside"] = beside
    if entries:
        text["faults"] = [quarantine.fault_texts(contract, entry) for entry in entries[:MAX_FAULTS_SHOWN]]
        text["faults_total"] = len(entries)
    return text


def told(name: str, **values: Any) -> dict[str, str]:
    """Return a sentence of this file's catalogue in both languages; a value may itself be in both."""
    return {
        code: text.format(
            **{key: value[code] if isinstance(value, Mapping) else value for key, value in values.items()}
        )
        for code, text in _texts()[name].items()
    }


@cache
def _texts() -> Mapping[str, Mapping[str, str]]:
    return tomllib.loads((resources.files("warehouse") / "receipts.toml").read_text(encoding="utf-8"))


def beside_counts(staged: Staged) -> list[Mapping[str, str]]:
    """Return what a person should read beside the counts, a sentence each: what stays as it was decided, totals that
    do not add up, and remarks. `beside` of a receipt's message holds the same."""
    kept = kept_final(staged)
    return [*([kept] if kept else []), *staged.gaps[:MAX_FAULTS_SHOWN], *remarks_of(staged)]


def kept_final(staged: Staged) -> Mapping[str, str] | None:
    """Return the sentence about rows that stay as they were decided; None where there are none."""
    count = staged.notes.get("kept_final")
    return review_text("kept_locked", count=count) if count else None


def remarks_of(staged: Staged) -> list[Mapping[str, str]]:
    """Return the remarks about a file, the first of them."""
    return [{lang: message(one, lang) for lang in ("zh", "en")} for one in staged.remarks[:MAX_FAULTS_SHOWN]]
