"""Doubtful rows (疑似): sound rows whose figures look copied, filled in or calculated, found when a generation is built.

    doubt    doubt_id, dataset, code, row_id, unit, month_no, row_key, column_name, value, other, rec_from, rec_to, place

`doubt_id` stands for dataset, pattern, key, month and figures: an explanation speaks of these very figures, and of no
others that come later.

A doubt rests on several rows, so it is known from when the last of them became known until the first is taken back.
`value` is what stands there, `other` what it was compared with. No figure changes by it.
Source of the patterns: what reporting units are known to do in a hurry (last month's figures again, 0 for a blank,
a quantity worked out from the bill and an assumed price, one unit's form handed in for another).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import duckdb

from warehouse.base.periods import OPEN
from warehouse.base.sql import quote
from warehouse.contract_rules import Doubt
from warehouse.contracts import Contract

ID_LENGTH = 12

TABLE = (
    "CREATE TABLE doubt (doubt_id VARCHAR, dataset VARCHAR, code VARCHAR, row_id BIGINT, unit VARCHAR, month_no INTEGER, row_key VARCHAR,"
    " column_name VARCHAR, value VARCHAR, other VARCHAR, rec_from INTEGER, rec_to INTEGER, file_name VARCHAR,"
    " sheet VARCHAR, row_no INTEGER)"
)


def build_doubts(con: duckdb.DuckDBPyConnection, contracts: Mapping[str, Contract]) -> None:
    """Write `doubt` from every dataset whose contract says what is doubtful."""
    con.execute(TABLE)
    for contract in contracts.values():
        find_doubts(con, contract)


def find_doubts(con: duckdb.DuckDBPyConnection, contract: Contract) -> None:
    """Write the doubtful rows of one dataset in place of those that were found before."""
    if not contract.doubts or con.execute(f"SELECT 1 FROM d_{contract.name} LIMIT 1").fetchone() is None:
        return
    con.execute(f"DELETE FROM doubt WHERE dataset = {quote(contract.name)}")
    for doubt in contract.doubts:
        con.execute(f"INSERT INTO doubt {doubt_sql(contract, doubt)}")


def doubt_sql(contract: Contract, doubt: Doubt) -> str:
    """Return the statement that finds one pattern in one dataset."""
    key = " || '|' || ".join(f"coalesce(CAST(a.\"{name}\" AS VARCHAR), '')" for name in contract.keys)
    shown = "concat_ws(' / ', " + ", ".join(f'a."{name}"' for name in doubt.measures) + ")"
    named = f"{quote(contract.name)}, {quote(doubt.code)}, a.from_m, {key}, {shown}"
    return f"""
    SELECT md5(concat_ws('|', {named}))[:{ID_LENGTH}], {quote(contract.name)}, {quote(doubt.code)}, a.row_id, a.unit, a.from_m, {key}, {quote(doubt.measures[0])},
           {shown}, f.other, f.rec_from, f.rec_to, a.file_name, a.sheet, a.row_no
    FROM ({_FINDERS[doubt.kind](contract, doubt)}) f JOIN d_{contract.name} a ON a.row_id = f.row_id AND a.from_m = f.from_m
    AND a.rec_from <= f.rec_from AND f.rec_to <= a.rec_to"""


def _repeated(contract: Contract, doubt: Doubt) -> str:
    """The same figures as the month before."""
    same = _all(f'a."{name}" = b."{name}"' for name in doubt.measures)
    filled = " OR ".join(f'a."{name}" <> 0' for name in doubt.measures)
    return _pair(contract, doubt, f"b.from_m = a.from_m - 1 AND {_same_series(doubt)} AND {same} AND ({filled})")


def _zero_after(contract: Contract, doubt: Doubt) -> str:
    """A zero after months that each held a figure."""
    table, months = f"d_{contract.name}", range(1, doubt.before + 1)
    earlier = "".join(
        f' JOIN {table} b{n} ON b{n}.from_m = a.from_m - {n} AND {_same_series(doubt, f"b{n}")} AND b{n}."{name}" > 0'
        for name in doubt.measures[:1]
        for n in months
    )
    rows = ("a", *(f"b{n}" for n in months))
    last = f'CAST(b1."{doubt.measures[0]}" AS VARCHAR)'
    return f"""SELECT a.row_id, a.from_m, {last} AS other, {_known(rows)} FROM {_asked(contract, doubt)}{earlier}
        WHERE a."{doubt.measures[0]}" = 0 AND {_overlap(rows)}"""


def _quotient(contract: Contract, doubt: Doubt) -> str:
    """Broken quantities that are whole bills divided by one price of at most two decimals, several times in a series.

    Once is chance: a tariff times a reading now and then makes a whole bill. Asked of what is known now.
    """
    quantity, cost = (f'a."{name}"' for name in doubt.measures)
    price = f"round(({cost} / {quantity})::DOUBLE, 2)"
    # as many decimals as the quantity really has: what a person who divides keeps
    decimals = f"length(rtrim(split_part(CAST({quantity} AS VARCHAR), '.', 2), '0'))"
    series = ", ".join(f'a."{name}"' for name in doubt.series)
    met = f"""SELECT a.row_id, a.from_m, {price} AS price, max(a.rec_from) OVER same AS rec_from, a.rec_to, count(*) OVER same AS times
        FROM {_asked(contract, doubt)} WHERE a.rec_to = {OPEN}
          AND {quantity} > 0 AND {cost} > 0 AND {cost} = floor({cost}) AND {quantity} <> floor({quantity}) AND {price} > 0
          AND abs({quantity}::DOUBLE - round(({cost} / {price})::DOUBLE, {decimals}::INTEGER)) < 1e-7
        WINDOW same AS (PARTITION BY {series}, {price})"""
    return f"SELECT row_id, from_m, CAST(price AS VARCHAR) AS other, rec_from, rec_to FROM ({met}) WHERE times >= {doubt.times}"


def _twins(contract: Contract, doubt: Doubt) -> str:
    """The very figures of another unit in the same month; both must live then, for a successor takes over facts too."""
    same = _all(f'a."{name}" = b."{name}" AND a."{name}" > 0' for name in doubt.measures)
    lives = _all(
        f"EXISTS (SELECT 1 FROM d_org_unit o WHERE o.code = {row}.unit AND o.from_m <= a.from_m AND a.from_m < o.to_m"
        f" AND o.rec_to = {OPEN})"
        for row in ("a", "b")
    )
    found = f"b.from_m = a.from_m AND a.unit <> b.unit AND {_same_series(doubt)} AND {same} AND {lives}"
    return _pair(contract, doubt, found, other="b.unit || ' ' || b.file_name || ' ' || b.row_no")


def _backwards(contract: Contract, doubt: Doubt) -> str:
    """A counter below what it showed the time before, in whatever file that stood; asked of what is known now.

    Only the nearest earlier reading is looked up: with every version of every pair this would grow with the square.
    """
    measure, order = doubt.measures[0], doubt.order
    live = f'SELECT * FROM d_{contract.name} WHERE rec_to = {OPEN} AND "{measure}" IS NOT NULL'
    return f"""SELECT a.row_id, a.from_m, b."{measure}" || ' ' || b.file_name || ' ' || b.row_no AS other, {_known(("a", "b"))}
        FROM ({live} AND ({doubt.where})) a ASOF JOIN ({live}) b ON {_same_series(doubt)} AND a."{order}" > b."{order}"
        WHERE a."{measure}" < b."{measure}" """


def _beside_blank(contract: Contract, doubt: Doubt) -> str:
    """A figure that names no account beside one of the same series and month that does: perhaps the whole and its parts."""
    found = f"""b.from_m = a.from_m AND {_same_series(doubt)} AND coalesce(a."{doubt.order}", '') = '' AND b."{doubt.order}" <> ''"""
    return f"""SELECT a.row_id, a.from_m, b."{doubt.order}" || ' ' || b.file_name || ' ' || b.row_no AS other, {_known(("a", "b"))}
        FROM {_asked(contract, doubt)} JOIN d_{contract.name} b ON {found} WHERE {_overlap(("a", "b"))}
        QUALIFY row_number() OVER (PARTITION BY a.row_id, a.from_m, {_since(("a", "b"))} ORDER BY b.row_id) = 1"""


_FINDERS: Mapping[str, Callable[[Contract, Doubt], str]] = {
    "repeated": _repeated,
    "zero_after": _zero_after,
    "quotient": _quotient,
    "twins": _twins,
    "backwards": _backwards,
    "beside_blank": _beside_blank,
}


def _pair(contract: Contract, doubt: Doubt, condition: str, other: str = "b.file_name || ' ' || b.row_no") -> str:
    """Rows with a partner, where the equal figures of their forms have digits enough; the first partner is named."""
    form = ", ".join(f'a."{name}"' for name in doubt.form)
    shown = f'CAST(a."{doubt.measures[0]}" AS VARCHAR)'
    digits = f"length(rtrim(replace(ltrim({shown}, '-0.'), '.', ''), '0'))"
    return f"""SELECT row_id, from_m, other, rec_from, rec_to FROM (
            SELECT a.row_id, a.from_m, {other} AS other, {_known(("a", "b"))}, b.row_id AS partner,
                   sum({digits}) OVER (PARTITION BY {form}, a.from_m, b.unit) AS digits
            FROM {_asked(contract, doubt)} JOIN d_{contract.name} b ON {condition} WHERE {_overlap(("a", "b"))}
        ) WHERE digits >= {doubt.digits} QUALIFY row_number() OVER (PARTITION BY row_id, from_m, rec_from ORDER BY partner) = 1"""


def _asked(contract: Contract, doubt: Doubt) -> str:
    """The rows a pattern looks at, as `a`."""
    return f"(SELECT * FROM d_{contract.name} WHERE {doubt.where}) a"


def _same_series(doubt: Doubt, other: str = "b") -> str:
    return _all(f'{other}."{name}" = a."{name}"' for name in doubt.series)


def _all(conditions: Iterable[str]) -> str:
    return " AND ".join(conditions) or "TRUE"


def _since(rows: Sequence[str]) -> str:
    return f"greatest({', '.join(f'{row}.rec_from' for row in rows)})"


def _known(rows: Sequence[str]) -> str:
    return f"{_since(rows)} AS rec_from, least({', '.join(f'{row}.rec_to' for row in rows)}, {OPEN}) AS rec_to"


def _overlap(rows: Sequence[str]) -> str:
    return f"{_since(rows)} < least({', '.join(f'{row}.rec_to' for row in rows)}, {OPEN})"
