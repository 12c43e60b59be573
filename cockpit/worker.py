"""The scheduler's jobs: publish, forecasts and landings, warnings, daily and month-end snapshots.

Every job is a plain function of an `Office` (one generation, its catalogue, the operational records) and a clock given
from outside. What is due is read from stored records, never from memory: a worker that was down for a week does what
was missed, and running it twice does nothing twice.
"""

from __future__ import annotations

import datetime as dt
import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cockpit.office import Office, open_office
from metrics.insights import lifecycle, projections, snapshots
from metrics.insights.judge import Bench, bench_months
from metrics.insights.lifecycle import Life, Moment, Walk
from metrics.insights.model import Rule
from metrics.model import Catalogue
from warehouse import operations
from warehouse.base.clock import Clock
from warehouse.base.errors import CockpitError, StoreBusy
from warehouse.base.periods import fiscal_shift, month_no
from warehouse.base.scope import Scope
from warehouse.contracts import Contract
from warehouse.control import from_iso, iso
from warehouse.operations import RunRow
from warehouse.report_periods import due_on, has_due_day
from warehouse.store import Store

log = logging.getLogger(__name__)

ACTOR = "worker"
SNAPSHOT_TIME = dt.time(0, 30)
"""Local time of the daily snapshot; the month-end one is the first daily snapshot of a month."""
JUDGING = "warnings"
"""The job that judges the rules."""
MARK = "judged-through"


@dataclass(frozen=True)
class Job:
    """One job: what it is due for (None: nothing), and how it is done (returns a line for the log)."""

    name: str
    due: Callable[[Office], str | None]
    do: Callable[[Office], str]


# --- forecasts and landings ------------------------------------------------------------------------------------------


def projections_due(office: Office) -> str | None:
    """Forecasts follow the data: once for each state of it and of the definitions."""
    return f"{office.through_seq}:{office.catalogue.fingerprint[:12]}:{projections.METHOD_VERSION}"


def make_projections(office: Office) -> str:
    """Expect every series whose data has changed."""
    desk = projections.Desk(
        nodes=office.nodes.all,
        first_month=office.first_month,
        last_month=office.last_month,
        through_seq=office.through_seq,
        known_at=office.moments[-1].at,
        scope=Scope.everything(),
        actor=ACTOR,
        now=office.now,
        fiscal_start=office.fiscal_start,
    )
    specs = projections.load_specs(office.catalogue)
    made = projections.project(office.evaluate, office.catalogue, specs, desk, operations.landing_hashes(office.engine))
    operations.add_forecasts(office.engine, made.forecasts)
    operations.add_landings(office.engine, made.landings)
    return f"{len(made.landings)} landings, {len(made.forecasts)} forecast steps"


# --- warnings --------------------------------------------------------------------------------------------------------


def rules_due(office: Office) -> str | None:
    """Rules are judged for each state of the data, and each day, for reports fall due without any batch."""
    return f"{office.local:%Y-%m-%d}:{office.through_seq}:{rules_version(office)}"


def rules_version(office: Office) -> str:
    """Return a mark of the rules and definitions warnings rest on."""
    return lifecycle.version_of(office.rules, office.catalogue.fingerprint)


def judge_rules(office: Office) -> str:
    """Walk from the last judgement to now and keep what changed at each stop."""
    changes = 0
    groups = stops_to_judge(office)
    for group in groups[:-1]:
        changes += _judge_at(office, group, live=False)
        _set_mark(office, group[-1])
    live = (*groups[-1], Moment(office.through_seq, office.now))
    changes += _judge_at(office, live, live=True)
    _set_mark(office, live[-1])
    return f"{changes} changes of warnings"


def stops_to_judge(office: Office) -> tuple[tuple[Moment, ...], ...]:
    """Return the moments since the last judgement, by month; the last group is judged as of now.

    Rules that are new or changed are judged once, now, and dated over all that is known: walking through the past
    again would close and open warnings that stand.
    """
    mark = operations.find_run(office.engine, JUDGING, MARK)
    if mark is None:
        return lifecycle.stops([*office.moments, *due_moments(office, office.moments[0].at)], office.zone)
    seq, at, version = mark.message.split("|")
    if version != rules_version(office):
        everything = [*office.moments, *due_moments(office, office.moments[0].at)]
        return (tuple(moment for group in lifecycle.stops(everything, office.zone) for moment in group),)
    fresh = [one for one in office.moments if one.seq > int(seq)]
    return lifecycle.stops([*fresh, *due_moments(office, from_iso(at))], office.zone) or ((),)


