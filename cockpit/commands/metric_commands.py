"""Commands that ask: diff, indicators, snapshot, rules, landing, forecast."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from cockpit.commands.asking import KnownAtOption, StateOption, moment_of, nodes_of, state_of
from cockpit.commands.common import (
    JsonOption,
    StoreOption,
    in_currency,
    print_json,
    print_table,
    store_at,
    writable,
)
from cockpit.commands.definitions import (
    ATOM_COLUMNS,
    atom_rows,
    history,
    print_by_theme,
    print_entry,
    standing_definitions,
    told_beside,
)
from metrics.catalogue import load_catalogue
from metrics.model import Catalogue
from warehouse import operations
from warehouse.base.clock import DEFAULT_ZONE, system_clock
from warehouse.base.errors import DefinitionError, QueryError, UnknownName
from warehouse.base.periods import Period, check_grain, natural_grain
from warehouse.base.scope import Scope
from warehouse.contracts import load_contracts
from warehouse.store import Generation

indicators_app = typer.Typer(no_args_is_help=True, help="What each number means.")
snapshot_app = typer.Typer(no_args_is_help=True, help="Frozen boards.")
rules_app = typer.Typer(no_args_is_help=True, help="Warning rules.")

SNAPSHOT_COLUMNS = ("snapshot_id", "kind", "day", "period", "through_seq", "state", "values", "taken_at")
LANDING_COLUMNS = ("indicator", "node", "year", "paid", "expected", "lo90", "hi90", "unit", "status", "made_at")


@indicators_app.command("list")
def indicators_list(store: StoreOption = None, json_: JsonOption = False) -> None:
    """List the indicators; has_source tells whether the store holds what they need."""
    from metrics.evaluate import has_source

    place = store_at(store)
    catalogue = standing_definitions(place)
    generation = place.open_generation() if place.exists and place.current() else None
    rows = [
        {
            "id": item.id,
            "title": item.title.zh,
            "title_en": item.title.en,
            "unit": item.unit,
            "better": item.better,
            "theme": item.theme,
            "kind": item.kind,
            "has_source": None if generation is None else has_source(generation, item),
        }
        for item in catalogue.written
    ]
    if generation is not None:
        rows = in_currency(rows, generation.meta)
    if json_:
        print_json(rows)
    else:
        print_by_theme(rows)


@indicators_app.command("show")
def indicators_show(
    indicator: str,
    store: StoreOption = None,
    language: Annotated[str, typer.Option("--lang", help="zh or en.")] = "zh",
    json_: JsonOption = False,
) -> None:
    """Show the page of the handbook: meaning, formula, statement, basis, population, history, example, owner."""
    catalogue = standing_definitions(store_at(store))
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
        print_json(facts | told_beside(item) | {"history": history(item)})
    else:
        print_entry(item, catalogue, load_contracts(), language)


@indicators_app.command("atoms")
def indicators_atoms(
    word: Annotated[str, typer.Argument(help="Part of a name or of a source.")] = "",
    store: StoreOption = None,
    json_: JsonOption = False,
) -> None:
    """List the atoms a formula may read: flow or stock, unit, theme, what is summed, from where."""
    rows = atom_rows(standing_definitions(store_at(store)), word)
    if json_:
        print_json(rows)
    else:
        print_table(rows, ATOM_COLUMNS)


@indicators_app.command("check")
def indicators_check(store: StoreOption = None, json_: JsonOption = False) -> None:
    """Check every definition, text, unit and worked example, with a bureau's own in the store; all faults come together.

    Where the store holds data, a count of distinct things is held to what it says of itself.
    """
    from metrics.catalogue import definition_texts
    from metrics.examples import check_definitions
    from metrics.overlaps import overlaps

    place = store_at(store)
    catalogue = check_definitions(definition_texts(own=place.definitions), load_contracts())
    if place.exists and place.current():
        twice = [one.text for one in overlaps(place.open_generation(), catalogue)]
        if twice:
            raise DefinitionError("Distinct counts", twice)
    if json_:
        print_json({"indicators": len(catalogue.written), "atoms": len(catalogue.atoms), "faults": 0})
    else:
        print(f"{len(catalogue.written)} indicators and {len(catalogue.atoms)} atoms are in order.")


def diff(
    from_: Annotated[str | None, typer.Option("--from", help="Earlier moment of knowledge.")] = None,
    to: Annotated[str | None, typer.Option("--to", help="Later moment of knowledge.")] = None,
    period: Annotated[str | None, typer.Option("--period", help="Period compared; a batch brings its own.")] = None,
    ids: Annotated[list[str] | None, typer.Argument(help="Indicator ids; default all.", metavar="ID...")] = None,
    store: StoreOption = None,
    node: Annotated[str | None, typer.Option("--node", help="Code or name; default the root.")] = None,
    grain: Annotated[str | None, typer.Option(help="month, quarter, ytd, r12 or year.")] = None,
    state: StateOption = None,
    batch: Annotated[int | None, typer.Option("--batch", help="Instead: what this one batch moved, by unit.")] = None,
    json_: JsonOption = False,
) -> None:
    """Tell what changed between two moments of knowledge and which file moved it, or what one batch moved."""
    from metrics.diff import difference

    if batch is not None:
        if from_ or to or node:
            raise QueryError("--batch stands alone: it compares just before with just after that batch, for every unit.",
                             "leave out --from, --to and --node")  # fmt: skip
        place = store_at(store)
        _diff_of_batch(
            place.open_generation(memory="1GB", threads=2), standing_definitions(place), batch, ids or (), period, grain,
            json_, state,
        )  # fmt: skip
        return
    if not (from_ and to and period):
        raise QueryError("Which moments, of which period?", "give --from T --to T --period P, or --batch SEQ")
    place = store_at(store)
    catalogue = standing_definitions(place)
    generation = place.open_generation(memory="1GB", threads=2)
    first, last = Period.parse_range(period, generation.fiscal_start)
    rows = difference(
        generation,
        catalogue,
        indicators=tuple(ids or [item.id for item in catalogue.written]),
        nodes=nodes_of(generation, (node,) if node else ()),
        period_from=first.label,
        period_to=last.label,
        grain=check_grain(grain) if grain else natural_grain(period),
        from_time=moment_of(from_, generation.zone),
        to_time=moment_of(to, generation.zone),
        scope=Scope.everything(),
        actor="local",
        state=state_of(state),
    )
    shown = in_currency([row.as_json() for row in rows], generation.meta)
    if json_:
        print_json(shown)
    else:
        for line in shown:
            line["files"] = "; ".join(_told(moved) for moved in line["batches"])
        print_table(shown, (
            "indicator", "node", "period", "old", "new", "change", "from_data", "from_tree", "from_definitions", "files"))  # fmt: skip


def _told(moved: Mapping[str, Any]) -> str:
    """Return a batch as a table names it; a withdrawal names what it takes back."""
    taken = f"−#{moved['withdraws']} " if moved["withdraws"] is not None else ""
    return f"#{moved['batch_seq']} {taken}{moved['file']}"


def _diff_of_batch(
    generation: Generation, catalogue: Catalogue, batch: int, ids: Sequence[str], period: str | None, grain: str | None, json_: bool,
    state: str | None,
) -> None:  # fmt: skip
    from cockpit.commands.moved import batch_moves, print_moves
    from metrics.moves import Span

    span = None
    if period is not None:
        first, last = Period.parse_range(period, generation.fiscal_start)
        span = Span(first.label, last.label, check_grain(grain) if grain else natural_grain(period))
    elif grain is not None:
        raise QueryError("A grain needs a period.", "give --period P, or leave out --grain")
    rows = batch_moves(generation, catalogue, batch, actor="local", indicators=ids, span=span, state=state_of(state))
    if json_:
        print_json(rows)
    else:
        print_moves(rows)


@snapshot_app.command("take")
def snapshot_take(
    store: StoreOption = None,
    known_at: KnownAtOption = None,
    actor: Annotated[str, typer.Option(help="Who freezes the board.")] = "local",
) -> None:
    """Freeze the board's figures as known now or on a past day."""
    from cockpit.office import open_office
    from cockpit.worker import take_snapshot

    now = system_clock()
    with open_office(store_at(store), now) as office:
        moment = moment_of(known_at, str(office.zone)) or now
        day = f"{moment.astimezone(office.zone):%Y-%m-%d}"
        print_json({"snapshot": take_snapshot(office, "manual", day, moment, actor)})


