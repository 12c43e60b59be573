"""Segments as they are read: signed deltas and rebased history together, as signed rows or as versions.

A delta segment holds −old and +new rows of one batch; of an old row only which it was and where it lay is read, its
values stand in the row that brought it. A history segment holds one row per version of a fact, with the
batch that brought it (`batch_seq`) and the batch that took it back (`taken_seq`, empty while it stands): the same
knowledge at half the rows, so that every past day can be read from it too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from warehouse.base.paths import these_files
from warehouse.base.periods import OPEN
from warehouse.control import HISTORY, SegmentRow


def signed(root: Path, segments: Sequence[SegmentRow]) -> str:
    """SQL of signed rows (`n` = +1 or −1, `batch_seq` = the batch that said so); one taken back says no value."""
    born = f"SELECT * EXCLUDE (taken_seq), 1::TINYINT AS n FROM ({_born(root, segments)})"
    return f"{born} UNION ALL BY NAME {_taken(root, segments)}"


def told(root: Path, segments: Sequence[SegmentRow]) -> str:
    """SQL of signed rows, one taken back with the values it had. Its row must stand in one of the segments."""
    born, taken = _born(root, segments), _taken(root, segments)
    return (
        f"SELECT * EXCLUDE (taken_seq), 1::TINYINT AS n FROM ({born}) UNION ALL BY NAME"
        f" SELECT b.* EXCLUDE (taken_seq) REPLACE (t.batch_seq AS batch_seq), t.n FROM ({born}) b"
        f" JOIN ({taken}) t ON t.row_id = b.row_id"
    )


def versions(root: Path, segments: Sequence[SegmentRow]) -> str:
    """SQL of one row per version, with the interval of knowledge `[rec_from, rec_to)`."""
    born, gone = _born(root, segments), _gone(root, segments)
    if not gone:
        return f"SELECT * EXCLUDE (batch_seq, taken_seq), batch_seq AS rec_from, {_end('taken_seq')} AS rec_to FROM ({born})"
    return (
        f"SELECT b.* EXCLUDE (batch_seq, taken_seq), b.batch_seq AS rec_from, {_end('b.taken_seq, g.batch_seq')} AS rec_to"
        f" FROM ({born}) b LEFT JOIN ({gone}) g ON g.row_id = b.row_id"
    )


def live(root: Path, segments: Sequence[SegmentRow]) -> str:
    """SQL of the rows that stand after every segment."""
    born, gone = _born(root, segments), _gone(root, segments)
    taken = f" ANTI JOIN ({gone}) m ON m.row_id = p.row_id" if gone else ""
    return f"SELECT p.* EXCLUDE (taken_seq) FROM ({born}) p{taken} WHERE p.taken_seq IS NULL"


def taken_back(root: Path, segments: Sequence[SegmentRow]) -> str:
    """SQL of the numbers of the rows that delta segments take back."""
    return f"SELECT row_id FROM ({_gone(root, segments)})"


def fingerprint(segments: Sequence[SegmentRow]) -> str:
    """Return a mark of a set of segments: another set, or other bytes, is another mark."""
    lines = sorted(f"{segment.path} {segment.sha256}\n" for segment in segments)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _born(root: Path, segments: Sequence[SegmentRow]) -> str:
    parts = []
    if deltas := _files(root, segments, history=False):
        parts.append(
            "SELECT * EXCLUDE (n), CAST(NULL AS INTEGER) AS taken_seq"
            f" FROM read_parquet({deltas}, union_by_name = true) WHERE n = 1"
        )
    if histories := _files(root, segments, history=True):
        parts.append(f"SELECT * FROM read_parquet({histories}, union_by_name = true)")
    return " UNION ALL BY NAME ".join(parts)


def _gone(root: Path, segments: Sequence[SegmentRow]) -> str:
    deltas = _files(root, segments, history=False)
    wanted = f"SELECT row_id, batch_seq FROM read_parquet({deltas}, union_by_name = true) WHERE n = -1"
    return wanted if deltas else ""


def _taken(root: Path, segments: Sequence[SegmentRow]) -> str:
    columns, parts = "from_m, to_m, (-1)::TINYINT AS n", []
    if deltas := _files(root, segments, history=False):
        parts.append(
            f"SELECT row_id, batch_seq, {columns} FROM read_parquet({deltas}, union_by_name = true) WHERE n = -1"
        )
    if histories := _files(root, segments, history=True):
        parts.append(
            f"SELECT row_id, taken_seq AS batch_seq, {columns} FROM read_parquet({histories}, union_by_name = true)"
            " WHERE taken_seq IS NOT NULL"
        )
    return " UNION ALL BY NAME ".join(parts)


def _end(places: str) -> str:
    return f"coalesce({places}, {OPEN})::INTEGER"


def _files(root: Path, segments: Sequence[SegmentRow], *, history: bool) -> str:
    paths = [root / segment.path for segment in segments if (segment.kind == HISTORY) is history]
    return these_files(paths) if paths else ""
