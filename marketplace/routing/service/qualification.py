"""Attempts at qualifications: begin one, end one, and what passing one of ours grants."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from marketplace import audit, clock, outbox
from marketplace.actor import SYSTEM, Actor
from marketplace.errors import Missing, Refused
from marketplace.identity import queries as identity
from marketplace.identity.rules import Permission
from marketplace.ids import JobId, PersonId
from marketplace.jobs import queries as job_queries
from marketplace.jobs import service as jobs
from marketplace.jobs.models import Job, Qualification
from marketplace.jobs.rules import JobState, Purpose, seat_price
from marketplace.quality import queries as quality_queries
from marketplace.quality import service as quality
from marketplace.routing import queries
from marketplace.routing.queries import ours
from marketplace.routing.rules import BudgetSpent, NotEligible, NotOpen
from marketplace.routing.service.budgets import reserve
from marketplace.specialists.models import QualificationResult
from marketplace.specialists.queries import qualifications as attempts
from marketplace.specialists.queries.catalogue import catalogue
from marketplace.specialists.rules import Outcome, Verdict
from marketplace.specialists.rules.qualifications import AttemptState, next_form, seed_of
from marketplace.specialists.service import grant_credential
from marketplace.specialists.service import qualifications as results
from marketplace.work import service as work

BUDGET_LOCK = 7_311
GRANTED_LEVEL = 3  # Shown by a test that the platform marks; no register stands behind it.


def start_attempt(session: Session, actor: Actor, job_id: JobId) -> QualificationResult:
    """Begin an attempt at a qualification, with a form that the actor has never met.

    One that is live is given back as it is, so starting twice starts once. Its seats wait for the
    actor and are claimed like all others. Raises NotOpen, NotEligible, StillPassed, CoolingDown,
    NoFormLeft, NoPlaceLeft, and BudgetSpent for one of the platform's own.
    """
    actor.require(Permission.WORK_DO)
    job = queries.visible_job(session, job_id)
    if job.purpose is not Purpose.QUALIFICATION:
        raise Missing("There is no such qualification.")
    terms = jobs.locked_terms(session, job_id)  # Attempts begin one after another.
    live = attempts.live_attempt(session, actor.person(), job_id)
    if live is not None:
        return live
    if job.state is not JobState.OPEN:
        raise NotOpen(f"The qualification “{job.title}” is {job.state.value}; nobody begins now.")
    allowed = queries.eligibility(session, actor, job_id)
    if not allowed.eligible:
        raise NotEligible(" ".join(allowed.reasons))
    _refuse_ours(session, actor, job, terms)
    return _begin(session, actor, job, terms)


def _refuse_ours(session: Session, actor: Actor, job: Job, terms: Qualification) -> None:
    """Refuse who is not served by one of our own, and what would cost more than was set aside."""
    if not ours.is_ours(session, job):
        return
    # Attempts at two of ours count each other.
    session.execute(select(func.pg_advisory_xact_lock(BUDGET_LOCK)))
    reasons = ours.not_served(session, actor.person(), job, terms)
    if reasons:
        raise NotEligible(" ".join(reasons))
    if ours.money_is_out(session, job, terms):
        raise BudgetSpent(ours.OUT_OF_MONEY)


def _begin(session: Session, actor: Actor, job: Job, terms: Qualification) -> QualificationResult:
    earlier = attempts.attempts_of(session, actor.person(), job.id)
    form = next_form(
        attempts.past_attempts(earlier, job_queries.asked_anew(session, [job.id]).get(job.id)),
        forms=terms.forms,
        cooldown_days=terms.cooldown_days,
        seed=seed_of(actor.person(), job.id),
        now=clock.now(),
    )
    jobs.take_place(terms)
    asked = job_queries.form_items(session, JobId(job.id), form)
    attempt = results.begin_attempt(
        session,
        actor,
        job_id=job.id,
        number=len(earlier) + 1,
        form=form,
        items=len(asked),
        pass_ratio=terms.pass_ratio,
        due_at=clock.now() + timedelta(seconds=terms.time_limit_seconds),
    )
    ids = [item.item_id for item in asked]
    work.open_reserved_seats(session, job, person_id=actor.person(), item_ids=ids)
    return attempt


def end_if_answered(session: Session, person_id: PersonId, job: Job) -> None:
    """Mark a person's attempt once its last item is handed in.

    Asked after every answer in a qualification; two last answers at once queue for the attempt's
    row, and the second sees both.
    """
    attempt = attempts.live_attempt(session, person_id, job.id, lock=True)
    if attempt is None:
        return
    progress = quality_queries.progress_of_attempt(session, attempt)
    if progress.answered >= attempt.items:
        _mark(session, job, attempt)


def attempts_to_end(session: Session, *, limit: int = 200) -> list[UUID]:
    """Live attempts whose time is over, or whose job is; the longest overdue first."""
    over = or_(QualificationResult.due_at <= clock.now(), Job.state == JobState.CLOSED)
    return list(
        session.scalars(
            select(QualificationResult.id)
            .join(Job, Job.id == QualificationResult.job_id)
            .where(QualificationResult.state == AttemptState.LIVE, over)
            .order_by(QualificationResult.due_at)
            .limit(limit)
        )
    )


def end_attempt(session: Session, attempt_id: UUID) -> None:
    """End an attempt that is over: what is open counts as wrong.

    Where the job is paused or closed, its owner ended it and not the candidate: the attempt is
    void. What was handed in is paid either way.
    """
    attempt = session.get_one(QualificationResult, attempt_id)
    asked = [item.item_id for item in quality_queries.attempt_items(session, attempt)]
    # Claims first, as submitting locks them; the attempt last.
    work.close_reserved_seats(
        session, JobId(attempt.job_id), person_id=PersonId(attempt.person_id), item_ids=asked
    )
    locked = attempts.live_attempt(session, PersonId(attempt.person_id), attempt.job_id, lock=True)
    if locked is None or locked.id != attempt_id:
        return
    job = session.get_one(Job, attempt.job_id)
    if job.state is JobState.OPEN:
        _mark(session, job, locked)
        return
    if quality_queries.progress_of_attempt(session, locked).answered == 0:
        jobs.return_place(session, JobId(job.id))
    results.void_attempt(session, locked)


def _mark(session: Session, job: Job, attempt: QualificationResult) -> None:
    if quality.score_attempt(session, job, attempt) == 0:
        jobs.return_place(session, JobId(job.id))
    if attempt.passed:
        _grant(session, job, attempt)
    outbox.announce(
        session,
        "qualification.scored",
        attempt.id,
        {"attempt": attempt.attempt, "form": attempt.form, "passed": attempt.passed},
        organisation_id=job.organisation_id,
        job_id=job.id,
        person_id=attempt.person_id,
    )


def _grant(session: Session, job: Job, attempt: QualificationResult) -> None:
    """A pass of one of the platform's own may stand as a credential of the person."""
    terms = job_queries.terms_of(session, job.id)
    platform = identity.platform(session)
    ours = platform is not None and platform.id == job.organisation_id
    if not ours or terms.credential_type is None or attempt.expires_at is None:
        return
    verdict = Verdict(
        verifier="qualification",
        kind="skill",
        outcome=Outcome.PASS,
        level=GRANTED_LEVEL,
        observed={"score": str(attempt.score), "attempt": attempt.attempt},
        evidence=({"source": "qualification", "source_version": str(job.id)},),
    )
    try:
        with session.begin_nested():
            grant_credential(
                session,
                attempt.person_id,
                type=terms.credential_type,
                verdict=verdict,
                valid_until=attempt.expires_at.date(),
                specialties=_specialties(session, job, terms.credential_type),
            )
    except Refused as refused:
        # The marks stand whatever becomes of the credential; operations reads why.
        audit.record(session, SYSTEM, "could not grant", attempt.id, reason=refused.code)


def _specialties(session: Session, job: Job, type_key: str) -> list[str]:
    """What the job asks about of the specialties that the credential's profession has."""
    known = catalogue(session)
    listed = known.professions[known.types[type_key].profession].listed
    return [each for each in job.specialties if each in listed]


def add_places(
    session: Session, actor: Actor, job_id: JobId, *, candidates_max: int
) -> Qualification:
    """Pay for more attempts at a running qualification; InsufficientFunds without the money."""
    seats = jobs.more_places(session, actor, job_id, candidates_max)
    job = session.get_one(Job, job_id)
    price = seat_price(job.terms(0)).total * seats
    if price:
        reserve(
            session,
            actor,
            job,
            amount=price,
            source_id=f"{job.id}:places:{candidates_max}",
        )
    return job_queries.terms_of(session, job_id)
