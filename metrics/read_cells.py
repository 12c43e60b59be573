"""Step 2: figures per node and month, as they were known.

now: the current node cube as it lies there · then: the node changes up to a batch · leaf: unit changes joined to the
tree, for another day's tree, a split by a dimension, or a filter.
"""

from __future__ import annotations

from dataclasses import replace

from metrics.model import UNIT_DIMS
from metrics.plan import Plan, cell_columns, node_filter, now_table, sources, tables, themes
from metrics.tables import literal, quoted


def read_cells(plan: Plan) -> Plan:
    """Choose the cube that answers, or build its cells as known at a batch."""
    return {"now": _cells_now, "then": _cells_then, "leaf": _cells_leaf}[plan.shape.reading](plan)


def _cells_now(plan: Plan) -> Plan:
    if not plan.shape.stays:
        return _cells_read_once(plan) if plan.shape.windows == "end" else replace(plan, cells=now_table(plan))
    columns = "".join(f", n.{quoted(c)}" for c in cell_columns(plan))
    met = "n.node = s.child AND n.month_no >= s.stay_from AND n.month_no < s.stay_to"
    stays, why = "stays", "current figures of each child in the months it belonged to its parent"
    within = "n.month_no >= $lo AND n.month_no < $hi"
    if plan.shape.snap:  # none of them hung elsewhere, and in the last month of a window a child may be gone
        stays, met = "(SELECT DISTINCT parent, child FROM stays)", "n.node = s.child"
        why = "current figures of each child, summed for the windows that end with a month"
    if plan.shape.windows == "end":
        within = _rows_of_one_window(plan)
    return plan.with_cte(
        "cells",
        why,
        f"SELECT s.parent AS node, s.child AS part, n.month_no{columns}\nFROM {stays} s JOIN {now_table(plan)} n ON {met}\n"
        f"WHERE {within}",
    )


def _cells_read_once(plan: Plan) -> Plan:
    """Read the row of one window together with the rows of earlier ones: a table of all nodes is looked through once."""
    if len(plan.views) == 1:
        return replace(plan, cells=now_table(plan))
    columns = "".join(f", n.{quoted(c)}" for c in cell_columns(plan))
    return plan.with_cte(
        "cells",
        "current figures of the window and of the earlier ones it is held against",
        f"SELECT n.node, n.month_no{columns}\nFROM {now_table(plan)} n\n"
        f"WHERE {node_filter(plan, 'n.node')} AND {_rows_of_one_window(plan)}",
    )


def _rows_of_one_window(plan: Plan) -> str:
    return f"n.month_no IN ({', '.join(f'$last - {1 + view.shift}' for view in plan.views)})"


def _cells_then(plan: Plan) -> Plan:
    """Sum the node changes of every table the formulas read."""
    keys, joined = _node_source(plan)
    within = "d.month_no >= $lo AND d.month_no < $hi AND d.batch_seq <= $seq"
    reads = []
    for table, atoms in tables(plan).items():
        sums = "".join(f", sum(d.{quoted(atom)}) AS {quoted(f'{atom}@{table}')}" for atom in atoms)
        if table in sources(plan):
            sums += f", sum(d.got) AS {quoted('got_' + table)}"
        reads.append(
            f"SELECT {keys}, d.month_no{sums} FROM {quoted('node_' + table)} d {joined} AND {within} GROUP BY ALL"
        )
    due = "".join(f", sum(d.{quoted('due_' + theme)}) AS {quoted('due_' + theme)}" for theme in themes(plan))
    reads.append(f"SELECT {keys}, d.month_no{due} FROM node_due d {joined} AND {within} GROUP BY ALL")
    plan = plan.with_cte(
        "changes",
        "what was known: the sum of all changes up to the batch",
        "\nUNION ALL BY NAME\n".join(reads),
    )
    return _fold(plan)


def _node_source(plan: Plan) -> tuple[str, str]:
    """Return the key columns and the join that picks the asked nodes from a node table `d`."""
    if plan.shape.stays:
        on = "JOIN stays s ON s.child = d.node AND d.month_no >= s.stay_from AND d.month_no < s.stay_to WHERE true"
        return "s.parent AS node, s.child AS part", on
    return "d.node", f"WHERE {node_filter(plan, 'd.node')}"


