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
from warehouse.file_reports import speaking
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


def file_reports(source: Source, contract: Contract, declared: str | None = None) -> str:
    """SQL of `got` per unit, month and batch: a decision that stands, or a file where everything loaded counts.

    For whom such a file speaks is the rule of `warehouse.file_reports`, told by the rows as reported.
    """
    table, mine = quoted(f"d_{contract.name}"), f"dataset = {literal(contract.name)}"
    changes = f"""
        SELECT unit, {period_of(contract)} AS month_no, rec_from AS batch_seq, 1 AS n FROM main.{table} UNION ALL
        SELECT unit, {period_of(contract)}, rec_to, -1 FROM main.{table} WHERE rec_to < {OPEN}"""
    return f"""
    SELECT unit, month_no, batch_seq, sum(got) AS got FROM (
        WITH {speaking(changes, declared)},
        members AS (SELECT DISTINCT dsc AS unit FROM population WHERE theme = {literal(source.theme)}),
        told AS (
            SELECT m.unit, s.month_no AS m, s.batch_seq AS rec_from, coalesce(s.until, {OPEN}) AS rec_to
            FROM members m CROSS JOIN spoken s WHERE s.for_all
            UNION ALL
            SELECT unit, month_no, batch_seq, coalesce(until, {OPEN}) FROM alone WHERE has = 1
        ), files AS (
            -- while a file that speaks for the unit is known and everything loaded counts
            SELECT t.unit, t.m, greatest(t.rec_from, o.rec_from) AS rec_from, least(t.rec_to, o.rec_to) AS rec_to
            FROM told t JOIN review_open o ON t.m >= o.low AND t.m < o.high
              AND t.rec_from < o.rec_to AND o.rec_from < t.rec_to
        ), decided AS (SELECT DISTINCT unit, month FROM review_free WHERE {mine}),
        spans AS (
            SELECT unit, m, rec_from, rec_to FROM files f
            WHERE NOT EXISTS (SELECT 1 FROM decided d WHERE d.unit = f.unit AND d.month = f.m)
            UNION ALL
            SELECT r.unit, f.m, greatest(f.rec_from, r.rec_from), least(f.rec_to, r.rec_to)
            FROM files f JOIN review_free r ON r.{mine} AND r.unit = f.unit AND r.month = f.m
              AND f.rec_from < r.rec_to AND r.rec_from < f.rec_to
            UNION ALL
            SELECT unit, month, rec_from, rec_to FROM review_span WHERE {mine}
        )
        SELECT unit, m AS month_no, rec_from AS batch_seq, 1 AS got FROM spans UNION ALL
        SELECT unit, m, rec_to, -1 FROM spans WHERE rec_to < {OPEN}
    ) GROUP BY unit, month_no, batch_seq"""
