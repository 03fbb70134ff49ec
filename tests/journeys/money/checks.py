"""What must be true once everything is at rest, and what a world is compared by."""

from __future__ import annotations

from typing import cast

from sqlalchemy import select, text

from marketplace.billing import queries as billing
from marketplace.db import transaction
from marketplace.ledger import queries as ledger
from marketplace.payouts import queries as payouts
from marketplace.payouts.models import ConnectedPayout, PayoutLine
from marketplace.payouts.rules import ConnectedState, LineState
from tests.journeys.money.world import World

_SUMS = text(
    """
    SELECT a.code, coalesce(sum(e.amount), 0)::bigint AS amount
    FROM ledger_account a JOIN ledger_entry e ON e.account_id = a.id GROUP BY a.code"""
)


def book(world: World) -> dict[str, int]:
    """The sums of all accounts, by codes in which people's and jobs' ids are words.

    Money with specialists' banks is left out by `comparable`: when it left depends on the days.
    """
    words = {str(world.lab.organisation()): "lab"}
    words |= {str(person): f"person {at}" for at, person in enumerate(world.people)}
    words |= {account: f"account {at}" for at, account in enumerate(world.accounts())}
    found: dict[str, int] = {}
    with transaction() as session:
        rows = session.execute(_SUMS).all()
    for code, amount in rows:
        named = code
        for given, word in words.items():
            named = named.replace(given, word)
        if amount:
            found[named] = amount
    return found


def comparable(world: World) -> dict[str, int]:
    """What must be the same at the end of a story, however it went."""
    return {code: amount for code, amount in book(world).items() if not code.startswith("C:")}


def check_at_rest(world: World) -> None:
    """The book is what Stripe holds, each line was paid once, every invariant stands."""
    found = book(world)
    assert world.at_stripe() == found.get("A:stripe:balance:USD", 0)
    assert {} == {code: amount for code, amount in found.items() if code.startswith("L:job:")}
    for at, account in enumerate(world.accounts()):
        custody = [
            found.get(f"C:A:{part}:account {at}:USD", 0) for part in ("connected", "to_bank")
        ]
        assert list(world.held_by(account)) == custody, account
    _check_lines(world)
    _check_payouts(world)
    with transaction() as session:
        assert [] == ledger.broken_invariants(session)
        assert [] == payouts.broken_invariants(session)
        assert [] == billing.broken_invariants(session)


AT_BANK = {
    "in_transit": {ConnectedState.CREATED},
    "paid": {ConnectedState.PAID},
    "failed": {ConnectedState.FAILED, ConnectedState.RETURNED},
}


def _check_payouts(world: World) -> None:
    """Every payout to a bank is where Stripe says it is."""
    with transaction() as session:
        ours = {row.payout_id: row.state for row in session.scalars(select(ConnectedPayout))}
    theirs = world.payouts()
    assert set(ours) == set(theirs)
    strange = {
        payout: (ours[payout], status)
        for payout, status in theirs.items()
        if ours[payout] not in AT_BANK[status]
    }
    assert {} == strange


def _check_lines(world: World) -> None:
    """The transfers that Stripe made are those of the lines that we say were transferred."""
    with transaction() as session:
        sent = select(PayoutLine).where(PayoutLine.state == LineState.TRANSFERRED)
        ours = {
            str(line.id): [(cast(str, line.transfer_id), line.amount_minor)]
            for line in session.scalars(sent)
        }
    assert ours == world.transfers()
