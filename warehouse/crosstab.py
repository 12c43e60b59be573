"""Crosstabs: tables whose columns are months or years, one line a unit, unfolded into one row a line and period.

The period stands in the heading; the year there, in a column of the line, or over the table. Which column of the
contract the figures are is said by the heading, the title or the name of the sheet, else by their unit, else there is
only one it could be. What is not said is asked, never guessed. A blank cell makes no row; a column of sums (合计, 一季度
beside its months) is kept to check the line by, and last year's columns beside this year's are left out.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from warehouse.base.periods import month_no
from warehouse.contracts import Column, Contract, normalise_label
from warehouse.naming_measures import Wanted, candidates, describe, named_in
from warehouse.readers.across import PeriodHead, is_sum_head, read_head
from warehouse.readers.cells import factor_of, note_fits
from warehouse.readers.faults import Fault, ReadRefused
from warehouse.readers.labels import find_units
from warehouse.readers.raw import RawTable

FEWEST = 2
"""A single heading that is a month is no crosstab; one of January alone says what it is in its title."""

MOST_PARTS = 64
"""Periods of one line that have room for rows of their own."""

SEPARATOR = "@"
"""Between a heading and the column of the contract its cells are: `3月@electricity.quantity`."""

_YEAR_COLUMN = re.compile(r"^(年度|年份|年|统计年度|统计年份|所属年度|会计年度|year)$", re.IGNORECASE)
_YEARS = re.compile(r"(?<!\d)(?:19|20)\d{2}(?=\D|(?:0[1-9]|1[0-2])(?!\d)|$)")


@dataclass(frozen=True)
class Part:
    """One period of a line: what is the same in all its rows, the month within a year of the line, and its figures."""

    constants: Mapping[str, str]
    month: int | None
    figures: Mapping[str, str]
    """Column of the contract → the name it is mapped under."""


@dataclass(frozen=True)
class Figure:
    """A column of figures: where it stands, what it is mapped as, and in which unit."""

    index: int
    name: str
    unit: str | None


@dataclass(frozen=True)
class LineSum:
    """A column that adds up others of its line."""

    index: int
    figures: tuple[str, ...]


@dataclass(frozen=True)
class Crosstab:
    """How the columns of a table unfold; `fills` are the columns of the contract that no column of their own holds."""

    figures: tuple[Figure, ...]
    parts: tuple[Part, ...]
    sums: tuple[LineSum, ...]
    year_at: int | None
    fills: frozenset[str]
    left: frozenset[int]
    """Columns not taken: last year's, those of longer periods, those that name nothing the contract knows."""

    @property
    def taken(self) -> frozenset[int]:
        """All columns that are no plain columns of the contract."""
        years = {self.year_at} if self.year_at is not None else set()
        return frozenset({f.index for f in self.figures} | {s.index for s in self.sums} | years) | self.left


def heading_of(name: str) -> tuple[str | None, str]:
    """Split the name of a figure into its heading and the column of the contract; other names have no heading."""
    heading, at, inner = name.rpartition(SEPARATOR)
    return (heading if at else None), inner


def period_heads(labels: Sequence[str], contract: Contract) -> dict[int, PeriodHead]:
    """The headings that are periods this contract's rows may have; none where the contract has a column for them."""
    if contract.time_kind not in ("month", "year") or contract.month_expr:
        return {}
    heads = {at: head for at, label in enumerate(labels) if (head := read_head(label))}
    kinds = ("year",) if contract.time_kind == "year" else ("month", "span")
    fitting = {at: head for at, head in heads.items() if head.kind in kinds}
    time = contract.column(contract.time_column)
    if any(normalise_label(label) in time.labels for at, label in enumerate(labels) if at not in heads):
        return {}
    own = [head for head in fitting.values() if not head.is_last_year]
    distinct = {(head.year, head.first, head.last) for head in own}
    return heads if len(distinct) >= FEWEST else {}


