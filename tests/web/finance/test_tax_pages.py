"""Finance and operations on tax and holds: looked at by another, exported, held and let go."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.identity.rules import Role
from marketplace.ids import PayoutLineId, PersonId, new_id
from marketplace.ledger import service as ledger
from marketplace.payouts import queries, service
from marketplace.payouts.rules.tax import FormFacts, TaxForm
from marketplace.payouts.service import tax_forms
from tests.make import identity, pay
from tests.make.ledger import cleared_pay, usd
from tests.web.conftest import Browser
from tests.web.pages import checked, text_of

FACTS = {
    "legal_name": "Ann Lee", "classification": "individual", "address": "1 Way", "city": "Boston",
    "postcode": "02101", "country": "US",
}  # fmt: skip


def _paid(session: Session, person: PersonId) -> None:
    """A hundred dollars, of which 24 went to the tax office."""
    line = pay.an_old_line(session, person, usd(76_00))
    cleared_pay(session, person, usd(100_00))
    ledger.withhold_tax(
        session, specialist_id=person, amount=usd(24_00), line_id=PayoutLineId(new_id())
    )
    ledger.reserve_payout(session, specialist_id=person, line_id=line, amount=usd(76_00))
    ledger.confirm_transfer(
        session, specialist_id=person, line_id=line, amount=usd(76_00), transfer_id="tr_1",
        balance_transaction_id="txn_1", connected_account="acct_1", destination_amount=usd(76_00),
    )  # fmt: skip


def test_forms_totals_and_remittances(browse: Callable[[], Browser], session: Session) -> None:
    doctor = identity.specialist(session, name="Ann Lee")
    person = doctor.person()
    service.open_onboarding(session, doctor, payee_name="Ann Lee", country="DE", currency="USD")
    form = tax_forms.submit_form(
        session, doctor, FormFacts(TaxForm.W9, FACTS, "12-3456789", "Ann Lee", certified=True)
    )
    _paid(session, person)
    preparer = browse().sign_in(session, identity.staff(session, Role.PREPARER, name="Pia"))
    approver = browse().sign_in(session, identity.staff(session, Role.APPROVER, name="Ada"))
    operations = browse().sign_in(session, identity.staff(session, Role.OPERATIONS, name="Ora"))
    session.flush()
    year = clock.now().year

    queue = text_of(checked(operations.get("/finance/tax/forms")))
    shown = checked(operations.get(f"/finance/tax/forms/{form.id}"))
    refused = checked(operations.post(f"/finance/tax/forms/{form.id}/refuse", {"note": "no"}), 422)
    verified = operations.post(f"/finance/tax/forms/{form.id}/verify")
    page = text_of(checked(preparer.get("/finance/tax")))
    asked: dict[str, object] = {
        "currency": "USD",
        "paid_on": f"{clock.now():%Y-%m-%d}",
        "reference": "EFTPS 1",
    }
    preparer.post("/finance/tax/remittances", asked)
    (row,) = queries.open_remittances(session, identity.staff(session, Role.AUDITOR))
    own = preparer.post(f"/finance/tax/remittances/{row.id}/confirm")
    waiting = text_of(checked(approver.get("/finance/tax")))
    approver.post(f"/finance/tax/remittances/{row.id}/confirm")
    after = text_of(checked(approver.get("/finance/tax")))
    with approver.get(f"/finance/tax/{year}/totals.csv") as export:
        told = list(csv.DictReader(io.StringIO(export.get_data(as_text=True))))

    assert "Ann Lee" in queue
    assert "ends in 6789" in text_of(shown)
    assert "The bank account is in DE, the form says US." in text_of(shown)
    assert "123456789" not in shown
    assert "what its person has to mend" in refused.lower()
    assert "/finance/tax/forms" == verified.location
    assert "$24.00 is withheld and not remitted." in page
    assert 403 == own.status_code
    assert "Waits for a second person" in waiting
    assert "Confirmed" in after
    assert ("76.00", "24.00", "100.00", "123456789", "W-9") == tuple(
        told[0][name] for name in ("paid", "withheld", "counts_as_paid", "tax_number", "form")
    )
    assert 404 == operations.get(f"/finance/tax/{year}/totals.csv").status_code


def test_pay_is_held_and_let_go_on_its_page(
    browse: Callable[[], Browser], session: Session
) -> None:
    doctor = identity.specialist(session, name="Ann Lee")
    cleared_pay(session, doctor.person(), usd(50_00))
    officer = browse().sign_in(session, identity.staff(session, Role.OPERATIONS, name="Ora"))
    session.flush()
    place: dict[str, object] = {
        "person_id": str(doctor.person()),
        "amount": "60",
        "currency": "USD",
        "reason": "review",
        "note": "We look at one answer again.",
    }

    empty = text_of(checked(officer.get("/operations/pay-holds")))
    form = text_of(checked(officer.get(f"/operations/pay-holds?person_id={doctor.person()}")))
    too_much = checked(officer.post("/operations/pay-holds", place), 422)
    officer.post("/operations/pay-holds", place | {"amount": "20"})
    (hold,) = queries.own_pay_holds(session, doctor)
    held = text_of(checked(officer.get("/operations/pay-holds")))
    officer.post(f"/operations/pay-holds/{hold.id}/look")
    officer.post(f"/operations/pay-holds/{hold.id}/lift", {"reason": "settled"})
    lifted = text_of(checked(officer.get("/operations/pay-holds?state=lifted")))

    assert "Nothing is held." in empty
    assert "Available: $50.00" in form
    assert "hold at most that" in too_much
    assert "$20.00, Ann Lee" in held
    assert "Answers for it Ora" in held
    assert "What it was about is settled" in lifted
    assert [] == queries.own_pay_holds(session, doctor)
