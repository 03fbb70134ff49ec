"""Batches of a run, which may be cut short anywhere.

A batch is claimed (its calls are counted), asked outside of any transaction, and recorded answer by
answer; a run goes on from its position, and what was answered already is never asked again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.endpoints import service as endpoints
from marketplace.endpoints.models import ModelEndpoint
from marketplace.endpoints.rules import BudgetSpent
from marketplace.jobs import service as job_service
from marketplace.jobs.models import Item, Job, TemplateVersion
from marketplace.jobs.service import Said
from marketplace.quality.models import Judge, JudgeAnswer, JudgeReport, JudgeRun, JudgeVersion
from marketplace.quality.rules.judges import asking
from marketplace.quality.rules.judges.answers import Answer, AnswerOutcome, combined
from marketplace.quality.rules.judges.asking import Matter
from marketplace.quality.rules.judges.runs import RUN_NEXT, RunPurpose, RunState
from marketplace.quality.service.judge_runs import locked, step
from marketplace.tasktypes import Json

BATCH_ITEMS = 8
SPENT = "The calls that you allowed are used up. Allow more, and it goes on where it stopped."


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ask:
    """One question that has no answer yet. turned: 1 where the responses are turned round."""

    item_id: UUID
    content_sha256: bytes
    turned: int
    matter: Matter = field(repr=False)
    body: Json = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What is asked next. start, end: positions before the first item and of the last one;
    base_url, api_key, timeout_seconds: where it is asked."""

    run_id: UUID
    start: int
    end: int
    asks: Sequence[Ask]
    endpoint_id: UUID
    base_url: str
    api_key: str | None = field(repr=False)
    timeout_seconds: int
    calls_a_minute_max: int


def next_batch(session: Session, run_id: UUID) -> Batch | None:
    """The next items of a run with the questions that have no answer yet; None where none is to
    be asked: the run is over, or was stopped, here or by somebody. Their calls are counted."""
    run = locked(session, run_id)
    if run.state is RunState.WAITING:
        step(run, RunState.RUNNING, None)
    if run.state is not RunState.RUNNING:
        return None
    version = session.get_one(JudgeVersion, run.judge_version_id)
    endpoint = session.get_one(ModelEndpoint, version.endpoint_id)
    if endpoint.retired_at is not None:
        step(run, RunState.FAILED, "Its model endpoint is retired.")
        return None
    items = _items(session, run)
    if not items:
        return None
    asks = _asks(session, run, version, items)
    asks, end = _affordable(session, run, endpoint, asks, items)
    if end is None:
        return None
    return Batch(
        run_id=run.id,
        start=run.position,
        end=end,
        asks=asks,
        endpoint_id=endpoint.id,
        base_url=endpoint.base_url,
        api_key=endpoint.api_key,
        timeout_seconds=endpoint.timeout_seconds,
        calls_a_minute_max=run.calls_a_minute_max,
    )


def _items(session: Session, run: JudgeRun) -> Sequence[Item]:
    found = select(Item).where(Item.job_id == run.job_id, Item.position > run.position)
    if run.report_id is not None:
        anchors = session.get_one(JudgeReport, run.report_id).anchors
        found = found.where(Item.external_id.in_(anchors["items"]))
    return session.scalars(found.order_by(Item.position).limit(BATCH_ITEMS)).all()


def _asks(
    session: Session, run: JudgeRun, version: JudgeVersion, items: Sequence[Item]
) -> list[Ask]:
    """The questions about these items that no answer is kept for; failures are asked again."""
    job = session.get_one(Job, run.job_id)
    template = session.get_one(TemplateVersion, job.template_version_id).template
    known = _known(session, run, [item.payload_sha256 for item in items])
    asks: dict[tuple[bytes, int], Ask] = {}
    for item in items:
        put = asking.matter(job.task_type, template, item.payload)
        for turned in (0, 1) if version.both_orders and put.turns else (0,):
            place = (bytes(item.payload_sha256), turned)
            if place not in known:
                body = _body(version, put, turned)
                asks[place] = Ask(
                    item_id=item.id, content_sha256=place[0], turned=turned, matter=put, body=body
                )
    return list(asks.values())


def _body(version: JudgeVersion, put: Matter, turned: int) -> Json:
    set_to = {"temperature": version.temperature, "top_p": version.top_p}
    sampling: dict[str, Any] = {k: float(v) for k, v in set_to.items() if v is not None}
    if version.seed is not None:
        sampling["seed"] = version.seed
    return asking.request_body(
        put,
        prompt=version.prompt,
        model=version.model,
        answer_format=version.answer_format,
        order=turned,
        sampling={**sampling, "max_tokens": version.tokens_max},
    )


def _known(
    session: Session, run: JudgeRun, contents: Sequence[bytes]
) -> dict[tuple[bytes, int], JudgeAnswer]:
    found = select(JudgeAnswer).where(
        JudgeAnswer.judge_version_id == run.judge_version_id,
        JudgeAnswer.content_sha256.in_(contents),
        JudgeAnswer.epoch == run.epoch,
        JudgeAnswer.outcome != AnswerOutcome.FAILED,
    )
    return {(bytes(each.content_sha256), each.turned): each for each in session.scalars(found)}


