"""Who owes and who has reported is the same wherever it is said: ledger, list of late data, due list, answer, governance.

Random histories of a small office: bureaux that are listed, merged away, kept out or only gather others; reports that
come, are corrected and are withdrawn. The truth is counted in plain Python from what was handed in.
"""

from __future__ import annotations

import datetime as dt
import random
from pathlib import Path

import pytest

from metrics.duties import duties
from metrics.missing import missing_reports
from metrics.model import Query
from tests.fakes.office import NOW
from tests.fakes.reviewers import Reviewers, energy
from warehouse.base.periods import month_label
from warehouse.base.scope import Scope
from warehouse.submissions import submission_status

HEAD = "单位代码,单位名称,简称,上级单位代码,层级,单位性质,机构序列,纳入节能名录,不纳入,生效日期,失效日期\n"
FIRST = 2025 * 12
MONTHS = range(FIRST, FIRST + 3)
Unit = tuple[str, int, int, bool]
"""Code, first month, month after the last, and whether it owes."""


def register(dice: random.Random) -> tuple[str, list[Unit]]:
    """Return a register of a region and six nodes below it, and who of them owes in which months."""
    lines = [HEAD, "R,模拟市,,,市,区域,1,否,否,2020-01-01,\n"]
    units: list[Unit] = []
    for number in range(6):
        kind = dice.choice(("政府", "政府", "政府", "事业单位", "院落"))
        listed, out, ends = dice.random() < 0.8, dice.random() < 0.15, dice.choice((None, None, None, FIRST + 1))
        until = "" if ends is None else f"{month_label(ends - 1)}-31"
        says = {True: "是", False: "否"}
        lines.append(
            f"U{number},单位{number},,R,市,{kind},{number + 2},{says[listed]},{says[out]},2020-01-01,{until}\n"
        )
        owes = listed and not out and kind != "院落"
        units.append((f"U{number}", 0, ends if ends is not None else FIRST + 99, owes))
    return "".join(lines), units


@pytest.mark.parametrize(
    "seed", [1, 2, pytest.param(3, marks=pytest.mark.soak), pytest.param(4, marks=pytest.mark.soak)]
)
def test_every_place_names_the_same_units(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    text, units = register(dice)
    office = Reviewers(tmp_path, register=text, indicators=("elec_kwh",))
    standing: dict[int, tuple[str, int]] = {}
    for _ in range(8):
        if standing and dice.random() < 0.3:
            seq = dice.choice(sorted(standing))
            office.take_back(seq)
            standing.pop(seq)
            continue
        code, month = f"U{dice.randrange(6)}", dice.choice(MONTHS)
        used = dice.randrange(10, 90)
        report = office.report(f"{code}-{month}-{used}.csv", energy(f"单位{code[1]} {month_label(month)} {used}"))
        if report.batch_seq is not None and report.status == "committed":
            standing[report.batch_seq] = (code, month)
    came = set(standing.values())
    generation, seq = office.open(), office.store.control.last()[0]
    for month in MONTHS:
        owing = {code for code, low, high, owes in units if owes and low <= month < high}
        lacking = sorted(owing - {code for code, when in came if when == month})
        label = month_label(month)
        # the answer, and who it lacks
        answer = office.ask(None, label)
        assert (
            (answer.due, answer.got) == (len(owing), len(owing) - len(lacking)) or not owing or lacking == sorted(owing)
        )
        query = Query(indicators=("elec_kwh",), nodes=("R",), period_from=label, period_to=label, grain="month",
                      scope=Scope.everything(), actor="t", now=NOW + dt.timedelta(days=9))  # fmt: skip
        assert sorted(one.unit for one in missing_reports(generation, office.catalogue, query)) == lacking
        # the ledger, and the due list that reminders go by
        found = [duty for duty in duties(generation, office.catalogue, "R", month, seq) if duty.dataset == "energy_use"]
        assert [(duty.due, duty.got, sorted(duty.missing)) for duty in found] == (
            [(len(owing), len(owing) - len(lacking), lacking)] if owing else []
        )
        told = submission_status(generation, from_m=month, to_m=month + 1, datasets=("energy_use",))
        assert sorted(one.unit for one in told if one.due_on is not None) == sorted(owing)
        assert sorted(one.unit for one in told if one.is_late(dt.date(2027, 1, 1))) == lacking
        # governance, in months of which anybody reported or which are asked for since
        rows = generation.con.execute(
            "SELECT kind, unit FROM d_governance WHERE dataset = 'energy_use' AND month = $1 AND kind IN ('due', 'got')"
            " AND rec_from <= $2 AND $2 < rec_to",
            [month, seq],
        ).fetchall()
        if rows:
            assert sorted(unit for kind, unit in rows if kind == "due") == sorted(owing)
            assert sorted(unit for kind, unit in rows if kind == "got") == sorted(owing - set(lacking))
    generation.close()
