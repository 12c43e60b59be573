"""Commands that fill and keep a store: load, quarantine, backup, restore, rebuild."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Annotated, Any

import typer

from cockpit import pipeline
from cockpit.commands import preview_commands
from cockpit.commands.common import JsonOption, StoreOption, print_json, print_table, progress, store_at, writable
from warehouse import backup as backups
from warehouse.base.clock import DEFAULT_ZONE, parse_instant
from warehouse.quarantine import fault_texts

quarantine_app = typer.Typer(no_args_is_help=True, help="Rows kept aside, with reasons.")


def load(
    paths: Annotated[list[Path], typer.Argument(help="Files, or folders with or without a manifest.toml.")],
    store: StoreOption = None,
    source: Annotated[
        str | None, typer.Option(help="Name of the contract, when the file is not to be recognised.")
    ] = None,
    recorded_at: Annotated[str | None, typer.Option(help="When the files became known (ISO); default now.")] = None,
    actor: Annotated[str, typer.Option(help="Who hands the files in.")] = "local",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be understood and taken; commit nothing.")
    ] = False,
    json_: JsonOption = False,
) -> None:
    """Take exported files into the store and publish the figures. Prints one JSON object a file."""
    place = store_at(store)
    if dry_run:
        raise typer.Exit(preview_commands.dry_run(place, paths, source, as_json=json_))
    zone = place.control.meta().get("timezone", DEFAULT_ZONE) if place.exists else DEFAULT_ZONE
    moment = parse_instant(recorded_at, zone) if recorded_at else None
    reports = pipeline.load_and_publish(place, paths, source=source, recorded_at=moment, actor=actor, progress=progress)
    print_json([report.as_json() for report in reports])
    taken = [report for report in reports if report.status in ("committed", "unchanged")]
    troubled = any(r.status == "refused" or r.counts.get("quarantined") for r in reports)
    raise typer.Exit(2 if not taken else 1 if troubled else 0)


@quarantine_app.command("list")
def quarantine_list(store: StoreOption = None, json_: JsonOption = False) -> None:
    """List the rows kept aside."""
    rows = _entries(store)
    if json_:
        print_json(rows)
    else:
        print_table(rows, ("file", "sheet", "row", "column", "code", "value", "zh"))


@quarantine_app.command("export")
def quarantine_export(file: Path, store: StoreOption = None) -> None:
    """Write the rows kept aside to a csv (or xlsx) with the reason beside each row."""
    rows = _entries(store)
    writable(file)
    columns = ["file", "sheet", "row", "column", "code", "value", "zh", "en", "raw"]
    cells = [[_inert(row[name]) for name in columns] for row in rows]
    if file.suffix.lower() == ".xlsx":
        import xlsxwriter

        with xlsxwriter.Workbook(str(file), {"strings_to_formulas": False}) as book:
            sheet = book.add_worksheet("quarantine")
            for number, line in enumerate([columns, *cells]):
                sheet.write_row(number, 0, line)
    else:
        with file.open("w", encoding="utf-8-sig", newline="") as handle:
            csv.writer(handle).writerows([columns, *cells])
    print_json({"file": str(file), "rows": len(rows)})


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


def _entries(store: Path | None) -> list[dict[str, Any]]:
    place = store_at(store)
    return [
        {
            "dataset": entry["dataset"],
            "file": entry["file_name"],
            "sheet": entry["sheet"],
            "row": entry["row_no"],
            "column": entry["column_name"],
            "code": entry["code"],
            "value": entry["value"],
            **fault_texts(place.contracts.get(entry["dataset"]), entry),
            "opened_at": entry["opened_at"],
            "raw": entry["raw"],
        }
        for entry in place.control.quarantine()
    ]


def backup(folder: Path, store: StoreOption = None) -> None:
    """Copy the store while it is served; a second backup into the folder adds what is new."""
    print_json(backups.backup(store_at(store), folder).__dict__)


def restore(folder: Path, store: StoreOption = None) -> None:
    """Bring a backup back into an empty place, check every hash and publish."""
    place = store_at(store)
    report = backups.restore(folder, place)
    pipeline.rebuild(place, progress=progress)
    print_json(report.__dict__)


def rebuild(store: StoreOption = None) -> None:
    """Build the projection anew from the segments and publish it."""
    place = store_at(store)
    number = pipeline.rebuild(place, progress=progress)
    print_json({"generation": number, "through_seq": place.control.last()[0]})
