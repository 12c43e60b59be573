"""Shared bills: a row of a compound or a shared meter is divided among units by the rule that was known and valid.

The source row gives way to one row a unit, at the same place in the same file, so that cubes and drill see ordinary
rows and nothing counts twice. Parts are whole last digits; what is left over goes one digit each to the largest
remainders, units in order of their codes: the parts add up to the bill exactly and always the same way. A row is cut at
every batch that changed the rule of its month, so that a past day shows the division it knew. A bill without a rule,
or with a rule that lacks a unit's weight, stays where it is and is said so.

    allocated    dataset, row_id, unit, from_m × [rec_from, rec_to): the share, its basis and document, or what is missing;
                 is_secret: a unit kept out of the figures has a part of the bill, so that no share may be told
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import duckdb

from warehouse.base.periods import OPEN
from warehouse.base.sql import quote
from warehouse.contracts import Contract
from warehouse.reviewed import SCHEMA, looking_at_reviewed
from warehouse.sharing import Shared
from warehouse.withholding import find_withheld

DIVIDED, NO_RULE, NO_WEIGHT = "divided", "no_rule", "no_weight"
SHARED_KINDS = ("compound", "meter")
"""Kinds of register nodes that stand for several units; a bill of theirs that nobody divides is said to be undivided."""

_ALLOCATED = (
    "CREATE TABLE allocated (dataset VARCHAR, row_id BIGINT, unit VARCHAR, from_m INTEGER, rec_from INTEGER,"
    " rec_to INTEGER, account VARCHAR, basis VARCHAR, share DECIMAL(9,4), document VARCHAR, state VARCHAR, is_secret BOOLEAN)"
)
_RULES = """
CREATE OR REPLACE TEMP TABLE rules AS
SELECT account AS key, carrier, unit, basis, share, weight, document, from_m, to_m, rec_from, rec_to FROM d_allocation
UNION ALL
-- an account may be named as people name the compound
SELECT o.code, a.carrier, a.unit, a.basis, a.share, a.weight, a.document, greatest(a.from_m, o.from_m), least(a.to_m, o.to_m),
       greatest(a.rec_from, o.rec_from), least(a.rec_to, o.rec_to)
FROM d_allocation a JOIN d_org_unit o ON a.account IN (o.name, o.short_name) AND a.account <> o.code
 AND a.from_m < o.to_m AND o.from_m < a.to_m AND a.rec_from < o.rec_to AND o.rec_from < a.rec_to"""
_WEIGHTS = """
CREATE OR REPLACE TEMP TABLE measured AS
-- what a rule without weights of its own is measured by
SELECT 'area' AS basis, place, unit, CAST(gross_area AS DECIMAL(14,4)) AS w, from_m, to_m, rec_from, rec_to
FROM (SELECT *, unnest(list_distinct([code, compound, name])) AS place FROM d_building) WHERE gross_area IS NOT NULL AND place IS NOT NULL
UNION ALL
SELECT 'area', o.code, b.unit, CAST(b.gross_area AS DECIMAL(14,4)), greatest(b.from_m, o.from_m), least(b.to_m, o.to_m),
       greatest(b.rec_from, o.rec_from), least(b.rec_to, o.rec_to)
FROM d_building b JOIN d_org_unit o ON b.compound IN (o.name, o.short_name) AND b.compound <> o.code
 AND b.from_m < o.to_m AND o.from_m < b.to_m AND b.rec_from < o.rec_to AND o.rec_from < b.rec_to
