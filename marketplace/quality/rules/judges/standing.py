"""Where a judge may stand alone: whether it agrees with experts as they do with each other.

May = judge-expert agreement >= expert-expert agreement - margin. Three answers: yes and no where
nine draws of items in ten say so, else that it is not known yet, with how many items would settle
it. Where experts agree no better than chance there is no ceiling to be held to, and never a yes:
the dimension wants clearer words, not a judge. Intervals and probabilities are about other items,
judged by the same people.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from scipy.special import ndtri

from marketplace.quality.rules.judges.kappas import Agreement

MARGIN = 0.05
SURE = 0.9
ITEMS_MIN = 10  # With fewer, draws of items say too little of other items.
ITEMS_TOLD_MAX = 5_000


class Standing(StrEnum):
    """Whether the judge may stand alone."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Rule:
    """The answer for one dimension and slice.

    probability: the share of draws in which the judge is within the margin of the experts, None
    where that cannot be told; more_items: how many more would settle it, if all stays as it is;
    None where it is settled, or where more than `ITEMS_TOLD_MAX` would be needed; vague: whether
    the interval of the experts' own agreement reaches down to chance.
    """

    standing: Standing
    margin: float
    probability: float | None
    more_items: int | None
    vague: bool = False


def rule(found: Agreement, *, margin: float = MARGIN) -> Rule:
    """The answer, from the draws of the difference of both agreements."""
    difference, n = found.difference.value, found.difference.n
    known = found.draws[1:][~np.isnan(found.draws[1:])]
    if difference is None or found.difference.lower is None or not known.size:
        return Rule(Standing.UNKNOWN, margin, None, ITEMS_MIN if n < ITEMS_MIN else None)
    probability = float((known >= -margin).mean())
    if n < ITEMS_MIN:
        return Rule(Standing.UNKNOWN, margin, probability, ITEMS_MIN - n)
    vague = found.experts.lower is None or found.experts.lower <= 0
    if probability >= SURE:
        standing = Standing.UNKNOWN if vague else Standing.YES
        return Rule(standing, margin, probability, None, vague)
    if probability <= 1 - SURE:
        return Rule(Standing.NO, margin, probability, None)
    more = _more(difference + margin, float(known.std(ddof=1)), n)
    return Rule(Standing.UNKNOWN, margin, probability, more, vague)


def _more(distance: float, spread: float, n: int) -> int | None:
    """Items to add so that the same distance lies `SURE` away from 0; the spread falls as 1/√n."""
    if abs(distance) < 1e-9:
        return None
    wanted = n * (ndtri(SURE) * spread / distance) ** 2
    more = max(1, math.ceil(wanted) - n)
    return more if more <= ITEMS_TOLD_MAX else None
