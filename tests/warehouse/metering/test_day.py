"""The folding rules against days worked out by hand, and what must hold of any readings."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal as D
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warehouse.metering.day import DayFigure, Folded, fold_meter
from warehouse.metering.reading import Meter, Reading, Swap, Version
from warehouse.metering.rules import rules_of

SHANGHAI = ZoneInfo("Asia/Shanghai")
DAY = dt.date(2026, 11, 1)
RULES = rules_of([])
SEEN = dt.datetime(2026, 12, 1, tzinfo=dt.UTC)


def meter(*swaps: Swap, **more: object) -> Meter:
    return Meter("E1", (Version(dt.date(2020, 1, 1), "A", "electricity", **more),), swaps)  # type: ignore[arg-type]


def at(hour: float, day: dt.date = DAY, zone: ZoneInfo = SHANGHAI) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), zone).astimezone(dt.UTC) + dt.timedelta(hours=hour)


def dial(values: dict[float, str], day: dt.date = DAY, zone: ZoneInfo = SHANGHAI) -> list[Reading]:
    return [Reading(at(hour, day, zone), D(value), SEEN) for hour, value in values.items()]


def one(readings: list[Reading], of: Meter, day: dt.date = DAY, zone: ZoneInfo = SHANGHAI) -> DayFigure:
    return fold_meter(of, readings, [day], zone, RULES).days[0]


def codes(folded: Folded) -> list[str]:
    return [aside.code for aside in folded.asides]


def hourly(start: int = 1000, hours: int = 25) -> dict[float, str]:
    return {hour: str(start + hour) for hour in range(hours)}


def test_a_whole_day_has_its_use_peak_and_night() -> None:
    """One a hour, three from 10 to 11: (24 + 2) × 40; the night is 0–6 and 23–24, seven hours."""
    values = {hour: str(1000 + hour + (2 if hour >= 11 else 0)) for hour in range(25)}
    figure = one(dial(values), meter(ratio=D(40)))
    assert (figure.quantity, figure.night_quantity, figure.night_complete) == (D(1040), D(280), True)
    assert (figure.peak_load, figure.peak_at) == (D(120), at(10))
    assert (figure.got, figure.expected, figure.is_complete, figure.covered_minutes) == (24, 24, True, 1440)


def test_quarter_hours_give_the_load_of_an_hour() -> None:
    """2 kWh in a quarter of an hour is a load of 8 kW."""
    figure = one(dial({quarter / 4: str(2 * quarter) for quarter in range(97)}), meter())
    assert (figure.quantity, figure.peak_load, figure.got, figure.expected) == (D(192), D(8), 96, 96)


def test_a_gap_makes_the_day_incomplete_and_keeps_the_use() -> None:
    """Without the readings of 3, 4 and 5: four hours are known as one sum, and no load comes of it."""
    values = {hour: value for hour, value in hourly().items() if hour not in (3, 4, 5)}
    figure = one(dial(values), meter())
    assert (figure.quantity, figure.got, figure.expected, figure.is_complete) == (D(24), 20, 24, False)
    assert (figure.covered_minutes, figure.night_complete, figure.peak_load) == (1440, False, D(1))


def test_a_day_broken_off_is_incomplete_not_small() -> None:
    figure = one(dial(hourly(hours=13)), meter())
    assert (figure.quantity, figure.got, figure.is_complete, figure.covered_minutes) == (D(12), 12, False, 720)


def test_a_silence_over_midnight_is_shared_by_time() -> None:
    """From 22 to 4 o'clock the dial moved 12: two hours belong to the first day, four to the second."""
    readings = dial({22: "100", 28: "112"})
    first, second = fold_meter(meter(), readings, [DAY, DAY + dt.timedelta(days=1)], SHANGHAI, RULES).days
    assert (first.quantity, second.quantity) == (D(4), D(8))
    assert (first.got, second.got, first.peak_load) == (0, 0, None)
    assert (first.night_quantity, second.night_quantity) == (D(2), D(8))


def test_a_silence_longer_than_the_bridge_is_set_aside() -> None:
    folded = fold_meter(meter(), dial({0: "100", 25: "125", 26: "126"}), [DAY], SHANGHAI, RULES)
    assert codes(folded) == ["silence_too_long"] and folded.days[0].quantity is None
    assert (folded.asides[0].value, folded.asides[0].hint) == ("25", "25")


def test_a_register_that_rolls_over_goes_on() -> None:
    """99998 → 99999 → 1 on five digits: one, then two."""
    folded = fold_meter(meter(digits=5), dial({0: "99998", 1: "99999", 2: "1", 3: "2"}), [DAY], SHANGHAI, RULES)
    assert (folded.days[0].quantity, codes(folded)) == (D(4), [])


