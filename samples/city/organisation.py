"""The register of organisations as it stood on a day: regions, units, dissolved and formed ones, the withheld one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from samples.city import timeline as t
from samples.city.bodies import DATA, ROOT, Body, City, Region
from samples.city.calendar import day, moment
from samples.city.records import OrgUnit

EXPORTS = (moment(dt.date(2024, 1, 3), 9, 30), t.MERGER_ON, t.NEW_BUREAU_ON)
WITHHELD = ROOT + "599"
CLIMATE = "寒冷B"
FOUNDED = dt.date(2019, 1, 1)
_KNOWN_AS = {"market": "市市监局；市工商局", "house": "市住建局"}


def org_rows(city: City, sent: dt.datetime) -> Iterator[OrgUnit]:
    """Return the whole register as exported on a day."""
    for number, region in enumerate(city.regions):
        yield _region(region, number)
    for body in city.bodies:
        if body.key == DATA and sent < t.NEW_BUREAU_ON:
            continue
        begin = day(t.NEW_BUREAU, 1) if body.key == DATA else FOUNDED
        gone = body.key in ("culture", "sports") and sent >= t.MERGER_ON
        yield _unit(body, begin, day(t.MERGER, 1) if gone else None)
    if sent >= t.MERGER_ON:
        yield _unit(city.merged, day(t.MERGER, 1), None)
    yield _pool(city)
    yield _withheld()


def _region(region: Region, number: int) -> OrgUnit:
    return OrgUnit(
        region.code, region.name, region.short, region.parent, region.level, "区域", number, CLIMATE, FOUNDED, None, "",
        False, False, False, False, False, False,
    )  # fmt: skip


def _unit(body: Body, begin: dt.date, end: dt.date | None) -> OrgUnit:
    drives = body.fleet != "none"
    return OrgUnit(
        body.code, body.name, body.short, body.parent, body.level, body.kind, body.order, CLIMATE, begin, end,
        _KNOWN_AS.get(body.key, ""), True, drives, True, True, True, False,
    )  # fmt: skip


def _pool(city: City) -> OrgUnit:
    """The car platform: in scope for vehicles alone."""
    body = city.platform
    return OrgUnit(
        body.code, body.name, body.short, body.parent, body.level, body.kind, body.order, CLIMATE, FOUNDED, None,
        "市公车平台", False, True, False, False, False, False,
    )  # fmt: skip


def _withheld() -> OrgUnit:
    """A body that is named but never counted."""
    return OrgUnit(
        WITHHELD, "模拟市委机要和保密局", "市委机要保密局", ROOT, "市", "党委", 599, CLIMATE, FOUNDED, None, "",
        False, False, False, False, False, True,
    )  # fmt: skip


def names_of(city: City) -> tuple[dict[str, str], dict[str, str]]:
    """Return full and short names by code."""
    everyone = (*city.bodies, city.platform, city.merged)
    return {body.code: body.name for body in everyone}, {body.code: body.short for body in everyone}


def indented(city: City) -> frozenset[str]:
    """Return the codes of units that stand below a region of their own."""
    return frozenset(body.code for body in city.bodies if body.parent != ROOT)
