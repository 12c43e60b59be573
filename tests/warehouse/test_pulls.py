"""Databases as sources, on a real PostgreSQL: what is new, what is late, what is gone, and what breaks off."""

from __future__ import annotations

import datetime as dt
import resource
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.fakes.office import NOW, ORG, Office
from tests.fakes.postgres import PASSWORD, USER, Postgres, free_port
from warehouse import operations
from warehouse.base.errors import CockpitError, RefusedInput, StoreBusy
from warehouse.contracts import load_contracts
from warehouse.postgres import parse_address
from warehouse.pulls import pull as pulling
from warehouse.pulls.declaration import read_declaration
from warehouse.pulls.extract import read_out
from warehouse.pulls.pull import Pulled, pull
from warehouse.pulls.words import _catalogue

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


@pytest.fixture
def books(tmp_path: Path, postgres: Postgres) -> Books:
    return Books(tmp_path, postgres)


# --- what is new ------------------------------------------------------------------------------------------------------


@pytest.mark.both_logs
def test_only_what_is_new_is_read_and_only_what_changed_is_taken(books: Books) -> None:
    books.pay("V1", "100.50", "2025-02-01 10:00+08")
    books.pay("V2", "200", "2025-02-01 11:00+08")
    first = books.pull()
    assert books.counts(first) == ("committed", 2, 2, 0) and first.since is None
    assert books.office.amounts() == {"V1": Decimal("100.50"), "V2": Decimal(200)}
    books.pay("V3", "300", "2025-02-01 12:00+08")
    second = books.pull()
    assert books.counts(second) == ("committed", 2, 1, 1), "the last row is read again, and is no change"
    assert (second.since, second.reached) == ("2025-02-01 03:00:00+00", "2025-02-01 04:00:00+00")
    books.sql("UPDATE {schema}.voucher SET amount = 250, changed = '2025-02-02 08:00+08' WHERE vch = 'V2'")
    assert books.counts(books.pull()) == ("committed", 2, 1, 1)
    assert books.office.amounts() == {"V1": Decimal("100.50"), "V2": Decimal(250), "V3": Decimal(300)}
    assert books.office.amounts(3) == {"V1": Decimal("100.50"), "V2": Decimal(200), "V3": Decimal(300)}


@pytest.mark.both_logs
def test_nothing_new_leaves_no_trace(books: Books) -> None:
    books.pay("V1", "100", "2025-02-01 10:00+08")
    books.pull()
    again = books.pull()
    assert (again.report.status, again.rows) == ("unchanged", 1), "the last value is read again"
    receipts = len(books.store.control.receipts())
    assert books.pull().report.status == "unchanged"
    assert len(books.store.control.receipts()) == receipts and books.store.control.last()[0] == 2


def test_a_late_row_with_an_equal_mark_is_not_lost(books: Books) -> None:
    books.pay("V1", "100", "2025-02-01 10:00+08")
    books.pull()
    books.pay("V2", "200", "2025-02-01 10:00+08")
    assert books.counts(books.pull()) == ("committed", 2, 1, 1)


def test_a_row_committed_late_is_found_within_the_overlap(books: Books) -> None:
    """The mark is set when a transaction begins; it is seen when it ends, after later marks."""
    books.declare(overlap='"10 minutes"')
    books.pay("V1", "100", "2025-02-01 10:00+08")
    books.pull()
    books.pay("V2", "200", "2025-02-01 09:51+08")
    books.pay("V3", "300", "2025-02-01 09:49+08")
    done = books.pull()
    assert books.counts(done) == ("committed", 2, 1, 1) and "V3" not in books.office.amounts()


def test_rows_without_a_mark_are_read_every_time(books: Books) -> None:
    books.pay("V1", "100", "2025-02-01 10:00+08")
    books.pull()
    books.sql("INSERT INTO {schema}.voucher (vch, amount, paid) VALUES ('V0', 7, '2025-01-10')")
    assert books.pull().report.counts["accepted"] == 1
    assert books.office.amounts()["V0"] == 7


