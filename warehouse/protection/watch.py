"""The watch: does a file hold anything that must not be kept? Cheap where it does not, which is nearly always.

Small files are looked over whole. Of large ones the columns that can hold free text are looked at while they are
read: texts that recur once, others by a few bytes of each. What looks like something stops the reading; the file is
then looked through cell by cell, and only what is left is taken.
"""

from __future__ import annotations

import codecs
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import python_calamine as calamine

from warehouse.contracts import Contract
from warehouse.mapping import column_of, match_label
from warehouse.protection.rules import CODE, TEXT, Role, is_marked, role_of_label, scrub
from warehouse.readers.raw import RawTable, Source
from warehouse.readers.signatures import Kind
from warehouse.readers.workbook import cell_text

SMALL_TEXT = 1 << 18
SMALL_BOOK = 1 << 19
"""Bytes of a csv and of a workbook that is looked over whole."""

HEAD = 1 << 16
# a word for a telephone counts with digits behind it; what stands below it as a label is looked at as it is read
_HINT = (
    r"[秘机绝]密|涉密|密级|身份证|证件号|公民身份|(?i:id.?card)"
    r"|(?:电话|手机|座机|联系方式|传真|(?i:tel|phone|mobile))[^0-9+(（\x1e]{0,20}[+(（]{0,2}[0-9](?:[-)） ]{0,2}[0-9]){4}"
    r"|1[3-9][0-9][- ]?[0-9]{4}[- ]?[0-9]{4}|[0-9]{15}|0[1-9][0-9]{1,2}[-) ]{1,2}[2-9][0-9]{6}|[０-９]{7}"
)
_ROW_END = "\x1e"
_SHAPE = r"1[3-9][0-9][- ]?[0-9]{4}[- ]?[0-9]{4}|[0-9]{15}|0[1-9][0-9]{1,2}[-) ]{1,2}[2-9][0-9]{6}|(?:电话|手机|[Tt]el|传真)|[０-９]{7}"
_SECRET = "密"
_STRIDE = 3
_SPACED = np.frombuffer(b"-- ", np.uint8)[0]
_WIDE_DIGIT = 0xEF


class Suspicious(Exception):
    """Something in the file looks like what must not be kept."""


@dataclass(frozen=True)
class Watched:
    """Rows that are looked at as they pass; `roles` say what each column may hold."""

    source: Source
    roles: tuple[Role, ...]
    kinds: tuple[str, ...]
    """How each column is looked at: `text` for all, `mark` for markings of secrecy only, `none` where any text is a fault."""

    def chunks(self) -> Iterator[pa.Table]:
        """Give the rows; raises `Suspicious` at the first that looks like something."""
        for chunk in self.source.chunks():
            for at, (role, kind) in enumerate(zip(self.roles, self.kinds, strict=True)):
                if kind != "none" and is_suspicious(chunk.column(f"c{at}"), role, only_marks=kind == "mark"):
                    raise Suspicious
            yield chunk


def watch(
    path: Path, name: str, kind: Kind, tables: Sequence[RawTable], contracts: Mapping[str, Contract]
) -> tuple[RawTable, ...]:
    """Return the tables of a file under watch; raises `Suspicious` when what is not a table gives cause already."""
    if is_marked(Path(name).stem) or _said(tables) or _outside(path, kind):
        raise Suspicious
    return tuple(_watched(table, contracts) for table in tables)


def _said(tables: Sequence[RawTable]) -> bool:
    """Whether titles, notes or totals give cause."""
    for table in tables:
        texts = [
            table.sheet,
            table.title or "",
            *(cell or "" for _, cells in (*table.totals, *table.notes) for cell in cells),
        ]
        if _hints(_ROW_END.join(texts)):
            return True
    return False


def _hints(text: str) -> bool:
    """Whether a text holds anything that gives cause; in one run of an automaton, however many shapes there are."""
    return bool(pc.match_substring_regex(pa.scalar(text), _HINT).as_py())


def _outside(path: Path, kind: Kind) -> bool:
    """Whether what may stand outside the tables gives cause: the head of a csv, the texts of a workbook."""
    size = path.stat().st_size
    if kind is Kind.TEXT:
        with path.open("rb") as file:
            data = file.read(size if size <= SMALL_TEXT else HEAD)
        return _hints(_decoded(data))
    if kind is Kind.PARQUET:
        return False
    if kind is Kind.XLSX and size > SMALL_BOOK:
        return _shared_texts(path)
    return _cells(path)


