"""Rules of quality control: some for all jobs, and one of a lab that looks at gold."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select

from marketplace import outbox
from marketplace.db import transaction
from marketplace.demo.people import actor_of
from marketplace.demo.plan import JOBS
from marketplace.demo.quiet import wait_for
from marketplace.demo.work import job_of
from marketplace.outbox import Event
from marketplace.quality import service
from marketplace.quality.models import ControlReplay, ControlRule, QualityCursor
from marketplace.quality.rules.control import (
    Action,
    Bound,
    Collector,
    Condition,
    RuleText,
    Side,
)

OPERATIONS = "operations@demo.test"
FOR_ALL = ("gold-review", "haste", "first-shown")
# Low, so that the small world has somebody to show; it restricts nobody.
OWN = RuleText(
    "Some gold wrong: tell us",
    Collector.GOLD_ERROR,
    Condition(Side.ABOVE, Bound.LOWER, 0.15, 5),
    Action.NOTIFY,
)


def begin() -> bool:
    """Write the rules, have them replayed once gold is scored, and switch them on."""
    with transaction() as session:
        if session.scalar(select(ControlRule.id).limit(1)) is not None:
            return True
        outbox.enqueue(session, "quality.score_gold")
    if not wait_for(_gold_is_scored):
        return False
    written = _written()
    if not wait_for(lambda: _replayed() >= len(written)):
        return False
    with transaction() as session:
        for email, rule_id in written:
            service.switch_on(session, actor_of(session, email), rule_id)
    return True


def _written() -> list[tuple[str, UUID]]:
    written = []
    with transaction() as session:
        staff = actor_of(session, OPERATIONS)
        for key in FOR_ALL:
            written.append((OPERATIONS, service.add_ready(session, staff, key).id))
        first = JOBS[0]
        job = job_of(session, first)
        if job is not None:
            lab = actor_of(session, first.lab)
            written.append((first.lab, service.write_rule(session, lab, OWN, job_id=job.id).id))
        session.flush()
        for email, rule_id in written:
            service.ask_replay(session, actor_of(session, email), rule_id)
    return written


def _gold_is_scored() -> bool:
    """Whether all that was announced so far was looked at for gold."""
    with transaction() as session:
        reached = session.get(QualityCursor, service.GOLD_CURSOR)
        last = session.scalar(select(func.max(Event.number))) or 0
        return reached is not None and reached.number >= last


def _replayed() -> int:
    with transaction() as session:
        done = select(func.count()).where(ControlReplay.finished_at.is_not(None))
        return session.scalar(done) or 0
