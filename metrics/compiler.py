"""From a question to one SQL statement, in visible steps. Fixed order of CTEs; every value is a parameter.

    stays      who is asked: children in the months they hung under their parent
    cells      figures per node and month as they were known: from node_now, node deltas or leaf deltas × the tree
    operands   what the formulas read, per node and window; earlier windows beside them
    answers    DOUBLE formulas with nullif, exact sums as DECIMAL

A month belongs to the windows `$member` lists for it, so that one mechanism serves every grain without a range join.
Where every window is one month the cells are the operands; where there is one window nothing is listed. These are the
shapes a person would write by hand, and they cost the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from metrics.filters import Filter
from metrics.formula import MONTHS, Formula, Operand, side_sql, value_sql
from metrics.tables import literal, quoted

_PARAMETER = re.compile(r"\$(\w+)")
Reading = Literal["now", "then", "leaf"]
"""now: the current node cube · then: node changes up to a batch · leaf: unit changes joined to the tree."""

Windows = Literal["months", "one", "many"]
"""months: every window is one month · one: a single longer window · many: longer windows, which may overlap."""


@dataclass(frozen=True)
class Laid:
    """An atom as it lies in the cubes of one generation."""

    name: str
    digits: int
    tables: tuple[str, ...]
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Layout:
    """The cubes of one generation: their atoms, the theme of each table, and the months laid out."""

    atoms: Mapping[str, Laid]
    themes: Mapping[str, str]
    first: int
    end: int
    key: str = ""
    """Equal for layouts that give the same text."""


@dataclass(frozen=True, order=True)
class Report:
    """The reports an operand needs: of one source, counted over the window or in its last month, now or earlier."""

    source: str
    theme: str
    how: Literal["sum", "last"]
    shift: int = 0

    def column(self, what: str) -> str:
        """Column of `due` or `got` in generated SQL."""
        name = f"due_{self.theme}" if what == "due" else f"{what}_{self.source}"
        return f"{name}{'_last' if self.how == 'last' else ''}{f'_{self.shift}' if self.shift else ''}"


@dataclass(frozen=True)
class Ask:
    """One indicator as it is compiled."""

    id: str
    formula: Formula
    scale: int


@dataclass(frozen=True)
class Shape:
    """Everything that decides the text of the statement; equal shapes share one text."""

    asks: tuple[Ask, ...]
    reading: Reading
    windows: Windows
    one_node: bool
    dim: str | None = None
    """A dimension to split by; children are asked through `stays`."""
    stays: bool = False
    as_of: bool = False
    where: Filter | None = None


@dataclass(frozen=True)
class Cte:
    """One named step of the statement with the sentence that explains it."""

    name: str
    why: str
    sql: str


@dataclass(frozen=True)
class Plan:
    """The statement while it grows."""

    shape: Shape
    layout: Layout
    ctes: tuple[Cte, ...] = ()
    cells: str = "cells"
    columns: tuple[str, ...] = ()
    final: str = ""

    def with_cte(self, name: str, why: str, sql: str) -> Plan:
        """Return the plan with one more step."""
        return replace(self, ctes=(*self.ctes, Cte(name, why, sql)))

    @property
    def keys(self) -> tuple[str, ...]:
        """Columns that name a row of cells beside the month."""
        return ("node", "part") if self.shape.dim or self.shape.stays else ("node",)

    @property
    def operands(self) -> tuple[Operand, ...]:
        """Every operand of every formula."""
        return tuple(sorted({o for ask in self.shape.asks for o in ask.formula.operands if o.atom != MONTHS}))

    @property
    def shifts(self) -> tuple[int, ...]:
        """How many months back operands reach; 0 first."""
        return tuple(sorted({0, *(o.shift for o in self.operands)}))

    @property
    def reports(self) -> tuple[Report, ...]:
        """Every report count the statuses need."""
        return tuple(sorted({r for o in self.operands for r in reports_of(o, self.layout)}))


@dataclass(frozen=True)
class Compiled:
    """A finished statement: its text, the columns it gives and the parameters it takes."""

    sql: str
    columns: tuple[str, ...]
    parameters: frozenset[str]
    place: Mapping[str, int] = field(default_factory=dict)


def compile_shape(shape: Shape, layout: Layout) -> Compiled:
    """Run every step and write the statement."""
    plan = Plan(shape, layout)
    for step in STEPS:
        plan = step(plan)
    return write(plan)


def write(plan: Plan) -> Compiled:
    """Return the text: CTEs in order, a comment above each."""
    steps = ",\n".join(f"-- {cte.why}\n{quoted(cte.name)} AS (\n{cte.sql.strip()}\n)" for cte in plan.ctes)
    text = (f"WITH\n{steps}\n" if steps else "") + plan.final
    place = {name: i for i, name in enumerate(plan.columns)}
    return Compiled(text, plan.columns, frozenset(_PARAMETER.findall(text)), place)


def reports_of(operand: Operand, layout: Layout) -> tuple[Report, ...]:
    """Return the reports an operand needs; a last value needs only the last month's."""
    laid = layout.atoms.get(operand.atom)
    if laid is None:
        return ()
    how: Literal["sum", "last"] = "last" if operand.how == "last" else "sum"
    return tuple(Report(s, layout.themes[s], how, operand.shift) for s in laid.sources)


