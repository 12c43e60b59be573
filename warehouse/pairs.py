"""A code and the name beside it: both must speak of the same entry of a list that the package ships.

Only a plain contradiction is a fault: the name is one of the list and the code is another entry's. A name nobody
knows, a code of another list and a finer code below a listed one are left alone.
"""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Mapping
from importlib import resources

_LEFT_OUT = "[()（）\\s]"


def pair_expr(code: str, name: str, table: str) -> str | None:
    """SQL that holds for a row whose code and name agree; None when the package ships no such list.

    The list is asked once per distinct pair of the file, not once per row.
    """
    codes = _codes_by_name(table)
    if not codes:
        return None
    folded = f"regexp_replace(n, '{_LEFT_OUT}', '', 'g')"
    meant = " ".join(f"WHEN '{text}' THEN '^({'|'.join(found)})'" for text, found in sorted(codes.items()))
    listed = f"^({'|'.join(sorted({code for found in codes.values() for code in found}))})"
    # a condition on aggregates stays above the grouping; on plain columns it would be asked of every row
    pairs = f'SELECT any_value("{code}") AS c, any_value("{name}") AS n FROM staged GROUP BY "{code}", "{name}"'
    return (
        f"NOT coalesce(list_contains((SELECT list(c || '|' || n) FROM ({pairs}) WHERE regexp_matches(c, '{listed}')"
        f" AND NOT regexp_matches(c, CASE {folded} {meant} ELSE '' END)), \"{code}\" || '|' || \"{name}\"), false)"
    )


def _codes_by_name(table: str) -> Mapping[str, tuple[str, ...]]:
    entry = resources.files("warehouse") / "reference" / f"{table}.csv"
    if not entry.is_file():
        return {}
    found: dict[str, list[str]] = defaultdict(list)
    for row in csv.DictReader(entry.read_text(encoding="utf-8").splitlines()):
        found[re.sub(_LEFT_OUT, "", row["name"])].append(row["code"])
    return {name: tuple(codes) for name, codes in found.items()}
