"""Generated statements in the words of another engine: ClickHouse as second witness, Spark where the data already lies.

sqlglot changes the spelling; what means something else there is put into a form that means the same everywhere before
it is written (notes: equality rules). An engine that counts otherwise is no reason to count otherwise here: the tests
hold what ClickHouse gives against what DuckDB gives, cell by cell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from sqlglot import ErrorLevel, exp, parse_one

from metrics.expressions import DIALECT

Dialect = Literal["clickhouse", "spark"]
_BYTE = 255


Tables = Mapping[str, Sequence[str]]
"""Table → its columns in order."""


def in_dialect(statement: str, dialect: Dialect, tables: Tables, values: Mapping[str, object] | None = None) -> str:
    """Write a statement of the compiler or of a cube for another engine; parameters become constants of the text."""
    tree = _bind(parse_one(statement, dialect=DIALECT), values or {})
    _name_columns(tree, tables)
    _align_unions(tree)
    for step in _STEPS[dialect]:
        tree = tree.transform(step, copy=False)
    return tree.sql(dialect=dialect, unsupported_level=ErrorLevel.RAISE)


# --- the same for every other engine ----------------------------------------------------------------------------------


def _bind(tree: exp.Expr, values: Mapping[str, object]) -> exp.Expr:
    def constant(node: exp.Expr) -> exp.Expr:
        if isinstance(node, (exp.Parameter, exp.Placeholder)) and node.name in values:
            return exp.convert(values[node.name])
        return node

    return tree.transform(constant, copy=False)


def _name_columns(query: exp.Expr, tables: Tables) -> Sequence[str]:
    """Write every column of a `*` and the name of every column read from a table; return the names a query gives."""
    known = dict(tables)
    for cte in query.args["with_"].expressions if query.args.get("with_") else ():
        known[cte.alias] = _name_columns(cte.this, known)
    if isinstance(query, exp.Union):
        names, _ = _name_columns(query.left, known), _name_columns(query.right, known)
        return names
    if isinstance(query, exp.Subquery):
        return _name_columns(query.this, known)
    given = {source.alias_or_name: _given(source, known) for source in _sources(query)}
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
        instead.get(name) or exp.alias_(exp.column(name, table=table, quoted=True), name, quoted=True)
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


def _list_functions(node: exp.Expr) -> exp.Expr:
    """The names of what is done with lists; `||` joins texts only."""
    if type(node) in _LIST_FUNCTIONS:
        return exp.Anonymous(this=_LIST_FUNCTIONS[type(node)], expressions=[node.this])
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


def _anti_join(node: exp.Expr) -> exp.Expr:
    """The side is named before the kind."""
    if isinstance(node, exp.Join) and node.kind == "ANTI":
        node.set("side", "LEFT")
    return node


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


def _plain(node: exp.Expr) -> exp.Expr:
    return node.this.copy() if isinstance(node, exp.Cast) else node.copy()


Step = Callable[[exp.Expr], exp.Expr]
_STEPS: Mapping[Dialect, tuple[Step, ...]] = {
    "clickhouse": (_months_of_range, _list_functions, _default_of_neighbour, _anti_join),
    "spark": (_months_of_sequence,),
}
