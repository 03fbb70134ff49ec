"""Background functions of gold: scoring what came in, telling what may be told."""

from __future__ import annotations

from marketplace import outbox
from marketplace.db import transaction
from marketplace.quality import service


@outbox.background("quality.score_gold", time_limit_seconds=300, every_seconds=5)
def score_gold(work: outbox.Work) -> None:
    """Score the answers to gold that were announced, one to a transaction."""
    more = True
    while more:
        with transaction() as session:
            found, number, more = service.arrived(session)
        for submission_id in found:
            with transaction() as session:
                service.score_next(session, submission_id)
        with transaction() as session:
            service.read_up_to(session, number)
    with transaction() as session:
        outbox.done(session, work)


@outbox.background("quality.tell_gold", time_limit_seconds=300, every_seconds=300)
def tell_gold(work: outbox.Work) -> None:
    """Let authors read of their answers to gold what gives nothing away any more."""
    with transaction() as session:
        service.tell_scores(session)
        outbox.done(session, work)
