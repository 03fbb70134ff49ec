"""Changing what gold is, and all that follows in what is known: scores, skill, posteriors.

What follows for pay is `review`'s matter, which calls this first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import audit, clock, outbox
from marketplace.actor import Actor
from marketplace.errors import Conflict, Fault, Faulty, Missing
from marketplace.identity.rules import Permission
from marketplace.ids import ItemId, JobId, SubmissionId, TaskId, new_id
from marketplace.jobs import queries as jobs
from marketplace.jobs.models import Item, Job
from marketplace.jobs.service.gold import set_gold
from marketplace.quality.models import (
    GoldAlarm,
    GoldDispute,
    GoldScore,
    GoldTerms,
    GoldVersion,
)
from marketplace.quality.rules.evidence import EvidenceSource
from marketplace.quality.rules.gold import (
    EXPOSURES_MAX_MOST,
    NEXT_DISPUTE,
    NEXT_GOLD,
    RIGHT,
    DisputeState,
    GoldCause,
    GoldState,
)
from marketplace.quality.service.gold import gold_item, record_score, supersede
from marketplace.quality.service.gold_signs import raise_doubt
from marketplace.quality.service.skill import unlearn
from marketplace.work import service as work
from marketplace.work.models import Submission, Task
from marketplace.work.rules import step

NOTE_MIN, NOTE_MAX = 10, 4_000


@dataclass(frozen=True, slots=True)
class Rescored:
    """An answer whose score changed with its gold. was_right, is_right: None where gold can tell
    nothing (any more)."""

    submission_id: SubmissionId
    was_right: bool | None
    is_right: bool | None

    @property
    def wronged(self) -> bool:
        """Whether the former gold said wrong of it what the gold of now does not."""
        return self.was_right is False and self.is_right is not False


def own_item(session: Session, actor: Actor, item_id: UUID) -> tuple[Item, Job]:
    """An item of the actor's own organisation, with its job; Missing else."""
    item = session.get(Item, item_id)
    if item is None:
        raise Missing("This item is not there, or it belongs to another organisation.")
    jobs.job_of(session, actor, item.job_id)
    return item, session.get_one(Job, item.job_id)


def change_gold(
    session: Session,
    actor: Actor,
    item_id: ItemId,
    *,
    judgement: dict[str, Any] | None,
    cause: GoldCause,
    note: str,
    dispute_id: UUID | None = None,
) -> list[Rescored]:
    """Make another judgement an item's gold, or make it gold no more, and score everybody anew.

    What it taught is taken back and taught as it stands now; former scores stay on record. Faulty
    where the job's task type cannot mark by it. Returns all answers that had been scored.
    """
    actor.require(Permission.QUALITY_CONTROL)
    item, job = own_item(session, actor, item_id)
    note = check_note(note)
    row = gold_item(session, item)
    session.refresh(item)  # Somebody else may have changed it until it was locked.
    if cause is GoldCause.PROMOTED and item.gold is not None:
        raise Conflict("This item has gold already; correct that instead.")
    _hold_task(session, item)
    had_gold = item.gold is not None
    number = _keep_former(session, item)
    gold = None if judgement is None else {"judgement": judgement}
    set_gold(session, job, item, gold)
    _keep(session, item, number, cause=cause, note=note, actor=actor, dispute_id=dispute_id)
    wanted = GoldState.WITHDRAWN if gold is None else row.state
    if gold is not None and row.state is GoldState.WITHDRAWN:
        wanted = GoldState.ACTIVE
    if wanted is not row.state:
        row.state = step(NEXT_GOLD, row.state, wanted)
    row.answered, row.right, row.changed_at = 0, 0.0, clock.now()
    touched = _rescore(session, item, job) if had_gold else []
    audit.record(
        session, actor, f"gold {cause.value}", item.id, version=number, answers=len(touched)
    )
    outbox.announce(
        session,
        "gold.changed",
        item.id,
        {"version": number, "cause": cause.value, "was_gold": had_gold},
        organisation_id=job.organisation_id,
        job_id=job.id,
    )
    return touched


def _hold_task(session: Session, item: Item) -> None:
    """Lock what verdicts on the item's answers lock, before the skills that they teach."""
    task_id = task_of(session, item.id)
    if task_id is not None:
        work.hold_task(session, task_id)


def check_note(note: str) -> str:
    """The note without spaces around it; Faulty where it says too little or too much."""
    if not NOTE_MIN <= len(note.strip()) <= NOTE_MAX:
        words = f"Say why in a sentence, of {NOTE_MIN} to {NOTE_MAX:,} characters."
        raise Faulty("The reason is needed.", [Fault("/note", words)])
    return note.strip()


def _keep_former(session: Session, item: Item) -> int:
    """See to it that the gold so far is on record; the number of its successor."""
    newest = session.scalars(
        select(GoldVersion.number)
        .where(GoldVersion.item_id == item.id)
        .order_by(GoldVersion.number.desc())
        .limit(1)
    ).first()
    if newest is not None:
        return newest + 1
    if item.gold is not None:
        _keep(session, item, 0, cause=GoldCause.SENT, note="", actor=None, dispute_id=None)
    return 1


def _keep(
    session: Session,
    item: Item,
    number: int,
    *,
    cause: GoldCause,
    note: str,
    actor: Actor | None,
    dispute_id: UUID | None,
) -> None:
    version = GoldVersion(
        id=new_id(),
        item_id=item.id,
        number=number,
        gold=item.gold,
        cause=cause,
        note=note,
        person_id=actor.person_id if actor else None,
        dispute_id=dispute_id,
        made_at=clock.now(),
    )
    session.add(version)
    session.flush()


