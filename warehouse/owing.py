"""Who owes: which units count in a theme in a month, and which of them owe its reports; the one rule, in both times.

Boards count by it (`population`), lists of submissions and reminders name by it, governance judges by it. A unit counts
in the themes the register says, while it lives. A unit kept out (不纳入) by what is known now is kept out of every earlier
day as well: else the difference between the board before and the board after would be the very figures that must not be
seen. A compound or a shared meter counts, for what nobody divided is in the totals, but owes no report: its bills are
divided among the units in it.
"""

from __future__ import annotations

from collections.abc import Iterable

from warehouse.allocating import SHARED_KINDS
from warehouse.base.periods import OPEN
from warehouse.base.sql import quote


def is_owing(kind: str = "kind") -> str:
    """SQL that holds for kinds of register nodes that owe reports of their own."""
    return f"coalesce({kind}, '') NOT IN ({', '.join(quote(shared) for shared in SHARED_KINDS)})"


def is_kept_out(unit: str = "o") -> str:
    """SQL that holds for versions of a unit in the register of which some month is kept out, as known now."""
    return f"""(coalesce({unit}.excluded, FALSE) OR EXISTS (SELECT 1 FROM d_org_unit s WHERE s.code = {unit}.code AND s.excluded
        AND s.rec_to = {OPEN} AND s.from_m < {unit}.to_m AND {unit}.from_m < s.to_m))"""


def member_steps(themes: Iterable[str]) -> str:
    """SQL of the steps that give `members` (theme, code, owes, from_m, to_m, rec_from, rec_to), to stand behind WITH."""
    each = " UNION ALL ".join(
        f"SELECT {quote(theme)} AS theme, code, {is_owing()} AS owes, from_m, to_m, rec_from, rec_to FROM d_org_unit "
        f"WHERE coalesce(scope_{theme}, false) AND NOT coalesce(excluded, false)"
        for theme in themes
    )
    return f"""
    counted AS ({each}),
    secret AS (SELECT code, from_m, to_m FROM d_org_unit WHERE excluded AND rec_to = {OPEN}),
    cut AS (
        SELECT c.*, unnest(list_sort(list_distinct([c.from_m] || list_filter(s.ends, lambda m: m > c.from_m AND m < c.to_m)))) AS piece
        FROM counted c JOIN (
            SELECT code, flatten(list([from_m, to_m])) AS ends FROM secret GROUP BY code) s USING (code)
    ), pieces AS (
        SELECT theme, code, owes, piece AS from_m,
               lead(piece, 1, to_m) OVER (PARTITION BY theme, code, from_m, rec_from ORDER BY piece) AS to_m, rec_from, rec_to
        FROM cut
    ), members AS (
        SELECT * FROM counted WHERE code NOT IN (SELECT code FROM secret)
        UNION ALL
        SELECT * FROM pieces p ANTI JOIN secret s ON s.code = p.code AND s.from_m < p.to_m AND p.from_m < s.to_m
    )"""


def placed_steps(themes: Iterable[str]) -> str:
    """SQL of the steps that give `placed`: where a member hangs (anc, dsc, depth), while it is one and lives."""
    return f"""{member_steps(themes)}, placed AS (
        SELECT m.theme, c.anc, c.dsc, c.depth, m.owes,
               greatest(c.from_m, m.from_m) AS from_m, least(c.to_m, m.to_m) AS to_m,
               greatest(c.rec_from, m.rec_from) AS rec_from, least(c.rec_to, m.rec_to) AS rec_to
        FROM closure c JOIN members m ON m.code = c.dsc
         AND c.from_m < m.to_m AND m.from_m < c.to_m AND c.rec_from < m.rec_to AND m.rec_from < c.rec_to
    )"""


def owing_units(theme: str) -> str:
    """SQL of unit, from_m, to_m, rec_from, rec_to: who owes the reports of a theme, when, as known in which batches."""
    return f"""(WITH {placed_steps((theme,))}
        SELECT dsc AS unit, from_m, to_m, rec_from, rec_to FROM placed WHERE depth = 0 AND owes)"""
