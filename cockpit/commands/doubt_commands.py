"""Commands about doubtful rows: list them, attach an explanation."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cockpit.commands.common import JsonOption, StoreOption, print_json, print_table, store_at
from metrics.doubtful import DoubtfulRow, doubtful_rows, find_doubt
from metrics.nodes import find_node, read_register, root_node
from warehouse.base.clock import parse_instant, system_clock
from warehouse.base.errors import CockpitError
from warehouse.base.periods import month_label
from warehouse.contracts import Contract
from warehouse.operations import ExplanationRow, add_explanation, explanations

doubts_app = typer.Typer(no_args_is_help=True, help="Sound rows that look copied, filled in or calculated (疑似).")


@doubts_app.command("list")
def doubts_list(
    node: Annotated[str | None, typer.Option(help="Only below this node; default the root.")] = None,
    known_at: Annotated[str | None, typer.Option(help="As known on this day or at this instant.")] = None,
    store: StoreOption = None,
    json_: JsonOption = False,
) -> None:
    """List doubtful rows with what they were compared with, and what was said of them."""
    place = store_at(store)
    generation = place.open_generation()
    moment = parse_instant(known_at, generation.zone) if known_at else None
    seq = generation.batch_at(moment)
    register = read_register(generation.con)
    chosen = find_node(register, node, seq) if node else root_node(register, seq)
    said = explanations(place.control.engine, moment)
    rows = [
        _shown(row, generation.contracts[row.dataset], said.get(row.doubt_id))
        for row in doubtful_rows(generation, chosen, seq)
    ]
    if json_:
        print_json(rows)
    else:
        print_table(rows, ("doubt", "unit", "month", "file", "row", "value", "other", "zh", "explained"))


@doubts_app.command("explain")
def doubts_explain(
    doubt: Annotated[str, typer.Argument(help="The doubt, as `cockpit doubts list` names it.")],
    why: Annotated[str, typer.Option("--why", help="What is to be said of these figures.")] = "",
    actor: Annotated[str, typer.Option(help="Who says it.")] = "local",
    store: StoreOption = None,
) -> None:
    """Attach an explanation to a doubtful row; it stands as long as the figures stay the same."""
    if not why.strip():
        raise CockpitError("An explanation needs its words.", 'add --why "two readings fell into one month"')
    place = store_at(store)
    found = find_doubt(place.open_generation(), doubt)
    add_explanation(place.control.engine, ExplanationRow(found, system_clock(), actor, why.strip()))
    print(f"{found}：已附说明。\n{found}: the explanation is attached.")


def _shown(row: DoubtfulRow, contract: Contract, said: ExplanationRow | None) -> dict[str, Any]:
    text = next(doubt.text for doubt in contract.doubts if doubt.code == row.code)
    return {
        "doubt": row.doubt_id,
        "source": row.dataset,
        "code": row.code,
        "unit": row.unit,
        "month": month_label(row.month_no),
        "file": row.file_name,
        "sheet": row.sheet,
        "row": row.row_no,
        "column": row.column,
        "value": row.value,
        "other": row.other,
        "zh": text["zh"],
        "en": text["en"],
        "explained": said.why if said else None,
        "explained_by": said.actor if said else None,
        "explained_at": said.known_at.isoformat() if said else None,
    }
