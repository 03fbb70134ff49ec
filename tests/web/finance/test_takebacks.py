"""Filters of a new run, its file, schedules, and what came back, on pages."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.db import transaction
from marketplace.payouts import background
from marketplace.payouts.models import PayoutLine, PayoutReversal, PayoutSchedule, StrayTransfer
from marketplace.payouts.rules import ReversalState
from tests.make import payouts as make
from tests.make.billing import Stripe, work
from tests.make.ledger import usd
from tests.web.finance.conftest import Desk
from tests.web.pages import checked, text_of

NEW = "/finance/payout-runs/new"


def sent_line(stripe: Stripe, preparer: Desk, approver: Desk) -> PayoutLine:
    make.a_specialist_to_pay(stripe, usd(90_00))
    stripe.fund(usd(1_000_00))
    line = make.lines_of(make.Finance(preparer, approver).released())[0]
    make.send(line)
    return make.line_now(line)


def test_the_preview_shows_the_money_and_leaves_out_who_was_ticked(
    stripe: Stripe, session: Session, preparer: Desk
) -> None:
    people = [make.a_specialist_to_pay(stripe, usd(minor)) for minor in (20_00, 90_00)]

    page = text_of(checked(preparer.browser.get(f"{NEW}?minimum=10")))
    fewer = checked(preparer.browser.get(f"{NEW}?minimum=10&without={people[1]}"))

    assert "Sending pauses until it is there" in page
    assert "1 specialist would get $20.00 together." in text_of(fewer)
    assert "Left out by you" in fewer
    checked(preparer.browser.get(f"{NEW}?country=Germany"), 422)
    fields = {"currency": "USD", "minimum": "10", "without": str(people[1]), "country": "US"}
    made = preparer.browser.post("/finance/payout-runs", fields)
    shown = text_of(checked(preparer.browser.get(made.location)))
    assert "1 specialist was left out by hand." in shown


def test_a_transfer_is_taken_back_by_two_people(
    stripe: Stripe, session: Session, preparer: Desk, approver: Desk, auditor: Desk
) -> None:
    line = sent_line(stripe, preparer, approver)
    form = f"/finance/payout-lines/{line.id}/take-back"
    run = checked(preparer.browser.get(f"/finance/payout-runs/{line.run_id}"))
    assert form in run
    assert "At Stripe" in text_of(run)

    checked(preparer.browser.get(form))
    checked(preparer.browser.post(form, {"amount": "900", "why": "fraud", "note": "x"}), 422)
    asked = {"amount": "90", "why": "fraud", "note": "Two people share the account."}
    assert 303 == preparer.browser.post(form, asked).status_code
    checked(preparer.browser.post(form, asked), 409)
    with transaction() as tx:
        row = tx.scalars(select(PayoutReversal)).one()
    deed = f"/finance/reversals/{row.id}/approve"
    own = text_of(checked(preparer.browser.get("/finance/reversals")))
    assert "Waits for somebody else" in own
    assert 403 == auditor.browser.post(deed, {"code": "000000"}).status_code
    checked(approver.browser.post(deed, {"code": "000000"}), 422)
    with clock.shifted(timedelta(minutes=2)):
        assert 303 == approver.browser.post(deed, {"code": approver.code()}).status_code
        background.take_back(work("payouts.take_back"), reversal_id=str(row.id))
    with transaction() as tx:
        assert ReversalState.REVERSED is tx.get_one(PayoutReversal, row.id).state
    assert "Taken back" in text_of(checked(auditor.browser.get("/finance/reversals")))
    with auditor.browser.get(f"/finance/payout-runs/{line.run_id}/lines.csv") as file:
        (told,) = csv.DictReader(io.StringIO(file.get_data(as_text=True)))
    assert ("90.00", "90.00", "transferred", "reversed") == (
        told["amount"],
        told["taken_back"],
        told["state"],
        told["bank"],
    )


def test_an_unknown_transfer_is_settled_with_words(
    stripe: Stripe, session: Session, preparer: Desk
) -> None:
    person = make.a_specialist_to_pay(stripe, usd(90_00))
    account = make.account_of(person)
    with transaction() as tx:
        tx.add(
            StrayTransfer(
                transfer_id="tr_lost",
                stripe_account_id=account,
                specialist_id=person,
                line_id="gone",
                amount_minor=90_00,
                currency="USD",
                found_at=clock.now(),
            )
        )

    page = text_of(checked(preparer.browser.get("/finance/reversals")))
    assert "Transfers that no line explains" in page
    out = text_of(checked(preparer.browser.get(NEW)))
    assert "A transfer to them is not accounted for" in out.replace("Is held: a", "A")
    path = "/finance/unknown-transfers/tr_lost/settle"
    checked(preparer.browser.post(path, {"note": "no"}), 422)
    assert 303 == preparer.browser.post(path, {"note": "Adjusted with BR-7."}).status_code
    assert "tr_lost" not in checked(preparer.browser.get("/finance/reversals"))


def test_a_schedule_is_planned_and_stopped(
    stripe: Stripe, session: Session, preparer: Desk, auditor: Desk
) -> None:
    path = "/finance/payout-schedules"
    assert "No schedule yet" in checked(preparer.browser.get(path))
    planned = {"currency": "USD", "when": "month-15", "minimum": "25", "country": "de"}

    assert 303 == preparer.browser.post(path, planned).status_code
    checked(preparer.browser.post(path, planned | {"when": "week-9"}), 422)
    assert 403 == auditor.browser.post(path, planned).status_code
    shown = text_of(checked(auditor.browser.get(path)))

    assert "On day 15 of each month" in shown
    assert "accounts in DE" in shown
    with transaction() as tx:
        row = tx.scalars(select(PayoutSchedule)).one()
    assert 303 == preparer.browser.post(f"{path}/{row.id}", {"enabled": "0"}).status_code
    assert "Stopped" in text_of(checked(preparer.browser.get(path)))
