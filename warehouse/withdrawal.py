"""Withdrawal: a batch is reversed by a new batch of signed deltas; nothing is deleted and no past day changes.

Who last spoke of a key decides. Where the withdrawn batch was the last one standing to speak of a key, the key goes back
to what the batch before it that still stands had said, or to nothing; where a newer batch has spoken, that stays.
The order of withdrawals makes no difference, and what is withdrawn never comes back but by a new load.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib import resources
from typing import Any

import duckdb

from warehouse import history
from warehouse.base.clock import Clock, system_clock
from warehouse.base.errors import RefusedInput
from warehouse.base.periods import OPEN
from warehouse.contracts import Contract
from warehouse.control import COUNTS, SegmentRow, iso, withdrawn
from warehouse.deltas import BATCH_ROOM, known_rows
from warehouse.growth import with_columns
from warehouse.ingest import Progress, scratch
from warehouse.locks import refuse_withdrawal
from warehouse.recovery import recover
from warehouse.segment import seal
from warehouse.stage import key_text
from warehouse.standing import Conflict, find_conflict
from warehouse.store import Store

KIND = "withdrawal"
MOST_FILES_NAMED = 5
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Withdrawal:
    """What a withdrawal did."""

    batch_seq: int
    withdraws: int
    dataset: str
    file: str
    why: str
    recorded_by: str
    recorded_at: dt.datetime
    taken_back: int
    came_back: int
    message: Mapping[str, str]

    def as_json(self) -> dict[str, Any]:
        """Return plain values for printing."""
        return {**asdict(self), "recorded_at": iso(self.recorded_at)}


def withdraw(
    store: Store, seq: int, *, why: str, actor: str = "local", clock: Clock = system_clock,
    progress: Progress | None = None,
) -> Withdrawal:  # fmt: skip
    """Take back what is still live of a batch, as a batch of its own. Does not publish."""
    if not why.strip():
        raise refusal("no_why")
    control = store.control
    with store.writing(tell=progress):
        recover(store)
        batches = control.batches()
        batch = withdrawable(batches, seq)
        contract = {**store.contracts, **store.records}.get(batch["dataset"])
        if contract is None:
            raise refusal("no_contract", seq=seq, file=batch["file_name"], dataset=batch["dataset"])
        with contextlib.closing(scratch(store)) as con:
            _prepare(con, store, contract, batches, seq)
            if conflict := find_conflict(con, contract):
                raise _refuse_conflict(conflict, batches, batch)
            refuse_withdrawal(con, store, contract, seq)
            return _commit(con, store, contract, batches, batch, why.strip(), actor, clock)


def withdrawable(batches: Sequence[Row], seq: int) -> Row:
    """Return the batch of a number, or say why it cannot be withdrawn and what to do instead."""
    found = {batch["batch_seq"]: batch for batch in batches}
    last = max(found, default=0)
    if seq == 0 and found:
        raise refusal("defaults")
    if seq not in found:
        raise refusal("unknown" if last else "nothing", seq=seq, last=last)
    batch = found[seq]
    if batch["kind"] == KIND:
        raise refusal("withdrawal", seq=seq, of=batch["withdraws"], file=batch["file_name"])
    by = next((other for other in batches if other["withdraws"] == seq), None)
    if by is not None:
        raise refusal("again", seq=seq, by=by["batch_seq"], why=by["why"], file=batch["file_name"])
    return batch


def standing(batches: Sequence[Row], dataset: str | None = None) -> list[int]:
    """Return the numbers of the batches that say something and are not withdrawn."""
    gone = withdrawn(batches)
    return [
        batch["batch_seq"] for batch in batches
        if batch["kind"] != KIND and batch["batch_seq"] not in gone and dataset in (None, batch["dataset"])
    ]  # fmt: skip


# --- what goes and what comes back ------------------------------------------------------------------------------------


def _prepare(
    con: duckdb.DuckDBPyConnection, store: Store, contract: Contract, batches: Sequence[Row], seq: int
) -> None:
    """Fill temp tables `goes` (live rows taken back), `comes` (rows that come back) and view `after` (live then)."""
    segments = store.control.segments(contract.name)
    if not known_rows(con, contract, store.segments, segments):
        _prepare_nothing(con, contract)
        return
    keys = ", ".join(f's."{key}"' for key in contract.keys)
    same = " AND ".join(f's."{key}" IS NOT DISTINCT FROM t."{key}"' for key in contract.keys)
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE spoken AS
        WITH seg AS ({with_columns(history.told(store.segments, segments), contract)}),
        -- every key the batch spoke of
        touched AS (SELECT DISTINCT {keys} FROM seg s WHERE s.batch_seq = $seq)
        -- who of those that stand spoke of it, the batch itself among them
        SELECT s.* FROM seg s JOIN touched t ON {same} WHERE list_contains($standing, s.batch_seq)
        QUALIFY max(s.batch_seq) OVER (PARTITION BY {keys}) = $seq""",
        {"seq": seq, "standing": standing(batches)},
    )
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE goes AS
        SELECT s.* FROM known s SEMI JOIN (SELECT * FROM spoken WHERE batch_seq = {seq}) t ON {same}"""
    )
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE comes AS
        WITH before AS (
            SELECT * FROM spoken s WHERE batch_seq < {seq}
            QUALIFY batch_seq = max(batch_seq) OVER (PARTITION BY {keys})
        )
        SELECT * FROM before WHERE n = 1"""
    )
    con.execute(
        """CREATE OR REPLACE TEMP VIEW after AS
        SELECT * FROM known ANTI JOIN goes USING (row_id) UNION ALL BY NAME SELECT * EXCLUDE (batch_seq, n) FROM comes"""
    )