@snapshot_app.command("list")
def snapshot_list(store: StoreOption = None, json_: JsonOption = False) -> None:
    """List the frozen boards."""
    rows = [asdict(row) for row in operations.snapshots(store_at(store).control.engine)]
    if json_:
        print_json(rows)
    else:
        print_table(rows, SNAPSHOT_COLUMNS)


@snapshot_app.command("verify")
def snapshot_verify(
    ids: Annotated[list[str] | None, typer.Argument(help="Snapshots; default all.", metavar="ID...")] = None,
    store: StoreOption = None,
) -> None:
    """Compute frozen figures again as known then; every difference is an alarm and exit code 1.

    The amounts of figures that count warnings or refused rows are not compared: those change without a batch.
    """
    from cockpit.office import open_office
    from metrics.insights.snapshots import unbatched, verify_stored

    with open_office(store_at(store), system_clock()) as office:
        moving = unbatched(office.catalogue)
        verified = verify_stored(office.engine, office.evaluate, Scope.everything(), "local", ids or (), moving)
        skipped = sorted(moving & {item.id for item in office.catalogue.written})
    found = [asdict(difference) for differences in verified.values() for difference in differences]
    reason = "warnings and refused rows are dated by the last batch and come without one"
    left_out = {"indicators": skipped, "reason": reason}
    print_json({"snapshots": len(verified), "differences": found, "amounts_not_compared": left_out})
    raise typer.Exit(1 if found else 0)


