"""Plans in a generation: `d_plan_month` from the versions of `d_plan`, and what a plan of a region means for the nodes above.

A version is split by what was known when it became known, or, where something was missing then, by what was known at the
first batch at which nothing was: so no later correction moves a plan, and a board of a past day is measured by the months
that held on that day. Figures of the year before are answers of `evaluate`, as reported, by the definitions of the build.

A plan of a region, for which nobody reports, is of everything below it. It takes the place of what the plans below add up
to, and counts as the plan of every unit there; without one, a region has the sum of its units' plans, and misses those
that have none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import duckdb

from metrics.cubes import MONTHLY_PLANS, Span, build_node, build_source
from metrics.evaluate import evaluate
from metrics.knowledge import knowledge
from metrics.model import Catalogue, Query, Source
from metrics.plans import MONTHS, Inputs, Laid, Version, lay, spells
from metrics.tables import columns_of, has_rows, literal, quoted, table_names
from warehouse.base.periods import OPEN, month_label
from warehouse.base.scope import Scope
from warehouse.contracts import Contract
from warehouse.governance import DATASET as GOVERNANCE
from warehouse.store import Generation

PLANS, MONTHLY = "plan", MONTHLY_PLANS
_PAPERS = ("approved_on", "approved_by", "document", "reason", "file_name", "sheet", "row_no")
Group = tuple[str, int, int]
"""Indicator, first month of the plan's year, batch."""


def plan_sources(catalogue: Catalogue) -> tuple[Source, ...]:
    """Return the sources that read plans by month."""
    return tuple(source for source in catalogue.sources.values() if source.of == MONTHLY)


def read_versions(con: duckdb.DuckDBPyConnection, where: str = "TRUE") -> list[Version]:
    """Return every version of every plan a generation holds, in a fixed order."""
    if f"d_{PLANS}" not in table_names(con):
        return []
    given = ", ".join(f"m{number:02d}" for number in range(1, MONTHS + 1))
    rows = con.execute(
        f"SELECT unit, indicator, from_m, version, value, value_unit, split, base_share, rec_from, rec_to, "
        f"{', '.join(_PAPERS)}, {given} FROM d_{PLANS} WHERE {where} ORDER BY indicator, unit, from_m, version, rec_from"
    ).fetchall()
    last = 10 + len(_PAPERS)
    return [_version(row, () if row[last] is None else tuple(row[last:])) for row in rows]


def _version(row: Sequence[Any], given: tuple[Decimal, ...]) -> Version:
    unit, indicator, from_m, number, value, value_unit, way, base_share, rec_from, rec_to, *papers = row[
        : 10 + len(_PAPERS)
    ]
    told = dict(zip(_PAPERS, papers, strict=True))
    return Version(unit, indicator, from_m, number, value, value_unit, way, base_share, given, rec_from, rec_to, told)


def by_plan(versions: Iterable[Version]) -> dict[tuple[str, str, int], list[Version]]:
    """Return the versions of each plan."""
    found: dict[tuple[str, str, int], list[Version]] = defaultdict(list)
    for version in versions:
        found[version.key].append(version)
    return found


# --- splitting by what was known --------------------------------------------------------------------------------------


def lay_all(generation: Generation, catalogue: Catalogue, versions: Sequence[Version]) -> dict[Version, Laid]:
    """Split versions, each by what was known at the first batch from its own on at which nothing was missing."""
    found: dict[Version, Laid] = {}
    pending = {version: version.rec_from for version in versions}
    while pending:
        inputs = _inputs(generation, catalogue, pending)
        again: dict[Version, int] = {}
        for version, seq in pending.items():
            laid = lay(version, inputs[version])
            later = _next_batch(generation, catalogue, version, seq) if laid.missing else None
            if later is None:
                found[version] = (
                    laid if not laid.missing else lay(version, replace(inputs[version], seq=version.rec_from))
                )
            else:
                again[version] = later
        pending = again
    return found


def _inputs(generation: Generation, catalogue: Catalogue, asked: Mapping[Version, int]) -> dict[Version, Inputs]:
    groups: dict[Group, list[Version]] = defaultdict(list)
    found: dict[Version, Inputs] = {}
    for version, seq in asked.items():
        if version.way == "last_year_shape":
            groups[version.indicator, version.from_m, seq].append(version)
        elif version.way == "degree_days":
            found[version] = Inputs(seq, degree_days=_degree_days(generation.con, version, seq))
        else:
            found[version] = Inputs(seq)
    for (indicator, from_m, seq), members in groups.items():
        figures = _last_year(generation, catalogue, indicator, from_m, seq, {one.unit for one in members})
        found |= {one: Inputs(seq, figures.get(one.unit, ())) for one in members}
    return found


