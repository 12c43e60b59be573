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
from metrics.time_words import known_days
from warehouse.base.scope import Scope
from warehouse.base.workdays import working_days
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


NOTICE = "日历日,日历类型,节日名称,文号,证据等级\n2027-01-01,节假日,元旦,某文,本单位\n2027-01-03,调休,元旦,某文,本单位\n2027-12-31,节假日,元旦,某文,本单位\n"
LOCAL = "日历日,日历类型,节日名称,文号,证据等级\n2024-01-15,休息日,本地放假,某文,本单位\n2024-01-20,调休上班,本地放假,某文,本单位\n2024-01-21,工作日,本地,某文,本单位\n"


def test_a_calendar_of_the_bureau_and_that_of_a_coming_year_count_from_their_files(tmp_path: Path) -> None:
    catalogue = load_catalogue()
    store = Store(tmp_path / "store")
    more = "2024-02,990107,900,700\n"
    for name, text, source, moment in (
        ("org.csv", ORG, "org_unit", FIRST),
        ("use.csv", USE + more, "energy_use", FIRST),
        ("local.csv", LOCAL, "calendar", LATER),
        ("notice.csv", NOTICE, "calendar", LATER + dt.timedelta(days=1)),
    ):
        (tmp_path / name).write_text(text, encoding="utf-8")
        report = load(store, [tmp_path / name], source=source, clock=lambda moment=moment: moment)[0]
        assert (report.status, report.counts["quarantined"]) == ("committed", 0), report.message

    def build(con: object, contracts: dict[str, Contract]) -> None:
        cubes.build(con, contracts, catalogue)  # type: ignore[arg-type]

    publish(store, [build], clock=lambda: LATER + dt.timedelta(days=1))
    generation = store.open_generation()
    assert generation.meta["last_month"] == str(2024 * 12 + 1)  # a calendar reaches no month of figures

    def days(known_at: dt.datetime | None) -> object:
        question = Query(
            indicators=("elec_per_workday",), nodes=("990107",), period_from="2024-01", period_to="2024-01", grain="month",
            known_at=known_at, scope=Scope.everything(), actor="test", now=LATER + dt.timedelta(days=2),
        )  # fmt: skip
        return evaluate(generation, catalogue, question)[0].denominator

    # January 2024 by the notice: 22; the 15th off, the 20th and the 21st worked
    assert (days(FIRST + dt.timedelta(days=1)), days(None)) == (22, 23)
    known = known_days(generation, generation.through_seq)
    # January 2027: 21 weekdays, less New Year's Day, plus Sunday the 3rd
    assert working_days(known, 2027 * 12) == 21
    assert working_days(known, 2028 * 12) is None
