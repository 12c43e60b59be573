"""The published snapshot: what formulas read, summed beforehand for every node and the windows that end with each month.

    node_now       of single months: the cube of now is its own snapshot
    snap_quarter   node × month_no: the months of the quarter up to and with this one
    snap_ytd       the months of the (fiscal) year up to and with this one; a whole year is its last month
    snap_r12       the twelve months that end with this one
    snap_column    the columns of these tables, with the atom each is made of and its fingerprint
    snap_kind      each table with the month it reaches up to and the batch it holds

A window that is still under way is a row like any other, so that a snapshot does not age while the clock runs. Rows hold
the operands of every formula and the counts of reports, not values: a figure of a year before is the row twelve months
earlier, and a value is one division in the lookup, written by the one compiler there is. They are summed by the step of
that compiler which sums them for a question (`sum_operands`), so there is no second way to a number.

A store that works with review holds the tables twice, as it holds its cubes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Literal, get_args

import duckdb
from sqlglot import exp

from metrics.cubes import AHEAD
from metrics.formula import MONTHS, Formula, Operand, parse_formula
from metrics.knowledge import read_layout
from metrics.model import Catalogue
from metrics.plan import Ask, Cte, Layout, Plan, Shape, node_filter, snapshot_columns
from metrics.prepared import window_values
from metrics.read_cells import read_cells
from metrics.snapshot_reach import STEP
from metrics.sum_operands import sum_operands
from metrics.tables import columns_of, decimals, literal, quoted, table_names
from warehouse.base.periods import FISCAL_START, Window, fiscal_shift
from warehouse.incremental import Anew
from warehouse.reviewed import looking_at_reviewed, works_with_review

Kind = Literal["quarter", "ytd", "r12"]
KINDS: tuple[Kind, ...] = get_args(Kind)
SPARE = 1
"""Months after the last data, or the last batch, that are summed too: nobody asks for what has not elapsed."""
LARGEST = 48_000_000
"""Figures summed by one statement, about 24 bytes each while it runs."""
MOST_MOVED = 0.5
"""Part of the rows beyond which all are written anew."""
RECENT = 4
"""Months: what moved within the last of them is what the newest reports move."""
_REGISTERS = (
    "CREATE OR REPLACE TABLE snap_column (column_name VARCHAR, atom VARCHAR, fingerprint VARCHAR)",
    "CREATE OR REPLACE TABLE snap_kind (kind VARCHAR, end_m INTEGER, through_seq INTEGER)",
)


def build_snapshots(con: duckdb.DuckDBPyConnection, catalogue: Catalogue) -> None:
    """Write the snapshots of a generation file that holds the cubes."""
    _build(con, catalogue)
    if works_with_review(con):
        with looking_at_reviewed(con):
            _build(con, catalogue)


def refresh_snapshots(con: duckdb.DuckDBPyConnection, catalogue: Catalogue) -> None:
    """Carry the snapshots on after the cubes were: only windows that see a cell that was written are summed again."""
    if "snap_kind" not in table_names(con):
        raise Anew("there is no snapshot yet")
    _refresh(con, catalogue, "state = 'reported'")
    if works_with_review(con):
        with looking_at_reviewed(con):
            _refresh(con, catalogue, "TRUE")  # what is reviewed rests on what was touched as reported as well


# --- what is summed ---------------------------------------------------------------------------------------------------


def published_operands(catalogue: Catalogue, layout: Layout) -> tuple[Operand, ...]:
    """Return what the formulas of all indicators read of a window of the node itself; earlier windows are earlier rows."""
    values = {version.value for indicator in catalogue.indicators.values() for version in indicator.versions}
    read = {operand for value in values for operand in parse_formula(value).operands if not operand.is_top}
    return tuple(sorted({
        replace(o, shift=0, over="") for o in read if o.span == "asked" and not o.above and o.atom in layout.atoms
    }))  # fmt: skip


def window_of(kind: str, month: int, fiscal_start: int) -> Window:
    """Return the window of a kind that ends with a month."""
    if kind == "r12":
        return Window("", month - 11, month + 1)
    return Window("", month - (month + fiscal_shift(fiscal_start)) % STEP[kind], month + 1)


def _plan(operands: Iterable[Operand], layout: Layout) -> Plan:
    """Return the steps of the compiler up to the operands of windows, for one formula that reads them all."""
    formula = Formula("sum", exp.Null(), None, None, (*operands, Operand(MONTHS, "sum")))
    return sum_operands(read_cells(Plan(Shape((Ask("all", formula, 0),), "now", "many", one_node=False), layout)))


def _of_last_month(plan: Plan) -> dict[str, str]:
    """Return column → column of the cube of now, for what a window shows of its last month alone."""
    told = {o.name: o.atom for o in plan.operands if o.how == "last"}
    return told | {r.column(what): r.cell(what) for r in plan.reports if r.how == "last" for what in ("due", "got")}


# --- built whole ------------------------------------------------------------------------------------------------------


def _build(con: duckdb.DuckDBPyConnection, catalogue: Catalogue) -> None:
    layout = read_layout(con)
    operands = published_operands(catalogue, layout)
    for statement in _REGISTERS:
        con.execute(statement)
    if not operands:
        return
    plan = _plan(operands, layout)
    fingerprints = [(name, atom, catalogue.atoms[atom].fingerprint) for name, atom in _made_of(plan)]
    con.executemany("INSERT INTO snap_column VALUES (?, ?, ?)", fingerprints)
    end = _end(layout)
    for kind in KINDS:
        _create(con, plan, kind)
        _write(con, plan, kind, (layout.first, end))
        con.execute(f"INSERT INTO snap_kind SELECT {literal(kind)}, {end}, {_THROUGH}")


_THROUGH = "(SELECT value::INTEGER FROM meta WHERE key = 'through_seq')"


def _end(layout: Layout) -> int:
    return min(layout.end, layout.end - AHEAD + SPARE)


def _made_of(plan: Plan) -> list[tuple[str, str]]:
    return [(column, o.atom) for o in plan.operands for column in ((o.name, o.months) if o.how == "avg" else (o.name,))]


def _create(con: duckdb.DuckDBPyConnection, plan: Plan, kind: str) -> None:
    """Make the table; sums keep the decimals of what they sum, whole numbers are BIGINT as in the cubes."""
    cells = columns_of(con, "node_now")
    atoms = {o.name: cells[o.atom] for o in plan.operands}
    types = {name: _type(atoms[name]) if name in atoms else "BIGINT" for name in snapshot_columns(plan)}
    listed = ", ".join(f"{quoted(name)} {type_}" for name, type_ in types.items())
    con.execute(f"CREATE OR REPLACE TABLE {quoted('snap_' + kind)} (node VARCHAR, month_no INTEGER, {listed})")


def _type(kind: str) -> str:
    return f"DECIMAL(38,{decimals(kind)})" if kind.startswith("DECIMAL") else "BIGINT" if "INT" in kind else kind


def _nodes(con: duckdb.DuckDBPyConnection) -> list[str]:
    return [row[0] for row in con.execute("SELECT DISTINCT node FROM node_now ORDER BY node").fetchall()]


def _write(con: duckdb.DuckDBPyConnection, plan: Plan, kind: Kind, months: tuple[int, int]) -> None:
    """Sum all windows of a kind that end in `[from, to)`."""
    for summed, given in _summed(con, plan, (kind,), months, _nodes(con)):
        con.execute(f"INSERT INTO {quoted('snap_' + kind)} BY NAME SELECT * EXCLUDE (kind) FROM ({summed})", given)


def _summed(
    con: duckdb.DuckDBPyConnection, plan: Plan, kinds: Sequence[str], months: tuple[int, int], nodes: Sequence[str],
    only: str = "",
) -> Iterator[tuple[str, dict[str, object]]]:  # fmt: skip
    """Yield the statement of the windows that end in `[from, to)`, for as many nodes at a time as memory holds."""
    fiscal_start = _fiscal_start(con)
    windows = [window_of(kind, month, fiscal_start) for kind in kinds for month in range(*months)]
    values = window_values(windows, "") | {"lo": min(w.from_m for w in windows), "hi": months[1]}
    statement = _sql(plan, kinds, months, only)
    for some in _parts(nodes, max(1, LARGEST // (len(windows) * len(snapshot_columns(plan))))):
        given = values | {"nodes": some}
        yield statement, {name: value for name, value in given.items() if f"${name}" in statement}


def _fiscal_start(con: duckdb.DuckDBPyConnection) -> int:
    (row,) = con.execute("SELECT value FROM meta WHERE key = $1", [FISCAL_START]).fetchall() or [("1",)]
    return int(row[0])


def _sql(plan: Plan, kinds: Sequence[str], months: tuple[int, int], only: str) -> str:
    """Return the rows of windows: sums from the compiler's steps, a last month's figures from its cells as they lie."""
    last, (first, end) = _of_last_month(plan), months
    sums = _plan([o for o in plan.operands if o.how != "last"], plan.layout)
    listed = ", ".join(
        f"n.{quoted(last[name])} AS {quoted(name)}" if name in last else f"o.{quoted(name)}"
        for name in snapshot_columns(plan)
    )
    steps = ",\n".join(_step(cte) for cte in sums.ctes)
    named = "".join(f" WHEN {place} THEN {literal(kind)}" for place, kind in enumerate(kinds))
    count = end - first
    windows = (
        f"SELECT *, CASE w // {count}{named} END AS kind, (w % {count} + {first})::INTEGER AS month_no FROM operands"
    )
    ended = f"SELECT * FROM node_now WHERE {node_filter(plan, 'node')} AND month_no >= {first} AND month_no < $hi"
    return (
        f"WITH {steps}\nSELECT o.kind, o.node, o.month_no, {listed} FROM (SELECT * FROM ({windows}){only}) o\n"
        f"LEFT JOIN ({ended}) n ON n.node = o.node AND n.month_no = o.month_no"
    )


def _step(cte: Cte) -> str:
    return f"{quoted(cte.name)} AS (\n{cte.sql}\n)"


def _parts(nodes: Sequence[str], room: int) -> Iterator[list[str]]:
    for place in range(0, len(nodes), room):
        yield list(nodes[place : place + room])


# --- carried on -------------------------------------------------------------------------------------------------------


def _refresh(con: duckdb.DuckDBPyConnection, catalogue: Catalogue, touched: str) -> None:
    layout = read_layout(con)
    operands = published_operands(catalogue, layout)
    if not operands:
        return
    plan, end = _plan(operands, layout), _end(layout)
    _note_moved(con, touched, layout.first, end)
    for kind in _mostly_moved(con):
        _create(con, plan, kind)
        _write(con, plan, kind, (layout.first, end))
        con.execute("DELETE FROM snap_moved WHERE kind = $1", [kind])
    _write_moved(con, plan)
    con.execute(f"UPDATE snap_kind SET end_m = {end}, through_seq = {_THROUGH}")
    con.execute("DROP TABLE IF EXISTS temp.main.snap_moved")


def _note_moved(con: duckdb.DuckDBPyConnection, touched: str, first: int, end: int) -> None:
    """Note the windows that see a cell that was written, and those that end in months not summed before.

    A node that moved only lately in a kind goes in the lane '', in which all kinds are summed together; one that moved
    further back goes in the lane of the kind, so that the long way back is gone for that kind alone.
    """
    before = dict(con.execute("SELECT kind, end_m FROM snap_kind").fetchall())
    ahead = fiscal_shift(_fiscal_start(con))
    moved = [
        f"""SELECT {literal(kind)} AS kind, node,
                unnest(range(greatest(month_no, {first})::BIGINT, least({_sees(kind, ahead)}, {end})::BIGINT)) AS m
            FROM touched_node WHERE {touched}
            UNION ALL SELECT {literal(kind)}, node, unnest(range({before.get(kind, first)}, {end}))
            FROM (SELECT DISTINCT node FROM node_now)"""
        for kind in KINDS
    ]
    con.execute(f"""
    CREATE OR REPLACE TEMP TABLE snap_moved AS
    SELECT kind, node, m::INTEGER AS month_no,
        CASE WHEN min(m) OVER (PARTITION BY kind, node) > max(m) OVER () - {RECENT} THEN '' ELSE kind END AS lane
    FROM (SELECT DISTINCT * FROM ({" UNION ALL ".join(moved)}))""")


def _sees(kind: Kind, ahead: int) -> str:
    """SQL of the first month whose window of a kind no longer sees a month."""
    step = STEP[kind]
    return "month_no + 12" if kind == "r12" else f"month_no - (month_no + {ahead}) % {step} + {step}"


def _mostly_moved(con: duckdb.DuckDBPyConnection) -> list[Kind]:
    moved = dict(con.execute("SELECT kind, count(*) FROM snap_moved GROUP BY kind").fetchall())
    (rows,) = con.execute(f"SELECT {', '.join(f'(SELECT count(*) FROM snap_{kind})' for kind in KINDS)}").fetchall()
    return [kind for kind, count in zip(KINDS, rows, strict=True) if moved.get(kind, 0) > count * MOST_MOVED]


def _write_moved(con: duckdb.DuckDBPyConnection, plan: Plan) -> None:
    """Sum the noted windows again, lane by lane."""
    for kind in KINDS:
        same = "m.node = s.node AND m.month_no = s.month_no"
        con.execute(f"DELETE FROM snap_{kind} s USING snap_moved m WHERE m.kind = {literal(kind)} AND {same}")
    lanes = con.execute("""SELECT lane, list(DISTINCT kind), min(month_no), max(month_no) + 1, list(DISTINCT node ORDER BY node)
        FROM snap_moved GROUP BY lane ORDER BY lane""").fetchall()
    for lane, kinds, low, high, nodes in lanes:
        only = f" SEMI JOIN (FROM snap_moved WHERE lane = {literal(lane)}) USING (kind, node, month_no)"
        for summed, given in _summed(con, plan, kinds, (low, high), nodes, only):
            con.execute(f"CREATE OR REPLACE TEMP TABLE snap_summed AS {summed}", given)
            for kind in kinds:
                rows = f"SELECT * EXCLUDE (kind) FROM snap_summed WHERE kind = {literal(kind)}"
                con.execute(f"INSERT INTO snap_{kind} BY NAME {rows}")
    con.execute("DROP TABLE IF EXISTS temp.main.snap_summed")
