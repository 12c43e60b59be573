"""Pulls as the worker and the command line do them: which are declared, which are due, and the figures after them."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from cockpit.pipeline import rebuild
from warehouse import operations
from warehouse.base.clock import Clock, system_clock
from warehouse.base.errors import CockpitError
from warehouse.contracts import load_contracts
from warehouse.operations import RunRow
from warehouse.pulls.declaration import Declaration, read_declaration, read_folder
from warehouse.pulls.pull import Pulled, pull
from warehouse.pulls.words import refusal
from warehouse.store import Store

log = logging.getLogger(__name__)


def declared(folder: Path | None) -> tuple[Declaration, ...]:
    """Return the declarations of a deployment; none where no folder is set."""
    return () if folder is None else read_folder(folder, load_contracts())


def chosen(names: Iterable[str], folder: Path | None) -> list[Declaration]:
    """Return the declarations named by their file or their name; all of the folder when none is named."""
    wanted = list(names)
    if not wanted:
        return list(declared(folder))
    return [_one(name, folder) for name in wanted]


def _one(name: str, folder: Path | None) -> Declaration:
    if name.endswith(".toml") and Path(name).is_file():
        return read_declaration(Path(name), load_contracts())
    file = None if folder is None else folder / f"{name}.toml"
    if file is None or not file.is_file():
        known = [] if folder is None else sorted(one.stem for one in folder.glob("*.toml"))
        hint = "、".join(known) or "cockpit pull FILE.toml, COCKPIT_PULLS"
        raise refusal("unknown_name", value=name, hint=hint)
    return read_declaration(file, load_contracts())


def pull_and_publish(
    store: Store, declarations: Sequence[Declaration], environment: Mapping[str, str], *, full: bool = False,
    actor: str = "local", clock: Clock = system_clock, progress: Callable[[str], None] | None = None,
) -> list[Pulled]:  # fmt: skip
    """Pull one declaration after the other and publish what came; when this returns the figures are served."""
    done = [
        pull(store, one, environment, full=full, actor=actor, clock=clock, progress=progress) for one in declarations
    ]
    rebuild(store, clock=clock, progress=progress, force=False)
    return done


def pull_due(
    store: Store, declarations: Sequence[Declaration], environment: Mapping[str, str], now: dt.datetime
) -> tuple[RunRow, ...]:
    """Pull what is due, once for each stretch of time; what fails is noted, tried again, and stops nothing else."""
    done = []
    if not store.exists:
        store.create()
    for declaration in declarations:
        job, due = f"pull {declaration.name}", due_key(declaration, now)
        if not operations.is_done(store.control.engine, job, due):
            row = _attempt(store, declaration, environment, job, due, now)
            operations.add_run(store.control.engine, row)
            done.append(row)
    return tuple(done)


def due_key(declaration: Declaration, now: dt.datetime) -> str:
    """Return the stretch of time a moment lies in: of as many minutes as are declared, counted from midnight of UTC."""
    midnight = now.astimezone(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    stretch = dt.timedelta(minutes=declaration.every_minutes)
    return f"{midnight + (now - midnight) // stretch * stretch:%Y-%m-%dT%H:%M}Z/{declaration.every_minutes}"


def _attempt(
    store: Store, declaration: Declaration, environment: Mapping[str, str], job: str, due: str, now: dt.datetime
) -> RunRow:
    try:
        found = pull(store, declaration, environment, actor="worker", clock=lambda: now)
        message, ok = f"{found.report.status}: {found.rows} rows", found.report.status != "refused"
    except CockpitError as fault:
        message, ok = fault.message, False
        log.warning("%s failed: %s", job, fault.message)
    except Exception as fault:
        message, ok = f"{type(fault).__name__}", False  # its text may quote rows
        log.exception("%s failed", job)
    return RunRow(job, due, now, now, ok, message)
