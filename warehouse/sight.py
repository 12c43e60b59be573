"""What is seen of a file before it is taken: plain values that travel as JSON from the dry run to the screen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

Words = Mapping[str, str]
"""A text by language: zh, en."""


@dataclass(frozen=True)
class Candidate:
    """A source a file may be of: how many of its labels that source knows."""

    name: str
    titles: Words
    known: int
    labels: int


@dataclass(frozen=True)
class ColumnSight:
    """What a label is taken for; `label` tells columns of one name apart by a number behind it.

    `unit_from` says where the unit is said: `header`, `note` (over the table) or `usual` (by the contract).
    `stored_unit` is the unit the figures are brought to, where that is another.
    """

    label: str
    column: str | None = None
    titles: Words = field(default_factory=dict)
    unit: str | None = None
    unit_from: str | None = None
    stored_unit: str | None = None
    is_chosen: bool = False


@dataclass(frozen=True)
class RowSight:
    """A row as understood; `fate` is new, same, aside or as_written; `wrong` are the places of faulty cells."""

    row_no: int
    cells: tuple[str, ...]
    fate: str
    wrong: tuple[int, ...] = ()


@dataclass(frozen=True)
class SheetSight:
    """One sheet: where its header stands, what its labels are taken for, and its first rows."""

    name: str
    header_row: int
    title: str | None
    period_note: str | None
    unit_note: str | None
    rows_in: int
    columns: tuple[ColumnSight, ...]
    headers: tuple[Words, ...]
    rows: tuple[RowSight, ...]
    is_read: bool = True


@dataclass(frozen=True)
class FaultSight:
    """One fault with its place and the sentence about it."""

    code: str
    sheet: str
    row: int | None
    column: str
    value: str
    texts: Words


@dataclass(frozen=True)
class StrangeName:
    """A name of a unit that is not known: rows it stands in, code and name of who may be meant, and who was chosen."""

    text: str
    rows: int
    suggestions: tuple[tuple[str, str], ...]
    chosen: str | None = None


@dataclass(frozen=True)
class Preview:
    """What a load of a file would do.

    `status`: ready (something would change), unchanged, nothing (every row would be set aside), refused. `beside` is
    what a person should read beside the counts: totals that do not add up, what was taken out as not to be kept.
    """

    file: str
    source: str | None
    titles: Words
    status: str
    is_chosen: bool = False
    candidates: tuple[Candidate, ...] = ()
    sheets: tuple[SheetSight, ...] = ()
    period_from: str | None = None
    period_to: str | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    skipped: Mapping[str, int] = field(default_factory=dict)
    notes: Mapping[str, int] = field(default_factory=dict)
    beside: tuple[Words, ...] = ()
    faults: tuple[FaultSight, ...] = ()
    faults_total: int = 0
    strangers: tuple[StrangeName, ...] = ()
    strangers_total: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> Preview:
        """Read what `as_json` wrote, also after it has been JSON."""
        return cls(
            **{
                **data,
                "candidates": tuple(Candidate(**one) for one in data["candidates"]),
                "sheets": tuple(_sheet(one) for one in data["sheets"]),
                "beside": tuple(data.get("beside", ())),
                "faults": tuple(FaultSight(**one) for one in data["faults"]),
                "strangers": tuple(_stranger(one) for one in data["strangers"]),
            }
        )


def _sheet(data: Mapping[str, Any]) -> SheetSight:
    return SheetSight(
        **{
            **data,
            "columns": tuple(ColumnSight(**one) for one in data["columns"]),
            "headers": tuple(data["headers"]),
            "rows": tuple(_row(one) for one in data["rows"]),
        }
    )


def _row(data: Mapping[str, Any]) -> RowSight:
    return RowSight(data["row_no"], tuple(data["cells"]), data["fate"], tuple(data["wrong"]))


def _stranger(data: Mapping[str, Any]) -> StrangeName:
    meant = tuple((code, name) for code, name in data["suggestions"])
    return StrangeName(data["text"], data["rows"], meant, data["chosen"])
