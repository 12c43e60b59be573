"""Drill: the rows of the files behind one figure, whose contributions add up to it to the last digit.

Rows are read as known at the asked batch, laid out by month (a standing row counts once per month), joined to the
reference rows of that month, and folded back to one line per row. A leaf formula is not a sum of rows but of cells:
where the formula returns one operand as it is, that operand's rows carry it; otherwise the cell itself is the line
and the rows of its operands follow as explanation, without a contribution.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Literal

from sqlglot import exp

from metrics import expressions as ex
from metrics.define_source import row_columns
from metrics.evaluate import evaluate
from metrics.facts import Needs, joins, needs, row_value
from metrics.formula import MONTHS, Formula, Operand, is_exact, parse_formula
from metrics.knowledge import Known, knowledge
from metrics.model import Answer, Atom, Catalogue, Lookup, Part, Query, Source
from metrics.question import Question, read_question
from metrics.tables import literal, quoted
from warehouse.base.errors import Forbidden, QueryError
from warehouse.base.periods import OPEN, Window, month_label
from warehouse.store import Generation

Side = Literal["numerator", "denominator"]
LISTED = 300


@dataclass(frozen=True)
class DrillRow:
    """One line behind a figure. `contribution` None: the row explains a cell but does not add by itself."""

    side: Side
    atom: str
    dataset: str
    unit: str
    unit_name: str
    period: str
    label: str
    file_name: str
    sheet: str
    row_no: int
    contribution: Decimal | None
    value: Decimal | None


@dataclass(frozen=True)
class DrillRows:
    """The lines behind one figure, largest first; totals cover all of them, also those not listed.

    `numerator` and `denominator` are the sums of contributions. An average divides its sum by the months of the
    window: `numerator_divisor`, `denominator_divisor`. A side that is no sum of rows has no total.
    """

    answer: Answer
    rows: tuple[DrillRow, ...]
    count: int
    numerator: Decimal | None
    denominator: Decimal | None
    numerator_divisor: int = 1
    denominator_divisor: int = 1


@dataclass(frozen=True)
class Read:
    """One operand of one side: its sign in the side's sum and the months it looks at."""

    side: Side
    operand: Operand
    sign: int
    from_m: int
    to_m: int


def rows(generation: Generation, catalogue: Catalogue, query: Query, *, limit: int | None = LISTED) -> DrillRows:
    """Return the lines behind the one figure a query asks for: one indicator, one node, one window."""
    known = knowledge(generation)
    question = read_question(generation, catalogue, query, known)
    if len(question.indicators) != 1 or len(query.nodes) != 1 or len(question.windows) != 1 or query.by is not None:
        raise QueryError(
            "Rows stand behind one indicator of one node in one period.", "ask without --by, for one period"
        )
    answer = evaluate(generation, catalogue, query)[0]
    if answer.status == "forbidden":
        raise Forbidden(f"{query.nodes[0]} or {answer.indicator} lies outside what {query.actor} may see.")
    if answer.status not in ("ok", "incomplete", "no_base", "no_denominator"):
        return DrillRows(answer, (), 0, None, None)
    window = question.elapsed_part(question.windows[0])
    return _collect(generation, catalogue, question, known, answer, window, limit)


def _collect(generation: Generation, catalogue: Catalogue, question: Question, known: Known, answer: Answer,
             window: Window, limit: int | None) -> DrillRows:  # fmt: skip
    formula = parse_formula(question.indicators[0].value)
    sides: dict[Side, exp.Expr | None] = {"numerator": formula.numerator, "denominator": formula.denominator}
    found: list[DrillRow] = []
    count, totals, divisors = 0, dict[Side, Decimal | None](), dict[Side, int]()
    for side, tree in sides.items():
        totals[side], divisors[side] = None, _divisor(tree, window)
        reads = _reads(side, tree, window)
        sums = [_read(generation, catalogue, question, known, read, limit) for read in reads]
        for listed, number, _ in sums:
            found += listed
            count += number
        if tree is not None and sums and _is_linear(tree):
            totals[side] = sum((total for _, _, total in sums), Decimal(0))
    found.sort(key=lambda row: (row.side == "denominator", -abs(row.contribution or Decimal(0))))
    kept = tuple(found if limit is None else found[:limit])
    return DrillRows(answer, kept, count, totals["numerator"], totals["denominator"], divisors["numerator"], divisors["denominator"])  # fmt: skip


