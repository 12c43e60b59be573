"""Items of expenditure of the ledger: code, name, project, fund, kind, how many vouchers a month, how much of the rest."""

from __future__ import annotations

from dataclasses import dataclass

GENERAL, OTHER_FUND = "一般公共预算财政拨款", "其他资金"
PUBLIC, STAFF_COST, PROJECT, ACCRUAL = "基本支出-公用", "基本支出-人员", "项目支出", "计提"
DAILY = "日常公用经费"
THREE_PUBLIC = frozenset({"30212", "30217", "30231", "31013"})
OUTSIDE_COST = frozenset({"30226", "30227"})
"""Service items that are not part of the operating cost by default."""
DEPRECIATION = "ZJTX"


@dataclass(frozen=True)
class Item:
    """One budget line a body spends from."""

    code: str
    name: str
    project: str = DAILY
    fund: str = GENERAL
    kind: str = PUBLIC
    lines: tuple[int, int] = (1, 1)
    weight: float = 0.0
    text: str = ""


WATER = Item("30205", "水费", text="自来水费")
POWER = Item("30206", "电费", text="电费")
HEATING = Item("30208", "取暖费", text="取暖及燃气费")
PROPERTY_FEE = Item("30209", "物业管理费", "物业管理服务", kind=PROJECT, text="物业服务费")
RENT = Item("30214", "租赁费", text="办公用房租金")
CAR_RUNNING = Item("30231", "公务用车运行维护费", lines=(2, 3), text="公务用车燃油维修保险")
CAR_PURCHASE = Item("31013", "公务用车购置", "公务用车更新", kind=PROJECT, text="购置公务用车")
RECEPTION = Item("30217", "公务接待费", lines=(1, 2), text="公务接待")
ABROAD = Item("30212", "因公出国（境）费用", "因公出国（境）", kind=PROJECT, text="出国（境）团组")
LARGE_REPAIR = Item("31006", "大型修缮", "办公用房大中修", kind=PROJECT, text="办公用房大中修")
DEPRECIATED = Item(DEPRECIATION, "固定资产折旧和无形资产摊销", "折旧摊销", OTHER_FUND, ACCRUAL, text="计提折旧摊销")
HOUSING_FUND = Item("30113", "住房公积金", "人员经费", kind=STAFF_COST, text="住房公积金")

REST = (
    Item("30201", "办公费", lines=(2, 4), weight=0.115, text="办公用品"),
    Item("30202", "印刷费", weight=0.035, text="文件印刷"),
    Item("30207", "邮电费", lines=(1, 2), weight=0.04, text="通信网络费"),
    Item("30211", "差旅费", lines=(4, 7), weight=0.17, text="差旅报销"),
    Item("30213", "维修(护)费", lines=(1, 3), weight=0.07, text="设备维护"),
    Item("30213", "维修(护)费", "办公用房维修", kind=PROJECT, weight=0.06, text="房屋维修"),
    Item("30215", "会议费", lines=(1, 2), weight=0.03, text="会议费"),
    Item("30216", "培训费", lines=(1, 2), weight=0.045, text="培训费"),
    Item("30228", "工会经费", weight=0.055, text="工会经费"),
    Item("30229", "福利费", weight=0.06, text="福利费"),
    Item("30239", "其他交通费用", weight=0.22, text="公务交通补贴"),
    Item("30299", "其他商品和服务支出", lines=(1, 3), weight=0.10, text="其他支出"),
)
BESIDE = (
    Item("30226", "劳务费", lines=(1, 2), weight=0.07, text="聘用人员劳务"),
    Item("30227", "委托业务费", "专项业务", kind=PROJECT, lines=(1, 2), weight=0.16, text="委托业务"),
    Item("30227", "委托业务费", "专项业务", OTHER_FUND, PROJECT, weight=0.03, text="委托业务"),
    Item("31002", "办公设备购置", "信息化设备更新", kind=PROJECT, weight=0.03, text="购置办公设备"),
)
"""Paid beside the operating cost, as a share of what is left for the rest."""
