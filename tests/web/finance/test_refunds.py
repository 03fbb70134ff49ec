"""Finance's pages of refunds and disputes: two people, and what a lab owes."""

from __future__ import annotations

from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.billing.models import TopUp, WriteOff
from marketplace.billing.rules.disputes import DisputeLine, DisputeNow
from marketplace.billing.rules.refunds import RefundState
from marketplace.billing.service import disputes, refunds
from marketplace.identity.rules import Role
from marketplace.money import Money
from tests.make import invoices
from tests.make.billing import settled_top_up
from tests.web.finance.conftest import Hire
from tests.web.pages import checked, text_of


def lost(top_up: TopUp, status: str) -> DisputeNow:
    line = DisputeLine("txn_took", -top_up.amount, Money(15_00, "USD"), clock.now())
    return DisputeNow(
        id="dp_1",
        status=status,
        reason="fraudulent",
        amount=top_up.amount,
        charge_id="ch_1",
        payment_intent_id=top_up.payment_intent_id,
        evidence_due_at=clock.now(),
        has_evidence=False,
        opened_at=clock.now(),
        lines=(line,),
    )


def test_a_large_refund_and_a_debt_each_take_two_people(session: Session, hire: Hire) -> None:
    lab = invoices.a_buyer(session)
    settled_top_up(session, lab, Money(2_000_00, "USD"))
    (refund,) = refunds.ask_refund(session, lab, Money(1_500_00, "USD"))
    approver = hire(Role.APPROVER, factor=False)
    reconciler = hire(Role.RECONCILER, factor=False)
    session.flush()

    assert "$1,500.00" in text_of(checked(approver.browser.get("/finance/refunds")))
    decide = f"/finance/refunds/{refund.request_id}"
    assert 403 == reconciler.browser.post(f"{decide}/approve").status_code
    assert 422 == approver.browser.post(f"{decide}/refuse", {"note": ""}).status_code
    assert 303 == approver.browser.post(f"{decide}/refuse", {"note": "Ask again."}).status_code
    session.expire_all()
    assert RefundState.REFUSED is refund.state

    top_up = settled_top_up(session, lab, Money(100_00, "USD"))
    row = disputes.record_dispute(session, lost(top_up, "needs_response"))
    listed = text_of(checked(reconciler.browser.get("/finance/disputes")))
    assert "the holder of the card does not know the payment" in listed
    one = text_of(checked(reconciler.browser.get(f"/finance/disputes/{row.id}")))
    assert "Answer the bank" in one


def test_what_a_lab_owes_is_written_off_by_two(session: Session, hire: Hire) -> None:
    lab = invoices.a_buyer(session)
    top_up = settled_top_up(session, lab, Money(900_00, "USD"))
    refunds.ask_refund(session, lab, Money(800_00, "USD"))
    disputes.record_dispute(session, lost(top_up, "needs_response"))
    disputes.record_dispute(session, lost(top_up, "lost"))
    both = hire(Role.RECONCILER, Role.APPROVER, factor=False)
    approver = hire(Role.APPROVER, factor=False)
    session.flush()

    assert "$800.00" in text_of(checked(both.browser.get("/finance/disputes")))
    typed: dict[str, object] = {
        "organisation_id": str(lab.organisation()),
        "currency": "USD",
        "reason": "The lab was wound up in May.",
    }
    assert 303 == both.browser.post("/finance/write-offs", typed).status_code
    decide = f"/finance/write-offs/{session.query(WriteOff).one().id}/approve"
    assert 403 == both.browser.post(decide).status_code
    assert 303 == approver.browser.post(decide).status_code
    assert "No lab owes us anything" in text_of(checked(approver.browser.get("/finance/disputes")))
