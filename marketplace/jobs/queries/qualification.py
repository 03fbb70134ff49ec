"""Qualifications: their terms, their banks, and what keeps one from being published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, or_, select
from sqlalchemy.orm import Session

from marketplace.errors import Fault, Missing
from marketplace.identity.models import Organisation
from marketplace.identity.rules import OrganisationKind
from marketplace.ids import JobId, OrganisationId
from marketplace.jobs.models import Item, Job, Qualification, QualificationItem
from marketplace.jobs.rules import JobState, Purpose
from marketplace.jobs.rules.qualification import (
    BANK_MAX,
    FAULTS_MAX,
    BankItem,
    corner,
    form_faults,
)
from marketplace.tasktypes import Json, task_type

LISTED_MAX = 200
EXACT = 1 - 1e-9


def qualification_of(session: Session, job_id: UUID) -> Qualification | None:
    """The terms of a job that is a qualification; for one who may see the job."""
    return session.get(Qualification, job_id)


def asked_anew(session: Session, ids: Sequence[UUID]) -> dict[UUID, datetime]:
    """Since when running jobs want these qualifications passed anew, for those that are."""
    running = (JobState.OPEN, JobState.PAUSED)
    rows = session.execute(
        select(Job.qualification_ids, Job.requalify_since)
        .where(Job.requalify_since.is_not(None), Job.state.in_(running))
        .where(Job.qualification_ids.overlap(list(ids)))
        .order_by(Job.requalify_since)
    )
    # In the order of time, so that the latest stays.
    return {each: since for asked, since in rows if since for each in asked}


def terms_of(session: Session, job_id: UUID) -> Qualification:
    """The same, where the job must be a qualification; Missing else."""
    terms = qualification_of(session, job_id)
    if terms is None:
        raise Missing("There is no such qualification.")
    return terms


def qualifications_for(session: Session, organisation_id: OrganisationId) -> Sequence[Job]:
    """Published qualifications that an organisation's jobs may ask for: its own and ours."""
    ours = select(Organisation.id).where(Organisation.kind == OrganisationKind.PLATFORM)
    return session.scalars(
        select(Job)
        .where(Job.purpose == Purpose.QUALIFICATION, Job.published_at.is_not(None))
        .where(or_(Job.organisation_id == organisation_id, Job.organisation_id.in_(ours)))
        .order_by(Job.id.desc())
        .limit(LISTED_MAX)
    ).all()


def bank(session: Session, job: Job) -> list[BankItem]:
    """The items of a bank as the lab sent them, at most one more than a bank may have."""
    rows = session.execute(
        select(Item.id, Item.external_id, Item.payload)
        .where(Item.job_id == job.id)
        .order_by(Item.position)
        .limit(BANK_MAX + 1)
    )
    return [BankItem(row.id, row.external_id, *corner(row.payload)) for row in rows]


def qualification_faults(session: Session, job: Job, template: Json) -> list[Fault]:
    """What keeps a qualification from being published; nothing for other jobs."""
    if job.purpose is not Purpose.QUALIFICATION:
        return []
    terms = qualification_of(session, job.id)
    if terms is None:
        return [Fault("/qualification", "Say the terms: how many items, forms and places.")]
    faults = form_faults(bank(session, job), forms=terms.forms, items_a_form=terms.items_a_form)
    if job.tasks_a_person_max is not None and job.tasks_a_person_max < (
        terms.items_a_form * terms.forms
    ):
        advice = "Leave this empty: a candidate answers every item of a form."
        faults.append(Fault("/limits/tasks_a_person_max", advice))
    if job.cannot_complete_ratio:
        advice = "Leave this at 0: every item of a qualification has an answer."
        faults.append(Fault("/cannot_complete_ratio", advice))
    return faults + _unmarked(session, job, template)


def _unmarked(session: Session, job: Job, template: Json) -> list[Fault]:
    """Items without gold, or with gold that not even its own judgement agrees with."""
    kind = task_type(job.task_type)
    rows = session.execute(
        select(Item.external_id, Item.gold)
        .where(Item.job_id == job.id)
        .order_by(Item.position)
        .limit(BANK_MAX)
    )
    faults = []
    for external_id, gold in rows:
        if gold is None:
            advice = "has no gold. Every item of a qualification needs its right answer."
        elif (kind.gold_agrees(gold["judgement"], gold["judgement"], template) or 0) < EXACT:
            advice = "has gold that cannot be marked, such as free text alone."
        else:
            continue
        faults.append(Fault("/items/gold", f"Item {external_id} {advice}"))
        if len(faults) == FAULTS_MAX:
            break
    return faults


@dataclass(frozen=True, slots=True)
class FormItem:
    """An item of a form, with its right answer: never for a candidate's eyes."""

    item_id: UUID
    external_id: str
    concept: str
    payload: Json
    gold: dict[str, Any]


def form_items(session: Session, job_id: JobId, form: int) -> list[FormItem]:
    """The items that an attempt at a form asks now, in the order of their arrival."""
    rows = session.execute(
        select(Item.id, Item.external_id, QualificationItem.concept, Item.payload, Item.gold)
        .join(QualificationItem, QualificationItem.item_id == Item.id)
        .where(QualificationItem.job_id == job_id, QualificationItem.form == form)
        .where(QualificationItem.retired_at.is_(None))
        .order_by(Item.position)
    )
    return [FormItem(*row) for row in rows]


def bank_of(
    session: Session, job: Job, *, after: int = 0, limit: int = LISTED_MAX
) -> Sequence[Row[UUID, str, int, str, int | None, datetime | None]]:
    """(item id, external id, position, concept, form, retired_at) of a bank that was dealt, in
    the order of arrival; for one who may see the job. `after`: the last position seen."""
    return session.execute(
        select(
            Item.id,
            Item.external_id,
            Item.position,
            QualificationItem.concept,
            QualificationItem.form,
            QualificationItem.retired_at,
        )
        .join(QualificationItem, QualificationItem.item_id == Item.id)
        .where(QualificationItem.job_id == job.id, Item.position > after)
        .order_by(Item.position)
        .limit(min(limit, BANK_MAX))
    ).all()
