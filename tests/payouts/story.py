"""What the stories about sending share."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.db import transaction
from marketplace.ledger import queries as ledger
from marketplace.ledger.models import LedgerTransaction
from marketplace.ledger.rules import SourceKind
from marketplace.money import Money
from marketplace.payouts.models import PayoutLine
from marketplace.payouts.rules import LineState
from tests.make import payouts as make
from tests.make.billing import Stripe
from tests.make.ledger import usd


def one_line(session: Session, stripe: Stripe) -> PayoutLine:
    """The only line of a released run, with enough money at Stripe."""
    finance = make.finance(session)
    make.a_specialist_to_pay(stripe, usd(90_00))
    stripe.fund(usd(5_000_00))
    return make.lines_of(finance.released())[0]


def reserved(line: PayoutLine) -> Money:
    with transaction() as session:
        code = f"L:spec:{line.specialist_id}:payout_reserved:USD"
        return ledger.balance(session, code)


def available(line: PayoutLine) -> Money:
    with transaction() as session:
        return ledger.balance(session, f"L:spec:{line.specialist_id}:available:USD")


def postings(kind: SourceKind) -> int:
    with transaction() as session:
        rows = select(func.count()).select_from(LedgerTransaction)
        return session.scalars(rows.where(LedgerTransaction.source_kind == kind)).one()


def paid_once(line: PayoutLine, stripe: Stripe) -> bool:
    """One transfer at Stripe, one posting, the line settled by it, nothing left reserved."""
    now = make.line_now(line)
    ids = [transfer.id for transfer in stripe.transfers()]
    return (
        (LineState.TRANSFERRED, ids) == (now.state, [now.transfer_id])
        and postings(SourceKind.TRANSFER) == 1
        and reserved(line) == usd(0)
    )


def later(line: PayoutLine, by: timedelta) -> PayoutLine:
    """What a worker does with the line when that much time has passed."""
    with clock.shifted(by):
        make.send(line)
    return make.line_now(line)
