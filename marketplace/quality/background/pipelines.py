"""Background functions of hybrid pipelines: routing items, opening seats, estimating, rounds.

Each may be cut short anywhere and run again: routes are written in one transaction, from the
position where the pipeline stands; seats open in chunks; a round is sent only while the pipeline
still stands at the round before.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import clock, outbox
from marketplace.db import transaction
from marketplace.ids import TaskId
from marketplace.jobs.models import Job
from marketplace.jobs.rules import JobState
from marketplace.quality import queries
from marketplace.quality.models import Pipeline, PipelineItem, PipelineRound
from marketplace.quality.queries.pipelines import Routed
from marketplace.quality.rules import pipeline, pipeline_report, rounds
from marketplace.quality.rules.ballots import Scheme
from marketplace.quality.rules.pipeline import Floats, Ints, Route
from marketplace.quality.rules.pipeline_votes import (
    Collector,
    Question,
    confidence_of,
    right_of,
)
from marketplace.quality.rules.pipeline_words import PipelineState
from marketplace.quality.service import pipeline_rows
from marketplace.quality.service import pipelines as service
from marketplace.work import service as work
from marketplace.work.models import Task
from marketplace.work.rules import TaskState

READ_AT_ONCE = 2_000
SEATED_AT_ONCE = 2_000
MORE_AT_ONCE = 500
SLICES_MAX = 40
# A pipeline is asked for at most once in so long.
ASKED_SECONDS = 30
OTHERS = "all others"
# Estimates are made anew when the answers have grown by a tenth, and by as many at least.
GROWN = 0.1
GROWN_MIN = 20
# Strata of items that came later are numbered apart from those of the first ones.
WAVE = 10_000
LEAST_CHANCE = 1e-4


@dataclass(frozen=True, eq=False)
class _Read:
    """All that was said of a job's first `item_count` items. slices: their own words."""

    item_ids: list[UUID]
    slices: list[str]
    collector: Collector
    questions: list[Question]
    confidence: Floats
    right: Floats


@outbox.background("quality.route_items", time_limit_seconds=3600)
def route_items(work_row: outbox.Work, job_id: str) -> None:
    """Route the items of a pipeline that have no route yet, and open the seats of those routed."""
    identity = UUID(job_id)
    with transaction() as session:
        job, found = session.get_one(Job, identity), session.get_one(Pipeline, identity)
        scheme = service.scheme_of(session, job)
    if found.state is PipelineState.ROUTING:
        read = _read(job, scheme, found.slice_field, up_to=job.item_count)
        with transaction() as session:
            _keep_routes(session, identity, read, scheme)
    while _seat_some(identity):
        pass
    with transaction() as session:
        outbox.done(session, work_row)


def _read(job: Job, scheme: Scheme, slice_field: str | None, *, up_to: int) -> _Read:
    """What was said of the items up to a position, read in chunks of a transaction each."""
    collector, item_ids, slices = Collector(scheme), list[UUID](), list[str]()
    while len(item_ids) < up_to:
        with transaction() as session:
            chunk = queries.heard(
                session, job, slice_field, after=len(item_ids),
                limit=min(READ_AT_ONCE, up_to - len(item_ids)),
            )  # fmt: skip
        for each in chunk:
            collector.add(each.voices, each.gold)
            item_ids.append(each.item_id)
            slices.append(each.slice)
    with transaction() as session:
        plan = queries.routed(session, job.id).plan
    weights = np.ones(up_to)
    sent = np.flatnonzero(~plan.alone[:up_to])
    weights[sent] = 1 / np.maximum(plan.inclusion[sent], LEAST_CHANCE)
    questions = collector.questions(weights)
    return _Read(
        item_ids, slices, collector, questions,
        confidence_of(questions, len(item_ids)), right_of(questions, len(item_ids)),
    )  # fmt: skip