# --- step 1: who is asked -----------------------------------------------------------------------------------


def ask_stays(plan: Plan) -> Plan:
    """Lay out which child hung under which parent in which months."""
    if not plan.shape.stays:
        return plan
    sql = (
        "SELECT unnest($parents) AS parent, unnest($children) AS child, "
        "unnest($stay_from) AS stay_from, unnest($stay_to) AS stay_to"
    )
    why = "children while they hung under their parent; the parent's own figures as one more"
    return plan.with_cte("stays", why, sql)


# --- step 2: figures per node and month, as they were known -------------------------------------------------------------


def read_cells(plan: Plan) -> Plan:
    """Choose the cube that answers, or build its cells as known at a batch."""
    return {"now": _cells_now, "then": _cells_then, "leaf": _cells_leaf}[plan.shape.reading](plan)


def _cells_now(plan: Plan) -> Plan:
    if not plan.shape.stays:
        return replace(plan, cells="node_now")
    columns = "".join(f", n.{quoted(c)}" for c in _cell_columns(plan))
    return plan.with_cte(
        "cells",
        "current figures of each child in the months it belonged to its parent",
        f"SELECT s.parent AS node, s.child AS part, n.month_no{columns}\nFROM stays s JOIN node_now n ON n.node = s.child "
        "AND n.month_no >= s.stay_from AND n.month_no < s.stay_to\nWHERE n.month_no >= $lo AND n.month_no < $hi",
    )


def _cells_then(plan: Plan) -> Plan:
    """Sum the node changes of every table the formulas read."""
    keys, joined = _node_source(plan)
    within = "d.month_no >= $lo AND d.month_no < $hi AND d.batch_seq <= $seq"
    reads = []
    for table, atoms in _tables(plan).items():
        sums = "".join(f", sum(d.{quoted(atom)}) AS {quoted(f'{atom}@{table}')}" for atom in atoms)
        if table in _sources(plan):
            sums += f", sum(d.got) AS {quoted('got_' + table)}"
        reads.append(
            f"SELECT {keys}, d.month_no{sums} FROM {quoted('node_' + table)} d {joined} AND {within} GROUP BY ALL"
        )
    due = "".join(f", sum(d.{quoted('due_' + theme)}) AS {quoted('due_' + theme)}" for theme in _themes(plan))
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
    return "d.node", f"WHERE {_node_filter(plan, 'd.node')}"


def _node_filter(plan: Plan, column: str) -> str:
    return f"{column} = $nodes" if plan.shape.one_node else f"{column} IN (SELECT unnest($nodes))"


