"""What people ask of deliveries: a test, an event once more, a range of events once more."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace import audit, clock
from marketplace.actor import Actor
from marketplace.delivery.models import WebhookDelivery, WebhookEndpoint
from marketplace.delivery.queries.events import event_of
from marketplace.delivery.rules import webhooks as rules
from marketplace.delivery.rules.kinds import TEST, public_kind, sources_of
from marketplace.delivery.rules.webhooks import DeliveryState, Origin, WebhookState
from marketplace.delivery.service.webhooks import locked
from marketplace.errors import Fault, Faulty
from marketplace.identity.rules import Permission
from marketplace.ids import new_id
from marketplace.outbox import Event


def send_test(session: Session, actor: Actor, hook_id: UUID) -> WebhookDelivery:
    """Have a test delivered, signed like any event.

    Raises WebhookStopped while the endpoint is off, TooMuchWanted as all wishes do.
    """
    endpoint = _told(session, actor, hook_id)
    audit.record(session, actor, "tested a webhook", endpoint.id)
    made = _delivery(endpoint, None, Origin.TEST)
    session.add(made)
    session.flush()  # The caller shows it.
    return made


def redeliver(
    session: Session, actor: Actor, event_id: UUID, *, hook_id: UUID | None = None
) -> Sequence[WebhookDelivery]:
    """Deliver an event once more, under its own id: to one endpoint, or to all that want it.

    Raises Missing, WebhookStopped where none of them is told anything at present.
    """
    actor.require(Permission.WEBHOOKS_MANAGE)
    event = event_of(session, actor, event_id)
    if hook_id is not None:
        endpoints = [_told(session, actor, hook_id)]
    else:
        active = select(WebhookEndpoint).where(
            WebhookEndpoint.organisation_id == actor.organisation(),
            WebhookEndpoint.state == WebhookState.ACTIVE,
        )
        rows = session.scalars(active.limit(rules.ENDPOINTS_MAX)).all()
        endpoints = [each for each in rows if event.kind in sources_of(each.kinds)]
        for each in endpoints:
            _refuse_more(session, each)
    if not endpoints:
        raise rules.WebhookStopped("No webhook that is on asks for this kind of event.")
    made = [_delivery(each, event, Origin.AGAIN) for each in endpoints]
    session.add_all(made)
    session.flush()  # The caller shows them.
    audit.record(session, actor, "had an event delivered again", event.id)
    return made


def replay(
    session: Session, actor: Actor, hook_id: UUID, *, after: int, through: int | None = None
) -> int:
    """Deliver a range of events once more, those that the endpoint asks for; how many.

    after, through: numbers of the organisation's feed; the first is not among them, the last is.
    Faulty for more than 10,000 at a time.
    """
    endpoint = _told(session, actor, hook_id)
    last = endpoint.reached if through is None else min(through, endpoint.reached)
    asked = (
        select(Event)
        .where(
            Event.organisation_id == endpoint.organisation_id,
            Event.organisation_number > after,
            Event.organisation_number <= last,
            Event.kind.in_(sources_of(endpoint.kinds)),
        )
        .order_by(Event.organisation_number)
        .limit(rules.REPLAYED_MAX + 1)
    )
    events = session.scalars(asked).all()
    if len(events) > rules.REPLAYED_MAX:
        fault = Fault("/through", f"Choose a range with at most {rules.REPLAYED_MAX:,} events.")
        raise Faulty("These are too many events for one replay.", [fault])
    session.add_all(_delivery(endpoint, event, Origin.AGAIN) for event in events)
    facts = {"after": after, "through": last, "events": len(events)}
    audit.record(session, actor, "had events replayed", endpoint.id, **facts)
    return len(events)


def _told(session: Session, actor: Actor, hook_id: UUID) -> WebhookEndpoint:
    endpoint = locked(session, actor, hook_id)
    if endpoint.state is not WebhookState.ACTIVE:
        raise rules.WebhookStopped("This webhook is off. Switch it on first.")
    _refuse_more(session, endpoint)
    return endpoint


def _refuse_more(session: Session, endpoint: WebhookEndpoint) -> None:
    """A replay asked for again and again would fill the table faster than anything is sent."""
    waiting = (
        select(WebhookDelivery.id)
        .where(
            WebhookDelivery.endpoint_id == endpoint.id,
            WebhookDelivery.state == DeliveryState.WAITING,
            WebhookDelivery.origin != Origin.EVENT,
        )
        .limit(rules.REPLAYED_MAX)
        .subquery()
    )
    if (session.scalar(select(func.count()).select_from(waiting)) or 0) >= rules.REPLAYED_MAX:
        words = f"{rules.REPLAYED_MAX:,} deliveries that were asked for wait already. Let them go."
        raise rules.TooMuchWanted(words)


def _delivery(endpoint: WebhookEndpoint, event: Event | None, origin: Origin) -> WebhookDelivery:
    now = clock.now()
    return WebhookDelivery(
        id=new_id(),
        endpoint_id=endpoint.id,
        event_id=event.id if event is not None else None,
        kind=public_kind(event.kind) if event is not None else TEST,
        number=(event.organisation_number or 0) if event is not None else 0,
        origin=origin,
        state=DeliveryState.WAITING,
        attempts=0,
        next_at=now,
        created_at=now,
    )
