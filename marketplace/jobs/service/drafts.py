"""Writing a job: creating it, changing it, its template versions."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Unpack
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import audit, clock
from marketplace.actor import Actor
from marketplace.errors import Conflict, Fault, Faulty
from marketplace.identity.rules import Permission
from marketplace.ids import new_id, reference
from marketplace.jobs.models import JOB_NUMBER, Job
from marketplace.jobs.rules import (
    EXPECTED_SECONDS,
    RUNNING_FIELDS,
    AiPolicy,
    JobFields,
    JobState,
    LatePay,
    PayPer,
    Purpose,
    cleaned,
)
from marketplace.jobs.rules.fields import CLAIMS_LIVE_MAX, EXPECTED_SECONDS_OTHERWISE
from marketplace.jobs.service.qualification import check_qualifications
from marketplace.jobs.service.states import announce, changed, locked
from marketplace.jobs.service.versions import check_template, current, new_version, version_of
from marketplace.money import Money


def create_job(
    session: Session, actor: Actor, *, task_type: str, **fields: Unpack[JobFields]
) -> Job:
    """A new draft of the actor's organisation.

    Only the title and the task type are needed; the rest has defaults, and `queries.lint` says
    what publishing still needs. Raises Faulty with pointers into the body of POST /jobs.
    """
    actor.require(Permission.JOBS_EDIT)
    given = cleaned({"title": "", **fields})
    check_qualifications(session, actor, given.get("qualification_ids", []))
    template = given.pop("template", {})
    check_template(task_type, template)
    values = _defaults(task_type) | _columns(given)
    number = session.scalar(select(JOB_NUMBER.next_value())) or 0
    now = clock.now()
    job = Job(
        id=new_id(),
        reference=reference("J", now.year, number),
        organisation_id=actor.organisation(),
        task_type=task_type,
        state=JobState.DRAFT,
        created_by=actor.person(),
        created_at=now,
        template_version_id=new_id(),
        **values,
    )
    job.overlap_max = max(job.overlap_max, job.overlap_min)
    session.add(job)
    session.flush()  # The version refers to the job, and is checked at once.
    session.add(version_of(job, template, actor, number=1))
    session.flush()  # Items may follow in the same transaction, past the session.
    audit.record(session, actor, "created job", job.id, reference=job.reference)
    announce(session, job, "job.created", reference=job.reference)
    return job


def sketch(task_type: str, **fields: Unpack[JobFields]) -> Job:
    """A job that nobody keeps: what a draft with these fields would be, its defaults included.

    Its template is not looked at. Raises Faulty as `create_job` does.
    """
    given = cleaned(fields)
    given.pop("template", None)
    absent = {"confidence_target": None, "skill_min": None, "tasks_a_person_max": None}
    values = {"title": "", "deadline_at": None, **absent, **_defaults(task_type), **_columns(given)}
    job = Job(task_type=task_type, state=JobState.DRAFT, **values)
    job.overlap_max = max(job.overlap_max, job.overlap_min)
    return job


def change_job(
    session: Session,
    actor: Actor,
    job_id: UUID,
    *,
    if_version: int | None = None,
    **fields: Unpack[JobFields],
) -> Job:
    """Change a draft freely, and a published job in `RUNNING_FIELDS` only.

    if_version: the version that the caller saw; Conflict when it has changed since. A new
    template or new instructions make a new version, and Faulty names the items it does not fit.
    """
    actor.require(Permission.JOBS_EDIT)
    job = locked(session, actor, job_id)
    if if_version is not None and job.version != if_version:
        raise Conflict("Someone changed this job meanwhile. Look at it again, then change it.")
    given = cleaned(fields)
    check_qualifications(session, actor, given.get("qualification_ids", []))
    template = given.pop("template", None)
    changes = {
        name: value for name, value in _columns(given).items() if getattr(job, name) != value
    }
    if template is not None and template == current(session, job).template:
        template = None
    _refuse_unchangeable(job, {*changes, *(["template"] if template is not None else [])})
    if changes.get("overlap_max", job.overlap_max) < changes.get("overlap_min", job.overlap_min):
        fault = Fault("/overlap/max", "This must be at least the smallest overlap.")
        raise Faulty("The overlap does not fit.", [fault])
    for name, value in changes.items():
        setattr(job, name, value)
    if template is not None or "instructions_md" in changes:
        new_version(session, actor, job, template)
    if changes or template is not None:
        changed(session, actor, job, sorted(changes))
    return job


def raise_pay(session: Session, actor: Actor, job_id: UUID, pay: Money) -> Job:
    """Set a higher pay on a running job, for claims from now on.

    The caller is `routing`, which reserves the difference in the same transaction; claims take
    their price from the job. Conflict for a pay that is not higher, or a job that does not run.
    """
    actor.require(Permission.JOBS_EDIT)
    job = locked(session, actor, job_id)
    if job.state not in {JobState.OPEN, JobState.PAUSED}:
        raise Conflict("Only a running job's pay is raised. Change the draft instead.")
    pay = cleaned({"pay": pay})["pay"]
    if pay.currency != job.currency or pay <= job.pay:
        raise Conflict(f"Pay of a running job only rises. It is {job.pay} now.")
    job.pay_minor = pay.minor
    changed(session, actor, job, ["pay_minor"])
    return job


def _refuse_unchangeable(job: Job, names: set[str]) -> None:
    if job.state is JobState.DRAFT:
        return
    if job.state is JobState.CLOSED and names:
        raise Conflict("This job is closed; nothing about it changes any more.")
    fixed = sorted(names - RUNNING_FIELDS)
    if fixed:
        raise Conflict(
            f"A published job keeps its {', '.join(fixed)}: specialists agreed to it. You may "
            "change the title, the deadline, the share that is reviewed and how many tasks one "
            "person may take, raise the pay, and make a new version of template and instructions."
        )


def _defaults(kind: str) -> dict[str, Any]:
    expected = EXPECTED_SECONDS.get(kind, EXPECTED_SECONDS_OTHERWISE)
    return {
        "domain": "",
        "purpose": Purpose.WORK,
        "instructions_md": "",
        "profession": None,
        "specialties": [],
        "credential_level_min": 0,
        "jurisdictions": [],
        "languages": [],
        "overlap_min": 1,
        "overlap_max": 1,
        "pay_minor": 0,
        "currency": "USD",
        "pay_per": PayPer.TASK,
        "expected_seconds": expected,
        "time_cap_seconds": 3 * expected,
        "lease_seconds": max(1_800, 3 * expected),
        "review_sample_ratio": Decimal(0),
        "ai_policy": AiPolicy.FORBIDDEN,
        "qualification_ids": [],
        "distinct_by": [],
        "claims_live_max": CLAIMS_LIVE_MAX,
        "late_pay": LatePay.FULL,
        "cannot_complete_ratio": Decimal(0),
        "contingency_ratio": Decimal(0),
        "repeat_ratio": Decimal(0),
        "item_count": 0,
        "items_seated": 0,
        "version": 1,
    }


def _columns(given: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(given)
    pay = found.pop("pay", None)
    return found | ({"pay_minor": pay.minor, "currency": pay.currency} if pay is not None else {})