def _last_year(generation: Generation, catalogue: Catalogue, indicator: str, from_m: int, seq: int,
               units: Iterable[str]) -> dict[str, tuple[Decimal | None, ...]]:  # fmt: skip
    """Return the twelve months before a plan's year of each unit as known at a batch; what is incomplete is missing."""
    if indicator not in catalogue.indicators:
        return {}
    known = generation.as_known_at(seq)
    answers = evaluate(known, catalogue, Query(
        indicators=(indicator,), nodes=tuple(sorted(units)), period_from=month_label(from_m - MONTHS),
        period_to=month_label(from_m - 1), grain="month", known_at=known.recorded_at(seq), scope=Scope.everything(),
        actor="plans", state="reported",
    ))  # fmt: skip
    found: dict[str, list[Decimal | None]] = defaultdict(list)
    for answer in answers:
        found[answer.node].append(Decimal(str(answer.value)) if answer.status == "ok" else None)
    return {unit: tuple(months) for unit, months in found.items()}


def _degree_days(con: duckdb.DuckDBPyConnection, version: Version, seq: int) -> tuple[Decimal | None, ...]:
    """Return the degree days of the plan's months for the unit's climate zone, else for every zone."""
    rows = con.execute(
        """SELECT month_of_year, degree_days FROM d_degree_day d
           WHERE d.rec_from <= $seq AND $seq < d.rec_to AND d.from_m <= $m AND $m < d.to_m AND coalesce(d.climate, '') IN ('', (
               SELECT coalesce(max(climate), '') FROM d_org_unit o WHERE o.code = $unit AND o.rec_from <= $seq
               AND $seq < o.rec_to AND o.from_m <= $m AND $m < o.to_m))
           ORDER BY coalesce(d.climate, ''), d.from_m""",
        {"seq": seq, "m": version.from_m, "unit": version.unit},
    ).fetchall()
    found: dict[int, Decimal] = dict(rows)
    return tuple(found.get((version.from_m + place) % MONTHS + 1) for place in range(MONTHS))


def _next_batch(generation: Generation, catalogue: Catalogue, version: Version, seq: int) -> int | None:
    """Return the next batch that moved what a version is split by, while it was still known; None when there is none."""
    if version.way == "degree_days":
        reads = [f"SELECT rec_from AS seq FROM d_degree_day WHERE rec_from > {seq}"]
    elif version.way == "last_year_shape" and version.indicator in catalogue.indicators:
        layout = knowledge(generation).layout
        atoms = [layout.atoms[a] for a in catalogue.indicators[version.indicator].atoms if a in layout.atoms]
        tables = sorted({table for atom in atoms for table in (*atom.tables, *atom.sources)})
        reads = [
            f"SELECT batch_seq AS seq FROM {quoted('node_' + table)} WHERE node = {literal(version.unit)} AND "
            f"month_no >= {version.from_m - MONTHS} AND month_no < {version.from_m} AND batch_seq > {seq}"
            for table in tables
        ]
    else:
        return None
    if not reads:
        return None
    row = generation.con.execute(f"SELECT min(seq) FROM ({' UNION ALL '.join(reads)})").fetchone()
    return None if row is None or row[0] is None or row[0] >= version.rec_to else int(row[0])


# --- into the generation ----------------------------------------------------------------------------------------------


