"""A job's fit, in steps of a transaction each: begun, read, written.

Votes are read in chunks of tasks, and what was believed of them before the votes themselves, so
that a fit never writes over what a submission said while it was running: its `revision` has moved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

import orjson
from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.ids import PersonId
from marketplace.jobs.models import Job, TemplateVersion
from marketplace.jobs.rules import JobState, Purpose
from marketplace.quality.models import JobFit, SkillEvidence
from marketplace.quality.rules.agreeing import agreement_by_pair
from marketplace.quality.rules.ballots import AuthorKind, Scheme
from marketplace.quality.rules.evidence import EvidenceSource
from marketplace.quality.rules.polls import Fitted, Poll
from marketplace.quality.rules.strengths import Contests, names_systems
from marketplace.quality.service import fit_rows, fit_sql
from marketplace.quality.service.skill import learn
from marketplace.statements import plain_sql
from marketplace.tasktypes import task_type
from marketplace.work.models import Submission

NOBODY = UUID(int=0)  # Lies before every task and every submission.
TASKS_AT_ONCE = 1_000
HEARD_MAX = 10_000
# What all of a judgement says of systems.
OVERALL = "overall"
# What has moved less than that is not written again.
STILL = 0.0005
STILL_SKILL = 0.005


@dataclass(slots=True)
class Begun:
    """A fit on its way. after: the last task that was read; revisions: of what stood before.

    asked: only tasks that a person judged are read, since a pipeline labels the others itself;
    heard: the ballots of judgements that were met before, by their text; contests: what they say
    of the systems that items name.
    """

    job_id: UUID
    number: int
    scheme: Scheme
    teaches: bool
    asked: bool
    began_at: datetime
    last_submission_id: UUID | None
    after: UUID = NOBODY
    submissions: int = 0
    polls: dict[str, Poll] = field(default_factory=dict)
    revisions: dict[tuple[UUID, str], int] = field(default_factory=dict)
    heard: dict[str, dict[str, str]] = field(default_factory=dict)
    contests: Contests = field(default_factory=Contests)


def begin_fit(session: Session, job_id: UUID) -> Begun | None:
    """Take the next number for a job's fit; None for a draft or no job."""
    job = session.get(Job, job_id)
    if job is None or job.state is JobState.DRAFT:
        return None
    fresh = {"job_id": job_id, "started": 1, "fit": 0, "submissions": 0, "pairs": [], "seconds": 0}
    number = session.scalar(
        insert(JobFit)
        .values(fresh)
        .on_conflict_do_update(index_elements=[JobFit.job_id], set_={"started": JobFit.started + 1})
        .returning(JobFit.started)
    )
    newest = session.scalar(
        select(Submission.id)
        .where(Submission.job_id == job_id)
        .order_by(Submission.id.desc())
        .limit(1)
    )
    template = session.get_one(TemplateVersion, job.template_version_id).template
    return Begun(
        job_id=job_id,
        number=number or 1,
        scheme=Scheme(task_type(job.task_type), template),
        teaches=job.purpose is Purpose.WORK,
        asked=job.specialist_items_max is not None,
        began_at=clock.now(),
        last_submission_id=newest,
    )


def read_votes(session: Session, begun: Begun) -> bool:
    """Read the votes of the next tasks; False when there are no more."""
    limit_statements(session)
    tasks = plain_sql(
        session,
        fit_sql.TASKS,
        job_id=begun.job_id,
        after=begun.after,
        asked=begun.asked,
        limit=TASKS_AT_ONCE,
    )
    if not tasks:
        return False
    ids = [row.id for row in tasks]
    for row in plain_sql(session, fit_sql.BEFORE, tasks=ids):
        begun.revisions[row.task_id, row.unit] = row.revision
    by_task: dict[UUID, list[tuple[AuthorKind, Any]]] = {}
    for row in plain_sql(session, fit_sql.MODELS, tasks=ids):
        by_task.setdefault(row.task_id, []).append((AuthorKind.MODEL, row))
    for row in plain_sql(session, fit_sql.VOTES, tasks=ids):
        by_task.setdefault(row.task_id, []).append((AuthorKind.HUMAN, row))
        begun.submissions += 1
    gold = {row.id: row.gold for row in tasks if row.gold is not None}
    metadata = {row.id: row.metadata for row in tasks if row.metadata is not None}
    for task_id, said in by_task.items():
        _take_in(begun, task_id, said, gold.get(task_id))
        _compare(begun, task_id, said, metadata.get(task_id))
    begun.after = ids[-1]
    return len(ids) == TASKS_AT_ONCE


