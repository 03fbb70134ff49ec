"""Builders of appeals; all by the real services."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import Actor
from marketplace.ids import SubmissionId
from marketplace.jobs.models import Job
from marketplace.review import service
from marketplace.review.models import Appeal
from marketplace.review.rules import STATEMENT_WITHIN, Verdict
from marketplace.work.models import Submission
from tests.make import specialists
from tests.make import work as make

REASON = "The first answer names the dose, as the instructions ask in their second rule."
NOTE = "The instructions ask for the dose, and the answer names it."


def rejected(
    session: Session, verdict: Verdict = Verdict.REJECT
) -> tuple[Actor, Job, Actor, Submission]:
    """A job with one task, judged by a doctor and turned down by its lab."""
    lab, job = make.published(session, items=1, review_sample_ratio=1.0)
    doctor = specialists.doctor(session)
    submission = make.submitted(session, doctor, job)
    make.decided(session, lab, submission, verdict)
    return lab, job, doctor, submission


def filed(session: Session, person: Actor, submission: Submission) -> Appeal:
    """An appeal of a person against what stands on their submission."""
    return service.file_appeal(session, person, SubmissionId(submission.id), reason=REASON)


def decided(session: Session, decider: Actor, appeal: Appeal, *, upheld: bool) -> Appeal:
    """An appeal that was taken and decided once the lab's time had passed."""
    with clock.shifted(STATEMENT_WITHIN + timedelta(seconds=1)):
        service.take_appeal(session, decider, appeal.id)
        return service.decide_appeal(
            session,
            decider,
            appeal.id,
            upheld=upheld,
            note=NOTE,
            clearance_days=make.CLEARANCE_DAYS,
        )
