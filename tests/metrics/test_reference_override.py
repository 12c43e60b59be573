"""A bureau puts a factor of its own in force by loading the table: figures follow from then on, and replay knows the old one."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from importlib import resources
from pathlib import Path

from metrics import cubes
from metrics.catalogue import load_catalogue
from metrics.evaluate import evaluate
from metrics.model import Query
from warehouse.base.scope import Scope
from warehouse.contracts import Contract
from warehouse.ingest import load
from warehouse.publish import publish
from warehouse.store import Store

FIRST, LATER = dt.datetime(2024, 3, 1, tzinfo=dt.UTC), dt.datetime(2024, 4, 1, tzinfo=dt.UTC)
ORG = "单位代码,单位名称,层级,单位性质,生效日期,纳入节能名录\n9901,示例市,市,区域,2000-01-01,否\n990107,示例市财政局,市,政府,2000-01-01,是\n"
USE = "统计期,单位代码,电(千瓦时),电费(元)\n2024-01,990107,1000,700\n"


def test_a_factor_of_the_bureau_counts_from_the_file_that_brought_it(tmp_path: Path) -> None:
    catalogue = load_catalogue()
    store = Store(tmp_path / "store")
    shipped = (resources.files("warehouse") / "reference" / "coal_factor.csv").read_text(encoding="utf-8")
    own = shipped.replace("electricity,0.122900,", "electricity,0.300000,").replace(",C2,有效,2000", ",L,有效,2000")
    for name, text, source, moment in (
        ("org.csv", ORG, "org_unit", FIRST),
        ("use.csv", USE, "energy_use", FIRST),
        ("own.csv", own, "coal_factor", LATER),
    ):
        (tmp_path / name).write_text(text, encoding="utf-8")
        report = load(store, [tmp_path / name], source=source, clock=lambda moment=moment: moment)[0]
        assert report.status == "committed", report.message

    def build(con: object, contracts: dict[str, Contract]) -> None:
        cubes.build(con, contracts, catalogue)  # type: ignore[arg-type]

    publish(store, [build], clock=lambda: LATER)

    def kilograms(known_at: dt.datetime | None) -> object:
        question = Query(
            indicators=("en_tce",), nodes=("990107",), period_from="2024-01", period_to="2024-01", grain="month",
            known_at=known_at, scope=Scope.everything(), actor="test", now=LATER,
        )  # fmt: skip
        return evaluate(store.open_generation(), catalogue, question)[0].value

    assert kilograms(None) == Decimal("0.3")
    assert kilograms(FIRST + dt.timedelta(days=1)) == Decimal("0.1229")
