"""Generated statements in the words of another engine: ClickHouse as second witness, Spark where the data already lies.

sqlglot changes the spelling; what means something else there is put into a form that means the same everywhere before
it is written (notes: equality rules). An engine that counts otherwise is no reason to count otherwise here: the tests
hold what ClickHouse gives against what DuckDB gives, cell by cell.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from sqlglot import ErrorLevel, exp, parse_one

from metrics.expressions import DIALECT

Dialect = Literal["clickhouse", "spark"]
_ROWS, _ROW = "side_by_side", "one"
Step = Callable[[exp.Expr], exp.Expr]
_BYTE = 255
_PARAMETER = re.compile(r"\$(\w+)")


Tables = Mapping[str, Sequence[str]]
"""Table → its columns in order."""


def in_dialect(statement: str, dialect: Dialect, tables: Tables, values: Mapping[str, object] | None = None) -> str:
    """Write a statement of the compiler or of a cube for another engine; parameters become constants of the text."""
    tree = _read(statement, values or {})
    _name_columns(tree, tables)
    _align_unions(tree)
    for step in _STEPS[dialect]:
        tree = _changed(tree, step)
    return tree.sql(dialect=dialect, unsupported_level=ErrorLevel.RAISE)


def _changed(tree: exp.Expr, step: Step) -> exp.Expr:
    """Take a step at every part of a tree, the inner ones first."""
    for node in reversed(list(tree.walk(bfs=False))):
        made = step(node)
        if made is not node:
            tree = made if node is tree else tree
            node.replace(made)
    return tree


# --- the same for every other engine ----------------------------------------------------------------------------------


def _read(statement: str, values: Mapping[str, object]) -> exp.Expr:
    """Read a statement with its values; a parameter is read as a name, `$a[f($b` would be taken for a quoted text."""
    tree = parse_one(_PARAMETER.sub(r'"$\1"', statement), dialect=DIALECT)

    def constant(node: exp.Expr) -> exp.Expr:
        return exp.convert(values[node.name[1:]]) if isinstance(node, exp.Column) and node.name[:1] == "$" else node

    return tree.transform(constant, copy=False)


def _name_columns(query: exp.Expr, tables: Tables) -> Sequence[str]:
    """Write every column of a `*` and the name of every column read from a table; return the names a query gives.

    A single source may have no name of its own; of several, each must.
    """
    known = dict(tables)
    for cte in query.args["with_"].expressions if query.args.get("with_") else ():
        known[cte.alias] = _name_columns(cte.this, known)
    if isinstance(query, exp.Union):
        names, _ = _name_columns(query.left, known), _name_columns(query.right, known)
        return names
    if isinstance(query, exp.Subquery):
        return _name_columns(query.this, known)
    sources = _sources(query)
    given = {source.alias_or_name: _given(source, known) for source in sources}
    if len(given) < len(sources) or ("" in given and len(given) > 1):
        raise ValueError(f"of several sources each needs a name of its own: {query.sql(DIALECT)[:60]}")
    query.set("expressions", [column for shown in query.expressions for column in _named(shown, given)])
    return [shown.alias_or_name for shown in query.expressions]


def _sources(select: exp.Expr) -> list[exp.Expr]:
    joins = select.args.get("joins") or []
    first = [select.args["from_"].this] if select.args.get("from_") else []
    return [*first, *(join.this for join in joins if join.kind not in ("ANTI", "SEMI"))]


def _given(source: exp.Expr, known: Tables) -> Sequence[str]:
    return _name_columns(source, known) if isinstance(source, exp.Subquery) else known.get(source.name, ())


def _named(shown: exp.Expr, given: Tables) -> list[exp.Expr]:
    if not shown.is_star:
        own = isinstance(shown, exp.Column) and bool(shown.table)
        return [exp.alias_(shown, shown.name, quoted=True) if own else shown]
    star = shown.this if isinstance(shown, exp.Column) else shown
    if isinstance(shown, exp.Count):
        return [shown]
    instead = {text.alias: text for text in star.args.get("replace") or ()}
    tables = [shown.table] if isinstance(shown, exp.Column) else list(given)
    return [
        instead.get(name) or exp.alias_(exp.column(name, table=table or None, quoted=True), name, quoted=True)
        for table in tables
        for name in given[table]
    ]


def _align_unions(tree: exp.Expr) -> None:
    """Give every branch of a union by name the columns of all, in one order; NULL where a branch has none."""
    for union in list(tree.find_all(exp.Union)):
        if not union.args.get("by_name") or isinstance(union.parent, exp.Union):
            continue
        branches = list(_branches(union))
        names = list(dict.fromkeys(name for branch in branches for name in branch.named_selects))
        for branch in branches:
            given = {column.alias_or_name: column for column in branch.selects}
            branch.set("expressions", [given.get(name) or _nothing(name) for name in names])
        for part in union.find_all(exp.Union):
            part.set("by_name", False)


def _branches(node: exp.Expr) -> list[exp.Select]:
    if isinstance(node, exp.Union):
        return [*_branches(node.left), *_branches(node.right)]
    if not isinstance(node, exp.Select):
        raise ValueError(f"a union by name has a branch that is no SELECT: {node.sql(DIALECT)[:60]}")
    return [node]


def _nothing(name: str) -> exp.Expr:
    return exp.alias_(exp.Null(), name, quoted=True)


def _side_by_side(select: exp.Expr, zipped: str, field: Callable[[int], exp.Expr]) -> exp.Expr:
    """Lists laid out in one SELECT run side by side here, elsewhere each against each: they are zipped first."""
    shown = select.expressions if isinstance(select, exp.Select) else []
    lists = [found for column in shown if (found := column.find(exp.Explode))]
    if len(lists) < 2:
        return select
    rows = exp.select(exp.alias_(exp.Explode(this=exp.func(zipped, *(one.this for one in lists))), _ROW))
    for number, one in enumerate(lists):
        one.replace(field(number))
    return exp.select(*shown).from_(rows.subquery(_ROWS))


# --- ClickHouse -------------------------------------------------------------------------------------------------------


def _months_of_range(node: exp.Expr) -> exp.Expr:
    """`range` takes no nullable bounds there; the bounds of a row are never missing."""
    if not isinstance(node, exp.GenerateSeries):
        return node
    bounds = [exp.func("assumeNotNull", exp.func("toInt64", part)) for part in (node.args["start"], node.args["end"])]
    return exp.Anonymous(this="range", expressions=bounds)


_LIST_FUNCTIONS: Mapping[type[exp.Expr], str] = {
    exp.ArraySort: "arraySort", exp.Flatten: "arrayFlatten", exp.ArrayAgg: "groupArray",
}  # fmt: skip
_LIST_CALLS = {"list_position": "indexOf", "list_extract": "arrayElement"}


def _list_functions(node: exp.Expr) -> exp.Expr:
    """The names of what is done with lists; `||` joins texts only."""
    if type(node) in _LIST_FUNCTIONS:
        return exp.Anonymous(this=_LIST_FUNCTIONS[type(node)], expressions=[node.this])
    if isinstance(node, exp.Length) and isinstance(node.this, exp.Array):
        return exp.Anonymous(this="length", expressions=[node.this])
    if isinstance(node, exp.Anonymous) and node.name.lower() in _LIST_CALLS:
        return exp.Anonymous(this=_LIST_CALLS[node.name.lower()], expressions=node.expressions)
    if isinstance(node, exp.DPipe) and any(isinstance(side, exp.Array) for side in (node.this, node.expression)):
        return exp.Anonymous(this="arrayConcat", expressions=[node.this, node.expression])
    return node


def _default_of_neighbour(node: exp.Expr) -> exp.Expr:
    """The default of a row before or after must be of the column's own kind, and numbers are read as unsigned."""
    default = node.args.get("default") if isinstance(node, (exp.Lead, exp.Lag)) else None
    if default is None or (isinstance(default, exp.Literal) and int(default.name) <= _BYTE):
        return node
    if isinstance(default, exp.Literal):
        default = exp.cast(default, "INTEGER", dialect=DIALECT)
    node.set("this", exp.func("toNullable", node.this))
    node.set("default", exp.func("toNullable", default))
    return node