def _is_linear(tree: exp.Expr) -> bool:
    return is_exact(tree) or isinstance(tree, exp.Placeholder)


def _divisor(tree: exp.Expr | None, window: Window) -> int:
    averaged = isinstance(tree, exp.Placeholder) and tree.meta["operand"].how == "avg"
    return max(window.months, 1) if averaged else 1


def _reads(side: Side, tree: exp.Expr | None, window: Window) -> list[Read]:
    """Return the operands of a side with their signs; in a product or quotient the sign has no meaning and is +."""
    found: list[Read] = []

    def walk(node: exp.Expr, sign: int) -> None:
        if isinstance(node, exp.Placeholder):
            operand: Operand = node.meta["operand"]
            if operand.atom != MONTHS:
                earlier = window.shifted(operand.shift)
                start = earlier.to_m - 1 if operand.how == "last" else earlier.from_m
                found.append(Read(side, operand, sign, start, earlier.to_m))
            return
        if isinstance(node, exp.Neg):
            walk(node.this, -sign)
            return
        for key in ("this", "expression"):
            if isinstance(node.args.get(key), exp.Expr):
                walk(node.args[key], -sign if key == "expression" and isinstance(node, exp.Sub) else sign)

    if tree is not None:
        walk(tree, 1)
    return found


def reads_of(formula: Formula, window: Window) -> list[Read]:
    """Return every operand of both sides with its sign and its months."""
    return [*_reads("numerator", formula.numerator, window), *_reads("denominator", formula.denominator, window)]


Found = tuple[list[DrillRow], int, Decimal]


def _read(generation: Generation, catalogue: Catalogue, question: Question, known: Known, read: Read, limit: int | None) -> Found:  # fmt: skip
    atom = catalogue.atoms[read.operand.atom]
    if atom.is_leaf or atom.is_distinct:
        return _cells(generation, catalogue, question, known, read, atom, limit)
    listed: list[DrillRow] = []
    count, total = 0, Decimal(0)
    for part in atom.parts:
        if part.of not in known.layout.themes:
            continue
        source = catalogue.sources[part.of]
        text = _rows_sql(part, source, catalogue, generation, question)
        params = _parameters(question, read)
        number, summed = _fetch_one(generation, f"SELECT count(*), sum(v) FROM ({text})", params)
        some = f"SELECT * FROM ({text}) ORDER BY abs(v) DESC, row_id" + (f" LIMIT {limit}" if limit is not None else "")
        for row in _fetch(generation, some, params):
            listed.append(_row(row, read, atom.name, source.of, known, question))
        count += int(number)
        total += _decimal(summed) * read.sign
    return listed, count, total


def _fetch(generation: Generation, text: str, params: Mapping[str, object]) -> list[tuple[Any, ...]]:
    used = {name: value for name, value in params.items() if f"${name}" in text}
    return generation.con.execute(text, used).fetchall()


def _fetch_one(generation: Generation, text: str, params: Mapping[str, object]) -> tuple[Any, ...]:
    return _fetch(generation, text, params)[0]


def _parameters(question: Question, read: Read) -> dict[str, object]:
    values: dict[str, object] = {
        "node": question.query.nodes[0], "seq": question.seq, "from": read.from_m, "to": read.to_m,
        "tree_month": question.tree_month,
    }  # fmt: skip
    return values | (question.where.parameters if question.where else {})


