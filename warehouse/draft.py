"""A segment drafted while the rows of a large file are read.

The rows are written once, as a segment holds them, and are checked where they lie. When nothing is known of the dataset
and no row is set aside, the draft is flushed and named as the segment; in every other case it is what the rows are read
from again, and is dropped.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from warehouse.ascending import Ascending
from warehouse.base.paths import one_file
from warehouse.columns import arrow_type
from warehouse.contracts import Column, Contract
from warehouse.control import Control, SegmentRow
from warehouse.mapping import Mapped
from warehouse.readers.raw import ROW_NO
from warehouse.segment import BATCH_ROOM, PARTS, put
from warehouse.sheet import default_of

FEWEST_ROWS = 100_000
"""A smaller file is held in memory, and written when it is known what of it is new."""

DRAFTED = "drafted"
_PLAIN, _IN_STEPS, _BY_LENGTH = "PLAIN", "DELTA_BINARY_PACKED", "DELTA_LENGTH_BYTE_ARRAY"


@dataclass
class Draft:
    """Where the rows of one file are written; `rows` of them lie there once `write` has returned."""

    control: Control
    path: Path
    file_name: str
    batch_seq: int = 0
    is_unique: bool = False
    """Whether the rows were seen to stand in the strict order of their keys, so that no key comes twice."""
    is_whole: bool = True
    """Whether the staged rows are still those that were drafted."""

    @classmethod
    @contextlib.contextmanager
    def beside(cls, folder: Path, control: Control, file_name: str) -> Iterator[Draft]:
        """Give a place for a draft, and clear it afterwards of what was not made a segment."""
        draft = cls(control, folder / "draft.parquet.tmp", file_name)
        try:
            yield draft
        finally:
            draft.path.unlink(missing_ok=True)

    @staticmethod
    def suits(contract: Contract, rows: int, sheets: Sequence[Mapped]) -> bool:
        """Tell whether the rows of a file can be drafted: many, each a line of one sheet, that nothing fills or moves later."""
        is_plain = len(sheets) == 1 and sheets[0].crosstab is None and not contract.unpivot
        is_changed = contract.derived or contract.time_kind == "span" or contract.is_passing
        return rows >= FEWEST_ROWS and is_plain and not is_changed

    def write(
        self, con: duckdb.DuckDBPyConnection, contract: Contract, sheet: str, months: tuple[str, str],
        tables: Iterable[pa.Table],
    ) -> None:  # fmt: skip
        """Write the typed rows of a sheet; `months` is the SQL of the span a row is true for."""
        self.batch_seq = self.control.last()[0] + 1
        order = Ascending(tuple(c.name for c in contract.columns if c.is_key and not c.is_org))
        packing = _Packing(self.path)
        with packing:
            for table in tables:
                order.see(table)
                packing.take(self._as_stored(con, contract, sheet, months, table))
        self.is_unique = order.holds

    def show(self, con: duckdb.DuckDBPyConnection, contract: Contract) -> None:
        """Make `drafted` the view of the rows as they are staged: one sheet, a line a row."""
        columns = ", ".join(f'"{column.name}"' for column in contract.columns)
        con.execute(
            f"CREATE OR REPLACE TEMP VIEW {DRAFTED} AS SELECT 0::INTEGER AS sheet_no, {ROW_NO}::BIGINT AS {ROW_NO},"
            f" 0::TINYINT AS part, {columns}, note FROM read_parquet({one_file(self.path)})"
        )

    def seal(self, con: duckdb.DuckDBPyConnection, contract: Contract, root: Path, batch_seq: int) -> SegmentRow:
        """Flush the draft, name it as the segment of a batch, and return its line of the manifest."""
        if batch_seq != self.batch_seq:
            raise ValueError(f"The rows were drafted for batch {self.batch_seq}, not for {batch_seq}.")
        return put(con, self.path, root, f"{contract.name}/{batch_seq:08d}-0.parquet", batch_seq)

    def _as_stored(
        self, con: duckdb.DuckDBPyConnection, contract: Contract, sheet: str, months: tuple[str, str], table: pa.Table
    ) -> pa.Table:
        """Return rows with all columns of a segment."""
        count = len(table)
        given = {column.name: _values(column, table) for column in contract.columns}
        numbers = table.column(ROW_NO)
        span = _months(con, months, pa.table(given))
        stored = {
            "row_id": pa.array(numbers.to_numpy() * PARTS + self.batch_seq * BATCH_ROOM),
            "batch_seq": pa.repeat(pa.scalar(self.batch_seq, pa.int32()), count),
            "n": pa.repeat(pa.scalar(1, pa.int8()), count),
            "from_m": span.column(0),
            "to_m": span.column(1),
            **given,
            "note": table.column("note"),
            "file_name": _same(self.file_name, count),
            "sheet": _same(sheet, count),
            ROW_NO: pc.cast(numbers, pa.int32()),
        }
        return pa.table(stored).unify_dictionaries()


class _Packing:
    """A segment being written, one table while the next is read; closed at the end, whatever happens."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._pool = ThreadPoolExecutor(max_workers=1)
        self._writer: pq.ParquetWriter | None = None
        self._written: Future[None] | None = None

    def __enter__(self) -> _Packing:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()
        if self._writer is not None:
            self._writer.close()
        if self._written is not None:
            self._written.result()

    def take(self, rows: pa.Table) -> None:
        """Write the next rows as soon as those before them are written."""
        if self._writer is None:
            self._writer = _open(self._path, rows)
        if self._written is not None:
            self._written.result()
        self._written = self._pool.submit(self._writer.write_table, _alike(rows, self._writer.schema))