def _fold(plan: Plan, keys: tuple[str, ...] | None = None) -> Plan:
    """Bring the parts of one cell together: NULL where nothing was reported."""
    keys = keys or plan.keys
    listed = ", ".join(keys)
    wide = [f"{a}@{t}" for t, atoms in _tables(plan).items() for a in atoms]
    wide += [f"got_{s}" for s in _sources(plan)] + [f"due_{t}" for t in _themes(plan)]
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
    figures += [f"coalesce({quoted('got_' + s)}, 0) AS {quoted('got_' + s)}" for s in _sources(plan)]
    figures += [f"coalesce({quoted('due_' + t)}, 0) AS {quoted('due_' + t)}" for t in _themes(plan)]
    return figures


def _cells_leaf(plan: Plan) -> Plan:
    """Join unit changes to the tree: for another day's tree, a split by a dimension, or a filter."""
    plan = _places(plan)
    part = _unit_part(plan)
    keyed = f"p.node{part}, u.month_no"
    on = "u.unit = p.unit AND u.month_no >= p.from_m AND u.month_no < p.to_m"
    within = "u.month_no >= $lo AND u.month_no < $hi AND u.batch_seq <= $seq"
    base = [
        f"SELECT {keyed}, sum(u.got) AS {quoted('got_' + s)} FROM places p JOIN {quoted('unit_' + s)} u ON {on} "
        f"WHERE p.theme = {literal(plan.layout.themes[s])} AND {within} GROUP BY ALL"
        for s in _sources(plan)
    ]
    months = "unnest(range(greatest(from_m, $lo)::BIGINT, least(to_m, $hi)::BIGINT))::INTEGER AS month_no"
    for theme in _themes(plan):
        base.append(
            f"SELECT u.node{part.replace('p.', 'u.')}, u.month_no, count(*) AS {quoted('due_' + theme)} "
            f"FROM (SELECT *, {months} FROM places WHERE theme = {literal(theme)}) u GROUP BY ALL"
        )
    rows = [_leaf_rows(plan, table, atoms, on, within) for table, atoms in _tables(plan).items() if atoms]
    if _row_split(plan):
        return _split_cells(plan, base, rows)
    plan = plan.with_cte("changes", "reports, duties and figures of the units below each node",
                         "\nUNION ALL BY NAME\n".join([*base, *rows]))  # fmt: skip
    return _fold(plan)


def _places(plan: Plan) -> Plan:
    """Who counts below each node in which months: as the tree was, or as it stood on another day."""
    where = plan.shape.where
    dims = set(where.unit_dims if where else ())
    if plan.shape.dim in _UNIT_DIMS:
        dims.add(str(plan.shape.dim))
    known = "rec_from <= $seq AND $seq < {0}.rec_to"
    if plan.shape.as_of:
        source = (
            "SELECT p.theme, k.anc AS node, p.dsc AS unit, p.from_m, p.to_m\n"
            "FROM population p JOIN closure_ext k ON k.dsc = p.dsc AND $tree_month >= k.from_m AND $tree_month < k.to_m\n"
            f" AND k.{known.format('k')}\nWHERE p.depth = 0 AND p.anc = p.dsc AND p.{known.format('p')}\n"
            f" AND {_node_filter(plan, 'k.anc')}\n"
            "UNION ALL\nSELECT p.theme, p.anc, p.dsc, p.from_m, p.to_m FROM population p\n"
            f"WHERE p.depth = 0 AND p.anc <> p.dsc AND p.{known.format('p')} AND {_node_filter(plan, 'p.anc')}"
        )
    elif plan.shape.stays:
        source = (
            "SELECT p.theme, s.parent AS node, s.child AS part, p.dsc AS unit,\n"
            " greatest(p.from_m, s.stay_from) AS from_m, least(p.to_m, s.stay_to) AS to_m\n"
            "FROM population p JOIN stays s ON s.child = p.anc AND p.from_m < s.stay_to AND s.stay_from < p.to_m\n"
            f"WHERE p.{known.format('p')}"
        )
    else:
        source = (
            "SELECT p.theme, p.anc AS node, p.dsc AS unit, p.from_m, p.to_m FROM population p\n"
            f"WHERE p.{known.format('p')} AND {_node_filter(plan, 'p.anc')}"
        )
    if dims:
        listed = "".join(f", o.{quoted(d)}" for d in sorted(dims))
        kept = f" WHERE {where.units}" if where and where.units else ""
        part = ", t.part" if plan.shape.stays else ""
        source = (
            f"SELECT * FROM (SELECT t.theme, t.node{part}, t.unit, greatest(t.from_m, o.from_m) AS from_m, "
            f"least(t.to_m, o.to_m) AS to_m{listed}\nFROM ({source}) t JOIN d_org_unit o ON o.code = t.unit "
            f"AND o.from_m < t.to_m AND t.from_m < o.to_m AND o.{known.format('o')}){kept}"
        )
    return plan.with_cte("places", "the units that count below each node, and in which months", source)