def _row(row: tuple[Any, ...], read: Read, atom: str, dataset: str, known: Known, question: Question, *,
         adds: bool = True) -> DrillRow:  # fmt: skip
    _, unit, first, last, file_name, sheet, row_no, label, value = row
    period = month_label(first) if first == last else f"{month_label(first)}..{month_label(last)}"
    figure = _decimal(value)
    return DrillRow(
        read.side, atom, dataset, unit, known.register.name(unit, last, question.seq), period, label or "",
        file_name or "", sheet or "", row_no or 0, figure * read.sign if adds else None, figure,
    )  # fmt: skip


def _decimal(value: object) -> Decimal:
    return Decimal(0) if value is None else value if isinstance(value, Decimal) else Decimal(str(value))


# --- rows of plain sums -----------------------------------------------------------------------------------------------


def _rows_sql(part: Part, source: Source, catalogue: Catalogue, generation: Generation, question: Question) -> str:
    """Return one line per source row: row_id, unit, first and last month, place in the file, label, v."""
    months = _months_sql(part, source, catalogue, generation, question, ())
    return f"""
    SELECT row_id, unit, min(month_no) AS first, max(month_no) AS last, any_value(file_name) AS file_name,
           any_value(sheet) AS sheet, any_value(row_no) AS row_no, any_value(label) AS label, sum(v) AS v
    FROM ({months}) GROUP BY row_id, unit HAVING sum(v) <> 0"""


def _months_sql(part: Part, source: Source, catalogue: Catalogue, generation: Generation, question: Question,
                by: tuple[str, ...]) -> str:  # fmt: skip
    """Return one line per source row and month, within the node and the window, with its value `v` and its cell."""
    contracts = generation.contracts
    want = needs(source, catalogue, contracts)
    known_columns = row_columns(source, contracts)
    value, condition = row_value(part, source, contracts)
    where = question.where
    kept = [condition] if condition else []
    if where is not None and where.row_dims:
        kept.append(where.rows)
    elif where is not None and where.units:
        kept.append(where.units)
    cells = "".join(f", {quoted(known_columns[name])} AS {quoted(name)}" for name in by)
    label = _label(source, generation)
    text = f"({_known_rows(source)})"
    text = f"""
    SELECT r.*, unnest(range(greatest(r.from_m, t.from_m, $from)::BIGINT, least(r.to_m, t.to_m, $to)::BIGINT))::INTEGER AS month_no
    FROM {text} r JOIN ({_tree_sql(source.theme, question)}) t ON t.unit = r.unit AND t.from_m < r.to_m AND r.from_m < t.to_m
    WHERE r.from_m < $to AND r.to_m > $from"""
    for lookup, columns in _wanted_joins(source, want, question):
        text = _looked(text, lookup, columns)
    filtered = f" WHERE {' AND '.join(f'({k})' for k in kept)}" if kept else ""
    return f"SELECT row_id, unit, month_no, file_name, sheet, row_no, {label} AS label, {value} AS v{cells} FROM ({text}){filtered}"


def _known_rows(source: Source) -> str:
    """Return the dataset as known at the asked batch, with the latest versions only where the source says so."""
    table = quoted("d_" + source.of)
    text = f"SELECT * FROM {table} WHERE rec_from <= $seq AND $seq < rec_to"
    if source.latest is None:
        return text
    keys = ", ".join(quoted(name) for name in source.latest.within)
    order = f"{quoted(source.latest.by)} DESC NULLS LAST, row_id DESC"
    return f"{text} QUALIFY row_number() OVER (PARTITION BY {keys} ORDER BY {order}) = 1"


