"""What came of attempts: kept, counted for or against the endpoint, and followed by the next."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from marketplace import audit, clock, mail, outbox
from marketplace.actor import SYSTEM
from marketplace.delivery.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from marketplace.delivery.rules import webhooks as rules
from marketplace.delivery.rules.parcels import Parcel
from marketplace.delivery.rules.webhooks import (
    Answered,
    DeliveryState,
    Origin,
    Outcome,
    StoppedWhy,
    WebhookState,
)
from marketplace.delivery.service.webhooks import stop
from marketplace.identity import queries as identity
from marketplace.identity.rules import Permission
from marketplace.ids import OrganisationId, new_id

REST_ASKED_MAX = timedelta(hours=1)
PURGED_AT_ONCE = 5_000
MAILED_MAX = 10


def record_attempts(session: Session, answers: Sequence[tuple[Parcel, Answered]]) -> None:
    """Keep what came of attempts; their leases end with it."""
    if not answers:
        return
    endpoints = {
        each.id: each
        for each in session.scalars(
            select(WebhookEndpoint)
            .where(WebhookEndpoint.id.in_({parcel.endpoint_id for parcel, _ in answers}))
            .order_by(WebhookEndpoint.id)
            .with_for_update(key_share=True)
            .execution_options(populate_existing=True)
        )
    }
    deliveries = {
        each.id: each
        for each in session.scalars(
            select(WebhookDelivery)
            .where(WebhookDelivery.id.in_({parcel.delivery_id for parcel, _ in answers}))
            .order_by(WebhookDelivery.id)
            .with_for_update(key_share=True)
            .execution_options(populate_existing=True)
        )
    }
    for parcel, answered in answers:
        delivery = deliveries.get(parcel.delivery_id)
        if delivery is not None:  # Else it was purged meanwhile.
            _record(session, endpoints[parcel.endpoint_id], delivery, answered)


def _record(
    session: Session, endpoint: WebhookEndpoint, delivery: WebhookDelivery, answered: Answered
) -> None:
    delivery.attempts += 1
    delivery.leased_until = None
    attempt = WebhookAttempt(
        id=new_id(),
        delivery_id=delivery.id,
        endpoint_id=endpoint.id,
        number=delivery.attempts,
        started_at=answered.started_at,
        milliseconds=answered.milliseconds,
        outcome=answered.outcome,
        status=answered.status,
        answer=answered.answer or None,
    )
    session.add(attempt)
    if answered.outcome is Outcome.DELIVERED:
        _count_success(endpoint, answered)
        _end(delivery, DeliveryState.DELIVERED)
    else:
        _count_failure(endpoint, answered)
        _plan(delivery, answered)
        why = _why_stop(endpoint, delivery, answered)
        if why is not None and endpoint.state is WebhookState.ACTIVE:
            _stop(session, endpoint, why)


def _end(delivery: WebhookDelivery, state: DeliveryState) -> None:
    """The only setter of a delivery's state here; one that has ended stays as it is."""
    if state in rules.NEXT_DELIVERY[delivery.state]:
        delivery.state, delivery.ended_at = state, clock.now()


def _count_success(endpoint: WebhookEndpoint, answered: Answered) -> None:
    endpoint.failures, endpoint.failing_since, endpoint.rest_until = 0, None, None
    endpoint.succeeded_at = answered.started_at
    endpoint.slow = answered.milliseconds > rules.SLOW_SECONDS * 1000


def _count_failure(endpoint: WebhookEndpoint, answered: Answered) -> None:
    endpoint.failures += 1
    endpoint.failing_since = endpoint.failing_since or answered.started_at
    rest = rules.rest_after(endpoint.failures) or timedelta(0)
    asked = min(answered.retry_after or timedelta(0), REST_ASKED_MAX)
    if rest or asked:
        endpoint.rest_until = clock.now() + max(rest, asked)


def _plan(delivery: WebhookDelivery, answered: Answered) -> None:
    """Say when it is tried next, or that it is given up; a test is tried once."""
    # The last digits of an id are chance, and stay the same for all tries.
    chance = delivery.id.int % 1_000 / 1_000
    wait = rules.wait_before(delivery.attempts, chance, answered.retry_after)
    if wait is None or delivery.origin is Origin.TEST:
        _end(delivery, DeliveryState.FAILED)
    else:
        delivery.next_at = clock.now() + wait


def _why_stop(
    endpoint: WebhookEndpoint, delivery: WebhookDelivery, answered: Answered
) -> StoppedWhy | None:
    """Why nothing more should be sent there, if so."""
    if answered.outcome is Outcome.GONE:
        return StoppedWhy.GONE
    took = endpoint.succeeded_at
    given_up = delivery.state is DeliveryState.FAILED and delivery.origin is not Origin.TEST
    if given_up and (took is None or took < delivery.created_at):
        return StoppedWhy.EXHAUSTED
    since = endpoint.failing_since
    if since is not None and clock.now() - since >= rules.SILENT_MAX:
        return StoppedWhy.SILENT
    return None


def _stop(session: Session, endpoint: WebhookEndpoint, why: StoppedWhy) -> None:
    """Disable it, and write to those of the lab who can mend it."""
    stop(endpoint, why, clock.now())
    audit.record(session, SYSTEM, "disabled a webhook", endpoint.id, why=why.value)
    lab = OrganisationId(endpoint.organisation_id)
    outbox.announce(
        session, "endpoint.disabled", endpoint.id, {"reason": why.value}, organisation_id=lab
    )
    people = identity.lab_addressees(session, lab, Permission.WEBHOOKS_MANAGE)
    for person in people[:MAILED_MAX]:
        mail.send(
            session,
            to=person.email,
            template="webhook_disabled",
            name=person.name,
            host=rules.host_of(endpoint.url),
            why=rules.WHY_WORDS[why],
            path=f"/lab/webhooks/{endpoint.id}",
        )


def purge_deliveries(session: Session, *, before: datetime) -> int:
    """Delete deliveries that ended before a time, with their attempts; at most 5,000 at once.

    What waits since before then at an endpoint that is off is given up first. Returns how many
    are gone.
    """
    off = select(WebhookEndpoint.id).where(WebhookEndpoint.state != WebhookState.ACTIVE)
    session.execute(
        update(WebhookDelivery)
        .where(
            WebhookDelivery.endpoint_id.in_(off),
            WebhookDelivery.state == DeliveryState.WAITING,
            WebhookDelivery.created_at < before,
        )
        .values(state=DeliveryState.CANCELLED, ended_at=clock.now())
    )
    old = select(WebhookDelivery.id).where(WebhookDelivery.ended_at < before)
    gone = session.execute(
        delete(WebhookDelivery)
        .where(WebhookDelivery.id.in_(old.limit(PURGED_AT_ONCE)))
        .returning(WebhookDelivery.id)
    )
    return len(gone.all())