@rules_app.command("list")
def rules_list(json_: JsonOption = False) -> None:
    """List the warning rules with their limits and basis."""
    from metrics.insights.rules import load_rules

    rows = [
        {
            "rule": rule.id,
            "title": rule.title.zh,
            "title_en": rule.title.en,
            "indicator": rule.indicator,
            "kind": rule.kind,
            "levels": " ".join(limit.level for limit in rule.limits),
            "evidence": rule.evidence,
        }
        for rule in load_rules()
    ]
    if json_:
        print_json(rows)
    else:
        print_table(rows, ("rule", "title", "title_en", "indicator", "kind", "levels", "evidence"))


@rules_app.command("check")
def rules_check() -> None:
    """Check every rule and its examples; all faults come together."""
    from metrics.insights.rehearsal import failures
    from metrics.insights.rules import load_rules

    rules = load_rules(indicators=load_catalogue().indicators)
    wrong = failures(rules)
    if wrong:
        raise DefinitionError("Rules", wrong)
    print(f"{len(rules)} rules are in order.")


@rules_app.command("run")
def rules_run(store: StoreOption = None) -> None:
    """Judge the rules now and store what they found; then list the standing warnings."""
    from cockpit.worker import run_once

    place = store_at(store)
    run_once(place, system_clock())
    rows = [asdict(row) for row in operations.warnings(place.control.engine)]
    print_json(in_currency(rows, place.control.meta()))


def landing(store: StoreOption = None, known_at: KnownAtOption = None, json_: JsonOption = False) -> None:
    """List the stored year-end projections (全年预计) of each node."""
    place = store_at(store)
    facts = place.control.meta()
    moment = moment_of(known_at, facts.get("timezone", DEFAULT_ZONE))
    rows = in_currency([asdict(row) for row in operations.landings(place.control.engine, known_at=moment)], facts)
    if json_:
        print_json(rows)
    else:
        print_table(rows, LANDING_COLUMNS)


def forecast(
    input_: Annotated[Path, typer.Option("--input", help="csv with series,period,value.")],
    out: Annotated[Path, typer.Option("--out", help="csv to write.")],
    season: Annotated[int, typer.Option(help="Periods of a season.", min=1)] = 12,
    horizon: Annotated[int, typer.Option(help="Periods ahead.", min=1)] = 18,
    levels: Annotated[str, typer.Option(help="Interval levels in percent.")] = "80,90",
) -> None:
    """Forecast the series of a csv file."""
    from metrics.insights.forecast_csv import forecast_csv

    wanted = [_level(text) for text in levels.split(",")]
    writable(out)
    print_json({"series": forecast_csv(input_, out, season, horizon, wanted), "out": str(out)})


def _level(text: str) -> int:
    if not text.strip().isdecimal() or not 0 < int(text) < 100:
        raise QueryError(f"'{text}' is not a level.", "write whole percents between 1 and 99, such as --levels 80,90")
    return int(text)
