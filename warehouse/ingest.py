"""From a received file to a committed batch: read → recognise → stage → check → quarantine → deltas → commit.

A file is acknowledged when its segment is flushed and named and the control log has committed. Everything before
that leaves no trace that a reader could see.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib import resources
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
from sqlalchemy.engine import Connection

from warehouse import quarantine
from warehouse.base.clock import DEFAULT_ZONE, Clock, system_clock
from warehouse.base.errors import RefusedInput, StoreError, UnknownName
from warehouse.base.periods import FISCAL_START, month_of
from warehouse.base.workdays import COUNTRY, DEFAULT_COUNTRY
from warehouse.belonging import Hand
from warehouse.contracts import Contract, normalise_label
from warehouse.control import SegmentRow, iso, withdrawn
from warehouse.corrections import NO_ADVICE, Advice
from warehouse.declared import declared_by, is_news, is_nil_report
from warehouse.deltas import compare, good_rows, write_segment
from warehouse.directory import NAMING, REGISTER, read_directory
from warehouse.draft import Draft
from warehouse.durable import copy_aside
from warehouse.held import Held
from warehouse.layout import keep_layouts
from warehouse.log_rows import batch_row, receipt_row
from warehouse.manifest import Delivery, gather
from warehouse.organisations import Directory
from warehouse.portion import not_waiting
from warehouse.protection.shield import Kept, check_entries, noted, recount, shield, without
from warehouse.protection.watch import Suspicious, watch
from warehouse.readers.faults import Fault, ReadRefused
from warehouse.readers.messages import message
from warehouse.readers.raw import NoRows, RawTable
from warehouse.readers.signatures import recognise
from warehouse.readers.tables import read_tables
from warehouse.receipts import FileReport, already, outcome_text
from warehouse.recognition import contract_of
from warehouse.recovery import recover
from warehouse.returns import words
from warehouse.store import Store, connect
from warehouse.tracks.passing import take_positions
from warehouse.understanding import Understood, compare_with_known, stage_tables, understand

Progress = Callable[[str], None]
Note = Callable[[Connection, int, int | None], None]
UNFORESEEN = (duckdb.InvalidInputException, duckdb.ConversionException, duckdb.OutOfRangeException, pa.ArrowInvalid)
"""What a value nobody thought of provokes in the libraries: a fault of ours that ends this file, not the whole load."""
STAGING = "1GB"
"""What the database may hold of a file; the process around it needs up to as much again, 2 GB together."""

log = logging.getLogger(__name__)

DEFAULTS_AT = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass
class Loader:
    """One load job: the open scratch connection and the organisations known so far."""

    store: Store
    actor: str
    clock: Clock
    con: duckdb.DuckDBPyConnection
    contracts: Mapping[str, Contract]
    copier: ThreadPoolExecutor
    directory: Directory | None = None
    labels: frozenset[str] = field(default_factory=frozenset)
    moment: dt.datetime = DEFAULTS_AT
    """When files that do not say it became known: one moment for the whole call."""
    tables: dict[Path, tuple[RawTable, ...]] = field(default_factory=dict)
    note: Note | None = None
    """What is written in the transaction that takes a file, given the numbers of its receipt and of its batch."""
    trusted: set[Path] = field(default_factory=set)
    """Files that were looked through for what must not be kept."""

    def read(self, delivery: Delivery) -> tuple[RawTable, ...]:
        """Return the tables of a file, read once."""
        tables = self.tables.pop(delivery.path, ()) or self._tables(delivery)
        if any(words()["heads"]["identity"] in table.labels for table in tables):
            raise ReadRefused(Fault("return_sheet", delivery.name))
        if delivery.path in self.trusted:
            return tables
        return watch(delivery.path, delivery.name, recognise(delivery.path, delivery.name), tables, self.contracts)

    def _tables(self, delivery: Delivery) -> tuple[RawTable, ...]:
        try:
            return read_tables(delivery.path, self.knows, name=delivery.name, zone=self.zone)
        except NoRows as nothing:
            if not is_nil_report(self.contracts, delivery, nothing.tables):
                raise
            return nothing.tables

    @cached_property
    def held(self) -> Held:
        """What is known, as far as files of this load asked for it."""
        return Held(self.con)

    @cached_property
    def zone(self) -> str:
        """The time zone whose clock the store goes by."""
        return self.store.control.meta().get("timezone", DEFAULT_ZONE)

    def order(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        """Return deliveries of one moment with the registers others lean on first; the rest keeps its order."""
        undated = [d for d in deliveries if d.recorded_at is None and d.readable]
        if len(undated) < 2:
            return list(deliveries)
        ranks = {delivery.path: self._rank(delivery) for delivery in undated}
        return sorted(deliveries, key=lambda d: (d.recorded_at or self.moment, ranks.get(d.path, 2)))

    def _rank(self, delivery: Delivery) -> int:
        try:
            self.tables[delivery.path] = read_tables(delivery.path, self.knows, name=delivery.name, zone=self.zone)
            contract = contract_of(self.contracts, delivery, self.tables[delivery.path])
        except ReadRefused:
            self.tables.pop(delivery.path, None)
            return 3
        return 0 if contract.name == REGISTER else 1 if contract.name in NAMING or contract.is_reference else 2

    def knows(self, label: str) -> bool:
        """Tell whether some contract knows a normalised label."""
        if not self.labels:
            self.labels = frozenset(text for contract in self.contracts.values() for text in contract.labels)
        return normalise_label(label) in self.labels

    @cached_property
    def withdrawn(self) -> frozenset[int]:
        """The batches that are withdrawn; the lock keeps them the same while a load goes on."""
        return withdrawn(self.store.control.batches())

    def units(self) -> Directory:
        """Return the organisations as known now."""
        if self.directory is None:
            self.directory = read_directory(self.con, self.store)
        return self.directory


def load(
    store: Store,
    paths: Iterable[Path],
    *,
    source: str | None = None,
    recorded_at: dt.datetime | None = None,
    actor: str = "local",
    clock: Clock = system_clock,
    progress: Progress | None = None,
    advice: Advice = NO_ADVICE,
    span: tuple[int, int] | None = None,
) -> list[FileReport]:
    """Load files in the order they became known; each file is committed on its own. Does not publish.

    `span` are the months they cover, where the one who hands them in says it; a manifest says it for each file.
    """
    handover = gather(paths, source, recorded_at, span).advised(advice)
    if source is not None and source not in store.contracts:
        raise UnknownName("source", source, store.contracts)
    store.create()
    with (
        store.writing(tell=progress),
        contextlib.closing(scratch(store)) as con,
        ThreadPoolExecutor(max_workers=1) as copier,
    ):
        recover(store)
        _agree_on_store(store, handover.store)
        loader = Loader(store, actor, clock, con, store.contracts, copier)
        load_defaults(loader)
        last_at = store.control.last()[1]
        loader.moment = max(clock(), last_at) if last_at else clock()
        reports = []
        deliveries = loader.order(handover.deliveries)
        for number, delivery in enumerate(deliveries, 1):
            if progress:
                progress(f"{number}/{len(deliveries)} {delivery.name}")
            reports.append(load_file(loader, delivery))
    return reports


def scratch(store: Store) -> duckdb.DuckDBPyConnection:
    """Open the in-memory database a file is staged in; what does not fit goes to the disk, however large the file."""
    return connect(spill=store.tmp, memory=STAGING)


def _agree_on_store(store: Store, declared: Mapping[str, str]) -> None:
    """Take the manifest's facts on first load; afterwards a store stays real or simulated."""
    meta = store.control.meta()
    origin = declared.get("origin", meta.get("origin", "real"))
    if origin not in ("real", "simulated"):
        raise RefusedInput(f"The origin '{origin}' is unknown.", "write origin = 'real' or origin = 'simulated'")
    if "origin" in meta and meta["origin"] != origin:
        raise RefusedInput(
            f"This store holds {meta['origin']} data; the files are {origin}.", "load them into a store of their own"
        )
    held = {FISCAL_START: meta.get(FISCAL_START, "1"), COUNTRY: meta.get(COUNTRY, DEFAULT_COUNTRY)}
    for key, value in held.items():
        if "origin" in meta and declared.get(key, value) != value:
            raise RefusedInput(
                f"This store has {key} = {value}; the files say {declared[key]}.", "load them into a store of their own"
            )
    fresh = {"origin": origin, "currency": "CNY", "timezone": DEFAULT_ZONE, "name_zh": "", "name_en": "", **declared}
    store.control.set_meta({key: value for key, value in fresh.items() if key not in meta})


