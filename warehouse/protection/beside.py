"""A file looked at without what must not be kept: a preview is kept as well, so it shows only what a load would keep."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace

from warehouse.contracts import Contract
from warehouse.manifest import Delivery
from warehouse.protection.cleaning import Area, Removed, Unsearchable, clean_file, role_of
from warehouse.protection.rules import is_marked, scrub
from warehouse.protection.shield import MOST_SEARCHED
from warehouse.readers.faults import Fault, ReadRefused
from warehouse.readers.raw import RawTable
from warehouse.readers.signatures import recognise
from warehouse.spare import spare_folder


@contextlib.contextmanager
def cleaned(
    delivery: Delivery, tables: Sequence[RawTable], contract: Contract | None
) -> Iterator[tuple[Delivery, Removed]]:
    """Give the copy to be read instead, as long as it is looked at, and what was taken out of it.

    `ReadRefused` when nothing of the file may be looked at, or nobody can tell.
    """
    areas = [Area.of(table, contract) for table in tables]
    with spare_folder() as folder:
        target = folder / "clean"
        try:
            if not areas and delivery.path.stat().st_size > MOST_SEARCHED:
                raise Unsearchable(delivery.name)
            removed = clean_file(delivery.path, delivery.name, recognise(delivery.path, delivery.name), areas, target)
        except Unsearchable:
            raise ReadRefused(Fault("unsearchable", delivery.name)) from None
        if removed.is_whole:
            raise ReadRefused(Fault("classified_file", delivery.name))
        yield (replace(delivery, path=target) if removed else delivery), removed


def as_written(table: RawTable, contract: Contract | None, cells: Sequence[str | None]) -> tuple[str, ...]:
    """Return the cells of a row that may be shown: in a column of figures nobody has looked for numbers of people."""
    roles = [role_of(label, contract) for label in table.labels]
    pairs = zip(cells, roles, strict=True)
    return tuple("" if not cell else "…" if is_marked(cell, role) else scrub(cell, role)[0] for cell, role in pairs)
