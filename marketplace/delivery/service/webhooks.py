"""The verbs of webhooks: set up, change, rotate the secret, switch on and off, delete."""

from __future__ import annotations

import base64
import secrets as entropy
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from marketplace import audit, clock, settings
from marketplace.actor import Actor
from marketplace.delivery.models import WebhookDelivery, WebhookEndpoint
from marketplace.delivery.queries.events import head_of
from marketplace.delivery.rules import kinds as catalogue
from marketplace.delivery.rules import webhooks as rules
from marketplace.delivery.rules.webhooks import DeliveryState, WebhookState
from marketplace.errors import Conflict, Fault, Faulty, Missing
from marketplace.identity.rules import Permission
from marketplace.ids import new_id

SECRET_BYTES = 32


def create_webhook(
    session: Session,
    actor: Actor,
    *,
    url: str,
    description: str = "",
    kinds: Iterable[str] = (),
) -> WebhookEndpoint:
    """Set up an endpoint that is told what happens from now on; its `secret` is shown once.

    kinds: public kinds or groups such as `task.*`; all where none is given. Raises Faulty, or
    TooManyEndpoints.
    """
    actor.require(Permission.WEBHOOKS_MANAGE)
    given = {"url": url, "description": description, "kinds": list(kinds)}
    found = _cleaned(given)
    _refuse_more(session, actor)
    endpoint = WebhookEndpoint(
        id=new_id(),
        organisation_id=actor.organisation(),
        state=WebhookState.ACTIVE,
        secret=_new_secret(),
        reached=head_of(session, actor),
        created_by=actor.person(),
        created_at=clock.now(),
        failures=0,
        slow=False,
        **found,
    )
    session.add(endpoint)
    session.flush()  # What follows in this transaction refers to it.
    audit.record(session, actor, "set up a webhook", endpoint.id)
    return endpoint


def change_webhook(
    session: Session, actor: Actor, hook_id: UUID, given: Mapping[str, Any]
) -> WebhookEndpoint:
    """Change url, description or kinds, as given. What waits goes to the new address."""
    endpoint = locked(session, actor, hook_id)
    found = _cleaned(given)
    changed = [name for name, value in found.items() if getattr(endpoint, name) != value]
    for name in changed:
        setattr(endpoint, name, found[name])
    if "url" in changed:
        _forget_failures(endpoint)
    if changed:
        audit.record(session, actor, "changed a webhook", endpoint.id, fields=changed)
    return endpoint


def rotate_secret(
    session: Session,
    actor: Actor,
    hook_id: UUID,
    *,
    overlap: timedelta = rules.OVERLAP_DEFAULT,
) -> WebhookEndpoint:
    """Make a new secret; the former one signs as well for a while, at most a week.

    An overlap of nothing ends the former one at once, as is right for one that has leaked.
    """
    endpoint = locked(session, actor, hook_id)
    if not timedelta(0) <= overlap <= rules.OVERLAP_MAX:
        fault = Fault("/overlap_hours", "Choose between 0 and 168 hours.")
        raise Faulty("The overlap is too long.", [fault])
    former = endpoint.secret if overlap else None
    until = clock.now() + overlap if overlap else None
    endpoint.former_secret, endpoint.former_until = former, until
    endpoint.secret = _new_secret()
    audit.record(session, actor, "rotated a webhook's secret", endpoint.id)
    return endpoint


def pause_webhook(session: Session, actor: Actor, hook_id: UUID) -> WebhookEndpoint:
    """Tell it nothing for now. What happens meanwhile is kept for when it goes on."""
    endpoint = locked(session, actor, hook_id)
    if endpoint.state is not WebhookState.PAUSED:
        _move(endpoint, WebhookState.PAUSED)
        audit.record(session, actor, "paused a webhook", endpoint.id)
    return endpoint


