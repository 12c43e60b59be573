"""What a file really is, told from its bytes."""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from enum import Enum
from pathlib import Path

from warehouse.readers import biff
from warehouse.readers.faults import Fault, ReadRefused

DECLARED_LIMIT = 400 * 1024 * 1024
RATIO_LIMIT = 200
SMALL = 10 * 1024 * 1024
"""Below this unpacked size no ratio can hurt."""

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_STRANGERS = (
    (b"\x89PNG", "image"), (b"\xff\xd8\xff", "image"), (b"GIF8", "image"), (b"BM", "image"), (b"II*\0", "image"),
    (b"MM\0*", "image"), (b"%PDF", "pdf"), (b"Rar!", "archive"), (b"7z\xbc\xaf", "archive"), (b"\x1f\x8b", "archive"),
    (b"BZh", "archive"), (b"\xfd7zXZ", "archive"), (b"\x28\xb5\x2f\xfd", "archive"), (b"{\\rtf", "word"),
    (b"SQLite format 3", "database"), (b"MZ", "program"), (b"\x7fELF", "program"),
)  # fmt: skip
_HTML = re.compile(
    rb"^(<\?xml[^>]*>|<!--.*?-->|\s)*<(!doctype\s+html|html|table|head|body|meta|div|style)", re.I | re.S
)
_JSON = re.compile(rb"^(\{\s*\"[^\"]*\"\s*:|\[\s*\{\s*\")")
_SHEET_XML = re.compile(rb"urn:schemas-microsoft-com:office:spreadsheet")


class Kind(Enum):
    """The kinds of file we can read."""

    TEXT = "text"
    XLSX = "xlsx"
    XLS = "xls"
    ODS = "ods"
    PARQUET = "parquet"


def recognise(path: Path, name: str) -> Kind:
    """The kind of a file we can read; everything else is refused by what it really is."""
    with path.open("rb") as file:
        head = file.read(4096)
    if not head:
        raise ReadRefused(Fault("empty_file", name))
    if head.startswith(b"PAR1"):
        return Kind.PARQUET
    if head.startswith(b"PK\x03\x04"):
        return _zipped(path, name)
    if head.startswith(_OLE):
        return _compound(path, name)
    for mark, what in _STRANGERS:
        if head.startswith(mark) and not (mark in (b"BM", b"MZ") and b"\0" not in head):
            raise ReadRefused(Fault("not_a_table", name, value=Path(name).suffix, hint=what))
    _refuse_markup(head, name)
    return Kind.TEXT


def _refuse_markup(head: bytes, name: str) -> None:
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = head.decode("utf-16", "ignore").encode()
    if _HTML.match(text):
        raise ReadRefused(Fault("html_as_xls", name))
    if _JSON.match(text):
        raise ReadRefused(Fault("not_a_table", name, value=Path(name).suffix, hint="json"))
    if text.startswith(b"<?xml"):
        what = "sheet_xml" if _SHEET_XML.search(text) else "xml"
        raise ReadRefused(Fault("not_a_table", name, value=Path(name).suffix, hint=what))


DAMAGED_ARCHIVE = (zipfile.BadZipFile, NotImplementedError, zlib.error, EOFError, OSError, ValueError)
"""What a damaged archive makes the standard library say; a flipped byte may ask for a version that does not exist."""


def _zipped(path: Path, name: str) -> Kind:
    """Tell workbooks from other archives and refuse what would swell beyond reason."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except DAMAGED_ARCHIVE as error:
        raise ReadRefused(Fault("corrupt", name)) from error
    names = {member.filename.lower() for member in members}
    if any(member.flag_bits & 1 for member in members):
        raise ReadRefused(Fault("password", name))
    _refuse_bomb(members, name)
    if "xl/workbook.bin" in names:
        raise ReadRefused(Fault("not_a_table", name, value=Path(name).suffix, hint="xlsb"))
    if any(member.startswith("xl/") for member in names):
        return Kind.XLSX
    if "content.xml" in names:
        return _open_document(path, name)
    what = "word" if any(m.startswith("word/") for m in names) else "archive"
    what = "slides" if any(m.startswith("ppt/") for m in names) else what
    raise ReadRefused(Fault("not_a_table", name, value=Path(name).suffix, hint=what))


def _refuse_bomb(members: list[zipfile.ZipInfo], name: str) -> None:
    unpacked = sum(member.file_size for member in members)
    packed = max(1, sum(member.compress_size for member in members))
    if unpacked > DECLARED_LIMIT or (unpacked > SMALL and unpacked / packed > RATIO_LIMIT):
        raise ReadRefused(Fault("too_big", name, value=f"{unpacked / 1048576:.0f}", hint=str(DECLARED_LIMIT >> 20)))


def _open_document(path: Path, name: str) -> Kind:
    try:
        with zipfile.ZipFile(path) as archive:
            kind = archive.read("mimetype") if "mimetype" in archive.namelist() else b"spreadsheet"
            manifest = archive.read("META-INF/manifest.xml") if "META-INF/manifest.xml" in archive.namelist() else b""
    except DAMAGED_ARCHIVE as error:
        raise ReadRefused(Fault("corrupt", name)) from error
    if b"encryption-data" in manifest:
        raise ReadRefused(Fault("password", name))
    if b"spreadsheet" not in kind:
        what = "word" if b"text" in kind else "slides"
        raise ReadRefused(Fault("not_a_table", name, value=Path(name).suffix, hint=what))
    return Kind.ODS


def _compound(path: Path, name: str) -> Kind:
    """An old Office file: the names of its streams say which program wrote it."""
    try:
        compound = biff.open_compound(path.read_bytes())
        streams = set(compound.streams)
        if "EncryptedPackage" in streams:
            raise ReadRefused(Fault("password", name))
        stream = biff.workbook_stream(compound)
    except (biff.NotCompound, struct.error, KeyError) as error:
        raise ReadRefused(Fault("corrupt", name)) from error
    if stream is not None:
        if biff.has_password(stream):
            raise ReadRefused(Fault("password", name))
        return Kind.XLS
    what = "word" if "WordDocument" in streams else "slides" if "PowerPoint Document" in streams else None
    if what is None:
        raise ReadRefused(Fault("corrupt", name))
    raise ReadRefused(Fault("not_a_table", name, value=Path(name).suffix, hint=what))
