"""The rows of reference tables that stand behind a figure: which document says so, how well that is known, since when.

Two ways a row bears on a figure: it was looked up for the rows the figure is made of (a cap, a factor, what counts), or
the figure is held against it (a quota, a target). A row that is only recalled, from practice or of this project is 待核实
wherever it bears on anyone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from metrics.calibers import of_caliber
from metrics.drill_rows import looked_lines
from metrics.editions import in_force
from metrics.facts import cell_sources
from metrics.knowledge import knowledge
from metrics.model import Answer, Catalogue, Indicator, Query, Source
from metrics.question import Question, read_question
from warehouse.base.periods import month_label
from warehouse.store import Generation

RULE_COLUMNS = ("doc_no", "clause", "evidence", "status", "from_m")
"""What every reference table says of its rows."""
CONFIRMED = frozenset({"C", "C2", "L"})
"""Official text, official report of it, the bureau's own document; everything else is to be verified."""


@dataclass(frozen=True)
class RuleRow:
    """One row of a reference table behind a figure."""

    table: str
    document: str
    clause: str
    evidence: str
    to_verify: bool
    valid_from: str
    """The month the row begins in."""
    line: str = ""
    """Of what a figure is held against: guide, base, limit, target."""
    value: Decimal | None = None
    unit: str = ""
    rows: int = 0
    """How many rows of the figure it was looked up for."""

    def as_json(self) -> dict[str, Any]:
        """Return what is told of a row; what does not apply is left out."""
        held = {"line": self.line, "value": self.value, "unit": self.unit} if self.line else {"rows": self.rows}
        return {
            "table": self.table, "document": self.document, "clause": self.clause, "evidence": self.evidence,
            "to_verify": self.to_verify, "valid_from": self.valid_from, **held,
        }  # fmt: skip


def rule_row(
    table: str, told: Sequence[Any], *, line: str = "", value: Any = None, unit: str = "", rows: int = 0
) -> RuleRow:
    """Return a row from the values of `RULE_COLUMNS`."""
    document, clause, evidence, status, from_m = told
    verify = str(evidence or "") not in CONFIRMED or status == "待核实"
    exact = None if value is None else Decimal(str(value))
    return RuleRow(
        table, document or "", clause or "", evidence or "", verify, month_label(int(from_m)), line, exact, unit, rows
    )


def rules_behind(generation: Generation, catalogue: Catalogue, query: Query, answers: Sequence[Answer]) -> list[tuple[RuleRow, ...]]:  # fmt: skip
    """Return, for each answer, the rows of reference tables that were looked up for what it is made of.

    One statement for each lookup, whatever the number of nodes and windows; a part of a node has the rows of its node.
    """
    generation = generation.seen(query.state)
    catalogue = of_caliber(in_force(generation, catalogue, query.known_at), query.caliber, query.grain)
    question = read_question(generation, catalogue, replace(query, by=None), knowledge(generation))
    nodes = sorted({a.node for a in answers if a.status not in ("forbidden", "excluded")})
    found: dict[str, Mapping[tuple[str, str], tuple[RuleRow, ...]]] = {}
    for indicator in question.indicators:
        found[indicator.id] = _of_indicator(generation, catalogue, question, indicator, nodes)
    return [found[a.indicator].get((a.node, a.period), ()) if a.node in nodes else () for a in answers]


def _of_indicator(generation: Generation, catalogue: Catalogue, question: Question, indicator: Indicator,
                  nodes: Iterable[str]) -> dict[tuple[str, str], tuple[RuleRow, ...]]:  # fmt: skip
    windows = [part for w in question.windows if (part := question.elapsed_part(w)).months > 0]
    known = knowledge(generation).layout.themes
    lines: dict[tuple[str, str], dict[tuple[Any, ...], int]] = {}
    for source in _sources(catalogue, indicator):
        for lookup in source.lookups:
            if source.name not in known or not {"evidence", "doc_no"} <= _columns(generation, lookup.table):
                continue
            text = looked_lines(source, lookup, question, RULE_COLUMNS)
            given = {
                "node": list(nodes), "seq": question.seq, "tree_month": question.tree_month,
                "labels": [w.label for w in windows], "firsts": [w.from_m for w in windows], "ends": [w.to_m for w in windows],
                "from": min((w.from_m for w in windows), default=0), "to": max((w.to_m for w in windows), default=0),
            }  # fmt: skip
            used = {name: value for name, value in given.items() if f"${name}" in text}
            for node, label, *told, count in generation.con.execute(text, used).fetchall():
                held = lines.setdefault((node, label), {})
                held[(lookup.table, *told)] = held.get((lookup.table, *told), 0) + int(count)
    return {
        key: tuple(sorted((rule_row(table, told, rows=n) for (table, *told), n in held.items()), key=lambda row: (row.table, -row.rows, row.clause)))
        for key, held in lines.items()
    }  # fmt: skip


def _sources(catalogue: Catalogue, indicator: Indicator) -> list[Source]:
    names = dict.fromkeys(s for atom in indicator.atoms for s in cell_sources(catalogue.atoms[atom], catalogue))
    return [catalogue.sources[name] for name in names]


def _columns(generation: Generation, table: str) -> set[str]:
    return {column.name for column in generation.contracts[table].columns}
