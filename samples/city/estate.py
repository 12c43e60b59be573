"""Compounds, buildings and the counters that number their rooms."""

from __future__ import annotations

from dataclasses import dataclass, field

from samples.city.chance import dice

CIVIC = "市民中心"
RENTED = "金桥商务楼"
LEASED_NEXT_DOOR = "建设路院"

_BUILT = {
    "市民中心": (2016, 18), "市委大院": (1988, 6), "府前街院": (1985, 5), "建设路院": (1996, 7), "体育路院": (1999, 4),
    "市公安局院": (2009, 16), "市法院院": (2005, 9), "市检察院院": (2004, 8), "党校院": (1998, 5), "文化路院": (2001, 6),
    "政务服务中心": (2014, 6), "金桥商务楼": (2012, 20),
}  # fmt: skip


@dataclass(frozen=True)
class House:
    """One building."""

    code: str
    name: str
    compound: str
    address: str
    built_year: int
    floors: int
    coefficient: float
    title_no: str


@dataclass
class Estate:
    """All buildings; hands out a building to a newcomer and a number to a room."""

    seed: int
    houses: dict[str, House] = field(default_factory=dict)
    _compounds: dict[str, list[str]] = field(default_factory=dict)
    _guests: dict[str, int] = field(default_factory=dict)
    _rooms: dict[str, int] = field(default_factory=dict)

    def house_for(self, compound: str) -> House:
        """Return the building of a compound that still has room for a body."""
        limit = 6 if compound == CIVIC else 3
        codes = self._compounds.setdefault(compound, [])
        if not codes or self._guests[codes[-1]] >= limit:
            self._build(compound)
        self._guests[codes[-1]] += 1
        return self.houses[codes[-1]]

    def annex(self, compound: str, name: str) -> House:
        """Build one more house that stands for itself, such as rented space."""
        codes = self._compounds.setdefault(compound, [])
        standing = list(codes)
        self._build(compound, name)
        house = self.houses[codes[-1]]
        self._compounds[compound] = [house.code, *standing] if standing else [house.code]
        return house

    def next_room(self, house: House) -> tuple[int, str]:
        """Return floor and number of the next room of a house."""
        number = self._rooms.get(house.code, 0)
        self._rooms[house.code] = number + 1
        floor = 1 + number // 26 % house.floors
        lap = number // (26 * house.floors)
        return floor, f"{floor}{number % 26 + 1 + lap * 26:02d}"

    def _build(self, compound: str, name: str = "") -> None:
        codes = self._compounds[compound]
        rank = list(self._compounds).index(compound) + 1
        rng = dice(self.seed, "house", compound, len(codes))
        year, floors = _BUILT.get(compound, (rng.randint(1992, 2006), 5))
        if "镇" in compound:
            floors = 3
        code = f"F{rank:03d}{len(codes) + 1:02d}"
        letter = "一二三四五六七八九十"[len(codes) % 10]
        # one small old block in eight never got its title; the civic centre and the courts did
        titled = year >= 2001 or rng.random() > 0.22
        title = f"模(2019)不动产权第{rng.randint(10000, 99999):07d}号" if titled else ""
        street = f"模拟市{compound.removesuffix('院')}{rng.randint(1, 180)}号"
        shown = name or f"{compound}{letter}号楼"
        self.houses[code] = House(code, shown, compound, street, year, floors, rng.uniform(0.585, 0.665), title)
        codes.append(code)
        self._guests[code] = 0
