"""Conversations of claims, folded from their journals."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.endpoints import queries as endpoints
from marketplace.ids import ClaimId
from marketplace.jobs.models import Job
from marketplace.tasktypes import task_type
from marketplace.work.models import Claim, ConversationEntry, Submission
from marketplace.work.rules import EntryKind, Talk, talk_of

ROUNDS_MAX = 20


def talk_held(session: Session, claim: Claim, job: Job, template: Any, payload: Any) -> Talk | None:
    """The conversation of a claim; None where its task has none.

    Rework goes on where the answer that came back had ended. For callers who found the claim for
    its holder, or work on its behalf.
    """
    converse = task_type(job.task_type).conversation
    brief = converse(template, payload) if converse is not None else None
    if brief is None:
        return None
    there = endpoints.named(session, job.organisation_id, brief.endpoints)
    most = min([brief.turns_max, *(each.turns_max for each in there.values())])
    return talk_of(replace(brief, turns_max=most), _journal(session, claim))


def conversation_part(
    session: Session, claim: Claim, job: Job, template: Any, payload: Any
) -> dict[str, Any]:
    """`{"conversation": …}` as a payload carries it, with the names of models; {} where none is."""
    talk = talk_held(session, claim, job, template, payload)
    return {} if talk is None else {"conversation": talk.shown(clock.now())}


def _journal(session: Session, claim: Claim) -> list[tuple[EntryKind, Any]]:
    rounds = _rounds(session, claim)
    rows = session.execute(
        select(ConversationEntry.claim_id, ConversationEntry.kind, ConversationEntry.content)
        .where(ConversationEntry.claim_id.in_(rounds))
        .order_by(ConversationEntry.number)
    ).all()
    return [(row.kind, row.content) for each in rounds for row in rows if row.claim_id == each]


def _rounds(session: Session, claim: Claim) -> list[ClaimId]:
    """The claims of all rounds of an answer, the first one first."""
    rounds, former = [claim.id], claim.reworks_submission_id
    while former is not None and len(rounds) < ROUNDS_MAX:
        row = session.execute(
            select(Claim.id, Claim.reworks_submission_id)
            .join(Submission, Submission.claim_id == Claim.id)
            .where(Submission.id == former)
        ).one()
        rounds.insert(0, row.id)
        former = row.reworks_submission_id
    return rounds
