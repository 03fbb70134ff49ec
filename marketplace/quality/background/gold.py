"""Background functions of gold: scoring what came in, telling what may be told."""

from __future__ import annotations

from uuid import UUID

from marketplace import outbox
from marketplace.db import transaction
from marketplace.ids import SubmissionId
from marketplace.quality import service


@outbox.background("quality.score_gold", time_limit_seconds=300, every_seconds=5)
def score_gold(work: outbox.Work) -> None:
    """Score the answers to gold that were announced, one to a transaction.

    One that cannot be scored becomes work of its own, so that it holds up no other.
    """
    more = True
    while more:
        with transaction() as session:
            found, number, more = service.arrived(session)
        left = [each for each in found if not _scored(each)]
        with transaction() as session:
            for submission_id in left:
                outbox.enqueue(session, "quality.score_answer", submission_id=submission_id)
            service.read_up_to(session, number)
    with transaction() as session:
        outbox.done(session, work)


def _scored(submission_id: SubmissionId) -> bool:
    try:
        with transaction() as session:
            service.score_next(session, submission_id)
    except outbox.FAILURES:
        return False
    return True


@outbox.background("quality.score_answer", time_limit_seconds=60)
def score_answer(work: outbox.Work, submission_id: str) -> None:
    """Score one answer to gold that could not be scored with the others."""
    with transaction() as session:
        service.score_next(session, SubmissionId(UUID(submission_id)))
        outbox.done(session, work)


@outbox.background("quality.tell_gold", time_limit_seconds=300, every_seconds=300)
def tell_gold(work: outbox.Work) -> None:
    """Let authors read of their answers to gold what gives nothing away any more."""
    with transaction() as session:
        service.tell_scores(session)
        outbox.done(session, work)