_UNIT_DIMS = ("level", "kind", "climate")


def _unit_part(plan: Plan) -> str:
    """Return the key column of cells that comes from the places."""
    if plan.shape.stays:
        return ", p.part"
    return f", p.{quoted(str(plan.shape.dim))} AS part" if plan.shape.dim in _UNIT_DIMS else ""


def _row_split(plan: Plan) -> bool:
    """Tell whether cells are split by a dimension of the rows, which reports and duties do not have."""
    return plan.shape.dim is not None and plan.shape.dim not in _UNIT_DIMS


def _leaf_rows(plan: Plan, table: str, atoms: tuple[str, ...], on: str, within: str) -> str:
    where = plan.shape.where
    fine = _row_split(plan) or bool(where and where.row_dims)
    part = f", u.{quoted(str(plan.shape.dim))} AS part" if _row_split(plan) else _unit_part(plan)
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
    plan = plan.with_cte("parts", "every part a node ever had", "SELECT DISTINCT node, part FROM split")
    owed = [f"got_{s}" for s in _sources(plan)] + [f"due_{t}" for t in _themes(plan)]
    wide = [f"{a}@{t}" for t, atoms in _tables(plan).items() for a in atoms]
    plan = plan.with_cte(
        "changes",
        "each part in every month of its node",
        f"SELECT p.node, p.part, r.month_no{''.join(', r.' + quoted(c) for c in owed)} "
        "FROM parts p JOIN reports r ON r.node = p.node\n"
        f"UNION ALL BY NAME\nSELECT node, part, month_no{''.join(', ' + quoted(c) for c in wide)} FROM split",
    )
    return _fold(plan)


# --- step 3: operands per node and window -----------------------------------------------------------------------------


def sum_operands(plan: Plan) -> Plan:
    """Sum the cells of each window; an earlier window is read beside the asked one."""
    if plan.shape.windows == "months":
        return plan
    for shift in plan.shifts:
        plan = _operands(plan, shift)
    return plan


def _operands(plan: Plan, shift: int) -> Plan:
    columns = [*_operand_columns(plan, shift), *_report_columns(plan, shift)]
    listed = "".join(f", {text} AS {quoted(name)}" for name, text in columns)
    group = _group(plan)
    grouped = f"\nGROUP BY {', '.join(group)}" if group else ""
    return plan.with_cte(
        _operand_table(shift),
        f"operands of each window, {shift} months earlier" if shift else "operands of each window",
        f"SELECT {_operand_keys(plan)}{listed}\nFROM {_windowed(plan, shift)}{grouped}",
    )


def _group(plan: Plan) -> list[str]:
    """Return what distinguishes rows of operands; one node and one window need no grouping."""
    keys = [f"c.{quoted(k)}" for k in plan.keys if k != "node" or not plan.shape.one_node]
    return [*keys, *(["c.w"] if plan.shape.windows == "many" else [])]


def _operand_keys(plan: Plan) -> str:
    keys = ["$nodes AS node" if k == "node" and plan.shape.one_node else f"c.{quoted(k)}" for k in plan.keys]
    return ", ".join([*keys, "c.w" if plan.shape.windows == "many" else "0 AS w"])


