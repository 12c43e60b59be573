"""The real services: one store on disk, its newest generation, the definitions and the operational records."""

from __future__ import annotations

import datetime as dt
import threading
import zoneinfo
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from typing import Any, TypeVar

import orjson

from callbacks.services import (
    Alarm,
    Batch,
    Due,
    IndicatorCard,
    Landing,
    LandingPoint,
    Mark,
    Node,
    Refused,
    StoreFacts,
    Tree,
    Version,
    Viewer,
)
from metrics.catalogue import load_catalogue
from metrics.diff import Difference, difference
from metrics.drill import DrillRows, rows
from metrics.evaluate import evaluate
from metrics.insights.rules import load_rules
from metrics.knowledge import Known, knowledge
from metrics.model import AS_WAS, THEMES, Answer, Catalogue, Indicator, Query
from metrics.nodes import initials
from warehouse import operations
from warehouse.base.clock import Clock, system_clock
from warehouse.base.errors import StoreError
from warehouse.base.periods import Period, month_label, month_of, month_start
from warehouse.control import from_iso, iso
from warehouse.readers.faults import Fault
from warehouse.readers.messages import message
from warehouse.store import Generation, Store

ITEM_NAMES = (
    ("d_budget_execution", "item_code", "item_name"),
    ("d_payment", "item_code", "item_name"),
    ("d_expense_item", "code", "name"),
)
"""Where names of budget items stand; later tables win."""
FLOWING = ("month", "date", "datetime")
"""Datasets whose rows say that a month has figures; a plan for the whole year does not."""
NAIVE, NO_DATA = "seasonal_naive", "no_data"
"""Method and status of stored projections that screens treat in a way of their own."""
_KEPT = 4096
_CONTROL_FILES = ("control.sqlite", "control.sqlite-wal")
Thing = TypeVar("Thing")
QUOTA_INDICATOR = "en_nonheat_per_area"
"""The quota table speaks of energy without heating and transport; no other intensity may be held against it."""


class LiveServices:
    """Opens the published generation, keeps it warm, and takes the next one as soon as it is published."""

    def __init__(self, store: Store, clock: Clock = system_clock) -> None:
        self.store = store
        self.clock = clock
        self._lock = threading.Lock()
        self._generation: Generation | None = None
        self._kept: OrderedDict[Any, Any] = OrderedDict()
        self._seen: tuple[tuple[int, ...], Version] | None = None

    @cached_property
    def catalogue(self) -> Catalogue:
        """The indicator definitions shipped with the package."""
        return load_catalogue()

    @cached_property
    def bounds(self) -> Mapping[str, str]:
        """Kind of each warning rule, which says what its bound is measured in."""
        return {rule.id: rule.kind for rule in load_rules()}

    def version(self) -> Version:
        """Return the present version; judgements of the worker count as news too.

        The store's files are looked at, not into: only when one of them has changed is the version read anew.
        """
        files = (self.store.generations / "CURRENT", *(self.store.path / name for name in _CONTROL_FILES))
        marks = tuple(file.stat().st_mtime_ns if file.exists() else 0 for file in files)
        if self._seen is None or self._seen[0] != marks:
            self._seen = (marks, self._read_version())
        return self._seen[1]

    def _read_version(self) -> Version:
        if not self.is_ready():
            return Version(0, 0, "")
        generation = self.generation()
        runs = operations.last_runs(self.store.control.engine).values()
        return Version(
            generation.number, generation.through_seq, max((iso(run.finished_at) for run in runs), default="")
        )

    def is_ready(self) -> bool:
        """Tell whether a generation is published."""
        path = self.store.current() if self.store.exists else None
        return path is not None and path.exists()

    def load_hint(self) -> str:
        """Return the command that fills this store."""
        return f"cockpit load EXPORTS --store {self.store.path}"

    def generation(self) -> Generation:
        """Return the newest generation, opening it when it has changed; the old one lives until its last request."""
        path = self.store.current()
        with self._lock:
            if self._generation is None or self._generation.path != path:
                self._generation = self.store.open_generation()
                self._kept.clear()
            return self._generation

    @contextmanager
    def open(self, viewer: Viewer) -> Iterator[LiveSession]:
        """Open the newest generation for one request of one viewer."""
        if not self.is_ready():
            raise StoreError(f"The store {self.store.path} has no data yet.", self.load_hint())
        cursor = self.generation().cursor()
        try:
            yield LiveSession(viewer, cursor, self)
        finally:
            cursor.close()

    def once(self, key: Hashable, compute: Callable[[], Thing]) -> Thing:
        """Return what was computed before under a key (which names its generation), else compute and keep it."""
        found: Thing | None = self._kept.get(key)
        if found is None:
            found = compute()
            with self._lock:
                self._kept[key] = found
                while len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
        return found


