"""Commands on submissions: list, accept, return, finalise, approve, reminders, start."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from cockpit import pipeline
from cockpit.commands.common import JsonOption, StoreOption, err, print_json, print_table, progress, store_at
from cockpit.commands.words import headings, language
from warehouse.base.clock import parse_instant, system_clock
from warehouse.base.errors import QueryError
from warehouse.base.periods import OPEN, Period, month_of
from warehouse.review import MOST_TOLD, Action, Choice, Decision, decide, refusal, start, state_text, text
from warehouse.store import Generation
from warehouse.submissions import STATES, Submission, review_from, submission_status, units_below

review_app = typer.Typer(no_args_is_help=True, help="States of submissions: reported, reviewed, final, returned.")

COLUMNS = (
    "period",
    "dataset",
    "unit",
    "unit_name",
    "state",
    "locked",
    "reported_by",
    "reported_at",
    "reviewed_by",
    "due_on",
    "reason",
)
REMINDED = ("period", "dataset", "unit", "unit_name", "what", "since", "days", "reason")
MONTHS_BACK = 12

SourceOption = Annotated[list[str] | None, typer.Option("--source", help="Source; default all that are owed.")]
UnitOption = Annotated[list[str] | None, typer.Option("--unit", help="Unit, or a node with all below it.")]
PeriodOption = Annotated[str | None, typer.Option("--period", help="2025-01, 2025-Q1, 2025 or a range A..B.")]
AllOfOption = Annotated[int | None, typer.Option("--all-of", help="Only what this batch changed, as it left it.")]
ActorOption = Annotated[str, typer.Option(help="Who decides; not the one who reported.")]
WhyOption = Annotated[str, typer.Option("--why", help="The reason; it is kept and shown.")]
SeenOption = Annotated[
    int | None, typer.Option("--seen", help="Last batch the reviewer looked at; later changes are passed over.")
]
OwnOption = Annotated[bool, typer.Option("--own", help="Review what you reported yourself; needs --why and is kept.")]
KnownAtOption = Annotated[str | None, typer.Option("--known-at", help="As known then: a date or an instant.")]


@review_app.command("list")
def review_list(
    store: StoreOption = None, source: SourceOption = None, unit: UnitOption = None, period: PeriodOption = None,
    state: Annotated[list[str] | None, typer.Option(help=", ".join(STATES))] = None, known_at: KnownAtOption = None,
    json_: JsonOption = False,
) -> None:  # fmt: skip
    """List submissions and where each stands, now or as known on a past day."""
    for name in state or ():
        if name not in STATES:
            raise QueryError(f"'{name}' is not a state.", f"use one of {', '.join(STATES)}")
    generation = store_at(store).open_generation(memory="1GB", threads=2)
    found = _found(generation, source, unit, period, known_at)
    rows = [one for one in found if not state or one.state in state]
    if json_:
        print_json([one.as_json() for one in rows])
        return
    print_table([{**one.as_json(), "state": _told(one)} for one in rows], COLUMNS, headings(COLUMNS))


def _told(one: Submission) -> str:
    words = state_text(one.state)[language()]
    if one.restated and one.state == "reported":
        words += state_text("restated")[language()]
    if one.state == "final" and not one.locked:
        words += state_text("open")[language()]
    return words


@review_app.command("accept")
def accept(
    store: StoreOption = None, source: SourceOption = None, unit: UnitOption = None, period: PeriodOption = None,
    all_of: AllOfOption = None, actor: ActorOption = "", why: WhyOption = "", seen: SeenOption = None,
    own: OwnOption = False, json_: JsonOption = False,
) -> None:  # fmt: skip
    """Review submissions: as they are now they go on the default board."""
    _decide("accept", store, (source, unit, period, all_of), actor, why, json_, own=own, seen=seen)


@review_app.command("return")
def send_back(
    store: StoreOption = None, source: SourceOption = None, unit: UnitOption = None, period: PeriodOption = None,
    all_of: AllOfOption = None, actor: ActorOption = "", why: WhyOption = "", json_: JsonOption = False,
) -> None:  # fmt: skip
    """Return submissions to their units with a reason."""
    _decide("return", store, (source, unit, period, all_of), actor, why, json_)


@review_app.command("finalise")
def finalise(
    store: StoreOption = None, source: SourceOption = None, unit: UnitOption = None, period: PeriodOption = None,
    actor: ActorOption = "", why: WhyOption = "", own: OwnOption = False, json_: JsonOption = False,
) -> None:  # fmt: skip
    """Make reviewed submissions final: no file changes them any more without approval."""
    _decide("finalise", store, (source, unit, period, None), actor, why, json_, own=own)


@review_app.command("approve")
def approve(
    store: StoreOption = None, source: SourceOption = None, unit: UnitOption = None, period: PeriodOption = None,
    actor: ActorOption = "", why: WhyOption = "", json_: JsonOption = False,
) -> None:  # fmt: skip
    """Approve a change of final submissions; the approval ends when they are made final again."""
    _decide("approve", store, (source, unit, period, None), actor, why, json_)


@review_app.command("start")
def begin(
    from_: Annotated[str, typer.Option("--from", help="First month under review.")],
    store: StoreOption = None, actor: ActorOption = "", why: WhyOption = "", json_: JsonOption = False,
) -> None:  # fmt: skip
    """Work with review from a month on; earlier months count as reviewed as they are."""
    place, month = store_at(store), Period.parse(from_).from_m
    done = pipeline.review_and_publish(place, lambda g: start(place, g, month, actor=actor, why=why), progress=progress)
    _print_decision(done, json_)


@review_app.command("reminders")
def reminders(
    store: StoreOption = None, source: SourceOption = None, unit: UnitOption = None, period: PeriodOption = None,
    known_at: KnownAtOption = None, json_: JsonOption = False,
) -> None:  # fmt: skip
    """List who owes what since when: late reports, returned ones not handed in again, and reports waiting for review."""
    generation = store_at(store).open_generation(memory="1GB", threads=2)
    now = parse_instant(known_at, generation.zone) if known_at else system_clock()
    today = now.astimezone(zoneinfo.ZoneInfo(generation.zone)).date()
    found = _found(generation, source, unit, period, known_at)
    first = review_from(generation, generation.batch_at(parse_instant(known_at, generation.zone) if known_at else None))
    rows = [row for one in found if (row := _reminder(one, today, first, generation.zone)) is not None]
    rows.sort(key=lambda row: (-row["days"], row["dataset"], row["unit"]))
    if json_:
        print_json(rows)
    else:
        print_table(rows, REMINDED)


def _reminder(one: Submission, today: dt.date, first: int | None, zone: str) -> dict[str, Any] | None:
    """Return what is left to do on a submission and since when, None when nothing is."""
    if one.state == "missing" and one.restated and one.counts:  # withdrawn, and still shown as reviewed
        what, since = "to_review", _day(one.reported_at, zone)
    elif one.state == "missing" and one.is_late(today):
        what, since = "overdue", one.due_on
    elif one.state == "returned":
        what, since = "returned", _day(one.decided_at, zone)
    elif one.state == "reported" and first is not None and (one.month >= first or one.decided_seq is not None):
        what, since = "to_review", _day(one.reported_at, zone)
    else:
        return None
    names = ("period", "dataset", "unit", "unit_name")
    told = {name: getattr(one, name) for name in names}
    days = (today - since).days if since else 0
    return {**told, "what": what, "since": since.isoformat() if since else None, "days": days,
            "reported_by": one.reported_by, "reason": one.reason if what == "returned" else None}  # fmt: skip


def _day(moment: dt.datetime | None, zone: str) -> dt.date | None:
    return moment.astimezone(zoneinfo.ZoneInfo(zone)).date() if moment else None


# --- what the commands share ------------------------------------------------------------------------------------------

Asked = tuple[list[str] | None, list[str] | None, str | None, int | None]


def _found(
    generation: Generation, source: Sequence[str] | None, unit: Sequence[str] | None, period: str | None,
    known_at: str | None,
) -> list[Submission]:  # fmt: skip
    choice = _choice(generation, (list(source or ()), list(unit or ()), period, None))
    return submission_status(
        generation, from_m=choice.from_m, to_m=choice.to_m, datasets=choice.datasets, units=choice.units,
        known_at=parse_instant(known_at, generation.zone) if known_at else None,
    )  # fmt: skip


def _choice(generation: Generation, asked: Asked) -> Choice:
    """Return what was asked for; without a period the last twelve months that have ended."""
    source, unit, period, all_of = asked
    if period is not None:
        first, last = Period.parse_range(period)
        low, high = first.from_m, last.to_m
    elif all_of is not None:
        low, high = _months_of(generation, all_of)
    else:
        high = month_of(system_clock().astimezone(zoneinfo.ZoneInfo(generation.zone)).date())
        low = max(high - MONTHS_BACK, int(generation.meta.get("first_month") or 0))
    units = units_below(generation, _codes(generation, unit), generation.through_seq) if unit else None
    return Choice(low, high, tuple(source or ()), units, all_of)


def _months_of(generation: Generation, seq: int) -> tuple[int, int]:
    """Return the months a batch spoke of: a yearly report may lie outside those of the figures."""
    row = generation.con.execute(
        "SELECT period_from, period_to FROM batch WHERE batch_seq = $seq AND period_from IS NOT NULL", {"seq": seq}
    ).fetchone()
    return (row[0], row[1] if row[1] is not None else OPEN) if row else (0, 0)


def _codes(generation: Generation, asked: Sequence[str]) -> tuple[str, ...]:
    from metrics.knowledge import knowledge
    from metrics.nodes import find_node

    return tuple(find_node(knowledge(generation).register, text) for text in asked)


def _decide(action: Action, store: Any, asked: Asked, actor: str, why: str, json_: bool, *, own: bool = False,
            seen: int | None = None) -> None:  # fmt: skip
    place = store_at(store)
    if asked[2] is None and asked[3] is None:
        raise refusal("no_period")

    def take(generation: Generation) -> Decision:
        return decide(place, generation, action, _choice(generation, asked), actor=actor, why=why, own=own, seen=seen)

    _print_decision(pipeline.review_and_publish(place, take, progress=progress), json_)


def _print_decision(done: Decision, json_: bool) -> None:
    """Print a decision; what was passed over is told, and is exit code 1."""
    if json_:
        print_json(done.as_json())
    else:
        print(f"{done.message['zh']}\n{done.message['en']}")
        for reason in done.passed_over[:MOST_TOLD]:
            err.print(f"{reason['zh']} {reason['en']}", markup=False)
        if len(done.passed_over) > MOST_TOLD:
            told = text("more", count=len(done.passed_over) - MOST_TOLD)
            err.print(f"{told['zh']} {told['en']}", markup=False)
    if done.passed_over:
        raise typer.Exit(1)
