"""What a viewer may type as `--where`: a condition over dimensions and unit attributes, and nothing else.

The text is read into a tree, the tree is held to a closed list, its columns to the dimensions of the indicators asked,
and its values leave it as bound parameters. Nothing typed becomes SQL text.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from unicodedata import category

from sqlglot import TokenType, exp, tokenize
from sqlglot.errors import SqlglotError

from metrics import expressions as ex
from metrics.expressions import BadExpression
from metrics.model import UNIT_DIMS
from warehouse.base.errors import QueryError, suggest

PREFIX = "where_"
MOST_DIGITS = 18


@dataclass(frozen=True)
class Filter:
    """A checked condition: `rows` holds for rows, `units` is the part that speaks of units alone."""

    rows: str
    units: str | None
    dims: tuple[str, ...]
    values: tuple[object, ...]

    @property
    def parameters(self) -> dict[str, object]:
        """Bound values by parameter name."""
        return {f"{PREFIX}{number}": value for number, value in enumerate(self.values)}

    @property
    def unit_dims(self) -> tuple[str, ...]:
        """Attributes of the unit the condition reads."""
        return tuple(dim for dim in self.dims if dim in UNIT_DIMS)

    @property
    def row_dims(self) -> tuple[str, ...]:
        """Dimensions of the source rows the condition reads."""
        return tuple(dim for dim in self.dims if dim not in UNIT_DIMS)

    def narrowed(self, other: Filter) -> Filter:
        """Return the condition with one more value of a dimension of the rows, which is bound after the others."""
        number = len(self.values)
        rows = f"({self.rows}) AND {other.rows.replace(f'${PREFIX}0', f'${PREFIX}{number}')}"
        return Filter(rows, self.units, tuple(dict.fromkeys([*self.dims, *other.dims])), (*self.values, *other.values))


def read_filter(text: str, allowed: Iterable[str]) -> Filter:
    """Check a typed condition against the dimensions that every asked indicator has."""
    known = tuple(dict.fromkeys([*UNIT_DIMS, *allowed]))
    _refuse_unseen(text)
    try:
        tree = ex.read(text, ex.CONDITION)
    except BadExpression as cause:
        raise QueryError(f"The filter cannot be used: {cause}.", "write for example: item_code = '30201' and level = 'city'") from cause  # fmt: skip
    names = [(table, name) for table, name in ex.columns(tree)]
    for table, name in names:
        if table or name not in known:
            near = suggest(name, known)
            raise QueryError(
                f"The filter names '{table + '.' if table else ''}{name}', which is no dimension of what is asked.",
                f"did you mean '{near[0]}'?" if near else f"available: {', '.join(known)}",
            )
    if not names:
        raise QueryError("The filter names no dimension.", f"available: {', '.join(known)}")
    if not _is_condition(tree):
        raise QueryError(f"'{text.strip()}' is not a condition.", "compare a dimension with a value")
    if any(isinstance(node, exp.In) and not node.expressions for node in tree.walk()):
        raise QueryError("The filter compares with an empty list.", "write at least one value: level in ('city')")
    values: list[object] = []
    bound = _bind(tree, values)
    parts = [part for part in _conjuncts(bound) if all(name in UNIT_DIMS for _, name in ex.columns(part))]
    units = ex.conjunction(parts)
    return Filter(ex.sql(bound), ex.sql(units) if units is not None else None, tuple(dict.fromkeys(n for _, n in names)), tuple(values))  # fmt: skip


def _refuse_unseen(text: str) -> None:
    """Refuse what a reader of the condition would not see as what it is: comments, a second statement, invisible signs."""
    hidden = [sign for sign in text if category(sign) in ("Cc", "Cf", "Cs", "Co") and sign not in "\t\n\r"]
    if hidden:
        raise QueryError(
            f"The filter holds an invisible character (U+{ord(hidden[0]):04X}).", "type the condition anew"
        )
    try:
        tokens = tokenize(text, dialect=ex.DIALECT)
    except SqlglotError:
        return  # the reader of the tree says what is wrong
    if any(token.comments for token in tokens):
        raise QueryError("The filter holds a comment.", "write the condition alone")
    if any(token.token_type == TokenType.SEMICOLON for token in tokens):
        raise QueryError("The filter holds ';'.", "write one condition, without a semicolon")


def _is_condition(tree: exp.Expr) -> bool:
    if isinstance(tree, exp.Paren):
        return _is_condition(tree.this)
    if isinstance(tree, exp.Not):
        return _is_condition(tree.this)
    if isinstance(tree, (exp.And, exp.Or)):
        return _is_condition(tree.this) and _is_condition(tree.expression)
    return isinstance(tree, (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.In, exp.Is, exp.Between, exp.Boolean, exp.Column))  # fmt: skip


def _bind(tree: exp.Expr, values: list[object]) -> exp.Expr:
    """Replace every literal by a parameter and quote every column."""

    def replaced(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Column):
            return ex.column(node.name.lower())
        if isinstance(node, exp.Literal):
            values.append(node.name if node.is_string else _number(node.name))
            return exp.Placeholder(this=f"{PREFIX}{len(values) - 1}")
        return node

    return tree.copy().transform(replaced)


def _number(text: str) -> object:
    if text.isdigit() and len(text) <= MOST_DIGITS:
        return int(text)
    number = Decimal(text)
    if (
        not number.is_finite()
        or number.adjusted() >= MOST_DIGITS
        or number.adjusted() < -MOST_DIGITS
        or len(number.as_tuple().digits) > MOST_DIGITS
    ):
        raise QueryError(f"{text[:20]} is no number of a report.", f"write at most {MOST_DIGITS} digits")
    return number


def _conjuncts(tree: exp.Expr) -> list[exp.Expr]:
    if isinstance(tree, exp.Paren):
        return _conjuncts(tree.this)
    if isinstance(tree, exp.And):
        return [*_conjuncts(tree.this), *_conjuncts(tree.expression)]
    return [exp.paren(tree)]
