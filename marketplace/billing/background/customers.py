"""Labs as Stripe's customers: made once, when the first of them needs it."""

from __future__ import annotations

from marketplace import stripe_client
from marketplace.billing import service, stripe_gateway
from marketplace.billing.stripe_gateway.funding import Lines
from marketplace.db import transaction
from marketplace.errors import Missing
from marketplace.identity.models import Organisation
from marketplace.ids import OrganisationId


def stripe_customer(organisation_id: OrganisationId) -> str:
    """The id of a lab's customer at Stripe, created unless it is there.

    Call it outside a transaction. Safe to repeat: a lab has one idempotency key, so one customer.
    """
    with transaction() as session:
        known = service.customer_of_lab(session, organisation_id)
        lab = session.get(Organisation, organisation_id)
        if lab is None:
            raise Missing("There is no such lab.")
        name = lab.name
    if known is not None:
        return known
    made = stripe_gateway.create_customer(stripe_client.current(), organisation_id, name)
    with transaction() as session:
        return service.record_customer(session, organisation_id, made)


def funding_accounts(organisation_id: OrganisationId, currency: str) -> list[Lines]:
    """The accounts at Stripe that take a lab's transfers in a currency, each as labels with texts.

    Call it outside a transaction. What arrives there is the lab's by the account itself.
    """
    customer = stripe_customer(organisation_id)
    return stripe_gateway.funding_instructions(stripe_client.current(), customer, currency)
