"""Disputes at Stripe, in our own words."""

from __future__ import annotations

from datetime import UTC, datetime

from stripe import Dispute as StripeDispute
from stripe import StripeClient

from marketplace.billing.rules.disputes import DisputeLine, DisputeNow
from marketplace.billing.stripe_gateway.checkout import id_of
from marketplace.billing.stripe_gateway.lines import lines_of_source
from marketplace.db import outside_transaction
from marketplace.stripe_client import iso, translated

LIST_PAGE = 100


@outside_transaction
def dispute_now(client: StripeClient, dispute_id: str) -> DisputeNow:
    """The dispute as it is now, with the lines of our balance that it made."""
    with translated():
        dispute = client.v1.disputes.retrieve(dispute_id)
    return _seen(client, dispute)


@outside_transaction
def recent_disputes(client: StripeClient, since: datetime) -> list[str]:
    """The ids of all disputes that were opened since then."""
    with translated():
        listed = client.v1.disputes.list(
            {"created": {"gte": int(since.timestamp())}, "limit": LIST_PAGE}
        )
        return [dispute.id for dispute in listed.auto_paging_iter()]


@outside_transaction
def send_evidence(client: StripeClient, dispute_id: str, words: str) -> DisputeNow:
    """Send what shows that a payment was the payer's own; the bank reads it once."""
    with translated():
        dispute = client.v1.disputes.update(
            dispute_id, {"evidence": {"uncategorized_text": words}, "submit": True}
        )
    return _seen(client, dispute)


def _seen(client: StripeClient, dispute: StripeDispute) -> DisputeNow:
    lines = sorted(lines_of_source(client, dispute.id), key=lambda line: line.created_at)
    details = dispute.evidence_details
    due = details.due_by if details else None
    return DisputeNow(
        id=dispute.id,
        status=dispute.status,
        reason=dispute.reason,
        amount=iso(dispute.amount, dispute.currency),
        charge_id=id_of(dispute.charge) or "",
        payment_intent_id=id_of(dispute.payment_intent),
        evidence_due_at=datetime.fromtimestamp(due, UTC) if due else None,
        has_evidence=bool(details and details.submission_count),
        opened_at=datetime.fromtimestamp(dispute.created, UTC),
        lines=tuple(DisputeLine(line.id, line.amount, line.fee, line.created_at) for line in lines),
    )
