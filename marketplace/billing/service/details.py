"""Who a lab's invoices are made out to, who we are on them, and references for transfers."""

from __future__ import annotations

import re

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace import audit, clock, settings
from marketplace.actor import Actor
from marketplace.billing.models import BillingDetails, PaymentReference
from marketplace.billing.rules import references, tax
from marketplace.errors import Fault, Faulty, Refused
from marketplace.identity.rules import Permission
from marketplace.ids import OrganisationId

COUNTRY = re.compile(r"[A-Z]{2}")
LENGTH_MAX = {"legal_name": 200, "address": 500, "purchase_order": 60}


class DetailsMissing(Refused):
    """An invoice must say whom it is made out to."""

    code = "billing_details_missing"


def set_details(
    session: Session,
    actor: Actor,
    *,
    legal_name: str,
    address: str,
    country: str,
    tax_id: str = "",
    purchase_order: str = "",
) -> BillingDetails:
    """Write whom the acting lab's next invoices are made out to; issued ones stay as they are.

    address: lines by line breaks; country: ISO 3166 code. Raises Faulty for what is missing, too
    long, or no tax id of that country.
    """
    actor.require(Permission.BALANCE_TOP_UP)
    given = {"legal_name": legal_name, "address": address, "purchase_order": purchase_order}
    plain = {name: value.replace("\r\n", "\n").strip() for name, value in given.items()}
    _complete(plain, country)
    details = session.get(BillingDetails, actor.organisation(), with_for_update=True)
    if details is None:
        details = BillingDetails(organisation_id=actor.organisation())
        session.add(details)
    details.legal_name, details.address = plain["legal_name"], plain["address"]
    details.purchase_order = plain["purchase_order"]
    details.country, details.tax_id = country, tax.tax_id(country, tax_id)
    details.changed_by, details.changed_at = actor.person(), clock.now()
    session.flush()  # Who issues an invoice next reads the row.
    audit.record(session, actor, "changed billing details", actor.organisation(), country=country)
    return details


def _complete(plain: dict[str, str], country: str) -> None:
    words = {"legal_name": "the legal name", "address": "the address"}
    faults = [
        Fault(f"/{name}", f"Write {what}, as it shall stand on invoices.")
        for name, what in words.items()
        if not plain[name]
    ]
    faults += [
        Fault(f"/{name}", f"Use at most {most} characters.")
        for name, most in LENGTH_MAX.items()
        if len(plain[name]) > most
    ]
    if not COUNTRY.fullmatch(country):
        faults.append(Fault("/country", "Choose a country."))
    if faults:
        raise Faulty("The billing details are not complete.", faults)


def buyer_of(session: Session, organisation_id: OrganisationId) -> dict[str, str]:
    """Whom an invoice is made out to, as it is frozen on it; DetailsMissing without."""
    details = session.get(BillingDetails, organisation_id)
    if details is None:
        raise DetailsMissing("Write your billing details first: an invoice must name its buyer.")
    names = ("legal_name", "address", "country", "tax_id", "purchase_order")
    return {name: getattr(details, name) for name in names}


def seller() -> dict[str, str]:
    """Who issues invoices, as it is frozen on them."""
    here = settings.current()
    return {
        "legal_name": here.seller_name,
        "address": "\n".join(line.strip() for line in here.seller_address.split(";")),
        "country": here.seller_country,
        "tax_id": here.seller_tax_id,
    }


def lab_reference(session: Session, organisation_id: OrganisationId) -> str:
    """The reference that a lab writes on its transfers; made when it is first asked for."""
    known = select(PaymentReference.reference).where(
        PaymentReference.organisation_id == organisation_id, PaymentReference.invoice_id.is_(None)
    )
    found = session.scalar(known)
    if found is not None:
        return found
    fresh = insert(PaymentReference).values(
        reference=references.new_reference(),
        organisation_id=organisation_id,
        invoice_id=None,
        made_at=clock.now(),
    )
    # Two pages may ask at once; the second takes what the first has made.
    session.execute(fresh.on_conflict_do_nothing())
    return session.scalars(known).one()
