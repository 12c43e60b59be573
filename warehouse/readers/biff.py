"""Just enough of the old Excel format to see what the cell reader hides: error cells and a password.

An .xls is a small file system ("compound file") with one stream of records in it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

_FREE = 0xFFFFFFFA
_ERRORS = {0x00: "#NULL!", 0x07: "#DIV/0!", 0x0F: "#VALUE!", 0x17: "#REF!", 0x1D: "#NAME?", 0x24: "#NUM!", 0x2A: "#N/A"}
_BOF, _EOF, _SHEET, _FORMULA, _BOOL_OR_ERROR, _PASSWORD = 0x809, 0x0A, 0x85, 0x06, 0x205, 0x2F
_ROW, _COLUMNS = 0x208, 0x7D


class NotCompound(Exception):
    """The bytes do not hold together as a compound file."""


@dataclass(frozen=True)
class Compound:
    """A compound file; streams are found by name."""

    data: bytes

    @cached_property
    def streams(self) -> Mapping[str, tuple[int, int]]:
        """First sector and size of every entry."""
        found: dict[str, tuple[int, int]] = {}
        folder = self._chain(self._int(48), self._table)
        for at in range(0, len(folder) - 127, 128):
            length = struct.unpack_from("<H", folder, at + 64)[0]
            name = folder[at : at + max(0, length - 2)].decode("utf-16-le", "replace")
            if name:
                found[name] = struct.unpack_from("<II", folder, at + 116)
        return found

    def read(self, name: str) -> bytes:
        """The bytes of a stream; short streams live inside the root's own stream."""
        start, size = self.streams[name]
        if size >= self._int(56):
            return self._chain(start, self._table)[:size]
        root = self._chain(self.streams["Root Entry"][0], self._table)
        table = self._numbers(self._chain(self._int(60), self._table))
        return b"".join(root[64 * at : 64 * at + 64] for at in self._walk(start, table))[:size]

    @property
    def _sector(self) -> int:
        return 1 << min(16, int(struct.unpack_from("<H", self.data, 30)[0]))

    @cached_property
    def _table(self) -> tuple[int, ...]:
        sectors = [at for at in struct.unpack_from("<109I", self.data, 76) if at < _FREE]
        following, per_sector = self._int(68), self._sector // 4 - 1
        while following < _FREE and len(sectors) * self._sector < len(self.data):
            more = self._numbers(self._at(following))
            sectors += [at for at in more[:per_sector] if at < _FREE]
            following = more[per_sector]
        return self._numbers(b"".join(self._at(at) for at in sectors))

    def _int(self, offset: int) -> int:
        return int(struct.unpack_from("<I", self.data, offset)[0])

    def _at(self, sector: int) -> bytes:
        start = (sector + 1) * self._sector
        return self.data[start : start + self._sector]

    def _chain(self, start: int, table: tuple[int, ...]) -> bytes:
        return b"".join(self._at(at) for at in self._walk(start, table))

    def _walk(self, start: int, table: tuple[int, ...]) -> Iterator[int]:
        steps = 0
        while start < len(table) and steps <= len(table):
            yield start
            start, steps = table[start], steps + 1

    @staticmethod
    def _numbers(data: bytes) -> tuple[int, ...]:
        return struct.unpack(f"<{len(data) // 4}I", data[: len(data) // 4 * 4])


def open_compound(data: bytes) -> Compound:
    """The compound file in the bytes."""
    compound = Compound(data)
    try:
        compound.streams  # noqa: B018  reading the folder proves that the file holds together
    except (struct.error, ValueError, IndexError) as error:
        raise NotCompound from error
    return compound


def workbook_stream(compound: Compound) -> bytes | None:
    """The records of the workbook, under either of the names used over the years."""
    name = next((name for name in ("Workbook", "Book") if name in compound.streams), None)
    return None if name is None else compound.read(name)


def has_password(stream: bytes) -> bool:
    """Whether the records are encrypted; the record that says so stands among the first."""
    return any(kind == _PASSWORD for (kind, _), _ in zip(_records(stream, 0), range(40), strict=False))


def sheet_marks(stream: bytes) -> dict[str, tuple[dict[tuple[int, int], str], set[int], set[int]]]:
    """Of every sheet the error text of each cell that shows one, the hidden rows and the hidden columns, from 0."""
    sheets = {}
    for kind, body in _records(stream, 0):
        if kind == _SHEET and len(body) > 8:
            sheets[_sheet_name(body)] = struct.unpack_from("<I", body)[0]
        elif kind == _EOF:
            break
    return {name: (dict(_sheet_errors(stream, offset)), *_hidden(stream, offset)) for name, offset in sheets.items()}


def _records(stream: bytes, offset: int) -> Iterator[tuple[int, bytes]]:
    while offset + 4 <= len(stream):
        kind, length = struct.unpack_from("<HH", stream, offset)
        yield kind, stream[offset + 4 : offset + 4 + length]
        offset += 4 + length


def _sheet_name(body: bytes) -> str:
    length, is_wide = body[6], body[7] & 1
    return body[8 : 8 + length * (1 + is_wide)].decode("utf-16-le" if is_wide else "latin-1", "replace")


def _hidden(stream: bytes, offset: int) -> tuple[set[int], set[int]]:
    rows: set[int] = set()
    columns: set[int] = set()
    for kind, body in _sheet_records(stream, offset):
        if kind == _ROW and len(body) >= 14 and body[12] & 0x20:
            rows.add(_place(body)[0])
        elif kind == _COLUMNS and len(body) >= 10 and body[8] & 1:
            first, last = _place(body)
            columns.update(range(first, last + 1))
    return rows, columns


def _sheet_errors(stream: bytes, offset: int) -> Iterator[tuple[tuple[int, int], str]]:
    for kind, body in _sheet_records(stream, offset):
        if kind == _BOOL_OR_ERROR and len(body) >= 8 and body[7]:
            yield _place(body), _ERRORS.get(body[6], "#N/A")
        elif kind == _FORMULA and len(body) >= 14 and body[12:14] == b"\xff\xff" and body[6] == 2:
            yield _place(body), _ERRORS.get(body[8], "#N/A")


def _sheet_records(stream: bytes, offset: int) -> Iterator[tuple[int, bytes]]:
    """The records of one sheet, with those of the charts in it."""
    depth = 0
    for kind, body in _records(stream, offset):
        depth += (kind == _BOF) - (kind == _EOF)
        if depth <= 0:
            return
        yield kind, body


def _place(body: bytes) -> tuple[int, int]:
    row, column = struct.unpack_from("<HH", body)
    return row, column
