"""Nodes by what people call them: code, name, alias or pinyin. A text that means several is asked back, never guessed."""

from __future__ import annotations

import pytest

from metrics.nodes import Called, Placed, Register, find_node, root_node
from warehouse.base.errors import QueryError, UnknownName
from warehouse.base.periods import OPEN


def placed(code: str, name: str, parent: str | None = None, seq: int = 1) -> Placed:
    return Placed(code, name, None, parent, False, 1, 0, OPEN, seq, OPEN)


REGISTER = Register(
    [
        placed("r", "模拟市"),
        placed("a", "财政局", "r"),
        placed("b", "机关服务中心", "r"),
        placed("c", "机关服务中心", "r"),
    ],
    aliases={"财政厅": "a"},
    recorded=[
        Called("市财", "a", 3, OPEN),
        Called("老财政", "a", 2, 4),
        Called("服务中心", "b", 3, OPEN),
        Called("谁", "x", 1, OPEN),
    ],
)


@pytest.mark.parametrize("text", ["a", "财政局", " 财政局 ", "财政厅", "czj"])
def test_a_node_is_found_by_what_people_call_it(text: str) -> None:
    assert find_node(REGISTER, text) == "a"


def test_a_recorded_alias_is_one_from_its_batch_until_it_is_taken_back() -> None:
    assert find_node(REGISTER, "市财", 3) == find_node(REGISTER, " 市财 ") == "a"
    assert find_node(REGISTER, "老财政", 3) == "a"
    for text, seq in (("市财", 2), ("老财政", 4), ("老财政", OPEN - 1), ("谁", 3)):
        assert not REGISTER.named(text, seq)
        with pytest.raises(UnknownName):
            find_node(REGISTER, text, seq)
    assert [REGISTER.other_names("a", seq) for seq in (1, 2, 3, 4)] == [
        ("财政厅",), ("财政厅", "老财政"), ("财政厅", "市财", "老财政"), ("财政厅", "市财"),
    ]  # fmt: skip


def test_an_alias_of_two_nodes_is_asked_back() -> None:
    register = Register(
        [placed("a", "甲"), placed("b", "乙")], recorded=[Called("丙", "a", 1, 5), Called("丙", "b", 3, OPEN)]
    )
    assert [register.named("丙", seq) for seq in (2, 3, 5)] == [("a",), ("a", "b"), ("b",)]


def test_a_name_of_two_nodes_is_asked_back() -> None:
    with pytest.raises(QueryError, match="names several nodes") as caught:
        find_node(REGISTER, "机关服务中心")
    assert "(b)" in str(caught.value) and "(c)" in str(caught.value)


def test_an_unknown_name_brings_the_nearest() -> None:
    with pytest.raises(UnknownName, match="did you mean '财政局'"):
        find_node(REGISTER, "财政局局")


def test_the_root_is_the_one_without_a_parent() -> None:
    assert root_node(REGISTER, 1) == "r"
    with pytest.raises(QueryError, match="several roots"):
        root_node(Register([placed("r", "甲市"), placed("q", "乙市")]), 1)
    with pytest.raises(QueryError, match="empty"):
        root_node(Register([]), 1)
