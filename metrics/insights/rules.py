"""Warning rules as TOML files: one file a rule, read by an explicit call, every fault of every file told at once."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, get_args

from metrics.insights.model import LEVELS, Example, Level, Limit, Rule, RuleKind, Shape, Where
from metrics.model import Indicator, Texts
from warehouse.base.errors import DefinitionError, suggest
from warehouse.base.periods import GRAINS

FOLDER = Path(__file__).parent / "rules"
EVIDENCE = ("C", "C2", "R", "D", "K")
NEEDED = ("id", "title", "advice", "kind", "indicator", "grain", "at", "shape", "steps", "basis", "evidence", "example")
OPTIONAL = ("floor", "also", "shares", "plan", "by", "partial")
BOUNDS = ("above", "at_least", "below")
CHOICES: dict[str, tuple[str, ...]] = {
    "kind": get_args(RuleKind),
    "grain": GRAINS,
    "at": get_args(Where),
    "shape": get_args(Shape),
    "evidence": EVIDENCE,
}
COMPARES_WITH_LAST_YEAR: frozenset[str] = frozenset({"change"})


@dataclass
class _Faults:
    """Collects what is wrong in one file."""

    file: str
    found: list[str] = field(default_factory=list)

    def add(self, fault: str) -> None:
        self.found.append(f"{self.file}: {fault}")


def load_rules(folder: Path | None = None, indicators: Mapping[str, Indicator] | None = None) -> tuple[Rule, ...]:
    """Read every rule of a folder, sorted by id; with `indicators`, rules must only name those."""
    faults: list[str] = []
    rules: dict[str, Rule] = {}
    files: dict[str, str] = {}
    for path in sorted((folder or FOLDER).glob("*.toml")):
        rule, wrong = _load(path, indicators)
        faults.extend(wrong)
        if rule is not None and rule.id in rules:
            faults.append(f"{path.name}: rule '{rule.id}' is already in {files[rule.id]}")
        elif rule is not None:
            rules[rule.id], files[rule.id] = rule, path.name
    if faults:
        raise DefinitionError("Warning rules", faults)
    return tuple(rules[name] for name in sorted(rules))


def usable(rules: Iterable[Rule], indicators: Mapping[str, Indicator]) -> tuple[Rule, ...]:
    """Return the rules whose indicators all exist."""
    return tuple(rule for rule in rules if set(rule.indicators) <= set(indicators))


def _load(path: Path, indicators: Mapping[str, Indicator] | None) -> tuple[Rule | None, list[str]]:
    faults = _Faults(path.name)
    try:
        block = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as cause:
        faults.add(f"is not TOML: {cause}")
        return None, faults.found
    _check_keys(block, faults)
    if faults.found:
        return None, faults.found
    rule = _rule(block, faults)
    _check_kind(rule, faults)
    _check_indicators(rule, indicators, faults)
    return rule, faults.found


def _check_keys(block: Mapping[str, Any], faults: _Faults) -> None:
    for name in NEEDED:
        if name not in block:
            faults.add(f"'{name}' is missing")
    for name in block:
        if name not in NEEDED and name not in OPTIONAL:
            faults.add(f"unknown key '{name}'{_did_you_mean(name, (*NEEDED, *OPTIONAL))}")
    for name, allowed in CHOICES.items():
        if name in block and block[name] not in allowed:
            faults.add(f"{name} '{block[name]}' is none of {', '.join(allowed)}")
    for name in ("title", "advice", "basis"):
        if name in block and not _is_text(block[name]):
            faults.add(f"{name} needs zh and en")


def _is_text(value: Any) -> bool:
    return (
        isinstance(value, dict) and set(value) == {"zh", "en"} and all(isinstance(v, str) and v for v in value.values())
    )


def _did_you_mean(name: str, known: Collection[str]) -> str:
    close = suggest(name, known)
    return f"; did you mean {', '.join(repr(one) for one in close)}?" if close else ""


def _rule(block: Mapping[str, Any], faults: _Faults) -> Rule:
    return Rule(
        id=block["id"],
        title=Texts(**block["title"]),
        advice=Texts(**block["advice"]),
        kind=block["kind"],
        indicator=block["indicator"],
        grain=block["grain"],
        at=block["at"],
        shape=block["shape"],
        limits=_limits(block["steps"], faults),
        basis=Texts(**block["basis"]),
        evidence=block["evidence"],
        examples=tuple(_example(one, faults) for one in block["example"]),
        floor=_number(block.get("floor", 0), "floor", faults),
        also=tuple(block.get("also", ())),
        shares=tuple(_number(share, "shares", faults) for share in block.get("shares", ())),
        plan=block.get("plan"),
        by=block.get("by"),
        partial=bool(block.get("partial", False)),
    )


def _limits(steps: Collection[Mapping[str, Any]], faults: _Faults) -> tuple[Limit, ...]:
    limits = []
    for step in steps:
        bounds = {name: _number(step[name], f"steps.{name}", faults) for name in BOUNDS if name in step}
        if step.get("level") not in LEVELS:
            faults.add(f"level '{step.get('level')}' is none of {', '.join(LEVELS)}")
        elif len(bounds) != 1 or len(step) != 2:
            faults.add(f"step {dict(step)} needs a level and exactly one of {', '.join(BOUNDS)}")
        else:
            limits.append(Limit(step["level"], **bounds))
    graveness = [LEVELS.index(limit.level) for limit in limits]
    if not limits or graveness != sorted(set(graveness)):
        faults.add("steps must go from the gravest level to the mildest, each level once")
    return tuple(limits)


def _example(block: Mapping[str, Any], faults: _Faults) -> Example:
    expect: dict[str, Level] = dict(block.get("expect", {}))
    for level in expect.values():
        if level not in LEVELS:
            faults.add(f"example expects '{level}', which is none of {', '.join(LEVELS)}")
    for name in block:
        if name not in {"values", "expect", "absent"}:
            faults.add(f"unknown key '{name}' in an example")
    return Example(
        values=_numbers(block.get("values", {}), faults),
        expect=tuple(expect.items()),
        absent=tuple(block.get("absent", ())),
    )


def _numbers(block: Mapping[str, Any], faults: _Faults) -> tuple[tuple[str, Decimal], ...]:
    return tuple((period, _number(value, f"example {period}", faults)) for period, value in block.items())


def _number(value: Any, where: str, faults: _Faults) -> Decimal:
    try:
        return Decimal(value)
    except (InvalidOperation, TypeError, ValueError):
        faults.add(f"{where}: '{value}' is not a number")
        return Decimal(0)


def _check_kind(rule: Rule, faults: _Faults) -> None:
    if rule.kind == "pace" and len(rule.shares) != 12:
        faults.add("a pace rule needs 'shares': 12 per cents, one for the end of each month")
    if rule.plan is not None and rule.kind != "pace":
        faults.add("only a pace rule has a 'plan'")
    if rule.kind == "pace" and list(rule.shares) != sorted(rule.shares):
        faults.add("shares must not fall from month to month")
    if rule.kind in COMPARES_WITH_LAST_YEAR and any(limit.level == "red" for limit in rule.limits):
        faults.add("a comparison with last year is never red (red means a rule is broken)")
    if rule.kind in {"change", "repeat", "missing"} and rule.grain != "month":
        faults.add(f"a {rule.kind} rule looks at months")
    if not any(one.expect for one in rule.examples) or all(one.expect for one in rule.examples):
        faults.add("needs one example that fires and one that does not")


def _check_indicators(rule: Rule, indicators: Mapping[str, Indicator] | None, faults: _Faults) -> None:
    if indicators is None:
        return
    for name in rule.indicators:
        if name not in indicators:
            faults.add(f"unknown indicator '{name}'{_did_you_mean(name, indicators)}")
        elif rule.by is not None and rule.by not in indicators[name].dims:
            faults.add(f"'{name}' has no dimension '{rule.by}'{_did_you_mean(rule.by, indicators[name].dims)}")
