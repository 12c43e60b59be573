"""Cells whose formula failed or was never computed.

The cell reader returns them as blank, and a blank is no fault; a figure would go missing in silence. So they are
looked up in the file itself and shown as the text a person sees.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from xml.etree import ElementTree

from warehouse.readers import biff
from warehouse.readers.signatures import Kind

NEVER_COMPUTED = "#UNCALCULATED!"

Place = tuple[int, int]
ErrorCells = Mapping[str, Mapping[Place, str]]

_BLOCK = 1 << 20
_LONGEST_CELL = 1 << 16
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_STRICT = "{http://purl.oclc.org/ooxml/spreadsheetml/main}"
_RELATION = re.compile(r"\}id$")
_CELL = re.compile(rb'<(?:\w+:)?c\b[^>]*?\br="([A-Z]+)(\d+)"[^>]*>')
_VALUE = re.compile(rb"<(?:\w+:)?v>([^<]*)</")
_MARKS = (b't="e"', b"</f><v></v>", b"</f><v/>", b"</f><v />", b"</f></c>")
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_CALC_TYPE = "{urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0}value-type"


def error_cells(path: Path, kind: Kind) -> ErrorCells:
    """The shown text of every failed formula, by sheet, row and column from 0."""
    if kind is Kind.XLS:
        stream = biff.workbook_stream(biff.open_compound(path.read_bytes()))
        return {} if stream is None else biff.error_cells(stream)
    with zipfile.ZipFile(path) as archive:
        return _open_document(archive) if kind is Kind.ODS else _office_xml(archive)


def _office_xml(archive: zipfile.ZipFile) -> ErrorCells:
    members = set(archive.namelist())
    for member in members & {"xl/sharedStrings.xml", "xl/styles.xml"}:
        _read_through(archive, member)
    found = {}
    for name, member in _sheet_members(archive).items():
        if member in members:
            found[name] = dict(_sheet_errors(archive, member))
    return found


def _read_through(archive: zipfile.ZipFile, member: str) -> None:
    """Unpack a member once, so that one that is longer than it says is found out before the cell reader meets it."""
    with archive.open(member) as file:
        while file.read(_BLOCK):
            pass


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


def _sheet_errors(archive: zipfile.ZipFile, member: str) -> Iterator[tuple[Place, str]]:
    """Read the sheet block by block; a block keeps the end of the one before, so that no cell is cut."""
    with archive.open(member) as file:
        rest = b""
        while block := file.read(_BLOCK):
            data = rest + block
            yield from _block_errors(data)
            rest = data[-_LONGEST_CELL:]


def _block_errors(data: bytes) -> Iterator[tuple[Place, str]]:
    for mark in _MARKS:
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


def _open_document(archive: zipfile.ZipFile) -> ErrorCells:
    """Walk the cells of an OpenDocument sheet only when it speaks of errors at all."""
    content = archive.read("content.xml")
    if b'value-type="error"' not in content:
        return {}
    found: dict[str, dict[Place, str]] = {}
    for table in ElementTree.fromstring(content).iter(f"{_TABLE}table"):
        found[table.get(f"{_TABLE}name", "")] = dict(_table_errors(table))
    return found


def _table_errors(table: ElementTree.Element) -> Iterator[tuple[Place, str]]:
    row = 0
    for line in table.iter(f"{_TABLE}table-row"):
        column = 0
        for cell in line:
            if cell.get(_CALC_TYPE) == "error":
                yield (row, column), "".join(cell.itertext()) or "#N/A"
            column += int(cell.get(f"{_TABLE}number-columns-repeated", "1"))
        row += int(line.get(f"{_TABLE}number-rows-repeated", "1"))
