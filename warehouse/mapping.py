"""Mapping: which column of a contract each column of a raw table is, and in which unit it is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from warehouse.contracts import Column, Contract, normalise_label
from warehouse.readers.cells import factor_of, note_fits
from warehouse.readers.faults import Fault, ReadRefused
from warehouse.readers.raw import RawTable


@dataclass(frozen=True)
class Mapped:
    """Where each contract column stands in a raw table: `columns[name] = (index, factor)`, and its unit there."""

    columns: Mapping[str, tuple[int, Decimal]]
    constants: Mapping[str, str]
    units: Mapping[str, str | None]
    ignored: tuple[str, ...] = ()
    """Labels no column of the contract is known by."""


def map_columns(table: RawTable, contract: Contract, month: str | None) -> Mapped:
    """Find each contract column by its label, never by its place. Missing and duplicate columns are all reported."""
    known = contract.labels
    found: dict[str, tuple[int, Decimal]] = {}
    units: dict[str, str | None] = {}
    ignored: list[str] = []
    faults: list[Fault] = []
    for index, label in enumerate(table.labels):
        name = match_label(label, known)
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
            if "码" not in label and "code" not in label.lower():
                continue  # a code says more than a name; both columns name the same unit
        elif name in found:
            faults.append(Fault("duplicate_column", table.file, table.sheet, table.header_row, label, name))
            continue
        found[name] = (index, factor)
        units[name] = unit
    constants: dict[str, str] = {}
    for column in contract.columns:
        if column.name in found or not column.required or column.name in contract.derived or column.default:
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
    return Mapped(found, constants, units, tuple(ignored))


def recognised(labels: Sequence[str], contract: Contract) -> int:
    """Count how many of a table's labels the contract knows."""
    return len({name for label in labels if (name := match_label(label, contract.labels))})


def match_label(label: str, known: Mapping[str, str]) -> str | None:
    """Return the column a label means: the whole label, its last parts, or its first ones."""
    parts = label.split("/")
    tries = ["/".join(parts[start:]) for start in range(len(parts))] + ["/".join(parts[:-1])]
    return next((known[n] for text in tries if (n := normalise_label(text)) in known), None)


def column_of(contract: Contract, name: str) -> Column:
    """Return the column behind a mapped name; `group.measure` is a column of a wide form."""
    if "." in name and contract.unpivot:
        group, measure = name.split(".", 1)
        return contract.unpivot.groups[group][measure]
    return contract.column(name)
