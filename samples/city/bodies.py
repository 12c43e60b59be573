"""The bodies of the simulated city: who exists, under which code, in which compound, and who carries which event.

A body is the smallest part that never splits. Two bodies become one unit in the merger, one body leaves another
unit when the new bureau is formed; which code a body reports under depends on the month and on what is recorded.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from samples.city import timeline as t
from samples.city.chance import dice

ROOT = "990000"
DISTRICT = "990102"
COUNTY = "990121"
PLATFORM = "platform"
MERGED = "cts"
DATA = "data"
FEWEST = 12


@dataclass(frozen=True)
class Region:
    """A node of the tree that only sums up."""

    code: str
    name: str
    short: str
    parent: str
    level: str


@dataclass(frozen=True)
class Body:
    """One body: who it is, where it sits, how many people it may have."""

    key: str
    code: str
    name: str
    short: str
    parent: str
    level: str
    kind: str
    order: int
    compound: str
    authorised: int
    fleet: str = "bureau"


# key, name, short name, kind, least and most authorised staff, compound, fleet
_CITY = (
    ("office", "中共模拟市委办公室", "市委办公室", "党委", 72, 90, "市委大院", "office"),
    ("org", "中共模拟市委组织部", "市委组织部", "党委", 50, 70, "市委大院", "small"),
    ("publicity", "中共模拟市委宣传部", "市委宣传部", "党委", 45, 60, "市委大院", "small"),
    ("congress", "模拟市人大常委会办公室", "市人大办", "人大", 50, 66, "市委大院", "bureau"),
    ("gov", "模拟市人民政府办公室", "市政府办公室", "政府", 72, 90, "市民中心", "office"),
    ("dev", "模拟市发展和改革委员会", "市发展改革委", "政府", 76, 90, "市民中心", "bureau"),
    ("edu", "模拟市教育局", "市教育局", "政府", 55, 75, "府前街院", "bureau"),
    ("industry", "模拟市工业和信息化局", "市工信局", "政府", 48, 66, "市民中心", "bureau"),
    ("police", "模拟市公安局", "市公安局", "政府", 840, 960, "市公安局院", "police"),
    ("civil", "模拟市民政局", "市民政局", "政府", 42, 58, "府前街院", "bureau"),
    ("justice", "模拟市司法局", "市司法局", "政府", 48, 62, "府前街院", "enforcing"),
    ("fin", "模拟市财政局", "市财政局", "政府", 70, 90, "市民中心", "bureau"),
    ("hr", "模拟市人力资源和社会保障局", "市人社局", "政府", 62, 82, "市民中心", "bureau"),
    ("natural", "模拟市自然资源和规划局", "市自然资源局", "政府", 66, 86, "市民中心", "enforcing"),
    ("env", "模拟市生态环境局", "市生态环境局", "政府", 52, 70, "建设路院", "enforcing"),
    ("house", "模拟市住房和城乡建设局", "市住房城乡建设局", "政府", 60, 80, "建设路院", "bureau"),
    ("trans", "模拟市交通运输局", "市交通运输局", "政府", 56, 76, "建设路院", "enforcing"),
    ("water", "模拟市水利局", "市水利局", "政府", 48, 64, "建设路院", "bureau"),
    ("agri", "模拟市农业农村局", "市农业农村局", "政府", 58, 76, "建设路院", "bureau"),
    ("commerce", "模拟市商务局", "市商务局", "政府", 42, 56, "府前街院", "bureau"),
    ("culture", "模拟市文化和旅游局", "市文化和旅游局", "政府", 46, 58, "府前街院", "bureau"),
    ("sports", "模拟市体育局", "市体育局", "政府", 35, 46, "体育路院", "bureau"),
    ("health", "模拟市卫生健康委员会", "市卫生健康委", "政府", 56, 74, "府前街院", "bureau"),
    ("emerg", "模拟市应急管理局", "市应急管理局", "政府", 52, 68, "建设路院", "emergency"),
    ("audit", "模拟市审计局", "市审计局", "政府", 46, 62, "府前街院", "small"),
    ("market", "模拟市市场监督管理局", "市市场监管局", "政府", 78, 90, "府前街院", "enforcing"),
    ("stat", "模拟市统计局", "市统计局", "政府", 38, 50, "府前街院", "small"),
    ("insurance", "模拟市医疗保障局", "市医疗保障局", "政府", 36, 48, "府前街院", "small"),
    ("data", "模拟市数据局", "市数据局", "政府", 22, 28, "市民中心", "none"),
    ("goa", "模拟市机关事务管理局", "市机关事务局", "政府", 60, 80, "市民中心", "bureau"),
    ("cppcc", "模拟市政协办公室", "市政协办", "政协", 46, 60, "市委大院", "bureau"),
    ("discipline", "中共模拟市纪律检查委员会模拟市监察委员会", "市纪委监委", "监委", 70, 90, "市委大院", "enforcing"),
    ("court", "模拟市中级人民法院", "市中级人民法院", "法院", 155, 195, "市法院院", "justice"),
    ("procuratorate", "模拟市人民检察院", "市人民检察院", "检察院", 105, 135, "市检察院院", "justice"),
    ("union", "模拟市总工会", "市总工会", "群团", 36, 48, "府前街院", "small"),
    ("youth", "共青团模拟市委员会", "团市委", "群团", 35, 38, "市委大院", "none"),
    ("women", "模拟市妇女联合会", "市妇联", "群团", 35, 38, "市委大院", "none"),
    ("school", "中共模拟市委党校", "市委党校", "直属", 66, 86, "党校院", "small"),
    ("archive", "模拟市档案馆", "市档案馆", "直属", 40, 52, "文化路院", "none"),
    ("library", "模拟市图书馆", "市图书馆", "直属", 44, 58, "文化路院", "none"),
    ("service", "模拟市政务服务中心", "市政务服务中心", "直属", 50, 66, "政务服务中心", "none"),
)

_LOCAL = (
    ("office", "委办公室", "党委", 32, 44),
    ("gov", "人民政府办公室", "政府", 32, 46),
    ("fin", "财政局", "政府", 28, 42),
    ("edu", "教育局", "政府", 26, 40),
    ("civil", "民政局", "政府", 20, 32),
    ("house", "住房和城乡建设局", "政府", 24, 38),
    ("market", "市场监督管理局", "政府", 34, 50),
    ("goa", "机关事务管理局", "政府", 22, 34),
)

_TOWNS = ("青石镇", "柳泉镇", "双河镇", "白杨镇")
_MORE_COUNTIES = ("临溪县", "望云县", "清源县", "松岭县", "平川县", "南屏县")

FIRST_KEPT = (
    "office", "dev", "police", "culture", "sports", "data", "goa", "house", "school", "archive", "d_fin", "c_goa",
    "t1", "gov", "fin", "emerg", "d_goa", "c_fin", "t2", "edu", "civil", "water", "justice", "hr", "health",
    "commerce", "market", "trans", "env", "agri", "service", "library", "c_gov", "d_gov",
)  # fmt: skip
"""Who is kept when fewer units are asked for: the carriers of events come first."""

MOVERS = (
    "civil", "justice", "edu", "health", "commerce", "market", "audit", "stat", "insurance", "union", "culture",
    "sports",
)  # fmt: skip

ROLES: dict[str, tuple[str, ...]] = {
    "restated": ("fin", "dev"),
    "over_standard_car": ("house",),
    "over_quota": ("agri", "gov", "office"),
    "over_room": ("edu", "dev"),
    "approved_room": ("civil", "house"),
    "borrower": ("water", "gov", "office"),
    "lender": ("c_goa",),
    "two_rooms": ("justice", "civil", "office"),
    "retired_room": ("hr", "edu", "house"),
    "leak": ("health", "d_goa", "school"),
    "overrun": ("commerce", "fin", "house"),
    "rush": ("market", "gov", "office"),
    "lease": ("trans", "house"),
    "holiday_trips": ("env", "emerg", "house"),
    "retrofit": ("service", "goa"),
    "custody": ("school",),
    "meter_first": ("archive",),
    "meter_second": ("library", "school"),
    "never_reports": ("d_goa", "d_fin"),
    "late_reporter": ("c_fin", "c_goa"),
    "copied": ("t1",),
    "wrong_unit": ("d_fin",),
    "bimonthly": ("t2", "c_goa"),
    "parked": ("emerg", "house"),
    "shrunk": ("dev",),
    "tenant": ("stat", "hr", "fin", "goa"),
}


@dataclass(frozen=True)
class City:
    """All bodies and regions of one run."""

    seed: int
    bodies: tuple[Body, ...]
    regions: tuple[Region, ...]

    @cached_property
    def by_key(self) -> dict[str, Body]:
        """Bodies by key, the car platform included."""
        return {body.key: body for body in (*self.bodies, self.platform)}

    @cached_property
    def platform(self) -> Body:
        """The shared car pool: holds cars, nothing else."""
        return Body(
            PLATFORM, ROOT + "590", "模拟市公务用车服务平台", "市公务用车平台", ROOT, "市", "事业", 590, "市民中心", 0
        )

    @cached_property
    def merged(self) -> Body:
        """The bureau that comes out of the merger."""
        first, second = self.by_key["culture"], self.by_key["sports"]
        name, short = "模拟市文化广电旅游体育局", "市文化广电旅游体育局"
        order, heads = first.order + 1, first.authorised + second.authorised
        return Body(MERGED, ROOT + "260", name, short, ROOT, "市", "政府", order, "市民中心", heads)

    def role(self, name: str) -> Body:
        """Return the body that carries an event."""
        return self.by_key[next(key for key in ROLES[name] if key in self.by_key)]

    def code_of(self, key: str, month: int, sent: dt.datetime) -> str:
        """Return the unit code under which a body's facts of a month are sent on a day."""
        if key in ("culture", "sports") and month >= t.MERGER and sent >= t.MERGER_ON:
            return self.merged.code
        if key == DATA and not (month >= t.NEW_BUREAU and sent >= t.NEW_BUREAU_ON):
            return self.by_key["dev"].code
        return self.by_key[key].code

    def movers(self) -> tuple[str, ...]:
        """Return the bodies that move into the civic centre."""
        return tuple(key for key in MOVERS if key in self.by_key)


