"""Whether rows stand in the strict order of some columns: then none of them can have the values of another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc


@dataclass
class Ascending:
    """Looks at tables as they pass; `holds` until a row does not come behind the one before it in every table seen."""

    columns: tuple[str, ...]
    holds: bool = True
    last: tuple[Any, ...] | None = None

    def see(self, table: pa.Table) -> None:
        """Hold the rows of the next table against each other, and the first against the last one seen."""
        if not self.holds or not len(table):
            return
        keys = [_plain(table.column(name)) for name in self.columns if name in table.column_names]
        if not keys or any(key.null_count for key in keys):
            self.holds = False
            return
        first = tuple(key[0].as_py() for key in keys)
        self.holds = (self.last is None or self.last < first) and _is_strict(keys)
        self.last = tuple(key[-1].as_py() for key in keys)


def _plain(values: pa.ChunkedArray) -> pa.Array:
    whole = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    return pc.cast(whole, pa.string()) if pa.types.is_dictionary(whole.type) else whole


def _is_strict(keys: list[pa.Array]) -> bool:
    """Whether each row comes behind the one before it: by the first column, where that is the same by the next, and so on."""
    behind: pa.Array | None = None
    for key in reversed(keys):
        before, after = key[:-1], key[1:]
        less = pc.less(before, after)
        behind = less if behind is None else pc.or_(less, pc.and_(pc.equal(before, after), behind))
    return bool(pc.all(behind, min_count=0).as_py())
