"""The legs of each posting rule, by the numbers of the chart's rules; amounts are positive."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from marketplace.ids import (
    AccrualId,
    DecisionId,
    JobId,
    OrganisationId,
    PayoutLineId,
    PersonId,
    SubmissionId,
    TransactionId,
)
from marketplace.ledger.rules.accounts import (
    AccountSpec,
    connected,
    goodwill,
    in_connected,
    job_contingency,
    job_reserved,
    lab_available,
    platform_fee,
    specialist_account,
    specialist_receivable,
    stripe_balance,
    stripe_processing,
)
from marketplace.ledger.rules.postings import HoldReason, Leg, NothingToPost, Posting, SourceKind
from marketplace.money import Money, zero


def moved(amount: Money, *, debit: AccountSpec, credit: AccountSpec) -> tuple[Leg, Leg]:
    """Two legs that move a positive amount: `debit` takes it, `credit` gives it."""
    if amount.minor <= 0:
        raise NothingToPost(f"An amount to post is above zero, not {amount}.")
    return Leg(debit, amount), Leg(credit, -amount)


def moved_if_any(amount: Money, *, debit: AccountSpec, credit: AccountSpec) -> tuple[Leg, ...]:
    """As `moved`, and no legs at all for zero, such as a fee of nothing."""
    return moved(amount, debit=debit, credit=credit) if amount else ()


def top_up(
    *, lab_id: OrganisationId, gross: Money, fee: Money, balance_transaction_id: str
) -> Posting:
    """Rule 1: the gross is the lab's and the fee is ours; both tie to Stripe's line."""
    currency = gross.currency
    at_stripe = stripe_balance(currency)
    paid = moved(gross, debit=at_stripe, credit=lab_available(lab_id, currency))
    kept = moved_if_any(fee, debit=stripe_processing(currency), credit=at_stripe)
    return Posting(SourceKind.TOP_UP, balance_transaction_id, paid + kept, balance_transaction_id)


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
    wanted = reward + fee
    from_contingency = _least(wanted, contingency)
    from_lab = _least(wanted - from_contingency, available)
    paid = from_contingency + from_lab
    nothing = zero(reward.currency)
    return Sources(
        contingency=from_contingency,
        lab=from_lab,
        goodwill=reward - paid if paid < reward else nothing,
        fee=paid - reward if paid > reward else nothing,
    )


def _least(one: Money, other: Money) -> Money:
    return one if one <= other else other


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
    """Rules 24 and 25: surplus work, a task that cannot be done, and work that was accepted after
    all, earn their pay."""
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
    from_available = _least(reward, available)
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


def netting(*, specialist_id: PersonId, freed_by: TransactionId, amount: Money) -> Posting:
    """Rule 12: what a specialist owes is taken from what just became available to them.

    freed_by: the transaction that made it available.
    """
    legs = moved(
        amount,
        debit=specialist_account(specialist_id, "available", amount.currency),
        credit=specialist_receivable(specialist_id, amount.currency),
    )
    return Posting(SourceKind.NET, str(freed_by), legs)


def clearance(*, specialist_id: PersonId, accrual_id: AccrualId, amount: Money) -> Posting:
    """Rule 8: pay that waited its time becomes available."""
    legs = _within(specialist_id, amount, "pending", "available")
    return Posting(SourceKind.CLEAR, str(accrual_id), legs)


def hold(
    *,
    specialist_id: PersonId,
    hold_id: UUID,
    amount: Money,
    reason: HoldReason,
    owner_person_id: PersonId,
) -> Posting:
    """Rule 9: pay is held for a reason by somebody who answers for it."""
    legs = _within(specialist_id, amount, "available", "held")
    facts = {"reason": reason.value, "owner_person_id": str(owner_person_id)}
    return Posting(SourceKind.HOLD, str(hold_id), legs, facts=facts)


def unhold(
    *,
    specialist_id: PersonId,
    hold_id: UUID,
    amount: Money,
    reason: HoldReason,
    owner_person_id: PersonId,
) -> Posting:
    """Rule 9, the other way: a hold is let go, whole."""
    legs = _within(specialist_id, amount, "held", "available")
    facts = {"reason": reason.value, "owner_person_id": str(owner_person_id)}
    return Posting(SourceKind.UNHOLD, str(hold_id), legs, facts=facts)


def payout_reservation(*, specialist_id: PersonId, line_id: PayoutLineId, amount: Money) -> Posting:
    """Rule 13: a payout line sets its money aside."""
    legs = _within(specialist_id, amount, "available", "payout_reserved")
    return Posting(SourceKind.PAYOUT_RESERVE, str(line_id), legs)


def payout_cancellation(
    *, specialist_id: PersonId, line_id: PayoutLineId, amount: Money
) -> Posting:
    """Rule 13, the other way: the line is cancelled, or proven never to have been sent."""
    legs = _within(specialist_id, amount, "payout_reserved", "available")
    return Posting(SourceKind.PAYOUT_CANCEL, str(line_id), legs)


def transfer(
    *,
    specialist_id: PersonId,
    line_id: PayoutLineId,
    amount: Money,
    transfer_id: str,
    balance_transaction_id: str,
    connected_account: str,
    destination_amount: Money,
) -> Posting:
    """Rule 14: the money left our balance and lies on the specialist's connected account.

    destination_amount is what arrived, in the destination's currency; a conversion that comes to
    nothing leaves no custody to watch.
    """
    paid = moved(
        amount,
        debit=specialist_account(specialist_id, "payout_reserved", amount.currency),
        credit=stripe_balance(amount.currency),
    )
    arrived = destination_amount.currency
    custody = moved_if_any(
        destination_amount,
        debit=connected(connected_account, arrived),
        credit=in_connected(specialist_id, arrived),
    )
    facts = {"transfer_id": transfer_id, "connected_account": connected_account}
    return Posting(SourceKind.TRANSFER, str(line_id), paid + custody, balance_transaction_id, facts)


def _within(specialist_id: PersonId, amount: Money, source: str, target: str) -> tuple[Leg, ...]:
    return moved(
        amount,
        debit=specialist_account(specialist_id, source, amount.currency),
        credit=specialist_account(specialist_id, target, amount.currency),
    )
