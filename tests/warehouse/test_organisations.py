"""Who a name means: codes before names, names by month, regions before guesses; suggestions are ranked and never taken."""

from __future__ import annotations

import pytest

from warehouse.names import nearness, take_apart
from warehouse.organisations import Alias, Directory, Listed

REGISTER = (
    Listed("R", "模拟市", kind="region"),
    Listed("C1", "甲县", parent="R", kind="region"),
    Listed("C2", "乙县", parent="R", kind="region"),
    Listed("F0", "模拟市财政局", "市财政局", "财政厅;", "R", credit_code="11990000000000107J"),
    Listed("F1", "甲县财政局", "财政局", None, "C1"),
    Listed("F2", "乙县财政局", "财政局", None, "C2"),
    Listed("M0", "模拟市市场监督管理局", "市场监管局", None, "R"),
    Listed("D0", "模拟市发展和改革委员会", "市发展改革委", None, "R"),
    Listed("T2", "乙县太平镇政府", None, None, "C2"),
)
DIRECTORY = Directory(REGISTER)
AT_2024, AT_2025 = 2024 * 12, 2025 * 12


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("F0", "F0"), ("ｆ０", "F0"), ("11990000000000107j", "F0"), ("模拟市 财政局", "F0"), ("财政厅", "F0"),
        ("甲县财政局", "F1"), ("市场监管局", "M0"),
    ],
)  # fmt: skip
def test_a_unit_is_found_by_code_credit_code_name_and_former_name(text: str, code: str) -> None:
    assert DIRECTORY.find(text).code == code


def test_the_same_short_name_in_two_counties_is_asked_and_not_guessed() -> None:
    match = DIRECTORY.find("财政局")
    assert (match.code, match.fault) == (None, "ambiguous_org")
    assert match.hint == "F1 甲县财政局、F2 乙县财政局"


def test_the_region_a_file_is_handed_in_for_decides_between_units_of_one_name() -> None:
    assert Directory(REGISTER, near="T2").find("财政局").code == "F2"
    assert Directory(REGISTER, near="C1").find("财政局").code == "F1"
    assert Directory(REGISTER, near="M0").find("财政局").code is None, "the city has none of that name"


def test_a_name_passed_on_to_another_unit_means_who_bore_it_then() -> None:
    passed_on = Directory([
        Listed("A", "市工信委", from_m=0, to_m=AT_2025), Listed("A", "市工信局", from_m=AT_2025), Listed("B", "市工信委", from_m=AT_2025),
    ])  # fmt: skip
    assert passed_on.find("市工信委").by_month
    assert passed_on.find("市工信委", AT_2025 - 1).code == "A"
    assert passed_on.find("市工信委", AT_2025).code == "B"
    assert passed_on.find("市工信局", AT_2024).code == "A", "a new name is read in old months too"


def test_a_recorded_alias_ends_when_it_was_said_to_end() -> None:
    known = Directory(REGISTER, [Alias("工商局", "M0", 0, AT_2025), Alias("市监局", "M0")])
    assert known.find("市监局").code == "M0"
    assert known.find("工商局", AT_2025 - 1).code == "M0"
    late = known.find("工商局", AT_2025)
    assert (late.code, late.fault) == (None, "name_not_then")
    assert late.hint == "M0 模拟市市场监督管理局（—2024-12）"


@pytest.mark.parametrize(
    ("text", "first", "why"),
    [
        ("市监局", "M0", "abbreviation"),
        ("市发改委", "D0", "abbreviation"),
        ("市财证局", "F0", "sound"),
        ("市财政厅", "F0", "form"),
        ("甲县财政居", "F1", "sound"),
        ("scjgj", "M0", "initials"),
        ("乙县太平镇", "T2", "abbreviation"),
    ],
)
def test_what_people_write_brings_the_unit_they_mean_first(text: str, first: str, why: str) -> None:
    assert DIRECTORY.find(text).fault == "unknown_org"
    best = DIRECTORY.suggest(text)[0]
    assert (best.code, best.why[0]) == (first, why)


def test_the_uploaders_county_comes_first_among_equals() -> None:
    assert DIRECTORY.suggest("财政所", near="T2")[0].code == "F2"
    assert DIRECTORY.suggest("财政所", near="C1")[0].code == "F1"
    assert DIRECTORY.suggest("财政所", near="T2")[0].why[-1] == "region"


def test_nothing_near_suggests_nothing() -> None:
    assert DIRECTORY.suggest("远洋航运公司") == ()
    assert DIRECTORY.suggest("——") == ()


@pytest.mark.parametrize(
    ("one", "other", "least"),
    [
        ("Smith & Sons Ltd", "SMITH AND SONS LIMITED", 97), ("THE WATER COUNCIL", "Water Council", 97),
        ("O'Brien (Roads) plc.", "OBRIEN ROADS PLC", 97), ("Ministry of Harbour", "Ministry of Harbours", 90),
        ("CENTRAL OFFICE OF WEIG", "Central Office of Weights", 90),
    ],
)  # fmt: skip
def test_case_punctuation_joints_and_legal_forms_say_nothing(one: str, other: str, least: float) -> None:
    assert nearness(take_apart(one), take_apart(other))[0] >= least


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Upper Dale Borough Council", "Lower Dale Borough Council"),
        ("Halton Borough Council", "Luton Borough Council"),
        ("市教育局", "市财政局"),
        ("甲县水利局", "乙县税务局"),
    ],
)
def test_what_names_have_in_common_does_not_hide_where_they_differ(one: str, other: str) -> None:
    assert nearness(take_apart(one), take_apart(other))[0] < 80
