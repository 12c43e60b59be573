"""The columns of a sheet as a person is shown them: what each label is taken for, in which unit, and who says so."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from warehouse.contracts import Column, Contract
from warehouse.corrections import relabelled, told_apart
from warehouse.crosstab import crosstab_of, heading_of
from warehouse.manifest import Delivery
from warehouse.mapping import column_of, match_label, plain_columns
from warehouse.readers.cells import factor_of, note_fits
from warehouse.readers.faults import ReadRefused
from warehouse.readers.raw import RawTable
from warehouse.sight import ColumnSight


def column_titles(contract: Contract, name: str) -> dict[str, str]:
    """Return what people call a column: its first Chinese and its first English label."""
    column = column_of(contract, name)
    labels = (*column.aliases, column.name.rpartition(".")[2].replace("_", " "))
    english = next((label for label in labels if label.isascii()), labels[0])
    return {"zh": labels[0], "en": english}


def column_sights(delivery: Delivery, contract: Contract | None, table: RawTable) -> tuple[ColumnSight, ...]:
    """Return what each label of a sheet is taken for, in the order of the sheet."""
    keys = told_apart(table.labels)
    asked = relabelled([table], contract, delivery.advice.corrections)[0].labels if contract else table.labels
    unfolded = _unfolded(replace(table, labels=asked), contract) if contract else {}
    sights = []
    for index, key in enumerate(keys):
        if not key:
            continue
        if contract and index in unfolded:
            name, unit = unfolded[index]
            own = replace(table, units=(*table.units[:index], unit, *table.units[index + 1 :]))
            sights.append(_column(contract, own, index, key, name, is_chosen=asked[index] != table.labels[index]))
            continue
        name = match_label(asked[index], contract.labels) if contract else None
        sights.append(_column(contract, table, index, key, name, is_chosen=asked[index] != table.labels[index]))
    return tuple(sights)


def _unfolded(table: RawTable, contract: Contract) -> dict[int, tuple[str | None, str | None]]:
    """Return what the columns of a crosstab are taken for, with their unit; of one that is not understood, nothing."""
    try:
        crosstab = crosstab_of(table, contract, plain_columns(table, contract))
    except ReadRefused:
        return {}
    if crosstab is None:
        return {}
    found: dict[int, tuple[str | None, str | None]] = dict.fromkeys(crosstab.taken, (None, None))
    if crosstab.year_at is not None:
        found[crosstab.year_at] = contract.time_column, None
    return found | {one.index: (heading_of(one.name)[1], one.unit) for one in crosstab.figures}


def _column(
    contract: Contract | None, table: RawTable, index: int, key: str, name: str | None, *, is_chosen: bool
) -> ColumnSight:
    if contract is None or name is None:
        return ColumnSight(key, is_chosen=is_chosen)
    column = column_of(contract, name)
    unit, origin = _unit(column, table, index)
    factor = factor_of(column, unit) if column.is_number else None
    return ColumnSight(
        label=key,
        column=name,
        titles=column_titles(contract, name),
        unit=unit,
        unit_from=origin,
        stored_unit=column.unit if factor not in (None, Decimal(1)) else None,
        is_chosen=is_chosen,
    )


def _unit(column: Column, table: RawTable, index: int) -> tuple[str | None, str | None]:
    """Return the unit of a column and where it is said: in the header, in a note over the table, or usually so."""
    if not column.is_number or column.unit is None:
        return None, None
    if table.units[index]:
        return table.units[index], "header"
    if note_fits(column, table.unit_note):
        return table.unit_note, "note"
    return column.default_unit or column.unit, "usual"
