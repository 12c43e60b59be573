"""The command that asks for figures: query."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cockpit.commands.answers import COLUMNS, FORMATS, RULES, SHOWN, as_row, rules_behind_answers, show_rows
from cockpit.commands.asking import CaliberOption, KnownAtOption, StateOption, caliber_of, moment_of, nodes_of, state_of
from cockpit.commands.common import JsonOption, StoreOption, err, in_currency, store_at, writable
from cockpit.commands.definitions import standing_definitions
from metrics.aligned import check_align
from metrics.model import AS_WAS, Catalogue, Query
from warehouse.base.clock import system_clock
from warehouse.base.errors import QueryError
from warehouse.base.periods import Period, check_grain, natural_grain
from warehouse.base.scope import Scope
from warehouse.store import Generation


def query(
    ids: Annotated[list[str], typer.Argument(help="Indicator ids.", metavar="ID...")],
    period: Annotated[str, typer.Option("--period", help="2024-05, 2024-Q2, 2024 or a range A..B.")],
    store: StoreOption = None,
    node: Annotated[list[str] | None, typer.Option("--node", help="Code or name; default the root.")] = None,
    grain: Annotated[str | None, typer.Option(help="month, quarter, ytd, r12 or year.")] = None,
    by: Annotated[str | None, typer.Option(help="children, or a dimension of the indicator.")] = None,
    where: Annotated[str | None, typer.Option(help="Condition over dimensions and unit attributes.")] = None,
    known_at: KnownAtOption = None,
    tree: Annotated[str, typer.Option(help="as-was, or a date whose tree is applied to all periods.")] = AS_WAS,
    state: StateOption = None,
    factors: Annotated[
        str | None,
        typer.Option(
            "--factors", help="Coefficients: as-dated (各月按当时系数) or a YEAR for all months (按统一系数)."
        ),
    ] = None,
    caliber: CaliberOption = "monitor",
    align: Annotated[
        str | None,
        typer.Option(
            "--align", help="spring: January and February as one, comparable over the Spring Festival (春节)."
        ),
    ] = None,
    bridge: Annotated[
        bool, typer.Option("--bridge", help="Instead: as-was, the units that came in and left, as of --tree DATE.")
    ] = False,
    missing: Annotated[
        bool, typer.Option("--missing", help="Instead: the reports the answers lack, with the unit that owes each.")
    ] = False,
    form: Annotated[str, typer.Option("--format", help=", ".join(FORMATS))] = "table",
    out: Annotated[Path | None, typer.Option("--out", help="File to write instead of printing.")] = None,
    json_: JsonOption = False,
) -> None:
    """Answer indicators for nodes and periods, as known now or on a past day."""
    from cockpit.commands.query_lists import show_bridge, show_missing
    from metrics.sql_text import sql_text

    form = "json" if json_ else form
    if form not in FORMATS:
        raise QueryError(f"'{form}' is not a format.", f"use one of {', '.join(FORMATS)}")
    if (bridge and missing) or ((bridge or missing) and form == "sql"):
        raise QueryError("--bridge, --missing and --format sql each print something of their own.", "give one of them")
    if out is not None:
        writable(out)
    place = store_at(store)
    catalogue = standing_definitions(place)
    generation = place.open_generation(memory="1GB", threads=2)
    moment = moment_of(known_at, generation.zone)
    first, last = Period.parse_range(period, generation.fiscal_start)
    question = Query(
        indicators=tuple(ids),
        nodes=nodes_of(generation, node or (), generation.batch_at(moment)),
        period_from=first.label,
        period_to=last.label,
        grain=check_grain(grain) if grain else natural_grain(period),
        by=by,
        where=where,
        known_at=moment,
        tree=tree,
        scope=Scope.everything(),
        actor="local",
        state=state_of(state),
        now=system_clock(),
        factors=factors,
        caliber=caliber_of(caliber),
        align=check_align(align),
    )
    if form == "sql":
        print(f"-- generation file: {generation.path}\n{sql_text(generation, catalogue, question)}")
    elif bridge:
        show_bridge(generation, catalogue, question, form, out)
    elif missing:
        show_missing(generation, catalogue, question, form, out)
    else:
        _show_answers(generation, catalogue, question, form, out)


def _show_answers(generation: Generation, catalogue: Catalogue, question: Query, form: str, out: Path | None) -> None:
    """Print the answers, and beside them what a reader of the figures must know."""
    from cockpit.commands.query_lists import say_missing, say_outside
    from metrics.editions import in_force, undefined_ids
    from metrics.evaluate import evaluate
    from metrics.outside import counts_outside

    moment, answers = question.known_at, evaluate(generation, catalogue, question)
    if question.factors is not None and (plain := sorted({a.indicator for a in answers if not a.factors})):
        err.print(f"{', '.join(plain)}：不使用系数，按原口径。No coefficients go into these: --factors changes nothing.", markup=False)  # fmt: skip
    if question.align is not None:
        err.print(
            "春节可比口径：1—2月合并为一期。Aligned to the Spring Festival: January and February are one.", markup=False
        )
    if moment is not None and generation.batch_at(moment) == 0:
        err.print("当时尚未载入任何数据，没有数值。Nothing had been loaded by then: no figure was known.", markup=False)
    if absent := undefined_ids(in_force(generation, catalogue, moment), question.indicators):
        err.print(
            f"{', '.join(absent)}：当时没有可用的定义，因此没有数值。Not defined then, or no longer computable by the definition of "
            "that day: no_source.", markup=False,
        )  # fmt: skip
    outside = counts_outside(generation, catalogue, question, answers)
    rows = in_currency([as_row(answer, count) for answer, count in zip(answers, outside, strict=True)], generation.meta)
    if form == "json":
        bearing = rules_behind_answers(generation, catalogue, question, answers)
        rows = [{**row, **told} for row, told in zip(rows, bearing, strict=True)]
    show_rows(rows, (*COLUMNS, *RULES) if form == "json" else COLUMNS, SHOWN, form, out)
    if any(outside):
        say_outside(generation, catalogue, question, answers)
    if form == "table":
        say_missing(generation, catalogue, question, answers)
