"""The truth file: what the cockpit must answer about the simulated city, worked out without it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from samples.city.answers import Check, has_base, value_check
from samples.city.bodies import COUNTY, DISTRICT, ROOT
from samples.city.calendar import FIRST, label, moon
from samples.city.exports import Export
from samples.city.manifest import STORE
from samples.city.office import World
from samples.city.other_truth import reconciliations
from samples.city.recount import RECOUNTED
from samples.city.stories import Event, Teller, covered, tell_all

FLOWS = (
    "op_cost_total", "op_funds_exp", "three_public_total", "elec_kwh", "water_m3", "energy_cost", "en_tce",
    "svc_amount", "svc_satisfaction", "svc_ontime", "veh_run_exp", "pv_kwh", "elec_sub_hvac_share", "svc_share",
    "svc_round_rate",
)  # fmt: skip
STOCKS = ("veh_count", "veh_nev_share", "off_gross_area", "off_title_rate", "off_area_per_head", "off_vacancy_rate")


def write_truth(path: Path, world: World, exports: tuple[Export, ...]) -> None:
    """Write the expected answers as JSON."""
    teller = Teller(world, exports)
    store = {**STORE, "seed": world.city.seed, "months": world.months, "units": len(teller.now.units),
             "first_month": label(FIRST), "last_month": label(world.last), "root": ROOT}  # fmt: skip
    content = {
        "store": store,
        "events": [_event(event) for event in tell_all(teller)],
        "totals": list(_totals(teller)),
        "reconcile": list(reconciliations(teller.now, world)),
    }
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _event(event: Event) -> dict[str, object]:
    return {
        "id": event.id,
        "kind": "event" if event.is_event else "non_event",
        "title_zh": event.title_zh,
        "title_en": event.title_en,
        "known_from": event.known_from.isoformat(),
        "checks": list(event.checks),
    }


def _totals(teller: Teller) -> Iterator[Check]:
    """Plain figures of the root, the regions and some units in every grain."""
    city, last = teller.world.city, teller.world.last
    nodes = [ROOT, DISTRICT, COUNTY, city.by_key["police"].code, city.by_key["goa"].code, city.by_key["office"].code]
    for indicator in FLOWS:
        for node in nodes[:1] if indicator == "op_cost_total" else nodes:
            for period, grain in _periods(last):
                if covered(teller, period, grain):
                    yield value_check(teller.now, indicator, node, period, grain)
    for indicator in STOCKS:
        for node in nodes:
            for period, grain in ((label(FIRST), "month"), (label(last), "month"), (label(last), "ytd")):
                yield value_check(teller.now, indicator, node, period, grain)
    yield from _planned(teller)
    yield from _recounted(teller)


def _planned(teller: Teller) -> Iterator[Check]:
    """What is planned and how the year keeps pace with it, of two units; before July as it was planned then."""
    now, last = teller.now, teller.world.last
    for key, name in (("goa", "op_funds"), ("police", "three_public")):
        node = teller.world.city.by_key[key].code
        for indicator in (f"{name}_plan", f"{name}_pace"):
            if has_base(now, indicator, node, label(last), "ytd"):
                yield value_check(now, indicator, node, label(last), "ytd")
        yield value_check(now, f"{name}_plan", node, label(last), "month")


def _recounted(teller: Teller) -> Iterator[Check]:
    """The registers kept beside the books: the year so far and the last whole year, of the root and of one county."""
    now, last = teller.now, teller.world.last
    whole = [(str(year), "year") for year in range(FIRST // 12, (last + 1) // 12)][-1:]
    for indicator in RECOUNTED:
        for node in (ROOT, COUNTY):
            for period, grain in ((label(last), "ytd"), *whole):
                if has_base(now, indicator, node, period, grain):
                    yield value_check(now, indicator, node, period, grain)


def _periods(last: int) -> Iterator[tuple[str, str]]:
    yield label(FIRST), "month"
    yield label(last), "month"
    yield label(last), "ytd"
    yield label(last), "r12"
    for year in range(FIRST // 12, last // 12 + (moon(last) == 12)):
        yield str(year), "year"
