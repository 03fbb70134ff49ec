"""Background functions of quality control: rules on new work, and on history."""

from __future__ import annotations

from uuid import UUID

from marketplace import outbox
from marketplace.db import transaction
from marketplace.quality import service
from marketplace.quality.service import firings


@outbox.background("quality.evaluate_rules", time_limit_seconds=600, every_seconds=60)
def evaluate_rules(work: outbox.Work) -> None:
    """Look at the jobs where something happened with every rule that is on, one pair a
    transaction; where it is cut short, it begins again with the same jobs."""
    while _evaluate_some():
        pass
    with transaction() as session:
        outbox.done(session, work)


def _evaluate_some() -> bool:
    """Evaluate rules on the next announced facts; whether there may be more."""
    with transaction() as session:
        reached, fresh, more = firings.news(session)
        rules = firings.rules_that_are_on(session) if fresh else []
    for rule_id in rules:
        with transaction() as session:
            jobs = firings.jobs_to_evaluate(session, rule_id, fresh)
        for job_id in jobs:
            with transaction() as session:
                firings.evaluate(session, rule_id, job_id)
    if reached:
        with transaction() as session:
            firings.looked_up_to(session, reached)
    return more


@outbox.background("quality.replay", time_limit_seconds=900)
def replay(work: outbox.Work, replay_id: str) -> None:
    """Replay a version of a rule on all that came in so far."""
    with transaction() as session:
        service.finish_replay(session, UUID(replay_id))
        outbox.done(session, work)
