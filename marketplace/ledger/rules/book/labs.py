"""Labs' money on its way in and out: rules 1 to 4, 17 and 21."""

from __future__ import annotations

from collections.abc import Mapping

from marketplace.ids import OrganisationId, TransactionId
from marketplace.ledger.rules.accounts import (
    AccountSpec,
    Bank,
    bank,
    lab_account,
    lab_available,
    lab_receivable,
    refund_inflight,
    stripe_balance,
    stripe_processing,
    unapplied,
)
from marketplace.ledger.rules.book.legs import above_zero, in_turn, legs_of, moved
from marketplace.ledger.rules.postings import Leg, Posting, SourceKind
from marketplace.money import Money


def top_up(
    *,
    lab_id: OrganisationId,
    gross: Money,
    fee: Money,
    balance_transaction_id: str,
    pending: bool = False,
) -> Posting:
    """Rule 1: the gross is the lab's and the fee is ours; both tie to Stripe's line.

    pending: the lab may not spend it before its risk is over (rule 2).
    """
    currency = gross.currency
    at_stripe = stripe_balance(currency)
    taker = lab_account(lab_id, "pending" if pending else "available", currency)
    legs = moved(gross, debit=at_stripe, credit=taker) + fee_legs(fee, at_stripe)
    return Posting(SourceKind.TOP_UP, balance_transaction_id, legs, balance_transaction_id)


def fee_legs(fee: Money, at_stripe: AccountSpec) -> tuple[Leg, ...]:
    """What Stripe keeps of one line, apart from its amount, so that both tie to the line."""
    return legs_of([(stripe_processing(fee.currency), fee)], [(at_stripe, fee)])


def top_up_fx(
    *,
    lab_id: OrganisationId,
    presented: Money,
    settled: Money,
    fee: Money,
    balance_transaction_id: str,
    pending: bool = False,
) -> Posting:
    """Rule 21: the lab paid in one currency and Stripe settled in another; both sides pass
    through the trading accounts. fee: in the currency of settlement."""
    at_stripe = stripe_balance(settled.currency)
    taker = lab_account(lab_id, "pending" if pending else "available", presented.currency)
    legs = legs_of([(at_stripe, above_zero(settled))], [(taker, above_zero(presented))])
    legs += fee_legs(fee, at_stripe)
    return Posting(SourceKind.TOP_UP_FX, balance_transaction_id, legs, balance_transaction_id)


def top_up_clearance(
    *, lab_id: OrganisationId, amount: Money, balance_transaction_id: str
) -> Posting:
    """Rule 2: a top-up has waited out its risk."""
    legs = moved(
        amount,
        debit=lab_account(lab_id, "pending", amount.currency),
        credit=lab_available(lab_id, amount.currency),
    )
    return Posting(SourceKind.CLEAR_TOP_UP, balance_transaction_id, legs)


def top_up_return(
    *,
    lab_id: OrganisationId,
    settled: Money,
    fee: Money,
    taken: tuple[Money, Money, Money],
    facts: Mapping[str, str],
    balance_transaction_id: str,
) -> Posting:
    """Rule 3: a payment came back. settled: what Stripe took; taken: the same in the lab's
    currency, from what is pending, what is available, and what is owed from now on."""
    currency = taken[0].currency
    at_stripe = stripe_balance(settled.currency)
    givers = (
        lab_account(lab_id, "pending", currency),
        lab_available(lab_id, currency),
        lab_receivable(lab_id, currency),
    )
    legs = legs_of(zip(givers, taken, strict=True), [(at_stripe, above_zero(settled))])
    legs += fee_legs(fee, at_stripe)
    return Posting(
        SourceKind.TOP_UP_RETURN, balance_transaction_id, legs, balance_transaction_id, facts
    )


def taken_from_lab(
    amount: Money, *, pending: Money, available: Money
) -> tuple[Money, Money, Money]:
    """Split what a lab must give back: pending first, then available, the rest is owed.

    pending: what of the returned payment itself still waits; zero once it cleared.
    """
    from_pending, from_available, owed = in_turn(amount, (pending, available))
    return from_pending, from_available, owed


