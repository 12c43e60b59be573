"""Forms of an indicator in other calibers: `[indicator.x.survey]`, `.finance`, `.published`, and bridges between figures.

A form says by which formula and from which sources another book gives the same figure; what it does not say is that of
the indicator. `grains` are those it is reported in, `more` and `less` name indicators by which the other figure is known
to differ. A list of forms, `[[indicator.x.survey]]`, gives each grain its own source. A bridge leads from one figure to
another by steps that are indicators themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from metrics.define_indicator import INDICATOR_KEYS, define_indicator
from metrics.drafting import Block, Draft, check_keys, read_texts
from metrics.formula import parse_formula
from metrics.model import CALIBERS, Bridge, Caliber, Indicator
from warehouse.base.periods import GRAINS

OTHERS: tuple[Caliber, ...] = CALIBERS[1:]
FORM_KEYS = ("value", "unit", "scale", "coefficients", "text", "basis", "evidence", "example", "grains", "more", "less", "dims")  # fmt: skip
_NEEDS = ("value", "text", "basis", "evidence", "example")
_BRIDGE_KEYS = ("title", "start", "end", "plus", "less", "basis", "evidence")


def define_forms(block: Block, draft: Draft) -> tuple[Indicator, ...]:
    """Return the forms of an indicator in other calibers, those of one caliber in the order of the file."""
    found: list[Indicator] = []
    for caliber in OTHERS:
        given = block.data.get(caliber, ())
        for data in [given] if isinstance(given, Mapping) else given:
            made = _form(block, caliber, data, draft)
            if made is not None:
                _check_grains(block, made, found, draft)
                found.append(made)
    return tuple(found)


def _form(block: Block, caliber: Caliber, data: Mapping[str, Any], draft: Draft) -> Indicator | None:
    own = {key: value for key, value in block.data.items() if key in INDICATOR_KEYS and key not in OTHERS}
    own = {key: value for key, value in own.items() if key not in ("example", "earlier", "hint", "from", "dims", "coefficients")}  # fmt: skip
    part = Block(block.file, block.kind, block.name, own | {k: v for k, v in data.items() if k in INDICATOR_KEYS}, f".{caliber}")  # fmt: skip
    check_keys(part.where, data, FORM_KEYS, draft)
    absent = [key for key in _NEEDS if key not in data]
    for key in absent:
        draft.fault(part.where, f"key '{key}' is missing")
    made = None if absent else define_indicator(part, draft)
    if made is None:
        return None
    grains = tuple(grain for grain in GRAINS if grain in data.get("grains", ()))
    for grain in data.get("grains", ()):
        if grain not in GRAINS:
            draft.fault(f"{part.where} grains", f"'{grain}' is none of {', '.join(GRAINS)}", grain, GRAINS)
    return replace(
        made, caliber=caliber, grains=grains, more=tuple(data.get("more", ())), less=tuple(data.get("less", ()))
    )


def _check_grains(block: Block, made: Indicator, others: list[Indicator], draft: Draft) -> None:
    for other in others:
        if other.caliber != made.caliber:
            continue
        both = [grain for grain in other.grains or GRAINS if grain in (made.grains or GRAINS)]
        if both:
            draft.fault(f"{block.where[:-1]}.{made.caliber}] grains", f"two forms answer {', '.join(both)}")


def check_known_differences(draft: Draft, files: Mapping[str, Block]) -> None:
    """What is said to make another figure greater or smaller must be sums in the unit of that figure."""
    for indicator in draft.indicators.values():
        for form in indicator.forms:
            where = f"{files[indicator.id].where[:-1]}.{form.caliber}]"
            for key, names in (("more", form.more), ("less", form.less)):
                for fault, name in _unfit(names, form, draft):
                    draft.fault(f"{where} {key}", fault, name, draft.indicators)


def _unfit(names: tuple[str, ...], like: Indicator, draft: Draft) -> Iterator[tuple[str, str | None]]:
    for name in names:
        other = draft.indicators.get(name)
        if other is None:
            yield f"there is no indicator '{name}'", name
        elif not is_plain_sum(other) or (other.unit, other.scale) != (like.unit, like.scale):
            yield f"'{name}' is no sum in {like.unit}, so that nothing can be added to '{like.id}'", None


def is_plain_sum(indicator: Indicator) -> bool:
    """Tell whether the parts of a figure add up to it exactly: sums and differences of what units report."""
    operands = parse_formula(indicator.value).operands
    return indicator.kind == "sum" and all(o.how in ("sum", "last") and not o.above and not o.over for o in operands)


def define_bridge(block: Block, draft: Draft) -> Bridge | None:
    """Return a bridge whose steps are known indicators in one unit."""
    data = block.data
    check_keys(block.where, data, _BRIDGE_KEYS, draft)
    absent = [key for key in _BRIDGE_KEYS if key not in data and key not in ("plus", "less")]
    for key in absent:
        draft.fault(block.where, f"key '{key}' is missing")
    end = draft.indicators.get(data.get("end", ""))
    if not absent and end is None:
        draft.fault(f"{block.where} end", f"there is no indicator '{data['end']}'", data["end"], draft.indicators)
    if absent or end is None:
        return None
    steps = {"start": (data["start"],), "plus": tuple(data.get("plus", ())), "less": tuple(data.get("less", ()))}
    for key, names in (("end", (end.id,)), *steps.items()):
        for fault, name in _unfit(names, end, draft):
            draft.fault(f"{block.where} {key}", fault, name, draft.indicators)
    return Bridge(
        block.name, read_texts(block, "title", data["title"], draft), data["start"], end.id, steps["plus"], steps["less"],
        read_texts(block, "basis", data["basis"], draft), data["evidence"],
    )  # fmt: skip
