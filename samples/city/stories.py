"""The planted events and non-events with the answers they must have, told from the files alone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from samples.city import timeline as t
from samples.city.answers import (
    Check,
    answer,
    missing_check,
    silence_check,
    status_check,
    value_check,
    warning_check,
)  # fmt: skip
from samples.city.bodies import DATA, PLATFORM, ROOT
from samples.city.calendar import FIRST, label, month_no
from samples.city.exports import Export
from samples.city.knowledge import Knowledge, months_of, until_now
from samples.city.office import World
from samples.city.organisation import WITHHELD
from samples.city.sheets import first_row
from samples.city.space import AFTER_MERGER, AFTER_MOVE, SUMMER, WINTER


@dataclass(frozen=True)
class Event:
    """One story: since when it can be known, and what must be answered."""

    id: str
    title_zh: str
    title_en: str
    known_from: dt.date
    checks: tuple[Check, ...]
    is_event: bool = True


@dataclass(frozen=True)
class Teller:
    """Everything a story is told from."""

    world: World
    exports: tuple[Export, ...]
    _moments: dict[dt.date, Knowledge] = field(default_factory=dict)
    _now: list[Knowledge] = field(default_factory=list)

    @property
    def now(self) -> Knowledge:
        """All that is known in the end."""
        if not self._now:
            self._now.append(until_now(self.exports))
        return self._now[0]

    def on(self, date: dt.date) -> Knowledge:
        """What was known at the end of a day."""
        if date not in self._moments:
            end = dt.datetime.combine(date, dt.time(23, 59, 59), self.exports[0].recorded_at.tzinfo)
            self._moments[date] = Knowledge(self.exports, end)
        return self._moments[date]

    def code(self, role: str) -> str:
        """Return the unit code of who carries an event, as it is in the end."""
        body = self.world.city.role(role)
        return self.world.city.code_of(body.key, self.world.last, self.world.until)

    def received(self, source: str, month: int) -> dt.date:
        """Return the day on which a month was first reported."""
        return next(
            e.recorded_at.date() for e in self.exports
            if e.source == source and e.months and e.months[0] <= month <= e.months[1]
        )  # fmt: skip

    def value(self, indicator: str, node: str, month: int, grain: str = "month", on: dt.date | None = None) -> Check:
        """Expect a value, now or as known on a day."""
        known = self.now if on is None else self.on(on)
        period = str(month // 12) if grain == "year" else label(month)
        return value_check(known, indicator, node, period, grain, on)

    def told(self, month: int) -> bool:
        """Tell whether a month is part of the story told."""
        return month <= self.world.last


def _overdue(month: int, due_day: int) -> Callable[[Teller], dt.date]:
    """A missing report is known on the day after it was due in the following month."""
    after = month + 1
    return lambda _: dt.date(after // 12, after % 12 + 1, due_day + 1)


Story = Callable[[Teller], Iterator[Check]]


@dataclass(frozen=True)
class Plot:
    """A story before it is told: what it needs to have happened."""

    id: str
    title_zh: str
    title_en: str
    month: int
    known: Callable[[Teller], dt.date]
    tell: Story
    is_event: bool = True


def _day(moment: dt.datetime) -> Callable[[Teller], dt.date]:
    return lambda _: moment.date()


def _report(source: str, month: int) -> Callable[[Teller], dt.date]:
    return lambda teller: teller.received(source, month)


def _eve(date: dt.date) -> dt.date:
    return date - dt.timedelta(days=1)


def _restated(w: Teller) -> Iterator[Check]:
    for node in (w.code("restated"), ROOT):
        yield w.value("op_funds_exp", node, t.RESTATED, on=_eve(t.RESTATED_ON.date()))
        yield w.value("op_funds_exp", node, t.RESTATED, on=t.RESTATED_ON.date())
        yield w.value("op_funds_exp", node, t.RESTATED)


def _merged(w: Teller) -> Iterator[Check]:
    city = w.world.city
    before, month = _eve(t.MERGER_ON.date()), t.MERGER + 1
    for indicator in ("op_funds_exp", "elec_kwh", "veh_count"):
        yield w.value(indicator, city.merged.code, month)
        yield w.value(indicator, city.by_key["culture"].code, month, on=before)
        yield w.value(indicator, city.by_key["sports"].code, month, on=before)
        yield w.value(indicator, ROOT, month, on=before)
        yield w.value(indicator, ROOT, month)
    yield {"type": "status", "indicator": "elec_kwh", "node": city.by_key["sports"].code, "period": label(month),
           "grain": "month", "status": "not_existing", "due": 0, "got": 0}  # fmt: skip


def _formed(w: Teller) -> Iterator[Check]:
    city = w.world.city
    before = _eve(t.NEW_BUREAU_ON.date())
    for indicator in ("op_funds_exp", "elec_kwh"):
        for month in (t.NEW_BUREAU, t.NEW_BUREAU + 1):
            yield w.value(indicator, city.by_key[DATA].code, month)
            yield w.value(indicator, city.by_key["dev"].code, month)
            yield w.value(indicator, city.by_key["dev"].code, month, on=before)
            yield w.value(indicator, ROOT, month)


def _moved(w: Teller) -> Iterator[Check]:
    city = w.world.city
    mover = city.by_key[city.movers()[0]].code
    for node in (mover, ROOT):
        yield w.value("off_gross_area", node, t.MOVE - 1)
        yield w.value("off_gross_area", node, t.MOVE, on=_eve(AFTER_MOVE.date()))
        yield w.value("off_gross_area", node, t.MOVE)


def _platform(w: Teller) -> Iterator[Check]:
    pool = w.world.city.by_key[PLATFORM].code
    for node in (pool, ROOT):
        yield w.value("veh_count", node, t.PLATFORM - 1)
        yield w.value("veh_count", node, t.PLATFORM)
    yield w.value("veh_over_quota", pool, t.PLATFORM)


def _since(indicator: str, role: str, month: int, level: str, rule: str = "") -> Story:
    """A finding that begins in a month: nothing before, then a warning; still there in the end."""

    def tell(w: Teller) -> Iterator[Check]:
        node = w.code(role)
        yield w.value(indicator, node, month - 1)
        yield w.value(indicator, node, month)
        yield warning_check(w.now, rule or indicator, indicator, node, label(month), level)

    return tell


def _register_since(indicator: str, role: str, month: int, level: str, seen: dt.datetime) -> Story:
    """A finding of a register that was exported late: unknown before, then known for the past too."""

    def tell(w: Teller) -> Iterator[Check]:
        yield w.value(indicator, w.code(role), month, on=_eve(seen.date()))
        yield from _since(indicator, role, month, level)(w)

    return tell


def _borrowed(w: Teller) -> Iterator[Check]:
    start, end = t.BORROWED
    yield from _since("veh_borrowed", "borrower", start, "orange")(w)
    lender = w.code("lender")
    yield w.value("veh_count", lender, start - 1)
    yield w.value("veh_count", lender, start)
    if w.told(end):
        yield w.value("veh_borrowed", w.code("borrower"), end)
        yield w.value("veh_count", lender, end)


def _leak(w: Teller) -> Iterator[Check]:
    node, first = w.code("leak"), t.LEAK[0]
    for month in (first - 12, first, *(m for m in (first + 1, first + 2) if w.told(m))):
        yield w.value("water_m3", node, month)
    yield warning_check(w.now, "water_surge", "water_m3", node, label(first), "orange")


def _overrun(w: Teller) -> Iterator[Check]:
    node = w.code("overrun")
    months = range(month_no(t.OVERRUN_YEAR, 1), month_no(t.OVERRUN_YEAR, 12) + 1)
    over = next(m for m in months if _rate(w, "three_public_exec", node, m) > 100)
    yield w.value("three_public_exec", node, over - 1, "ytd")
    yield w.value("three_public_exec", node, over, "ytd")
    yield w.value("three_public_exec", node, months[-1], "ytd")
    yield w.value("three_public_exec", ROOT, months[-1], "ytd")
    yield warning_check(w.now, "three_public_over", "three_public_exec", node, label(over), "red", "ytd")
    item = next(m for m in months if _item_over(w, node, m))
    yield w.value("reception_exp", node, item, "ytd")
    yield warning_check(w.now, "budget_item_over", "budget_exec_rate", node, label(item), "orange", "ytd", "30217")


def _first_overrun(w: Teller) -> dt.date:
    """The overrun is known with the payments of the first month in which the item exceeds its whole year's budget."""
    node = w.code("overrun")
    months = range(month_no(t.OVERRUN_YEAR, 1), month_no(t.OVERRUN_YEAR, 12) + 1)
    return w.received("payment", next(m for m in months if _item_over(w, node, m)))


