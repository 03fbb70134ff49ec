"""Putting a posting into the book: locked, checked, written once, refused in plain words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from typing import NoReturn

from sqlalchemy import Select, select
from sqlalchemy.dialects.postgresql import insert as insert_or_not
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from marketplace import clock, settings
from marketplace.errors import Conflict, Refused
from marketplace.ids import TransactionId, new_id
from marketplace.ledger.models import (
    LedgerAccount,
    LedgerEntry,
    LedgerPeriod,
    LedgerTransaction,
)
from marketplace.ledger.rules import AccountSpec, Posting, SourceKind, shortfalls
from marketplace.ledger.rules.accounts import currency_of
from marketplace.ledger.rules.periods import PeriodState
from marketplace.ledger.rules.postings import ENDS, Shortfall
from marketplace.ledger.service.writing import locked, written
from marketplace.money import Money, zero


class InsufficientFunds(Refused):
    """An account has less than is asked of it. available, needed: its balance and the demand."""

    code = "insufficient_funds"

    def __init__(self, message: str, *, available: Money | None, needed: Money | None) -> None:
        super().__init__(message)
        self.available = available
        self.needed = needed


class PeriodClosed(Conflict):
    """The month that a posting belongs to is closed."""

    code = "period_closed"


class SourceReused(AssertionError):
    """A source was posted before with other content: our own fault, and never to be retried."""


class NothingToAnswer(AssertionError):
    """An opposite without its posting, or with another amount: our own fault."""


def book_today() -> date:
    """Today in the book's zone (BOOK_TIMEZONE)."""
    return clock.book_day(clock.now(), settings.current().book_timezone)


def post(
    session: Session,
    posting: Posting,
    *,
    happened_on: date | None = None,
    reverses: TransactionId | None = None,
) -> TransactionId:
    """Put a posting into the book, once.

    happened_on: the book's day of the event, today when None. When that month is closed already,
    the transaction takes effect today and keeps the day on which it happened.
    """
    with _translated():
        header = _row(session, posting, happened_on, reverses)
        return written(session, posting, header) or _after_all(session, posting, header)


def _after_all(session: Session, posting: Posting, header: dict[str, object]) -> TransactionId:
    """Something stood in the way of a posting: too little money, an account that was never used,
    or its source was posted before."""
    known = locked(session, (leg.account.code for leg in posting.legs))
    short = shortfalls(posting, {code: balance for code, (_, balance) in known.items()})
    if short:
        return _said_before(session, posting) or _insufficient(short[0])
    specs = {leg.account.code: leg.account for leg in posting.legs}
    _open_accounts(session, [specs[code] for code in sorted(specs) if code not in known])
    return written(session, posting, header) or _replayed(session, posting) or _reused(posting)


def locked_balances(session: Session, accounts: Iterable[AccountSpec]) -> dict[str, Money]:
    """What the accounts that exist have, by code, locked until the end; for amounts that depend
    on it. Lock all accounts of the posting to come at once: a second step could meet another
    posting coming the other way."""
    found = locked(session, (account.code for account in accounts))
    return {code: Money(balance, currency_of(code)) for code, (_, balance) in found.items()}


def said_again(
    session: Session, kind: SourceKind, source_id: str, facts: Mapping[str, str]
) -> TransactionId | None:
    """The transaction that a source was posted as, for verbs that split by what is there.

    What is there has changed since, so the legs cannot be compared: the facts are, each that is
    given. Ask it under the locks of the posting. Raises SourceReused where one differs.
    """
    found = session.execute(
        select(LedgerTransaction.id, LedgerTransaction.facts).where(
            LedgerTransaction.source_kind == kind, LedgerTransaction.source_id == source_id
        )
    ).first()
    if found is None:
        return None
    if any(found.facts.get(key) != value for key, value in facts.items()):
        raise SourceReused(f"{kind} {source_id} was posted before with other facts.")
    return TransactionId(found.id)


def legs_posted(
    session: Session, kind: SourceKind, source_id: str, *, facts: Mapping[str, str] | None = None
) -> dict[str, Money]:
    """What an earlier posting put on each account, debits positive, by code; NothingToAnswer
    without it, or where one of `facts` differs."""
    rows = session.execute(
        select(
            LedgerAccount.code, LedgerEntry.currency, LedgerEntry.amount, LedgerTransaction.facts
        )
        .join(LedgerEntry, LedgerEntry.account_id == LedgerAccount.id)
        .join(LedgerTransaction, LedgerTransaction.id == LedgerEntry.transaction_id)
        .where(LedgerTransaction.source_kind == kind, LedgerTransaction.source_id == source_id)
    ).all()
    if not rows:
        raise NothingToAnswer(f"No {kind} {source_id} stands before it.")
    if facts and any(rows[0].facts.get(key) != value for key, value in facts.items()):
        raise NothingToAnswer(f"{kind} {source_id} was posted for something else.")
    found: dict[str, Money] = {}
    for code, currency, minor, _ in rows:
        found[code] = found.get(code, zero(currency)) + Money(minor, currency)
    return found


def transaction_of(session: Session, kind: SourceKind, source_id: str) -> TransactionId | None:
    """The transaction that a source was posted as, if it was."""
    found = session.scalar(
        select(LedgerTransaction.id).where(
            LedgerTransaction.source_kind == kind, LedgerTransaction.source_id == source_id
        )
    )
    return None if found is None else TransactionId(found)


def _open_accounts(session: Session, missing: list[AccountSpec]) -> None:
    """Open the accounts that a posting is the first to use; another one may do so just now."""
    if missing:
        rows = [_account_row(spec) for spec in missing]
        insert = insert_or_not(LedgerAccount).values(rows)
        session.execute(insert.on_conflict_do_nothing(index_elements=["code"]))