def _decoded(data: bytes) -> str:
    """The head of a text file; its encoding is proved over the whole file elsewhere."""
    if data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return data.decode("utf-16", "replace")
    if data.count(0) * 3 > len(data):
        return data.decode("utf-16-le" if data[1:2] == b"\0" else "utf-16-be", "replace")
    text = data.decode("utf-8", "replace")
    return text if text.count("\ufffd") <= 1 else data.decode("gb18030", "replace")


def _shared_texts(path: Path) -> bool:
    with zipfile.ZipFile(path) as archive:
        if "xl/sharedStrings.xml" not in archive.namelist():
            return _cells(path)
        return _hints(archive.read("xl/sharedStrings.xml").decode("utf-8", "replace"))


def _cells(path: Path) -> bool:
    book = calamine.CalamineWorkbook.from_path(str(path))
    for name in book.sheet_names:
        if is_marked(name):
            return True
        rows: Iterable[Sequence[Any]] = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
        if _hints(_ROW_END.join("\x1f".join(cell_text(cell) or "" for cell in row) for row in rows)):
            return True
    return False


def _watched(table: RawTable, contracts: Mapping[str, Contract]) -> RawTable:
    looks = [_look(label, contracts) for label in table.labels]
    source = Watched(table.source, tuple(role for role, _ in looks), tuple(kind for _, kind in looks))
    return replace(table, source=source)


def _look(label: str, contracts: Mapping[str, Contract]) -> tuple[Role, str]:
    """What a column may hold and how it is looked at, before anybody knows which source the file is of.

    Where every source that knows the label keeps a code, a figure or a date there, free text in it becomes a fault,
    and faults are looked at on their own.
    """
    role = role_of_label(label)
    known = [column_of(one, name) for one in contracts.values() if (name := match_label(label, one.labels))]
    if role.decisive or role.is_level or role.is_flag:
        return role, "text"
    if known and all(column.type != "text" for column in known):
        return CODE, "none"
    if role.is_code or (known and all(c.type != "text" or c.is_key or c.is_org or c.values for c in known)):
        return CODE, "mark"
    return TEXT, "text"


# --- one column -------------------------------------------------------------------------------------------------------


def is_suspicious(texts: pa.ChunkedArray, role: Role, *, only_marks: bool = False) -> bool:
    """Tell whether a column of texts holds a marking or a number that must not be kept."""
    if pa.types.is_dictionary(texts.type):
        distinct = {text for chunk in texts.chunks for text in chunk.dictionary.to_pylist() if text}
        return any(_is_cause(text, role, only_marks) for text in distinct)
    if role.decisive or role.is_flag or role.is_level:
        return any(_is_cause(text, role, only_marks) for text in pc.unique(texts).to_pylist() if text)
    for chunk in texts.chunks:
        data = _bytes_of(chunk)
        if data.size and _holds(data, only_marks):
            likely = pc.match_substring_regex(chunk, _SECRET if only_marks else f"{_SECRET}|{_SHAPE}")
            found = pc.unique(chunk.filter(pc.fill_null(likely, False))).to_pylist()
            if any(_is_cause(text, role, only_marks) for text in found):
                return True
    return False


def _is_cause(text: str, role: Role, only_marks: bool) -> bool:
    return is_marked(text, role) or (not only_marks and bool(scrub(text, role)[1]))


def _bytes_of(texts: pa.StringArray) -> npt.NDArray[np.uint8]:
    """The bytes of all texts of an array, one behind the other."""
    _, offsets, data = texts.buffers()
    if data is None or not len(texts):
        return np.empty(0, np.uint8)
    width = np.int64 if pa.types.is_large_string(texts.type) else np.int32
    places = np.frombuffer(offsets, width)[texts.offset : texts.offset + len(texts) + 1]
    return np.frombuffer(data, np.uint8)[places[0] : places[-1]]


def _holds(data: npt.NDArray[np.uint8], only_marks: bool) -> bool:
    """Whether the bytes can hold a marking, or seven digits in a row or nearly so; most columns are settled here."""
    if data.tobytes().find(_SECRET.encode()) >= 0:
        return True
    if only_marks:
        return False
    sparse = data[::_STRIDE]
    like = (sparse - 48) < 10
    like |= sparse == _SPACED
    return bool((like[:-1] & like[1:]).any()) or bool((sparse == _WIDE_DIGIT).any())
