"""Appeals as each side may see them: their author, the lab, and who decides them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, case, func, select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import Actor
from marketplace.errors import Missing
from marketplace.identity.models import Organisation
from marketplace.identity.rules import Permission
from marketplace.jobs.models import Item, Job, TemplateVersion
from marketplace.review.models import Appeal, AppealEvidence
from marketplace.review.queries.decisions import LIMIT_MAX, standing_decisions
from marketplace.review.rules import AppealState, appeals
from marketplace.work.models import Submission, Task


@dataclass(frozen=True, slots=True)
class AppealRow:
    """An appeal with its job, and the name of the lab whose job it is."""

    appeal: Appeal
    job: Job
    lab: str


@dataclass(frozen=True, slots=True)
class AppealView:
    """An appeal with all that is looked at. evidence, payload: None once they were erased;
    payload: the item; template, instructions_md: of the version that its author had."""

    row: AppealRow
    evidence: Mapping[str, Any] | None
    submission: Submission | None
    external_id: str
    payload: Any
    template: Any
    instructions_md: str


def own_appeals(
    session: Session, viewer: Actor, *, after: UUID | None = None, limit: int = 50
) -> Sequence[AppealRow]:
    """The viewer's own appeals, newest first."""
    viewer.require(Permission.WORK_DO)
    asked = _rows().where(Appeal.appellant_id == viewer.person())
    return _paged(session, asked, after, limit)


def lab_appeals(
    session: Session, viewer: Actor, *, after: UUID | None = None, limit: int = 50
) -> Sequence[AppealRow]:
    """Appeals against decisions of the viewer's organisation, newest first."""
    viewer.require(Permission.WORK_REVIEW)
    asked = _rows().where(Appeal.organisation_id == viewer.organisation())
    return _paged(session, asked, after, limit)


def _rows() -> Select[Appeal, Job, str]:
    return (
        select(Appeal, Job, Organisation.name)
        .join(Job, Job.id == Appeal.job_id)
        .join(Organisation, Organisation.id == Appeal.organisation_id)
    )


def _paged(
    session: Session,
    asked: Select[Appeal, Job, str],
    after: UUID | None,
    limit: int,
) -> list[AppealRow]:
    if after is not None:
        asked = asked.where(Appeal.id < after)
    ordered = asked.order_by(Appeal.id.desc()).limit(min(limit, LIMIT_MAX))
    return [AppealRow(*row) for row in session.execute(ordered)]


def appeal_queue(
    session: Session,
    viewer: Actor,
    *,
    state: AppealState | None = None,
    after: UUID | None = None,
    limit: int = 50,
) -> Sequence[AppealRow]:
    """Appeals for who decides them: the open ones by their deadline, those overdue first; in a
    state that is an end, newest first. What concerns the viewer themselves is left out.
    """
    viewer.require(Permission.APPEALS_DECIDE)
    asked = _rows().where(Appeal.appellant_id != viewer.person())
    if state is not None and state not in appeals.OPEN_APPEALS:
        return _paged(session, asked.where(Appeal.state == state), after, limit)
    asked = asked.where(Appeal.ended_at.is_(None))
    if state is not None:
        asked = asked.where(Appeal.state == state)
    if after is not None:
        last = select(Appeal.decide_by).where(Appeal.id == after).scalar_subquery()
        later = (Appeal.decide_by > last) | ((Appeal.decide_by == last) & (Appeal.id > after))
        asked = asked.where(later)
    ordered = asked.order_by(Appeal.decide_by, Appeal.id).limit(min(limit, LIMIT_MAX))
    return [AppealRow(*row) for row in session.execute(ordered)]


def appeal_counts(session: Session, viewer: Actor) -> Mapping[AppealState, int]:
    """How many appeals there are in each state."""
    viewer.require(Permission.APPEALS_DECIDE)
    found = session.execute(select(Appeal.state, func.count()).group_by(Appeal.state))
    return dict.fromkeys(AppealState, 0) | dict(found.all())


@dataclass(frozen=True, slots=True)
class AppealRate:
    """How the appeals against one lab's decisions ended."""

    lab: str
    decided: int
    upheld: int


def appeal_rates(session: Session, viewer: Actor, *, limit: int = 50) -> Sequence[AppealRate]:
    """How appeals ended by lab, those with the most decided first; what lapsed says nothing."""
    viewer.require(Permission.APPEALS_DECIDE)
    upheld = func.sum(case((Appeal.state == AppealState.UPHELD, 1), else_=0))
    rows = session.execute(
        select(Organisation.name, func.count(), upheld)
        .join(Organisation, Organisation.id == Appeal.organisation_id)
        .where(Appeal.state.in_([AppealState.UPHELD, AppealState.DENIED]))
        .group_by(Organisation.id)
        .order_by(func.count().desc(), Organisation.id)
        .limit(min(limit, LIMIT_MAX))
    )
    return [AppealRate(lab, decided, int(up)) for lab, decided, up in rows]


def appeal_of(session: Session, viewer: Actor, appeal_id: UUID) -> AppealView:
    """One appeal for its author, its lab or who decides appeals; Missing for anybody else.

    Whoever decides never reads their own.
    """
    row = session.execute(_rows().where(Appeal.id == appeal_id)).first()
    if row is None or not _may_see(viewer, row[0]):
        raise Missing("This appeal is not there, or it does not concern you.")
    appeal = row[0]
    evidence = session.scalar(
        select(AppealEvidence.content).where(AppealEvidence.appeal_id == appeal.id)
    )
    found = session.execute(
        select(
            Submission,
            Item.external_id,
            Item.payload,
            TemplateVersion.template,
            TemplateVersion.instructions_md,
        )
        .join(Task, Task.id == Submission.task_id)
        .join(Item, Item.id == Task.item_id)
        .join(TemplateVersion, TemplateVersion.id == Submission.template_version_id)
        .where(Submission.id == appeal.submission_id)
    ).first()
    material = tuple(found) if found is not None else (None, "", None, {}, "")
    return AppealView(AppealRow(*row), evidence, *material)


def _may_see(viewer: Actor, appeal: Appeal) -> bool:
    if appeal.appellant_id == viewer.person_id:
        return viewer.may(Permission.WORK_DO)
    if viewer.organisation_id == appeal.organisation_id:
        return viewer.may(Permission.WORK_REVIEW)
    return viewer.may(Permission.APPEALS_DECIDE)


def appeals_of(session: Session, submission_ids: Sequence[UUID]) -> Mapping[UUID, Appeal]:
    """The last appeal about submissions that the caller may see, by submission."""
    found = session.scalars(
        select(Appeal).where(Appeal.submission_id.in_(submission_ids)).order_by(Appeal.id)
    )
    return {appeal.submission_id: appeal for appeal in found if appeal.submission_id is not None}


def appealable_until(session: Session, submission_ids: Sequence[UUID]) -> Mapping[UUID, datetime]:
    """Until when their author may appeal what stands on these submissions; those whose verdict
    cannot be appealed, or was, are left out."""
    standing = standing_decisions(session, submission_ids)
    appealed = set(
        session.scalars(select(Appeal.decision_id).where(Appeal.submission_id.in_(submission_ids)))
    )
    at = clock.now()
    return {
        submission_id: appeals.file_by(one.decided_at)
        for submission_id, one in standing.items()
        if one.id not in appealed
        and appeals.why_not(one.verdict, one.cause, one.decided_at, at) is None
    }
