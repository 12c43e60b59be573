"""Where a difference comes from: definitions, data, tree; the parts add up to it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from metrics.model import Answer
from metrics.parted import Parts, parts_of


@dataclass(frozen=True)
class Batch:
    numerator: Decimal
    denominator: Decimal | None = None
    is_tree: bool = False


def answer(value, numerator=None, denominator=None, unit="CNY"):
    return Answer("x", "n", "n", None, None, "2024-01", "month", value, numerator, denominator, unit, 1, 1, "ok", "f", 1,
                  None, "as-was", "real")  # fmt: skip


OLD = answer(Decimal("1.0"), Decimal(10000))


def test_a_sum_is_parted_exactly():
    # then 1.0 万元; by the later rule 1.5; a file brought 4000 yuan more, a unit left with 1000
    restated = answer(Decimal("1.5"), Decimal(15000))
    new = answer(Decimal("1.8"), Decimal(18000))
    found = parts_of(OLD, restated, new, [Batch(Decimal(4000)), Batch(Decimal(-1000), is_tree=True)], -4)
    assert found == Parts(Decimal("0.5"), Decimal("0.4"), Decimal("-0.1"))
    assert found.definitions + found.data + found.tree == new.value - OLD.value


def test_a_ratio_takes_the_data_first_and_then_the_tree():
    restated, new = answer(2.0, Decimal(20), Decimal(10)), answer(4.0, Decimal(32), Decimal(8))
    batches = [Batch(Decimal(10), Decimal(0)), Batch(Decimal(2), Decimal(-2), is_tree=True)]
    found = parts_of(answer(1.0), restated, new, batches, 0)
    assert (found.definitions, found.data, found.tree) == (1.0, 1.0, 1.0)  # 20/10 → 30/10 → 32/8


def test_one_kind_of_batch_alone_moved_all_of_it():
    new = answer(Decimal("1.2"), Decimal(12000))
    assert parts_of(OLD, OLD, new, [Batch(Decimal(2000))], -4) == Parts(Decimal(0), Decimal("0.2"), Decimal(0))
    only_tree = parts_of(OLD, OLD, new, [Batch(Decimal(2000), is_tree=True)], -4)
    assert only_tree == Parts(Decimal(0), Decimal(0), Decimal("0.2"))


def test_what_cannot_be_told_is_not_told():
    new = answer(Decimal("1.8"), Decimal(18000))
    mixed = [Batch(Decimal(1)), Batch(Decimal(1), is_tree=True)]
    assert parts_of(OLD, OLD, new, mixed, -4) == Parts(Decimal(0)), "the batches do not add up to the difference"
    assert parts_of(replace(OLD, unit="USD"), OLD, OLD, [], -4).definitions is None, "another unit"
    assert parts_of(replace(OLD, value=None), OLD, OLD, [], -4).definitions is None
