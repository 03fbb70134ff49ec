"""Appeals: filed by who did the work, decided by somebody who has to do with neither side."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace import audit, clock, outbox
from marketplace.actor import SYSTEM, Actor
from marketplace.errors import Missing
from marketplace.identity.rules import Permission
from marketplace.ids import JobId, OrganisationId, PersonId, SubmissionId, new_id
from marketplace.jobs.models import Job
from marketplace.jobs.rules import Purpose
from marketplace.quality.models import ControlFiring
from marketplace.quality.rules.control import FiringState
from marketplace.review.models import Appeal, AppealEvidence, Decision
from marketplace.review.queries import standing_decisions
from marketplace.review.rules import AppealState, AppealSubject, OverturnCause, Verdict, appeals
from marketplace.review.service.appeal_evidence import evidence_of, figures_of
from marketplace.review.service.appeal_letters import (
    ask_for_statement,
    remind_later,
    tell_outcome,
)
from marketplace.review.service.overturning import overturn
from marketplace.review.service.quality_control import lift_firing
from marketplace.work import service as work
from marketplace.work.models import Claim, Submission
from marketplace.work.rules import ClaimState, step

DONE_AGAIN = (ClaimState.SUBMITTED, ClaimState.RETURNED)


def file_appeal(
    session: Session, actor: Actor, submission_id: SubmissionId, *, reason: str
) -> Appeal:
    """Appeal the verdict that stands on one's own submission, within two weeks.

    What there is to see is frozen now; the lab is asked for its side, operations decide within a
    week. Raises Missing for another's, NoAppeal, AnsweredAgain, TooOften, Faulty.
    """
    actor.require(Permission.WORK_DO)
    submission = work.locked_submission(session, submission_id)
    if submission.specialist_id != actor.person():
        raise Missing("This submission is not there, or it is not yours.")
    job = session.get_one(Job, submission.job_id)
    # First, as a form whose words fall short is shown again beside the decision.
    decision = _appealable(session, submission, job)
    said = appeals.checked_words(reason, "/reason")
    _check_allowance(session, actor.person())
    at = clock.now()
    appeal = Appeal(
        id=new_id(),
        subject=AppealSubject.DECISION,
        decision_id=decision.id,
        submission_id=submission.id,
        job_id=job.id,
        organisation_id=job.organisation_id,
        appellant_id=actor.person(),
        first_decider=decision.reviewer_id,
        state=AppealState.FILED,
        reason=said,
        filed_at=at,
        decide_by=appeals.decide_by(at),
    )
    _put_on_file(session, actor, appeal, evidence_of(session, submission, decision))
    return appeal


def file_firing_appeal(session: Session, actor: Actor, firing_id: UUID, *, reason: str) -> Appeal:
    """Appeal a rule of quality control that restricts one, once a person has said that it stands.

    Raises Missing for another's, NoAppeal, TooOften, Faulty.
    """
    actor.require(Permission.WORK_DO)
    firing = session.get(
        ControlFiring, firing_id, with_for_update={"key_share": True}, populate_existing=True
    )
    if firing is None or firing.person_id != actor.person():
        raise Missing("There is no such check of your work.")
    said = appeals.checked_words(reason, "/reason")
    _check_firing(session, firing)
    _check_allowance(session, actor.person())
    job, at = session.get_one(Job, firing.job_id), clock.now()
    appeal = Appeal(
        id=new_id(),
        subject=AppealSubject.FIRING,
        firing_id=firing.id,
        job_id=job.id,
        organisation_id=job.organisation_id,
        appellant_id=actor.person(),
        first_decider=firing.decided_by,
        state=AppealState.FILED,
        reason=said,
        filed_at=at,
        decide_by=appeals.decide_by(at),
    )
    _put_on_file(session, actor, appeal, figures_of(firing))
    return appeal


def _check_firing(session: Session, firing: ControlFiring) -> None:
    if firing.decided_at is None:
        raise appeals.NoAppeal("Nobody has decided on this yet. Answer it first, on the same page.")
    if firing.state is FiringState.LIFTED:
        raise appeals.NoAppeal("This was lifted; it restricts you no more.")
    if clock.now() > appeals.file_by(firing.decided_at):
        raise appeals.NoAppeal("The two weeks in which this could be appealed are over.")
    if session.scalar(select(Appeal.id).where(Appeal.firing_id == firing.id)) is not None:
        raise appeals.NoAppeal("You appealed this already; each decision is appealed once.")


def _put_on_file(session: Session, actor: Actor, appeal: Appeal, content: dict[str, Any]) -> None:
    """Keep an appeal with its evidence, and tell who has to do with it."""
    session.add(appeal)
    session.flush()  # Its evidence names it.
    session.add(AppealEvidence(appeal_id=appeal.id, content=content, taken_at=clock.now()))
    ask_for_statement(session, appeal)
    remind_later(session, appeal)
    _note(session, actor, appeal, "filed an appeal")


def _appealable(session: Session, submission: Submission, job: Job) -> Decision:
    """The verdict that stands, which may be appealed; NoAppeal with the reason else."""
    if job.purpose is Purpose.QUALIFICATION:
        raise appeals.NoAppeal("Qualifications are judged by gold; dispute the gold instead.")
    decision = standing_decisions(session, [submission.id]).get(submission.id)
    if decision is None:
        raise appeals.NoAppeal("Nobody has decided on this yet.")
    why = appeals.why_not(decision.verdict, decision.cause, decision.decided_at, clock.now())
    if why is not None:
        raise appeals.NoAppeal(why)
    if decision.verdict is Verdict.REWORK:
        work.check_not_answered_again(session, submission)
    former = select(Appeal.id).where(Appeal.decision_id == decision.id)
    if session.scalar(former) is not None:
        raise appeals.NoAppeal("You appealed this already; each decision is appealed once.")
    return decision


def _check_allowance(session: Session, person_id: PersonId) -> None:
    def count(states: set[AppealState], within: timedelta) -> int:
        asked = (
            select(func.count())
            .select_from(Appeal)
            .where(Appeal.appellant_id == person_id, Appeal.state.in_(states))
            .where(Appeal.filed_at > clock.now() - within)
        )
        return session.scalar(asked) or 0

    open_or_lost = {*appeals.OPEN_APPEALS, AppealState.DENIED}
    appeals.check_allowance(
        count(open_or_lost, appeals.MONTH), count({AppealState.UPHELD}, appeals.SEASON)
    )


def withdraw_appeal(session: Session, actor: Actor, appeal_id: UUID) -> Appeal:
    """Take back one's own appeal, while nobody has decided it."""
    actor.require(Permission.WORK_DO)
    appeal = _locked(session, appeal_id)
    if appeal.appellant_id != actor.person():
        raise Missing("This appeal is not there, or it is not yours.")
    _end(appeal, AppealState.WITHDRAWN)
    _note(session, actor, appeal, "withdrew an appeal")
    return appeal


