"""What may be typed as a condition: a closed list of comparisons; everything else is refused in words, nothing crashes."""

from __future__ import annotations

from decimal import Decimal

import pytest

from metrics.filters import read_filter
from warehouse.base.errors import QueryError

DIMS = ("item_code", "fund")
REFUSED = {
    "a second statement": "level = 'a'; DROP TABLE node_now",
    "a lone semicolon": "level is null;",
    "a comment at the end": "level = 'a' -- and kind = 'b'",
    "a comment inside": "level = 'a' /* not really */ or level is null",
    "a comment that hides brackets": "level = 'a' or (level is null /* ) */)",
    "a subquery": "level = (SELECT code FROM d_org_unit LIMIT 1)",
    "a list from a query": "level in (SELECT code FROM d_org_unit)",
    "exists": "exists (SELECT 1)",
    "a union": "level = 'a' UNION SELECT 1",
    "a limit": "level = 'a' LIMIT 1",
    "an order": "level = 'a' ORDER BY 1",
    "a function": "upper(level) = 'A'",
    "a function of the server": "pg_sleep(5) is null",
    "a file": "read_csv('/etc/passwd') is not null",
    "a text of a file": "read_text('/etc/passwd') = level",
    "the environment": "getenv('HOME') = level",
    "a variable": "level = getvariable('seq')",
    "who asks": "level = current_user",
    "a parameter": "level = $seq",
    "a parameter of ours": "level = $where_0",
    "a numbered parameter": "level = ?",
    "a position": "level = #1",
    "a cast": "level::int = 1",
    "a long cast": "CAST(level AS int) = 1",
    "a tried cast": "TRY_CAST(level AS int) = 1",
    "a pattern": "level LIKE '%'",
    "a regular expression": "level ~ '.*'",
    "a glob": "level GLOB '*'",
    "a choice": "CASE WHEN level = 'a' THEN true END",
    "an aggregate": "count(*) = 1",
    "a window": "row_number() OVER () = 1",
    "every column": "COLUMNS('.*') = 'a'",
    "a star": "* = 1",
    "a lambda": "list_filter([1], x -> true) is null",
    "an array": "level = ['a']",
    "an element": "level[1] = 'a'",
    "a struct": "{'a': level} is null",
    "a concatenation": "level || 'x' = 'ax'",
    "a division": "1 / 0 = level",
    "an interval": "level = INTERVAL 1 day",
    "a collation": "level = 'a' COLLATE nocase",
    "an assignment": "level := 'a'",
    "a dollar text": "level = $$a$$",
    "an escaped text": r"level = e'\x41'",
    "another table": "d_payment.item_code = '1'",
    "another schema": "main.d_payment.item_code = '1'",
    "a column that is no dimension": "rec_from > 0",
    "a figure": "amount > 5",
    "a quoted trick": '"level""; DROP" = 1',
    "no dimension": "1 = 1",
    "no dimension in sight": "'a' = 'a'",
    "a value alone": "'a'",
    "an arithmetic alone": "level + 1",
    "an empty list": "level in ()",
    "full width letters": "leveｌ = 'a'",
    "Cyrillic letters": "lеvel = 'a'",
    "curly quotes": "level = \u2018a\u2019",
    "a zero width space": "level\u200b = 'a'",
    "a text turned around": "level = '\u202e'''",
    "a NUL": "level = 'a\x00'",
    "an escape of the screen": "level = '\x1b[2J'",
    "a number beyond numbers": "level = 9e999999",
    "a number of forty digits": "level = " + "9" * 40,
    "nine hundred brackets": "(" * 900 + "level = 'a'" + ")" * 900,
    "five hundred nots": "not " * 480 + "level = 'a'",
    "too many parts": " or ".join(["level = 'a'"] * 150),
    "too long": "level = '" + "a" * 2000 + "'",
    "no end of a text": "level = 'a",
    "no end of a comment": "level = 'a' /*",
    "nothing": "not",
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_hostile_text_is_refused_in_words(name: str) -> None:
    with pytest.raises(QueryError) as refused:
        read_filter(REFUSED[name], DIMS)
    assert refused.value.hint
    assert len(str(refused.value)) < 400


@pytest.mark.parametrize(
    ("text", "values", "units"),
    [
        ("item_code = '30201'", ("30201",), None),
        ("ITEM_CODE == '30201' AND Level <> 'city'", ("30201", "city"), '("level" <> $where_1)'),
        ("level in ('city', 'county') or kind is null", ("city", "county"), '("level" IN ($where_0, $where_1) OR "kind" IS NULL)'),
        ("not item_code between '302' and '303'", ("302", "303"), None),
        ("level = 'it''s; -- /* fine */ $seq'", ("it's; -- /* fine */ $seq",), '("level" = $where_0)'),
        ("level = '市级'", ("市级",), '("level" = $where_0)'),
        ("item_code > -1.50", (Decimal("1.50"),), None),
        ('"fund" is not null', (), None),
        ("level\n\t= 'a'", ("a",), '("level" = $where_0)'),
    ],
)  # fmt: skip
def test_a_plain_condition_is_read_with_its_values_bound(
    text: str, values: tuple[object, ...], units: str | None
) -> None:
    found = read_filter(text, DIMS)
    assert found.values == values
    assert found.units == units
    assert "'" not in found.rows, "no typed value stands in the text"