def lay_months(
    con: duckdb.DuckDBPyConnection, contracts: Mapping[str, Contract], catalogue: Catalogue, table: str
) -> None:
    """Write the months of every plan into a table shaped like `d_plan_month`, from the cubes that stand so far."""
    versions = read_versions(con)
    meta = dict(con.execute("SELECT key, value FROM meta").fetchall())
    # cubes that are still being built are known under a name of their own
    generation = Generation(Path("plans"), con, contracts, {**meta, "build": uuid4().hex})
    laid = lay_all(generation, catalogue, versions)
    entries = [
        (one.version.unit, one.version.indicator, share.month, max(start, one.inputs.seq), stop, share.amount,
         one.version.amount, one.version.number, *(_paper(one.version, name) for name in ("file_name", "sheet", "row_no")))
        for plan in by_plan(versions).values()
        for start, stop, version in spells(plan, OPEN)
        for one in (laid[version],)
        for share in one.months
        if max(start, one.inputs.seq) < stop
    ]  # fmt: skip
    kinds = ("VARCHAR", "VARCHAR", "INTEGER", "INTEGER", "INTEGER", "DECIMAL(22,4)", "DECIMAL(22,4)", "BIGINT",
             "VARCHAR", "VARCHAR", "INTEGER")  # fmt: skip
    names = (
        "unit",
        "indicator",
        "m",
        "rec_from",
        "rec_to",
        "amount",
        "year_amount",
        "version",
        "file_name",
        "sheet",
        "row_no",
    )
    if not entries:
        return
    columns = [[None if v is None else str(v) for v in column] for column in zip(*entries, strict=True)]
    cells = ", ".join(f"unnest(${n}::VARCHAR[])::{kind} AS {name}" for n, (kind, name) in enumerate(zip(kinds, names, strict=True), 1))  # fmt: skip
    con.execute(
        f"""INSERT INTO {table} BY NAME
        SELECT (md5_number_lower(concat_ws('|', unit, indicator, m, version, rec_from)) >> 2)::BIGINT AS row_id,
               rec_from, rec_to, m AS from_m, m + 1 AS to_m, m AS "month", * EXCLUDE (m, rec_from, rec_to)
        FROM (SELECT {cells}) ORDER BY m, unit, indicator, rec_from""",
        columns,
    )


def _paper(version: Version, name: str) -> Any:
    return (version.papers or {}).get(name)


def moved_months(
    con: duckdb.DuckDBPyConnection, contracts: Mapping[str, Contract], catalogue: Catalogue, moved: Mapping[str, bool]
) -> bool:
    """Tell whether the plans by month would be others than those the generation holds; `moved` as in `Change`.

    What a version was split by stands, unless it came now, was not there yet, or what was known before does not stand.
    """
    if not plan_sources(catalogue) or f"d_{MONTHLY}" not in table_names(con):
        return False
    pending = f"""SELECT 1 FROM d_{PLANS} p WHERE NOT EXISTS (SELECT 1 FROM d_{MONTHLY} m WHERE m.unit = p.unit
        AND m.indicator = p.indicator AND m.version = p.version AND m.from_m = p.from_m) LIMIT 1"""
    stands = all(same for name, same in moved.items() if name != GOVERNANCE)
    if stands and not {PLANS, "degree_day"} & set(moved) and not con.execute(pending).fetchone():
        return False
    con.execute(f"CREATE OR REPLACE TEMP TABLE plans_anew AS SELECT * FROM d_{MONTHLY} WHERE FALSE")
    lay_months(con, contracts, catalogue, "plans_anew")
    columns = "row_id, rec_from, rec_to, unit, from_m, indicator, amount, year_amount, version"
    ours, theirs = (f"SELECT {columns} FROM {name}" for name in (f"d_{MONTHLY}", "plans_anew"))
    differ = con.execute(f"SELECT 1 FROM ((({ours}) EXCEPT ({theirs})) UNION ALL (({theirs}) EXCEPT ({ours}))) LIMIT 1").fetchone()  # fmt: skip
    con.execute("DROP TABLE plans_anew")
    return differ is not None


def build_plans(con: duckdb.DuckDBPyConnection, contracts: Mapping[str, Contract], catalogue: Catalogue,
                span: Span) -> list[Source]:  # fmt: skip
    """Split the plans by month and build the cubes of what reads them; return the sources that have rows."""
    tables = table_names(con)
    if not plan_sources(catalogue) or f"d_{PLANS}" not in tables or not has_rows(con, f"d_{PLANS}"):
        return []
    if not has_rows(con, f"d_{MONTHLY}"):  # beside a generation its months are read as they lie there
        lay_months(con, contracts, catalogue, f"d_{MONTHLY}")
    live = [s for s in plan_sources(catalogue) if build_source(con, s, catalogue, contracts, span, tables)]
    for source in live:
        build_node(con, source.name, source.theme)
        add_region_changes(con, region_changes(con, source), f"node_{source.name}")
    return live


# --- regions ----------------------------------------------------------------------------------------------------------

Cells = dict[tuple[str, int], list[tuple[Any, ...]]]
"""(node, month) → (batch, figures…) of changes."""


