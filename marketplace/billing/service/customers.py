"""Labs as Stripe's customers."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.billing.models import StripeCustomer
from marketplace.ids import OrganisationId


def customer_of_lab(session: Session, organisation_id: OrganisationId) -> str | None:
    """The id of a lab's customer at Stripe, once it has one."""
    row = session.get(StripeCustomer, organisation_id)
    return row.customer_id if row else None


def lab_of_customer(session: Session, customer_id: str) -> OrganisationId | None:
    """The lab whose customer that is; None for a customer that is no lab of ours."""
    return session.scalar(
        select(StripeCustomer.organisation_id).where(StripeCustomer.customer_id == customer_id)
    )


def record_customer(session: Session, organisation_id: OrganisationId, customer_id: str) -> str:
    """Keep a lab's customer; the first one that was recorded stays."""
    row = insert(StripeCustomer).values(
        organisation_id=organisation_id, customer_id=customer_id, made_at=clock.now()
    )
    session.execute(row.on_conflict_do_nothing())
    known = select(StripeCustomer.customer_id).where(
        StripeCustomer.organisation_id == organisation_id
    )
    return session.scalars(known).one()
