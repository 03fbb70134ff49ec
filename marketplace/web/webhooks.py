"""Stripe's webhooks: verified by their signature, then put into the outbox, once for each event.

Nothing of a body is believed but its ids: the background function fetches the object itself, so
duplicates, old news and a wrong order change nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import structlog
from flask import Blueprint, Response, request
from sqlalchemy.orm import Session

from marketplace import audit, clock, outbox, stripe_client
from marketplace.actor import SYSTEM
from marketplace.db import transaction
from marketplace.stripe_client import WebhookRefused
from marketplace.web import settings
from marketplace.web.guards import public

webhooks = Blueprint("webhooks", __name__)
log = structlog.get_logger(__name__)
BODY_BYTES_MAX = 1_000_000
Arguments = dict[str, Any]
Reader = Callable[[Mapping[str, Any]], Arguments]


def _metadata(subject: Mapping[str, Any], key: str) -> str | None:
    value = (subject.get("metadata") or {}).get(key)
    return None if value is None else str(value)


def _checkout(subject: Mapping[str, Any]) -> Arguments:
    named = _metadata(subject, "top_up_id")
    return {"top_up_id": named, "checkout_session_id": subject["id"]}


def _payment(subject: Mapping[str, Any]) -> Arguments:
    return {"top_up_id": _metadata(subject, "top_up_id"), "payment_intent_id": subject["id"]}


def _charge(subject: Mapping[str, Any]) -> Arguments:
    intent = subject.get("payment_intent")
    return {"top_up_id": _metadata(subject, "top_up_id"), "payment_intent_id": intent}


def _account(subject: Mapping[str, Any]) -> Arguments:
    return {"stripe_account_id": subject["id"]}


def _capability(subject: Mapping[str, Any]) -> Arguments:
    return {"stripe_account_id": subject["account"]}


def _transfer(subject: Mapping[str, Any]) -> Arguments:
    return {"transfer_id": subject["id"], "line_id": _metadata(subject, "line_id")}


def _identity(subject: Mapping[str, Any]) -> Arguments:
    return {"stripe_session_id": subject["id"], "check_id": _metadata(subject, "check_id")}


def _cash(subject: Mapping[str, Any]) -> Arguments:
    return {"cash_id": subject["id"]}


def _refund(subject: Mapping[str, Any]) -> Arguments:
    return {"stripe_refund_id": subject["id"]}


def _dispute(subject: Mapping[str, Any]) -> Arguments:
    return {"stripe_dispute_id": subject["id"]}


def _payout(subject: Mapping[str, Any]) -> Arguments:
    return {"payout_id": subject["id"]}


TOP_UP = "billing.refresh_top_up"
REFUND = "billing.refresh_refund"
DISPUTE = "billing.refresh_dispute"
CARD = "billing.refresh_card"
CASH = "billing.receive_stripe_cash"
ACCOUNT = "payouts.refresh_account"
TRANSFER = "payouts.resolve_transfer"
BANK = "payouts.read_bank_payout"
OUR_BANK = "reconciliation.refresh_payout"
IDENTITY = "specialists.refresh_identity"
# What each event asks for, and how its arguments are read from the object that it is about.
ROUTES: Mapping[str, tuple[str, Reader]] = {
    "checkout.session.completed": (TOP_UP, _checkout),
    "checkout.session.expired": (TOP_UP, _checkout),
    "checkout.session.async_payment_succeeded": (TOP_UP, _checkout),
    "checkout.session.async_payment_failed": (TOP_UP, _checkout),
    "payment_intent.succeeded": (TOP_UP, _payment),
    "payment_intent.payment_failed": (TOP_UP, _payment),
    "charge.succeeded": (TOP_UP, _charge),
    "charge.updated": (TOP_UP, _charge),
    "customer_cash_balance_transaction.created": (CASH, _cash),
    "refund.created": (REFUND, _refund),
    "refund.updated": (REFUND, _refund),
    "refund.failed": (REFUND, _refund),
    "charge.refund.updated": (REFUND, _refund),
    "charge.dispute.created": (DISPUTE, _dispute),
    "charge.dispute.updated": (DISPUTE, _dispute),
    "charge.dispute.funds_withdrawn": (DISPUTE, _dispute),
    "charge.dispute.funds_reinstated": (DISPUTE, _dispute),
    "charge.dispute.closed": (DISPUTE, _dispute),
    "account.updated": (ACCOUNT, _account),
    "capability.updated": (ACCOUNT, _capability),
    "transfer.created": (TRANSFER, _transfer),
    "transfer.updated": (TRANSFER, _transfer),
    "transfer.reversed": (TRANSFER, _transfer),
    "payout.created": (OUR_BANK, _payout),
    "payout.updated": (OUR_BANK, _payout),
    "payout.paid": (OUR_BANK, _payout),
    "payout.failed": (OUR_BANK, _payout),
    "payout.canceled": (OUR_BANK, _payout),
    "payout.reconciliation_completed": (OUR_BANK, _payout),
    "identity.verification_session.processing": (IDENTITY, _identity),
    "identity.verification_session.requires_input": (IDENTITY, _identity),
    "identity.verification_session.verified": (IDENTITY, _identity),
    "identity.verification_session.canceled": (IDENTITY, _identity),
}


@webhooks.post("/webhooks/stripe")
@public
def stripe_event() -> Response:
    """Take one delivery: 200 once it is safely noted, also for the hundredth time; else 400."""
    request.max_content_length = BODY_BYTES_MAX
    event = _verified(request.get_data(cache=False), request.headers.get("Stripe-Signature", ""))
    with transaction() as session:
        note_event(session, event)
    return Response(status=200)


def note_event(session: Session, event: Mapping[str, Any]) -> None:
    """Enqueue what a verified event asks for; an event of an unknown kind leaves a line."""
    route = ROUTES.get(str(event["type"]))
    if route is None:
        _note_unknown(session, event)
        return
    name, read = route
    arguments = read(event["data"]["object"])
    if name == OUR_BANK and event.get("account"):
        # It left a specialist's account, not ours.
        name, arguments = BANK, arguments | {"stripe_account_id": event["account"]}
    if name == TOP_UP and event["data"]["object"].get("mode") == "setup":
        # Nothing is paid there: a card is saved for automatic top-ups.
        name, arguments = CARD, {"setup_session_id": event["data"]["object"]["id"]}
    outbox.enqueue_once(session, f"stripe:{event['id']}", name, **arguments)


def _note_unknown(session: Session, event: Mapping[str, Any]) -> None:
    subject = _subject(event)
    if not audit.trail_of(session, subject, limit=1):
        kind, named = str(event["type"])[:80], str(event["id"])[:80]
        audit.record(session, SYSTEM, "met an unknown event", subject, type=kind, event=named)


def _subject(event: Mapping[str, Any]) -> UUID:
    return uuid5(NAMESPACE_URL, f"stripe:{event['id']}")


def _verified(payload: bytes, header: str) -> dict[str, Any]:
    here = settings()
    live = stripe_client.is_live(here.stripe_secret_key)
    secret, now = here.stripe_webhook_secret, clock.now()
    try:
        return stripe_client.verify_webhook(payload, header, secret, now=now, livemode=live)
    except WebhookRefused as refused:
        _raise_alarm(payload, header, live=live)
        log.warning("webhook_refused", reason=refused.message)
        raise


def _raise_alarm(payload: bytes, header: str, *, live: bool) -> None:
    """Leave a line where a truly signed event is of the other mode: a key is in the wrong place."""
    secret, now = settings().stripe_webhook_secret, clock.now()
    try:
        event = stripe_client.verify_webhook(payload, header, secret, now=now, livemode=not live)
    except WebhookRefused:
        return
    with transaction() as session:
        subject = _subject(event)
        if not audit.trail_of(session, subject, limit=1):
            audit.record(session, SYSTEM, "refused an event of the other mode", subject, live=live)
