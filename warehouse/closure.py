"""The closure of the organisation tree in two times: who stood above whom, in which months, known in which batches."""

from __future__ import annotations

import duckdb

from warehouse.base.periods import OPEN

PLACES = """
    -- one row per unit version: place in the tree, life in months, knowledge in batches
    SELECT code, nullif(parent, '') AS parent, from_m, to_m, rec_from, rec_to FROM d_org_unit"""

SUCCESSIONS = """
    -- from which month a unit's past stands below the one that came after it; a mere transfer of duties moves no past
    SELECT unit AS code, successor, (year(happened_on + 1) * 12 + month(happened_on + 1) - 1)::INTEGER AS from_m, rec_from, rec_to
    FROM d_org_succession WHERE change <> 'transfer'"""

STRETCHED_PLACES = f"""
    -- places stretched over all months: the first parent reaches back, the last one forward (as-of-date trees);
    -- a unit that ended and has one successor goes on below it
    WITH successions AS ({SUCCESSIONS}),
    points AS (
        SELECT DISTINCT code, seq FROM (
            SELECT code, unnest([rec_from, rec_to]) AS seq FROM d_org_unit
            UNION ALL
            SELECT code, unnest([rec_from, rec_to]) FROM successions
            UNION ALL
            SELECT x.code, unnest([o.rec_from, o.rec_to]) FROM successions x JOIN d_org_unit o ON o.code = x.successor)
        WHERE seq < {OPEN}
    ), spans AS (
        SELECT code, seq AS rec_from, lead(seq, 1, {OPEN}) OVER (PARTITION BY code ORDER BY seq) AS rec_to FROM points
    ), followed AS (
        SELECT s.code, s.rec_from, s.rec_to, any_value(x.successor) AS parent, min(x.from_m) AS from_m
        FROM spans s JOIN successions x ON x.code = s.code AND x.rec_from <= s.rec_from AND s.rec_from < x.rec_to
        -- the one has ended by then, the other lives
        WHERE EXISTS (SELECT 1 FROM d_org_unit o WHERE o.code = s.code AND o.rec_from <= s.rec_from AND s.rec_from < o.rec_to)
          AND NOT EXISTS (SELECT 1 FROM d_org_unit o WHERE o.code = s.code AND o.to_m > x.from_m
                          AND o.rec_from <= s.rec_from AND s.rec_from < o.rec_to)
          AND EXISTS (SELECT 1 FROM d_org_unit o WHERE o.code = x.successor AND o.from_m <= x.from_m AND x.from_m < o.to_m
                      AND o.rec_from <= s.rec_from AND s.rec_from < o.rec_to)
        GROUP BY s.code, s.rec_from, s.rec_to HAVING count(DISTINCT x.successor) = 1
    ), live AS (
        SELECT s.code, s.rec_from, s.rec_to, nullif(o.parent, '') AS parent, o.from_m
        FROM spans s JOIN d_org_unit o ON o.code = s.code AND o.rec_from <= s.rec_from AND s.rec_from < o.rec_to
        UNION ALL
        SELECT code, rec_from, rec_to, parent, from_m FROM followed
    )
    SELECT code, parent,
           CASE WHEN row_number() OVER w = 1 THEN 0 ELSE from_m END AS from_m,
           lead(from_m, 1, {OPEN}) OVER w AS to_m, rec_from, rec_to
    FROM live WINDOW w AS (PARTITION BY code, rec_from ORDER BY from_m)"""

CLOSURES = {"closure": PLACES, "closure_ext": STRETCHED_PLACES}


def closure_sql(places: str) -> str:
    """Return every ancestor of every unit over places; both times meet at each step, a repeat ends the walk."""
    return f"""
WITH RECURSIVE placed AS MATERIALIZED ({places}
),
walk AS (
    SELECT code AS anc, code AS dsc, 0 AS depth, parent AS up, from_m, to_m, rec_from, rec_to, [code] AS path FROM placed
    UNION ALL
    SELECT p.code, w.dsc, w.depth + 1, p.parent,
           greatest(w.from_m, p.from_m), least(w.to_m, p.to_m),
           greatest(w.rec_from, p.rec_from), least(w.rec_to, p.rec_to), list_append(w.path, p.code)
    FROM walk w JOIN placed p ON p.code = w.up
    WHERE greatest(w.from_m, p.from_m) < least(w.to_m, p.to_m)
      AND greatest(w.rec_from, p.rec_from) < least(w.rec_to, p.rec_to) AND NOT list_contains(w.path, p.code)
)
SELECT anc, dsc, depth, from_m, to_m, rec_from, rec_to FROM walk"""


def build_closure(con: duckdb.DuckDBPyConnection) -> None:
    """Derive `closure` and `closure_ext` from `d_org_unit`."""
    for table, places in CLOSURES.items():
        con.execute(f"CREATE TABLE {table} AS {closure_sql(places)}")
