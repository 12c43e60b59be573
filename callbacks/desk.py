"""What the page of hand-overs knows: the files somebody gave in, what they may be, and how their units stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from warehouse import desk
from warehouse.base.clock import Clock
from warehouse.column_sights import column_titles
from warehouse.contracts import Contract
from warehouse.operations.handover import HandoverRow, handovers
from warehouse.store import Store

Words = Mapping[str, str]
LISTED = 30
"""Hand-overs a page lists: all that are open come first."""


@dataclass(frozen=True)
class SourceCard:
    """A source a file may be of, and the columns a label may be: name and title, required ones first."""

    name: str
    titles: Words
    columns: tuple[tuple[str, Words], ...] = ()


@dataclass(frozen=True)
class DeskView:
    """The viewer's hand-overs; the token proves that a page was served by this store."""

    token: str = ""
    rows: tuple[HandoverRow, ...] = ()
    sources: Mapping[str, SourceCard] = field(default_factory=dict)


@dataclass(frozen=True)
class Waiting:
    """How many rows of a source, unit and period wait to be corrected."""

    dataset: str
    titles: Words
    unit: str | None
    period: str | None
    rows: int


def desk_view(store: Store, clock: Clock, actor: str, contracts: Mapping[str, Contract]) -> DeskView:
    """Return the hand-overs of somebody and the sources their files may be of."""
    rows = handovers(store.control.engine, actor, LISTED)
    sources = {contract.name: source_card(contract) for contract in contracts.values()}
    return DeskView(desk.token_of(store, actor, clock().date()), rows, sources)


def source_card(contract: Contract) -> SourceCard:
    """Return what a person may choose from a contract."""
    pivot = contract.unpivot
    turned = (pivot.dimension, *pivot.measures) if pivot else ()
    ordered = sorted(contract.all_columns, key=lambda column: not column.required)
    columns = tuple((c.name, column_titles(contract, c.name)) for c in ordered if c.name not in turned)
    return SourceCard(contract.name, contract.title, columns)
