"""A small world for metric tests: rows written by hand, in both times, in the tables of a generation file."""

from __future__ import annotations

import csv
import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

import duckdb
import pytest

from metrics import cubes
from metrics.catalogue import load_catalogue
from metrics.evaluate import evaluate
from metrics.model import Answer, Catalogue, Query
from warehouse.allocating import divide_shared
from warehouse.base.periods import OPEN, month_no, month_of
from warehouse.base.scope import Scope
from warehouse.closure import build_closure
from warehouse.contracts import Contract, load_contracts
from warehouse.store import Generation

SCOPES = ("scope_cost", "scope_vehicle", "scope_space", "scope_energy", "scope_service")


def month(text: str) -> int:
    """Return the month number of `2024-05`."""
    return month_no(int(text[:4]), int(text[5:7]))


@dataclass
class World:
    """Rows of datasets with the batches they were known in; `known=(2, 5)` is known from batch 2, taken back by 5."""

    contracts: dict[str, Contract]
    folder: Path
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    recorded: dict[int, dt.datetime] = field(default_factory=dict)
    meta: dict[str, str] = field(default_factory=dict)
    number: int = 0

    def batch(self, seq: int, day: str) -> None:
        """Say when a batch was recorded (UTC noon)."""
        self.recorded[seq] = dt.datetime.fromisoformat(day + "T12:00:00")

    def add(self, dataset: str, known: int | tuple[int, int] = 1, **values: Any) -> None:
        """Add one row version; `month`, `on` or `valid` say when it was true."""
        contract = self.contracts[dataset]
        rec = known if isinstance(known, tuple) else (known, OPEN)
        valid = values.pop("valid", None)
        row = dict(values)
        if valid is not None:
            row["from_m"], row["to_m"] = month(valid[0]), month(valid[1]) if len(valid) > 1 else OPEN
        elif contract.time_kind == "month":
            row["month"] = row["from_m"] = month(values["month"])
            row["to_m"] = row["from_m"] + 1
        elif contract.time_kind == "year":
            row["from_m"], row["to_m"] = values["year"] * 12, values["year"] * 12 + 12
        else:
            text = str(values.get("closed_at") or values[contract.time_column])
            row["from_m"] = month_of(dt.date.fromisoformat(text[:10]))
            row["to_m"] = row["from_m"] + 1
        number = len(self.rows[dataset]) + 1
        row |= {
            "row_id": number,
            "rec_from": rec[0],
            "rec_to": rec[1],
            "file_name": f"{dataset}.csv",
            "sheet": "",
            "row_no": number,
        }
        self.rows[dataset].append(row)

    def unit(self, code: str, parent: str | None = None, valid: tuple[str, ...] = ("2020-01",), known: int | tuple[int, int] = 1,
             **values: Any) -> None:  # fmt: skip
        """Add a unit version, in every theme unless said otherwise."""
        scopes = {name: values.pop(name, True) for name in SCOPES}
        row = {
            "name": values.pop("name", code),
            "level": "city",
            "kind": "government",
            "excluded": False,
            **scopes,
            **values,
        }
        self.add("org_unit", known, valid=valid, code=code, unit=code, parent=parent, **row)

    def defaults(self) -> None:
        """Add the reference rows shipped with the package, known from batch 0."""
        for name, contract in self.contracts.items():
            if contract.is_reference:
                text = (resources.files("warehouse") / "reference" / f"{name}.csv").read_text(encoding="utf-8")
                for row in csv.DictReader(text.splitlines()):
                    valid = tuple(v[:7] for v in (row.pop("valid_from", ""), row.pop("valid_to", "")) if v)
                    self.add(name, 0, valid=valid or None, **{k: v or None for k, v in row.items()})

    def open(self, catalogue: Catalogue) -> Generation:
        """Write the tables, build the cubes and return the generation."""
        self.number += 1
        path = self.folder / f"{self.number}.duckdb"
        con = duckdb.connect()
        for name, contract in self.contracts.items():
            self._write(con, name, contract)
        known = {r[k] for rows in self.rows.values() for r in rows for k in ("rec_from", "rec_to") if r[k] < OPEN}
        seqs = sorted(known | set(self.recorded))
        con.execute(
            "CREATE TABLE batch (batch_seq INTEGER, dataset VARCHAR, recorded_at TIMESTAMP, file_name VARCHAR, withdraws INTEGER)"
        )
        for seq in seqs:
            when = self.recorded.get(seq, dt.datetime(2025, 1, 1, 0, 0) + dt.timedelta(days=seq))
            con.execute("INSERT INTO batch VALUES ($1, NULL, $2, $3, NULL)", [seq, when, f"batch {seq}"])
        flows = [r["from_m"] for n, rows in self.rows.items() for r in rows if r["to_m"] - r["from_m"] == 1]
        meta = {
            "through_seq": str(max(seqs, default=0)), "origin": "simulated", "timezone": "Asia/Shanghai",
            "first_month": str(min(flows, default=month("2024-01"))), "last_month": str(max(flows, default=month("2024-12"))),
            **self.meta,
        }  # fmt: skip
        con.execute("CREATE TABLE meta (key VARCHAR, value VARCHAR)")
        con.executemany("INSERT INTO meta VALUES ($1, $2)", list(meta.items()))
        divide_shared(con, self.contracts)
        build_closure(con)
        cubes.build(con, self.contracts, catalogue)
        return Generation(path, con, self.contracts, meta)

    def _write(self, con: duckdb.DuckDBPyConnection, name: str, contract: Contract) -> None:
        types = {
            "row_id": "BIGINT",
            "rec_from": "INTEGER",
            "rec_to": "INTEGER",
            "unit": "VARCHAR",
            "from_m": "INTEGER",
            "to_m": "INTEGER",
        }
        types |= {c.name: c.sql_type for c in contract.columns}
        types |= {f"{c.name}_flow": c.sql_type for c in contract.columns if c.cumulative} | {"note": "VARCHAR"}
        types |= {"file_name": "VARCHAR", "sheet": "VARCHAR", "row_no": "INTEGER"}
        columns = ", ".join(f'"{column}" {kind}' for column, kind in types.items())
        con.execute(f"CREATE TABLE d_{name} ({columns})")
        listed = list(types)
        for row in self.rows.get(name, ()):
            unknown = set(row) - set(types)
            assert not unknown, f"{name} has no column {unknown}"
        columns = [[None if r.get(k) is None else str(r[k]) for r in self.rows.get(name, ())] for k in listed]
        cells = ", ".join(f"unnest(${n}::VARCHAR[])::{types[k]}" for n, k in enumerate(listed, 1))
        if columns[0]:
            con.execute(f"INSERT INTO d_{name} SELECT {cells}", columns)