def found(seed: int, units: int) -> City:
    """Found a city of so many units (two of them merge, one is formed later)."""
    if units < FEWEST:
        raise ValueError(f"The city needs at least {FEWEST} units to carry its events, not {units}.")
    extra = max(0, units - 60)
    places = _more_places(extra)
    everyone = (*_municipal(seed), *_local(seed, "d", DISTRICT, "启明区"), *_local(seed, "c", COUNTY, "远山县"))
    towns = (body for number, name in enumerate(_TOWNS, 1) for body in (_town(seed, f"t{number}", number, name),))
    full = (*everyone, *towns)
    kept = _kept(tuple(body.key for body in full), units)
    bodies = tuple(body for body in full if body.key in kept)
    added = tuple(_added(seed, places, extra))
    regions = (
        Region(ROOT, "模拟市", "模拟市", "", "市"),
        Region(DISTRICT, "模拟市启明区", "启明区", ROOT, "县"),
        Region(COUNTY, "模拟市远山县", "远山县", ROOT, "县"),
        *places,
    )
    return City(seed, (*bodies, *added), regions)


def _municipal(seed: int) -> Iterable[Body]:
    for number, (key, name, short, kind, low, high, compound, fleet) in enumerate(_CITY, 1):
        heads = dice(seed, "heads", key).randint(low, high)
        code = f"{ROOT}{100 + number}"
        yield Body(key, code, name, short, ROOT, "市", kind, number * 10, compound, heads, fleet)