def load_defaults(loader: Loader) -> None:
    """Write the reference tables shipped with the package as batch 0, known since ever."""
    last, _ = loader.store.control.last()
    if last >= 0:
        return
    segments = []
    folder = resources.files("warehouse") / "reference"
    counts: Counter[str] = Counter()
    for contract in loader.contracts.values():
        entry = folder / f"{contract.name}.csv"
        if not contract.is_reference or not entry.is_file():
            continue
        with resources.as_file(entry) as path:
            staged, _ = stage_tables(loader, contract, Delivery(path, path.name), read_tables(path, loader.knows))
        faults = loader.con.execute("SELECT row_no, column_name, code, value FROM faults").fetchall()
        if faults:
            raise StoreError(f"The shipped reference table {contract.name} has faults: {faults[:5]}.")
        good_rows(loader.con, contract)
        change = compare(loader.con, contract, known=False, quarantined=0, span=None)
        segments.append(_segment(loader, contract, 0, f"{contract.name}.csv", staged.sheets))
        counts.update(rows_in=staged.rows_in, accepted=change.accepted, delta_rows=change.delta_rows)
    batch = batch_row(loader, "reference", "defaults", "", 0, DEFAULTS_AT, segments, counts)
    receipt = receipt_row(
        loader, Delivery(Path(), "defaults"), "", "reference", DEFAULTS_AT, "committed", counts, {}, 0
    )
    loader.store.control.commit(receipt, batch, segments, ())