def _values(column: Column, table: pa.Table) -> pa.Array | pa.ChunkedArray:
    """Return the values of a column of the contract; one the sheet does not hold has its default, or nothing."""
    if column.name not in table.column_names:
        default = default_of(column)
        is_text = column.type == "text" and default.is_valid
        return _same(default.as_py(), len(table)) if is_text else pa.repeat(default, len(table))
    values = table.column(column.name)
    return values if column.type == "text" else pc.cast(values, arrow_type(column))


def _months(con: duckdb.DuckDBPyConnection, months: tuple[str, str], table: pa.Table) -> pa.Table:
    con.register("rows_to_draft", table)
    start, end = months
    found = con.sql(
        f"SELECT CAST({start} AS INTEGER) AS from_m, CAST({end} AS INTEGER) AS to_m FROM rows_to_draft"
    ).to_arrow_table()
    con.unregister("rows_to_draft")
    return found


def _same(text: str, count: int) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, np.int32)), pa.array([text], pa.string()))


def _open(path: Path, rows: pa.Table) -> pq.ParquetWriter:
    """Open a segment for rows like these; texts that recur and days are written as a list of the different ones."""
    listed, packed = [], {}
    for name, kind in zip(rows.column_names, rows.schema.types, strict=True):
        if name != ROW_NO and (pa.types.is_dictionary(kind) or kind in (pa.date32(), pa.int32(), pa.int8())):
            listed.append(name)
        elif not pa.types.is_boolean(kind):
            is_number = name in ("row_id", ROW_NO)
            packed[name] = _IN_STEPS if is_number else _BY_LENGTH if pa.types.is_string(kind) else _PLAIN
    return pq.ParquetWriter(
        path, rows.schema, version="2.6", compression="lz4", use_dictionary=listed, column_encoding=packed,
        write_statistics=[name for name in rows.column_names if not _is_text(rows.schema.field(name).type)],
        store_schema=False, store_decimal_as_integer=True,
    )  # fmt: skip


def _is_text(kind: pa.DataType) -> bool:
    """Whether bounds of a column would cost more than they are ever used."""
    is_text: bool = pa.types.is_string(kind) or pa.types.is_dictionary(kind)
    return is_text


def _alike(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return rows in the types of those before them: texts that recurred at first may do so no longer, or the reverse."""
    if rows.schema == schema:
        return rows
    columns = [_in_type(values, wanted.type) for wanted, values in zip(schema, rows.columns, strict=True)]
    return pa.Table.from_arrays(columns, schema=schema)


def _in_type(values: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    if values.type == kind:
        return values
    return pc.dictionary_encode(values).unify_dictionaries() if pa.types.is_dictionary(kind) else pc.cast(values, kind)
