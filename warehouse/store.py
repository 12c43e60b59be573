"""A store on disk: control log, received files, segments, generations; how it is opened, and how it is read.

store/
  control.sqlite          what is loaded and when it became known; or control.toml, which names a PostgreSQL database
  inbox/<sha256>          every received file, byte for byte; where it held what must not be kept, a copy without
                          that, under the copy's hash, or nothing (warehouse/protection)
  seg/<dataset>/…parquet  immutable signed deltas, the truth
  catalogues/<fp>.json    the definitions of every publish, by fingerprint
  definitions/*.toml      what a bureau defines itself, beside or instead of what is shipped
  gen/<n>.duckdb          read-only projections that may be deleted and rebuilt; gen/CURRENT names one
"""

from __future__ import annotations

import contextlib
import datetime as dt
import uuid
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Literal

import duckdb

from warehouse.base.clock import DEFAULT_ZONE
from warehouse.base.errors import StoreBusy, StoreError
from warehouse.base.periods import FISCAL_START
from warehouse.contracts import Contract, load_contracts
from warehouse.control import STORE_ID, Control
from warehouse.durable import writer_lock
from warehouse.editions import Past, editions_of
from warehouse.postgres import Address
from warehouse.schema import bring_forward, revision_of
from warehouse.whereabouts import claim, has_log, log_of, refuse_other_log

FOLDERS = ("inbox", "seg", "gen", "tmp")
READER_MEMORY = "128MB"
State = Literal["reviewed", "reported"]
STATES: tuple[State, ...] = ("reviewed", "reported")
REVIEWED_FIRST = "reviewed,main"
__all__ = ["FOLDERS", "STORE_ID", "Generation", "Store", "connect"]


def connect(path: str = ":memory:", *, read_only: bool = False, memory: str = "2GB", threads: int = 2,
            spill: Path | None = None) -> duckdb.DuckDBPyConnection:  # fmt: skip
    """Open DuckDB the one way we do: no extension is ever installed or loaded, memory and threads are bounded."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "memory_limit": memory,
        "threads": str(threads),
    }
    if spill is not None:
        config["temp_directory"] = str(spill)
    return duckdb.connect(path, read_only=read_only, config=config)


@dataclass
class Generation:
    """One immutable projection, opened read-only. A request uses one generation from first to last figure."""

    path: Path
    con: duckdb.DuckDBPyConnection
    contracts: Mapping[str, Contract]
    meta: Mapping[str, str] = field(default_factory=dict)
    pinned: int | None = None
    """When set, every question is answered as known at this batch, whatever moment it names."""
    state: State = "reported"
    """Whether the names of tables mean the rows as reported or as they stand reviewed."""
    past: Past | None = None
    """Which definitions were in force when; None where a generation is read without its store."""
    _states: dict[State, Generation] = field(default_factory=dict, repr=False, compare=False)

    @property
    def number(self) -> int:
        """The generation's number."""
        return int(self.path.stem)

    @property
    def through_seq(self) -> int:
        """The last batch this projection holds."""
        return int(self.meta["through_seq"])

    @property
    def zone(self) -> str:
        """The store's time zone."""
        return self.meta.get("timezone", DEFAULT_ZONE)

    @property
    def fiscal_start(self) -> int:
        """The month the store's fiscal year begins in."""
        return int(self.meta.get(FISCAL_START, "1"))

    @cached_property
    def _recorded(self) -> tuple[list[dt.datetime], list[int]]:
        rows = self.con.execute(
            "SELECT batch_seq, recorded_at FROM batch WHERE batch_seq > 0 ORDER BY batch_seq"
        ).fetchall()
        return [row[1].replace(tzinfo=dt.UTC) for row in rows], [row[0] for row in rows]

    def batch_at(self, moment: dt.datetime | None) -> int:
        """Return the last batch known at an instant; 0 (package defaults only) before the first."""
        if self.pinned is not None:
            return self.pinned
        if moment is None:
            return self.through_seq
        times, numbers = self._recorded
        place = bisect_right(times, moment)
        return numbers[place - 1] if place else 0

    def recorded_at(self, batch_seq: int) -> dt.datetime | None:
        """Return when a batch became known."""
        times, numbers = self._recorded
        place = bisect_right(numbers, batch_seq)
        return times[place - 1] if place else None

    def cursor(self) -> Generation:
        """Return the same generation on a connection of its own, for one request."""
        return Generation(self.path, self.con.cursor(), self.contracts, self.meta, self.pinned, past=self.past)

    def as_known_at(self, batch_seq: int) -> Generation:
        """Return the same generation as it was known right after a batch; batches of one moment are told apart so."""
        return Generation(self.path, self.con, self.contracts, self.meta, batch_seq, self.state, self.past)

    @property
    def has_review(self) -> bool:
        """Tell whether figures are told apart by what is reviewed and what is only reported."""
        return self.meta.get("review") == "1"

    def seen(self, state: State | None = None) -> Generation:
        """Return the generation as one state shows it; without a word the reviewed one, where there is review.

        The same SQL answers from either: the reviewed tables lie in a schema of their own, which is looked into first.
        """
        wanted: State = "reviewed" if self.has_review and state != "reported" else "reported"
        if wanted == self.state:
            return self
        if wanted not in self._states:
            con = self.con.cursor()
            con.execute(f"SET search_path = '{REVIEWED_FIRST if wanted == 'reviewed' else 'main'}'")
            seen = Generation(self.path, con, self.contracts, self.meta, self.pinned, wanted, self.past)
            seen._states[self.state] = self
            self._states[wanted] = seen
        return self._states[wanted]

    def close(self) -> None:
        """Close the connection, and those opened beside it."""
        for other in self._states.values():
            other.con.close()
        self.con.close()


