"""The steps by which a newcomer becomes somebody who can be given work and be paid; pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum


class Step(StrEnum):
    """One short page each, in this order."""

    YOU = "you"
    PROFESSION = "profession"
    HOURS = "hours"
    PAPERS = "papers"
    CREDENTIAL = "credential"
    IDENTITY = "identity"
    QUALIFICATION = "qualification"
    PAID = "paid"


STEPS: Sequence[Step] = tuple(Step)
# Without these nothing could be offered at all; the others may wait, at the price that they name.
NEEDED = frozenset({Step.YOU, Step.PROFESSION, Step.HOURS})

# A step is passed once its field of the profile is saved, on whichever page.
PASSED_BY: Mapping[str, Step] = {
    "time_zone": Step.YOU,
    "professions": Step.PROFESSION,
    "languages": Step.HOURS,
}


def may_skip(step: Step) -> bool:
    """Whether a step may be left for later."""
    return step not in NEEDED


def first_open(done: Collection[Step], skipped: Collection[Step]) -> Step | None:
    """Where somebody who comes back goes on: the first step neither done nor put off."""
    return next((step for step in STEPS if step not in done and step not in skipped), None)


def following(step: Step) -> Step | None:
    """The step after this one; None after the last."""
    at = STEPS.index(step) + 1
    return STEPS[at] if at < len(STEPS) else None


def preceding(step: Step) -> Step | None:
    """The step before this one; None before the first."""
    at = STEPS.index(step)
    return STEPS[at - 1] if at else None
