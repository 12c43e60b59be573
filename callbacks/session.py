"""One request of one viewer on one generation: every question of a screen, asked of the package that can answer it."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from callbacks.cards import card_of
from callbacks.desk import DeskView, Waiting, desk_view
from callbacks.entry import Entry, entry
from callbacks.language import Language
from callbacks.ledger import batch_of, doubtful_of, due_of, refused_of
from callbacks.memory import Memory, Thing
from callbacks.records import NO_DATA, alarm_of, landing_of
from callbacks.services import (
    Alarm,
    Batch,
    Doubtful,
    Due,
    IndicatorCard,
    Landing,
    Mark,
    Refused,
    StoreFacts,
    Tree,
    Viewer,
)
from callbacks.trees import arrange
from metrics.diff import Difference, difference
from metrics.doubtful import doubtful_rows
from metrics.drill import DrillRows, rows
from metrics.duties import duties
from metrics.evaluate import evaluate
from metrics.item_names import item_names
from metrics.knowledge import Known, knowledge
from metrics.model import AS_WAS, Answer, Catalogue, Query
from metrics.quotas import QUOTA_INDICATOR, energy_quotas
from metrics.standing import Standing
from warehouse import operations
from warehouse.base.clock import Clock
from warehouse.base.periods import Period, month_label, month_of
from warehouse.contracts import Contract
from warehouse.handover_rows import rows_of_handover
from warehouse.loads import last_month_at, load_days, loads, touching
from warehouse.operations.handover import HandoverRow
from warehouse.reach import Reach
from warehouse.store import Generation, Store
from warehouse.submissions import Submission, submission_status
from warehouse.units import ever_below, units_in
from warehouse.waiting import Wanted, counts


class Home(Protocol):
    """What outlives a request: the store, the definitions, the clock, and what was computed before."""

    store: Store
    clock: Clock
    memory: Memory

    @property
    def catalogue(self) -> Catalogue: ...

    @property
    def standing(self) -> Standing: ...

    @property
    def bounds(self) -> Mapping[str, str]: ...


@dataclass(frozen=True)
class LiveSession:
    """One request of one viewer on one generation."""

    viewer: Viewer
    generation: Generation
    home: Home

    @property
    def known(self) -> Known:
        """What the generation knows about its nodes and cubes."""
        return knowledge(self.generation)

    @property
    def now(self) -> dt.datetime:
        """The store clock of this request, to the hour: answers within an hour are the same questions."""
        return self.home.clock().replace(minute=0, second=0, microsecond=0)

    @property
    def facts(self) -> StoreFacts:
        """What the store says about itself."""
        meta = self.generation.meta
        name = meta.get("name_zh", "")
        return StoreFacts(
            origin=meta.get("origin", "real"),
            currency=meta.get("currency", "CNY"),
            zone=self.generation.zone,
            names={"zh": name, "en": meta.get("name_en", name)},
            through_seq=self.generation.through_seq,
            published_at=self.generation.recorded_at(self.generation.through_seq),
            has_review=self.generation.has_review,
            fiscal_start=self.generation.fiscal_start,
            definition_faults=len(self.home.standing.faults),
        )

    # --- figures ------------------------------------------------------------------------------------------------------

    def evaluate(self, queries: Sequence[Query]) -> tuple[Answer, ...]:
        """Answer all queries in their order; the same question is computed once."""
        return tuple(answer for query in queries for answer in self._answer(query))

    def _answer(self, query: Query) -> tuple[Answer, ...]:
        asked = replace(query, now=self.now)
        return self._once("answer", asked, lambda: evaluate(self.generation, self.home.catalogue, asked))

    def _once(self, what: str, key: Hashable, compute: Callable[[], Thing]) -> Thing:
        """Compute a thing once per generation: a generation never changes."""
        return self.home.memory.once((self.generation.number, what, key), compute)

    def indicators(self) -> Mapping[str, IndicatorCard]:
        """Return every indicator that has a block of its own, inside the viewer's themes."""
        return self._once("indicators", self.viewer.scope, self._indicators)

    def _indicators(self) -> dict[str, IndicatorCard]:
        atoms = self.known.layout.atoms
        allowed = [i for i in self.home.catalogue.written if self.viewer.scope.allows_theme(i.theme)]
        return {i.id: card_of(i, all(name in atoms for name in i.atoms)) for i in allowed}

    def entry(self, indicator: str, words: Language) -> Entry | None:
        """Return the page of the handbook of an indicator; None outside the viewer's themes."""
        if indicator not in self.indicators():
            return None
        catalogue = self.home.catalogue
        return entry(catalogue.indicators[indicator], catalogue, self.generation.contracts, words)

    def latest_period(self, known_at: dt.datetime | None) -> str | None:
        """Return the last month of which figures were known."""
        seq = self.generation.batch_at(known_at)
        if seq <= 0 or not self.known.register.begun(seq):
            return None
        return month_label(last_month_at(self.generation, seq))

    def known_days(self) -> tuple[dt.date, ...]:
        """Return the local days on which something was recorded."""
        return self._once("days", None, lambda: load_days(self.generation))

    # --- the organisation ---------------------------------------------------------------------------------------------

    def tree(self, known_at: dt.datetime | None, tree: str) -> Tree:
        """Return the organisation of the newest month (or of the tree's day) as known then, inside the scope."""
        month = self._month(known_at) if tree == AS_WAS else month_of(dt.date.fromisoformat(tree))
        seq = self.generation.batch_at(known_at)
        return self._once("tree", (seq, month, self.viewer.scope), lambda: self._tree(seq, month))

    def _month(self, known_at: dt.datetime | None) -> int:
        latest = self.latest_period(known_at)
        return Period.parse(latest).from_m if latest else int(self.generation.meta["last_month"])

    def _tree(self, seq: int, month: int) -> Tree:
        register, scope = self.known.register, self.viewer.scope
        units = units_in(self.generation, month, seq)
        seen = [unit for unit in units if register.visible(unit.code, month, month + 1, seq, scope)]
        return arrange(seen, lambda code: register.other_names(code, seq))

    def _below(self, node: str, known_at: dt.datetime | None) -> frozenset[str]:
        """Return a node and everything ever known below it."""
        seq = self.generation.batch_at(known_at)
        return self._once("below", (node, seq), lambda: ever_below(self.generation, node, seq))

    # --- insights: stored by the worker, only read here ---------------------------------------------------------------

    def warnings(self, node: str, known_at: dt.datetime | None) -> tuple[Alarm, ...]:
        """Return the warnings known then at a node and below it."""
        rows = operations.warnings(self.home.store.control.engine, known_at, self._below(node, known_at))
        cards, bounds, members = self.indicators(), self.home.bounds, self.labels("item_code")
        return tuple(
            alarm_of(
                row,
                theme=cards[row.indicator].theme,
                kind=bounds.get(row.rule, "threshold"),
                member=members.get(row.dim_value or "", row.dim_value or ""),
            )
            for row in rows
            if row.indicator in cards
        )

    def landings(self, node: str, known_at: dt.datetime | None) -> tuple[Landing, ...]:
        """Return the stored projections of a node, with last year's running totals beside them."""
        rows = operations.landings(self.home.store.control.engine, node=node, known_at=known_at)
        cards = self.indicators()
        return tuple(
            landing_of(row, cards[row.indicator], self._running(row.indicator, row.node, row.year - 1, known_at))
            for row in sorted(rows, key=lambda row: row.indicator != "op_funds_exp")
            if row.indicator in cards and row.status != NO_DATA
        )

    def _running(self, indicator: str, node: str, year: int, known_at: dt.datetime | None) -> dict[str, float]:
        question = Query(
            indicators=(indicator,),
            nodes=(node,),
            period_from=str(year),
            period_to=str(year),
            grain="ytd",
            known_at=known_at,
            scope=self.viewer.scope,
            actor=self.viewer.actor,
        )
        return {answer.period: float(answer.value) for answer in self._answer(question) if answer.value is not None}

    # --- what a figure is read against, and what lies behind it -------------------------------------------------------

    def marks(self, indicator: str, node: str, period: str, known_at: dt.datetime | None) -> tuple[Mark, ...]:
        """Return the energy quota of a unit by its level and climate; regions have no quota of their own."""
        if indicator != QUOTA_INDICATOR:
            return ()
        seq, month = self.generation.batch_at(known_at), Period.parse(period).from_m
        quotas = self._once("quotas", (seq, month), lambda: energy_quotas(self.generation, month, seq))
        return tuple(
            Mark(line, float(row.value), row) for line, row in quotas.get(node, {}).items() if row.value is not None
        )

    def drill(self, query: Query, limit: int) -> DrillRows:
        """Return the rows behind one figure, largest first, and their sums over all rows."""
        asked = replace(query, now=self.now)
        return self._once(
            "drill", (asked, limit), lambda: rows(self.generation, self.home.catalogue, asked, limit=limit)
        )

    def diff(self, query: Query, then: dt.datetime) -> tuple[Difference, ...]:
        """Return the figures that were others as known then, and the batches that moved them."""
        return self._once("diff", (query, then), lambda: self._diff(query, then))

    def _diff(self, query: Query, then: dt.datetime) -> tuple[Difference, ...]:
        return difference(
            self.generation,
            self.home.catalogue,
            indicators=query.indicators,
            nodes=query.nodes,
            period_from=query.period_from,
            period_to=query.period_to,
            grain=query.grain,
            from_time=then,
            to_time=None,
            scope=query.scope,
            actor=query.actor,
            changed_only=True,
            state=query.state,
        )

    def labels(self, dim: str) -> Mapping[str, str]:
        """Return the names of budget items: as the reference table has them, else as the files wrote them."""
        return self._once("labels", dim, lambda: item_names(self.generation)) if dim == "item_code" else {}

    # --- the ledger of data -------------------------------------------------------------------------------------------

    def batches(self, limit: int) -> tuple[Batch, ...]:
        """Return the latest loads, newest first; of a part of the tree only those that touched it."""
        contracts = {**self.generation.contracts, **self.home.store.records}
        found = loads(self.generation, limit)
        if self.viewer.scope.nodes is not None:
            found = touching(self.generation, found, self.tree(None, "as-was").nodes)
        return tuple(
            batch_of(load, contracts.get(load.dataset)) for load in found if self._may_see(contracts.get(load.dataset))
        )

    def _may_see(self, contract: Contract | None) -> bool:
        return contract is None or self.viewer.scope.allows_theme(contract.theme)

    def quarantine(self, limit: int) -> tuple[Refused, ...]:
        """Return the open entries of the quarantine, newest first."""
        entries = self.home.store.control.quarantine()
        if self.viewer.scope.nodes is not None:
            # a row nobody could place belongs to no viewer's part of the tree
            own = self.tree(None, "as-was").nodes
            entries = [entry for entry in entries if entry["unit"] in own]
        contracts = self.generation.contracts
        seen = [entry for entry in entries if self._may_see(contracts.get(entry["dataset"]))]
        return tuple(refused_of(entry, contracts.get(entry["dataset"])) for entry in reversed(seen[-limit:]))

    def doubts(self, node: str, known_at: dt.datetime | None, limit: int) -> tuple[Doubtful, ...]:
        """Return the doubtful rows below a node, newest month first."""
        nodes = self.tree(known_at, "as-was").nodes
        if node not in nodes:
            return ()
        said = operations.explanations(self.home.store.control.engine, known_at)
        contracts, themes = self.generation.contracts, self.viewer.scope
        found = doubtful_rows(self.generation, node, self.generation.batch_at(known_at), limit)
        return tuple(
            doubtful_of(
                row,
                contracts[row.dataset],
                nodes[row.unit].name if row.unit in nodes else row.unit,
                said.get(row.doubt_id),
                sees_all=themes.nodes is None,
            )
            for row in found
            if themes.allows_theme(contracts[row.dataset].theme)
        )

    # --- handing in ---------------------------------------------------------------------------------------------------

    def desk(self) -> DeskView:
        """Return the files the viewer handed in and what they may be."""
        return desk_view(self.home.store, self.home.clock, self.viewer.actor, self.generation.contracts)

    def reach(self) -> Reach:
        """Return for whom the viewer may report: everything ever below the nodes of the scope."""
        nodes = self.viewer.scope.nodes
        units = None if nodes is None else frozenset().union(*(self._below(node, None) for node in nodes))
        return Reach(units, self.viewer.scope.domains)

    def units_below(self, node: str) -> frozenset[str]:
        """Return a node inside the viewer's scope and everything ever below it; nothing for a node outside."""
        below, reach = self._below(node, None), self.reach().units
        return below if reach is None else below & reach

    def owns_unknown(self, node: str) -> bool:
        """Tell whether rows of a unit nobody knows are seen at a node: at a root, by a viewer whose scope is everything."""
        found = self.tree(None, AS_WAS).nodes.get(node)
        return self.viewer.scope.nodes is None and found is not None and found.parent is None

    def submissions(self, node: str, first: str, last: str) -> tuple[Submission, ...]:
        """Return what is owed and was handed in below a node for some months, newest month first."""
        low, high = Period.parse(first).from_m, Period.parse(last).to_m
        return self._once("submissions", (node, low, high, self.viewer.scope), lambda: self._owed(node, low, high))

    def _owed(self, node: str, low: int, high: int) -> tuple[Submission, ...]:
        contracts, scope = self.generation.contracts, self.viewer.scope
        found = submission_status(self.generation, from_m=low, to_m=high, units=self.units_below(node))
        seen = [one for one in found if scope.allows_theme(contracts[one.dataset].theme)]
        return tuple(sorted(seen, key=lambda one: (-one.month, one.dataset, one.unit)))

    def waiting(self, node: str) -> tuple[Waiting, ...]:
        """Return how many rows below a node wait to be corrected; at a root also those of a unit nobody knows."""
        contracts, units = self.generation.contracts, self.units_below(node)
        owns_unknown = self.owns_unknown(node)
        found = counts(self.home.store.control, contracts, Wanted())
        return tuple(
            Waiting(one.dataset, contracts[one.dataset].title, one.unit, one.period, one.open)
            for one in found
            if (owns_unknown if one.unit is None else one.unit in units)
            and one.dataset in contracts
            and self.viewer.scope.allows_theme(contracts[one.dataset].theme)
        )

    def still_waiting(self, row: HandoverRow) -> int:
        """Return how many rows of a hand-over still wait to be corrected."""
        return len(rows_of_handover(self.home.store.control, row))

    def due_list(self, node: str, period: str, known_at: dt.datetime | None) -> tuple[Due, ...]:
        """Return how complete each periodic source is below a node for a month."""
        seq, month = self.generation.batch_at(known_at), Period.parse(period).from_m
        owed = self._once(
            "duties", (node, month, seq), lambda: duties(self.generation, self.home.catalogue, node, month, seq)
        )
        contracts, themes = self.generation.contracts, self.viewer.scope
        today = (known_at or self.now).astimezone(zoneinfo.ZoneInfo(self.generation.zone)).date()
        label = month_label(month)
        return tuple(
            due_of(duty, contracts[duty.dataset], label, today) for duty in owed if themes.allows_theme(duty.theme)
        )