def _windowed(plan: Plan, shift: int) -> str:
    """Return the cells of the asked windows, each cell once for every window it belongs to."""
    back = f" - {shift}" if shift else ""
    within = f"c.month_no >= $first{back} AND c.month_no < $last{back}"
    if plan.cells != "cells":
        within = f"{_node_filter(plan, 'c.node')} AND {within}"
    if plan.shape.windows == "one":
        return f"{plan.cells} c\nWHERE {within}"
    columns = [*plan.keys, "month_no", *_cell_columns(plan)]
    listed = ", ".join(f"c.{quoted(column)}" for column in columns)
    index = f"c.month_no{f' + {shift}' if shift else ''} - $first + 1"
    return f"(\n  SELECT {listed}, unnest($member[{index}]) AS w\n  FROM {plan.cells} c\n  WHERE {within}\n) c"


def _last_month(plan: Plan, shift: int) -> str:
    """Return the condition that a cell is the last elapsed month of its window."""
    end = "$last" if plan.shape.windows == "one" else "$ends[c.w + 1]"
    return f"c.month_no = {end} - {1 + shift}"


def _months(plan: Plan) -> str:
    return "($last - $first)" if plan.shape.windows == "one" else "$months[c.w + 1]"


def _operand_table(shift: int) -> str:
    return f"operands_{shift}" if shift else "operands"


def _operand_columns(plan: Plan, shift: int) -> list[tuple[str, str]]:
    found = []
    for operand in plan.operands:
        if operand.shift != shift:
            continue
        column = f"c.{quoted(operand.atom)}"
        text = {
            "sum": f"sum({column})",
            "last": f"sum(CASE WHEN {_last_month(plan, shift)} THEN {column} END)",
            "avg": f"CAST(sum({column}) AS DOUBLE) / {_months(plan)}",
        }[operand.how]
        found.append((operand.name, text))
    if shift == 0 and _uses_months(plan):
        found.append((MONTHS, _months(plan)))
    return found


def _uses_months(plan: Plan) -> bool:
    return any(o.atom == MONTHS for ask in plan.shape.asks for o in ask.formula.operands)


def _report_columns(plan: Plan, shift: int) -> list[tuple[str, str]]:
    found: dict[str, str] = {}
    for report in plan.reports:
        if report.shift != shift:
            continue
        month = _last_month(plan, shift)
        for what, column in (("due", f"due_{report.theme}"), ("got", f"got_{report.source}")):
            value = f"c.{quoted(column)}"
            text = f"sum(CASE WHEN {month} THEN {value} END)" if report.how == "last" else f"sum({value})"
            found[report.column(what)] = text
        if report.how == "sum" and _averages(plan, report):
            found[report.column("months")] = f"sum(CASE WHEN c.{quoted('got_' + report.source)} > 0 THEN 1 END)"
    return list(found.items())


def _averages(plan: Plan, report: Report) -> bool:
    """Tell whether an average reads this source, so that its months must be counted."""
    return any(
        o.how == "avg" and o.shift == report.shift and report.source in plan.layout.atoms[o.atom].sources
        for o in plan.operands
    )


# --- step 4: formulas ---------------------------------------------------------------------------------------------------


def take_formulas(plan: Plan) -> Plan:
    """Write the formulas over the operands, and beside them what was due and what came."""
    keys = [f"{_alias(0)}.{quoted(k)}" for k in plan.keys]
    window = f"{_alias(0)}.month_no - $first AS w" if plan.shape.windows == "months" else f"{_alias(0)}.w"
    columns: list[tuple[str, str]] = [(name, f"{_reported(plan, name, shift)}") for name, shift in _report_names(plan)]
    name = _operand_reader(plan)
    digits = {a: laid.digits for a, laid in plan.layout.atoms.items()}
    for ask in plan.shape.asks:
        formula = ask.formula
        columns.append((f"{ask.id}.value", value_sql(formula, ask.scale, name, digits)))
        if formula.denominator is not None or ask.scale != 0:
            columns.append((f"{ask.id}.numerator", side_sql(formula.numerator, name)))
        if formula.denominator is not None:
            columns.append((f"{ask.id}.denominator", side_sql(formula.denominator, name)))
        if formula.current is not None:
            columns.append((f"{ask.id}.current", side_sql(formula.current, name)))
    listed = ",\n  ".join([", ".join([*keys, window]), *(f"{text} AS {quoted(n)}" for n, text in columns)])
    final = f"SELECT\n  {listed}\nFROM {_sources_of_answers(plan)}"
    return replace(plan, columns=(*plan.keys, "w", *(n for n, _ in columns)), final=final)


