"""The life of a warning: opened by the batch that made it known, closed by the batch that cured it. Data decides both.

The history of knowledge is walked month by month from the last judgement to now; at each stop all rules are judged,
and whatever appeared or went since the stop before is dated exactly, by halving the batches in between.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from typing import TypeVar

from metrics.insights.judge import Bench, judge_rule, judge_rules
from metrics.insights.model import LEVELS, Evaluate, Finding, Reading, Rule
from warehouse.base.periods import Period
from warehouse.operations import Closing, ReadingRow, WarningChange, WarningRow

Item = TypeVar("Item", bound=Hashable)
Place = tuple[str, str, str | None]
"""Rule, node, member of the rule's dimension."""
Told = tuple[str, str, str | None, str]
"""A place and a period: what a reading is about."""

DUE = "#due"
"""Stands among the datasets for the passing of a due date, which changes what is owed without any batch."""
AGED, CURED, CORRECTED, RETIRED = "aged", "cured", "corrected", "retired"


@dataclass(frozen=True)
class Moment:
    """A state of knowledge: through which batch, when that was, and what was new in it."""

    seq: int
    at: dt.datetime
    news: frozenset[str] | None = None
    """Datasets that changed (DUE: a due date passed); None: anything may have."""

    def concerns(self, sources: frozenset[str] | None) -> bool:
        """Tell whether what was new can matter to somebody who reads these datasets."""
        return self.news is None or sources is None or bool(self.news & sources)


@dataclass(frozen=True)
class Life:
    """A stored warning with its living readings: open, or cured (so that it is not taken for a new one)."""

    row: WarningRow
    readings: tuple[ReadingRow, ...]

    @property
    def place(self) -> Place:
        """Return rule, node and member."""
        return self.row.rule, self.row.node, self.row.dim_value

    @property
    def is_closed(self) -> bool:
        """Tell whether it has ended."""
        return self.row.closed_at is not None

    @property
    def periods(self) -> frozenset[str]:
        """Return the periods it has readings of."""
        return frozenset(reading.period for reading in self.readings)


def since(fires: Callable[[Moment, Collection[Item]], Collection[Item]], moments: Sequence[Moment],
          items: Collection[Item]) -> dict[Item, Moment]:  # fmt: skip
    """Return the first moment each item fires at, given that all fire at the last one; items are asked in groups."""
    spans: dict[Item, tuple[int, int]] = {item: (0, len(moments) - 1) for item in items}
    while True:
        groups: dict[tuple[int, int], list[Item]] = {}
        for item, (low, high) in spans.items():
            if low < high:
                groups.setdefault((low, high), []).append(item)
        if not groups:
            return {item: moments[low] for item, (low, _) in spans.items()}
        for (low, high), group in groups.items():
            middle = (low + high) // 2
            hits = set(fires(moments[middle], group))
            spans.update({item: (low, middle) if item in hits else (middle + 1, high) for item in group})


Fires = Callable[[Moment, Collection[Told]], Collection[Told]]