WHERE b.gross_area IS NOT NULL
UNION ALL
SELECT 'headcount', NULL, unit, CAST(coalesce(energy_headcount, actual_staff) AS DECIMAL(14,4)), from_m, to_m, rec_from, rec_to
FROM d_staff WHERE coalesce(energy_headcount, actual_staff) IS NOT NULL"""


def divide_shared(con: duckdb.DuckDBPyConnection, contracts: Mapping[str, Contract]) -> None:
    """Divide the shared rows of every projected dataset, as reported and as reviewed."""
    con.execute(_ALLOCATED)
    named = [contract for contract in contracts.values() if contract.shared]
    if _reviewed(con, named):
        with looking_at_reviewed(con):
            con.execute(_ALLOCATED)
    divide(con, named)


def has_rules(con: duckdb.DuckDBPyConnection) -> bool:
    """Tell whether a rule was ever given, so that what rules are measured by matters."""
    return con.execute("SELECT 1 FROM d_allocation LIMIT 1").fetchone() is not None


def divide(con: duckdb.DuckDBPyConnection, named: Sequence[Contract]) -> None:
    """Divide the shared rows of datasets that lie there undivided; what was told of them before gives way."""
    con.execute(_RULES)
    if con.execute("SELECT count(*) FROM rules").fetchone() != (0,):
        con.execute(_WEIGHTS)
    for contract in named:
        _divide(con, contract, contract.shared)
    with_review = _reviewed(con, named)
    if with_review:
        with looking_at_reviewed(con):
            for contract in with_review:
                _divide(con, contract, contract.shared)


def _reviewed(con: duckdb.DuckDBPyConnection, named: Sequence[Contract]) -> list[Contract]:
    seen = con.execute(
        f"SELECT table_name FROM duckdb_tables() WHERE schema_name = {quote(SCHEMA)} AND database_name = current_database()"
    ).fetchall()
    reviewed = {name for (name,) in seen}
    return [contract for contract in named if f"d_{contract.name}" in reviewed]


def _divide(con: duckdb.DuckDBPyConnection, contract: Contract, shared: Shared | None) -> None:
    if shared is None:
        return
    table, key = f"d_{contract.name}", _bill_key(shared)
    con.execute(f"DELETE FROM allocated WHERE dataset = {quote(contract.name)}")
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE bills AS
        SELECT *, row_number() OVER (ORDER BY row_id, from_m, rec_from) AS rid, {key} AS bill_key,
               {_or_null(shared.carrier)} AS bill_carrier, {_or_null(shared.place or shared.account)} AS bill_place
        FROM {table} WHERE {key} IN (SELECT key FROM rules)"""
    )
    if con.execute("SELECT count(*) FROM bills").fetchone() != (0,):
        find_withheld(con, shared, lambda: _take_apart(con, contract, shared))
        _take_apart(con, contract, shared)
        con.execute(_whole_again())
        con.execute(f"CREATE OR REPLACE TABLE divided_rows AS {_rows(contract, shared)}")
        con.execute(f"DROP TABLE {table}")
        con.execute(f"ALTER TABLE divided_rows RENAME TO {table}")
        con.execute(_told(contract))
    if contract.org_column == shared.account:
        con.execute(_left(contract))


def _take_apart(con: duckdb.DuckDBPyConnection, contract: Contract, shared: Shared) -> None:
    """Make `parts` of `bills`."""
    con.execute(_pieces())
    con.execute(_claims())
    con.execute(_parts(contract, shared))


def _bill_key(shared: Shared) -> str:
    """SQL of what a rule names a row by: its account number where any rule names that, else the unit or the meter."""
    if shared.number is None:
        return f'"{shared.account}"'
    return (
        f'(CASE WHEN "{shared.number}" IN (SELECT key FROM rules) THEN "{shared.number}" ELSE "{shared.account}" END)'
    )


def _or_null(column: str | None) -> str:
    return f'"{column}"' if column else "CAST(NULL AS VARCHAR)"


_RULED = (
    "r.key = b.bill_key AND r.from_m <= b.from_m AND b.from_m < r.to_m"
    " AND (r.carrier = 'all' OR b.bill_carrier IS NULL OR r.carrier = b.bill_carrier)"
)
_MEASURED = (
    "m.basis = r.basis AND m.unit = r.unit AND m.from_m <= b.from_m AND b.from_m < m.to_m"
    " AND (m.place IS NULL OR m.place = b.bill_key OR m.place = b.bill_place)"
)


def _pieces() -> str:
    """SQL that cuts each bill at every batch at which its division changed."""
    return f"""
    CREATE OR REPLACE TEMP TABLE pieces AS
    WITH turns AS (
        SELECT b.rid, unnest([r.rec_from, r.rec_to]) AS seq FROM bills b JOIN rules r ON {_RULED}
        UNION
        SELECT b.rid, unnest([m.rec_from, m.rec_to]) FROM bills b JOIN rules r ON {_RULED} JOIN measured m ON {_MEASURED}
        WHERE r.share IS NULL AND r.weight IS NULL
    ), points AS (
        SELECT rid, rec_from AS seq FROM bills
        UNION
        SELECT t.rid, t.seq FROM turns t JOIN bills b ON b.rid = t.rid AND b.rec_from < t.seq AND t.seq < b.rec_to
    )
    SELECT p.rid, p.seq::INTEGER AS rec_from, lead(p.seq, 1, b.rec_to) OVER (PARTITION BY p.rid ORDER BY p.seq)::INTEGER AS rec_to
    FROM points p JOIN bills b ON b.rid = p.rid"""