def _alias(shift: int) -> str:
    return f"o{shift}"


def _report_names(plan: Plan) -> list[tuple[str, int]]:
    found: dict[str, int] = {}
    for report in plan.reports:
        found[report.column("due")] = report.shift
        found[report.column("got")] = report.shift
        if report.how == "sum" and plan.shape.windows != "months" and _averages(plan, report):
            found[report.column("months")] = report.shift
    return list(found.items())


def _reported(plan: Plan, name: str, shift: int) -> str:
    """Return where a report count is read: for single months every kind of count is the month's own."""
    if plan.shape.windows != "months":
        return f"{_alias(shift)}.{quoted(name)}"
    base = name.removesuffix(f"_{shift}") if shift else name
    return f"{_alias(shift)}.{quoted(base.removesuffix('_last'))}"


def _operand_reader(plan: Plan) -> Callable[[Operand], str]:
    def read(operand: Operand) -> str:
        if operand.atom == MONTHS:
            return "1" if plan.shape.windows == "months" else f"{_alias(0)}.{quoted(MONTHS)}"
        if plan.shape.windows != "months":
            return f"{_alias(operand.shift)}.{quoted(operand.name)}"
        column = f"{_alias(operand.shift)}.{quoted(operand.atom)}"
        return f"CAST({column} AS DOUBLE)" if operand.how == "avg" else column

    return read


def _sources_of_answers(plan: Plan) -> str:
    single = plan.shape.windows == "months"
    base = plan.cells if single else _operand_table(0)
    text = f"{base} {_alias(0)}"
    for shift in plan.shifts[1:]:
        other, time = (plan.cells, f"{_alias(shift)}.month_no = {_alias(0)}.month_no - {shift}") if single else (
            _operand_table(shift), f"{_alias(shift)}.w = {_alias(0)}.w")  # fmt: skip
        same = " AND ".join(f"{_alias(shift)}.{quoted(k)} IS NOT DISTINCT FROM {_alias(0)}.{quoted(k)}" if k == "part"
                            else f"{_alias(shift)}.{quoted(k)} = {_alias(0)}.{quoted(k)}" for k in plan.keys)  # fmt: skip
        text += f"\nLEFT JOIN {other} {_alias(shift)} ON {same} AND {time}"
    if not single:
        return text
    months = f"{_alias(0)}.month_no >= $first AND {_alias(0)}.month_no < $last"
    nodes = "" if plan.cells == "cells" else f"{_node_filter(plan, _alias(0) + '.node')} AND "
    return f"{text}\nWHERE {nodes}{months}"


# --- what the formulas touch --------------------------------------------------------------------------------------------


def _tables(plan: Plan) -> dict[str, tuple[str, ...]]:
    """Return node table → atoms read from it, with the sources whose reports are counted."""
    found: dict[str, list[str]] = {source: [] for source in _sources(plan)}
    for name in sorted({o.atom for o in plan.operands}):
        for table in plan.layout.atoms[name].tables:
            found.setdefault(table, []).append(name)
    return {table: tuple(atoms) for table, atoms in found.items()}


def _sources(plan: Plan) -> tuple[str, ...]:
    return tuple(dict.fromkeys(report.source for report in plan.reports))


def _themes(plan: Plan) -> tuple[str, ...]:
    return tuple(dict.fromkeys(report.theme for report in plan.reports))


def _cell_columns(plan: Plan) -> tuple[str, ...]:
    return (
        *sorted({o.atom for o in plan.operands}),
        *(f"got_{s}" for s in _sources(plan)),
        *(f"due_{t}" for t in _themes(plan)),
    )


STEPS: tuple[Callable[[Plan], Plan], ...] = (ask_stays, read_cells, sum_operands, take_formulas)
