"""Attempts at a qualification: their states, and whether and with which form one may try now."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from marketplace.errors import Refused

RENEWABLE_DAYS = 30  # A pass may be renewed in its last days, so that nobody falls out of work.


class AttemptState(StrEnum):
    """live: worked on; scored: ended and marked; void: the job ended first, and it says nothing."""

    LIVE = "live"
    SCORED = "scored"
    VOID = "void"


NEXT_ATTEMPT: Mapping[AttemptState, frozenset[AttemptState]] = {
    AttemptState.LIVE: frozenset({AttemptState.SCORED, AttemptState.VOID}),
    AttemptState.SCORED: frozenset(),
    AttemptState.VOID: frozenset(),
}


class StillPassed(Refused):
    """The person has passed, and the pass stands for long enough yet."""

    code = "still_passed"


class CoolingDown(Refused):
    """The last attempt did not pass, and the days between two attempts are not over."""

    code = "cooling_down"


class NoFormLeft(Refused):
    """The person has met every form; an item is never given to the same person twice."""

    code = "no_form_left"


@dataclass(frozen=True, slots=True)
class PastAttempt:
    """What an earlier attempt leaves behind for the next one."""

    form: int
    state: AttemptState
    finished_at: datetime | None
    passed: bool | None
    expires_at: datetime | None


def retry_at(past: Sequence[PastAttempt], *, cooldown_days: int) -> datetime | None:
    """From when another attempt may begin; None for at once. Void attempts hold nobody back."""
    ends = [
        each.expires_at - timedelta(days=RENEWABLE_DAYS)
        if each.passed and each.expires_at
        else each.finished_at + timedelta(days=cooldown_days)
        for each in past
        if each.state is AttemptState.SCORED and each.finished_at
    ]
    return max(ends, default=None)


def next_form(
    past: Sequence[PastAttempt], *, forms: int, cooldown_days: int, seed: str, now: datetime
) -> int:
    """The form of the next attempt, one that the person has never met.

    Which of them comes is drawn by the seed, so that two people rarely sit the same form in the
    same order. Raises StillPassed, CoolingDown and NoFormLeft.
    """
    again = retry_at(past, cooldown_days=cooldown_days)
    if again is not None and now < again:
        if any(each.passed and each.expires_at and now < each.expires_at for each in past):
            raise StillPassed(
                f"You have passed this qualification. You may renew it from {again:%-d %B %Y} on."
            )
        raise CoolingDown(f"The next attempt may begin on {again:%-d %B %Y} at {again:%H:%M} UTC.")
    met = {each.form for each in past}
    unseen = [form for form in range(1, forms + 1) if form not in met]
    if not unseen:
        raise NoFormLeft(
            f"You have met all {forms} forms of this qualification, and nobody gets the same "
            "items twice. The owner would have to add new ones."
        )
    return min(unseen, key=lambda form: hashlib.sha256(f"{seed}:{form}".encode()).digest())


def seed_of(person_id: UUID, job_id: UUID) -> str:
    """What draws one person's forms in one qualification."""
    return f"{person_id}:{job_id}"
