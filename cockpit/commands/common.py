"""What the commands share: where the store is, how progress and answers are printed, how errors end."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from cockpit.settings import Settings, store_of
from warehouse.base.errors import CockpitError
from warehouse.durable import WAITING
from warehouse.store import Store

StoreOption = Annotated[
    Path | None, typer.Option("--store", help="Folder of the store (default $COCKPIT_STORE, else ./store).")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]

err = Console(stderr=True, highlight=False, soft_wrap=True)
out = Console(highlight=False)


def store_at(path: Path | None) -> Store:
    """Return the store of the option, the environment or ./store."""
    settings = Settings()
    return store_of(settings if path is None else settings.model_copy(update={"store": path}))


def writable(file: Path) -> Path:
    """Return a file to be written; a folder that is not there is said before the work, not after."""
    if not file.parent.is_dir():
        raise CockpitError(f"There is no folder {file.parent}.", "create it, or name a file elsewhere")
    if file.is_dir():
        raise CockpitError(f"{file} is a folder.", "name a file in it")
    return file


def in_currency(rows: Iterable[Mapping[str, Any]], facts: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return rows whose unit is written in the currency of the store they come from, as on its screens."""
    from callbacks.language import Language, load_texts

    language = Language("zh", load_texts("zh"), facts.get("currency", "CNY"))
    return [{**row, "unit": language.unit(row["unit"])} for row in rows]


def print_json(value: Any) -> None:
    """Print one JSON document, Chinese readable."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=1, default=str) + "\n")


def print_table(
    rows: Iterable[Mapping[str, Any]], columns: Iterable[str], headings: Sequence[str] | None = None
) -> None:
    """Print rows as a table for people, under the names of the columns or under headings."""
    names = list(columns)
    table = Table(*(headings or names), box=None, header_style="bold", pad_edge=False)
    for row in rows:
        table.add_row(*("" if row.get(name) is None else str(row.get(name)) for name in names))
    wide = Console(highlight=False, width=max(out.width, 160)) if not sys.stdout.isatty() else out
    wide.print(table)


def progress(text: str) -> None:
    """Say on the error stream what long work is doing, to who looks on; that it waits for another is always said."""
    if text == WAITING or sys.stderr.isatty():
        err.print(text, end="\r" if "/" in text else "\n")
