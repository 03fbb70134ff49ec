"""What must be true once everything is at rest, and what a world is compared by."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

from sqlalchemy import select, text

from marketplace.actor import SYSTEM
from marketplace.billing import queries as billing
from marketplace.db import transaction
from marketplace.ledger import queries as ledger
from marketplace.ledger import service as ledger_service
from marketplace.ledger.models import LedgerAccount
from marketplace.ledger.queries import BalanceAssertion
from marketplace.money import Money, parse_money
from marketplace.payouts import queries as payouts
from marketplace.payouts.models import ConnectedPayout, PayoutLine
from marketplace.payouts.rules import ConnectedState, LineState
from tests.journeys.money.world import World
from tests.make import background

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


def audited_file(world: World) -> str:
    """The book as an outside auditor gets it, held to what Stripe and the bank say they hold."""
    background.number_facts()
    on = ledger_service.book_today() + timedelta(days=1)
    said = [BalanceAssertion(on, *each) for each in _statements(world)]
    with transaction() as session:
        return "\n".join(ledger.beancount(session, SYSTEM, said)) + "\n"


def _statements(world: World) -> list[tuple[str, Money, str]]:
    """Account by its code, what its keeper says is on it, and the name of that statement."""
    sdk = world.stripe.sdk
    stated = []
    for account in ("", *world.accounts()):
        options: Any = {"stripe_account": account} if account else {}
        balance = sdk.v1.balance.retrieve({}, options).to_dict()
        names = ("available", "pending", "connect_reserved")
        parts = [part for name in names for part in balance.get(name, ())]
        held = sum(part["amount"] for part in parts if part["currency"] == "usd")
        code = f"C:A:connected:{account}:USD" if account else "A:stripe:balance:USD"
        stated.append((code, Money(held, "USD"), "GET /v1/balance"))
    last = world.stripe.controls.statement("csv").decode().splitlines()[-1]
    closing = parse_money(last.split(",")[-2], "USD")
    stated.append(("A:bank:client_funds:USD", closing, "the bank's statement"))
    with transaction() as session:
        known = set(session.scalars(select(LedgerAccount.code)))
    return [each for each in stated if each[0] in known]


def bean_check(text_of_file: str, folder: Path) -> None:
    """The outside auditor accepts the file."""
    file = folder / "book.beancount"
    file.write_text(text_of_file, encoding="utf-8")
    program = Path(sys.executable).parent / "bean-check"
    verdict = subprocess.run([program, file], capture_output=True, text=True, check=False)
    assert (0, "") == (verdict.returncode, verdict.stderr), verdict.stderr


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
