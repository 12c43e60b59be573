"""What means something else on another engine, in statements small enough to see it: each once gave a wrong number."""

from __future__ import annotations

import pytest

from metrics.dialects import in_dialect


def test_lists_laid_out_together_run_side_by_side_everywhere():
    text = "SELECT unnest($a) AS a, unnest($b) AS b"
    for dialect, zipped in (("clickhouse", "arrayZip("), ("spark", "ARRAYS_ZIP(")):
        made = in_dialect(text, dialect, {}, {"a": [1, 2], "b": [3, 4]})
        assert zipped in made, "without it every a would meet every b"


def test_no_month_counts_downwards_where_a_row_ends_before_it_starts():
    made = in_dialect(
        "SELECT unnest(range(from_m, to_m))::INTEGER AS month_no FROM t", "spark", {"t": ["from_m", "to_m"]}
    )
    assert "CASE WHEN from_m < to_m THEN SEQUENCE(from_m, to_m - 1) ELSE ARRAY() END" in made


def test_columns_of_a_union_by_name_are_not_mixed_up_by_their_order():
    made = in_dialect("SELECT 1 AS a, 2 AS b UNION ALL BY NAME SELECT 3 AS b, 4 AS a", "spark", {})
    assert made == "SELECT 1 AS a, 2 AS b UNION ALL SELECT 4 AS a, 3 AS b"


def test_a_parameter_in_brackets_is_no_quoted_text():
    made = in_dialect(
        "SELECT $days[list_position($nodes, n)] AS d FROM t", "clickhouse", {}, {"days": [5], "nodes": ["a"]}
    )
    assert "indexOf(['a'], n)" in made
    assert "$" not in made


def test_a_decimal_becomes_a_double_in_one_rounding():
    made = in_dialect("SELECT CAST(a AS DOUBLE) AS x FROM t", "clickhouse", {})
    assert "toString(a)" in made


def test_every_column_of_a_subquery_without_a_name_is_written_without_one():
    made = in_dialect("SELECT *, 1 AS n FROM (SELECT a, b FROM t)", "clickhouse", {"t": ["a", "b"]})
    assert made == 'SELECT "a" AS "a", "b" AS "b", 1 AS n FROM (SELECT a, b FROM t)'


def test_sources_that_cannot_be_told_apart_lose_no_column():
    with pytest.raises(ValueError, match="a name of its own"):
        in_dialect("SELECT * FROM (SELECT a FROM t) JOIN (SELECT b FROM t) ON TRUE", "clickhouse", {"t": ["a", "b"]})
