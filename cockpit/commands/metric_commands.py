"""Commands that ask: query, diff, indicators, snapshot, rules, landing, forecast."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated, Any

import typer

from cockpit.commands.answers import FORMATS, as_row, show
from cockpit.commands.common import JsonOption, StoreOption, err, print_json, print_table, store_at
from metrics.catalogue import load_catalogue
from metrics.model import AS_WAS, Catalogue, Query
from warehouse.base.clock import parse_instant, system_clock
from warehouse.base.errors import QueryError, UnknownName
from warehouse.base.periods import Period, check_grain, natural_grain
from warehouse.base.scope import Scope
from warehouse.store import Generation

indicators_app = typer.Typer(no_args_is_help=True, help="What each number means.")
snapshot_app = typer.Typer(no_args_is_help=True, help="Frozen boards.")
rules_app = typer.Typer(no_args_is_help=True, help="Warning rules.")

KnownAtOption = Annotated[
    str | None, typer.Option("--known-at", help="As known then: a date (its end) or an instant; default now.")
]


def moment_of(text: str | None, zone: str) -> dt.datetime | None:
    """Return the asked moment of knowledge; a future one is refused."""
    if text is None:
        return None
    moment = parse_instant(text, zone)
    end_of_today = parse_instant(system_clock().date().isoformat(), zone)
    if moment > max(end_of_today, system_clock()):
        raise QueryError(f"'{text}' lies in the future; nothing is known then.", "ask for today or an earlier day")
    return min(moment, system_clock())


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
    form: Annotated[str, typer.Option("--format", help=", ".join(FORMATS))] = "table",
    out: Annotated[Path | None, typer.Option("--out", help="File to write instead of printing.")] = None,
    json_: JsonOption = False,
) -> None:
    """Answer indicators for nodes and periods, as known now or on a past day."""
    from metrics.evaluate import evaluate, sql_text

    if form not in FORMATS:
        raise QueryError(f"'{form}' is not a format.", f"use one of {', '.join(FORMATS)}")
    catalogue = load_catalogue()
    generation = store_at(store).open_generation(memory="1GB", threads=2)
    moment = moment_of(known_at, generation.zone)
    first, last = Period.parse_range(period)
    question = Query(
        indicators=tuple(ids),
        nodes=_nodes(generation, catalogue, tuple(node or ())),
        period_from=first.label,
        period_to=last.label,
        grain=check_grain(grain) if grain else natural_grain(period),
        by=by,
        where=where,
        known_at=moment,
        tree=tree,
        scope=Scope.everything(),
        actor="local",
        now=system_clock(),
    )
    if form == "sql":
        print(sql_text(generation, catalogue, question))
        return
    answers = evaluate(generation, catalogue, question)
    if moment is not None and generation.batch_at(moment) == 0:
        err.print("Nothing had been loaded by then: no figure was known.", markup=False)
    show(answers, "json" if json_ else form, out)


def _nodes(generation: Generation, catalogue: Catalogue, asked: tuple[str, ...]) -> tuple[str, ...]:
    from metrics.nodes import find_node, root_node

    del catalogue
    return tuple(find_node(generation, text) for text in asked) if asked else (root_node(generation),)


@indicators_app.command("list")
def indicators_list(store: StoreOption = None, json_: JsonOption = False) -> None:
    """List the indicators; has_source tells whether the store holds what they need."""
    catalogue = load_catalogue()
    place = store_at(store)
    filled = _filled(place.open_generation()) if place.exists and place.current() else None
    rows = [
        {
            "id": item.id,
            "title": item.title.zh,
            "title_en": item.title.en,
            "unit": item.unit,
            "better": item.better,
            "theme": item.theme,
            "kind": item.kind,
            "has_source": None if filled is None else has_source(catalogue, item.id, filled),
        }
        for item in catalogue.written
    ]
    if json_:
        print_json(rows)
    else:
        print_table(rows, ("id", "title", "title_en", "unit", "better", "theme", "has_source"))


def has_source(catalogue: Catalogue, indicator: str, filled: frozenset[str]) -> bool:
    """Tell whether every atom of an indicator has a dataset with rows."""
    from metrics.catalogue import datasets_of

    return all(alternatives & filled for alternatives in datasets_of(catalogue, indicator))


def _filled(generation: Generation) -> frozenset[str]:
    return frozenset(
        name
        for name in generation.contracts
        if generation.con.execute(f"SELECT count(*) FROM (SELECT 1 FROM d_{name} LIMIT 1)").fetchone() == (1,)
    )


@indicators_app.command("show")
def indicators_show(indicator: str, json_: JsonOption = False) -> None:
    """Show one indicator: formula in words and as written, unit, basis, worked example."""
    catalogue = load_catalogue()
    if indicator not in catalogue.indicators:
        raise UnknownName("indicator", indicator, catalogue.indicators)
    item = catalogue.indicators[indicator]
    facts: dict[str, Any] = {
        "id": item.id,
        "title": item.title.zh,
        "title_en": item.title.en,
        "formula": item.text.zh,
        "formula_en": item.text.en,
        "value": item.value,
        "unit": item.unit,
        "better": item.better,
        "kind": item.kind,
        "dims": list(item.dims),
        "basis": item.basis.zh,
        "basis_en": item.basis.en,
        "evidence": item.evidence,
        "atoms": list(item.atoms),
        "sources": list(item.sources),
        "fingerprint": item.fingerprint,
    }
    if json_:
        print_json(facts)
    else:
        print_table([{"key": key, "value": value} for key, value in facts.items()], ("key", "value"))


@indicators_app.command("check")
def indicators_check(json_: JsonOption = False) -> None:
    """Check every definition, text and worked example; all faults come together."""
    from metrics.examples import check_examples

    catalogue = load_catalogue()
    check_examples(catalogue)
    if json_:
        print_json({"indicators": len(catalogue.written), "atoms": len(catalogue.atoms), "faults": 0})
    else:
        print(f"{len(catalogue.written)} indicators and {len(catalogue.atoms)} atoms are in order.")


def diff(
    from_: Annotated[str, typer.Option("--from", help="Earlier moment of knowledge.")],
    to: Annotated[str, typer.Option("--to", help="Later moment of knowledge.")],
    period: Annotated[str, typer.Option("--period", help="Period compared.")],
    ids: Annotated[list[str] | None, typer.Argument(help="Indicator ids; default all.", metavar="ID...")] = None,
    store: StoreOption = None,
    node: Annotated[str | None, typer.Option("--node", help="Code or name; default the root.")] = None,
    grain: Annotated[str | None, typer.Option(help="month, quarter, ytd, r12 or year.")] = None,
    json_: JsonOption = False,
) -> None:
    """Tell what changed between two moments of knowledge, and which file moved it."""
    from metrics.diff import difference

    catalogue = load_catalogue()
    generation = store_at(store).open_generation(memory="1GB", threads=2)
    first, last = Period.parse_range(period)
    rows = difference(
        generation,
        catalogue,
        indicators=tuple(ids or [item.id for item in catalogue.written]),
        nodes=_nodes(generation, catalogue, (node,) if node else ()),
        period_from=first.label,
        period_to=last.label,
        grain=check_grain(grain) if grain else natural_grain(period),
        from_time=moment_of(from_, generation.zone),
        to_time=moment_of(to, generation.zone),
        scope=Scope.everything(),
        actor="local",
    )
    if json_:
        print_json([row.as_json() for row in rows])
    else:
        print_table([row.as_json() for row in rows], ("indicator", "node", "period", "old", "new", "change", "batches"))


__all__ = ["as_row"]
