"""The view and the address line are the same thing."""

from __future__ import annotations

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from callbacks.state import AS_WAS, LANGUAGES, SOURCE_ROWS, THEMES, ViewState
from warehouse.base.periods import GRAINS

_text = st.text(min_size=1, max_size=20).filter(lambda text: text.isprintable())
_day = st.dates(dt.date(1990, 1, 1), dt.date(2090, 1, 1)).map(lambda day: day.isoformat())
_period = st.one_of(
    st.integers(1900, 2100).map(str),
    st.builds(lambda y, m: f"{y}-{m:02d}", st.integers(1900, 2100), st.integers(1, 12)),
    st.builds(lambda y, q: f"{y}-Q{q}", st.integers(1900, 2100), st.integers(1, 4)),
)
_instant = st.one_of(_day, _day.map(lambda day: f"{day}T18:30:00+08:00"))
_states = st.builds(
    ViewState,
    node=st.none() | _text,
    period=st.none() | _period,
    grain=st.sampled_from(GRAINS),
    known_at=st.none() | _instant,
    tree=st.just(AS_WAS) | _day,
    where=st.lists(_text, max_size=3).map(tuple),
    lang=st.sampled_from(LANGUAGES),
    theme=st.sampled_from(THEMES),
    pick=st.none() | _text,
    day=st.none() | _day,
    show=st.none() | st.just(SOURCE_ROWS),
)


@given(_states)
def test_a_view_survives_its_way_through_the_address(state: ViewState) -> None:
    again = ViewState.parse(state.search())
    assert again == state
    assert again.ignored == ()


@given(st.text(max_size=60))
def test_any_address_is_read_without_an_error(text: str) -> None:
    state = ViewState.parse("?" + text)
    assert ViewState.parse(state.search()) == state


def test_the_plain_view_has_a_plain_address() -> None:
    assert ViewState().search() == ""


def test_what_cannot_be_read_is_named_not_guessed() -> None:
    state = ViewState.parse("?grain=week&period=2025-13&known_at=soon&node=U1")
    assert state == ViewState(node="U1")
    assert state.ignored == ("grain=week", "period=2025-13", "known_at=soon")


def test_a_link_changes_only_what_it_says() -> None:
    state = ViewState(node="U1", known_at="2025-03-01", lang="en")
    assert ViewState.parse(state.link("/cost", node="U2").split("?")[1]) == ViewState(
        node="U2", known_at="2025-03-01", lang="en"
    )
