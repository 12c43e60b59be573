# ruff: noqa: ARG002
"""A store made of invented figures, for developing and testing the screens. Never part of the package."""

from __future__ import annotations

import datetime as dt
import math
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal

from callbacks.desk import DeskView, Waiting
from callbacks.entry import Entry, Part
from callbacks.language import Language
from callbacks.services import (
    Alarm,
    Batch,
    Doubtful,
    Due,
    IndicatorCard,
    Landing,
    LandingPoint,
    Mark,
    Node,
    Refused,
    Services,
    StoreFacts,
    Tree,
    Version,
    Viewer,
)
from metrics.diff import Difference, Moved
from metrics.drill import DrillRow, DrillRows
from metrics.model import Answer, Query
from warehouse.base.errors import StoreError
from warehouse.base.periods import Period, month_label, windows
from warehouse.operations.handover import HandoverRow
from warehouse.reach import Reach
from warehouse.submissions import Submission

NOW = dt.datetime(2025, 11, 3, 6, 26, tzinfo=dt.UTC)
LATEST = "2025-10"
FIRST_SEQ_DAY = dt.date(2023, 1, 16)

_UNITS = [
    "市委办公室",
    "纪委监委机关",
    "组织部",
    "宣传部",
    "人大办公室",
    "政协办公室",
    "市政府办公室",
    "发展改革委",
    "教育局",
    "工业和信息化局",
    "公安局",
    "民政局",
    "司法局",
    "财政局",
    "人力资源和社会保障局",
    "自然资源局",
    "生态环境局",
    "住房城乡建设局",
    "交通运输局",
    "水利局",
    "农业农村局",
    "商务局",
    "文化旅游局",
    "卫生健康委",
    "应急管理局",
    "审计局",
    "市场监管局",
    "统计局",
    "医疗保障局",
    "数据局",
    "机关事务局",
    "中级人民法院",
    "人民检察院",
    "总工会",
    "团市委",
    "妇女联合会",
    "市委党校",
    "档案馆",
    "图书馆",
    "政务服务中心",
]
_SHAPES: dict[str, tuple[str, str, str, str, str, float, str]] = {
    # id: theme, zh, en, unit, better, monthly or standing size, kind
    "op_funds_exp": ("cost", "机关运行经费", "Operating funds", "万元", "lower", 3420, "flow"),
    "op_cost_total": ("cost", "机关运行成本总额", "Operating cost", "万元", "lower", 5100, "flow"),
    "op_cost_per_capita": ("cost", "人均机关运行成本", "Cost per head", "元/人", "lower", 7200, "flow"),
    "budget_exec_rate": ("cost", "预算执行率", "Budget execution", "%", "band", 7.89, "flow"),
    "three_public_total": ("cost", "三公经费合计", "Three public expenses", "万元", "lower", 140, "flow"),
    "three_public_exec": ("cost", "三公预算执行率", "Three public execution", "%", "band", 7.1, "flow"),
    "veh_count": ("vehicle", "车辆保有量", "Fleet", "辆", "lower", 612, "stock"),
    "veh_quota_rate": ("vehicle", "编制使用率", "Quota use", "%", "band", 95.6, "stock"),
    "veh_nev_share": ("vehicle", "新能源车占比", "NEV share", "%", "higher", 41.2, "stock"),
    "veh_cost_per_veh": ("vehicle", "单车运行费", "Cost per vehicle", "元/辆", "lower", 2150, "flow"),
    "off_area_per_head": ("space", "人均办公室使用面积", "Office area per head", "m²/人", "lower", 11.8, "stock"),
    "off_vacancy_rate": ("space", "闲置率", "Vacancy rate", "%", "lower", 4.1, "stock"),
    "off_title_rate": ("space", "权属登记率", "Title registration", "%", "higher", 91.0, "stock"),
    "en_tce": ("energy", "能源消费总量", "Energy use", "tce", "lower", 412, "flow"),
    "en_per_area": ("energy", "单位建筑面积能耗", "Energy per area", "kgce/m²", "lower", 0.846, "flow"),
    "en_nonheat_per_area": (
        "energy",
        "单位面积非供暖能耗",
        "Energy per area without heating",
        "kgce/m²",
        "lower",
        0.846,
        "flow",
    ),
    "en_per_head": ("energy", "人均综合能耗", "Energy per head", "kgce/人", "lower", 62.0, "flow"),
    "water_per_head": ("energy", "人均用水量", "Water per head", "m³/人", "lower", 1.9, "flow"),
    "co2_per_area": ("energy", "单位面积碳排放", "Carbon per area", "kgCO₂/m²", "lower", 3.1, "flow"),
    "elec_kwh": ("energy", "用电量", "Electricity", "kWh", "lower", 2_612_400, "flow"),
    "elec_per_area": ("energy", "单位面积电耗", "Electricity per area", "kWh/m²", "lower", 6.8, "flow"),
    "energy_cost": ("energy", "能源资源费用", "Energy cost", "万元", "lower", 288, "flow"),
    "svc_amount": ("service", "购买服务支出", "Service spending", "万元", "neutral", 655, "flow"),
    "svc_satisfaction": ("service", "服务满意度", "Satisfaction", "分", "higher", 91.4, "stock"),
    "svc_ontime": ("service", "报修及时完成率", "Repairs on time", "%", "higher", 96.2, "stock"),
}
_SEASON = (1.35, 1.1, 1.0, 0.82, 0.8, 0.95, 1.25, 1.3, 0.95, 0.8, 0.95, 1.25)
_DIMS = {
    "energy": ("carrier", ("electricity", "heat", "natural_gas", "gasoline", "water")),
    "cost": (
        "item_name",
        ("物业管理费", "维修（护）费", "办公费", "公务用车运行维护费", "水费", "差旅费", "培训费", "会议费"),
    ),
}


