"""The brake on rejections in numbers: when it falls, and its lifecycle; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from marketplace.quality.rules.posterior import beta_quantile

WINDOW = timedelta(hours=24)
# Rejections before anything can be said of a rate.
REJECTIONS_MIN = 7
# Of a whole job, whose reviewers together reject more.
REJECTIONS_IN_JOB_MIN = 20
# What is expected before a job has a history: one in ten, known from ten answers.
EXPECTED_REJECTED, EXPECTED_OTHER = 1.0, 9.0
FACTOR = 1.5
BOUND_MIN = 0.25
BOUND_MAX = 0.9
ONE_SIDED = 0.05
REASON_MIN = 10
REASON_MAX = 4_000
# After so long without both confirmations the held rejections are let go.
HELD_DAYS = 7
# The least that reviewers have for what was let go, before it is accepted by itself.
AGAIN_DAYS = 3


class BrakeState(StrEnum):
    """holding: rejections wait; confirmed: both sides said that they are right; released: they
    were let go, and the answers wait for review again."""

    HOLDING = "holding"
    CONFIRMED = "confirmed"
    RELEASED = "released"


NEXT_BRAKE: Mapping[BrakeState, frozenset[BrakeState]] = {
    BrakeState.HOLDING: frozenset({BrakeState.CONFIRMED, BrakeState.RELEASED}),
    BrakeState.CONFIRMED: frozenset(),
    BrakeState.RELEASED: frozenset(),
}


class HeldState(StrEnum):
    """held: the rejection waits; carried_out: it was said; dropped: it was not."""

    HELD = "held"
    CARRIED_OUT = "carried_out"
    DROPPED = "dropped"


NEXT_HELD: Mapping[HeldState, frozenset[HeldState]] = {
    HeldState.HELD: frozenset({HeldState.CARRIED_OUT, HeldState.DROPPED}),
    HeldState.CARRIED_OUT: frozenset(),
    HeldState.DROPPED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Tally:
    """Verdicts of people: how many rejected, out of how many."""

    rejected: int
    decided: int


@dataclass(frozen=True, slots=True)
class Pull:
    """Why the brake falls. rate: of the window; lower: its lower 95 % bound; bound: the most that
    the history of the job lets it be."""

    rate: float
    lower: float
    bound: float


def bound_of(history: Tally) -> float:
    """The rate of rejection that the past of a job explains: half as much again as the upper 95 %
    bound of its own, with one in ten expected before there is a past."""
    upper = beta_quantile(
        1 - ONE_SIDED,
        EXPECTED_REJECTED + history.rejected,
        EXPECTED_OTHER + history.decided - history.rejected,
    )
    return min(BOUND_MAX, max(BOUND_MIN, FACTOR * upper))


def pulled(window: Tally, history: Tally, *, rejections_min: int = REJECTIONS_MIN) -> Pull | None:
    """Whether the rejections of a window are beyond what the history explains; None where not.

    window: the verdicts of the last 24 hours with the one that is asked for; history: those
    before. The lower bound is that of Beta(1 + rejected, 1 + others), so that a few rejections
    in a row say little.
    """
    if window.rejected <= rejections_min:
        return None
    lower = beta_quantile(ONE_SIDED, 1 + window.rejected, 1 + window.decided - window.rejected)
    bound = bound_of(history)
    if lower <= bound:
        return None
    return Pull(window.rejected / window.decided, lower, bound)
