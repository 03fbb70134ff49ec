"""Jobs and the work done for them: rules 6, 7, 11 and 24 to 28."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from marketplace.ids import (
    AccrualId,
    DecisionId,
    JobId,
    OrganisationId,
    PersonId,
    SubmissionId,
)
from marketplace.ledger.rules.accounts import (
    AccountSpec,
    goodwill,
    job_contingency,
    job_reserved,
    lab_available,
    platform_fee,
    specialist_account,
    specialist_receivable,
)
from marketplace.ledger.rules.book.legs import in_turn, least, moved, moved_if_any
from marketplace.ledger.rules.postings import Leg, Posting, SourceKind
from marketplace.money import Money, zero


def reservation(
    *,
    lab_id: OrganisationId,
    job_id: JobId,
    amount: Money,
    source_id: str,
    contingency: Money | None = None,
) -> Posting:
    """Rule 6: the most that a quote states is set aside for its job, and its contingency."""
    free = lab_available(lab_id, amount.currency)
    legs = [
        leg
        for part, account in _set_aside(lab_id, job_id, amount, contingency)
        for leg in moved(part, debit=free, credit=account)
    ]
    return Posting(SourceKind.RESERVE, source_id, tuple(legs))


def release(
    *,
    lab_id: OrganisationId,
    job_id: JobId,
    amount: Money,
    source_id: str,
    contingency: Money | None = None,
) -> Posting:
    """Rule 6, the other way: what a job did not need goes back to its lab."""
    free = lab_available(lab_id, amount.currency)
    legs = [
        leg
        for part, account in _set_aside(lab_id, job_id, amount, contingency)
        for leg in moved(part, debit=account, credit=free)
    ]
    return Posting(SourceKind.RELEASE, source_id, tuple(legs))


def _set_aside(
    lab_id: OrganisationId, job_id: JobId, amount: Money, contingency: Money | None
) -> list[tuple[Money, AccountSpec]]:
    """The amounts and the accounts of a job that they are in; at least one is above zero."""
    work = (amount, job_reserved(job_id, amount.currency, lab_id=lab_id))
    spare = contingency or zero(amount.currency)
    beyond = (spare, job_contingency(job_id, amount.currency, lab_id=lab_id))
    return [work, beyond] if spare and amount else [beyond] if spare else [work]


def acceptance(
    *,
    job_id: JobId,
    specialist_id: PersonId,
    submission_id: SubmissionId,
    round_number: int,
    reward: Money,
    fee: Money,
    overturned_by: DecisionId | None = None,
) -> Posting:
    """Rule 7: accepted work earns its reward, and us the fee, out of the job's reserve.

    overturned_by: the decision that accepted it after all; each earns once.
    """
    currency = reward.currency
    reserve = job_reserved(job_id, currency)
    earned = moved(
        reward, debit=reserve, credit=specialist_account(specialist_id, "pending", currency)
    )
    kept = moved_if_any(fee, debit=reserve, credit=platform_fee(currency))
    source_id = f"{submission_id}:{round_number}"
    if overturned_by is not None:
        source_id = f"{source_id}:{overturned_by}"
    return Posting(SourceKind.ACCEPT, source_id, earned + kept)


@dataclass(frozen=True, slots=True)
class Sources:
    """Where pay beyond the quote comes from; together they are the reward and our fee.

    goodwill: what neither the job's contingency nor the lab's balance has; it carries no fee.
    """

    contingency: Money
    lab: Money
    goodwill: Money
    fee: Money


def sources_of(reward: Money, fee: Money, *, contingency: Money, available: Money) -> Sources:
    """Split pay beyond the quote over what is there: contingency first, then the lab's balance.

    The specialist comes first: our fee is taken from what the lab's money leaves of it.
    """
    from_contingency, from_lab, _ = in_turn(reward + fee, (contingency, available))
    paid = from_contingency + from_lab
    nothing = zero(reward.currency)
    return Sources(
        contingency=from_contingency,
        lab=from_lab,
        goodwill=reward - paid if paid < reward else nothing,
        fee=paid - reward if paid > reward else nothing,
    )


def beyond_quote(
    kind: SourceKind,
    source_id: str,
    *,
    lab_id: OrganisationId,
    job_id: JobId,
    specialist_id: PersonId,
    reward: Money,
    sources: Sources,
) -> Posting:
    """Rules 24 to 28: surplus work, a task that cannot be done, a top-up to the promised floor,
    reviewers' work, qualification, and work that was accepted after all, earn their pay."""
    currency = reward.currency
    debits = (
        (job_contingency(job_id, currency, lab_id=lab_id), sources.contingency),
        (lab_available(lab_id, currency), sources.lab),
        (goodwill(currency), sources.goodwill),
    )
    credits_ = (
        (specialist_account(specialist_id, "pending", currency), reward),
        (platform_fee(currency), sources.fee),
    )
    legs = [Leg(account, amount) for account, amount in debits if amount]
    legs += [Leg(account, -amount) for account, amount in credits_ if amount]
    return Posting(kind, source_id, tuple(legs))


@dataclass(frozen=True, slots=True)
class TakenBack:
    """Where a reward that is taken back comes from; together they are the reward.

    owed: what was paid out already, and is netted against later pay.
    """

    pending: Money
    available: Money
    owed: Money


def taken_back(reward: Money, *, cleared: bool, available: Money) -> TakenBack:
    """Split a reward by where it lies: whole in pending until it clears; then in what is
    available, as far as that goes. What waits for other work, or is in a payout, stays put."""
    nothing = zero(reward.currency)
    if not cleared:
        return TakenBack(reward, nothing, nothing)
    from_available = least(reward, available)
    return TakenBack(nothing, from_available, reward - from_available)


def reversal(
    *,
    accrual_id: AccrualId,
    specialist_id: PersonId,
    taken: TakenBack,
    fee: Money,
    back: Mapping[AccountSpec, Money],
) -> Posting:
    """Rule 11: accepted work is rejected after all; reward and fee go back to whoever paid them.

    back: what each payer gets; together the reward and the fee. Once for each accrual.
    """
    currency = fee.currency
    debits = (
        (specialist_account(specialist_id, "pending", currency), taken.pending),
        (specialist_account(specialist_id, "available", currency), taken.available),
        (specialist_receivable(specialist_id, currency), taken.owed),
        (platform_fee(currency), fee),
    )
    legs = [Leg(account, amount) for account, amount in debits if amount]
    legs += [Leg(account, -amount) for account, amount in back.items() if amount]
    return Posting(SourceKind.REVERSE, str(accrual_id), tuple(legs))
