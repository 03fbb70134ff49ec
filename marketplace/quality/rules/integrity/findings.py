"""What a detector says: figures that a person needs to answer it, never a verdict."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]

FALSE_SHARE = 0.05


class FindingKind(StrEnum):
    HASTE = "haste"
    COPYING = "copying"
    NEAR_DUPLICATE = "near_duplicate"
    COLLUSION = "collusion"
    POSITION = "position"
    SHARING = "sharing"
    SPAM = "spam"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is rare in honest work; a person decides what it means.

    persons: whom it is about, one or several. chance: how large the share of such findings that
    honest work alone would give is expected to be (Benjamini and Hochberg 1995), None where a
    figure is not a test. numbers: what was seen and what would be usual, by name. pieces: the
    answers, or pairs of answers, that show it best, as their names were given.
    """

    kind: FindingKind
    persons: tuple[Hashable, ...]
    chance: float | None
    numbers: Mapping[str, float | int | str]
    pieces: tuple[Any, ...] = field(default=())


def false_shares(chances: Floats) -> Floats:
    """For each test the expected share of false ones among all that are at least as unlikely.

    chances: p-values, float64[n] (Benjamini and Hochberg 1995).
    """
    number = len(chances)
    order = np.argsort(chances, kind="stable")
    scaled = chances[order] * number / np.arange(1, number + 1)
    found = np.empty(number)
    found[order] = np.minimum(1, np.minimum.accumulate(scaled[::-1])[::-1])
    return found
