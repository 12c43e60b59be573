"""The catalogue: every definition of `metrics/definitions/*.toml`, checked as a whole.

All faults of all files come in one report: file, block, key, what is wrong, and what was probably meant. Columns are
checked against the contracts, names against each other, formulas against the kinds of their atoms.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from hashlib import sha256
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, get_args

from sqlglot import exp

from metrics import expressions as ex
from metrics.expressions import BadExpression
from metrics.formula import MONTHS, Formula, parse_formula
from metrics.model import (
    THEMES,
    Atom,
    Better,
    Catalogue,
    Example,
    Indicator,
    Latest,
    Lookup,
    Part,
    Source,
    Texts,
)
from warehouse.base.errors import CockpitError, DefinitionError, suggest
from warehouse.base.periods import GRAINS, Period
from warehouse.contracts import Contract, load_contracts

UNIT_DIMS = ("level", "kind", "climate")
"""Attributes of the unit by which every figure can be split and filtered."""
EVIDENCE = ("C", "C2", "R", "D", "K")
_KINDS = ("source", "atom", "indicator")
_SOURCE_KEYS = ("of", "theme", "lookups", "latest", "month", "dims")
_ATOM_KEYS = ("of", "kind", "value", "where", "unit", "parts", "leaf", "by", "missing", "adds", "theme", "disjoint")
_PART_KEYS = ("of", "value", "where")
_INDICATOR_KEYS = (
    "title", "value", "unit", "scale", "theme", "better", "dims", "digits", "basis", "evidence", "from", "owner",
    "hint", "text", "example",
)  # fmt: skip
_INDICATOR_NEEDS = ("title", "value", "unit", "theme", "better", "digits", "basis", "evidence", "text", "example")
_EXAMPLE_KEYS = ("period", "grain", "atoms", "expect", "numerator", "denominator")


@dataclass(frozen=True)
class Block:
    """One table of a definition file, with the place a fault is reported at."""

    file: str
    kind: str
    name: str
    data: Mapping[str, Any]

    @property
    def where(self) -> str:
        """File and block, as a reader finds it."""
        return f"{self.file} [{self.kind}.{self.name}]"


@dataclass
class _Draft:
    """What is known while checking; faults are collected, never raised one by one."""

    contracts: Mapping[str, Contract]
    faults: list[str] = field(default_factory=list)
    sources: dict[str, Source] = field(default_factory=dict)
    atoms: dict[str, Atom] = field(default_factory=dict)
    indicators: dict[str, Indicator] = field(default_factory=dict)

    def fault(self, where: str, text: str, name: str | None = None, known: Iterable[str] = ()) -> None:
        near = suggest(name, known) if name else ()
        self.faults.append(f"{where}: {text}" + (f"; did you mean '{near[0]}'?" if near else ""))


def load_catalogue(folder: Path | Traversable | None = None, contracts: Mapping[str, Contract] | None = None) -> Catalogue:  # fmt: skip
    """Read and check every definition; all faults come in one DefinitionError."""
    place = folder if folder is not None else resources.files("metrics") / "definitions"
    texts = {e.name: e.read_text(encoding="utf-8") for e in place.iterdir() if e.name.endswith(".toml")}
    return build_catalogue(texts, contracts if contracts is not None else load_contracts())


def build_catalogue(texts: Mapping[str, str], contracts: Mapping[str, Contract]) -> Catalogue:
    """Build the catalogue from the texts of definition files by name."""
    draft = _Draft(contracts)
    blocks = _blocks(texts, draft)
    for block in blocks["source"].values():
        _keep(draft.sources, block, _source(block, draft))
    for block in _leaves_last(blocks["atom"].values()):
        _keep(draft.atoms, block, _atom(block, draft, blocks["atom"]))
    for block in blocks["indicator"].values():
        _keep(draft.indicators, block, _indicator(block, draft))
    if draft.faults:
        raise DefinitionError("Definitions", draft.faults)
    for indicator in list(draft.indicators.values()):
        change = yearly_change(indicator)
        if change is not None and change.id not in draft.indicators:
            draft.indicators[change.id] = _finished(change, draft)
    marks = sorted(i.id + i.fingerprint for i in draft.indicators.values())
    return Catalogue(draft.indicators, draft.atoms, draft.sources, _digest(marks))


def yearly_change(indicator: Indicator) -> Indicator | None:
    """Return `<id>_yoy`, the change against the same months a year before; a change has no change of its own."""
    if indicator.kind == "change":
        return None
    now, before = f"({indicator.value})", f"prior({indicator.value}, 12)"
    return replace(
        indicator,
        id=f"{indicator.id}_yoy",
        title=Texts(f"{indicator.title.zh}同比", f"{indicator.title.en}, year on year"),
        unit="%",
        digits=2,
        kind="change",
        better="neutral" if indicator.better in ("neutral", "band") else indicator.better,
        value=f"({now} - {before}) / {before}",
        scale=2,
        text=Texts(f"（本期{indicator.title.zh} − 上年同期）÷ 上年同期", f"({indicator.title.en} − a year before) ÷ a year before"),
        example=None,
        hint=None,
        generated=True,
    )  # fmt: skip


def _blocks(texts: Mapping[str, str], draft: _Draft) -> dict[str, dict[str, Block]]:
    found: dict[str, dict[str, Block]] = {kind: {} for kind in _KINDS}
    for file in sorted(texts):
        try:
            data = tomllib.loads(texts[file])
        except tomllib.TOMLDecodeError as cause:
            draft.fault(file, f"not TOML: {cause}")
            continue
        for kind, tables in data.items():
            if kind not in _KINDS:
                draft.fault(file, f"unknown table '{kind}'", kind, _KINDS)
                continue
            for name, table in tables.items():
                block = Block(file, kind, name, table)
                earlier = found[kind].setdefault(name, block)
                if earlier is not block:
                    draft.fault(block.where, f"the name is taken by {earlier.where}")
    for name in sorted(set(found["atom"]) & set(found["indicator"])):
        draft.fault(found["indicator"][name].where, f"the name is taken by {found['atom'][name].where}")
    return found


def _keep(place: dict[str, Any], block: Block, made: Any) -> None:
    if made is not None:
        place[block.name] = made


def _leaves_last(blocks: Iterable[Block]) -> list[Block]:
    return sorted(blocks, key=lambda block: "leaf" in block.data)


def _unknown_keys(where: str, data: Mapping[str, Any], known: Iterable[str], draft: _Draft) -> None:
    for key in data:
        if key not in known:
            draft.fault(where, f"unknown key '{key}'", key, known)


# --- sources ---------------------------------------------------------------------------------------------------------


def _source(block: Block, draft: _Draft) -> Source | None:
    _unknown_keys(block.where, block.data, _SOURCE_KEYS, draft)
    of = block.data.get("of")
    contract = draft.contracts.get(of or "")
    if contract is None:
        draft.fault(f"{block.where} of", f"there is no dataset '{of}'", of, draft.contracts)
        return None
    theme = block.data.get("theme", contract.theme)
    if theme not in THEMES:
        draft.fault(f"{block.where} theme", f"'{theme}' is no theme", theme, THEMES)
    lookups = tuple(found for item in block.data.get("lookups", ()) if (found := _lookup(block, item, contract, draft)))
    latest = _latest(block, contract, draft)
    dims = tuple(block.data.get("dims", (c.name for c in contract.columns if c.is_dimension)))
    source = Source(block.name, contract.name, theme, lookups, latest, block.data.get("month"), dims)
    known = row_columns(source, draft.contracts)
    for dim in dims:
        if dim not in known:
            draft.fault(f"{block.where} dims", f"there is no column '{dim}'", dim, known)
    if source.month is not None:
        _row_expression(f"{block.where} month", source.month, ex.ROW, known, draft)
    return source


def _lookup(block: Block, item: Mapping[str, Any], contract: Contract, draft: _Draft) -> Lookup | None:
    table = draft.contracts.get(item.get("table", ""))
    if table is None:
        draft.fault(f"{block.where} lookups", f"there is no dataset '{item.get('table')}'", item.get("table"), draft.contracts)  # fmt: skip
        return None
    known = {column.name for column in table.columns}
    own = {column.name for column in contract.columns} | {f"org.{c}" for c in _org_columns(draft.contracts)}
    for key, value in item.get("on", {}).items():
        if key not in known:
            draft.fault(f"{block.where} lookups.{table.name}.on", f"'{table.name}' has no column '{key}'", key, known)
        if value not in own:
            draft.fault(f"{block.where} lookups.{table.name}.on", f"there is no column '{value}'", value, own)
    if not item.get("on"):
        draft.fault(f"{block.where} lookups.{table.name}", "key 'on' is missing")
    return Lookup(table.name, dict(item.get("on", {})), bool(item.get("required", False)))


def _latest(block: Block, contract: Contract, draft: _Draft) -> Latest | None:
    data = block.data.get("latest")
    if data is None:
        return None
    known = {column.name for column in contract.columns}
    within = tuple(data.get("within", [c for c in contract.keys if c != data.get("by")]))
    for name in (data.get("by", "?"), *within):
        if name not in known:
            draft.fault(f"{block.where} latest", f"'{contract.name}' has no column '{name}'", name, known)
    return Latest(data.get("by", "?"), within)


def _org_columns(contracts: Mapping[str, Contract]) -> tuple[str, ...]:
    register = contracts.get("org_unit")
    return tuple(column.name for column in register.columns) if register else ()


def row_columns(source: Source, contracts: Mapping[str, Contract]) -> dict[str, str]:
    """Return every name an expression over this source may use → the column of the prepared rows it stands for."""
    names = {f"org.{name}": f"org__{name}" for name in _org_columns(contracts)}
    for lookup in reversed(source.lookups):
        for column in contracts[lookup.table].columns:
            names[f"{lookup.table}.{column.name}"] = f"{lookup.table}__{column.name}"
            names[column.name] = f"{lookup.table}__{column.name}"
    for column in contracts[source.of].columns:
        names[column.name] = column.name
        if column.cumulative:
            names[f"{column.name}_flow"] = f"{column.name}_flow"
    return names | {"unit": "unit", "note": "note"}


def _row_expression(where: str, text: Any, allowed: tuple[type[exp.Expr], ...], known: Mapping[str, str],
                    draft: _Draft) -> exp.Expr | None:  # fmt: skip
    if not isinstance(text, str):
        draft.fault(where, f"must be a text, not {text!r}")
        return None
    try:
        tree = ex.read(text, allowed)
    except BadExpression as cause:
        draft.fault(where, str(cause))
        return None
    for table, name in ex.columns(tree):
        full = f"{table}.{name}" if table else name
        if full not in known:
            draft.fault(where, f"unknown column '{full}'", full, known)
    return tree


# --- atoms -----------------------------------------------------------------------------------------------------------


def _atom(block: Block, draft: _Draft, blocks: Mapping[str, Block]) -> Atom | None:
    _unknown_keys(block.where, block.data, _ATOM_KEYS, draft)
    if block.name == MONTHS:
        draft.fault(block.where, "the name 'months' is taken: it is the number of months of the window")
    made = _leaf_atom(block, draft, blocks) if "leaf" in block.data else _sum_atom(block, draft)
    if made is None:
        return None
    if not made.unit:
        draft.fault(block.where, "key 'unit' is missing")
    return replace(made, fingerprint=_digest(_atom_text(made, draft)))


def _sum_atom(block: Block, draft: _Draft) -> Atom | None:
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


def _part(block: Block, item: Mapping[str, Any], draft: _Draft) -> Part | None:
    _unknown_keys(f"{block.where} parts", item, _PART_KEYS, draft)
    source = draft.sources.get(item.get("of", ""))
    if source is None:
        draft.fault(f"{block.where} of", f"there is no source '{item.get('of')}'", item.get("of"), draft.sources)
        return None
    known = row_columns(source, draft.contracts)
    value = _row_expression(f"{block.where} value", item.get("value"), ex.AGGREGATE, known, draft)
    where = item.get("where")
    condition = None if where is None else _row_expression(f"{block.where} where", where, ex.ROW, known, draft)
    if value is None or (where is not None and condition is None):
        return None
    if not isinstance(value, (exp.Sum, exp.Count)) or len(list(value.find_all(exp.Sum, exp.Count))) != 1:
        draft.fault(f"{block.where} value", f"'{item['value']}' must be one sum(…) or count(…)")
        return None
    return Part(source.name, ex.sql(value), ex.sql(condition) if condition is not None else None)


def _leaf_atom(block: Block, draft: _Draft, blocks: Mapping[str, Block]) -> Atom | None:
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


def _check_cells(block: Block, operands: Iterable[str], by: tuple[str, ...], draft: _Draft) -> None:
    """Every operand must be countable in the cells of the formula."""
    for operand in operands:
        atom = draft.atoms[operand]
        if atom.is_leaf or atom.is_distinct:
            draft.fault(f"{block.where} leaf", f"'{operand}' is not a plain sum; a leaf formula reads plain sums only")
        for part in atom.parts:
            known = row_columns(draft.sources[part.of], draft.contracts)
            for name in by:
                if name not in known:
                    draft.fault(
                        f"{block.where} by", f"source '{part.of}' of '{operand}' has no column '{name}'", name, known
                    )


# --- indicators ------------------------------------------------------------------------------------------------------


def _indicator(block: Block, draft: _Draft) -> Indicator | None:
    data = block.data
    _unknown_keys(block.where, data, _INDICATOR_KEYS, draft)
    absent = [key for key in _INDICATOR_NEEDS if key not in data]
    for key in absent:
        draft.fault(block.where, f"key '{key}' is missing")
    formula = _formula(block, draft) if "value" in data else None
    if absent or formula is None:
        return None
    if data["theme"] not in THEMES:
        draft.fault(f"{block.where} theme", f"'{data['theme']}' is no theme", data["theme"], THEMES)
    if data["better"] not in get_args(Better):
        draft.fault(f"{block.where} better", f"'{data['better']}' is none of {', '.join(get_args(Better))}")
    if data["evidence"] not in EVIDENCE:
        draft.fault(f"{block.where} evidence", f"'{data['evidence']}' is none of {', '.join(EVIDENCE)}")
    made = Indicator(
        id=block.name,
        title=_texts(block, "title", data["title"], draft),
        unit=data["unit"],
        better=data["better"],
        digits=int(data["digits"]),
        theme=data["theme"],
        basis=_texts(block, "basis", data["basis"], draft),
        evidence=data["evidence"],
        kind=formula.kind,
        dims=tuple(data.get("dims", ())),
        text=_texts(block, "text", data["text"], draft),
        value=" ".join(data["value"].split()),
        scale=int(data.get("scale", 0)),
        owner=data.get("owner", ""),
        hint=_texts(block, "hint", data["hint"], draft) if "hint" in data else None,
        since=data.get("from"),
        example=_example(block, data["example"], formula, draft),
    )
    _check_dims(block, made, formula, draft)
    return _finished(made, draft)


def _formula(block: Block, draft: _Draft) -> Formula | None:
    where = f"{block.where} value"
    try:
        formula = parse_formula(block.data["value"])
    except BadExpression as cause:
        draft.fault(where, str(cause))
        return None
    good = True
    for operand in formula.operands:
        if operand.atom == MONTHS:
            continue
        atom = draft.atoms.get(operand.atom)
        if atom is None:
            draft.fault(where, f"there is no atom '{operand.atom}'", operand.atom, draft.atoms)
        elif atom.over_time == "stock" and operand.how == "sum":
            draft.fault(where, f"'{atom.name}' is a stock: write avg({atom.name}) or last({atom.name})")
        elif atom.over_time == "flow" and operand.how != "sum":
            draft.fault(where, f"'{atom.name}' is a flow, it adds up over the window: write {atom.name}")
        else:
            continue
        good = False
    return formula if good else None


def _texts(block: Block, key: str, data: Any, draft: _Draft) -> Texts:
    if not isinstance(data, Mapping) or set(data) != {"zh", "en"} or not all(str(v).strip() for v in data.values()):
        draft.fault(f"{block.where} {key}", "needs one text in zh and one in en")
        return Texts("", "")
    return Texts(str(data["zh"]), str(data["en"]))


def _example(block: Block, data: Mapping[str, Any], formula: Formula, draft: _Draft) -> Example | None:
    where = f"{block.where[:-1]}.example]"
    _unknown_keys(where, data, _EXAMPLE_KEYS, draft)
    absent = [key for key in ("period", "grain", "atoms", "expect") if key not in data]
    for key in absent:
        draft.fault(where, f"key '{key}' is missing")
    if absent:
        return None
    if data["grain"] not in GRAINS:
        draft.fault(f"{where} grain", f"'{data['grain']}' is none of {', '.join(GRAINS)}")
    used = {operand.atom for operand in formula.operands} - {MONTHS}
    for name in sorted(used ^ set(data["atoms"])):
        draft.fault(f"{where} atoms", f"'{name}' is {'missing' if name in used else 'not in the formula'}", name, used)
    try:
        Period.parse(data["period"])
        months = {name: _month_figures(table) for name, table in data["atoms"].items()}
    except (CockpitError, InvalidOperation) as cause:
        draft.fault(where, f"cannot be read: {cause}")
        return None
    shown = [None if key not in data else str(data[key]) for key in ("numerator", "denominator")]
    return Example(data["grain"], data["period"], months, str(data["expect"]), shown[0], shown[1])


def _month_figures(table: Mapping[str, Any]) -> dict[str, Decimal]:
    return {Period.parse(month).label: Decimal(str(figure)) for month, figure in table.items()}


def _check_dims(block: Block, made: Indicator, formula: Formula, draft: _Draft) -> None:
    for operand in formula.operands:
        if operand.atom == MONTHS:
            continue
        for dim in made.dims:
            if dim not in atom_dims(draft.atoms[operand.atom], draft.sources):
                draft.fault(f"{block.where} dims", f"atom '{operand.atom}' cannot be split by '{dim}'")


def atom_dims(atom: Atom, sources: Mapping[str, Source]) -> tuple[str, ...]:
    """Return the dimensions an atom can be split by, beside those of the unit."""
    if atom.is_leaf:
        return atom.by
    if atom.is_distinct:
        return ()
    common = [set(sources[part.of].dims) for part in atom.parts]
    return tuple(sorted(set.intersection(*common))) if common else ()


def datasets_of(catalogue: Catalogue, indicator: str) -> tuple[frozenset[str], ...]:
    """Return, for each figure an indicator needs, the datasets that can give it: one of each set must have rows."""
    found: list[frozenset[str]] = []
    for name in catalogue.indicators[indicator].atoms:
        atom = catalogue.atoms[name]
        if atom.is_leaf:
            for operand in atom.operands:
                found.append(_datasets(catalogue.atoms[operand], catalogue))
        else:
            found.append(_datasets(atom, catalogue))
    return tuple(dict.fromkeys(found))


def _datasets(atom: Atom, catalogue: Catalogue) -> frozenset[str]:
    return frozenset(catalogue.sources[part.of].of for part in atom.parts)


def _finished(made: Indicator, draft: _Draft) -> Indicator:
    """Add what follows from the formula: its atoms, sources and fingerprint."""
    formula = parse_formula(made.value)
    atoms = tuple(dict.fromkeys(o.atom for o in formula.operands if o.atom != MONTHS))
    sources = tuple(dict.fromkeys(s for a in atoms for s in _all_sources(draft.atoms[a], draft)))
    text = {
        "value": ex.canonical(made.value, ex.FORMULA),
        "scale": made.scale,
        "unit": made.unit,
        "theme": made.theme,
        "atoms": {name: _atom_text(draft.atoms[name], draft) for name in sorted(atoms)},
    }
    return replace(made, atoms=atoms, sources=sources, fingerprint=_digest(text))


def _all_sources(atom: Atom, draft: _Draft) -> tuple[str, ...]:
    if atom.is_leaf:
        return tuple(s for name in atom.operands for s in draft.atoms[name].sources)
    return atom.sources


# --- fingerprints ----------------------------------------------------------------------------------------------------


def _atom_text(atom: Atom, draft: _Draft) -> dict[str, Any]:
    """Canonical text of an atom and everything below it; rows of reference tables are data and stay outside."""
    return {
        "over_time": atom.over_time,
        "theme": atom.theme,
        "parts": [
            {"value": part.value, "where": part.where or "", "source": _source_text(draft.sources[part.of])}
            for part in atom.parts
        ],
        "leaf": atom.leaf or "",
        "by": list(atom.by),
        "missing": dict(sorted(atom.missing.items())),
        "operands": {name: _atom_text(draft.atoms[name], draft) for name in sorted(atom.operands)},
    }


def _source_text(source: Source) -> dict[str, Any]:
    return {
        "of": source.of,
        "theme": source.theme,
        "month": ex.canonical(source.month, ex.ROW),
        "lookups": [[lookup.table, sorted(lookup.on.items()), lookup.required] for lookup in source.lookups],
        "latest": [source.latest.by, *source.latest.within] if source.latest else [],
    }


def _digest(value: Any) -> str:
    return sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
