"""Paths as DuckDB reads them: its file functions take every path for a pattern."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

_PATTERN = re.compile(r"[\[*?]")


def one_file(path: Path) -> str:
    """Return a path as an SQL literal that means this very file, whatever signs its folders bear."""
    plain = _PATTERN.sub(r"[\g<0>]", str(path))
    return "'" + plain.replace("'", "''") + "'"


def these_files(paths: Iterable[Path]) -> str:
    """Return paths as an SQL list of files."""
    return f"[{', '.join(one_file(path) for path in paths)}]"
