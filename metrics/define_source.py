"""A source block: a dataset with its lookups, its version rule, its dimensions, and the names expressions may use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from metrics import expressions as ex
from metrics.drafting import Block, Draft, check_keys, row_expression
from metrics.due_window import define_due
from metrics.model import THEMES, Latest, Lookup, Source
from warehouse.contracts import Contract

_SOURCE_KEYS = ("of", "theme", "lookups", "latest", "month", "dims", "where", "due")


def define_source(block: Block, draft: Draft) -> Source | None:
    check_keys(block.where, block.data, _SOURCE_KEYS, draft)
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
    source = Source(
        block.name, contract.name, theme, lookups, latest, block.data.get("month"), dims, block.data.get("where"),
        define_due(block, contract, draft),
    )  # fmt: skip
    known = row_columns(source, draft.contracts)
    for dim in dims:
        if dim not in known:
            draft.fault(f"{block.where} dims", f"there is no column '{dim}'", dim, known)
    if source.month is not None:
        row_expression(f"{block.where} month", source.month, ex.ROW, known, draft)
    if source.where is not None:
        own = {column.name: column.name for column in contract.columns}
        row_expression(f"{block.where} where", source.where, ex.ROW, own, draft)
    return source


def _lookup(block: Block, item: Mapping[str, Any], contract: Contract, draft: Draft) -> Lookup | None:
    table = draft.contracts.get(item.get("table", ""))
    if table is None:
        draft.fault(f"{block.where} lookups", f"there is no dataset '{item.get('table')}'", item.get("table"), draft.contracts)  # fmt: skip
        return None
    known = {column.name for column in table.columns}
    own = {column.name for column in contract.columns} | {f"org.{c}" for c in org_columns(draft.contracts)}
    for key, value in item.get("on", {}).items():
        if key not in known:
            draft.fault(f"{block.where} lookups.{table.name}.on", f"'{table.name}' has no column '{key}'", key, known)
        if value not in own:
            draft.fault(f"{block.where} lookups.{table.name}.on", f"there is no column '{value}'", value, own)
    if not item.get("on"):
        draft.fault(f"{block.where} lookups.{table.name}", "key 'on' is missing")
    where = item.get("where")
    if where is not None:
        columns = {column.name: column.name for column in table.columns}
        row_expression(f"{block.where} lookups.{table.name}.where", where, ex.ROW, columns, draft)
    return Lookup(
        table.name, dict(item.get("on", {})), bool(item.get("required", False)), bool(item.get("factors", False)),
        _bands(block, item, contract, table, draft), where,
    )  # fmt: skip


def _bands(block: Block, item: Mapping[str, Any], contract: Contract, table: Contract, draft: Draft) -> dict[str, tuple[str, str]]:  # fmt: skip
    """Read by which measured values a row of the table is chosen: `bands = { gross_area = ["area_from", "area_to"] }`."""
    found: dict[str, tuple[str, str]] = {}
    where = f"{block.where} lookups.{table.name}.bands"
    own = {column.name for column in contract.columns if column.is_number}
    known = {column.name for column in table.columns if column.is_number}
    for measured, bounds in item.get("bands", {}).items():
        if measured not in own:
            draft.fault(where, f"'{contract.name}' has no column of numbers '{measured}'", measured, own)
        if not isinstance(bounds, list) or len(bounds) != 2:
            draft.fault(where, f"'{measured}' lies between two columns of '{table.name}': write [\"from\", \"to\"]")
            continue
        for name in bounds:
            if name not in known:
                draft.fault(where, f"'{table.name}' has no column of numbers '{name}'", str(name), known)
        found[measured] = (str(bounds[0]), str(bounds[1]))
    return found


def _latest(block: Block, contract: Contract, draft: Draft) -> Latest | None:
    data = block.data.get("latest")
    if data is None:
        return None
    known = {column.name for column in contract.columns}
    within = tuple(data.get("within", [c for c in contract.keys if c != data.get("by")]))
    for name in (data.get("by", "?"), *within):
        if name not in known:
            draft.fault(f"{block.where} latest", f"'{contract.name}' has no column '{name}'", name, known)
    return Latest(data.get("by", "?"), within)


def org_columns(contracts: Mapping[str, Contract]) -> tuple[str, ...]:
    register = contracts.get("org_unit")
    return tuple(column.name for column in register.columns) if register else ()


def row_columns(source: Source, contracts: Mapping[str, Contract]) -> dict[str, str]:
    """Return every name an expression over this source may use → the column of the prepared rows it stands for."""
    names = {f"org.{name}": f"org__{name}" for name in org_columns(contracts)}
    for lookup in reversed(source.lookups):
        for column in contracts[lookup.table].columns:
            names[f"{lookup.table}.{column.name}"] = f"{lookup.table}__{column.name}"
            names[column.name] = f"{lookup.table}__{column.name}"
    for column in contracts[source.of].columns:
        names[column.name] = column.name
        if column.cumulative and column.is_number:
            names[f"{column.name}_flow"] = f"{column.name}_flow"
    if source.due is not None:
        names[source.due.name] = source.due.name
    return names | {"unit": "unit", "note": "note"}