def _double(node: exp.Expr) -> exp.Expr:
    """A DECIMAL becomes a DOUBLE by its text (under `precise_float_parsing`): its own cast rounds twice above 2^53."""
    if isinstance(node, exp.Cast) and node.to.this == exp.DataType.Type.DOUBLE:
        node.set("this", exp.func("toString", node.this))
    return node


def _anti_join(node: exp.Expr) -> exp.Expr:
    """The side is named before the kind."""
    if isinstance(node, exp.Join) and node.kind == "ANTI":
        node.set("side", "LEFT")
    return node


def _arrays_zipped(node: exp.Expr) -> exp.Expr:
    def field(number: int) -> exp.Expr:
        return exp.func("tupleElement", exp.column(_ROW), exp.Literal.number(number + 1))

    return _side_by_side(node, "arrayZip", field)


# --- Spark ------------------------------------------------------------------------------------------------------------


def _months_of_sequence(node: exp.Expr) -> exp.Expr:
    """`sequence` counts downwards where the end lies before the start, and a generator stands in no other expression."""
    if isinstance(node, exp.Cast) and isinstance(node.this, exp.Explode):
        return node.this
    if not isinstance(node, exp.GenerateSeries):
        return node
    start, end = (_plain(node.args[key]) for key in ("start", "end"))
    rising = exp.func("sequence", start, exp.Sub(this=end, expression=exp.Literal.number(1)))
    return exp.case().when(exp.LT(this=start.copy(), expression=end.copy()), rising).else_(exp.func("array"))


def _structs_zipped(node: exp.Expr) -> exp.Expr:
    return _side_by_side(node, "arrays_zip", lambda number: exp.column(str(number), table=_ROW, quoted=True))


def _plain(node: exp.Expr) -> exp.Expr:
    return node.this.copy() if isinstance(node, exp.Cast) else node.copy()


_STEPS: Mapping[Dialect, tuple[Step, ...]] = {
    "clickhouse": (
        _arrays_zipped, _months_of_range, _list_functions, _default_of_neighbour, _double, _anti_join,
    ),
    "spark": (_structs_zipped, _months_of_sequence),
}  # fmt: skip
