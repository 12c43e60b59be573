"""Where a store's control log lies: beside its data in SQLite, or in a PostgreSQL database that `control.toml` names.

The folder decides; a setting only says where the log of a store that is made now shall lie.
"""

from __future__ import annotations

import json
import os
import tomllib
import uuid
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from warehouse.control import STORE_ID, Control
from warehouse.durable import flush_file
from warehouse.postgres import Address, parse_address, refusal
from warehouse.schema import bring_forward, revision_of

LOG, POINTER = "control.sqlite", "control.toml"
NOTE = (
    "# The control log of this store lies in PostgreSQL. No password stands here: set PGPASSWORD or keep ~/.pgpass.\n"
)


def has_log(folder: Path) -> bool:
    """Tell whether a folder holds a control log or says where it lies."""
    return (folder / LOG).exists() or (folder / POINTER).exists()


def log_of(folder: Path, wanted: str = "") -> Path | Address:
    """Return where the log lies; `wanted` is the address a setting names, and may bring the password."""
    asked = parse_address(wanted) if wanted else None
    if (folder / POINTER).exists():
        address, _ = read_pointer(folder)
        if asked is not None and asked.shown != address.shown:
            raise refusal("two_logs", folder, address.shown, asked.shown)
        return asked or address
    if asked is not None and (folder / LOG).exists():
        raise refusal("two_logs", folder, LOG, asked.shown)
    return asked or folder / LOG


def read_pointer(folder: Path) -> tuple[Address, str]:
    """Return the address and the store's id as the folder states them."""
    file = folder / POINTER
    try:
        said = tomllib.loads(file.read_text(encoding="utf-8"))
        return parse_address(str(said["url"])), str(said["store_id"])
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError) as cause:
        raise refusal("bad_file", file, type(cause).__name__) from cause


def write_pointer(folder: Path, address: Address, store_id: str) -> None:
    """Say in the folder where its log lies; what is said there already stays."""
    file, temporary = folder / POINTER, folder / f"{POINTER}.{os.getpid()}.tmp"
    text = f"{NOTE}url = {json.dumps(address.shown)}\nstore_id = {json.dumps(store_id)}\n"
    temporary.write_text(text, encoding="utf-8")
    flush_file(temporary)
    try:
        os.link(temporary, file)
    except FileExistsError:
        return
    finally:
        temporary.unlink()
    flush_file(folder)


def make_schema(engine: Engine, schema: str) -> None:
    """Make the schema of a store where it is missing; an administrator may have made it before."""
    wanted = sa.text("SELECT 1 FROM pg_namespace WHERE nspname = :name")
    with engine.begin() as con:
        if con.execute(wanted, {"name": schema}).first() is None:
            con.execute(sa.schema.CreateSchema(schema, if_not_exists=True))


def claim(folder: Path, address: Address, control: Control, *, has_data: bool, store_id: str | None = None) -> None:
    """Make a schema the control log of a folder, or find that it is; a log that is another store's is refused.

    The folder says first whose log it has: whoever is interrupted then goes on where it stood.
    """
    is_new = not has_log(folder)
    is_bare = revision_of(control.engine) == ""
    if is_bare and has_data and not is_new:
        raise refusal("log_gone", folder, address)
    if is_new and not is_bare and control.meta():
        raise refusal("taken_log", folder, address)
    make_schema(control.engine, address.schema)
    write_pointer(folder, address, store_id or uuid.uuid4().hex)
    bring_forward(control.engine)
    control.name_store(read_pointer(folder)[1])
    refuse_other_log(folder, address, control)


def refuse_other_log(folder: Path, address: Address, control: Control) -> None:
    """A server's log must be this folder's, and there."""
    if revision_of(control.engine) == "":
        raise refusal("log_gone", folder, address)
    if control.meta().get(STORE_ID) != read_pointer(folder)[1]:
        raise refusal("other_log", folder, address)
