"""Resubmission: a corrected return sheet goes through the same door as any file, and closes what it mends.

Whole rows are made from what was handed in and what the clerk changed, read again under the heading they had. A row
still wrong stays open with its new reason; what the clerk left alone is left alone. A return sheet is never a full
slice: rows it does not hold are not taken back.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from warehouse import quarantine
from warehouse.base.clock import Clock, system_clock
from warehouse.base.errors import StoreError
from warehouse.base.runs import runs
from warehouse.belonging import Hand
from warehouse.contracts import Contract
from warehouse.control import STORE_ID, SegmentRow
from warehouse.corrections import Advice
from warehouse.deltas import write_segment
from warehouse.directory import NAMING
from warehouse.durable import copy_aside
from warehouse.ingest import Loader, Progress, scratch
from warehouse.layout import keep_layouts
from warehouse.log_rows import batch_row, receipt_row
from warehouse.manifest import Delivery
from warehouse.protection.shield import Kept, note_of, shield_return_sheet
from warehouse.reach import EVERYTHING, Reach
from warehouse.readers.faults import ReadRefused
from warehouse.readers.messages import message
from warehouse.receipts import FileReport, outcome_text
from warehouse.recovery import recover
from warehouse.restaging import Again, Part, restage
from warehouse.returned import Sorted, sort_lines
from warehouse.returns import ReturnSheet, read_return_sheet, words
from warehouse.stage import Staged
from warehouse.store import Store
from warehouse.waiting import WaitingRow

KIND = "resubmit"
MOST_TABLES = 1000
"""Tables of one batch; a row's id has room for no more."""

MOST_PLACES_NAMED = 10


@dataclass
class Resubmission:
    """What became of a return sheet: its lines by outcome, and a report for each source that was touched."""

    file: str
    rows: int
    counts: dict[str, int]
    reports: list[FileReport] = field(default_factory=list)
    message: dict[str, str] = field(default_factory=dict)

    @property
    def is_all_well(self) -> bool:
        """Whether nothing was refused and no row the clerk touched is still wrong."""
        return not any(self.counts[name] for name in TROUBLES)

    @property
    def did_something(self) -> bool:
        """Whether a row was mended or discarded."""
        return bool(self.counts["mended"] or self.counts["discarded"])

    def as_json(self) -> dict[str, Any]:
        """Return plain values for printing."""
        return {
            "file": self.file,
            "rows": self.rows,
            **self.counts,
            "reports": [report.as_json() for report in self.reports],
            "message": self.message,
        }


TROUBLES = ("still_wrong", "foreign", "altered", "repeated", "strangers", "undecided", "beyond", "refused")
OUTCOMES = ("mended", "still_wrong", "untouched", "discarded", "already", *TROUBLES[1:])


def resubmit(
    store: Store, path: Path, *, name: str | None = None, actor: str = "local", clock: Clock = system_clock,
    progress: Progress | None = None, reach: Reach = EVERYTHING,
) -> Resubmission:  # fmt: skip
    """Take a corrected return sheet; each source it touches is a batch of its own. Does not publish."""
    known_as = name or path.name
    read_return_sheet(path, known_as)  # one that is none is refused before anything is locked
    if not store.exists:
        raise StoreError(f"There is no store in {store.path}.", "name the store with --store")
    with (
        store.writing(tell=progress),
        contextlib.closing(scratch(store)) as con,
        ThreadPoolExecutor(max_workers=1) as copier,
    ):
        recover(store)
        loader = Loader(store, actor, clock, con, store.contracts, copier)
        last_at = store.control.last()[1]
        loader.moment = max(clock(), last_at) if last_at else clock()
        kept = Kept(copier.submit(copy_aside, path, store.inbox), store.inbox)
        clean = shield_return_sheet(path, known_as, store.contracts, kept, store.tmp)
        sheet = read_return_sheet(clean or path, known_as)
        hand = Hand.of(store.control, reach, actor)
        found = sort_lines(sheet, store.control, store.control.meta().get(STORE_ID, ""), store.contracts, hand)
        done = Resubmission(sheet.name, len(sheet.lines) + len(sheet.strangers), dict.fromkeys(OUTCOMES, 0))
        for outcome, lines in found.left.items():
            done.counts[outcome] += len(lines)
        notes: list[dict[str, str]] = []
        if found.again or found.discarded:
            _take_all(loader, Delivery(path, sheet.name, advice=Advice(reach=reach)), kept, found, done, notes)
        else:
            kept.drop()
        if clean is not None:
            clean.unlink()
        if told := note_of(kept.removed):
            notes.append({"zh": told["zh"], "en": told["en"]})
    done.message = _message(sheet, found, done, notes)
    return done


