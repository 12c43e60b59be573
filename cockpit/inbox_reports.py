"""What is told of a parcel: the reports of its files as JSON, and as a few lines in both languages."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

from warehouse.base.errors import CockpitError
from warehouse.control import COUNTS
from warehouse.receipts import FileReport

TAKEN = ("committed", "unchanged")
Told = Mapping[str, Any]


@cache
def words() -> Mapping[str, Any]:
    """Return everything the inbox says."""
    return tomllib.loads((resources.files("cockpit") / "inbox.toml").read_text(encoding="utf-8"))


def trouble(name: str, **values: object) -> CockpitError:
    """Return why the inbox cannot go on, in both languages, with what to do."""
    said = words()["trouble"][name]
    return CockpitError(said["message"].format(**values), said["hint"].format(**values))


def told(reports: Iterable[FileReport]) -> list[Told]:
    """Return reports as plain values."""
    return [report.as_json() for report in reports]


def told_by_receipts(receipts: Iterable[Mapping[str, Any]]) -> list[Told]:
    """Return receipts as the reports of the load that left them."""
    return told(FileReport.of_receipt(receipt) for receipt in receipts)


def told_fault(name: str, fault: CockpitError) -> list[Told]:
    """Return a refusal of a whole parcel."""
    message = {"zh": fault.message, "en": fault.message, **({"hint": fault.hint} if fault.hint else {})}
    counts = dict.fromkeys(COUNTS, 0)
    return [{"file": name, "source": None, "batch_seq": None, **counts, "status": "refused", "message": message}]


def is_refused(reports: Sequence[Told]) -> bool:
    """Tell whether nothing of a parcel was taken."""
    return not any(report["status"] in TAKEN for report in reports)


def as_json(reports: Sequence[Told], actor: str, at: str) -> str:
    """Return the report for machines."""
    return json.dumps({"actor": actor, "taken_at": at, "files": reports}, ensure_ascii=False, indent=1) + "\n"


def as_text(reports: Sequence[Told], actor: str, at: str) -> str:
    """Return the report for people."""
    lines = [f"{at}  {actor}"]
    for report in reports:
        lines += [
            "",
            f"{report['file']}：{words()['status'].get(report['status'], report['status'])}",
            *_details(report),
        ]
    return "\n".join(lines) + "\n"


def _details(report: Told) -> list[str]:
    message = report["message"]
    lines = [message.get("zh", ""), message.get("en", "") if message.get("en") != message.get("zh") else ""]
    if message.get("hint"):
        lines.append(message["hint"])
    if report["batch_seq"] is not None:
        lines.append(words()["lines"]["batch"].format(batch=report["batch_seq"], source=report["source"]))
    faults = message.get("faults", ())
    for fault in faults:
        lines += [f"· {fault['zh']}", f"  {fault['en']}"]
    if (total := message.get("faults_total", len(faults))) > len(faults):
        lines.append(words()["lines"]["more"].format(total=total))
    return [line for line in lines if line]
