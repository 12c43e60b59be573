"""The command that fills a store: load."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cockpit import pipeline
from cockpit.commands import preview_commands
from cockpit.commands.common import JsonOption, StoreOption, print_json, progress, store_at
from cockpit.commands.serve_commands import work_once
from warehouse.base.clock import DEFAULT_ZONE, parse_instant
from warehouse.base.periods import FISCAL_START, Period
from warehouse.store import Store


def load(
    paths: Annotated[list[Path], typer.Argument(help="Files, or folders with or without a manifest.toml.")],
    store: StoreOption = None,
    source: Annotated[
        str | None, typer.Option(help="Name of the contract, when the file is not to be recognised.")
    ] = None,
    recorded_at: Annotated[str | None, typer.Option(help="When the files became known (ISO); default now.")] = None,
    period: Annotated[
        str | None,
        typer.Option(
            help="Months the files cover: 2024-03, 2024-Q1, 2024 or A..B. Rows outside are set aside; a register of "
            "events in which nothing happened then counts as reported."
        ),
    ] = None,
    actor: Annotated[str, typer.Option(help="Who hands the files in.")] = "local",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be understood and taken; commit nothing.")
    ] = False,
    work: Annotated[
        bool, typer.Option("--work", help="Then do what is due, as `cockpit worker --once` does: warnings, forecasts.")
    ] = False,
    json_: JsonOption = False,
) -> None:
    """Take exported files into the store and publish the figures. Prints one JSON object a file."""
    place = store_at(store)
    if dry_run:
        raise typer.Exit(preview_commands.dry_run(place, paths, source, as_json=json_, span=_span(place, period)))
    zone = place.control.meta().get("timezone", DEFAULT_ZONE) if place.exists else DEFAULT_ZONE
    moment = parse_instant(recorded_at, zone) if recorded_at else None
    reports = pipeline.load_and_publish(
        place, paths, source=source, recorded_at=moment, actor=actor, progress=progress, span=_span(place, period)
    )
    print_json([report.as_json() for report in reports])
    if work:
        work_once(place)
    taken = [report for report in reports if report.status in ("committed", "unchanged")]
    troubled = any(r.status == "refused" or r.counts.get("quarantined") for r in reports)
    raise typer.Exit(2 if not taken else 1 if troubled else 0)


def _span(place: Store, period: str | None) -> tuple[int, int] | None:
    """Return the months a period stands for in a store, whose fiscal year may not begin in January."""
    if period is None:
        return None
    begins = place.control.meta().get(FISCAL_START, "1") if place.exists else "1"
    first, last = Period.parse_range(period, int(begins))
    return first.from_m, last.to_m
