"""What a new version means for work that was begun under an older one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class VersionChange(StrEnum):
    """What a lab chose when it changed a running job.

    finish: begun tasks end on the old version; reopen: judged tasks are asked again under the new
    one; requalify: as finish, and nobody claims before they passed the qualifications again.
    """

    FINISH = "finish"
    REOPEN = "reopen"
    REQUALIFY = "requalify"


CHANGE_LABELS: Mapping[VersionChange, str] = {
    VersionChange.FINISH: "Begun tasks finish on the old version",
    VersionChange.REOPEN: "Judged tasks are asked again",
    VersionChange.REQUALIFY: "People qualify again first",
}
KEEPING = frozenset({VersionChange.FINISH, VersionChange.REQUALIFY})


@dataclass(frozen=True, slots=True)
class Step:
    """A version by its number, from 1, and what making it meant for work that was begun; None for
    a draft's versions, and for notes that only clarify."""

    number: int
    change: VersionChange | None


def version_kept(begun: int, steps: Sequence[Step]) -> int | None:
    """The version that a task begun under `begun` keeps; None where it takes the newest.

    steps: all versions in the order of their numbers. A task keeps the version that stood right
    before the first change that let begun work finish; where judged tasks were asked again, what
    was begun before counts as begun then.
    """
    later = [step for step in steps if step.number > begun]
    asked_again = [step.number for step in later if step.change is VersionChange.REOPEN]
    start = max(asked_again, default=begun)
    for step in later:
        if step.number > start and step.change in KEEPING:
            return step.number - 1
    return None
