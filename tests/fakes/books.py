"""A finance system with a table of vouchers in a real PostgreSQL, and an office that takes them from there."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.office import NOW, ORG, Office
from tests.fakes.postgres import PASSWORD, Postgres
from warehouse import operations
from warehouse.base.errors import CockpitError
from warehouse.contracts import load_contracts
from warehouse.pulls.declaration import read_declaration
from warehouse.pulls.pull import Pulled, pull

SQL = """
SELECT vch AS "凭证号", line AS "行号", unit AS "单位名称", paid AS "支付日期", item AS "部门经济分类编码",
       '一般公共预算财政拨款' AS "资金来源", '基本支出-公用' AS "支出类型", amount AS "金额(元)", changed
FROM {schema}.voucher"""
TABLE = """
CREATE TABLE {schema}.voucher (
    vch text, line int DEFAULT 1, unit text DEFAULT '市财政局', paid timestamptz, item text DEFAULT '30201',
    amount numeric, changed timestamptz, PRIMARY KEY (vch, line))"""


class Books:
    """A finance system with a table of vouchers, and an office that takes them from there."""

    def __init__(self, folder: Path, server: Postgres) -> None:
        self.office = Office(folder)
        assert self.office.hand_in("组织机构.csv", ORG).status == "committed"
        self.store = self.office.store
        self.server = server
        self.schema = server.fresh_schema()
        self.folder = folder
        self.environment = {"FINANCE_DATABASE": server.url()}
        self.minute = 10
        self.sql(f"CREATE SCHEMA {self.schema}")
        self.sql(TABLE)
        self.declare()

    def sql(self, text: str, *values: Any) -> None:
        with self.server.connect() as con:
            con.execute(text.replace("{schema}", self.schema), values or None)

    def declare(self, **changes: str) -> None:
        said = {
            "source": '"payment"', "url_env": '"FINANCE_DATABASE"', "query": f"'''{SQL.format(schema=self.schema)}'''",
            "grows_by": '"changed"', "overlap": '"0 seconds"',
        } | changes  # fmt: skip
        self.file = self.folder / "vouchers.toml"
        self.file.write_text("".join(f"{key} = {value}\n" for key, value in said.items() if value), encoding="utf-8")

    def pay(self, vch: str, amount: str, changed: str, **more: Any) -> None:
        columns = {"vch": vch, "amount": amount, "changed": changed, "paid": "2025-01-10 09:00+08", **more}
        names, marks = ", ".join(columns), ", ".join(["%s"] * len(columns))
        self.sql(f"INSERT INTO {{schema}}.voucher ({names}) VALUES ({marks})", *columns.values())

    def pull(self, *, full: bool = False) -> Pulled:
        self.minute += 1
        declaration = read_declaration(self.file, load_contracts())
        done = pull(
            self.store, declaration, self.environment, full=full,
            clock=lambda: NOW + dt.timedelta(minutes=self.minute),
        )  # fmt: skip
        counts = done.report.counts
        parts = ("accepted", "unchanged", "quarantined", "skipped")
        assert counts.get("rows_in") == sum(counts.get(part, 0) for part in parts) == done.rows
        return done

    def refused(self, *, full: bool = False) -> str:
        before = (
            self.store.control.last(),
            len(self.store.control.receipts()),
            operations.pulls(self.store.control.engine),
        )
        with pytest.raises(CockpitError) as told:
            self.pull(full=full)
        after = (
            self.store.control.last(),
            len(self.store.control.receipts()),
            operations.pulls(self.store.control.engine),
        )
        assert before == after
        assert told.value.hint
        text = str(told.value)
        assert "s3cret" not in text and PASSWORD not in text
        return text

    def counts(self, done: Pulled) -> tuple[str, int, int, int]:
        counts = done.report.counts
        return done.report.status, done.rows, counts.get("accepted", 0), counts.get("unchanged", 0)
