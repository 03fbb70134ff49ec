"""Transfers: a lab's by exact reference, else nobody's until two people have said so."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.billing import queries, service
from marketplace.billing.models import CashProposal, CashReceipt
from marketplace.billing.rules.cash import CashState, ProposalKind, ProposalState
from marketplace.billing.rules.invoices import InvoiceState
from marketplace.errors import Conflict, Denied, Faulty
from marketplace.identity.rules import Role
from marketplace.ids import OrganisationId
from marketplace.ledger import queries as ledger
from marketplace.money import Money
from tests.make import identity, invoices
from tests.make.ledger import usd


def unapplied(session: Session) -> Money:
    return ledger.balance(session, "L:unapplied:USD")


def test_a_transfer_that_names_its_lab_is_its_money(session: Session, irish: None) -> None:
    lab = invoices.a_buyer(session)
    reference = service.lab_reference(session, OrganisationId(lab.organisation()))

    receipt = invoices.wired(session, usd(1_000_00), f"/ROC/{reference[:6]} {reference[6:]}//X")
    again = invoices.wired(
        session, usd(1_000_00), f"/ROC/{reference}//X", source_id=receipt.source_id
    )

    assert (CashState.SETTLED, receipt.id) == (receipt.state, again.id)
    assert (usd(1_000_00), usd(0)) == (invoices.available(session, lab), unapplied(session))
    assert usd(1_000_00) == ledger.balance(session, "A:bank:client_funds:USD")
    with pytest.raises(Conflict):
        invoices.wired(session, usd(1), reference, source_id=receipt.source_id)


def test_scenario_37_short_by_a_bank_fee_leaves_the_invoice_open(
    session: Session, irish: None
) -> None:
    lab = invoices.a_buyer(session)
    invoice, reference = invoices.asked_for(session, lab, usd(1_000_00))

    invoices.wired(session, usd(985_00), reference)

    view = queries.invoice_of(session, lab, invoice.id)
    assert (InvoiceState.PARTLY_PAID, usd(985_00), usd(15_00)) == (
        invoice.state,
        view.paid,
        view.open,
    )
    assert usd(985_00) == invoices.available(session, lab)

    more = invoices.wired(session, usd(20_00), reference)

    assert (InvoiceState.PAID, CashState.UNAPPLIED, usd(5_00)) == (
        invoice.state,
        more.state,
        more.left,
    )
    assert (usd(1_000_00), usd(5_00)) == (invoices.available(session, lab), unapplied(session))
    assert [] == queries.broken_documents(session)


def test_scenario_37_a_wrong_reference_is_never_guessed(session: Session, irish: None) -> None:
    lab = invoices.a_buyer(session)
    invoice, reference = invoices.asked_for(session, lab, usd(1_000_00))
    own = service.lab_reference(session, OrganisationId(lab.organisation()))
    last = str((int(reference[-1]) + 1) % 10)

    texts = ["", invoice.reference, reference[:-1] + last, f"{reference} {own}", "RF44000000"]
    receipts = [invoices.wired(session, usd(1_000_00), words) for words in texts]

    assert [CashState.UNAPPLIED] * 5 == [receipt.state for receipt in receipts]
    assert "check digits" in receipts[2].note
    assert "several references" in receipts[3].note
    assert (usd(0), usd(5_000_00)) == (invoices.available(session, lab), unapplied(session))
    assert InvoiceState.OPEN is invoice.state


def test_another_currency_does_not_pay_an_invoice(session: Session, irish: None) -> None:
    lab = invoices.a_buyer(session)
    _, reference = invoices.asked_for(session, lab, usd(1_000_00))

    receipt = invoices.wired(session, Money(1_000_00, "EUR"), reference)

    assert (CashState.UNAPPLIED, True) == (receipt.state, "is in USD" in receipt.note)


def desk(session: Session) -> tuple[Actor, Actor]:
    return identity.staff(session, Role.RECONCILER), identity.staff(session, Role.APPROVER)


def proposed(
    session: Session, who: Actor, receipt: CashReceipt, kind: ProposalKind, lab: Actor | None = None
) -> CashProposal:
    return service.propose_cash(
        session,
        who,
        receipt.id,
        kind,
        evidence="Their message of 3 May names the amount and the day.",
        organisation_id=OrganisationId(lab.organisation()) if lab else None,
    )


def test_two_people_apply_what_nobody_knows(session: Session, irish: None) -> None:
    lab = invoices.a_buyer(session)
    reconciler, approver = desk(session)
    both = identity.staff(session, Role.RECONCILER, Role.APPROVER)
    receipt = invoices.wired(session, usd(1_000_00), "no reference")
    with pytest.raises(Denied):
        proposed(session, lab, receipt, ProposalKind.APPLY, lab)
    with pytest.raises(Faulty):
        proposed(session, reconciler, receipt, ProposalKind.APPLY)

    mine = proposed(session, both, receipt, ProposalKind.APPLY, lab)
    with pytest.raises(Denied):
        service.decide_cash(session, both, mine.id, approve=True)
    service.decide_cash(session, approver, mine.id, approve=False)
    assert (ProposalState.REJECTED, CashState.UNAPPLIED) == (mine.state, receipt.state)
    second = proposed(session, reconciler, receipt, ProposalKind.APPLY, lab)
    with pytest.raises(Conflict):
        proposed(session, reconciler, receipt, ProposalKind.SEND_BACK)
    service.decide_cash(session, approver, second.id, approve=True)

    assert (CashState.SETTLED, usd(1_000_00)) == (receipt.state, invoices.available(session, lab))
    with pytest.raises(Conflict):
        service.decide_cash(session, approver, second.id, approve=True)
    assert [] == queries.broken_documents(session)


def test_what_is_nobodys_goes_back(session: Session, irish: None) -> None:
    reconciler, approver = desk(session)
    receipt = invoices.wired(session, usd(1_000_00), "no reference")
    proposal = proposed(session, reconciler, receipt, ProposalKind.SEND_BACK)

    service.decide_cash(session, approver, proposal.id, approve=True)

    assert (CashState.SETTLED, usd(0)) == (receipt.state, unapplied(session))
    assert usd(0) == ledger.balance(session, "A:bank:client_funds:USD")
    assert [] == queries.broken_documents(session)
