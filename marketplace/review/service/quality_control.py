"""Carrying out what quality proposes: firings of rules, and changes of gold with what they earn."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import audit, clock, mail
from marketplace.actor import SYSTEM, Actor
from marketplace.errors import Conflict, Denied, Faulty, Missing
from marketplace.identity import queries as identity
from marketplace.identity.rules import Permission
from marketplace.ids import ItemId, JobId, PersonId
from marketplace.jobs.models import Item, Job
from marketplace.jobs.rules import Purpose
from marketplace.quality import service as quality
from marketplace.quality.models import ControlFiring, ControlRule, GoldDispute
from marketplace.quality.rules.control import NEXT_FIRING, RESTRICTING, Action, FiringState
from marketplace.quality.rules.gold import DisputeState, GoldCause
from marketplace.quality.service import firings as met
from marketplace.quality.service import gold_changes
from marketplace.quality.service.control import is_operations
from marketplace.quality.service.gold_changes import Rescored
from marketplace.review.rules import OverturnCause, Verdict
from marketplace.review.service.draws import watch
from marketplace.review.service.extra_gold import open_extra_gold
from marketplace.review.service.overturning import overturn
from marketplace.work import service as work
from marketplace.work.models import Submission
from marketplace.work.rules import SubmissionState, step

REJECTED = (SubmissionState.REJECTED, SubmissionState.SURPLUS_REJECTED)
WHY_WATCHED = "rule"
EXTRA_GOLD_KEPT = timedelta(days=3)
_CAUSES = {
    DisputeState.CORRECTED: GoldCause.CORRECTED,
    DisputeState.WITHDRAWN: GoldCause.WITHDRAWN,
}


def change_gold(
    session: Session,
    actor: Actor,
    item_id: ItemId,
    *,
    judgement: dict[str, Any] | None,
    cause: GoldCause,
    note: str,
    clearance_days: int,
    dispute_id: UUID | None = None,
) -> list[Rescored]:
    """Correct, withdraw or make gold, and put right what the former gold did to anybody.

    In one transaction: answers are scored anew, skill and posteriors follow, rejections of answers
    that the former gold called wrong and the gold of now does not are overturned and paid, firings
    that only the former gold explains are lifted. All open doubts about it are settled.
    """
    item, job = gold_changes.own_item(session, actor, item_id)
    touched = gold_changes.change_gold(
        session,
        actor,
        item_id,
        judgement=judgement,
        cause=cause,
        note=note,
        dispute_id=dispute_id,
    )
    state = DisputeState.WITHDRAWN if judgement is None else DisputeState.CORRECTED
    gold_changes.settle_doubts(session, actor, item_id, state, note.strip())
    session.flush()
    task_id = gold_changes.task_of(session, item.id)
    if task_id is not None:
        quality.rescore_task(session, task_id)
    _lift_unfounded(session, job, touched)  # Before money, whose accounts are locked last.
    _repay(session, job, touched, note=note.strip(), clearance_days=clearance_days)
    return touched


def _repay(
    session: Session, job: Job, touched: Sequence[Rescored], *, note: str, clearance_days: int
) -> None:
    """Accept after all what was rejected while the gold called it wrong.

    In the system's name, since it follows from the gold: whoever corrects it may be the reviewer
    who trusted it.
    """
    if job.purpose is not Purpose.WORK:
        return
    wronged = [each.submission_id for each in touched if each.wronged]
    rejected = session.scalars(
        select(Submission.id)
        .where(Submission.id.in_(wronged), Submission.state.in_(REJECTED))
        .order_by(Submission.id)
    ).all()
    for submission_id in rejected:
        overturn(
            session,
            SYSTEM,
            submission_id,
            verdict=Verdict.ACCEPT,
            cause=OverturnCause.GOLD_DISPUTED,
            note=f"The known answer of this task was wrong and does not count any more. {note}",
            clearance_days=clearance_days,
        )


def _lift_unfounded(session: Session, job: Job, touched: Sequence[Rescored]) -> None:
    ids = [each.submission_id for each in touched]
    people = session.scalars(
        select(Submission.specialist_id).where(Submission.id.in_(ids)).distinct()
    ).all()
    for firing in met.no_longer_met(session, job, people):
        lift_firing(session, SYSTEM, firing, "The known answers that it stood on were changed.")


def promote_to_gold(
    session: Session,
    actor: Actor,
    item_id: ItemId,
    *,
    judgement: dict[str, Any],
    note: str,
    clearance_days: int,
) -> None:
    """Make a settled judgement an item's gold. Those who judged it before are not scored by it."""
    item = session.get(Item, item_id)
    if item is not None and item.gold is not None:
        raise Conflict("This item has gold already; correct that instead.")
    change_gold(
        session,
        actor,
        item_id,
        judgement=judgement,
        cause=GoldCause.PROMOTED,
        note=note,
        clearance_days=clearance_days,
    )