def say_side(session: Session, actor: Actor, appeal_id: UUID, *, statement: str) -> Appeal:
    """Say the lab's side, once, while the appeal is open. Raises Missing for another lab's."""
    actor.require(Permission.WORK_REVIEW)
    appeal = _locked(session, appeal_id)
    if appeal.organisation_id != actor.organisation():
        raise Missing("This appeal is not there, or it concerns another organisation.")
    if appeal.state not in appeals.OPEN_APPEALS or appeal.statement_at is not None:
        raise appeals.AppealMoved("The lab has spoken already, or the appeal has ended.")
    appeal.statement = appeals.checked_words(statement, "/statement")
    appeal.statement_by, appeal.statement_at = actor.person(), clock.now()
    _note(session, actor, appeal, "said the lab's side in an appeal")
    return appeal


def take_appeal(session: Session, actor: Actor, appeal_id: UUID) -> Appeal:
    """Take an appeal to look at; NotApart for who has to do with one of its sides."""
    actor.require(Permission.APPEALS_DECIDE)
    appeal = _locked(session, appeal_id)
    if appeal.state is AppealState.ASSIGNED and appeal.assigned_to == actor.person():
        return appeal
    _refuse_sides(session, actor, appeal)
    _move(appeal, AppealState.ASSIGNED)
    appeal.assigned_to, appeal.assigned_at = actor.person(), clock.now()
    _note(session, actor, appeal, "took an appeal")
    return appeal


def give_back_appeal(session: Session, actor: Actor, appeal_id: UUID) -> Appeal:
    """Leave an appeal that one took to somebody else."""
    actor.require(Permission.APPEALS_DECIDE)
    appeal = _locked(session, appeal_id)
    _refuse_others(actor, appeal)
    _move(appeal, AppealState.FILED)
    appeal.assigned_to = appeal.assigned_at = None
    _note(session, actor, appeal, "gave an appeal back")
    return appeal


def decide_appeal(
    session: Session,
    actor: Actor,
    appeal_id: UUID,
    *,
    upheld: bool,
    note: str,
    clearance_days: int,
) -> Appeal:
    """Decide an appeal that one took; both sides read the note.

    Upheld, the verdict is overturned in this transaction, with pay and skill. Raises
    StatementAwaited while the lab may still speak, AppealMoved, NotApart, Faulty.
    """
    actor.require(Permission.APPEALS_DECIDE)
    appeal = _locked(session, appeal_id)
    _refuse_others(actor, appeal)
    _refuse_sides(session, actor, appeal)
    appeals.check_statement(appeal.filed_at, appeal.statement_at is not None, clock.now())
    appeal.note = appeals.checked_words(note, "/note")
    _end(appeal, AppealState.UPHELD if upheld else AppealState.DENIED)
    if upheld:
        _make_good(session, actor, appeal, OverturnCause.APPEAL, appeal.note, clearance_days)
    tell_outcome(session, appeal)
    _note(session, actor, appeal, "upheld an appeal" if upheld else "denied an appeal")
    return appeal


