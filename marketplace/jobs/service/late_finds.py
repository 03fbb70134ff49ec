"""Personal details that were found after a job was published, before anybody declared on them."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from marketplace import mail
from marketplace.actor import SYSTEM, Actor
from marketplace.identity import queries as identity
from marketplace.identity.rules import Permission
from marketplace.jobs.models import Job
from marketplace.jobs.queries import scan_faults
from marketplace.jobs.rules import JobState, PauseReason
from marketplace.jobs.service.states import locked, pause_job, resume_job


def pause_over_finds(session: Session, job_id: UUID) -> bool:
    """Pause an open job whose items name people, as far as one can tell, with nobody's word on it.

    The lab is written to once for each pause. False where there is nothing to pause.
    """
    job = locked(session, SYSTEM, job_id)
    faults = scan_faults(session, job) if job.state is JobState.OPEN else []
    if not faults:
        return False
    pause_job(session, SYSTEM, job_id, reason=PauseReason.PERSONAL)
    for person in identity.lab_addressees(session, job.organisation_id, Permission.JOBS_PUBLISH):
        mail.send(
            session,
            to=person.email,
            template="personal_details",
            name=person.name,
            title=job.title,
            reference=job.reference,
            found=faults[0].message,
            job_id=job.id,
        )
    return True


def resume_over_word(session: Session, actor: Actor, job: Job) -> None:
    """Open a job again that was paused for what the lab has now declared on.

    Items that came meanwhile get their money and seats as always, or the job pauses for money.
    """
    if job.pause_reason is PauseReason.PERSONAL and not scan_faults(session, job):
        resume_job(session, actor, job.id)