def _share(*keys: object) -> float:
    return (zlib.crc32("|".join(map(str, keys)).encode()) % 10_000) / 10_000


@dataclass(frozen=True)
class FakeSession:
    """Answers every question with figures derived from the names in it."""

    viewer: Viewer
    facts: StoreFacts
    cards: dict[str, IndicatorCard]
    nodes: Tree

    @property
    def now(self) -> dt.datetime:
        return NOW

    def indicators(self) -> dict[str, IndicatorCard]:
        return self.cards

    def entry(self, indicator: str, words: Language) -> Entry | None:
        if indicator not in self.cards:
            return None
        card = self.cards[indicator]
        formula = Part("formula", words.say("entry.formula"), code="a / b")
        return Entry(card.id, card.names[words.code], card.unit, (formula,))

    def tree(self, known_at: dt.datetime | None, tree: str) -> Tree:
        return self.nodes

    def latest_period(self, known_at: dt.datetime | None) -> str | None:
        if known_at is None:
            return LATEST
        if known_at.date() < FIRST_SEQ_DAY:
            return None
        return min(LATEST, f"{known_at.year:04d}-{known_at.month:02d}")

    def known_days(self) -> tuple[dt.date, ...]:
        return tuple(dt.date(2023 + m // 12, m % 12 + 1, 15) for m in range(35))

    def evaluate(self, queries: Sequence[Query]) -> tuple[Answer, ...]:
        return tuple(answer for query in queries for answer in self._answers(query))

    def _answers(self, query: Query) -> Iterator[Answer]:
        start, end = Period.parse(query.period_from), Period.parse(query.period_to)
        for indicator in query.indicators:
            for node in query.nodes:
                for window in windows(query.grain, start.from_m, end.to_m):
                    if query.by == "children":
                        for child in self.nodes.children(node):
                            yield self._one(query, indicator, child.code, window, None, None)
                    elif query.by:
                        for value in _DIMS.get(self.cards[indicator].theme, ("", ()))[1]:
                            yield self._one(query, indicator, node, window, query.by, value)
                    else:
                        yield self._one(query, indicator, node, window, None, None)

    def _one(self, query: Query, indicator: str, node: str, window, dim, dim_value) -> Answer:
        base = indicator.removesuffix("_yoy")
        card = self.cards.get(base)
        status = "ok"
        value: float | None = None
        numerator: float | None = None
        denominator: float | None = None
        if card is None or not card.has_source:
            status = "no_source"
        elif indicator.endswith("_yoy"):
            before = self._value(base, node, window.shifted(12), dim_value)
            value = (self._value(base, node, window, dim_value) / before - 1) * 100
        else:
            value = self._value(base, node, window, dim_value)
            numerator, denominator = value * 6.4, 640.0
        count = max(len(self.nodes.children(node)), 1)
        got = count - (2 if base.startswith("en_") and count > 1 else 0)
        if card is not None and status == "ok" and got < count:
            status = "incomplete"
        return Answer(
            indicator=indicator, node=node, node_name=self.nodes.name(node), dim=dim, dim_value=dim_value,
            period=window.label, grain=query.grain, value=value, numerator=numerator, denominator=denominator,
            unit="%" if indicator.endswith("_yoy") else (card.unit if card else ""), due=count, got=got, status=status,
            fingerprint="f0", through_seq=self.facts.through_seq, known_at=query.known_at, tree=query.tree,
            origin=self.facts.origin,
        )  # fmt: skip

    def _value(self, indicator: str, node: str, window, dim_value: str | None) -> float:
        theme, _, _, unit, _, _size, kind = _SHAPES[indicator]
        months = [self._month(indicator, node, m) for m in range(window.from_m, window.to_m)]
        value = months[-1] if kind == "stock" else sum(months)
        if dim_value is not None:
            names = _DIMS[theme][1]
            value *= (len(names) - names.index(dim_value)) ** 2 / sum(n * n for n in range(1, len(names) + 1))
        additive = "/" not in unit and unit not in ("%", "分")
        if node != self.nodes.root:
            spread = 0.6 + 0.8 * _share(indicator, node)
            value *= spread / len(self.nodes.children(self.nodes.root)) if additive else spread
            value = min(value, 100.0) if unit == "%" and kind == "stock" else value
        return float(round(value)) if unit in ("辆", "间") else value

    def _month(self, indicator: str, node: str, month: int) -> float:
        theme, *_, size, kind = _SHAPES[indicator]
        trend = (
            1 + (0.012 if indicator in ("off_area_per_head", "svc_satisfaction") else -0.03) * (month - 2025 * 12) / 12
        )
        wave = _SEASON[month % 12] if theme == "energy" and kind == "flow" else 1 + 0.08 * math.sin(month * 1.7)
        noise = 1 + 0.03 * (_share(indicator, node, month) - 0.5)
        return size * trend * noise * (wave if kind == "flow" else 1 + 0.01 * math.sin(month))

    def warnings(self, node: str, known_at: dt.datetime | None) -> tuple[Alarm, ...]:
        found = [alarm for alarm in _alarms(self.nodes) if self.cards.get(alarm.indicator, _NONE).has_source]
        return tuple(a for a in found if node in (self.nodes.root, a.node))

    def landings(self, node: str, known_at: dt.datetime | None) -> tuple[Landing, ...]:
        return tuple(self._landing(i, node) for i in ("op_funds_exp", "en_tce") if self.cards[i].has_source)

    def _landing(self, indicator: str, node: str) -> Landing:
        start = 2025 * 12
        points, this, last = [], 0.0, 0.0
        for month in range(12):
            this += self._month(indicator, node, start + month)
            last += self._month(indicator, node, start + month - 12)
            wide = this * 0.012 * max(0, month - 9)
            seen = month <= 9
            points.append(
                LandingPoint(
                    month_label(start + month),
                    this if seen else None,
                    last,
                    None if month < 9 else this,
                    None if month < 9 else this - wide,
                    None if month < 9 else this + wide,
                    None if month < 9 else this - 1.6 * wide,
                    None if month < 9 else this + 1.6 * wide,
                )
            )
        card = self.cards[indicator]
        return Landing(indicator, card.names, node, 2025, card.unit, tuple(points), this * 1.01, 0.41, "ok")

    def marks(self, indicator: str, node: str, period: str, known_at: dt.datetime | None) -> tuple[Mark, ...]:
        if indicator == "en_nonheat_per_area":
            return (Mark("guide", 7.4), Mark("base", 9.6), Mark("limit", 12.2))
        return ()

    def drill(self, query: Query, limit: int) -> DrillRows:
        answer = next(iter(self._answers(query)))
        parts = [Decimal(str(round(float(answer.numerator or 0) / 12, 2)))] * 12
        rows = tuple(
            DrillRow(
                "numerator", "elec", "energy_use", answer.node, answer.node_name, query.period_to, "electricity",
                f"能耗上报_{query.period_to}.xlsx", "能耗", 4 + n, part, part,
            )
            for n, part in enumerate(parts)
        )  # fmt: skip
        total = sum(parts, Decimal(0))
        return DrillRows(replace(answer, numerator=total, denominator=None), rows, len(rows), total, None)

    def diff(self, query: Query, then: dt.datetime) -> tuple[Difference, ...]:
        found = []
        for now in self.evaluate([query]):
            if now.value is not None and _share(now.indicator, now.node, "diff") > 0.6:
                before = replace(now, value=float(now.value) * 0.985, known_at=then)
                moved = Moved(1283, "能耗上报_更正.xlsx", Decimal(1), None)
                found.append(Difference(before, now, (moved,)))
        return tuple(found)

    def labels(self, dim: str) -> dict[str, str]:
        return {}

    def batches(self, limit: int) -> tuple[Batch, ...]:
        return tuple(
            Batch(1284 - n, "energy_use", f"能耗上报_2025{10 - n:02d}.xlsx", {"zh": "能耗月报", "en": "Energy"}, NOW - dt.timedelta(days=n * 9), "值班员",
                  "load", "2025-09", "2025-09", 480 + n, 470, 6, 2, 2 + n, 0)
            for n in range(9)
        )[:limit]  # fmt: skip

    def doubts(self, node: str, known_at: dt.datetime | None, limit: int) -> tuple[Doubtful, ...]:
        return (
            Doubtful(
                "A", "市财政局", "2025-09", {"zh": "能耗月报", "en": "Energy"}, "能耗上报_202509.xlsx", "能耗", 7,
                "40000 / 28000", "能耗上报_202508.xlsx 7",
                {"zh": "与上月完全相同", "en": "The very figures of the month before"}, "表计故障", "小李",
            ),
        )[:limit]  # fmt: skip

    def quarantine(self, limit: int) -> tuple[Refused, ...]:
        return (
            Refused(
                "energy_use",
                "能耗上报_202510.xlsx",
                "能耗",
                18,
                "电(千瓦时)",
                "约4万",
                {"zh": "不是数字，写成 40000", "en": "Not a number"},
                NOW,
            ),
            Refused(
                "trip",
                "行驶记录_202510.csv",
                "",
                2211,
                "用车单位",
                "市监局",
                {"zh": "没有这个单位，是不是“市场监管局”", "en": "Unknown unit"},
                NOW,
            ),
        )

    def desk(self) -> DeskView:
        return DeskView("token")

    def reach(self) -> Reach:
        return Reach()

    def units_below(self, node: str) -> frozenset[str]:
        return frozenset({node})

    def owns_unknown(self, node: str) -> bool:
        return node == "R"

    def submissions(self, node: str, first: str, last: str) -> tuple[Submission, ...]:
        return ()

    def waiting(self, node: str) -> tuple[Waiting, ...]:
        return ()

    def still_waiting(self, row: HandoverRow) -> int:
        return 0

    def due_list(self, node: str, period: str, known_at: dt.datetime | None) -> tuple[Due, ...]:
        rows = (
            ("energy_use", "能耗月报", "Energy report", "energy", 58, ("档案馆", "市委党校")),
            ("vehicle", "车辆台账", "Vehicle register", "vehicle", 59, ("公安局",)),
            ("payment", "支付明细", "Payments", "cost", 60, ()),
            ("room", "房间台账", "Rooms", "space", 60, ()),
        )
        themes = {card.theme for card in self.cards.values() if card.has_source}
        return tuple(
            Due(
                i,
                {"zh": zh, "en": en},
                theme,
                period,
                60,
                got,
                missing,
                dt.date(2025, 11, 15),
                "ok" if got == 60 else "late",
            )
            for i, zh, en, theme, got, missing in rows
            if theme in themes
        )


_NONE = IndicatorCard("", "", {}, "", "neutral", "", False)


def _alarms(tree: Tree) -> tuple[Alarm, ...]:
    rows = (
        (
            "veh_over_quota",
            "vehicle",
            "veh_quota_rate",
            "U11",
            3,
            "辆",
            "red",
            "执法执勤车超编",
            "Over vehicle quota",
            0,
        ),
        (
            "off_over_rooms",
            "space",
            "off_area_per_head",
            "U08",
            5,
            "间",
            "orange",
            "办公室超标",
            "Over-standard rooms",
            0,
        ),
        (
            "off_lease_vacant",
            "space",
            "off_vacancy_rate",
            "U27",
            1,
            "处",
            "orange",
            "租用而同院有闲置",
            "Lease while vacant",
            0,
        ),
        ("water_m3", "energy", "en_per_area", "U24", 2.3, "倍", "yellow", "用水为去年同月两倍以上", "Water doubled", 2),
        ("budget_pace", "cost", "budget_exec_rate", "U14", 88.4, "%", "yellow", "会议费超进度", "Ahead of pace", 83.3),
        ("missing_report", "energy", "en_tce", "U38", None, "", "blue", "能耗月报未报", "Report missing", None),
        ("missing_report", "energy", "en_tce", "U37", None, "", "blue", "能耗月报未报", "Report missing", None),
    )
    return tuple(
        Alarm(rule, theme, indicator, node, tree.name(node), "2025-10", "month", value, unit, level,
              {"zh": zh, "en": en}, limit, "threshold", "", NOW - dt.timedelta(days=3 + n), 1280 - n)
        for n, (rule, theme, indicator, node, value, unit, level, zh, en, limit) in enumerate(rows)
    )  # fmt: skip


def city_tree() -> Tree:
    """A city of forty bodies below one root."""
    nodes = {"R": Node("R", "示范市", None, "city", "region", 0, "sfs", 0)}
    for n, name in enumerate(_UNITS, start=1):
        nodes[f"U{n:02d}"] = Node(f"U{n:02d}", name, "R", "city", "government", n * 10, "", 1)
    return Tree(nodes, "R")


def buildings_tree(count: int = 40) -> Tree:
    """States with buildings below them."""
    nodes = {"R": Node("R", "Portfolio", None, "nation", "region", 0, "portfolio", 0)}
    for s in range(count):
        state = f"S{s:02d}"
        nodes[state] = Node(state, f"State {s:02d}", "R", "province", "region", s, "", 1)
        for b in range(3):
            nodes[f"{state}B{b}"] = Node(f"{state}B{b}", f"Building {s:02d}-{b}", state, "county", "building", b, "", 2)
    return Tree(nodes, "R")


def cards(themes: frozenset[str] | None = None, only: frozenset[str] | None = None) -> dict[str, IndicatorCard]:
    """The catalogue, with sources for some themes or indicators only."""
    found = {}
    for key, (theme, zh, en, unit, better, _, kind) in _SHAPES.items():
        has = (themes is None or theme in themes) and (only is None or key in only)
        additive = "/" not in unit and unit not in ("%", "分", "辆")
        found[key] = IndicatorCard(
            key, theme, {"zh": zh, "en": en}, unit, better, kind, has, ("x",),
            (_DIMS[theme][0],) if theme in _DIMS and additive else (), {"zh": "GB/T 44889", "en": "GB/T 44889"}, {"zh": zh, "en": en}, "a / b", "f0",
        )  # fmt: skip
    return found


@dataclass
class FakeServices(Services):
    """A store that may be empty and may be given a new version."""

    nodes: Tree = field(default_factory=city_tree)
    catalogue: dict[str, IndicatorCard] = field(default_factory=cards)
    facts: StoreFacts = field(
        default_factory=lambda: StoreFacts(
            "simulated", "CNY", "Asia/Shanghai", {"zh": "示范市", "en": "Sample City"}, 1284, NOW
        )
    )
    seq: int = 1284
    empty: bool = False
    opened: int = 0

    def version(self) -> Version:
        return Version(0 if self.empty else self.seq, 0 if self.empty else self.seq)

    def is_ready(self) -> bool:
        return not self.empty

    def load_hint(self) -> str:
        return "cockpit load exports/ --store store"

    @contextmanager
    def open(self, viewer: Viewer) -> Iterator[FakeSession]:
        if self.empty:
            raise StoreError("The store is empty.", "cockpit load")
        self.opened += 1
        yield FakeSession(viewer, replace(self.facts, through_seq=self.seq), self.catalogue, self.nodes)


def energy_only() -> FakeServices:
    """A store that knows only the energy of buildings."""
    facts = StoreFacts("real", "USD", "America/New_York", {"zh": "联邦楼宇", "en": "Federal buildings"}, 12, NOW)
    only = frozenset({"elec_kwh", "elec_per_area", "energy_cost", "en_tce", "en_per_area"})
    return FakeServices(buildings_tree(), cards(only=only), facts)


def budget_only() -> FakeServices:
    """A store that knows only the budget execution of sixteen cities in another currency."""
    facts = StoreFacts("real", "UAH", "Europe/Kyiv", {"zh": "城市预算", "en": "City budgets"}, 7, NOW)
    nodes = {"R": Node("R", "Cities", None, "nation", "region", 0, "", 0)}
    nodes |= {f"C{n:02d}": Node(f"C{n:02d}", f"City {n:02d}", "R", "city", "region", n, "", 1) for n in range(16)}
    return FakeServices(Tree(nodes, "R"), cards(only=frozenset({"budget_exec_rate"})), facts)
