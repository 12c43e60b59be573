"""Rows on their way from a reader to the parsing of their columns, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from warehouse.readers.raw import Cells, chunk_schema
from warehouse.readers.scratch import ScratchFile

BATCH_ROWS = 20_000


@dataclass(frozen=True)
class SpooledRows:
    """Data rows in an Arrow file that lives as long as this value."""

    scratch: ScratchFile

    def chunks(self) -> Iterator[pa.Table]:
        """Give the batches as they were written."""
        with pa.memory_map(str(self.scratch.path)) as file:
            for batch in pa.ipc.open_stream(file):
                yield pa.Table.from_batches([batch])


def spool(rows: Iterable[tuple[int, Sequence[str | None]]], width: int) -> SpooledRows:
    """Write numbered rows to a file, each cut or filled to `width` cells."""
    schema = chunk_schema(width)
    scratch = ScratchFile(".arrow")
    with pa.OSFile(str(scratch.path), "wb") as sink, pa.ipc.new_stream(sink, schema) as writer:
        batch: list[tuple[int, Cells]] = []
        for number, cells in rows:
            batch.append((number, fit(cells, width)))
            if len(batch) == BATCH_ROWS:
                writer.write_batch(_batch(batch, schema))
                batch = []
        writer.write_batch(_batch(batch, schema))
    return SpooledRows(scratch)


def spool_columns(numbers: npt.NDArray[np.int64], columns: Sequence[pa.Array]) -> SpooledRows:
    """Write columns with the numbers of their rows to a file, a few rows at a time."""
    schema = chunk_schema(len(columns))
    scratch = ScratchFile(".arrow")
    table = pa.Table.from_arrays([pa.array(numbers, pa.int64()), *columns], schema=schema)
    with pa.OSFile(str(scratch.path), "wb") as sink, pa.ipc.new_stream(sink, schema) as writer:
        writer.write_table(table, max_chunksize=BATCH_ROWS)
    return SpooledRows(scratch)


def fit(cells: Sequence[str | None], width: int) -> Cells:
    """The cells as one row of the table: missing ones are NULL, surplus ones are cut."""
    padded = (*cells[:width], *(None,) * (width - len(cells)))
    return tuple(cell or None for cell in padded)


def _batch(rows: list[tuple[int, Cells]], schema: pa.Schema) -> pa.RecordBatch:
    numbers = pa.array([number for number, _ in rows], pa.int64())
    columns = zip(*(cells for _, cells in rows), strict=True) if rows else [()] * (len(schema) - 1)
    return pa.RecordBatch.from_arrays([numbers, *(pa.array(column, pa.string()) for column in columns)], schema=schema)
