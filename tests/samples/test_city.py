"""The simulated city: same seed same bytes, files as messy as an office's, and every planted story and nothing else."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import tomllib
from collections import Counter, defaultdict
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest

from samples import names, write
from samples.city import timeline as t
from samples.city.calendar import FIRST
from samples.city.items import ACCRUAL
from samples.city.knowledge import Knowledge, until_now
from samples.city.office import World, outbox, simulate
from samples.city.rooms import CAPS
from samples.city.stories import PLOTS, Teller, tell_all

LATEST = dt.datetime(2026, 11, 20, 23, 59, tzinfo=dt.timezone(dt.timedelta(hours=8)))
SEED, UNITS = 7, 20


@dataclass(frozen=True)
class Town:
    """One run: its folder, its truth and the world behind it."""

    folder: Path
    truth: dict
    world: World
    known: Knowledge

    @property
    def manifest(self) -> list[dict]:
        return tomllib.loads((self.folder / "manifest.toml").read_text(encoding="utf-8"))["file"]

    def files(self, source: str) -> list[Path]:
        return [self.folder / item["path"] for item in self.manifest if item["source"] == source]

    def code(self, role: str) -> str:
        return self.world.city.role(role).code


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    folder = tmp_path_factory.mktemp("city") / "city"
    write("city", folder, seed=SEED, units=UNITS)
    world = simulate(SEED, 34, UNITS)
    truth = json.loads(folder.with_name("city.truth.json").read_text(encoding="utf-8"))
    return Town(folder, truth, world, until_now(outbox(world)))


def read_csv(path: Path, encoding: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_bytes().decode(encoding))))


def read_book(path: Path) -> list[tuple]:
    return list(openpyxl.load_workbook(path).worksheets[0].iter_rows(values_only=True))


def plain(cell: object) -> Decimal:
    """Read a cell as a clerk wrote it: a number, a text with commas, wide digits, or nothing."""
    if cell in (None, "", "—"):
        return Decimal(0)
    return Decimal(str(cell).replace(",", ""))


# --- the door ---------------------------------------------------------------------------------------------------------


def test_the_three_samples_have_names_and_no_other() -> None:
    assert names() == ("city", "gsa", "ua")
    with pytest.raises(ValueError, match="Available: city, gsa, ua"):
        write("moon", Path("nowhere"))


@pytest.mark.parametrize(("months", "units"), [(0, 20), (35, 20), (34, 3)])
def test_a_city_that_cannot_be_told_is_refused(tmp_path: Path, months: int, units: int) -> None:
    with pytest.raises(ValueError, match="city"):
        write("city", tmp_path / "c", months=months, units=units)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        write("city", tmp_path / name, seed=seed, months=4, units=12)
    one, two, other = (
        {p.relative_to(tmp_path / n).as_posix(): p.read_bytes() for p in (tmp_path / n).rglob("*") if p.is_file()}
        for n in "abc"
    )
    assert one == two
    assert one != other
    assert (tmp_path / "a.truth.json").read_bytes() == (tmp_path / "b.truth.json").read_bytes()


def test_the_truth_goes_where_it_is_told(tmp_path: Path) -> None:
    write("city", tmp_path / "c", months=1, units=12, truth=tmp_path / "elsewhere.json")
    assert (tmp_path / "elsewhere.json").exists()
    assert not (tmp_path / "c.truth.json").exists()


# --- manifest ---------------------------------------------------------------------------------------------------------


def test_the_manifest_names_every_file_in_the_order_it_came(town: Town) -> None:
    listed = [item["path"] for item in town.manifest]
    there = {p.relative_to(town.folder).as_posix() for p in town.folder.rglob("*") if p.is_file()} - {"manifest.toml"}
    moments = [dt.datetime.fromisoformat(item["recorded_at"]) for item in town.manifest]
    assert set(listed) == there
    assert len(listed) == len(set(listed))
    assert moments == sorted(moments)
    assert moments[-1] <= LATEST
    assert {item["recorded_at"][-6:] for item in town.manifest} == {"+08:00"}


def test_the_store_is_said_to_be_simulated(town: Town) -> None:
    store = tomllib.loads((town.folder / "manifest.toml").read_text(encoding="utf-8"))["store"]
    assert (store["origin"], store["currency"], store["timezone"]) == ("simulated", "CNY", "Asia/Shanghai")
    assert store["name_zh"]
    assert store["name_en"]


def test_no_month_is_reported_before_it_is_over(town: Town) -> None:
    for item in town.manifest:
        if "period_to" in item:
            assert item["recorded_at"][:7] > item["period_to"], item["path"]


# --- looks ------------------------------------------------------------------------------------------------------------


def test_the_energy_form_has_title_merged_header_total_and_notes(town: Town) -> None:
    path = next(p for p in town.files("energy_use") if p.name.startswith("202402"))
    rows = read_book(path)
    assert rows[0][0] == "模拟市２０２４年2月公共机构能源资源消费月报"
    assert rows[2][:4] == ("统计期", "单位名称", "电", None)
    assert rows[3][:4] == (None, None, "电(千瓦时)", "电费(元)")
    assert rows[4][0] == "2024年2月"
    assert any(row[0] == "合计" for row in rows)
    assert any(str(row[0]).startswith("注：") for row in rows)
    assert any(str(row[1]).startswith("　　") for row in rows)


def test_numbers_come_as_texts_with_commas_and_wide_digits_too(town: Town) -> None:
    cells = [str(cell) for path in town.files("energy_use") if path.suffix == ".xlsx"
             for row in read_book(path)[4:] for cell in row[2:]]  # fmt: skip
    assert any("," in cell for cell in cells)
    assert any("０" <= cell[:1] <= "９" for cell in cells)
    assert "—" in cells


def test_ledgers_are_gbk_and_trips_carry_a_bom(town: Town) -> None:
    ledger = town.files("payment")[0].read_bytes()
    with pytest.raises(UnicodeDecodeError):
        ledger.decode("utf-8")
    assert "预算单位名称" in ledger.decode("gb18030")
    assert town.files("trip")[0].read_bytes().startswith(b"\xef\xbb\xbf")


def test_budgets_say_their_unit_in_a_note_and_old_workbooks_exist(town: Town) -> None:
    rows = read_book(town.files("budget")[0])
    assert "单位：万元" in rows[1]
    assert "预算数" in rows[2]
    old = list(town.folder.rglob("*.xls"))
    assert old
    assert all(p.read_bytes().startswith(b"\xd0\xcf\x11\xe0") for p in old)


# --- files and truth agree --------------------------------------------------------------------------------------------


def total(town: Town, indicator: str, period: str, node: str = "990000") -> Decimal:
    found = next(c for c in town.truth["totals"]
                 if (c["indicator"], c["period"], c["grain"], c["node"]) == (indicator, period, "month", node))  # fmt: skip
    return Decimal(found["numerator"])


def test_operating_funds_of_the_last_month_are_those_of_the_file(town: Town) -> None:
    path = next(p for p in town.files("payment") if p.name.startswith("202610"))
    rows = read_csv(path, "gb18030")
    paid = sum(Decimal(r["金额(元)"]) for r in rows
               if r["部门经济分类编码"].startswith("302") and r["支出类型"] == "基本支出-公用"
               and r["资金来源"] == "一般公共预算财政拨款")  # fmt: skip
    assert paid == total(town, "op_funds_exp", "2026-10")


def test_power_of_the_first_month_is_that_of_the_form_and_of_its_total_row(town: Town) -> None:
    path = next(p for p in town.files("energy_use") if p.name.startswith("202401"))
    rows = read_book(path)
    data = [row for row in rows[4:] if row[0] == "2024年1月"]
    summed = next(row for row in rows if row[0] == "合计")
    power = sum(plain(row[2]) for row in data)
    assert power == total(town, "elec_kwh", "2024-01")
    assert plain(summed[2]) == power


def test_cars_of_the_last_month_are_those_of_the_register(town: Town) -> None:
    path = next(p for p in town.files("vehicle") if p.name.startswith("202610"))
    rows = read_csv(path, "gb18030")
    held = sum(row["车辆状态"] in ("在用", "封存") for row in rows)
    assert held == total(town, "veh_count", "2026-10")


def test_a_ratio_is_one_division_of_its_exact_sums(town: Town) -> None:
    ratios = [c for c in town.truth["totals"] if "denominator" in c and c["unit"] == "%"]
    assert ratios
    for check in ratios:
        assert float(check["value"]) == float(check["numerator"]) / float(check["denominator"]) * 100


# --- events and non-events --------------------------------------------------------------------------------------------


def test_every_story_is_told_with_checks_in_both_languages(town: Town) -> None:
    events = town.truth["events"]
    assert {event["id"] for event in events} == {plot.id for plot in PLOTS}
    assert Counter(event["kind"] for event in events)["non_event"] == 7
    for event in events:
        assert event["checks"], event["id"]
        assert event["title_zh"]
        assert event["title_en"]
        dt.date.fromisoformat(event["known_from"])


def test_the_wrong_row_of_the_quarantine_check_is_the_row_of_the_sheet(town: Town) -> None:
    check = next(c for e in town.truth["events"] for c in e["checks"] if c["type"] == "quarantine")
    rows = read_book(town.folder / check["file"])
    row = rows[check["row"] - 1]
    assert row[1].strip() == town.world.city.role("wrong_unit").short
    assert "电费(万元)" in rows[check["row"] - 2]
    assert plain(row[3]) > 100  # yuan, far too many ten thousands


def test_only_the_planted_journeys_lack_an_order(town: Town) -> None:
    bare: Counter[str] = Counter()
    for path in town.files("trip"):
        if "更正" not in path.name:
            bare.update(
                r["号牌号码"] for r in read_csv(path, "utf-8-sig") if not r["派车单号"] and r["备勤值班"] == "否"
            )
    assert bare == {town.world.fleet.planted["holiday_trips"].plate: 5}


def test_only_the_planted_rooms_break_a_rule(town: Town) -> None:
    rows = read_csv(town.files("room")[-1], "gb18030")
    offices = [r for r in rows if r["用途"] == "办公室" and r["使用状态"] == "在用" and not r["腾退日期"]]
    over = [r for r in offices if Decimal(r["使用面积(㎡)"]) > CAPS[r["职务级别"]] * int(r["使用人数"])]
    names = town.world.city.by_key
    assert sorted(bool(r["保留批准文号"]) for r in over) == [False, True]
    assert {r["使用单位"] for r in over if not r["保留批准文号"]} == {names[town.world.city.role("over_room").key].name}
    persons = Counter(r["人员编号"] for r in offices if r["人员编号"])
    assert [count for count in persons.values() if count > 1] == [2]
    assert sum(r["人员状态"] == "退休" for r in offices) == 1


def test_only_the_planted_lease_stands_beside_vacant_rooms(town: Town) -> None:
    rows = [r for r in read_csv(town.files("room")[-1], "gb18030") if not r["腾退日期"]]
    vacant = {r["院落名称"] for r in rows if r["使用状态"] == "闲置"}
    leased = {r["使用单位"] for r in rows if r["房源"] == "租用" and r["院落名称"] in vacant}
    assert leased == {town.world.city.role("lease").name}
    assert any(r["房源"] == "租用" and r["院落名称"] not in vacant for r in rows)


def test_only_the_planted_car_is_over_standard_and_only_one_class_over_quota(town: Town) -> None:
    over = {unit for (unit, _), count in town.known.over_standard.items() if count}
    assert over == {town.code("over_standard_car")}
    quota = {(unit, month): count for (unit, month), count in town.known.over_quota.items() if count}
    assert {unit for unit, _ in quota} == {town.code("over_quota")}
    assert min(month for _, month in quota) == t.OVER_QUOTA
    assert set(quota.values()) == {1}


def test_water_jumps_only_at_the_leak(town: Town) -> None:
    water = town.known.used("water")
    jumps = {place for place, now in water.items()
             if (base := water.get((place[0], place[1] - 12))) and now >= base * Decimal("1.8")}  # fmt: skip
    assert jumps == {(town.code("leak"), month) for month in t.LEAK}
    assert all(water[town.code("leak"), m] >= 3 * water[town.code("leak"), m - 12] for m in t.LEAK)


def test_only_the_planted_form_repeats_the_month_before(town: Town) -> None:
    forms = town.known.energy
    again = {place for place, form in forms.items()
             if (before := forms.get((place[0], place[1] - 1))) and before.uses == form.uses}  # fmt: skip
    assert again == {(town.code("copied"), t.COPIED)}


def test_every_unit_reports_every_month_but_the_planted_one(town: Town) -> None:
    silent = [(code, month) for month in range(FIRST, FIRST + 34) for code in town.known.under("990000", month)
              if town.known.units[code].scope_energy and (code, month) not in town.known.energy]  # fmt: skip
    assert silent == [(town.code("never_reports"), t.NOT_REPORTED)]


def item_spending(known: Knowledge) -> dict[tuple[str, str, int], Decimal]:
    spent: dict[tuple[str, str, int], Decimal] = defaultdict(Decimal)
    for (unit, month), rows in known.payments.items():
        if known.alive(unit, month):
            for row in rows:
                if row.exp_kind != ACCRUAL:
                    spent[unit, row.item_code, month // 12] += row.amount
    return spent


def item_budgets(known: Knowledge) -> dict[tuple[str, str, int], Decimal]:
    latest: dict[tuple, tuple[int, Decimal]] = {}
    for row in known.rows("budget"):
        place = (row.unit, row.item_code, row.year, row.project, row.fund, row.exp_kind)
        latest[place] = max(latest.get(place, (0, Decimal(0))), (row.version, row.amount))
    sums: dict[tuple[str, str, int], Decimal] = defaultdict(Decimal)
    for (unit, item, year, *_), (_, amount) in latest.items():
        sums[unit, item, year] += amount
    return sums


@pytest.mark.parametrize("day", ["2024-08-19", "2024-12-12", "2025-04-30", "2025-08-15", "2025-09-30", "2026-11-20"])
def test_no_budget_item_but_the_planted_one_is_overspent_on_any_day(town: Town, day: str) -> None:
    end = dt.datetime.combine(dt.date.fromisoformat(day), dt.time(23, 59), LATEST.tzinfo)
    known = Knowledge(town.known.exports, end)
    budgets = item_budgets(known)
    over = {place for place, paid in item_spending(known).items() if paid > budgets[place]}
    assert over <= {(town.code("overrun"), "30217", t.OVERRUN_YEAR)}
    assert over or end.year < 2026


def test_december_is_calm_but_for_the_planted_rush(town: Town) -> None:
    for measure in (town.known.cash, town.known.op_funds, town.known.op_cost):
        for year in (2024, 2025):
            for unit in town.known.under("990000", year * 12 + 11):
                if town.known.units[unit].scope_cost:
                    months = [measure.get((unit, month), Decimal(0)) for month in range(year * 12, year * 12 + 12)]
                    share = months[-1] / sum(months)
                    planted = (unit, year) == (town.code("rush"), t.RUSH // 12)
                    assert share > Decimal("0.3") if planted else share < Decimal("0.2"), (unit, year)


def test_figures_look_like_those_of_a_real_city(town: Town) -> None:
    months = range(2025 * 12, 2025 * 12 + 12)
    area = town.known.add(town.known.gross(months[-1]), "990000", months[-1:])
    assert 15 < town.known.add(town.known.kgce, "990000", months) / area < 22
    heads = town.known.add(town.known.counted("staff", lambda _: True, lambda r: r.actual_staff), "990000", months[-1:])
    assert 25_000 < town.known.add(town.known.op_cost, "990000", months) / heads < 60_000
    cars = town.known.add(town.known.held, "990000", months[-1:])
    assert Decimal("0.2") < town.known.add(town.known.held_nev, "990000", months[-1:]) / cars < Decimal("0.45")
    assert 15_000 < town.known.add(town.known.running, "990000", months) / cars < 40_000


@pytest.mark.parametrize(("seed", "units", "months"), [(1, 12, 34), (2, 33, 34), (3, 14, 15), (5, 63, 2)])
def test_other_cities_tell_their_stories_too(seed: int, units: int, months: int) -> None:
    world = simulate(seed, months, units)
    exports = outbox(world)
    events = {event.id: event for event in tell_all(Teller(world, exports))}
    assert all(event.checks for event in events.values())
    assert exports[-1].recorded_at <= world.until
    if months == 34:
        assert set(events) == {plot.id for plot in PLOTS}
        alive = until_now(exports).under("990000", world.last)
        assert sum(until_now(exports).units[code].scope_energy for code in alive) == units
        loud = [c for event in events.values() for c in event.checks if c["type"] == "warning"]
        assert len(loud) == 14
        for check in loud:
            least = {"three_public_over": 100, "budget_item_over": 100, "dec_spend_share": 30}.get(check["rule"], 0)
            assert float(str(check["value"])) > least, check
