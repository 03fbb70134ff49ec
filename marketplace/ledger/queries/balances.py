"""What an account, a lab, a job and a specialist have now."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from marketplace.ids import JobId, OrganisationId, PersonId
from marketplace.ledger.models import (
    Basis,
    LedgerAccount,
    LedgerEntry,
    LedgerTransaction,
    LedgerTurnover,
)
from marketplace.ledger.rules import SourceKind
from marketplace.ledger.rules.accounts import (
    currency_of,
    job_contingency,
    job_reserved,
    lab_available,
    specialist_receivable,
)
from marketplace.money import Money, zero


@dataclass(frozen=True, slots=True)
class LabBalance:
    """A lab's money. available: free to reserve or to ask back; reserved_total: set aside for
    its jobs.
    """

    available: Money
    reserved_total: Money

    @property
    def total(self) -> Money:
        """All of it."""
        return self.available + self.reserved_total


@dataclass(frozen=True, slots=True)
class SpecialistBalance:
    """A specialist's money in one currency. sent: what transfers have paid out so far; owed: what
    was taken back of pay that they had already, and is netted against what clears next.
    """

    pending: Money
    available: Money
    held: Money
    payout_reserved: Money
    sent: Money
    owed: Money


def balance(session: Session, code: str) -> Money:
    """An account's balance on its own side; nothing for an account that was never used."""
    currency = currency_of(code)
    account = session.execute(
        select(LedgerAccount.id, LedgerAccount.side, LedgerAccount.balance).where(
            LedgerAccount.code == code
        )
    ).first()
    if account is None:
        return zero(currency)
    if account.balance is not None:
        return Money(account.balance, currency)
    numbered = select(func.sum(LedgerTurnover.amount).label("amount")).where(
        LedgerTurnover.account_id == account.id, LedgerTurnover.basis == Basis.POSTED
    )
    recent = (
        select(func.sum(LedgerEntry.amount))
        .select_from(LedgerTransaction)
        .join(LedgerEntry, LedgerEntry.transaction_id == LedgerTransaction.id)
        .where(LedgerTransaction.number.is_(None), LedgerEntry.account_id == account.id)
    )
    # One statement sees one moment, in which nothing is both numbered and not.
    both = numbered.union_all(recent).subquery()
    raw = session.scalar(select(func.coalesce(func.sum(both.c.amount), 0)))
    return Money(account.side * int(raw or 0), currency)


def lab_balance(session: Session, lab_id: OrganisationId, currency: str) -> LabBalance:
    """What a lab has, free and set aside for its jobs."""
    reserved = session.scalar(
        select(func.coalesce(func.sum(LedgerAccount.balance), 0)).where(
            LedgerAccount.funder_id == lab_id,
            LedgerAccount.owner_id != lab_id,
            LedgerAccount.currency == currency,
        )
    )
    available = balance(session, lab_available(lab_id, currency).code)
    return LabBalance(available, Money(int(reserved or 0), currency))


@dataclass(frozen=True, slots=True)
class JobMoney:
    """What is still set aside for a job: for the judgements it asked for, and beyond them."""

    reserved: Money
    contingency: Money


def job_money(session: Session, job_id: JobId, currency: str) -> JobMoney:
    """What is still set aside for a job, by what it is for."""
    return JobMoney(
        balance(session, job_reserved(job_id, currency).code),
        balance(session, job_contingency(job_id, currency).code),
    )


def job_balance(session: Session, job_id: JobId, currency: str) -> Money:
    """All that is still set aside for a job."""
    held = job_money(session, job_id, currency)
    return held.reserved + held.contingency


def specialist_balances(session: Session, specialist_id: PersonId) -> dict[str, SpecialistBalance]:
    """A specialist's money by currency, in the order of the codes; empty before the first pay."""
    rows = session.execute(
        select(LedgerAccount.code, LedgerAccount.currency, LedgerAccount.balance)
        .where(
            LedgerAccount.owner_id == specialist_id,
            or_(
                LedgerAccount.code.startswith(f"L:spec:{specialist_id}:"),
                LedgerAccount.code.startswith(f"A:receivable:spec:{specialist_id}:"),
            ),
        )
        .order_by(LedgerAccount.currency)
    )
    parts: dict[str, dict[str, Money]] = defaultdict(dict)
    for code, currency, minor in rows:
        owed = code == specialist_receivable(specialist_id, currency).code
        parts[currency]["owed" if owed else code.split(":")[3]] = Money(minor or 0, currency)
    sent = _sent(session, specialist_id)
    found = {}
    for currency, have in parts.items():
        nothing = zero(currency)
        empty = SpecialistBalance(nothing, nothing, nothing, nothing, nothing, nothing)
        found[currency] = replace(empty, **have, sent=sent.get(currency, nothing))
    return found


def owing() -> Select[UUID | None]:
    """The ids of those who owe what was taken back after they were paid, for other selects."""
    return select(LedgerAccount.owner_id).where(
        LedgerAccount.code.startswith("A:receivable:spec:"), LedgerAccount.balance > 0
    )


def owes(session: Session, specialist_id: PersonId) -> bool:
    """Whether a specialist owes, in any currency, what was taken back after they were paid."""
    theirs = owing().where(LedgerAccount.owner_id == specialist_id)
    return bool(session.scalar(select(theirs.exists())))


def _sent(session: Session, specialist_id: PersonId) -> dict[str, Money]:
    """What transfers took out of the specialist's accounts, by currency."""
    rows = session.execute(
        select(LedgerAccount.currency, func.sum(LedgerEntry.amount))
        .join(LedgerEntry, LedgerEntry.account_id == LedgerAccount.id)
        .join(LedgerTransaction, LedgerTransaction.id == LedgerEntry.transaction_id)
        .where(
            LedgerAccount.owner_id == specialist_id,
            LedgerAccount.code.startswith(f"L:spec:{specialist_id}:payout_reserved:"),
            LedgerTransaction.source_kind == SourceKind.TRANSFER,
        )
        .group_by(LedgerAccount.currency)
    )
    return {currency: Money(int(minor), currency) for currency, minor in rows}
