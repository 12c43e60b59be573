"""A segment: one immutable Parquet file, durable before the control log may name it."""

from __future__ import annotations

from pathlib import Path

import duckdb

from warehouse.base.paths import one_file
from warehouse.base.periods import OPEN
from warehouse.base.sql import quote
from warehouse.control import DELTA, SegmentRow
from warehouse.durable import flush_file, settle_new, sha256_of

MARK = "h"
"""First letter of a history's name; a batch's own segment begins with its number."""


PARTS, SHEET_ROOM, BATCH_ROOM = 64, 2**30, 2**40
"""A row's id is its batch, sheet, line and part of the line; a line of a wide form has a part per group."""

FAST, SMALL = "lz4_raw", "zstd"
"""How a segment is packed: a first load is large and waited for; what is restated comes again and again and is kept."""
TAKEN_BACK = "row_id, batch_seq, n, from_m, to_m"
"""What a row that is taken back still says: which it was, where it lay, and who took it. Its values stand where it came."""


def seal(
    con: duckdb.DuckDBPyConnection, dataset: str, batch_seq: int, rows: str, root: Path, tmp: Path, *,
    restates: bool = False,
) -> SegmentRow:  # fmt: skip
    """Write the rows of a statement as the segment of a batch; flushed, then named. `restates`: some are taken back."""
    temporary = tmp / f"{dataset}-{batch_seq}.parquet.tmp"
    write_aside(con, _lean(rows) if restates else rows, temporary, SMALL if restates else FAST)
    return put(con, temporary, root, f"{dataset}/{batch_seq:08d}-0.parquet", batch_seq)


def _lean(rows: str) -> str:
    """SQL of signed rows without the values of those taken back, in an order in which numbers pack well."""
    return (
        f"SELECT * FROM ({rows}) WHERE n = 1 UNION ALL BY NAME SELECT {TAKEN_BACK} FROM ({rows}) WHERE n = -1"
        " ORDER BY row_id"
    )


def write_aside(con: duckdb.DuckDBPyConnection, rows: str, temporary: Path, codec: str) -> None:
    """Write the rows of a statement to a file that nobody reads yet."""
    con.execute(f"COPY ({rows}) TO {quote(str(temporary))} (FORMAT parquet, PARQUET_VERSION V2, COMPRESSION {codec})")


def put(
    con: duckdb.DuckDBPyConnection, temporary: Path, root: Path, path: str, batch_seq: int, kind: str = DELTA
) -> SegmentRow:
    """Flush a finished file, give it its name below the segments, and return its line of the manifest."""
    wanted = f"SELECT min(from_m), max(to_m), count(*) FROM read_parquet({one_file(temporary)})"
    low, high, count = con.execute(wanted).fetchone() or (0, 0, 0)
    dataset, _, name = path.partition("/")
    folder = root / dataset
    if not folder.exists():
        folder.mkdir(parents=True)
        flush_file(root)
    digest, size = sha256_of(temporary), temporary.stat().st_size
    settle_new(temporary, folder / name)
    return SegmentRow(path, dataset, batch_seq, low, min(high, OPEN), count, size, digest, kind, batch_seq)
