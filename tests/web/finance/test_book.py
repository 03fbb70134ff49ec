"""The book on pages and as files."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

import pytest
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from marketplace.actor import SYSTEM
from marketplace.identity.rules import Role
from marketplace.ids import new_id
from marketplace.ledger import queries, service
from marketplace.money import Money
from marketplace.web.filters import money
from tests.make import ledger as make
from tests.make.ledger import usd
from tests.web.finance.conftest import Desk, Hire
from tests.web.pages import checked, text_of

STRIPE = "A:stripe:balance:USD"


def a_book(session: Session) -> None:
    """Two currencies, a specialist paid, one transaction not numbered yet."""
    specialist = make.a_specialist()
    line = make.payout_line(session, specialist, usd(9_99))
    make.topped_up(session, Money(5_000, "JPY"), fee=Money(1, "JPY"))
    make.sent(session, specialist, line, usd(9_99))
    service.number_transactions(session, limit=50)
    make.topped_up(session, usd(100_01), fee=usd(3_20))


def rows_of(answer: TestResponse) -> list[dict[str, str]]:
    """The rows of a CSV file that was downloaded."""
    return list(csv.DictReader(io.StringIO(saved(answer))))


def saved(answer: TestResponse) -> str:
    """The text of a download."""
    with answer:
        assert "attachment" in answer.headers["Content-Disposition"]
        return answer.text


def total(rows: list[dict[str, str]], column: str, currency: str) -> Decimal:
    figures = (Decimal(row[column] or "0") for row in rows if row["currency"] == currency)
    return sum(figures, start=Decimal())


def test_the_trial_balance_and_its_file_say_the_same(session: Session, auditor: Desk) -> None:
    a_book(session)
    totals = queries.trial_totals(session, SYSTEM)

    page = text_of(checked(auditor.browser.get("/finance/trial-balance")))
    rows = rows_of(auditor.browser.get("/finance/trial-balance.csv"))

    assert ["JPY", "USD"] == list(totals)
    for currency, both in totals.items():
        assert both.debit == both.credit
        assert f"{currency} balances at {money(both.debit)}." in page
        assert both.debit.decimal() == total(rows, "debit", currency)
        assert both.credit.decimal() == total(rows, "credit", currency)
    assert len(queries.trial_balance(session, SYSTEM)) == len(rows)


def test_the_trial_balance_of_another_moment(session: Session, auditor: Desk) -> None:
    a_book(session)

    old = checked(auditor.browser.get("/finance/trial-balance?at=2001-01-01"))
    exact = checked(auditor.browser.get("/finance/trial-balance?at=2001-01-01T18:00:00%2B02:00"))
    wrong = checked(auditor.browser.get("/finance/trial-balance?at=yesterday"), 422)
    file = auditor.browser.get("/finance/trial-balance.csv?at=2001-01-01")

    assert "Nothing was posted by then." in old
    assert "1 Jan 2001, 16:00:00 UTC" in exact
    assert "Write a day such as 2026-10-31" in wrong
    assert [] == rows_of(file)
    assert 422 == auditor.browser.get("/finance/trial-balance.csv?at=nonsense").status_code


def test_the_trial_balance_of_a_book_day(session: Session, auditor: Desk) -> None:
    make.topped_up(session, usd(70_00))  # It took effect on 3 May.

    before = checked(auditor.browser.get("/finance/trial-balance?on=2026-05-02"))
    after = checked(auditor.browser.get("/finance/trial-balance?on=2026-05-03"))
    wrong = checked(auditor.browser.get("/finance/trial-balance?on=May"), 422)
    file = auditor.browser.get("/finance/trial-balance.csv?on=2026-05-03")

    assert "Nothing was posted by then." in before
    assert "USD balances at 70.00" in text_of(after).replace("$", "")
    assert "Write a day such as 2026-10-31." in wrong
    assert Decimal("70.00") == total(rows_of(file), "debit", "USD")


def test_accounts_are_searched(session: Session, auditor: Desk) -> None:
    lab = make.topped_up(session, usd(10_00), fee=usd(1_00))

    by_kind = checked(auditor.browser.get("/finance/accounts?kind=expense"))
    by_part = checked(auditor.browser.get(f"/finance/accounts?search={lab}"))
    nothing = checked(auditor.browser.get("/finance/accounts?search=%3Cscript%3E"))

    assert "What Stripe kept of payments" in by_kind
    assert str(lab) not in by_kind
    assert f"L:lab:{lab}:available:USD" in by_part
    assert "code fits. Codes look like" in nothing
    assert "<script>" not in nothing.replace("<script src", "")


def test_an_account_and_its_file_say_the_same(session: Session, auditor: Desk) -> None:
    a_book(session)

    page = text_of(checked(auditor.browser.get(f"/finance/accounts/{STRIPE}")))
    rows = rows_of(auditor.browser.get(f"/finance/accounts/{STRIPE}.csv"))

    balance = queries.balance(session, STRIPE)
    assert f"{money(balance)} now, on the debit side." in page
    assert balance.decimal() == total(rows, "debit", "USD") - total(rows, "credit", "USD")
    assert str(balance.decimal()) == rows[-1]["balance"]
    assert "" == rows[-1]["number"]
    liability = next(
        row.code for row in queries.accounts(session, SYSTEM, search="L:lab:*:USD") if row.balance
    )
    rows = rows_of(auditor.browser.get(f"/finance/accounts/{liability}.csv"))
    assert ["100.01"] == [row["credit"] for row in rows]
    assert "on the credit side" in checked(auditor.browser.get(f"/finance/accounts/{liability}"))


def test_a_long_account_comes_in_pages(session: Session, auditor: Desk) -> None:
    for minor in range(1, 103):
        make.topped_up(session, usd(minor))

    first = checked(auditor.browser.get(f"/finance/accounts/{STRIPE}"))
    after = first.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    second = checked(auditor.browser.get(after))

    assert money(usd(102 * 103 // 2)) in first
    assert "$0.03" in second
    assert 'rel="next"' not in second


def test_a_transaction_shows_both_sides_and_its_place(session: Session, auditor: Desk) -> None:
    a_book(session)
    new, *_, old = queries.entries_of(session, SYSTEM, STRIPE)

    numbered = checked(auditor.browser.get(f"/finance/transactions/{old.transaction_id}"))
    fresh = text_of(checked(auditor.browser.get(f"/finance/transactions/{new.transaction_id}")))

    header = queries.transaction_view(session, SYSTEM, old.transaction_id).header
    assert header.chain_hash is not None
    assert header.chain_hash.hex() in numbered
    assert "$103.21 on each side" in fresh
    assert "not numbered yet" in fresh


def test_a_transfer_leads_to_its_line(session: Session, auditor: Desk) -> None:
    line = make.payout_line(session, make.a_specialist(), usd(5_00))
    found = queries.accounts(session, SYSTEM, search="L:spec:*:payout_reserved:USD")
    (entry,) = queries.entries_of(session, SYSTEM, found[0].code)

    page = checked(auditor.browser.get(f"/finance/transactions/{entry.transaction_id}"))

    assert f'href="/finance/payout-lines/{line}"' in page


def test_what_is_not_there_is_missing(session: Session, auditor: Desk) -> None:
    for path in (
        "/finance/accounts/A:nowhere:USD",
        "/finance/accounts/A:nowhere:USD.csv",
        f"/finance/transactions/{new_id()}",
        f"/finance/payout-runs/{new_id()}",
        f"/finance/payout-lines/{new_id()}",
    ):
        assert 404 == auditor.browser.get(path).status_code, path


def test_the_book_leaves_for_those_who_may_export(session: Session, hire: Hire) -> None:
    a_book(session)

    file = hire(Role.RECONCILER, factor=False).browser.get("/finance/ledger.beancount")
    refused = hire(Role.PREPARER, factor=False).browser.get("/finance/ledger.beancount")

    assert saved(file).startswith('option "title" "Marketplace ledger"\n')
    assert 403 == refused.status_code
    assert (
        "Beancount"
        not in hire(Role.PREPARER, factor=False).browser.get("/finance/trial-balance").text
    )


@pytest.mark.parametrize(
    ("path", "words"),
    [("trial-balance", "Nothing is posted yet."), ("accounts", "The first posting opens")],
)
def test_an_empty_book_says_what_comes(
    session: Session, auditor: Desk, path: str, words: str
) -> None:
    assert words in checked(auditor.browser.get(f"/finance/{path}"))


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/finance/trial-balance?after=%00", 200),
        ("/finance/trial-balance?at=9999-12-31", 422),
        ("/finance/trial-balance?at=0001-01-01T00:00:00%2B23:59", 422),
        ("/finance/accounts?search=%00&after=%00", 200),
        (f"/finance/accounts/{STRIPE}?after=%00", 200),
    ],
)
def test_addresses_that_mean_nothing_never_break_a_page(
    session: Session, auditor: Desk, path: str, status: int
) -> None:
    a_book(session)

    checked(auditor.browser.get(path), status)
