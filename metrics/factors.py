"""One year's coefficients for all months (按统一系数), instead of each month by those of its own time (按当年系数).

A lookup that is marked `factors = true` in its source gives coefficients. Asked for a year, the few sources that read
them are built once more beside the generation, in memory, over the rows that were valid last in that year; everything
else is read from the generation as it lies there, and the same statements answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from hashlib import sha256

import duckdb

from metrics.cubes import build
from metrics.facts import cell_sources, settled_sql
from metrics.knowledge import Kept
from metrics.model import AS_DATED, Catalogue, Indicator
from metrics.tables import literal, quoted
from warehouse.base.errors import QueryError
from warehouse.base.periods import OPEN
from warehouse.contracts import Contract
from warehouse.store import Generation, connect

_BUILT = ("snap_", "leaf_", "unit_", "node_", "cube_", "population", "outside_life")
"""Tables of the cubes, which are built here and not read from the generation."""
_kept: Kept[Generation] = Kept(2)


def factor_year(text: str | None) -> int | None:
    """Return the year whose coefficients are asked for; None for those of each month's own time."""
    if text is None or text == AS_DATED:
        return None
    if len(text) == 4 and text.isdigit():
        return int(text)
    raise QueryError(f"'{text}' names no factors.", f"write {AS_DATED} or a year such as 2020")


def reads_factors(indicator: Indicator, catalogue: Catalogue) -> bool:
    """Tell whether coefficients go into an indicator."""
    return any(lookup.factors for name in indicator.sources if name in catalogue.sources
               for lookup in catalogue.sources[name].lookups)  # fmt: skip


def by_year(generation: Generation, catalogue: Catalogue, indicators: Iterable[Indicator], year: int) -> Generation:
    """Return a generation in which some indicators are computed by the coefficients of one year."""
    part = _part(catalogue, indicators)
    mark = f"{year}:{sha256(repr(sorted((a.name, a.fingerprint) for a in part.atoms.values())).encode()).hexdigest()}"
    key = (str(generation.path), tuple(sorted(generation.meta.items())), mark)
    made = _kept.get(key) or _kept.put(key, _built(generation, part, year, mark))
    return replace(made.cursor(), pinned=generation.pinned).seen(generation.state)


def _part(catalogue: Catalogue, indicators: Iterable[Indicator]) -> Catalogue:
    """Return only what some indicators read."""
    read = {name for i in indicators for version in i.versions for name in version.atoms if name in catalogue.atoms}
    read |= {operand for name in read for operand in catalogue.atoms[name].operands}
    atoms = {name: catalogue.atoms[name] for name in sorted(read)}
    sources = {name for atom in atoms.values() for name in cell_sources(atom, catalogue)}
    return replace(
        catalogue, indicators={}, atoms=atoms, sources={name: catalogue.sources[name] for name in sorted(sources)}
    )


def _built(generation: Generation, part: Catalogue, year: int, mark: str) -> Generation:
    con = connect(memory="1GB")
    con.execute(f"ATTACH {literal(str(generation.path))} AS g (READ_ONLY)")
    listed = con.execute(
        "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = 'g' ORDER BY 1, 2"
    ).fetchall()
    for schema in sorted({row[0] for row in listed} - {"main"}):
        con.execute(f"CREATE SCHEMA {quoted(schema)}")
    fixed = {
        f"d_{lookup.table}": tuple(lookup.on) for s in part.sources.values() for lookup in s.lookups if lookup.factors
    }
    for schema, table in listed:
        if not table.startswith(_BUILT) and not (schema == "main" and table in fixed):
            con.execute(
                f"CREATE VIEW {quoted(schema)}.{quoted(table)} AS SELECT * FROM g.{quoted(schema)}.{quoted(table)}"
            )
    for table, keys in fixed.items():
        _fix(con, table, keys, year)
    build(con, _followed(generation.contracts, part), part)
    return Generation(generation.path, con, generation.contracts, {**generation.meta, "factors": mark})


def _followed(contracts: Mapping[str, Contract], part: Catalogue) -> dict[str, Contract]:
    """Return the contracts of what is built: others need not be counted again."""
    named = {s.of for s in part.sources.values()} | {lo.table for s in part.sources.values() for lo in s.lookups}
    return {name: one for name, one in contracts.items() if name in named or name == "org_unit"}


def _fix(con: duckdb.DuckDBPyConnection, table: str, keys: tuple[str, ...], year: int) -> None:
    """Write a table of coefficients in which the rows valid last in a year hold for ever, as they were known."""
    listed = ", ".join(quoted(key) for key in keys)
    con.execute(f"CREATE TEMP VIEW {quoted(table)} AS SELECT * FROM g.main.{quoted(table)}")
    con.execute(
        f"""CREATE TABLE memory.main.{quoted(table)} AS
        SELECT * REPLACE (0 AS from_m, {OPEN} AS to_m)
        FROM ({settled_sql(table.removeprefix("d_"), keys)})
        WHERE from_m < {year * 12 + 12} AND to_m > {year * 12}
        QUALIFY row_number() OVER (PARTITION BY {listed}, rec_from ORDER BY from_m DESC) = 1"""
    )
    con.execute(f"DROP VIEW temp.main.{quoted(table)}")
    if not con.execute(f"SELECT 1 FROM memory.main.{quoted(table)} LIMIT 1").fetchone():
        raise QueryError(f"{table.removeprefix('d_')} has no row valid in {year}.", "ask for a year it has rows of")
