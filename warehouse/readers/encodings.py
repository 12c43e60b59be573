"""Which encoding a text file is in, checked over the whole file, and the way to utf-8.

utf-8 is checked block by block without building strings; everything else is decoded once and written out as utf-8,
so that the survey and the csv parser read bytes of one kind, part by part.
"""

from __future__ import annotations

import codecs
import mmap
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa

from warehouse.readers.faults import Fault, ReadRefused
from warehouse.readers.scratch import ScratchFile

BLOCK = 1 << 20
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_NEWLINE = 10


@dataclass(frozen=True)
class Encoding:
    """A codec and the number of bytes of the mark before the text."""

    codec: str
    mark: int = 0


@dataclass(frozen=True)
class Utf8File:
    """A file in utf-8 and the length of its mark; a transcoded copy lives as long as this value."""

    path: Path
    mark: int = 0
    scratch: ScratchFile | None = None


FEWEST_LETTERS = 8
RARE_SHARE = 0.6
"""Traditional characters, which GB 2312 lacks, are about every third of a text written with them."""


def detect(path: Path, name: str) -> Encoding:
    """The encoding all bytes of the file agree with, or a refusal that names the first bad line."""
    with path.open("rb") as file:
        head = file.read(BLOCK)
    for mark, codec in _BOMS:
        if head.startswith(mark):
            encoding = Encoding(codec, len(mark))
            break
    else:
        encoding = Encoding(_utf16_without_mark(head) or "utf-8")
    if encoding.codec != "utf-8":
        return encoding
    if _is_utf8(path, name):
        return encoding
    if encoding.mark:
        raise ReadRefused(_first_not_utf8(path, name))
    return _not_utf8(path, name)


def as_utf8(path: Path, encoding: Encoding, name: str) -> Utf8File:
    """The file itself when it is utf-8, else a transcoded copy beside the system's temporary files."""
    if encoding.codec == "utf-8":
        return Utf8File(path, encoding.mark)
    scratch = ScratchFile(".csv")
    decoder = codecs.getincrementaldecoder(encoding.codec)("strict")
    lines = 1
    with path.open("rb") as source, scratch.path.open("wb") as out:
        source.seek(encoding.mark)
        while block := source.read(BLOCK):
            lines += _write(decoder, block, False, out, lines, name, encoding.codec)
        _write(decoder, b"", True, out, lines, name, encoding.codec)
    return Utf8File(scratch.path, scratch=scratch)


def _write(
    decoder: codecs.IncrementalDecoder, block: bytes, final: bool, out: BinaryIO, lines: int, name: str, codec: str
) -> int:
    try:
        text = decoder.decode(block, final)
    except UnicodeDecodeError as error:
        row = lines + error.object[: error.start].decode(codec, "ignore").count("\n")
        code = "truncated" if final else "wrong_encoding"
        raise ReadRefused(Fault(code, name, row=row, value=_sample(error.object[error.start :]), hint=codec)) from error
    data = text.encode("utf-8")
    out.write(data)
    return data.count(b"\n")


