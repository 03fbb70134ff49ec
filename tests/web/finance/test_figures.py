"""Every figure of the desk ties to its entries; finance is searched; an auditor only looks."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta
from uuid import uuid4
from xml.etree.ElementTree import Element

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import SYSTEM
from marketplace.errors import Denied
from marketplace.ledger import queries as ledger
from marketplace.ledger.rules import SourceKind
from marketplace.money import Money
from marketplace.reconciliation import service as reconciliation
from marketplace.web.downloads import inert
from marketplace.web.finance import shown
from marketplace.web.finance.search import amounts_of
from tests.make import ledger as book
from tests.make import payouts as make
from tests.make.billing import Stripe
from tests.make.ledger import usd
from tests.web.finance.conftest import Desk
from tests.web.finance.test_book import saved
from tests.web.pages import checked, text_of, tree_of


def a_book(session: Session) -> tuple[str, str]:
    """Money in many states, in two currencies; (a payout line, a lab's top-up's Stripe line)."""
    lab = book.a_lab()
    book.topped_up(session, usd(500_00), fee=usd(14_80), lab_id=lab)
    book.topped_up(
        session,
        Money(90_000, "JPY"),
        fee=Money(3_240, "JPY"),
        balance_transaction_id="txn_known",
    )
    book.funded_job(session, usd(200_00), lab_id=lab)
    specialist = book.a_specialist()
    book.cleared_pay(session, specialist, usd(33_33))
    line = book.payout_line(session, specialist, usd(20_00))
    session.flush()
    return str(line), "txn_known"


def with_mark(tree: Element, name: str) -> list[Element]:
    """The parts of a page that carry an attribute."""
    return [one for one in tree.iter() if name in one.attrib]


def words_of(part: Element) -> str:
    """What somebody reads in a part of a page."""
    return "".join(part.itertext()).strip()


def sum_at(auditor: Desk, href: str) -> str:
    """The sum that a page of entries states, in the currency that its address asks for."""
    tree = tree_of(auditor.browser.get(href).text)
    sums = {one.attrib["data-sum"]: words_of(one) for one in with_mark(tree, "data-sum")}
    return sums.get(href.rpartition("currency=")[2], "nothing")


def test_each_figure_of_the_desk_is_the_sum_of_its_entries(
    session: Session, stripe: Stripe, auditor: Desk
) -> None:
    a_book(session)
    make.a_specialist_to_pay(stripe, usd(90_00))
    desk = tree_of(auditor.browser.get("/finance").text)
    links = {(link.attrib["href"], words_of(link)) for link in with_mark(desk, "data-ties")}
    sums = {(href, sum_at(auditor, href)) for href, _ in links}

    zeros = {"$0.00", "\u00a50", "nothing", "+$0.00"}
    plain = {(href, "0" if words in zeros else words) for href, words in links}
    assert plain == {(href, "0" if words in zeros else words) for href, words in sums}
    assert len([1 for _, words in plain if words != "0"]) > 12


def test_entries_are_filtered_summed_paged_and_exported(session: Session, auditor: Desk) -> None:
    a_book(session)
    address = "/finance/entries?of=labs_available&currency=USD"
    page = text_of(checked(auditor.browser.get(address)))
    file = saved(auditor.browser.get(address.replace("entries?", "entries.csv?")))
    rows = list(csv.DictReader(io.StringIO(file)))
    none = checked(auditor.browser.get("/finance/entries?since=2099-01-01"))
    wrong = auditor.browser.get("/finance/entries?since=2026-02-31")
    backwards = auditor.browser.get("/finance/entries?since=2026-02-02&until=2026-02-01")

    assert "Sum, on the credit side" in page
    assert {"L:lab:available"} == {re.sub(r":[^:]+-[^:]+:", ":", r["account"][:-4]) for r in rows}
    assert "No entry fits these filters." in none
    assert "Write a day such as" in wrong.text
    assert "before the first" in backwards.text


def test_entries_go_on_after_a_page_without_losing_one(session: Session) -> None:
    a_book(session)
    wanted = ledger.Selection(currency="USD")
    whole = list(ledger.every_selected(session, SYSTEM, wanted))
    found, after = [], None
    while some := ledger.selected_entries(session, SYSTEM, wanted, after=after, limit=3):
        found += some
        after = some[-1].cursor

    assert whole == found
    total = ledger.selection_totals(session, SYSTEM, wanted)["USD"]
    assert total.debit == total.credit
    assert len(whole) == total.count


def test_cover_by_day_ends_now_and_begins_before_the_first_posting(session: Session) -> None:
    with clock.shifted(timedelta(days=-3)):
        book.topped_up(session, usd(100_00), fee=usd(3_20))
    now = ledger.money_by_state(session, SYSTEM)
    course = ledger.cover_by_day(session, SYSTEM, now, clock.now(), 10)["USD"]

    assert 10 == len(course)
    assert (now["USD"].cash, now["USD"].owed) == (course[-1].cash, course[-1].owed)
    assert course[-1].cash == course[-4].cash
    before = ledger.money_by_state(session, SYSTEM, clock.now() - timedelta(days=4))
    old = before["USD"].cash if "USD" in before else usd(0)
    assert old == course[-5].cash


def test_the_months_of_an_account_roll_forward_to_its_balance(
    session: Session, auditor: Desk
) -> None:
    a_book(session)
    code = "A:stripe:balance:USD"
    months = ledger.account_months(session, SYSTEM, code)
    page = text_of(checked(auditor.browser.get(f"/finance/accounts/{code}?at=2020-01-01")))

    assert ledger.balance(session, code) == months[0].closing
    assert all(one.opening + one.movement == one.closing for one in months)
    assert "it was $0.00" in page


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("$1,250.50", (usd(1250_50),)),
        ("eur 120", (Money(120_00, "EUR"),)),
        ("120.5", (usd(120_50),)),
        ("120.50 JPY", ()),
        ("txn_120", ()),
        ("PO-2026-0001", ()),
    ],
)
def test_an_amount_is_read_with_or_without_its_currency(
    typed: str, expected: tuple[Money, ...]
) -> None:
    assert expected == amounts_of(typed, ["USD", "JPY"])


def test_one_box_finds_what_a_reference_names(
    session: Session, stripe: Stripe, auditor: Desk
) -> None:
    _, known = a_book(session)
    make.a_specialist_to_pay(stripe, usd(90_00))
    (line,) = make.lines_of(make.finance(session).released())
    run = text_of(checked(auditor.browser.get("/finance/payout-runs")))
    reference = re.search(r"PO-\d{4}-\d+", run)

    assert reference is not None
    plain = reference[0].lower()
    assert "Payout runs" in checked(auditor.browser.get(f"/finance/search?q={plain}"))
    assert "Payout lines" in checked(auditor.browser.get(f"/finance/search?q={line.id}"))
    assert "Payees" in checked(auditor.browser.get(f"/finance/search?q={line.stripe_account_id}"))
    assert "Top-up" in checked(auditor.browser.get(f"/finance/search?q={known}"))
    assert "In the book" in checked(auditor.browser.get("/finance/search?q=%24500.00"))
    assert "Nothing is called" in checked(auditor.browser.get(f"/finance/search?q={uuid4()}"))
    checked(auditor.browser.get("/finance/search"))


def test_a_trial_balance_stands_beside_an_older_one(session: Session, auditor: Desk) -> None:
    a_book(session)
    today = clock.now().date()
    old = today - timedelta(days=40)
    address = f"/finance/trial-balance?on={today}&than={old}"
    page = checked(auditor.browser.get(address))
    file = saved(auditor.browser.get(address.replace("balance?", "balance.csv?")))
    changes = [row["change"] for row in csv.DictReader(io.StringIO(file))]

    cells = [one for one in tree_of(page).iter() if one.attrib.get("data-label") == "Change"]
    links = [(link.attrib["href"], words_of(link)) for cell in cells for link in cell.iter("a")]
    assert "Change" in page
    assert len(changes) == len(cells)
    href, change = links[0]
    assert change.strip("+\u2212") in checked(auditor.browser.get(href))


def test_no_cell_of_a_file_is_a_formula() -> None:
    cells: list[str | int | None] = ["=1+1", "+2x", "-3.00", "@name", "-3.00+cmd", "plain", 7, None]
    expected = ["'=1+1", "'+2x", "-3.00", "'@name", "'-3.00+cmd", "plain", 7, None]
    assert expected == [inert(cell) for cell in cells]


def pages_of(app: Flask) -> list[str]:
    """Finance's pages that need no id."""
    rules = [rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())]
    paths = sorted(rule.rule for rule in rules if rule.rule.startswith("/finance"))
    return [path for path in paths if "<" not in path]