def crosstab_of(table: RawTable, contract: Contract, found: Collection[str]) -> Crosstab | None:
    """How a table unfolds into rows of the contract; None when it has no periods as columns.

    `found` are the columns of the contract that other columns of the table are. Raises `ReadRefused` with what is not said.
    """
    heads = period_heads(table.labels, contract)
    if not heads:
        return None
    faults: list[Fault] = []
    wanted = Wanted(contract, frozenset(found), units_said(table, heads))
    named = _named(table, heads, wanted, faults)
    year_at = next((at for at, text in enumerate(table.labels) if _YEAR_COLUMN.match(text) and at not in heads), None)
    year = None if year_at is not None else year_of(table)
    chosen = {at: head for at, head in heads.items() if at in named and _fits(head, contract, named[at])}
    chosen = {at: head for at, head in chosen.items() if not head.is_last_year}
    if not chosen and not faults:
        faults.append(_spans(table, heads))
    if year is None and year_at is None and any(head.year is None for head in chosen.values()):
        faults.append(
            Fault(
                "months_without_year", table.file, table.sheet or None, table.header_row, value=_listed(table, chosen)
            )
        )
    figures = {
        at: Figure(
            at,
            f"{table.labels[at].replace(SEPARATOR, ' ')}{SEPARATOR}{named[at]}",
            _unit(table, at, wanted.column(named[at])),
        )
        for at in chosen
    }
    faults += _doubled(table, figures.values())
    parts = _parts(contract, chosen, named, figures, year) if not faults else ()
    if len(parts) > MOST_PARTS:
        faults.append(
            Fault(
                "too_many_periods",
                table.file,
                table.sheet or None,
                table.header_row,
                value=str(len(parts)),
                hint=str(MOST_PARTS),
            )
        )
    if faults:
        raise ReadRefused(*faults)
    sums = tuple(_sums(table, heads, figures, chosen))
    extra = {at for at, label in enumerate(table.labels) if at in heads or is_sum_head(label)}
    left = frozenset(extra - figures.keys() - {one.index for one in sums})
    return Crosstab(tuple(figures.values()), parts, sums, year_at, _filled(contract, named.values()), left)


def year_of(table: RawTable) -> int | None:
    """The one year the title, the name of the sheet or the file says; None when there is none or more than one."""
    for text in (table.title, table.period_note, table.sheet, table.file):
        years = {int(year) for year in _YEARS.findall(text or "")}
        if years:
            return years.pop() if len(years) == 1 else None
    return None


def _named(table: RawTable, heads: Mapping[int, PeriodHead], wanted: Wanted, faults: list[Fault]) -> dict[int, str]:
    """The column of the contract behind each heading; where the headings do not say it, one for all of them."""
    named: dict[int, str] = {}
    bare = []
    for at, head in heads.items():
        if not head.rest:
            bare.append(at)
        elif (name := wanted.exactly(head.rest)) is not None:
            named[at] = name
    if not [at for at in bare if not heads[at].is_last_year]:
        return named
    texts = (table.title, table.sheet)
    choices = next((some for text in texts if (some := named_in(text, wanted))), ()) or candidates(wanted)
    if len(choices) == 1:
        return named | dict.fromkeys(bare, choices[0])
    code = "measure_unclear" if choices else "measure_unsaid"
    faults.append(Fault(code, table.file, table.sheet or None, table.header_row, value=_listed(table, bare),
                        hint=describe(wanted, choices)))  # fmt: skip
    return named


def units_said(table: RawTable, heads: Collection[int]) -> tuple[str, ...]:
    """Return the units that are said of the figures: in the headings, in the title, in a note over the table."""
    own = [unit for at in heads if (unit := table.units[at])]
    said = own or list(find_units(table.title or "")) or ([table.unit_note] if table.unit_note else [])
    return tuple(dict.fromkeys(said))


def _unit(table: RawTable, at: int, column: Column) -> str | None:
    """The unit of one column of figures; one in the title is held like a note over the table."""
    if table.units[at]:
        return table.units[at]
    titled = find_units(table.title or "")
    notes = [*titled, *([table.unit_note] if table.unit_note else [])]
    return next((note for note in notes if note_fits(column, note)), titled[0] if titled else None)


