"""The worker's forecasts and landings: asks for monthly figures, sees what has changed, and returns rows to store.

Keyed by a hash of everything a result depends on: an unchanged series is neither fitted nor stored again, and what was
expected earlier is never overwritten (it is what later tells how good the forecasts were).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from metrics.insights import landing
from metrics.insights.kinds.cells import decimal
from metrics.insights.landing import History
from metrics.insights.model import Evaluate, Forecast, Landing, PathPoint
from metrics.model import Answer, Catalogue, Query
from warehouse.base.errors import DefinitionError
from warehouse.base.periods import Period, fiscal_year, month_label
from warehouse.base.scope import Scope
from warehouse.operations import ForecastRow, LandingRow

FILE = Path(__file__).parent / "landings.toml"
METHOD_VERSION = "3"
"""Grows when the method changes, so that everything is expected anew."""
NEARLY_ALL = 0.95
"""From this share of the reports due on, a month counts as reported (and is said to be nearly complete)."""
LONGEST_HISTORY = 96
"""Months looked back at most: older ones teach nothing about the next."""
KNOWN, OWED = frozenset({"ok"}), frozenset({"not_reported"})


@dataclass(frozen=True)
class Spec:
    """One total whose year end is expected."""

    indicator: str
    budget: str | None = None
    rate: str | None = None


@dataclass(frozen=True)
class Desk:
    """What a projection looks at: nodes, the last month there may be data of, and for whom."""

    nodes: tuple[str, ...]
    first_month: int
    last_month: int
    through_seq: int
    known_at: dt.datetime
    scope: Scope
    actor: str
    now: dt.datetime
    fiscal_start: int = 1
    """The month the store's fiscal year begins in: it is the end of that year that is expected."""


@dataclass(frozen=True)
class Projection:
    """What the projections of one run add to the store."""

    forecasts: tuple[ForecastRow, ...]
    landings: tuple[LandingRow, ...]


def load_specs(catalogue: Catalogue, file: Path = FILE) -> tuple[Spec, ...]:
    """Read which totals are landed; a plan the catalogue does not define is nothing to exceed."""
    blocks: list[dict[str, str]] = tomllib.loads(file.read_text(encoding="utf-8")).get("landing", [])
    faults = [fault for block in blocks for fault in _faults(block, catalogue, file.name)]
    if faults:
        raise DefinitionError("Landings", faults)
    known = catalogue.indicators
    return tuple(Spec(**{key: name for key, name in block.items() if name in known}) for block in blocks)


def _faults(block: Mapping[str, str], catalogue: Catalogue, file: str) -> list[str]:
    unknown = sorted(set(block) - {"indicator", "budget", "rate"})
    faults = [f"{file}: unknown key '{name}'" for name in unknown]
    if block.get("indicator") not in catalogue.indicators:
        faults.append(f"{file}: unknown indicator '{block.get('indicator')}'")
    return faults


def project(
    evaluate: Evaluate,
    catalogue: Catalogue,
    specs: Iterable[Spec],
    desk: Desk,
    known_hashes: Mapping[tuple[str, str, int], str],
) -> Projection:
    """Return the forecasts and landings whose data has changed."""
    forecasts: list[ForecastRow] = []
    landings: list[LandingRow] = []
    for spec in specs:
        made = _project_one(evaluate, catalogue, spec, desk, known_hashes)
        forecasts.extend(made.forecasts)
        landings.extend(made.landings)
    return Projection(tuple(forecasts), tuple(landings))


def _project_one(
    evaluate: Evaluate, catalogue: Catalogue, spec: Spec, desk: Desk, known_hashes: Mapping[tuple[str, str, int], str]
) -> Projection:
    definition = catalogue.indicators[spec.indicator]
    answers = evaluate(_monthly(spec.indicator, desk))
    last = _last_told(answers)
    if last is None:
        return Projection((), ())
    year = fiscal_year(last, desk.fiscal_start)
    histories = gather(answers, last, _budgets(evaluate, spec, desk, year, definition.scale))
    hashes = {one.node: data_hash(definition.fingerprint, year, one) for one in histories}
    changed = [one for one in histories if known_hashes.get((spec.indicator, one.node, year)) != hashes[one.node]]
    if not changed:
        return Projection((), ())
    family, ours, naive = landing.learn(histories)
    forecasts, landings = [], []
    for one in changed:
        ahead = landing.outlook(one, family)
        landed = landing.land(
            spec.indicator, definition.unit, year, one, ahead, ours, naive, fiscal_start=desk.fiscal_start
        )
        forecasts.extend(forecast_rows(ahead, landed, hashes[one.node], len(one.series), desk))
        landings.append(landing_row(landed, hashes[one.node], desk))
    return Projection(tuple(forecasts), tuple(landings))


def _monthly(indicator: str, desk: Desk) -> Query:
    first = max(desk.first_month, desk.last_month - LONGEST_HISTORY + 1)
    return Query(
        indicators=(indicator,),
        nodes=desk.nodes,
        period_from=month_label(first),
        period_to=month_label(desk.last_month),
        grain="month",
        known_at=None,
        scope=desk.scope,
        actor=desk.actor,
        now=desk.now,
    )


