"""Commands around the rows kept aside: list, counts, return sheet and resubmission."""

from __future__ import annotations

import contextlib
import csv
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from cockpit import pipeline
from cockpit.commands.common import JsonOption, StoreOption, print_json, print_table, progress, store_at, writable
from warehouse.base.errors import UnknownName
from warehouse.control import STORE_ID
from warehouse.deltas import known_rows
from warehouse.directory import REGISTER, read_directory
from warehouse.ingest import scratch
from warehouse.quarantine import fault_texts
from warehouse.return_sheet import write_return_sheet
from warehouse.returns import refusal
from warehouse.store import Store
from warehouse.waiting import WaitingRow, Wanted, counts, period_of, waiting_rows

quarantine_app = typer.Typer(
    no_args_is_help=True, help="Rows kept aside: why, how many, and the way there and back on a return sheet."
)

SourceOption = Annotated[str | None, typer.Option("--source", help="Only rows of this source.")]
UnitOption = Annotated[str | None, typer.Option("--unit", help="Only rows of this unit, by code or name.")]
PeriodOption = Annotated[str | None, typer.Option("--period", help="Only rows of 2025-01, 2025-Q1, 2025, or A..B.")]
BatchOption = Annotated[int | None, typer.Option("--batch", help="Only rows set aside by the load of this batch.")]
FileOption = Annotated[str | None, typer.Option("--file", help="Only rows of the file of this name.")]
COUNTED = ("dataset", "unit", "unit_name", "period", "open", "closed", "codes")


class Words(StrEnum):
    """Languages of the reasons."""

    ZH = "zh"
    EN = "en"
    BOTH = "both"


@quarantine_app.command("list")
def quarantine_list(
    store: StoreOption = None, source: SourceOption = None, unit: UnitOption = None, period: PeriodOption = None,
    batch: BatchOption = None, file: FileOption = None,
    closed: Annotated[bool, typer.Option("--closed", help="Those that were mended since, too.")] = False,
    json_: JsonOption = False,
) -> None:  # fmt: skip
    """List the rows kept aside, a line a fault."""
    place = store_at(store)
    wanted = _wanted(place, source, unit, period, batch, file, None if closed else True)
    rows = _entries(place, waiting_rows(place.control, wanted), is_open=not closed)
    if json_:
        print_json(rows)
    else:
        print_table(rows, ("file", "sheet", "row", "unit", "period", "column", "code", "value", "zh"))


@quarantine_app.command("counts")
def quarantine_counts(
    store: StoreOption = None, source: SourceOption = None, unit: UnitOption = None, period: PeriodOption = None,
    batch: BatchOption = None, file: FileOption = None, json_: JsonOption = False,
) -> None:  # fmt: skip
    """Count the rows kept aside per source, unit and period: still open, and closed since."""
    place = store_at(store)
    found = counts(place.control, place.contracts, _wanted(place, source, unit, period, batch, file, None))
    names = _names(place)
    rows = [{**count.as_json(), "unit_name": names.get(count.unit or "")} for count in found]
    if json_:
        print_json(rows)
        return
    shown = [{**row, "codes": "、".join(f"{code} {number}" for code, number in row["codes"].items())} for row in rows]
    print_table(shown, COUNTED)


@quarantine_app.command("export")
def quarantine_export(
    file: Annotated[Path, typer.Argument(help="An xlsx to correct and hand back, or a csv to read.")],
    store: StoreOption = None, source: SourceOption = None, unit: UnitOption = None, period: PeriodOption = None,
    batch: BatchOption = None, from_file: FileOption = None,
    lang: Annotated[Words, typer.Option(help="Language of the reasons.")] = Words.ZH,
) -> None:  # fmt: skip
    """Write the rows kept aside with their reasons: as a return sheet to correct (xlsx), or as a plain list (csv)."""
    place = store_at(store)
    writable(file)
    rows = waiting_rows(place.control, _wanted(place, source, unit, period, batch, from_file, True))
    if file.suffix.lower() == ".csv":
        listed = _entries(place, rows, is_open=True)
        _write_csv(file, listed)
        print_json({"file": str(file), "rows": len(rows), "faults": len(listed)})
        return
    if file.suffix.lower() != ".xlsx":
        raise refusal("no_kind", file=file)
    meta = place.control.meta()
    written = write_return_sheet(file, rows, place.contracts, meta.get(STORE_ID, ""), lang=lang.value)
    print_json({"file": written.file, "rows": written.rows, "sheets": dict(written.sheets)})


@quarantine_app.command("resubmit")
def quarantine_resubmit(
    file: Annotated[Path, typer.Argument(help="A return sheet written by `quarantine export` and corrected since.")],
    store: StoreOption = None,
    actor: Annotated[str, typer.Option(help="Who hands the sheet in.")] = "local",
    json_: JsonOption = False,
) -> None:
    """Hand a corrected return sheet in again, and publish. Prints what became of its lines as JSON."""
    del json_  # as load, it always prints JSON
    done = pipeline.resubmit_and_publish(store_at(store), file, actor=actor, progress=progress)
    print_json(done.as_json())
    raise typer.Exit(0 if done.is_all_well else 1 if done.did_something else 2)


def _wanted(
    place: Store, source: str | None, unit: str | None, period: str | None, batch: int | None, file: str | None,
    is_open: bool | None,
) -> Wanted:  # fmt: skip
    if source is not None and source not in place.contracts:
        raise UnknownName("source", source, place.contracts)
    code = _unit_code(place, unit) if unit is not None else None
    return Wanted.of(source, code, period, batch, file, is_open=is_open)


def _unit_code(place: Store, text: str) -> str:
    with contextlib.closing(scratch(place)) as con:
        match = read_directory(con, place).find(text)
    if match.code is None:
        raise refusal("no_unit", unit=text, near=match.hint or "—")
    return match.code


def _names(place: Store) -> dict[str, str]:
    """Return the newest name of each unit by its code."""
    register = place.contracts[REGISTER]
    with contextlib.closing(scratch(place)) as con:
        if not known_rows(con, register, place.segments, place.control.segments(REGISTER)):
            return {}
        return dict(con.execute("SELECT code, name FROM known ORDER BY from_m").fetchall())


def _entries(place: Store, rows: list[WaitingRow], *, is_open: bool) -> list[dict[str, Any]]:
    return [
        {
            "dataset": entry["dataset"],
            "file": entry["file_name"],
            "sheet": entry["sheet"],
            "row": entry["row_no"],
            "unit": row.unit,
            "period": period_of(place.contracts.get(row.dataset), row.month),
            "column": entry["column_name"],
            "code": entry["code"],
            "value": entry["value"],
            **fault_texts(place.contracts.get(entry["dataset"]), entry),
            "opened_at": entry["opened_at"],
            "is_open": entry["closed_by"] is None,
            "raw": entry["raw"],
        }
        for row in rows
        for entry in row.entries
        if not is_open or entry["closed_by"] is None
    ]


def _write_csv(file: Path, rows: list[dict[str, Any]]) -> None:
    columns = ["file", "sheet", "row", "column", "code", "value", "zh", "en", "raw"]
    with file.open("w", encoding="utf-8-sig", newline="") as handle:
        csv.writer(handle).writerows([columns, *([_inert(row[name]) for name in columns] for row in rows)])


def _inert(value: object) -> str:
    """Return text that a spreadsheet will not take for a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") and not _is_number(text) else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