@pytest.fixture(scope="session")
def contracts() -> dict[str, Contract]:
    return load_contracts()


@pytest.fixture(scope="session")
def catalogue(contracts: dict[str, Contract]) -> Catalogue:
    return load_catalogue(contracts=contracts)


@pytest.fixture
def world(contracts: dict[str, Contract], tmp_path: Path) -> World:
    return World(contracts, tmp_path)


@pytest.fixture
def world_at(contracts: dict[str, Contract], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Make a fresh world each time it is called; for tests that try many."""
    return lambda: World(contracts, tmp_path_factory.mktemp("world"))


class Asker:
    """Ask short questions of one generation."""

    def __init__(self, generation: Generation, catalogue: Catalogue) -> None:
        self.generation = generation
        self.catalogue = catalogue

    def all(self, indicators: str, nodes: str, period: str, grain: str = "month", **more: Any) -> tuple[Answer, ...]:
        first, _, last = period.partition("..")
        query = Query(
            indicators=tuple(indicators.split()), nodes=tuple(nodes.split()), period_from=first, period_to=last or first,
            grain=grain, scope=more.pop("scope", Scope.everything()), actor="test",
            now=more.pop("now", dt.datetime(2030, 1, 1, tzinfo=dt.UTC)), **more,
        )  # fmt: skip
        return evaluate(self.generation, self.catalogue, query)

    def one(self, indicator: str, node: str, period: str, grain: str = "month", **more: Any) -> Answer:
        (answer,) = self.all(indicator, node, period, grain, **more)
        return answer


@pytest.fixture
def ask(catalogue: Catalogue) -> Any:
    """Open a world and return something to ask."""
    return lambda world: Asker(world.open(catalogue), catalogue)


@pytest.fixture
def ask_with() -> Any:
    """Open a world under definitions of one's own and return something to ask."""
    return lambda world, definitions: Asker(world.open(definitions), definitions)
