"""Parquet: columns have names and types already; they come out as text without loss."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from warehouse.base.paths import one_file
from warehouse.readers.faults import Fault, ReadRefused
from warehouse.readers.labels import Aliases, find_period, find_year, fold_label, split_unit
from warehouse.readers.raw import RawTable, chunk_schema
from warehouse.readers.spool import BATCH_ROWS


@dataclass(frozen=True)
class ParquetRows:
    """The rows of a parquet file; row_no counts from 1 in file order."""

    path: Path
    columns: tuple[str, ...]
    name: str

    def chunks(self) -> Iterator[pa.Table]:
        """Give the rows with every column cast to text."""
        cells = "".join(f', CAST("{_quoted(name)}" AS VARCHAR) AS c{at}' for at, name in enumerate(self.columns))
        with duckdb.connect(config={"threads": 1}) as con:
            rows = con.sql(
                f"SELECT row_number() OVER () AS row_no{cells}"
                f" FROM read_parquet({one_file(self.path)}, hive_partitioning = false)"
            )
            # the method has another name before release 2
            reader = getattr(rows, "to_arrow_reader", None) or rows.fetch_arrow_reader
            try:
                for batch in reader(BATCH_ROWS):
                    yield pa.Table.from_batches([batch]).cast(chunk_schema(len(self.columns)))
            except (duckdb.Error, pa.ArrowException) as error:
                raise ReadRefused(Fault("corrupt", self.name)) from error


def read_parquet_table(path: Path, name: str, aliases: Aliases) -> RawTable:
    """The one table of a parquet file."""
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
    rows = int(counted[0]) if counted else 0
    if rows == 0:
        raise ReadRefused(Fault("no_rows", name))
    parts = [split_unit(fold_label(column), aliases) for column in columns]
    return RawTable(
        file=name, sheet="", labels=tuple(label for label, _ in parts), units=tuple(unit for _, unit in parts),
        unit_note=None, title=None, period_note=find_period(name) or find_year(name), header_row=0, skipped=(),
        totals=(), rows=rows, source=ParquetRows(path, columns, name),
    )  # fmt: skip


def _quoted(name: str) -> str:
    return name.replace('"', '""')
