"""Commands for plans: list their versions, show the months of one, explain how each month came about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from cockpit.commands.asking import KnownAtOption, moment_of, nodes_of
from cockpit.commands.common import JsonOption, StoreOption, err, print_json, print_table, store_at
from cockpit.commands.definitions import standing_definitions
from cockpit.commands.words import line
from metrics.plans import Laid, Version
from warehouse.base.clock import system_clock
from warehouse.base.money import exact
from warehouse.base.periods import OPEN, Period, month_label
from warehouse.store import Generation

plan_app = typer.Typer(no_args_is_help=True, help="Yearly plans, their versions and their months.")

VERSION_COLUMNS = (
    "unit", "name", "indicator", "year", "version", "value", "value_unit", "split", "base_share", "approved_on", "approved_by",
    "document", "reason", "known_from", "known_to", "in_force", "file_name", "row_no",
)  # fmt: skip
VERSIONS_SHOWN = (
    "unit", "name", "indicator", "year", "version", "value", "value_unit", "split", "approved_on", "approved_by", "reason",
    "known_from", "in_force",
)  # fmt: skip
MONTHS_SHOWN = ("month", "value", "to_date", "unit", "due", "got", "status")
STEPS_SHOWN = ("month", "read", "weight", "running_exact", "running", "amount", "answered", "reproduced")
PARTS_SHOWN = ("unit", "name", "version", "split", "year_amount", "missing")
YearOption = Annotated[str, typer.Option("--year", help="The year of the plan.")]
NodeOption = Annotated[str | None, typer.Option("--node", help="Code or name; default the root.")]


@plan_app.command("list")
def plan_list(
    store: StoreOption = None,
    node: Annotated[str | None, typer.Option("--node", help="Code or name; default everybody's.")] = None,
    indicator: Annotated[str | None, typer.Option("--indicator", help="Only plans of this indicator.")] = None,
    year: Annotated[str | None, typer.Option("--year", help="Only plans of this year.")] = None,
    known_at: KnownAtOption = None,
    json_: JsonOption = False,
) -> None:
    """List every version of every plan: who set it, when, why, and since when it was known here."""
    from metrics.lay_plans import by_plan, read_versions
    from metrics.plans import in_force

    generation = store_at(store).open_generation()
    seq = generation.batch_at(moment_of(known_at, generation.zone))
    codes = nodes_of(generation, (node,), seq) if node else None
    from_m = Period.parse(year, generation.fiscal_start).from_m if year else None
    versions = [
        one for one in read_versions(generation.con, f"rec_from <= {seq}")
        if (codes is None or one.unit in codes) and (indicator is None or one.indicator == indicator)
        and (from_m is None or one.from_m == from_m)
    ]  # fmt: skip
    standing = {in_force(plan, seq) for plan in by_plan(versions).values()}
    rows = [_version_row(generation, one, one in standing, seq) for one in versions]
    if json_:
        print_json(rows)
        return
    print_table([{**row, "known_from": str(row["known_from"])[:10]} for row in rows], VERSIONS_SHOWN)
    if not rows:
        err.print(line("plan_none"), markup=False)


def _version_row(generation: Generation, one: Version, is_standing: bool, seq: int) -> dict[str, Any]:
    from metrics.explain_plans import name_of

    papers = dict(one.papers or {})
    known_to = generation.recorded_at(one.rec_to) if one.rec_to <= seq and one.rec_to < OPEN else None
    values = {
        "unit": one.unit, "name": name_of(generation, one.unit, one.from_m, seq), "indicator": one.indicator,
        "year": papers.pop("year", None) or (one.from_m + 11) // 12, "version": one.number, "value": exact(one.value),
        "value_unit": one.value_unit, "split": one.way, "base_share": None if one.base_share is None else exact(one.base_share),
        "known_from": generation.recorded_at(one.rec_from), "known_to": known_to, "in_force": is_standing, **papers,
    }  # fmt: skip
    return {column: values.get(column) for column in VERSION_COLUMNS}


@plan_app.command("show")
def plan_show(
    indicator: str, year: YearOption, store: StoreOption = None, node: NodeOption = None, known_at: KnownAtOption = None,
    json_: JsonOption = False,
) -> None:  # fmt: skip
    """Show the months of a plan and their running total, as known now or on a past day."""
    from metrics.explain_plans import answers, planned_indicator

    place = store_at(store)
    generation, span = _pinned(place.open_generation(), known_at), _year(place.open_generation(), year)
    catalogue = standing_definitions(place)
    code = nodes_of(generation, (node,) if node else (), generation.batch_at(None))[0]
    made = planned_indicator(catalogue, indicator)[1]
    now, is_whole = system_clock(), True
    sums = dict(answers(generation, catalogue, made, code, span, now, "ytd"))
    rows = list[dict[str, Any]]()
    for month, answer in answers(generation, catalogue, made, code, span, now):
        is_whole = is_whole and answer.value is not None  # nothing after a month without a figure: missing is not zero
        rows.append({
            "node": code, "month": month_label(month), "value": _plain(answer.value),
            "to_date": _plain(sums[month].value) if is_whole else None, "unit": answer.unit, "due": answer.due,
            "got": answer.got, "status": answer.status,
        })  # fmt: skip
    print_json(rows) if json_ else print_table(rows, MONTHS_SHOWN)


@plan_app.command("explain")
def plan_explain(
    indicator: str, year: YearOption, store: StoreOption = None, node: NodeOption = None, known_at: KnownAtOption = None,
    json_: JsonOption = False,
) -> None:  # fmt: skip
    """Reproduce each month of a plan: what it was split by, as known when, the weights and the rounding."""
    from metrics.explain_plans import explain, name_of

    place = store_at(store)
    generation, span = _pinned(place.open_generation(), known_at), _year(place.open_generation(), year)
    code = nodes_of(generation, (node,) if node else (), generation.batch_at(None))[0]
    told = explain(generation, standing_definitions(place), indicator, code, span, system_clock())
    months = [_step_row(one) for one in told.months]
    if told.own is not None:
        head = _own_head(generation, told.own)
        print_json({**head, "months": months}) if json_ else _print_own(head, months)
        return
    parts = [
        {"unit": one.version.unit, "name": name_of(generation, one.version.unit, span.from_m, generation.batch_at(None)),
         "version": one.version.number, "split": one.version.way, "year_amount": exact(one.version.amount),
         "missing": ", ".join(one.missing)}
        for one in told.below
    ]  # fmt: skip
    lacking = [
        {"unit": u, "name": name_of(generation, u, span.from_m, generation.batch_at(None))} for u in told.lacking
    ]
    if json_:
        print_json({"node": code, "own": None, "parts": parts, "lacking": lacking, "months": months})
        return
    err.print(line("plan_of_units", node=code), markup=False)
    print_table(parts, PARTS_SHOWN)
    if lacking:
        err.print(line("plan_incomplete", units=", ".join(u["name"] for u in lacking)), markup=False)
    print_table(months, ("month", "answered"))


def _own_head(generation: Generation, own: Laid) -> dict[str, Any]:
    version = own.version
    return {
        "node": version.unit, "indicator": version.indicator, "version": version.number, "value": exact(version.value),
        "value_unit": version.value_unit, "year_amount": exact(version.amount), "split": version.way,
        "base_share": None if version.base_share is None else exact(version.base_share),
        "known_from": generation.recorded_at(version.rec_from), "read_as_known_at": generation.recorded_at(own.inputs.seq),
        "missing": list(own.missing), **(version.papers or {}),
    }  # fmt: skip


def _print_own(head: Mapping[str, Any], months: list[dict[str, Any]]) -> None:
    own = {name: head[name] for name in ("node", "indicator", "version", "value", "value_unit")}
    way = line(f"plan_{head['split']}")
    err.print(line("plan_head", way=way, known_at=head["read_as_known_at"], **own), markup=False)
    if head["missing"]:
        err.print(line("plan_lacks", missing=", ".join(head["missing"])), markup=False)
        return
    err.print(line("plan_rounding"), markup=False)
    print_table(months, STEPS_SHOWN)


def _step_row(one: Any) -> dict[str, Any]:
    answered = one.answer.numerator if one.answer.numerator is not None else one.answer.value
    row = {"month": month_label(one.month), "answered": _plain(answered), "status": one.answer.status}
    if one.share is None:
        return row
    share = one.share
    return {
        **row, "read": _plain(share.read), "weight": f"{share.weight.numerator}/{share.weight.denominator}",
        "running_exact": f"{float(share.exact):.6f}", "running": exact(share.running), "amount": exact(share.amount),
        "reproduced": one.is_reproduced,
    }  # fmt: skip


def _plain(value: Any) -> Any:
    return exact(value) if hasattr(value, "as_tuple") else value


def _year(generation: Generation, text: str) -> Period:
    return Period.parse(text, generation.fiscal_start)


def _pinned(generation: Generation, known_at: str | None) -> Generation:
    """Return a generation that answers as known at a moment, whatever months are asked of it."""
    return generation.as_known_at(generation.batch_at(moment_of(known_at, generation.zone)))