def test_a_mark_in_the_future_keeps_no_later_row_out(books: Books) -> None:
    books.pay("V1", "100", "2025-02-01 10:00+08")
    books.pay("V9", "900", "2999-01-01 00:00+08")
    books.pay("V8", "800", "infinity")
    assert books.pull().reached == "2025-02-01 02:00:00+00"
    books.pay("V2", "200", "2025-02-01 11:00+08")
    assert books.pull().report.counts["accepted"] == 1


@pytest.mark.parametrize(
    ("kind", "values"),
    [("bigint", ("9007199254740993", "9007199254740994")), ("numeric(38,20)", ("1.00000000000000000001", "1.00000000000000000002")),
     ("date", ("2025-02-01", "2025-02-03")), ("timestamp", ("2025-02-01 10:00:00.000001", "2025-02-01 10:00:00.000002"))],
)  # fmt: skip
def test_a_mark_is_kept_exactly_whatever_it_is(books: Books, kind: str, values: tuple[str, str]) -> None:
    books.sql(f"ALTER TABLE {{schema}}.voucher ALTER COLUMN changed TYPE {kind} USING NULL")
    books.declare(overlap='"0 days"' if kind in ("date", "timestamp") else "0")
    books.pay("V1", "100", values[0])
    assert books.pull().reached == values[0]
    books.pay("V2", "200", values[1])
    done = books.pull()
    assert (done.since, done.reached) == values and done.report.counts["accepted"] == 1


# --- what is gone -----------------------------------------------------------------------------------------------------


@pytest.mark.both_logs
def test_a_part_takes_nothing_back_and_a_whole_takes_back_only_its_own(books: Books) -> None:
    """The contract calls a file the whole of its months; a pull of what is new is not."""
    books.pay("V1", "100", "2025-02-01 10:00+08")
    books.pay("V2", "200", "2025-02-01 11:00+08", paid="2025-03-10")
    books.pull()
    other = "V7,1,市教育局,2025-02-20,30202,印刷费,一般公共预算财政拨款,基本支出-公用,7\n"
    head = "凭证号,行号,单位名称,支付日期,部门经济分类编码,部门经济分类名称,资金来源,支出类型,金额(元)\n"
    books.office.minute = 100
    books.minute = 200
    assert books.office.hand_in("手工.csv", head + other).status == "committed"
    books.sql("DELETE FROM {schema}.voucher WHERE vch = 'V2'")
    books.pay("V3", "300", "2025-02-01 12:00+08")
    assert books.counts(books.pull())[:2] == ("committed", 1)
    assert set(books.office.amounts()) == {"V1", "V2", "V3", "V7"}, "a part says nothing of what is not in it"
    done = books.pull(full=True)
    assert done.report.counts["removed"] == 1
    assert set(books.office.amounts()) == {"V1", "V3", "V7"}


def test_an_empty_whole_takes_nothing_back(books: Books) -> None:
    books.pay("V1", "100", "2025-02-01 10:00+08")
    books.pull()
    books.sql("DELETE FROM {schema}.voucher")
    assert "gives no row" in books.refused(full=True)
    assert set(books.office.amounts()) == {"V1"}


def test_without_a_mark_everything_is_read_each_time(books: Books) -> None:
    books.declare(grows_by="", overlap="")
    books.pay("V1", "100", "2025-02-01 10:00+08")
    assert books.counts(books.pull()) == ("committed", 1, 1, 0)
    books.pay("V2", "200", "2020-02-01 11:00+08")
    done = books.pull()
    assert books.counts(done) == ("committed", 2, 1, 1) and done.reached is None


# --- breaking off -----------------------------------------------------------------------------------------------------


