"""What a lab says of its reviews: how soon, how often twice, whether a third settles; pure."""

from __future__ import annotations

from dataclasses import dataclass

from marketplace.errors import Fault, Faulty

DAYS_MIN, DAYS_MAX, DAYS = 1, 30, 7
SECOND_LOOK_RATIO = 0.1
SECOND_LOOK_RATIO_MAX = 1.0


@dataclass(frozen=True, slots=True)
class Policy:
    """days_max: whole days in which an answer is decided, else it is accepted by itself;
    second_look_ratio: the share of rejections that somebody else looks at, the first of a job
    always; adjudicates: whether tasks whose judgements disagree go to a third person."""

    days_max: int = DAYS
    second_look_ratio: float = SECOND_LOOK_RATIO
    adjudicates: bool = False


def check_policy(policy: Policy) -> None:
    """Faulty unless a policy keeps to our bounds."""
    faults = []
    if not DAYS_MIN <= policy.days_max <= DAYS_MAX:
        faults.append(Fault("/days_max", f"Say {DAYS_MIN} to {DAYS_MAX} days."))
    if not 0 <= policy.second_look_ratio <= SECOND_LOOK_RATIO_MAX:
        faults.append(Fault("/second_look_ratio", "Say a share from 0 to 1."))
    if faults:
        raise Faulty("The rules of review need mending.", faults)
