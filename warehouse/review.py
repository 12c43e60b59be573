"""Decisions on submissions: accept, return, make final, approve a change, and the day from which a store reviews at all.

A decision is a batch like any other, with its actor and its time, so that a past day knows the states of that day and
a withdrawal takes a decision back. Who reported may not review: four eyes, unless it is said that there is only one
pair and why. Rule: domain.md §0.18.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal

import duckdb
import pyarrow as pa

from warehouse.base.clock import Clock, system_clock
from warehouse.base.errors import RefusedInput
from warehouse.base.periods import month_label
from warehouse.control import COUNTS, iso
from warehouse.deltas import known_rows, write_segment
from warehouse.reviewed import START
from warehouse.store import Generation, Store, connect
from warehouse.submissions import Submission, review_from, submission_status

Action = Literal["accept", "return", "finalise", "approve"]
KIND = "review"
DATASET = "submission"
EVERYTHING = "*"
"""Dataset and unit of the row that says from when a store works with review."""
MOST_TOLD = 5
_BECOMES: Mapping[Action, str] = {
    "accept": "reviewed", "return": "returned", "finalise": "final", "approve": "approved",
}  # fmt: skip


@dataclass(frozen=True)
class Choice:
    """The submissions a decision is about: those of sources and units whose period begins in `[from_m, to_m)`."""

    from_m: int
    to_m: int
    datasets: tuple[str, ...] = ()
    units: frozenset[str] | None = None
    changed_by: int | None = None
    """Only those this batch changed, as that batch left them."""


@dataclass(frozen=True)
class Decision:
    """What became of a choice: the batch, what was decided on, and what was passed over and why."""

    batch_seq: int
    action: str
    decided: tuple[Submission, ...]
    passed_over: tuple[Mapping[str, str], ...]
    actor: str
    recorded_at: dt.datetime
    why: str
    message: Mapping[str, str]

    def as_json(self) -> dict[str, Any]:
        """Return plain values for printing."""
        names = ("dataset", "unit", "unit_name", "period")
        return {
            **{key: value for key, value in asdict(self).items() if key != "decided"},
            "recorded_at": iso(self.recorded_at),
            "decided": [{name: getattr(one, name) for name in names} for one in self.decided],
        }


def decide(
    store: Store, generation: Generation, action: Action, choice: Choice, *, actor: str, why: str = "",
    own: bool = False, seen: int | None = None, clock: Clock = system_clock,
) -> Decision:  # fmt: skip
    """Decide on the submissions of a choice as one batch. The caller holds the writer lock. Does not publish.

    What cannot be decided so is passed over and told; when nothing is left, all reasons are raised together.
    `seen` is the batch up to which the reviewer looked: what changed later is passed over.
    """
    _check(store, generation, action, actor, why, own)
    found = _candidates(generation, choice)
    if not found:
        raise refusal("nothing")
    last_seen = seen if seen is not None else choice.changed_by
    reasons = [(one, _obstacle(generation, action, one, actor, own, last_seen)) for one in found]
    fit = [one for one, reason in reasons if reason is None]
    passed = tuple({**reason, "dataset": one.dataset, "unit": one.unit, "period": one.period}
                   for one, reason in reasons if reason is not None)  # fmt: skip
    if not fit:
        told = passed[:MOST_TOLD]
        raise refusal(
            "none", action=action_text(action), reasons={c: " ".join(r[c] for r in told) for c in ("zh", "en")}
        )
    rows = [_row(one, action, why.strip(), actor) for one in fit]
    seq, moment = _commit(store, rows, _name(action, fit), why, actor, clock)
    message = text("done", seq=seq, action=action_text(action), count=len(fit))
    return Decision(seq, action, tuple(fit), passed, actor, moment, why.strip(), message)


def start(
    store: Store, generation: Generation, month: int, *, actor: str, why: str = "", clock: Clock = system_clock
) -> Decision:
    """Work with review from a month on; earlier periods count as reviewed as they are. The caller holds the lock."""
    if not actor.strip():
        raise refusal("no_actor")
    _refuse_behind(store, generation)
    if review_from(generation, generation.through_seq) == month:
        raise refusal("same_start", period=month_label(month))
    row = {
        "dataset": EVERYTHING, "unit": EVERYTHING, "month": month, "state": START, "judged_seq": None,
        "reviewed_seq": None, "reported_by": None, "reason": why.strip() or None, "is_own": False,
    }  # fmt: skip
    seq, moment = _commit(store, [row], f"review start {month_label(month)}", why, actor, clock)
    return Decision(seq, START, (), (), actor, moment, why.strip(), text("started", seq=seq, period=month_label(month)))


# --- what may be decided ----------------------------------------------------------------------------------------------


def _check(store: Store, generation: Generation, action: Action, actor: str, why: str, own: bool) -> None:
    if not actor.strip():
        raise refusal("no_actor")
    if not why.strip() and (action in ("return", "approve") or own):
        raise refusal("no_why", action=action_text(action))
    _refuse_behind(store, generation)
    if review_from(generation, generation.through_seq) is None:
        raise refusal("no_review")


def _refuse_behind(store: Store, generation: Generation) -> None:
    if generation.through_seq != store.control.last()[0]:
        raise refusal("behind")


def _candidates(generation: Generation, choice: Choice) -> list[Submission]:
    """Return the submissions of a choice, whatever state they are in."""
    found = submission_status(
        generation, from_m=choice.from_m, to_m=choice.to_m, datasets=choice.datasets, units=choice.units
    )
    seq = choice.changed_by
    if seq is not None:
        touched = _touched(generation, seq)
        # a file for all units also changes the submissions of those it has no row of
        found = [one for one in found if one.changed_seq == seq or (one.dataset, one.unit, one.month) in touched]
    return found


def _touched(generation: Generation, seq: int) -> set[tuple[str, str, int]]:
    rows = generation.con.execute(
        "SELECT dataset, unit, month FROM submission_change WHERE batch_seq = $seq", {"seq": seq}
    ).fetchall()
    return {(dataset, unit, month) for dataset, unit, month in rows}


def _obstacle(
    generation: Generation, action: Action, one: Submission, actor: str, own: bool, seen: int | None
) -> dict[str, str] | None:
    """Return why a decision cannot be taken on a submission, in both languages; None when it can."""
    told = {
        "who": one.unit_name, "dataset": one.dataset, "period": one.period, "by": one.reviewed_by or one.reported_by or "",
        "reason": one.reason or "", "action": action_text(action), "seen": seen, "changed": one.changed_seq,
    }  # fmt: skip
    if one.state == "missing" and not (action in ("accept", "return") and _was_taken_back(one)):
        return text("not", "missing", **told)
    if action == "approve":
        name = "open" if one.state == "final" else "unlocked"
        return None if one.locked else text("not", "approve", name, **told)
    if action == "finalise" and one.state == "final" and not one.locked:
        return None  # the approval is closed again without a change
    if one.state in _REFUSED[action] and not (action == "finalise" and _counts_unseen(generation, one)):
        return text("not", action, one.state, **told)
    if seen is not None and one.changed_seq is not None and one.changed_seq > seen:
        return text("not", "seen", **told)
    if action != "return" and not own and _is_judging(action, one) and actor in one.reporters:
        return text("not", "own", **{**told, "by": actor})
    return None


_REFUSED: Mapping[Action, Collection[str]] = {
    "accept": ("reviewed", "returned", "final"),
    "return": ("returned", "final"),
    "finalise": ("reported", "returned", "final"),
    "approve": (),
}


def _was_taken_back(one: Submission) -> bool:
    """Tell whether all its rows were withdrawn since a review that still shows them."""
    return one.restated and one.reviewed_seq is not None


def _is_judging(action: Action, one: Submission) -> bool:
    """Making final what somebody else reviewed is no review; what counts as reviewed by its month alone is."""
    return action == "accept" or one.reviewed_seq is None


def _counts_unseen(generation: Generation, one: Submission) -> bool:
    """Tell whether a submission counts as reviewed because its period lies before the first one under review."""
    first = review_from(generation, generation.through_seq)
    return one.decided_seq is None and one.state == "reported" and first is not None and one.month < first


# --- the batch --------------------------------------------------------------------------------------------------------


def _row(one: Submission, action: Action, why: str, actor: str) -> dict[str, Any]:
    """Return the row of a decision; a `reviewed_seq` of −1 stands for the batch of the decision itself."""
    return {
        "dataset": one.dataset, "unit": one.unit, "month": one.month, "state": _BECOMES[action], "judged_seq": None,
        "reviewed_seq": _version(one, action), "reported_by": one.reported_by, "reason": why or None,
        "is_own": actor in one.reporters and action != "return" and _is_judging(action, one),
    }  # fmt: skip


THIS_BATCH = -1


def _version(one: Submission, action: Action) -> int | None:
    """Return the version that stands as reviewed after a decision."""
    if action == "accept" or (action == "finalise" and one.reviewed_seq is None):
        return THIS_BATCH
    if action == "return" and one.state in ("reviewed", "missing"):
        return None  # the review itself is taken back; an earlier version that stood beside a new one stays
    return one.reviewed_seq


_TYPES = {
    "dataset": pa.string(), "unit": pa.string(), "month": pa.int32(), "state": pa.string(), "judged_seq": pa.int64(),
    "reviewed_seq": pa.int64(), "reported_by": pa.string(), "reason": pa.string(), "is_own": pa.bool_(),
}  # fmt: skip


def _commit(
    store: Store, rows: Sequence[Mapping[str, Any]], name: str, why: str, actor: str, clock: Clock
) -> tuple[int, dt.datetime]:
    """Write the decisions as a batch: −the decision before, +the new one."""
    control, contract = store.control, store.records[DATASET]
    last, last_at = control.last()
    seq, now = last + 1, clock()
    moment = max(now, last_at) if last_at else now
    told = [{**row, "judged_seq": seq, "reviewed_seq": seq if row["reviewed_seq"] == THIS_BATCH else row["reviewed_seq"]}
            for row in rows]  # fmt: skip
    with contextlib.closing(connect(spill=store.tmp)) as con:
        _fill_delta(con, store, told)
        segment = write_segment(con, contract, store.segments, store.tmp, seq, name, ("",))
        removed = con.execute("SELECT count(*) FROM delta WHERE n = -1").fetchone() or (0,)
    counts = dict.fromkeys(COUNTS, 0) | {
        "rows_in": len(rows), "accepted": len(rows), "removed": removed[0], "delta_rows": segment.rows,
    }  # fmt: skip
    shared = {"dataset": DATASET, "file_name": name, "file_sha": "", "recorded_at": iso(moment)}
    batch = {
        **shared, "batch_seq": seq, "kind": KIND, "origin": control.meta().get("origin", "real"), "recorded_by": actor,
        "committed_at": iso(now), "period_from": segment.from_m, "period_to": segment.to_m, "why": why.strip() or None,
        **counts,
    }  # fmt: skip
    receipt = {
        **shared, "loaded_at": iso(now), "actor": actor, "status": "reviewed", "batch_seq": seq,
        "counts": json.dumps(counts), "message": json.dumps({"zh": name, "en": name}, ensure_ascii=False),
    }  # fmt: skip
    control.commit(receipt, batch, [segment], ())
    return seq, moment


def _fill_delta(con: duckdb.DuckDBPyConnection, store: Store, rows: Sequence[Mapping[str, Any]]) -> None:
    """Fill temp table `delta` as a load does: the decisions, and those they replace taken back."""
    contract = store.records[DATASET]
    con.register("told", pa.table({name: pa.array([r[name] for r in rows], kind) for name, kind in _TYPES.items()}))
    columns = ", ".join(f'"{name}"' for name in _TYPES)
    con.execute(
        f"""CREATE TEMP TABLE delta AS
        SELECT 1 AS n, CAST(NULL AS BIGINT) AS old_id, 0 AS sheet_no, row_number() OVER ()::INTEGER AS row_no, 0 AS part,
               month AS from_m, month + 1 AS to_m, {columns}, CAST(NULL AS VARCHAR) AS note FROM told"""
    )
    if known_rows(con, contract, store.segments, store.control.segments(contract.name)):
        con.execute(
            f"""INSERT INTO delta SELECT -1, k.row_id, 0, k.row_no, 0, k.from_m, k.to_m, {columns}, k.note FROM known k
            WHERE EXISTS (SELECT 1 FROM told t WHERE t.dataset = k.dataset AND t.unit = k.unit
                          AND (t.month = k.month OR t.state = '{START}'))"""
        )


def _name(action: Action, decided: Sequence[Submission]) -> str:
    """Return what the batch is called where others show the name of their file."""
    datasets = list(dict.fromkeys(one.dataset for one in decided))
    periods = list(dict.fromkeys(one.period for one in decided))
    span = periods[0] if len(periods) == 1 else f"{min(periods)}..{max(periods)}"
    return f"review {action} {'+'.join(datasets)} {span} ({len(decided)})"


# --- words ------------------------------------------------------------------------------------------------------------


@cache
def texts() -> dict[str, Any]:
    """Return the catalogue of this file."""
    return tomllib.loads((resources.files("warehouse") / "review.toml").read_text(encoding="utf-8"))


def text(*path: str, **values: Any) -> dict[str, str]:
    """Return a sentence in both languages; a value may itself be in both."""
    found: Mapping[str, Any] = texts()
    for name in path:
        found = found[name]
    return {code: found[code].format(**_in(code, values)) for code in ("zh", "en")}


def action_text(action: Action) -> dict[str, str]:
    """Return the word for an action in both languages."""
    return dict(texts()["action"][action])


def state_text(state: str) -> dict[str, str]:
    """Return the word for a state in both languages."""
    return dict(texts()["state"][state])


def refusal(name: str, **values: Any) -> RefusedInput:
    """Return the error of a decision that cannot be taken, in both languages, with what to do."""
    words = texts()["refused"][name]
    told = {code: words[code].format(**_in(code, values)) for code in ("zh", "en")}
    return RefusedInput(f"{told['zh']} {told['en']}", f"{words['hint_zh']} · {words['hint_en']}")


def _in(code: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value[code] if isinstance(value, dict) else value for key, value in values.items()}
