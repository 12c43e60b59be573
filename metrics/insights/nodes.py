"""Which nodes are judged, projected and frozen: read once from the organisation table of a generation."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from warehouse.base.errors import StoreError

NO_UNITS = frozenset({"compound", "building"})
"""Kinds that owe no report of their own and break no rule: their units do."""


@dataclass(frozen=True)
class Nodes:
    """The root, the units (where facts and duties lie), and the first level below the root."""

    root: str
    units: tuple[str, ...]
    children: tuple[str, ...]
    regions: tuple[str, ...] = ()

    @property
    def board(self) -> tuple[str, ...]:
        """Return the nodes of the board: the root and its children."""
        return self.root, *self.children

    @property
    def all(self) -> tuple[str, ...]:
        """Return the root, what lies between, and the units."""
        return tuple(dict.fromkeys((self.root, *self.regions, *self.units)))


def nodes_of(con: duckdb.DuckDBPyConnection, through_seq: int) -> Nodes:
    """Read the nodes known through a batch, in protocol order; also those that do not live any more."""
    rows = con.execute(
        """SELECT code, arg_max(nullif(parent, ''), from_m), arg_max(kind, from_m), min(protocol_order)
           FROM d_org_unit WHERE rec_from <= $seq AND $seq < rec_to
           GROUP BY code ORDER BY min(protocol_order) NULLS LAST, code""",
        {"seq": through_seq},
    ).fetchall()
    return arrange([(code, parent, kind or "") for code, parent, kind, _ in rows])


def arrange(rows: list[tuple[str, str | None, str]]) -> Nodes:
    """Sort (code, parent, kind) into root, units and what lies between: regions that only gather what is below them."""
    codes = {code for code, _, _ in rows}
    root = next((code for code, parent, _ in rows if parent is None or parent not in codes), None)
    if root is None:
        raise StoreError("The organisation table has no root.", "load the organisation register first")
    parents = {parent for _, parent, _ in rows if parent is not None}
    units = [c for c, _, kind in rows if c != root and kind not in NO_UNITS and (c not in parents or kind != "region")]
    between = [c for c, _, kind in rows if c != root and c not in units and kind not in NO_UNITS]
    return Nodes(root, tuple(units), tuple(c for c, parent, _ in rows if parent == root), tuple(between))
