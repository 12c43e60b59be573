"""`load --dry-run`: what each file would be taken for and what would become of its rows."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from cockpit.commands.common import out, print_json, print_table
from cockpit.commands.words import headings, language, line
from warehouse.base.errors import UnknownName
from warehouse.manifest import gather
from warehouse.preview import preview
from warehouse.sight import ColumnSight, Preview, SheetSight
from warehouse.store import Store

ROWS_PRINTED = 5


def dry_run(
    store: Store, paths: Iterable[Path], source: str | None, *, as_json: bool, span: tuple[int, int] | None = None
) -> int:
    """Print what a load of the files would do and return its exit code."""
    if source is not None and source not in store.contracts:
        raise UnknownName("source", source, store.contracts)
    deliveries = gather(paths, source, None, span).deliveries
    found = [preview(store, one.path, name=one.name, source=one.source or source, span=one.span) for one in deliveries]
    if as_json:
        print_json([one.as_json() for one in found])
    else:
        for one in found:
            _print(one)
    if all(one.status in ("refused", "nothing") for one in found):
        return 2
    return 1 if any(one.status == "refused" or one.counts.get("quarantined") for one in found) else 0


def _print(one: Preview) -> None:
    out.rule(one.file, align="left")
    lang = language()
    others = ", ".join(f"{c.titles[lang]} {c.name} ({c.known}/{c.labels})" for c in one.candidates[:3])
    _line("source", text=f"{one.titles.get(lang, '')} {one.source or '?'}", others=others or line("none"))
    if one.period_from:
        _line("months", text=f"{one.period_from} .. {one.period_to or ''}")
    if one.counts:
        _line("rows", text="  ".join(f"{headings([key])[0]} {value}" for key, value in one.counts.items()))
    if one.skipped:
        _line("skipped", text="  ".join(f"{key} {value}" for key, value in one.skipped.items()))
    for sheet in one.sheets:
        _print_sheet(sheet)
    for stranger in one.strangers:
        meant = ", ".join(f"{name} {code}" for code, name in stranger.suggestions)
        _line("stranger", text=stranger.text, rows=stranger.rows, meant=meant or line("nobody"))
    if one.strangers_total > len(one.strangers):
        _line("strangers", count=one.strangers_total - len(one.strangers))
    for fault in one.faults:
        _line("fault", text=fault.texts[lang])
    if one.faults_total > len(one.faults):
        _line("faults", count=one.faults_total - len(one.faults))
    _line("outcome", text=one.status)


def _print_sheet(sheet: SheetSight) -> None:
    _line("sheet", text=sheet.name or "-", row=sheet.header_row, rows=sheet.rows_in)
    for column in sheet.columns:
        out.print(f"  {column.label} → {_taken(column)}", markup=False, soft_wrap=True)
    headers = [header[language()] for header in sheet.headers]
    rows = [dict(zip(headers, row.cells, strict=False)) | {"#": f"{row.row_no} {row.fate}"} for row in sheet.rows]
    print_table(rows[:ROWS_PRINTED], ("#", *dict.fromkeys(headers)))


def _taken(column: ColumnSight) -> str:
    if column.column is None:
        return line("left_out")
    unit = f" [{column.unit}, {column.unit_from}]" if column.unit else ""
    text = f"{column.column}{unit}"
    return line("stored", text=text, unit=column.stored_unit) if column.stored_unit else text


def _line(name: str, **values: object) -> None:
    out.print(line(name, **values), markup=False, soft_wrap=True)
