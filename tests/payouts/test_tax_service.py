"""Tax forms and what is withheld: signed, looked at by another, counted on a paid basis."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import Actor
from marketplace.errors import Conflict, Denied, Faulty
from marketplace.identity.rules import Role
from marketplace.ids import PayoutLineId, PersonId, new_id
from marketplace.ledger import queries as balances
from marketplace.ledger import service as ledger
from marketplace.mail import Message
from marketplace.money import Money
from marketplace.payouts import queries, service
from marketplace.payouts.models import PayoutLine, TaxFormRow
from marketplace.payouts.queries import What
from marketplace.payouts.rules.tax import FormFacts, TaxForm, TaxFormState
from marketplace.payouts.rules.withholding import RemittanceState
from marketplace.payouts.service import tax, tax_forms, withholding
from tests.make import identity, pay
from tests.make.ledger import cleared_pay, usd

W9 = FormFacts(
    TaxForm.W9,
    {
        "legal_name": "Ann Lee",
        "classification": "individual",
        "address": "1 Long Street",
        "city": "Boston",
        "region": "MA",
        "postcode": "02101",
        "country": "US",
    },
    "123-45-6789",
    "ann lee",
    certified=True,
)


def a_payee(session: Session) -> tuple[Actor, PersonId]:
    """A specialist in the United States with somewhere to be paid."""
    actor = identity.specialist(session)
    service.open_onboarding(session, actor, payee_name="Ann Lee", country="US", currency="USD")
    return actor, actor.person()


def paid(session: Session, person: PersonId, amount: Money, *, on: date) -> None:
    """A payout that left on a day."""
    run = pay.an_old_line(session, person, amount)
    cleared_pay(session, person, amount)
    ledger.reserve_payout(session, specialist_id=person, line_id=run, amount=amount)
    ledger.confirm_transfer(
        session,
        specialist_id=person,
        line_id=run,
        amount=amount,
        transfer_id=f"tr_{run.hex}",
        balance_transaction_id=f"txn_{run.hex}",
        connected_account=_account(session, run),
        destination_amount=amount,
        effective_on=on,
    )
    session.flush()


def _account(session: Session, line: PayoutLineId) -> str:
    return session.get_one(PayoutLine, line).stripe_account_id


def test_a_form_is_signed_verified_by_another_and_opens_the_gate(session: Session) -> None:
    actor, person = a_payee(session)
    officer, other = (
        identity.staff(session, Role.OPERATIONS),
        identity.staff(session, Role.PREPARER),
    )
    today = clock.now().date()
    paid(session, person, usd(2_000_00), on=today)

    before = tax.may_pay(session, person, "USD", usd(100_00), today)
    first = tax_forms.submit_form(session, actor, W9)
    again = tax_forms.submit_form(session, actor, W9)
    waiting = tax.may_pay(session, person, "USD", usd(100_00), today)
    verified = tax_forms.verify_form(session, officer, again.id)
    after = tax.may_pay(session, person, "USD", usd(100_00), today)
    tax_forms.refuse_form(session, other, again.id, note="The tax office knows no such number.")
    session.flush()

    assert (True, usd(24_00)) == (before.ok, before.withhold)
    assert TaxFormState.REPLACED is first.state
    assert (False, "tax_form_waits") == (waiting.ok, waiting.code)
    assert (True, usd(0)) == (after.ok, after.withhold)
    assert ("6789", None) == (verified.tin_end, verified.valid_until)
    assert usd(24_00) == tax.may_pay(session, person, "USD", usd(100_00), today).withhold
    assert 2 == len(
        session.scalars(select(Message).where(Message.template == "tax_form_decided")).all()
    )
    raw = session.execute(text("SELECT facts, tin, tin_end, signed_name FROM tax_form")).all()
    assert not any(b"6789" in bytes(part) or b"Lee" in bytes(part) for row in raw for part in row)


def test_nobody_looks_at_their_own_form_and_a_faulty_one_is_not_signed(session: Session) -> None:
    actor, _ = a_payee(session)
    form = tax_forms.submit_form(session, actor, W9)
    also = pay.acting(actor, Role.OPERATIONS)

    with pytest.raises(Denied):
        tax_forms.verify_form(session, also, form.id)
    with pytest.raises(Denied):
        tax_forms.verify_form(session, actor, form.id)
    with pytest.raises(Faulty) as told:
        tax_forms.submit_form(session, actor, FormFacts(TaxForm.W9, {}, "1", "", certified=False))
    assert "/tin" in {fault.pointer for fault in told.value.faults}


def test_a_line_that_was_drafted_is_judged_with_what_was_withheld_of_it(session: Session) -> None:
    actor, person = a_payee(session)
    today = clock.now().date()
    paid(session, person, usd(1_990_00), on=today)
    line = pay.an_old_line(session, person, usd(76_00), withheld=usd(24_00), sent=False)
    cleared_pay(session, person, usd(100_00))
    ledger.withhold_tax(session, specialist_id=person, amount=usd(24_00), line_id=line)
    ledger.reserve_payout(session, specialist_id=person, line_id=line, amount=usd(76_00))
    session.flush()

    def gate() -> tax.PayGate:
        return tax.may_pay(
            session, person, "USD", usd(76_00), today, withheld=usd(24_00), line_id=line
        )

    drafted = gate()
    other = tax.gates(session, {person: usd(100_00)}, today)[person]
    form = tax_forms.submit_form(session, actor, W9)
    tax_forms.verify_form(session, identity.staff(session, Role.OPERATIONS), form.id)

    assert (True, usd(24_00)) == (drafted.ok, drafted.withhold)
    assert usd(24_00) == other.withhold
    assert (False, "tax_changed") == (gate().ok, gate().code)


def test_a_year_is_what_left_less_what_a_bank_sent_back_and_what_was_withheld(
    session: Session,
) -> None:
    """Money fault 18: a payout that fails days after it was paid corrects the total."""
    actor, person = a_payee(session)
    paid(session, person, usd(500_00), on=date(2025, 12, 31))
    paid(session, person, usd(300_00), on=date(2026, 1, 1))
    line = session.scalars(select(PayoutLine).where(PayoutLine.specialist_id == person)).first()
    assert line is not None
    for step in ("created", "paid", "failed_after_paid"):
        ledger.record_connected_payout(
            session,
            step=step,
            payout_id="po_1",
            specialist_id=person,
            connected_account=line.stripe_account_id,
            amount=usd(500_00),
            effective_on=date(2026, 1, 5),
        )
    session.flush()

    years = {total.year: total for total in queries.years_of(session, actor)}
    entries = queries.own_entries(session, actor)

    assert (usd(500_00), usd(-200_00)) == (years[2025].paid, years[2026].paid)
    assert [What.SENT, What.SENT, What.RETURNED] == [each.what for each in entries]


def test_withheld_tax_is_remitted_by_two_people_once(session: Session) -> None:
    _, person = a_payee(session)
    preparer = identity.staff(session, Role.PREPARER)
    approver = identity.staff(session, Role.APPROVER)
    both = pay.acting(preparer, Role.PREPARER, Role.APPROVER)
    cleared_pay(session, person, usd(150_00))
    line = PayoutLineId(new_id())
    ledger.withhold_tax(session, specialist_id=person, amount=usd(24_00), line_id=line)
    under_way = pay.an_old_line(session, person, usd(9_00), withheld=usd(4_00), sent=False)
    ledger.withhold_tax(session, specialist_id=person, amount=usd(4_00), line_id=under_way)
    session.flush()
    today = clock.now().date()

    with pytest.raises(Faulty):
        withholding.propose_remittance(
            session, preparer, "USD", paid_on=today + timedelta(days=2), reference=""
        )
    row = withholding.propose_remittance(
        session, preparer, "USD", paid_on=today, reference="EFTPS 2026-06"
    )
    with pytest.raises(Conflict):
        withholding.propose_remittance(session, preparer, "USD", paid_on=today, reference="Twice")
    with pytest.raises(Denied):
        withholding.confirm_remittance(session, both, row.id)
    withholding.confirm_remittance(session, approver, row.id)
    with pytest.raises(Conflict):
        withholding.confirm_remittance(session, approver, row.id)

    assert (RemittanceState.CONFIRMED, usd(24_00)) == (row.state, row.amount)
    assert usd(4_00) == balances.balance(session, f"L:tax_withheld:{person}:USD")


def test_an_erased_persons_forms_stay_sealed_until_their_day(session: Session) -> None:
    actor, person = a_payee(session)
    other, _ = a_payee(session)
    mine = tax_forms.submit_form(session, actor, W9)
    theirs = tax_forms.submit_form(session, other, W9)
    paid(session, person, usd(10_00), on=date(2026, 3, 1))

    tax_forms.keep_as_the_law_asks(session, person)
    tax_forms.keep_as_the_law_asks(session, other.person())
    session.flush()
    kept = session.get_one(TaxFormRow, mine.id)
    last = kept.kept_until
    assert last is not None
    early = tax_forms.purge_forms(session, last)
    late = tax_forms.purge_forms(session, last + timedelta(days=1))
    session.flush()

    assert (0, 1) == (early, late)
    assert last.year >= 2033
    for form in (kept, theirs):
        assert (None, None, None) == (form.facts, form.tin, form.tin_end)
        assert form.purged_at is not None
