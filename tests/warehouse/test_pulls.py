"""Databases as sources, on a real PostgreSQL: what is new, what is late, what is gone, and what breaks off."""

from __future__ import annotations

import datetime as dt
import resource
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.fakes.books import SQL, Books
from warehouse import operations
from warehouse.base.errors import StoreBusy
from warehouse.contracts import load_contracts
from warehouse.postgres import parse_address
from warehouse.pulls import pull as pulling
from warehouse.pulls.declaration import read_declaration
from warehouse.pulls.extract import read_out

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
