"""Corrections, versions and moves: what a board says must be what was known, under the tree of its time."""

from __future__ import annotations

from decimal import Decimal

from tests.soundness.town import after, pay, use


def test_a_value_changed_there_and_back_gives_three_boards(town, ask):
    pay(town, "a", "2024-01-03", "1.00", known=(1, 2))
    pay(town, "a", "2024-01-03", "2.00", known=(2, 3))
    pay(town, "a", "2024-01-03", "1.00", known=3)
    asker = ask(town)
    boards = [asker.one("op_cost_total", "root", "2024-01", known_at=after(seq)) for seq in (1, 2, 3)]
    assert [(b.numerator, b.through_seq) for b in boards] == [
        (Decimal("1.00"), 1),
        (Decimal("2.00"), 2),
        (Decimal("1.00"), 3),
    ]


def test_the_latest_budget_version_counts_and_its_withdrawal_brings_the_older_back(town, ask):
    line = {
        "unit": "a",
        "year": 2024,
        "item_code": "30201",
        "project": "",
        "fund": "general",
        "exp_kind": "basic_public",
    }
    town.add("budget", 1, version=1, amount="100.00", **line)
    town.add("budget", (2, 3), version=2, amount="300.00", **line)
    town.add("budget", 2, version=1, amount="50.00", **{**line, "item_code": "30202"})
    pay(town, "a", "2024-01-03", "30.00")
    pay(town, "a", "2024-02-03", "1.00", known=3)
    asker = ask(town)
    seen = [asker.one("budget_exec_rate", "a", "2024-01", "ytd", known_at=after(seq)).denominator for seq in (1, 2, 3)]
    assert seen == [Decimal("100.00"), Decimal("350.00"), Decimal("150.00")]


def test_a_corrected_factor_changes_history_only_after_it_was_known(town, ask):
    use(town, "a", "2024-01", "electricity", "1000")
    use(town, "a", "2024-02", "electricity", "1000")
    town.add("coal_factor", 2, valid=("2024-02",), carrier="electricity", factor="0.300000")
    asker = ask(town)
    months = "2024-01..2024-02"
    before = asker.all("en_tce", "root", months, known_at=after(1))
    assert [x.numerator for x in before] == [Decimal("122.9"), Decimal("122.9")]
    assert [x.numerator for x in asker.all("en_tce", "root", months)] == [Decimal("122.9"), Decimal("300")]


def test_a_late_re_parenting_moves_the_past_only_under_the_tree_that_knows_it(town, ask):
    town.rows["org_unit"] = [row for row in town.rows["org_unit"] if row["code"] != "b"]
    town.unit("b", "root", known=(1, 2))
    town.unit("b", "root", valid=("2020-01", "2024-02"), known=2)
    town.unit("b", "a", valid=("2024-02",), known=2)
    for month in ("2024-01", "2024-02"):
        pay(town, "b", f"{month}-03", "7.00")
    asker = ask(town)
    months = "2024-01..2024-02"
    assert [x.numerator for x in asker.all("op_cost_total", "a", months, known_at=after(1))] == [0, 0]
    assert [x.numerator for x in asker.all("op_cost_total", "a", months)] == [0, Decimal("7.00")]
    assert [x.numerator for x in asker.all("op_cost_total", "a", months, tree="2024-03-01")] == [Decimal("7.00")] * 2
    for tree in ("as-was", "2024-01-15", "2024-03-01"):
        assert [x.numerator for x in asker.all("op_cost_total", "root", months, tree=tree)] == [Decimal("7.00")] * 2


def test_a_child_counts_for_its_parent_only_while_it_hangs_there(town, ask):
    town.rows["org_unit"] = [row for row in town.rows["org_unit"] if row["code"] != "b"]
    town.unit("b", "root", valid=("2020-01", "2024-02"))
    town.unit("b", "a", valid=("2024-02",))
    for month in ("2024-01", "2024-02"):
        pay(town, "a", f"{month}-03", "1.00")
        pay(town, "b", f"{month}-03", "7.00")
    asker = ask(town)
    parts = asker.all("op_cost_total", "a", "2024-02", "ytd", by="children")
    assert [(p.node, p.dim_value, p.numerator) for p in parts] == [
        ("a", "a", Decimal("2.00")),
        ("b", "b", Decimal("7.00")),
    ]
    whole = asker.one("op_cost_total", "a", "2024-02", "ytd").numerator
    assert whole == Decimal("9.00")
    today = asker.all("op_cost_total", "a", "2024-02", "ytd", by="children", tree="2024-02-29")
    assert [(p.node, p.numerator) for p in today] == [("a", Decimal("2.00")), ("b", Decimal("14.00"))]


def test_facts_outside_a_units_life_are_dropped_and_counted(town, ask):
    town.unit("c", "root", valid=("2020-01", "2024-02"))
    pay(town, "c", "2024-01-03", "1.00")
    pay(town, "c", "2024-02-03", "5.00")
    pay(town, "nobody", "2024-02-03", "5.00")
    asker = ask(town)
    assert [x.numerator for x in asker.all("op_cost_total", "root", "2024-01..2024-02")] == [Decimal("1.00"), 0]
    rows = asker.generation.con.execute("SELECT unit, month_no, rows FROM outside_life ORDER BY unit").fetchall()
    assert rows == [("c", 24289, 1), ("nobody", 24289, 1)]