def _keep_routes(session: Session, job_id: UUID, read: _Read, scheme: Scheme) -> None:
    """Decide and write the routes of what was read and has none, with a report."""
    found = service.locked_pipeline(session, job_id)
    if found.state is not PipelineState.ROUTING:
        return
    start = found.items_routed
    found.slices = _named(found.slices, read.slices)
    numbers = _numbered(found.slices, read.slices[start:])
    before = queries.routed(session, job_id)
    policy = replace(found.policy, items_max=found.items_max - before.plan.sent)
    confidence = read.confidence[start:]
    plan = pipeline.first(confidence, numbers, policy, seed=found.seed + start)
    if start:  # Items that came later were drawn by themselves.
        plan.strata[plan.strata >= 0] += WAVE * (int(before.plan.strata.max(initial=0)) // WAVE + 1)
    pipeline_rows.add_routes(
        session, job_id, read.item_ids[start:], start + 1, Routed(plan, numbers, confidence)
    )
    pipeline_rows.keep_labels(session, job_id, read.item_ids, read.questions, only_judged=False)
    found.items_routed, found.round = len(read.item_ids), max(found.round, 1)
    service.set_state(found, PipelineState.JUDGING)
    _report(found, read, queries.routed(session, job_id), scheme)
    if not start:
        _note_round(session, found, [], plan.sent)


def _named(known: list[str], words: list[str]) -> list[str]:
    """The names of slices in the order of their first item; the rest beyond the most is one."""
    names = list(dict.fromkeys([*known, *words]))
    if len(names) <= SLICES_MAX:
        return names
    kept = [name for name in names if name != OTHERS][: SLICES_MAX - 1]
    return known if OTHERS in known else [*kept, OTHERS]


def _numbered(names: list[str], words: list[str]) -> Ints:
    number = {name: at for at, name in enumerate(names)}
    others = number.get(OTHERS, 0)
    return np.array([number.get(word, others) for word in words], dtype=np.int32)


def _seat_some(job_id: UUID) -> bool:
    """Make the tasks of a chunk of routed items; True when there may be more."""
    with transaction() as session:
        job = session.get_one(Job, job_id, with_for_update={"key_share": True})
        found = session.get_one(Pipeline, job_id)
        if job.state is not JobState.OPEN or job.items_seated >= found.items_routed:
            return False
        limit = min(SEATED_AT_ONCE, found.items_routed - job.items_seated)
        chunk = session.execute(
            select(PipelineItem.item_id, PipelineItem.route)
            .where(PipelineItem.job_id == job_id, PipelineItem.position > job.items_seated)
            .order_by(PipelineItem.position)
            .limit(limit)
        ).all()
        wanted = {each: 0 if route is Route.MODEL else job.overlap_min for each, route in chunk}
        return work.open_seats(session, job, limit=limit, wanted=wanted) > 0


@outbox.background("quality.follow_pipelines", time_limit_seconds=300, every_seconds=20)
def follow_pipelines(work_row: outbox.Work) -> None:
    """Ask for new estimates where answers have come in, and for the next round where all have."""
    with transaction() as session:
        running = queries.running_pipelines(session)
    while running:
        for found in running:
            with transaction() as session:
                _follow(session, found)
        with transaction() as session:
            running = queries.running_pipelines(session, after=running[-1].job_id)
    with transaction() as session:
        outbox.done(session, work_row)


def _follow(session: Session, found: Pipeline) -> None:
    if found.state is PipelineState.DONE:
        _take_up_again(session, found)
    elif _has_news(session, found):
        slot = int(clock.now().timestamp()) // ASKED_SECONDS
        key = f"{service.COMPUTE}:{found.job_id}:{slot}"
        outbox.enqueue_once(session, key, service.COMPUTE, job_id=found.job_id)


def _take_up_again(session: Session, seen: Pipeline) -> None:
    """Where answers changed after the end, since some were rejected, the pipeline goes on."""
    if seen.judged == queries.judged_count(session, seen.job_id):
        return
    found = service.locked_pipeline(session, seen.job_id)
    if found.state is PipelineState.DONE:
        service.set_state(found, PipelineState.JUDGING)
        found.finished_at = None


def _has_news(session: Session, found: Pipeline) -> bool:
    job = session.get_one(Job, found.job_id)
    seating = job.state is JobState.OPEN and job.items_seated < found.items_routed
    if seating or job.state is JobState.PAUSED:
        return False
    if _to_open(session, found.job_id, 1) or _is_over(session, job):
        return True
    judged = queries.judged_count(session, found.job_id)
    return judged - found.judged >= max(GROWN_MIN, GROWN * found.judged)


def _is_over(session: Session, job: Job) -> bool:
    if job.state is not JobState.OPEN:
        return job.state is JobState.CLOSED
    return not queries.waits(session, job.id) and not _to_open(session, job.id, 1)


@outbox.background("quality.compute_pipeline", time_limit_seconds=3600)
def compute_pipeline(work_row: outbox.Work, job_id: str) -> None:
    """Estimate a pipeline's set anew; where all that was sent is judged, send more or end it."""
    identity = UUID(job_id)
    while _open_more(identity):
        pass
    with transaction() as session:
        job, found = session.get_one(Job, identity), session.get_one(Pipeline, identity)
        scheme = service.scheme_of(session, job)
        is_over = _is_over(session, job)
        judged = queries.judged_count(session, identity)
    if found.state is PipelineState.JUDGING:
        read = _read(job, scheme, found.slice_field, up_to=found.items_routed)
        with transaction() as session:
            _go_on(session, found, read, scheme, judged=judged, is_over=is_over)
        while _open_more(identity):
            pass
    with transaction() as session:
        outbox.done(session, work_row)


def _go_on(
    session: Session, seen: Pipeline, read: _Read, scheme: Scheme, *, judged: int, is_over: bool
) -> None:
    """Write what a reading says, unless the pipeline went on meanwhile."""
    found = service.locked_pipeline(session, seen.job_id)
    if (found.state, found.round, found.items_routed) != (
        seen.state, seen.round, seen.items_routed
    ):  # fmt: skip
        return
    pipeline_rows.keep_labels(
        session, found.job_id, read.item_ids, read.questions, only_judged=not is_over
    )
    found.judged = judged
    routed = queries.routed(session, found.job_id)
    job = session.get_one(Job, found.job_id)
    if is_over and not _sent_more(session, found, read, routed, is_open=job.state is JobState.OPEN):
        service.set_state(found, PipelineState.DONE)
        found.finished_at = clock.now()
        _tell_done(session, job)
    _report(found, read, queries.routed(session, found.job_id), scheme)


def _sent_more(
    session: Session, found: Pipeline, read: _Read, routed: Routed, *, is_open: bool
) -> bool:
    """Look at every slice, note the round, and send what it asks for; whether it sent any."""
    seen = np.where(routed.plan.alone, np.nan, read.right)
    looked = rounds.looked_at(
        routed.plan, routed.slices, seen, found.policy.target, slice_count=len(found.slices)
    )
    after = routed.plan
    if is_open:
        after, looked = rounds.further(
            routed.plan, read.confidence, routed.slices, looked, found.policy,
            round_number=found.round + 1, seed=found.seed,
        )  # fmt: skip
    sent = after.sent - routed.plan.sent
    if sent:
        pipeline_rows.change_routes(session, found.job_id, routed.plan, after)
        found.round += 1
        _note_round(session, found, looked, sent)
    return sent > 0


def _note_round(
    session: Session, found: Pipeline, looked: list[rounds.SliceFinding], sent: int
) -> None:
    facts = {
        "sent": sent,
        "slices": [
            {
                "slice": found.slices[each.slice],
                "finding": each.finding.value,
                "alone": each.alone,
                "audited": each.audited,
                "right": round(each.right),
                "lower": round(each.lower, 4),
                "upper": round(each.upper, 4),
                "sent": each.sent,
                "drawn": each.drawn,
            }
            for each in looked
        ],
    }
    session.add(
        PipelineRound(job_id=found.job_id, number=found.round, facts=facts, made_at=clock.now())
    )


def _tell_done(session: Session, job: Job) -> None:
    outbox.announce(
        session, "pipeline.done", job.id, {}, organisation_id=job.organisation_id, job_id=job.id
    )


def _report(found: Pipeline, read: _Read, routed: Routed, scheme: Scheme) -> None:
    """Keep what is known of the whole set now."""
    models, labels = pipeline_report.accuracy_of(routed.plan, read.right, read.confidence)
    sent = np.isfinite(read.right) & ~routed.plan.alone
    found.report = {
        "items": len(read.item_ids),
        "judged_items": int(sent.sum()),
        "routes": pipeline_report.routes_of(routed.plan),
        "models": models,
        "labels": labels,
        "wanting": pipeline_report.wanting(routed.plan, read.right),
        "slices": pipeline_report.by_slice(
            routed.plan, read.right, read.confidence, routed.slices, found.slices
        ),
        "measures": pipeline_report.shares_of(read.questions, routed.plan, scheme),
        "authors": [
            {"author": author, "question": question.name, "reliability": round(share, 4)}
            for question in read.questions
            for author, share in read.collector.reliabilities(question)
        ],
    }
    found.computed_at = clock.now()


def _to_open(session: Session, job_id: UUID, limit: int) -> list[TaskId]:
    """Tasks that were sent to specialists in a later round and have no seats yet."""
    found = (
        select(Task.id)
        .join(PipelineItem, PipelineItem.item_id == Task.item_id)
        .where(PipelineItem.job_id == job_id, PipelineItem.round > 1, Task.wanted == 0)
        .where(Task.state == TaskState.FINAL, Task.dropped_at.is_(None))
        .order_by(Task.id)
        .limit(limit)
    )
    return list(session.scalars(found))


def _open_more(job_id: UUID) -> bool:
    """Open the seats of some tasks that a later round sent; True when there may be more."""
    with transaction() as session:
        job = session.get_one(Job, job_id)
        tasks = _to_open(session, job_id, MORE_AT_ONCE) if job.state is JobState.OPEN else []
        return work.seat_tasks(session, job, tasks) > 0
