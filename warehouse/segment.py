"""A segment: one immutable Parquet file, durable before the control log may name it."""

from __future__ import annotations

from pathlib import Path

import duckdb

from warehouse.base.paths import one_file
from warehouse.base.periods import OPEN
from warehouse.base.sql import quote
from warehouse.control import SegmentRow
from warehouse.durable import flush_file, settle, sha256_of


def seal(con: duckdb.DuckDBPyConnection, dataset: str, batch_seq: int, rows: str, root: Path, tmp: Path) -> SegmentRow:
    """Write the rows of a statement as the segment of a batch; flushed, then named."""
    temporary = tmp / f"{dataset}-{batch_seq}.parquet.tmp"
    con.execute(f"COPY ({rows}) TO {quote(str(temporary))} (FORMAT parquet, PARQUET_VERSION V2, COMPRESSION lz4_raw)")
    wanted = f"SELECT min(from_m), max(to_m), count(*) FROM read_parquet({one_file(temporary)})"
    low, high, count = con.execute(wanted).fetchone() or (0, 0, 0)
    folder = root / dataset
    if not folder.exists():
        folder.mkdir(parents=True)
        flush_file(root)
    final = folder / f"{batch_seq:08d}-0.parquet"
    digest, size = sha256_of(temporary), temporary.stat().st_size
    settle(temporary, final)
    return SegmentRow(
        f"{dataset}/{final.name}",
        dataset,
        batch_seq,
        low,
        min(high, OPEN),
        count,
        size,
        digest,
        valid_from_seq=batch_seq,
    )
