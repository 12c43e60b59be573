"""The reviewed view: the rows of every owed dataset as they stand reviewed, beside the rows as reported.

A review names a version: the submission as it was known right after the batch of the review. A row is visible in the
reviewed view while a review stands whose version it was part of; what came later waits for the next review. Months
before the first one under review, and all months while a store does not work with review, count as reviewed as they
are loaded. The tables lie in the schema `reviewed` under the names they have in `main`, so that the same SQL answers
from either; a table that is not there is read from `main`. A store without review has none of this.

    review_open       for which months everything loaded counts, and in which batches
    review_span       which version of a submission stands as reviewed, and in which batches
    review_free       submissions that were ever decided on: in which batches no decision stood
    submission_change which batches changed a submission, and by how many rows on balance
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise

import duckdb

from warehouse.base.periods import OPEN
from warehouse.base.sql import quote
from warehouse.contracts import Contract
from warehouse.stage import valid_span

SCHEMA = "reviewed"
START = "start"
FOREVER = (-OPEN, OPEN)


def is_owed(contract: Contract) -> bool:
    """Tell whether a dataset is owed by units for periods, and so handed in, reviewed and locked."""
    return contract.due_day is not None and contract.org_column is not None and contract.time_kind != "span"


def owed(contracts: Mapping[str, Contract]) -> tuple[Contract, ...]:
    """Return the datasets under review."""
    return tuple(contract for contract in contracts.values() if is_owed(contract))


def period_of(contract: Contract) -> str:
    """SQL of the first month of the period a row reports on, over its columns as stored."""
    return valid_span(contract)[0]


def works_with_review(con: duckdb.DuckDBPyConnection) -> bool:
    """Tell whether the generation being built, or read, ever worked with review."""
    found = con.execute(
        "SELECT count(*) FROM duckdb_tables() WHERE schema_name = 'main' AND table_name = 'review_open'"
        " AND database_name = current_database()"
    ).fetchone()
    return bool(found and found[0])


@contextmanager
def looking_at_reviewed(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Read names from the reviewed view first, and write into it."""
    row = con.execute("SELECT current_database()").fetchone()
    database = f'"{row[0]}"' if row else ""
    con.execute(f"SET search_path = '{database}.{SCHEMA},{database}.main'")
    try:
        yield
    finally:
        con.execute(f"USE {database}.main")


def lay_out(con: duckdb.DuckDBPyConnection) -> bool:
    """Write what the decisions in `d_submission` mean for the reviewed view; False when there was never a review."""
    starts = con.execute(
        f"SELECT rec_from, rec_to, month FROM d_submission WHERE state = {quote(START)} ORDER BY rec_from"
    ).fetchall()
    if not starts:
        return False
    con.execute(f"CREATE SCHEMA {SCHEMA}")
    con.execute("CREATE TABLE review_open (low INTEGER, high INTEGER, rec_from INTEGER, rec_to INTEGER)")
    con.executemany("INSERT INTO review_open VALUES (?, ?, ?, ?)", _open_spans(starts))
    con.execute(
        "CREATE TABLE submission_change (dataset VARCHAR, unit VARCHAR, month INTEGER, batch_seq INTEGER, n BIGINT)"
    )
    lay_decisions(con)
    return True


def lay_decisions(con: duckdb.DuckDBPyConnection) -> None:
    """Write which versions stood reviewed, and when no decision stood, in place of what was known before."""
    decided = f"SELECT * FROM d_submission WHERE state <> {quote(START)}"
    con.execute(
        f"""CREATE OR REPLACE TABLE review_span AS
        WITH marked AS (
            SELECT dataset, unit, month, reviewed_seq, rec_from, rec_to,
                   CASE WHEN lag(rec_to) OVER w = rec_from AND lag(reviewed_seq) OVER w = reviewed_seq THEN 0 ELSE 1 END AS turns
            FROM ({decided}) WHERE reviewed_seq IS NOT NULL
            WINDOW w AS (PARTITION BY dataset, unit, month ORDER BY rec_from)
        ), runs AS (
            SELECT *, sum(turns) OVER (PARTITION BY dataset, unit, month ORDER BY rec_from) AS run FROM marked
        ), spans AS (
            SELECT dataset, unit, month, any_value(reviewed_seq)::INTEGER AS seq, min(rec_from) AS rec_from, max(rec_to) AS rec_to
            FROM runs GROUP BY dataset, unit, month, run
        )
        -- while the store does not work with review no decision counts
        SELECT s.dataset, s.unit, s.month, s.seq, greatest(s.rec_from, g.rec_from)::INTEGER AS rec_from,
               least(s.rec_to, g.rec_to)::INTEGER AS rec_to
        FROM spans s JOIN d_submission g ON g.state = {quote(START)} AND s.rec_from < g.rec_to AND g.rec_from < s.rec_to
        ORDER BY ALL"""
    )
    con.execute(
        f"""CREATE OR REPLACE TABLE review_free AS
        WITH held AS (
            SELECT d.dataset, d.unit, d.month, greatest(d.rec_from, g.rec_from) AS rec_from, least(d.rec_to, g.rec_to) AS rec_to
            FROM ({decided}) d
            JOIN d_submission g ON g.state = {quote(START)} AND d.rec_from < g.rec_to AND g.rec_from < d.rec_to
        ),
        edges AS (
            SELECT dataset, unit, month, 0 AS since, min(rec_from) AS until FROM held GROUP BY ALL UNION ALL
            SELECT dataset, unit, month, rec_to, lead(rec_from, 1, {OPEN}) OVER (PARTITION BY dataset, unit, month ORDER BY rec_from)
            FROM held
        )
        SELECT dataset, unit, month, since::INTEGER AS rec_from, until::INTEGER AS rec_to FROM edges WHERE since < until ORDER BY ALL"""
    )