def _take_all(
    loader: Loader, delivery: Delivery, kept: Kept, found: Sorted, done: Resubmission, notes: list[dict[str, str]]
) -> None:
    sources = dict.fromkeys([again.row.dataset for again in found.again] + [row.dataset for row in found.discarded])
    for source in sorted(sources, key=lambda name: (name not in NAMING, name)):
        again = [one for one in found.again if one.row.dataset == source]
        discarded = [row for row in found.discarded if row.dataset == source]
        contract = loader.contracts.get(source)
        if contract is None:
            notes.append(_said("no_contract", source=source, count=len(again) + len(discarded)))
            done.counts["refused"] += len(again) + len(discarded)
            continue
        parts = _parts(again) or [[]]
        for number, tables in enumerate(parts):
            waste = discarded if number == 0 else []
            try:
                _take(loader, replace(delivery, source=source), kept, contract, tables, waste, done)
            except ReadRefused as refusal:
                why = {lang: " ".join(message(fault, lang) for fault in refusal.faults) for lang in ("zh", "en")}
                sentences = words()["result"]["outside"]
                titles = contract.title
                notes.append({x: sentences[x].format(source=titles[x], why=why[x]) for x in ("zh", "en")})
                done.counts["refused"] += sum(len(part.rows) for part in tables) + len(waste)


def _parts(again: Sequence[Again]) -> list[list[Part]]:
    """Return the rows as tables, those of one file, sheet and heading together, and so many a batch."""
    tables: list[Part] = []
    places: dict[tuple[str, str, str], list[Part]] = {}
    for one in again:
        if one.row.layout is None:
            continue
        known = places.setdefault((one.row.layout.name, one.row.file, one.row.sheet), [])
        part = next((part for part in known if one.row.row_no not in part.rows), None)
        if part is None:  # the same line of another delivery
            part = Part(one.row.layout, one.row.file, one.row.sheet, {})
            known.append(part)
            tables.append(part)
        part.rows[one.row.row_no] = one
    return [tables[at : at + MOST_TABLES] for at in range(0, len(tables), MOST_TABLES)]


def _take(
    loader: Loader, delivery: Delivery, kept: Kept, contract: Contract, parts: Sequence[Part],
    discarded: Sequence[WaitingRow], done: Resubmission,
) -> None:  # fmt: skip
    """Stage the rows of one source, commit what came right, and close or renew their entries."""
    control, sha = loader.store.control, kept.result()
    result = restage(loader, delivery, contract, parts) if parts else None
    entries = result.entries if result else []
    wrong = {(entry["file_name"], entry["sheet"], entry["row_no"], entry["row_hash"]) for entry in entries}
    closed, opened = _settle(parts, entries)
    closed |= {entry["entry_id"] for row in discarded for entry in row.entries if entry["closed_by"] is None}
    rows = sum(len(part.rows) for part in parts)
    counts = dict(result.counts) if result else dict.fromkeys(("accepted", "unchanged", "quarantined", "removed"), 0)
    counts["skipped"] = counts.get("skipped", 0) + len(discarded)
    counts["rows_in"] = counts["accepted"] + counts["unchanged"] + counts["quarantined"] + counts["skipped"]
    seq, segments, batch = None, list[SegmentRow](), None
    if result and result.delta_rows:
        seq = control.last()[0] + 1
        files, sheets = [part.file for part in parts] + [delivery.name], [part.sheet for part in parts] + [""]
        segments = [
            write_segment(loader.con, result.contract, loader.store.segments, loader.store.tmp, seq, files, sheets)
        ]
        batch = batch_row(loader, contract.name, delivery.name, sha, seq, loader.moment, segments, counts)
        batch |= {"kind": KIND}
    if result:
        hand = Hand.of(control, delivery.advice.reach, loader.actor)
        waiting = hand.closable(contract, control.quarantine(dataset=contract.name))
        mended = quarantine.mended(loader.con, result.contract, waiting, result.tables, entries)
        closed |= set(mended) - {entry["entry_id"] for entry in _kept(parts, entries)}
        keep_layouts(control.engine, [part.layout for part in parts])
    status = "committed" if batch else "refused" if rows and rows == len(wrong) and not discarded else "unchanged"
    staged = result.staged if result else Staged()
    if discarded:
        staged.skipped["discarded"] += len(discarded)
    text = outcome_text(contract, counts, staged, entries) | {"return_sheet": _told(parts, discarded, wrong)}
    receipt = receipt_row(loader, delivery, sha, contract.name, loader.moment, status, counts, text, seq)
    receipt["received_sha"] = kept.received_sha
    control.commit(receipt, batch, segments, opened, sorted(closed))
    if contract.name in NAMING:
        loader.directory = None
    done.counts["still_wrong"] += len(wrong)
    done.counts["mended"] += rows - len(wrong)
    done.counts["discarded"] += len(discarded)
    done.reports.append(FileReport(delivery.name, contract.name, seq, status, counts, text))