def posts(form: Element) -> bool:
    """Whether a form changes anything but who is signed in."""
    elsewhere = ("/sign-out", "/account/organisations")
    return form.attrib.get("method") == "post" and form.attrib.get("action") not in elsewhere


def test_an_auditor_sees_all_of_finance_and_changes_nothing(
    session: Session, app: Flask, stripe: Stripe, auditor: Desk
) -> None:
    a_book(session)
    make.a_specialist_to_pay(stripe, usd(90_00))
    (line,) = make.lines_of(make.finance(session).released())
    (one, *_) = ledger.find(session, SYSTEM, amount=usd(500_00))
    more = [
        f"/finance/payout-runs/{line.run_id}",
        f"/finance/transactions/{one.transaction_id}",
        "/finance/accounts/A:stripe:balance:USD",
    ]
    posting: dict[str, list[str]] = {}
    for path in [*pages_of(app), *more]:
        answer = auditor.browser.get(path)
        answer.close()
        if answer.status_code == 403:
            posting[path] = ["closed"]
            continue
        assert answer.status_code == 200, path
        if "html" in (answer.mimetype or ""):
            forms = [one for one in tree_of(answer.text).iter("form") if posts(one)]
            actions = {form.attrib["action"] for form in forms}
            posting |= {path: sorted(actions)} if actions else {}

    # What only somebody who prepares, or verifies forms, opens.
    assert set(posting) <= {"/finance/payout-runs/new", "/finance/tax/forms"}
    assert all(found == ["closed"] for found in posting.values())


def test_no_post_of_finance_is_open_to_an_auditor(
    session: Session, app: Flask, auditor: Desk
) -> None:
    statuses = {}
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/finance") and "POST" in (rule.methods or ()):
            path = re.sub(r"<uuid:[^>]+>", str(uuid4()), rule.rule)
            path = re.sub(r"<int:[^>]+>", "1", path)
            path = re.sub(r"<[^>]+>", "2026-01", path)
            answer = auditor.browser.post(path, {"note": "A word."})
            statuses[rule.rule] = answer.status_code

    assert len(statuses) > 20
    breaks = "/finance/breaks/<uuid:break_id>/"
    # Reconcilers and approvers alike do these, so the verb asks, and the page is found first.
    by_verb = {f"{breaks}comment": 404, f"{breaks}decline": 404}
    assert by_verb == {rule: status for rule, status in statuses.items() if status != 403}
    for verb in (reconciliation.comment_break, reconciliation.decline_proposal):
        with pytest.raises(Denied):
            verb(session, auditor.actor, uuid4(), "A word.")


def test_every_rule_of_posting_has_words() -> None:
    assert set(SourceKind) == set(shown.SOURCES)
