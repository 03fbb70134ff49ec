"""Asking judges: batch after batch, within budget and rate, safe to cut short and to run twice."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from uuid import UUID

from marketplace import outbox
from marketplace.db import transaction
from marketplace.endpoints.rules import OUTCOME_WORDS, UNSTORABLE, Outcome
from marketplace.errors import GatewayError
from marketplace.quality.rules.judges.answers import Answer, AnswerOutcome, read_answer
from marketplace.quality.service import judge_batches, judge_reports
from marketplace.quality.service.judge_batches import Ask, Batch

if TYPE_CHECKING:
    from marketplace.endpoints.gateway.official import Completion

TIME_LIMIT_SECONDS = 600
# After this long the work is put back, so that no judge holds a worker until its limit.
TURN_SECONDS = 60
AT_ONCE = 4
ROUNDS = 4  # How often a question is asked whose answer did not come, with growing pauses.
PAUSE_SECONDS, PAUSE_SECONDS_MAX = 1.0, 30.0
TRIES_MAX = 8  # Turns in which a server answers nothing at all, before the run is given up.
SAID_MAX = 2_000
PASSING = frozenset({Outcome.TOO_OFTEN, Outcome.BROKEN, Outcome.NO_ANSWER})
# Nothing else will be answered either, until somebody has mended it.
HOPELESS = frozenset(
    {Outcome.KEY_REFUSED, Outcome.NOT_FOUND, Outcome.ADDRESS_REFUSED, Outcome.REDIRECTED}
)
UNREADABLE = frozenset({Outcome.MALFORMED, Outcome.EMPTY, Outcome.TOO_LONG})
AWAY = "Its server has not answered for hours. Look at the model endpoint, then let it go on."
REFUSED = "The server refuses every question. Look at the model, the sampling and the form of JSON."


class ServerAway(GatewayError):
    """A judge's server answered none of a batch, however often it was asked."""


@outbox.background("quality.ask_judge", time_limit_seconds=TIME_LIMIT_SECONDS)
def ask_judge(work: outbox.Work, run_id: str) -> None:
    """Go on with a run until it ends or the turn does."""
    identity = UUID(run_id)
    try:
        is_over = ask_on(identity)
    except ServerAway:
        if work.attempt < TRIES_MAX:
            raise
        with transaction() as session:
            judge_batches.fail_run(session, identity, AWAY)
        is_over = True
    with transaction() as session:
        if not is_over:
            # As the same work again would count this turn as a failed try.
            outbox.enqueue(session, work.name, **work.arguments)
        outbox.done(session, work)


def ask_on(
    run_id: UUID, *, turn_seconds: float = TURN_SECONDS, pause_seconds: float = PAUSE_SECONDS
) -> bool:
    """Ask batches of a run until it or the turn ends; whether there is nothing more to ask.

    A run that has come to its end is set beside the report on its judge.
    """
    ends = time.monotonic() + turn_seconds
    while True:
        with transaction() as session:
            batch = judge_batches.next_batch(session, run_id)
        if batch is None:
            with transaction() as session:
                run = judge_batches.finish_run(session, run_id)
                if run is not None:
                    judge_reports.check_run(session, run)
            return True
        ask_batch(batch, pause_seconds=pause_seconds)
        if time.monotonic() > ends:
            return False


def ask_batch(batch: Batch, *, pause_seconds: float = PAUSE_SECONDS) -> None:
    """Ask a batch and settle its items. ServerAway where nothing at all was answered."""
    waiting: dict[Ask, Outcome | None] = dict.fromkeys(batch.asks)
    wait, answered = 0.0, 0
    for number in range(ROUNDS):
        if number:
            time.sleep(min(max(wait, pause_seconds * 2**number), PAUSE_SECONDS_MAX))
            with transaction() as session:
                if not judge_batches.again(session, batch.run_id, len(waiting)):
                    break
        because, wait, missing = _round(batch, list(waiting))
        if because:
            with transaction() as session:
                judge_batches.fail_run(session, batch.run_id, because)
            return
        answered += len(waiting) - len(missing)
        waiting = dict(missing)
        if not waiting:
            break
    if waiting and not answered:
        raise ServerAway("The judge's server answered nothing.")
    with transaction() as session:
        for ask, outcome in waiting.items():
            failure = (outcome or Outcome.NO_ANSWER).value
            nothing = Answer(AnswerOutcome.FAILED, {})
            judge_batches.record_answer(session, batch.run_id, ask, nothing, failure=failure)
        judge_batches.advance(session, batch)


def _round(batch: Batch, asks: Sequence[Ask]) -> tuple[str | None, float, dict[Ask, Outcome]]:
    """Ask once: (why nothing more can be asked, how long to wait, what did not come)."""
    missing: dict[Ask, Outcome] = {}
    wait, refused = 0.0, 0
    for ask, found in zip(asks, _completions(batch, asks), strict=True):
        if found.outcome in HOPELESS:
            return OUTCOME_WORDS[found.outcome], 0.0, {}
        if found.outcome in PASSING:
            missing[ask] = found.outcome
            wait = max(wait, found.wait_seconds or 0.0)
            continue
        refused += found.outcome is Outcome.REFUSED
        _keep(batch, ask, found)
    if asks and refused == len(asks):
        return REFUSED, 0.0, {}
    return None, wait, missing


def _completions(batch: Batch, asks: Sequence[Ask]) -> Iterator[Completion]:
    """The answers in the order of the questions, asked no faster than the lab allows."""
    # The client takes a second to load, and only who asks a judge should wait for it.
    from marketplace.endpoints.gateway import official  # noqa: PLC0415

    gap = 60 / batch.calls_a_minute_max
    with ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="judge") as pool:
        asked = []
        for at, ask in enumerate(asks):
            if at:
                time.sleep(gap)
            question = official.Question(
                endpoint_id=batch.endpoint_id,
                base_url=batch.base_url,
                api_key=batch.api_key,
                timeout_seconds=batch.timeout_seconds,
                body=ask.body,
            )
            asked.append(pool.submit(official.complete, question))
        for reply in asked:
            yield reply.result()


def _keep(batch: Batch, ask: Ask, found: Completion) -> None:
    """Record one answer at once, so that a worker that is killed loses as little as can be."""
    failure = None
    if found.outcome is Outcome.ANSWERED:
        answer = read_answer(ask.matter, found.text, refused=found.refused, cut=found.cut)
    elif found.outcome in UNREADABLE:
        answer = Answer(AnswerOutcome.MALFORMED, {})
    else:
        answer, failure = Answer(AnswerOutcome.FAILED, {}), found.outcome.value
    unread = answer.outcome is not AnswerOutcome.ANSWERED and bool(found.text)
    with transaction() as session:
        judge_batches.record_answer(
            session,
            batch.run_id,
            ask,
            answer,
            failure=failure,
            said=UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", found.text)[:SAID_MAX]
            if unread
            else None,
            tokens=found.tokens,
            seconds=found.seconds,
        )