def lapse_next_appeal(
    session: Session, *, clearance_days: int, now: outbox.Round | None = None
) -> bool:
    """End the appeal whose time passed first in its author's favour; False where there is none.

    We were too slow, so we pay: the answer is kept beside its task, out of no money of the lab's,
    and it is held against nobody. now: the round, which passes over what failed.
    """
    now = now or outbox.Round()
    found = session.scalar(
        select(Appeal.id)
        .where(Appeal.ended_at.is_(None), Appeal.decide_by <= clock.now())
        .where(Appeal.id.not_in(now.failed))
        .order_by(Appeal.decide_by)
        .limit(1)
    )
    if found is None:
        return False
    now.at = found
    appeal = _locked(session, found)
    if appeal.state not in appeals.OPEN_APPEALS:
        return True  # Somebody ended it at this moment; there may be another.
    _end(appeal, AppealState.LAPSED)
    note = "We did not decide this appeal in time, so it ends in its author's favour."
    _make_good(session, SYSTEM, appeal, OverturnCause.APPEAL_LAPSED, note, clearance_days)
    tell_outcome(session, appeal)
    _note(session, SYSTEM, appeal, "let an appeal lapse")
    return True


def end_next_done_again(session: Session) -> bool:
    """End an appeal of work that was sent back and that its author did again meanwhile; False
    where there is none. The verdict on the later round counts, and may be appealed itself."""
    found = session.scalar(
        select(Appeal.id)
        .join(Submission, Submission.id == Appeal.submission_id)
        .join(Claim, Claim.task_id == Submission.task_id)  # By its index; what follows has none.
        .where(Claim.reworks_submission_id == Submission.id, Claim.state.in_(DONE_AGAIN))
        .where(Appeal.ended_at.is_(None))
        .limit(1)
    )
    if found is None:
        return False
    appeal = _locked(session, found)
    if appeal.state in appeals.OPEN_APPEALS:
        _end(appeal, AppealState.OVERTAKEN)
        tell_outcome(session, appeal)
        _note(session, SYSTEM, appeal, "ended an appeal of work that was done again")
    return True


def _make_good(  # noqa: PLR0917 - one call, read as a sentence.
    session: Session,
    actor: Actor,
    appeal: Appeal,
    cause: OverturnCause,
    note: str,
    clearance_days: int,
) -> None:
    session.flush()  # It has ended, so overturning does not find it open.
    if appeal.firing_id is not None:
        firing = session.get_one(
            ControlFiring, appeal.firing_id, with_for_update=True, populate_existing=True
        )
        if firing.state is not FiringState.LIFTED:
            lift_firing(session, actor, firing, note)
    if appeal.submission_id is None:
        return
    answer = overturn(
        session,
        actor,
        appeal.submission_id,
        verdict=Verdict.ACCEPT,
        cause=cause,
        note=note,
        clearance_days=clearance_days,
    )
    appeal.answer_id = answer.id


def _locked(session: Session, appeal_id: UUID) -> Appeal:
    """An appeal with its submission, both locked; the submission first, as overturning does."""
    submission_id = session.scalar(select(Appeal.submission_id).where(Appeal.id == appeal_id))
    if submission_id is not None:
        work.locked_submission(session, submission_id)
    appeal = session.get(
        Appeal, appeal_id, with_for_update={"key_share": True}, populate_existing=True
    )
    if appeal is None:
        raise Missing("This appeal is not there.")
    return appeal


def _move(appeal: Appeal, state: AppealState) -> None:
    if state not in appeals.NEXT_APPEAL[appeal.state]:
        words = f"This appeal is {appeal.state.value} by now; load it again."
        raise appeals.AppealMoved(words)
    appeal.state = step(appeals.NEXT_APPEAL, appeal.state, state)


def _end(appeal: Appeal, state: AppealState) -> None:
    _move(appeal, state)
    appeal.ended_at = clock.now()


def _refuse_others(actor: Actor, appeal: Appeal) -> None:
    if appeal.state is not AppealState.ASSIGNED or appeal.assigned_to != actor.person():
        raise appeals.AppealMoved("Take this appeal first; nobody else decides what one took.")


def _refuse_sides(session: Session, actor: Actor, appeal: Appeal) -> None:
    person = actor.person()
    mine = appeal.organisation_id == actor.organisation_id
    sides = {appeal.appellant_id, appeal.first_decider}
    shares = func.shares_organisation(person, appeal.appellant_id)
    if mine or person in sides or session.scalar(select(shares)):
        raise appeals.NotApart(
            "You have to do with one of the sides of this appeal. Leave it to a colleague."
        )


def _note(session: Session, actor: Actor, appeal: Appeal, verb: str) -> None:
    audit.record(session, actor, verb, appeal.id, submission_id=appeal.submission_id)
    outbox.announce(
        session,
        f"appeal.{appeal.state.value}",
        appeal.id,
        {"submission_id": appeal.submission_id, "subject": appeal.subject.value},
        organisation_id=OrganisationId(appeal.organisation_id),
        job_id=JobId(appeal.job_id),
        person_id=appeal.appellant_id,
    )
