"""Taking pay back: rule 11 for accepted work that is rejected after all, rule 12 for the rest.

Whoever touches what a specialist owes holds the lock of what is available to them: so nobody ever
waits for that account, and money never becomes available beside a debt.
"""

from __future__ import annotations

from collections import defaultdict

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.ids import AccrualId, JobId, OrganisationId, PersonId, TransactionId
from marketplace.ledger.models import LedgerAccount, LedgerEntry, LedgerTransaction
from marketplace.ledger.rules import AccountSpec, SourceKind, book
from marketplace.ledger.rules.accounts import (
    goodwill,
    job_contingency,
    job_reserved,
    lab_available,
    platform_fee,
    specialist_account,
    specialist_receivable,
)
from marketplace.ledger.service.labs import net_lab
from marketplace.ledger.service.posting import (
    NothingToAnswer,
    locked_balances,
    post,
    transaction_of,
)
from marketplace.money import Money, zero


def reverse_pay(
    session: Session,
    *,
    accrual_id: AccrualId,
    kind: SourceKind,
    source_id: str,
    lab_id: OrganisationId,
    job_id: JobId,
    specialist_id: PersonId,
    reward: Money,
    cleared: bool,
    job_ended: bool,
) -> TransactionId:
    """Rule 11: take an accrual's reward and our fee back, to whoever paid them; once.

    kind, source_id: the posting that it was earned by; cleared: whether it is available by now;
    job_ended: a job's part then goes to its lab. Raises NothingToAnswer without that posting.
    """
    posted = transaction_of(session, SourceKind.REVERSE, str(accrual_id))
    if posted is not None:  # What is available has changed since; the posting has not.
        return posted
    currency = reward.currency
    paid = _paid(session, kind, source_id, currency)
    theirs = [
        specialist_account(specialist_id, part, currency) for part in ("pending", "available")
    ]
    if paid.get(theirs[0].code) != -reward:
        raise NothingToAnswer(f"{kind} {source_id} did not earn {reward}.")
    lab = lab_available(lab_id, currency)
    back: dict[AccountSpec, Money] = defaultdict(lambda: zero(currency))
    for payer in (job_reserved(job_id, currency), job_contingency(job_id, currency)):
        back[lab if job_ended else payer] += paid.get(payer.code, zero(currency))
    for payer in (lab, goodwill(currency)):
        back[payer] += paid.get(payer.code, zero(currency))
    held = locked_balances(session, (*theirs, *(one for one in back if back[one])))
    available = held.get(theirs[1].code, zero(currency))
    posting = book.reversal(
        accrual_id=accrual_id,
        specialist_id=specialist_id,
        taken=book.taken_back(reward, cleared=cleared, available=available),
        fee=-paid.get(platform_fee(currency).code, zero(currency)),
        back=back,
    )
    posted = post(session, posting)
    return net_lab(session, lab_id, currency, freed_by=posted) if back[lab] else posted


def _paid(session: Session, kind: SourceKind, source_id: str, currency: str) -> dict[str, Money]:
    """What an earlier posting put on each account, debits positive, by code."""
    rows = session.execute(
        select(LedgerAccount.code, LedgerEntry.amount)
        .join(LedgerEntry, LedgerEntry.account_id == LedgerAccount.id)
        .join(LedgerTransaction, LedgerTransaction.id == LedgerEntry.transaction_id)
        .where(
            LedgerTransaction.source_kind == kind,
            LedgerTransaction.source_id == source_id,
            LedgerEntry.currency == currency,
        )
    )
    found: dict[str, Money] = defaultdict(lambda: zero(currency))
    for code, minor in rows:
        found[code] += Money(minor, currency)
    return dict(found)


def net(
    session: Session, specialist_id: PersonId, currency: str, *, freed_by: TransactionId
) -> TransactionId:
    """Rule 12: take what a specialist owes from what a transaction made available; `freed_by`.

    Called by every verb that makes money available, in the same transaction of the database.
    """
    owed = specialist_receivable(specialist_id, currency)
    debt = locked_balances(session, (owed,)).get(owed.code)
    if not debt:
        return freed_by
    free = specialist_account(specialist_id, "available", currency)
    available = locked_balances(session, (free,)).get(free.code, zero(currency))
    amount = debt if debt <= available else available
    if amount and transaction_of(session, SourceKind.NET, str(freed_by)) is None:
        post(session, book.netting(specialist_id=specialist_id, freed_by=freed_by, amount=amount))
    return freed_by
