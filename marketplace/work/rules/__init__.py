"""The lifecycles of work and the arithmetic of its time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeVar

from marketplace.errors import Conflict, Fault, Faulty, Refused
from marketplace.jobs.rules import LatePay
from marketplace.money import Money
from marketplace.work.rules.conversation import ASKS_A_TURN_MAX as ASKS_A_TURN_MAX
from marketplace.work.rules.conversation import EntryKind as EntryKind
from marketplace.work.rules.conversation import Talk as Talk
from marketplace.work.rules.conversation import TalkOver as TalkOver
from marketplace.work.rules.conversation import TalkState as TalkState
from marketplace.work.rules.conversation import TurnMoved as TurnMoved
from marketplace.work.rules.conversation import for_author as for_author
from marketplace.work.rules.conversation import judgement_for_author as judgement_for_author
from marketplace.work.rules.conversation import talk_of as talk_of
from marketplace.work.rules.conversation import text_of as text_of
from marketplace.work.rules.envelope import CONFIDENCE_ANCHORS as CONFIDENCE_ANCHORS
from marketplace.work.rules.envelope import Envelope as Envelope
from marketplace.work.rules.envelope import EvidenceKind as EvidenceKind
from marketplace.work.rules.envelope import Flag as Flag
from marketplace.work.rules.envelope import Interval as Interval
from marketplace.work.rules.envelope import IntervalKind as IntervalKind
from marketplace.work.rules.envelope import envelope_faults as envelope_faults
from marketplace.work.rules.envelope import joined as joined
from marketplace.work.rules.envelope import misplaced as misplaced
from marketplace.work.rules.envelope import reference_of as reference_of
from marketplace.work.rules.envelope import refuse_unstorable as refuse_unstorable
from marketplace.work.rules.envelope import seconds_by_kind as seconds_by_kind
from marketplace.work.rules.envelope import spent_of as spent_of
from marketplace.work.rules.envelope import within as within
from marketplace.work.rules.envelope import working_seconds as working_seconds
from marketplace.work.rules.sealing import sealed_content as sealed_content

S = TypeVar("S", bound=StrEnum)


class TaskState(StrEnum):
    """open: wants more judgements; filled: all are in; final: all are decided."""

    OPEN = "open"
    FILLED = "filled"
    FINAL = "final"


class SeatState(StrEnum):
    """One judgement wanted: free, leased, delivered, or no longer wanted."""

    OPEN = "open"
    CLAIMED = "claimed"
    SUBMITTED = "submitted"
    CLOSED = "closed"


class ClaimState(StrEnum):
    """A lease: live until it is submitted, given back or runs out; `returned` for rework.

    reported: ended by an outcome, so that its holder is not offered the task again.
    """

    LIVE = "live"
    SUBMITTED = "submitted"
    RELEASED = "released"
    EXPIRED = "expired"
    RETURNED = "returned"
    REPORTED = "reported"


class SubmissionState(StrEnum):
    """What became of a submission.

    surplus: kept, though the seat had gone to somebody else. Its states are its own, so that
    whatever asks for accepted work finds work that counts for a task, and nothing else.
    """

    SUBMITTED = "submitted"
    IN_REVIEW = "in_review"
    REWORK = "rework"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    SURPLUS = "surplus"
    SURPLUS_IN_REVIEW = "surplus_in_review"
    SURPLUS_ACCEPTED = "surplus_accepted"
    SURPLUS_REJECTED = "surplus_rejected"


class OutcomeKind(StrEnum):
    """An ending that is not an answer; it penalises nobody.

    opted_out: its holder stopped for their own sake; they need give no reason, and a reason that
    they give is not for the lab.
    """

    CANNOT_COMPLETE = "cannot_complete"
    GUIDELINE_GAP = "guideline_gap"
    OPTED_OUT = "opted_out"


class AddendumKind(StrEnum):
    """What an author may add to a judgement that is in."""

    JUDGE_FAULT = "judge_fault"


NEXT_TASK: Mapping[TaskState, frozenset[TaskState]] = {
    # A task that nobody can do is final at once, with what is in.
    TaskState.OPEN: frozenset({TaskState.FILLED, TaskState.FINAL}),
    TaskState.FILLED: frozenset({TaskState.OPEN, TaskState.FINAL}),
    TaskState.FINAL: frozenset({TaskState.OPEN}),
}
NEXT_SEAT: Mapping[SeatState, frozenset[SeatState]] = {
    SeatState.OPEN: frozenset({SeatState.CLAIMED, SeatState.SUBMITTED, SeatState.CLOSED}),
    SeatState.CLAIMED: frozenset({SeatState.OPEN, SeatState.SUBMITTED, SeatState.CLOSED}),
    SeatState.SUBMITTED: frozenset({SeatState.OPEN, SeatState.CLAIMED, SeatState.CLOSED}),
    SeatState.CLOSED: frozenset({SeatState.OPEN}),
}
NEXT_CLAIM: Mapping[ClaimState, frozenset[ClaimState]] = {
    ClaimState.LIVE: frozenset(
        {ClaimState.SUBMITTED, ClaimState.RELEASED, ClaimState.REPORTED, ClaimState.EXPIRED}
    ),
    ClaimState.EXPIRED: frozenset(
        {ClaimState.SUBMITTED, ClaimState.LIVE, ClaimState.RELEASED, ClaimState.REPORTED}
    ),
    ClaimState.SUBMITTED: frozenset({ClaimState.RETURNED}),
    ClaimState.RELEASED: frozenset(),
    ClaimState.RETURNED: frozenset(),
    # Once the lab has closed the gap, its reporter may be offered the task again.
    ClaimState.REPORTED: frozenset({ClaimState.RELEASED}),
}
NEXT_SUBMISSION: Mapping[SubmissionState, frozenset[SubmissionState]] = {
    SubmissionState.SUBMITTED: frozenset(
        {
            SubmissionState.IN_REVIEW,
            SubmissionState.ACCEPTED,
            SubmissionState.REWORK,
            SubmissionState.REJECTED,
        }
    ),
    SubmissionState.IN_REVIEW: frozenset(
        {SubmissionState.ACCEPTED, SubmissionState.REWORK, SubmissionState.REJECTED}
    ),
    # What was decided may be overturned; accepted after all, an answer counts where its seat is
    # free, and is kept beside the task where it is not.
    SubmissionState.REWORK: frozenset({SubmissionState.ACCEPTED, SubmissionState.SURPLUS_ACCEPTED}),
    SubmissionState.ACCEPTED: frozenset({SubmissionState.REJECTED}),
    SubmissionState.REJECTED: frozenset(
        {SubmissionState.ACCEPTED, SubmissionState.SURPLUS_ACCEPTED}
    ),
    SubmissionState.SURPLUS: frozenset(
        {
            SubmissionState.SURPLUS_IN_REVIEW,
            SubmissionState.SURPLUS_ACCEPTED,
            SubmissionState.SURPLUS_REJECTED,
        }
    ),
    SubmissionState.SURPLUS_IN_REVIEW: frozenset(
        {SubmissionState.SURPLUS_ACCEPTED, SubmissionState.SURPLUS_REJECTED}
    ),
    SubmissionState.SURPLUS_ACCEPTED: frozenset({SubmissionState.SURPLUS_REJECTED}),
    SubmissionState.SURPLUS_REJECTED: frozenset({SubmissionState.SURPLUS_ACCEPTED}),
}
# What a verdict makes of a surplus answer; it has no seat that rework could give back.
SURPLUS_AFTER: Mapping[SubmissionState, SubmissionState] = {
    SubmissionState.IN_REVIEW: SubmissionState.SURPLUS_IN_REVIEW,
    SubmissionState.ACCEPTED: SubmissionState.SURPLUS_ACCEPTED,
    SubmissionState.REJECTED: SubmissionState.SURPLUS_REJECTED,
}
SURPLUS_STATES = frozenset({SubmissionState.SURPLUS, *SURPLUS_AFTER.values()})
ARRIVED = frozenset({SubmissionState.SUBMITTED, SubmissionState.SURPLUS})
WAITING = frozenset({SubmissionState.IN_REVIEW, SubmissionState.SURPLUS_IN_REVIEW})
# Who has such a claim on a task is not offered it again; an expired one can still be taken up,
# and who reported a task meets it no more.
HOLDING = frozenset(set(ClaimState) - {ClaimState.RELEASED})

REWORK_LEASE = timedelta(days=7)
DROPPED_AFTER_PEOPLE = 2
CANNOT_COMPLETE_PAID_A_DAY = 5
GAP_PEOPLE = 3
# A task is asked once more only from so many tasks on, so that nobody remembers it word for word.
REPEATS_AFTER = 10
# Types whose answers can stand in another order, and that tell nothing once they are answered.
REPEATED_TYPES = frozenset({"pairwise", "ranking"})
GAP_WINDOW_ENDS = 50
EVIDENCE_MIN = 10
EVIDENCE_MAX = 10_000
INTERVALS_A_BEAT_MAX = 100
DRAFT_MAX_BYTES = 1024 * 1024


class LeaseLost(Conflict):
    """The lease ran out; the draft is kept and can still be submitted."""

    code = "lease_lost"


class WrongFence(Conflict):
    """The claim is held by another lease than the caller knows of."""

    code = "wrong_fence"


class DraftMoved(Conflict):
    """Another window saved a later revision."""

    code = "draft_moved"


class AlreadySubmitted(Conflict):
    """Other content was submitted for this claim already."""

    code = "already_submitted"


class GivenBack(Conflict):
    """The task was given back; its seat may be another's."""

    code = "given_back"


