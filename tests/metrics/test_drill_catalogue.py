"""Every figure of the catalogue that answers is drilled to rows of files that add up to both its sides."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal

import pytest

from metrics import drill
from metrics.catalogue import load_catalogue
from metrics.drill_words import DrillRows
from metrics.model import Answer, Catalogue, Query
from tests.conftest import Build
from warehouse.base.errors import QueryError
from warehouse.base.scope import Scope
from warehouse.contracts import load_contracts
from warehouse.store import Generation, Store

IDS = [one.id for one in load_catalogue().written]
ROOT = "990000"
NO_ROWS = {
    "elec_per_workday": "denominator", "heat_per_heating_day": "denominator", "veh_trips_per_workday": "denominator",
    "property_exp_per_area": "denominator",
}  # fmt: skip
"""Sides that are no sum of rows: days of the calendar; a mean times the months of the window."""
WITHOUT_FILES = "governance"
"""What the store counts of itself (reports due and come, rows checked) comes from no file."""


@pytest.fixture(scope="module")
def small(build_town: Build) -> Iterator[Generation]:
    generation = Store(build_town(1, 16, 16).store).open_generation()
    yield generation
    generation.close()


@pytest.fixture(scope="module")
def defined() -> Catalogue:
    return load_catalogue(contracts=load_contracts())


def query(indicator: str, grain: str = "ytd", period: str = "2024-11") -> Query:
    return Query(
        indicators=(indicator,), nodes=(ROOT,), period_from=period, period_to=period, grain=grain, scope=Scope.everything(),
        actor="test", now=dt.datetime(2026, 11, 1, tzinfo=dt.UTC),
    )  # fmt: skip


@pytest.mark.parametrize("indicator", IDS)
def test_rows_add_up_to_both_sides(indicator: str, small: Generation, defined: Catalogue) -> None:
    found = drill.rows(small, defined, query(indicator), limit=None)
    answer = found.answer
    if answer.value is None:
        return
    has_base = answer.denominator is not None
    for side in ("numerator", "denominator") if has_base else ("numerator",):
        if NO_ROWS.get(indicator) == side:
            assert getattr(found, side) is None, "a side that is no sum of rows has no total"
            continue
        _adds_up(found, answer, side)


def _adds_up(found: DrillRows, answer: Answer, side: str) -> None:
    listed = [row for row in found.rows if row.side == side and row.contribution is not None]
    total, shown = sum((row.contribution for row in listed), Decimal(0)), getattr(answer, side)
    assert getattr(found, side) == total, "the total covers all of the lines"
    divisor = getattr(found, f"{side}_divisor")
    if divisor == 1 and not isinstance(shown, float):
        assert total == Decimal(shown), (answer.indicator, side)
    else:
        assert float(total) / divisor == pytest.approx(float(shown), rel=1e-12), (answer.indicator, side)
    for row in listed:
        assert row.dataset in (row.atom, WITHOUT_FILES) or (row.file_name and row.row_no), (
            f"{row} is neither a counted cell nor a row of a file"
        )


def test_most_of_the_catalogue_answers_here(small: Generation, defined: Catalogue) -> None:
    """Else the test above would hold of nothing."""
    from metrics.evaluate import evaluate

    asked = Query(**{**vars(query(IDS[0])), "indicators": tuple(IDS)})
    answered = [a for a in evaluate(small, defined, asked) if a.value is not None]
    assert len(answered) > 120


@pytest.mark.parametrize("indicator", ["op_cost_total_rank", "op_cost_total_pct", "op_cost_total_same"])
def test_a_comparison_of_units_says_what_to_drill_instead(
    indicator: str, small: Generation, defined: Catalogue
) -> None:
    with pytest.raises(QueryError, match="no rows add up to it") as refused:
        drill.rows(small, defined, query(indicator))
    assert refused.value.hint == "drill into op_cost_total"
