"""The story of one unit: its versions in both times, the names people recorded for it, and whom it came from or went to."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass
from typing import Any

from warehouse.base.periods import OPEN, month_label
from warehouse.store import Generation


@dataclass(frozen=True)
class Version:
    """What the register says of a unit for some months, and from when to when it was known."""

    name: str
    parent: str | None
    department: str | None
    division: str | None
    from_m: int
    to_m: int
    known_since: dt.datetime | None
    known_until: dt.datetime | None

    def as_row(self) -> dict[str, Any]:
        """Return plain values for printing."""
        return {
            "from": month_label(self.from_m), "until": _last(self.to_m), "name": self.name, "parent": self.parent,
            "department": self.department, "division": self.division, "known_since": _moment(self.known_since),
            "known_until": _moment(self.known_until),
        }  # fmt: skip


@dataclass(frozen=True)
class RecordedName:
    """A name somebody recorded for a unit: by whom, when, and from which file."""

    name: str
    from_m: int
    to_m: int
    recorded_by: str
    recorded_at: dt.datetime | None
    met_in: str | None
    batch: int
    known_until: dt.datetime | None

    def as_row(self) -> dict[str, Any]:
        """Return plain values for printing."""
        since = None if self.from_m <= 1900 * 12 else month_label(self.from_m)
        return {
            **asdict(self), "from": since, "until": _last(self.to_m), "recorded_at": _moment(self.recorded_at),
            "known_until": _moment(self.known_until),
        }  # fmt: skip


@dataclass(frozen=True)
class Link:
    """One step of succession: `direction` is from (a predecessor) or to (a successor)."""

    direction: str
    unit: str
    unit_name: str | None
    on: dt.date
    change: str
    share: str | None
    document: str | None
    batch: int

    def as_row(self) -> dict[str, Any]:
        """Return plain values for printing."""
        return {**asdict(self), "on": self.on.isoformat()}


@dataclass(frozen=True)
class Story:
    """Everything the register knows, and ever knew, of one unit."""

    code: str
    versions: tuple[Version, ...]
    names: tuple[RecordedName, ...]
    links: tuple[Link, ...]

    def as_json(self) -> dict[str, Any]:
        """Return plain values for printing."""
        return {
            "code": self.code, "versions": [row.as_row() for row in self.versions],
            "names": [row.as_row() for row in self.names], "succession": [row.as_row() for row in self.links],
        }  # fmt: skip


def story_of(generation: Generation, code: str) -> Story:
    """Return the story of a unit as of everything known to a generation."""
    return Story(code, _versions(generation, code), _names(generation, code), _links(generation, code))


def _versions(generation: Generation, code: str) -> tuple[Version, ...]:
    rows = generation.con.execute(
        """SELECT name, nullif(parent, ''), department, division, from_m, to_m, rec_from, rec_to FROM d_org_unit
           WHERE code = $1 ORDER BY from_m, rec_from""",
        [code],
    ).fetchall()
    return tuple(
        Version(name, parent, department, division, start, end, generation.recorded_at(since), _end(generation, until))
        for name, parent, department, division, start, end, since, until in rows
    )


def _names(generation: Generation, code: str) -> tuple[RecordedName, ...]:
    rows = generation.con.execute(
        """SELECT a.alias, a.from_m, a.to_m, b.recorded_by, a.met_in, a.rec_from, a.rec_to
           FROM d_org_alias a JOIN batch b ON b.batch_seq = a.rec_from WHERE a.unit = $1 ORDER BY a.rec_from, a.alias""",
        [code],
    ).fetchall()
    return tuple(
        RecordedName(name, start, end, by, generation.recorded_at(seq), met_in, seq, _end(generation, until))
        for name, start, end, by, met_in, seq, until in rows
    )


def _links(generation: Generation, code: str) -> tuple[Link, ...]:
    rows = generation.con.execute(
        f"""WITH named AS (
               SELECT code, name FROM d_org_unit WHERE rec_to = {OPEN}
               QUALIFY row_number() OVER (PARTITION BY code ORDER BY from_m DESC) = 1),
           links AS (
               SELECT 'from' AS direction, unit AS other, * FROM d_org_succession WHERE successor = $1 UNION ALL
               SELECT 'to', successor, * FROM d_org_succession WHERE unit = $1)
           SELECT direction, other, n.name, happened_on, change, CAST(share AS VARCHAR), document, rec_from
           FROM links l LEFT JOIN named n ON n.code = l.other WHERE rec_to = {OPEN} ORDER BY happened_on, direction, other""",
        [code],
    ).fetchall()
    return tuple(Link(*row) for row in rows)


def _end(generation: Generation, seq: int) -> dt.datetime | None:
    return None if seq == OPEN else generation.recorded_at(seq)


def _last(to_m: int) -> str | None:
    return None if to_m == OPEN else month_label(to_m - 1)


def _moment(moment: dt.datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="seconds")