def _prepare_nothing(con: duckdb.DuckDBPyConnection, contract: Contract) -> None:
    """Fill the same where no batch ever brought a row: files that said that nothing happened."""
    columns = ", ".join(f'"{column.name}" {column.sql_type}' for column in contract.columns)
    rows = f"row_id BIGINT, from_m INTEGER, to_m INTEGER, {columns}, note VARCHAR, file_name VARCHAR, sheet VARCHAR, row_no INTEGER"  # fmt: skip
    con.execute(f"CREATE OR REPLACE TEMP TABLE goes ({rows})")
    con.execute(f"CREATE OR REPLACE TEMP TABLE comes (batch_seq INTEGER, n TINYINT, {rows})")
    con.execute("CREATE OR REPLACE TEMP VIEW after AS SELECT * FROM goes")


def _rows(contract: Contract, seq: int) -> str:
    """SQL of the deltas: a row that comes back keeps its place in the file it came from, under an id of its own."""
    columns = ", ".join(f'"{column.name}"' for column in contract.columns)
    keys = ", ".join(f'"{key}"' for key in contract.keys)
    rest = f"from_m, to_m, {columns}, note, file_name, sheet, row_no"
    return f"""
        SELECT row_id, {seq}::INTEGER AS batch_seq, (-1)::TINYINT AS n, {rest} FROM goes
        UNION ALL
        SELECT {seq}::BIGINT * {BATCH_ROOM} + row_number() OVER (ORDER BY {keys}), {seq}, 1, {rest} FROM comes"""


# --- the batch and what it tells --------------------------------------------------------------------------------------


def _commit(
    con: duckdb.DuckDBPyConnection, store: Store, contract: Contract, batches: Sequence[Row], batch: Row, why: str,
    actor: str, clock: Clock,
) -> Withdrawal:  # fmt: skip
    control = store.control
    seq, last_at = control.last()[0] + 1, control.last()[1]
    now = clock()
    moment = max(now, last_at) if last_at else now
    taken, back = _count(con, "goes"), _count(con, "comes")
    segments = (
        [seal(con, contract.name, seq, _rows(contract, seq), store.segments, store.tmp, restates=True)]
        if taken + back
        else []
    )
    counts = dict.fromkeys(COUNTS, 0) | {
        "rows_in": back, "accepted": back, "removed": taken, "delta_rows": taken + back,
    }  # fmt: skip
    receipts = control.receipts(limit=None)
    message = _message(batches, batch, receipts, seq, taken, back, why)
    row = {
        **{name: batch[name] for name in ("dataset", "file_name", "origin", "period_from", "period_to")},
        **{"batch_seq": seq, "file_sha": "", "kind": KIND, "withdraws": batch["batch_seq"], "why": why},
        **{"recorded_at": iso(moment), "recorded_by": actor, "committed_at": iso(now)},
        **(_months(segments) if segments else {}),
        **counts,
    }
    receipt = {
        "file_name": batch["file_name"], "file_sha": "", "dataset": contract.name, "recorded_at": iso(moment),
        "loaded_at": iso(now), "actor": actor, "status": "withdrawn", "batch_seq": seq, "counts": json.dumps(counts),
        "message": json.dumps(message, ensure_ascii=False),
    }  # fmt: skip
    closed, reopened = _quarantine(con, contract, control.quarantine(False, contract.name), receipts, batches, batch)
    control.commit(receipt, row, segments, (), closed, reopened)
    return Withdrawal(
        seq, batch["batch_seq"], contract.name, batch["file_name"], why, actor, moment, taken, back, message
    )


