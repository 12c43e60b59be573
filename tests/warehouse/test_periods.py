"""Months, grains and the fiscal year, against months written out by hand."""

from __future__ import annotations

from itertools import pairwise

import pytest

from warehouse.base.errors import QueryError
from warehouse.base.periods import Period, Window, check_fiscal_start, fiscal_year, month_label, month_no, windows


def shown(window: Window) -> tuple[str, str, str]:
    """Label, first and last month."""
    return window.label, month_label(window.from_m), month_label(window.to_m - 1)


@pytest.mark.parametrize(
    ("grain", "start", "wanted"),
    [
        ("month", 10, ("2024-05", "2024-05", "2024-05")),
        ("quarter", 1, ("2024-Q2", "2024-04", "2024-06")),
        ("quarter", 10, ("2024-Q3", "2024-04", "2024-06")),
        ("quarter", 2, ("2025-Q2", "2024-05", "2024-07")),
        ("year", 1, ("2024", "2024-01", "2024-12")),
        ("year", 10, ("2024", "2023-10", "2024-09")),
        ("year", 4, ("2025", "2024-04", "2025-03")),
        ("ytd", 1, ("2024-05", "2024-01", "2024-05")),
        ("ytd", 10, ("2024-05", "2023-10", "2024-05")),
        ("r12", 10, ("2024-05", "2023-06", "2024-05")),
    ],
)
def test_the_window_around_may_2024(grain, start, wanted):
    may = month_no(2024, 5)
    (window,) = windows(grain, may, may + 1, start)
    assert shown(window) == wanted


def test_a_fiscal_year_is_named_after_the_year_it_ends_in():
    assert [fiscal_year(month_no(2023, month), 10) for month in (9, 10, 12)] == [2023, 2024, 2024]
    assert [fiscal_year(month_no(2023, month)) for month in (1, 12)] == [2023, 2023]


@pytest.mark.parametrize("start", range(1, 13))
def test_years_and_quarters_lie_side_by_side_and_are_read_back_by_their_labels(start):
    first, last = month_no(2022, 1), month_no(2026, 1)
    for grain, length in (("year", 12), ("quarter", 3)):
        found = windows(grain, first, last, start)
        assert found[0].from_m <= first and found[-1].to_m >= last
        for window, after in pairwise(found):
            assert window.to_m == after.from_m
        for window in found:
            period = Period.parse(window.label, start)
            assert (period.from_m, period.to_m) == (window.from_m, window.to_m)
            assert window.months == length
            assert window.from_m % 12 + 1 in {(start - 1 + step) % 12 + 1 for step in range(0, 12, length)}


def test_months_keep_their_calendar_names():
    assert Period.parse("2024-05", 10) == Period.parse("2024-05")


@pytest.mark.parametrize("text", ["0", "13", "Oct", "", "1.5", "-3"])
def test_what_is_no_month_is_refused(text):
    with pytest.raises(QueryError, match="fiscal_start"):
        check_fiscal_start(text)