@pytest.mark.both_logs
@pytest.mark.parametrize("step", ["read_out", "load_file", "commit"])
def test_a_pull_that_breaks_off_loses_and_doubles_nothing(
    books: Books, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    books.pay("V1", "100", "2025-02-01 10:00+08")
    books.pull()
    books.pay("V2", "200", "2025-02-01 11:00+08")
    place: Any = books.store.control if step == "commit" else pulling
    whole = getattr(place, step)

    def broken(*given: Any, **named: Any) -> Any:
        """Break off after reading, before taking, or inside the transaction when all of it is written."""
        if step == "commit":
            note = named["also"]

            def stop(con: Any, receipt_id: int) -> None:
                note(con, receipt_id)
                raise KeyboardInterrupt

            return whole(*given, **{**named, "also": stop})
        if step == "read_out":
            whole(*given, **named)
        raise KeyboardInterrupt

    before = operations.last_pull(books.store.control.engine, "vouchers")
    with monkeypatch.context() as patch:
        patch.setattr(place, step, broken)
        with pytest.raises(KeyboardInterrupt):
            books.pull()
    assert operations.last_pull(books.store.control.engine, "vouchers") == before
    assert books.store.control.last()[0] == 2
    assert books.counts(books.pull()) == ("committed", 2, 1, 1)
    assert books.office.amounts() == {"V1": Decimal(100), "V2": Decimal(200)}
    assert not list((books.store.path / "pull").iterdir())


@pytest.mark.both_logs
def test_a_mark_moves_only_with_its_batch(books: Books) -> None:
    books.pay("V1", "100", "2025-02-01 10:00+08")
    done = books.pull()
    (noted,) = operations.pulls(books.store.control.engine)
    assert (noted.batch_seq, noted.reached, noted.rows) == (done.report.batch_seq, "2025-02-01 02:00:00+00", 1)
    newest = books.store.control.receipts()[0]
    assert (newest["receipt_id"], newest["portion"]) == (noted.receipt_id, "part")


@pytest.mark.both_logs
def test_a_refused_pull_moves_no_mark_and_rows_set_aside_wait_once(books: Books) -> None:
    books.pay("V1", "100", "2025-02-01 10:00+08")
    books.pay("V2", "200", "2025-02-01 11:00+08", unit="无此单位")
    assert books.pull().report.counts["quarantined"] == 1
    assert books.pull().report.status in ("unchanged", "refused")
    books.pay("V3", "300", "2025-02-01 11:00+08")
    books.pull()
    (entry,) = books.store.control.quarantine()
    assert (entry["file_name"], entry["row_no"], entry["value"]) == ("vouchers.parquet", 2, "无此单位")
    assert "V2" in entry["raw"] and "V2" in entry["row_key"]
    books.sql("UPDATE {schema}.voucher SET unit = '市教育局', changed = '2025-02-01 13:00+08' WHERE vch = 'V2'")
    books.pull()
    assert books.store.control.quarantine() == []
    assert set(books.office.amounts()) == {"V1", "V2", "V3"}


@pytest.mark.both_logs
def test_two_pulls_of_one_source_do_not_meet(books: Books) -> None:
    books.pay("V1", "100", "2025-02-01 10:00+08")
    with books.store.alone("pull-vouchers"), pytest.raises(StoreBusy, match="being pulled somewhere else"):
        books.pull()


# --- values -----------------------------------------------------------------------------------------------------------


def test_values_come_exactly_and_what_is_none_is_set_aside(books: Books) -> None:
    books.pay("V1", "12345678901234.56", "2025-02-01 10:00+08")
    books.pay("V2", "NaN", "2025-02-01 10:00+08")
    books.pay("V3", "Infinity", "2025-02-01 10:00+08")
    books.pay("V4", "0.10", "2025-02-01 10:00+08", item="30201 " + "长" * 300_000)
    books.sql("INSERT INTO {schema}.voucher (vch, amount, changed, paid) VALUES ('V5', NULL, now(), '2025-01-10')")
    books.pay("V6", "1e3", "2025-02-01 10:00+08", paid="infinity")
    # the last half hour of a January in Shanghai is still January there, and so is the first of a February in London
    books.pay("V7", "7", "2025-02-01 10:00+08", paid="2025-01-31 16:30:00+00")
    done = books.pull()
    taken = books.office.amounts()
    assert taken["V1"] == Decimal("12345678901234.56") and taken["V7"] == 7
    aside = {entry["raw"].split('"V')[1][0]: entry["code"] for entry in books.store.control.quarantine()}
    assert {"2", "3", "5", "6"} <= set(aside), aside
    assert done.report.counts["quarantined"] + done.report.counts["accepted"] == 7
    with books.store.open_generation().con as con:
        (day,) = con.execute("SELECT DISTINCT paid_on FROM d_payment WHERE voucher = 'V7'").fetchone() or (None,)
    assert day == dt.date(2025, 2, 1)


def test_columns_are_named_by_the_declaration(books: Books) -> None:
    books.sql("CREATE TABLE {schema}.plain AS SELECT 'V1' AS vch, 1 AS line, '市财政局' AS unit, date '2025-01-10' AS paid,"
              " '30201' AS item, '一般公共预算财政拨款' AS fund, '基本支出-公用' AS kind, 1.5 AS amount, now() AS changed")  # fmt: skip
    names = {"vch": "凭证号", "line": "行号", "unit": "单位名称", "paid": "支付日期", "item": "部门经济分类编码",
             "fund": "资金来源", "kind": "支出类型", "amount": "金额(万元)"}  # fmt: skip
    columns = "{" + ", ".join(f'{key} = "{value}"' for key, value in names.items()) + "}"
    books.declare(query="", table=f'"{books.schema}.plain"', columns=columns)
    assert books.counts(books.pull()) == ("committed", 1, 1, 0)
    assert books.office.amounts() == {"V1": Decimal(15000)}


def fill(books: Books, rows: int) -> None:
    books.sql(
        "INSERT INTO {schema}.voucher (vch, amount, changed, paid, item)"
        " SELECT 'V' || n, n, timestamptz '2025-01-01' + n * interval '1 second', '2025-01-10', '30201 ' || repeat('x', 400)"
        f" FROM generate_series(1, {rows}) n"
    )


def test_many_rows_are_read_with_bounded_memory(books: Books) -> None:
    """What is read is written aside part by part: ten times the rows need no more room than the first tenth."""
    fill(books, 200_000)
    declaration = read_declaration(books.file, load_contracts())
    address, target = parse_address(books.environment["FINANCE_DATABASE"], ""), books.folder / "out.parquet"

    def read(some: int) -> int:
        declared = replace(declaration, sql=f"{declaration.sql} WHERE amount <= {some}")
        found = read_out(declared, address, None, "Asia/Shanghai", target, lambda _: None)
        assert (found.rows, pq.read_metadata(target).num_rows) == (some, some)
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    few = read(20_000)
    assert read(200_000) - few < 40 * 1024, "KiB; the texts alone weigh 100 MB"


def test_rows_too_long_for_a_part_are_read_by_fewer(books: Books) -> None:
    """Fifty come first; of texts of 400,000 letters twenty fit into what is held at once."""
    books.sql(
        "INSERT INTO {schema}.voucher (vch, amount, changed, paid, item)"
        " SELECT 'L' || n, 1, '2025-01-01', '2025-01-10', repeat('长', 400000) FROM generate_series(1, 80) n"
    )
    declaration = read_declaration(books.file, load_contracts())
    address, target = parse_address(books.environment["FINANCE_DATABASE"], ""), books.folder / "out.parquet"
    assert read_out(declaration, address, None, "Asia/Shanghai", target, lambda _: None).rows == 80
    read = pq.read_metadata(target)
    assert [read.row_group(number).num_rows for number in range(read.num_row_groups)] == [50, 20, 10]


@pytest.mark.soak
def test_two_hundred_thousand_rows_are_taken_whole(books: Books) -> None:
    fill(books, 200_000)
    books.declare(query=f"'''{SQL.format(schema=books.schema).replace('item AS', 'left(item, 5) AS')}'''")
    assert books.counts(books.pull()) == ("committed", 200_000, 200_000, 0)
    assert sum(books.office.amounts().values()) == 200_000 * 200_001 // 2


# --- refusals ---------------------------------------------------------------------------------------------------------


def change_of(statement: str) -> Callable[[Books], None]:
    return lambda books: books.sql(statement)


@pytest.mark.parametrize(
    ("statement", "zh", "en"),
    [
        ("ALTER TABLE {schema}.voucher RENAME COLUMN amount TO sum", "column \"amount\" does not exist", "amount"),
        ("DROP TABLE {schema}.voucher", "does not exist", "does not take this query"),
    ],
)  # fmt: skip
def test_a_query_the_database_does_not_take(books: Books, statement: str, zh: str, en: str) -> None:
    books.pay("V1", "100", "2025-02-01 10:00+08")
    books.pull()
    books.sql(statement)
    text = books.refused()
    assert zh in text and en in text


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("ALTER TABLE {schema}.plain DROP COLUMN note", "note (text) is gone"),
        ("ALTER TABLE {schema}.plain RENAME COLUMN note TO remark", "note (text) is gone"),
        ("ALTER TABLE {schema}.plain ALTER COLUMN raw TYPE text", "raw was numeric and is text"),
    ],
)
def test_other_columns_than_last_time_are_refused_until_all_is_read_anew(
    books: Books, statement: str, words: str
) -> None:
    columns = SQL.split("FROM", maxsplit=1)[0].strip().removeprefix("SELECT")
    books.sql(
        f"CREATE TABLE {{schema}}.plain AS SELECT {columns}, amount AS raw, 'x'::text AS note FROM {{schema}}.voucher"
    )
    books.declare(query="", table=f'"{books.schema}.plain"')
    books.pay("V1", "100", "2025-02-01 10:00+08")
    books.sql(f"INSERT INTO {{schema}}.plain SELECT {columns}, amount, 'x' FROM {{schema}}.voucher")
    books.pull()
    books.sql("ALTER TABLE {schema}.plain ADD COLUMN more text")
    assert books.pull().report.status == "unchanged", "another column is nobody's harm"
    books.sql(statement)
    text = books.refused()
    assert words in text and "Nothing was taken" in text and "--full" in text
    assert books.pull(full=True).report.status == "unchanged"


