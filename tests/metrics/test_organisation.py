"""Organisations in figures: succession under the tree of a day, shared bills on the board and in drill, compounds owe nothing."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from metrics import drill
from metrics.drill_words import Division
from metrics.evaluate import evaluate
from metrics.model import Catalogue, Query
from tests.metrics.conftest import World
from warehouse.base.scope import Scope
from warehouse.contracts import Contract
from warehouse.store import Generation

Figure = tuple[str | None, str, int, int]


def ask(g: Generation, catalogue: Catalogue, node: str, period: str, *, seq: int | None = None, tree: str = "as-was",
        indicator: str = "energy_cost") -> Figure:  # fmt: skip
    (answer,) = evaluate(g if seq is None else g.as_known_at(seq), catalogue, query(node, period, tree, indicator))
    number = answer.numerator
    return None if number is None else f"{Decimal(number).normalize():f}", answer.status, answer.due, answer.got


def query(node: str, period: str, tree: str = "as-was", indicator: str = "energy_cost") -> Query:
    return Query(
        indicators=(indicator,), nodes=(node,), period_from=period, period_to=period, grain="month", tree=tree,
        scope=Scope.everything(), actor="test", now=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
    )  # fmt: skip


@pytest.fixture
def world(contracts: dict[str, Contract], tmp_path: Path) -> World:
    """R over P (with A and B) and Q; a compound Z below R with one bill of 100 and a rule known from batch 3."""
    world = World(contracts, tmp_path)
    for code, parent in (("R", None), ("P", "R"), ("Q", "R"), ("A", "P"), ("B", "P")):
        world.unit(code, parent, kind="government", scope_energy=code in "AB")
    world.unit("Z", "R", kind="compound")
    for seq in range(1, 7):
        world.batch(seq, f"2025-0{seq}-20")
    for unit, cost in (("A", "10"), ("B", "20"), ("Z", "100")):
        world.add("energy_use", 2, unit=unit, month="2025-01", carrier="electricity", quantity="1", cost=cost)
    for unit, share in (("A", "38.2"), ("B", "61.8")):
        world.add("allocation", 3, account="Z", carrier="all", unit=unit, basis="fixed", share=share, document="纪要5",
                  valid=("2025-01",))  # fmt: skip
    return world


def test_a_divided_bill_counts_once_and_a_compound_owes_no_report(world: World, catalogue: Catalogue) -> None:
    """Before the rule: 10, 20 and 100 at the compound; after it: 10 + 38.2 and 20 + 61.8. The total never moves."""
    g = world.open(catalogue)
    assert ask(g, catalogue, "R", "2025-01", seq=2) == ("130", "ok", 2, 2)
    assert ask(g, catalogue, "Z", "2025-01", seq=2) == ("100", "ok", 1, 1)
    assert ask(g, catalogue, "R", "2025-01") == ("130", "ok", 2, 2)
    assert ask(g, catalogue, "A", "2025-01") == ("48.2", "ok", 1, 1)
    assert ask(g, catalogue, "P", "2025-01") == ("130", "ok", 2, 2)
    assert ask(g, catalogue, "R", "2025-01", tree="2025-06-01") == ("130", "ok", 2, 2)


def test_a_drilled_part_says_its_share_its_basis_and_where_the_bill_stands(world: World, catalogue: Catalogue) -> None:
    g = world.open(catalogue)
    lines = drill.rows(g, catalogue, query("A", "2025-01")).rows
    assert [(line.contribution, line.label, line.division) for line in lines] == [
        (Decimal("38.2"), "electricity", Division("divided", Decimal("38.2"), "fixed", "纪要5", False)),
        (Decimal("10"), "electricity", None),
    ]
    assert (lines[0].file_name, lines[0].row_no) == ("energy_use.csv", 3), "the place of the bill of the compound"
    undivided = drill.rows(g.as_known_at(2), catalogue, query("Z", "2025-01")).rows
    assert undivided[0].division == Division("no_rule", None, None, None, False)


@pytest.fixture
def merged(contracts: dict[str, Contract], tmp_path: Path) -> World:
    """A below P ended with March 2025 and was merged into C below Q; that was recorded in batch 4 only."""
    world = World(contracts, tmp_path)
    world.unit("R")
    world.unit("P", "R")
    world.unit("Q", "R")
    world.unit("A", "P", valid=("2020-01", "2025-04"))
    world.unit("C", "Q", valid=("2025-04",))
    for seq in range(1, 7):
        world.batch(seq, f"2025-0{seq}-20")
    for month, unit, cost in (("2025-02", "A", "10"), ("2025-05", "C", "7")):
        world.add("energy_use", 2, unit=unit, month=month, carrier="electricity", quantity="1", cost=cost)
    return world


def test_a_merged_units_past_stands_below_its_successor_in_a_later_days_tree(
    merged: World, catalogue: Catalogue
) -> None:
    merged.add("org_succession", 4, unit="A", successor="C", happened_on="2025-04-01", change="merge")
    g = merged.open(catalogue)
    for node, as_was, late, early in (
        ("P", "10", None, "10"),
        ("Q", None, "10", None),
        ("R", "10", "10", "10"),
    ):
        assert ask(g, catalogue, node, "2025-02")[0] == as_was
        assert ask(g, catalogue, node, "2025-02", tree="2025-05-01")[0] == late
        assert ask(g, catalogue, node, "2025-02", tree="2025-03-01")[0] == early
    assert ask(g, catalogue, "Q", "2025-02", tree="2025-05-01", seq=3)[0] is None, "nobody knew of the merger yet"
    assert ask(g, catalogue, "P", "2025-02", tree="2025-05-01", seq=3)[0] == "10"


@pytest.mark.parametrize(
    "links",
    [
        [{"successor": "C", "change": "split"}, {"successor": "P", "change": "split"}],
        [{"successor": "C", "change": "transfer"}],
    ],
)
def test_a_divided_unit_and_moved_duties_leave_the_past_where_it_was(
    merged: World, catalogue: Catalogue, links: list[dict[str, str]]
) -> None:
    for link in links:
        merged.add("org_succession", 3, unit="A", happened_on="2025-04-01", **link)
    g = merged.open(catalogue)
    assert ask(g, catalogue, "P", "2025-02", tree="2025-05-01")[0] == "10"
    assert ask(g, catalogue, "Q", "2025-02", tree="2025-05-01")[0] is None


def test_units_that_succeed_each_other_in_a_circle_lose_no_figure(merged: World, catalogue: Catalogue) -> None:
    merged.add("org_succession", 3, unit="A", successor="C", happened_on="2025-04-01", change="merge")
    merged.add("org_succession", 3, unit="C", successor="A", happened_on="2025-04-01", change="merge")
    g = merged.open(catalogue)
    assert ask(g, catalogue, "R", "2025-02", tree="2025-05-01")[0] == "10"


def test_every_living_unit_has_one_path_to_the_root_at_every_batch(merged: World, catalogue: Catalogue) -> None:
    merged.add("org_succession", (3, 5), unit="A", successor="C", happened_on="2025-04-01", change="merge")
    merged.unit("B", "P", valid=("2020-01", "2024-07"))
    merged.unit("B", "Q", valid=("2024-07",), known=6)
    merged.unit("B", "P", valid=("2024-07",), known=(1, 6))
    g = merged.open(catalogue)
    for table in ("closure", "closure_ext"):
        for seq in range(1, 7):
            paths = g.con.execute(
                f"""SELECT k.dsc, m.month_no, count(*), list(k.depth ORDER BY k.depth) FROM {table} k
                JOIN (SELECT unnest(range(2024 * 12, 2026 * 12))::INTEGER AS month_no) m ON k.from_m <= m.month_no AND m.month_no < k.to_m
                WHERE rec_from <= $1 AND $1 < rec_to GROUP BY ALL""",
                [seq],
            ).fetchall()
            assert paths
            for unit, month, count, depths in paths:
                assert depths == list(range(count)), (table, seq, unit, month)
                assert (unit == "R") == (count == 1), (table, seq, unit, month)


def test_figures_are_gathered_by_the_department_that_leads_as_known_then(world: World, catalogue: Catalogue) -> None:
    """A is led by D1, from March 2025 by D2, which was recorded in batch 5 only; B is led by nobody."""
    world.rows["org_unit"] = [row for row in world.rows["org_unit"] if row["code"] != "A"]
    world.unit("A", "P", department="D1", known=(1, 5))
    world.unit("A", "P", department="D1", valid=("2020-01", "2025-03"), known=5)
    world.unit("A", "P", department="D2", valid=("2025-03",), known=5)
    world.add("energy_use", 2, unit="A", month="2025-03", carrier="electricity", quantity="1", cost="7")
    g = world.open(catalogue)
    for seq, month, found in (
        (3, "2025-01", {"D1": "48.2", None: "81.8"}),
        (4, "2025-03", {"D1": "7"}),
        (6, "2025-01", {"D1": "48.2", None: "81.8"}),
        (6, "2025-03", {"D2": "7"}),
    ):
        answers = evaluate(g.as_known_at(seq), catalogue, replace(query("R", month), by="department"))
        parts = {one.dim_value: one.numerator for one in answers if one.numerator is not None}
        assert {part: f"{Decimal(value).normalize():f}" for part, value in parts.items()} == found, (seq, month)


# --- a unit that is kept out shares a bill ----------------------------------------------------------------------------


def sharing(contracts: dict[str, Contract], folder: Path, *, is_kept_out: bool) -> World:
    """A, B and S share a bill of 100 at 35 : 35 : 30. It came in batch 2, was restated in 3 at the same cost; the rule
    was known in batches 4 and 5 only. From batch 6 on, and so ever, S may be kept out."""
    world = World(contracts, folder)
    for code, parent in (("R", None), ("P", "R"), ("A", "P"), ("B", "P")):
        world.unit(code, parent, scope_energy=code in "AB")
    world.unit("S", "P", known=(1, 6) if is_kept_out else 1)
    if is_kept_out:
        world.unit("S", "P", known=6, excluded=True)
    world.unit("Z", "R", kind="compound")
    for seq in range(1, 7):
        world.batch(seq, f"2025-0{seq}-20")
    for unit, cost in (("A", "10"), ("B", "20"), ("S", "5")):
        world.add("energy_use", 2, unit=unit, month="2025-01", carrier="electricity", quantity="1", cost=cost)
    for known, quantity in (((2, 3), "90"), (3, "95")):
        world.add("energy_use", known, unit="Z", month="2025-01", carrier="electricity", quantity=quantity, cost="100")
    for unit, share in (("A", "35"), ("B", "35"), ("S", "30")):
        world.add("allocation", (4, 6), account="Z", carrier="all", unit=unit, basis="fixed", share=share, document="纪要5",
                  valid=("2025-01",))  # fmt: skip
    return world


def costs(g: Generation, catalogue: Catalogue) -> dict[int, list[str | None]]:
    return {seq: [ask(g, catalogue, node, "2025-01", seq=seq)[0] for node in "RPZABS"] for seq in range(2, 7)}


def test_no_board_of_any_day_gives_away_the_part_of_a_unit_that_is_kept_out(
    contracts: dict[str, Contract], catalogue: Catalogue, tmp_path: Path
) -> None:
    """Own bills 10, 20 and 5. While S is shown all adds up to 135; kept out it takes its 5 and its 30 with it, always."""
    open_world = sharing(contracts, tmp_path, is_kept_out=False).open(catalogue)
    undivided, divided = ["135", "35", "100", "10", "20", "5"], ["135", "135", None, "45", "55", "35"]
    assert costs(open_world, catalogue) == {2: undivided, 3: undivided, 4: divided, 5: divided, 6: undivided}
    (tmp_path / "kept_out").mkdir()
    closed = sharing(contracts, tmp_path / "kept_out", is_kept_out=True).open(catalogue)
    undivided, divided = ["100", "30", "70", "10", "20", None], ["100", "100", None, "45", "55", None]
    assert costs(closed, catalogue) == {2: undivided, 3: undivided, 4: divided, 5: divided, 6: undivided}
    for seq, used in ((2, "65"), (3, "68.5")):  # 1 and 1, and 90 − 27 or 95 − 28.5 of the bill
        assert ask(closed, catalogue, "R", "2025-01", seq=seq, indicator="elec_kwh")[0] == used


def test_a_drilled_part_tells_no_share_where_a_unit_that_is_kept_out_has_one(
    contracts: dict[str, Contract], catalogue: Catalogue, tmp_path: Path
) -> None:
    closed = sharing(contracts, tmp_path, is_kept_out=True).open(catalogue)
    for seq, node, found in (
        (4, "A", [("35", Division("divided", None, "fixed", "纪要5", True)), ("10", None)]),
        (2, "Z", [("70", Division("no_rule", None, None, None, True))]),
        (6, "Z", [("70", Division("no_rule", None, None, None, True))]),
    ):
        lines = drill.rows(closed.as_known_at(seq), catalogue, query(node, "2025-01")).rows
        assert [(f"{line.contribution:.0f}", line.division) for line in lines] == found
        assert all("100" not in f"{line}" for line in lines), "the bill as a whole stands nowhere"
    (tmp_path / "open").mkdir()
    shown = sharing(contracts, tmp_path / "open", is_kept_out=False).open(catalogue)
    first = drill.rows(shown.as_known_at(4), catalogue, query("A", "2025-01")).rows[0]
    assert first.division == Division("divided", Decimal(35), "fixed", "纪要5", False)