def decide_gold_dispute(
    session: Session,
    actor: Actor,
    dispute_id: UUID,
    *,
    outcome: DisputeState,
    note: str,
    clearance_days: int,
    judgement: dict[str, Any] | None = None,
) -> GoldDispute:
    """End a doubt about gold: it stands, is corrected to `judgement`, or is withdrawn."""
    dispute = gold_changes.open_dispute(session, actor, dispute_id)
    if outcome is DisputeState.KEPT:
        dispute.state, dispute.note = outcome, gold_changes.check_note(note)
        dispute.decided_by, dispute.decided_at = actor.person(), clock.now()
        audit.record(session, actor, "gold dispute kept", dispute.id)
        return dispute
    if outcome is DisputeState.CORRECTED and judgement is None:
        raise Faulty("Say what the right answer is.")
    change_gold(
        session,
        actor,
        ItemId(dispute.item_id),
        judgement=judgement if outcome is DisputeState.CORRECTED else None,
        cause=_CAUSES[outcome],
        note=note,
        dispute_id=dispute.id,
        clearance_days=clearance_days,
    )
    return dispute


def carry_out_next(session: Session) -> bool:
    """Do what the oldest firing asks for that may be done without a person; False without one.

    Whoever is restricted, or may be, can read it from here on, with its figures, and answer.
    """
    firing = session.scalar(
        select(ControlFiring)
        .where(ControlFiring.state == FiringState.PROPOSED, ControlFiring.told_at.is_(None))
        .order_by(ControlFiring.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if firing is None:
        return False
    if firing.action in RESTRICTING:
        firing.told_at = clock.now()
        _write_to(session, firing, proposed=firing.action is Action.PAUSE)
    if firing.action is not Action.PAUSE:
        firing.state = step(NEXT_FIRING, firing.state, FiringState.IN_FORCE)
        session.flush()
        _apply(session, firing)
    audit.record(session, SYSTEM, f"carried out {firing.action.value}", firing.id)
    return True


def _write_to(session: Session, firing: ControlFiring, *, proposed: bool) -> None:
    """Tell the person by a letter that leads to the figures and to a place for their side."""
    person = identity.addressees(session, [PersonId(firing.person_id)]).get(firing.person_id)
    if person is None:
        return
    mail.send(
        session,
        to=person.email,
        template="work_checked",
        name=person.name,
        job=session.get_one(Job, firing.job_id).title,
        action=firing.action.value,
        proposed=proposed,
    )


def _apply(session: Session, firing: ControlFiring) -> None:
    person_id, job_id = PersonId(firing.person_id), JobId(firing.job_id)
    if firing.action is Action.REVIEW_ALL:
        watch(session, job_id, person_id, answers=firing.amount or 0, why=WHY_WATCHED)
    elif firing.action is Action.EXTRA_GOLD:
        open_extra_gold(session, person_id, job_id, count=firing.amount or 0)
    else:
        _measure(session, person_id, job_id)


def _measure(session: Session, person_id: PersonId, job_id: JobId) -> None:
    """Let hold for a person in a job what all firings that are in force say together."""
    holding = session.scalars(
        select(ControlFiring)
        .where(ControlFiring.person_id == person_id, ControlFiring.job_id == job_id)
        .where(ControlFiring.state.in_([FiringState.IN_FORCE, FiringState.UPHELD]))
    ).all()
    caps = [each.amount for each in holding if each.action is Action.LOWER_CAP and each.amount]
    stops = [each.decided_at for each in holding if each.action is Action.PAUSE]
    work.restrict(
        session,
        person_id,
        job_id,
        live_cap=min(caps, default=None),
        stopped_at=min((at for at in stops if at is not None), default=None),
    )


def decide_firing(
    session: Session, actor: Actor, firing_id: UUID, *, stands: bool, note: str
) -> ControlFiring:
    """Say of a firing that it stands, which lets what was only proposed begin, or lift it.

    By whoever looks after its rule, or by operations; never by the person that it is about, who
    gets a letter where something begins.
    """
    actor.require(Permission.QUALITY_CONTROL)
    firing = session.get(ControlFiring, firing_id, with_for_update=True)
    rule = session.get_one(ControlRule, firing.rule_id) if firing else None
    ours = rule is not None and rule.organisation_id == actor.organisation_id
    if firing is None or not (ours or is_operations(actor)):
        raise Missing("There is no such firing.")
    if firing.person_id == actor.person():
        raise Denied("Nobody decides about themselves; ask a colleague.")
    if stands and firing.action not in RESTRICTING:
        raise Conflict("This restricts nobody, so there is nothing to uphold.")
    note = gold_changes.check_note(note)
    if not stands:
        lift_firing(session, actor, firing, note)
        return firing
    begins = firing.state is FiringState.PROPOSED
    then = FiringState.IN_FORCE if begins else FiringState.UPHELD
    firing.state = step(NEXT_FIRING, firing.state, then)
    firing.note, firing.decided_by, firing.decided_at = note, actor.person(), clock.now()
    if begins:
        firing.told_at = firing.told_at or clock.now()
        session.flush()
        _apply(session, firing)
        _write_to(session, firing, proposed=False)
    audit.record(session, actor, "upheld firing", firing.id)
    return firing


def lift_firing(session: Session, actor: Actor, firing: ControlFiring, note: str) -> None:
    """End what a firing restricts; work in hand and pay were never touched by it."""
    firing.state = step(NEXT_FIRING, firing.state, FiringState.LIFTED)
    firing.note = note
    if actor.person_id is not None:
        firing.decided_by, firing.decided_at = actor.person_id, clock.now()
    session.flush()
    person_id, job_id = PersonId(firing.person_id), JobId(firing.job_id)
    if firing.action is Action.REVIEW_ALL:
        if not _is_watched_still(session, person_id, job_id):
            watch(session, job_id, person_id, answers=0, why=WHY_WATCHED)
    elif firing.action is Action.EXTRA_GOLD:
        work.give_up_kept_seats(session, person_id, job_id)
    elif firing.action in RESTRICTING:
        _measure(session, person_id, job_id)
    audit.record(session, actor, "lifted firing", firing.id)


def _is_watched_still(session: Session, person_id: PersonId, job_id: JobId) -> bool:
    """Whether another firing has all of a person's answers in a job looked at."""
    others = select(ControlFiring.id).where(
        ControlFiring.person_id == person_id,
        ControlFiring.job_id == job_id,
        ControlFiring.action == Action.REVIEW_ALL,
        ControlFiring.state.in_([FiringState.IN_FORCE, FiringState.UPHELD]),
    )
    return session.scalar(select(others.exists())) or False


def end_extra_gold(session: Session) -> int:
    """Offer to everybody what was kept for people who did not come for it; how many firings."""
    over = session.scalars(
        select(ControlFiring)
        .where(ControlFiring.action == Action.EXTRA_GOLD)
        .where(ControlFiring.state == FiringState.IN_FORCE)
        .where(ControlFiring.fired_at < clock.now() - EXTRA_GOLD_KEPT)
        .order_by(ControlFiring.id)
        .limit(100)
        .with_for_update(skip_locked=True)
    ).all()
    for firing in over:
        lift_firing(session, SYSTEM, firing, "Its time is over.")
    return len(over)
