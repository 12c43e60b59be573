"""Builds small files and reads them back, the way the loader does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from warehouse.readers.tables import Fault, RawTable, ReadRefused, read_tables

KNOWN = frozenset(
    ["统计期", "单位名称", "单位代码", "金额", "摘要", "支付日期", "电/数量", "电/金额", "水/数量", "水/金额"]
)


@dataclass(frozen=True)
class Reading:
    """One table read and loaded: what it says and the rows as the database has them."""

    table: RawTable
    rows: list[tuple[object, ...]]

    @property
    def skipped(self) -> dict[str, int]:
        return dict(self.table.skipped)


def load(table: RawTable) -> list[tuple[object, ...]]:
    return [(number, *cells) for number, cells in table.texts()]


@pytest.fixture
def written(tmp_path: Path) -> Callable[[bytes | str, str], Path]:
    """Write content under a name and give the path."""

    def write(content: bytes | str, name: str = "table.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
        return path

    return write


@pytest.fixture
def read() -> Callable[[Path], Reading]:
    """Read the one table of a file and load it."""

    def one(path: Path) -> Reading:
        (table,) = read_tables(path, KNOWN.__contains__)
        return Reading(table, load(table))

    return one


@pytest.fixture
def refused() -> Callable[[Path], tuple[Fault, ...]]:
    """The faults a file is refused with."""

    def faults(path: Path) -> tuple[Fault, ...]:
        with pytest.raises(ReadRefused) as caught:
            read_tables(path, KNOWN.__contains__)
        return caught.value.faults

    return faults
