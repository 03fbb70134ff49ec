"""Rules that are met: found on new work, kept with their figures, answered by whom they concern."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace import audit, clock, outbox
from marketplace.actor import Actor
from marketplace.errors import Conflict, Fault, Faulty, Missing
from marketplace.ids import new_id
from marketplace.jobs.models import Job
from marketplace.outbox import Event
from marketplace.quality.models import ControlFiring, ControlRule, ControlVersion, QualityCursor
from marketplace.quality.queries.observing import observe
from marketplace.quality.rules.control import (
    Action,
    Collector,
    Figures,
    FiringState,
    Observations,
    RuleState,
    standing,
)
from marketplace.quality.rules.control.words import REPLY_MAX, REPLY_MIN
from marketplace.quality.service.control import jobs_of_rule

CURSOR = "control"
EVENTS_MAX = 5_000
NOTED_AT_ONCE = frozenset({Action.NOTIFY, Action.EVIDENCE_PACK})
OPEN = (FiringState.PROPOSED, FiringState.IN_FORCE, FiringState.UPHELD)
ON_GOLD = (Collector.GOLD_ERROR, Collector.OVERCONFIDENCE)


def news(session: Session) -> tuple[int, frozenset[UUID], bool]:
    """The number of the last announced fact within reach, the jobs that had any since rules were
    last evaluated, and whether there may be more."""
    cursor = session.get(QualityCursor, CURSOR)
    rows = session.execute(
        select(Event.number, Event.job_id)
        .where(Event.number > (cursor.number if cursor else 0))
        .order_by(Event.number)
        .limit(EVENTS_MAX)
    ).all()
    reached = rows[-1].number if rows else 0
    fresh = frozenset(row.job_id for row in rows if row.job_id is not None)
    return reached, fresh, len(rows) == EVENTS_MAX


def looked_up_to(session: Session, number: int) -> None:
    """Say that rules were evaluated on all facts up to this one."""
    row = insert(QualityCursor).values(name=CURSOR, number=number)
    session.execute(
        row.on_conflict_do_update(index_elements=["name"], set_={"number": row.excluded.number})
    )


def rules_that_are_on(session: Session) -> Sequence[UUID]:
    """The rules that watch new work."""
    return session.scalars(
        select(ControlRule.id).where(ControlRule.state == RuleState.ON).order_by(ControlRule.id)
    ).all()


def jobs_to_evaluate(session: Session, rule_id: UUID, fresh: Iterable[UUID]) -> list[UUID]:
    """Of jobs with something new, those that a rule is about."""
    rule = session.get_one(ControlRule, rule_id)
    return sorted(job.id for job in jobs_of_rule(session, rule, running=fresh))


def evaluate(session: Session, rule_id: UUID, job_id: UUID) -> int:
    """Keep a firing for everybody in a job who meets a rule now; how many are new.

    Safe to run again: a person has one open firing of a rule in a job. After it was lifted, only
    work that came later counts.
    """
    rule = session.get_one(ControlRule, rule_id)
    if rule.state is not RuleState.ON:
        return 0
    version = session.get_one(ControlVersion, rule.version_id)
    job = session.get_one(Job, job_id)
    seen = _since_lifted(session, rule, job, observe(session, job, version.collector))
    found = standing(seen, version.text.condition)
    return sum(
        _fire(session, version, job, {"person_id": person_id, "source_id": source}, figures)
        for person_id, (figures, source) in sorted(found.items(), key=lambda each: each[0])
    )


def _since_lifted(
    session: Session, rule: ControlRule, job: Job, seen: Observations
) -> Observations:
    """Without the work on which a firing stood that a person has lifted."""
    lifted: dict[UUID, datetime] = {
        row.person_id: row.decided_at or row.fired_at
        for row in session.scalars(
            select(ControlFiring)
            .where(ControlFiring.rule_id == rule.id, ControlFiring.job_id == job.id)
            .where(ControlFiring.state == FiringState.LIFTED)
            .order_by(ControlFiring.id)
        )
    }
    if not lifted or not seen.people:
        return seen
    since = np.array([lifted[each].timestamp() if each in lifted else 0.0 for each in seen.people])
    kept = np.flatnonzero(seen.at > since[seen.who])
    return Observations.of(
        (seen.people[seen.who[at]], seen.at[at], seen.value[at], seen.source[at]) for at in kept
    )


def _fire(
    session: Session, version: ControlVersion, job: Job, whose: dict[str, UUID], figures: Figures
) -> bool:
    noted = version.action in NOTED_AT_ONCE
    row: dict[str, Any] = whose | {
        "id": new_id(),
        "rule_id": version.rule_id,
        "version_id": version.id,
        "job_id": job.id,
        "action": version.action,
        "amount": version.amount,
        "state": FiringState.NOTED if noted else FiringState.PROPOSED,
        "value": figures.value,
        "lower": figures.lower,
        "upper": figures.upper,
        "n": figures.n,
        "fired_at": clock.now(),
    }
    made = session.scalar(
        insert(ControlFiring).values(row).on_conflict_do_nothing().returning(ControlFiring.id)
    )
    if made is None:
        return False
    outbox.announce(
        session,
        "quality.rule_fired",
        made,
        {"rule_id": version.rule_id, "action": version.action.value},
        organisation_id=job.organisation_id,
        job_id=job.id,
    )
    return True


def no_longer_met(session: Session, job: Job, people: Iterable[UUID]) -> Sequence[ControlFiring]:
    """Open firings on gold of these people that the gold of now would not cause; locked."""
    rows = session.scalars(
        select(ControlFiring)
        .join(ControlVersion, ControlVersion.id == ControlFiring.version_id)
        .where(ControlFiring.job_id == job.id, ControlFiring.person_id.in_(list(people)))
        .where(ControlFiring.state.in_(OPEN), ControlVersion.collector.in_(ON_GOLD))
        .order_by(ControlFiring.id)
        .with_for_update(of=ControlFiring)
    ).all()
    gone = []
    for row in rows:
        version = session.get_one(ControlVersion, row.version_id)
        met = standing(observe(session, job, version.collector), version.text.condition)
        if row.person_id not in met:
            gone.append(row)
    return gone


def reply_to_firing(
    session: Session, actor: Actor, firing_id: UUID, *, reply: str
) -> ControlFiring:
    """Answer a firing that restricts the actor, once; a person reads it and decides."""
    firing = session.get(ControlFiring, firing_id, with_for_update=True)
    if firing is None or firing.person_id != actor.person() or firing.told_at is None:
        raise Missing("There is no such check of your work.")
    if firing.state is FiringState.LIFTED:
        raise Conflict("This is lifted already; nothing of it holds any more.")
    if firing.reply is not None:
        raise Conflict("You have answered this already; a person reads it.")
    if not REPLY_MIN <= len(reply.strip()) <= REPLY_MAX:
        words = f"Write {REPLY_MIN} to {REPLY_MAX:,} characters, in your own words."
        raise Faulty("Your answer is needed.", [Fault("/reply", words)])
    firing.reply, firing.replied_at = reply.strip(), clock.now()
    audit.record(session, actor, "replied to firing", firing.id)
    return firing
