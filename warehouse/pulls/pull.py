"""A pull: rows of a database taken as a file would be, and how far was read noted in the transaction that takes them.

What was read is kept in the inbox like any received file, goes through the same staging, checks and quarantine, and
only what changes becomes a batch. Breaking off anywhere before the commit leaves everything as it was; reading the same
rows twice changes nothing.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.engine import Connection

from warehouse import operations
from warehouse.base.clock import DEFAULT_ZONE, Clock, system_clock
from warehouse.base.errors import ServerError, StoreBusy
from warehouse.durable import sha256_of
from warehouse.ingest import Loader, load, load_file, scratch
from warehouse.manifest import Delivery
from warehouse.operations import PullRow
from warehouse.portion import PART, WHOLE
from warehouse.postgres import Address, parse_address
from warehouse.pulls.declaration import Declaration
from warehouse.pulls.extract import Extract, Shape, read_out, refuse_other_shape
from warehouse.pulls.words import refusal, sentence
from warehouse.receipts import FileReport
from warehouse.recovery import recover
from warehouse.store import Store

FOLDER = "pull"
"""Where rows lie while they are read; what an interrupted pull left there is written over by the next."""


@dataclass(frozen=True)
class Pulled:
    """What became of a pull: the report of its rows, and from where to where the source was read."""

    report: FileReport
    rows: int
    since: str | None
    reached: str | None

    def as_json(self) -> dict[str, Any]:
        """Return the object `cockpit pull` prints."""
        return {**self.report.as_json(), "rows_read": self.rows, "since": self.since, "reached": self.reached}


def pull(
    store: Store, declaration: Declaration, environment: Mapping[str, str], *, full: bool = False, actor: str = "pull",
    clock: Clock = system_clock, progress: Callable[[str], None] | None = None,
) -> Pulled:  # fmt: skip
    """Take what is new in a database, or with `full` everything, so that rows that are gone there go here too.

    Reading keeps no writer waiting; only taking the rows does. Does not publish.
    """
    if not store.exists or not store.has_batches():
        load(store, [], actor=actor, clock=clock, progress=progress)
    folder = store.path / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    target = folder / f"{declaration.name}.parquet"
    with _alone(store, declaration):
        try:
            return _pull(store, declaration, environment, target, full=full, actor=actor, clock=clock, tell=progress)
        finally:
            target.unlink(missing_ok=True)


@contextlib.contextmanager
def _alone(store: Store, declaration: Declaration) -> Iterator[None]:
    """Two pulls of one source would read from the same mark and set it back."""
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(store.alone(f"pull-{declaration.name}"))
        except StoreBusy as busy:
            told = refusal("busy", where=declaration.name)
            raise StoreBusy(told.message, told.hint) from busy
        yield


def _pull(
    store: Store, declaration: Declaration, environment: Mapping[str, str], target: Path, *, full: bool, actor: str,
    clock: Clock, tell: Callable[[str], None] | None,
) -> Pulled:  # fmt: skip
    last = _last(store, declaration, full=full)
    since = last.reached if last is not None and declaration.grows_by else None
    before = None if last is None else Shape(tuple((name, kind) for name, kind in json.loads(last.shape)))
    found = read_out(
        declaration, _address(declaration, environment), since, store.control.meta().get("timezone", DEFAULT_ZONE),
        target, lambda shape: refuse_other_shape(declaration, before, shape), tell,
    )  # fmt: skip
    if _is_old(target, found, last):
        return _nothing(declaration, found, since)
    if not found.rows:
        raise refusal("no_rows", where=declaration.name)
    report = _take(store, declaration, target, found, full=full, actor=actor, clock=clock, tell=tell)
    return Pulled(report, found.rows, since, found.reached)


def _address(declaration: Declaration, environment: Mapping[str, str]) -> Address:
    text = environment.get(declaration.url_env, "")
    if not text:
        raise refusal("no_address", where=declaration.name, value=declaration.url_env)
    try:
        return parse_address(text, "")
    except ServerError:
        raise refusal("bad_address", where=declaration.name, value=declaration.url_env) from None


def _last(store: Store, declaration: Declaration, *, full: bool) -> PullRow | None:
    """How far was read; nothing counts where all is read again, or where the query is another than it was."""
    last = operations.last_pull(store.control.engine, declaration.name)
    return None if full or last is None or last.declared != declaration.fingerprint else last


def _is_old(target: Path, found: Extract, last: PullRow | None) -> bool:
    """The very rows of the last pull, or none at all, are no news and need no receipt."""
    if last is None:
        return False
    return not found.rows or (found.reached == last.reached and sha256_of(target) == last.sha)


def _nothing(declaration: Declaration, found: Extract, since: str | None) -> Pulled:
    text = sentence("nothing_new", where=declaration.name)
    counts = {"rows_in": found.rows, "unchanged": found.rows}
    report = FileReport(declaration.file, declaration.source, None, "unchanged", counts, text)
    return Pulled(report, found.rows, since, found.reached)


def _take(
    store: Store, declaration: Declaration, target: Path, found: Extract, *, full: bool, actor: str, clock: Clock,
    tell: Callable[[str], None] | None,
) -> FileReport:  # fmt: skip
    delivery = Delivery(target, declaration.file, declaration.source, portion=WHOLE if full else PART)
    sha = sha256_of(target)

    def note(con: Connection, receipt_id: int, batch_seq: int | None) -> None:
        operations.add_pull(
            con,
            PullRow(
                declaration.name, receipt_id, batch_seq, declaration.source, declaration.fingerprint, full, found.rows,
                found.reached, clock(), json.dumps(found.shape.columns, ensure_ascii=False), sha,
            ),
        )  # fmt: skip

    with (
        store.writing(tell=tell),
        contextlib.closing(scratch(store)) as con,
        ThreadPoolExecutor(max_workers=1) as copier,
    ):
        recover(store)
        loader = Loader(store, actor, clock, con, store.contracts, copier, note=note)
        last_at = store.control.last()[1]
        loader.moment = max(clock(), last_at) if last_at else clock()
        return load_file(loader, delivery)
