"""Rows of a dataset as known at a batch, laid out by month and joined to the reference rows of that month."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from metrics import expressions as ex
from metrics.define_source import row_columns
from metrics.due_window import due_now
from metrics.facts import Needs, joins, looked_rows, lookup_sql, met_sql, needs, row_value
from metrics.model import Catalogue, Lookup, Part, Source
from metrics.question import Question
from metrics.tables import literal, quoted
from warehouse.base.periods import OPEN
from warehouse.billing import spread_label
from warehouse.store import Generation

DIVISION = "STRUCT(state VARCHAR, share DECIMAL(9,4), basis VARCHAR, document VARCHAR, is_secret BOOLEAN)"
"""What is known of how a row came from a shared bill; its fields are those of `drill_words.Division`."""

_NAMING = ("item_name", "name", "summary", "purpose", "model", "room_kind", "kind", "carrier", "contract_no")


def rows_sql(part: Part, source: Source, catalogue: Catalogue, generation: Generation, question: Question) -> str:
    """Return one line per source row: row_id, unit, first and last month, place in the file, label, division, v."""
    months = months_sql(part, source, catalogue, generation, question, ())
    return f"""
    SELECT row_id, unit, min(month_no) AS first, max(month_no) AS last, any_value(file_name) AS file_name,
           any_value(sheet) AS sheet, any_value(row_no) AS row_no, any_value(label) AS label, any_value(division) AS division, sum(v) AS v
    FROM ({months}) GROUP BY row_id, unit HAVING sum(v) <> 0"""


def months_sql(part: Part, source: Source, catalogue: Catalogue, generation: Generation, question: Question,
                by: tuple[str, ...]) -> str:  # fmt: skip
    """Return one line per source row and month, within the node and the window, with its value `v` and its cell."""
    contracts = generation.contracts
    want = needs(source, catalogue, contracts)
    known_columns = row_columns(source, contracts)
    value, condition = row_value(part, source, contracts)
    where = question.where
    kept = [condition] if condition else []
    if where is not None and where.row_dims:
        kept.append(where.rows)
    elif where is not None and where.units:
        kept.append(where.units)
    cells = "".join(f", {quoted(known_columns[name])} AS {quoted(name)}" for name in by)
    label = _label(source, generation)
    is_shared = contracts[source.of].shared is not None
    division = "division" if is_shared else f"NULL::{DIVISION}"
    text = _known_rows(source, is_shared)
    text = f"({due_now(source.due, text)})" if source.due else f"({text})"
    text = f"""
    SELECT r.*, unnest(range(greatest(r.from_m, t.from_m, $from)::BIGINT, least(r.to_m, t.to_m, $to)::BIGINT))::INTEGER AS month_no
    FROM {text} r JOIN ({tree_sql(source.theme, question)}) t ON t.unit = r.unit AND t.from_m < r.to_m AND r.from_m < t.to_m
    WHERE r.from_m < $to AND r.to_m > $from"""
    if source.due:
        text = f"SELECT *, month_no >= due_m AS {quoted(source.due.name)} FROM ({text})"
    for lookup, columns in _wanted_joins(source, want, question):
        text = _looked(text, lookup, columns)
    filtered = f" WHERE {' AND '.join(f'({k})' for k in kept)}" if kept else ""
    return f"SELECT row_id, unit, month_no, file_name, sheet, row_no, {label} AS label, {division} AS division, {value} AS v{cells} FROM ({text}){filtered}"


def _known_rows(source: Source, is_shared: bool) -> str:
    """Return the dataset as known at the asked batch, with the latest versions only where the source says so."""
    table = _with_shares(source.of) if is_shared else quoted("d_" + source.of)
    text = f"SELECT * FROM {table} WHERE rec_from <= $seq AND $seq < rec_to"
    if source.where:
        text = f"SELECT * FROM ({text}) WHERE {ex.sql(ex.read(source.where, ex.ROW))}"
    if source.latest is None:
        return text
    keys = ", ".join(quoted(name) for name in source.latest.within)
    order = f"{quoted(source.latest.by)} DESC NULLS LAST, row_id DESC"
    return f"{text} QUALIFY row_number() OVER (PARTITION BY {keys} ORDER BY {order}) = 1"


def _with_shares(dataset: str) -> str:
    """Return a dataset whose rows say how they came about: the share, its basis and document, or that none was given.

    Where a unit kept out of the figures has a part of the bill, no share is told: the bill would follow from it.
    """
    return f"""(
        SELECT d.*, CASE WHEN a.state IS NOT NULL THEN CAST(row(
            a.state, CASE WHEN NOT a.is_secret THEN a.share END, a.basis, a.document, a.is_secret) AS {DIVISION}) END AS division
        FROM {quoted("d_" + dataset)} d LEFT JOIN allocated a ON a.dataset = {literal(dataset)} AND a.row_id = d.row_id
         AND a.unit = d.unit AND a.from_m = d.from_m AND a.rec_from <= $seq AND $seq < a.rec_to)"""


def tree_sql(theme: str, question: Question) -> str:
    """Return the units that count below the asked node, and in which months."""
    at = "rec_from <= $seq AND $seq < {0}.rec_to"
    if question.tree_month is None:
        return (
            f"SELECT p.dsc AS unit, p.from_m, p.to_m FROM population p "
            f"WHERE p.theme = {literal(theme)} AND p.anc = $node AND p.{at.format('p')}"
        )
    return (
        f"SELECT p.dsc AS unit, p.from_m, p.to_m FROM population p JOIN closure_ext k ON k.dsc = p.dsc AND k.anc = $node "
        f"AND $tree_month >= k.from_m AND $tree_month < k.to_m AND k.{at.format('k')} "
        f"WHERE p.theme = {literal(theme)} AND p.depth = 0 AND p.anc = p.dsc AND p.{at.format('p')}"
    )


def _wanted_joins(source: Source, want: Needs, question: Question) -> list[tuple[Lookup, tuple[str, ...]]]:
    found = joins(source, want)
    attributes = question.where.unit_dims if question.where else ()
    if attributes and not any(lookup.table == "org" for lookup, _ in found):
        found.insert(0, (Lookup("org", {"code": "unit"}), ()))
    if attributes:
        found = [(k, (*c, *(f"{a}!" for a in attributes)) if k.table == "org" else c) for k, c in found]
    return found


def _looked(text: str, lookup: Lookup, columns: Iterable[str]) -> str:
    """Join the reference row of each row's month, as known at the asked batch; of two, the later-starting one."""
    table = "d_org_unit" if lookup.table == "org" else f"d_{lookup.table}"
    given = "".join(
        f", l.{quoted(c[:-1])} AS {quoted(c[:-1])}" if c.endswith("!") else f", l.{quoted(c)} AS {quoted(f'{lookup.table}__{c}')}"
        for c in columns
    )  # fmt: skip
    keys = ", ".join(quoted(name) for name in lookup.on)
    known = "WHERE rec_from <= $seq AND $seq < rec_to"
    settled = (
        f"SELECT * REPLACE (least(to_m, lead(from_m, 1, {OPEN}) OVER (PARTITION BY {keys} ORDER BY from_m, row_id)) AS to_m) "
        f"FROM {looked_rows(table, lookup.where)} {known}"
    )
    if lookup.bands:
        settled = f"SELECT * FROM ({lookup_sql(lookup)}) {known}"
    on = met_sql(lookup)
    kind = "JOIN" if lookup.required else "LEFT JOIN"
    return f"""
    SELECT r.*{given} FROM ({text}) r {kind} ({settled}) l
      ON {on} AND r.month_no >= l.from_m AND r.month_no < l.to_m"""


