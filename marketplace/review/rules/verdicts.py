"""Verdicts, their reasons, and the dates of pay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from marketplace.errors import Conflict, Denied, Fault, Faulty
from marketplace.tasktypes import unstorable_places
from marketplace.work.rules import SubmissionState

REWORK_ROUNDS_MAX = 2
NOTE_MIN = 10
NOTE_MAX = 4_000
DEFECTS_MAX = 50


class Verdict(StrEnum):
    """What a reviewer may say."""

    ACCEPT = "accept"
    REWORK = "rework"
    REJECT = "reject"


class OverturnCause(StrEnum):
    """Why a verdict was overturned.

    appeal_lapsed: an appeal was not decided in time, which says nothing of the first verdict.
    """

    SECOND_LOOK = "second_look"
    APPEAL = "appeal"
    APPEAL_LAPSED = "appeal_lapsed"
    GOLD_DISPUTED = "gold_disputed"
    ADJUDICATION = "adjudication"
    INTEGRITY = "integrity"


class Severity(StrEnum):
    """How much a defect weighs."""

    MINOR = "minor"
    MAJOR = "major"
    CRITICAL = "critical"


class AccrualKind(StrEnum):
    """What pay was earned for; overturned: an answer accepted after all whose seat had gone; bonus:
    what a lab gave beyond the price."""

    ACCEPTED = "accepted"
    SURPLUS = "surplus"
    CANNOT_COMPLETE = "cannot_complete"
    OVERTURNED = "overturned"
    BONUS = "bonus"


STATE_AFTER: Mapping[Verdict, SubmissionState] = {
    Verdict.ACCEPT: SubmissionState.ACCEPTED,
    Verdict.REWORK: SubmissionState.REWORK,
    Verdict.REJECT: SubmissionState.REJECTED,
}


class OwnWork(Denied):
    """A reviewer met their own submission."""

    code = "own_work"


class SameReviewer(Denied):
    """Who said a verdict met the question whether it stands."""

    code = "same_reviewer"


class StandsAlready(Conflict):
    """The verdict that was to be overturned says the same, or there is none yet."""

    code = "stands_already"


class SameOrganisation(Denied):
    """A reviewer shares an organisation with the author: as members, or as one's employer."""

    code = "same_organisation"


def clears_at(accepted_at: datetime, clearance_days: int) -> datetime:
    """When accepted pay becomes available: whole days of 24 hours, frozen at acceptance."""
    return accepted_at + timedelta(days=clearance_days)


def check_reasons(verdict: Verdict, note: str, defects: Sequence[Mapping[str, Any]]) -> None:
    """Faulty unless a verdict that costs the author anything says why."""
    faults = list(unstorable_places({"note": note, "defects": [dict(one) for one in defects]}))
    if len(note) > NOTE_MAX:
        faults.append(Fault("/note", f"Keep the note below {NOTE_MAX} characters."))
    if len(defects) > DEFECTS_MAX:
        faults.append(Fault("/defects", f"Name at most {DEFECTS_MAX} defects."))
    for at, defect in enumerate(defects):
        if defect.get("severity") not in set(Severity):
            levels = ", ".join(Severity)
            faults.append(Fault(f"/defects/{at}/severity", f"Choose one of {levels}."))
        if not str(defect.get("what") or "").strip():
            faults.append(Fault(f"/defects/{at}/what", "Say what is wrong, in a sentence."))
    if verdict is not Verdict.ACCEPT and len(note.strip()) < NOTE_MIN and not defects:
        faults.append(
            Fault("/note", "Tell the author what is wrong and what would be right, in a sentence.")
        )
    if faults:
        raise Faulty("The decision needs its reasons.", faults)


def check_round(verdict: Verdict, round_number: int) -> None:
    """Faulty when an answer has been sent back often enough."""
    if verdict is Verdict.REWORK and round_number > REWORK_ROUNDS_MAX:
        raise Faulty(
            "This answer was sent back twice already.",
            [Fault("/verdict", "Accept it, or reject it with the reason.")],
        )
