"""Commands about units: who is known, what a strange name may mean, and recording that it does."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from cockpit import pipeline
from cockpit.commands.asking import KnownAtOption, moment_of
from cockpit.commands.common import JsonOption, StoreOption, print_json, print_table, progress, store_at
from warehouse.aliases import record_alias
from warehouse.base.clock import Clock, system_clock
from warehouse.base.errors import CockpitError
from warehouse.base.periods import OPEN, month_label, month_of
from warehouse.directory import read_directory
from warehouse.ingest import scratch
from warehouse.organisations import Directory, Suggestion, sentence
from warehouse.register_history import Story, story_of
from warehouse.store import Store

units_app = typer.Typer(no_args_is_help=True, help="Units: the register, the names they go by, where they come from.")

TREES = ("administrative", "department")

NearOption = Annotated[
    str | None, typer.Option("--near", help="Code of the unit that hands in: its region comes first.", metavar="CODE")
]


def known_units(store: Store) -> Directory:
    """Return the organisations as known now."""
    with contextlib.closing(scratch(store)) as con:
        return read_directory(con, store)


@units_app.command("list")
def units_list(
    below: Annotated[str | None, typer.Option("--below", help="Only units below this one.", metavar="CODE")] = None,
    tree: Annotated[
        str, typer.Option("--tree", help="What --below means: administrative, or department: those it leads.")
    ] = TREES[0],
    store: StoreOption = None,
    json_: JsonOption = False,
) -> None:
    """List the units as known now, with both trees."""
    if tree not in TREES:
        raise CockpitError(f"'{tree}' is no tree of units.", f"use {' or '.join(TREES)}")
    known = known_units(store_at(store))
    top = _code_of(known, below) if below else None
    above = known.above if tree == TREES[0] else known.led_by
    units = [unit for unit in known if top is None or top in above(unit.code)]
    rows = [
        {
            "code": unit.code, "name": unit.name, "short_name": unit.short_name, "parent": unit.parent,
            "department": unit.department, "kind": unit.kind, "level": unit.level, "division": unit.division,
            "credit_code": unit.credit_code, "until": None if unit.to_m == OPEN else month_label(unit.to_m - 1),
        }
        for unit in units
    ]  # fmt: skip
    if json_:
        print_json(rows)
    else:
        print_table(rows, ("code", "name", "parent", "department", "kind", "level", "division", "until"))


@units_app.command("show")
def units_show(unit: str, store: StoreOption = None, json_: JsonOption = False) -> None:
    """Show a unit: every version of it, its other names with who recorded them, what came before and after it."""
    place = store_at(store)
    code = _code_of(known_units(place), unit)
    generation = place.open_generation()
    story = story_of(generation, code)
    generation.close()
    if json_:
        print_json(story.as_json())
        return
    _print_story(story)


@units_app.command("scope")
def units_scope(
    theme: Annotated[str, typer.Argument(help="cost, vehicle, space, energy or service.")],
    at: Annotated[str | None, typer.Option("--at", help="In the month of this day; default today.")] = None,
    below: Annotated[str | None, typer.Option("--below", help="Only units below this one.", metavar="CODE")] = None,
    known_at: KnownAtOption = None,
    store: StoreOption = None,
    json_: JsonOption = False,
) -> None:
    """Say who counts in a theme and who does not, with the months for which that has held."""
    from metrics.scopes import memberships

    place = store_at(store)
    generation = place.open_generation()
    moment = moment_of(known_at, generation.zone)
    day = _day(at) or system_clock().date()
    top = _code_of(known_units(place), below) if below else None
    rows = [one.as_row() for one in memberships(generation, theme, month_of(day), generation.batch_at(moment), top)]
    generation.close()
    if json_:
        print_json(rows)
    else:
        print_table(rows, ("node", "node_name", "standing", "since", "until", "owes"))


def _code_of(known: Directory, text: str) -> str:
    match = known.find(text)
    if match.code is None:
        hint = known.hint(text)
        raise CockpitError(
            f"No one unit is called '{text}'.", f"did you mean {hint}?" if hint else "see: cockpit units list"
        )
    return match.code


def _print_story(story: Story) -> None:
    print_table([row.as_row() for row in story.versions], ("from", "until", "name", "parent", "department", "division", "known_since", "known_until"))  # fmt: skip
    if story.names:
        print_table([row.as_row() for row in story.names], ("name", "from", "until", "recorded_by", "recorded_at", "met_in", "batch", "known_until"))  # fmt: skip
    if story.links:
        print_table([row.as_row() for row in story.links], ("direction", "unit", "unit_name", "on", "change", "share", "document", "batch"))  # fmt: skip


@units_app.command("suggest")
def units_suggest(
    name: str, near: NearOption = None, limit: Annotated[int, typer.Option(help="How many.")] = 5,
    store: StoreOption = None, json_: JsonOption = False,
) -> None:  # fmt: skip
    """Say which units a name may mean, best first, with a score and the reason; nothing is taken or stored."""
    known = known_units(store_at(store))
    close = _code_of(known, near) if near else None
    match = known.find(name)
    rows = [suggestion_row(known, one) for one in known.suggest(name, close, limit)]
    if json_:
        print_json({"name": name, "means": match.code, "suggestions": rows})
        return
    if match.code is not None:
        print(f"{name} = {match.code} {known.unit(match.code).name}")
    elif not rows:
        _say(sentence("asked", "nothing_near", name=name))
    print_table(rows, ("score", "code", "name", "place", "why", "why_en"))


def suggestion_row(known: Directory, one: Suggestion) -> dict[str, Any]:
    """Return a suggestion as it is printed."""
    told = [sentence("why", reason) for reason in one.why]
    return {
        "score": one.score, "code": one.code, "name": one.name, "place": known.place(one.code),
        "why": "、".join(words["zh"] for words in told), "why_en": ", ".join(words["en"] for words in told),
    }  # fmt: skip


@units_app.command("alias")
def units_alias(
    name: str,
    code: Annotated[str, typer.Option("--for", help="Code of the unit the name means.", metavar="CODE")],
    actor: Annotated[str, typer.Option(help="Who says so; kept with the alias.")],
    since: Annotated[str | None, typer.Option("--from", help="First day the name means it; default always.")] = None,
    until: Annotated[str | None, typer.Option("--until", help="Last day the name means it; default no end.")] = None,
    met_in: Annotated[str, typer.Option("--met-in", help="The file the name was met in.", metavar="FILE")] = "",
    store: StoreOption = None,
    json_: JsonOption = False,
) -> None:
    """Record that a name means a unit. Rows set aside for that name come right when their file is handed in again."""
    report = alias_and_publish(
        store_at(store), name, code, actor=actor, since=_day(since), until=_day(until), met_in=met_in
    )  # fmt: skip
    if json_:
        print_json(report)
        return
    _say(sentence("asked", "recorded", name=name, code=report["code"], unit=report["unit"], seq=report["batch_seq"]))
    if report["waiting"]:
        _say(sentence("asked", "waiting", count=report["waiting"], files="、".join(report["files"])))


def _say(told: Mapping[str, str]) -> None:
    print(f"{told['zh']}\n{told['en']}")


def alias_and_publish(
    place: Store, name: str, code: str, *, actor: str, since: dt.date | None = None, until: dt.date | None = None,
    met_in: str = "", clock: Clock = system_clock,
) -> dict[str, Any]:  # fmt: skip
    """Record an alias, publish, and tell which rows wait for it."""
    known = known_units(place)
    report = record_alias(
        place, known, name, code, actor=actor, since=since, until=until, met_in=met_in, clock=clock, progress=progress
    )
    pipeline.rebuild(place, clock=clock, progress=progress, force=False)
    waits = [
        e
        for e in place.control.quarantine()
        if e["code"] == "unknown_org" and (e["value"] or "").strip() == name.strip()
    ]
    unit = known.by_code(code) or code
    return {
        "name": name, "code": unit, "unit": known.unit(unit).name, "status": report.status, "batch_seq": report.batch_seq,
        "waiting": len(waits), "files": sorted({e["file_name"] for e in waits}),
    }  # fmt: skip


def _day(text: str | None) -> dt.date | None:
    if text is None:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError as cause:
        raise CockpitError(f"'{text}' is no day.", "write it as 2024-12-31") from cause