class NoRework(Refused):
    """A surplus answer has no seat that could go back to its author."""

    code = "no_rework"


class AnsweredAgain(Conflict):
    """An answer that was sent back has a successor by now, which stands in its place."""

    code = "answered_again"


class TooManyInHand(Conflict):
    """The specialist holds as many tasks of the job as it allows at a time."""

    code = "too_many_in_hand"


class EnoughDone(Conflict):
    """The specialist has done as many tasks of the job as it takes from one person."""

    code = "enough_done"


class HeldBack(EnoughDone):
    """The specialist gets no further task of the job, which a person has decided."""

    code = "held_back"


class IllegalStep(Refused):
    """A state cannot follow another; the page that asked for it was out of date."""

    code = "illegal_step"


def step(table: Mapping[S, frozenset[S]], now: S, then: S) -> S:
    """`then`, if the table allows it after `now`; IllegalStep else."""
    if then not in table[now]:
        raise IllegalStep(f"This is {now.value} now and cannot become {then.value}.")
    return then


def reward(price: Money, active_seconds: int, paid_seconds_max: int | None) -> Money:
    """What a seat earns: its price; for hourly pay the price's part for the active time.

    price: frozen at claim, for hourly pay that of paid_seconds_max; None means pay per task.
    """
    if paid_seconds_max is None:
        return price
    paid = max(0, min(active_seconds, paid_seconds_max))
    return price.share([paid, paid_seconds_max - paid])[0]


