"""The cubes of the reviewed view: the same cubes over the rows as they stand reviewed, in a schema of their own.

Only what rests on a dataset under review is built a second time; a name that is not there is read from `main`. A report
counts as come when it is reviewed: for a dataset whose file covers all units, that is told by the decisions, not by the
rows, since a reviewed report may hold none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import duckdb

from metrics.cells import build_cells
from metrics.facts import cell_sources, prepare
from metrics.model import Atom, Catalogue, Source
from metrics.tables import literal, quoted
from warehouse.base.periods import OPEN
from warehouse.contracts import Contract
from warehouse.reviewed import is_owed, period_of


def touched_sources(live: Sequence[Source], contracts: Mapping[str, Contract]) -> list[Source]:
    """Return the sources that read a dataset under review, themselves or by a lookup."""

    def reads(source: Source) -> bool:
        names = (source.of, *(lookup.table for lookup in source.lookups))
        return any(name in contracts and is_owed(contracts[name]) for name in names)

    return [source for source in live if reads(source)]


def prepare_touched(
    con: duckdb.DuckDBPyConnection, touched: Sequence[Source], catalogue: Catalogue, contracts: Mapping[str, Contract]
) -> None:
    """Prepare the rows of the sources anew; those of all others still lie as they were prepared for `main`."""
    for source in touched:
        prepare(con, source, catalogue, contracts)


def rebuild_cells(
    con: duckdb.DuckDBPyConnection, catalogue: Catalogue, contracts: Mapping[str, Contract], touched: Sequence[Source],
    counted: Sequence[Atom], months: tuple[int, int],
) -> tuple[Atom, ...]:  # fmt: skip
    """Build again the atoms counted in cells that are filled from a touched source."""
    names = {source.name for source in touched}
    wanted = {atom.name for atom in counted if names & set(cell_sources(atom, catalogue))}
    return build_cells(con, catalogue, contracts, _sources_of(counted, catalogue), months, only=wanted)


def _sources_of(atoms: Sequence[Atom], catalogue: Catalogue) -> set[str]:
    return {name for atom in atoms for name in cell_sources(atom, catalogue)}


def file_reports(source: Source, contract: Contract) -> str:
    """SQL of `got` per unit, month and batch: a decision that stands, or a file where everything loaded counts."""
    table, mine = quoted(f"d_{contract.name}"), f"dataset = {literal(contract.name)}"
    return f"""
    SELECT unit, month_no, batch_seq, sum(got) AS got FROM (
        WITH edges AS (
            SELECT m, seq, sum(n) AS n FROM (
                SELECT {period_of(contract)} AS m, rec_from AS seq, 1 AS n FROM main.{table} UNION ALL
                SELECT {period_of(contract)}, rec_to, -1 FROM main.{table} WHERE rec_to < {OPEN}) GROUP BY ALL
        ), counted AS (
            SELECT m, seq, sum(n) OVER (PARTITION BY m ORDER BY seq) AS rows_now, lead(seq, 1, {OPEN}) OVER (PARTITION BY m ORDER BY seq) AS until FROM edges
        ), files AS (
            -- while a file of the month is known and everything loaded counts
            SELECT c.m, greatest(c.seq, o.rec_from) AS rec_from, least(c.until, o.rec_to) AS rec_to
            FROM counted c JOIN review_open o ON c.rows_now > 0 AND c.m >= o.low AND c.m < o.high
              AND c.seq < o.rec_to AND o.rec_from < c.until
        ), members AS (SELECT DISTINCT dsc AS unit FROM population WHERE theme = {literal(source.theme)}),
        decided AS (SELECT DISTINCT unit, month FROM review_free WHERE {mine}),
        spans AS (
            SELECT u.unit, f.m, f.rec_from, f.rec_to FROM members u CROSS JOIN files f
            WHERE NOT EXISTS (SELECT 1 FROM decided d WHERE d.unit = u.unit AND d.month = f.m)
            UNION ALL
            SELECT r.unit, f.m, greatest(f.rec_from, r.rec_from), least(f.rec_to, r.rec_to)
            FROM files f JOIN review_free r ON r.{mine} AND r.month = f.m AND f.rec_from < r.rec_to AND r.rec_from < f.rec_to
            UNION ALL
            SELECT unit, month, rec_from, rec_to FROM review_span WHERE {mine}
        )
        SELECT unit, m AS month_no, rec_from AS batch_seq, 1 AS got FROM spans UNION ALL
        SELECT unit, m, rec_to, -1 FROM spans WHERE rec_to < {OPEN}
    ) GROUP BY unit, month_no, batch_seq"""
