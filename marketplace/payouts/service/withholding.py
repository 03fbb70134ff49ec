"""Withheld tax paid to a tax office: written down by one person, confirmed by another."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import audit, clock, outbox
from marketplace.actor import Actor
from marketplace.errors import Conflict, Denied, Fault, Faulty, Missing
from marketplace.identity.rules import Permission
from marketplace.ids import new_id
from marketplace.ledger import service as ledger
from marketplace.money import Money
from marketplace.payouts.models import TaxRemittance, TaxRemittanceLine
from marketplace.payouts.queries.tax_forms import remittable
from marketplace.payouts.queries.tax_table import tax_table
from marketplace.payouts.rules.withholding import REFERENCE_MAX, RemittanceState


class SameProposer(Denied):
    """Who wrote a remittance down may not confirm it."""

    code = "own_remittance"


def propose_remittance(
    session: Session, actor: Actor, currency: str, *, paid_on: date, reference: str
) -> TaxRemittance:
    """Write down that everything withheld in a currency by now was paid to the tax office.

    reference: how the tax office or the bank names the payment. Raises Faulty for a day to come
    or without anything withheld, Conflict while another waits for its second person.
    """
    actor.require(Permission.PAYOUTS_PREPARE)
    now = clock.now()
    if _open(session, currency) is not None:
        raise Conflict("A remittance in this currency waits for a second person already.")
    withheld = remittable(session, currency)
    name = " ".join(reference.split())
    faults = []
    if not withheld:
        faults.append(Fault("/currency", f"Nothing is withheld in {currency}."))
    if paid_on > now.date():
        faults.append(Fault("/paid_on", "Write the day on which it was paid, not one to come."))
    if not 0 < len(name) <= REFERENCE_MAX or not name.isprintable():
        faults.append(
            Fault("/reference", f"Write its reference, in at most {REFERENCE_MAX} letters.")
        )
    if faults:
        raise Faulty("The remittance cannot be written down like this.", faults)
    row = TaxRemittance(
        id=new_id(),
        jurisdiction=tax_table().payer_on(paid_on).country,
        currency=currency,
        amount_minor=sum(withheld.values()),
        line_count=len(withheld),
        year=paid_on.year,
        paid_on=paid_on,
        reference=name,
        state=RemittanceState.PROPOSED,
        proposed_by=actor.person(),
        proposed_at=now,
    )
    session.add(row)
    session.flush()  # The lines refer to it.
    for person, minor in withheld.items():
        session.add(TaxRemittanceLine(remittance_id=row.id, person_id=person, amount_minor=minor))
    _tell(session, actor, "wrote down a tax remittance", row)
    return row


def confirm_remittance(session: Session, actor: Actor, remittance_id: UUID) -> TaxRemittance:
    """Confirm as the second person that it was paid, and post it for each specialist."""
    actor.require(Permission.PAYOUTS_APPROVE)
    row = _proposed(session, remittance_id)
    if row.proposed_by == actor.person():
        raise SameProposer("You wrote this down, so somebody else must confirm it.")
    _decide(session, actor, row, RemittanceState.CONFIRMED)
    lines = select(TaxRemittanceLine).where(TaxRemittanceLine.remittance_id == row.id)
    for line in session.scalars(lines.order_by(TaxRemittanceLine.person_id)):
        ledger.remit_tax(
            session,
            specialist_id=line.person_id,
            amount=Money(line.amount_minor, row.currency),
            source_id=f"{row.id}:{line.person_id}",
            proposed_by=row.proposed_by,
            approved_by=actor.person(),
            effective_on=row.paid_on,
        )
    _tell(session, actor, "confirmed a tax remittance", row)
    return row


def withdraw_remittance(session: Session, actor: Actor, remittance_id: UUID) -> TaxRemittance:
    """Take back what was written down and is not confirmed; nothing was posted."""
    actor.require(Permission.PAYOUTS_PREPARE)
    row = _proposed(session, remittance_id)
    _decide(session, actor, row, RemittanceState.WITHDRAWN)
    _tell(session, actor, "withdrew a tax remittance", row)
    return row


def _open(session: Session, currency: str) -> TaxRemittance | None:
    rows = select(TaxRemittance).where(
        TaxRemittance.state == RemittanceState.PROPOSED, TaxRemittance.currency == currency
    )
    return session.scalars(rows).first()


def _proposed(session: Session, remittance_id: UUID) -> TaxRemittance:
    row = session.get(TaxRemittance, remittance_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise Missing("There is no such remittance.")
    if row.state is not RemittanceState.PROPOSED:
        raise Conflict("Somebody was faster: this remittance is decided already.")
    return row


def _decide(session: Session, actor: Actor, row: TaxRemittance, state: RemittanceState) -> None:
    row.state, row.decided_by, row.decided_at = state, actor.person(), clock.now()
    session.flush()  # The guard of its lifecycle speaks here.


def _tell(session: Session, actor: Actor, verb: str, row: TaxRemittance) -> None:
    facts = {"amount_minor": row.amount_minor, "currency": row.currency, "lines": row.line_count}
    audit.record(session, actor, verb, row.id, **facts)
    outbox.announce(session, f"tax_remittance.{row.state}", row.id, facts)