def _local(seed: int, prefix: str, region: str, place: str) -> Iterable[Body]:
    for number, (key, tail, kind, low, high) in enumerate(_LOCAL, 1):
        full = f"{prefix}_{key}"
        heads = dice(seed, "heads", full).randint(low, high)
        short = f"{place}{tail}"
        name = f"中共{short}" if key == "office" else short
        fleet = "county" if key in ("gov", "goa", "house", "market", "fin") else "small"
        order = 600 + number * 10 if prefix == "d" else 700 + number * 10
        yield Body(
            full,
            f"{region}{100 + number}",
            name,
            short,
            region,
            "县",
            kind,
            order,
            f"{place}党政综合楼院",
            heads,
            fleet,
        )


def _town(seed: int, key: str, number: int, name: str, region: str = COUNTY, place: str = "远山县") -> Body:
    heads = dice(seed, "heads", key).randint(70, 110)
    full = f"{place}{name}人民政府"
    order = 800 + number * 10
    compound = f"{place}{name}政府院"
    return Body(
        key, f"{region}{200 + number}", full, f"{place}{name}", region, "乡", "政府", order, compound, heads, "town"
    )


def _kept(keys: tuple[str, ...], units: int) -> frozenset[str]:
    """Choose the bodies of a smaller city; the merger costs one unit more than it leaves."""
    ranked = sorted(keys, key=lambda key: FIRST_KEPT.index(key) if key in FIRST_KEPT else len(FIRST_KEPT))
    return frozenset(ranked[: units + 1])


def _more_places(extra: int) -> tuple[Region, ...]:
    counties = -(-extra // 12)
    names = [_MORE_COUNTIES[n] if n < len(_MORE_COUNTIES) else f"新设{n + 1}县" for n in range(counties)]
    return tuple(
        Region(f"9901{22 + n}" if n < 77 else f"99{200 + n:04d}", f"模拟市{name}", name, ROOT, "县")
        for n, name in enumerate(names)
    )


def _added(seed: int, places: tuple[Region, ...], extra: int) -> Iterable[Body]:
    left = extra
    for number, place in enumerate(places, 1):
        bodies = [*_local(seed, f"x{number}", place.code, place.short)]
        bodies += [_town(seed, f"x{number}_t{n}", n, name, place.code, place.short) for n, name in enumerate(_TOWNS, 1)]
        yield from bodies[:left]
        left -= len(bodies)
