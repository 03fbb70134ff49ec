"""Adjudication: when judgements of a task need a third person, and its lifecycle; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from enum import StrEnum

RATIONALE_MIN = 10
RATIONALE_MAX = 10_000
JUDGEMENTS_SHOWN_MAX = 50


class AdjudicationState(StrEnum):
    """open: waits for a third person; settled: one said which judgement holds; withdrawn: it is
    not wanted any more; lapsed: nobody settled it in time, so aggregation speaks alone."""

    OPEN = "open"
    SETTLED = "settled"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"


class AdjudicationCause(StrEnum):
    """Why a third person is asked."""

    DISAGREEMENT = "disagreement"
    ASKED = "asked"


NEXT_ADJUDICATION: Mapping[AdjudicationState, frozenset[AdjudicationState]] = {
    AdjudicationState.OPEN: frozenset(
        {AdjudicationState.SETTLED, AdjudicationState.WITHDRAWN, AdjudicationState.LAPSED}
    ),
    AdjudicationState.SETTLED: frozenset(),
    AdjudicationState.WITHDRAWN: frozenset(),
    AdjudicationState.LAPSED: frozenset(),
}


def contested(ballots: Sequence[Mapping[str, Hashable]], target: float) -> dict[str, float]:
    """The units on which fewer than `target` (0..1) of those who spoke say the same, each with the
    share of its most frequent label. Units that one person alone spoke about are not contested."""
    shares = {}
    for unit in sorted({name for ballot in ballots for name in ballot}):
        said = Counter(ballot[unit] for ballot in ballots if unit in ballot)
        share = said.most_common(1)[0][1] / said.total()
        if said.total() > 1 and share < min(target, 1.0):
            shares[unit] = share
    return shares