def _fold(plan: Plan) -> Plan:
    """Bring the parts of one cell together: NULL where nothing was reported."""
    listed = ", ".join(plan.cell_keys)
    wide = [f"{a}@{t}" for t, atoms in tables(plan).items() for a in atoms]
    wide += [f"got_{s}" for s in sources(plan)] + [f"due_{t}" for t in themes(plan)]
    sums = "".join(f", sum({quoted(c)}) AS {quoted(c)}" for c in wide)
    plan = plan.with_cte(
        "folded", "one row per cell", f"SELECT {listed}, month_no{sums} FROM changes GROUP BY {listed}, month_no"
    )
    return plan.with_cte(
        "cells",
        "missing is not zero: a figure exists where a report came",
        f"SELECT {listed}, month_no{''.join(', ' + c for c in _figures(plan))} FROM folded",
    )


def _figures(plan: Plan) -> list[str]:
    figures = []
    for name in sorted({o.atom for o in plan.operands}):
        laid = plan.layout.atoms[name]
        value = " + ".join(f"coalesce({quoted(f'{name}@{table}')}, 0)" for table in laid.tables)
        got = " OR ".join(f"{quoted('got_' + s)} > 0" for s in laid.sources)
        figures.append(f"CASE WHEN {got} THEN {value} END AS {quoted(name)}")
    figures += [f"coalesce({quoted('got_' + s)}, 0) AS {quoted('got_' + s)}" for s in sources(plan)]
    figures += [f"coalesce({quoted('due_' + t)}, 0) AS {quoted('due_' + t)}" for t in themes(plan)]
    return figures


def _cells_leaf(plan: Plan) -> Plan:
    """Join unit changes to the tree: for another day's tree, a split by a dimension, or a filter."""
    plan = with_places(plan)
    part = unit_part(plan) + (", p.unit" if plan.shape.panel else "")
    keyed = f"p.node{part}, u.month_no"
    on = "u.unit = p.unit AND u.month_no >= p.from_m AND u.month_no < p.to_m"
    within = "u.month_no >= $lo AND u.month_no < $hi AND u.batch_seq <= $seq"
    base = [
        f"SELECT {keyed}, sum(u.got) AS {quoted('got_' + s)} FROM places p JOIN {quoted('unit_' + s)} u ON {on} "
        f"WHERE p.theme = {literal(plan.layout.themes[s])} AND p.owes AND {within} GROUP BY ALL"
        for s in sources(plan)
    ]
    months = "unnest(range(greatest(from_m, $lo)::BIGINT, least(to_m, $hi)::BIGINT))::INTEGER AS month_no"
    listed = ", ".join(["node", *([quoted(column)] if (column := _unit_part_column(plan)) else []), *(["unit"] if plan.shape.panel else [])])  # fmt: skip
    for theme in themes(plan):
        base.append(
            f"SELECT u.node{part.replace('p.', 'u.')}, u.month_no, count(*) AS {quoted('due_' + theme)} "
            f"FROM (SELECT {listed}, {months} FROM places WHERE theme = {literal(theme)} AND owes) u GROUP BY ALL"
        )
    rows = [_leaf_rows(plan, table, atoms, on, within) for table, atoms in tables(plan).items() if atoms]
    if _row_split(plan):
        return _split_cells(plan, base, rows)
    plan = plan.with_cte("changes", "reports, duties and figures of the units below each node",
                         "\nUNION ALL BY NAME\n".join([*base, *rows]))  # fmt: skip
    return _fold(plan)


