"""The second look at a rejection: its lifecycle, and what two verdicts come to; pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from marketplace.review.rules.verdicts import Verdict


class SecondLookState(StrEnum):
    """open: waits for somebody else; upheld: they rejected too; disagreed: they did not; lapsed:
    nobody else looked in time, so the first verdict stands."""

    OPEN = "open"
    UPHELD = "upheld"
    DISAGREED = "disagreed"
    LAPSED = "lapsed"


NEXT_SECOND_LOOK: Mapping[SecondLookState, frozenset[SecondLookState]] = {
    SecondLookState.OPEN: frozenset(
        {SecondLookState.UPHELD, SecondLookState.DISAGREED, SecondLookState.LAPSED}
    ),
    SecondLookState.UPHELD: frozenset(),
    SecondLookState.DISAGREED: frozenset(),
    SecondLookState.LAPSED: frozenset(),
}


def state_after(second: Verdict) -> SecondLookState:
    """What a second verdict makes of a rejection.

    Whoever would accept it, or would have sent it back, does not hold it for lost. Its seat may be
    another's by then, so that nothing can be sent back: in doubt it is the author's.
    """
    return SecondLookState.UPHELD if second is Verdict.REJECT else SecondLookState.DISAGREED