def region_changes(con: duckdb.DuckDBPyConnection, source: Source, from_m: int = 0) -> list[tuple[Any, ...]]:
    """Return node, month, batch, figures… and got to be added to the node table of plans, for plans of regions."""
    theme = literal(source.theme)
    names = [c for c in columns_of(con, f"node_{source.name}") if c not in ("node", "month_no", "batch_seq", "got")]
    listed = "".join(f", {quoted(name)}" for name in names)
    own = _cells(con, f"""SELECT unit, month_no, batch_seq{listed}, n FROM {quoted('leaf_' + source.name)} l
        WHERE month_no >= {from_m} AND NOT EXISTS (SELECT 1 FROM population p WHERE p.theme = {theme}
            AND p.dsc = l.unit AND p.depth = 0 AND p.from_m <= l.month_no AND l.month_no < p.to_m)""")  # fmt: skip
    if not own:
        return []
    regions = ", ".join(literal(node) for node in sorted({node for node, _ in own}))
    below = _cells(con, f"SELECT node, month_no, batch_seq{listed}, got FROM {quoted('node_' + source.name)} WHERE node IN ({regions})")  # fmt: skip
    due = _cells(con, f"SELECT node, month_no, batch_seq, {quoted('due_' + source.theme)} FROM node_due WHERE node IN ({regions})")  # fmt: skip
    chains = con.execute(
        f"SELECT dsc, anc, from_m, to_m, rec_from, rec_to FROM closure WHERE dsc IN ({regions})"
    ).fetchall()
    found: list[tuple[Any, ...]] = []
    for month in sorted({month for _, month in own}):
        held = sorted(node for node, m in own if m == month)
        points = {row[0] for cells in (own, below, due) for node in held for row in cells.get((node, month), ())}
        points |= {p for row in chains if row[0] in held and row[2] <= month < row[3] for p in row[4:6] if p < OPEN}
        before: dict[str, list[Any]] = {}
        for seq in sorted(points):
            above = {
                n: {r[1] for r in chains if r[0] == n and r[2] <= month < r[3] and r[4] <= seq < r[5]} for n in held
            }
            after = _lifted(held, above, month, seq, own, below, due, len(names))
            for node in sorted({*before, *after}):
                now, then = (side.get(node, [0] * (len(names) + 1)) for side in (after, before))
                change = [a - b for a, b in zip(now, then, strict=True)]
                if any(change):
                    found.append((node, month, seq, *change))
            before = after
    return found


def _cells(con: duckdb.DuckDBPyConnection, select: str) -> Cells:
    found: Cells = defaultdict(list)
    for node, month, *rest in con.execute(select).fetchall():
        found[node, month].append(tuple(rest))
    return found


def _known(cells: Cells, node: str, month: int, seq: int, width: int) -> list[Any]:
    """Return what changes add up to at a batch."""
    rows = [row[1:] for row in cells.get((node, month), ()) if row[0] <= seq]
    return [sum((row[place] or 0 for row in rows), 0) for place in range(width)]


def _lifted(held: Sequence[str], above: Mapping[str, set[str]], month: int, seq: int, own: Cells, below: Cells, due: Cells,
            width: int) -> dict[str, list[Any]]:  # fmt: skip
    """Return what the plans of regions add to each node at a batch, the lowest regions first."""
    added: dict[str, list[Any]] = defaultdict(lambda: [0] * (width + 1))
    for node in sorted(held, key=lambda one: (-len(above[one]), one)):
        *plan, rows = _known(own, node, month, seq, width + 1)
        if not rows:
            continue
        there = _known(below, node, month, seq, width + 1)
        wanted = [*plan, *_known(due, node, month, seq, 1)]
        change = [w - t - a for w, t, a in zip(wanted, there, added[node], strict=True)]
        for anc in above[node]:
            added[anc] = [a + c for a, c in zip(added[anc], change, strict=True)]
    return {node: values for node, values in added.items() if any(values)}


def add_region_changes(con: duckdb.DuckDBPyConnection, rows: Sequence[tuple[Any, ...]], table: str) -> None:
    """Write changes into a node table."""
    kinds = columns_of(con, table)
    columns = [[None if v is None else str(v) for v in column] for column in zip(*rows, strict=True)]
    cells = ", ".join(f"unnest(${n}::VARCHAR[])::{kind}" for n, kind in enumerate(kinds.values(), 1))
    if rows:
        con.execute(f"INSERT INTO {quoted(table)} SELECT {cells}", columns)
