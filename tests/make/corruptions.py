"""Ways to corrupt a true history, each with the breaks that must be found then."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from marketplace import clock
from marketplace.ledger import service as ledger
from marketplace.money import Money
from marketplace.reconciliation import service
from marketplace.reconciliation.rules import Line
from marketplace.reconciliation.rules.breaks import BreakKind
from marketplace.reconciliation.stripe_gateway import RawBalance, RawLine
from tests.make import billing as people
from tests.make import ledger as make
from tests.make.history import NUMBERS, Expected, History, insert_row
from tests.make.ledger import usd

STRIPE = "stripe"
Corruption = Callable[[History, int], Expected]


def missing_in_ledger(history: History, minor: int) -> Expected:
    line = history.line("charge", usd(minor))
    return {(STRIPE, BreakKind.MISSING_IN_LEDGER, line)}


def missing_at_stripe(history: History, minor: int) -> Expected:
    named = f"txn_invented_{next(NUMBERS)}"
    with clock.shifted(-timedelta(hours=1)):
        make.topped_up(history.session, usd(minor), balance_transaction_id=named)
    return {(STRIPE, BreakKind.MISSING_AT_STRIPE, named)}


def missing_at_bank(history: History, minor: int) -> Expected:
    payout = history.payout(usd(minor), arrived_days_ago=20)
    return {("bank", BreakKind.MISSING_AT_BANK, payout.id)}


def amount_mismatch(history: History, minor: int) -> Expected:
    line = history.top_up(usd(minor + 5_00), told=usd(minor))
    return {(STRIPE, BreakKind.AMOUNT_MISMATCH, line)}


def fee_mismatch(history: History, minor: int) -> Expected:
    line = history.line("charge", usd(minor), usd(31))
    make.topped_up(history.session, usd(minor), fee=usd(30), balance_transaction_id=line)
    return {(STRIPE, BreakKind.FEE_MISMATCH, line)}


def currency_mismatch(history: History, minor: int) -> Expected:
    line = history.line("charge", Money(minor, "EUR"))
    make.topped_up(history.session, usd(minor), balance_transaction_id=line)
    return {(STRIPE, BreakKind.CURRENCY_MISMATCH, line)}


def duplicate_external(history: History, minor: int) -> Expected:
    first = history.line("charge", usd(minor), source="ch_twice", days_ago=5)
    make.topped_up(history.session, usd(minor), balance_transaction_id=first)
    again = history.line("charge", usd(minor), source="ch_twice", days_ago=4)
    return {(STRIPE, BreakKind.DUPLICATE_EXTERNAL, again)}


def duplicate_internal(history: History, minor: int) -> Expected:
    payout = history.payout(usd(minor), arrived_days_ago=22, name=f"po_twice_{next(NUMBERS)}")
    history.bank_day((minor, f"STRIPE {payout.trace_id}", ""))
    history.settle()
    ledger.record_bank_arrival(
        history.session,
        payout_id=payout.id,
        amount=usd(minor),
        source_id=f"be_again_{next(NUMBERS)}",
        effective_on=history.day - timedelta(days=12),
        where="client_funds",
    )
    return {("bank", BreakKind.DUPLICATE_INTERNAL, payout.id)}


def late(history: History, minor: int) -> Expected:
    line = history.line("charge", usd(minor), days_ago=1, seen=timedelta(hours=2))
    return {(STRIPE, BreakKind.LATE, line)}


def unknown_category(history: History, minor: int) -> Expected:
    line = history.line("brand_new_thing", usd(-minor))
    assert service.post_line(history.session, line)
    return {(STRIPE, BreakKind.UNKNOWN_CATEGORY, line)}


def orphan_transfer(history: History, minor: int) -> Expected:
    line = history.line("transfer", usd(-minor))
    return {(STRIPE, BreakKind.ORPHAN_TRANSFER, line)}


def unresolved_unknown(history: History, minor: int) -> Expected:
    person = people.a_person(history.session, is_specialist=True)
    line = history.payout_line(person, usd(minor))
    return {("book", BreakKind.UNRESOLVED_UNKNOWN, line)}


def stuck_in_transit(history: History, minor: int) -> Expected:
    payout = history.payout(usd(minor), status="in_transit", arrived_days_ago=9)
    return {("bank", BreakKind.STUCK_IN_TRANSIT, payout.id)}


def returned(history: History, minor: int) -> Expected:
    (entry,) = history.bank_day((minor, "Returned payment", "AC04"))
    history.settle()
    return {(history.source.break_source, BreakKind.RETURNED, entry)}


def unapplied_cash(history: History, minor: int) -> Expected:
    with clock.shifted(-timedelta(days=2)):
        (entry,) = history.bank_day((minor, "Invoice that we never wrote", ""))
        history.settle()
    return {("book", BreakKind.UNAPPLIED_CASH, entry)}


def stale_hold(history: History, minor: int) -> Expected:
    now = clock.now()
    hold = insert_row(
        history.session,
        "pay_hold",
        person_id=people.a_person(history.session, is_specialist=True),
        owner_id=people.a_person(history.session),
        amount_minor=minor,
        currency="USD",
        reason="review",
        state="open",
        placed_at=now - timedelta(days=30),
        look_due_at=now - timedelta(days=1),
    )
    return {("book", BreakKind.STALE_HOLD, f"pay:{hold}")}


def negative_connected(history: History, minor: int) -> Expected:
    account = f"acct_negative{next(NUMBERS)}"
    told = RawBalance({"USD": {"available": -minor, "pending": 0}}, {"object": "balance"})
    service.record_statement(history.session, told, account)
    return {("custody", BreakKind.NEGATIVE_CONNECTED, f"{account}:USD")}


def coverage_shortfall(history: History, minor: int) -> Expected:
    line = history.line("stripe_fee", Money(-minor, "GBP"))
    assert service.post_line(history.session, line)
    return {("book", BreakKind.COVERAGE_SHORTFALL, "GBP")}


def file_tamper(history: History, minor: int) -> Expected:
    line = history.top_up(usd(minor))
    made = clock.now()
    told = Line(line, "charge", usd(minor + 1), usd(0), made)
    service.record_lines(history.session, [RawLine(told, None, made, {"id": line, "other": 1})])
    return {(STRIPE, BreakKind.FILE_TAMPER, line)}


def file_gap(history: History, minor: int) -> Expected:
    before = history.day
    history.bank_day(gap=minor)
    return {(history.source.break_source, BreakKind.FILE_GAP, f"{before}:{history.day}::")}


CORRUPTIONS: dict[BreakKind, Corruption] = {
    BreakKind.MISSING_IN_LEDGER: missing_in_ledger,
    BreakKind.MISSING_AT_STRIPE: missing_at_stripe,
    BreakKind.MISSING_AT_BANK: missing_at_bank,
    BreakKind.AMOUNT_MISMATCH: amount_mismatch,
    BreakKind.FEE_MISMATCH: fee_mismatch,
    BreakKind.CURRENCY_MISMATCH: currency_mismatch,
    BreakKind.DUPLICATE_EXTERNAL: duplicate_external,
    BreakKind.DUPLICATE_INTERNAL: duplicate_internal,
    BreakKind.LATE: late,
    BreakKind.UNKNOWN_CATEGORY: unknown_category,
    BreakKind.ORPHAN_TRANSFER: orphan_transfer,
    BreakKind.UNRESOLVED_UNKNOWN: unresolved_unknown,
    BreakKind.STUCK_IN_TRANSIT: stuck_in_transit,
    BreakKind.RETURNED: returned,
    BreakKind.UNAPPLIED_CASH: unapplied_cash,
    BreakKind.STALE_HOLD: stale_hold,
    BreakKind.NEGATIVE_CONNECTED: negative_connected,
    BreakKind.COVERAGE_SHORTFALL: coverage_shortfall,
    BreakKind.FILE_GAP: file_gap,
    BreakKind.FILE_TAMPER: file_tamper,
}
