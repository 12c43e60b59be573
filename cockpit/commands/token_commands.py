"""Tokens of machines that push: make one, list them, revoke one."""

from __future__ import annotations

from typing import Annotated

import typer

from cockpit.commands.common import JsonOption, StoreOption, err, print_json, print_table, store_at
from warehouse import operations
from warehouse.base.clock import system_clock
from warehouse.base.errors import CockpitError, UnknownName
from warehouse.live.tokens import new_token
from warehouse.operations import TokenRow
from warehouse.store import Store

KINDS = ("readings", "positions")
COLUMNS = ("token_id", "name", "node", "kinds", "made_at", "made_by", "revoked_at")

tokens_app = typer.Typer(no_args_is_help=True, help="Tokens of machines that push readings and positions.")
ActorOption = Annotated[str, typer.Option(help="Who does it.")]


@tokens_app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="What the token is called, such as the platform it is for.")],
    node: Annotated[str, typer.Option("--node", help="Code of the node whose meters and vehicles it may speak of.")],
    kind: Annotated[list[str] | None, typer.Option("--for", help="readings (default), positions; repeatable.")] = None,
    store: StoreOption = None,
    actor: ActorOption = "local",
    json_: JsonOption = False,
) -> None:
    """Make a token and show it, once: only a digest of it is kept."""
    place, kinds = store_at(store), tuple(kind or KINDS[:1])
    for one in kinds:
        if one not in KINDS:
            raise UnknownName("kind of rows", one, KINDS)
    _refuse_unknown_node(place, node)
    token_id, text, digest = new_token()
    row = TokenRow(token_id, name, digest, node, " ".join(sorted(set(kinds))), system_clock(), actor)
    operations.add_token(place.control.engine, row)
    if json_:
        print_json({"token_id": token_id, "name": name, "node": node, "kinds": row.kinds, "token": text})
        return
    print(text)
    err.print("此令牌只显示这一次。 This token is shown only now.", markup=False)


@tokens_app.command("list")
def list_(store: StoreOption = None, json_: JsonOption = False) -> None:
    """List the tokens, revoked ones too; what they read is kept nowhere."""
    rows = [{name: getattr(row, name) for name in COLUMNS} for row in operations.tokens(store_at(store).control.engine)]
    if json_:
        print_json(rows)
    else:
        print_table(rows, COLUMNS)


@tokens_app.command("revoke")
def revoke(
    token_id: Annotated[str, typer.Argument(help="Id of the token, as `cockpit tokens list` shows it.")],
    store: StoreOption = None,
    actor: ActorOption = "local",
) -> None:
    """Revoke a token; from the next request on it does not hold."""
    engine = store_at(store).control.engine
    if not operations.revoke_token(engine, token_id, actor, system_clock()):
        held = [row.token_id for row in operations.tokens(engine) if row.revoked_at is None]
        raise UnknownName("token that holds", token_id, held)
    print(token_id)


def _refuse_unknown_node(store: Store, node: str) -> None:
    generation = store.open_generation()
    try:
        rows = generation.con.execute("SELECT DISTINCT code FROM d_org_unit").fetchall()
    finally:
        generation.close()
    codes = [code for (code,) in rows]
    if not codes:
        raise CockpitError("The store knows no organisation yet.", "load the organisation register first")
    if node not in codes:
        raise UnknownName("node", node, codes)