def _fits(head: PeriodHead, contract: Contract, name: str) -> bool:
    """Whether a heading is a period one row may have: a year, a month, or January to a month of a running figure."""
    if contract.time_kind == "year":
        return head.kind == "year"
    return head.kind == "month" or (head.is_cumulative and name in contract.cumulative)


def _spans(table: RawTable, heads: Mapping[int, PeriodHead]) -> Fault:
    """What is said of a table whose periods are all longer than the rows of the contract, or name nothing it knows."""
    shown = "、".join(dict.fromkeys(head.rest for head in heads.values() if head.rest))
    if shown:
        return Fault("measure_unsaid", table.file, table.sheet or None, table.header_row, value=shown)
    return Fault("periods_too_long", table.file, table.sheet or None, table.header_row, value=_listed(table, heads))


def _listed(table: RawTable, places: Collection[int]) -> str:
    return "、".join(table.labels[at] for at in sorted(places))


def _doubled(table: RawTable, figures: Collection[Figure]) -> Iterator[Fault]:
    """Two columns of one heading: which of them counts cannot be told."""
    seen: set[str] = set()
    for figure in figures:
        if figure.name in seen:
            label = table.labels[figure.index]
            yield Fault("duplicate_column", table.file, table.sheet or None, table.header_row, label, label)
        seen.add(figure.name)


def _parts(
    contract: Contract, chosen: Mapping[int, PeriodHead], named: Mapping[int, str], figures: Mapping[int, Figure],
    year: int | None,
) -> tuple[Part, ...]:  # fmt: skip
    """The rows a line becomes: one for each period and, of a wide form, each of its groups."""
    found: dict[tuple[int | None, int, str], dict[str, str]] = {}
    for at, head in chosen.items():
        group, _, measure = named[at].rpartition(".")
        found.setdefault((head.year or year, head.last, group), {})[measure] = figures[at].name
    parts = []
    for (of_year, month, group), names in found.items():
        constants = {contract.unpivot.dimension: group} if group and contract.unpivot else {}
        if of_year is not None:
            value = of_year if contract.time_kind == "year" else month_no(of_year, month)
            constants[contract.time_column] = str(value)
        parts.append(Part(constants, month if of_year is None else None, names))
    return tuple(parts)


def _filled(contract: Contract, names: Collection[str]) -> frozenset[str]:
    """The columns of the contract that unfolding fills."""
    parted = [name.rpartition(".") for name in names]
    groups = {contract.unpivot.dimension} if contract.unpivot and any(group for group, _, _ in parted) else set()
    return frozenset({contract.time_column, *groups, *(measure for _, _, measure in parted)})


def _sums(
    table: RawTable, heads: Mapping[int, PeriodHead], figures: Mapping[int, Figure], chosen: Mapping[int, PeriodHead]
) -> Iterator[LineSum]:
    """The columns that add up figures of their line: a quarter its months, 合计 all of its group or of the line."""
    for at, label in enumerate(table.labels):
        if at in figures or (at in heads and (heads[at].is_last_year or heads[at].kind == "month")):
            continue
        if at in heads and heads[at].kind == "span":
            head, group = heads[at], _group(label)
            months = [f.name for i, f in figures.items() if _group(table.labels[i]) == group
                      and chosen[i].kind == "month" and head.first <= chosen[i].first <= head.last]  # fmt: skip
            if len(months) == head.last - head.first + 1 and not head.rest:
                yield LineSum(at, tuple(months))
        elif is_sum_head(label):
            of = [f for i, f in figures.items() if _group(table.labels[i]) == _group(label)] or list(figures.values())
            if len({f.name.rpartition(SEPARATOR)[2] for f in of}) == 1:
                yield LineSum(at, tuple(f.name for f in of))


def _group(label: str) -> str:
    return label.rpartition("/")[0]


def unit_factor(figure: Figure, column: Column, table: RawTable) -> Fault | None:
    """The fault of a column of figures whose unit does not fit its column; None when it does."""
    if factor_of(column, figure.unit) is not None:
        return None
    label = table.labels[figure.index]
    return Fault("unknown_unit", table.file, table.sheet or None, table.header_row, label, figure.unit, column.unit)
