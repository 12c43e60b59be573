"""Every planted event is answered with the value, unit, period and level the city's own truth file tells.

The truth comes from the generator's simulation, never from the engine. The usual city is asked under `make soak`, one of
another seed and size in every run.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from metrics.bridges import cross
from metrics.catalogue import Catalogue, load_catalogue
from metrics.evaluate import evaluate
from metrics.insights.judge import Bench, judge
from metrics.insights.model import Finding
from metrics.insights.nodes import nodes_of
from metrics.insights.rules import load_rules, usable
from metrics.model import Answer, Query
from metrics.reconcile import reconcile
from warehouse.base.clock import parse_instant
from warehouse.base.periods import month_label
from warehouse.base.scope import Scope
from warehouse.store import Generation, Store

NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
ALARMS = {"red", "orange"}
TOWNS = (pytest.param((1, 34, 60), id="seed1", marks=pytest.mark.soak), pytest.param((11, 30, 26), id="seed11"))


@dataclass(frozen=True)
class Witness:
    """One city's truth beside the generation that must agree with it."""

    truth: dict[str, Any]
    reports: tuple[Any, ...]
    generation: Generation
    catalogue: Catalogue

    def ask(self, check: dict[str, Any]) -> Answer:
        known = check.get("known_at")
        answers = evaluate(
            self.generation,
            self.catalogue,
            Query(
                indicators=(check["indicator"],),
                nodes=(check["node"],),
                period_from=check["period"],
                period_to=check["period"],
                grain=check["grain"],
                known_at=parse_instant(known, self.generation.zone) if known else None,
                scope=Scope.everything(),
                actor="test",
                now=NOW,
            ),
        )
        assert len(answers) == 1
        return answers[0]

    def checks(self, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
        for event in (*self.truth["events"], {"id": "totals", "checks": self.truth["totals"]}):
            for check in event["checks"]:
                if check["type"] == kind:
                    yield event["id"], check

    def findings(self, known_at: dt.datetime | None = None) -> tuple[Finding, ...]:
        nodes = nodes_of(self.generation.con, self.generation.through_seq)
        meta = self.generation.meta
        bench = Bench(
            root=nodes.root,
            units=nodes.units,
            from_m=int(meta["first_month"]),
            to_m=int(meta["last_month"]) + 1,
            scope=Scope.everything(),
            actor="test",
            known_at=known_at,
            now=NOW,
        )
        rules = usable(load_rules(), self.catalogue.indicators)
        return judge(lambda query: evaluate(self.generation, self.catalogue, query), rules, bench)


@pytest.fixture(scope="module", params=TOWNS)
def witness(request: pytest.FixtureRequest, build_town: Any) -> Witness:
    town = build_town(*request.param)
    return Witness(town.truth, town.reports, Store(town.store).open_generation(), load_catalogue())


def differs(answer: Answer, check: dict[str, Any]) -> str | None:
    """Tell how an answer differs from the truth; sums must be the same digits, ratios the same double."""
    if answer.unit != check["unit"]:
        return f"unit {answer.unit}, expected {check['unit']}"
    if answer.value is None:
        return f"no value ({answer.status}), expected {check['value']}"
    for name in ("numerator", "denominator"):
        found = getattr(answer, name)
        if name in check and Decimal(str(found)) != Decimal(check[name]):
            return f"{name} {found}, expected {check[name]}"
    expected = check["value"]
    if isinstance(answer.value, float):
        return None if answer.value == float(expected) else f"{answer.value!r}, expected {expected}"
    return None if Decimal(answer.value) == Decimal(expected) else f"{answer.value}, expected {expected}"


def test_every_figure_is_the_truth_to_the_last_digit(witness: Witness) -> None:
    wrong = [
        f"{event}: {check['indicator']} {check['node']} {check['period']} {check['grain']} "
        f"known {check.get('known_at', 'now')}: {fault}"
        for event, check in witness.checks("value")
        if (fault := differs(witness.ask(check), check))
    ]
    assert wrong == []
    assert sum(1 for _ in witness.checks("value")) > 100


def test_what_is_due_and_what_came_is_told(witness: Witness) -> None:
    wrong = []
    for event, check in witness.checks("status"):
        answer = witness.ask(check)
        found = (answer.status, answer.due, answer.got)
        if found != (check["status"], check["due"], check["got"]):
            wrong.append(
                f"{event}: {check['node']} {check['period']} {check.get('known_at')}: {found}, expected {check}"
            )
    assert wrong == []


def levels(findings: tuple[Finding, ...]) -> dict[tuple[str, str, str], tuple[str, Decimal | float]]:
    return {
        (finding.rule, finding.node, reading.period): (reading.level, reading.value)
        for finding in findings
        for reading in finding.readings
    }


def test_planted_warnings_and_no_other_above_yellow(witness: Witness) -> None:
    found = levels(witness.findings())
    told: set[tuple[str, str]] = set()
    for event, check in witness.checks("warning"):
        told.add((check["rule"], check["node"]))
        level, value = found.get((check["rule"], check["node"], check["period"]), ("none", Decimal(0)))
        assert level == check["level"], f"{event}: {check}"
        same = value == float(check["value"]) if isinstance(value, float) else Decimal(value) == Decimal(check["value"])
        assert same, f"{event}: {value}, expected {check['value']}"
    surplus = {key for key, (level, _) in found.items() if level in ALARMS and key[:2] not in told}
    assert surplus == set()
    quiet = {(check["indicator"], check["node"]) for _, check in witness.checks("no_warning")}
    alarmed = {(f.indicator, f.node) for f in witness.findings() if any(r.level in ALARMS for r in f.readings)}
    assert quiet & alarmed == set()


def test_a_warning_is_absent_before_its_data_was_known(witness: Witness) -> None:
    for event in witness.truth["events"]:
        planted = [check for check in event["checks"] if check["type"] == "warning"]
        if not planted:
            continue
        eve = parse_instant(event["known_from"], witness.generation.zone) - dt.timedelta(days=1)
        found = levels(witness.findings(known_at=eve))
        for check in planted:
            assert (check["rule"], check["node"], check["period"]) not in found, f"{event['id']} known too early"


def test_what_must_be_set_aside_is_set_aside(witness: Witness) -> None:
    for event, check in witness.checks("quarantine"):
        report = next(r for r in witness.reports if r.file == check["file"])
        assert report.counts["quarantined"] >= 1, event
    unplanned = {
        report.file for report in witness.reports if report.counts.get("quarantined") or report.status == "refused"
    } - {check["file"] for _, check in witness.checks("quarantine")}
    assert unplanned == set()


def test_every_planted_difference_between_books_has_its_reason_and_its_amount(witness: Witness) -> None:
    """Parts and units are those the simulation worked out; they add up to the difference without a word of the engine."""
    assert {told["against"] for told in witness.truth["reconcile"]} >= {"survey", "finance"}
    for told in witness.truth["reconcile"]:
        query = Query(
            indicators=(told["indicator"],), nodes=(told["node"],), period_from=told["period"], period_to=told["period"],
            grain=told["grain"], scope=Scope.everything(), actor="test", now=NOW,
        )  # fmt: skip
        (found,) = reconcile(witness.generation, witness.catalogue, query)
        against = next(one for one in found.against if one.other.caliber == told["against"])
        assert (against.ours.value, against.other.value) == (Decimal(told["ours"]), Decimal(told["theirs"]))
        named = {f"items:{part.item}" if part.item else part.reason: part for part in against.parts}
        assert {name: part.amount for name, part in named.items()} == {n: Decimal(v) for n, v in told["parts"].items()}
        assert {n: sorted(s.unit for s in p.shares) for n, p in named.items() if p.shares} == told["units"]
        assert sum(map(Decimal, told["parts"].values())) == Decimal(told["difference"])


def test_payments_lead_to_the_operating_cost_in_every_month(witness: Witness) -> None:
    meta = witness.generation.meta
    first, last = (month_label(int(meta[name])) for name in ("first_month", "last_month"))
    query = Query(
        indicators=(), nodes=(witness.truth["store"]["root"],), period_from=first, period_to=last, grain="month",
        scope=Scope.everything(), actor="test", now=NOW,
    )  # fmt: skip
    found = cross(witness.generation, witness.catalogue, "op_cost", query)
    assert len(found) >= 30 and [one.rest for one in found] == [0] * len(found)
