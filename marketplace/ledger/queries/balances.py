"""What an account, a lab, a job and a specialist have now."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, fields, replace
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from marketplace.ids import JobId, OrganisationId, PersonId
from marketplace.ledger.models import LedgerAccount, LedgerEntry, LedgerTransaction
from marketplace.ledger.queries.instants import raw_balance
from marketplace.ledger.rules import SourceKind
from marketplace.ledger.rules.accounts import (
    currency_of,
    job_contingency,
    job_reserved,
    lab_account,
    lab_receivable,
)
from marketplace.money import Money, zero


@dataclass(frozen=True, slots=True)
class LabBalance:
    """A lab's money. available: free to reserve or to ask back; reserved_total: set aside for its
    jobs; pending: paid, and not to be spent yet; disputed: held while a payment is contested;
    owed: what the lab owes us, netted against what becomes available next.
    """

    available: Money
    reserved_total: Money
    pending: Money
    disputed: Money
    owed: Money

    @property
    def total(self) -> Money:
        """All that is the lab's, whether it may be spent or not."""
        return self.available + self.reserved_total + self.pending + self.disputed


@dataclass(frozen=True, slots=True)
class SpecialistBalance:
    """A specialist's money in one currency. sent: what transfers have paid out so far, less what
    came back of them; owed: what was taken back of pay that they had already, and is netted
    against what clears next; withheld: kept for the tax office and not yet remitted to it.
    """

    pending: Money
    available: Money
    held: Money
    payout_reserved: Money
    sent: Money
    owed: Money
    withheld: Money


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
    raw, side = raw_balance(session, code)
    return raw * side


def lab_balance(session: Session, lab_id: OrganisationId, currency: str) -> LabBalance:
    """What a lab has, free and set aside for its jobs."""
    reserved = session.scalar(
        select(func.coalesce(func.sum(LedgerAccount.balance), 0)).where(
            LedgerAccount.funder_id == lab_id,
            LedgerAccount.owner_id != lab_id,
            LedgerAccount.currency == currency,
        )
    )
    parts = [
        *(lab_account(lab_id, part, currency) for part in ("available", "pending", "dispute_hold")),
        lab_receivable(lab_id, currency),
    ]
    codes = [part.code for part in parts]
    cached = select(LedgerAccount.code, LedgerAccount.balance).where(LedgerAccount.code.in_(codes))
    have = {code: minor or 0 for code, minor in session.execute(cached)}
    available, pending, disputed, owed = (Money(have.get(code, 0), currency) for code in codes)
    return LabBalance(available, Money(int(reserved or 0), currency), pending, disputed, owed)


def available_of(
    lab_id: InstrumentedAttribute[Any], currency: InstrumentedAttribute[str]
) -> ColumnElement[int]:
    """What a lab can spend, in minor units, as an expression in a query over rows of labs."""
    code = func.concat("L:lab:", lab_id, ":available:", currency)
    balance = select(LedgerAccount.balance).where(LedgerAccount.code == code)
    return func.coalesce(balance.scalar_subquery(), 0)


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
        select(LedgerAccount.stem, LedgerAccount.currency, LedgerAccount.balance)
        .where(LedgerAccount.owner_id == specialist_id, LedgerAccount.stem.in_(_PART_OF))
        .order_by(LedgerAccount.currency)
    )
    parts: dict[str, dict[str, Money]] = defaultdict(dict)
    for stem, currency, minor in rows:
        parts[currency][_PART_OF[stem]] = Money(minor or 0, currency)
    sent = _sent(session, specialist_id)
    found = {}
    for currency, have in parts.items():
        nothing = zero(currency)
        empty = SpecialistBalance(*(nothing for _ in fields(SpecialistBalance)))
        found[currency] = replace(empty, **have, sent=sent.get(currency, nothing))
    return found


_PART_OF = {
    **{f"L:spec:{part}": part for part in ("pending", "available", "held", "payout_reserved")},
    "A:receivable:spec": "owed",
    "L:tax_withheld": "withheld",
}


def owing() -> Select[UUID | None]:
    """The ids of those who owe what was taken back after they were paid, for other selects."""
    return select(LedgerAccount.owner_id).where(
        LedgerAccount.stem == "A:receivable:spec", LedgerAccount.balance > 0
    )


def owes(session: Session, specialist_id: PersonId) -> bool:
    """Whether a specialist owes, in any currency, what was taken back after they were paid."""
    theirs = owing().where(LedgerAccount.owner_id == specialist_id)
    return bool(session.scalar(select(theirs.exists())))


def _sent(session: Session, specialist_id: PersonId) -> dict[str, Money]:
    """What transfers took out of the specialist's accounts, less what came back, by currency."""
    rows = session.execute(
        select(LedgerAccount.currency, func.sum(LedgerEntry.amount))
        .join(LedgerEntry, LedgerEntry.account_id == LedgerAccount.id)
        .join(LedgerTransaction, LedgerTransaction.id == LedgerEntry.transaction_id)
        .where(
            LedgerAccount.owner_id == specialist_id,
            LedgerAccount.stem.in_(("L:spec:payout_reserved", "L:spec:available", "L:spec:held")),
            LedgerTransaction.source_kind.in_((SourceKind.TRANSFER, SourceKind.TRANSFER_REVERSAL)),
        )
        .group_by(LedgerAccount.currency)
    )
    return {currency: Money(int(minor), currency) for currency, minor in rows}
