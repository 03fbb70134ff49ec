"""Rules of quality control: writing, replaying and switching them on and off."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace import audit, clock, outbox
from marketplace.actor import Actor
from marketplace.errors import Conflict, Denied, Missing
from marketplace.identity.rules import Permission, Role
from marketplace.ids import new_id
from marketplace.jobs import queries as jobs
from marketplace.jobs.models import Job
from marketplace.jobs.rules import JobState, Purpose
from marketplace.quality.models import ControlReplay, ControlRule, ControlVersion
from marketplace.quality.queries.observing import found_right, observe
from marketplace.quality.rules.control import (
    NEXT_RULE,
    READY,
    Caught,
    RuleState,
    RuleText,
    checked,
    first_crossings,
)
from marketplace.work.rules import step

REPLAY = "quality.replay"
JOBS_MAX = 200  # The newest jobs over which a rule for all of them is replayed.
CAUGHT_MAX = 500


def is_operations(actor: Actor) -> bool:
    """Whether rules for all jobs, and everybody's firings, are the actor's to look after."""
    return Role.OPERATIONS in actor.roles


def write_rule(
    session: Session, actor: Actor, text: RuleText, *, job_id: UUID | None = None
) -> ControlRule:
    """Keep a new rule, switched off: of one of the actor's jobs, or of all jobs for operations."""
    actor.require(Permission.QUALITY_CONTROL)
    if job_id is not None:
        jobs.job_of(session, actor, job_id)
    elif not is_operations(actor):
        raise Denied("Rules for all jobs are for our operations; choose one of your jobs.")
    rule = ControlRule(
        id=new_id(),
        job_id=job_id,
        organisation_id=actor.organisation(),
        state=RuleState.DRAFT,
        version_id=new_id(),
        made_at=clock.now(),
    )
    session.add(rule)
    session.flush()  # Its first version points at it.
    _write(session, actor, rule, checked(text), number=1)
    audit.record(session, actor, "wrote rule", rule.id)
    return rule


def add_ready(
    session: Session, actor: Actor, key: str, *, job_id: UUID | None = None
) -> ControlRule:
    """Keep one of the ready rules, switched off, to be changed as one likes; Missing without it."""
    found = next((each for each in READY if each.key == key), None)
    if found is None:
        raise Missing("There is no such ready rule.")
    return write_rule(session, actor, found.text, job_id=job_id)


def _write(
    session: Session, actor: Actor, rule: ControlRule, text: RuleText, *, number: int
) -> None:
    asked = text.condition
    version = ControlVersion(
        id=rule.version_id,
        rule_id=rule.id,
        number=number,
        name=text.name,
        collector=text.collector,
        side=asked.side,
        bound=asked.bound,
        threshold=asked.threshold,
        n_min=asked.n_min,
        window=asked.window,
        action=text.action,
        amount=text.amount,
        written_by=actor.person_id,
        written_at=clock.now(),
    )
    session.add(version)
    session.flush()


def own_rule(session: Session, actor: Actor, rule_id: UUID, *, lock: bool = True) -> ControlRule:
    """A rule of the actor's organisation, locked; Missing else."""
    actor.require(Permission.QUALITY_CONTROL)
    rule = session.get(ControlRule, rule_id, with_for_update=lock or None)
    if rule is None or rule.organisation_id != actor.organisation():
        raise Missing("There is no such rule.")
    return rule


def change_rule(session: Session, actor: Actor, rule_id: UUID, text: RuleText) -> ControlRule:
    """Write a rule anew, as its next version, which must be replayed before it is switched on.

    Conflict while it is on: what it fires on would change under those that it watches.
    """
    rule = own_rule(session, actor, rule_id)
    if rule.state is RuleState.ON:
        raise Conflict("Switch the rule off before you change it.")
    newest = select(func.max(ControlVersion.number)).where(ControlVersion.rule_id == rule.id)
    number = (session.scalar(newest) or 0) + 1
    fit = checked(text)
    if rule.state is RuleState.OFF:
        rule.state = step(NEXT_RULE, rule.state, RuleState.DRAFT)
    rule.replay_id, rule.version_id = None, new_id()
    session.flush()  # The database asks at the end whether the new version is this rule's.
    _write(session, actor, rule, fit, number=number)
    audit.record(session, actor, "changed rule", rule.id, version=number)
    return rule