def _label(source: Source, generation: Generation) -> str:
    """Return the words that tell rows of a dataset apart: its keys and names, without the unit and the month."""
    contract = generation.contracts[source.of]
    skipped = {contract.org_column, contract.time_column, "line", "version"}
    names = [c.name for c in contract.columns if (c.is_key or c.name in _NAMING) and c.name not in skipped]
    told = [f"nullif(CAST({quoted(name)} AS VARCHAR), '')" for name in names]
    if contract.billing and contract.billing.start and contract.billing.end:
        told.append(spread_label(contract.billing.start, contract.billing.end))
    parts = ", ".join(told)
    return f"concat_ws(' · ', {parts})" if parts else "''"


def looked_lines(source: Source, lookup: Lookup, question: Question, columns: tuple[str, ...]) -> str:
    """Return node, window, columns of the table and how many rows of a source looked them up, below each asked node.

    Rows of a source that find no row of the table are not told; a standing row is counted once for each window.
    """
    own = {name: name.replace("org.", "org__") for name in lookup.on.values() if name.startswith("org.")}
    asked = replace(lookup, on={left: own.get(right, right) for left, right in lookup.on.items()})
    text = _known_rows(source, is_shared=False)
    tree = tree_sql(source.theme, question).replace("SELECT p.dsc AS unit", "SELECT p.anc AS node, p.dsc AS unit")
    tree = tree.replace("k.anc = $node", "k.anc IN (SELECT unnest($node))").replace(
        "p.anc = $node", "p.anc IN (SELECT unnest($node))"
    )
    if question.tree_month is not None:
        tree = tree.replace("SELECT p.anc AS node", "SELECT k.anc AS node")
    text = f"""
    SELECT r.*, t.node, v.label,
           unnest(range(greatest(r.from_m, t.from_m, v.first)::BIGINT, least(r.to_m, t.to_m, v.last)::BIGINT))::INTEGER AS month_no
    FROM ({text}) r JOIN ({tree}) t ON t.unit = r.unit AND t.from_m < r.to_m AND r.from_m < t.to_m
    JOIN (SELECT unnest($labels) AS label, unnest($firsts) AS first, unnest($ends) AS last) v
      ON v.first < r.to_m AND r.from_m < v.last"""
    if own:
        needed = tuple(name.removeprefix("org__") for name in own.values())
        text = _looked(text, Lookup("org", {"code": "unit"}), needed)
    inner = _looked(text, replace(asked, required=True), columns)
    named = ", ".join(quoted(f"{lookup.table}__{column}") for column in columns)
    return f"SELECT node, label, {named}, count(DISTINCT row_id) FROM ({inner}) GROUP BY ALL"
