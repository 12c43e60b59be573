"""An atom block: one exact figure, a sum over the rows of a source or a formula over cells of finer atoms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from sqlglot import exp

from metrics import expressions as ex
from metrics.check_units import leaf_fault, sum_fault
from metrics.define_source import row_columns
from metrics.drafting import Block, Draft, check_keys, row_expression
from metrics.expressions import BadExpression
from metrics.fingerprints import atom_text, digest, plain_name
from metrics.formula import TIMES
from metrics.model import THEMES, Atom, Part, Source

ATOM_KEYS = (
    "of",
    "kind",
    "value",
    "where",
    "unit",
    "parts",
    "leaf",
    "by",
    "missing",
    "adds",
    "theme",
    "disjoint",
    "earlier",
)
_PART_KEYS = ("of", "value", "where")


def define_atom(block: Block, draft: Draft, blocks: Mapping[str, Block]) -> Atom | None:
    check_keys(block.where, block.data, ATOM_KEYS, draft)
    if block.name in TIMES:
        draft.fault(block.where, f"the name '{block.name}' is taken: it is a length of the window")
    if plain_name(block.name) != block.name:
        draft.fault(block.where, "a name that ends in __ and eight digits is kept for versions of the past")
    made = _leaf_atom(block, draft, blocks) if "leaf" in block.data else _sum_atom(block, draft)
    if made is None:
        return None
    if not made.unit:
        draft.fault(block.where, "key 'unit' is missing")
    else:
        _check_unit(block, made, draft)
    return replace(made, fingerprint=digest(atom_text(made, draft.atoms, draft.sources)))


def _check_unit(block: Block, made: Atom, draft: Draft) -> None:
    """Hold the declared unit against that of the columns, or of the atoms a leaf formula reads."""
    faults = [leaf_fault(made, draft.atoms)] if made.is_leaf else []
    for part in made.parts:
        units = _column_units(draft.sources[part.of], draft)
        faults.append(sum_fault(made.unit, ex.read(part.value, ex.AGGREGATE), units))
    for fault in dict.fromkeys(fault for fault in faults if fault):
        draft.fault(f"{block.where} unit", fault)


def _column_units(source: Source, draft: Draft) -> dict[str, str | None]:
    """Return the unit of every column an expression over this source may name; None where it has none of its own."""
    found: dict[str, str | None] = {}
    for lookup in reversed(source.lookups):
        for column in draft.contracts[lookup.table].columns:
            found[f"{lookup.table}.{column.name}"] = found[column.name] = column.unit
    for column in draft.contracts[source.of].columns:
        found[column.name] = found[f"{column.name}_flow"] = column.unit
    return found


def _sum_atom(block: Block, draft: Draft) -> Atom | None:
    data = block.data
    kind = data.get("kind")
    if kind not in ("flow", "stock"):
        draft.fault(f"{block.where} kind", f"'{kind}' is neither flow nor stock (leaf needs key 'leaf')")
        return None
    raw = data["parts"] if "parts" in data else [{k: data[k] for k in _PART_KEYS if k in data}]
    parts = tuple(part for item in raw if (part := _part(block, item, draft)))
    if len(parts) != len(raw):
        return None
    themes = {draft.sources[part.of].theme for part in parts}
    if len(themes) > 1:
        draft.fault(f"{block.where} parts", f"sources of different themes {sorted(themes)} count different units")
    distinct = [part for part in parts if "DISTINCT" in part.value]
    if distinct and not data.get("disjoint"):
        draft.fault(
            f"{block.where} value", 'count(distinct …) adds up only over disjoint sets: say disjoint = ["unit", …]'
        )
    return Atom(
        block.name, kind, data.get("unit", ""), themes.pop(), parts,
        by=_distinct_columns(parts) if distinct else (),
        sources=tuple(dict.fromkeys(part.of for part in parts)), disjoint=tuple(data.get("disjoint", ())),
    )  # fmt: skip


def _distinct_columns(parts: Iterable[Part]) -> tuple[str, ...]:
    found: list[str] = []
    for part in parts:
        tree = ex.read(part.value, ex.AGGREGATE)
        found.extend(name for _, name in ex.columns(tree))
    return tuple(dict.fromkeys(found))


def _part(block: Block, item: Mapping[str, Any], draft: Draft) -> Part | None:
    check_keys(f"{block.where} parts", item, _PART_KEYS, draft)
    source = draft.sources.get(item.get("of", ""))
    if source is None:
        draft.fault(f"{block.where} of", f"there is no source '{item.get('of')}'", item.get("of"), draft.sources)
        return None
    known = row_columns(source, draft.contracts)
    value = row_expression(f"{block.where} value", item.get("value"), ex.AGGREGATE, known, draft)
    where = item.get("where")
    condition = None if where is None else row_expression(f"{block.where} where", where, ex.ROW, known, draft)
    if value is None or (where is not None and condition is None):
        return None
    if not isinstance(value, (exp.Sum, exp.Count)) or len(list(value.find_all(exp.Sum, exp.Count))) != 1:
        draft.fault(f"{block.where} value", f"'{item['value']}' must be one sum(…) or count(…)")
        return None
    return Part(source.name, ex.sql(value), ex.sql(condition) if condition is not None else None)


_NOT_PLAIN = "'{}' is not a plain sum; a leaf formula reads plain sums only, never another leaf or itself"


def _leaf_atom(block: Block, draft: Draft, blocks: Mapping[str, Block]) -> Atom | None:
    data = block.data
    try:
        tree = ex.read(data["leaf"], ex.ROW)
    except BadExpression as cause:
        draft.fault(f"{block.where} leaf", str(cause))
        return None
    operands = tuple(dict.fromkeys(name for _, name in ex.columns(tree)))
    if unknown := [name for name in operands if name not in draft.atoms]:
        for name in unknown:
            if name not in blocks:
                draft.fault(f"{block.where} leaf", f"there is no atom '{name}'", name, draft.atoms)
            elif "leaf" in blocks[name].data:
                draft.fault(f"{block.where} leaf", _NOT_PLAIN.format(name))
        return None
    if block.name in draft.sources:
        draft.fault(block.where, "a leaf atom may not have the name of a source")
    adds, by = data.get("adds", "stock"), tuple(data.get("by", ()))
    if adds not in ("flow", "stock"):
        draft.fault(f"{block.where} adds", f"'{adds}' is neither flow nor stock")
    missing = {str(k): str(v) for k, v in data.get("missing", {}).items()}
    for name in missing:
        if name not in operands:
            draft.fault(f"{block.where} missing", f"'{name}' is no operand of the formula", name, operands)
    _check_cells(block, operands, by, draft)
    sources = tuple(dict.fromkeys(s for o in operands if o not in missing for s in draft.atoms[o].sources))
    theme = data.get("theme") or (draft.sources[sources[0]].theme if sources else "")
    if theme not in THEMES:
        draft.fault(f"{block.where} theme", f"'{theme}' is no theme", theme, THEMES)
    return Atom(
        block.name, adds, data.get("unit", ""), theme, leaf=ex.sql(tree), by=by, missing=missing,
        operands=operands, sources=sources,
    )  # fmt: skip


def _check_cells(block: Block, operands: Iterable[str], by: tuple[str, ...], draft: Draft) -> None:
    """Every operand must be countable in the cells of the formula."""
    for operand in operands:
        atom = draft.atoms[operand]
        if atom.is_leaf or atom.is_distinct:
            draft.fault(f"{block.where} leaf", _NOT_PLAIN.format(operand))
        for part in atom.parts:
            known = row_columns(draft.sources[part.of], draft.contracts)
            for name in by:
                if name not in known:
                    draft.fault(
                        f"{block.where} by", f"source '{part.of}' of '{operand}' has no column '{name}'", name, known
                    )


def atom_dims(atom: Atom, sources: Mapping[str, Source]) -> tuple[str, ...]:
    """Return the dimensions an atom can be split by, beside those of the unit."""
    if atom.is_leaf:
        return atom.by
    if atom.is_distinct:
        return ()
    common = [set(sources[part.of].dims) for part in atom.parts]
    return tuple(sorted(set.intersection(*common))) if common else ()
