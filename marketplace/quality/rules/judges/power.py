"""How many items a panel needs for an interval of a wanted width.

The spread of one item in the bootstrap tells it best, and a report has that. Before there is one,
the delta method of kappa for two raters in a bad case: Fleiss, Cohen and Everitt (1969) give
variances between 0.6/n and 1.1/n for kappas of 0.3 to 0.7 on scales in common use; 1.1 is taken,
since a median over people has no more spread than one pair.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from scipy.special import ndtri

from marketplace.quality.rules.judges.ratings import CONFIDENCE

VARIANCE_AN_ITEM = 1.1
HALF_WIDTH = 0.15
HALF_WIDTHS = (0.25, 0.2, 0.15, 0.1, 0.075)
EXPERTS = 3
EXPERTS_LEAST, EXPERTS_MOST = 2, 9
ITEMS_LEAST = 20


def items_for(half_width: float, *, variance: float = VARIANCE_AN_ITEM) -> int:
    """Items for a 90 % interval of a kappa that reaches `half_width` to either side."""
    z = float(ndtri((1 + CONFIDENCE) / 2))
    return max(ITEMS_LEAST, math.ceil(variance * (z / half_width) ** 2))


def half_width_for(items: int, *, variance: float = VARIANCE_AN_ITEM) -> float:
    """How far a 90 % interval from so many items reaches to either side."""
    return float(ndtri((1 + CONFIDENCE) / 2)) * math.sqrt(variance / max(items, 1))


def variances(figures: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """By dimension, the variance that one item brings, from the findings of an earlier report."""
    found = {}
    z = float(ndtri((1 + CONFIDENCE) / 2))
    for each in figures:
        judge = each["judge"]
        if each["slice"] == "" and judge["lower"] is not None and judge["n"] >= ITEMS_LEAST:
            spread = (judge["upper"] - judge["lower"]) / (2 * z)
            found[each["dimension"]] = judge["n"] * spread**2
    return found