def resume_webhook(
    session: Session, actor: Actor, hook_id: UUID, *, missed: bool = True
) -> WebhookEndpoint:
    """Tell it again. missed: also what happened while it was off; else that is passed over."""
    endpoint = locked(session, actor, hook_id)
    if endpoint.state is WebhookState.ACTIVE:
        return endpoint
    _move(endpoint, WebhookState.ACTIVE)
    _forget_failures(endpoint)
    waiting = update(WebhookDelivery).where(
        WebhookDelivery.endpoint_id == endpoint.id,
        WebhookDelivery.state == DeliveryState.WAITING,
    )
    if missed:
        session.execute(waiting.values(next_at=clock.now(), attempts=0))
    else:
        endpoint.reached = head_of(session, actor)
        session.execute(waiting.values(state=DeliveryState.CANCELLED, ended_at=clock.now()))
    audit.record(session, actor, "resumed a webhook", endpoint.id, missed=missed)
    return endpoint


def retire_webhook(session: Session, actor: Actor, hook_id: UUID) -> None:
    """Delete it: it is told nothing any more, and its secrets are gone."""
    endpoint = locked(session, actor, hook_id)
    _move(endpoint, WebhookState.RETIRED)
    endpoint.secret = endpoint.former_secret = endpoint.former_until = None
    session.execute(
        update(WebhookDelivery)
        .where(
            WebhookDelivery.endpoint_id == endpoint.id,
            WebhookDelivery.state == DeliveryState.WAITING,
        )
        .values(state=DeliveryState.CANCELLED, ended_at=clock.now())
    )
    audit.record(session, actor, "deleted a webhook", endpoint.id)


def locked(session: Session, actor: Actor, hook_id: UUID) -> WebhookEndpoint:
    """The endpoint, if the actor's organisation owns it, safe from other writers until the end."""
    actor.require(Permission.WEBHOOKS_MANAGE)
    found = session.get(
        WebhookEndpoint, hook_id, with_for_update={"key_share": True}, populate_existing=True
    )
    if found is None or found.organisation_id != actor.organisation_id:
        raise Missing("There is no such webhook.")
    if found.state is WebhookState.RETIRED:
        raise Missing("This webhook was deleted.")
    return found


def stop(endpoint: WebhookEndpoint, why: rules.StoppedWhy, at: datetime) -> None:
    """Disable an endpoint, as it failed; whoever calls this tells the lab."""
    _move(endpoint, WebhookState.DISABLED)
    endpoint.stopped_why, endpoint.stopped_at = why, at


def _move(endpoint: WebhookEndpoint, state: WebhookState) -> None:
    """The only setter of an endpoint's state."""
    if state not in rules.NEXT_ENDPOINT[endpoint.state]:
        raise Conflict(f"A webhook that is {endpoint.state} cannot become {state}.")
    endpoint.state = state
    endpoint.stopped_why = endpoint.stopped_at = None


def _forget_failures(endpoint: WebhookEndpoint) -> None:
    endpoint.failures, endpoint.slow = 0, False
    endpoint.failing_since = endpoint.rest_until = None


def _new_secret() -> str:
    """As Standard Webhooks writes it: a symmetric key in base64 behind its prefix."""
    return "whsec_" + base64.b64encode(entropy.token_bytes(SECRET_BYTES)).decode()


def _refuse_more(session: Session, actor: Actor) -> None:
    held = select(func.count()).where(
        WebhookEndpoint.organisation_id == actor.organisation(),
        WebhookEndpoint.state != WebhookState.RETIRED,
    )
    if (session.scalar(held) or 0) >= rules.ENDPOINTS_MAX:
        words = f"An organisation has at most {rules.ENDPOINTS_MAX} webhooks. Delete one first."
        raise rules.TooManyEndpoints(words)


def _cleaned(given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields, tidied; Faulty with every fault of all of them."""
    found: dict[str, Any] = {}
    faults: list[Fault] = []
    if "url" in given:
        found["url"] = given["url"].strip()
        if not rules.allowed(found["url"], sandbox=settings.current().webhook_sandbox_base):
            words = "Give an address that begins with https://, of at most 500 letters."
            faults.append(Fault("/url", words))
    if "description" in given:
        found["description"] = " ".join(given["description"].split())
        if len(found["description"]) > rules.DESCRIPTION_MAX:
            faults.append(Fault("/description", "Use at most 200 letters."))
    if "kinds" in given:
        found["kinds"] = sorted(set(given["kinds"]))
        try:
            catalogue.sources_of(found["kinds"])
        except Faulty as unknown:
            faults.extend(unknown.faults)
    if faults:
        raise Faulty("Some of what you typed needs mending.", faults)
    return found
