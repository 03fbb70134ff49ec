"""Builders of specialists' money: payout lines as they were, and people with a second hat."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import Actor
from marketplace.identity import rules as identity_rules
from marketplace.identity.rules import Role
from marketplace.ids import PayoutLineId, PersonId, new_id
from marketplace.money import Money
from marketplace.payouts.models import PayoutApproval, PayoutLine, PayoutRun
from marketplace.payouts.rules import LineState, RunState
from tests.make import identity


def acting(someone: Actor, *roles: Role) -> Actor:
    """The same person with other roles."""
    allowed = frozenset(str(each) for each in identity_rules.permissions_of(roles))
    return replace(someone, permissions=allowed)


def an_old_line(
    session: Session,
    person: PersonId,
    amount: Money,
    *,
    withheld: Money | None = None,
    sent: bool = True,
    days_ago: int = 0,
) -> PayoutLineId:
    """A line in a run of its own, sent or still a draft; the ledger is for the caller to post."""
    now = clock.now() - timedelta(days=days_ago)
    run = _run(session, amount, now)
    line = PayoutLine(
        id=new_id(),
        run_id=run.id,
        specialist_id=person,
        stripe_account_id=f"acct_{person.hex[16:]}",
        payee_version=1,
        amount_minor=amount.minor,
        currency=amount.currency,
        state=LineState.DRAFT,
        since=now,
        next_look_at=now,
        withheld_minor=withheld.minor if withheld else 0,
    )
    session.add(line)
    session.flush()
    if sent:
        _released(session, run, line)
        line.state = LineState.TRANSFERRED
        line.transfer_id, line.balance_transaction_id = f"tr_{line.id.hex}", f"txn_{line.id.hex}"
        line.destination_amount_minor, line.destination_currency = amount.minor, amount.currency
        line.ended_at = now
    session.flush()
    if sent:
        run.state, run.ended_at = RunState.SENT, now
    session.flush()
    return cast("PayoutLineId", line.id)


def _released(session: Session, run: PayoutRun, line: PayoutLine) -> None:
    """Bring both to where a line is sent; the guards of their lifecycles want each step."""
    approver = PersonId(identity.person(session).id)
    session.add(
        PayoutApproval(
            id=new_id(),
            run_id=run.id,
            person_id=approver,
            content_sha256=run.content_sha256,
            at=run.prepared_at,
            total_minor=run.total_minor,
            day_used_minor=0,
        )
    )
    session.flush()  # Its signature counts when it is approved.
    run.state, run.approved_by = RunState.APPROVED, approver
    run.approved_at, run.approved_sha256 = run.prepared_at, run.content_sha256
    line.state = LineState.APPROVED
    session.flush()
    run.state, run.released_by = RunState.RELEASING, run.prepared_by
    run.released_at = run.prepared_at
    session.flush()
    line.state = LineState.SUBMITTING
    session.flush()


def _run(session: Session, amount: Money, now: datetime) -> PayoutRun:
    """A draft of one line, in a year of its own."""
    last = session.scalar(select(func.max(PayoutRun.number)).where(PayoutRun.year == 1999)) or 0
    run = PayoutRun(
        id=new_id(),
        year=1999,
        number=last + 1,
        reference=f"PO-1999-{last + 1:04d}",
        currency=amount.currency,
        minimum_minor=1,
        state=RunState.DRAFT,
        content_sha256="",
        line_count=1,
        total_minor=amount.minor,
        prepared_by=identity.person(session).id,
        prepared_at=now,
        version=1,
    )
    session.add(run)
    session.flush()
    return run
