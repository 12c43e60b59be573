"""The control log: what is loaded, when it became known, what was set aside. The only mutable truth of a store.

Tables are SQLAlchemy Core; SQLite (WAL, synchronous=FULL) by default, PostgreSQL where several machines share a store.
Statements are written so that both mean the same. `batch_seq` is the one clock of visibility:
it grows by one with every committed batch, and `recorded_at` never runs backwards.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from warehouse.base.errors import StoreError
from warehouse.postgres import Address, open_engine
from warehouse.sqlite import file_engine
from warehouse.turns import Turns

METADATA = sa.MetaData()

STORE_ID = "store_id"
"""Key of the store's own name among its facts: given once, kept by every backup."""

STORE_META = sa.Table(
    "store_meta",
    METADATA,
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("value", sa.String, nullable=False),
)

BATCH = sa.Table(
    "batch",
    METADATA,
    sa.Column("batch_seq", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("dataset", sa.String, nullable=False, index=True),
    sa.Column("file_name", sa.String, nullable=False),
    sa.Column("file_sha", sa.String, nullable=False),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("origin", sa.String, nullable=False),
    sa.Column("recorded_at", sa.String, nullable=False),
    sa.Column("recorded_by", sa.String, nullable=False),
    sa.Column("committed_at", sa.String, nullable=False),
    sa.Column("period_from", sa.Integer),
    sa.Column("period_to", sa.Integer),
    sa.Column("rows_in", sa.Integer, nullable=False),
    sa.Column("accepted", sa.Integer, nullable=False),
    sa.Column("unchanged", sa.Integer, nullable=False),
    sa.Column("quarantined", sa.Integer, nullable=False),
    sa.Column("skipped", sa.Integer, nullable=False),
    sa.Column("removed", sa.Integer, nullable=False),
    sa.Column("delta_rows", sa.Integer, nullable=False),
    sa.Column("withdraws", sa.Integer),
    sa.Column("why", sa.String),
    sa.Column("declared", sa.String),
)

SEGMENT = sa.Table(
    "segment",
    METADATA,
    sa.Column("path", sa.String, primary_key=True),
    sa.Column("dataset", sa.String, nullable=False, index=True),
    sa.Column("batch_seq", sa.Integer, nullable=False),
    sa.Column("from_m", sa.Integer, nullable=False),
    sa.Column("to_m", sa.Integer, nullable=False),
    sa.Column("rows", sa.BigInteger, nullable=False),
    sa.Column("bytes", sa.BigInteger, nullable=False),
    sa.Column("sha256", sa.String, nullable=False),
    sa.Column("kind", sa.String, nullable=False, server_default="delta"),
    sa.Column("valid_from_seq", sa.Integer),
    sa.Column("valid_to_seq", sa.Integer),
    sa.Column("replaced_at", sa.String),
)

RECEIPT = sa.Table(
    "receipt",
    METADATA,
    sa.Column("receipt_id", sa.Integer, primary_key=True),
    sa.Column("file_name", sa.String, nullable=False),
    sa.Column("file_sha", sa.String, nullable=False, index=True),
    sa.Column("dataset", sa.String),
    sa.Column("recorded_at", sa.String, nullable=False),
    sa.Column("loaded_at", sa.String, nullable=False),
    sa.Column("actor", sa.String, nullable=False),
    sa.Column("status", sa.String, nullable=False),
    sa.Column("batch_seq", sa.Integer),
    sa.Column("counts", sa.String, nullable=False),
    sa.Column("message", sa.String, nullable=False),
    sa.Column("declared_source", sa.String),
    sa.Column("span_from", sa.Integer),
    sa.Column("span_to", sa.Integer),
    sa.Column("portion", sa.String),
    sa.Column("received_sha", sa.String),
)

QUARANTINE = sa.Table(
    "quarantine",
    METADATA,
    sa.Column("entry_id", sa.Integer, primary_key=True),
    sa.Column("receipt_id", sa.Integer, nullable=False),
    sa.Column("dataset", sa.String, nullable=False, index=True),
    sa.Column("file_name", sa.String, nullable=False),
    sa.Column("sheet", sa.String, nullable=False),
    sa.Column("row_no", sa.Integer, nullable=False),
    sa.Column("column_name", sa.String),
    sa.Column("code", sa.String, nullable=False),
    sa.Column("value", sa.String),
    sa.Column("hint", sa.String),
    sa.Column("raw", sa.String, nullable=False),
    sa.Column("row_hash", sa.String, nullable=False, index=True),
    sa.Column("row_key", sa.String),
    sa.Column("opened_at", sa.String, nullable=False),
    sa.Column("closed_by", sa.Integer),
    sa.Column("unit", sa.String),
    sa.Column("month", sa.Integer),
    sa.Column("layout", sa.String),
)
_ONE_OPEN_COLUMNS = ("dataset", "file_name", "sheet", "row_no", "row_hash", "code", "column_name")
sa.Index(
    "one_open_entry",
    *(QUARANTINE.c[name] for name in _ONE_OPEN_COLUMNS),
    unique=True,
    sqlite_where=QUARANTINE.c.closed_by.is_(None),
    postgresql_where=QUARANTINE.c.closed_by.is_(None),
)

LAYOUT = sa.Table(
    "quarantine_layout",
    METADATA,
    sa.Column("layout", sa.String, primary_key=True),
    sa.Column("content", sa.String, nullable=False),
)

GENERATION = sa.Table(
    "generation",
    METADATA,
    sa.Column("gen", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("through_seq", sa.Integer, nullable=False),
    sa.Column("file", sa.String, nullable=False),
    sa.Column("catalogue", sa.String, nullable=False),
    sa.Column("built_at", sa.String, nullable=False),
    sa.Column("bytes", sa.BigInteger),
    sa.Column("sha256", sa.String),
)

TURN = sa.Table(
    "turn",
    METADATA,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("taken_by", sa.String, nullable=False),
)

_ONE_ENTRY = sa.update(QUARANTINE).where(QUARANTINE.c.entry_id == sa.bindparam("entry"))
"""One at a time: a statement takes only so many values."""

_WAITING = QUARANTINE.alias("waiting")
_REOPEN = _ONE_ENTRY.values(closed_by=None).where(
    ~sa.exists().where(
        _WAITING.c.closed_by.is_(None),
        *(_WAITING.c[name] == QUARANTINE.c[name] for name in _ONE_OPEN_COLUMNS),
    )
)

COUNTS = ("rows_in", "accepted", "unchanged", "quarantined", "skipped", "removed", "delta_rows")


DELTA, HISTORY = "delta", "history"
"""What a segment holds: the signed rows of one batch, or every version of many batches' rows."""


@dataclass(frozen=True)
class SegmentRow:
    """One immutable Parquet file, as the manifest knows it; read from `valid_from_seq` until it is replaced."""

    path: str
    dataset: str
    batch_seq: int
    from_m: int
    to_m: int
    rows: int
    bytes: int
    sha256: str
    kind: str = DELTA
    valid_from_seq: int | None = None
    valid_to_seq: int | None = None
    replaced_at: str | None = None


def iso(moment: dt.datetime) -> str:
    """Write an instant as sortable UTC text with microseconds."""
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def from_iso(text: str) -> dt.datetime:
    """Read what `iso` wrote."""
    return dt.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=dt.UTC)


def withdrawn(batches: Iterable[Mapping[str, Any]]) -> frozenset[int]:
    """Return the numbers of the batches that are withdrawn."""
    return frozenset(batch["withdraws"] for batch in batches if batch["withdraws"] is not None)


class Control:
    """Reads and writes the control log of one store."""

    def __init__(self, place: Path | Address) -> None:
        self.place = place
        self.engine = open_engine(place) if isinstance(place, Address) else file_engine(place)
        self.turns = Turns(self.engine, TURN, RECEIPT, str(place))

    def close(self) -> None:
        """Give up the pooled connections."""
        self.engine.dispose()

    def meta(self) -> dict[str, str]:
        """Return what the store says about itself: origin, currency, time zone, names."""
        with self.engine.connect() as con:
            return {row.key: row.value for row in con.execute(sa.select(STORE_META))}

    def set_meta(self, values: Mapping[str, str]) -> None:
        """Write store facts; existing keys are replaced."""
        with self.engine.begin() as con:
            for key, value in values.items():
                con.execute(sa.delete(STORE_META).where(STORE_META.c.key == key))
                con.execute(sa.insert(STORE_META).values(key=key, value=value))

    def name_store(self, name: str) -> None:
        """Give the store its name, unless it has one."""
        if STORE_ID in self.meta():
            return
        with self.engine.begin() as con:
            con.execute(_insert_new(con, STORE_META), [{"key": STORE_ID, "value": name}])

    def last(self) -> tuple[int, dt.datetime | None]:
        """Return the number and recorded time of the last batch that is not a package default."""
        with self.engine.connect() as con:
            row = con.execute(
                sa.select(BATCH.c.batch_seq, BATCH.c.recorded_at).order_by(BATCH.c.batch_seq.desc()).limit(1)
            ).first()
        if row is None:
            return -1, None
        return row.batch_seq, None if row.batch_seq == 0 else from_iso(row.recorded_at)

    def segments(self, dataset: str | None = None, *, replaced: bool = False) -> list[SegmentRow]:
        """Return the manifest, oldest first; with `replaced` also what a rebase replaced and still lies on the disk."""
        query = sa.select(SEGMENT).order_by(SEGMENT.c.batch_seq, SEGMENT.c.path)
        if not replaced:
            query = query.where(SEGMENT.c.valid_to_seq.is_(None))
        if dataset is not None:
            query = query.where(SEGMENT.c.dataset == dataset)
        with self.engine.connect() as con:
            return [SegmentRow(**row._mapping) for row in con.execute(query)]

    def batches(self) -> list[dict[str, Any]]:
        """Return every batch, oldest first."""
        with self.engine.connect() as con:
            return [dict(row._mapping) for row in con.execute(sa.select(BATCH).order_by(BATCH.c.batch_seq))]

    def receipts(self, limit: int | None = 1000) -> list[dict[str, Any]]:
        """Return what was handed in, newest first, also what changed nothing or was refused."""
        with self.engine.connect() as con:
            rows = con.execute(sa.select(RECEIPT).order_by(RECEIPT.c.receipt_id.desc()).limit(limit))
            return [
                {**row._mapping, "counts": json.loads(row.counts), "message": json.loads(row.message)} for row in rows
            ]

    def delivered(self, sha: str, recorded_at: dt.datetime, dataset: str | None) -> dict[str, Any] | None:
        """Return the receipt of the same bytes handed in for the same source at the same recorded time, taken or refused."""
        query = (
            sa.select(RECEIPT)
            .where(sa.or_(RECEIPT.c.file_sha == sha, RECEIPT.c.received_sha == sha))
            .where(RECEIPT.c.recorded_at == iso(recorded_at))
            .where(RECEIPT.c.status.in_(("committed", "unchanged", "refused")))
            .order_by(RECEIPT.c.receipt_id.desc())
        )
        if dataset is not None:
            query = query.where(RECEIPT.c.dataset == dataset)
        with self.engine.connect() as con:
            row = con.execute(query.limit(1)).first()
        return None if row is None else {**row._mapping, "counts": json.loads(row.counts)}

    def quarantine(self, open_only: bool = True, dataset: str | None = None) -> list[dict[str, Any]]:
        """Return rows kept aside, in file order."""
        query = sa.select(QUARANTINE).order_by(QUARANTINE.c.entry_id)
        if dataset is not None:
            query = query.where(QUARANTINE.c.dataset == dataset)
        if open_only:
            query = query.where(QUARANTINE.c.closed_by.is_(None))
        with self.engine.connect() as con:
            return [dict(row._mapping) for row in con.execute(query)]

    def commit(
        self,
        receipt: Mapping[str, Any],
        batch: Mapping[str, Any] | None,
        segments: Sequence[SegmentRow],
        quarantined: Iterable[Mapping[str, Any]],
        mended: Sequence[int] = (),
        reopened: Sequence[int] = (),
        also: Callable[[Connection, int], None] | None = None,
    ) -> None:
        """Acknowledge a file: receipt, batch, segments and quarantine become visible in one transaction.

        `mended` are open quarantine entries whose row has now come right; this receipt closes them. `reopened` are
        closed ones whose remedy is withdrawn; where the same row waits under another entry, that one is enough.
        `also` writes what must become visible with the receipt, whose number it is given.
        """
        set_aside = [_writable(entry) for entry in quarantined]

        def write(con: Connection, number: int | None) -> None:
            if batch is not None:
                _expect_next(con, batch["batch_seq"])
                con.execute(sa.insert(BATCH).values(**_writable(batch)))
            given = {} if number is None else {"receipt_id": number}
            made = con.execute(sa.insert(RECEIPT).values(**_writable(receipt), **given))
            receipt_id = made.inserted_primary_key[0]  # type: ignore[index]
            if segments:
                con.execute(sa.insert(SEGMENT), [asdict(segment) for segment in segments])
            if mended:
                con.execute(_ONE_ENTRY.values(closed_by=receipt_id), [{"entry": entry} for entry in mended])
            if reopened:
                con.execute(_REOPEN, [{"entry": entry} for entry in reopened])
            if set_aside:
                con.execute(_insert_new(con, QUARANTINE), [{**entry, "receipt_id": receipt_id} for entry in set_aside])
            if also is not None:
                also(con, receipt_id)

        self.turns.commit(write)

    def last_generation(self) -> int:
        """Return the highest number ever given to a generation, 0 before the first."""
        with self.engine.connect() as con:
            return con.execute(sa.select(sa.func.max(GENERATION.c.gen))).scalar() or 0

    def generation_sums(self) -> dict[str, str | None]:
        """Return the sum of each generation ever published, by file; None where none was kept."""
        with self.engine.connect() as con:
            return {row.file: row.sha256 for row in con.execute(sa.select(GENERATION.c.file, GENERATION.c.sha256))}

    def generations(self) -> list[dict[str, Any]]:
        """Return every publish, oldest first: which definitions, through which batch, when."""
        with self.engine.connect() as con:
            rows = con.execute(sa.select(GENERATION).order_by(GENERATION.c.gen))
            return [{**row._mapping, "built_at": from_iso(row.built_at)} for row in rows]

    def add_generation(
        self, gen: int, through_seq: int, file: str, catalogue: str, built_at: dt.datetime, size: int, sha256: str
    ) -> None:
        """Note a published generation."""
        with self.engine.begin() as con:
            self.turns.guard(con)
            con.execute(
                sa.insert(GENERATION).values(
                    gen=gen,
                    through_seq=through_seq,
                    file=file,
                    catalogue=catalogue,
                    built_at=iso(built_at),
                    bytes=size,
                    sha256=sha256,
                )
            )


def _expect_next(con: Connection, batch_seq: int) -> None:
    last = con.execute(sa.select(sa.func.max(BATCH.c.batch_seq))).scalar()
    expected = 0 if last is None else last + 1
    if batch_seq != expected:
        raise StoreError(f"Batch {batch_seq} is not the next one; the control log expects {expected}.")


def _insert_new(con: Connection, table: sa.Table) -> sa.Insert:
    """Return an insert that passes over rows an index knows already."""
    insert = postgresql.insert if con.dialect.name == "postgresql" else sqlite.insert
    return insert(table).on_conflict_do_nothing()


def _writable(row: Mapping[str, Any]) -> dict[str, Any]:
    """A zero byte, which only SQLite could keep, is written as its picture."""
    return {key: value.replace("\0", "␀") if isinstance(value, str) else value for key, value in row.items()}
