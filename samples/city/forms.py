"""How each export looks: headings, the cell of each column, titles, unit notes, totals and remarks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from samples.city.records import CARRIERS, Energy

Cell = str | int | Decimal | dt.date | dt.datetime | None
Names = Mapping[str, str]
TEN_THOUSAND = Decimal(10000)


@dataclass(frozen=True)
class Column:
    """One column: its heading, the words above it, how its cell is made, whether it is added up."""

    heading: str
    cell: Callable[[Any, Names], Cell]
    above: str = ""
    total: bool = False


@dataclass(frozen=True)
class Form:
    """One kind of export. `encoding` makes it a csv; else it is a workbook with title, note, totals and remarks."""

    source: str
    title: str
    columns: tuple[Column, ...]
    encoding: str = ""
    note: str = ""
    remarks: tuple[str, ...] = ()
    short_names: bool = False


def field_of(name: str) -> Callable[[Any, Names], Cell]:
    def cell(row: Any, _: Names) -> Cell:
        value = getattr(row, name)
        return ("是" if value else "否") if isinstance(value, bool) else value

    return cell


def name_of(field: str = "unit") -> Callable[[Any, Names], Cell]:
    return lambda row, names: names[getattr(row, field)]


def month_words(row: Any, _: Names) -> Cell:
    return f"{row.month // 12}年{row.month % 12 + 1}月"


def _compact_month(row: Any, _: Names) -> Cell:
    return f"{row.month // 12}{row.month % 12 + 1:02d}"


def _digits(field: str) -> Callable[[Any, Names], Cell]:
    """A long number with the tab that keeps spreadsheets from rounding it."""
    return lambda row, _: f"{getattr(row, field)}\t"


def ten_thousands(field: str) -> Callable[[Any, Names], Cell]:
    return lambda row, _: (getattr(row, field) / TEN_THOUSAND).normalize()


def _grouped(field: str) -> Callable[[Any, Names], Cell]:
    return lambda row, _: f"{getattr(row, field):,.2f}"


def _words(field: str, pattern: str) -> Callable[[Any, Names], Cell]:
    return lambda row, _: "" if getattr(row, field) is None else format(getattr(row, field), pattern)


def _zh_date(field: str) -> Callable[[Any, Names], Cell]:
    def cell(row: Any, _: Names) -> Cell:
        date = getattr(row, field)
        return "" if date is None else f"{date.year}年{date.month}月{date.day}日"

    return cell


def _dotted(field: str) -> Callable[[Any, Names], Cell]:
    return lambda row, _: "" if (d := getattr(row, field)) is None else f"{d.year}.{d.month}.{d.day}"


def _dashed(field: str) -> Callable[[Any, Names], Cell]:
    return lambda row, _: "—" if getattr(row, field) in (None, "") else getattr(row, field)


def plain(**headings: str) -> tuple[Column, ...]:
    return tuple(Column(heading, field_of(name)) for name, heading in headings.items())


ORG_UNIT = Form(
    "org_unit", "组织机构名录",
    (*plain(code="单位代码", name="单位名称", short_name="简称", parent="上级单位代码", level="层级", kind="单位性质",
           protocol_order="机构序列", climate="气候区"),
     Column("生效日期", field_of("valid_from")), Column("失效日期", field_of("valid_to")),
     *plain(aliases="曾用名", scope_cost="纳入成本统计", scope_vehicle="纳入公务用车", scope_space="纳入办公用房",
             scope_energy="纳入节能名录", scope_service="纳入后勤服务", excluded="不纳入")),
    remarks=("注：失效日期为停止使用该代码的首日。",),
)  # fmt: skip

STAFF = Form(
    "staff", "人员编制月报",
    (Column("单位代码", field_of("unit")), Column("单位名称", name_of()),
     Column("编制人数", field_of("authorised_staff"), total=True), Column("实有人数", field_of("actual_staff"), total=True),
     Column("用能人数", field_of("energy_headcount"), total=True),
     Column("编外人数", field_of("outside_staff"), total=True)),
    remarks=("注：用能人数含编外及日均办事人员。", "填表人：综合科    审核人：办公室"),
)  # fmt: skip

STAFF_SPAN = Form(
    "staff", "人员编制月报（更正）", (Column("统计期", month_words), *STAFF.columns), remarks=("注：因机构改革更正。",)
)

BUDGET = Form(
    "budget", "部门预算指标",
    (Column("预算单位编码", field_of("unit")), Column("预算单位名称", name_of()), Column("年度", field_of("year")),
     *plain(item_code="部门经济分类编码", item_name="部门经济分类名称", project="项目名称", fund="资金来源",
             exp_kind="支出类型", version="预算版本号"),
     Column("批复日期", _zh_date("approved_on")), Column("预算数", ten_thousands("amount"), total=True)),
    note="单位：万元", remarks=("注：同一指标以最新版本为准。",),
)  # fmt: skip

PAYMENT = Form(
    "payment", "支付明细",
    (Column("凭证号", _digits("voucher")), Column("行号", field_of("line")), Column("预算单位编码", _digits("unit")),
     Column("预算单位名称", name_of()), Column("支付日期", field_of("paid_on")),
     *plain(item_code="部门经济分类编码", item_name="部门经济分类名称", function_code="功能分类", project="项目名称",
             fund="资金来源", exp_kind="支出类型", amount="金额(元)", contract_no="合同编号", summary="摘要")),
    encoding="gb18030",
)  # fmt: skip

VEHICLE = Form(
    "vehicle", "公务用车台账",
    (Column("统计月份", _compact_month), Column("单位名称", name_of()),
     *plain(plate="号牌号码", vin="车辆识别代号", model="品牌型号", body="车辆类型", veh_class="编制类别"),
     Column("排气量(L)", _dashed("displacement")), Column("燃料种类", field_of("fuel")),
     Column("购置日期", field_of("bought_on")), Column("购置价格(万元)", ten_thousands("price"), total=True),
     Column("注册登记日期", _dotted("registered_on")),
     *plain(status="车辆状态", owner="产权单位", approval="批准文号", marking="标识化", on_platform="纳入平台",
             inspection_due="年检到期日", insurance_due="保险到期日", holiday_seal="节假日封存", days_available="可用天数",
             days_used="出车天数", device_days="终端应在线天数", online_days="终端在线天数")),
    remarks=("注：纯电动汽车不填排气量。",),
)  # fmt: skip

VEHICLE_CSV = replace(VEHICLE, encoding="gb18030")
"""The same register straight from the platform, as it comes between the quarters."""

VEHICLE_QUOTA = Form(
    "vehicle_quota", "公务用车编制核定表",
    (Column("单位名称", name_of()), Column("编制类别", field_of("veh_class")),
     Column("编制数", field_of("quota"), total=True), Column("批准文号", field_of("doc_no")),
     Column("批准日期", field_of("valid_from")), Column("失效日期", field_of("valid_to"))),
)  # fmt: skip

TRIP = Form(
    "trip", "行驶记录",
    (*plain(order_no="派车单号"), Column("用车单位", name_of()), Column("号牌号码", field_of("plate")),
     Column("出车时间", _words("started_at", "%Y-%m-%d %H:%M")), Column("还车时间", _words("ended_at", "%Y-%m-%d %H:%M")),
     *plain(km="里程(公里)", purpose="事由", duty="备勤值班", origin_place="出发地", destination="目的地",
             veh_class="编制类别", fuel="燃料种类", time_kind="用车时段", sensitive_stops="敏感区域停留次数")),
    encoding="utf-8-sig",
)  # fmt: skip

VEHICLE_EXPENSE = Form(
    "vehicle_expense", "车辆费用",
    (*plain(receipt_no="票据号", plate="号牌号码"), Column("单位名称", name_of()),
     *plain(kind="费用类型", spent_on="发生日期", quantity="数量(升)", unit_price="单价", amount="金额(元)",
             odometer="里程表读数", veh_class="编制类别", fuel="燃料种类", designated="是否定点", alert="异常标记")),
    encoding="gb18030",
)  # fmt: skip

BUILDING = Form(
    "building", "房屋台账",
    (*plain(code="房屋编码", name="建筑名称", compound="院落名称", address="坐落", built_year="建成年份", floors="层数"),
     Column("使用单位", name_of()),
     Column("建筑面积(㎡)", field_of("gross_area"), total=True), Column("使用面积(㎡)", field_of("usable_area"), total=True),
     Column("采暖面积(㎡)", field_of("heated_area"), total=True),
     *plain(registrable="应办权属登记", title_no="产权证号", tenure="权属性质", valid_from="启用日期",
             valid_to="停用日期", use_doc="使用凭证号", central="集中办公区")),
)  # fmt: skip

ROOM = Form(
    "room", "房间台账",
    (*plain(building="楼栋编码", floor="楼层", room_no="房间号", room_kind="用途", usable_area="使用面积(㎡)"),
     Column("使用单位", name_of()),
     *plain(person_no="人员编号", rank="职务级别", persons="使用人数", occupant_state="人员状态", status="使用状态",
             tenure="房源", compound="院落名称", approval="保留批准文号", valid_from="分配日期", valid_to="腾退日期")),
    encoding="gb18030",
)  # fmt: skip

_ENERGY_HEADS = {
    "electricity": ("电", "电(千瓦时)", "电费"), "water": ("水", "水(吨)", "水费"),
    "natural_gas": ("燃气", "天然气(立方米)", "天然气费"), "coal_raw": ("煤炭", "煤炭(吨)", "煤炭费"),
    "gasoline": ("车用燃料", "汽油(升)", "汽油费"), "diesel": ("车用燃料", "柴油(升)", "柴油费"),
    "heat": ("集中供热", "热力(吉焦)", "热力费"), "pv": ("可再生能源", "光伏发电量(千瓦时)", ""),
    "green_power": ("可再生能源", "绿电(千瓦时)", ""), "diesel_other": ("其他用油", "其他用途柴油(升)", "其他用途柴油费"),
}  # fmt: skip
_WRITTEN_PER = {"coal_raw": 1000}
"""Kilograms of the stored unit in the unit of the heading: coal is written in tons."""


def _quantity(place: int) -> Callable[[Energy, Names], Cell]:
    per = _WRITTEN_PER.get(CARRIERS[place], 1)
    return lambda row, _: None if (quantity := row.uses[place].quantity) is None else quantity / per


def _cost(place: int, divisor: int) -> Callable[[Energy, Names], Cell]:
    return lambda row, _: None if (cost := row.uses[place].cost) is None else cost / divisor


def _energy_columns(unit: str, divisor: int) -> tuple[Column, ...]:
    columns = [Column("统计期", month_words), Column("单位名称", name_of())]
    for place, carrier in enumerate(CARRIERS):
        above, quantity, cost = _ENERGY_HEADS[carrier]
        columns.append(Column(quantity, _quantity(place), above, total=True))
        if cost:
            columns.append(Column(f"{cost}({unit})", _cost(place, divisor), above, total=True))
    return (*columns, Column("分摊", field_of("shared")))


ENERGY_USE = Form(
    "energy_use", "公共机构能源资源消费月报", _energy_columns("元", 1),
    remarks=("注：1.水按双月抄表的单位于抄表月填报。", "2.分摊指与其他单位共用计量表。"), short_names=True,
)  # fmt: skip

ENERGY_IN_TEN_THOUSANDS = Form(
    "energy_use", "公共机构能源资源消费月报", _energy_columns("万元", 10000), short_names=True
)
"""The form of a clerk who kept last year's workbook: costs are headed 万元."""

