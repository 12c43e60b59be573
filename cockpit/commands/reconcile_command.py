"""The command that holds our figures against those of other books: reconcile."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cockpit.commands.asking import KnownAtOption, StateOption, moment_of, nodes_of, state_of
from cockpit.commands.common import JsonOption, StoreOption, in_currency, print_json, print_table, store_at
from cockpit.commands.definitions import standing_definitions
from metrics.model import Catalogue, Query
from warehouse.base.clock import system_clock
from warehouse.base.errors import QueryError
from warehouse.base.periods import Period, check_grain, natural_grain
from warehouse.base.scope import Scope
from warehouse.store import Generation

COLUMNS = ("indicator", "node_name", "period", "unit", "monitor", "finance", "survey", "published", "against",
           "difference", "part", "reason")  # fmt: skip


def reconcile(
    period: Annotated[str, typer.Option("--period", help="2024-05, 2024-Q2, 2024 or a range A..B.")],
    ids: Annotated[
        list[str] | None, typer.Argument(help="Indicator ids; default all another book has.", metavar="ID...")
    ] = None,
    store: StoreOption = None,
    node: Annotated[list[str] | None, typer.Option("--node", help="Code or name; default the root.")] = None,
    grain: Annotated[str | None, typer.Option(help="month, quarter, ytd, r12 or year.")] = None,
    known_at: KnownAtOption = None,
    state: StateOption = None,
    bridge: Annotated[
        str | None, typer.Option("--bridge", help="Instead: the steps of a bridge, such as op_cost.", metavar="NAME")
    ] = None,
    json_: JsonOption = False,
) -> None:
    """Put figures beside those of finance, the survey and the disclosure, with the reasons of every difference."""
    from metrics.reconcile import comparable

    if bridge is not None and ids:
        raise QueryError("A bridge names its own indicators.", "ask without ID, or without --bridge")
    place = store_at(store)
    catalogue = standing_definitions(place)
    generation = place.open_generation(memory="1GB", threads=2)
    moment = moment_of(known_at, generation.zone)
    first, last = Period.parse_range(period, generation.fiscal_start)
    asked = check_grain(grain) if grain else natural_grain(period)
    question = Query(
        indicators=tuple(ids or comparable(catalogue, asked)),
        nodes=nodes_of(generation, node or (), generation.batch_at(moment)),
        period_from=first.label,
        period_to=last.label,
        grain=asked,
        known_at=moment,
        scope=Scope.everything(),
        actor="local",
        state=state_of(state),
        now=system_clock(),
    )
    rows, columns = (
        _bridged(generation, catalogue, bridge, question) if bridge else _reconciled(generation, catalogue, question)
    )
    shown = in_currency(rows, generation.meta)
    if json_:
        print_json(shown)
    else:
        print_table([line for row in shown for line in _lines(row)], columns)


def _reconciled(generation: Generation, catalogue: Catalogue, question: Query) -> tuple[list[dict[str, Any]], tuple[str, ...]]:  # fmt: skip
    from metrics.reconcile import reconcile as reconciled

    return [one.as_json() for one in reconciled(generation, catalogue, question)], COLUMNS


def _bridged(generation: Generation, catalogue: Catalogue, name: str, question: Query) -> tuple[list[dict[str, Any]], tuple[str, ...]]:  # fmt: skip
    from metrics.bridges import cross

    columns = ("node_name", "period", "role", "indicator", "title", "title_en", "value", "adds", "unit", "status")
    return [one.as_json() for one in cross(generation, catalogue, name, question)], columns


def _lines(row: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a figure, or a bridge, as lines of a table."""
    head = {key: value for key, value in row.items() if not isinstance(value, (list, dict))}
    if "steps" in row:
        last = {"role": "rest", "title": "未说明", "title_en": "unexplained", "value": row["unexplained"]}
        return [head | step for step in row["steps"]] + [head | {"indicator": "", "title": ""} | last]
    shown = {name: one["value"] if one["value"] is not None else one["status"] for name, one in row["figures"].items()}
    lines: list[dict[str, Any]] = []
    for other in row["against"]:
        told = [{"part": part["amount"], "reason": f"{part['text']} / {part['text_en']}"} for part in other["parts"]]
        first = {"against": other["caliber"], "difference": other["difference"]}
        blank = {"indicator": "", "node_name": "", "period": "", "unit": ""} if lines else head | shown
        lines.append(blank | first | (told[0] if told else {}))
        lines += [{"indicator": "", **one} for one in told[1:]]
    return lines or [head | shown]
