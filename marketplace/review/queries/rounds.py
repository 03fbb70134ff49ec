"""The rounds of one's own answer."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.ids import SubmissionId
from marketplace.work.models import Claim, Submission


def round_before(session: Session, viewer: Actor, submission_id: SubmissionId) -> Submission | None:
    """What the viewer had handed in for the same seat before; None in a first round."""
    reworked = (
        select(Claim.reworks_submission_id)
        .join(Submission, Submission.claim_id == Claim.id)
        .where(Submission.id == submission_id)
    )
    return session.scalar(
        select(Submission).where(
            Submission.id == reworked.scalar_subquery(),
            Submission.specialist_id == viewer.person(),
        )
    )
