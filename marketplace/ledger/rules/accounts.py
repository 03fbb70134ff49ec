"""The chart of accounts: what each account is called, which side it lives on, whose it is.

A code ends in the account's currency, and the same code always means the same account.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from marketplace.ids import JobId, OrganisationId, PersonId

DEBIT = 1
CREDIT = -1


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


def stripe_balance(currency: str) -> AccountSpec:
    """Our balance at Stripe, pending and available together; it can truly go below zero."""
    return AccountSpec(f"A:stripe:balance:{currency}", AccountKind.ASSET, currency)


def stripe_processing(currency: str) -> AccountSpec:
    """What Stripe keeps of each payment."""
    return AccountSpec(f"E:stripe:processing:{currency}", AccountKind.EXPENSE, currency)


def platform_fee(currency: str) -> AccountSpec:
    """What the platform earns on accepted work."""
    return AccountSpec(f"I:platform_fee:{currency}", AccountKind.INCOME, currency)


def goodwill(currency: str) -> AccountSpec:
    """What the platform pays specialists itself, where nobody else's money is there for it."""
    return AccountSpec(f"E:goodwill:{currency}", AccountKind.EXPENSE, currency)


def lab_available(lab_id: OrganisationId, currency: str) -> AccountSpec:
    """What a lab can reserve for a job or ask back."""
    return _owned(f"L:lab:{lab_id}:available", lab_id, currency, funder_id=lab_id)


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