def _claims() -> str:
    """SQL of who claims which weight of a piece; a rule for the carrier goes before one for all."""
    return f"""
    CREATE OR REPLACE TEMP TABLE claims AS
    WITH live AS (
        SELECT p.rid, p.rec_from AS seq, r.unit, r.basis, r.document, r.carrier, coalesce(r.share, r.weight) AS given,
               b.bill_key, b.bill_place, b.from_m
        FROM pieces p JOIN bills b ON b.rid = p.rid
        JOIN rules r ON {_RULED} AND r.rec_from <= p.rec_from AND p.rec_from < r.rec_to
        QUALIFY (r.carrier <> 'all') = bool_or(r.carrier <> 'all') OVER (PARTITION BY p.rid, p.rec_from)
    ), found AS (
        SELECT l.rid, l.seq, l.unit, sum(m.w) AS w FROM live l
        JOIN measured m ON m.basis = l.basis AND m.unit = l.unit AND m.from_m <= l.from_m AND l.from_m < m.to_m
         AND m.rec_from <= l.seq AND l.seq < m.rec_to
         AND (m.place IS NULL OR m.place = l.bill_key OR m.place = l.bill_place)
        WHERE l.given IS NULL GROUP BY ALL
    )
    SELECT l.rid, l.seq, l.unit, min(l.basis) AS basis, min(l.document) AS document,
           (CASE WHEN bool_or(l.given IS NULL AND f.w IS NULL) THEN NULL ELSE sum(coalesce(l.given, f.w)) END * 1000000)::HUGEINT AS w
    FROM live l LEFT JOIN found f USING (rid, seq, unit) GROUP BY l.rid, l.seq, l.unit"""


def _parts(contract: Contract, shared: Shared) -> str:
    """SQL of the parts of every piece whose weights are all known: whole last digits, largest remainders first."""
    cuts = "".join(f", {_units(contract, m)} * w // total AS cut_{i}, {_units(contract, m)} * w % total AS rest_{i}, {_units(contract, m)} AS all_{i}" for i, m in enumerate(shared.measures))  # fmt: skip
    names = [f"m_{i}" for i in range(len(shared.measures))]
    values = "".join(
        f", sign_{i} * (cut_{i} + CASE WHEN row_number() OVER (PARTITION BY rid, seq ORDER BY rest_{i} DESC, part_of)"
        f" <= all_{i} - sum(cut_{i}) OVER (PARTITION BY rid, seq) THEN 1 ELSE 0 END) AS m_{i}"
        for i in range(len(shared.measures))
    )
    signs = "".join(f', sign("{m}")::INTEGER AS sign_{i}' for i, m in enumerate(shared.measures))
    same = ", ".join([*names, "w * 1000000 // total", "basis", "document"])
    return f"""
    CREATE OR REPLACE TEMP TABLE parts AS
    WITH totals AS (SELECT rid, seq, sum(w)::HUGEINT AS total FROM claims GROUP BY ALL HAVING sum(w) > 0 AND count(*) = count(w)),
    weighed AS (
        SELECT c.rid, c.seq, p.rec_to, c.unit AS part_of, c.w, t.total, c.basis, c.document{cuts}{signs}
        FROM claims c JOIN totals t USING (rid, seq) JOIN pieces p ON p.rid = c.rid AND p.rec_from = c.seq
        JOIN bills b ON b.rid = c.rid
    ),
    cut AS (SELECT rid, seq, rec_to, part_of, w, total, basis, document{values} FROM weighed),
    {_runs("cut", same, "rid, part_of")}
    SELECT rid, part_of, any_value(basis) AS basis, any_value(document) AS document,
           CAST(any_value(w)::DOUBLE * 100 / any_value(total)::DOUBLE AS DECIMAL(9,4)) AS share,
           min(seq)::INTEGER AS rec_from, max(rec_to)::INTEGER AS rec_to{"".join(f", any_value({n}) AS {n}" for n in names)}
    FROM runs GROUP BY rid, part_of, run"""


def _runs(table: str, same: str, whose: str) -> str:
    """SQL that numbers stretches of adjoining pieces in which nothing differs."""
    return f"""marked AS (
        SELECT *, CASE WHEN lag(rec_to) OVER w = seq AND row({same}) IS NOT DISTINCT FROM lag(row({same})) OVER w THEN 0 ELSE 1 END AS turn
        FROM {table} WINDOW w AS (PARTITION BY {whose} ORDER BY seq)
    ), runs AS (SELECT *, sum(turn) OVER (PARTITION BY {whose} ORDER BY seq) AS run FROM marked)"""


def _units(contract: Contract, name: str) -> str:
    """SQL of the size of a measure in whole last digits."""
    scale = contract.column(name).digits[1]
    return f'(CAST(abs("{name}") AS DECIMAL(38,{scale})) * {10**scale})::HUGEINT'


