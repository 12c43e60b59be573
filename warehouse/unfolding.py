"""Which source a crosstab is of, when nobody says it: the one whose figures its headings, title or sheet name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from warehouse.contracts import Contract, normalise_label
from warehouse.crosstab import period_heads, units_said
from warehouse.mapping import plain_columns, recognised
from warehouse.naming_measures import Wanted, strength
from warehouse.readers.across import read_head
from warehouse.readers.raw import RawTable

FEWEST_MONTHS = 3
"""So many columns named after months make a table that runs across the year."""


def months_across(labels: Sequence[str]) -> list[str]:
    """Return the labels that are months or quarters with nothing else in them, if they are several."""
    heads = [(label, head) for label in labels if (head := read_head(label))]
    plain = [label for label, head in heads if not head.rest and head.kind != "year"]
    return plain if len(plain) >= FEWEST_MONTHS else []


def has_time(labels: Sequence[str], contract: Contract) -> bool:
    """Tell whether a table has the column that says when its rows were true."""
    time = contract.column(contract.time_column)
    return any(normalise_label(label.rsplit("/", 1)[-1]) in time.labels for label in labels)


def crosstab_contract(contracts: Mapping[str, Contract], table: RawTable) -> Contract | None:
    """Return the contract whose figures a table with periods as columns names, None when there is none or several."""
    if not any(read_head(label) for label in table.labels):
        return None
    ranked = sorted(
        ((score, name) for name, contract in contracts.items() if (score := _score(table, contract)) is not None),
        reverse=True,
    )
    if not ranked or (len(ranked) > 1 and ranked[0][0] == ranked[1][0]):
        return None
    return contracts[ranked[0][1]]


def is_crosstab_of(table: RawTable, contract: Contract) -> bool:
    """Tell whether a table unfolds into rows of a contract: periods are its columns, and nothing of the key is missing."""
    heads = period_heads(table.labels, contract)
    return bool(heads) and _has_keys(contract, plain_columns(table, contract))


def _score(table: RawTable, contract: Contract) -> tuple[int, int] | None:
    """How surely a table is a crosstab of a contract: the length of the name its figures go by, and labels known."""
    if not is_crosstab_of(table, contract):
        return None
    heads = period_heads(table.labels, contract)
    found = plain_columns(table, contract)
    wanted = Wanted(contract, found, units_said(table, heads))
    texts = (table.title, table.sheet, *{head.rest for head in heads.values() if head.rest})
    named = max((strength(text, wanted) for text in texts if text), default=0)
    return (
        (named, recognised([label for at, label in enumerate(table.labels) if at not in heads], contract))
        if named
        else None
    )


def _has_keys(contract: Contract, found: frozenset[str]) -> bool:
    """Whether the columns are there that tell rows apart, but the period and the group, which unfolding may fill."""
    group = {contract.unpivot.dimension} if contract.unpivot else set()
    needed = {c.name for c in contract.columns if c.is_key and c.name != contract.time_column and c.default is None}
    return needed - group <= found and (not contract.org_column or contract.org_column in found)