def _last_told(answers: Sequence[Answer]) -> int | None:
    """Return the last month any node has a figure for."""
    told = [Period.parse(answer.period).from_m for answer in answers if answer.value is not None and answer.got]
    return max(told, default=None)


def gather(answers: Iterable[Answer], last: int, budgets: Mapping[str, float]) -> tuple[History, ...]:
    """Sort monthly answers into what is known, partly known and owed, per node."""
    known: dict[str, list[tuple[int, Decimal]]] = {}
    partial: dict[str, list[tuple[int, Decimal]]] = {}
    missing: dict[str, list[int]] = {}
    for answer in answers:
        month = Period.parse(answer.period).from_m
        if month > last:
            continue
        for bin_ in (known, partial, missing):
            bin_.setdefault(answer.node, [])
        if answer.status in KNOWN or _is_nearly_complete(answer):
            known[answer.node].append((month, _amount(answer)))
        elif answer.status == "incomplete" and answer.value is not None:
            partial[answer.node].append((month, _amount(answer)))
        elif answer.status in OWED or answer.status == "incomplete":
            missing[answer.node].append(month)
    return tuple(
        History(node, _in_order(known[node]), _in_order(partial[node]), tuple(sorted(missing[node])), budgets.get(node))
        for node in sorted(known)
        if known[node] or partial[node]
    )


def _is_nearly_complete(answer: Answer) -> bool:
    return answer.status == "incomplete" and answer.value is not None and answer.got >= NEARLY_ALL * answer.due


def _amount(answer: Answer) -> Decimal:
    return Decimal(0) if answer.value is None else decimal(answer.value)


def _in_order(months: list[tuple[int, Decimal]]) -> tuple[tuple[int, Decimal], ...]:
    return tuple(sorted(months))


def _budgets(evaluate: Evaluate, spec: Spec, desk: Desk, year: int, scale: int) -> dict[str, float]:
    """Return the year's plan per node, in the unit of the landed indicator."""
    name = spec.budget or spec.rate
    if name is None:
        return {}
    answers = evaluate(
        Query(
            indicators=(name,),
            nodes=desk.nodes,
            period_from=str(year),
            period_to=str(year),
            grain="year",
            scope=desk.scope,
            actor=desk.actor,
            now=desk.now,
        )
    )
    if spec.budget:
        return {answer.node: float(answer.value) for answer in answers if answer.value is not None}
    return {a.node: float(decimal(a.denominator).scaleb(scale)) for a in answers if a.denominator}


def data_hash(fingerprint: str, year: int, history: History) -> str:
    """Return a hash of everything a landing of this node depends on."""
    parts = (METHOD_VERSION, fingerprint, year, history.series, history.partial, history.missing, history.budget)
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:24]


def forecast_rows(ahead: Forecast, landed: Landing, data_hash: str, history: int, desk: Desk) -> list[ForecastRow]:
    """Return the rows of a forecast: one per month ahead."""
    return [
        ForecastRow(
            indicator=landed.indicator,
            node=landed.node,
            data_hash=data_hash,
            step=step.number,
            made_at=desk.now,
            known_at=desk.known_at,
            through_seq=desk.through_seq,
            month_no=step.month_no,
            mean=step.mean,
            lo80=step.band(80).low,
            hi80=step.band(80).high,
            lo90=step.band(90).low,
            hi90=step.band(90).high,
            unit=landed.unit,
            history=history,
            method=ahead.method,
            status=ahead.status,
            reason=ahead.reason.text(),
        )
        for step in ahead.steps
    ]


def landing_row(landed: Landing, data_hash: str, desk: Desk) -> LandingRow:
    """Return a landing as it is stored."""
    narrow, wide = landed.band(80), landed.band(90)
    early, likely, late = landed.crossing
    return LandingRow(
        indicator=landed.indicator,
        node=landed.node,
        year=landed.year,
        data_hash=data_hash,
        made_at=desk.now,
        known_at=desk.known_at,
        through_seq=desk.through_seq,
        unit=landed.unit,
        paid=landed.paid,
        months_reported=landed.months_reported,
        missing=json.dumps([month_label(month) for month in landed.months_missing]),
        expected=landed.expected,
        lo80=narrow.low if narrow else None,
        hi80=narrow.high if narrow else None,
        lo90=wide.low if wide else None,
        hi90=wide.high if wide else None,
        budget=landed.budget,
        exceed_probability=landed.exceed_probability,
        crossing_early=early,
        crossing_likely=likely,
        crossing_late=late,
        status=landed.status,
        method=landed.method,
        reason=landed.reason.text(),
        path=json.dumps([_point(point) for point in landed.path], separators=(",", ":")),
    )


def _point(point: PathPoint) -> list[object]:
    """Return month, whether it is reported, the running total, and its intervals narrow to wide."""
    ends = [end for band in point.bands for end in (band.low, band.high)]
    return [month_label(point.month_no), point.reported, point.total, *ends]
