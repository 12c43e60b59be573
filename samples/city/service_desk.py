"""Repair jobs and the monthly scores that users give to property service and canteen."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from samples.city.bodies import Body, City
from samples.city.calendar import FIRST, label, working_days
from samples.city.chance import dice, places
from samples.city.contracts import CATERING, PROPERTY
from samples.city.records import Evaluation, WorkOrder
from samples.city.space import Ground

_KINDS = (("水暖", 8), ("电气", 4), ("空调", 24), ("门窗家具", 48), ("网络电话", 4), ("电梯", 2))


@dataclass(frozen=True)
class Job:
    """One repair job of one body."""

    key: str
    order: WorkOrder


@dataclass(frozen=True)
class Score:
    """What users of one body gave in one month."""

    key: str
    kind: str
    score: Decimal
    votes: int


@dataclass(frozen=True)
class Desk:
    """All jobs and scores by month."""

    city: City
    jobs: dict[int, list[Job]]
    scores: dict[int, list[Score]]


def open_desk(city: City, ground: Ground, months: int) -> Desk:
    """Simulate jobs and scores of every month."""
    homes = {share.key: share.house.code for share in ground.shares if share.tenure == "自有"}
    span = range(FIRST, FIRST + months)
    jobs = {month: _numbered([job for b in city.bodies for job in _jobs(city, b, homes[b.key], month)], month)
            for month in span}  # fmt: skip
    scores = {month: [score for body in city.bodies for score in _scores(city, body, month)] for month in span}
    return Desk(city, jobs, scores)


def _jobs(city: City, body: Body, home: str, month: int) -> Iterator[Job]:
    rng = dice(city.seed, "jobs", body.key, month)
    for date in sorted(rng.choices(working_days(month), k=rng.randint(6, 12))):
        kind, hours = rng.choice(_KINDS)
        opened = dt.datetime(date.year, date.month, date.day, rng.randint(8, 16), rng.randint(0, 59))
        late = rng.random() < 0.045
        taken = hours * (rng.uniform(1.1, 2.2) if late else rng.uniform(0.12, 0.93))
        closed = opened + dt.timedelta(minutes=round(taken * 60))
        yield Job(body.key, WorkOrder("", "", home, kind, opened, closed, Decimal(hours)))


def _numbered(jobs: list[Job], month: int) -> list[Job]:
    stamp = label(month).replace("-", "")
    return [Job(job.key, job.order._replace(order_no=f"BX{stamp}{number:05d}")) for number, job in enumerate(jobs, 1)]


def _scores(city: City, body: Body, month: int) -> Iterator[Score]:
    rng = dice(city.seed, "scores", body.key, month)
    kinds = (PROPERTY, CATERING) if body.authorised >= 60 else (PROPERTY,)
    base = dice(city.seed, "taste", body.key).uniform(86.5, 95.5)
    for kind in kinds:
        votes = max(5, round(body.authorised * rng.uniform(0.25, 0.6)))
        yield Score(body.key, kind, places(min(99.5, base + rng.uniform(-1.8, 1.8)), 2), votes)


def order_rows(desk: Desk, month: int, sent: dt.datetime) -> list[WorkOrder]:
    """Return the jobs of a month as sent on a day; what was still open then has no end yet."""
    rows = []
    until = sent.replace(tzinfo=None)
    for job in desk.jobs[month]:
        code = desk.city.code_of(job.key, month, sent)
        closed = job.order.closed_at if job.order.closed_at and job.order.closed_at <= until else None
        rows.append(job.order._replace(unit=code, closed_at=closed))
    return rows


def evaluation_rows(desk: Desk, month: int, sent: dt.datetime) -> list[Evaluation]:
    """Return the scores of a month as sent on a day; bodies of one unit are weighed by their votes."""
    held: dict[tuple[str, str], list[Score]] = {}
    for score in desk.scores[month]:
        code = desk.city.code_of(score.key, month, sent)
        held.setdefault((code, score.kind), []).append(score)
    return [Evaluation(month, code, kind, _mean(scores), sum(s.votes for s in scores))
            for (code, kind), scores in held.items()]  # fmt: skip


def _mean(scores: list[Score]) -> Decimal:
    total = sum((score.score * score.votes for score in scores), Decimal(0))
    return (total / sum(score.votes for score in scores)).quantize(Decimal("0.01"), ROUND_HALF_UP)
