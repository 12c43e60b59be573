"""Declarations of databases as sources: one TOML file says which query brings the rows of which contract, and how often.

source = "payment"                # the contract the rows are read by
url_env = "FINANCE_DATABASE"      # the environment variable that holds postgresql://user:password@host/database
table = "finance.voucher_line"    # or query = "SELECT …"
grows_by = "updated_at"           # read on from the largest value taken; without it every pull reads everything
overlap = "10 minutes"            # read again so far back, for rows that were committed late
every_minutes = 60
[columns]                         # columns whose own names the contract does not know
vch_no = "凭证号"
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from warehouse.base.errors import suggest
from warehouse.contracts import Contract
from warehouse.mapping import match_label
from warehouse.pulls.words import refusal, sentence
from warehouse.readers.labels import fold_label, split_unit

KEYS = ("source", "url_env", "query", "table", "columns", "grows_by", "overlap", "every_minutes", "batch_rows",
        "timeout_seconds")  # fmt: skip
NUMBERS = {"every_minutes": (60, 1, 10_080), "batch_rows": (5_000, 1, 1_000_000), "timeout_seconds": (600, 1, 86_400)}
"""Default, least and most of the settings that are whole numbers."""

_ENVIRONMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TABLE = re.compile(r"[^\s.\"';]+(\.[^\s.\"';]+)?")
_OVERLAP = re.compile(r"\d+( (second|minute|hour|day)s?)?")


@dataclass(frozen=True)
class Declaration:
    """One query of one database, and what its rows are."""

    name: str
    source: str
    url_env: str
    sql: str = field(repr=False)
    columns: Mapping[str, str]
    grows_by: str | None
    overlap: str | None
    every_minutes: int
    batch_rows: int
    timeout_seconds: int

    @property
    def file(self) -> str:
        """The name under which its rows appear in receipts and on screens."""
        return f"{self.name}.parquet"

    @property
    def fingerprint(self) -> str:
        """A sum of what decides which rows come: where it changes, how far was read says nothing any more."""
        said = [self.source, self.url_env, self.sql, sorted(self.columns.items()), self.grows_by]
        return hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()


def read_folder(folder: Path, contracts: Mapping[str, Contract]) -> tuple[Declaration, ...]:
    """Read every declaration of a folder, by name."""
    if not folder.is_dir():
        raise refusal("no_folder", where=folder)
    return tuple(read_declaration(file, contracts) for file in sorted(folder.glob("*.toml")))


def read_declaration(file: Path, contracts: Mapping[str, Contract]) -> Declaration:
    """Read one declaration; all its faults are told together."""
    try:
        said = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as cause:
        raise refusal("not_toml", where=file, value=cause) from cause
    faults = [
        *_unknown(said),
        *_texts(said),
        *_query(said),
        *_source(said, contracts),
        *_numbers(said),
        *_columns(said, contracts),
    ]
    if faults:
        told = {code: " ".join(one[code] for one in faults) for code in ("zh", "en")}
        raise refusal("faulty", where=file, value=len(faults), zh=told["zh"], en=told["en"])
    query = said.get("query") or f"SELECT * FROM {_quoted(said['table'])}"
    numbers = {name: said.get(name, limits[0]) for name, limits in NUMBERS.items()}
    return Declaration(
        file.stem, said["source"], said["url_env"], query.strip().rstrip(";").strip(), dict(said.get("columns", {})),
        said.get("grows_by"), str(said["overlap"]) if "overlap" in said else None, **numbers,
    )  # fmt: skip


def _quoted(table: str) -> str:
    return ".".join(f'"{part}"' for part in table.split("."))


def _unknown(said: Mapping[str, Any]) -> Iterable[dict[str, str]]:
    for key in said:
        if key not in KEYS:
            yield sentence("unknown_key", value=key, hint="、".join(suggest(key, KEYS) or KEYS))


def _texts(said: Mapping[str, Any]) -> Iterable[dict[str, str]]:
    for key in ("source", "url_env"):
        if key not in said:
            yield sentence("lacks", value=key)
    for key in ("source", "url_env", "query", "table", "grows_by"):
        if key in said and (not isinstance(said[key], str) or not said[key].strip()):
            yield sentence("no_text", value=key)
    name = said.get("url_env")
    if isinstance(name, str) and name.strip() and not _ENVIRONMENT.fullmatch(name):
        yield sentence("no_variable")  # never repeated: it may be the address itself
    overlap = said.get("overlap", "0")
    if not isinstance(overlap, str | int) or not _OVERLAP.fullmatch(str(overlap)):
        yield sentence("bad_overlap", value=overlap)


def _query(said: Mapping[str, Any]) -> Iterable[dict[str, str]]:
    if ("query" in said) == ("table" in said):
        yield sentence("query_or_table")
    table = said.get("table")
    if isinstance(table, str) and table.strip() and not _TABLE.fullmatch(table):
        yield sentence("bad_table", value=table)


def _source(said: Mapping[str, Any], contracts: Mapping[str, Contract]) -> Iterable[dict[str, str]]:
    name = said.get("source")
    if isinstance(name, str) and name and name not in contracts:
        yield sentence("unknown_source", value=name, hint="、".join(suggest(name, contracts)) or "cockpit sources list")
    elif isinstance(name, str) and name and contracts[name].is_passing:
        yield sentence("passing_source", value=name)


def _numbers(said: Mapping[str, Any]) -> Iterable[dict[str, str]]:
    for name, (_, least, most) in NUMBERS.items():
        value = said.get(name, least)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            yield sentence("bad_number", value=f"{name} = {value!r}", hint=f"{least}–{most}")


def _columns(said: Mapping[str, Any], contracts: Mapping[str, Contract]) -> Iterable[dict[str, str]]:
    columns, contract = said.get("columns", {}), contracts.get(str(said.get("source")))
    if not isinstance(columns, dict):
        yield sentence("no_columns")
        return
    for column, label in columns.items():
        if contract is not None and not (isinstance(label, str) and knows(contract, label)):
            near = suggest(str(label), [alias for one in contract.all_columns for alias in (one.name, *one.aliases)])
            yield sentence("unknown_label", value=f"{column} = {label!r}", hint="、".join(near) or contract.name)


def knows(contract: Contract, label: str) -> bool:
    """Tell whether a contract knows a label, with or without a unit behind it."""
    text, _ = split_unit(fold_label(label), lambda one: match_label(one, contract.labels) is not None)
    return match_label(text, contract.labels) is not None
