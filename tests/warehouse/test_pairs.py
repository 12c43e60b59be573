"""A code and the name beside it: only a plain contradiction is refused."""

from __future__ import annotations

import duckdb
import pytest

from warehouse.pairs import pair_expr


def holds(code: str | None, name: str | None) -> bool:
    con = duckdb.connect()
    con.execute("CREATE TABLE staged (code VARCHAR, name VARCHAR)")
    con.execute("INSERT INTO staged VALUES ('30201', '办公费'), ($1, $2)", [code, name])
    found = con.execute(
        f"SELECT {pair_expr('code', 'name', 'expense_item')} FROM staged WHERE code IS NOT DISTINCT FROM $1"
        " AND name IS NOT DISTINCT FROM $2",
        [code, name],
    ).fetchone()
    return bool(found and found[0])


@pytest.mark.parametrize(
    "code, name",
    [
        ("30217", "公务接待费"),
        ("30212", "因公出国（境）费用"),
        ("30212", "因公出国(境)费用"),
        ("31013", "公务用车购置"),
        ("30913", "公务用车购置"),
        ("3021701", "公务接待费"),
        ("30217", "国内接待"),
        ("50206", "公务接待费"),
        ("2273", "Оплата електроенергії"),
        ("30217", None),
        (None, "公务接待费"),
    ],
)
def test_what_agrees_or_cannot_be_judged_passes(code: str | None, name: str | None) -> None:
    assert holds(code, name)


@pytest.mark.parametrize(
    "code, name", [("30231", "公务接待费"), ("31013", "公务用车运行维护费"), ("30217", "因公出国 (境) 费用")]
)
def test_the_name_of_another_item_is_a_contradiction(code: str, name: str) -> None:
    assert not holds(code, name)


def test_a_list_nobody_ships_is_none() -> None:
    assert pair_expr("code", "name", "payment") is None
