"""Raw days: readings and positions by the local day they belong to, kept for some days so that a day can be folded again.

Small Parquet files that only grow in number until they are joined; a row that stands twice is one row to the fold. Which
days are gone is written down before they go: a day whose raw rows are gone is never folded again.
"""

from __future__ import annotations

import datetime as dt
import shutil
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.durable import flush_file, settle, write_text

MOST_FILES = 24
"""Files of a day before they are joined into one."""
CLOSED = "closed_before"


class RawDays:
    """The raw rows of one kind, in one folder, a folder a day."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, tables: Mapping[dt.date, pa.Table]) -> None:
        """Keep rows of some days, durably."""
        for day, rows in sorted(tables.items()):
            place = self.folder / f"{day:%Y-%m-%d}"
            if not place.is_dir():
                place.mkdir(parents=True)
                flush_file(self.folder)
                flush_file(self.folder.parent)
            _write(place, rows)
            if len(files := _files(place)) > MOST_FILES:
                _write(place, pa.concat_tables(pq.read_table(file) for file in files))
                for file in files:
                    file.unlink()

    def days(self) -> list[dt.date]:
        """Return the days that have rows, first to last."""
        found = (place.name for place in self.folder.glob("????-??-??") if place.is_dir())
        return sorted(dt.date.fromisoformat(name) for name in found)

    def files(self, days: Iterable[dt.date]) -> list[Path]:
        """Return the files that hold the rows of some days."""
        return [file for day in sorted(set(days)) for file in _files(self.folder / f"{day:%Y-%m-%d}")]

    def closed_before(self) -> dt.date:
        """Return the first day that may still be folded; the raw rows of earlier ones are gone or on their way."""
        place = self.folder / CLOSED
        return dt.date.fromisoformat(place.read_text().strip()) if place.is_file() else dt.date.min

    def close_before(self, day: dt.date) -> None:
        """Close the days before one without looking at rows: they were folded elsewhere, and their rows are not here."""
        self.folder.mkdir(parents=True, exist_ok=True)
        write_text(self.folder / CLOSED, f"{max(self.closed_before(), day):%Y-%m-%d}\n")

    def drop_before(self, day: dt.date) -> int:
        """Remove the days before one, for good; the day itself stays only to tell where the next one begins."""
        old = [found for found in self.days() if found < day]
        if old or self.closed_before() < day:
            self.close_before(day + dt.timedelta(days=1))
        for found in old:
            shutil.rmtree(self.folder / f"{found:%Y-%m-%d}", ignore_errors=True)
        return len(old)


def _files(place: Path) -> list[Path]:
    return sorted(place.glob("*.parquet")) if place.is_dir() else []


def _write(place: Path, rows: pa.Table) -> None:
    temporary = place / f"{uuid.uuid4().hex}.parquet.tmp"
    pq.write_table(rows, temporary, compression="zstd")
    settle(temporary, temporary.with_suffix(""))
    flush_file(place)
