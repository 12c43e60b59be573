"""The restore drill: a backup is brought back into a folder of its own, its figures are built anew and compared.

A backup keeps the sums of the generation that was published when it was made. A drill tells whether the folder would
bring back the very figures people saw; it changes neither the backup nor the store.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import duckdb

from warehouse.backup import restore
from warehouse.base.clock import Clock, system_clock
from warehouse.base.errors import StoreError
from warehouse.durable import write_text
from warehouse.publish import Builder, publish
from warehouse.store import Generation, Store
from warehouse.sums import history_sums, sums_of

SUMS = "sums.json"
MAKER = ("catalogue", "schema_version")
"""Facts of a generation that say by which release and definitions it was made."""
Compared = Literal["everything", "facts", "nothing"]


@dataclass(frozen=True)
class Drill:
    """What a drill brought back and how it compares with what was published."""

    folder: str
    through_seq: int
    segments: int
    received_files: int
    compared: Compared
    """everything = every table; facts = fact tables and the tree as of the published batch; nothing = no sums to hold it to."""
    tables: int
    different: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Tell whether nothing differs from what was published."""
        return not self.different

    def as_json(self) -> dict[str, Any]:
        """Return plain values for printing."""
        return {**asdict(self), "holds": self.holds}


def published_sums(store: Store) -> dict[str, Any] | None:
    """Return the sums of the published generation; None when there is none."""
    current = store.current()
    if current is None or not current.is_file():
        return None
    with contextlib.closing(store.open_generation(memory="1GB", threads=2)) as generation:
        return _sums(generation, generation.through_seq)


def keep_sums(target: Path, sums: Mapping[str, Any] | None) -> None:
    """Lay the sums beside a backup; without a generation there are none."""
    if sums is None:
        (target / SUMS).unlink(missing_ok=True)
    else:
        write_text(target / SUMS, json.dumps(sums, indent=1))


def drill(
    source: Path, builders: Sequence[Builder] = (), *, catalogue: str = "", clock: Clock = system_clock,
    progress: Callable[[str], None] | None = None,
) -> Drill:  # fmt: skip
    """Restore a backup beside itself, publish, compare, and remove what was brought back."""
    tell = progress or (lambda _: None)
    if not source.is_dir():
        raise StoreError(f"{source} is not a backup: there is no such folder.", "name the folder given to backup")
    place = Path(tempfile.mkdtemp(prefix="drill-", dir=source.parent))
    try:
        tell("restore")
        store = Store(place / "store")
        report = restore(source, store)
        tell("publish")
        publish(store, builders, catalogue=catalogue, clock=clock)
        tell("compare")
        compared, tables, different = _compare(store, _kept(source))
        store.control.close()
        return Drill(
            str(source), report.through_seq, report.segments, report.received_files, compared, tables, different
        )
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _kept(source: Path) -> dict[str, Any] | None:
    file = source / SUMS
    try:
        return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else None
    except ValueError as cause:
        raise StoreError(f"{file} cannot be read.", "make the backup again with: cockpit backup") from cause


def _sums(generation: Generation, through: int) -> dict[str, Any]:
    meta = generation.meta
    return {
        "duckdb": duckdb.__version__,
        "through_seq": through,
        **{name: meta.get(name, "") for name in MAKER},
        "everything": sums_of(generation.con),
        "facts": history_sums(generation.con, through),
    }


def _compare(store: Store, kept: Mapping[str, Any] | None) -> tuple[Compared, int, tuple[str, ...]]:
    """Compare as much as can be: sums of another engine or release say nothing, a batch more hides only the cubes."""
    with contextlib.closing(store.open_generation(memory="1GB", threads=2)) as generation:
        same_engine = kept is not None and kept["duckdb"] == duckdb.__version__
        if kept is None or not same_engine or kept["schema_version"] != generation.meta.get("schema_version"):
            return "nothing", 0, ()
        built = _sums(generation, kept["through_seq"])
        is_same = generation.through_seq == kept["through_seq"] and built["catalogue"] == kept["catalogue"]
        name: Compared = "everything" if is_same else "facts"
        before, after = kept[name], built[name]
        names = sorted({*before, *after} if is_same else {*before} & {*after})
        return name, len(names), tuple(table for table in names if before.get(table) != after.get(table))
