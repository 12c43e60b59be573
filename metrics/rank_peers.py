"""Step 5: the place of each node among its peers, where a rank or a percentile is asked.

Peers share the attributes an indicator names, in the last month of the window and as known then; as a rule level, kind
and climate zone. Equal figures share a rank; who has no figure has none and is counted as missing. A viewer learns the
place of the nodes in scope and how many were compared, never another node's name or figure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from metrics.formula import TIMES
from metrics.plan import Ask, Plan, reports_of
from metrics.question import Question
from metrics.tables import quoted
from warehouse.store import Generation

FEWEST = 5
"""Peers with a figure below which no percentile is shown (rules for the engine, 6)."""


def rank_peers(plan: Plan) -> Plan:
    """Wrap the answers of all peers into their order."""
    if not plan.shape.peers:
        return plan
    traits = [f"o.{quoted(name)}" for name in plan.shape.peers]
    plan = plan.with_cte("answers", "the figure of every peer", plan.final)
    plan = plan.with_cte(
        "peers",
        "what makes nodes peers, in the last month of each window",
        f"SELECT v.w, o.code AS node, {', '.join(traits)}\n"
        "FROM (SELECT unnest(range(len($ends)))::INTEGER AS w, unnest($ends) AS last) v\n"
        "JOIN d_org_unit o ON o.from_m < v.last AND v.last <= o.to_m AND o.rec_from <= $seq AND $seq < o.rec_to",
    )
    group = ", ".join(["a.w", *(f"g.{quoted(name)}" for name in plan.shape.peers)])
    columns = [f"a.{quoted(name)}" for name in plan.columns]
    names: list[str] = []
    for ask in plan.shape.asks:
        for name, text in _standing(plan, ask, group):
            columns.append(f"{text} AS {quoted(name)}")
            names.append(name)
    listed = ",\n  ".join(columns)
    final = f"SELECT\n  {listed}\nFROM answers a JOIN peers g ON g.node = a.node AND g.w = a.w"
    return replace(plan, columns=(*plan.columns, *names), final=final)


def _standing(plan: Plan, ask: Ask, group: str) -> list[tuple[str, str]]:
    value = f"a.{quoted(f'{ask.id}.value')}"
    rank = f"rank() OVER (PARTITION BY {group} ORDER BY {value} {ask.order} NULLS LAST)"
    count = f"count({value}) OVER (PARTITION BY {group})"
    owed = " OR ".join(f"a.{quoted(column)} > 0" for column in _due_columns(plan, ask))
    due = f"count(CASE WHEN {owed} THEN 1 END) OVER (PARTITION BY {group})"
    place = f"CAST({rank} - 1 AS DOUBLE) / CAST({count} - 1 AS DOUBLE) * 100.0"
    return [
        (f"{ask.id}.rank", f"CASE WHEN {value} IS NOT NULL THEN {rank} END"),
        (f"{ask.id}.peers", count),
        (f"{ask.id}.peers_due", due),
        (f"{ask.id}.pct", f"CASE WHEN {value} IS NOT NULL AND {count} >= {FEWEST} THEN {place} END"),
    ]


def _due_columns(plan: Plan, ask: Ask) -> list[str]:
    own = [o for o in ask.formula.operands if o.atom not in TIMES and not o.shift and not o.above]
    reports = {r.column("due") for o in own or ask.formula.operands for r in reports_of(o, plan.layout)}
    return sorted(reports)


def peer_codes(generation: Generation, question: Question, peers: Sequence[str], nodes: Sequence[str], ends: Sequence[int]) -> list[str]:  # fmt: skip
    """Return the codes of the nodes asked and of everyone who is their peer at the end of a window."""
    same = " AND ".join(f"p.{quoted(name)} IS NOT DISTINCT FROM o.{quoted(name)}" for name in peers)
    rows = generation.con.execute(
        "SELECT DISTINCT p.code FROM (SELECT unnest($ends) AS last) v "
        "JOIN d_org_unit o ON o.from_m < v.last AND v.last <= o.to_m AND o.rec_from <= $seq AND $seq < o.rec_to "
        "JOIN d_org_unit p ON p.from_m < v.last AND v.last <= p.to_m AND p.rec_from <= $seq AND $seq < p.rec_to "
        f"WHERE o.code IN (SELECT unnest($nodes)) AND {same} ORDER BY p.code",
        {"ends": list(dict.fromkeys(ends)), "seq": question.seq, "nodes": list(nodes)},
    ).fetchall()
    return [code for (code,) in rows]
