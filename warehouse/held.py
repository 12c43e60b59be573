"""What is known of each dataset, held in the scratch database while a load goes on.

A folder of files asks for the same rows file after file; only the segments committed since are read again.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

from warehouse import history
from warehouse.contracts import Contract
from warehouse.control import DELTA, SegmentRow
from warehouse.deltas import show_known, standing_rows

MOST_HELD = 300_000
"""Stored rows of all datasets together that are held; what is beyond is read again for each file."""


class Held:
    """The live rows of some datasets in tables of their own, each with the segments it was made of."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self._con = con
        self._read: dict[str, dict[str, SegmentRow]] = {}

    def known_rows(self, contract: Contract, root: Path, segments: Sequence[SegmentRow]) -> bool:
        """Show the rows that stand after every segment of a dataset as `known`; False when there are too many to hold."""
        others = sum(s.rows for name, read in self._read.items() if name != contract.name for s in read.values())
        if others + sum(segment.rows for segment in segments) > MOST_HELD:
            self._forget(contract.name)
            return False
        table = f'"held {contract.name}"'
        read = self._read.get(contract.name, {})
        given = {segment.path: segment for segment in segments}
        new = [segment for path, segment in given.items() if path not in read]
        is_whole = read.keys() <= given.keys() and all(segment.kind == DELTA for segment in new)
        if not read or not is_whole:  # the first time, or something was rewritten
            self._con.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS {standing_rows(contract, root, segments)}")
        elif new:
            self._con.execute(f"DELETE FROM {table} WHERE row_id IN ({history.taken_back(root, new)})")
            self._con.execute(f"INSERT INTO {table} {standing_rows(contract, root, new)}")
        self._read[contract.name] = given
        show_known(self._con, table)
        return True

    def _forget(self, dataset: str) -> None:
        if self._read.pop(dataset, None):
            self._con.execute(f'DROP TABLE IF EXISTS "held {dataset}"')