def with_places(plan: Plan) -> Plan:
    """Who counts below each node in which months: as the tree was, or as it stood on another day."""
    where = plan.shape.where
    dims = set(where.unit_dims if where else ())
    if plan.shape.dim in UNIT_DIMS:
        dims.add(str(plan.shape.dim))
    known = "rec_from <= $seq AND $seq < {0}.rec_to"
    if plan.shape.as_of:
        source = (
            "SELECT p.theme, k.anc AS node, p.dsc AS unit, p.from_m, p.to_m, p.owes OR k.depth = 0 AS owes\n"
            "FROM population p JOIN closure_ext k ON k.dsc = p.dsc AND $tree_month >= k.from_m AND $tree_month < k.to_m\n"
            f" AND k.{known.format('k')}\nWHERE p.depth = 0 AND p.anc = p.dsc AND p.{known.format('p')}\n"
            f" AND {node_filter(plan, 'k.anc')}\n"
            "UNION ALL\nSELECT p.theme, p.anc, p.dsc, p.from_m, p.to_m, true FROM population p\n"
            f"WHERE p.depth = 0 AND p.anc <> p.dsc AND p.{known.format('p')} AND {node_filter(plan, 'p.anc')}"
        )
    elif plan.shape.stays:
        source = (
            "SELECT p.theme, s.parent AS node, s.child AS part, p.dsc AS unit,\n"
            " greatest(p.from_m, s.stay_from) AS from_m, least(p.to_m, s.stay_to) AS to_m, p.owes OR p.depth = 0 AS owes\n"
            "FROM population p JOIN stays s ON s.child = p.anc AND p.from_m < s.stay_to AND s.stay_from < p.to_m\n"
            f"WHERE p.{known.format('p')}"
        )
    else:
        source = (
            "SELECT p.theme, p.anc AS node, p.dsc AS unit, p.from_m, p.to_m, p.owes OR p.depth = 0 AS owes FROM population p\n"
            f"WHERE p.{known.format('p')} AND {node_filter(plan, 'p.anc')}"
        )
    if dims:
        listed = "".join(f", o.{quoted(d)}" for d in sorted(dims))
        named = "".join(f", {quoted(d)}" for d in sorted(dims))
        kept = f" WHERE {where.units}" if where and where.units else ""
        part = ", t.part" if plan.shape.stays else ""
        source = (
            f"SELECT theme, node{part.replace('t.', '')}, unit, from_m, to_m, owes{named} FROM (SELECT t.theme, t.node{part}, t.unit, t.owes, greatest(t.from_m, o.from_m) AS from_m, "
            f"least(t.to_m, o.to_m) AS to_m{listed}\nFROM ({source}) t JOIN d_org_unit o ON o.code = t.unit "
            f"AND o.from_m < t.to_m AND t.from_m < o.to_m AND o.{known.format('o')}){kept}"
        )
    return plan.with_cte("places", "the units that count below each node, and in which months", source)


def unit_part(plan: Plan) -> str:
    """Return the key column of cells that comes from the places."""
    if plan.shape.stays:
        return ", p.part"
    return f", p.{quoted(str(plan.shape.dim))} AS part" if plan.shape.dim in UNIT_DIMS else ""


def _unit_part_column(plan: Plan) -> str | None:
    """Return the column of the places that becomes the part of a cell."""
    if plan.shape.stays:
        return "part"
    return plan.shape.dim if plan.shape.dim in UNIT_DIMS else None


def _row_split(plan: Plan) -> bool:
    """Tell whether cells are split by a dimension of the rows, which reports and duties do not have."""
    return plan.shape.dim is not None and plan.shape.dim not in UNIT_DIMS


def _leaf_rows(plan: Plan, table: str, atoms: tuple[str, ...], on: str, within: str) -> str:
    where = plan.shape.where
    fine = _row_split(plan) or bool(where and where.row_dims)
    part = f", u.{quoted(str(plan.shape.dim))} AS part" if _row_split(plan) else unit_part(plan)
    part += ", p.unit" if plan.shape.panel else ""
    sums = "".join(f", sum(u.{quoted(a)}) AS {quoted(f'{a}@{table}')}" for a in atoms)
    kept = f" AND ({where.rows})" if where and where.row_dims else ""
    return (
        f"SELECT p.node{part}, u.month_no{sums} FROM places p JOIN {quoted(('leaf_' if fine else 'unit_') + table)} u "
        f"ON {on} WHERE p.theme = {literal(plan.layout.themes[table])} AND {within}{kept} GROUP BY ALL"
    )


def _split_cells(plan: Plan, base: list[str], rows: list[str]) -> Plan:
    """Split figures by a dimension of the rows; every part of a node carries the node's reports and duties."""
    plan = plan.with_cte("reports", "reports and duties of each node", "\nUNION ALL BY NAME\n".join(base))
    plan = plan.with_cte("split", "figures of each part of each node", "\nUNION ALL BY NAME\n".join(rows))
    unit = ", unit" if plan.shape.panel else ""
    plan = plan.with_cte("parts", "every part a node ever had", f"SELECT DISTINCT node, part{unit} FROM split")
    own = " AND r.unit = p.unit" if plan.shape.panel else ""
    owed = [f"got_{s}" for s in sources(plan)] + [f"due_{t}" for t in themes(plan)]
    wide = [f"{a}@{t}" for t, atoms in tables(plan).items() for a in atoms]
    plan = plan.with_cte(
        "changes",
        "each part in every month of its node",
        f"SELECT p.node, p.part{', p.unit' if unit else ''}, r.month_no{''.join(', r.' + quoted(c) for c in owed)} "
        f"FROM parts p JOIN reports r ON r.node = p.node{own}\n"
        f"UNION ALL BY NAME\nSELECT node, part{unit}, month_no{''.join(', ' + quoted(c) for c in wide)} FROM split",
    )
    return _fold(plan)
