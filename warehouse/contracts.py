"""Contracts: what an exported file may hold and what it means. One TOML file a source, in `warehouse/sources/`.

A contract names the dataset, its columns (aliases, types, units, keys), when a row was true (`time`), whether a
file carries changes or a whole slice (`slice`), who owes it and by when (`due`), what proves a report (`coverage`),
the checks a row must pass and example rows that run as tests. Adding a source is adding one file.

A check is SQL over the typed columns; `bound(name)` in it, and in its texts, is the figure of that name in `bounds`,
and a subquery over `staged` sees the other rows of the file. A `pair` checks a code against the name beside it.
A `doubt` marks sound rows that look copied or calculated, `billing` spreads a bill over the months it stands for.
`standard` says which form or standard a source or a column answers to.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property, lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any, Literal

from warehouse.base.errors import DefinitionError, suggest
from warehouse.contract_rules import Billing, Doubt, Term, months_due, read_billing, read_doubts, read_term
from warehouse.pairs import pair_expr
from warehouse.sharing import Shared, read_shared

TimeKind = Literal["span", "month", "year", "date", "datetime"]
FEW = 8
"""Fewer than one in so many of the units usually named are a few offices, not everybody: a file of theirs speaks for
them alone, and a month they reported is not yet a month of the whole."""
TIME_KINDS = ("span", "month", "year", "date", "datetime")
TYPES = ("text", "date", "datetime", "month", "year", "int", "bool")
_DEC = re.compile(r"^dec\((\d+),(\d+)\)$")
_BRACKETS = re.compile(r"[(\[【<].*?[)\]】>]")
_BOUND = re.compile(r"bound\((\w+)\)")
_NOISE = re.compile(r"[\s_*:,.、/\\\-]+")


@lru_cache(maxsize=65_536)  # the same few labels are compared with every contract, file after file
def normalise_label(text: str) -> str:
    """Return a header label as it is compared: NFKC, lower case, without brackets, blanks and punctuation."""
    folded = unicodedata.normalize("NFKC", text).lower()
    return _NOISE.sub("", _BRACKETS.sub("", folded))


@dataclass(frozen=True)
class Column:
    """One column of a dataset; `org` marks the one that names the unit, by code or by name."""

    name: str
    type: str
    aliases: tuple[str, ...] = ()
    unit: str | None = None
    default_unit: str | None = None
    required: bool = False
    is_key: bool = False
    is_dimension: bool = False
    is_org: bool = False
    cumulative: bool = False
    """Of a figure: it runs from January. Of the period: 1-3月 may be written for March, since every figure runs on."""
    values: Mapping[str, str] = field(default_factory=dict)
    open_values: bool = False
    minimum: float | None = None
    default: str | None = None
    standard: str | None = None
    months: int = 1
    """How many months one period covers, of the month of a report that is due by quarter, half-year or year."""
    season: bool = False
    """A heating season may stand here, as 2024-2025采暖季: its month is November of the first year."""

    @property
    def sql_type(self) -> str:
        """The DuckDB type the column is stored as."""
        if found := _DEC.match(self.type):
            return f"DECIMAL({found[1]},{found[2]})"
        return {
            "text": "VARCHAR",
            "date": "DATE",
            "datetime": "TIMESTAMP",
            "month": "INTEGER",
            "year": "INTEGER",
            "int": "BIGINT",
            "bool": "BOOLEAN",
        }[self.type]

    @property
    def is_number(self) -> bool:
        """Tell whether cells are numbers with a unit."""
        return self.type == "int" or self.type.startswith("dec")

    @cached_property
    def digits(self) -> tuple[int, int]:
        """Precision and scale of a decimal column."""
        found = _DEC.match(self.type)
        if found is None:
            raise ValueError(f"the column {self.name} is no decimal: {self.type}")
        return int(found[1]), int(found[2])

    @cached_property
    def labels(self) -> frozenset[str]:
        """All spellings of the header, normalised."""
        return frozenset(normalise_label(label) for label in (self.name, *self.aliases))


@dataclass(frozen=True)
class Check:
    """A condition over the typed columns every row must meet; a row that fails goes to quarantine."""

    code: str
    expr: str
    text: Mapping[str, str]
    needs: tuple[str, ...] = ()
    """Columns without which the check says nothing; a file that leaves one out is not asked."""


@dataclass(frozen=True)
class Unpivot:
    """Wide export, long dataset: each group turns some columns of a line into one row."""

    dimension: str
    measures: tuple[str, ...]
    groups: Mapping[str, Mapping[str, Column]]


@dataclass(frozen=True)
class Contract:
    """Everything the warehouse knows about one dataset."""

    name: str
    title: Mapping[str, str]
    theme: str
    time_kind: TimeKind
    time_column: str
    columns: tuple[Column, ...]
    slice: Literal["increment", "full"]
    slice_by: tuple[str, ...] = ()
    coverage: Literal["unit", "file"] = "file"
    due_day: int | None = None
    due_months: int = 1
    """How many months one report covers: 3 is quarterly, 6 half-yearly."""
    term: Term | None = None
    """When a survey of a quarter or a year is due; what is owed every month has `due_day` instead."""
    is_reference: bool = False
    is_passing: bool = False
    """Rows pass through: they are folded into another dataset and dropped after some days, never stored as facts."""
    checks: tuple[Check, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    billing: Billing | None = None
    shared: Shared | None = None
    unpivot: Unpivot | None = None
    magnitude: Mapping[str, Any] | None = None
    derived: Mapping[str, str] = field(default_factory=dict)
    month_expr: str | None = None
    standard: str | None = None
    examples: tuple[Mapping[str, Any], ...] = ()

    def column(self, name: str) -> Column:
        """Return a column by its name."""
        return self._by_name[name]

    @cached_property
    def _by_name(self) -> dict[str, Column]:
        return {column.name: column for column in self.columns}

    @property
    def keys(self) -> tuple[str, ...]:
        """Names of the columns that identify a row."""
        return tuple(column.name for column in self.columns if column.is_key)

    @property
    def org_column(self) -> str | None:
        """Name of the column that names the unit."""
        return next((column.name for column in self.columns if column.is_org), None)

    @property
    def cumulative(self) -> tuple[str, ...]:
        """Names of the columns that run from January and are differenced into month flows."""
        return tuple(column.name for column in self.columns if column.cumulative and column.is_number)

    @property
    def all_columns(self) -> tuple[Column, ...]:
        """The columns and, of a wide form, those that become rows."""
        groups = self.unpivot.groups.values() if self.unpivot else ()
        return (*self.columns, *(column for measures in groups for column in measures.values()))

    @cached_property
    def others(self) -> Mapping[str, tuple[str, ...]]:
        """Normalised header label → further columns it may mean where the first is named by a label of its own."""
        found: dict[str, list[str]] = {}
        for column in self.columns:
            for label in column.labels:
                if self.labels[label] != column.name:
                    found.setdefault(label, []).append(column.name)
        return {label: tuple(names) for label, names in found.items()}

    @cached_property
    def labels(self) -> Mapping[str, str]:
        """Normalised header label → column name; for a wide export `group.measure`."""
        found: dict[str, str] = {}
        for column in self.columns:
            for label in column.labels:
                found.setdefault(label, column.name)
        if self.unpivot:
            for group, measures in self.unpivot.groups.items():
                for measure, column in measures.items():
                    for label in column.labels - {normalise_label(measure)}:
                        found.setdefault(label, f"{group}.{measure}")
        return found


def load_contracts(folder: Traversable | None = None) -> dict[str, Contract]:
    """Read every contract of the folder; all faults of all files come in one DefinitionError.

    Those shipped with the package do not change while a process lives: they are read once.
    """
    return dict(_shipped()) if folder is None else _read_contracts(folder)


@cache
def _shipped() -> Mapping[str, Contract]:
    return _read_contracts(resources.files("warehouse") / "sources")


def _read_contracts(place: Traversable) -> dict[str, Contract]:
    faults: list[str] = []
    contracts: dict[str, Contract] = {}
    for entry in sorted(place.iterdir(), key=lambda e: e.name):
        if not entry.name.endswith(".toml"):
            continue
        try:
            data = tomllib.loads(entry.read_text(encoding="utf-8"))
        except tomllib.TOMLDecodeError as cause:
            faults.append(f"{entry.name}: not TOML: {cause}")
            continue
        contract = _parse(entry.name, data, faults)
        if contract is None:
            continue
        if contract.name in contracts:
            faults.append(f"{entry.name}: name '{contract.name}' is taken by another file of the folder")
        contracts[contract.name] = contract
    if faults:
        raise DefinitionError("Contracts", faults)
    return contracts


_TOP_KEYS = {
    "name", "title", "theme", "time", "slice", "slice_by", "coverage", "due", "is_reference", "column", "check",
    "unpivot", "magnitude", "derived", "month_expr", "example", "bounds", "pair", "standard", "doubt", "billing", "shared",
    "is_passing",
}  # fmt: skip
_COLUMN_KEYS = {
    "name", "type", "aliases", "unit", "default_unit", "required", "key", "dimension", "org", "cumulative", "values",
    "open_values", "min", "default", "standard", "season",
}  # fmt: skip


def _unknown_keys(where: str, data: Mapping[str, Any], known: Iterable[str], faults: list[str]) -> None:
    known = set(known)
    for key in sorted(set(data) - known):
        near = suggest(key, known)
        faults.append(f"{where}: unknown key '{key}'" + (f"; did you mean '{near[0]}'?" if near else ""))


def _parse(file: str, data: Mapping[str, Any], faults: list[str]) -> Contract | None:
    before = len(faults)
    _unknown_keys(file, data, _TOP_KEYS, faults)
    for key in ("name", "title", "theme", "time", "slice", "column"):
        if key not in data:
            faults.append(f"{file}: key '{key}' is missing")
    if len(faults) > before:
        return None
    columns = tuple(c for item in data["column"] if (c := _column(file, item, faults)))
    names = {column.name for column in columns}
    time = data["time"]
    if time.get("kind") not in TIME_KINDS:
        faults.append(f"{file}: time.kind '{time.get('kind')}' is none of {', '.join(TIME_KINDS)}")
    if time.get("column") not in names:
        faults.append(f"{file}: time.column '{time.get('column')}' is not a column")
    if data["slice"] not in ("increment", "full"):
        faults.append(f"{file}: slice '{data['slice']}' is neither increment nor full")
    if not any(column.is_key for column in columns):
        faults.append(f"{file}: no column is marked as key")
    if set(data["title"]) != {"zh", "en"}:
        faults.append(f"{file}: title needs both zh and en")
    if len(faults) > before:
        return None
    return Contract(
        name=data["name"],
        title=data["title"],
        theme=data["theme"],
        time_kind=time["kind"],
        time_column=time["column"],
        columns=tuple(
            replace(c, months=months_due(file, data, faults)) if c.name == time["column"] else c for c in columns
        ),
        slice=data["slice"],
        slice_by=tuple(data.get("slice_by", ())),
        coverage=data.get("coverage", "file"),
        due_day=None if "months_after" in data.get("due", {}) else data.get("due", {}).get("day"),
        due_months=months_due(file, data, faults),
        term=read_term(file, data.get("due", {}), faults),
        is_reference=data.get("is_reference", False),
        is_passing=data.get("is_passing", False),
        checks=_checks(file, data, names, faults),
        doubts=read_doubts(file, data, names, faults),
        billing=read_billing(file, data.get("billing"), {column.name: column.type for column in columns}, faults),
        shared=read_shared(file, data.get("shared"), {column.name: column.type for column in columns}, faults),
        unpivot=_unpivot(file, data.get("unpivot"), columns, faults),
        magnitude=data.get("magnitude"),
        derived=data.get("derived", {}),
        month_expr=data.get("month_expr"),
        standard=data.get("standard"),
        examples=tuple(data.get("example", ())),
    )


def _column(file: str, item: Mapping[str, Any], faults: list[str]) -> Column | None:
    where = f"{file}: column '{item.get('name', '?')}'"
    _unknown_keys(where, item, _COLUMN_KEYS, faults)
    kind = item.get("type", "")
    if kind not in TYPES and not _DEC.match(kind):
        faults.append(f"{where}: type '{kind}' is none of {', '.join(TYPES)}, dec(p,s)")
        return None
    return Column(
        name=item["name"],
        type=kind,
        aliases=tuple(item.get("aliases", ())),
        unit=item.get("unit"),
        default_unit=item.get("default_unit"),
        required=item.get("required", item.get("key", False)),
        is_key=item.get("key", False),
        is_dimension=item.get("dimension", False),
        is_org=item.get("org", False),
        cumulative=item.get("cumulative", False),
        values=item.get("values", {}),
        open_values=item.get("open_values", False),
        minimum=item.get("min"),
        default=item.get("default"),
        standard=item.get("standard"),
        season=item.get("season", False),
    )


def _checks(file: str, data: Mapping[str, Any], names: Iterable[str], faults: list[str]) -> tuple[Check, ...]:
    bounds = data.get("bounds", {})
    written = [(item, item["expr"]) for item in data.get("check", ())]
    written += [(item, _pair(file, item, names, faults)) for item in data.get("pair", ())]
    return tuple(
        Check(
            item["code"],
            _bounded(file, expr, bounds, faults),
            {language: _bounded(file, text, bounds, faults) for language, text in item["text"].items()},
            tuple(item.get("columns", ())),
        )
        for item, expr in written
    )


def _pair(file: str, item: Mapping[str, Any], names: Iterable[str], faults: list[str]) -> str:
    code, name = item["columns"]
    for column in (code, name):
        if column not in names:
            faults.append(f"{file}: pair '{item['code']}' names '{column}', which is not a column")
    expr = pair_expr(code, name, item["list"])
    if expr is None:
        faults.append(f"{file}: pair '{item['code']}' names the list '{item['list']}', which is not shipped")
    return expr or "TRUE"


def _bounded(file: str, text: str, bounds: Mapping[str, Any], faults: list[str]) -> str:
    for name in _BOUND.findall(text):
        if not isinstance(bounds.get(name), (int, float)):
            faults.append(f"{file}: a check asks for bound({name}), which is no number of [bounds]")
    return _BOUND.sub(lambda found: str(bounds.get(found[1], found[0])), text)


def _unpivot(
    file: str, data: Mapping[str, Any] | None, columns: tuple[Column, ...], faults: list[str]
) -> Unpivot | None:
    if data is None:
        return None
    types = {column.name: column.type for column in columns}
    measures = tuple(data["measures"])
    for name in (data["dimension"], *measures):
        if name not in types:
            faults.append(f"{file}: unpivot names '{name}', which is not a column")
            return None
    groups: dict[str, dict[str, Column]] = {}
    for item in data["group"]:
        key = item[data["dimension"]]
        groups[key] = {
            measure: Column(
                name=f"{key}.{measure}",
                type=types[measure],
                aliases=tuple(item[measure]["aliases"]),
                unit=item[measure].get("unit"),
                default_unit=item[measure].get("default_unit"),
                minimum=item[measure].get("min"),
                standard=item[measure].get("standard"),
            )
            for measure in measures
            if measure in item
        }
    return Unpivot(data["dimension"], measures, groups)