def _account_row(spec: AccountSpec) -> dict[str, object]:
    return {
        "id": new_id(),
        "code": spec.code,
        "kind": spec.kind,
        "currency": spec.currency,
        "side": spec.side,
        "owner_id": spec.owner_id,
        "funder_id": spec.funder_id,
        "floor": spec.floor,
    }


def _row(
    session: Session,
    posting: Posting,
    happened_on: date | None,
    reverses: TransactionId | None,
) -> dict[str, object]:
    today = book_today()
    happened = happened_on or today
    return {
        "id": new_id(),
        "source_kind": posting.kind.value,
        "source_id": posting.source_id,
        "content_hash": posting.content_hash,
        "leg_count": len(posting.legs),
        "balance_transaction_id": posting.balance_transaction_id,
        "reverses_id": reverses,
        "facts": dict(posting.facts),
        "happened_on": happened,
        "effective_on": _effective_on(session, posting, happened, today),
        "posted_at": clock.now(),
    }


def _effective_on(session: Session, posting: Posting, happened: date, today: date) -> date:
    """The day it happened, or today when that day's month takes no such posting any more,
    because it is closing or closed, or because a later month is closed already.

    The month is locked against a close until this posting is through. An adjustment belongs to
    the day that two people agreed on, so it is refused instead.
    """
    if happened.replace(day=1) >= today.replace(day=1):
        return happened
    month = happened.replace(day=1)
    state = session.scalar(
        select(LedgerPeriod.state).where(LedgerPeriod.month == month).with_for_update(read=True)
    )
    if state is PeriodState.REOPENED or (
        state in _UNTOUCHED and not session.scalar(_closed_after(month))
    ):
        return happened
    if posting.kind in DECIDED:
        if state is PeriodState.CLOSING:
            return happened
        if posting.kind is SourceKind.ADJUSTMENT:
            raise PeriodClosed(f"{month:%Y-%m} is closed; choose a day in an open month.")
    return today


_UNTOUCHED = (None, PeriodState.OPEN)


def _closed_after(month: date) -> Select[bool]:
    """Whether a later month is closed: its opening balances hold what this month ends with."""
    later = select(LedgerPeriod.month).where(
        LedgerPeriod.month > month, LedgerPeriod.state == PeriodState.CLOSED
    )
    return select(later.exists())


# What still enters a month that is closing: what two people decided, and what a fee was for.
DECIDED = frozenset({SourceKind.ADJUSTMENT, SourceKind.WRITE_OFF, SourceKind.FEE_CLASS})


def _said_before(session: Session, posting: Posting) -> TransactionId | None:
    """As `_replayed`; SourceReused also where the source ended in another way, since that is why
    there is too little."""
    others = [kind for ends in ENDS.values() if posting.kind in ends for kind in ends]
    for kind in others:
        if kind is not posting.kind and transaction_of(session, kind, posting.source_id):
            _reused(posting)
    return _replayed(session, posting)


def _replayed(session: Session, posting: Posting) -> TransactionId | None:
    """The id that this source got before; SourceReused when it was posted with other content."""
    found = session.execute(
        select(LedgerTransaction.id, LedgerTransaction.content_hash).where(
            LedgerTransaction.source_kind == posting.kind,
            LedgerTransaction.source_id == posting.source_id,
        )
    ).first()
    if found is None:
        return None
    if found.content_hash != posting.content_hash:
        _reused(posting)
    return TransactionId(found.id)


def _reused(posting: Posting) -> NoReturn:
    raise SourceReused(
        f"{posting.kind} {posting.source_id} was posted before with other content, or what stands "
        "behind it was posted under another source."
    )


_WHOSE = {
    "lab": "The lab's balance has",
    "job": "The job's reserve has",
    "spec": "The specialist's balance has",
}


def _insufficient(short: Shortfall) -> NoReturn:
    whose = _WHOSE.get(short.account.code.split(":")[1], "The account has")
    raise InsufficientFunds(
        f"{whose} {short.available} available, and this needs {short.needed}.",
        available=short.available,
        needed=short.needed,
    )


_TWO_PEOPLE = frozenset({"ck_ledger_transaction_two_people"})


@contextmanager
def _translated() -> Iterator[None]:
    """The database has the last word; what it refuses is said in the book's own terms."""
    try:
        yield
    except DBAPIError as fault:
        name = getattr(getattr(fault.orig, "diag", None), "constraint_name", None)
        if name == "ledger_period_open":
            raise PeriodClosed("The month is closed; post into an open one.") from fault
        if name in _TWO_PEOPLE:
            raise Refused("Two people must agree to this.", code="same_person") from fault
        if name == "ck_ledger_account_no_overdraft":
            message = "The account has less than this needs; look at it again."
            raise InsufficientFunds(message, available=None, needed=None) from fault
        raise


def answered(session: Session, posting: Posting, kind: SourceKind) -> TransactionId:
    """The earlier transaction of the same source that this posting undoes or completes.

    It must have given, in its second leg, what the posting's first leg takes.
    """
    first = posting.legs[0]
    found = session.scalar(
        select(LedgerTransaction.id)
        .join(LedgerEntry, LedgerEntry.transaction_id == LedgerTransaction.id)
        .join(LedgerAccount, LedgerAccount.id == LedgerEntry.account_id)
        .where(
            LedgerTransaction.source_kind == kind,
            LedgerTransaction.source_id == posting.source_id,
            LedgerAccount.code == first.account.code,
            LedgerEntry.amount == -first.amount.minor,
        )
    )
    if found is None:
        raise NothingToAnswer(
            f"{posting.kind} {posting.source_id}: no {kind} of {first.amount} stands before it."
        )
    return TransactionId(found)
