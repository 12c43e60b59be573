"""A pushed body: its rows as JSON or NDJSON, each judged on its own, with the answer its sender gets."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cockpit.push_kinds import PushKind, Register
from warehouse.live.answers import Refusal, sentence
from warehouse.live.rows import parse_json, shown

JSON = "application/json"
NDJSON = ("application/x-ndjson", "application/ndjson", "application/jsonl")


@dataclass(frozen=True)
class Unreadable:
    """A line that is no JSON."""

    text: str


def rows_of(body: bytes, media: str) -> list[object]:
    """Return the rows of a body; of NDJSON a line that cannot be read is a row that is refused."""
    try:
        text = body.decode("utf-8-sig")
        if media in NDJSON:
            return [_line(line) for line in text.splitlines() if line.strip()]
        found = parse_json(text)
    except (ValueError, RecursionError) as cause:
        raise Refusal("not_json_body", str(cause)) from None
    if isinstance(found, dict):
        return [found]
    if not isinstance(found, list):
        raise Refusal("not_json_body", shown(found))
    return found


def _line(line: str) -> object:
    try:
        return parse_json(line)
    except (ValueError, RecursionError):
        return Unreadable(line)


@dataclass(frozen=True)
class Judged:
    """What is kept of a body, and what is said of each of its rows."""

    kept: list[dict[str, Any]]
    rows: list[dict[str, Any]]

    def counts(self) -> dict[str, int]:
        """Return how many rows came to which end."""
        said = [row["status"] for row in self.rows]
        return {name: said.count(name) for name in ("taken", "repeated", "set_aside", "refused")}


def judge(
    kind: PushKind, rows: Sequence[object], register: Register, zone: zoneinfo.ZoneInfo, now: dt.datetime,
    closed_before: dt.date,
) -> Judged:  # fmt: skip
    """Judge each row on its own; two rows of one instant are one where they agree and none where they do not."""
    parsed: list[dict[str, Any] | Refusal] = []
    for row in rows:
        try:
            if isinstance(row, Unreadable):
                raise Refusal("not_json", row.text)
            parsed.append(kind.parse(row, register, zone, now))
        except Refusal as refusal:
            parsed.append(refusal)
    first: dict[tuple[str, str], int] = {}
    bad: dict[int, int] = {}
    for place, one in enumerate(parsed):
        if isinstance(one, Refusal):
            continue
        before = first.setdefault((one[kind.key], one["at"]), place)
        if before != place and parsed[before] != one:
            bad[place], bad[before] = before, place
    kept, said = [], []
    for place, one in enumerate(parsed):
        if isinstance(one, Refusal):
            said.append(_said(place, "refused", one.code, one.words()))
        elif place in bad:
            said.append(_said(place, "refused", "contradicts", sentence("contradicts", hint=str(bad[place] + 1))))
        elif (before := first[one[kind.key], one["at"]]) != place:
            said.append(_said(place, "repeated", "repeated", sentence("repeated", hint=str(before + 1))))
        else:
            kept.append(one)
            day = dt.datetime.fromisoformat(one["at"]).astimezone(zone).date()
            is_closed = day < closed_before
            words = sentence("too_old", f"{day}", f"{closed_before}") if is_closed else sentence("taken")
            said.append(_said(place, "set_aside" if is_closed else "taken", "too_old" if is_closed else "", words))
    return Judged(kept, said)


def _said(place: int, status: str, code: str, words: Mapping[str, str]) -> dict[str, Any]:
    return {"row": place + 1, "status": status, **({"code": code} if code else {}), **words}
