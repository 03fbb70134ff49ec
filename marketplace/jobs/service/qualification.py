"""Qualifications: writing their terms, dealing their bank to forms, places, retiring items."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from marketplace import audit, clock
from marketplace.actor import Actor
from marketplace.errors import Conflict, Denied, Fault, Faulty, Missing, Refused
from marketplace.identity import queries as identity
from marketplace.identity.rules import Permission
from marketplace.ids import JobId
from marketplace.jobs import queries
from marketplace.jobs.models import Job, Qualification, QualificationItem
from marketplace.jobs.rules import JobState, Purpose
from marketplace.jobs.rules.qualification import cleaned_terms, deal
from marketplace.jobs.service.states import announce, changed, locked


class NoPlaceLeft(Refused):
    """As many attempts have begun as the owner pays for."""

    code = "no_place_left"


def set_terms(session: Session, actor: Actor, job_id: UUID, **given: Any) -> Qualification:
    """Make a draft a qualification with these terms, or change them; what is left out is as usual.

    Raises Faulty with pointers, Conflict once the job is published, Denied where somebody other
    than the platform asks for a credential to follow from it.
    """
    actor.require(Permission.JOBS_EDIT)
    job = _draft(session, actor, job_id)
    terms = cleaned_terms(given)
    if terms["credential_type"] and not _is_the_platforms(session, job):
        raise Denied("Only a qualification of the platform's own may grant a credential.")
    row = session.get(Qualification, job.id)
    if row is None:
        row = Qualification(job_id=job.id, places_taken=0)
        session.add(row)
    for name, value in terms.items():
        setattr(row, name, value)
    job.purpose = Purpose.QUALIFICATION
    job.seats_max = row.candidates_max * row.items_a_form
    changed(session, actor, job, ["purpose", "qualification"])
    return row


def drop_terms(session: Session, actor: Actor, job_id: UUID) -> Job:
    """Make a draft ordinary work again."""
    actor.require(Permission.JOBS_EDIT)
    job = _draft(session, actor, job_id)
    if job.purpose is Purpose.QUALIFICATION:
        row = session.get(Qualification, job.id)
        if row is not None:
            session.delete(row)
        job.purpose, job.seats_max = Purpose.WORK, None
        changed(session, actor, job, ["purpose", "qualification"])
    return job


def _draft(session: Session, actor: Actor, job_id: UUID) -> Job:
    job = locked(session, actor, job_id)
    if job.state is not JobState.DRAFT:
        raise Conflict("A published job keeps its terms: people have prepared for them.")
    return job


def _is_the_platforms(session: Session, job: Job) -> bool:
    platform = identity.platform(session)
    return platform is not None and platform.id == job.organisation_id


def deal_forms(session: Session, job: Job) -> None:
    """Deal the bank to its forms; `routing.publish_job` calls this instead of opening seats.

    The lint has found that the bank can be dealt. All items then count as seated: seats open for
    one candidate at a time.
    """
    terms = session.get_one(Qualification, job.id)
    bank = queries.bank(session, job)
    dealt = deal(bank, forms=terms.forms, items_a_form=terms.items_a_form, seed=str(job.id))
    form_of = {item.id: number for number, items in dealt.items() for item in items}
    rows = [
        {
            "item_id": item.id,
            "job_id": job.id,
            "concept": item.concept,
            "form": form_of.get(item.id),
        }
        for item in bank
    ]
    session.execute(insert(QualificationItem), rows)
    job.items_seated = job.item_count


def locked_terms(session: Session, job_id: JobId) -> Qualification:
    """The terms of a published qualification, locked so that attempts begin one after another."""
    terms = session.get(
        Qualification, job_id, with_for_update={"key_share": True}, populate_existing=True
    )
    if terms is None:
        raise Missing("There is no such qualification.")
    return terms


def take_place(terms: Qualification) -> None:
    """Give out one of the paid places of terms that are locked; NoPlaceLeft without one."""
    if terms.places_taken >= terms.candidates_max:
        raise NoPlaceLeft(
            "As many attempts at this qualification have begun as its owner pays for. Look again "
            "later; nothing is held against you."
        )
    terms.places_taken += 1


def return_place(session: Session, job_id: JobId) -> None:
    """Take a place back whose candidate answered nothing, so that it cost nothing."""
    locked_terms(session, job_id).places_taken -= 1


def more_places(session: Session, actor: Actor, job_id: JobId, candidates_max: int) -> int:
    """Pay for more attempts at a running qualification; how many seats that adds.

    The caller is `routing`, which reserves their price in the same transaction.
    """
    actor.require(Permission.JOBS_PUBLISH)
    job = locked(session, actor, job_id)
    terms = locked_terms(session, job_id)
    if job.state not in {JobState.OPEN, JobState.PAUSED}:
        raise Conflict("Only a running qualification takes more candidates.")
    if not terms.candidates_max < candidates_max <= 10_000:
        advice = f"Give a number above {terms.candidates_max:,}, and at most 10,000."
        raise Faulty("Places only become more.", [Fault("/candidates_max", advice)])
    added = (candidates_max - terms.candidates_max) * terms.items_a_form
    terms.candidates_max = candidates_max
    job.seats_max = candidates_max * terms.items_a_form
    changed(session, actor, job, ["candidates_max"])
    return added


def retire_item(session: Session, actor: Actor, job_id: UUID, item_id: UUID) -> UUID | None:
    """Take an item out of the bank; the spare of the same concept that took its place, if any.

    Attempts that have begun keep it, and their results stand. Conflict for the last item of a
    form that has no spare.
    """
    actor.require(Permission.JOBS_EDIT)
    job = locked(session, actor, job_id)
    locked_terms(session, JobId(job.id))
    item = session.get(QualificationItem, item_id)
    if item is None or item.job_id != job.id:
        raise Missing("There is no such item in this bank.")
    if item.retired_at is not None:
        raise Conflict("This item is retired already.")
    form = item.form
    spare = None if form is None else _spare(session, job, item.concept)
    if form is not None and spare is None and _left(session, job, form) == 1:
        raise Conflict("This is the last item of its form. Close the qualification instead.")
    item.retired_at, item.retired_by = clock.now(), actor.person()
    if spare is not None:
        spare.form = form
    audit.record(session, actor, "retired item", item_id, job_id=job.id)
    announce(session, job, "job.item_retired", item_id=item_id)
    return None if spare is None else spare.item_id


def _spare(session: Session, job: Job, concept: str) -> QualificationItem | None:
    spares = select(QualificationItem).where(
        QualificationItem.job_id == job.id,
        QualificationItem.form.is_(None),
        QualificationItem.retired_at.is_(None),
        QualificationItem.concept == concept,
    )
    return session.scalars(spares.order_by(QualificationItem.item_id).limit(1)).first()


def _left(session: Session, job: Job, form: int) -> int:
    return len(queries.form_items(session, JobId(job.id), form))


def check_qualifications(session: Session, actor: Actor, wanted: list[UUID]) -> None:
    """Faulty unless each is a published qualification of the actor's organisation or of ours."""
    if not wanted:
        return
    known = {job.id for job in queries.qualifications_for(session, actor.organisation())}
    strange = [each for each in wanted if each not in known]
    if strange:
        advice = "Name published qualifications of your own organisation or of the platform."
        fault = Fault("/requirements/qualifications", f"{advice} Unknown: {strange[0]}.")
        raise Faulty("A qualification cannot be asked for.", [fault])
