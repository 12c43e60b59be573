"""`cockpit sample`: write one of the sample sets as export files with a manifest."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import samples
from cockpit.commands.common import JsonOption, print_json
from cockpit.settings import Settings
from warehouse.base.errors import QueryError, UnknownName


def sample(
    name: Annotated[str, typer.Argument(help="city (simulated), gsa or ua (real).")],
    out: Annotated[Path, typer.Option("--out", help="Folder to write the export files into.")],
    seed: Annotated[int, typer.Option(help="Seed of a simulated set.")] = 1,
    months: Annotated[int, typer.Option(help="Months of a simulated set.", min=1)] = 34,
    units: Annotated[int, typer.Option(help="Units of a simulated set.", min=1)] = 60,
    truth: Annotated[Path | None, typer.Option(help="Where the expected answers go (default OUT.truth.json).")] = None,
    json_: JsonOption = False,
) -> None:
    """Write a sample set: exported files as an office has them, ready for `cockpit load OUT`."""
    del json_
    if name not in samples.names():
        raise UnknownName("sample", name, samples.names())
    data = Settings().data
    try:
        samples.write(
            name, out, seed=seed, months=months, units=units, truth=truth, data_root=data if data.is_dir() else None
        )
    except ValueError as cause:  # a set of this size cannot tell its story
        raise QueryError(
            str(cause), "choose other --units or --months; without them the sample has its usual size"
        ) from cause
    print_json({"sample": name, "folder": str(out), "files": sum(1 for _ in out.rglob("*") if _.is_file())})