def _open_spans(starts: list[tuple[int, int, int]]) -> list[tuple[int, int, int, int]]:
    """Return (first month, end month, from batch, to batch) in which everything loaded counts."""
    months = sorted({month for _, _, month in starts})
    bounds = [FOREVER[0], *months, FOREVER[1]]
    found = []
    for low, high in pairwise(bounds):
        since = 0
        for begins, ends, month in starts:
            if low >= month:  # under review in these batches
                if since < begins:
                    found.append((low, high, since, begins))
                since = ends
        if since < OPEN:
            found.append((low, high, since, OPEN))
    return found


def changes_sql(contract: Contract) -> str:
    """SQL of the rows each batch brought to (+1) and took from (−1) a submission."""
    table, period = f"d_{contract.name}", period_of(contract)
    return (
        f"SELECT unit, {period} AS month, rec_from AS batch_seq, 1 AS n FROM {table} UNION ALL "
        f"SELECT unit, {period}, rec_to, -1 FROM {table} WHERE rec_to < {OPEN}"
    )


def copy_reviewed(con: duckdb.DuckDBPyConnection, contract: Contract) -> None:
    """Write `reviewed.d_<dataset>` from `d_<dataset>` as the segments say it, before anything is derived from it."""
    table, period = f"d_{contract.name}", period_of(contract)
    con.execute(f"DELETE FROM submission_change WHERE dataset = {quote(contract.name)}")
    con.execute(
        f"""INSERT INTO submission_change
        SELECT {quote(contract.name)}, unit, month, batch_seq, sum(n) FROM ({changes_sql(contract)}) GROUP BY ALL"""
    )
    mine = f"dataset = {quote(contract.name)}"
    con.execute(
        f"""CREATE OR REPLACE TABLE {SCHEMA}.{table} AS
        WITH told AS (SELECT *, {period} AS period_m FROM main.{table}),
        decided AS (SELECT DISTINCT unit, month FROM review_free WHERE {mine}),
        pieces AS (
            -- nothing was ever decided: as loaded, where everything loaded counts
            SELECT t.* REPLACE (greatest(t.rec_from, o.rec_from) AS rec_from, least(t.rec_to, o.rec_to) AS rec_to),
                   t.rec_from AS version
            FROM told t JOIN review_open o ON t.period_m >= o.low AND t.period_m < o.high
              AND t.rec_from < o.rec_to AND o.rec_from < t.rec_to
            WHERE NOT EXISTS (SELECT 1 FROM decided d WHERE d.unit = t.unit AND d.month = t.period_m)
            UNION ALL
            -- the same, in the batches before and between decisions
            SELECT t.* REPLACE (greatest(t.rec_from, o.rec_from, f.rec_from) AS rec_from,
                                least(t.rec_to, o.rec_to, f.rec_to) AS rec_to), t.rec_from
            FROM told t JOIN review_open o ON t.period_m >= o.low AND t.period_m < o.high
            JOIN review_free f ON f.{mine} AND f.unit = t.unit AND f.month = t.period_m
            WHERE greatest(t.rec_from, o.rec_from, f.rec_from) < least(t.rec_to, o.rec_to, f.rec_to)
            UNION ALL
            -- what a standing review saw
            SELECT t.* REPLACE (s.rec_from AS rec_from, s.rec_to AS rec_to), s.seq
            FROM told t JOIN review_span s ON s.{mine} AND s.unit = t.unit AND s.month = t.period_m
              AND t.rec_from <= s.seq AND s.seq < t.rec_to
        ){_once(contract)}
        SELECT * EXCLUDE (period_m, version) FROM {"pieces" if _says_where(contract) else "once"} ORDER BY from_m, unit"""
    )


def _says_where(contract: Contract) -> bool:
    """Tell whether the key of a row names its unit and its period, so that it lies in one submission for ever."""
    return contract.org_column in contract.keys and contract.time_column in contract.keys


def _once(contract: Contract) -> str:
    """SQL that shows a row once that moved to another submission: as the later of the reviews that saw it has it.

    Else a payment whose unit was corrected would count for both units until both are reviewed again.
    """
    if _says_where(contract):
        return ""
    listed = ", ".join(f'"{key}"' for key in contract.keys)
    named = ", ".join(f's."{key}"' for key in contract.keys)
    same = " AND ".join(f's."{key}" = d."{key}"' for key in contract.keys)
    return f""",
        moved AS (SELECT {listed} FROM pieces GROUP BY ALL HAVING count(DISTINCT (unit, period_m)) > 1),
        doubled AS (SELECT * FROM pieces SEMI JOIN moved USING ({listed})),
        points AS (
            SELECT {listed}, rec_from AS seq FROM doubled UNION SELECT {listed}, rec_to FROM doubled WHERE rec_to < {OPEN}
        ), slices AS (
            SELECT {listed}, seq, lead(seq, 1, {OPEN}) OVER (PARTITION BY {listed} ORDER BY seq) AS seq_to FROM points
        ), once AS (
            SELECT * FROM pieces ANTI JOIN moved USING ({listed})
            UNION ALL BY NAME
            SELECT d.* REPLACE (s.seq::INTEGER AS rec_from, s.seq_to::INTEGER AS rec_to)
            FROM slices s JOIN doubled d ON {same} AND d.rec_from <= s.seq AND s.seq < d.rec_to
            QUALIFY row_number() OVER (PARTITION BY {named}, s.seq ORDER BY d.version DESC, d.row_id DESC) = 1
        )"""