def _utf16_without_mark(head: bytes) -> str | None:
    """NUL at every other place means two-byte letters; which place says the byte order."""
    if b"\0" not in head:
        return None
    nuls = np.flatnonzero(np.frombuffer(head, np.uint8) == 0) % 2
    odd = int(np.count_nonzero(nuls))
    for codec, share in (("utf-16-le", odd / nuls.size), ("utf-16-be", 1 - odd / nuls.size)):
        if share > 0.95 and nuls.size * 20 > len(head):
            try:
                text = head[: len(head) // 2 * 2].decode(codec, "strict")
            except UnicodeDecodeError:
                continue
            if "\0" not in text:
                return codec
    return None


def _blocks(path: Path) -> Iterator[bytes]:
    """The file in blocks that end at a line end, so that no letter is cut."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole:
        start = 0
        while start < len(whole):
            cut = whole.rfind(b"\n", start, start + BLOCK) + 1
            if start + BLOCK < len(whole):
                cut = cut or whole.find(b"\n", start + BLOCK) + 1 or len(whole)
            else:
                cut = len(whole)
            yield whole[start:cut]
            start = cut


def likely_utf8(path: Path) -> Utf8File | None:
    """The file as utf-8 where its head is; the rest is to be proved by whoever goes on reading."""
    with path.open("rb") as file:
        head = file.read(BLOCK)
    mark = len(codecs.BOM_UTF8) if head.startswith(codecs.BOM_UTF8) else 0
    return Utf8File(path, mark) if is_utf8(head[: head.rfind(b"\n") + 1]) else None


def is_utf8(block: bytes) -> bool:
    """Whether whole lines are utf-8 without a NUL."""
    return b"\0" not in block and (block.isascii() or _valid(block))


def _is_utf8(path: Path, name: str) -> bool:
    for block in _blocks(path):
        if b"\0" in block:
            raise ReadRefused(Fault("nul_bytes", name, row=_line_of_nul(path)))
        if not block.isascii() and not _valid(block):
            return False
    return True


def _line_of_nul(path: Path) -> int:
    with path.open("rb") as file:
        return next(number for number, line in enumerate(file, 1) if b"\0" in line)


def _valid(block: bytes) -> bool:
    bounds = pa.py_buffer(np.array([0, len(block)], dtype=np.int32))
    try:
        pa.Array.from_buffers(pa.utf8(), 1, [None, bounds, pa.py_buffer(block)]).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _first_not_utf8(path: Path, name: str) -> Fault:
    """The first line that breaks the promise of the file's own mark."""
    with path.open("rb") as file:
        row, line = next((row, line) for row, line in enumerate(file, 1) if not _reads(line, "utf-8"))
    return Fault("mixed_encoding", name, row=row, value=_sample(line))


def _not_utf8(path: Path, name: str) -> Encoding:
    """gb18030 when every line is; a file of both kinds is refused at the first line of the other kind."""
    seen: dict[str, tuple[int, bytes]] = {}
    lines = 1
    for block in _blocks(path):
        if not _plainly_gb(block):
            for number, line in enumerate(block.split(b"\n"), lines):
                kind = _kind(line)
                if kind is not None:
                    seen.setdefault(kind, (number, line))
        elif "gb18030" not in seen and not block.isascii():
            found = ((n, line) for n, line in enumerate(block.split(b"\n"), lines) if not line.isascii())
            seen["gb18030"] = next(found)
        lines += block.count(b"\n")
    _refuse_mixture(seen, lines, name)
    _refuse_foreign(path, name)
    return Encoding("gb18030")


def _refuse_foreign(path: Path, name: str) -> None:
    """Nearly all bytes make sense as gb18030; text of another encoding gives characters nobody uses."""
    with path.open("rb") as file:
        data = file.read(BLOCK)
    if _plainly_gb(data):
        return
    text = data.decode("gb18030", "ignore")
    letters = {letter: times for letter, times in Counter(text).items() if "\u4e00" <= letter <= "\u9fff"}
    rare = sum(times for letter, times in letters.items() if not _is_common(letter))
    if (count := sum(letters.values())) >= FEWEST_LETTERS and rare > count * RARE_SHARE:
        raise ReadRefused(Fault("foreign_encoding", name, row=1, value=text[:30].strip()))


def _is_common(letter: str) -> bool:
    """Whether a character is one of the 6,763 of GB 2312."""
    try:
        letter.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


def _refuse_mixture(seen: dict[str, tuple[int, bytes]], lines: int, name: str) -> None:
    """Refuse what no single encoding explains, at the first line that does not go with those above it."""
    kinds = set(seen) - {"none"}
    if "none" in seen:
        row, line = seen["none"]
        was_cut = row >= lines and len(kinds) == 1 and any(_reads(line[:-cut], *kinds) for cut in (1, 2, 3))
        code = "truncated" if was_cut else "mixed_encoding" if "utf-8" in kinds else "wrong_encoding"
        raise ReadRefused(Fault(code, name, row=row, value=_sample(line)))
    if len(kinds) > 1:
        row, line = max(seen.values(), key=lambda found: found[0])
        raise ReadRefused(Fault("mixed_encoding", name, row=row, value=_sample(line)))


def _plainly_gb(block: bytes) -> bool:
    """Whether the block reads as everyday Chinese in GB 2312; utf-8 read that way gives rare signs."""
    try:
        block.decode("gb2312")
    except UnicodeDecodeError:
        return False
    return True


def _kind(line: bytes) -> str | None:
    """The encoding of one line, None when it could be either."""
    if line.isascii():
        return None
    utf8, chinese = _reads(line, "utf-8"), _reads(line, "gb18030")
    if utf8 == chinese:
        return "none" if utf8 == 0 else None
    return "utf-8" if utf8 > chinese else "gb18030"


def _reads(line: bytes, codec: str) -> int:
    """How well a line reads in a codec: 0 not at all, 1 with odd signs, 2 as everyday text."""
    try:
        text = line.decode(codec)
    except UnicodeDecodeError:
        return 0
    try:
        text.encode("gb2312")
    except UnicodeEncodeError:
        return 1
    return 2


def _sample(data: bytes) -> str:
    return data[:24].decode("utf-8", "backslashreplace").strip()
