"""Exports, the records that go into them, and the feed of events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.delivery.models import Export
from marketplace.delivery.queries.labels import labelled_count, labelling_of
from marketplace.errors import Missing
from marketplace.identity.rules import Permission
from marketplace.ids import ExportId, JobId
from marketplace.jobs.models import Item, Job, TemplateVersion
from marketplace.quality.queries import COUNTED
from marketplace.secrets import pseudonym
from marketplace.specialists import queries as specialists
from marketplace.tasktypes import AuthoredJudgement, Record
from marketplace.tasktypes.exports import Policy
from marketplace.work import queries as work
from marketplace.work.models import Seat, Submission, Task
from marketplace.work.rules import SubmissionState

LIMIT_MAX = 200


def export_of(session: Session, viewer: Actor, export_id: ExportId) -> Export:
    """One export of the viewer's organisation; Missing for any other."""
    viewer.require(Permission.JOBS_VIEW)
    export = session.get(Export, export_id)
    if export is None or export.organisation_id != viewer.organisation():
        raise Missing("This export is not there, or it belongs to another organisation.")
    return export


def exports_of(
    session: Session,
    viewer: Actor,
    *,
    job_id: JobId | None = None,
    after: ExportId | None = None,
    limit: int = 50,
) -> Sequence[Row[Export, str]]:
    """The organisation's exports with their jobs' titles, newest first."""
    viewer.require(Permission.JOBS_VIEW)
    asked = (
        select(Export, Job.title)
        .join(Job, Job.id == Export.job_id)
        .where(Export.organisation_id == viewer.organisation())
        .order_by(Export.id.desc())
        .limit(min(limit, LIMIT_MAX))
    )
    if job_id is not None:
        asked = asked.where(Export.job_id == job_id)
    if after is not None:
        asked = asked.where(Export.id < after)
    return session.execute(asked).all()


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some records in the order of their items, and the position they reach up to."""

    records: list[Record]
    position: int


def records_after(session: Session, export: Export, position: int, *, limit: int) -> Chunk:
    """The records of the next `limit` items after a position, as the export may see them."""
    job = session.get_one(Job, export.job_id)
    items = session.execute(
        select(Item, Task.id)
        .outerjoin(Task, Task.item_id == Item.id)
        .where(Item.job_id == job.id, Item.position > position)
        .order_by(Item.position)
        .limit(limit)
    ).all()
    given = _accepted(session, [task_id for _, task_id in items if task_id], export)
    # Each judgement is told with what its author held when it was handed in.
    attested = specialists.attested_at(
        session,
        export.organisation_id,
        {_moment(each) for rows in given.values() for each in rows},
        crowd_at=export.as_of,
    )
    said = work.prelabels_of(session, [item.id for item, _ in items])
    ids = [each.id for rows in given.values() for each in rows]
    added = work.addenda_of(session, ids, until=export.as_of)
    pairs = [(item.id, task_id) for item, task_id in items]
    labelling = labelling_of(session, job, pairs) if export.policy == Policy.MODEL else None
    versions = _versions(session, job)
    records = []
    for item, task_id in items:
        submissions = given.get(task_id, [])
        if not submissions and labelling is None:
            continue
        pinned = submissions[0].template_version_id if submissions else job.template_version_id
        version = versions[pinned]
        record = Record(
            item_id=str(item.id),
            external_id=item.external_id,
            task_type=job.task_type,
            payload=item.payload,
            judgements=tuple(
                _authored(each, export, attested, versions[each.template_version_id], added)
                for each in submissions
            ),
            template=version.template,
            template_version=version.number,
            is_gold=item.gold is not None,
            prelabels=tuple(said[item.id]),
            domain=job.domain or "general",
        )
        told = labelling.of(record, item.id) if labelling else record
        if told is not None:
            records.append(told)
    return Chunk(records, items[-1][0].position if items else position)


def _versions(session: Session, job: Job) -> dict[UUID, TemplateVersion]:
    described = select(TemplateVersion).where(TemplateVersion.job_id == job.id)
    return {version.id: version for version in session.scalars(described)}


def _told(export: Export) -> tuple[ColumnElement[bool], ...]:
    """Which submissions an export reads: those that count; with the policy `all` extra ones too.

    An answer that repeats its author's own is no further vote, nor is one that was asked for again
    under a newer version: only the envelope tells them.
    """
    if export.policy == Policy.MODEL:  # What is believed rests on all that counts.
        aside = select(Seat.id).where(Seat.id == Submission.seat_id, Seat.set_aside_at.is_not(None))
        return (
            Submission.state.in_(COUNTED),
            Submission.submitted_at <= export.as_of,
            ~aside.exists(),
        )
    states = [SubmissionState.ACCEPTED]
    if export.policy == Policy.ALL:
        states.append(SubmissionState.SURPLUS_ACCEPTED)
    told = [Submission.state.in_(states), Submission.decided_at <= export.as_of]
    if export.format != "raw":
        told.append(Submission.repeats_submission_id.is_(None))
        aside = select(Seat.id).where(Seat.id == Submission.seat_id)
        told.append(~aside.where(Seat.set_aside_at <= export.as_of).exists())
    return tuple(told)


def _accepted(
    session: Session, task_ids: Sequence[UUID], export: Export
) -> dict[UUID, list[Submission]]:
    found: dict[UUID, list[Submission]] = {}
    accepted = session.scalars(
        select(Submission)
        .where(Submission.task_id.in_(task_ids))
        .where(*_told(export))
        .order_by(Submission.id)
    )
    for submission in accepted:
        found.setdefault(submission.task_id, []).append(submission)
    return found


def _authored(
    submission: Submission,
    export: Export,
    attested: Mapping[tuple[UUID, datetime], specialists.AttestedPerson],
    version: TemplateVersion,
    added: Mapping[UUID, Sequence[dict[str, Any]]],
) -> AuthoredJudgement:
    held = _shown(attested[_moment(submission)].credentials)
    repeats = submission.repeats_submission_id
    return AuthoredJudgement(
        annotation_id=str(submission.id),
        judgement=submission.judgement,
        author=pseudonym(str(export.organisation_id), str(submission.specialist_id)),
        attested={**held, "credential_level": submission.credential_level},
        rationale=submission.rationale,
        confidence=submission.confidence,
        references=tuple(submission.references),
        ai_use=submission.ai_use,
        presented_order=tuple(submission.presented_order),
        opened_at=submission.claimed_at.isoformat(),
        submitted_at=submission.submitted_at.isoformat(),
        active_seconds=submission.active_seconds,
        surplus=submission.is_surplus and repeats is None,
        rationale_claims=tuple(submission.rationale_claims),
        flags=tuple(submission.flags),
        spent=tuple(submission.spent),
        template_version=version.number,
        guidelines_sha256=bytes(version.instructions_sha256).hex(),
        repeats=str(repeats) if repeats else None,
        round=submission.round,
        addenda=tuple(added[submission.id]),
    )


def _moment(submission: Submission) -> tuple[UUID, datetime]:
    return submission.specialist_id, submission.submitted_at


def _shown(attested: Sequence[specialists.Attested]) -> dict[str, object]:
    """The strongest credential as it may be shown: never an identifier, the month at most.

    Empty specialties, and None elsewhere, stand for what fewer than five people would share.
    """
    if not attested:
        return {}
    best = attested[0]
    return {
        "profession": best.profession,
        "specialties": sorted(best.specialties),
        "jurisdiction": best.jurisdiction or None,
        "checked_month": best.checked_month.isoformat()[:7] if best.checked_month else None,
    }


def accepted_count(session: Session, export: Export) -> int:
    """How many accepted judgements the export must have read; one statement of its own. Under
    the policy `model` how many items have a label."""
    if export.policy == Policy.MODEL:
        return labelled_count(session, export.job_id)
    found = session.scalars(
        select(Submission.id).where(Submission.job_id == export.job_id).where(*_told(export))
    )
    return sum(1 for _ in found)
