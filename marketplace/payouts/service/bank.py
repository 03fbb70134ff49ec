"""What the bank did after a transfer: Stripe's payouts from specialists' accounts, posted as
custody, and where each line's money is. What was fetched is kept; nothing regresses."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace import audit, clock, mail, outbox, settings
from marketplace.actor import SYSTEM
from marketplace.identity import queries as identity
from marketplace.ids import PersonId, new_id
from marketplace.ledger import service as ledger
from marketplace.payouts import rules
from marketplace.payouts.models import (
    ConnectedPayout,
    ConnectedPayoutPart,
    PayeeAccount,
    PayoutLine,
)
from marketplace.payouts.rules import BankPayout, BankState, ConnectedState, LineState, PayoutPart

UNKNOWN_STATUS = "Stripe calls it “{}”, which this version does not know."
NOBODYS = "No payee of ours has this account."
UNFUNDED = "More left the account than our transfers brought there."
RETIRED = "The bank returned it to an account that its specialist no longer uses."


def record_bank_payout(
    session: Session, payout: BankPayout, held: Sequence[tuple[UUID, str]] = ()
) -> ConnectedPayout:
    """Keep a payout as it was fetched, post its steps, and move the lines whose money it holds.

    held: the lines in it, each with the balance transaction of the account that says so. What
    cannot be explained is kept in `trouble` and announced; it never raises for that.
    """
    row = _locked(session, payout)
    known = None if row.stripe_status == "" else row.state
    steps = rules.steps_to(known, payout.status, reversed_=payout.reversed_by is not None)
    row.read_at, row.stripe_status = clock.now(), payout.status
    row.arrives_on, row.trace_id = payout.arrives_on, payout.trace_id
    row.failure_code, row.failure_message = payout.failure_code, payout.failure_message
    _keep_parts(session, row, held)
    for step in steps or ():
        _enter(session, row, step)
    # Lines are locked before the book, as they are by whoever takes a transfer back.
    _move_lines(session, row)
    trouble = UNKNOWN_STATUS.format(payout.status) if steps is None else _posted(session, row)
    _tell_trouble(session, row, trouble or _retired(session, row))
    return row


def _locked(session: Session, payout: BankPayout) -> ConnectedPayout:
    """The payout's row, locked; made with no status where it was never seen."""
    now = clock.now()
    session.execute(
        insert(ConnectedPayout)
        .values(
            id=new_id(),
            payout_id=payout.payout_id,
            stripe_account_id=payout.account,
            specialist_id=specialist_of(session, payout.account),
            amount_minor=payout.amount.minor,
            currency=payout.amount.currency,
            state=ConnectedState.CREATED,
            stripe_status="",
            automatic=payout.automatic,
            made_at=payout.made_at,
            since=now,
            read_at=now,
        )
        .on_conflict_do_nothing(index_elements=["payout_id"])
    )
    named = select(ConnectedPayout).where(ConnectedPayout.payout_id == payout.payout_id)
    row = session.scalars(named.with_for_update().execution_options(populate_existing=True)).one()
    row.specialist_id = row.specialist_id or specialist_of(session, payout.account)
    return row


def specialist_of(session: Session, account: str) -> PersonId | None:
    """Whose account at Stripe it is, or was when a line was sent to it; None for nobody's."""
    owner = session.scalar(
        select(PayeeAccount.person_id).where(PayeeAccount.stripe_account_id == account)
    )
    if owner is None:
        owner = session.scalar(
            select(PayoutLine.specialist_id)
            .where(PayoutLine.stripe_account_id == account)
            .where(PayoutLine.state == LineState.TRANSFERRED)
            .limit(1)
        )
    return PersonId(owner) if owner is not None else None


def _keep_parts(session: Session, row: ConnectedPayout, held: Sequence[tuple[UUID, str]]) -> None:
    for line_id, balance_transaction_id in held:
        session.execute(
            insert(ConnectedPayoutPart)
            .values(
                connected_payout_id=row.id,
                line_id=line_id,
                balance_transaction_id=balance_transaction_id,
            )
            .on_conflict_do_nothing()
        )


def _enter(session: Session, row: ConnectedPayout, step: ConnectedState) -> None:
    if row.state is not step:
        row.state, row.since = step, clock.now()
        session.flush()  # The database checks each step of the lifecycle by itself.
    facts = {"amount_minor": row.amount_minor, "currency": row.currency}
    outbox.announce(session, f"bank_payout.{step}", row.id, facts)
    if step in rules.BACK:
        _write(session, row)


def _posted(session: Session, row: ConnectedPayout) -> str | None:
    """Post every step so far, each once; why it could not, in words."""
    if row.specialist_id is None:
        return NOBODYS
    on = clock.book_day(clock.now(), settings.current().book_timezone)
    try:
        with session.begin_nested():
            for step in _path(row.state):
                ledger.record_connected_payout(
                    session,
                    step=rules.POSTED_AS[step],
                    payout_id=row.payout_id,
                    specialist_id=row.specialist_id,
                    connected_account=row.stripe_account_id,
                    amount=row.amount,
                    effective_on=on,
                )
    except (ledger.InsufficientFunds, ledger.NothingToAnswer):
        return UNFUNDED
    return None


def _path(state: ConnectedState) -> list[ConnectedState]:
    path = [ConnectedState.CREATED]
    if state in {ConnectedState.RETURNED, ConnectedState.REVERSED}:
        path.append(ConnectedState.PAID)
    return path if state is ConnectedState.CREATED else [*path, state]


