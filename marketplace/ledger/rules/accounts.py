"""The chart of accounts: what each account is called, which side it lives on, whose it is.

A code ends in the account's currency, and the same code always means the same account.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from marketplace.ids import JobId, OrganisationId, PersonId

DEBIT = 1
CREDIT = -1
_SOURCE = re.compile(r"[a-z][a-z0-9_]{0,30}")


class AccountKind(StrEnum):
    """What an account counts; custody is money that others hold and we must watch."""

    ASSET = "asset"
    LIABILITY = "liability"
    INCOME = "income"
    EXPENSE = "expense"
    TRADING = "trading"
    CUSTODY_ASSET = "custody_asset"
    CUSTODY_LIABILITY = "custody_liability"


_DEBIT_KINDS = frozenset(
    {AccountKind.ASSET, AccountKind.EXPENSE, AccountKind.TRADING, AccountKind.CUSTODY_ASSET}
)


def side_of(kind: AccountKind) -> int:
    """DEBIT where debits raise the balance of this kind of account, CREDIT where credits do."""
    return DEBIT if kind in _DEBIT_KINDS else CREDIT


@dataclass(frozen=True, slots=True)
class AccountSpec:
    """One account. owner_id: the lab, job or specialist it belongs to, None for the platform.

    floor: its balance is cached and never below zero; funder_id: the lab whose money a lab's or a
    job's account holds, so that a lab's reserves can be summed.
    """

    code: str
    kind: AccountKind
    currency: str
    owner_id: UUID | None = None
    floor: bool = False
    funder_id: UUID | None = None

    @property
    def hot(self) -> bool:
        """Whether every posting may touch it, so that it carries no cached balance."""
        return not self.floor

    @property
    def side(self) -> int:
        """DEBIT or CREDIT: the side on which its balance is positive."""
        return side_of(self.kind)


class Bank(StrEnum):
    """Our own bank accounts; clients' money lies apart where the law asks for it."""

    OPERATING = "operating"
    CLIENT_FUNDS = "client_funds"


class FeeCategory(StrEnum):
    """What Stripe took money for; unclassified until somebody has looked."""

    PROCESSING = "processing"
    DISPUTE = "dispute_fee"
    CONNECT = "connect_fee"
    UNCLASSIFIED = "unclassified"


def _platform(stem: str, kind: AccountKind, currency: str, *, floor: bool = False) -> AccountSpec:
    return AccountSpec(f"{stem}:{currency}", kind, currency, floor=floor)


def stripe_balance(currency: str) -> AccountSpec:
    """Our balance at Stripe, pending and available together; it can truly go below zero."""
    return _platform("A:stripe:balance", AccountKind.ASSET, currency)


def stripe_reserved(currency: str) -> AccountSpec:
    """What Stripe keeps back of our balance against connected accounts and risks."""
    return _platform("A:stripe:reserved", AccountKind.ASSET, currency)


def stripe_to_bank(currency: str) -> AccountSpec:
    """Platform payouts that left Stripe and have not arrived at our bank."""
    return _platform("A:stripe:to_bank", AccountKind.ASSET, currency)


def topup_in_transit(currency: str) -> AccountSpec:
    """Money that left our bank and has not arrived at Stripe."""
    return _platform("A:stripe:topup_in_transit", AccountKind.ASSET, currency)


def bank(which: Bank, currency: str) -> AccountSpec:
    """Our money at a bank; an overdraft there is real, so it has no floor."""
    return _platform(f"A:bank:{which.value}", AccountKind.ASSET, currency)


def dispute_receivable(currency: str) -> AccountSpec:
    """What disputes took out of our balance while they are still contested."""
    return _platform("A:dispute_receivable", AccountKind.ASSET, currency)


def stripe_expense(category: FeeCategory, currency: str) -> AccountSpec:
    """What Stripe took, by what it was for."""
    return _platform(f"E:stripe:{category.value}", AccountKind.EXPENSE, currency)


def stripe_processing(currency: str) -> AccountSpec:
    """What Stripe keeps of each payment."""
    return stripe_expense(FeeCategory.PROCESSING, currency)


def platform_fee(currency: str) -> AccountSpec:
    """What the platform earns on accepted work."""
    return _platform("I:platform_fee", AccountKind.INCOME, currency)


def fx_gain(currency: str) -> AccountSpec:
    """What conversions at Stripe's edge brought, once a trading position is settled."""
    return _platform("I:fx_gain", AccountKind.INCOME, currency)


def fx_loss(currency: str) -> AccountSpec:
    """What conversions cost."""
    return _platform("E:fx_loss", AccountKind.EXPENSE, currency)


def chargeback_loss(currency: str) -> AccountSpec:
    """What lost disputes cost us, where the lab did not make it good."""
    return _platform("E:chargeback_loss", AccountKind.EXPENSE, currency)


def write_offs(currency: str) -> AccountSpec:
    """What is owed to us and will not come."""
    return _platform("E:writeoff", AccountKind.EXPENSE, currency)