class Store:
    """The folder of one store. Creating the object reads nothing.

    `control_url` is where the log of a store made now shall lie, and may bring the password of one that lies there.
    """

    def __init__(self, path: Path | str, control_url: str = "") -> None:
        self.path = Path(path)
        self.control_url = control_url
        self.inbox = self.path / "inbox"
        self.segments = self.path / "seg"
        self.generations = self.path / "gen"
        self.tmp = self.path / "tmp"
        self.catalogues = self.path / "catalogues"
        self.definitions = self.path / "definitions"
        self.lock = self.path / "writer.lock"

    @property
    def exists(self) -> bool:
        """Tell whether something was ever loaded here."""
        return has_log(self.path)

    @property
    def log(self) -> Path | Address:
        """Where the control log lies, or would lie."""
        return log_of(self.path, self.control_url)

    @property
    def has_shared_log(self) -> bool:
        """Tell whether other machines may use the control log too."""
        return isinstance(self.log, Address)

    def _missing(self) -> StoreError:
        return StoreError(
            f"There is no store in {self.path}.", f"create one with: cockpit load PATH --store {self.path}"
        )

    @cached_property
    def control(self) -> Control:
        """The control log, at this release's schema; raises when the store is missing."""
        if not self.exists:
            raise self._missing()
        self._refuse_lost_log()
        place = self.log
        control = Control(place)
        if isinstance(place, Address):
            refuse_other_log(self.path, place, control)
        bring_forward(control.engine)
        return control

    def has_batches(self) -> bool:
        """Tell whether a log that is there knows of anything; one on a server may have been made and no more."""
        with contextlib.closing(Control(self.log)) as control:
            return revision_of(control.engine) != "" and control.last()[0] >= 0

    @contextlib.contextmanager
    def writing(self, wait_seconds: float = 30, tell: Callable[[str], None] | None = None) -> Iterator[None]:
        """Be the one writer for a job, on this machine and on every other that shares the control log."""
        with writer_lock(self.lock, wait_seconds, tell), self._turn(wait_seconds, tell):
            yield

    def _turn(self, wait_seconds: float, tell: Callable[[str], None] | None) -> contextlib.AbstractContextManager[None]:
        return self.control.turns.take(wait_seconds, tell) if self.has_shared_log else contextlib.nullcontext()

    @contextlib.contextmanager
    def alone(self, name: str) -> Iterator[None]:
        """Be the only one at some work, here and on every machine that shares the control log; else StoreBusy."""
        with writer_lock(self.path / f"{name}.lock", wait_seconds=0):
            if not self.has_shared_log:
                yield
                return
            with self.control.turns.hold(name) as is_held:
                if not is_held:
                    raise StoreBusy(f"On another machine a {name} is at work on the store {self.path}.")
                yield

    def _refuse_lost_log(self) -> None:
        """An empty control log beside segments is a lost log, not a new store: made anew, it would disown them all."""
        log = self.log
        if isinstance(log, Path) and (not log.exists() or log.stat().st_size == 0) and self._has_segments():
            raise StoreError(
                f"{self.path} holds data, but its control log {log} is {'empty' if log.exists() else 'missing'}.",
                "restore a backup into another folder with: cockpit restore FOLDER --store NEW",
            )

    def _has_segments(self) -> bool:
        return any(self.segments.glob("*/*.parquet"))

    @cached_property
    def contracts(self) -> dict[str, Contract]:
        """The contracts shipped with the package."""
        return load_contracts()

    @cached_property
    def records(self) -> dict[str, Contract]:
        """Contracts of what commands write and no file may: decisions on submissions."""
        return load_contracts(resources.files("warehouse") / "records")

    def create(self) -> None:
        """Make the folders and the control log where they are missing."""
        if "?" in str(self.path):
            raise StoreError(f"A store cannot lie in {self.path}.", "DuckDB cannot write below a path with a '?' in it")
        for name in FOLDERS:
            (self.path / name).mkdir(parents=True, exist_ok=True)
        self._refuse_lost_log()
        place = self.log
        control = Control(place)
        try:
            if isinstance(place, Address):
                claim(self.path, place, control, has_data=self._has_segments())
            else:
                bring_forward(control.engine)
                control.name_store(uuid.uuid4().hex)
        finally:
            control.close()

    def current(self) -> Path | None:
        """Return the published generation's file."""
        pointer = self.generations / "CURRENT"
        if not pointer.exists():
            return None
        name = pointer.read_text(encoding="utf-8", errors="replace").strip()
        return self.generations / name if name else None

    @property
    def past(self) -> Past:
        """Which definitions were in force when, by the publishes the control log names."""
        return Past(editions_of(self.control.generations()), self.catalogues)

    def open_generation(self, *, memory: str = READER_MEMORY, threads: int = 1) -> Generation:
        """Open the published generation read-only; one that is swapped out while it is opened is asked for again."""
        path = self.current()
        if path is None or not path.exists():
            path = self.current()
        if path is None or not path.exists():
            if not self.exists and not self.generations.is_dir():
                raise self._missing()
            raise StoreError(
                f"The store {self.path} has no published generation.", f"run: cockpit rebuild --store {self.path}"
            )
        try:
            con = connect(str(path), read_only=True, memory=memory, threads=threads, spill=self.tmp)
            meta = dict(con.execute("SELECT key, value FROM meta").fetchall())
        except duckdb.Error as cause:
            raise StoreError(f"The published generation {path} cannot be read.", "run: cockpit rebuild") from cause
        return Generation(path, con, self.contracts, meta, past=self.past if self.exists else None)
