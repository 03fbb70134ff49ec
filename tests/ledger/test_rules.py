"""The posting rules as arithmetic: whatever the amounts, each currency sums to zero."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.ids import (
    AccrualId,
    JobId,
    OrganisationId,
    PayoutLineId,
    PersonId,
    SubmissionId,
    TransactionId,
)
from marketplace.ledger.rules import AccountKind, Leg, NothingToPost, Posting, SourceKind, book
from marketplace.ledger.rules import accounts as chart
from marketplace.ledger.rules.accounts import AccountSpec, Bank, FeeCategory
from marketplace.ledger.rules.book import PayoutStep
from marketplace.ledger.rules.chart import account_named, control_account
from marketplace.ledger.rules.postings import shortfalls
from marketplace.money import EXPONENT, Money, zero

LAB = OrganisationId(UUID(int=1))
JOB = JobId(UUID(int=2))
WHO = PersonId(UUID(int=3))
LINE = PayoutLineId(UUID(int=4))
SOME = st.integers(1, 10**12)
ANY = st.integers(0, 10**12)
CURRENCY = st.sampled_from(["USD", "JPY", "KWD", "HUF", "TWD", "UGX", "ISK"])
TWO_PEOPLE = {"proposed_by": "a", "approved_by": "b"}


def money_in(amount: Money, other: Money) -> list[Posting]:
    """Rules 1 to 5 and 21."""
    in_lab: dict[str, Any] = {"lab_id": LAB, "balance_transaction_id": "txn_1"}
    elsewhere = Money(other.minor + 1, "EUR")
    return [
        *(book.top_up(gross=amount, fee=other, pending=late, **in_lab) for late in (True, False)),
        book.top_up_fx(presented=amount, settled=elsewhere, fee=zero("EUR"), **in_lab),
        book.top_up_clearance(amount=amount, **in_lab),
        book.top_up_return(
            settled=amount,
            fee=other,
            taken=book.taken_from_lab(amount, pending=other, available=other),
            facts={},
            **in_lab,
        ),
        *(
            book.cash_receipt(
                amount=amount, fee=other, source_id="c", where=where, balance_transaction_id=None
            )
            for where in ("stripe", "bank", "operating")
        ),
        book.cash_application(lab_id=LAB, amount=amount, source_id="c"),
        book.cash_return(amount=amount, source_id="c", where="bank", balance_transaction_id=None),
        book.bank_to_stripe(amount=amount, source_id="b", where=Bank.CLIENT_FUNDS),
        book.stripe_funded(amount=amount, fee=other, balance_transaction_id="txn_1"),
    ]


def work_and_pay(amount: Money, other: Money) -> list[Posting]:
    """Rules 6 to 13 and 23."""
    of_line: dict[str, Any] = {"specialist_id": WHO, "line_id": LINE, "amount": amount}
    return [
        book.reservation(lab_id=LAB, job_id=JOB, amount=amount, source_id="q", contingency=other),
        book.release(lab_id=LAB, job_id=JOB, amount=amount, source_id="q", contingency=other),
        book.acceptance(
            job_id=JOB,
            specialist_id=WHO,
            submission_id=SubmissionId(UUID(int=5)),
            round_number=1,
            reward=amount,
            fee=other,
        ),
        book.clearance(specialist_id=WHO, accrual_id=AccrualId(UUID(int=6)), amount=amount),
        book.bonus(lab_id=LAB, specialist_id=WHO, amount=amount, fee=other, source_id="b"),
        book.bonus(
            lab_id=None, specialist_id=WHO, amount=amount, fee=zero(amount.currency), source_id="b"
        ),
        book.netting(specialist_id=WHO, freed_by=TransactionId(UUID(int=7)), amount=amount),
        book.lab_netting(lab_id=LAB, freed_by=TransactionId(UUID(int=7)), amount=amount),
        book.payout_reservation(**of_line),
        book.payout_cancellation(**of_line),
        book.withholding(**of_line),
        book.withholding_back(**of_line),
        book.tax_remittance(
            specialist_id=WHO,
            source_id="t",
            amount=amount,
            where=Bank.CLIENT_FUNDS,
            facts=TWO_PEOPLE,
        ),
    ]


def transfers(amount: Money, other: Money) -> list[Posting]:
    """Rules 14 to 16."""
    of_line: dict[str, Any] = {"specialist_id": WHO, "line_id": LINE, "amount": amount}
    to_bank: dict[str, Any] = {"payout_id": "po_1", "amount": amount}
    custody: dict[str, Any] = {"specialist_id": WHO, "connected_account": "acct_1"}
    elsewhere = Money(other.minor + 1, "EUR")
    return [
        book.transfer(
            transfer_id="tr_1",
            balance_transaction_id="txn_1",
            connected_account="acct_1",
            destination_amount=elsewhere,
            **of_line,
        ),
        *(book.connected_payout(step, **custody, **to_bank) for step in PayoutStep),
        *(
            book.transfer_reversal(
                line_id=LINE,
                reversal_id="trr_1",
                amount=amount,
                balance_transaction_id="txn_1",
                destination_amount=elsewhere,
                held=held,
                **custody,
            )
            for held in (True, False)
        ),
    ]


def money_back(amount: Money, other: Money) -> list[Posting]:
    """Rules 17 and 18."""
    in_lab: dict[str, Any] = {"lab_id": LAB, "balance_transaction_id": "txn_1"}
    refund: dict[str, Any] = {"refund_id": "r", "amount": amount}
    elsewhere = Money(other.minor + 1, "EUR")
    return [
        book.refund_reservation(lab_id=LAB, **refund),
        book.refund_sent(settled=elsewhere, fee=zero("EUR"), balance_transaction_id="t", **refund),
        book.refund_cancellation(lab_id=LAB, **refund),
        book.refund_failure(lab_id=LAB, settled=amount, balance_transaction_id="t", **refund),
        book.dispute_opened(dispute_id="dp", amount=amount, fee=other, held=amount, **in_lab),
        book.dispute_won(dispute_id="dp", amount=amount, fee=other, held=other, **in_lab),
        book.dispute_lost(
            lab_id=LAB, dispute_id="dp", amount=amount + other, held=other, owed=amount
        ),
        book.write_off(
            receivable=chart.lab_receivable(LAB, amount.currency),
            loss=chart.chargeback_loss(amount.currency),
            amount=amount,
            source_id="w",
            facts=TWO_PEOPLE,
        ),
    ]


def platform(amount: Money, other: Money) -> list[Posting]:
    """Rules 19 and 20, and reserves."""
    to_bank: dict[str, Any] = {"payout_id": "po_1", "amount": amount}
    return [
        book.platform_payout(fee=other, balance_transaction_id="txn_1", **to_bank),
        book.platform_payout_failure(balance_transaction_id="txn_1", **to_bank),
        book.bank_arrival(source_id="line", where=Bank.OPERATING, **to_bank),
        *(
            book.stripe_fee(
                amount=signed, category=FeeCategory.UNCLASSIFIED, balance_transaction_id="t"
            )
            for signed in (amount, -amount)
        ),
        book.fee_classification(amount=amount, category=FeeCategory.CONNECT, source_id="t"),
        *(
            book.stripe_reserve(amount=signed, balance_transaction_id="t")
            for signed in (amount, -amount)
        ),
    ]


def of_one_amount(amount: Money, other: Money) -> list[Posting]:
    """Every rule of the chart, with `amount` for what must be above zero and `other` for fees."""
    parts = (money_in, work_and_pay, transfers, money_back, platform)
    return [posting for part in parts for posting in part(amount, other)]


@given(minor=SOME, other=ANY, currency=CURRENCY)
def test_every_rule_sums_to_zero_and_names_accounts_of_the_chart(
    minor: int, other: int, currency: str
) -> None:
    for posting in of_one_amount(Money(minor, currency), Money(other, currency)):
        sums: dict[str, int] = defaultdict(int)
        for leg in posting.legs:
            sums[leg.amount.currency] += leg.amount.minor
            assert account_named(leg.account.code).kind is leg.account.kind
            assert account_named(leg.account.code).floor is leg.account.floor
            assert account_named(leg.account.code).owner_id in (leg.account.owner_id, None)
        assert {0} == set(sums.values()), posting.kind
        assert posting.content_hash == posting.content_hash


@pytest.mark.parametrize("minor", [0, -1])
def test_no_rule_posts_nothing_or_less(minor: int) -> None:
    asked: list[Callable[[], Posting]] = [
        lambda: book.top_up_clearance(
            lab_id=LAB, amount=Money(minor, "USD"), balance_transaction_id="t"
        ),
        lambda: book.bonus(
            lab_id=LAB,
            specialist_id=WHO,
            amount=Money(minor, "USD"),
            fee=Money(1, "USD"),
            source_id="b",
        ),
        lambda: book.refund_reservation(lab_id=LAB, refund_id="r", amount=Money(minor, "USD")),
        lambda: book.dispute_lost(
            lab_id=LAB,
            dispute_id="d",
            amount=Money(minor, "USD"),
            held=Money(1, "USD"),
            owed=Money(0, "USD"),
        ),
        lambda: book.fee_classification(
            amount=Money(minor, "USD"), category=FeeCategory.UNCLASSIFIED, source_id="t"
        ),
    ]
    for ask in asked:
        with pytest.raises(NothingToPost):
            ask()


def test_our_own_bonus_carries_no_fee() -> None:
    with pytest.raises(NothingToPost, match="no fee"):
        book.bonus(
            lab_id=None,
            specialist_id=WHO,
            amount=Money(1, "USD"),
            fee=Money(1, "USD"),
            source_id="b",
        )


@given(wanted=ANY, pending=ANY, available=ANY)
def test_what_a_lab_gives_back_is_taken_in_turn(wanted: int, pending: int, available: int) -> None:
    taken = book.taken_from_lab(
        Money(wanted, "USD"), pending=Money(pending, "USD"), available=Money(available, "USD")
    )

    assert wanted == sum(part.minor for part in taken)
    assert all(part.minor >= 0 for part in taken)
    assert taken[0].minor == min(wanted, pending)
    assert not taken[2] or (taken[0].minor, taken[1].minor) == (pending, available)


@given(reward=SOME, fee=ANY, contingency=ANY, available=ANY)
def test_pay_beyond_the_quote_is_whole_whatever_is_there(
    reward: int, fee: int, contingency: int, available: int
) -> None:
    found = book.sources_of(
        Money(reward, "JPY"),
        Money(fee, "JPY"),
        contingency=Money(contingency, "JPY"),
        available=Money(available, "JPY"),
    )

    paid = found.contingency + found.lab + found.goodwill
    assert Money(reward, "JPY") + found.fee == paid
    assert found.fee.minor <= fee
    # Our fee is never paid from our own goodwill.
    assert not (found.fee and found.goodwill)


@given(
    legs=st.lists(st.tuples(st.sampled_from(["USD", "EUR"]), SOME, st.booleans()), min_size=1),
)
def test_two_currencies_meet_in_the_trading_accounts_only(
    legs: list[tuple[str, int, bool]],
) -> None:
    sides: dict[bool, list[tuple[AccountSpec, Money]]] = {True: [], False: []}
    for currency, minor, debit in legs:
        sides[debit].append((chart.stripe_balance(currency), Money(minor, currency)))
    used = {currency for currency, _, _ in legs}

    found = book.legs_of(sides[True], sides[False])

    sums: dict[str, int] = defaultdict(int)
    for leg in found:
        sums[leg.amount.currency] += leg.amount.minor
    traded = [leg for leg in found if leg.account.kind is AccountKind.TRADING]
    if len(used) > 1:
        assert {0} == set(sums.values())
    else:
        assert [] == traded


@given(minor=SOME, there=ANY)
def test_a_floor_is_seen_before_the_database_is_asked(minor: int, there: int) -> None:
    posting = book.cash_application(lab_id=LAB, amount=Money(minor, "USD"), source_id="c")

    short = shortfalls(posting, {"L:unapplied:USD": there})

    assert (minor > there) == bool(short)


def test_the_chart_knows_its_codes_and_no_others() -> None:
    made = [
        chart.bank(Bank.OPERATING, "USD"),
        chart.connected_to_bank("acct_1ABC", "EUR"),
        chart.fx_gain("USD"),
        chart.fx_loss("USD"),
        chart.goodwill("USD"),
        chart.job_contingency(JOB, "USD"),
        chart.suspense("stripe", "USD"),
        chart.trading("KWD"),
        chart.write_offs("USD"),
    ]
    for spec in made:
        assert spec == account_named(spec.code)
    for code in (
        "A:bank:other:USD",
        "L:lab:me:available:USD",
        "L:suspense::USD",
        "A:stripe:balance:XXX",
        "A:stripe:balance",
        "",
    ):
        with pytest.raises(ValueError, match="no account of the chart"):
            account_named(code)
    assert "L:job:contingency" == control_account(made[5].code)
    assert "C:A:to_bank" == control_account(made[1].code)
    with pytest.raises(ValueError, match="does not name"):
        chart.suspense("Stripe!", "USD")


@given(cents=st.integers(1, 10**9), people=st.integers(1, 40), basis_points=st.integers(0, 4_000))
def test_scenario_31_parts_sum_exactly_and_what_is_charged_was_quoted(
    cents: int, people: int, basis_points: int
) -> None:
    whole = Money(cents, "USD")

    rewards = whole.share([1] * people)
    fees = [reward.portion(basis_points) for reward in rewards]

    assert whole == sum(rewards, zero("USD"))
    assert max(rewards).minor - min(rewards).minor <= 1
    # A fee is of a price, so two equal prices carry equal fees, and a quote is their sum.
    assert len({(r.minor, f.minor) for r, f in zip(rewards, fees, strict=True)}) <= 2


@pytest.mark.parametrize(
    ("currency", "places"),
    [("JPY", 0), ("ISK", 0), ("UGX", 0), ("HUF", 2), ("TWD", 2), ("USD", 2), ("KWD", 3)],
)
def test_scenario_32_each_currency_has_its_exponent(currency: str, places: int) -> None:
    assert places == EXPONENT[currency]
    assert f"{1 / 10**places:.{places}f}" == f"{Money(1, currency).decimal():f}"


def test_a_posting_says_the_same_whatever_the_order_of_its_legs() -> None:
    one = book.stripe_funded(
        amount=Money(5, "USD"), fee=Money(1, "USD"), balance_transaction_id="txn_1"
    )
    turned = Posting(one.kind, one.source_id, one.legs[::-1], one.balance_transaction_id)

    assert one.content_hash == turned.content_hash
    less = Posting(SourceKind.ADJUSTMENT, "a", tuple(Leg(x.account, x.amount) for x in one.legs))
    assert one.content_hash != less.content_hash
