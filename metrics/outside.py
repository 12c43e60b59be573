"""Facts outside a unit's lifetime: handed in for months in which the unit did not exist, in no figure, and told.

A fact of a unit that is not born yet is told below its first parent, one of a unit that has ended below its last (or its
successor), by the tree the question asks for; so nothing that was handed in vanishes unsaid.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from metrics.calibers import of_caliber
from metrics.cubes import is_followed
from metrics.editions import in_force
from metrics.knowledge import knowledge
from metrics.model import Answer, Catalogue, Indicator, Query
from metrics.question import Question, read_question
from metrics.tables import literal, quoted, table_names
from warehouse.base.periods import OPEN, month_label
from warehouse.store import Generation


@dataclass(frozen=True)
class Outside:
    """Rows of a dataset for months in which their unit did not live, told at one node."""

    node: str
    dataset: str
    title: Mapping[str, str]
    unit: str
    """Empty where the viewer may not see the unit by name."""
    unit_name: str
    month: int
    rows: int

    def as_json(self) -> dict[str, Any]:
        """Return plain values for printing."""
        return {
            "node": self.node, "dataset": self.dataset, "source": self.title["zh"], "source_en": self.title["en"],
            "unit": self.unit, "unit_name": self.unit_name, "period": month_label(self.month), "rows": self.rows,
        }  # fmt: skip


def outside_life(
    generation: Generation, catalogue: Catalogue, query: Query, nodes: Sequence[str] = ()
) -> tuple[Outside, ...]:
    """Return the facts outside a lifetime that the asked figures would have read, at the asked or the given nodes."""
    catalogue = of_caliber(in_force(generation, catalogue, query.known_at), query.caliber, query.grain)
    known = knowledge(generation)
    question = read_question(generation, catalogue, query, known)
    parts = [question.elapsed_part(window) for window in question.windows]
    spans = [(part.from_m, part.to_m) for part in parts if part.months > 0]
    datasets = sorted(
        {name for i in question.indicators if query.scope.allows_theme(i.theme) for name in _read_by(i, catalogue)}
    )
    tables = table_names(generation.con)
    live = [name for name in datasets if is_followed(generation.con, generation.contracts[name], tables)]
    if not spans or not live:
        return ()
    rows = _rows(generation, question, nodes or query.nodes, live, spans)
    register, seq = known.register, question.seq
    found = []
    for node, dataset, unit, month, count in rows:
        seen = register.visible(unit, 0, OPEN, seq, query.scope)
        if register.excluded(unit, 0, OPEN, seq) or not register.visible(node, month, month + 1, seq, query.scope):
            continue
        name = register.name(unit, month, seq) if seen else "—"
        title = generation.contracts[dataset].title
        found.append(Outside(node, dataset, title, unit if seen else "", name, month, count))
    return tuple(found)


def counts_outside(generation: Generation, catalogue: Catalogue, query: Query, answers: Sequence[Answer]) -> list[int]:
    """Return for each answer how many such facts belong to its node, its period and the datasets it reads."""
    found = outside_life(generation, catalogue, query, tuple(dict.fromkeys(answer.node for answer in answers)))
    if not found:
        return [0] * len(answers)
    catalogue = of_caliber(in_force(generation, catalogue, query.known_at), query.caliber, query.grain)
    question = read_question(generation, catalogue, query, knowledge(generation))
    parts = {window.label: question.elapsed_part(window) for window in question.windows}
    read = {indicator.id: _read_by(indicator, catalogue) for indicator in question.indicators}
    return [
        sum(
            one.rows for one in found
            if one.node == answer.node and one.dataset in read[answer.indicator]
            and parts[answer.period].from_m <= one.month < parts[answer.period].to_m
        )
        for answer in answers
    ]  # fmt: skip


def _read_by(indicator: Indicator, catalogue: Catalogue) -> frozenset[str]:
    """Return the datasets an indicator's atoms are read from."""
    names: set[str] = set()
    for version in indicator.versions:
        for atom in version.atoms:
            if atom in catalogue.atoms:
                read = (atom, *catalogue.atoms[atom].operands)
                names |= {part.of for name in read for part in catalogue.atoms[name].parts}
    return frozenset(catalogue.sources[name].of for name in names)


def _rows(generation: Generation, question: Question, nodes: Sequence[str], datasets: Sequence[str],
          spans: Sequence[tuple[int, int]]) -> list[tuple[str, str, str, int, int]]:  # fmt: skip
    """Return node, dataset, unit, month and number of rows, as known at the batch of the question."""
    if question.seq >= generation.through_seq:
        facts = "SELECT dataset, unit, month_no, rows FROM outside_life WHERE dataset IN (SELECT unnest($datasets))"
    else:
        facts = " UNION ALL ".join(_facts_then(name) for name in datasets)
    month = "f.month_no" if question.tree_month is None else "$tree_month"
    text = f"""
    SELECT k.anc, f.dataset, f.unit, f.month_no, sum(f.rows)::BIGINT
    FROM ({facts}) f JOIN closure_ext k ON k.dsc = f.unit AND {month} >= k.from_m AND {month} < k.to_m
     AND k.rec_from <= $seq AND $seq < k.rec_to
    WHERE k.anc IN (SELECT unnest($nodes)) AND f.month_no >= $lo AND f.month_no < $hi
    GROUP BY ALL ORDER BY ALL"""
    given: dict[str, object] = {
        "nodes": list(nodes), "seq": question.seq, "lo": min(low for low, _ in spans), "hi": max(high for _, high in spans),
    }  # fmt: skip
    if question.tree_month is not None:
        given["tree_month"] = question.tree_month
    if "$datasets" in text:
        given["datasets"] = list(datasets)
    rows = generation.con.execute(text, given).fetchall()
    return [row for row in rows if any(low <= row[3] < high for low, high in spans)]


def _facts_then(dataset: str) -> str:
    """SQL of what the generation keeps of now, as it was known at `$seq`."""
    return f"""
        SELECT {literal(dataset)} AS dataset, d.unit, d.month_no, count(*) AS rows FROM (
            SELECT unit, unnest(range(greatest(from_m, $lo)::BIGINT, least(to_m, $hi)::BIGINT))::INTEGER AS month_no
            FROM {quoted("d_" + dataset)} WHERE rec_from <= $seq AND $seq < rec_to AND from_m < $hi AND to_m > $lo) d
        WHERE NOT EXISTS (SELECT 1 FROM closure c WHERE c.dsc = d.unit AND c.depth = 0 AND d.month_no >= c.from_m
                          AND d.month_no < c.to_m AND c.rec_from <= $seq AND $seq < c.rec_to)
        GROUP BY ALL"""
