"""How many differently spelled names the suggestions find, against pairs judged by hand; and how often they mislead.

The register is every supplier of the records without the spelling that is asked for; the other spellings of the same body
stay, and any of them is right. A false
friend is a body that is not in the register while one that looks like it is: a score of 90 or more would mislead.
"""

from __future__ import annotations

import csv
import gzip
import os
import tomllib
from importlib import resources
from pathlib import Path

from benchmarks.report import Line
from warehouse.names import take_apart
from warehouse.suggestions import Names

RECORDS = "uk_public_spend/cabinet_office_monthly_by_supplier.csv.gz"
MISLEADS = 90.0
TOP1, TOP3, FRIENDS = 0.9, 0.97, 0.1


def records() -> Path:
    """Return where the records lie."""
    return Path(os.environ.get("COCKPIT_DATA", "../shared/data")) / RECORDS


def measure(path: Path) -> list[Line]:
    """Score the suggestions over the records."""
    truth = tomllib.loads((resources.files("benchmarks") / "names_truth.toml").read_text(encoding="utf-8"))
    same = [tuple(pair) for pair in truth["same"]]
    suppliers, departments = _names(path)
    first, three = _found(same, suppliers)
    misled = _misled([tuple(pair) for pair in truth["other"]], suppliers)
    named = [tuple(pair) for pair in truth["departments"]]
    by_department, _ = _found(named, departments)
    return [
        Line(f"suppliers: the meant one of {len(same)} is suggested first", first / len(same), TOP1, "", at_least=True),
        Line(f"suppliers: … is among the first three of {len(suppliers)}", three / len(same), TOP3, "", at_least=True),
        Line(f"suppliers: of {len(truth['other'])} false friends score {MISLEADS:g} or more", misled / len(truth["other"]), FRIENDS, ""),
        Line(f"departments: the meant one of {len(named)} is suggested first", by_department / len(named), 1.0, "", at_least=True),
    ]  # fmt: skip


def _names(path: Path) -> tuple[set[str], set[str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {row["supplier"].strip() for row in rows}, {row["department"].strip() for row in rows}


def _found(pairs: list[tuple[str, ...]], names: set[str]) -> tuple[int, int]:
    """Return how many are suggested first and among the first three; all spellings judged the same are one body."""
    body = _bodies(pairs)
    first = three = 0
    for written, meant in pairs:
        known = Names(
            (name, body.get(_plain(name), _plain(name))) for name in names if not _is(name, written) or _is(name, meant)
        )
        wanted = body[_plain(meant)]
        found = [one.code for one in known.near(written)[:3]]
        first += found[:1] == [wanted]
        three += wanted in found
    return first, three


def _bodies(pairs: list[tuple[str, ...]]) -> dict[str, str]:
    """Return the body of each spelling: spellings joined by judged pairs, however many steps apart."""
    body: dict[str, str] = {}
    for written, meant in pairs:
        one, other = (body.setdefault(_plain(name), _plain(name)) for name in (written, meant))
        body = {name: other if of == one else of for name, of in body.items()}
    return body


def _plain(name: str) -> str:
    return take_apart(name).plain


def _is(name: str, other: str) -> bool:
    return _plain(name) == _plain(other)


def _misled(pairs: list[tuple[str, ...]], names: set[str]) -> int:
    """Count bodies for which another one would be suggested as if it were sure."""
    misled = 0
    for absent, alike in pairs:
        known = Names((name, name) for name in names if _is(name, alike))
        misled += any(one.score >= MISLEADS for one in known.near(absent))
    return misled
