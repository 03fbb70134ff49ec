"""What a verdict fixes: told in exports, and committed to in the event that announces it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Row

from marketplace.jobs.models import Job
from marketplace.review.models import Decision
from marketplace.secrets import pseudonym
from marketplace.verify.seal import commitment, verdict_of
from marketplace.work.models import Submission


def told(decision: Decision | Row[Any], organisation_id: UUID) -> dict[str, Any]:
    """A verdict as the lab may see it: its reviewer under the lab's own pseudonym, None where
    nobody looked."""
    reviewer = decision.reviewer_id
    return {
        "decision_id": str(decision.id),
        "verdict": str(decision.verdict),
        "by": "rule" if reviewer is None else "person",
        "reviewer": pseudonym(str(organisation_id), str(reviewer)) if reviewer else None,
        "defects": [dict(each) for each in decision.defects or ()],
        "note": decision.note,
        "decided_at": decision.decided_at.isoformat(),
        "cause": str(decision.cause) if decision.cause is not None else None,
    }


def bound(submission: Submission, decision: Decision, job: Job) -> dict[str, str]:
    """What the event of a verdict says of it: which it is, and a commitment to what it said.

    The salt is the hand-in's, so that none of a work's commitments opens once its author is erased.
    """
    named = {"decision_id": str(decision.id)}
    if submission.salt is None:
        return named
    said = verdict_of(str(submission.id), told(decision, job.organisation_id))
    return named | {"commitment": commitment(submission.salt, said).hex()}