def _settle(parts: Sequence[Part], entries: Sequence[Mapping[str, Any]]) -> tuple[set[int], list[Mapping[str, Any]]]:
    """Return the entries to close, since their row came right or is wrong otherwise, and those to open."""
    still: dict[tuple[str, str, int], list[Mapping[str, Any]]] = {}
    for entry in entries:
        still.setdefault((entry["file_name"], entry["sheet"], entry["row_no"]), []).append(entry)
    closed: set[int] = set()
    opened: list[Mapping[str, Any]] = []
    for part in parts:
        for row_no, again in part.rows.items():
            now = [entry for entry in still.get((part.file, part.sheet, row_no), []) if entry["part"] is part]
            found = {_fault(entry) for entry in now}
            before = {_fault(entry): entry["entry_id"] for entry in again.row.entries if entry["closed_by"] is None}
            closed |= {entry_id for fault, entry_id in before.items() if fault not in found}
            opened += [_bare(entry) for entry in now if _fault(entry) not in before]
    return closed, opened


def _kept(parts: Sequence[Part], entries: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the entries that say of a row what is still so."""
    now = {_fault(entry) for entry in entries}
    rows = (again.row for part in parts for again in part.rows.values())
    return [entry for row in rows for entry in row.entries if _fault(entry) in now]


def _fault(entry: Mapping[str, Any]) -> tuple[str, str, str]:
    return entry["row_hash"], entry["code"], entry["column_name"]


def _bare(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name != "part"}


# --- what is told -----------------------------------------------------------------------------------------------------


def _told(
    parts: Sequence[Part], discarded: Sequence[WaitingRow], wrong: set[tuple[str, str, int, str]]
) -> dict[str, dict[str, dict[str, str]]]:
    """Return which rows of which files the sheet spoke of, by outcome: file → sheet → `3、5-9`."""
    places: dict[str, dict[tuple[str, str], list[int]]] = {"mended": {}, "still_wrong": {}, "discarded": {}}
    bad = {place[:3] for place in wrong}
    for part in parts:
        for number in part.rows:
            outcome = "still_wrong" if (part.file, part.sheet, number) in bad else "mended"
            places[outcome].setdefault((part.file, part.sheet), []).append(number)
    for row in discarded:
        places["discarded"].setdefault((row.file, row.sheet), []).append(row.row_no)
    told: dict[str, dict[str, dict[str, str]]] = {}
    for outcome, found in places.items():
        for (file, sheet), numbers in found.items():
            told.setdefault(outcome, {}).setdefault(file, {})[sheet] = runs(numbers)
    return told


def _said(name: str, **values: object) -> dict[str, str]:
    return {lang: sentence.format(**values) for lang, sentence in words()["result"][name].items()}


def _message(sheet: ReturnSheet, found: Sorted, done: Resubmission, notes: Sequence[dict[str, str]]) -> dict[str, str]:
    parts = [_said("done", file=done.file, rows=done.rows, **done.counts)]
    if not found.again and not found.discarded:
        parts.append(_said("nothing"))
    for name in ("foreign", "altered", "repeated", "strangers", "undecided", "beyond"):
        if places := found.left.get(name):
            shown = "、".join(f"{title} {runs(rows)}" for title, rows in _by_sheet(places[:MOST_PLACES_NAMED]).items())
            more = "…" if len(places) > MOST_PLACES_NAMED else ""
            parts.append(_said(name, count=len(places), where=shown + more, **words()["decisions"]))
    if sheet.unknown_columns:
        parts.append(_said("unknown_columns", columns="、".join(sheet.unknown_columns)))
    parts += notes
    return {"zh": "".join(part["zh"] for part in parts), "en": " ".join(part["en"] for part in parts)}


def _by_sheet(places: Sequence[tuple[str, int]]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for title, number in places:
        found.setdefault(title, []).append(number)
    return found
