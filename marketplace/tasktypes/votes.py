"""Counting votes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import TypeAlias, TypeVar

Label = TypeVar("Label", bound=Hashable)
Units: TypeAlias = dict[str, Hashable]


def majority(labels: Iterable[Label]) -> Label | None:
    """The label that more than half of the votes name; None without votes or without such a one.

    A plurality is not a majority: of a, a, b, tie, both_bad nobody speaks for most.
    """
    counted = Counter(labels)
    if not counted:
        return None
    label, votes = counted.most_common(1)[0]
    return label if 2 * votes > counted.total() else None


def majorities(ballots: Sequence[Mapping[str, Hashable]]) -> Units:
    """For each unit the majority among those who spoke about it; units without one are left out."""
    named = sorted({unit for ballot in ballots for unit in ballot})
    counted = {
        unit: majority(ballot[unit] for ballot in ballots if unit in ballot) for unit in named
    }
    return {unit: label for unit, label in counted.items() if label is not None}


def share_matched(
    judged: Mapping[str, Hashable],
    gold: Mapping[str, Hashable],
    same: Callable[[Hashable, Hashable], bool] = lambda given, wanted: given == wanted,
) -> float | None:
    """The share of gold's units (0..1) that the judgement answers alike; None without units."""
    if not gold:
        return None
    matched = sum(1 for unit, label in gold.items() if unit in judged and same(judged[unit], label))
    return matched / len(gold)
