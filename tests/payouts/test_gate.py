"""Scenario 41: after a restored backup nothing is sent before what it lacks was looked for."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.db import transaction
from marketplace.errors import Conflict
from marketplace.identity.rules import Role
from marketplace.ids import new_id
from marketplace.ledger.rules import SourceKind
from marketplace.payouts import background, queries, rules, service
from marketplace.payouts.background import gate
from marketplace.payouts.rules import GateState, LineState
from tests.make import payouts as make
from tests.make.billing import Stripe, work
from tests.make.ledger import usd
from tests.payouts.story import available, one_line, paid_once, postings

LATER = timedelta(minutes=20)


def made_by_the_lost_database(stripe: Stripe, account: str, run_id: str, line_id: str) -> str:
    """A transfer that our product made after the backup was taken."""
    return stripe.sdk.v1.transfers.create(
        {
            "amount": 90_00,
            "currency": "usd",
            "destination": account,
            "transfer_group": run_id,
            "metadata": {"line_id": line_id, "run_id": run_id, "attempt_id": str(new_id())},
        }
    ).id


def resynced() -> bool:
    """Reconciliation has imported everything."""
    with clock.shifted(LATER), transaction() as tx:
        return service.note_resync(tx, imported_at=clock.now())


def test_scenario_41_a_restored_line_is_adopted_and_never_resent(
    session: Session, stripe: Stripe
) -> None:
    line = one_line(session, stripe)
    made_by_the_lost_database(stripe, line.stripe_account_id, str(line.run_id), str(line.id))
    gate.forget()

    make.send(line)

    assert LineState.UNKNOWN is make.line_now(line).state
    with transaction() as tx:
        assert GateState.CLOSED is service.gate(tx).state
    (transfer,) = stripe.transfers()
    background.resolve_transfer(
        work("payouts.resolve_transfer"), transfer_id=transfer.id, line_id=str(line.id)
    )
    assert paid_once(line, stripe)
    assert resynced()


def test_scenario_41_a_payment_of_a_lost_run_closes_the_gate_until_it_is_settled(
    session: Session, stripe: Stripe
) -> None:
    line = one_line(session, stripe)
    lost = made_by_the_lost_database(stripe, line.stripe_account_id, str(new_id()), str(new_id()))
    gate.forget()

    make.send(line)

    assert LineState.APPROVED is make.line_now(line).state
    assert 0 == postings(SourceKind.TRANSFER)
    # Importing alone does not say whose money it was.
    assert not resynced()
    officer = make.an_officer(session, Role.APPROVER).actor
    with transaction() as tx:
        assert [lost] == [stray.transfer_id for stray in queries.strays(tx, officer)]
        assert "payout_unexplained" == service.hold_code(tx, line.specialist_id)
        service.settle_stray(tx, officer, lost, "Adjustment 7 took it from their balance.")
        assert None is service.hold_code(tx, line.specialist_id)
    with pytest.raises(Conflict), transaction() as tx:
        service.settle_stray(tx, officer, lost, "Adjustment 7 took it from their balance.")
    with clock.shifted(LATER):
        make.send(line)
    assert LineState.TRANSFERRED is make.line_now(line).state
    assert usd(0) == available(line)


def test_a_database_that_went_back_in_time_is_noticed(session: Session, stripe: Stripe) -> None:
    now = clock.now()
    minute = timedelta(minutes=1)

    assert rules.comparison_due(None, now, now)
    assert rules.comparison_due(now, None, now)
    assert rules.comparison_due(now, now - minute, now)
    assert not rules.comparison_due(now - minute, now, now)
    assert rules.comparison_due(now, now, now + rules.FRESH)


def test_an_import_from_before_the_gate_closed_opens_nothing(
    session: Session, stripe: Stripe
) -> None:
    line = one_line(session, stripe)
    made_by_the_lost_database(stripe, line.stripe_account_id, str(line.run_id), str(line.id))
    before = clock.now() - timedelta(seconds=1)
    background.check_gate(work("payouts.check_gate"))

    with transaction() as tx:
        assert not service.note_resync(tx, imported_at=before)
        tx.execute(text("SELECT 1"))
    assert resynced()
