"""An indicator block: a formula over atoms with its texts, unit, direction, basis and worked example."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import Any, Literal, get_args

from sqlglot import exp

from metrics import expressions as ex
from metrics.check_units import formula_fault
from metrics.define_atom import atom_dims
from metrics.drafting import Block, Draft, check_keys, read_texts
from metrics.expressions import BadExpression
from metrics.fingerprints import atom_text, digest, plain_name
from metrics.formula import TIMES, WHOLE, Formula, parse_formula
from metrics.model import CALIBERS, THEMES, UNIT_DIMS, Atom, Better, Example, Indicator, Texts
from metrics.versions import rename_formula
from warehouse.base.errors import CockpitError
from warehouse.base.periods import GRAINS, Period

PEERS = ("level", "kind", "climate")
EVIDENCE = {
    "C": "official text",
    "C2": "official report of it",
    "R": "recalled",
    "D": "of this project",
    "K": "from practice",
}
INDICATOR_KEYS = (
    "title", "value", "unit", "scale", "theme", "better", "dims", "digits", "basis", "evidence", "from", "owner",
    "hint", "text", "example", "earlier", "peers", "coefficients", *CALIBERS[1:],
)  # fmt: skip
INDICATOR_VERSION_KEYS = ("value", "unit", "scale", "coefficients", "text", "evidence", "example")
_INDICATOR_NEEDS = ("title", "value", "unit", "theme", "better", "digits", "basis", "evidence", "text", "example")
_EXAMPLE_KEYS = ("period", "grain", "atoms", "expect", "numerator", "denominator", "parent", "parts", "part")


def define_indicator(block: Block, draft: Draft) -> Indicator | None:
    check_keys(block.where, block.data, INDICATOR_KEYS, draft)
    data = _of_its_kind(block, draft)
    absent = [key for key in _INDICATOR_NEEDS if key not in data and not (block.part and key == "example")]
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
        draft.fault(
            f"{block.where} evidence",
            f"'{data['evidence']}' is none of {', '.join(f'{tag} ({means})' for tag, means in EVIDENCE.items())}",
        )
    made = Indicator(
        id=block.name,
        title=read_texts(block, "title", data["title"], draft),
        unit=data["unit"],
        better=data["better"],
        digits=int(data["digits"]),
        theme=data["theme"],
        basis=read_texts(block, "basis", data["basis"], draft),
        evidence=data["evidence"],
        kind=formula.kind,
        dims=tuple(data.get("dims", ())),
        text=read_texts(block, "text", data["text"], draft),
        value=" ".join(data["value"].split()),
        scale=int(data.get("scale", 0)),
        owner=data.get("owner", ""),
        hint=read_texts(block, "hint", data["hint"], draft) if "hint" in data else None,
        since=data.get("from"),
        peers=_peers(block, draft),
        example=_example(block, data["example"], formula, draft) if "example" in data else None,
    )
    _check_dims(block, made, formula, draft)
    _check_unit(block, made, formula, draft)
    return finish(made, draft)


def _of_its_kind(block: Block, draft: Draft) -> dict[str, Any]:
    """Return the block with what is no list or no whole number told and put aside, so that the rest is still checked."""
    data = dict(block.data)
    for key in ("dims", "peers"):
        if key in data and not (isinstance(data[key], list) and all(isinstance(name, str) for name in data[key])):
            draft.fault(f"{block.where} {key}", f'must be a list of texts such as ["veh_class"], not {data[key]!r}')
            data[key] = []
    for key in ("digits", "scale"):
        if key in data and (not isinstance(data[key], int) or isinstance(data[key], bool)):
            draft.fault(f"{block.where} {key}", f"must be a whole number without quotes, not {data[key]!r}")
            data[key] = 0
    return data


def _peers(block: Block, draft: Draft) -> tuple[str, ...]:
    """Return what makes nodes peers: level, kind and climate zone unless the block says otherwise."""
    held = block.data.get("peers", PEERS)
    given = PEERS if isinstance(held, str) else tuple(held)
    for name in given:
        if name not in UNIT_DIMS:
            draft.fault(f"{block.where} peers", f"'{name}' is no attribute of units", name, UNIT_DIMS)
    if not given:
        draft.fault(f"{block.where} peers", f"is empty; name some of {', '.join(UNIT_DIMS)}")
    return given


def _formula(block: Block, draft: Draft) -> Formula | None:
    where = f"{block.where} value"
    try:
        formula = parse_formula(block.data["value"])
    except BadExpression as cause:
        draft.fault(where, str(cause))
        return None
    good = True
    for operand in formula.operands:
        if operand.atom in TIMES:
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


def _example(block: Block, data: Mapping[str, Any], formula: Formula, draft: Draft) -> Example | None:
    where = f"{block.where[:-1]}.example]"
    check_keys(where, data, _EXAMPLE_KEYS, draft)
    absent = [key for key in ("period", "grain", "expect") if key not in data]
    if not {"atoms", "parts"} & set(data):
        absent.append("atoms")
    for key in absent:
        draft.fault(where, f"key '{key}' is missing")
    if absent:
        return None
    data = {"atoms": {}, **data}
    if data["grain"] not in GRAINS:
        draft.fault(f"{where} grain", f"'{data['grain']}' is none of {', '.join(GRAINS)}")
    parted = {operand.atom for operand in formula.operands if operand.over} - TIMES
    by_part = data.get("parts", {})
    for name in sorted(parted ^ set(by_part)):
        draft.fault(f"{where} parts", f"'{name}' is {'missing' if name in parted else 'not in a whole() or top() of the formula'}", name, parted)  # fmt: skip
    used = {operand.atom for operand in formula.operands} - TIMES - parted
    for name in sorted(used ^ set(data["atoms"])):
        draft.fault(f"{where} atoms", f"'{name}' is {'missing' if name in used else 'not in the formula'}", name, used)
    above = {operand.atom for operand in formula.operands if operand.above} - TIMES
    held = data.get("parent", {})
    for name in sorted(above ^ set(held)):
        draft.fault(f"{where} parent", f"'{name}' is {'missing' if name in above else 'not in a parent() of the formula'}", name, above)  # fmt: skip
    try:
        Period.parse(data["period"])
        months = {name: _month_figures(table) for name, table in data["atoms"].items()}
        parent = {name: _month_figures(table) for name, table in held.items()}
        parts = {name: {part: _month_figures(table) for part, table in each.items()} for name, each in by_part.items()}
    except (CockpitError, InvalidOperation) as cause:
        draft.fault(where, f"cannot be read: {cause}")
        return None
    shown = [None if key not in data else str(data[key]) for key in ("numerator", "denominator")]
    return Example(
        data["grain"], data["period"], months, str(data["expect"]), shown[0], shown[1], parent, parts, data.get("part")
    )


def _month_figures(table: Mapping[str, Any]) -> dict[str, Decimal]:
    return {Period.parse(month).label: Decimal(str(figure)) for month, figure in table.items()}


def _check_dims(block: Block, made: Indicator, formula: Formula, draft: Draft) -> None:
    for operand in formula.operands:
        if operand.atom in TIMES:
            continue
        known = atom_dims(draft.atoms[operand.atom], draft.sources)
        for dim in made.dims:
            if dim not in known:
                draft.fault(f"{block.where} dims", f"atom '{operand.atom}' cannot be split by '{dim}'")
        if operand.is_top and operand.over not in known:
            draft.fault(f"{block.where} value", f"top(): atom '{operand.atom}' cannot be split by '{operand.over}'", operand.over, known)  # fmt: skip
        if operand.is_top and operand.over in made.dims:
            draft.fault(
                f"{block.where} dims", f"split by '{operand.over}' every part is its own greatest: leave it out"
            )
    if any(operand.over == WHOLE for operand in formula.operands) and not made.dims:
        draft.fault(
            f"{block.where} dims", "whole() says 1 of everything that is not split: name the dimension of the parts"
        )


def _check_unit(block: Block, made: Indicator, formula: Formula, draft: Draft) -> None:
    """Hold the declared unit against what the formula gives; numbers that are no change of size are named."""
    given = block.data.get("coefficients", ())
    used = {node.name for side in (formula.numerator, formula.denominator) if side is not None for node in side.find_all(exp.Literal)}  # fmt: skip
    for number in given:
        if str(number) not in used:
            draft.fault(f"{block.where} coefficients", f"the formula has no number {number}", str(number), used)
    fault = formula_fault(formula, made.unit, made.scale, draft.atoms, [str(number) for number in given])
    if fault:
        draft.fault(f"{block.where} unit", fault)


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
        role="yoy",
    )  # fmt: skip


def same_change(indicator: Indicator) -> Indicator | None:
    """Return `<id>_same`, the change over a year of the units that reported in both (同口径).

    A share of a parent has no such change: its base is another node's figure, with units of its own. Nor has what is read
    of parts: which of them is the greatest is told by all units.
    """
    change = yearly_change(indicator)
    if change is None or any(operand.above or operand.over for operand in parse_formula(indicator.value).operands):
        return None
    return replace(
        change,
        id=f"{indicator.id}_same",
        title=Texts(f"{change.title.zh}（同口径）", f"{change.title.en}, same units"),
        text=Texts(f"{change.text.zh}，两期各月均已报送的单位", f"{change.text.en}, over units that reported every month of both"),
        role="same",
    )  # fmt: skip


def finish(made: Indicator, draft: Draft, versions: Mapping[str, str] = MappingProxyType({})) -> Indicator:
    """Add what follows from the formula: its atoms, sources and fingerprint.

    `versions` says by which version an atom is read; the fingerprint is that of the rule as it was written then.
    """
    value = rename_formula(made.value, versions)
    formula = parse_formula(value)
    atoms = tuple(dict.fromkeys(o.atom for o in formula.operands if o.atom not in TIMES))
    sources = tuple(dict.fromkeys(s for a in atoms for s in _all_sources(draft.atoms[a], draft)))
    text = {
        "value": ex.canonical(rename_formula(value, {name: plain_name(name) for name in atoms}), ex.FORMULA),
        "scale": made.scale,
        "unit": made.unit,
        "theme": made.theme,
        **({"role": made.role} if made.role in ("same", "rank", "pct") else {}),
        **({"peers": list(made.peers), "first": made.first} if made.role in ("rank", "pct") else {}),
        "atoms": {plain_name(name): atom_text(draft.atoms[name], draft.atoms, draft.sources) for name in sorted(atoms)},
    }
    return replace(made, value=value, atoms=atoms, sources=sources, fingerprint=digest(text))


def _all_sources(atom: Atom, draft: Draft) -> tuple[str, ...]:
    if atom.is_leaf:
        return tuple(s for name in atom.operands for s in draft.atoms[name].sources)
    return atom.sources


def rank(indicator: Indicator) -> Indicator | None:
    """Return `<id>_rank`, the place among peers: 1 is the best by the good direction, without one the greatest figure."""
    if indicator.kind == "change":
        return None
    named = Texts(f"{indicator.title.zh}同类排名", f"{indicator.title.en}, rank among peers")
    text = Texts(f"{indicator.title.zh}在同类单位中的名次，并列同名次", f"Place of {indicator.title.en} among peers; equal figures share a place")  # fmt: skip
    return _standing(indicator, "rank", named, "名", text)


def percentile(indicator: Indicator) -> Indicator | None:
    """Return `<id>_pct`, how much of its peers a node comes after: 0 is the first, 100 the last."""
    if indicator.kind == "change":
        return None
    named = Texts(f"{indicator.title.zh}同类百分位", f"{indicator.title.en}, percentile among peers")
    text = Texts(
        "排在前面的同类单位 ÷ 其余同类单位，至少 5 家有数",
        "Peers that come before ÷ other peers; at least 5 with a figure",
    )
    return _standing(indicator, "pct", named, "%", text)


def _standing(indicator: Indicator, role: Literal["rank", "pct"], title: Texts, unit: str, text: Texts) -> Indicator:
    return replace(
        indicator,
        id=f"{indicator.id}_{role}",
        title=title,
        unit=unit,
        digits=0,
        better="neutral" if indicator.better in ("neutral", "band") else "lower",
        first=indicator.better,
        dims=(),
        text=text,
        example=None,
        hint=None,
        generated=True,
        role=role,
    )


BESIDE: tuple[Callable[[Indicator], Indicator | None], ...] = (yearly_change, same_change, rank, percentile)
"""What every indicator has beside itself."""
