"""Commands about the sources: what exported files may hold, and forms to fill in."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from cockpit.commands.common import JsonOption, print_json, print_table, writable
from warehouse.base.errors import CockpitError, UnknownName
from warehouse.contracts import Contract, load_contracts
from warehouse.template import write_template

sources_app = typer.Typer(no_args_is_help=True, help="What exported files may hold.")


@sources_app.command("list")
def sources_list(json_: JsonOption = False) -> None:
    """List the contracts: what each file is, who owes it by when."""
    rows = [
        {
            "source": contract.name,
            "title": contract.title["zh"],
            "title_en": contract.title["en"],
            "theme": contract.theme,
            "time": contract.time_kind,
            "slice": contract.slice,
            "due_day": contract.due_day,
            "reference": contract.is_reference,
        }
        for contract in load_contracts().values()
    ]
    if json_:
        print_json(rows)
    else:
        print_table(rows, ("source", "title", "title_en", "theme", "time", "slice", "due_day"))


@sources_app.command("show")
def sources_show(name: str, json_: JsonOption = False) -> None:
    """Show a contract's columns, the labels they are found by, and the checks a row must pass."""
    (contract,) = _chosen([name])
    rows = _column_rows(contract)
    checks = [{"code": check.code, **check.text} for check in contract.checks]
    if json_:
        facts = {"source": name, "title": dict(contract.title), "standard": contract.standard}
        print_json({**facts, "columns": rows, "checks": checks})
        return
    print_table(rows, ("column", "type", "unit", "key", "required", "values", "labels", "standard"))
    print_table(checks, ("code", "zh", "en"))


@sources_app.command("template")
def sources_template(
    out: Annotated[Path, typer.Option("--out", help="The xlsx file to write; a file that is there is kept.")],
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME", help="Sources; default all.")] = None,
) -> None:
    """Write a form to fill in, one sheet a source; a filled sheet loads as it is."""
    contracts = _chosen(names or load_contracts())
    if out.suffix.lower() != ".xlsx":
        raise CockpitError(f"{out} is no xlsx file.", "name a file that ends in .xlsx")
    if writable(out).exists():
        raise CockpitError(f"{out} is there already and may be filled in.", "name another file, or move this one away")
    print_json({"file": str(out), "sheets": list(write_template(out, contracts))})


def _chosen(names: Iterable[str]) -> list[Contract]:
    contracts = load_contracts()
    for name in names:
        if name not in contracts:
            raise UnknownName("source", name, contracts)
    return [contracts[name] for name in dict.fromkeys(names)]


def _column_rows(contract: Contract) -> list[dict[str, Any]]:
    return [
        {
            "column": column.name,
            "type": column.type,
            "unit": column.unit,
            "key": "yes" if column.is_key else "",
            "required": "yes" if column.required else "",
            "values": "、".join(dict.fromkeys(column.values.values())),
            "labels": "、".join(column.aliases[:6]),
            "standard": column.standard,
        }
        for column in contract.all_columns
    ]
