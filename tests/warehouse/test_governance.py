"""What the store tells of its own reports: who owes one is who owes one in every answer."""

from __future__ import annotations

from pathlib import Path

from tests.fakes.office import NOW
from tests.fakes.reviewers import REGISTER, Reviewers, energy
from warehouse.publish import publish


def test_who_owes_a_report_owes_it_in_the_ledger_too(tmp_path: Path) -> None:
    """A and B owe, so does the region S that is on the list itself; the compound Z gathers what nobody divided. A reported."""
    register = REGISTER + "S,示范区,,R,区,区域,4,否,是,2020-01-01,\nZ,市民中心,,R,市,集中办公区,9,否,是,2020-01-01,\n"
    office = Reviewers(tmp_path, register=register, indicators=("elec_kwh",))
    assert office.report("电.csv", energy("市财政局 2025-01 10")).status == "committed"
    publish(office.store, clock=lambda: NOW)
    generation = office.store.open_generation()
    told = "SELECT kind, unit FROM d_governance WHERE dataset = 'energy_use' AND kind IN ('due', 'got') AND month = $1 ORDER BY ALL"
    january, february = (generation.con.execute(told, [2025 * 12 + month]).fetchall() for month in (0, 1))
    generation.close()
    assert january == [("due", "A"), ("due", "B"), ("due", "S"), ("got", "A")]
    # of the months after it nobody reported: all of them owe those too
    assert february == [("due", "A"), ("due", "B"), ("due", "S")]
