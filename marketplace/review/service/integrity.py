"""What may follow from an evidence pack that a person upheld: one answer at a time, by a person."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.errors import Conflict, Denied, Missing
from marketplace.identity.rules import Permission
from marketplace.ids import SubmissionId
from marketplace.quality import queries as quality
from marketplace.quality.rules.evidence_packs import PackOutcome, checked_words
from marketplace.review.models import Decision
from marketplace.review.rules import OverturnCause, Verdict
from marketplace.review.service.overturning import overturn


def reject_upheld(
    session: Session,
    actor: Actor,
    pack_id: UUID,
    submission_id: SubmissionId,
    *,
    note: str,
    clearance_days: int,
) -> Decision:
    """Overturn the acceptance of an answer that an upheld pack holds; its author may appeal.

    Raises Missing for an answer that is not in the pack, Conflict before the pack was upheld, and
    whatever `overturn` raises; what nobody has decided yet is left to its reviewers.
    """
    actor.require(Permission.INTEGRITY_DECIDE)
    row = quality.pack_of(session, actor, pack_id)
    if row.pack.person_id == actor.person():
        raise Denied("Nobody decides about themselves; ask a colleague.")
    if str(submission_id) not in {each["submission_id"] for each in row.own_rows}:
        raise Missing("There is no such answer in this evidence pack.")
    if row.pack.outcome is not PackOutcome.UPHELD:
        raise Conflict("Only a pack that was upheld, after its person could answer, counts here.")
    return overturn(
        session,
        actor,
        submission_id,
        verdict=Verdict.REJECT,
        cause=OverturnCause.INTEGRITY,
        note=checked_words(note, "/note"),
        clearance_days=clearance_days,
    )