def late_price(price: Money, late_pay: LatePay) -> Money:
    """What an answer can earn whose seat had gone to somebody else, by the job's declared rule."""
    return price.portion(5_000) if late_pay is LatePay.HALF else price


def unreported(claimed_at: datetime, at: datetime, expected_seconds: int) -> Interval | None:
    """The time of an answer whose page reported none, since it ran without script: the time that
    the task was in hand, up to the time that it is expected to take, as reading."""
    end = min(at, claimed_at + timedelta(seconds=expected_seconds))
    return Interval(IntervalKind.READING, claimed_at, end) if end > claimed_at else None


def evidence_of(text: str, kind: OutcomeKind) -> str:
    """What stands in the way, tidied; Faulty when it says too little or too much."""
    refuse_unstorable({"evidence": text})
    said = text.strip()
    least = 0 if kind is OutcomeKind.OPTED_OUT else EVIDENCE_MIN
    if not least <= len(said) <= EVIDENCE_MAX:
        words = "Describe it in a sentence, so that the lab can mend it."
        raise Faulty("Say what stands in the way.", [Fault("/evidence", words)])
    return said


def etag(revision: int) -> str:
    """The entity tag of a draft's revision; `"0"` for a draft that was never saved."""
    return f'"{revision}"'


def revision_of(if_match: str) -> int:
    """The revision that an If-Match header names; DraftMoved for anything else."""
    bare = if_match.strip().removeprefix("W/").strip('"')
    if not bare.isascii() or not bare.isdigit() or len(bare) > 9:
        raise DraftMoved('Send If-Match with the tag of the last draft, such as "0".')
    return int(bare)
