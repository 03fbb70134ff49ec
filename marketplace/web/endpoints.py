"""Trying a model endpoint, for pages and API alike: the call stands outside of transactions."""

from __future__ import annotations

from uuid import UUID

from marketplace import limits
from marketplace.actor import Actor
from marketplace.db import transaction
from marketplace.endpoints import gateway, service
from marketplace.endpoints.gateway import Reply
from marketplace.errors import TooOften


def tried(actor: Actor, endpoint_id: UUID) -> Reply:
    """Ask the endpoint one small question, and keep how it ended; TooOften for too many tries."""
    limits.current().hit(limits.MODEL_TEST, str(actor.organisation()))
    with gateway.place() as free:
        if not free:
            words = "Many conversations wait for a model at this moment. Try again soon."
            raise TooOften(words, retry_after_seconds=5)
        with transaction() as session:
            call = service.begin_test(session, actor, endpoint_id)
        (reply,) = gateway.ask([call])
        with transaction() as session:
            service.record_test(session, actor, call, reply.outcome)
    return reply
