"""Every rule file is sound, fires on its own example and keeps silent on the other."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from metrics.insights.model import LEVELS, Rule
from metrics.insights.rehearsal import failures, levels
from metrics.insights.rules import FOLDER, load_rules, usable
from warehouse.base.errors import DefinitionError

RULES = load_rules()
GOOD = (FOLDER / "veh_over_quota.toml").read_text(encoding="utf-8")


def indicators(*names: str) -> dict[str, Any]:
    return {name: SimpleNamespace(dims=("item_code",)) for name in names}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_gives_what_its_examples_say(rule: Rule) -> None:
    assert failures([rule]) == ()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_has_texts_a_basis_and_an_honest_mark(rule: Rule) -> None:
    for text in (rule.title, rule.advice, rule.basis):
        assert text.zh and text.en
    assert rule.to_verify == (rule.evidence in {"R", "D", "K"})


def test_a_file_is_named_after_its_rule() -> None:
    assert {path.stem for path in FOLDER.glob("*.toml")} == {rule.id for rule in RULES}


def test_comparisons_with_last_year_and_pace_are_never_red() -> None:
    assert not [rule.id for rule in RULES if rule.kind in {"change", "repeat"} and "red" in
                {limit.level for limit in rule.limits}]  # fmt: skip


def test_a_changed_bound_fails_the_example(tmp_path: Path) -> None:
    text = (FOLDER / "water_surge.toml").read_text(encoding="utf-8").replace("at_least = 2", "at_least = 3")
    (tmp_path / "water_surge.toml").write_text(text, encoding="utf-8")
    assert failures(load_rules(tmp_path)) != ()


def test_all_faults_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(GOOD.replace('kind = "threshold"', 'kind = "treshold"'), encoding="utf-8")
    (tmp_path / "b.toml").write_text(
        GOOD.replace('level = "red"', 'level = "purple"').replace('"veh_over_quota"', '"other"', 1), encoding="utf-8"
    )
    (tmp_path / "c.toml").write_text(GOOD.replace("basis =", "bassis ="), encoding="utf-8")
    (tmp_path / "d.toml").write_text("id = [", encoding="utf-8")
    (tmp_path / "e.toml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "f.toml").write_text(GOOD, encoding="utf-8")
    with pytest.raises(DefinitionError) as caught:
        load_rules(tmp_path)
    text = str(caught.value)
    for part in ("a.toml: kind 'treshold'", "b.toml: level 'purple'", "did you mean 'basis'", "d.toml: is not TOML",
                 "f.toml: rule 'veh_over_quota' is already in e.toml"):  # fmt: skip
        assert part in text


def test_an_unknown_indicator_is_named_with_a_suggestion(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(GOOD.replace('indicator = "veh_over_quota"', 'indicator = "veh_over_qota"'))
    with pytest.raises(DefinitionError, match="did you mean 'veh_over_quota'"):
        load_rules(tmp_path, indicators("veh_over_quota", "veh_count"))


def test_an_unknown_dimension_is_named(tmp_path: Path) -> None:
    text = (FOLDER / "budget_item_over.toml").read_text(encoding="utf-8").replace("item_code", "item_cod")
    (tmp_path / "a.toml").write_text(text, encoding="utf-8")
    with pytest.raises(DefinitionError, match="did you mean 'item_code'"):
        load_rules(tmp_path, indicators("budget_exec_rate"))


def test_a_rule_needs_a_firing_and_a_silent_example(tmp_path: Path) -> None:
    head, first, _ = GOOD.split("[[example]]")
    (tmp_path / "a.toml").write_text(f"{head}[[example]]{first}", encoding="utf-8")
    with pytest.raises(DefinitionError, match="one that does not"):
        load_rules(tmp_path)


def test_only_rules_whose_indicators_exist_are_used() -> None:
    assert [rule.id for rule in usable(RULES, indicators("veh_over_quota"))] == ["veh_over_quota"]


def test_the_gravest_step_wins() -> None:
    rule = next(rule for rule in RULES if rule.id == "dec_spend_share")
    found = [levels(rule, example) for example in rule.examples]
    assert {level for one in found for level in one.values()} <= set(LEVELS)
    assert {"2023": "orange"} in found
    assert {"2023": "yellow"} in found