def ask_replay(session: Session, actor: Actor, rule_id: UUID) -> ControlReplay:
    """Have a rule's present version replayed on history, in the background."""
    rule = own_rule(session, actor, rule_id)
    replay = ControlReplay(
        id=new_id(),
        version_id=rule.version_id,
        asked_by=actor.person(),
        asked_at=clock.now(),
    )
    session.add(replay)
    session.flush()  # The background function is given its id.
    outbox.enqueue(session, REPLAY, replay_id=replay.id)
    audit.record(session, actor, "asked for replay", rule.id)
    return replay


def switch_on(session: Session, actor: Actor, rule_id: UUID) -> ControlRule:
    """Let a rule watch new work; Conflict before its present version was replayed."""
    rule = own_rule(session, actor, rule_id)
    replayed = session.scalars(
        select(ControlReplay.id)
        .where(ControlReplay.version_id == rule.version_id)
        .where(ControlReplay.finished_at.is_not(None))
        .order_by(ControlReplay.id.desc())
        .limit(1)
    ).first()
    if replayed is None:
        raise Conflict(
            "Replay this version first: you then see whom it would have caught, and how many of "
            "them wrongly.",
            code="not_replayed",
        )
    rule.replay_id = replayed
    rule.state = step(NEXT_RULE, rule.state, RuleState.ON)
    audit.record(session, actor, "switched rule on", rule.id)
    return rule


def switch_off(session: Session, actor: Actor, rule_id: UUID) -> ControlRule:
    """Let a rule watch no more; what it restricted stays until a person decides it."""
    rule = own_rule(session, actor, rule_id)
    rule.state = step(NEXT_RULE, rule.state, RuleState.OFF)
    audit.record(session, actor, "switched rule off", rule.id)
    return rule


def jobs_of_rule(
    session: Session, rule: ControlRule, *, running: Iterable[UUID] | None = None
) -> list[Job]:
    """The jobs that a rule is about, newest first, `JOBS_MAX` at most; running: all of these that
    hand out tasks."""
    asked = select(Job).where(Job.published_at.is_not(None), Job.purpose == Purpose.WORK)
    if rule.job_id is not None:
        asked = asked.where(Job.id == rule.job_id)
    if running is None:
        asked = asked.limit(JOBS_MAX)
    else:
        asked = asked.where(Job.state.in_([JobState.OPEN, JobState.PAUSED]), Job.id.in_(running))
    return list(session.scalars(asked.order_by(Job.id.desc())))


def finish_replay(session: Session, replay_id: UUID) -> ControlReplay:
    """Look whom a version would have caught in all that came in so far, and keep the result."""
    replay = session.get_one(ControlReplay, replay_id, with_for_update=True)
    if replay.finished_at is not None:
        return replay
    version = session.get_one(ControlVersion, replay.version_id)
    rule = session.get_one(ControlRule, version.rule_id)
    text = version.text
    caught: list[dict[str, Any]] = []
    people: set[UUID] = set()
    pieces = 0
    looked_at = jobs_of_rule(session, rule)
    for job in looked_at:
        seen = observe(session, job, text.collector)
        people |= set(seen.people)
        pieces += int(seen.who.size)
        found = first_crossings(seen, text.condition, found_right(session, job))
        caught += [_plain(job, each) for each in found]
    caught.sort(key=lambda each: each["at"])
    replay.result = {
        "jobs": len(looked_at),
        "people": len(people),
        "pieces": pieces,
        "caught": caught[:CAUGHT_MAX],
        "caught_count": len(caught),
    }
    replay.finished_at = clock.now()
    return replay


def _plain(job: Job, each: Caught) -> dict[str, Any]:
    return {
        "job_id": str(job.id),
        "job": job.reference,
        "person_id": str(each.person_id),
        "at": each.at,
        "value": round(each.figures.value, 4),
        "lower": round(each.figures.lower, 4),
        "upper": round(each.figures.upper, 4),
        "n": each.figures.n,
        "later_right": round(each.later_right, 3),
        "later_n": each.later_n,
        "outlook": each.outlook.value,
    }
