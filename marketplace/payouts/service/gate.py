"""The gate before every first call: closed while a restored database may not know what was paid."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace import audit, clock, outbox
from marketplace.actor import SYSTEM, Actor
from marketplace.errors import Conflict, Fault, Faulty, Missing
from marketplace.identity.rules import Permission
from marketplace.ids import PersonId, new_id, parse_id
from marketplace.payouts.models import (
    PayeeAccount,
    PayoutAttempt,
    PayoutGate,
    PayoutLine,
    PayoutRun,
    StrayTransfer,
)
from marketplace.payouts.rules import (
    AttemptState,
    GateState,
    LineState,
    Order,
    Payment,
    RunState,
)

NOTE_MIN = 10
RESTORED = (
    "Stripe has made transfers that this database does not know of, as after a restored backup. "
    "Nothing is sent until reconciliation has imported all that Stripe has."
)


def gate(session: Session, *, lock: bool = False) -> PayoutGate:
    """The one row, made where it is not there; locked until the transaction ends where asked."""
    first = insert(PayoutGate).values(id=1, state=GateState.OPEN)
    if session.get(PayoutGate, 1) is None:
        session.execute(first.on_conflict_do_nothing(index_elements=["id"]))
    return session.get_one(PayoutGate, 1, with_for_update=lock or None, populate_existing=True)


def newest_attempt_at(session: Session) -> datetime | None:
    """When the last call that we know of began."""
    return session.scalar(
        select(PayoutAttempt.started_at).order_by(PayoutAttempt.started_at.desc()).limit(1)
    )


def unknown_transfers(session: Session, payments: Iterable[Payment]) -> list[Payment]:
    """Those of these transfers whose attempt this database has never made."""
    named = [payment for payment in payments if payment.line_id]
    ids = {found for payment in named if (found := parse_id(payment.attempt_id))}
    known = set(session.scalars(select(PayoutAttempt.id).where(PayoutAttempt.id.in_(ids))))
    strays = set(
        session.scalars(
            select(StrayTransfer.transfer_id).where(
                StrayTransfer.transfer_id.in_([payment.transfer_id for payment in named])
            )
        )
    )
    return [
        payment
        for payment in named
        if parse_id(payment.attempt_id) not in known and payment.transfer_id not in strays
    ]


def record_comparison(session: Session, strangers: Collection[Payment]) -> datetime:
    """Keep that Stripe's transfers were compared; close the gate where any is unknown.

    An unknown transfer of a line that we have is adopted under its own attempt, so that the line
    settles by it; of any other, its specialist is paid nothing more until a person has looked.
    """
    row = gate(session, lock=True)
    now = clock.now()
    row.checked_at = now
    if not strangers:
        return now
    adopted = 0
    for payment in strangers:
        if _adopted(session, payment):
            adopted += 1
        else:
            _keep_stray(session, payment)
    if row.state is GateState.OPEN:
        row.state, row.reason, row.closed_at = GateState.CLOSED, RESTORED, now
    audit.record(
        session,
        SYSTEM,
        "closed the gate of payouts",
        new_id(),
        unknown=len(strangers),
        adopted=adopted,
    )
    outbox.announce(session, "payouts.gate_closed", new_id(), {"unknown": len(strangers)})
    return now


def _adopted(session: Session, payment: Payment) -> bool:
    """Make the attempt that the transfer names, on a line that was set back to before it."""
    line_id, attempt_id = parse_id(payment.line_id), parse_id(payment.attempt_id)
    line = session.get(PayoutLine, line_id, with_for_update=True) if line_id else None
    if line is None or attempt_id is None or line.state is not LineState.APPROVED:
        return False
    run = session.get_one(PayoutRun, line.run_id)
    fits = (payment.amount, payment.account) == (line.amount, line.stripe_account_id)
    if run.state is not RunState.RELEASING or not fits:
        return False
    now = clock.now()
    order = Order(attempt_id, line.id, line.run_id, line.stripe_account_id, line.amount)
    session.add(
        PayoutAttempt(
            id=attempt_id,
            line_id=line.id,
            number=_attempts(session, line.id) + 1,
            params_sha256=order.sha256(),
            state=AttemptState.OPEN,
            started_at=now,
            deadline_at=now,
        )
    )
    line.state, line.since, line.next_look_at = LineState.SUBMITTING, now, now
    session.flush()  # Its lifecycle goes step by step.
    line.state = LineState.UNKNOWN
    audit.record(session, SYSTEM, "adopted an attempt from its transfer", line.id)
    outbox.enqueue(
        session,
        "payouts.resolve_transfer",
        transfer_id=payment.transfer_id,
        line_id=str(line.id),
    )
    return True


def _attempts(session: Session, line_id: UUID) -> int:
    rows = select(PayoutAttempt.number).where(PayoutAttempt.line_id == line_id)
    return max(session.scalars(rows), default=0)


def _keep_stray(session: Session, payment: Payment) -> None:
    session.add(
        StrayTransfer(
            transfer_id=payment.transfer_id,
            stripe_account_id=payment.account,
            specialist_id=_owner(session, payment.account),
            line_id=payment.line_id,
            amount_minor=payment.amount.minor,
            currency=payment.amount.currency,
            found_at=clock.now(),
        )
    )


def _owner(session: Session, account: str) -> PersonId | None:
    found = session.scalar(
        select(PayeeAccount.person_id).where(PayeeAccount.stripe_account_id == account)
    )
    return PersonId(found) if found else None


def note_resync(session: Session, *, imported_at: datetime) -> bool:
    """Say that reconciliation has imported all of Stripe's lines; whether the gate is open now.

    imported_at: when that import began, aware UTC: one that began before the gate closed opens
    nothing.
    """
    row = gate(session, lock=True)
    row.resynced_at = max(imported_at, row.resynced_at or imported_at)
    return _open_if_done(session, row)


def open_strays(session: Session) -> int:
    """How many unknown transfers wait for a person."""
    rows = select(StrayTransfer.transfer_id).where(StrayTransfer.settled_at.is_(None))
    return len(session.scalars(rows).all())


def settle_stray(session: Session, actor: Actor, transfer_id: str, note: str) -> StrayTransfer:
    """Say that an unknown transfer has been accounted for; note: how, for the next reader.

    Raises Missing for none such, Conflict where it was settled, Faulty without words.
    """
    actor.require(Permission.PAYOUTS_RELEASE)
    stray = session.get(StrayTransfer, transfer_id, with_for_update=True)
    if stray is None:
        raise Missing("There is no such unknown transfer.")
    if stray.settled_at is not None:
        raise Conflict("Somebody has settled this transfer already.")
    words = " ".join(note.split())
    if len(words) < NOTE_MIN:
        advice = "Say how it was accounted for, such as the adjustment that was approved."
        raise Faulty("The transfer was not settled.", [Fault("/note", advice)])
    stray.settled_at, stray.settled_by, stray.note = clock.now(), actor.person(), words
    audit.record(session, actor, "settled an unknown transfer", new_id(), transfer=transfer_id)
    session.flush()  # The gate counts those that are left.
    _open_if_done(session, gate(session, lock=True))
    return stray


def _open_if_done(session: Session, row: PayoutGate) -> bool:
    closed_at = row.closed_at
    if closed_at is None:
        return True
    if row.resynced_at is None or row.resynced_at < closed_at or open_strays(session):
        return False
    row.state, row.reason, row.closed_at = GateState.OPEN, None, None
    audit.record(session, SYSTEM, "opened the gate of payouts", new_id())
    outbox.announce(session, "payouts.gate_opened", new_id(), {})
    return True