def test_without_declared_digits_a_fall_is_nobodys_use() -> None:
    folded = fold_meter(meter(), dial({0: "99998", 1: "99999", 2: "1", 3: "2"}), [DAY], SHANGHAI, RULES)
    assert (folded.days[0].quantity, codes(folded)) == (D(2), ["register_fell"])
    assert (folded.asides[0].value, folded.asides[0].hint) == ("1", "99999")


@pytest.mark.parametrize(
    "values, quantity, code, value",
    [
        ({0: "100", 1: "101", 2: "0", 3: "103"}, 3, "reading_below_last", "0"),
        ({0: "100", 1: "99000", 2: "102", 3: "103"}, 3, "reading_above_next", "99000"),
        ({0: "100", 1: "101", 2: "1000000", 3: "103"}, 3, "too_many_digits", "1000000"),
        ({0: "100", 1: "101", 2: "102", 3: "50"}, 2, "reading_below_last", "50"),
        ({0: "100", 1: "999999", 2: "102", 3: "103"}, 3, "reading_above_next", "999999"),
        ({0: "999990", 1: "0", 2: "999992"}, 2, "reading_below_last", "0"),
    ],
)
def test_one_slip_is_set_aside_and_the_use_goes_on(
    values: dict[float, str], quantity: int, code: str, value: str
) -> None:
    folded = fold_meter(meter(digits=6), dial(values), [DAY], SHANGHAI, RULES)
    assert folded.days[0].quantity == D(quantity)
    assert [(aside.code, aside.value) for aside in folded.asides] == [(code, value)]


def test_a_swap_is_bridged_by_both_readings() -> None:
    """Old: 500 → 503.5 when it is taken out at 1:30; new: from 20 to 21 and 22. (3.5 + 2) × 10."""
    swap = Swap(at(1.5), D("503.5"), D(20))
    folded = fold_meter(meter(swap, ratio=D(10)), dial({0: "500", 1: "502", 2: "21", 3: "22"}), [DAY], SHANGHAI, RULES)
    assert (folded.days[0].quantity, codes(folded)) == (D(55), [])


def test_a_swap_without_the_old_reading_leaves_a_gap() -> None:
    swap = Swap(at(1.5), None, D(20))
    figure = one(dial({0: "500", 1: "502", 2: "21", 3: "22"}), meter(swap))
    assert (figure.quantity, figure.covered_minutes) == (D(4), 150)


def test_a_new_ratio_begins_with_its_day_or_with_the_swap_of_its_day() -> None:
    """10 on the old ratio of 40; the new one of 60 holds from midnight, or from the swap at 2 o'clock."""
    versions = (
        Version(dt.date(2020, 1, 1), "A", "electricity", dt.date(2026, 11, 1), ratio=D(40)),
        Version(dt.date(2026, 11, 1), "A", "electricity", ratio=D(60)),
    )
    readings = dial({-1: "100", 0: "101", 1: "102", 2: "103", 3: "104"})
    days = fold_meter(Meter("E1", versions), readings, [DAY - dt.timedelta(days=1), DAY], SHANGHAI, RULES).days
    assert [figure.quantity for figure in days] == [D(40), D(180)]
    swapped = Meter("E1", versions, (Swap(at(2), D(103), D(0)),))
    changed = dial({-1: "100", 0: "101", 1: "102", 3: "1"})
    assert one(changed, swapped).quantity == D(40) * 2 + D(60)


def test_quantities_count_as_they_are_and_never_twice() -> None:
    hours = [Reading(at(hour), D("1.5"), SEEN, "quantity", 60) for hour in range(1, 25)]
    folded = fold_meter(meter(ratio=D(40)), hours, [DAY], SHANGHAI, RULES)
    assert (folded.days[0].quantity, folded.days[0].got) == (D(36), 24)
    both = [*hours, *dial({0: "10", 0.5: "11"}), Reading(at(25), D(-1), SEEN, "quantity", 60)]
    folded = fold_meter(meter(ratio=D(40)), both, [DAY], SHANGHAI, RULES)
    assert sorted(codes(folded)) == ["negative_quantity", "time_counted_already"]
    assert folded.days[0].quantity == D(40) + D("1.5") * 23


def test_what_the_platform_marks_is_not_used_or_counted_apart() -> None:
    readings = dial(hourly())
    readings[5] = Reading(readings[5].at, D(9999), SEEN, quality="bad")
    readings[7] = Reading(readings[7].at, readings[7].value, SEEN, quality="estimated")
    folded = fold_meter(meter(), readings, [DAY], SHANGHAI, RULES)
    assert (folded.days[0].quantity, folded.days[0].got, folded.days[0].estimated) == (D(24), 22, 1)
    assert codes(folded) == ["quality_bad"]


def test_a_spike_is_flagged_and_stays() -> None:
    values = {hour: str(1000 + hour + (90 if hour >= 12 else 0)) for hour in range(25)}
    figure = one(dial(values), meter())
    assert (figure.spikes, figure.quantity, figure.peak_load) == (1, D(114), D(91))


