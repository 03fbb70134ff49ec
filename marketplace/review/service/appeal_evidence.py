"""What is frozen of an appeal when it is filed, and what goes of it, or with it, later."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.ids import DecisionId, PersonId
from marketplace.jobs.models import TemplateVersion
from marketplace.quality.models import ControlFiring
from marketplace.quality.queries import posterior_of
from marketplace.review.models import Appeal, AppealEvidence, Decision
from marketplace.review.rules import AppealState
from marketplace.work.models import Submission
from marketplace.work.rules import SubmissionState

OTHERS_MAX = 20
# Of what others handed in for the same task, what counted at that time.
_COUNTED = (SubmissionState.SUBMITTED, SubmissionState.IN_REVIEW, SubmissionState.ACCEPTED)


def evidence_of(session: Session, submission: Submission, decision: Decision) -> dict[str, Any]:
    """What there is to see of a verdict now: the answer with all that was said with it, the
    verdict with its defects, the guidelines, and what others said of the same task by then."""
    version = session.get_one(TemplateVersion, submission.template_version_id)
    return {
        "judgement": submission.judgement,
        "rationale": submission.rationale,
        "rationale_claims": submission.rationale_claims,
        "confidence": submission.confidence,
        "references": submission.references,
        "flags": submission.flags,
        "ai_use": submission.ai_use,
        "round": submission.round,
        "active_seconds": submission.active_seconds,
        "submitted_at": submission.submitted_at.isoformat(),
        "decision": _decision(decision),
        "template_version": version.number,
        "instructions_sha256": version.instructions_sha256.hex(),
        "others": _others(session, submission),
        "posterior": _posterior(session, submission),
    }


def figures_of(firing: ControlFiring) -> dict[str, Any]:
    """What there is to see of a rule that was met: its figures, what was answered and decided."""
    return {
        "firing": {
            "action": firing.action.value,
            "value": firing.value,
            "lower": firing.lower,
            "upper": firing.upper,
            "n": firing.n,
            "reply": firing.reply,
            "note": firing.note,
            "decided_at": firing.decided_at.isoformat() if firing.decided_at else None,
        }
    }


def _decision(decision: Decision) -> dict[str, Any]:
    """The verdict without who said it: whoever decides on it does not know."""
    return {
        "verdict": decision.verdict.value,
        "cause": decision.cause.value if decision.cause else None,
        "note": decision.note,
        "defects": decision.defects,
        "decided_at": decision.decided_at.isoformat(),
    }


def _others(session: Session, submission: Submission) -> list[dict[str, Any]]:
    rows = session.execute(
        select(Submission.judgement, Submission.rationale, Submission.state)
        .where(Submission.task_id == submission.task_id, Submission.id != submission.id)
        .where(Submission.specialist_id != submission.specialist_id)
        .where(Submission.state.in_(_COUNTED))
        .order_by(Submission.id)
        .limit(OTHERS_MAX)
    )
    return [
        {"judgement": judgement, "rationale": rationale, "state": state.value}
        for judgement, rationale, state in rows
    ]


def _posterior(session: Session, submission: Submission) -> dict[str, Any]:
    found = posterior_of(session, submission.task_id)
    return {
        unit: {"label": each.label, "confidence": each.confidence, "n": each.n}
        for unit, each in found.items()
    }


def end_overtaken(session: Session, decision_id: DecisionId) -> None:
    """End what is open about a verdict that was overturned otherwise meanwhile."""
    session.execute(
        update(Appeal)
        .where(Appeal.decision_id == decision_id, Appeal.ended_at.is_(None))
        .values(state=AppealState.OVERTAKEN, ended_at=clock.now())
    )


def forget_appeals(session: Session, person_id: PersonId) -> None:
    """Empty what a person said in their appeals, and what was kept of their work for them; that
    they appealed, and what came of it, stays."""
    mine = select(Appeal.id).where(Appeal.appellant_id == person_id)
    session.execute(delete(AppealEvidence).where(AppealEvidence.appeal_id.in_(mine)))
    session.execute(
        update(Appeal)
        .where(Appeal.appellant_id == person_id)
        .values(reason=None, statement=None, note=None)
    )
