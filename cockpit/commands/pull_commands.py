"""The command that takes rows from databases."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from cockpit.commands.common import JsonOption, StoreOption, print_json, print_table, progress, store_at
from cockpit.pulls import chosen, pull_and_publish
from cockpit.settings import Settings
from warehouse import operations
from warehouse.operations import PullRow
from warehouse.pulls.declaration import Declaration

COLUMNS = ("name", "source", "grows_by", "every_minutes", "pulled_at", "reached", "rows", "batch_seq")


def pull(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME|FILE", help="Declarations: a TOML file, or a name in $COCKPIT_PULLS; default all."
        ),
    ] = None,
    store: StoreOption = None,
    full: Annotated[bool, typer.Option("--full", help="Read everything, and take back what is gone there.")] = False,
    list_: Annotated[bool, typer.Option("--list", help="Only tell what is declared and how far it was read.")] = False,
    actor: Annotated[str, typer.Option(help="Who takes the rows.")] = "local",
    json_: JsonOption = False,
) -> None:
    """Take what is new from declared queries of PostgreSQL databases and publish. Prints one JSON object a pull."""
    place, declarations = store_at(store), chosen(names or (), Settings().pulls)
    if list_:
        engine = place.control.engine
        rows = [_listed(one, operations.last_pull(engine, one.name)) for one in declarations]
        print_json(rows) if json_ else print_table(rows, COLUMNS)
        return
    done = pull_and_publish(place, declarations, os.environ, full=full, actor=actor, progress=progress)
    print_json([one.as_json() for one in done])
    reports = [one.report for one in done]
    troubled = any(report.status == "refused" or report.counts.get("quarantined") for report in reports)
    nothing = all(report.status == "refused" for report in reports)
    raise typer.Exit(2 if reports and nothing else 1 if troubled else 0)


def _listed(declaration: Declaration, last: PullRow | None) -> dict[str, object]:
    names = ("name", "source", "grows_by", "every_minutes")
    far = ("pulled_at", "reached", "rows", "batch_seq")
    return {name: getattr(declaration, name) for name in names} | {name: getattr(last, name, None) for name in far}