def test_another_query_is_read_from_the_beginning(books: Books) -> None:
    books.pay("V1", "100", "2025-02-01 10:00+08")
    books.pull()
    books.declare(query=f"'''{SQL.format(schema=books.schema)} WHERE amount > 0'''")
    done = books.pull()
    assert (done.since, done.rows, done.report.status) == (None, 1, "unchanged")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"grows_by": '"nowhere"'}, "has no column nowhere"),
        ({"grows_by": '"单位名称"'}, "of type text"),
        ({"overlap": "5"}, "does not fit"),
        ({"query": "'SELECT 1 AS a, 2 AS a'", "grows_by": "", "overlap": ""}, "have one name: a"),
        ({"query": "'SELEC 1'"}, "does not take this query"),
        ({"query": "\"SELECT 'a'::bytea AS b\"", "grows_by": "", "overlap": ""}, "holds bytes"),
        ({"query": "'DELETE FROM {schema}.voucher RETURNING *'", "grows_by": "", "overlap": ""}, "does not take this query"),
        ({"query": "\"SELECT pg_sleep(5)::text AS x, now() AS changed\"", "timeout_seconds": "1"}, "took too long"),
    ],
)  # fmt: skip
def test_a_query_that_cannot_be_read_is_refused_in_words(books: Books, change: dict[str, str], words: str) -> None:
    books.declare(**{key: value.replace("{schema}", books.schema) for key, value in change.items()})
    assert words in books.refused()