def _affordable(
    session: Session,
    run: JudgeRun,
    endpoint: ModelEndpoint,
    asks: list[Ask],
    items: Sequence[Item],
) -> tuple[list[Ask], int | None]:
    """The questions that the budget still covers, counted, with the position that they reach."""
    if not asks:
        return [], items[-1].position
    left = run.calls_max - run.calls_made
    end = items[-1].position
    if left < len(asks):
        asks, reached = asks[:left], {each.content_sha256 for each in asks[left:]}
        before = [i.position for i in items if bytes(i.payload_sha256) not in reached]
        # Items stand in order, so those before the first that cannot be paid for are whole.
        first = min(i.position for i in items if bytes(i.payload_sha256) in reached)
        end = max((each for each in before if each < first), default=run.position)
    try:
        with session.begin_nested():
            endpoints.take_calls(session, run.job_id, [endpoint] * len(asks))
    except BudgetSpent:
        asks = []
    if not asks:
        step(run, RunState.STOPPED, SPENT)
        return [], None
    run.calls_made += len(asks)
    return asks, end


def again(session: Session, run_id: UUID, calls: int) -> bool:
    """Count calls that are made once more; False where the budget does not cover them."""
    run = locked(session, run_id)
    version = session.get_one(JudgeVersion, run.judge_version_id)
    endpoint = session.get_one(ModelEndpoint, version.endpoint_id)
    if run.state is not RunState.RUNNING or run.calls_made + calls > run.calls_max:
        return False
    try:
        with session.begin_nested():
            endpoints.take_calls(session, run.job_id, [endpoint] * calls)
    except BudgetSpent:
        return False
    run.calls_made += calls
    return True


def record_answer(
    session: Session,
    run_id: UUID,
    ask: Ask,
    answer: Answer,
    *,
    failure: str | None = None,
    said: str | None = None,
    tokens: int | None = None,
    seconds: float = 0.0,
) -> None:
    """Keep what a judge said; an answer that is there stays, a failure gives way."""
    run = session.get_one(JudgeRun, run_id)
    values = {
        "outcome": answer.outcome,
        "failure": failure,
        "verdicts": answer.verdicts,
        "confidence": answer.confidence,
        "said": said,
        "tokens": tokens,
        "seconds": seconds,
        "answered_at": clock.now(),
    }
    kept = insert(JudgeAnswer).values(
        judge_version_id=run.judge_version_id,
        content_sha256=ask.content_sha256,
        turned=ask.turned,
        epoch=run.epoch,
        **values,
    )
    session.execute(
        kept.on_conflict_do_update(
            index_elements=["judge_version_id", "content_sha256", "turned", "epoch"],
            set_=values,
            where=JudgeAnswer.outcome == AnswerOutcome.FAILED,
        )
    )


def advance(session: Session, batch: Batch) -> bool:
    """Settle the items of a batch: count them, and write verdicts as pre-labels.

    False where another worker has gone on from there.
    """
    run = locked(session, batch.run_id)
    if run.position != batch.start:
        return False
    found = select(Item).where(
        Item.job_id == run.job_id, Item.position > batch.start, Item.position <= batch.end
    )
    if run.report_id is not None:
        anchors = session.get_one(JudgeReport, run.report_id).anchors
        found = found.where(Item.external_id.in_(anchors["items"]))
    items = session.scalars(found.order_by(Item.position)).all()
    _settle(session, run, items, {(a.content_sha256, a.turned) for a in batch.asks})
    run.position = batch.end
    return True


def _settle(
    session: Session, run: JudgeRun, items: Sequence[Item], asked: set[tuple[bytes, int]]
) -> None:
    version = session.get_one(JudgeVersion, run.judge_version_id)
    judge = session.get_one(Judge, version.judge_id)
    job = session.get_one(Job, run.job_id)
    template = session.get_one(TemplateVersion, job.template_version_id).template
    known = _known(session, run, [item.payload_sha256 for item in items])
    said = []
    for item in items:
        put = asking.matter(job.task_type, template, item.payload)
        orders = (0, 1) if version.both_orders and put.turns else (0,)
        places = [(bytes(item.payload_sha256), turned) for turned in orders]
        answers = [_kept(known.get(place)) for place in places]
        answer = combined(put, answers)
        setattr(run, answer.outcome.value, getattr(run, answer.outcome.value) + 1)
        run.cached += not asked & set(places)
        if answer.outcome is AnswerOutcome.ANSWERED:
            payload = asking.judgement_of(job.task_type, answer.verdicts)
            name = f"{judge.name}-v{version.number}"
            said.append(Said(item.id, version.model, name, payload, answer.confidence))
    if run.purpose is RunPurpose.VERDICTS:
        job_service.add_prelabels(session, job.id, said)


def _kept(row: JudgeAnswer | None) -> Answer:
    if row is None:
        return Answer(AnswerOutcome.FAILED, {})
    return Answer(row.outcome, row.verdicts, row.confidence)


def finish_run(session: Session, run_id: UUID) -> JudgeRun | None:
    """Say that a run is over where all its items are settled; None where it is not."""
    run = locked(session, run_id)
    if run.state is not RunState.RUNNING or _items(session, run):
        return None
    step(run, RunState.DONE, None)
    run.finished_at = clock.now()
    return run


def fail_run(session: Session, run_id: UUID, because: str) -> None:
    """Give a run up: the lab has something to mend first."""
    run = locked(session, run_id)
    if RunState.FAILED in RUN_NEXT[run.state]:
        step(run, RunState.FAILED, because)
