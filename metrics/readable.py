"""A definition as one SQL statement over the sources by their own names, for people who read how a figure comes about.

It says what is counted, where from, and what is divided by what; it is not what runs. The statement that runs reads the
cubes, whose figures are these: `cockpit query ID --format sql` prints it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlglot import exp

from metrics import expressions as ex
from metrics.formula import WHOLE, Formula, Operand, parse_formula
from metrics.model import Atom, Catalogue, Due, Indicator, Lookup, Part, Source
from warehouse.contracts import Contract

ORG = "org"
"""The attributes of the unit a row is of, as they were in its month."""
_OPENED = {"asked": "$first", "ytd": "$year_first", "r12": "$last - 11"}
_INDENT = "\n    "


def statement(indicator: Indicator, catalogue: Catalogue, contracts: Mapping[str, Contract]) -> str:
    """Return the statement of an indicator: one step per atom, one for the figures of the window, one division."""
    formula = parse_formula(indicator.value)
    steps: dict[str, str] = {}
    whole = {o.atom for o in formula.operands if o.over == WHOLE}
    for name in indicator.atoms:
        for by in _splits(indicator, formula, name):
            _atom_steps(catalogue.atoms[name], by, catalogue, contracts, steps)
    operands = [o for o in formula.operands if o.atom in catalogue.atoms]
    lengths = {o.name: f"${o.atom}" for o in formula.operands if o.atom not in catalogue.atoms}
    known = [
        *(
            _operand(o, catalogue.atoms[o.atom].theme, contracts, indicator.dims[0] if o.atom in whole else "")
            for o in operands
        ),
        *(f"{value} AS {name}" for name, value in lengths.items()),
    ]
    steps["figures"] = "-- of the node asked, in the months asked; a month is year * 12 + month - 1\nSELECT" + _list(
        known
    )
    sides = [_side(tree) for tree in (formula.numerator, formula.denominator) if tree is not None]
    value = sides[0] if len(sides) == 1 else f"{_bracketed(sides[0])} / NULLIF({sides[1]}, 0)"
    scaled = f"{_bracketed(value)} * 1e{indicator.scale}" if indicator.scale else value
    told = f"-- {indicator.unit}\nSELECT {scaled} AS {indicator.id}\nFROM figures"
    return "WITH" + ",".join(f"\n{_step(name, text)}" for name, text in steps.items()) + f"\n{told}"


def _step(name: str, text: str) -> str:
    comments = [line for line in text.split("\n") if line.startswith("--")]
    body = [line for line in text.split("\n") if not line.startswith("--")]
    return "\n".join([*comments, f"{name} AS (", *(f"    {line}" for line in body), ")"])


def _list(items: Iterable[str]) -> str:
    return _INDENT + f",{_INDENT}".join(items)


def _bracketed(text: str) -> str:
    return f"({text})" if " " in text else text


def _side(tree: exp.Expr) -> str:
    """Return a side of the formula over the names of its operands."""
    named = tree.copy().transform(lambda node: exp.column(node.name) if isinstance(node, exp.Placeholder) else node)
    return ex.sql(named)


def _splits(indicator: Indicator, formula: Formula, atom: str) -> list[tuple[str, ...]]:
    """Return by which dimensions the steps of an atom are split: of parts, of which one is asked or is the greatest."""
    read = [operand for operand in formula.operands if operand.atom == atom]
    if any(operand.over == WHOLE for operand in read):
        return [indicator.dims[:1]]
    return sorted({(operand.over,) if operand.over else () for operand in read})


def _operand(operand: Operand, theme: str, contracts: Mapping[str, Contract], dim: str) -> str:
    """Return the figure of an atom for a node: of the units below it that month that belong to the theme.

    `dim`: its steps are split by a dimension, of which one part is asked.
    """
    split = (operand.over,) if operand.is_top else (dim,) if dim else ()
    step = _step_name(operand.atom, split, contracts)
    span, _, before = operand.span.partition("_")
    back = f" - {operand.shift}" if operand.shift else ""
    node = "$parent" if operand.above else "$node"
    rows = f"FROM {step} JOIN below USING (unit, month) WHERE node = {node} AND theme = '{theme}'"
    if dim and operand.over != WHOLE:
        rows += f" AND {dim} = ${dim}"
    if before or span == "before":
        opened = _OPENED.get(span, "$first")
        return f"(SELECT COALESCE(SUM({operand.atom}), 0) {rows} AND month = {opened} - 1{back}) AS {operand.name}"
    if operand.how == "last":
        return f"(SELECT COALESCE(SUM({operand.atom}), 0) {rows} AND month = $last{back}) AS {operand.name}"
    window = f"month BETWEEN {_OPENED[span]}{back} AND $last{back}"
    if operand.is_top:
        parts = f"SELECT SUM({operand.atom}) AS part {rows} AND {window} AND {operand.over} IS NOT NULL GROUP BY {operand.over}"
        return f"(SELECT MAX(part) FROM ({parts})) AS {operand.name}"
    mean = " / $months" if operand.how == "avg" else ""
    return f"(SELECT COALESCE(SUM({operand.atom}), 0) {rows} AND {window}){mean} AS {operand.name}"


def _atom_steps(atom: Atom, by: Sequence[str], catalogue: Catalogue, contracts: Mapping[str, Contract],
                steps: dict[str, str]) -> str:  # fmt: skip
    """Add the step of an atom in cells of (unit, month, by…), after those it reads; return its name."""
    name = _step_name(atom.name, by, contracts)
    if name in steps:
        return name
    keys = ["unit", "month", *by]
    if atom.leaf is not None:
        steps[name] = _leaf(atom, keys, catalogue, contracts, steps)
    else:
        parts = [_part(atom, part, keys, catalogue.sources[part.of], contracts) for part in atom.parts]
        steps[name] = f"-- {atom.over_time}, {atom.unit}\n" + parts[0]
        if len(parts) > 1:
            inside = "\nUNION ALL\n".join(parts).replace("\n", _INDENT)
            steps[name] = (
                f"-- {atom.over_time}, {atom.unit}\nSELECT {', '.join(keys)}, SUM({atom.name}) AS {atom.name}\n"
                f"FROM ({_INDENT}{inside}\n)\nGROUP BY {', '.join(keys)}"
            )
    return name


def _step_name(atom: str, by: Sequence[str], datasets: Iterable[str]) -> str:
    """Return what the step of an atom is called; a step never hides a source of the same name."""
    return "_by_".join([f"{atom}_figures" if atom in datasets else atom, *by])


def _leaf(atom: Atom, keys: list[str], catalogue: Catalogue, contracts: Mapping[str, Contract],
          steps: dict[str, str]) -> str:  # fmt: skip
    """A formula taken per unit, month and class before anything is summed."""
    cells = list(dict.fromkeys(["unit", "month", *atom.by]))
    outer = list(dict.fromkeys([*keys, *cells]))
    extra = outer[2:]
    names = [_atom_steps(catalogue.atoms[o], extra, catalogue, contracts, steps) for o in atom.operands]
    read = {o: exp.func("COALESCE", exp.column(o), exp.Literal.number(v)) for o, v in atom.missing.items()}
    tree = ex.read(atom.leaf or "", ex.ROW)
    body = tree.transform(
        lambda node: read[node.name].copy() if isinstance(node, exp.Column) and node.name in read else node
    )
    joined = "".join(f"\n{'FULL ' if atom.missing else ''}JOIN {name} USING ({', '.join(outer)})" for name in names[1:])
    return (
        f"-- {atom.over_time}, {atom.unit}: first per {', '.join(cells)}, then summed\n"
        f"SELECT {', '.join(keys)}, SUM({ex.sql(body)}) AS {atom.name}\nFROM {names[0]}{joined}\n"
        f"GROUP BY {', '.join(keys)}"
    )


def _part(atom: Atom, part: Part, keys: Sequence[str], source: Source, contracts: Mapping[str, Contract]) -> str:
    """Return what one source adds: its rows with the tables they look up, filtered, per unit, month and class."""
    texts = [(part.value, ex.AGGREGATE), *((text, ex.ROW) for text in (source.where, part.where) if text)]
    trees = [ex.read(text, allowed) for text, allowed in texts]
    named = {pair for tree in trees for pair in ex.columns(tree)} | {("", key) for key in keys}
    own = {*_columns(contracts[source.of]), "unit", "month"}
    joined = [one for one in source.lookups if one.required or _names(one.table, own, named, contracts)]
    of_unit = any(table == ORG for table, _ in named) or any(
        value.startswith(f"{ORG}.") for one in joined for value in one.on.values()
    )
    me = _called(source)
    holds = {me: own} | {one.table: set(_columns(contracts[one.table])) for one in joined}

    def told(tree: exp.Expr) -> str:
        """Name the table of every column where more than one is read."""
        if not joined and not of_unit:
            return ex.sql(tree)
        return ex.sql(ex.rename(tree, lambda table, name: exp.column(name, table=table or _holder(name, holds))))

    columns = ", ".join(told(exp.column(key)) for key in keys)
    value, *conditions = (told(tree) for tree in trees)
    conditions = [f"({text})" if " OR " in text else text for text in conditions]
    if source.month is not None:
        conditions.insert(0, f"{me}.month = year({source.month}) * 12 + month({source.month}) - 1")
    rows = source.of if me == source.of else f"{source.of} AS {me}"
    if source.due is not None:
        rows = f"({_with_due(source.due, source.of)}) AS {source.of}"
    if source.latest is not None:
        newest = f"MAX({source.latest.by}) OVER (PARTITION BY {', '.join(source.latest.within)})"
        rows = f"(SELECT * FROM {source.of} QUALIFY {source.latest.by} = {newest}) AS {source.of}"
    units = f"\nJOIN {ORG} ON {ORG}.unit = {me}.unit AND {ORG}.month = {me}.month" if of_unit else ""
    return (
        f"SELECT {columns}, {value} AS {atom.name}\nFROM {rows}{units}"
        + "".join(_lookup(source, lookup) for lookup in joined)
        + (f"\nWHERE {' AND '.join(conditions)}" if conditions else "")
        + f"\nGROUP BY {columns}"
    )


def _with_due(due: Due, rows: str) -> str:
    """Add the column of a due window as words would: ends within the days after the month, and nothing took over."""
    later = ""
    if due.renewed_by:
        same = " AND ".join(f"b.{name} = a.{name}" for name in due.renewed_by)
        later = (
            f" AND NOT EXISTS (SELECT 1 FROM {rows} b WHERE {same} AND b.{due.begins} > a.{due.begins}"
            f" AND b.{due.begins} BETWEEN a.{due.column} - {due.days - 1} AND a.{due.column} + {due.days})"
        )
    day = f"(a.{due.column} - {due.days})"
    ends = f"year{day} * 12 + month{day} - 1"
    return f"SELECT *, month >= {ends}{later} AS {due.name} FROM {rows} a"


def _columns(contract: Contract) -> list[str]:
    return [column.name for column in contract.all_columns]


def _names(table: str, own: set[str], named: Iterable[tuple[str, str]], contracts: Mapping[str, Contract]) -> bool:
    """Tell whether a column is read that only a table looked up has."""
    theirs = set(_columns(contracts[table]))
    return any(of == table or (not of and name in theirs - own) for of, name in named)


def _holder(name: str, holds: Mapping[str, Iterable[str]]) -> str:
    """Return the table a column is of; the rows themselves come before what they look up."""
    return next(table for table, columns in holds.items() if name in columns)


def _called(source: Source) -> str:
    """Return what the rows of a source are called beside what they look up: a table may look itself up."""
    return f"{source.of}_rows" if any(one.table == source.of for one in source.lookups) else source.of


def _lookup(source: Source, lookup: Lookup) -> str:
    """Join the row of a dated table that is in force in the month of the row."""
    me = _called(source)
    pairs = [f"{lookup.table}.{column} = {value if value.startswith(f'{ORG}.') else f'{me}.{value}'}"
             for column, value in lookup.on.items()]  # fmt: skip
    for measured, (low, high) in lookup.bands.items():
        value = f"{me}.{measured}"
        pairs.append(
            f"{value} >= COALESCE({lookup.table}.{low}, {value}) AND {value} < COALESCE({lookup.table}.{high}, {value} + 1)"
        )
    rows = (
        lookup.table
        if lookup.where is None
        else f"(SELECT * FROM {lookup.table} WHERE {lookup.where}) AS {lookup.table}"
    )
    condition = " AND ".join([f"{lookup.table}.month = {me}.month", *pairs])
    return f"\n{'JOIN' if lookup.required else 'LEFT JOIN'} {rows} ON {condition}"
