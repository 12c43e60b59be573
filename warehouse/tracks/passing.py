"""Files of positions: their rows wait for the fold like pushed ones, and nothing of a place is kept anywhere else.

No batch comes of the file itself; a row set aside keeps its number, its vehicle and its time, but no cells.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import zoneinfo
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

import duckdb

from warehouse import quarantine
from warehouse.base.clock import DEFAULT_ZONE
from warehouse.control import COUNTS, iso
from warehouse.deltas import good_rows
from warehouse.live.arrivals import Arrivals
from warehouse.manifest import Delivery
from warehouse.receipts import FileReport
from warehouse.tracks.kept import KIND
from warehouse.understanding import Bench, Understood

ROWS_A_LINE = 5000


def take_positions(
    bench: Bench, delivery: Delivery, sha: str, moment: dt.datetime, understood: Understood, actor: str
) -> FileReport:
    """Let the sound rows of a file wait for the fold, and leave a receipt."""
    store, staged, contract = bench.store, understood.staged, understood.contract
    now = bench.clock()
    good_rows(bench.con, contract)
    entries = _entries(bench, delivery, sha, understood, iso(now))
    zone = zoneinfo.ZoneInfo(store.control.meta().get("timezone", DEFAULT_ZONE))
    taken = 0
    with closing(Arrivals(store.path / "push" / KIND)) as arrivals:
        for rows in _rows(bench.con, zone):
            arrivals.append({"received": now.isoformat(), "token": "file", "rows": rows}, now)
            taken += len(rows)
    quarantined = len({(entry["sheet"], entry["row_no"]) for entry in entries})
    skipped = sum(staged.skipped.values())
    counts = dict.fromkeys(COUNTS, 0) | {
        "rows_in": taken + quarantined + skipped, "accepted": taken, "quarantined": quarantined, "skipped": skipped,
    }  # fmt: skip
    status = "committed" if taken else "refused"
    text = _text(delivery.name, taken, quarantined)
    receipt = {
        "file_name": delivery.name, "file_sha": sha, "dataset": contract.name, "recorded_at": iso(moment),
        "loaded_at": iso(now), "actor": actor, "status": status, "batch_seq": None, "counts": json.dumps(counts),
        "message": json.dumps(text, ensure_ascii=False), "declared_source": delivery.source,
    }  # fmt: skip
    store.control.commit(receipt, None, (), entries)
    return FileReport(delivery.name, contract.name, None, status, counts, text)


def _rows(con: duckdb.DuckDBPyConnection, zone: zoneinfo.ZoneInfo) -> Iterator[list[dict[str, str]]]:
    found = con.execute("SELECT plate, located_at, longitude, latitude FROM good ORDER BY plate, located_at").fetchall()
    for start in range(0, len(found), ROWS_A_LINE):
        yield [
            {
                "plate": plate,
                "at": at.replace(tzinfo=zone, microsecond=0).astimezone(dt.UTC).isoformat(),
                "longitude": f"{longitude:f}",
                "latitude": f"{latitude:f}",
            }
            for plate, at, longitude, latitude in found[start : start + ROWS_A_LINE]
        ]


def _entries(
    bench: Bench, delivery: Delivery, sha: str, understood: Understood, opened_at: str
) -> list[Mapping[str, Any]]:
    tables = understood.tables
    spans = [delivery.span] * len(tables)
    found = quarantine.entries(
        bench.con, understood.contract, delivery.name, understood.staged.sheets, tables, opened_at, spans
    )
    return [
        {
            **entry,
            "value": None,
            "hint": None,
            "raw": "{}",
            "layout": None,
            "row_hash": hashlib.sha256(f"{sha}|{entry['sheet']}|{entry['row_no']}".encode()).hexdigest(),
        }
        for entry in found
    ]


def _text(name: str, taken: int, quarantined: int) -> dict[str, str]:
    return {
        "zh": f"{name}：收到 {taken} 个定位点，将按车辆、按日折算为里程，到期清除；{quarantined} 行待核（不留位置）。",
        "en": f"{name}: {taken} positions came in; they are folded to kilometres by vehicle and day and dropped in "
        f"time; {quarantined} rows are set aside (without their places).",
    }