@dataclass(frozen=True)
class Walk:
    """One step of the walk: how to judge at a moment, and the moments since the step before (the last one is now)."""

    evaluate: Evaluate
    rules: Mapping[str, Rule]
    bench: Callable[[Moment], Bench]
    moments: Sequence[Moment]
    judged_at: dt.datetime
    sources: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Datasets each rule reads; a rule that is not named may read anything."""

    def moments_for(self, rule_id: str) -> list[Moment]:
        """Return the moments that can matter to a rule, and the last one, which is now."""
        sources = self.sources.get(rule_id)
        return [*(one for one in self.moments[:-1] if one.concerns(sources)), self.now]

    @property
    def judged(self) -> dict[str, Rule]:
        """Return the rules for which something is new."""
        return {
            name: rule
            for name, rule in self.rules.items()
            if any(moment.concerns(self.sources.get(name)) for moment in self.moments)
        }

    def since(self, fires: Fires, told: Collection[Told]) -> dict[Told, Moment]:
        """Return the first moment each reading gives that answer, given that all do now."""
        found: dict[Told, Moment] = {}
        for rule_id in sorted({one[0] for one in told}):
            found |= since(fires, self.moments_for(rule_id), [one for one in told if one[0] == rule_id])
        return found

    @property
    def now(self) -> Moment:
        """Return the moment that is judged."""
        return self.moments[-1]

    def findings(self) -> tuple[Finding, ...]:
        """Judge now."""
        return tuple(judge_rules(self.evaluate, self.judged.values(), self.bench(self.now)))

    def firing(self, moment: Moment, told: Collection[Told]) -> set[Told]:
        """Return which of these readings held at an earlier moment."""
        return {one for one in self._judged(moment, told) if one in set(told)}

    def silent(self, moment: Moment, told: Collection[Told]) -> set[Told]:
        """Return which of these readings did not hold at a moment."""
        return set(told) - self.firing(moment, told)

    def over(self, moment: Moment, told: Collection[Told]) -> set[Told]:
        """Return which of these (last) readings were already followed by a fine period at a moment."""
        ended = self._judged(moment, told, whole=True)
        return {one for one in told if ended.get(one, False)}

    def under_way(self, moment: Moment, told: Collection[Told]) -> set[Told]:
        """Return which of these (last) readings held and were not followed by a fine period."""
        ended = self._judged(moment, told, whole=True)
        return {one for one in told if not ended.get(one, True)}

    def _judged(self, moment: Moment, told: Collection[Told], whole: bool = False) -> dict[Told, bool]:
        """Judge the rules, nodes and months of some readings; True: the spell with this last reading is over."""
        found: dict[Told, bool] = {}
        for rule_id in sorted({one[0] for one in told}):
            rule, mine = self.rules[rule_id], [one for one in told if one[0] == rule_id]
            full = self.bench(moment)
            spans = [Period.parse(one[3], full.fiscal_start) for one in mine]
            upto = full.to_m if whole else min(full.to_m, max(span.to_m for span in spans))
            nodes = tuple(sorted({one[1] for one in mine}))
            bench = replace(full, from_m=min(span.from_m for span in spans), to_m=upto, only=nodes)
            for finding in judge_rule(self.evaluate, rule, bench):
                place = (finding.rule, finding.node, finding.dim_value)
                found |= {
                    (*place, reading.period): finding.is_over and reading is finding.last
                    for reading in finding.readings
                }
        return found


def step(walk: Walk, lives: Sequence[Life]) -> WarningChange:
    """Return what one judgement changes: warnings opened, refreshed and closed, readings that came and went."""
    judged = walk.judged
    findings, open_lives = walk.findings(), [life for life in lives if life.row.rule in judged]
    pairs, fresh, lost = _matched(findings, open_lives)
    known = {(*life.place, reading.period) for life in open_lives for reading in life.readings}
    came = {told for finding in findings for told in _told(finding)} - known
    started = walk.since(walk.firing, came)
    change = _Change(walk, retired=[one for one in lives if one.row.rule not in walk.rules and not one.is_closed])
    for life, finding in pairs:
        if not life.is_closed:
            change.refresh(life, finding, started)
        elif not finding.is_over:
            change.reopen(finding)
    for finding in fresh:
        change.open(finding, started)
    for life in lost:
        if not life.is_closed:
            change.lose(life)
    return change.dated()


def stops(moments: Iterable[Moment], zone: tzinfo) -> tuple[tuple[Moment, ...], ...]:
    """Group moments by the calendar month they lie in; moments of one instant are one, with all that was new."""
    single: dict[dt.datetime, Moment] = {}
    for moment in sorted(moments, key=lambda moment: (moment.at, moment.seq)):
        single[moment.at] = _merged(single.get(moment.at), moment)
    groups: dict[tuple[int, int], list[Moment]] = {}
    for moment in single.values():
        day = moment.at.astimezone(zone)
        groups.setdefault((day.year, day.month), []).append(moment)
    return tuple(tuple(group) for group in groups.values())


def _merged(first: Moment | None, second: Moment) -> Moment:
    if first is None:
        return second
    news = None if first.news is None or second.news is None else first.news | second.news
    return Moment(max(first.seq, second.seq), second.at, news)


def _told(finding: Finding) -> list[Told]:
    return [(finding.rule, finding.node, finding.dim_value, reading.period) for reading in finding.readings]


def _matched(
    findings: Iterable[Finding], lives: Iterable[Life]
) -> tuple[list[tuple[Life, Finding]], list[Finding], list[Life]]:
    """Pair warnings (open ones first) with findings of the same place that share a period."""
    waiting: dict[Place, list[Life]] = {}
    for life in sorted(lives, key=lambda life: life.is_closed):
        waiting.setdefault(life.place, []).append(life)
    pairs, fresh = [], []
    for finding in findings:
        here = waiting.get((finding.rule, finding.node, finding.dim_value), [])
        match = next((one for one in here if any(reading.period in one.periods for reading in finding.readings)), None)
        if match is None:
            fresh.append(finding)
        else:
            here.remove(match)
            pairs.append((match, finding))
    return pairs, fresh, [life for left in waiting.values() for life in left]


@dataclass
class _Change:
    """Collects the changes of one step; ends are dated together, as dating asks questions."""

    walk: Walk
    retired: list[Life] = field(default_factory=list)
    opened: list[WarningRow] = field(default_factory=list)
    updated: list[WarningRow] = field(default_factory=list)
    aged: list[Life] = field(default_factory=list)
    corrected: list[Life] = field(default_factory=list)
    cured: list[tuple[WarningRow, Told]] = field(default_factory=list)
    came: list[ReadingRow] = field(default_factory=list)
    went: list[tuple[ReadingRow, Told]] = field(default_factory=list)

    def open(self, finding: Finding, started: Mapping[Told, Moment]) -> None:
        """Open a warning at the first moment any of its readings was known."""
        first = min((started[told] for told in _told(finding)), key=lambda moment: moment.seq)
        row = _row(finding, finding.key, first, self.walk.judged_at)
        self.opened.append(row)
        self._add_readings(finding.readings, row, started)
        if finding.is_over:
            self.cured.append((row, _told(finding)[-1]))

    def reopen(self, finding: Finding) -> None:
        """Begin a second life of a warning that was cured and, after a correction, is not."""
        last = _told(finding)[-1]
        again = self.walk.since(self.walk.under_way, [last])[last]
        self.open(finding, dict.fromkeys(_told(finding), again))

    def refresh(self, life: Life, finding: Finding, started: Mapping[Told, Moment]) -> None:
        """Bring an open warning up to what is known now."""
        first = Moment(life.row.opened_seq, life.row.opened_at)
        row = _row(finding, life.row.warning_id, first, self.walk.judged_at)
        if replace(row, judged_at=life.row.judged_at) != life.row:
            self.updated.append(row)
        stored = {reading.period: reading for reading in life.readings}
        now = {reading.period: reading for reading in finding.readings}
        self._add_readings([r for p, r in now.items() if p not in stored], row, started)
        self._restate([(stored[p], r) for p, r in now.items() if p in stored], row)
        self._drop([reading for period, reading in stored.items() if period not in now], life)
        if finding.is_over:
            self.cured.append((row, _told(finding)[-1]))

    def lose(self, life: Life) -> None:
        """Close a warning none of whose readings holds any more."""
        bench = self.walk.bench(self.walk.now)
        if all(Period.parse(period, bench.fiscal_start).from_m < bench.from_m for period in life.periods):
            self.aged.append(life)
        else:
            self.corrected.append(life)
            self._drop(life.readings, life)

    def _add_readings(self, found: Iterable[Reading], row: WarningRow, started: Mapping[Told, Moment]) -> None:
        for reading in found:
            moment = started[row.rule, row.node, row.dim_value, reading.period]
            self.came.append(_reading_row(reading, row, moment))

    def _restate(self, pairs: Iterable[tuple[ReadingRow, Reading]], row: WarningRow) -> None:
        """A reading whose figures changed ends, and a new one begins."""
        now = self.walk.now
        for old, new in pairs:
            restated = _reading_row(new, row, now)
            if replace(restated, known_seq=old.known_seq, known_at=old.known_at) != old and now.seq > old.known_seq:
                self.came.append(restated)
                self.went.append((replace(old, gone_seq=now.seq, gone_at=now.at), ("", "", None, "")))

    def _drop(self, gone: Iterable[ReadingRow], life: Life) -> None:
        bench = self.walk.bench(self.walk.now)
        for reading in gone:
            if Period.parse(reading.period, bench.fiscal_start).from_m >= bench.from_m:
                self.went.append((reading, (*life.place, reading.period)))

    def dated(self) -> WarningChange:
        """Find when what ended ended, and return everything."""
        walk = self.walk
        silent = walk.since(walk.silent, {told for row, told in self.went if row.gone_seq is None})
        ends = walk.since(walk.over, {told for _, told in self.cured})
        gone = [
            row if row.gone_seq is not None else replace(row, gone_seq=silent[told].seq, gone_at=silent[told].at)
            for row, told in self.went
        ]
        closed = [self._closing(row, ends[told], CURED) for row, told in self.cured]
        for life in self.corrected:
            last = max((silent[(*life.place, period)] for period in life.periods), key=lambda moment: moment.seq)
            closed.append(self._closing(life.row, last, CORRECTED))
        closed += [self._closing(life.row, walk.now, AGED) for life in self.aged]
        closed += [self._closing(life.row, walk.now, RETIRED) for life in self.retired]
        return WarningChange(tuple(self.opened), tuple(self.updated), tuple(closed), tuple(self.came), tuple(gone))

    def _closing(self, row: WarningRow, moment: Moment, why: str) -> Closing:
        """A warning never ends before it began, even when one batch brought both."""
        at = max(moment.at, row.opened_at)
        return Closing(row.warning_id, row.opened_seq, max(moment.seq, row.opened_seq), at, why)


def _row(finding: Finding, warning_id: str, opened: Moment, judged_at: dt.datetime) -> WarningRow:
    last = finding.last
    return WarningRow(
        warning_id=warning_id,
        opened_seq=opened.seq,
        opened_at=opened.at,
        rule=finding.rule,
        indicator=finding.indicator,
        node=finding.node,
        node_name=finding.node_name,
        dim_value=finding.dim_value,
        grain=finding.grain,
        level=min((reading.level for reading in finding.readings), key=LEVELS.index),
        title_zh=finding.title.zh,
        title_en=finding.title.en,
        first_period=finding.first.period,
        last_period=last.period,
        value=_text(last.value),
        base=None if last.base is None else _text(last.base),
        bound=_text(last.bound),
        unit=last.unit,
        is_over=finding.is_over,
        to_verify=finding.to_verify,
        judged_at=judged_at,
    )


def _reading_row(reading: Reading, row: WarningRow, known: Moment) -> ReadingRow:
    return ReadingRow(
        warning_id=row.warning_id,
        opened_seq=row.opened_seq,
        period=reading.period,
        value=_text(reading.value),
        base=None if reading.base is None else _text(reading.base),
        bound=_text(reading.bound),
        level=reading.level,
        known_seq=known.seq,
        known_at=known.at,
    )


def _text(value: object) -> str:
    return format(value, "f")


def version_of(rules: Iterable[Rule], catalogue: str) -> str:
    """Return a mark that changes with any rule or definition."""
    return hashlib.sha256(repr((sorted(map(repr, rules)), catalogue)).encode()).hexdigest()[:12]
