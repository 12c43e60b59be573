"""A store made anew from its received files: every batch read again in its order, at its recorded time, by its actor.

The control log says what was handed in, when and by whom; the segments are made anew from the bytes in the inbox. A
batch that no file can bring back (a redacted file, a decision on a screen) is carried over from the old segments where
they are sound, and otherwise stands empty under its number, so that every later batch and every frozen board keeps its
own. Nothing of this is silent.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import duckdb
import sqlalchemy as sa

from warehouse import history
from warehouse.base.errors import CockpitError, StoreError
from warehouse.control import BATCH, COUNTS, HISTORY, METADATA, SegmentRow, from_iso
from warehouse.corrections import Advice, Corrections
from warehouse.declared import Declared
from warehouse.durable import keep_copy, sha256_of
from warehouse.ingest import load, scratch
from warehouse.reach import EVERYTHING, Reach
from warehouse.segment import seal
from warehouse.store import STORE_ID, Store
from warehouse.withdrawal import KIND as WITHDRAWAL
from warehouse.withdrawal import withdraw

Progress = Callable[[str], None]
Row = Mapping[str, Any]
How = Literal["carried", "lost", "other"]
MADE = frozenset({"batch", "segment", "generation", "store_meta", "turn", "alembic_version"})
"""Tables that the replay makes itself; the records of all others are taken over when it is done."""


@dataclass(frozen=True)
class Remark:
    """A batch that its received file did not bring back as it was."""

    batch_seq: int
    file: str
    how: How
    """carried = its rows were taken from the old segments; lost = it is empty now; other = the file reads otherwise now."""
    why: str


@dataclass(frozen=True)
class Replay:
    """What was made anew."""

    store: str
    through_seq: int
    replayed: int
    remarks: tuple[Remark, ...]

    def as_json(self) -> dict[str, Any]:
        """Return plain values for printing."""
        return asdict(self)


def replay(old: Store, new: Store, *, progress: Progress | None = None) -> Replay:
    """Make a new store from the received files of another. Does not publish; the old store is only read."""
    if new.exists:
        raise StoreError(f"{new.path} already holds a store.", "name an empty folder")
    batches, receipts = old.control.batches(), _by_batch(old)
    new.create()
    new.control.set_meta({key: value for key, value in old.control.meta().items() if key != STORE_ID})
    found: list[Remark] = []
    for number, batch in enumerate(batches, 1):
        if progress:
            progress(f"{number}/{len(batches)} {batch['file_name']}")
        remark = _bring_back(old, new, batch, receipts[batch["batch_seq"]])
        if remark is not None:
            found.append(remark)
    for file in old.inbox.glob("*"):
        if not file.suffix:
            keep_copy(file, new.inbox)
    _take_over(old, new)
    return Replay(str(new.path), new.control.last()[0], len(batches) - len(found), tuple(found))


def _by_batch(old: Store) -> dict[int, Row]:
    return {row["batch_seq"]: row for row in old.control.receipts(limit=None) if row["batch_seq"] is not None}


def _bring_back(old: Store, new: Store, batch: Row, receipt: Row) -> Remark | None:
    """Make one batch anew; it has its old number afterwards, whatever happened."""
    seq = batch["batch_seq"]
    why = _obstacle(old, batch)
    if why is None:
        try:
            _again(old, new, batch, receipt)
        except CockpitError as fault:
            why = fault.message
    if new.control.last()[0] == seq:
        made = new.control.batches()[-1]
        if all(made[name] == batch[name] for name in COUNTS):
            if made["declared"] == batch["declared"]:
                return None
            return _remark(batch, "other", f"declared {batch['declared'] or '-'} → {made['declared'] or '-'}")
        return _remark(batch, "other", f"{_counted(batch)} → {_counted(made)}")
    return _carry(old, new, batch, receipt, why or "the file changes nothing now")


def _obstacle(old: Store, batch: Row) -> str | None:
    """Say why a batch cannot be made from a received file."""
    if batch["kind"] in ("defaults", WITHDRAWAL):
        return None
    if batch["kind"] != "load" or not batch["file_sha"]:
        return f"a batch of kind '{batch['kind']}' has no file of its own"
    file = old.inbox / batch["file_sha"]
    if not file.is_file():
        return "the received file is gone"
    if sha256_of(file) != batch["file_sha"]:
        return "the received file was altered"
    parts = PurePosixPath(batch["file_name"]).parts
    return "its name leads out of its folder" if ".." in parts or parts[:1] == ("/",) else None


def _again(old: Store, new: Store, batch: Row, receipt: Row) -> None:
    moment = from_iso(receipt["loaded_at"])
    if batch["kind"] == WITHDRAWAL:
        withdraw(new, batch["withdraws"], why=batch["why"], actor=batch["recorded_by"], clock=lambda: moment)
        return
    if batch["kind"] == "defaults":
        load(new, [], clock=lambda: moment)
        return
    with _handed_in(old, new, batch, receipt) as folder:
        units = Declared.parse(batch["declared"]).units  # who declared for some speaks for those again, for nobody else
        reach = EVERYTHING if units is None else Reach(frozenset(units))
        advice = Advice(Corrections.parse(receipt["message"].get("corrections")), reach)
        load(new, [folder], actor=batch["recorded_by"], clock=lambda: moment, advice=advice)


@contextlib.contextmanager
def _handed_in(old: Store, new: Store, batch: Row, receipt: Row) -> Iterator[Path]:
    """Lay a received file under its name, with a manifest that says what was declared of it then."""
    folder = new.path / "replay"
    file = folder / batch["file_name"]
    file.parent.mkdir(parents=True)
    try:
        try:
            os.link(old.inbox / batch["file_sha"], file)
        except OSError:
            shutil.copyfile(old.inbox / batch["file_sha"], file)
        (folder / "manifest.toml").write_text(_manifest(batch, receipt), encoding="utf-8")
        yield folder
    finally:
        shutil.rmtree(folder)


def _manifest(batch: Row, receipt: Row) -> str:
    lines = ["[[file]]", f"path = {json.dumps(batch['file_name'])}", f"recorded_at = '{batch['recorded_at']}'"]
    if receipt["declared_source"]:
        lines.append(f"source = {json.dumps(receipt['declared_source'])}")
    if receipt["span_from"] is not None:
        lines += [f"period_from = '{_month(receipt['span_from'])}'", f"period_to = '{_month(receipt['span_to'] - 1)}'"]
    if receipt["portion"]:
        lines.append(f"portion = '{receipt['portion']}'")
    return "\n".join(lines) + "\n"


def _month(number: int) -> str:
    return f"{number // 12:04d}-{number % 12 + 1:02d}"


# --- what no file brings back -----------------------------------------------------------------------------------------


def _carry(old: Store, new: Store, batch: Row, receipt: Row, why: str) -> Remark:
    """Take the rows of a batch from the old segments; where they are damaged too, keep its number empty."""
    segments, counts = list[SegmentRow](), dict.fromkeys(COUNTS, 0)
    try:
        with new.writing(), contextlib.closing(scratch(new)) as con:
            segments = _rows_of(con, old, new, batch)
    except (StoreError, duckdb.Error) as fault:
        why = f"{why}; {str(fault).splitlines()[0]}"
    how: How = "carried" if segments or not batch["delta_rows"] else "lost"
    row = {column.name: batch[column.name] for column in BATCH.columns}
    told = {key: receipt[key] for key in receipt if key != "receipt_id"}
    told["message"] = json.dumps(receipt["message"], ensure_ascii=False)
    told["counts"] = json.dumps(receipt["counts"] if how == "carried" else counts)
    new.control.commit(told, row if how == "carried" else row | counts, segments, ())
    return _remark(batch, how, why)


def _rows_of(con: duckdb.DuckDBPyConnection, old: Store, new: Store, batch: Row) -> list[SegmentRow]:
    seq, made = batch["batch_seq"], []
    if not batch["delta_rows"]:
        return []
    standing = [
        one for one in old.control.segments() if one.batch_seq == seq or (one.kind == HISTORY and one.batch_seq > seq)
    ]
    for dataset in sorted({one.dataset for one in standing}):
        segments = [one for one in standing if one.dataset == dataset]
        if damaged := [one.path for one in segments if not _is_sound(old, one)]:
            raise StoreError(f"the segment {damaged[0]} is damaged")
        rows = f"SELECT * FROM ({history.signed(old.segments, segments)}) WHERE batch_seq = {seq}"
        if con.execute(f"SELECT 1 FROM ({rows}) LIMIT 1").fetchone():
            restates = con.execute(f"SELECT 1 FROM ({rows}) WHERE n = -1 LIMIT 1").fetchone() is not None
            made.append(seal(con, dataset, seq, rows, new.segments, new.tmp, restates=restates))
    if sum(one.rows for one in made) != batch["delta_rows"]:
        raise StoreError(f"the old segments hold other rows of batch {seq} than its log says")
    return made


def _is_sound(old: Store, segment: SegmentRow) -> bool:
    file = old.segments / segment.path
    return file.is_file() and sha256_of(file) == segment.sha256


def _take_over(old: Store, new: Store) -> None:
    """Receipts, rows set aside, frozen boards, warnings: records that are no rows of a file come as they are."""
    with old.control.engine.connect() as source, new.control.engine.begin() as target:
        for table in METADATA.sorted_tables:
            if table.name in MADE:
                continue
            target.execute(sa.delete(table))
            for rows in source.execute(sa.select(table)).partitions(1000):
                target.execute(sa.insert(table), [dict(row._mapping) for row in rows])


def _remark(batch: Row, how: How, why: str) -> Remark:
    return Remark(batch["batch_seq"], batch["file_name"], how, why)


def _counted(batch: Row) -> str:
    return ", ".join(f"{name} {batch[name]}" for name in COUNTS if batch[name])


def unlike(replayed: Sequence[Remark]) -> bool:
    """Tell whether some batch does not say what it said before."""
    return any(one.how != "carried" for one in replayed)
