"""Words for failures of the world around us: a disk, a database, a file, a setting. Our own errors bring theirs."""

from __future__ import annotations

import errno
import os
import zoneinfo
from collections.abc import Sequence

import duckdb
import sqlalchemy.exc

DETAILS = "COCKPIT_DEBUG=1 shows where"
FULL = ("no space left", "disk is full", "disk full")
LIBRARIES = ("polars.", "pyarrow.", "xlsxwriter.", "pydantic_core.")


def words(error: Exception, arguments: Sequence[str] = ()) -> tuple[str, str] | None:
    """Return what failed and what to do about it; None for what nobody foresaw."""
    store = store_named(arguments)
    if is_full(error):
        return (
            f"The disk is full (store {store}): {_first_line(error)}",
            "free some room and do the same again: what was acknowledged is kept, nothing is half done",
        )
    if isinstance(error, OSError):
        place = " -> ".join(str(name) for name in (error.filename, error.filename2) if name is not None)
        reason = error.strerror or _first_line(error)
        return f"{place or store}: {reason}.", "check that the path exists and that you may read and write there"
    if isinstance(error, sqlalchemy.exc.SQLAlchemyError):
        cause = getattr(error, "orig", None) or error
        return (
            f"The control log of the store {store} cannot be used: {_first_line(cause)}",
            f"see what to do with: cockpit doctor --store {store}; {DETAILS}",
        )
    if isinstance(error, duckdb.Error):
        return (
            f"The figures of the store {store} cannot be read: {_first_line(error)}",
            f"see what is wrong with: cockpit doctor --store {store}; build them anew with: cockpit rebuild; {DETAILS}",
        )
    if isinstance(error, zoneinfo.ZoneInfoNotFoundError):
        return f"Unknown time zone: {_first_line(error)}", "write a name such as Asia/Shanghai"
    if isinstance(error, ValueError) or type(error).__module__.startswith(LIBRARIES):
        return (
            f"{type(error).__name__}: {_first_line(error)}",
            f"check the options, the COCKPIT_ settings and the files named; {DETAILS}",
        )
    return None


def is_full(error: Exception) -> bool:
    """Tell whether a disk had no room left, in the words of the system or of a library."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    known = isinstance(error, sqlalchemy.exc.SQLAlchemyError | duckdb.Error)
    return known and any(words in str(error).lower() for words in FULL)


def store_named(arguments: Sequence[str]) -> str:
    """Return the store a command line speaks of, for the words of an error."""
    for number, argument in enumerate(arguments):
        if argument.startswith("--store="):
            return argument.partition("=")[2]
        if argument == "--store" and number + 1 < len(arguments):
            return arguments[number + 1]
    return os.environ.get("COCKPIT_STORE", "store")


def _first_line(error: object) -> str:
    text = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " / ".join(lines[:3])[:300] if lines else type(error).__name__
