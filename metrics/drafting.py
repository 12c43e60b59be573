"""Drafting the catalogue: blocks of definition files, and the faults found in them, collected and never raised singly."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlglot import exp

from metrics import expressions as ex
from metrics.expressions import BadExpression
from metrics.model import Atom, Indicator, Source, Spell, Texts
from warehouse.base.errors import suggest
from warehouse.contracts import Contract


@dataclass(frozen=True)
class Block:
    """One table of a definition file, with the place a fault is reported at."""

    file: str
    kind: str
    name: str
    data: Mapping[str, Any]
    part: str = ""
    """Set for a version of the past, which stands in a block below."""

    @property
    def where(self) -> str:
        """File and block, as a reader finds it."""
        return f"{self.file} [{self.kind}.{self.name}{self.part}]"


@dataclass
class Draft:
    """What is known while checking; faults are collected, never raised one by one."""

    contracts: Mapping[str, Contract]
    faults: list[str] = field(default_factory=list)
    sources: dict[str, Source] = field(default_factory=dict)
    atoms: dict[str, Atom] = field(default_factory=dict)
    indicators: dict[str, Indicator] = field(default_factory=dict)
    spells: dict[str, tuple[Spell, ...]] = field(default_factory=dict)
    """Atoms that were defined otherwise once: which version was in force in which months, oldest first."""

    def fault(self, where: str, text: str, name: str | None = None, known: Iterable[str] = ()) -> None:
        near = suggest(name, known) if name else ()
        self.faults.append(f"{where}: {text}" + (f"; did you mean '{near[0]}'?" if near else ""))


def check_keys(where: str, data: Mapping[str, Any], known: Iterable[str], draft: Draft) -> None:
    for key in data:
        if key not in known:
            draft.fault(where, f"unknown key '{key}'", key, known)


def row_expression(where: str, text: Any, allowed: tuple[type[exp.Expr], ...], known: Mapping[str, str],
                    draft: Draft) -> exp.Expr | None:  # fmt: skip
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


def read_texts(block: Block, key: str, data: Any, draft: Draft) -> Texts:
    if not isinstance(data, Mapping) or set(data) != {"zh", "en"} or not all(str(v).strip() for v in data.values()):
        draft.fault(f"{block.where} {key}", "needs one text in zh and one in en")
        return Texts("", "")
    return Texts(str(data["zh"]), str(data["en"]))
