"""For whom a file speaks, where one file covers many units: the one rule, as SQL, for boards, reviews and due lists.

A file of a month speaks for every unit that owes it, also for those it has no row of. One office's own file is no such
file: a month that names only a small part (fewer than one in `FEW`) of the units that some month of the year before
named, as known then, speaks for those it names alone.

A month without any row is one of which a file says that it covers it (`warehouse.declared`): nothing happened, and that
is said for all, unless so many usually have something to report that an empty month can only be a slip. What somebody
declared who reports for some units only is said for those.
"""

from __future__ import annotations

from warehouse.contracts import FEW


def speaking(changes: str, declared: str | None = None) -> str:
    """SQL of the steps that say for whom the rows of a dataset speak, to stand behind WITH.

    `changes` is SQL of unit, month_no, batch_seq, n: by how many rows each batch changed a unit's month; `declared` the
    same of the months batches declare, for a unit or for all (NULL). Gives `spoken` (month_no, batch_seq, until, for_all:
    from that batch to before `until` the month speaks for all, or not) and `alone` (unit, month_no, batch_seq, until,
    has: the unit is named while the month speaks for those named only).
    """
    told = changes if declared is None else f"{changes} UNION ALL SELECT * FROM ({declared}) WHERE unit IS NOT NULL"
    return f"""
    folded AS (SELECT unit, month_no, batch_seq, sum(n) AS n FROM ({changes}) GROUP BY ALL),
    rowed AS (SELECT *, sum(n) OVER (PARTITION BY unit, month_no ORDER BY batch_seq) AS rows_now FROM folded),
    own AS ({_standing(told) if declared else "FROM rowed"}),
    named AS (
        SELECT month_no, batch_seq, sum(turned) OVER (PARTITION BY month_no ORDER BY batch_seq) AS units FROM (
            SELECT month_no, batch_seq, sum((rows_now > 0)::INT - (rows_now - n > 0)::INT) AS turned FROM rowed GROUP BY ALL)
    ), said AS ({_said(declared)}), usual AS (
        SELECT a.month_no, a.batch_seq, a.units, a.is_said, max(x.units) AS most
        FROM (SELECT *, unnest(range(1, 13)) AS back FROM said) a
        ASOF LEFT JOIN named x ON x.month_no = a.month_no - a.back AND a.batch_seq >= x.batch_seq GROUP BY ALL
    ), spoken AS (
        SELECT month_no, batch_seq, lead(batch_seq) OVER (PARTITION BY month_no ORDER BY batch_seq) AS until,
               (units > 0 OR is_said) AND (most IS NULL OR greatest(units, 1) * {FEW} >= most) AS for_all
        FROM usual
    ), alone AS (
        SELECT u.unit, s.month_no, s.batch_seq, s.until, (NOT s.for_all AND coalesce(o.rows_now, 0) > 0)::INT AS has
        FROM spoken s JOIN (SELECT DISTINCT unit, month_no FROM own
                            WHERE month_no IN (SELECT month_no FROM spoken WHERE NOT for_all)) u ON u.month_no = s.month_no
        ASOF LEFT JOIN own o ON o.unit = u.unit AND o.month_no = s.month_no AND s.batch_seq >= o.batch_seq
    )"""


def _standing(told: str) -> str:
    return f"""SELECT *, sum(n) OVER (PARTITION BY unit, month_no ORDER BY batch_seq) AS rows_now
        FROM (SELECT unit, month_no, batch_seq, sum(n) AS n FROM ({told}) GROUP BY ALL)"""


def _said(declared: str | None) -> str:
    """SQL of how many units a month names, and whether it is declared, from each batch that bears on either."""
    if declared is None:
        return "SELECT *, FALSE AS is_said FROM named"
    return f"""
        SELECT t.month_no, t.batch_seq, coalesce(n.units, 0) AS units, coalesce(d.times, 0) > 0 AS is_said
        FROM (SELECT month_no, batch_seq FROM named UNION SELECT month_no, batch_seq FROM ({declared})) t
        ASOF LEFT JOIN named n ON n.month_no = t.month_no AND t.batch_seq >= n.batch_seq
        ASOF LEFT JOIN (
            SELECT month_no, batch_seq, sum(n) OVER (PARTITION BY month_no ORDER BY batch_seq) AS times FROM (
                SELECT month_no, batch_seq, sum(n) AS n FROM ({declared}) WHERE unit IS NULL GROUP BY ALL)
        ) d ON d.month_no = t.month_no AND t.batch_seq >= d.batch_seq"""


def as_reported(changes: str, members: str, declared: str | None = None) -> str:
    """SQL of `got` per unit, month_no and batch_seq (+1 a report came, −1 it was taken back); `members` is SQL of the
    units that owe one."""
    return f"""
    WITH {speaking(changes, declared)}, turns AS (
        SELECT month_no, batch_seq, for_all::INT - lag(for_all::INT, 1, 0) OVER (PARTITION BY month_no ORDER BY batch_seq) AS got
        FROM spoken
    )
    SELECT m.unit, t.month_no, t.batch_seq, t.got FROM turns t JOIN ({members}) m ON t.got <> 0
    UNION ALL
    SELECT unit, month_no, batch_seq, has - lag(has, 1, 0) OVER (PARTITION BY unit, month_no ORDER BY batch_seq) FROM alone"""
