"""Where one judgement comes from: what the chain bound, and every step of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import Actor
from marketplace.delivery.models import Export
from marketplace.delivery.queries.judged import told_of
from marketplace.delivery.queries.provenance import HANDED_IN
from marketplace.ids import ExportId, OrganisationId, SubmissionId, new_id
from marketplace.jobs.models import Job
from marketplace.outbox import Event
from marketplace.review import queries as review
from marketplace.secrets import pseudonym
from marketplace.specialists import queries as specialists
from marketplace.specialists.queries import Attested
from marketplace.tasktypes.raw import content_sha256, idle_seconds
from marketplace.verify.seal import commitment
from marketplace.work import queries as work
from marketplace.work.models import Submission
from marketplace.work.rules import sealed_content

EVENTS_MAX = 200


class Bound(StrEnum):
    """Whether what stands in the row is what its author handed in, by the chain."""

    HOLDS = "holds"
    ALTERED = "altered"
    ERASED = "erased"
    UNPROVEN = "unproven"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happened to a judgement. number, link: in the job's chain, None where it has
    none yet or is no event; said: a verdict as an export tells it."""

    what: str
    at: datetime
    by: str
    number: int | None = None
    link: bytes | None = None
    said: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """All that is known of how a judgement came about.

    content: what the hand-in fixed, by the envelope's names; commitment: as the chain has it, with
    the salt that opens it; told: review, history, gold and skill as an export tells them now;
    blind: whether verdicts are kept from the viewer, whose second look is to come.
    """

    submission: Submission
    job: Job
    external_id: str
    content: Mapping[str, Any]
    attested: Sequence[Attested]
    commitment: bytes | None
    number: int | None
    bound: Bound
    steps: Sequence[Step]
    told: Mapping[str, Any]
    idle_seconds: int
    blind: bool


def origin_of(session: Session, viewer: Actor, submission_id: SubmissionId) -> Origin:
    """Where a judgement of the viewer's organisation comes from; Missing for any other."""
    view = work.submission_of(session, viewer, submission_id)
    given = view.submission
    blind = submission_id in review.blind_to(session, viewer, [submission_id])
    job = session.get_one(Job, given.job_id)
    events = _events(session, given)
    handed_in = next((each for each in events if each.kind == HANDED_IN), None)
    content = _content(session, job, given, view.payload)
    stated = handed_in.facts.get("commitment") if handed_in is not None else None
    stated = bytes.fromhex(stated) if stated else None
    told = _told(session, job, given)
    if blind:
        told |= {"review": None, "history": ()}
    return Origin(
        submission=given,
        job=job,
        external_id=view.external_id,
        content=content,
        attested=_attested(session, job, given),
        commitment=stated,
        number=handed_in.job_number if handed_in is not None else None,
        bound=_bound(given, handed_in, stated, content),
        steps=_steps(given, content["pseudonym"], [] if blind else events, told),
        told=told,
        idle_seconds=idle_seconds(given.spent),
        blind=blind,
    )


def _events(session: Session, given: Submission) -> Sequence[Row[Any]]:
    columns = (Event.kind, Event.facts, Event.announced_at, Event.job_number, Event.job_hash)
    return session.execute(
        select(*columns)
        .where(Event.subject_id == given.id, Event.job_id == given.job_id)
        .order_by(Event.id)
        .limit(EVENTS_MAX)
    ).all()


def _content(session: Session, job: Job, given: Submission, payload: Any) -> dict[str, Any]:
    version = work.version_of(session, given)
    return sealed_content(
        given,
        pseudonym=pseudonym(str(job.organisation_id), str(given.specialist_id)),
        item_sha256=content_sha256(payload),
        template_version=version.number,
        guidelines_sha256=version.instructions_sha256,
        ai_policy=job.ai_policy,
    )


def _attested(session: Session, job: Job, given: Submission) -> Sequence[Attested]:
    moment = given.specialist_id, given.submitted_at
    found = specialists.attested_at(session, job.organisation_id, {moment})
    return found[moment].credentials


def _told(session: Session, job: Job, given: Submission) -> dict[str, Any]:
    """As an export would tell it that is asked for now."""
    now = Export(
        id=ExportId(new_id()),
        job_id=job.id,
        organisation_id=OrganisationId(job.organisation_id),
        as_of=clock.now(),
    )
    return dict(told_of(session, now, [given.id])[given.id])


def _bound(
    given: Submission,
    handed_in: Row[Any] | None,
    stated: bytes | None,
    content: Mapping[str, Any],
) -> Bound:
    if handed_in is None or stated is None:
        return Bound.UNPROVEN
    if given.salt is None:
        return Bound.ERASED
    if commitment(bytes(given.salt), content) != stated:
        return Bound.ALTERED
    return Bound.HOLDS if handed_in.job_number is not None else Bound.WAITING


def _steps(
    given: Submission, author: str, events: Sequence[Row[Any]], told: Mapping[str, Any]
) -> list[Step]:
    """Everything that happened, oldest first: opened, what the chain tells, gold."""
    found = [Step("opened", given.claimed_at, author)]
    verdicts = {each["decision_id"]: each for each in told["history"] if "decision_id" in each}
    if told["review"]:
        verdicts[told["review"]["decision_id"]] = told["review"]
    for event in events:
        said = verdicts.get(event.facts.get("decision_id", ""))
        by = author if event.kind in {HANDED_IN, "submission.judge_fault"} else ""
        if said is not None:
            by = said["reviewer"] or "the job's rules"
        found.append(
            Step(event.kind, event.announced_at, by, event.job_number, event.job_hash, said)
        )
    if not any(step.what == HANDED_IN for step in found):
        found.insert(1, Step(HANDED_IN, given.submitted_at, author))
    return found
