"""What is remembered of how a person works: their keys, and which instructions they read last."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.ids import ClaimId
from marketplace.jobs.models import Job, TemplateVersion
from marketplace.jobs.rules import JobState
from marketplace.work.models import Claim, WorkPreference, WorkProgress


def moved_keys(session: Session, viewer: Actor) -> dict[str, str]:
    """The keys that the viewer has moved: default key to the key that does its work."""
    asked = select(WorkPreference.keys).where(WorkPreference.person_id == viewer.person())
    return session.scalar(asked) or {}


def read_before(session: Session, viewer: Actor, claim: Claim) -> TemplateVersion | None:
    """The version that the viewer's last answer of this job had, where this claim has another."""
    seen = session.scalar(
        select(WorkProgress.seen_version_id).where(
            WorkProgress.person_id == viewer.person(), WorkProgress.job_id == claim.job_id
        )
    )
    if seen is None or seen == claim.template_version_id:
        return None
    return session.get(TemplateVersion, seen)


def state_of_job(session: Session, viewer: Actor, claim_id: ClaimId) -> JobState:
    """The state of the job of the viewer's claim."""
    own = select(Claim.job_id).where(Claim.id == claim_id, Claim.specialist_id == viewer.person())
    return session.scalars(select(Job.state).where(Job.id.in_(own))).one()
