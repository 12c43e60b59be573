"""Recording that a name means a unit: a batch of the alias source, with who, when, and the file it was met in.

The name goes the way of every file: a small table is kept in the inbox and loaded, so that it can be seen, explained and
withdrawn, and no day before it knows the name.
"""

from __future__ import annotations

import csv
import datetime as dt
import tempfile
from pathlib import Path

from warehouse.base.clock import Clock, system_clock
from warehouse.base.errors import RefusedInput
from warehouse.directory import ALIASES
from warehouse.ingest import Progress, load
from warehouse.names import fold_name
from warehouse.organisations import Directory
from warehouse.receipts import FileReport
from warehouse.store import Store

LABELS = ("别名", "单位代码", "启用日期", "失效日期", "见于文件")


def record_alias(
    store: Store, known: Directory, name: str, code: str, *, actor: str, since: dt.date | None = None,
    until: dt.date | None = None, met_in: str = "", clock: Clock = system_clock, progress: Progress | None = None,
) -> FileReport:  # fmt: skip
    """Record that a name means a unit from a day to a day, both days included. Does not publish."""
    name, unit = name.strip(), known.by_code(code)
    if unit is None:
        near = known.told(known.suggest(code))
        raise RefusedInput(
            f"'{code}' is the code of no unit.", f"did you mean {near}?" if near else "see: cockpit units list"
        )
    _refuse_taken(known, name, unit)
    if since is not None and until is not None and until < since:
        raise RefusedInput(f"The name ends on {until} before it begins on {since}.", "give --from before --until")
    with tempfile.TemporaryDirectory(prefix="cockpit-") as folder:
        path = Path(folder) / f"单位别名-{fold_name(unit)}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(LABELS)
            writer.writerow([name, unit, since or "", until or "", met_in])
        return load(store, [path], source=ALIASES, actor=actor, clock=clock, progress=progress)[0]


def _refuse_taken(known: Directory, name: str, unit: str) -> None:
    """A name that already means somebody, or several, is not given to one more."""
    if not fold_name(name):
        raise RefusedInput("The name is empty.", "write the name as it stands in the file, in quotes")
    match = known.find(name)
    if match.code == unit:
        raise RefusedInput(
            f"'{name}' is already understood as {unit} {known.unit(unit).name}.", "nothing needs to be recorded"
        )
    if match.code is not None:
        raise RefusedInput(
            f"'{name}' already means {match.code} {known.unit(match.code).name}.",
            f"write the code {unit} in the file, or correct the register",
        )
    if match.fault == "ambiguous_org" and not match.by_month:
        raise RefusedInput(f"'{name}' is the name of several units: {match.hint}.", "write the unit's code in the file")
