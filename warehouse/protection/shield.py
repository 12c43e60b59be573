"""The shield before a load: what is taken, and kept in the inbox, holds nothing that must not be kept."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from warehouse.base.runs import runs
from warehouse.contracts import Contract
from warehouse.durable import keep_copy, settle
from warehouse.manifest import Delivery
from warehouse.protection.cleaning import Area, Removed, Unsearchable, clean_file, role_of
from warehouse.protection.rules import CODE, Role, is_marked, scrub
from warehouse.protection.watch import Suspicious
from warehouse.readers.faults import Fault, ReadRefused
from warehouse.readers.raw import RawTable
from warehouse.readers.signatures import Kind, recognise
from warehouse.returns import heads_of, words
from warehouse.template import sheet_name
from warehouse.understanding import Understood

_NUMBERED = re.compile(r" \d+$")
MOST_SEARCHED = 1 << 26
"""Bytes of a file without a table that are looked through; a larger one is refused and not kept."""


@dataclass
class Kept:
    """The copy of a received file on its way into the inbox: it appears there only when it may stay."""

    future: Future[tuple[str, Path | None]]
    inbox: Path
    received_sha: str | None = None
    """The hash of what was handed in, where something else is kept or nothing."""

    removed: Removed | None = None
    _sha: str | None = None

    def sha(self) -> str:
        """The hash of what was handed in."""
        return self.future.result()[0]

    def result(self) -> str:
        """Let the copy appear, and return the name it is kept under; empty when nothing is kept."""
        if self._sha is None:
            sha, aside = self.future.result()
            if aside is not None:
                settle(aside, self.inbox / sha)
            self._sha = sha
        return self._sha

    def drop(self) -> None:
        """Keep nothing: what was handed in is known already."""
        _, aside = self.future.result()
        if aside is not None:
            aside.unlink(missing_ok=True)

    def instead(self, copy: Path | None, removed: Removed | None) -> None:
        """Keep a cleaned copy, or nothing, instead of what was handed in."""
        self.drop()
        self.received_sha, self.removed = self.sha(), removed
        self._sha = keep_copy(copy, self.inbox) if copy is not None else ""


def shield(
    delivery: Delivery, tables: Sequence[RawTable], contract: Contract | None, kept: Kept, folder: Path
) -> Path | None:
    """Look a file through; return the copy to be read instead, None when it may be read as it is.

    A file that cannot be looked through is not kept: nobody knows what it holds.
    """
    target = folder / f"{kept.sha()}.clean"
    try:
        areas = [Area.of(table, contract) for table in tables]
        if not areas and delivery.path.stat().st_size > MOST_SEARCHED:
            raise Unsearchable(delivery.name)
        kind = recognise(delivery.path, delivery.name)
        removed = clean_file(delivery.path, delivery.name, kind, areas, target)
    except (Unsearchable, ReadRefused):
        kept.instead(None, None)
        return None
    if not removed:
        return None
    kept.instead(None if removed.is_whole else target, removed)
    return None if removed.is_whole else target


def shield_return_sheet(
    path: Path, name: str, contracts: Mapping[str, Contract], kept: Kept, folder: Path
) -> Path | None:
    """Look through a return sheet, into which people type; return the copy to be read instead, if there has to be one."""
    titles = {sheet_name(contract): contract for contract in contracts.values()}
    areas = [
        Area(sheet, at, 0, tuple(_role_of_head(head, titles.get(_NUMBERED.sub("", sheet))) for head in heads))
        for sheet, at, heads in heads_of(path)
    ]
    target = folder / f"{kept.sha()}.clean.xlsx"
    removed = clean_file(path, name, Kind.XLSX, areas, target)
    if not removed:
        return None
    kept.instead(None if removed.is_whole else target, removed)
    return None if removed.is_whole else target


def _role_of_head(head: str, contract: Contract | None) -> Role:
    own = head.removeprefix(words()["heads"]["correction"])
    return CODE if own.startswith("【") or not own else role_of(own, contract)


def check_entries(entries: Iterable[Mapping[str, Any]], contract: Contract) -> None:
    """Raise `Suspicious` when a row set aside holds what must not be kept."""
    for entry in entries:
        for label, cell in json.loads(entry["raw"]).items():
            if cell:
                role = role_of(label, contract)
                if is_marked(cell, role) or scrub(cell, role)[1]:
                    raise Suspicious


def without(fault: Fault) -> Fault:
    """Return a fault that tells nothing that must not be kept."""
    return replace(fault, value=_told(fault.value), hint=_told(fault.hint))


def _told(text: str | None) -> str | None:
    return text if not text else "…" if is_marked(text) else scrub(text)[0]


def note_of(removed: Removed | None) -> dict[str, Any]:
    """Return what a receipt says about what was taken out: sentences, and row numbers and counts."""
    if not removed:
        return {}
    parts: list[Mapping[str, str]] = []
    if removed.masked:
        kinds = {
            x: [_words()["kinds"][k][x].format(count=n) for k, n in sorted(removed.masked.items())]
            for x in ("zh", "en")
        }
        parts.append(_said("masked", zh={"what": "、".join(kinds["zh"])}, en={"what": ", ".join(kinds["en"])}))
    for sheet, rows in removed.rows.items():
        shown = runs(rows)
        zh, en = (f"工作表“{sheet}”", f" of sheet “{sheet}”") if sheet else ("", "")
        parts.append(_said("rows", zh={"where": zh, "rows": shown}, en={"where": en, "rows": shown}))
    for number, sheet in enumerate(removed.sheets, 1):
        name = "" if is_marked(sheet) else sheet
        zh, en = (f"工作表“{name}”", f" sheet “{name}”") if name else (f"第 {number} 张涉密工作表", " a sheet")
        parts.append(_said("sheet", zh={"where": zh}, en={"where": en}))
    if removed.rows or removed.sheets:
        parts.append(_words()["secret"])
    return {
        "zh": "".join(part["zh"] for part in parts),
        "en": " ".join(part["en"] for part in parts),
        "protected": {
            "masked": dict(removed.masked),
            "classified": {sheet: runs(rows) for sheet, rows in removed.rows.items()},
            "classified_sheets": len(removed.sheets),
        },
    }


def _said(name: str, **given: Mapping[str, object]) -> dict[str, str]:
    return {language: _words()[name][language].format(**values) for language, values in given.items()}


@cache
def _words() -> dict[str, Any]:
    return tomllib.loads((resources.files("warehouse.protection") / "protection.toml").read_text(encoding="utf-8"))


def noted(text: dict[str, Any], removed: Removed | None) -> dict[str, Any]:
    """Return the message of a receipt with what is said about what was taken out."""
    note = note_of(removed)
    if not note:
        return text
    beside = [*text.get("beside", ()), {"zh": note["zh"], "en": note["en"]}]
    return {**text, **note, "zh": text["zh"] + note["zh"], "en": f"{text['en']} {note['en']}", "beside": beside}


def recount(understood: Understood, removed: Removed | None) -> None:
    """Count the rows whose place a note has taken, and the sheets that are gone, under what they were."""
    if not removed:
        return
    skipped = understood.staged.skipped
    sheets = {table.sheet for table in understood.tables}
    gone = sum(len(rows) for sheet, rows in removed.rows.items() if any(name.startswith(sheet) for name in sheets))
    counted = min(gone, skipped["note"])
    skipped["note"] -= counted
    skipped["classified"] += counted + sum(removed.sheets.values())
    if removed.rows:
        # the total less the rows that are left would be what must not be known
        understood.staged.gaps.clear()
    for reason in [reason for reason, count in skipped.items() if not count]:
        del skipped[reason]