def _months(segments: Sequence[SegmentRow]) -> dict[str, int | None]:
    high = max(segment.to_m for segment in segments)
    return {"period_from": min(segment.from_m for segment in segments), "period_to": None if high == OPEN else high}


def _message(
    batches: Sequence[Row], batch: Row, receipts: Sequence[Row], seq: int, taken: int, back: int, why: str
) -> dict[str, str]:
    parts = [text("done", seq=seq, of=batch["batch_seq"], file=batch["file_name"], taken=taken, back=back, why=why)]
    if not taken and not back:
        parts.append(text("nothing_live"))
    elif files := _said_again(batches, batch, receipts):
        parts.append(text("said_again", files="、".join(files[:MOST_FILES_NAMED])))
    return {"zh": "".join(part["zh"] for part in parts), "en": " ".join(part["en"] for part in parts)}


def _said_again(batches: Sequence[Row], batch: Row, receipts: Sequence[Row]) -> list[str]:
    """Return later files of the dataset with rows that equalled what was known: those may have leant on this batch."""
    own = max((r["receipt_id"] for r in receipts if r["batch_seq"] == batch["batch_seq"]), default=0)
    gone = withdrawn(batches)
    later = [
        receipt for receipt in receipts
        if receipt["receipt_id"] > own and receipt["dataset"] == batch["dataset"]
        and receipt["counts"].get("unchanged") and receipt["batch_seq"] not in gone
    ]  # fmt: skip
    return list(dict.fromkeys(receipt["file_name"] for receipt in reversed(later)))


def _quarantine(
    con: duckdb.DuckDBPyConnection, contract: Contract, entries: Sequence[Row], receipts: Sequence[Row],
    batches: Sequence[Row], batch: Row,
) -> tuple[list[int], list[int]]:  # fmt: skip
    """Return the entries to close, since their file is withdrawn, and those to open again, since their remedy is."""
    own = {r["receipt_id"] for r in receipts if r["batch_seq"] == batch["batch_seq"]}
    gone = withdrawn(batches) | {batch["batch_seq"]}
    void = {r["receipt_id"] for r in receipts if r["batch_seq"] in gone}
    waits = {
        r["file_name"] for r in receipts
        if r["receipt_id"] > max(own, default=0) and r["receipt_id"] not in void
        and r["dataset"] == contract.name and r["counts"].get("quarantined")
    }  # fmt: skip
    closed = [
        e["entry_id"] for e in entries
        if e["closed_by"] is None and e["receipt_id"] in own and e["file_name"] not in waits
    ]  # fmt: skip
    mended = [e for e in entries if e["closed_by"] in own and e["receipt_id"] not in void]
    keys = [e["row_key"] for e in mended if e["row_key"]]
    wanted = f"SELECT DISTINCT {key_text(contract)} AS k FROM after WHERE k IN (SELECT unnest($1::VARCHAR[]))"
    right = {row[0] for row in con.execute(wanted, [keys]).fetchall()} if keys else set()
    return closed, [e["entry_id"] for e in mended if e["row_key"] not in right]


# --- words ------------------------------------------------------------------------------------------------------------


@cache
def _texts() -> dict[str, Any]:
    return tomllib.loads((resources.files("warehouse") / "withdrawal.toml").read_text(encoding="utf-8"))


def text(name: str, **values: object) -> dict[str, str]:
    """Return a sentence in both languages."""
    return {code: sentence.format(**values) for code, sentence in _texts()[name].items()}


def refusal(name: str, **values: object) -> RefusedInput:
    """Return the error of a withdrawal that cannot be, in both languages, with what to do."""
    words = {key: sentence.format(**values) for key, sentence in _texts()["refused"][name].items()}
    return RefusedInput(f"{words['zh']} {words['en']}", f"{words['hint_zh']} · {words['hint_en']}")


def _refuse_conflict(conflict: Conflict, batches: Sequence[Row], batch: Row) -> RefusedInput:
    newer = [seq for seq in standing(batches, batch["dataset"]) if seq > batch["batch_seq"]]
    shown = "、".join(str(seq) for seq in reversed(newer)) or "—"
    return refusal(conflict.kind, seq=batch["batch_seq"], what="、".join(conflict.what), newer=shown)


def _count(con: duckdb.DuckDBPyConnection, table: str) -> int:
    row = con.execute(f"SELECT count(*) FROM {table}").fetchone()
    return int(row[0]) if row else 0
