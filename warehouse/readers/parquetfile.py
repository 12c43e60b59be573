"""Parquet: columns have names and types already; they come out as text without loss."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa

from warehouse.base.clock import DEFAULT_ZONE
from warehouse.base.paths import one_file
from warehouse.readers.faults import Fault, ReadRefused
from warehouse.readers.labels import Aliases, find_period, find_year, fold_label, split_unit
from warehouse.readers.raw import RawTable, chunk_schema
from warehouse.readers.spool import BATCH_ROWS

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True)
class ParquetRows:
    """The rows of a parquet file; row_no counts from 1 in file order."""

    path: Path
    columns: tuple[str, ...]
    name: str
    moments: frozenset[str] = frozenset()
    """Columns of instants: they carry no clock of their own and are shown by the clock of `zone`."""
    zone: str = DEFAULT_ZONE

    def chunks(self) -> Iterator[pa.Table]:
        """Give the rows with every column cast to text."""
        cells = "".join(f", {self._cell(name)} AS c{at}" for at, name in enumerate(self.columns))
        with duckdb.connect(config={"threads": 1}) as con:
            rows = con.sql(
                f"SELECT row_number() OVER () AS row_no{cells}"
                f" FROM read_parquet({one_file(self.path)}, hive_partitioning = false)"
            )
            # the method has another name before release 2
            reader = getattr(rows, "to_arrow_reader", None) or rows.fetch_arrow_reader
            try:
                for batch in reader(BATCH_ROWS):
                    table = pa.Table.from_batches([batch]).cast(chunk_schema(len(self.columns)))
                    yield self._by_the_clock(table)
            except (duckdb.Error, pa.ArrowException) as error:
                raise ReadRefused(Fault("corrupt", self.name)) from error

    def _cell(self, name: str) -> str:
        """SQL of a cell as text; of a finite instant its microseconds since 1970, which depend on no setting."""
        column = f'"{_quoted(name)}"'
        if name not in self.moments:
            return f"CAST({column} AS VARCHAR)"
        return f"CASE WHEN isfinite({column}) THEN CAST(epoch_us({column}) AS VARCHAR) WHEN {column} IS NOT NULL THEN 'infinity' END"

    def _by_the_clock(self, table: pa.Table) -> pa.Table:
        for at, name in enumerate(self.columns, 1):
            if name in self.moments:
                texts = [_local(text, ZoneInfo(self.zone)) for text in table.column(at).to_pylist()]
                table = table.set_column(at, table.schema.field(at), pa.array(texts, pa.string()))
        return table


def _local(text: str | None, zone: ZoneInfo) -> str | None:
    if text is None or text == "infinity":
        return text
    return (EPOCH + dt.timedelta(microseconds=int(text))).astimezone(zone).replace(tzinfo=None).isoformat(sep=" ")


def read_parquet_table(path: Path, name: str, aliases: Aliases, zone: str = DEFAULT_ZONE) -> RawTable:
    """The one table of a parquet file; its instants are shown by the clock of a time zone."""
    with duckdb.connect(config={"threads": 1}) as con:
        try:
            described = con.execute(
                f"DESCRIBE SELECT * FROM read_parquet({one_file(path)}, hive_partitioning = false)"
            ).fetchall()
            counted = con.execute(
                f"SELECT count(*) FROM read_parquet({one_file(path)}, hive_partitioning = false)"
            ).fetchone()
        except duckdb.Error as error:
            raise ReadRefused(Fault("corrupt", name)) from error
    columns = tuple(str(row[0]) for row in described)
    moments = frozenset(str(row[0]) for row in described if row[1] == "TIMESTAMP WITH TIME ZONE")
    rows = int(counted[0]) if counted else 0
    if rows == 0:
        raise ReadRefused(Fault("no_rows", name))
    parts = [split_unit(fold_label(column), aliases) for column in columns]
    return RawTable(
        file=name, sheet="", labels=tuple(label for label, _ in parts), units=tuple(unit for _, unit in parts),
        unit_note=None, title=None, period_note=find_period(name) or find_year(name), header_row=0, skipped=(),
        totals=(), rows=rows, source=ParquetRows(path, columns, name, moments, zone),
    )  # fmt: skip


def _quoted(name: str) -> str:
    return name.replace('"', '""')
