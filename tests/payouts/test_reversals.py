"""Taking a transfer back: two people, one reversal at Stripe, one posting."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.db import transaction
from marketplace.errors import Conflict, Denied, Faulty
from marketplace.identity.rules import Role
from marketplace.ledger import queries as ledger
from marketplace.ledger.rules import SourceKind
from marketplace.money import Money
from marketplace.payouts import background, queries, service
from marketplace.payouts.models import PayoutLine, PayoutReversal
from marketplace.payouts.rules import BankState, OwnReversal, ReversalReason, ReversalState
from tests.make import payouts as make
from tests.make.billing import Stripe, work
from tests.make.ledger import usd
from tests.payouts.story import available, one_line, postings

WHY = "Paid to an account that is not theirs."


class Pair:
    """Who asks and who approves, and a line that was sent."""

    def __init__(self, session: Session, stripe: Stripe) -> None:
        self.session, self.stripe = session, stripe
        line = one_line(session, stripe)
        make.send(line)
        self.line = make.line_now(line)
        self.asker = make.an_officer(session, Role.PREPARER)

    def asked(self, amount: Money | None = None, *, hold: bool = False) -> PayoutReversal:
        with transaction() as tx:
            return service.ask_reversal(
                tx,
                self.asker.actor,
                self.line.id,
                amount=amount or self.line.amount,
                why=ReversalReason.WRONG_PAYEE,
                note=WHY,
                hold=hold,
            )

    def approved(self, amount: Money | None = None, *, hold: bool = False) -> PayoutReversal:
        asked = self.asked(amount, hold=hold)
        # Another each time, since a code is good once.
        approver = make.an_officer(self.session, Role.APPROVER)
        with transaction() as tx:
            return service.approve_reversal(tx, approver.actor, asked.id, approver.code())

    def made(self) -> int:
        """How many reversals Stripe has."""
        assert self.line.transfer_id is not None
        return len(self.stripe.sdk.v1.transfers.reversals.list(self.line.transfer_id).data)


def called(row: PayoutReversal, later: timedelta = timedelta()) -> PayoutReversal:
    """What a worker does with it."""
    with clock.shifted(later):
        background.take_back(work("payouts.take_back"), reversal_id=str(row.id))
    with transaction() as tx:
        return tx.get_one(PayoutReversal, row.id)


def line_now(pair: Pair) -> PayoutLine:
    return make.line_now(pair.line)


def all_is_well() -> None:
    with transaction() as tx:
        assert [] == [*ledger.broken_invariants(tx), *queries.broken_invariants(tx)]


@pytest.mark.parametrize("hold", [False, True])
def test_two_people_take_a_transfer_back(session: Session, stripe: Stripe, hold: bool) -> None:
    pair = Pair(session, stripe)

    row = called(pair.approved(hold=hold))

    part = "held" if hold else "available"
    with transaction() as tx:
        back = ledger.balance(tx, f"L:spec:{pair.line.specialist_id}:{part}:USD")
    assert (ReversalState.REVERSED, 1, usd(90_00)) == (row.state, pair.made(), back)
    assert (BankState.REVERSED, 90_00) == (
        line_now(pair).bank_state,
        line_now(pair).reversed_minor,
    )
    all_is_well()


def test_a_part_comes_back_and_the_rest_stays(session: Session, stripe: Stripe) -> None:
    pair = Pair(session, stripe)

    called(pair.approved(usd(30_00)))
    called(pair.approved(usd(60_00)))

    assert (90_00, BankState.REVERSED) == (
        line_now(pair).reversed_minor,
        line_now(pair).bank_state,
    )
    with pytest.raises(Faulty):
        pair.asked(usd(1))
    all_is_well()


def test_whoever_asked_does_not_approve(session: Session, stripe: Stripe) -> None:
    pair = Pair(session, stripe)
    both = make.an_officer(session, Role.PREPARER, Role.APPROVER)
    pair.asker = both
    row = pair.asked()

    with pytest.raises(OwnReversal), transaction() as tx:
        service.approve_reversal(tx, both.actor, row.id, both.code())
    with pytest.raises(IntegrityError), transaction() as tx:
        tx.get_one(PayoutReversal, row.id).approved_by = both.actor.person()
    with pytest.raises(Conflict):
        pair.asked(usd(1_00))
    auditor = make.an_officer(session, Role.AUDITOR).actor
    with pytest.raises(Denied), transaction() as tx:
        service.cancel_reversal(tx, auditor, row.id)
    with transaction() as tx:
        service.cancel_reversal(tx, both.actor, row.id)
    assert 0 == pair.made()


def test_scenario_20_what_has_left_the_account_cannot_be_taken_back(
    session: Session, stripe: Stripe
) -> None:
    pair = Pair(session, stripe)
    stripe.controls.advance(2 * 86_400)

    row = called(pair.approved())

    assert (ReversalState.REJECTED, "balance_insufficient") == (row.state, row.reason_code)
    assert "netted from what they earn next" in (row.reason or "")
    assert (0, usd(0)) == (line_now(pair).reversed_minor, available(pair.line))
    assert 0 == postings(SourceKind.TRANSFER_REVERSAL)
    all_is_well()


@pytest.mark.parametrize("fault", ["drop", "drop_before"])
def test_silence_is_settled_under_the_same_key(
    session: Session, stripe: Stripe, fault: str
) -> None:
    pair = Pair(session, stripe)
    row = pair.approved()
    path = f"/v1/transfers/{pair.line.transfer_id}/reversals"
    stripe.controls.fault(fault, method="POST", path=path, count=3)

    assert ReversalState.UNKNOWN is called(row).state
    assert ReversalState.REVERSED is called(row, timedelta(minutes=10)).state
    assert (1, 1) == (pair.made(), postings(SourceKind.TRANSFER_REVERSAL))
    all_is_well()


def test_an_old_key_is_listed_and_found_or_proven_absent(session: Session, stripe: Stripe) -> None:
    pair = Pair(session, stripe)
    row = pair.approved(usd(30_00))
    path = f"/v1/transfers/{pair.line.transfer_id}/reversals"
    stripe.controls.fault("drop", method="POST", path=path, count=3)
    called(row)
    stripe.controls.clear_faults()

    assert ReversalState.REVERSED is called(row, timedelta(hours=26)).state

    second = pair.approved(usd(60_00))
    stripe.controls.fault("drop_before", method="POST", path=path, count=3)
    called(second)
    stripe.controls.clear_faults()
    ended = called(second, timedelta(hours=26))
    assert (ReversalState.REJECTED, "absent") == (ended.state, ended.reason_code)
    assert 1 == pair.made()


def test_a_line_of_the_balance_settles_what_it_is_about(session: Session, stripe: Stripe) -> None:
    pair = Pair(session, stripe)
    row = pair.approved()
    with transaction() as tx:
        assert service.claim_reversal(tx, row.id) is not None
    made = stripe.sdk.v1.transfers.reversals.create(
        pair.line.transfer_id or "",
        {"amount": 90_00, "metadata": {"reversal_id": str(row.id)}},
        {"idempotency_key": str(row.id)},
    )

    background.post_line(work("payouts.post_line"), bt=str(made.balance_transaction))

    with transaction() as tx:
        assert ReversalState.REVERSED is tx.get_one(PayoutReversal, row.id).state
    assert 1 == postings(SourceKind.TRANSFER_REVERSAL)


def test_a_key_that_was_used_for_something_else_ends_nothing(
    session: Session, stripe: Stripe
) -> None:
    pair = Pair(session, stripe)
    row = pair.approved()
    stripe.sdk.v1.transfers.reversals.create(
        pair.line.transfer_id or "",
        {"amount": 1, "metadata": {"reversal_id": str(row.id)}},
        {"idempotency_key": str(row.id)},
    )

    background.take_back(work("payouts.take_back"), reversal_id=str(row.id))

    with transaction() as tx:
        assert ReversalState.UNKNOWN is tx.get_one(PayoutReversal, row.id).state
