"""How the logistics exports look."""

from __future__ import annotations

from samples.city.forms import Column, Form, field_of, month_words, name_of, plain, ten_thousands

PROPERTY_REPORT = Form(
    "property_service", "物业服务月报",
    (Column("统计期", month_words), Column("单位名称", name_of()), *plain(building="楼栋编码", supplier="物业公司"),
     Column("服务面积(㎡)", field_of("service_area"), total=True), Column("物业费(元)", field_of("fee"), total=True),
     *plain(staff="服务人员", equipment="设备总数", equipment_ok="完好设备数", inspections_due="计划巡检次数",
            inspections_done="完成巡检次数", visits="服务人次", complaints="投诉件数", own_cost="自管后勤成本(元)",
            score="履约考核得分", score_weight="考核权重", hours_open="会议室可用小时", hours_used="会议室使用小时")),
    remarks=("注：自管后勤成本含自有后勤人员及自办服务费用。",),
)  # fmt: skip

MEALS = Form(
    "catering", "食堂就餐日报",
    (Column("单位名称", name_of()),
     *plain(canteen="食堂名称", served_on="就餐日期", meal="餐次", persons="就餐人数", food_cost="食材成本(元)",
            income="餐费收入(元)", food_waste="厨余量(千克)", sampled="抽检批次", passed="合格批次")),
    encoding="utf-8-sig",
)  # fmt: skip

FUND = Form(
    "housing_fund", "住房公积金运行月报",
    (Column("统计期", month_words), Column("中心名称", name_of()),
     *(Column(f"{heading}(万元)", ten_thousands(name)) for name, heading in (
         ("collected", "缴存额"), ("withdrawn", "提取额"), ("loaned", "贷款发放额"), ("deposit_balance", "缴存余额"),
         ("loan_balance", "贷款余额"), ("overdue", "逾期额"))),
     *plain(depositors="实缴人数", cases="业务办理量", online_cases="网办量")),
)  # fmt: skip

SERVICE_FORMS: dict[str, Form] = {form.source: form for form in (PROPERTY_REPORT, MEALS, FUND)}