def _tree_sql(theme: str, question: Question) -> str:
    at = "rec_from <= $seq AND $seq < {0}.rec_to"
    if question.tree_month is None:
        return (
            f"SELECT p.dsc AS unit, p.from_m, p.to_m FROM population p "
            f"WHERE p.theme = {literal(theme)} AND p.anc = $node AND p.{at.format('p')}"
        )
    return (
        f"SELECT p.dsc AS unit, p.from_m, p.to_m FROM population p JOIN closure_ext k ON k.dsc = p.dsc AND k.anc = $node "
        f"AND $tree_month >= k.from_m AND $tree_month < k.to_m AND k.{at.format('k')} "
        f"WHERE p.theme = {literal(theme)} AND p.depth = 0 AND p.anc = p.dsc AND p.{at.format('p')}"
    )


def _wanted_joins(source: Source, want: Needs, question: Question) -> list[tuple[Lookup, tuple[str, ...]]]:
    found = joins(source, want)
    attributes = question.where.unit_dims if question.where else ()
    if attributes and not any(lookup.table == "org" for lookup, _ in found):
        found.insert(0, (Lookup("org", {"code": "unit"}), ()))
    if attributes:
        found = [(k, (*c, *(f"{a}!" for a in attributes)) if k.table == "org" else c) for k, c in found]
    return found


def _looked(text: str, lookup: Lookup, columns: Iterable[str]) -> str:
    """Join the reference row of each row's month, as known at the asked batch; of two, the later-starting one."""
    table = "d_org_unit" if lookup.table == "org" else f"d_{lookup.table}"
    given = "".join(
        f", l.{quoted(c[:-1])} AS {quoted(c[:-1])}" if c.endswith("!") else f", l.{quoted(c)} AS {quoted(f'{lookup.table}__{c}')}"
        for c in columns
    )  # fmt: skip
    keys = ", ".join(quoted(name) for name in lookup.on)
    settled = (
        f"SELECT * REPLACE (least(to_m, lead(from_m, 1, {OPEN}) OVER (PARTITION BY {keys} ORDER BY from_m, row_id)) AS to_m) "
        f"FROM {table} WHERE rec_from <= $seq AND $seq < rec_to"
    )
    on = " AND ".join(f"l.{quoted(left)} = r.{quoted(right)}" for left, right in lookup.on.items())
    kind = "JOIN" if lookup.required else "LEFT JOIN"
    return f"""
    SELECT r.*{given} FROM ({text}) r {kind} ({settled}) l
      ON {on} AND r.month_no >= l.from_m AND r.month_no < l.to_m"""


def _label(source: Source, generation: Generation) -> str:
    """Return the words that tell rows of a dataset apart: its keys and names, without the unit and the month."""
    contract = generation.contracts[source.of]
    skipped = {contract.org_column, contract.time_column, "line", "version"}
    names = [c.name for c in contract.columns if (c.is_key or c.name in _NAMING) and c.name not in skipped]
    parts = ", ".join(f"nullif(CAST({quoted(name)} AS VARCHAR), '')" for name in names)
    return f"concat_ws(' · ', {parts})" if parts else "''"


_NAMING = ("item_name", "name", "summary", "purpose", "model", "room_kind", "kind", "carrier", "contract_no")


# --- cells of leaf formulas -------------------------------------------------------------------------------------------


def _cells(generation: Generation, catalogue: Catalogue, question: Question, known: Known, read: Read, atom: Atom,
           limit: int | None) -> Found:  # fmt: skip
    """Return the lines of a leaf atom: rows of the operand that is the cell's result, else the cell itself."""
    params = _parameters(question, read)
    operands = [(name, catalogue.atoms[name].parts) for name in atom.operands] or [(atom.name, atom.parts)]
    text = _cell_lines(generation, catalogue, question, atom, operands)
    number, total = _fetch_one(generation, f"SELECT count(*) FILTER (adds), sum(v) FILTER (adds) FROM ({text})", params)
    kept = f" LIMIT {limit}" if limit is not None else ""
    order = "adds DESC, abs(v) DESC, unit, cell, row_id"
    listed = []
    for row in _fetch(generation, f"SELECT * FROM ({text}) ORDER BY {order}{kept}", params):
        *line, dataset, _, adds = row
        listed.append(_row(tuple(line), read, atom.name, dataset, known, question, adds=bool(adds)))
    return listed, int(number), _decimal(total) * read.sign


