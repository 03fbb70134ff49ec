"""Versions of a job's template with its instructions; each stands for good once it is made."""

from __future__ import annotations

import hashlib
from uuid import UUID

import orjson
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import Actor
from marketplace.errors import Conflict, Fault, Faulty
from marketplace.identity.rules import Permission
from marketplace.ids import new_id
from marketplace.jobs.models import Job, TemplateVersion
from marketplace.jobs.rules import JobState, Purpose, VersionChange, cleaned
from marketplace.jobs.rules.versions import KEEPING
from marketplace.jobs.service.items import misfits
from marketplace.jobs.service.states import changed, locked
from marketplace.tasktypes import Json, task_type


def clarify(session: Session, actor: Actor, job_id: UUID, note: str) -> TemplateVersion:
    """Add a note to the instructions of a published job, as a new version; claims from now on see
    it, and those in hand keep the version that they were made under.

    note: Markdown, not empty. Conflict for a job that is closed, Faulty for a note that no row
    can hold or that makes the instructions too long.
    """
    actor.require(Permission.JOBS_EDIT)
    job = locked(session, actor, job_id)
    if job.state is JobState.CLOSED:
        raise Conflict("This job is closed; nothing about it changes any more.")
    head = f"**Added on {clock.now():%d %B %Y}.** "
    whole = f"{job.instructions_md.rstrip()}\n\n{head}{note.strip()}\n"
    job.instructions_md = cleaned({"instructions_md": whole})["instructions_md"]
    version = new_version(session, actor, job, None)
    changed(session, actor, job, ["instructions_md"], version=version.number)
    return version


def make_version(
    session: Session,
    actor: Actor,
    job_id: UUID,
    *,
    change: VersionChange,
    template: Json | None = None,
    instructions_md: str | None = None,
    if_version: int | None = None,
) -> TemplateVersion:
    """A new version of a running job; `routing.change_version` sees to the work that was begun.

    template, instructions_md: None leaves them as they are. if_version: the job's version that the
    caller saw. Conflict for a job that does not run, for a qualification, and where nothing would
    change; Faulty for what cannot be used, and for stored items that the template does not fit.
    """
    actor.require(Permission.JOBS_PUBLISH)
    job = locked(session, actor, job_id)
    if if_version is not None and job.version != if_version:
        raise Conflict("Someone changed this job meanwhile. Look at it again, then change it.")
    if job.state not in {JobState.OPEN, JobState.PAUSED}:
        raise Conflict(f"This job is {job.state}; only a running job gets a new version this way.")
    if job.purpose is Purpose.QUALIFICATION:
        raise Conflict("A qualification keeps its version, so that all candidates meet the same.")
    if change is VersionChange.REQUALIFY and not job.qualification_ids:
        raise Conflict("This job asks for no qualification, so nobody can pass one again.")
    former = current(session, job)
    given = cleaned({"instructions_md": instructions_md}) if instructions_md is not None else {}
    job.instructions_md = given.get("instructions_md", job.instructions_md)
    if not job.instructions_md.strip():
        fault = Fault("/instructions_md", "Write instructions; people work by them already.")
        raise Faulty("Instructions are missing.", [fault])
    unchanged = template is None or template == former.template
    if unchanged and job.instructions_md == former.instructions_md:
        raise Conflict("Nothing is different from the version that stands.")
    version = new_version(session, actor, job, None if unchanged else template, change=change)
    job.keeps_versions = job.keeps_versions or change in KEEPING
    if change is VersionChange.REQUALIFY:
        job.requalify_since = version.created_at
    facts = {"version": version.number, "change": change.value}
    changed(session, actor, job, ["template_version_id"], **facts)
    return version


def check_template(kind: str, template: Json) -> None:
    """Faulty with all faults of a template, pointing into the body of POST /jobs."""
    faults = task_type(kind).check_template(template)
    if faults:
        raise Faulty(
            "The template does not fit the task type.",
            [Fault(f"/template{fault.pointer}", fault.message) for fault in faults],
        )


def current(session: Session, job: Job) -> TemplateVersion:
    """The version that stands."""
    return session.get_one(TemplateVersion, job.template_version_id)


def new_version(
    session: Session,
    actor: Actor,
    job: Job,
    template: Json | None,
    change: VersionChange | None = None,
) -> TemplateVersion:
    """The next version of a job, whose row the caller holds; None keeps the template."""
    former = current(session, job)
    if template is not None:
        check_template(job.task_type, template)
        faults = misfits(session, job, template)
        if faults:
            raise Faulty("The new template does not fit the items that are stored.", faults)
    whole = former.template if template is None else template
    version = version_of(job, whole, actor, number=former.number + 1)
    version.id = job.template_version_id = new_id()
    version.change = change
    session.add(version)
    return version


def version_of(job: Job, template: Json, actor: Actor, *, number: int) -> TemplateVersion:
    """A version of what a job says now, under the id that the job names."""
    text = orjson.dumps(template, option=orjson.OPT_SORT_KEYS)
    return TemplateVersion(
        id=job.template_version_id,
        job_id=job.id,
        number=number,
        template=template,
        template_sha256=hashlib.sha256(text).digest(),
        instructions_md=job.instructions_md,
        instructions_sha256=hashlib.sha256(job.instructions_md.encode()).digest(),
        created_by=actor.person(),
        created_at=clock.now(),
    )
