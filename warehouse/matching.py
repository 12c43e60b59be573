"""Who the rows of a staged file mean, where a cell alone does not say: names by month, and names by the file's region.

A former name belongs to the unit that bore it in the row's month. A name that several regions know belongs to the one
somebody reports for; where that is not said, to the one all other rows of the file lie in, if there are enough of them.
What is still unknown gets suggestions, those of the region most of the file's other rows lie in before their equals;
they are shown and never taken.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

import duckdb

from warehouse.contracts import Contract
from warehouse.meanings import OPEN_NAME, Meanings
from warehouse.organisations import Directory, Match
from warehouse.stage import valid_span

MOST_ASKED = 2_000
"""Different unknown names of one file that are told what they may mean."""
LEAST_ROWS = 3
"""Rows whose units are known that must agree before they say in which region the file was written."""


def seen_from(directory: Directory, reach: Collection[str] | None) -> Directory:
    """Return the organisations as seen from the units somebody may report for; None sees all alike."""
    if reach is None or not len(directory):
        return directory
    return directory.nearby(directory.region_of(reach) or directory.near, reach)


def settle_names(con: duckdb.DuckDBPyConnection, contract: Contract, meanings: Meanings) -> None:
    """Give rows the unit their name meant in their month and region; others get a fault, and faults of names hints."""
    directory = meanings.directory
    if contract.org_column is None or not len(directory):
        return
    if meanings.open_names:
        if directory.near is None:
            directory = directory.nearby(_only_region(con, contract, directory))
        for column in contract.columns:
            if column.is_org:
                _settle(con, contract, column.name, directory)
    _hint(con, contract, directory)


def _only_region(con: duckdb.DuckDBPyConnection, contract: Contract, directory: Directory) -> str | None:
    """Return the region in which every row lies whose unit is known; None where they differ or are too few."""
    met = _regions(con, contract, directory)
    return next(iter(met)) if len(met) == 1 and met.total() >= LEAST_ROWS else None


def _settle(con: duckdb.DuckDBPyConnection, contract: Contract, column: str, directory: Directory) -> None:
    org = f'"{column}"'
    month = valid_span(contract)[0]
    asked = con.execute(
        f"SELECT DISTINCT {org}, {month} FROM staged WHERE starts_with({org}, '{OPEN_NAME}') ORDER BY ALL"
    ).fetchall()
    if not asked:
        return
    found = [(text, at, directory.find(text.removeprefix(OPEN_NAME), at)) for text, at in asked]
    con.execute(
        "CREATE OR REPLACE TEMP TABLE settled (text VARCHAR, in_month BIGINT, code VARCHAR, fault VARCHAR, hint VARCHAR)"
    )
    con.executemany("INSERT INTO settled VALUES (?, ?, ?, ?, ?)", [(t, m, *_told(match)) for t, m, match in found])
    same = f"n.text = s.{org} AND n.in_month IS NOT DISTINCT FROM ({month})"
    con.execute(
        f"INSERT INTO faults SELECT s.sheet_no, s.row_no, '{column}', n.fault, s.{org}[2:], n.hint"
        f" FROM staged s JOIN settled n ON {same} WHERE n.fault IS NOT NULL"
    )
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE named_rows AS SELECT s.* REPLACE (CASE WHEN n.text IS NULL THEN s.{org} ELSE n.code END"
        f" AS {org}) FROM staged s LEFT JOIN settled n ON {same}"
    )
    con.execute("DROP VIEW staged")
    con.execute("DROP TABLE IF EXISTS staged_rows")
    con.execute("ALTER TABLE named_rows RENAME TO staged_rows")
    con.execute("CREATE TEMP VIEW staged AS SELECT * FROM staged_rows")


def _told(match: Match) -> tuple[str | None, str | None, str | None]:
    return match.code, match.fault, match.hint


def _hint(con: duckdb.DuckDBPyConnection, contract: Contract, directory: Directory) -> None:
    """Write what each unknown name may mean beside it, the region of the file first."""
    asked = con.execute(
        "SELECT value, code FROM faults WHERE column_name = $1 AND code IN ('unknown_org', 'ambiguous_org')"
        " GROUP BY ALL ORDER BY count(*) DESC, value LIMIT $2",
        [contract.org_column, MOST_ASKED],
    ).fetchall()
    if not asked:
        return
    near = directory.near or _most_met(con, contract, directory)
    hints = [(directory.hint(value, near), value) for value, _ in asked if value]
    con.execute("CREATE OR REPLACE TEMP TABLE hints (hint VARCHAR, value VARCHAR)")
    con.executemany("INSERT INTO hints VALUES (?, ?)", hints)
    con.execute(
        f"UPDATE faults SET hint = h.hint FROM hints h WHERE h.value = faults.value AND column_name = '{contract.org_column}'"
        " AND faults.code IN ('unknown_org', 'ambiguous_org')"
    )


def _most_met(con: duckdb.DuckDBPyConnection, contract: Contract, directory: Directory) -> str | None:
    """Return a unit of the region that most rows of the file lie in, None where no region holds more than half."""
    met = _regions(con, contract, directory)
    region, count = met.most_common(1)[0] if met else (None, 0)
    return region if count * 2 > met.total() else None


def _regions(con: duckdb.DuckDBPyConnection, contract: Contract, directory: Directory) -> Counter[str]:
    """Return how many rows of the file lie in each region, of those whose unit is known."""
    org = f'"{contract.org_column}"'
    rows = con.execute(f"SELECT {org}, count(*) FROM staged WHERE {org} IS NOT NULL GROUP BY 1 ORDER BY ALL").fetchall()
    met: Counter[str] = Counter()
    for code, count in rows:
        region = directory.region(code) if code in directory else None
        met.update({region: count} if region else {})
    return met
