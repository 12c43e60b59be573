"""Mapping: which column of a contract each column of a raw table is, and in which unit it is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import TypeVar

from warehouse.contracts import Column, Contract, normalise_label
from warehouse.crosstab import Crosstab, crosstab_of, heading_of, period_heads, unit_factor
from warehouse.readers.across import is_sum_head
from warehouse.readers.cells import factor_of, note_fits
from warehouse.readers.faults import Fault, ReadRefused
from warehouse.readers.raw import RawTable

Meant = TypeVar("Meant")


@dataclass(frozen=True)
class Mapped:
    """Where each contract column stands in a raw table: `columns[name] = (index, factor)`, and its unit there."""

    columns: Mapping[str, tuple[int, Decimal]]
    constants: Mapping[str, str]
    units: Mapping[str, str | None]
    ignored: tuple[str, ...] = ()
    """Labels no column of the contract is known by."""
    beside: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Column that names a unit by the code that says most → where its other code or its name stand beside it."""
    crosstab: Crosstab | None = None
    """How columns that are periods unfold into rows; their figures are in `columns` under `heading@column`."""


def map_columns(table: RawTable, contract: Contract, month: str | None) -> Mapped:
    """Find each contract column by its label, never by its place. Missing and duplicate columns are all reported."""
    known = contract.labels
    crosstab = crosstab_of(table, contract, plain_columns(table, contract))
    unfolded = crosstab.taken if crosstab else frozenset()
    found: dict[str, tuple[int, Decimal]] = {}
    units: dict[str, str | None] = {}
    ignored: list[str] = []
    faults: list[Fault] = []
    beside: dict[str, tuple[int, ...]] = {}
    firm = {name for label in table.labels if (name := match_label(label, known)) and not _others(label, contract)}
    for index, label in enumerate(table.labels):
        if index in unfolded:
            ignored += [label] if crosstab and index in crosstab.left else []
            continue
        name = match_label(label, known)
        if name in firm:
            name = next((other for other in _others(label, contract) if other not in found), name)
        if name is None:
            ignored += [label] if label.strip() else []
            continue
        column = column_of(contract, name)
        unit = table.units[index] or (table.unit_note if note_fits(column, table.unit_note) else None)
        factor = factor_of(column, unit) if column.is_number else Decimal(1)
        if factor is None:
            faults.append(Fault("unknown_unit", table.file, table.sheet, table.header_row, label, unit, column.unit))
            continue
        if name in found and column.is_org:
            is_better = _code_rank(label) > _code_rank(table.labels[earlier := found[name][0]])
            beside[name] = (*beside.get(name, ()), earlier if is_better else index)
            if not is_better:
                continue
        elif name in found:
            faults.append(Fault("duplicate_column", table.file, table.sheet, table.header_row, label, name))
            continue
        found[name] = (index, factor)
        units[name] = unit
    faults += _place_figures(table, contract, crosstab, found, units)
    filled = found.keys() | (crosstab.fills if crosstab else set())
    constants: dict[str, str] = {}
    for column in contract.columns:
        if column.name in filled or not column.required or column.name in contract.derived or column.default:
            continue
        if contract.unpivot and column.name in (contract.unpivot.dimension, *contract.unpivot.measures):
            if any(name.endswith(f".{contract.unpivot.measures[0]}") for name in found):
                continue
        elif column.type == "month" and month:
            constants[column.name] = month
            continue
        shown = column.aliases[0] if column.aliases else column.name
        faults.append(
            Fault("missing_column", table.file, table.sheet, table.header_row, shown, None, "、".join(table.labels))
        )
    if faults:
        raise ReadRefused(*faults)
    return Mapped(found, constants, units, tuple(ignored), beside, crosstab)


def _give_to_their_group(
    contract: Contract, found: dict[str, tuple[int, Decimal]], units: dict[str, str | None]
) -> None:
    """Of a wide form, let a column whose figure only one group has be that group's: 收费面积 is heat's."""
    pivot = contract.unpivot
    if pivot is None or pivot.dimension in found or not any("." in name for name in found):
        return
    for measure in pivot.measures:
        groups = [group for group, columns in pivot.groups.items() if measure in columns]
        if len(groups) == 1 and measure in found and (name := f"{groups[0]}.{measure}") not in found:
            found[name], units[name] = found.pop(measure), units.pop(measure)


def _place_figures(
    table: RawTable, contract: Contract, crosstab: Crosstab | None, found: dict[str, tuple[int, Decimal]],
    units: dict[str, str | None],
) -> Iterator[Fault]:  # fmt: skip
    """Add the columns of figures of a crosstab to what was found; a unit that does not fit is a fault.

    Of a wide form, a column whose figure only one group has becomes that group's.
    """
    _give_to_their_group(contract, found, units)
    for figure in crosstab.figures if crosstab else ():
        column = column_of(contract, figure.name)
        if fault := unit_factor(figure, column, table):
            yield fault
        found[figure.name] = figure.index, factor_of(column, figure.unit) or Decimal(1)
        units[figure.name] = figure.unit


def plain_columns(table: RawTable, contract: Contract) -> frozenset[str]:
    """The columns of the contract a table has beside columns that are periods or add them up."""
    heads = period_heads(table.labels, contract)
    plain = (label for at, label in enumerate(table.labels) if at not in heads and not (heads and is_sum_head(label)))
    return frozenset(name for label in plain if (name := match_label(label, contract.labels)))


def _code_rank(label: str) -> int:
    """A credit code says more than an office's own code, and that more than a name."""
    is_code = "码" in label or "code" in label.lower()
    return 2 if is_code and ("信用" in label or "credit" in label.lower()) else int(is_code)


def _others(label: str, contract: Contract) -> tuple[str, ...]:
    """Return the further columns a label may mean."""
    return match_label(label, contract.others) or ()


def recognised(labels: Sequence[str], contract: Contract) -> int:
    """Count how many of a table's labels the contract knows."""
    return len({name for label in labels if (name := match_label(label, contract.labels))})


def match_label(label: str, known: Mapping[str, Meant]) -> Meant | None:
    """Return the column a label means: the whole label, its last parts, or its first ones."""
    return next((known[text] for text in _spellings(label) if text in known), None)


@lru_cache(maxsize=65_536)
def _spellings(label: str) -> tuple[str, ...]:
    parts = label.split("/")
    tries = ["/".join(parts[start:]) for start in range(len(parts))] + ["/".join(parts[:-1])]
    return tuple(dict.fromkeys(normalise_label(text) for text in tries))


def column_of(contract: Contract, name: str) -> Column:
    """Return the column behind a mapped name; `group.measure` is a column of a wide form, `heading@name` of a crosstab."""
    _, name = heading_of(name)
    if "." in name and contract.unpivot:
        group, measure = name.split(".", 1)
        return contract.unpivot.groups[group][measure]
    return contract.column(name)