def _rescore(session: Session, item: Item, job: Job) -> list[Rescored]:
    """Take back what the former gold said of all answers, and say what the gold of now does."""
    touched = []
    # Skills are locked person by person, in one order for everybody who locks several.
    for former in sorted(supersede(session, item.id), key=lambda each: each.person_id):
        submission = session.get_one(Submission, former.submission_id)
        unlearn(session, EvidenceSource.GOLD, submission.id)
        fresh = None
        if item.gold is not None:
            fresh = record_score(
                session, submission, item, job, weight=former.weight, exposure=former.exposure
            )
            fresh.told_at = former.told_at
            session.flush()
        touched.append(
            Rescored(
                SubmissionId(submission.id),
                _is_right(former.score),
                _is_right(fresh.score) if fresh else None,
            )
        )
    return touched


def _is_right(score: float | None) -> bool | None:
    return None if score is None else score >= RIGHT


def task_of(session: Session, item_id: UUID) -> TaskId | None:
    """The task that an item became; None before its seats were opened."""
    return session.scalars(select(Task.id).where(Task.item_id == item_id)).first()


def dispute_gold(
    session: Session, actor: Actor, submission_id: SubmissionId, *, reason: str
) -> GoldDispute:
    """Doubt the gold by which the actor's own answer was scored, once they were told of it."""
    person_id = actor.person()
    scored = session.scalars(
        select(GoldScore).where(
            GoldScore.submission_id == submission_id,
            GoldScore.person_id == person_id,
            GoldScore.told_at.is_not(None),
            GoldScore.superseded_at.is_(None),
        )
    ).first()
    if scored is None:
        raise Missing("There is no check of yours here that you could dispute.")
    if not NOTE_MIN <= len(reason.strip()) <= NOTE_MAX:
        words = "Say in a sentence or two why your answer is right."
        raise Faulty("The reason is needed.", [Fault("/reason", words)])
    item = session.get_one(Item, scored.item_id)
    raised = raise_doubt(
        session, item, submission_id, raised_by=person_id, reason=reason.strip(), figures={}
    )
    if raised is None:
        raise Conflict("You have disputed this already; the lab looks at it.")
    audit.record(session, actor, "disputed gold", raised.id)
    return raised


def open_dispute(session: Session, actor: Actor, dispute_id: UUID) -> GoldDispute:
    """A dispute of the actor's organisation, locked; Missing, or Conflict once it is decided."""
    actor.require(Permission.QUALITY_CONTROL)
    dispute = session.get(GoldDispute, dispute_id)
    if dispute is None:
        raise Missing("This dispute is not there, or it belongs to another organisation.")
    jobs.job_of(session, actor, dispute.job_id)
    # Gold is locked before its doubts, by everybody: a change of gold settles all of them.
    gold_item(session, session.get_one(Item, dispute.item_id))
    session.refresh(dispute, with_for_update=True)
    if dispute.state is not DisputeState.OPEN:
        raise Conflict("Somebody has decided this dispute already.")
    if dispute.raised_by == actor.person_id:
        raise Conflict("Nobody decides a dispute of their own; ask a colleague.")
    return dispute


def settle_doubts(
    session: Session, actor: Actor, item_id: UUID, state: DisputeState, note: str
) -> Sequence[GoldDispute]:
    """End all open doubts about an item's gold in one way; a change of gold settles them all."""
    rows = session.scalars(
        select(GoldDispute)
        .where(GoldDispute.item_id == item_id, GoldDispute.state == DisputeState.OPEN)
        .with_for_update()
    ).all()
    for row in rows:
        row.state = step(NEXT_DISPUTE, row.state, state)
        row.note, row.decided_by, row.decided_at = note, actor.person(), clock.now()
        audit.record(session, actor, f"gold dispute {state.value}", row.id)
    return rows


def set_exposures(session: Session, actor: Actor, job_id: JobId, most: int) -> None:
    """Say how many people may see a gold item of a job before it counts as worn."""
    actor.require(Permission.QUALITY_CONTROL)
    job = jobs.job_of(session, actor, job_id)
    if not 1 <= most <= EXPOSURES_MAX_MOST:
        words = f"Write a whole number from 1 to {EXPOSURES_MAX_MOST:,}."
        raise Faulty("The cap cannot be this.", [Fault("/exposures_max", words)])
    terms = session.get(GoldTerms, job.id)
    if terms is None:
        session.add(GoldTerms(job_id=job.id, exposures_max=most))
    else:
        terms.exposures_max = most
    session.flush()
    audit.record(session, actor, "set exposures of gold", job.id, most=most)


def close_alarm(session: Session, actor: Actor, alarm_id: UUID, *, note: str) -> GoldAlarm:
    """Say what came of an alarm; nothing follows from it by itself."""
    actor.require(Permission.QUALITY_CONTROL)
    alarm = session.get(GoldAlarm, alarm_id, with_for_update=True)
    if alarm is None:
        raise Missing("This alarm is not there, or it belongs to another organisation.")
    jobs.job_of(session, actor, alarm.job_id)
    if alarm.closed_at is not None:
        raise Conflict("Somebody has closed this alarm already.")
    alarm.note, alarm.closed_by, alarm.closed_at = check_note(note), actor.person(), clock.now()
    audit.record(session, actor, "closed gold alarm", alarm.id)
    return alarm