def due_moments(office: Office, after: dt.datetime) -> list[Moment]:
    """Return the moments a due date passed since a moment: at midnight after it, with the last batch by then."""
    months, ahead = range(office.first_month, office.last_month + 2), fiscal_shift(office.fiscal_start)
    owed = [contract for contract in office.contracts.values() if has_due_day(contract)]
    found = []
    for day in sorted({due_on(contract, month, ahead) for contract in owed for month in months}):
        local = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), office.zone)
        at = local.astimezone(dt.UTC)
        if after < at <= office.now:
            seq = max((one.seq for one in office.moments if one.at <= at), default=0)
            found.append(Moment(seq, at, frozenset({lifecycle.DUE})))
    return found


def _set_mark(office: Office, moment: Moment) -> None:
    """Note how far, and by which rules, warnings are judged: a walk that is broken off goes on there."""
    message = f"{moment.seq}|{iso(moment.at)}|{rules_version(office)}"
    operations.add_run(office.engine, RunRow(JUDGING, MARK, office.now, office.now, True, message))


def _judge_at(office: Office, moments: tuple[Moment, ...], live: bool) -> int:
    """Judge all months that have ended by the last of these moments; keep what changed and return how much."""
    now = moments[-1]
    owed = {name: _reports(office, name) for rule in office.rules for name in rule.indicators}

    def bench(moment: Moment) -> Bench:
        day = moment.at.astimezone(office.zone)
        from_m, to_m = bench_months(min(office.last_month, month_no(day.year, day.month) - 1))
        is_live = live and moment == now
        return Bench(
            root=office.nodes.root,
            units=office.nodes.units,
            from_m=max(from_m, office.first_month),
            to_m=to_m,
            scope=Scope.everything(),
            actor=ACTOR,
            known_at=None if is_live else moment.at,
            now=moment.at if is_live else None,
            today=day.date(),
            reports=owed,
            fiscal_start=office.fiscal_start,
        )

    sources = {rule.id: sources_of(office, rule) for rule in office.rules}
    walk = Walk(office.evaluate, {rule.id: rule for rule in office.rules}, bench, moments, office.now, sources)
    since = str(bench(now).from_m // 12)
    told = operations.readings(office.engine)
    rows = operations.standing_warnings(office.engine, since)
    lives = [Life(row, told.get((row.warning_id, row.opened_seq), ())) for row in rows]
    change = lifecycle.step(walk, lives)
    operations.apply_warnings(office.engine, change)
    return len(change.opened) + len(change.updated) + len(change.closed)


def sources_of(office: Office, rule: Rule) -> frozenset[str]:
    """Return the datasets and reference tables a rule reads."""
    found = {name for indicator in rule.indicators for name in datasets_of(office.catalogue, indicator)}
    return frozenset({*found, lifecycle.DUE} if rule.kind == "missing" else found)


def datasets_of(catalogue: Catalogue, indicator: str) -> frozenset[str]:
    """Return the datasets and reference tables an indicator reads."""
    sources = [catalogue.sources[name] for name in catalogue.indicators[indicator].sources]
    return frozenset({name for one in sources for name in (one.of, *(lookup.table for lookup in one.lookups))})


def _reports(office: Office, indicator: str) -> tuple[Contract, ...]:
    read = datasets_of(office.catalogue, indicator)
    return tuple(contract for name, contract in office.contracts.items() if name in read)


# --- snapshots -------------------------------------------------------------------------------------------------------


def daily_due(office: Office) -> str | None:
    """The board of a day is frozen once, from half past midnight on."""
    return f"{office.local:%Y-%m-%d}" if office.local.time() >= SNAPSHOT_TIME else None


def month_end_due(office: Office) -> str | None:
    """The board at the end of a month is frozen with the first daily snapshot after it."""
    if office.local.day == 1 and office.local.time() < SNAPSHOT_TIME:
        return None
    return f"{office.local.replace(day=1) - dt.timedelta(days=1):%Y-%m-%d}"


def take_daily(office: Office) -> str:
    """Freeze the board as it is known now."""
    return take_snapshot(office, "daily", f"{office.local:%Y-%m-%d}", office.now)


def take_month_end(office: Office) -> str:
    """Freeze the board as it was known when the last month ended, also when the worker comes late."""
    day = office.local.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return take_snapshot(office, "month-end", str(month_end_due(office)), day.astimezone(dt.UTC))


def take_snapshot(office: Office, kind: str, day: str, known_at: dt.datetime, actor: str = ACTOR) -> str:
    """Freeze the board as known at a moment and return the snapshot's id."""
    known = [moment for moment in office.moments if moment.at <= known_at]
    if not known:
        return "nothing known then"
    local = known_at.astimezone(office.zone)
    board = snapshots.Board(
        indicators=snapshots.board_indicators(office.catalogue),
        nodes=office.nodes.board,
        month=min(office.last_month, month_no(local.year, local.month)),
        known_at=known_at,
        scope=Scope.everything(),
        actor=actor,
    )
    head, values = snapshots.take(office.evaluate, board, kind, day, office.now, known[-1].seq)
    operations.add_snapshot(office.engine, head, values)
    return head.snapshot_id


JUDGEMENTS = (Job("projections", projections_due, make_projections), Job(JUDGING, rules_due, judge_rules))
BOARDS = (Job("month-end", month_end_due, take_month_end), Job("daily", daily_due, take_daily))
"""What is frozen once the judgements are published: figures that count warnings say what the list of them says."""
JOBS = (*JUDGEMENTS, *BOARDS)


# --- running ---------------------------------------------------------------------------------------------------------


def run_jobs(office: Office, jobs: Sequence[Job] = JOBS) -> tuple[RunRow, ...]:
    """Do every job that is due and note it; one that fails is noted, tried again next time, and stops no other."""
    done = []
    for job in jobs:
        due = job.due(office)
        if due is not None and not operations.is_done(office.engine, job.name, due):
            done.append(_run(office, job, due))
    return tuple(done)


def _run(office: Office, job: Job, due: str) -> RunRow:
    try:
        message, ok = job.do(office), True
    except CockpitError as fault:
        message, ok = fault.message, False
        log.warning("job %s failed: %s", job.name, fault)
    except Exception as fault:
        message, ok = f"{type(fault).__name__}: {fault}", False
        log.exception("job %s failed", job.name)
    row = RunRow(job.name, due, office.now, office.now, ok, message)
    operations.add_run(office.engine, row)
    return row


def run_once(store: Store, now: dt.datetime) -> tuple[RunRow, ...]:
    """Publish what is not yet shown, then do every job that is due; nothing on an empty store.

    One worker works at a time: a second one does nothing.
    """
    take_pulls(store, now)
    if not store.exists or store.control.last()[0] < 1:
        return ()
    try:
        with store.alone("worker"):
            publish_if_needed(store, now)
            tend(store, now)
            with open_office(store, now) as office:
                done = run_jobs(office, JUDGEMENTS)
            publish_if_needed(store, now)
            with open_office(store, now) as office:
                return (*done, *run_jobs(office, BOARDS))
    except StoreBusy:
        log.info("another worker is at work")
        return ()


def take_pulls(store: Store, now: dt.datetime) -> None:
    """Take what is new in the databases a deployment declares; a declaration that is wrong stops nothing else."""
    from cockpit.pulls import declared, pull_due
    from cockpit.settings import Settings

    try:
        if declarations := declared(Settings().pulls):
            pull_due(store, declarations, os.environ, now)
    except CockpitError as fault:
        log.warning("pulls: %s", fault.message)


def tend(store: Store, now: dt.datetime) -> None:
    """Keep the desk clear, and the store small, once a night."""
    from cockpit.settings import Settings
    from cockpit.sweeping import sweep
    from cockpit.upkeep import policy_of, tend_nightly

    sweep(store, Settings().keep_undecided_days, now)
    tend_nightly(store, policy_of(Settings()), now)


def publish_if_needed(store: Store, now: dt.datetime) -> None:
    """Publish committed batches that are not shown yet; while a load is running, what is published stays."""
    from cockpit.pipeline import rebuild

    try:
        rebuild(store, clock=lambda: now, force=False)
    except StoreBusy:
        if store.current() is None:
            raise
        log.info("a load is running; working with the published generation")


def run_forever(store: Store, clock: Clock, minutes: int) -> None:
    """Look for due jobs every few minutes until told to stop."""
    import signal

    from apscheduler.schedulers.blocking import BlockingScheduler

    from cockpit.handovers import start_watching
    from cockpit.live import start_live
    from cockpit.settings import Settings

    scheduler = BlockingScheduler(timezone="UTC")
    scheduler.add_job(
        lambda: run_once(store, clock()), "interval", minutes=minutes, next_run_time=dt.datetime.now(dt.UTC),
        max_instances=1, coalesce=True, misfire_grace_time=None,
    )  # fmt: skip
    stop, live = start_watching(store, clock), start_live(store, clock, Settings())
    signal.signal(signal.SIGTERM, lambda *_: scheduler.shutdown(wait=False))
    try:
        scheduler.start()
    finally:
        stop.set()
        live.set()
