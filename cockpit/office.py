"""The office a job works in: figures of one generation, the records it writes, and what time it is."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy.engine import Engine

from metrics.insights.lifecycle import Moment
from metrics.insights.model import Evaluate, Rule
from metrics.insights.nodes import Nodes
from metrics.model import Catalogue
from warehouse.base.clock import DEFAULT_ZONE
from warehouse.contracts import Contract
from warehouse.control import from_iso
from warehouse.store import Store


@dataclass(frozen=True)
class Office:
    """All a job may use: figures of one generation, the records it writes, and what time it is."""

    engine: Engine
    evaluate: Evaluate
    catalogue: Catalogue
    rules: tuple[Rule, ...]
    nodes: Nodes
    moments: tuple[Moment, ...]
    """Every batch with the time it became known and its dataset, oldest first."""
    contracts: Mapping[str, Contract]
    """The datasets, which say when their reports are due."""
    first_month: int
    last_month: int
    zone: zoneinfo.ZoneInfo
    now: dt.datetime
    fiscal_start: int = 1

    @property
    def through_seq(self) -> int:
        """Return the last batch the generation holds."""
        return self.moments[-1].seq if self.moments else 0

    @property
    def local(self) -> dt.datetime:
        """Return the time at the store's place."""
        return self.now.astimezone(self.zone)


def moments_of(store: Store, through_seq: int) -> tuple[Moment, ...]:
    """Return every batch a generation holds with the time it became known and what it brought."""
    batches = [b for b in store.control.batches() if 0 < b["batch_seq"] <= through_seq]
    return tuple(Moment(b["batch_seq"], from_iso(b["recorded_at"]), _news(b["dataset"])) for b in batches)


def _news(dataset: str) -> frozenset[str] | None:
    """A new organisation register may change any figure."""
    return None if dataset == "org_unit" else frozenset({dataset})


@contextmanager
def open_office(store: Store, now: dt.datetime) -> Iterator[Office]:
    """Open the published generation and everything a job needs, bound to one moment."""
    from metrics.evaluate import evaluate
    from metrics.insights.nodes import nodes_of
    from metrics.insights.rules import load_rules, usable
    from metrics.standing import standing

    catalogue = standing(store).catalogue
    generation = store.open_generation(memory="1GB", threads=2)
    try:
        yield Office(
            engine=store.control.engine,
            evaluate=lambda query: evaluate(generation, catalogue, query),
            catalogue=catalogue,
            rules=usable(load_rules(), catalogue.indicators),
            nodes=nodes_of(generation.con, generation.through_seq),
            moments=moments_of(store, generation.through_seq),
            contracts=generation.contracts,
            first_month=int(generation.meta["first_month"]),
            last_month=int(generation.meta["last_month"]),
            zone=zoneinfo.ZoneInfo(generation.meta.get("timezone", DEFAULT_ZONE)),
            now=now,
            fiscal_start=generation.fiscal_start,
        )
    finally:
        generation.close()