def test_a_query_may_hold_signs_that_mean_something_elsewhere(books: Books) -> None:
    books.pay("V1", "100", "2025-02-01 10:00+08")
    books.declare(
        query=f"'''{SQL.format(schema=books.schema)} WHERE unit LIKE '%局' AND paid::time > '00:10' -- {{}} %s :x'''"
    )
    assert books.counts(books.pull()) == ("committed", 1, 1, 0)
    assert books.pull().report.status == "unchanged"


@pytest.mark.parametrize(
    ("change", "words"),
    [({"password": "geheim"}, "does not take this user and password"), ({"port": free_port()}, "refused"), ({"database": "nix"}, "no such database")],
)  # fmt: skip
def test_a_database_that_cannot_be_reached_is_told_without_its_password(
    books: Books, change: dict[str, Any], words: str
) -> None:
    from sqlalchemy.engine import make_url

    url = make_url(books.environment["FINANCE_DATABASE"]).set(**change)
    books.environment["FINANCE_DATABASE"] = url.render_as_string(hide_password=False)
    text = books.refused()
    assert words in text and "geheim" not in text


def test_an_address_that_is_missing_or_none_is_told(books: Books) -> None:
    books.environment["FINANCE_DATABASE"] = "s3cret-and-no-address"
    assert "does not hold the address" in books.refused()
    del books.environment["FINANCE_DATABASE"]
    assert "FINANCE_DATABASE is not set" in books.refused()