METER_MONTH = Form(
    "meter_month", "电表月读数",
    (Column("表号", field_of("meter_no")), Column("统计期", month_words), Column("单位名称", name_of()),
     Column("楼栋编码", field_of("building")), Column("能源品种", lambda *_: "电"),
     *plain(previous="上次读数", current="本次读数", ratio="倍率", quantity="用量", sub_item="分项代码"),
     *plain(night="夜间用量(0-5时)", by_day="日间用量(9-17时)")),
    encoding="gb18030",
)  # fmt: skip

SERVICE_CONTRACT = Form(
    "service_contract", "后勤服务合同台账",
    (Column("合同编号", field_of("contract_no")), Column("单位名称", name_of()),
     *plain(service_kind="服务类别", supplier="供应商"),
     Column("合同金额(万元)", ten_thousands("amount"), total=True),
     Column("开始日期", _zh_date("valid_from")), Column("终止日期", _zh_date("valid_to"))),
)  # fmt: skip

SERVICE_PAYMENT = Form(
    "service_payment", "后勤服务付款",
    (*plain(voucher="凭证号", contract_no="合同编号"), Column("单位名称", name_of()), Column("付款日期", field_of("paid_on")),
     *plain(service_kind="服务类别", supplier="供应商"), Column("金额(元)", _grouped("amount"))),
    encoding="utf-8-sig",
)  # fmt: skip

WORK_ORDER = Form(
    "work_order", "报修工单",
    (Column("工单号", field_of("order_no")), Column("报修单位", name_of()), Column("楼栋编码", field_of("building")),
     Column("报修类别", field_of("kind")), Column("报修时间", _words("reported_at", "%Y/%m/%d %H:%M")),
     Column("完成时间", _words("closed_at", "%Y/%m/%d %H:%M")), Column("时限(小时)", field_of("sla_hours"))),
    encoding="utf-8-sig",
)  # fmt: skip

EVALUATION = Form(
    "evaluation", "后勤服务满意度评价",
    (Column("统计期", month_words), Column("单位名称", name_of()), *plain(service_kind="服务类别"),
     Column("平均得分", field_of("score")), Column("评价人数", field_of("votes"), total=True)),
)  # fmt: skip

FORMS: dict[str, Form] = {
    form.source: form
    for form in (
        ORG_UNIT, STAFF, BUDGET, PAYMENT, VEHICLE, VEHICLE_QUOTA, TRIP, VEHICLE_EXPENSE, BUILDING, ROOM, ENERGY_USE,
        METER_MONTH, SERVICE_CONTRACT, SERVICE_PAYMENT, WORK_ORDER, EVALUATION,
    )
}  # fmt: skip
