"""The command line: `cockpit` and `python -m cockpit`. It parses, calls and prints; it decides nothing."""

from __future__ import annotations

import sys

import typer

from cockpit.commands import metric_commands, sample_commands, serve_commands, store_commands
from cockpit.commands.common import err
from warehouse.base.errors import CockpitError

NOT_BUILT = ("withdraw", "prove", "doctor", "detect")
"""Commands that are promised and not built yet; they say so instead of pretending."""

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
    help="Leadership cockpit for government office affairs. Exported files in, indicators out, on a screen.",
)  # fmt: skip
app.command("load")(store_commands.load)
app.add_typer(store_commands.sources_app, name="sources")
app.add_typer(store_commands.quarantine_app, name="quarantine")
app.command("batches")(store_commands.batches)
app.command("backup")(store_commands.backup)
app.command("restore")(store_commands.restore)
app.command("rebuild")(store_commands.rebuild)
app.command("sample")(sample_commands.sample)
app.add_typer(metric_commands.indicators_app, name="indicators")
app.command("query")(metric_commands.query)
app.command("diff")(metric_commands.diff)
app.add_typer(metric_commands.snapshot_app, name="snapshot")
app.add_typer(metric_commands.rules_app, name="rules")
app.command("landing")(metric_commands.landing)
app.command("forecast")(metric_commands.forecast)
app.command("serve")(serve_commands.serve)
app.command("worker")(serve_commands.worker)
app.command("run")(serve_commands.run)


def main() -> None:
    """Run the command; every error we know ends in one or two plain lines and exit code 2."""
    arguments = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    if arguments and arguments[0] in NOT_BUILT:
        err.print(f"'cockpit {arguments[0]}' is not built yet.", markup=False)
        sys.exit(2)
    try:
        app()
    except CockpitError as error:
        err.print(error.message, markup=False)
        if error.hint:
            err.print(f"Hint: {error.hint}", markup=False)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