def test_a_user_without_the_right_is_told(books: Books) -> None:
    with books.server.connect() as con:
        con.execute("DROP ROLE IF EXISTS reader")
        con.execute("CREATE ROLE reader LOGIN PASSWORD 'geheim'")
    books.environment["FINANCE_DATABASE"] = books.server.url().replace(USER, "reader", 1).replace(
        books.server.url().split(":")[2].split("@")[0], "geheim", 1
    )  # fmt: skip
    assert "lacks a right" in books.refused()


def test_nothing_is_ever_written_there(books: Books) -> None:
    books.pay("V1", "100", "2025-02-01 10:00+08")
    books.sql(
        "CREATE FUNCTION {schema}.spend() RETURNS numeric LANGUAGE sql AS 'UPDATE {schema}.voucher SET amount = 0 RETURNING amount'"
    )
    books.declare(query=f"'''{SQL.format(schema=books.schema).replace('amount AS', books.schema + '.spend() AS')}'''")
    assert "read-only" in books.refused()


def test_a_connection_that_breaks_while_rows_are_read(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    from warehouse.pulls import extract

    books.pay("V1", "100", "2025-02-01 10:00+08")
    whole = extract._batches

    def cut(cursor: Any, most: int) -> Any:
        for batch in whole(cursor, most):
            with books.server.connect() as con:
                con.execute("SELECT pg_terminate_backend(%s)", [cursor.connection.info.backend_pid])
            yield batch

    with monkeypatch.context() as patch:
        patch.setattr(extract, "_batches", cut)
        assert "broke" in books.refused()
    assert books.counts(books.pull()) == ("committed", 1, 1, 0)


# --- declarations -----------------------------------------------------------------------------------------------------


def test_all_faults_of_a_declaration_are_told_together(tmp_path: Path) -> None:
    file = tmp_path / "d.toml"
    file.write_text(
        'source = "paymnt"\nurl_env = "postgresql://u:geheim@h/db"\nquery = "SELECT 1"\ntable = "a b"\n'
        'grows = "x"\nevery_minutes = 0\noverlap = "soon"\n',
        encoding="utf-8",
    )
    with pytest.raises(RefusedInput) as told:
        read_declaration(file, load_contracts())
    text = str(told.value)
    for words in ("'paymnt' (payment", "name of an environment variable", "One of query and table", "'a b'" if False else "a b",
                  "Unknown key 'grows' (known: grows_by)", "every_minutes = 0", "overlap = soon"):  # fmt: skip
        assert words in text, words
    assert "geheim" not in text
    file.write_text(
        'source = "payment"\nurl_env = "X"\ntable = "t"\n[columns]\na = "没有这列"\nb = "金额(元)"\n', encoding="utf-8"
    )
    with pytest.raises(RefusedInput, match="a = '没有这列'"):
        read_declaration(file, load_contracts())


def test_every_sentence_is_there_in_both_languages() -> None:
    for code, text in _catalogue().items():
        assert {"zh", "en"} <= set(text), code
        assert ("do_zh" in text) == ("do_en" in text), code
