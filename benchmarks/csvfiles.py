"""What becomes of each of DuckDB's own csv test files: read right, set aside, refused, or wrong.

Right is what a second reader says: DuckDB's, which these files were written for. Where it gives up or takes another
view, the record must stand in Python's csv reading of the file; a file decided by hand says so with its reason in
`csvfiles.toml`. Nothing else is right.
"""

from __future__ import annotations

import csv
import io
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.headers import knows
from warehouse.readers.faults import ReadRefused
from warehouse.readers.labels import Aliases
from warehouse.readers.messages import message
from warehouse.readers.raw import RawTable
from warehouse.readers.tables import read_tables

FOLDER = "duckdb_csv"
OWN_NOTES = ("SOURCE.txt", "LICENSE_upstream.txt")
RIGHT, BY_HAND, ASIDE, REFUSED, WRONG = "right", "right by hand", "set aside", "refused", "wrong"
KINDS = (RIGHT, BY_HAND, ASIDE, REFUSED)
DELIMITERS = ",\t;|"
Rows = Sequence[Sequence[str]]


@dataclass(frozen=True)
class Outcome:
    """What became of one file."""

    file: str
    kind: str
    why: str
    rows: int = 0
    columns: int = 0


def outcomes(folder: Path, part: str = "") -> Iterator[Outcome]:
    """Give what becomes of every file of the collection or a part; anything but a refusal that a reader raises goes up."""
    aliases, decided = knows(), _decided()
    with duckdb.connect(config={"threads": 1}) as con:
        for path in sorted((folder / part).rglob("*")):
            name = path.relative_to(folder).as_posix()
            if path.is_file() and name not in OWN_NOTES:
                yield _outcome(path, name, aliases, decided, con)


def summary(found: Sequence[Outcome]) -> Counter[str]:
    """Count the outcomes."""
    return Counter(one.kind for one in found)


def _outcome(
    path: Path, name: str, aliases: Aliases, decided: Mapping[str, Mapping[str, Any]], con: duckdb.DuckDBPyConnection
) -> Outcome:
    try:
        (table,) = read_tables(path, aliases)
    except ReadRefused as refusal:
        sentences = [message(fault, language) for fault in refusal.faults for language in ("zh", "en")]
        if not all(path.name in sentence for sentence in sentences):
            return Outcome(name, WRONG, f"a refusal that does not name the file: {sentences}")
        return Outcome(name, REFUSED, refusal.faults[0].code)
    kind, why = _judge(path, name, table, decided, con)
    return Outcome(name, kind, why, table.rows, len(table.labels))


def _judge(
    path: Path, name: str, table: RawTable, decided: Mapping[str, Mapping[str, Any]], con: duckdb.DuckDBPyConnection
) -> tuple[str, str]:
    rows = {number: [_plain(cell) for cell in cells] for number, cells in table.texts()}
    if len(rows) != table.rows:
        return WRONG, f"counted {table.rows}, gave {len(rows)}"
    theirs = _by_duckdb(path, con)
    if theirs is not None and list(rows.values()) == theirs:
        return RIGHT, "DuckDB reads the same"
    if (hand := decided.get(name)) is not None:
        agrees = (hand["rows"], hand["columns"]) == (table.rows, len(table.labels))
        return (BY_HAND if agrees else WRONG), hand["why"]
    flagged = {fault.row for fault in table.row_faults}
    if not _stands_in_file(path, {n: cells for n, cells in rows.items() if n not in flagged}, len(table.labels)):
        return WRONG, "rows that no reading of the file has"
    if flagged:
        return ASIDE, f"{len(flagged)} rows: {table.row_faults[0].code}"
    return WRONG, f"DuckDB: {'refused' if theirs is None else f'{len(theirs)} rows'}; skipped {dict(table.skipped)}"


def _by_duckdb(path: Path, con: duckdb.DuckDBPyConnection) -> Rows | None:
    quoted = str(path).replace("'", "''")
    try:
        found = con.execute(
            f"SELECT * FROM read_csv('{quoted}', all_varchar = true, hive_partitioning = false)"
        ).fetchall()
    except duckdb.Error:
        return None
    return [[_plain(cell) for cell in row] for row in found if any(_plain(cell) for cell in row)]


def _stands_in_file(path: Path, rows: Mapping[int, Sequence[str]], width: int) -> bool:
    """Whether Python's csv module finds each row under its number, with one of the usual delimiters."""
    text = _decoded(path)
    for delimiter in DELIMITERS:
        records = dict(enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), 1))
        if all(
            [_plain(cell) for cell in (*records.get(n, ()), *[""] * width)][:width] == list(cells)
            for n, cells in rows.items()
        ):
            return True
    return False


def _decoded(path: Path) -> str:
    data = path.read_bytes()
    for encoding in ("utf-8-sig", "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1")


def _plain(cell: str | None) -> str:
    return (cell or "").strip()


def _decided() -> Mapping[str, Mapping[str, Any]]:
    text = (resources.files("benchmarks") / "csvfiles.toml").read_text(encoding="utf-8")
    return {item["file"]: item for item in tomllib.loads(text).get("decided", ())}