def _cell_lines(generation: Generation, catalogue: Catalogue, question: Question, atom: Atom,
                operands: list[tuple[str, tuple[Part, ...]]]) -> str:  # fmt: skip
    by = [quoted(name) for name in atom.by]
    cell = f"concat_ws(' · ', {', '.join(f'CAST({b} AS VARCHAR)' for b in by)})" if by else "''"
    listed = "".join(f", {b}" for b in by)
    same = " AND ".join(
        ["c.unit = o.unit", "c.month_no = o.month_no", *(f"c.{b} IS NOT DISTINCT FROM o.{b}" for b in by)]
    )
    where = f" AND ({question.where.rows})" if question.where and question.where.row_dims else ""
    reads = " UNION ALL BY NAME ".join(
        f"SELECT {place} AS operand, {literal(catalogue.sources[part.of].of)} AS dataset, row_id, unit, month_no, file_name, "
        f"sheet, row_no, label, v{listed} FROM ({_months_sql(part, catalogue.sources[part.of], catalogue, generation, _unfiltered(question), atom.by)}) "
        f"WHERE v IS NOT NULL"
        for place, (_, parts) in enumerate(operands)
        for part in parts
    )
    chosen = ", ".join(str(place) for place, (name, _) in enumerate(operands) if name in _branches(atom)) or "NULL"
    return f"""
    WITH results AS (
        SELECT l.unit, l.month_no{"".join(f", l.{b}" for b in by)}, sum(l.{quoted(atom.name)}) AS r
        FROM {quoted("leaf_" + atom.name)} l JOIN ({_tree_sql(atom.theme, question)}) t
          ON t.unit = l.unit AND l.month_no >= t.from_m AND l.month_no < t.to_m
        WHERE l.batch_seq <= $seq AND l.month_no >= $from AND l.month_no < $to{where}
        GROUP BY ALL HAVING sum(l.{quoted(atom.name)}) <> 0
    ),
    cells AS (SELECT *, row_number() OVER () AS cell FROM results),
    reads AS ({reads}),
    inside AS (SELECT c.cell, c.r, o.* FROM cells c JOIN reads o ON {same}),
    -- the operand whose rows are the whole result of their cell
    carried AS (
        SELECT cell, min(operand) AS operand FROM (
            SELECT cell, operand, r FROM inside WHERE operand IN ({chosen}) GROUP BY cell, operand, r HAVING sum(v) = r
        ) GROUP BY cell
    ),
    lines AS (
        SELECT i.row_id, i.unit, i.month_no, i.file_name, i.sheet, i.row_no, i.label, i.v, i.dataset, i.cell,
               i.operand = k.operand AS adds
        FROM inside i LEFT JOIN carried k ON k.cell = i.cell WHERE k.operand IS NULL OR i.operand = k.operand
        UNION ALL
        SELECT NULL, c.unit, c.month_no, NULL, NULL, NULL, {cell}, c.r, {literal(atom.name)}, c.cell, true
        FROM cells c WHERE c.cell NOT IN (SELECT cell FROM carried)
    )
    SELECT row_id, unit, month_no AS first, month_no AS last, file_name, sheet, row_no, label, v, dataset, cell,
           coalesce(adds, false) AS adds FROM lines"""


def _branches(atom: Atom) -> frozenset[str]:
    """Return the operands a formula may return as they are: `case when … then x else 0 end` returns x."""
    tree = ex.read(atom.leaf or "0", ex.ROW)
    if not isinstance(tree, exp.Case):
        return frozenset()
    branches = [branch.args.get("true") for branch in tree.args["ifs"]] + [tree.args.get("default")]
    return frozenset(branch.name.lower() for branch in branches if isinstance(branch, exp.Column))


def _unfiltered(question: Question) -> Question:
    return replace(question, where=None)
