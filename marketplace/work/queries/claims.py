"""Claims as their holders see them: the material, the drafts, what is in hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.errors import Missing
from marketplace.ids import ClaimId
from marketplace.jobs.models import Item, Job, TemplateVersion
from marketplace.jobs.queries import with_image
from marketplace.tasktypes import task_type
from marketplace.work.models import Claim, Draft, Task, TimeInterval
from marketplace.work.queries.conversations import conversation_part
from marketplace.work.queries.prelabels import prelabels_of
from marketplace.work.rules import ClaimState, Interval, etag, for_author, working_seconds

LIMIT_MAX = 200
# Under this and its id a session holds what a claim's own statement has read of its item.
BROUGHT = "brought"


@dataclass(frozen=True, slots=True)
class ClaimView:
    """A claim with all that its holder needs to work on it.

    payload: the item's, without `metadata`, the lab's own corner; with `prelabels` where the
    task type shows what models said.
    """

    claim: Claim
    job: Job
    item_id: UUID
    payload: Any
    template: Any
    instructions_md: str
    template_number: int
    draft: Draft | None
    spent: Sequence[Interval] = ()

    @property
    def working_seconds(self) -> int:
        """Whole seconds of work that are booked."""
        return working_seconds(self.spent)

    @property
    def etag(self) -> str:
        """The tag of the last draft; `"0"` where none was saved."""
        return etag(self.draft.revision if self.draft else 0)


def claim_of(session: Session, viewer: Actor, claim_id: ClaimId) -> ClaimView:
    """The viewer's own claim with its material; Missing for anybody else's."""
    claim = session.scalar(
        select(Claim).where(Claim.id == claim_id, Claim.specialist_id == viewer.person())
    )
    if claim is None:
        raise Missing("This claim is not there, or it is not yours.")
    return view_of(session, claim)


def view_of(session: Session, claim: Claim) -> ClaimView:
    """A claim's view; for a verb that has just made the claim."""
    job = session.get_one(Job, claim.job_id)
    version = session.get_one(TemplateVersion, claim.template_version_id)
    draft: Draft | None = None
    spent: Sequence[TimeInterval] = ()
    brought = session.info.pop((BROUGHT, claim.id), None)
    if brought is not None:  # A claim as fresh as that has neither drafts nor time.
        item_id, payload = brought
    else:
        item_id, payload = session.execute(
            select(Item.id, Item.payload)
            .join(Task, Task.item_id == Item.id)
            .where(Task.id == claim.task_id)
        ).one()
        draft = session.scalar(
            select(Draft).where(Draft.claim_id == claim.id).order_by(Draft.revision.desc()).limit(1)
        )
        booked = select(TimeInterval).where(TimeInterval.claim_id == claim.id)
        spent = session.scalars(booked).all()
    return ClaimView(
        claim=claim,
        job=job,
        item_id=item_id,
        payload=_shown(session, job, version.template, item_id, payload)
        | _talked(session, claim, job, version.template, payload),
        template=version.template,
        instructions_md=version.instructions_md,
        template_number=version.number,
        draft=draft,
        spent=[Interval(each.kind, each.started_at, each.ended_at) for each in spent],
    )


def _shown(session: Session, job: Job, template: Any, item_id: UUID, payload: Any) -> Any:
    own = {name: part for name, part in payload.items() if name != "metadata"}
    own = with_image(session, job, own)
    kind = task_type(job.task_type)
    if kind.prelabels_shown is None:  # Most types: nothing is read, so nothing can leak.
        return own
    return kind.with_prelabels(template, own, prelabels_of(session, [item_id])[item_id])


def _talked(session: Session, claim: Claim, job: Job, template: Any, payload: Any) -> Any:
    """The conversation so far, without the names of models, for types that hold one."""
    if task_type(job.task_type).conversation is None:
        return {}
    part = conversation_part(session, claim, job, template, payload)
    return {name: for_author(shown) for name, shown in part.items()}


def bring(session: Session, claim: Claim, item_id: UUID, payload: Any) -> None:
    """Leave for `view_of` what the statement that made a claim has read already."""
    session.info[BROUGHT, claim.id] = item_id, payload


def material(session: Session, task_id: UUID, template_version_id: UUID) -> tuple[Any, Any]:
    """(payload, template) that an answer to a task is checked against."""
    return session.execute(
        select(Item.payload, TemplateVersion.template)
        .join(Task, Task.item_id == Item.id)
        .join(TemplateVersion, TemplateVersion.id == template_version_id)
        .where(Task.id == task_id)
    ).one()


def drafts_of(session: Session, viewer: Actor, claim_id: ClaimId) -> Sequence[Draft]:
    """All saved revisions of the viewer's claim, newest first, at most 200; Missing for others'."""
    own = select(Claim.id).where(Claim.id == claim_id, Claim.specialist_id == viewer.person())
    if session.scalar(own) is None:
        raise Missing("This claim is not there, or it is not yours.")
    return session.scalars(
        select(Draft)
        .where(Draft.claim_id == claim_id)
        .order_by(Draft.revision.desc())
        .limit(LIMIT_MAX)
    ).all()


def claims_in_hand(
    session: Session, viewer: Actor, *, limit: int = 20
) -> Sequence[Row[Claim, str]]:
    """The viewer's live claims, and lapsed ones that hold a draft, with the job's title."""
    drafted = select(Draft.claim_id).where(Draft.claim_id == Claim.id).exists()
    return session.execute(
        select(Claim, Job.title)
        .join(Job, Job.id == Claim.job_id)
        .where(Claim.specialist_id == viewer.person())
        .where((Claim.state == ClaimState.LIVE) | ((Claim.state == ClaimState.EXPIRED) & drafted))
        .order_by(Claim.id.desc())
        .limit(min(limit, LIMIT_MAX))
    ).all()