def cash_account(where: str, currency: str) -> AccountSpec:
    """Where cash came in: `stripe`, or the name of one of our banks (`bank` is client funds)."""
    if where == "stripe":
        return stripe_balance(currency)
    return bank(Bank.CLIENT_FUNDS if where == "bank" else Bank(where), currency)


def cash_receipt(
    *,
    amount: Money,
    fee: Money,
    source_id: str,
    where: str,
    balance_transaction_id: str | None,
) -> Posting:
    """Rule 4: money came in, and whose it is is another question."""
    account = cash_account(where, amount.currency)
    legs = moved(amount, debit=account, credit=unapplied(amount.currency))
    return Posting(
        SourceKind.CASH_IN, source_id, legs + fee_legs(fee, account), balance_transaction_id
    )


def cash_application(*, lab_id: OrganisationId, amount: Money, source_id: str) -> Posting:
    """Rule 4: cash is known to be a lab's."""
    legs = moved(
        amount,
        debit=unapplied(amount.currency),
        credit=lab_available(lab_id, amount.currency),
    )
    return Posting(SourceKind.APPLY_CASH, source_id, legs)


def cash_return(
    *, amount: Money, source_id: str, where: str, balance_transaction_id: str | None
) -> Posting:
    """Rule 4, the other way: cash that is nobody's goes back to where it came from."""
    legs = moved(
        amount,
        debit=unapplied(amount.currency),
        credit=cash_account(where, amount.currency),
    )
    return Posting(SourceKind.RETURN_CASH, source_id, legs, balance_transaction_id)


def refund_reservation(*, lab_id: OrganisationId, refund_id: str, amount: Money) -> Posting:
    """Rule 17: a refund leaves the lab's balance before Stripe is asked."""
    legs = moved(
        amount,
        debit=lab_available(lab_id, amount.currency),
        credit=refund_inflight(amount.currency),
    )
    return Posting(SourceKind.REFUND, refund_id, legs, facts={"lab_id": str(lab_id)})


def refund_sent(
    *, refund_id: str, amount: Money, settled: Money, fee: Money, balance_transaction_id: str
) -> Posting:
    """Rule 17: Stripe took the refund out of our balance; settled: what it took."""
    at_stripe = stripe_balance(settled.currency)
    legs = legs_of([(refund_inflight(amount.currency), above_zero(amount))], [(at_stripe, settled)])
    legs += fee_legs(fee, at_stripe)
    return Posting(SourceKind.REFUND_SENT, refund_id, legs, balance_transaction_id)


def refund_cancellation(*, lab_id: OrganisationId, refund_id: str, amount: Money) -> Posting:
    """Rule 17: a refund that never left is the lab's again."""
    legs = moved(
        amount,
        debit=refund_inflight(amount.currency),
        credit=lab_available(lab_id, amount.currency),
    )
    return Posting(SourceKind.REFUND_CANCEL, refund_id, legs, facts={"lab_id": str(lab_id)})


def refund_failure(
    *,
    lab_id: OrganisationId,
    refund_id: str,
    amount: Money,
    settled: Money,
    balance_transaction_id: str,
) -> Posting:
    """Rule 17: a refund came back from the lab's bank."""
    legs = legs_of(
        [(stripe_balance(settled.currency), settled)],
        [(lab_available(lab_id, amount.currency), above_zero(amount))],
    )
    return Posting(SourceKind.REFUND_FAILED, refund_id, legs, balance_transaction_id)


def lab_netting(*, lab_id: OrganisationId, freed_by: TransactionId, amount: Money) -> Posting:
    """What a lab owes is taken from what just became available to it; see rule 12."""
    legs = moved(
        amount,
        debit=lab_available(lab_id, amount.currency),
        credit=lab_receivable(lab_id, amount.currency),
    )
    return Posting(SourceKind.NET_LAB, str(freed_by), legs)
