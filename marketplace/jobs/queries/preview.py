"""What a job asks, for who may work on it: its template, never one of its items."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.errors import Missing
from marketplace.identity.rules import Permission
from marketplace.jobs.models import Job, TemplateVersion
from marketplace.jobs.rules import JobState


def asked_in(session: Session, viewer: Actor, job: Job) -> dict[str, Any]:
    """The template of a published job as it stands now; Missing for a draft."""
    viewer.require(Permission.WORK_DO)
    if job.state is JobState.DRAFT:
        raise Missing("There is no such job.")
    found = select(TemplateVersion.template).where(TemplateVersion.id == job.template_version_id)
    template: dict[str, Any] = session.scalars(found).one()
    return template
