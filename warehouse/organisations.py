"""Organisations: who a name in an export means, and the two-time closure of the tree.

A unit is found by code, else by name, short name or dated alias. An unknown name is never guessed: it goes to
quarantine with suggestions by spelling.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import duckdb
from rapidfuzz import fuzz, process

_BLANKS = re.compile(r"\s+")
_LISTED = re.compile(r"[;；、|]")


def fold_name(text: str) -> str:
    """Return a name as it is compared: NFKC, lower case, no blanks."""
    return _BLANKS.sub("", unicodedata.normalize("NFKC", text)).casefold()


@dataclass(frozen=True)
class Match:
    """The unit a text means, or why none: `unknown_org` or `ambiguous_org`, with names that come near."""

    code: str | None
    fault: str | None = None
    hint: str | None = None


class Directory:
    """All codes, names and aliases known at one moment."""

    def __init__(self, rows: Iterable[tuple[str, str, str | None, str | None]]) -> None:
        self._codes: dict[str, str] = {}
        self._names: dict[str, set[str]] = defaultdict(set)
        self._shown: dict[str, str] = {}
        for code, name, short_name, aliases in rows:
            self._codes[fold_name(code)] = code
            self._shown[fold_name(name)] = name
            for text in (name, short_name, *_LISTED.split(aliases or "")):
                if text and text.strip():
                    self._names[fold_name(text)].add(code)

    def __len__(self) -> int:
        return len(self._codes)

    def find(self, text: str) -> Match:
        """Return the unit a cell names."""
        folded = fold_name(text)
        if code := self._codes.get(folded):
            return Match(code)
        codes = self._names.get(folded, set())
        if len(codes) == 1:
            return Match(next(iter(codes)))
        if codes:
            return Match(None, "ambiguous_org", "、".join(sorted(codes)))
        near = process.extract(folded, list(self._shown), scorer=fuzz.WRatio, limit=3, score_cutoff=60)
        return Match(None, "unknown_org", "、".join(self._shown[name] for name, _, _ in near) or None)


CLOSURE_SQL = """
-- one row per unit version: place in the tree, life in months, knowledge in batches
CREATE OR REPLACE TEMP TABLE placed AS
SELECT code, nullif(parent, '') AS parent, from_m, to_m, rec_from, rec_to FROM d_org_unit;

-- every ancestor of every unit; valid time and knowledge are intersected at each step, a repeat ends the walk
CREATE TABLE closure AS
WITH RECURSIVE walk AS (
    SELECT code AS anc, code AS dsc, 0 AS depth, parent AS up, from_m, to_m, rec_from, rec_to,
           [code] AS path FROM placed
    UNION ALL
    SELECT p.code, w.dsc, w.depth + 1, p.parent,
           greatest(w.from_m, p.from_m), least(w.to_m, p.to_m),
           greatest(w.rec_from, p.rec_from), least(w.rec_to, p.rec_to), list_append(w.path, p.code)
    FROM walk w JOIN placed p ON p.code = w.up
    WHERE greatest(w.from_m, p.from_m) < least(w.to_m, p.to_m)
      AND greatest(w.rec_from, p.rec_from) < least(w.rec_to, p.rec_to) AND NOT list_contains(w.path, p.code)
)
SELECT anc, dsc, depth, from_m, to_m, rec_from, rec_to FROM walk;

-- places stretched over all months: the first parent reaches back, the last one forward (as-of-date trees)
CREATE OR REPLACE TEMP TABLE placed_ext AS
WITH points AS (
    SELECT DISTINCT code, seq FROM (
        SELECT code, rec_from AS seq FROM placed UNION ALL SELECT code, rec_to FROM placed WHERE rec_to < 2147483647
    )
), spans AS (
    SELECT code, seq AS rec_from, lead(seq, 1, 2147483647) OVER (PARTITION BY code ORDER BY seq) AS rec_to FROM points
), live AS (
    SELECT s.code, s.rec_from, s.rec_to, p.parent, p.from_m FROM spans s
    JOIN placed p ON p.code = s.code AND p.rec_from <= s.rec_from AND s.rec_from < p.rec_to
)
SELECT code, parent,
       CASE WHEN row_number() OVER w = 1 THEN 0 ELSE from_m END AS from_m,
       lead(from_m, 1, 2147483647) OVER w AS to_m, rec_from, rec_to
FROM live WINDOW w AS (PARTITION BY code, rec_from ORDER BY from_m);

CREATE TABLE closure_ext AS
WITH RECURSIVE walk AS (
    SELECT code AS anc, code AS dsc, 0 AS depth, parent AS up, from_m, to_m, rec_from, rec_to,
           [code] AS path FROM placed_ext
    UNION ALL
    SELECT p.code, w.dsc, w.depth + 1, p.parent,
           greatest(w.from_m, p.from_m), least(w.to_m, p.to_m),
           greatest(w.rec_from, p.rec_from), least(w.rec_to, p.rec_to), list_append(w.path, p.code)
    FROM walk w JOIN placed_ext p ON p.code = w.up
    WHERE greatest(w.from_m, p.from_m) < least(w.to_m, p.to_m)
      AND greatest(w.rec_from, p.rec_from) < least(w.rec_to, p.rec_to) AND NOT list_contains(w.path, p.code)
)
SELECT anc, dsc, depth, from_m, to_m, rec_from, rec_to FROM walk;
DROP TABLE placed;
DROP TABLE placed_ext;
"""


def build_closure(con: duckdb.DuckDBPyConnection) -> None:
    """Derive `closure` and `closure_ext` from `d_org_unit`."""
    for statement in CLOSURE_SQL.split(";\n"):
        if statement.strip():
            con.execute(statement)
