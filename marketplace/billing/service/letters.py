"""Letters about a lab's money: to its own people, and to finance where finance must act."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from marketplace import mail
from marketplace.billing.models import Dispute, Refund
from marketplace.billing.rules.disputes import DisputeState, reason_words
from marketplace.identity import queries as identity
from marketplace.identity.models import Organisation
from marketplace.identity.rules import Permission
from marketplace.ids import OrganisationId
from marketplace.jobs.models import Job
from marketplace.jobs.rules import PauseReason
from marketplace.money import Money

TOLD_MAX = 10


def to_lab(
    session: Session, lab: OrganisationId, permission: Permission, template: str, **facts: Any
) -> None:
    """Write to those of a lab whose role allows something."""
    for person in identity.lab_addressees(session, lab, permission)[:TOLD_MAX]:
        mail.send(session, to=person.email, template=template, name=person.name, **facts)


def to_finance(session: Session, permission: Permission, template: str, **facts: Any) -> None:
    """Write to those of the platform whose role allows something."""
    for person in identity.platform_addressees(session, permission, limit=TOLD_MAX):
        mail.send(session, to=person.email, template=template, name=person.name, **facts)


def lab_name(session: Session, lab: OrganisationId) -> str:
    """The name of a lab."""
    return session.get_one(Organisation, lab).name


def refund_waits(session: Session, lab: OrganisationId, amount: Money) -> None:
    """Tell finance that a refund waits for its approval."""
    named = lab_name(session, lab)
    to_finance(
        session,
        Permission.BREAKS_APPROVE,
        "refund_waits",
        amount=str(amount),
        lab=named,
        path="/finance/refunds",
    )


def refund_ended(session: Session, refund: Refund) -> None:
    """Tell a lab how its refund ended, and finance where it came back."""
    facts = {"amount": str(refund.amount), "state": refund.state.value, "note": refund.note}
    to_lab(
        session,
        refund.organisation_id,
        Permission.BALANCE_REFUND,
        "refund_ended",
        path="/lab/balance/refunds",
        **facts,
    )
    if refund.state == "returned":
        to_finance(
            session,
            Permission.RECONCILIATION_WORK,
            "refund_returned",
            lab=lab_name(session, refund.organisation_id),
            path="/finance/refunds",
            **facts,
        )


def dispute_moved(session: Session, dispute: Dispute, *, held: Money, owed: Money) -> None:
    """Tell a lab, and finance while there is something to answer, what became of a dispute."""
    facts = {
        "amount": str(dispute.amount),
        "state": dispute.state.value,
        "reason": reason_words(dispute.reason),
        "held": str(held) if held else "",
        "owed": str(owed) if owed else "",
        "due": f"{dispute.evidence_due_at:%d %B %Y}" if dispute.evidence_due_at else "",
    }
    if dispute.organisation_id is not None:
        to_lab(
            session,
            dispute.organisation_id,
            Permission.BALANCE_VIEW,
            "dispute_moved",
            path="/lab/balance/disputes",
            **facts,
        )
    if dispute.state in {DisputeState.OPEN, DisputeState.INQUIRY}:
        lab = lab_name(session, dispute.organisation_id) if dispute.organisation_id else ""
        to_finance(
            session,
            Permission.RECONCILIATION_WORK,
            "dispute_waits",
            lab=lab,
            path="/finance/disputes",
            **facts,
        )


def automatic_stopped(
    session: Session, lab: OrganisationId, amount: Money, words: str, *, off: bool
) -> None:
    """Tell a lab that its balance does not fill itself any more, or not in this month."""
    facts = {"amount": str(amount), "words": words, "off": off}
    to_lab(
        session,
        lab,
        Permission.SPENDING_LIMIT,
        "automatic_stopped",
        path="/lab/balance/automatic",
        **facts,
    )


def automatic_came(session: Session, lab: OrganisationId, amount: Money) -> None:
    """Tell a lab that its balance filled itself."""
    to_lab(
        session,
        lab,
        Permission.SPENDING_LIMIT,
        "automatic_came",
        amount=str(amount),
        path="/lab/balance/automatic",
    )


def balance_low(
    session: Session, lab: OrganisationId, available: Money, low: Money, days: int | None
) -> None:
    """Warn a lab that little is left. days: how long it lasts, None where nothing is used."""
    to_lab(
        session,
        lab,
        Permission.BALANCE_TOP_UP,
        "balance_low",
        available=str(available),
        low=str(low),
        days=days,
        path="/lab/balance",
    )


def job_paused(session: Session, job: Job, *, resumes: bool) -> None:
    """Tell a lab that a job has paused for want of money, or for a limit of its own."""
    to_lab(
        session,
        OrganisationId(job.organisation_id),
        Permission.JOBS_PUBLISH,
        "job_paused_for_money",
        title=job.title,
        for_limit=job.pause_reason is PauseReason.LIMIT,
        resumes=resumes,
        path=f"/lab/jobs/{job.id}",
    )


def job_resumed(session: Session, job: Job) -> None:
    """Tell a lab that a job goes on again by itself."""
    to_lab(
        session,
        OrganisationId(job.organisation_id),
        Permission.JOBS_PUBLISH,
        "job_resumed",
        title=job.title,
        path=f"/lab/jobs/{job.id}",
    )
