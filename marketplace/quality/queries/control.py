"""Reads of rules of quality control: whoever looks after them, and whom they concern."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.errors import Missing
from marketplace.identity.rules import Permission, Role
from marketplace.jobs.models import Job
from marketplace.quality.models import ControlFiring, ControlReplay, ControlRule, ControlVersion
from marketplace.quality.rules.control import FiringState

LIMIT_MAX = 200
OPEN = (FiringState.PROPOSED, FiringState.IN_FORCE, FiringState.NOTED)


@dataclass(frozen=True, slots=True)
class RuleRow:
    """A rule as it is written now. job: None where it is about all; open_firings: that wait for a
    person or hold."""

    rule: ControlRule
    version: ControlVersion
    job: Job | None
    firings: int
    open_firings: int


def rules_of(
    session: Session, viewer: Actor, *, job_id: UUID | None = None, limit: int = 100
) -> Sequence[RuleRow]:
    """The rules of the viewer's organisation, newest first."""
    asked = _rules(viewer).order_by(ControlRule.id.desc()).limit(min(limit, LIMIT_MAX))
    if job_id is not None:
        asked = asked.where(ControlRule.job_id == job_id)
    return [RuleRow(*_whole(row)) for row in session.execute(asked)]


def rule_of(session: Session, viewer: Actor, rule_id: UUID) -> RuleRow:
    """One rule of the viewer's organisation; Missing else."""
    row = session.execute(_rules(viewer).where(ControlRule.id == rule_id)).one_or_none()
    if row is None:
        raise Missing("There is no such rule.")
    return RuleRow(*_whole(row))


def _rules(viewer: Actor) -> Select[ControlRule, ControlVersion, Job, Any, Any]:
    viewer.require(Permission.QUALITY_CONTROL)
    fired = select(func.count()).where(ControlFiring.rule_id == ControlRule.id)
    waiting = fired.where(ControlFiring.state.in_(OPEN))
    return (
        select(
            ControlRule,
            ControlVersion,
            Job,
            func.coalesce(fired.scalar_subquery(), 0),
            func.coalesce(waiting.scalar_subquery(), 0),
        )
        .join(ControlVersion, ControlVersion.id == ControlRule.version_id)
        .outerjoin(Job, Job.id == ControlRule.job_id)
        .where(ControlRule.organisation_id == viewer.organisation())
    )


def _whole(row: Iterable[Any]) -> tuple[Any, ...]:
    """The parts of a row, which the types of a statement that was built on no longer tell."""
    return tuple(row)


def newest_replay(session: Session, version_id: UUID) -> ControlReplay | None:
    """The last replay that was asked for of a version, finished or not; for who may see it."""
    return session.scalars(
        select(ControlReplay)
        .where(ControlReplay.version_id == version_id)
        .order_by(ControlReplay.id.desc())
        .limit(1)
    ).first()


@dataclass(frozen=True, slots=True)
class FiringRow:
    """A firing with the rule's version that caused it, and its job."""

    firing: ControlFiring
    version: ControlVersion
    job: Job


def _firings() -> Select[ControlFiring, ControlVersion, Job]:
    return (
        select(ControlFiring, ControlVersion, Job)
        .join(ControlRule, ControlRule.id == ControlFiring.rule_id)
        .join(ControlVersion, ControlVersion.id == ControlFiring.version_id)
        .join(Job, Job.id == ControlFiring.job_id)
    )


def firings_of(
    session: Session,
    viewer: Actor,
    *,
    rule_id: UUID | None = None,
    job_id: UUID | None = None,
    open_only: bool = False,
    after: UUID | None = None,
    limit: int = 50,
) -> Sequence[FiringRow]:
    """Firings of the viewer's rules, newest first; operations see those of all rules."""
    asked = _seen_by(viewer).order_by(ControlFiring.id.desc()).limit(min(limit, LIMIT_MAX))
    if rule_id is not None:
        asked = asked.where(ControlFiring.rule_id == rule_id)
    if job_id is not None:
        asked = asked.where(ControlFiring.job_id == job_id)
    if open_only:
        asked = asked.where(ControlFiring.state.in_(OPEN))
    if after is not None:
        asked = asked.where(ControlFiring.id < after)
    return [FiringRow(*_whole(row)) for row in session.execute(asked)]


def firing_of(session: Session, viewer: Actor, firing_id: UUID) -> FiringRow:
    """One of them; Missing else."""
    row = session.execute(_seen_by(viewer).where(ControlFiring.id == firing_id)).one_or_none()
    if row is None:
        raise Missing("There is no such firing.")
    return FiringRow(*_whole(row))


def _seen_by(viewer: Actor) -> Select[ControlFiring, ControlVersion, Job]:
    viewer.require(Permission.QUALITY_CONTROL)
    if Role.OPERATIONS in viewer.roles:
        return _firings()
    return _firings().where(ControlRule.organisation_id == viewer.organisation())


def own_firings(session: Session, viewer: Actor, *, limit: int = 50) -> Sequence[FiringRow]:
    """What rules say of the viewer's own work, as far as it restricts them, newest first."""
    asked = _firings().where(
        ControlFiring.person_id == viewer.person(), ControlFiring.told_at.is_not(None)
    )
    rows = session.execute(asked.order_by(ControlFiring.id.desc()).limit(min(limit, LIMIT_MAX)))
    return [FiringRow(*_whole(row)) for row in rows]
