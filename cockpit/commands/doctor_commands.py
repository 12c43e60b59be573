"""The command that examines a store."""

from __future__ import annotations

from typing import Annotated

import typer

from cockpit import pipeline
from cockpit.commands.common import JsonOption, StoreOption, print_json, progress, store_at
from warehouse.health.examine import Examination


def doctor(
    store: StoreOption = None,
    deep: Annotated[bool, typer.Option("--deep", help="Also build the figures anew and compare every table.")] = False,
    json_: JsonOption = False,
) -> None:
    """Check every hash, sum and pointer of a store and say what to do; exit 0 healthy, 1 findings, 2 not a store."""
    report = pipeline.examine_store(store_at(store), deep=deep, progress=progress)
    if json_:
        print_json(report.as_json())
    else:
        _print(report)
    raise typer.Exit(0 if report.healthy else 1)


def _print(report: Examination) -> None:
    counts = (report.batches, report.segments, report.received)
    print(
        "{}：{} 个批次、{} 个数据段、{} 份收到的文件。 {} batches, {} segments, {} received files.".format(
            report.store, *counts, *counts
        )
    )
    if report.healthy:
        print("一切正常。 All is well.")
    for number, one in enumerate(report.findings, 1):
        print(f"\n{number}. [{one.severity}] {one.code}\n   {one.zh}\n   {one.en}\n   → {one.do_zh}\n   → {one.do_en}")