def _value(contract: Contract, name: str, digits: str) -> str:
    """SQL of a measure given in whole last digits."""
    precision, scale = contract.column(name).digits
    last = f"CAST('{10**-scale:.{scale}f}' AS DECIMAL({scale + 1},{scale}))"
    return f"({digits}::DECIMAL({37 - scale},0) * {last})::DECIMAL({precision},{scale})"


def _whole_again() -> str:
    """SQL of the pieces that nobody divides, joined where they adjoin, with what is missing."""
    return f"""
    CREATE OR REPLACE TEMP TABLE wholes AS
    WITH undivided AS (
        SELECT p.rid, p.rec_from AS seq, p.rec_to,
               CASE WHEN EXISTS (SELECT 1 FROM claims c WHERE c.rid = p.rid AND c.seq = p.rec_from) THEN '{NO_WEIGHT}' ELSE '{NO_RULE}' END AS state
        FROM pieces p
        WHERE NOT EXISTS (SELECT 1 FROM parts d WHERE d.rid = p.rid AND d.rec_from <= p.rec_from AND p.rec_from < d.rec_to)
    ), {_runs("undivided", "state", "rid")}
    SELECT rid, state, min(seq)::INTEGER AS rec_from, max(rec_to)::INTEGER AS rec_to FROM runs GROUP BY rid, state, run"""


def _rows(contract: Contract, shared: Shared) -> str:
    """SQL of the dataset with its bills divided; columns and their order stay."""
    added = "rid, bill_key, bill_carrier, bill_place"
    changed = {name: _value(contract, name, f"m_{number}") for number, name in enumerate(shared.measures)}
    changed |= dict.fromkeys(shared.blank, "NULL")
    changed |= {"rec_from": "p.rec_from", "rec_to": "p.rec_to", contract.org_column or "unit": "p.part_of"}
    if any(column.name == "shared" for column in contract.columns):
        changed["shared"] = "TRUE"
    replaced = ", ".join(f'{value} AS "{name}"' for name, value in changed.items())
    taken = {"rec_from": "w.rec_from", "rec_to": "w.rec_to"}
    for number, name in enumerate(shared.measures):
        less = _value(contract, name, f"h.m_{number}")
        taken[name] = f'CASE WHEN h.rid IS NULL THEN b."{name}" ELSE b."{name}" - {less} END'
    taken |= {name: f'CASE WHEN h.rid IS NULL THEN b."{name}" END' for name in shared.blank}
    left = ", ".join(f'{value} AS "{name}"' for name, value in taken.items())
    key = _bill_key(shared)
    return f"""
    SELECT * FROM d_{contract.name} WHERE {key} IS NULL OR {key} NOT IN (SELECT key FROM rules)
    UNION ALL BY NAME
    SELECT b.* EXCLUDE ({added}) REPLACE ({replaced}) FROM parts p JOIN bills b ON b.rid = p.rid
    UNION ALL BY NAME
    SELECT b.* EXCLUDE ({added}) REPLACE ({left}) FROM wholes w JOIN bills b ON b.rid = w.rid LEFT JOIN withheld h ON h.rid = w.rid
    ORDER BY from_m, unit"""


def _told(contract: Contract) -> str:
    secret = "h.rid IS NOT NULL"
    return f"""
    INSERT INTO allocated
    SELECT {quote(contract.name)}, b.row_id, p.part_of, b.from_m, p.rec_from, p.rec_to, b.bill_key, p.basis, p.share, p.document, '{DIVIDED}', {secret}
    FROM parts p JOIN bills b ON b.rid = p.rid LEFT JOIN withheld h ON h.rid = p.rid
    UNION ALL
    SELECT {quote(contract.name)}, b.row_id, b.unit, b.from_m, w.rec_from, w.rec_to, b.bill_key, NULL, NULL, NULL, w.state, {secret}
    FROM wholes w JOIN bills b ON b.rid = w.rid LEFT JOIN withheld h ON h.rid = w.rid"""


def _left(contract: Contract) -> str:
    """SQL that names the bills of compounds for which no rule was ever given."""
    kinds = ", ".join(quote(kind) for kind in SHARED_KINDS)
    return f"""
    INSERT INTO allocated
    SELECT DISTINCT {quote(contract.name)}, r.row_id, r.unit, r.from_m, r.rec_from, r.rec_to, r.unit, NULL, NULL, NULL, '{NO_RULE}', FALSE
    FROM d_{contract.name} r JOIN d_org_unit o ON o.code = r.unit AND o.kind IN ({kinds})
     AND o.from_m <= r.from_m AND r.from_m < o.to_m AND o.rec_to = {OPEN}
    WHERE r.unit NOT IN (SELECT key FROM rules)
      AND (r.row_id, r.from_m) NOT IN (SELECT (row_id, from_m) FROM allocated WHERE dataset = {quote(contract.name)})"""
