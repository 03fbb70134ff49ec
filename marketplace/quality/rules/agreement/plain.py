"""Agreement as one number, on nominal labels; whole numbers until the last division."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from typing import TypeVar

Label = TypeVar("Label", bound=Hashable)


def percent_agreement(pairs: Iterable[tuple[Label, Label]]) -> float | None:
    """The share (0..1) of pairs whose two labels are equal; None without pairs."""
    counted = Counter(first == second for first, second in pairs)
    return counted[True] / counted.total() if counted else None


def cohen_kappa(pairs: Iterable[tuple[Label, Label]]) -> float | None:
    """Agreement of two authors beyond chance, -1..1 (Cohen 1960), unweighted.

    pairs: one (first author's label, second author's label) for each item that both judged.
    None without pairs. Where both authors use one and the same label throughout, chance alone
    explains everything and the quotient is 0/0: the answer is then 1.0, since they never differed.
    """
    table = Counter(pairs)
    total = table.total()
    if total == 0:
        return None
    rows: Counter[Label] = Counter()
    columns: Counter[Label] = Counter()
    for (first, second), count in table.items():
        rows[first] += count
        columns[second] += count
    agreed = sum(count for (first, second), count in table.items() if first == second)
    # Whole numbers until the last division: no rounding can turn a 0/0 into a wild quotient.
    by_chance = sum(rows[label] * columns[label] for label in rows)
    if by_chance == total * total:
        return 1.0
    return (total * agreed - by_chance) / (total * total - by_chance)


def krippendorff_alpha_nominal(units: Iterable[Sequence[Label]]) -> float | None:
    """Agreement of any number of authors beyond chance, at most 1 (Krippendorff 2004, ch. 11).

    units: the labels that each item received, from whomever, in any order; items with fewer than
    two say nothing and are passed over. None where no item has two labels; 1.0 where all labels
    are the same one, since nobody differed.
    """
    seen: Counter[Label] = Counter()
    disagreed = 0.0
    for labels in units:
        size = len(labels)
        if size < 2:
            continue
        counted = Counter(labels)
        seen += counted
        equal = sum(count * (count - 1) for count in counted.values())
        disagreed += (size * (size - 1) - equal) / (size - 1)
    total = seen.total()
    if total == 0:
        return None
    by_chance = total * total - sum(count * count for count in seen.values())
    if by_chance == 0:
        return 1.0
    return 1 - (total - 1) * disagreed / by_chance
