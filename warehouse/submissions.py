"""Submissions: what a unit owes for a period, whether it came, and what was decided about it.

A submission is a dataset, a unit and a period. It is reported (已报) by a load; a review makes it reviewed (已审), a
lock makes it final (已定), and it may be returned (退回) with a reason. What is loaded after a decision makes it
reported again; the version that was reviewed stays what the reviewed view shows until the next review.
Rule: domain.md §0.18.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from warehouse.base.errors import UnknownName
from warehouse.contracts import Contract
from warehouse.control import iso
from warehouse.declared import declared_months
from warehouse.file_reports import speaking
from warehouse.owing import owing_units
from warehouse.report_periods import due_on, label_of, months_of
from warehouse.reviewed import changes_sql, is_owed, owed
from warehouse.store import Generation

State = Literal["missing", "reported", "reviewed", "returned", "final"]
STATES: tuple[State, ...] = ("missing", "reported", "reviewed", "returned", "final")


@dataclass(frozen=True)
class Submission:
    """Where one submission stands, as known at a batch."""

    dataset: str
    unit: str
    unit_name: str
    month: int
    """First month of the period."""
    period: str
    state: State
    locked: bool
    """Final, and no change is approved: rows that would change it are set aside."""
    restated: bool
    """Changed since it was last decided on; what was reviewed before still stands in the reviewed view."""
    counts: bool
    """Some version of it stands in the reviewed view."""
    due_on: dt.date | None
    """Last day to hand it in; None where the unit owes no such report."""
    changed_seq: int | None
    reported_by: str | None
    reported_at: dt.datetime | None
    file_name: str | None
    reporters: tuple[str, ...]
    """Everyone whose batch changed it since the review that stands."""
    reviewed_seq: int | None
    reviewed_by: str | None
    reviewed_at: dt.datetime | None
    decided_seq: int | None
    decided_by: str | None
    decided_at: dt.datetime | None
    reason: str | None
    is_own: bool = False
    """Reviewed by somebody who had reported it himself."""

    def as_json(self) -> dict[str, Any]:
        """Return plain values for printing."""
        plain = {key: iso(value) if isinstance(value, dt.datetime) else value for key, value in asdict(self).items()}
        return {**plain, "due_on": self.due_on.isoformat() if self.due_on else None}

    def is_late(self, today: dt.date) -> bool:
        """Tell whether it is owed, has not come (or was returned), and its day has passed."""
        return self.state in ("missing", "returned") and self.due_on is not None and today > self.due_on


def submission_status(
    generation: Generation, *, from_m: int, to_m: int, datasets: Collection[str] = (),
    units: Collection[str] | None = None, known_at: dt.datetime | None = None,
) -> list[Submission]:  # fmt: skip
    """Return the submissions of the periods that begin in `[from_m, to_m)`, by period, dataset and unit.

    Those that are owed, that came, or that were decided on; only of `units` when they are given. As known at a moment.
    """
    found: list[Submission] = []
    seq = generation.batch_at(known_at)
    for contract in _chosen(generation, datasets):
        reader = _Reader(generation.seen("reported"), contract, seq, from_m, to_m)
        found += [one for one in reader.submissions() if units is None or one.unit in units]
    return sorted(found, key=lambda one: (one.month, one.dataset, one.unit))


def _chosen(generation: Generation, datasets: Collection[str]) -> Sequence[Contract]:
    known = {contract.name: contract for contract in owed(generation.contracts)}
    for name in datasets:
        if name not in known:
            raise UnknownName("source under review", name, known)
    if datasets:
        return [contract for name, contract in known.items() if name in datasets]
    # what nobody here ever handed in is not asked for
    used = {row[0] for row in generation.con.execute("SELECT DISTINCT dataset FROM batch").fetchall()}
    return [contract for name, contract in known.items() if name in used]


def units_below(generation: Generation, nodes: Collection[str], seq: int) -> frozenset[str]:
    """Return the nodes and every unit ever known below them."""
    rows = generation.con.execute(
        "SELECT DISTINCT dsc FROM closure WHERE list_contains($nodes, anc) AND rec_from <= $seq AND $seq < rec_to",
        {"nodes": list(nodes), "seq": seq},
    ).fetchall()
    return frozenset(row[0] for row in rows)


def review_from(generation: Generation, seq: int) -> int | None:
    """Return the first month under review as known at a batch; None while the store does not work with review."""
    if not generation.has_review:
        return None
    row = generation.con.execute(
        "SELECT max(month) FROM d_submission WHERE state = 'start' AND rec_from <= $seq AND $seq < rec_to", {"seq": seq}
    ).fetchone()
    return row[0] if row else None


Key = tuple[str, int]
Said = tuple[str | None, int]
"""A unit, or None for all who owe it, and a month."""


class _Reader:
    """Reads the submissions of one dataset as known at a batch."""

    def __init__(self, generation: Generation, contract: Contract, seq: int, from_m: int, to_m: int) -> None:
        self.generation, self.contract = generation, contract
        self.seq = seq
        self.given = {"seq": seq, "low": from_m, "high": to_m}
        self.review_from = review_from(generation, seq)

    def submissions(self) -> Iterator[Submission]:
        told, decided, owing = self._changes(), self._decided(), self._owing()
        changes = {key: seqs for key, (seqs, _) in told.items()}
        live = {key for key, (_, is_live) in told.items() if is_live}
        if self.contract.coverage == "file":  # a file speaks for all who owe it, also for those it has no row of
            first, now = self._files()
            for key in owing:  # told for it alone, or for all
                spoke = [first[of] for of in (key, (None, key[1])) if of in first]
                if spoke:
                    changes.setdefault(key, [min(spoke)])
            live |= {key for key in owing if key in now or (None, key[1]) in now}
        batches, names = self._batches(), self._names()
        for key in sorted({*owing, *live, *decided}):
            yield self._one(key, changes.get(key, ()), decided.get(key), key in live, key in owing, batches, names)

    def _one(self, key: Key, changes: Sequence[int], row: Mapping[str, Any] | None, is_live: bool, is_owing: bool,
             batches: Mapping[int, tuple[str, dt.datetime, str]], names: Mapping[str, str]) -> Submission:  # fmt: skip
        unit, month = key
        last = max(changes, default=None)
        judged, reviewed = (row["judged_seq"], row["reviewed_seq"]) if row else (None, None)
        restated = judged is not None and last is not None and last > judged
        state = _state(row["state"] if row else None, restated, is_live)
        since = reviewed or 0
        who = [batches[seq][0] for seq in changes if seq > since and seq in batches]
        by, at, file = batches.get(last or 0, (None, None, None)) if changes else (None, None, None)
        judge = batches.get(judged) if judged is not None else None
        reviewer = batches.get(reviewed) if reviewed is not None else None
        free = self.review_from is None or (month < self.review_from and row is None)
        return Submission(
            self.contract.name, unit, names.get(unit, unit), month, self._label(month), state,
            locked=row is not None and row["state"] == "final",
            restated=restated, counts=is_live if free else reviewed is not None,
            due_on=self._due_on(month) if is_owing else None, changed_seq=last, reported_by=by, reported_at=at,
            file_name=file, reporters=tuple(dict.fromkeys(who)), reviewed_seq=reviewed,
            reviewed_by=reviewer[0] if reviewer else None, reviewed_at=reviewer[1] if reviewer else None,
            decided_seq=judged, decided_by=judge[0] if judge else None, decided_at=judge[1] if judge else None,
            reason=row["reason"] if row else None, is_own=bool(row and row["is_own"]),
        )  # fmt: skip

    def _label(self, month: int) -> str:
        return label_of(self.contract, month)

    def _due_on(self, month: int) -> dt.date:
        return due_on(self.contract, month)

    def _rows(self, sql: str, **more: object) -> list[tuple[Any, ...]]:
        given = {**self.given, "dataset": self.contract.name, **more}
        return self.generation.con.execute(sql, {k: v for k, v in given.items() if f"${k}" in sql}).fetchall()

    def _changes(self) -> dict[Key, tuple[list[int], bool]]:
        """Return the batches that changed each submission, oldest first, and whether it holds rows."""
        source = "SELECT unit, month, batch_seq, n FROM submission_change WHERE dataset = $dataset"
        if not self.generation.has_review:
            source = changes_sql(self.contract)
        rows = self._rows(
            f"SELECT unit, month, list(DISTINCT batch_seq ORDER BY batch_seq), sum(n) > 0 FROM ({source}) "
            "WHERE batch_seq <= $seq AND month >= $low AND month < $high GROUP BY unit, month"
        )
        return {(unit, month): (seqs, is_live) for unit, month, seqs, is_live in rows}

    def _files(self) -> tuple[dict[Said, int], set[Said]]:
        """Return the batch from which a file of a month spoke for all who owe it (None) or for a unit alone, and of what
        one does."""
        source = "SELECT unit, month, batch_seq, n FROM submission_change WHERE dataset = $dataset"
        if not self.generation.has_review:
            source = changes_sql(self.contract)
        told = f"SELECT unit, month AS month_no, batch_seq, n FROM ({source}) WHERE batch_seq <= $seq AND month >= $low - 12"
        low, high = self.given["low"] - 12, self.given["high"]
        declared = declared_months(self.generation.con, self.contract.name, low=low, high=high)
        declared = declared and f"SELECT * FROM ({declared}) WHERE batch_seq <= $seq"
        rows = self._rows(
            f"""WITH {speaking(told, declared)}
            SELECT unit, month_no, min(batch_seq) FILTER (speaks), arg_max(speaks, batch_seq) FROM (
                SELECT NULL AS unit, month_no, batch_seq, for_all AS speaks FROM spoken
                UNION ALL SELECT unit, month_no, batch_seq, has = 1 FROM alone) heard
            WHERE month_no >= $low AND month_no < $high GROUP BY unit, month_no"""
        )
        first = {(unit, month): seq for unit, month, seq, _ in rows if seq is not None}
        return first, {(unit, month) for unit, month, _, speaks in rows if speaks}

    def _decided(self) -> dict[Key, dict[str, Any]]:
        if not self.generation.has_review:
            return {}
        names = ("state", "judged_seq", "reviewed_seq", "reason", "is_own")
        rows = self._rows(
            f"SELECT unit, month, {', '.join(names)} FROM d_submission WHERE dataset = $dataset AND rec_from <= $seq "
            "AND $seq < rec_to AND month >= $low AND month < $high"
        )
        return {(row[0], row[1]): dict(zip(names, row[2:], strict=True)) for row in rows}

    def _owing(self) -> set[Key]:
        """Return who owes the reports of the dataset's theme, per period that has begun to be due."""
        columns = {row[0] for row in self.generation.con.execute("DESCRIBE d_org_unit").fetchall()}
        if f"scope_{self.contract.theme}" not in columns:
            return set()
        rows = self._rows(
            f"""SELECT DISTINCT o.unit, m.m FROM {owing_units(self.contract.theme)} o
            JOIN (SELECT unnest(range($low::BIGINT, $high::BIGINT))::INTEGER AS m) m ON o.from_m <= m.m AND m.m < o.to_m
            WHERE o.rec_from <= $seq AND $seq < o.rec_to AND m.m % {months_of(self.contract)} = 0"""
        )
        return {(unit, month) for unit, month in rows}

    def _batches(self) -> dict[int, tuple[str, dt.datetime, str]]:
        rows = self.generation.con.execute(
            "SELECT batch_seq, recorded_by, recorded_at, file_name FROM batch"
        ).fetchall()
        return {seq: (by, at.replace(tzinfo=dt.UTC), file) for seq, by, at, file in rows}

    def _names(self) -> dict[str, str]:
        rows = self._rows(
            "SELECT code, coalesce(nullif(short_name, ''), name) FROM d_org_unit "
            "WHERE rec_from <= $seq AND $seq < rec_to ORDER BY from_m"
        )
        return dict(rows)


def _state(decided: str | None, restated: bool, is_live: bool) -> State:
    if decided == "final" or (decided == "approved" and not restated):
        return "final"
    if decided in ("reviewed", "returned") and not restated:
        return "reviewed" if decided == "reviewed" else "returned"
    return "reported" if is_live else "missing"


__all__ = ["STATES", "Submission", "is_owed", "review_from", "submission_status", "units_below"]