def _take_in(
    begun: Begun, task_id: UUID, said: Sequence[tuple[AuthorKind, Any]], gold: str | None
) -> None:
    scheme = begun.scheme
    ballots = _ballots(begun, [row.judgement for _, row in said], gold)
    truth = ballots.pop() if gold is not None else {}
    for (kind, row), ballot in zip(said, ballots, strict=True):
        for unit, label in ballot.items():
            question = scheme.question(unit)
            poll = begun.polls.setdefault(question, Poll(question))
            poll.add(task_id, unit, (kind, row.author), label, accepted=row.accepted)
    for unit, label in truth.items():
        question = scheme.question(unit)
        begun.polls.setdefault(question, Poll(question)).know(task_id, unit, label)


def _compare(
    begun: Begun, task_id: UUID, said: Sequence[tuple[AuthorKind, Any]], metadata: str | None
) -> None:
    """Take in what a task says of systems, where its item or its conversation names any."""
    told = orjson.loads(metadata) if metadata else {}
    if not begun.scheme.converses and not (isinstance(told, dict) and names_systems(told)):
        return
    for kind, row in said:
        judgement = orjson.loads(row.judgement)
        shown = row.shown or ()
        begun.contests.add(task_id, (kind, row.author), judgement, metadata=told, shown=shown)


def _ballots(begun: Begun, said: Sequence[str], gold: str | None) -> list[dict[str, str]]:
    """What each judgement of a task says of its units, gold last; many say the same."""
    if not begun.scheme.apart or gold is not None:
        true = [orjson.loads(gold)["judgement"]] if gold is not None else []
        return begun.scheme.ballots([*map(orjson.loads, said), *true])
    found = []
    for judgement in said:
        ballot = begun.heard.get(judgement)
        if ballot is None:
            (ballot,) = begun.scheme.ballots([orjson.loads(judgement)])
            if len(begun.heard) < HEARD_MAX:
                begun.heard[judgement] = ballot
        found.append(ballot)
    return found


def write_fit(
    session: Session,
    begun: Begun,
    fits: Mapping[str, Fitted],
    *,
    seconds: float,
    strengths: Mapping[str, Any] | None = None,
) -> bool:
    """Write what was found of authors, questions and agreement; False where a later fit stands."""
    limit_statements(session)
    row = session.get_one(JobFit, begun.job_id, with_for_update=True, populate_existing=True)
    if row.fit >= begun.number:
        return False
    main = max(begun.polls.values(), key=lambda poll: len(poll.case), default=None)
    row.fit, row.submissions, row.seconds = begun.number, begun.submissions, seconds
    row.last_submission_id = begun.last_submission_id
    row.pairs = agreement_by_pair(main) if main else []
    row.computed_at = clock.now()
    session.flush()  # What follows goes straight to the driver.
    place: dict[str, Any] = {"job_id": begun.job_id, "at": clock.now()}
    rows = fit_rows.of_questions(fits)
    plain_sql(
        session,
        fit_sql.QUESTIONS,
        job_id=begun.job_id,
        fit=begun.number,
        rows=fit_rows.as_json(rows),
    )
    for chunk in fit_rows.chunks(fit_rows.of_authors(begun.polls, fits)):
        plain_sql(session, fit_sql.AUTHORS, **place, fit=begun.number, rows=fit_rows.as_json(chunk))
    gone = {"job_id": begun.job_id, "fit": begun.number, "began_at": begun.began_at}
    plain_sql(session, fit_sql.GONE, **gone)
    compared = [{"question": OVERALL, "result": strengths}] if strengths else []
    plain_sql(
        session,
        fit_sql.STRENGTHS,
        **place,
        fit=begun.number,
        questions=[each["question"] for each in compared],
        rows=fit_rows.as_json(compared),
    )
    agreed = fit_rows.of_agreement(begun.polls, begun.scheme)
    units = [each["unit"] for each in agreed]
    plain_sql(session, fit_sql.AGREEMENT, **place, units=units, rows=fit_rows.as_json(agreed))
    return True