def _retired(session: Session, row: ConnectedPayout) -> str | None:
    """Money that came back where nobody will send it on by itself needs a person."""
    if row.state not in rules.BACK:
        return None
    payee = session.scalars(
        select(PayeeAccount).where(PayeeAccount.stripe_account_id == row.stripe_account_id)
    ).first()
    gone = payee is None or (payee.disabled_reason or "").startswith("rejected")
    return RETIRED if gone else None


def _tell_trouble(session: Session, row: ConnectedPayout, trouble: str | None) -> None:
    if trouble == row.trouble:
        return
    row.trouble = trouble
    if trouble is not None:
        audit.record(session, SYSTEM, "met trouble with a payout to a bank", row.id)
        outbox.announce(session, "bank_payout.trouble", row.id, {"payout_id": row.payout_id})


def _move_lines(session: Session, row: ConnectedPayout) -> None:
    target = rules.LINES_AT_BANK[row.state]
    mine = select(ConnectedPayoutPart.line_id).where(
        ConnectedPayoutPart.connected_payout_id == row.id
    )
    lines = session.scalars(
        select(PayoutLine)
        .where(PayoutLine.id.in_(mine), PayoutLine.state == LineState.TRANSFERRED)
        .order_by(PayoutLine.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    for line in lines:
        if _newest_payout(session, line.id) == row.id:
            walk(session, line, target)


def _newest_payout(session: Session, line_id: UUID) -> UUID | None:
    """The last payout that holds a line: what an earlier one is says nothing any more."""
    return session.scalar(
        select(ConnectedPayout.id)
        .join(ConnectedPayoutPart, ConnectedPayoutPart.connected_payout_id == ConnectedPayout.id)
        .where(ConnectedPayoutPart.line_id == line_id)
        .order_by(ConnectedPayout.made_at.desc(), ConnectedPayout.payout_id.desc())
        .limit(1)
    )


def walk(session: Session, line: PayoutLine, target: BankState) -> None:
    """Bring a line to where its money is, step by step; a step that cannot be is left out."""
    if line.bank_state is target:
        return
    if target in rules.BANK_NEXT[line.bank_state]:
        steps = [target]
    elif BankState.PENDING in rules.BANK_NEXT[line.bank_state]:
        steps = [BankState.PENDING, target]
    else:
        return
    for step in steps:
        line.bank_state, line.bank_since = step, clock.now()
        session.flush()  # The database checks each step by itself.
    if target is BankState.REVERSED:
        return  # Whoever takes it back tells how much.
    facts = {"run_id": line.run_id, "amount_minor": line.amount_minor, "currency": line.currency}
    person = line.specialist_id
    outbox.announce(session, f"payout.{target}", line.id, facts, person_id=person)


def _write(session: Session, row: ConnectedPayout) -> None:
    """Tell the specialist that their bank did not take the money, and what to do."""
    if row.specialist_id is None or row.state is ConnectedState.CANCELLED:
        return
    to = identity.addressees(session, [row.specialist_id]).get(row.specialist_id)
    if to is not None:
        mail.send(
            session,
            to=to.email,
            template="payout_returned",
            name=to.name,
            amount=str(row.amount),
            reason=row.failure_message or "The bank gave no reason.",
            path="/work/earnings",
        )


def lines_of_parts(session: Session, parts: Sequence[PayoutPart]) -> dict[str, list[UUID]]:
    """For each balance transaction: the lines that it holds; none for parts not yet known."""
    payments = {part.payment_id: part for part in parts if part.payment_id is not None}
    found: dict[str, list[UUID]] = {}
    rows = select(PayoutLine.id, PayoutLine.destination_payment_id).where(
        PayoutLine.destination_payment_id.in_(payments)
    )
    for line_id, payment_id in session.execute(rows):
        found[payments[payment_id or ""].balance_transaction_id] = [line_id]
    for part in parts:
        if part.returned is not None:
            found[part.balance_transaction_id] = _held_by(session, part.returned)
    return found


def _held_by(session: Session, payout_id: str) -> list[UUID]:
    rows = (
        select(ConnectedPayoutPart.line_id)
        .join(ConnectedPayout, ConnectedPayout.id == ConnectedPayoutPart.connected_payout_id)
        .where(ConnectedPayout.payout_id == payout_id)
    )
    return list(session.scalars(rows.order_by(ConnectedPayoutPart.line_id)))


def name_payment(session: Session, transfer_id: str, payment_id: str) -> UUID | None:
    """Keep what a transfer became on its account; the line, None where no line has it."""
    line = session.scalars(
        select(PayoutLine).where(PayoutLine.transfer_id == transfer_id).with_for_update()
    ).first()
    if line is None:
        return None
    line.destination_payment_id = payment_id
    return line.id


def accounts_to_read(session: Session, *, after: str = "", limit: int = 500) -> list[str]:
    """Accounts where money is still at Stripe or on its way, or was paid so lately that the bank
    may return it; in order, after: the last one had."""
    lately = clock.now() - rules.RETURNED_WITHIN
    waits = or_(
        PayoutLine.bank_state.is_(None),
        PayoutLine.bank_state.in_((BankState.PENDING, BankState.FAILED)),
        (PayoutLine.bank_state == BankState.PAID) & (PayoutLine.bank_since > lately),
    )
    rows = (
        select(PayoutLine.stripe_account_id)
        .where(PayoutLine.state == LineState.TRANSFERRED, waits)
        .where(PayoutLine.stripe_account_id > after)
        .group_by(PayoutLine.stripe_account_id)
        .order_by(func.min(PayoutLine.stripe_account_id))
        .limit(limit)
    )
    return list(session.scalars(rows))