def goodwill(currency: str) -> AccountSpec:
    """What the platform pays specialists itself, where nobody else's money is there for it."""
    return _platform("E:goodwill", AccountKind.EXPENSE, currency)


def trading(currency: str) -> AccountSpec:
    """Where a conversion leaves one currency and enters another; each still sums to zero."""
    return _platform("X:trading", AccountKind.TRADING, currency)


def unapplied(currency: str) -> AccountSpec:
    """Money that came in and that we cannot say whose it is; never applied twice, so floored."""
    return _platform("L:unapplied", AccountKind.LIABILITY, currency, floor=True)


def refund_inflight(currency: str) -> AccountSpec:
    """Refunds that left a lab's balance and that Stripe has not confirmed."""
    return _platform("L:refund_inflight", AccountKind.LIABILITY, currency, floor=True)


def suspense(source: str, currency: str) -> AccountSpec:
    """An unexplained difference, by where it was found (`stripe`, `bank` …); zero at a close, or
    carried by an approved break."""
    if not _SOURCE.fullmatch(source):
        raise ValueError(f"{source!r} does not name a source of differences.")
    return _platform(f"L:suspense:{source}", AccountKind.LIABILITY, currency)


def tax_withheld(specialist_id: PersonId, currency: str) -> AccountSpec:
    """What was kept of a specialist's pay for the tax office, until it is remitted."""
    return _owned(f"L:tax_withheld:{specialist_id}", specialist_id, currency)


def lab_account(lab_id: OrganisationId, part: str, currency: str) -> AccountSpec:
    """A lab's money; part is pending, available or dispute_hold."""
    return _owned(f"L:lab:{lab_id}:{part}", lab_id, currency, funder_id=lab_id)


def lab_receivable(lab_id: OrganisationId, currency: str) -> AccountSpec:
    """What a lab owes us: returned payments and lost disputes beyond what it had."""
    code = f"A:receivable:lab:{lab_id}:{currency}"
    return AccountSpec(code, AccountKind.ASSET, currency, owner_id=lab_id, floor=True)


def lab_available(lab_id: OrganisationId, currency: str) -> AccountSpec:
    """What a lab can reserve for a job or ask back."""
    return lab_account(lab_id, "available", currency)


def job_reserved(
    job_id: JobId, currency: str, *, lab_id: OrganisationId | None = None
) -> AccountSpec:
    """What is set aside for a job; `lab_id` is remembered when the account is opened."""
    return _owned(f"L:job:{job_id}:reserved", job_id, currency, funder_id=lab_id)


def job_contingency(
    job_id: JobId, currency: str, *, lab_id: OrganisationId | None = None
) -> AccountSpec:
    """What is set aside for pay beyond the judgements that a job asked for; an account of its
    own, so that such pay never takes what counted work was promised."""
    return _owned(f"L:job:{job_id}:contingency", job_id, currency, funder_id=lab_id)


def specialist_account(specialist_id: PersonId, part: str, currency: str) -> AccountSpec:
    """A specialist's money; part is pending, available, held or payout_reserved."""
    return _owned(f"L:spec:{specialist_id}:{part}", specialist_id, currency)


def specialist_receivable(specialist_id: PersonId, currency: str) -> AccountSpec:
    """What a specialist was paid for work whose acceptance was reversed, beyond what they had."""
    code = f"A:receivable:spec:{specialist_id}:{currency}"
    return AccountSpec(code, AccountKind.ASSET, currency, owner_id=specialist_id, floor=True)


def connected(account: str, currency: str) -> AccountSpec:
    """Money on a specialist's connected account at Stripe (`acct_…`), in its own currency."""
    code = f"C:A:connected:{account}:{currency}"
    return AccountSpec(code, AccountKind.CUSTODY_ASSET, currency, floor=True)


def connected_to_bank(account: str, currency: str) -> AccountSpec:
    """Payouts of a connected account that are on their way to the specialist's bank."""
    code = f"C:A:to_bank:{account}:{currency}"
    return AccountSpec(code, AccountKind.CUSTODY_ASSET, currency, floor=True)


def in_connected(specialist_id: PersonId, currency: str) -> AccountSpec:
    """The same money seen from the specialist, whose it is."""
    code = f"C:L:in_connected:{specialist_id}:{currency}"
    kind = AccountKind.CUSTODY_LIABILITY
    return AccountSpec(code, kind, currency, owner_id=specialist_id, floor=True)


def _owned(
    stem: str, owner_id: UUID, currency: str, *, funder_id: UUID | None = None
) -> AccountSpec:
    return AccountSpec(
        f"{stem}:{currency}",
        AccountKind.LIABILITY,
        currency,
        owner_id=owner_id,
        floor=True,
        funder_id=funder_id,
    )


def currency_of(code: str) -> str:
    """The currency that a code ends in."""
    return code.rpartition(":")[2]
