"""Disputes against the served sandbox: held, won once or lost, and specialists never touched."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import Actor
from marketplace.billing import background
from marketplace.billing.background import disputes as following
from marketplace.billing.models import Dispute, TopUp
from marketplace.billing.rules.disputes import MEANS, DisputeNow, DisputeState
from marketplace.billing.service import disputes, refunds
from marketplace.db import transaction
from marketplace.errors import Conflict, Denied, Faulty
from marketplace.identity.rules import Role
from marketplace.ids import OrganisationId
from marketplace.ledger import queries as ledger
from marketplace.ledger import service as book
from tests.make import billing as make
from tests.make import identity
from tests.make.billing import Stripe
from tests.make.ledger import a_job, usd


def contested(stripe: Stripe, lab: Actor, *, inquiry: bool = False) -> tuple[TopUp, str]:
    """A top-up of 100 dollars of which 70 are reserved, and what its payer's bank opened."""
    top_up = make.paid_top_up(lab, usd(100_00))
    top_up = make.refresh(top_up)
    with transaction() as tx:
        book.reserve_for_job(
            tx,
            lab_id=OrganisationId(lab.organisation()),
            job_id=a_job(),
            amount=usd(70_00),
            source_id=f"quote:{top_up.id}",
        )
    charge = stripe.sdk.v1.payment_intents.retrieve(top_up.payment_intent_id or "").latest_charge
    stripe.controls.open_dispute(str(charge), inquiry=inquiry)
    return top_up, stripe.sdk.v1.disputes.list({"limit": 1}).data[0].id


def position(session: Session, lab: Actor) -> tuple[int, int, int]:
    """What is available, held by disputes, and owed."""
    has = ledger.lab_balance(session, OrganisationId(lab.organisation()), "USD")
    return has.available.minor, has.disputed.minor, has.owed.minor


def test_scenario_22_a_lost_dispute_is_owed_and_a_top_up_settles_it(
    session: Session, stripe: Stripe
) -> None:
    lab = make.a_lab(session)
    _, dispute_id = contested(stripe, lab)
    for _ in range(2):
        row = following.follow(dispute_id)

    assert (DisputeState.OPEN, (0, 30_00, 0)) == (row.state, position(session, lab))
    stripe.controls.close_dispute(dispute_id, "lost")
    for _ in range(2):
        row = following.follow(dispute_id)

    assert (DisputeState.LOST, (0, 0, 70_00)) == (row.state, position(session, lab))
    assert usd(15_00) == ledger.balance(session, "E:stripe:dispute_fee:USD")
    make.refresh(make.paid_top_up(lab, usd(100_00)))
    assert (30_00, 0, 0) == position(session, lab)
    assert [] == ledger.broken_invariants(session)


def test_scenario_22_a_win_credits_once_whatever_told_of_it(
    session: Session, stripe: Stripe
) -> None:
    lab = make.a_lab(session)
    top_up, dispute_id = contested(stripe, lab)
    background.poll_disputes(make.work("billing.poll_disputes"))
    for line in stripe.sdk.v1.balance_transactions.list({"type": "adjustment"}).data:
        background.post_line(make.work("billing.post_line"), bt=line.id)
    assert (0, 30_00, 0) == position(session, lab)
    assert [0] == [
        payment.left.minor
        for payment in refunds.payments_of(session, top_up.organisation_id, "USD")
    ]

    stripe.controls.close_dispute(dispute_id, "won")
    for line in stripe.sdk.v1.balance_transactions.list({"type": "adjustment"}).data:
        background.post_line(make.work("billing.post_line"), bt=line.id)
    row = following.follow(dispute_id)

    assert (DisputeState.WON, (30_00, 0, 0)) == (row.state, position(session, lab))
    assert [] == ledger.broken_invariants(session)


def test_an_inquiry_posts_nothing_until_it_is_a_dispute(session: Session, stripe: Stripe) -> None:
    lab = make.a_lab(session)
    _, dispute_id = contested(stripe, lab, inquiry=True)
    row = following.follow(dispute_id)
    assert (DisputeState.INQUIRY, (30_00, 0, 0)) == (row.state, position(session, lab))

    stripe.controls.close_dispute(dispute_id, "escalated")
    assert DisputeState.OPEN is following.follow(dispute_id).state
    assert (0, 30_00, 0) == position(session, lab)


def test_finance_answers_with_evidence(session: Session, stripe: Stripe) -> None:
    lab = make.a_lab(session)
    _, dispute_id = contested(stripe, lab)
    row = following.follow(dispute_id)
    desk = identity.staff(session, Role.RECONCILER)
    with pytest.raises(Faulty):
        background.submit_evidence(desk, row.id, "no")

    words = "They bought judgements on 3 May; the contract and their letter show it."
    background.submit_evidence(desk, row.id, words)

    sent = stripe.sdk.v1.disputes.retrieve(dispute_id)
    assert (words, "under_review") == (sent.evidence.uncategorized_text, sent.status)
    with pytest.raises(Conflict):
        background.submit_evidence(desk, row.id, words)


def test_two_people_write_off_what_will_not_come(session: Session, stripe: Stripe) -> None:
    lab = make.a_lab(session)
    organisation = OrganisationId(lab.organisation())
    _, dispute_id = contested(stripe, lab)
    stripe.controls.close_dispute(dispute_id, "lost")
    following.follow(dispute_id)
    both = identity.staff(session, Role.RECONCILER, Role.APPROVER)
    approver = identity.staff(session, Role.APPROVER)

    with transaction() as tx:
        proposal = disputes.propose_write_off(
            tx, both, organisation, "USD", reason="The lab was wound up in May."
        )
    with pytest.raises(Conflict), transaction() as tx:
        disputes.propose_write_off(
            tx, both, organisation, "USD", reason="The lab was wound up in May."
        )
    with pytest.raises(Denied), transaction() as tx:
        disputes.decide_write_off(tx, both, proposal.id, approve=True)
    with transaction() as tx:
        disputes.decide_write_off(tx, approver, proposal.id, approve=True)

    assert (0, 0, 0) == position(session, lab)
    assert usd(70_00) == ledger.balance(session, "E:chargeback_loss:USD")


def test_a_status_that_nobody_knows_moves_nothing(session: Session) -> None:
    assert {"needs_response", "won", "lost", "prevented"} <= set(MEANS)
    seen = DisputeNow(
        id="dp_new",
        status="settled_by_robots",
        reason="general",
        amount=usd(10_00),
        charge_id="ch_nobody",
        payment_intent_id=None,
        evidence_due_at=None,
        has_evidence=False,
        opened_at=clock.now(),
    )
    row: Dispute = disputes.record_dispute(session, seen)

    assert (DisputeState.INQUIRY, None, "settled_by_robots") == (
        row.state,
        row.organisation_id,
        row.status,
    )
