"""A claim in its holder's hands: its lease, its time, its drafts, its other endings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import Actor
from marketplace.errors import Fault, Faulty, Missing
from marketplace.ids import ClaimId, new_id
from marketplace.jobs.models import Job
from marketplace.jobs.rules import JobState
from marketplace.work import rules
from marketplace.work.models import Claim, Draft, Seat, TimeInterval
from marketplace.work.rules import ClaimState, SeatState, step
from marketplace.work.service import tally
from marketplace.work.service.seats import end_claim, held_state


def own_claim(session: Session, actor: Actor, claim_id: ClaimId, fence: int | None = None) -> Claim:
    """The actor's claim, locked; Missing for anybody else's, WrongFence for another lease."""
    claim = session.scalar(
        select(Claim)
        .where(Claim.id == claim_id, Claim.specialist_id == actor.person())
        .with_for_update(key_share=True)
    )
    if claim is None:
        raise Missing("This claim is not there, or it is not yours.")
    if fence is not None and claim.fence != fence:
        raise rules.WrongFence("This claim moved on; load the task again to go on with it.")
    return claim


def heartbeat(
    session: Session,
    actor: Actor,
    claim_id: ClaimId,
    *,
    fence: int,
    intervals: Sequence[rules.Interval] = (),
    exact: bool = False,
) -> datetime:
    """Prolong a lease and book the time; the new end.

    A lease that ran out is taken up again while its seat is free; LeaseLost when it is not.
    exact: Faulty at /intervals for time that cannot have been. What lies outside the claim is else
    cut off: a machine's clock may be set while its page is open, and that must not end a lease.
    """
    claim = own_claim(session, actor, claim_id, fence)
    faults = list(rules.misplaced(intervals, claim.claimed_at, clock.now())) if exact else []
    if faults:
        raise Faulty("Some of the time cannot have been.", faults)
    book_time(session, claim, intervals)
    if claim.state is ClaimState.EXPIRED:
        _take_up(session, claim)
    if claim.state is not ClaimState.LIVE:
        raise rules.LeaseLost("This task is not in your hands any more; it was handed in or back.")
    job = session.get_one(Job, claim.job_id)
    prolonged = clock.now() + timedelta(seconds=job.lease_seconds)
    claim.expires_at = max(claim.expires_at, prolonged)
    return claim.expires_at


def _take_up(session: Session, claim: Claim) -> None:
    closed = held_state(session, claim.job_id) is JobState.CLOSED
    seat = session.get_one(Seat, claim.seat_id, with_for_update={"key_share": True})
    repeated = claim.repeats_submission_id is not None  # It stands beside the seats.
    if closed or (not repeated and seat.state is not SeatState.OPEN):
        raise rules.LeaseLost(
            "The time for this task ran out and it is not free any more. Your draft is kept; what "
            "you submit is kept as well, and paid as the job says of late answers."
        )
    if not repeated:
        seat.state = step(rules.NEXT_SEAT, seat.state, SeatState.CLAIMED)
    claim.state = step(rules.NEXT_CLAIM, claim.state, ClaimState.LIVE)
    claim.ended_at = None
    tally.count(session, claim, live=1)


def book_time(session: Session, claim: Claim, intervals: Sequence[rules.Interval]) -> None:
    """Keep the stretches of time that lie between the claim and now."""
    for each in in_claim(claim, intervals):
        session.add(
            TimeInterval(
                id=new_id(),
                claim_id=claim.id,
                kind=each.kind,
                started_at=each.started_at,
                ended_at=each.ended_at,
            )
        )


def in_claim(claim: Claim, intervals: Sequence[rules.Interval]) -> list[rules.Interval]:
    """The parts of the stretches of time that lie between the claim and now; Faulty for many."""
    if len(intervals) > rules.INTERVALS_A_BEAT_MAX:
        raise Faulty("Too many intervals at once.", [Fault("/intervals", "Send at most 100.")])
    return rules.within(intervals, claim.claimed_at, clock.now())


def save_draft(
    session: Session,
    actor: Actor,
    claim_id: ClaimId,
    *,
    fence: int,
    content: Mapping[str, Any],
    if_match: str,
) -> Draft:
    """Add a revision on top of the one that If-Match names; DraftMoved when there is a later one.

    A later one that says the same is the answer, not a conflict: a page that is loaded again may
    have sent it on its way out. Drafts are taken also after the lease, during a pause and on a
    closed job: nothing is lost.
    """
    claim = own_claim(session, actor, claim_id, fence)
    if claim.state in {ClaimState.SUBMITTED, ClaimState.RETURNED}:
        raise rules.AlreadySubmitted("This task is submitted; its draft is closed.")
    rules.refuse_unstorable(dict(content))
    if len(orjson.dumps(content)) > rules.DRAFT_MAX_BYTES:
        raise Faulty("The draft is too large.", [Fault("/judgement", "Keep it below 1 MiB.")])
    newest = session.scalar(
        select(Draft).where(Draft.claim_id == claim.id).order_by(Draft.revision.desc()).limit(1)
    )
    last = newest.revision if newest is not None else 0
    if rules.revision_of(if_match) != last:
        if newest is not None and newest.content == dict(content):
            return newest
        raise rules.DraftMoved(
            f"Another window saved revision {last} meanwhile. Load it before you go on."
        )
    draft = Draft(claim_id=claim.id, revision=last + 1, content=dict(content), saved_at=clock.now())
    session.add(draft)
    return draft


def release_claim(session: Session, actor: Actor, claim_id: ClaimId, *, fence: int) -> None:
    """Give a task back; its draft stays, its seat opens for others."""
    claim = own_claim(session, actor, claim_id, fence)
    end_claim(session, claim, ClaimState.RELEASED)