def load_file(loader: Loader, delivery: Delivery) -> FileReport:
    """Take one file from its bytes to a committed batch, a receipt of no change, or a refusal with all its faults."""
    if not delivery.readable:
        ignored = Fault("ignored_file", delivery.name)
        text = {lang: message(ignored, lang) for lang in ("zh", "en")}
        return FileReport(delivery.name, None, None, "ignored", {}, text)
    control = loader.store.control
    # the copy is hashed, written and flushed while the file is read
    kept = Kept(loader.copier.submit(copy_aside, delivery.path, loader.store.inbox), loader.store.inbox)
    moment = delivery.recorded_at
    _, last_at = control.last()
    now = loader.clock()
    # what was taken before something newer is history; only a file of the newest moment can still change anything
    if moment is not None and last_at is not None and moment < last_at:
        seen = control.delivered(kept.sha(), moment, delivery.source)
        if seen is not None:
            kept.drop()
            return already(delivery, seen, is_withdrawn=seen["batch_seq"] in loader.withdrawn)
    moment = moment or loader.moment
    try:
        _check_time(delivery, moment, last_at, now)
        return _take(loader, delivery, kept, moment)
    except ReadRefused as refusal:
        return _refuse(loader, delivery, kept, moment, refusal.faults)
    except Suspicious:
        return _take_cleaned(loader, delivery, kept, moment)


def _take(loader: Loader, delivery: Delivery, kept: Kept, moment: dt.datetime) -> FileReport:
    """Read a file and commit what it says; raises `ReadRefused`, or `Suspicious` before anything is kept."""
    with Draft.beside(loader.store.tmp, loader.store.control, delivery.name) as draft:
        try:
            understood = understand(loader, delivery, draft)
        except UNFORESEEN as error:
            log.exception("%s could not be read", delivery.name)
            raise ReadRefused(Fault("unforeseen", delivery.name, value=str(error).splitlines()[0])) from error
        return _commit_file(loader, delivery, kept, moment, understood)


def _take_cleaned(loader: Loader, delivery: Delivery, kept: Kept, moment: dt.datetime) -> FileReport:
    """Take a file without what must not be kept; where nothing of the kind is found, as it is."""
    clean = None
    try:
        tables = read_tables(delivery.path, loader.knows, name=delivery.name)
        clean = shield(delivery, tables, contract_of(loader.contracts, delivery, tables), kept, loader.store.tmp)
        if clean is None and kept.received_sha is not None:
            raise ReadRefused(Fault("classified_file" if kept.removed else "unsearchable", delivery.name))
        again = replace(delivery, path=clean or delivery.path)
        loader.trusted.add(again.path)
        return _take(loader, again, kept, moment)
    except ReadRefused as refusal:
        return _refuse(loader, delivery, kept, moment, refusal.faults)
    finally:
        if clean is not None:
            clean.unlink(missing_ok=True)