@dataclass(frozen=True)
class LiveSession:
    """One request of one viewer on one generation."""

    viewer: Viewer
    generation: Generation
    home: LiveServices

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
        return self.home.once((self.generation.number, what, key), compute)

    def indicators(self) -> Mapping[str, IndicatorCard]:
        """Return every indicator that has a block of its own, inside the viewer's themes."""
        return self._once("indicators", self.viewer.scope, self._indicators)

    def _indicators(self) -> dict[str, IndicatorCard]:
        atoms = self.known.layout.atoms
        allowed = [i for i in self.home.catalogue.written if self.viewer.scope.allows_theme(i.theme)]
        return {i.id: card_of(i, all(name in atoms for name in i.atoms)) for i in allowed}

    def latest_period(self, known_at: dt.datetime | None) -> str | None:
        """Return the last month of which figures were known."""
        seq = self.generation.batch_at(known_at)
        register = self.known.register
        if seq <= 0 or not register.begun(seq):
            return None
        last = int(self.generation.meta["last_month"])
        if seq < self.generation.through_seq:
            flows = [name for name, contract in self.generation.contracts.items() if contract.time_kind in FLOWING]
            row = self.generation.con.execute(
                "SELECT max(period_to) - 1 FROM batch WHERE batch_seq BETWEEN 1 AND ? AND list_contains(?, dataset)",
                [seq, flows],
            ).fetchone()
            last = min(last, row[0]) if row and row[0] is not None else last
        return month_label(last)

    def known_days(self) -> tuple[dt.date, ...]:
        """Return the local days on which something was recorded."""
        return self._once("days", None, self._known_days)

    def _known_days(self) -> tuple[dt.date, ...]:
        zone = zoneinfo.ZoneInfo(self.generation.zone)
        rows = self.generation.con.execute("SELECT DISTINCT recorded_at FROM batch WHERE batch_seq > 0").fetchall()
        return tuple(sorted({moment.replace(tzinfo=dt.UTC).astimezone(zone).date() for (moment,) in rows}))

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
        rows = self.generation.con.execute(
            """SELECT code, coalesce(short_name, name, code), nullif(parent, ''), coalesce(level, ''), coalesce(kind, ''),
                      coalesce(protocol_order, 1000000), coalesce(name, code)
               FROM d_org_unit WHERE rec_from <= $seq AND $seq < rec_to AND from_m <= $month AND $month < to_m
               ORDER BY protocol_order NULLS LAST, code""",
            {"seq": seq, "month": month},
        ).fetchall()
        visible = [row for row in rows if self.known.register.visible(row[0], month, month + 1, seq, self.viewer.scope)]
        return arrange(visible)

    def _below(self, node: str, known_at: dt.datetime | None) -> frozenset[str]:
        """Return a node and everything ever known below it."""
        seq = self.generation.batch_at(known_at)

        def read() -> frozenset[str]:
            rows = self.generation.con.execute(
                "SELECT DISTINCT dsc FROM closure WHERE anc = ? AND rec_from <= ?", [node, seq]
            ).fetchall()
            return frozenset({node, *(code for (code,) in rows)})

        return self._once("below", (node, seq), read)

    # --- insights: stored by the worker, only read here ---------------------------------------------------------------

    def warnings(self, node: str, known_at: dt.datetime | None) -> tuple[Alarm, ...]:
        """Return the warnings known then at a node and below it."""
        rows = operations.warnings(self.home.store.control.engine, known_at, self._below(node, known_at))
        cards = self.indicators()
        return tuple(self._alarm(row, cards) for row in rows if row.indicator in cards)

    def _alarm(self, row: operations.WarningRow, cards: Mapping[str, IndicatorCard]) -> Alarm:
        kind = self.home.bounds.get(row.rule, "threshold")
        return Alarm(
            rule=row.rule,
            theme=cards[row.indicator].theme,
            indicator=row.indicator,
            node=row.node,
            node_name=row.node_name,
            period=row.last_period,
            grain=row.grain,
            value=Decimal(row.value) if row.value not in ("", None) else None,
            unit=row.unit,
            level=row.level,  # type: ignore[arg-type]
            titles={"zh": row.title_zh, "en": row.title_en},
            threshold=float(row.bound) if row.bound else None,
            kind=kind,
            member=self.labels("item_code").get(row.dim_value or "", row.dim_value or ""),
            since=row.opened_at,
            since_seq=row.opened_seq,
        )

    def landings(self, node: str, known_at: dt.datetime | None) -> tuple[Landing, ...]:
        """Return the stored projections of a node, with last year's running totals beside them."""
        rows = operations.landings(self.home.store.control.engine, node=node, known_at=known_at)
        cards = self.indicators()
        return tuple(
            self._landing(row, cards[row.indicator], known_at)
            for row in sorted(rows, key=lambda row: row.indicator != "op_funds_exp")
            if row.indicator in cards and row.status != NO_DATA
        )

    def _landing(self, row: operations.LandingRow, card: IndicatorCard, known_at: dt.datetime | None) -> Landing:
        path = [_path_point(item) for item in orjson.loads(row.path)]
        before = self._running(row.indicator, row.node, row.year - 1, known_at)
        points = tuple(replace(point, last_year=before.get(f"{row.year - 1}{point.period[4:]}")) for point in path)
        return Landing(
            indicator=row.indicator,
            names=card.names,
            node=row.node,
            year=row.year,
            unit=row.unit,
            points=_joined(points),
            plan=row.budget,
            over_plan=row.exceed_probability,
            status=row.status,
            reason=row.reason,
            is_naive=row.method == NAIVE,
        )

    def _running(self, indicator: str, node: str, year: int, known_at: dt.datetime | None) -> dict[str, float]:
        question = Query(
            indicators=(indicator,),
            nodes=(node,),
            period_from=f"{year}-01",
            period_to=f"{year}-12",
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
        return self._once("quotas", (seq, month), lambda: self._quotas(seq, month)).get(node, ())

    def _quotas(self, seq: int, month: int) -> dict[str, tuple[Mark, ...]]:
        rows = self.generation.con.execute(
            """SELECT o.code, q.quota_guide, q.quota_base, q.quota_limit
               FROM d_org_unit o JOIN d_energy_quota q ON q.level = o.level AND ends_with(o.climate, q.climate)
               WHERE o.kind NOT IN ('region', 'compound', 'building')
                 AND o.rec_from <= $seq AND $seq < o.rec_to AND o.from_m <= $month AND $month < o.to_m
                 AND q.rec_from <= $seq AND $seq < q.rec_to AND q.from_m <= $month AND $month < q.to_m""",
            {"seq": seq, "month": month},
        ).fetchall()
        names = ("guide", "base", "limit")
        return {
            code: tuple(
                Mark(name, float(value)) for name, value in zip(names, values, strict=True) if value is not None
            )
            for code, *values in rows
        }

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
        )

    def labels(self, dim: str) -> Mapping[str, str]:
        """Return the names of budget items: as the reference table has them, else as the files wrote them."""
        return self._once("labels", dim, self._item_names) if dim == "item_code" else {}

    def _item_names(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for table, code, name in ITEM_NAMES:
            rows = self.generation.con.execute(
                f"SELECT {code}, any_value({name}) FROM {table} WHERE {name} IS NOT NULL GROUP BY {code}"
            ).fetchall()
            found |= dict(rows)
        return found

    # --- the ledger of data -------------------------------------------------------------------------------------------

    def batches(self, limit: int) -> tuple[Batch, ...]:
        """Return the latest loads, newest first."""
        rows = self.generation.con.execute(
            """SELECT batch_seq, dataset, file_name, recorded_at, recorded_by, kind, period_from, period_to,
                      rows_in, accepted, unchanged, quarantined, skipped, removed
               FROM batch WHERE batch_seq > 0 ORDER BY batch_seq DESC LIMIT ?""",
            [limit],
        ).fetchall()
        return tuple(self._batch(row) for row in rows)

    def _batch(self, row: tuple[Any, ...]) -> Batch:
        seq, dataset, file_name, recorded_at, actor, kind, first, last, *counts = row
        contract = self.generation.contracts.get(dataset)
        return Batch(
            seq=seq,
            dataset=dataset,
            file_name=file_name,
            titles=dict(contract.title) if contract else {"zh": dataset, "en": dataset},
            recorded_at=recorded_at.replace(tzinfo=dt.UTC),
            actor=actor,
            kind=kind,
            period_from=month_label(first) if first is not None else "",
            period_to=month_label(last - 1) if last is not None and last < 100_000 else "",
            rows_in=counts[0],
            accepted=counts[1],
            unchanged=counts[2],
            quarantined=counts[3],
            skipped=counts[4],
            removed=counts[5],
        )

    def quarantine(self, limit: int) -> tuple[Refused, ...]:
        """Return the open entries of the quarantine, newest first."""
        entries = self.home.store.control.quarantine()
        return tuple(_refused(entry) for entry in reversed(entries[-limit:]))

    def due_list(self, node: str, period: str, known_at: dt.datetime | None) -> tuple[Due, ...]:
        """Return how complete each periodic source is below a node for a month."""
        seq, month = self.generation.batch_at(known_at), Period.parse(period).from_m
        sources = self.generation.con.execute(
            "SELECT dataset, arg_min(source, source <> dataset), arg_min(theme, source <> dataset) FROM cube_source GROUP BY dataset"
        ).fetchall()
        when = (known_at or self.now).astimezone(zoneinfo.ZoneInfo(self.generation.zone)).date()
        found = [self._due(dataset, source, theme, node, month, seq, when) for dataset, source, theme in sources]
        order = {theme: place for place, theme in enumerate(THEMES)}
        return tuple(sorted((due for due in found if due is not None), key=lambda due: (order[due.theme], due.dataset)))

    def _due(
        self, dataset: str, source: str, theme: str, node: str, month: int, seq: int, today: dt.date
    ) -> Due | None:
        contract = self.generation.contracts[dataset]
        if contract.time_kind == "span" or contract.due_day is None or not self.viewer.scope.allows_theme(theme):
            return None
        rows = self.generation.con.execute(
            f"""SELECT p.dsc, coalesce(max(u.got), 0) > 0
                FROM population p
                LEFT JOIN (SELECT unit, sum(got) AS got FROM "unit_{source}"
                           WHERE month_no = $month AND batch_seq <= $seq GROUP BY unit) u ON u.unit = p.dsc
                WHERE p.theme = $theme AND p.anc = $node AND p.from_m <= $month AND $month < p.to_m
                  AND p.rec_from <= $seq AND $seq < p.rec_to
                GROUP BY p.dsc""",
            {"month": month, "seq": seq, "theme": theme, "node": node},
        ).fetchall()
        if not rows:
            return None
        missing = tuple(code for code, came in rows if not came)
        due_on = month_start(month + 1).replace(day=contract.due_day)
        status = "not_due" if missing and today <= due_on else "late" if missing else "ok"
        return Due(
            dataset,
            dict(contract.title),
            theme,
            month_label(month),
            len(rows),
            len(rows) - len(missing),
            missing,
            due_on,
            status,
        )


# --- shapes ----------------------------------------------------------------------------------------------------------


def card_of(indicator: Indicator, has_source: bool) -> IndicatorCard:
    """Return what screens need of a definition."""
    return IndicatorCard(
        id=indicator.id,
        theme=indicator.theme,
        names={"zh": indicator.title.zh, "en": indicator.title.en},
        unit=indicator.unit,
        better=indicator.better,
        kind=indicator.kind,
        has_source=has_source,
        sources=indicator.sources,
        dims=indicator.dims,
        documents={"zh": indicator.basis.zh, "en": indicator.basis.en},
        meaning={"zh": indicator.text.zh, "en": indicator.text.en},
        formula=indicator.value,
        fingerprint=indicator.fingerprint,
    )


def arrange(rows: Sequence[tuple[Any, ...]]) -> Tree:
    """Return rows as a tree: parents before children, siblings in official order."""
    by_parent: dict[str | None, list[tuple[Any, ...]]] = {}
    codes = {row[0] for row in rows}
    for row in rows:
        by_parent.setdefault(row[2] if row[2] in codes else None, []).append(row)
    nodes: dict[str, Node] = {}

    def place(row: tuple[Any, ...], parent: str | None, depth: int) -> None:
        code, name, _, level, kind, order, full_name = row
        nodes[code] = Node(code, name, parent, level, kind, order, initials(full_name), depth, full_name)
        for child in by_parent.get(code, ()):
            if child[0] not in nodes:
                place(child, code, depth + 1)

    for row in by_parent.get(None, ()):
        place(row, None, 0)
    root = next(iter(nodes), "")
    return Tree(nodes, root)


def _path_point(item: Mapping[str, Any] | Sequence[Any]) -> LandingPoint:
    month, reported, total, low80, high80, low90, high90 = item.values() if isinstance(item, Mapping) else item
    period = month if isinstance(month, str) else month_label(int(month))
    if reported:
        return LandingPoint(period, actual=total)
    return LandingPoint(period, mean=total, low80=low80, high80=high80, low90=low90, high90=high90)


def _joined(points: Sequence[LandingPoint]) -> tuple[LandingPoint, ...]:
    """Let the fan start at the last reported month, where it has no width."""
    known = [index for index, point in enumerate(points) if point.actual is not None]
    if not known or known[-1] == len(points) - 1:
        return tuple(points)
    last = points[known[-1]]
    start = replace(
        last, mean=last.actual, low80=last.actual, high80=last.actual, low90=last.actual, high90=last.actual
    )
    return (*points[: known[-1]], start, *points[known[-1] + 1 :])


def _refused(entry: Mapping[str, Any]) -> Refused:
    fault = Fault(
        code=entry["code"],
        file=entry["file_name"],
        sheet=entry["sheet"] or None,
        row=entry["row_no"],
        column=entry["column_name"],
        value=entry["value"],
        hint=entry["hint"],
    )
    return Refused(
        dataset=entry["dataset"],
        file_name=entry["file_name"],
        sheet=entry["sheet"] or "",
        row_no=entry["row_no"],
        column=entry["column_name"] or "",
        value=entry["value"] or "",
        reasons={"zh": message(fault, "zh"), "en": message(fault, "en")},
        recorded_at=from_iso(entry["opened_at"]),
    )
