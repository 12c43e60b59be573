"""Parquet: names and values come out as text without loss."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import polars as pl

from warehouse.readers.tables import read_tables


def test_every_type_becomes_exact_text(tmp_path, read):
    pl.DataFrame(
        {
            "单位名称": ["甲", None],
            "电(kWh)": [0.1, float("inf")],
            "金额": pl.Series([Decimal("1234567890123456.78"), None], dtype=pl.Decimal(18, 2)),
            "支付日期": [dt.date(2024, 3, 5), None],
            'a "b" c': [7, 10**17],
        }
    ).write_parquet(tmp_path / "x_2024-03.parquet")
    reading = read(tmp_path / "x_2024-03.parquet")
    assert reading.table.labels == ("单位名称", "电", "金额", "支付日期", 'a"b"c')
    assert reading.table.units == (None, "kWh", None, None, None)
    assert reading.table.period_note == "2024-03"
    assert reading.rows == [
        (1, "甲", "0.1", "1234567890123456.78", "2024-03-05", "7"),
        (2, None, "inf", None, None, "100000000000000000"),
    ]


def test_a_file_without_rows_is_refused(tmp_path, refused):
    pl.DataFrame({"单位名称": pl.Series([], dtype=pl.String)}).write_parquet(tmp_path / "x.parquet")
    assert [fault.code for fault in refused(tmp_path / "x.parquet")] == ["no_rows"]


def test_instants_are_shown_by_the_clock_of_the_store(tmp_path):
    """16:30 in Greenwich is half past midnight of the next day in Shanghai; in London it is summer time by then."""
    moments = [
        dt.datetime(2024, 3, 31, 16, 30, tzinfo=dt.UTC),
        None,
        dt.datetime(2024, 7, 1, 0, 0, 0, 250000, tzinfo=dt.UTC),
    ]
    pl.DataFrame({"单位名称": ["甲", "乙", "丙"], "采集时间": moments}).write_parquet(tmp_path / "x.parquet")
    for zone, shown in (
        ("Asia/Shanghai", ["2024-04-01 00:30:00", None, "2024-07-01 08:00:00.250000"]),
        ("Europe/London", ["2024-03-31 17:30:00", None, "2024-07-01 01:00:00.250000"]),
    ):
        (table,) = read_tables(tmp_path / "x.parquet", {"单位名称"}.__contains__, zone=zone)
        assert [cells[1] for _, cells in table.texts()] == shown