def _rate(w: Teller, indicator: str, node: str, month: int) -> float:
    return float(answer(w.now, indicator, node, label(month), "ytd").value)


def _item_over(w: Teller, node: str, month: int) -> bool:
    found = answer(w.now, "budget_exec_rate:30217", node, label(month), "ytd")
    return found.denominator is not None and found.numerator - found.denominator >= 10_000


def _rush(w: Teller) -> Iterator[Check]:
    node = w.code("rush")
    yield w.value("dec_spend_share", node, t.RUSH, "year")
    yield w.value("dec_spend_share", node, t.RUSH - 12, "year")
    yield w.value("dec_spend_share", ROOT, t.RUSH, "year")
    period = str(t.RUSH // 12)
    yield warning_check(w.now, "dec_spend_share", "dec_spend_share", node, period, "orange", "year")


def _retrofit(w: Teller) -> Iterator[Check]:
    node = w.code("retrofit")
    yield w.value("elec_kwh", node, t.RETROFIT - 1, "r12")
    for month in (t.RETROFIT - 12, t.RETROFIT, t.RETROFIT + 3, t.RETROFIT + 11):
        if w.told(month):
            yield w.value("elec_kwh", node, month)
    if w.told(t.RETROFIT + 11):
        yield w.value("elec_kwh", node, t.RETROFIT + 11, "r12")


def _mild(w: Teller) -> Iterator[Check]:
    for month in (month_no(2024, 1), month_no(2025, 1), month_no(2026, 1)):
        if w.told(month):
            yield w.value("heat_gj", ROOT, month)
            yield w.value("en_tce", ROOT, month)


def _custody(w: Teller) -> Iterator[Check]:
    for month in (t.CUSTODY - 1, t.CUSTODY, t.CUSTODY + 1):
        if w.told(month):
            yield w.value("svc_amount", w.code("custody"), month)


def _unreported(w: Teller) -> Iterator[Check]:
    period, late = label(t.NOT_REPORTED), t.LATE_REPORT_ON.date()
    never, slow = w.code("never_reports"), w.code("late_reporter")
    eve = _eve(late)
    for node in (ROOT, never, slow):
        if w.world.until.date() >= late:
            yield status_check(w.on(eve), node, period, eve)
        yield status_check(w.now, node, period)
    yield w.value("elec_kwh", ROOT, t.NOT_REPORTED, on=eve if w.world.until.date() >= late else None)
    yield w.value("elec_kwh", ROOT, t.NOT_REPORTED)
    yield missing_check(never, period)


def _topup(w: Teller) -> Iterator[Check]:
    pool = w.world.city.by_key[PLATFORM].code
    for month in (t.TOPUP - 1, t.TOPUP):
        yield w.value("veh_run_exp", pool, month)


def _shared_meter(w: Teller) -> Iterator[Check]:
    for role in ("meter_first", "meter_second"):
        yield w.value("elec_kwh", w.code(role), month_no(2024, 3))


def _wrong_unit(w: Teller) -> Iterator[Check]:
    wrong = next(e for e in w.exports if not e.believed)
    yield {"type": "quarantine", "file": wrong.path, "reason": "magnitude", "row": first_row(wrong.form)}
    node, mended = w.code("wrong_unit"), t.WRONG_UNIT_MENDED_ON.date()
    period = label(t.WRONG_UNIT)
    if w.world.until.date() >= mended:
        eve = _eve(mended)
        for place in (node, ROOT):
            yield status_check(w.on(eve), place, period, eve)
            yield status_check(w.now, place, period)
        yield w.value("energy_cost", ROOT, t.WRONG_UNIT, on=eve)
        yield w.value("energy_cost", node, t.WRONG_UNIT)
        yield w.value("energy_cost", ROOT, t.WRONG_UNIT)


def _copied(w: Teller) -> Iterator[Check]:
    node = w.code("copied")
    yield w.value("elec_kwh", node, t.COPIED - 1)
    yield w.value("elec_kwh", node, t.COPIED)
    yield warning_check(w.now, "energy_repeat", "elec_kwh", node, label(t.COPIED), "blue")


def _night_duty(w: Teller) -> Iterator[Check]:
    police = w.world.city.by_key["police"].code
    for month in range(FIRST, w.world.last + 1, 6):
        yield w.value("veh_no_order", police, month)
    yield silence_check("veh_no_order", police)


def _parked(w: Teller) -> Iterator[Check]:
    node = w.code("parked")
    yield w.value("veh_count", node, t.PARKED[0] - 1)
    yield w.value("veh_count", node, t.PARKED[0])
    yield silence_check("veh_over_quota", node)
    yield silence_check("veh_no_order", w.world.city.by_key[PLATFORM].code)


def _approved(w: Teller) -> Iterator[Check]:
    node = w.code("approved_room")
    yield w.value("off_over_rooms", node, t.MOVE)
    yield silence_check("off_over_rooms", node)


def _heating(w: Teller) -> Iterator[Check]:
    yield w.value("heat_gj", ROOT, FIRST)
    yield silence_check("en_tce", ROOT)
    yield silence_check("elec_kwh", ROOT)


def _reform(w: Teller) -> Iterator[Check]:
    city = w.world.city
    nodes = [city.by_key["dev"].code, city.merged.code]
    nodes += [city.by_key[DATA].code] if w.world.until >= t.NEW_BUREAU_ON else []
    for node in nodes:
        for indicator in ("water_m3", "elec_kwh", "dec_spend_share", "three_public_exec"):
            yield silence_check(indicator, node)


def _bimonthly(w: Teller) -> Iterator[Check]:
    node = w.code("bimonthly")
    for month in (FIRST, FIRST + 1, FIRST + 12, FIRST + 13):
        if w.told(month):
            yield w.value("water_m3", node, month)
    yield silence_check("water_m3", node)


def _withheld(_: Teller) -> Iterator[Check]:
    yield {"type": "status", "indicator": "elec_kwh", "node": WITHHELD, "period": label(FIRST), "grain": "month",
           "status": "excluded", "due": 0, "got": 0}  # fmt: skip


PLOTS = (
    Plot("restated_month", "支付月份重报", "A month of payments sent again", t.RESTATED, _day(t.RESTATED_ON), _restated),
    Plot("fuel_card_topup", "油卡充值不是消费", "A fuel card is topped up", t.TOPUP,
         _report("vehicle_expense", t.TOPUP), _topup),
    Plot("moved_to_civic_centre", "多家单位迁入市民中心", "Units move into the civic centre", t.MOVE, _day(AFTER_MOVE),
         _moved),
    Plot("over_standard_car", "超标准配备越野车", "A car over price and engine standard", t.OVER_STANDARD_CAR,
         _report("vehicle", t.OVER_STANDARD_CAR),
         _since("veh_over_std", "over_standard_car", t.OVER_STANDARD_CAR, "red")),
    Plot("mild_winter", "暖冬似节能", "A mild winter that only seems to save", month_no(2025, 1),
         _report("energy_use", month_no(2025, 1)), _mild),
    Plot("bureaux_merged", "两局合并（补录）", "Two bureaux merge, recorded late", t.MERGER, _day(t.MERGER_ON), _merged),
    Plot("energy_custody", "能源费用托管", "An energy-custody contract", t.CUSTODY,
         _report("service_payment", t.CUSTODY), _custody),
    Plot("person_with_two_rooms", "一人两处办公室", "One person with two offices", t.TWO_ROOMS, _day(AFTER_MERGER),
         _register_since("off_multi_rooms", "two_rooms", t.TWO_ROOMS, "orange", AFTER_MERGER)),
    Plot("over_quota_class", "公务用车超编", "One car over the quota of its class", t.OVER_QUOTA,
         _report("vehicle", t.OVER_QUOTA), _since("veh_over_quota", "over_quota", t.OVER_QUOTA, "red")),
    Plot("retrofit_saves", "照明空调改造见效", "A retrofit that truly saves", t.RETROFIT,
         _report("energy_use", t.RETROFIT), _retrofit),
    Plot("car_borrowed_from_county", "借用下级单位车辆", "A car borrowed from the county", t.BORROWED[0],
         _report("vehicle", t.BORROWED[0]), _borrowed),
    Plot("lease_beside_vacant", "院内闲置仍租房", "Leasing while own rooms stand vacant", t.LEASE, _day(SUMMER),
         _register_since("off_lease_vacant", "lease", t.LEASE, "red", SUMMER)),
    Plot("copied_month", "照抄上月报表", "Last month's form sent again", t.COPIED, _report("energy_use", t.COPIED),
         _copied),
    Plot("over_standard_room", "办公室面积超标", "An office over the area standard", t.OVER_ROOM, _day(SUMMER),
         _register_since("off_over_rooms", "over_room", t.OVER_ROOM, "red", SUMMER)),
    Plot("water_leak", "供水管网漏损", "A water leak of two months", t.LEAK[0], _report("energy_use", t.LEAK[0]), _leak),
    Plot("bureau_formed", "新组建数据局（补录）", "A bureau is formed, recorded late", t.NEW_BUREAU + 1,
         _day(t.NEW_BUREAU_ON), _formed),
    Plot("yuan_under_ten_thousands", "万元表头填元", "Yuan under a heading of ten thousands", t.WRONG_UNIT,
         _day(t.WRONG_UNIT_ON), _wrong_unit),
    Plot("holiday_trips", "国庆无单出车", "Trips without order in the holiday", t.HOLIDAY_TRIPS,
         _report("trip", t.HOLIDAY_TRIPS), _since("veh_no_order", "holiday_trips", t.HOLIDAY_TRIPS, "red")),
    Plot("units_not_reporting", "能耗月报漏报与迟报", "Units that do not report", t.NOT_REPORTED,
         _overdue(t.NOT_REPORTED, 15), _unreported),
    Plot("retired_room_kept", "退休未腾退办公室", "A retired person keeps the room", t.RETIRED_ROOM, _day(WINTER),
         _register_since("off_retired_rooms", "retired_room", t.RETIRED_ROOM, "yellow", WINTER)),
    Plot("december_rush", "年底突击花钱", "A December rush", t.RUSH, _report("payment", t.RUSH), _rush),
    Plot("reception_overrun", "接待费超预算", "Reception paid beyond its budget", t.RUSH, _first_overrun,
         _overrun),
    Plot("cars_to_platform", "车辆划转公务用车平台", "Cars move to the shared platform", t.PLATFORM,
         _report("vehicle", t.PLATFORM), _platform),
    Plot("shared_meter", "两家共用电表", "Two units share a meter", month_no(2024, 3),
         _report("energy_use", month_no(2024, 3)), _shared_meter),
    Plot("police_night_duty", "公安夜间备勤", "Police duty at night", FIRST, _report("trip", FIRST), _night_duty, False),
    Plot("parked_emergency_cars", "应急车辆停放", "Parked emergency cars", t.PARKED[0],
         _report("vehicle", t.PARKED[0]), _parked, False),
    Plot("approved_oversize_room", "经批准保留的大办公室", "An oversize office kept with approval", t.MOVE,
         _day(AFTER_MOVE), _approved, False),
    Plot("heating_in_january", "一月供暖", "Heating in January", FIRST, _report("energy_use", FIRST), _heating, False),
    Plot("reform_moves_figures", "机构改革划转数据", "A reform moves figures between units", t.MERGER,
         _day(t.MERGER_ON), _reform, False),
    Plot("withheld_body", "涉密单位不纳入", "A body that is named but never counted", FIRST, _report("energy_use", FIRST),
         _withheld, False),
    Plot("bimonthly_water_bill", "双月抄表水费", "A bimonthly water bill", FIRST + 1,
         _report("energy_use", FIRST + 1), _bimonthly, False),
)  # fmt: skip


def tell_all(teller: Teller) -> list[Event]:
    """Tell every story that has happened and been heard of by the end."""
    events = []
    for plot in PLOTS:
        if not teller.told(plot.month):
            continue
        known_from = plot.known(teller)
        if known_from > teller.world.until.date():
            continue
        checks = tuple(plot.tell(teller))
        events.append(Event(plot.id, plot.title_zh, plot.title_en, known_from, checks, plot.is_event))
    return _without_clashes(events)


def _without_clashes(events: list[Event]) -> list[Event]:
    """Where one unit carries several stories, no silence is asked of what another story plants."""
    loud = {(c["indicator"], c["node"]) for event in events for c in event.checks if c["type"] == "warning"}
    return [
        Event(e.id, e.title_zh, e.title_en, e.known_from,
              tuple(c for c in e.checks if c["type"] != "no_warning" or (c["indicator"], c["node"]) not in loud),
              e.is_event)
        for e in events
    ]  # fmt: skip


def covered(teller: Teller, period: str, grain: str) -> bool:
    """Tell whether a period lies wholly in the months told."""
    months = months_of(period, grain)
    return months[0] >= FIRST and months[-1] <= teller.world.last
