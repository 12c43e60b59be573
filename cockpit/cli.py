"""The command line: `cockpit` and `python -m cockpit`. It parses, calls and prints; it decides nothing."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

import typer

from cockpit.commands import (
    backup_commands,
    batch_commands,
    doctor_commands,
    doubt_commands,
    metric_commands,
    plan_commands,
    pull_commands,
    quarantine_commands,
    query_command,
    reconcile_command,
    review_commands,
    sample_commands,
    serve_commands,
    source_commands,
    store_commands,
    token_commands,
    unit_commands,
    upkeep_commands,
)
from cockpit.commands.common import err
from cockpit.failures import words
from warehouse.base.errors import CockpitError

NOT_BUILT = (
    ("prove",), ("detect",),
    ("rules", "rehearse"),
)  # fmt: skip
"""Commands that are promised and not built yet; they say so instead of pretending."""

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
    help="Leadership cockpit for government office affairs. Exported files in, indicators out, on a screen.",
)  # fmt: skip
app.command("load")(store_commands.load)
app.command("pull")(pull_commands.pull)
app.add_typer(source_commands.sources_app, name="sources")
app.add_typer(quarantine_commands.quarantine_app, name="quarantine")
app.command("batches")(batch_commands.batches)
app.command("withdraw")(batch_commands.withdraw)
app.add_typer(doubt_commands.doubts_app, name="doubts")
app.add_typer(unit_commands.units_app, name="units")
app.add_typer(review_commands.review_app, name="review")
app.command("backup")(backup_commands.backup)
app.command("restore")(backup_commands.restore)
app.command("rebuild")(backup_commands.rebuild)
app.command("doctor")(doctor_commands.doctor)
app.command("compact")(upkeep_commands.compact)
app.command("sample")(sample_commands.sample)
app.add_typer(metric_commands.indicators_app, name="indicators")
app.command("query")(query_command.query)
app.command("reconcile")(reconcile_command.reconcile)
app.command("diff")(metric_commands.diff)
app.add_typer(metric_commands.snapshot_app, name="snapshot")
app.add_typer(metric_commands.rules_app, name="rules")
app.add_typer(plan_commands.plan_app, name="plan")
app.command("landing")(metric_commands.landing)
app.command("forecast")(metric_commands.forecast)
app.add_typer(token_commands.tokens_app, name="tokens")
app.command("serve")(serve_commands.serve)
app.command("worker")(serve_commands.worker)
app.command("run")(serve_commands.run)


def main() -> None:
    """Run the command; every error we know ends in one or two plain lines and exit code 2."""
    _refuse_not_built()
    try:
        app()
    except CockpitError as error:
        _end(error.message, error.hint)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        told = words(error, sys.argv[1:])
        if told is None or os.environ.get("COCKPIT_DEBUG") == "1":
            raise
        _end(*told)


def _refuse_not_built() -> None:
    arguments = tuple(argument for argument in sys.argv[1:] if not argument.startswith("-"))
    for command in NOT_BUILT:
        if arguments[: len(command)] == command:
            _end(f"'cockpit {' '.join(command)}' is not built yet.", None)


def _end(message: str, hint: str | None) -> NoReturn:
    err.print(message, markup=False)
    if hint:
        err.print(f"Hint: {hint}", markup=False)
    sys.exit(2)