def write_posteriors(session: Session, begun: Begun, rows: Sequence[Any]) -> None:
    """Write a chunk; what moved meanwhile, or has hardly moved at all, stays as it is."""
    limit_statements(session)
    plain_sql(
        session,
        fit_sql.POSTERIORS,
        job_id=begun.job_id,
        fit=begun.number,
        at=clock.now(),
        still=STILL,
        rows=fit_rows.as_json(rows),
    )


def drop_stale(session: Session, begun: Begun) -> None:
    """Forget what was believed of units that nobody votes on any more, unless it moved since."""
    voted = {case for poll in begun.polls.values() for case in poll.cases}
    gone = [
        {"task_id": task_id, "unit": unit, "revision": revision}
        for (task_id, unit), revision in sorted(begun.revisions.items())
        if (task_id, unit) not in voted
    ]
    for rows in fit_rows.chunks(gone):
        plain_sql(session, fit_sql.STALE, rows=fit_rows.as_json(rows))


def lessons_of(begun: Begun, fits: Mapping[str, Fitted]) -> list[tuple[UUID, float, float, int]]:
    """What the fit teaches of people: (person, agreement, weight, pieces), by the main question."""
    if not begun.teaches or not fits:
        return []
    main = max(fits, key=lambda question: len(begun.polls[question].case))
    return [(UUID(name), *told) for name, told in sorted(fits[main].consensus.items())]


def learn_consensus(session: Session, begun: Begun, lesson: tuple[UUID, float, float, int]) -> None:
    """Let one person's work in the job count by what others say of it; once, replaced each time."""
    person, agreement, weight, pieces = lesson
    source_id = uuid5(begun.job_id, str(person))
    former = session.get(SkillEvidence, (EvidenceSource.CONSENSUS, source_id))
    moved = former is None or abs(former.agreement - agreement) > STILL_SKILL
    if former is not None and not moved and former.pieces == pieces:
        return
    learn(
        session,
        PersonId(person),
        session.get_one(Job, begun.job_id),
        min(1.0, max(0.0, agreement)),
        source=EvidenceSource.CONSENSUS,
        source_id=source_id,
        weight=weight,
        pieces=pieces,
    )


def jobs_to_fit(session: Session, *, limit: int = 500) -> list[UUID]:
    """Jobs that had a submission since their last fit; those that nobody asked to be fitted."""
    newest = (
        select(Submission.id)
        .where(Submission.job_id == Job.id)
        .order_by(Submission.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    return list(
        session.scalars(
            select(Job.id)
            .outerjoin(JobFit, JobFit.job_id == Job.id)
            .where(Job.state != JobState.DRAFT, newest.is_not(None))
            .where(func.coalesce(JobFit.last_submission_id, NOBODY) != newest)
            .order_by(Job.id)
            .limit(limit)
        )
    )


def limit_statements(session: Session) -> None:
    """No statement of a fit holds anybody up for long."""
    session.execute(text("SET LOCAL statement_timeout = '60s'"))
    session.execute(text("SET LOCAL lock_timeout = '5s'"))
