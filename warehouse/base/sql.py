"""Texts inside SQL statements."""

from __future__ import annotations


def quote(text: str | None) -> str:
    """Return a text as an SQL literal."""
    return "NULL" if text is None else "'" + text.replace("'", "''") + "'"
