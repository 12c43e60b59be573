"""What a sheet says beside its values: cells whose formula failed or was never computed, hidden rows and columns.

The cell reader returns failed cells as blank, and a blank is no fault; a figure would go missing in silence. It says
nothing of what is hidden either. So both are looked up in the file itself, in one pass.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from warehouse.readers import biff
from warehouse.readers.signatures import Kind

NEVER_COMPUTED = "#UNCALCULATED!"

Place = tuple[int, int]


@dataclass(frozen=True)
class Marks:
    """The shown text of failed formulas by row and column, and what is hidden; all counted from 0."""

    errors: dict[Place, str] = field(default_factory=dict)
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)


SheetMarks = Mapping[str, Marks]

_BLOCK = 1 << 20
_LONGEST_CELL = 1 << 16
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_STRICT = "{http://purl.oclc.org/ooxml/spreadsheetml/main}"
_RELATION = re.compile(r"\}id$")
_CELL = re.compile(rb'<(?:\w+:)?c\b[^>]*?\br="([A-Z]+)(\d+)"[^>]*>')
_VALUE = re.compile(rb"<(?:\w+:)?v>([^<]*)</")
_HIDDEN_ROW = re.compile(rb'<(?:\w+:)?row\b(?=[^>]*\shidden="(?:1|true)")[^>]*?\sr="(\d+)"')
_HIDDEN_COLUMNS = re.compile(rb'<(?:\w+:)?col\b(?=[^>]*\shidden="(?:1|true)")[^>]*>')
_SPAN = re.compile(rb'\b(min|max)="(\d+)"')
_WIDEST = 16_384
_MARKS = (b't="e"', b"</f><v></v>", b"</f><v/>", b"</f><v />", b"</f></c>")
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_VISIBILITY, _VISIBLE = f"{_TABLE}visibility", "visible"
_TALLEST = 1 << 20
_CALC_TYPE = "{urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0}value-type"


def sheet_marks(path: Path, kind: Kind) -> SheetMarks:
    """The marks of every sheet."""
    if kind is Kind.XLS:
        stream = biff.workbook_stream(biff.open_compound(path.read_bytes()))
        found = {} if stream is None else biff.sheet_marks(stream)
        return {name: Marks(errors, rows, columns) for name, (errors, rows, columns) in found.items()}
    with zipfile.ZipFile(path) as archive:
        return _open_document(archive) if kind is Kind.ODS else _office_xml(archive)


def read_through(path: Path, kind: Kind) -> None:
    """Unpack every member once, so that one that is damaged or longer than it says is found out before it is read."""
    if kind is Kind.XLS:
        return
    with zipfile.ZipFile(path) as archive:
        for member in archive.namelist():
            with archive.open(member) as file:
                while file.read(_BLOCK):
                    pass


def _office_xml(archive: zipfile.ZipFile) -> SheetMarks:
    members = set(archive.namelist())
    return {name: _sheet(archive, member) for name, member in _sheet_members(archive).items() if member in members}


def _sheet_members(archive: zipfile.ZipFile) -> dict[str, str]:
    """Which member of the archive holds which sheet."""
    links = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
    targets = {link.get("Id"): link.get("Target", "") for link in links}
    sheets = {}
    for sheet in ElementTree.fromstring(archive.read("xl/workbook.xml")).iter():
        if sheet.tag in (f"{_MAIN}sheet", f"{_STRICT}sheet"):
            target = targets.get(next((v for k, v in sheet.attrib.items() if _RELATION.search(k)), None)) or ""
            sheets[sheet.get("name", "")] = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    return sheets


def _sheet(archive: zipfile.ZipFile, member: str) -> Marks:
    """Read the sheet block by block; a block keeps the end of the one before, so that no cell is cut."""
    marks = Marks()
    with archive.open(member) as file:
        rest = b""
        while block := file.read(_BLOCK):
            data = rest + block
            marks.errors.update(_block_errors(data))
            if b'hidden="' in data:
                _note_hidden(data, marks)
            rest = data[-_LONGEST_CELL:]
    return marks


def _note_hidden(data: bytes, marks: Marks) -> None:
    marks.hidden_rows.update(int(found[1]) - 1 for found in _HIDDEN_ROW.finditer(data))
    for found in _HIDDEN_COLUMNS.finditer(data):
        span = dict(_SPAN.findall(found[0]))
        marks.hidden_columns.update(range(int(span[b"min"]) - 1, min(int(span[b"max"]), _WIDEST)))


def _block_errors(data: bytes) -> Iterator[tuple[Place, str]]:
    for mark in _MARKS if b"</f>" in data else _MARKS[:1]:
        at = data.find(mark)
        while at >= 0:
            cell = _around(data, at)
            if cell is not None:
                yield cell
            at = data.find(mark, at + 1)


def _around(data: bytes, at: int) -> tuple[Place, str] | None:
    """The cell a mark stands in; a formula that gives an empty text is no error."""
    start = max(data.rfind(b"<c ", 0, at), data.rfind(b":c ", 0, at) - 2)
    head = _CELL.search(data, max(0, start - 20), at + 4096)
    end = data.find(b"c>", at)
    if head is None or end < 0:
        return None
    place = int(head[2]) - 1, _column(head[1])
    if b't="e"' in head[0]:
        value = _VALUE.search(data, head.end(), end)
        return place, value[1].decode("utf-8", "replace") if value else "#N/A"
    return None if b't="str"' in head[0] else (place, NEVER_COMPUTED)


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1


def _open_document(archive: zipfile.ZipFile) -> SheetMarks:
    """Walk the cells of an OpenDocument sheet only when it speaks of errors or of something hidden at all."""
    content = archive.read("content.xml")
    if b'value-type="error"' not in content and b'table:visibility="' not in content:
        return {}
    tables = ElementTree.fromstring(content).iter(f"{_TABLE}table")
    return {table.get(f"{_TABLE}name", ""): _open_table(table) for table in tables}


def _open_table(table: ElementTree.Element) -> Marks:
    marks, at = Marks(), 0
    for column in table.iter(f"{_TABLE}table-column"):
        times = int(column.get(f"{_TABLE}number-columns-repeated", "1"))
        if column.get(_VISIBILITY, _VISIBLE) != _VISIBLE:
            marks.hidden_columns.update(range(at, min(at + times, _WIDEST)))
        at += times
    row = 0
    for line in table.iter(f"{_TABLE}table-row"):
        times = int(line.get(f"{_TABLE}number-rows-repeated", "1"))
        if line.get(_VISIBILITY, _VISIBLE) != _VISIBLE:
            marks.hidden_rows.update(range(row, min(row + times, _TALLEST)))
        marks.errors.update(_row_errors(line, row))
        row += times
    return marks


def _row_errors(line: ElementTree.Element, row: int) -> Iterator[tuple[Place, str]]:
    column = 0
    for cell in line:
        if cell.get(_CALC_TYPE) == "error":
            yield (row, column), "".join(cell.itertext()) or "#N/A"
        column += int(cell.get(f"{_TABLE}number-columns-repeated", "1"))
