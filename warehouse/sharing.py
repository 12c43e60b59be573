"""What a contract says of bills that several units share: which column names the account, and what is divided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_KEYS = {"account", "number", "carrier", "place", "measures", "blank"}


@dataclass(frozen=True)
class Shared:
    """How rows of a dataset are divided by the allocation rules.

    `account` is the column the rules name: the unit (a compound's bill) or the meter. `number` is the account number on
    the bill (户号): where a rule names it, that rule goes before one for `account`. `carrier` says what is billed,
    `place` in which building the meter hangs. `blank` are columns that say nothing about a part: readings.
    """

    account: str
    measures: tuple[str, ...]
    carrier: str | None = None
    place: str | None = None
    blank: tuple[str, ...] = ()
    number: str | None = None


def read_shared(
    file: str, data: Mapping[str, Any] | None, types: Mapping[str, str], faults: list[str]
) -> Shared | None:
    """Return the rule of a contract for shared rows; what is wrong with it is added to `faults`."""
    if data is None:
        return None
    faults += [f"{file}: shared: unknown key '{key}'" for key in sorted(set(data) - _KEYS)]
    if not data.get("account") or not data.get("measures"):
        faults.append(f"{file}: shared needs 'account' and 'measures'")
        return None
    named = [data[key] for key in ("account", "number", "carrier", "place") if key in data]
    faults += [
        f"{file}: shared names '{n}', which is not a column" for n in [*named, *data.get("blank", ())] if n not in types
    ]
    faults += [
        f"{file}: shared.measures '{name}' is no decimal column"
        for name in data["measures"] if not types.get(name, "").startswith("dec")
    ]  # fmt: skip
    return Shared(
        data["account"], tuple(data["measures"]), data.get("carrier"), data.get("place"), tuple(data.get("blank", ())),
        data.get("number"),
    )  # fmt: skip
