"""Reach: for whom somebody may report. A file reaches no further than the one who hands it in.

Rows of other units are set aside; a file that holds nothing else is refused, and so is one whose source speaks of no
unit, for it would speak for all. A full slice takes back only rows inside the reach, and a row whose key another unit
has reported is set aside: taken, it would take the other's row away.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from warehouse.base.sql import quote
from warehouse.contracts import Contract
from warehouse.readers.faults import Fault, ReadRefused


@dataclass(frozen=True)
class Reach:
    """The codes of the units somebody may report for, and the themes; None means all."""

    units: frozenset[str] | None = None
    themes: frozenset[str] | None = None

    def check_source(self, contract: Contract, file: str) -> None:
        """Refuse a source that lies outside as a whole."""
        title = contract.title["zh"]
        if self.themes is not None and contract.theme not in self.themes:
            raise ReadRefused(Fault("theme_outside_scope", file, value=title))
        if self.units is not None and (contract.org_column is None or contract.is_reference):
            raise ReadRefused(Fault("source_outside_scope", file, value=title))

    def set_aside(self, con: duckdb.DuckDBPyConnection, contract: Contract, file: str) -> None:
        """Add a fault to every staged row of a unit outside; refuse the file when no row of a unit lies inside."""
        within = self.within(contract)
        if within is None:
            return
        org = f'"{contract.org_column}"'
        beyond = f"({org} IS NOT NULL AND NOT {within})"  # a name nobody knows has its own fault
        inside, outside, example = con.execute(
            f"SELECT count(*) FILTER (WHERE {within}), count(*) FILTER (WHERE {beyond}),"
            f" min({org}) FILTER (WHERE {beyond}) FROM staged"
        ).fetchone() or (0, 0, None)
        if outside and not inside:
            raise ReadRefused(Fault("file_outside_scope", file, value=example))
        if outside:
            con.execute(
                f"INSERT INTO faults SELECT sheet_no, row_no, '{contract.org_column}', 'outside_scope',"
                f" CAST({org} AS VARCHAR), NULL FROM staged WHERE {beyond}"
            )

    def spare_others(self, con: duckdb.DuckDBPyConnection, contract: Contract) -> None:
        """Add a fault to every staged row under a key that is known of a unit outside; looks at temp table `known`."""
        within = self.within(contract, "k.")
        if within is None or contract.org_column in contract.keys:
            return
        timeless = contract.time_kind == "span"  # a version from another day is a version of the same thing
        keys = [key for key in contract.keys if not (timeless and key == contract.time_column)]
        named = next((key for key in keys if key != contract.time_column), keys[0])
        same = " AND ".join(f'k."{key}" = s."{key}"' for key in keys)
        con.execute(
            f"INSERT INTO faults SELECT s.sheet_no, s.row_no, '{named}', 'key_outside_scope',"
            f' CAST(s."{named}" AS VARCHAR), NULL FROM staged s'
            f" WHERE {self.within(contract, 's.')} AND EXISTS (SELECT 1 FROM known k WHERE {same} AND NOT {within})"
        )

    def within(self, contract: Contract, prefix: str = "") -> str | None:
        """SQL that holds for rows of units inside; None where everything is."""
        if self.units is None or contract.org_column is None:
            return None
        listed = ", ".join(quote(code) for code in sorted(self.units)) or "NULL"
        return f'coalesce({prefix}"{contract.org_column}" IN ({listed}), FALSE)'


EVERYTHING = Reach()
