"""Recognition: which source a file holds, and which of its sheets are of that source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from warehouse.contracts import Contract
from warehouse.manifest import Delivery
from warehouse.mapping import match_label, recognised
from warehouse.readers.faults import Fault, ReadRefused
from warehouse.readers.raw import RawTable
from warehouse.unfolding import crosstab_contract, has_time, is_crosstab_of, months_across

FEWEST_LABELS = 2
"""A sheet in which a source knows fewer labels is not of that source."""


def contract_of(contracts: Mapping[str, Contract], delivery: Delivery, tables: Sequence[RawTable]) -> Contract:
    """Return the declared source, else the contract that knows the most labels and misses no required column."""
    if delivery.source is not None:
        if delivery.source not in contracts:
            raise ReadRefused(Fault("unknown_source", delivery.name, value=delivery.source, hint="、".join(contracts)))
        return contracts[delivery.source]
    table = max(tables, key=lambda table: len(table.labels))
    if (unfolded := crosstab_contract(contracts, table)) is not None:
        return unfolded
    labels = table.labels
    ranked = ranked_contracts(contracts, labels)
    best = ranked[0]
    is_fit = is_complete(labels, best) and _says_something(labels, best)
    across = months_across(labels)
    if across and not has_time(labels, best):
        raise ReadRefused(
            Fault("months_across", delivery.name, table.sheet, value="、".join(across), hint=_near(ranked))
        )
    if not is_fit or recognised(labels, best) * 2 < min(len(labels), 8):
        raise ReadRefused(
            Fault("unknown_file", delivery.name, tables[0].sheet, value="、".join(labels), hint=_near(ranked))
        )
    return best


def _near(ranked: Sequence[Contract]) -> str:
    return "、".join(f"{c.title['zh']}（{c.name}）" for c in ranked[:3])


def own_sheets(
    contracts: Mapping[str, Contract], contract: Contract, tables: Sequence[RawTable], *, is_declared: bool
) -> tuple[RawTable, ...]:
    """Return the sheets of a source; a sheet that another source fits better is refused, not passed over."""
    if len(tables) == 1:
        return tuple(tables)
    own, others = [], []
    for table in tables:
        if is_crosstab_of(table, contract):
            own.append(table)
            continue
        best = ranked_contracts(contracts, table.labels)[0]
        known = recognised(table.labels, contract)
        is_own = best is contract or (is_declared and is_complete(table.labels, contract))
        if not is_own and is_complete(table.labels, best) and recognised(table.labels, best) > known:
            others.append(Fault("other_source", table.file, table.sheet, value=best.title["zh"], hint=best.name))
        elif known >= FEWEST_LABELS:
            own.append(table)
    if own and others:
        raise ReadRefused(*others)
    return tuple(own) or tuple(tables)


def is_complete(labels: Sequence[str], contract: Contract) -> bool:
    """Tell whether a sheet has every column that tells the rows of a source apart."""
    found = {match_label(label, contract.labels) for label in labels}
    pivoted = set()
    if contract.unpivot and any(name and "." in name for name in found):
        pivoted = {contract.unpivot.dimension, *contract.unpivot.measures}
    needed = {c.name for c in contract.columns if c.is_key and c.type != "month" and c.default is None}
    return needed <= found | pivoted


def _says_something(labels: Sequence[str], contract: Contract) -> bool:
    """Tell whether a sheet holds more of a source than the unit, the month and what else tells rows apart."""
    found = {name for label in labels if (name := match_label(label, contract.labels))}
    plain = {column.name for column in contract.columns if column.is_key or column.is_org}
    return bool(found - plain)


def ranked_contracts(contracts: Mapping[str, Contract], labels: Sequence[str]) -> list[Contract]:
    """Return the contracts, the one that a table's labels fit best first."""
    return sorted(contracts.values(), key=lambda c: (is_complete(labels, c), recognised(labels, c)), reverse=True)