def test_the_reading_received_last_holds() -> None:
    first = dial(hourly())
    later = Reading(at(24), D(1030), SEEN + dt.timedelta(minutes=1))
    assert one([later, *first], meter()).quantity == D(30)


def test_clocks_some_seconds_off_lose_no_interval() -> None:
    readings = [Reading(at(hour) + dt.timedelta(seconds=7), D(1000 + hour), SEEN) for hour in range(-1, 26)]
    figure = one(readings, meter())
    assert (figure.got, figure.expected) == (24, 24)
    assert figure.quantity is not None and abs(figure.quantity - 24) < D("0.000001")


@pytest.mark.parametrize("day, hours", [(dt.date(2026, 3, 29), 23), (dt.date(2026, 10, 25), 25), (DAY, 24)])
def test_a_day_has_the_hours_its_place_gives_it(day: dt.date, hours: int) -> None:
    """Kyiv goes forward on 29 March and back on 25 October 2026."""
    zone = ZoneInfo("Europe/Kyiv")
    figure = one(dial({hour: str(hour) for hour in range(hours + 1)}, day, zone), meter(), day, zone)
    assert (figure.quantity, figure.got, figure.expected) == (D(hours), hours, hours)
    assert figure.night_quantity == D(hours - 17)


def test_night_follows_its_dated_rule() -> None:
    rules = rules_of([("night_from_hour", DAY, D(22)), ("night_from_hour", dt.date(2020, 1, 1), D(23))])
    eve = DAY - dt.timedelta(days=1)
    readings = dial({hour: str(1000 + hour) for hour in range(-24, 25)})
    days = fold_meter(meter(), readings, [eve, DAY], SHANGHAI, rules).days
    assert [figure.night_quantity for figure in days] == [D(7), D(8)]


# --- of any readings --------------------------------------------------------------------------------------------------


@st.composite
def days_of_readings(draw: st.DrawFn) -> list[Reading]:
    """Two days of quarter hours with losses, slips and repetitions, in any order."""
    value, readings = D(draw(st.integers(0, 999_000))), []
    for quarter in range(0, 2 * 96 + 1, draw(st.sampled_from([1, 4]))):
        value = (value + draw(st.integers(0, 300))) % 1_000_000
        fate = draw(st.sampled_from(["sent"] * 12 + ["lost", "slip", "twice"]))
        if fate == "lost":
            continue
        told = D(draw(st.integers(0, 999_999))) if fate == "slip" else value
        readings += [Reading(at(quarter / 4), told, SEEN)] * (2 if fate == "twice" else 1)
    return draw(st.permutations(readings))


@settings(max_examples=60, deadline=None)
@given(days_of_readings())
def test_no_use_is_negative_and_no_day_has_more_than_itself(readings: list[Reading]) -> None:
    days = [DAY, DAY + dt.timedelta(days=1)]
    for figure in fold_meter(meter(digits=6, ratio=D(40)), readings, days, SHANGHAI, RULES).days:
        assert 0 <= figure.got <= figure.expected and 0 <= figure.covered_minutes <= 1440
        if figure.quantity is not None:
            assert 0 <= (figure.night_quantity or 0) <= figure.quantity
            assert figure.quantity * 0 == 0 and (figure.peak_load or 0) >= 0


@settings(max_examples=60, deadline=None)
@given(days_of_readings(), st.randoms(use_true_random=False))
def test_order_and_repetition_change_nothing(readings: list[Reading], dice: object) -> None:
    days = [DAY, DAY + dt.timedelta(days=1)]
    shuffled = sorted(readings * 2, key=lambda reading: (reading.at, reading.value))
    once, twice = (fold_meter(meter(digits=6), given_, days, SHANGHAI, RULES) for given_ in (readings, shuffled))
    by_time = {reading.at: reading.value for reading in readings}
    if all(by_time[reading.at] == reading.value for reading in readings):
        assert once == twice


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 400), min_size=48, max_size=48), st.sets(st.integers(1, 47), max_size=20))
def test_days_add_up_to_what_the_dial_moved(moves: list[int], lost: set[int]) -> None:
    """Without slips, whatever is lost between: both days together are last less first, times the ratio, to the digit."""
    totals = [sum(moves[:hour]) for hour in range(49)]
    readings = dial({hour: str(total) for hour, total in enumerate(totals) if hour not in lost})
    days = fold_meter(meter(ratio=D(40)), readings, [DAY, DAY + dt.timedelta(days=1)], SHANGHAI, RULES).days
    if (
        max(
            (
                b - a
                for a, b in zip([0, *sorted(set(range(49)) - lost)], [*sorted(set(range(49)) - lost), 48], strict=True)
            )
        )
        <= 24
    ):
        assert sum(figure.quantity or 0 for figure in days) == D(totals[48]) * 40