def _check_time(delivery: Delivery, moment: dt.datetime, last_at: dt.datetime | None, now: dt.datetime) -> None:
    if last_at is not None and moment < last_at:
        raise ReadRefused(Fault("recorded_too_early", delivery.name, value=iso(moment), hint=iso(last_at)))
    # a machine whose clock stepped back goes on from the last moment it recorded
    if moment > max(now, last_at or now):
        raise ReadRefused(Fault("recorded_in_future", delivery.name, value=iso(moment), hint=iso(now)))


def _commit_file(
    loader: Loader, delivery: Delivery, kept: Kept, moment: dt.datetime, understood: Understood
) -> FileReport:
    if understood.contract.is_passing:
        return take_positions(loader, delivery, kept.result(), moment, understood, loader.actor)
    con, control = loader.con, loader.store.control
    contract, staged = understood.contract, understood.staged
    recount(understood, kept.removed)
    found = compare_with_known(loader, delivery, understood)
    change, entries, counts = found.change, found.entries, found.counts
    if delivery.path not in loader.trusted:
        check_entries(entries, contract)
    waiting = control.quarantine(dataset=contract.name)
    within = Hand.of(control, delivery.advice.reach, loader.actor).closable(contract, waiting)
    mended = quarantine.mended(con, contract, within, understood.tables, entries)
    last, _ = control.last()
    sha = kept.result()
    segments: list[SegmentRow] = []
    batch = None
    status = "unchanged" if change.unchanged or not counts["quarantined"] else "refused"
    declared = declared_by(con, contract, delivery, understood.tables, entries, month_at(loader, moment))
    if change.delta_rows:
        if staged.draft is not None and found.is_drafted:  # from here on the rows are read in the segment alone
            segments = [staged.draft.seal(con, contract, loader.store.segments, last + 1)]
        else:
            segments = [_segment(loader, contract, last + 1, delivery.name, staged.sheets)]
    if segments or (declared.months and is_news(control.batches(), contract.name, declared)):
        status = "committed"
        batch = batch_row(loader, contract.name, delivery.name, sha, last + 1, moment, segments, counts, declared)
    text = noted(outcome_text(contract, counts, staged, entries) | delivery.advice.as_text(), kept.removed)
    seq = batch["batch_seq"] if batch else None
    receipt = receipt_row(loader, delivery, sha, contract.name, moment, status, counts, text, seq)
    receipt["received_sha"] = kept.received_sha
    if entries:
        layouts = quarantine.layouts_of(understood.tables, [delivery.span] * len(understood.tables))
        keep_layouts(control.engine, layouts)
    entries = not_waiting(entries, waiting, delivery.portion)
    note = loader.note
    also = None if note is None else lambda con, receipt_id: note(con, receipt_id, seq)
    control.commit(receipt, batch, segments, entries, mended, also=also)
    if contract.name in NAMING:
        loader.directory = None
    return FileReport(delivery.name, contract.name, seq, status, counts, text)


def month_at(loader: Loader, moment: dt.datetime) -> int:
    """The month it is where the store lies; the months before it are over."""
    return month_of(moment.astimezone(ZoneInfo(loader.zone)).date())


def _segment(loader: Loader, contract: Contract, seq: int, name: str, sheets: Sequence[str]) -> SegmentRow:
    return write_segment(loader.con, contract, loader.store.segments, loader.store.tmp, seq, name, sheets)


def _refuse(loader: Loader, delivery: Delivery, kept: Kept, moment: dt.datetime, faults: Sequence[Fault]) -> FileReport:
    if kept.received_sha is None and (clean := shield(delivery, (), None, kept, loader.store.tmp)):
        clean.unlink()
    named = [without(fault if fault.file else replace(fault, file=delivery.name)) for fault in faults]
    text = {
        "zh": " ".join(message(fault, "zh") for fault in named),
        "en": " ".join(message(fault, "en") for fault in named),
        "codes": sorted({fault.code for fault in named}),
    }
    text = noted(text, kept.removed)
    receipt = receipt_row(loader, delivery, kept.result(), delivery.source, moment, "refused", {}, text, None)
    receipt["received_sha"] = kept.received_sha
    loader.store.control.commit(receipt, None, (), ())
    return FileReport(delivery.name, delivery.source, None, "refused", {}, text)
