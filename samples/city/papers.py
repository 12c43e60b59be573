"""How the registers look that are kept beside the books: cars, guests, meetings, space, assets, norms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from samples.city.forms import Cell, Column, Form, Names, field_of, month_words, name_of, plain

_WHO = Column("单位名称", name_of())

DISPOSAL = Form(
    "vehicle_disposal", "车辆处置台账",
    (*plain(plate="号牌号码"), _WHO, *plain(veh_class="编制类别", bought_on="购置日期", disposed_on="处置日期",
            method="处置方式"), Column("处置收入(元)", field_of("income"), total=True),
     Column("上缴金额(元)", field_of("remitted"), total=True), *plain(approval="处置批准文号", early_approval="提前更新批准文号")),
)  # fmt: skip

RENTAL = Form(
    "vehicle_rental", "租车台账",
    (*plain(rental_no="租车单号"), Column("用车单位", name_of()), *plain(rented_on="租车日期", rental_kind="租车类型",
            days="租用天数", km="里程(公里)", supplier="租赁公司", amount="租车费(元)")),
    encoding="utf-8-sig",
)  # fmt: skip

RECEPTION = Form(
    "reception", "公务接待台账",
    (*plain(reception_no="接待编号"), Column("接待单位", name_of()), *plain(received_on="接待日期",
            guest_unit="来宾单位", letter_no="公函编号", purpose="接待事由", guests="来宾人数", escorts="陪餐人数",
            meals="用餐次数", amount="接待费用(元)", place="接待场所")),
    encoding="gb18030",
)  # fmt: skip

MEETING = Form(
    "meeting", "会议培训台账",
    (*plain(meeting_no="会议培训编号"), Column("主办单位", name_of()), *plain(held_on="举办日期", kind="活动类型",
            grade="类别", persons="参加人数", days="天数", amount="会议培训费用(元)")),
    encoding="utf-8-sig",
)  # fmt: skip

APPROVED = Form(
    "approved_area", "办公用房核定表",
    (_WHO, *plain(room_kind="用房类别"), Column("核定编制", field_of("authorised_staff"), total=True),
     Column("核定面积(㎡)", field_of("approved_area"), total=True),
     *plain(doc_no="批准文号", valid_from="核定日期", valid_to="失效日期")),
)  # fmt: skip

LEASE = Form(
    "space_lease", "办公用房租借台账",
    (*plain(lease_no="租赁合同编号"), _WHO, *plain(direction="租借方式", other_party="对方单位", building="楼栋编码"),
     Column("租借面积(㎡)", field_of("area"), total=True), Column("年租金(元)", field_of("rent_year"), total=True),
     *plain(approval="批准文号", valid_from="租期起", valid_to="租期止")),
)  # fmt: skip

EXEMPTION = Form(
    "space_exemption", "办公用房豁免登记",
    (*plain(building="楼栋编码", room_no="房间号"), Column("使用单位", name_of()), *plain(reason="豁免原因",
            doc_no="批准文号", valid_from="批准日期", valid_to="有效期至")),
)  # fmt: skip

PREMISES = Form(
    "premises_report", "办公用房管理月报",
    (Column("统计期", month_words), _WHO, *plain(planned_checks="计划巡检次数", done_checks="完成巡检次数",
            rooms_checked="核对房间数", rooms_matched="相符房间数", seats="工位数", present="日均到岗人数")),
    encoding="utf-8-sig",
)  # fmt: skip

SPACE_USE = Form(
    "space_disposal", "办公用房处置利用台账",
    (*plain(disposal_no="处置编号"), _WHO, *plain(building="楼栋编码", done_on="处置日期", method="处置利用方式"),
     Column("处置面积(㎡)", field_of("area"), total=True), Column("收入(元)", field_of("income"), total=True),
     Column("上缴金额(元)", field_of("remitted"), total=True), *plain(doc_no="批准文号")),
)  # fmt: skip

ASSET = Form(
    "asset", "资产卡片",
    (Column("统计月份", month_words), *plain(asset_no="资产编号"), _WHO, *plain(name="资产名称", class_code="分类代码",
            class_name="分类名称", quantity="数量", original_value="原值(元)", depreciation="累计折旧(元)",
            net_value="净值(元)", acquired_on="取得日期", life_months="使用月限", status="使用状况",
            from_pool="公物仓调剂", count_result="盘点结果")),
    encoding="gb18030",
)  # fmt: skip

NORM = Form(
    "funds_quota", "公用经费定额表",
    (Column("预算单位名称", name_of()), *plain(quota_class="定额类别", per_head="每人每年定额(元)", doc_no="核定文号",
            valid_from="执行日期", valid_to="失效日期")),
)  # fmt: skip


def _month(place: int) -> Callable[[Any, Names], Cell]:
    """Return what a plan given by month says of one; the others leave it blank."""
    return lambda row, _: row.months[place] if row.months else None


PLAN = Form(
    "plan", "年度计划表",
    (Column("计划单位", name_of()), *plain(indicator="计划指标", year="计划年度", version="计划版本号", value="全年计划数"),
     Column("计划数单位", lambda *_: "万元"), *plain(split="分解方式", approved_on="下达日期"),
     Column("下达部门", lambda *_: "模拟市财政局"), *plain(reason="调整原因"),
     *(Column(f"{place + 1}月计划", _month(place)) for place in range(12))),
    encoding="utf-8-sig",
)  # fmt: skip

PAPERS: dict[str, Form] = {
    form.source: form
    for form in (
        DISPOSAL, RENTAL, RECEPTION, MEETING, APPROVED, LEASE, EXEMPTION, PREMISES, SPACE_USE, ASSET, NORM, PLAN,
    )
}  # fmt: skip
